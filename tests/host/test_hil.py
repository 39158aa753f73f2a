"""The host's side of the bench rig: what it tells the rig, and what it makes of the edges."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from ipch.errors import DeviceLostError
from ipch.sim import signals
from ipch.sim.hil import Stepper, dac_counts, edge_us, rheostat_ohm, rheostat_position
from ipch.sim.parameters import load_parameters
from ipch.sim.plant import Plant

RIG = Path(__file__).resolve().parents[2] / "hardware" / "rig"


def test_a_step_of_the_dac_is_less_than_half_a_kilopascal() -> None:
    assert dac_counts(4.0) == round(0.4 / 2.5 * 65536)
    assert dac_counts(0.0) == 0
    assert dac_counts(30.0) == 65535
    assert 10e6 / 16 / (dac_counts(20.0) - dac_counts(4.0)) * 16 < 500


@pytest.mark.parametrize("celsius", [25, 30, 40, 50, 57])
def test_the_stand_in_of_the_pt1000_is_within_a_tenth_of_a_kelvin(celsius: float) -> None:
    ohm = signals.pt1000_ohm(celsius + 273.15)
    assert abs(rheostat_ohm(rheostat_position(celsius + 273.15)) - ohm) < 0.1 * 3.85


def test_edges_in_time() -> None:
    # As the rig's PIO program counts them: a fill of 7,000 us that begins 100 us after the start.
    rise, fall = 0xFFFFFFFF - 49, 0xFFFFFFFF - 49 - 3498
    assert edge_us(0, rise) == 99
    assert abs(edge_us(1, fall) - edge_us(0, rise) - 7000) <= 3


def test_the_plant_follows_the_rig() -> None:
    plant = Plant(load_parameters(None, ("initial_mpa=1",)), seed=1)
    answers = [
        "1000 1 1",
        "11000 1 1 2:0:4294967000 0:0:4294966000",
        "400000 1 0 0:1:4294860000 2:1:4294860000",
    ]
    lines: list[str] = []

    def exchange(line: str) -> str:
        lines.append(line)
        return answers[len(lines) - 1]

    stepper = Stepper(plant, exchange)
    for _ in answers:
        stepper.step()
    assert plant.time_ms == 399
    assert len(stepper.edges) == 4
    assert plant.pressure_pa > 1.001e6, "both valves of the fill side were open"
    assert not stepper.cell_ok
    assert all(len(line.split()) == 7 for line in lines)


def test_something_else_on_the_port_is_told() -> None:
    plant = Plant(load_parameters(None, ()), seed=1)
    with pytest.raises(DeviceLostError, match="bench rig"):
        Stepper(plant, lambda line: ">>> NameError").step()


def test_the_rigs_wiring_table_is_its_pin_table() -> None:
    pins: dict[str, int] = {}
    exec((RIG / "firmware" / "pins.py").read_text(), {}, pins)
    with (RIG / "wiring.csv").open(newline="") as file:
        table = {row["name"]: row["signal"] for row in csv.DictReader(file)}
    assert table == {name: f"GP{pin}" for name, pin in pins.items() if name.isupper()}
