"""`ipch size`: the reference figures, what it refuses, and that the firmware takes its limits."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ipch.errors import UsageError
from ipch.sizing import Design, size, tables
from ipch.sizing.flow import band_pa, hole_c, pulse_pa, stored_energy_j, times_s, warm_k

Cli = Callable[..., Any]
# The reference figures were worked out for 0.5 L of air near room temperature.
REFERENCE = Design(gas="air", temperature_k=301.5, supply_pa=10_000_000)


def test_holes() -> None:
    for diameter_mm, c in ((0.2, 5e-11), (0.4, 2.0e-10), (1.0, 1.25e-9)):
        assert hole_c(diameter_mm) == pytest.approx(c, rel=0.02)


@pytest.mark.parametrize(("c", "fill_kpa", "vent_kpa"), [(2e-10, 2.0, 1.0), (1e-8, 101.0, 50.0)])
def test_what_a_pulse_moves(c: float, fill_kpa: float, vent_kpa: float) -> None:
    assert pulse_pa(REFERENCE, c, True) / 1e3 == pytest.approx(fill_kpa, rel=0.02)
    assert pulse_pa(REFERENCE, c, False) / 1e3 == pytest.approx(vent_kpa, rel=0.02)


def test_smallest_band() -> None:
    assert [round(band_pa(REFERENCE, c, c) / 1e5, 2) for c in (2e-10, 1e-9)] == [0.02, 0.08]
    # The reference says "smallest", in one digit.
    assert band_pa(REFERENCE, 1e-8, 1e-8) / 1e5 == pytest.approx(0.8, rel=0.07)


@pytest.mark.parametrize(
    ("c", "supply_pa", "to_trip_s", "to_9_mpa_s"),
    [(2e-10, 10e6, 0.9, 10.3), (1.25e-9, 10e6, 0.14, 1.4), (1.25e-9, 6e6, 0.4, None)],
)
def test_how_fast_a_stuck_fill_side_is(
    c: float, supply_pa: float, to_trip_s: float, to_9_mpa_s: float | None
) -> None:
    early, late = times_s(REFERENCE, c, supply_pa, [5_500_000, 9_000_000], heat=True)
    assert early == pytest.approx(to_trip_s, rel=0.02)
    assert late == (None if to_9_mpa_s is None else pytest.approx(to_9_mpa_s, rel=0.02))
    shortest = times_s(REFERENCE, c, supply_pa, [5_500_000, 9_000_000])
    assert shortest[0] is not None and early is not None and shortest[0] < early
    assert late is None or (shortest[1] is not None and shortest[1] < late)


def test_how_fast_a_stuck_vent_side_is() -> None:
    assert times_s(REFERENCE, 2e-10, None, [4_500_000], heat=True)[0] == pytest.approx(1.8, rel=0.02)


def test_stored_energy() -> None:
    assert stored_energy_j(5e6, 5e-4) == pytest.approx(4200, rel=0.02)
    assert stored_energy_j(10e6, 5e-4) == pytest.approx(9100, rel=0.02)


def test_heat_of_a_ramp() -> None:
    # The gas as the simulator has it; the reference figures are for other heat, hence the wider margin.
    for slew, kelvin, kpa in ((4e3, 2.4, 43), (20e3, 7.9, 145), (100e3, 21, 382)):
        warm, back_pa = warm_k(REFERENCE, slew)
        assert warm == pytest.approx(kelvin, rel=0.13)
        assert back_pa / 1e3 == pytest.approx(kpa, rel=0.13)


def test_the_limits_are_those_the_firmware_takes() -> None:
    result = size(Design())
    assert list(result.settings.values()) == [
        10_000_000,
        5_500_000,
        6_000_000,
        6_500_000,
        7_000_000,
        9_000_000,
        10_000_000,
    ]
    assert all(low <= high for low, high in pairwise([*result.settings.values()][1:]))
    settings: dict[str, Any] = {}
    source = (Path(__file__).resolve().parents[2] / "firmware/regulator/settings.py").read_text()
    exec(source, settings)
    other = size(Design(working_pa=2_000_000, rated_pa=4_000_000, supply_pa=3_000_000)).settings
    store = settings["Settings"]()
    assert [store.set(name, value) for name, value in other.items()] == [""] * 7
    assert dict(store.items()).items() >= other.items()


DESIGNS = (
    Design(working_pa=2_000_000, rated_pa=4_000_000, supply_pa=3_000_000),
    Design(working_pa=7_500_000, rated_pa=9_500_000, supply_pa=8_500_000),
    Design(rated_pa=30_000_000, limits_pa={"trip_pa": 8_000_000, "comparator_pa": 9_000_000}),
)


@pytest.mark.parametrize("design", DESIGNS)
def test_the_commands_of_the_page_pass_the_checks_of_a_new_device(design: Design) -> None:
    settings: dict[str, Any] = {}
    exec((Path(__file__).resolve().parents[2] / "firmware/regulator/settings.py").read_text(), settings)
    store = settings["Settings"]()
    result = size(design)
    commands = [row[0] for title, _, rows in tables(result) if "settings" in title for row in rows]
    for command in commands[:-1]:
        name, value = command.removeprefix("ipch config set ").split()
        assert store.set(name, int(value)) == "", command
    assert commands[-1] == "ipch config confirm"
    assert dict(store.items()).items() >= result.settings.items()


def test_a_smaller_hole_makes_faults_slower_and_the_hold_finer() -> None:
    fine, coarse = size(Design(hole_mm=0.2)), size(Design(hole_mm=0.8))
    assert fine.value("smallest hold band") < coarse.value("smallest hold band")
    name = "to setpoint_max_pa 5.5 MPa"
    assert fine.value(name) > 10 * coarse.value(name)


def test_the_trip_stays_above_what_the_tolerances_may_hide() -> None:
    with pytest.raises(UsageError, match="setpoint_max_pa and trip_pa are 150 kPa apart"):
        size(Design(working_pa=5_000_000, rated_pa=6_500_000))


def test_the_relief_valve_carries_off_the_worst_fault() -> None:
    result = size(Design())
    needed = result.value("relief valve C")
    assert size(Design(relief_c=needed * 1.001)).settings == result.settings
    # Twice the bore of the seat lets in four times as much.
    assert size(Design(seat_mm=2.0)).value("relief valve C") == pytest.approx(4 * needed, rel=1e-6)


REFUSED = [
    (["--supply", "12MPa"], "above the chamber's rating 10 MPa and no relief valve is stated"),
    (["--supply", "12MPa", "--relief-c", "1e-10"], "cannot discharge the worst fault"),
    (["--relief-c", "nan"], "cannot discharge the worst fault"),
    (["--working", "10MPa"], "working pressure 10 MPa; expected"),
    (["--working", "6MPa", "--rated", "5MPa"], "is not below the chamber's rating 5 MPa"),
    (["--rated", "5.5MPa"], "less than the transducers tell apart"),
    (["--supply", "5MPa"], "cannot fill to 5 MPa"),
    (["--source", "5.5MPa"], "source 5.5 MPa is below the supply"),
    (["--source", "40MPa"], "expected up to 31 MPa"),
    (["--gas", "oxygen"], "gas 'oxygen'; expected air or nitrogen"),
    (["--volume", "0.001L"], "volume 0.001 L; expected 0.005 to 100"),
    (["--volume", "big"], "not a volume: 'big'; expected a number with L"),
    (["--relief-valve", "6.2MPa"], "comparator_pa 6.5 MPa is not below relief_valve_pa 6.2 MPa"),
    (["--burst-disc", "12MPa"], "burst_disc_pa 12 MPa is not below chamber_rating_pa 10 MPa"),
    (["--hole", "2"], "hole is larger than the valve's seat"),
    (["--hole", "0"], "hole 0 mm; expected 0.05 to 4"),
    (["--relief-c", "inf"], "relief valve of C = inf m3/(s Pa)"),
    (["--capacity", "-1"], "cell -1 Ah; expected 0 to 10000"),
    (["--leak", "nan"], "leak nan kPa/h; expected 0 to 1000"),
    (["--temperature", "nan"], "temperature nan degC; expected"),
    (["--band", "0.4kPa"], "band 0.4 kPa; expected"),
    (["--page", "x.txt"], "expected a name that ends in .html or .md"),
    (["--volume", "10mL", "--slew", "1MPa/s", "--band", "0.5kPa"], "no hole suits the fill side"),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED, ids=lambda value: str(value)[:40])
def test_unsafe_inputs_are_refused(arguments: list[str], message: str, cli: Cli) -> None:
    result = cli("size", *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.error_line()


def test_a_supply_above_the_rating_with_relief_is_taken(cli: Cli) -> None:
    assert cli("size", "--supply", "12MPa", "--relief-c", "1e-8", "--band", "5kPa", "--json").code == 0


def test_table_and_json_say_the_same(cli: Cli) -> None:
    text, data = cli("size").out, cli("size", "--json").json()
    assert data["settings"]["trip_pa"] == 6_000_000
    assert data["inputs"] == json.loads(json.dumps(data["inputs"]))
    for figure in data["figures"]:
        assert figure["name"] in text and figure["how"] in text
    assert "ipch config set chamber_rating_pa 10000000" in text


def test_air_is_warned_of(cli: Cli) -> None:
    assert "holds 1 MPa of oxygen" in cli("size", "--gas", "air").err
    assert "oxygen" not in cli("size").err


def test_the_page(cli: Cli, tmp_path: Path) -> None:
    for name in ("sizing.html", "sizing.md"):
        assert cli("size", "--page", str(tmp_path / name)).code == 0
        text = (tmp_path / name).read_text()
        assert "relief valve C" in text and "conformity" in text and "Checked by" in text
    assert cli("size", "--page", str(tmp_path / "no" / "x.md")).code == 8


def test_gas_of_a_month_follows_cell_and_leak(cli: Cli) -> None:
    small, large = (
        {figure["name"]: figure["value"] for figure in cli("size", "--json", *more).json()["figures"]}
        for more in ([], ["--capacity", "10", "--leak", "3"])
    )
    assert large["breathing"] == pytest.approx(2 * small["breathing"], rel=1e-6)
    assert large["leak"] == pytest.approx(3 * small["leak"], rel=1e-6)


def test_a_smaller_chamber_gets_a_smaller_hole() -> None:
    assert size(replace(Design(), volume_m3=1e-4)).fill_mm < size(Design()).fill_mm


def test_a_pulse_counts_with_the_rise_of_the_coil() -> None:
    result = size(Design())
    # L/R = 8.8 ms; the valve lifts at 60 % of the current.
    assert result.value("coil current after 5 ms") == pytest.approx(43, abs=1)
    assert result.value("shortest command") == pytest.approx(13, abs=0.5)
    quick = size(Design(coil_rise_s=0.0))
    assert quick.value("shortest command") == pytest.approx(5)
    assert quick.value("fill pulse") == pytest.approx(result.value("fill pulse"))


def test_the_supply_relief_stays_below_the_rating_where_it_can() -> None:
    def set_mpa(**changes: Any) -> float:
        return size(Design(**changes)).value("supply relief set pressure")

    assert set_mpa() == pytest.approx(7.5)
    assert set_mpa(supply_pa=9_000_000) == pytest.approx(10.0)
    assert set_mpa(supply_pa=10_000_000) == pytest.approx(11.0)


def test_the_command_takes_a_coil_rise(cli: Cli) -> None:
    assert "shortest command" in cli("size", "--coil-rise", "12ms").out
    assert cli("size", "--coil-rise", "1s").code == 2
