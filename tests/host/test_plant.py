"""The plant as a rig sees it: commands, disobedient valves, sensors, surroundings, parameters."""

from __future__ import annotations

import json
import math
from dataclasses import FrozenInstanceError, asdict, fields
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipch.errors import FileError
from ipch.sim.parameters import (
    ParameterError,
    PlantParameters,
    describe_parameters,
    load_parameters,
    load_rig,
)
from ipch.sim.plant import FILL, RELIEF, SUPPLY_ISOLATION, VENT, VENT_ISOLATION, Plant

FILL_PULSE, VENT_PULSE = 0, 1
EXACT: dict[str, Any] = {"initial_mpa": 5.0, "valve_jitter_ms": 0.0, "missed_probability": 0.0}
NOISELESS: dict[str, Any] = {
    "transducer_noise_kpa": 0.0,
    "safety_noise_kpa": 0.0,
    "gas_mismatch_mk": 0.0,
    "gas_noise_mk": 0.0,
    "wall_noise_mk": 0.0,
}


def plant(seed: int = 1, **changes: Any) -> Plant:
    """Return a plant at 5 MPa whose valves keep their delays exactly."""
    return Plant(PlantParameters(**{**EXACT, **changes}), seed)


def seen(rig: Plant) -> tuple[float, ...]:
    found = rig.measure()
    return found.control_ma, found.safety_ma, found.supply_ma, found.gas_k, found.wall_k


def exercise(rig: Plant, ticks: int = 300) -> list[tuple[float, ...]]:
    """Run a fixed sequence of commands; return what the sensors said."""
    story = []
    for tick in range(ticks):
        if tick % 25 == 3:
            rig.switch(True, False, False)
        if tick % 25 == 5:
            rig.pulse(FILL_PULSE, 9_000)
        if tick % 25 == 8:
            rig.switch(False, True, False)
        if tick % 25 == 10:
            rig.pulse(VENT_PULSE, 15_000)
        if tick % 25 == 14:
            rig.switch(False, False, False)
        rig.advance(20)
        story.append(seen(rig))
    return story


def test_the_same_seed_is_the_same_run() -> None:
    changes = {
        "stick_probability": 0.3,
        "missed_probability": 0.1,
        "valve_jitter_ms": 1.0,
        "cell_c_rate": 1.0,
    }
    one, two, other = (plant(seed, **changes) for seed in (7, 7, 8))
    story = exercise(one)
    assert exercise(two) == story
    assert two.truth() == one.truth()
    assert exercise(other) != story


def test_one_noise_does_not_shift_another() -> None:
    def noise(**changes: Any) -> list[tuple[float, ...]]:
        rig = plant(**changes)
        story = []
        for _ in range(50):
            rig.advance(20)
            story.append(seen(rig))
        return story

    plain = noise()
    for signal, changes in enumerate(
        (
            {"transducer_noise_kpa": 2.0},
            {"safety_noise_kpa": 9.0},
            {"transducer_noise_kpa": 2.0},
            {"gas_noise_mk": 50.0},
            {"wall_noise_mk": 50.0},
        )
    ):
        changed = noise(**changes)
        for index in range(5):
            same = [row[index] for row in plain] == [row[index] for row in changed]
            assert same == (index != signal and not ("transducer_noise_kpa" in changes and index in (0, 2)))
    # Jitter is drawn alike whether or not valves stick or miss.
    once, sticking = (plant(valve_jitter_ms=1.0, stick_probability=p, stick_ms=50.0) for p in (0.0, 1.0))
    for rig in (once, sticking):
        rig.pulse(FILL_PULSE, 20_000)
        rig.advance(200)
    extra_us = sticking.valves[FILL].open_us - once.valves[FILL].open_us
    assert 0 < extra_us <= 50_000
    exercise(once)
    exercise(sticking)
    assert [valve.openings for valve in once.valves] == [valve.openings for valve in sticking.valves]


def test_names_order_and_truth_record() -> None:
    rig = plant(cell_c_rate=1.0)
    assert [valve.name for valve in rig.valves] == [
        "supply_isolation",
        "fill",
        "vent_isolation",
        "vent",
        "relief",
    ]
    exercise(rig, 100)
    record = rig.truth()
    assert json.loads(json.dumps(record)) == record
    assert record["time_s"] == 2.0
    assert rig.time_ms == 2000
    for name in ("pressure_pa", "gas_k", "wall_k", "oven_k", "supply_pa", "gas_kg"):
        assert record[name] == getattr(rig, name)
    assert record["cell_cm3"] == pytest.approx(rig.cell_volume_m3 * 1e6)
    assert record["fill_openings"] == rig.valves[FILL].openings == 4
    assert record["vent_open_s"] == pytest.approx(rig.valves[VENT].open_us / 1e6)
    assert record["fill_open"] is False


@pytest.mark.parametrize("ticks_ms", [(20,) * 20, (1,) * 400, (7,) * 57 + (1,), (400,)])
def test_pulse_edges_fall_anywhere_within_a_tick(ticks_ms: tuple[int, ...]) -> None:
    rig = plant()
    rig.advance(100)
    rig.switch(True, False, False)
    rig.advance(100)
    before_kg = rig.gas_kg
    rig.pulse(FILL_PULSE, 12_340)
    for tick_ms in ticks_ms:
        rig.advance(tick_ms)
    # 12.34 ms on, opens 6 ms late, closes 5 ms late.
    assert rig.valves[FILL].open_us == 11_340
    assert not rig.valves[FILL].energised
    assert rig.time_ms == 600
    reference = plant()
    reference.switch(True, False, False)
    reference.advance(200)
    reference.pulse(FILL_PULSE, 12_340)
    reference.advance(400)
    assert rig.gas_kg - before_kg == pytest.approx(reference.metered_in_kg, rel=2e-3)
    assert rig.gas_kg > before_kg


def test_a_pulse_shorter_than_the_opening_delay_does_nothing() -> None:
    rig = plant()
    rig.switch(True, False, False)
    rig.advance(100)
    rig.pulse(FILL_PULSE, 5_900)
    rig.advance(100)
    fill = rig.valves[FILL]
    assert (fill.openings, fill.missed, fill.open_us) == (1, 0, 0)
    assert rig.metered_in_kg == 0.0


def test_a_new_pulse_extends_and_never_shortens() -> None:
    rig = plant()
    rig.pulse(VENT_PULSE, 50_000)
    rig.advance(20)
    rig.pulse(VENT_PULSE, 60_000)
    rig.advance(5)
    rig.pulse(VENT_PULSE, 1_000)
    rig.advance(200)
    assert rig.valves[VENT].open_us == 20_000 + 60_000 - 6_000 + 5_000
    assert rig.valves[VENT].openings == 1


def test_shut_cuts_a_running_pulse_and_all_switched_valves() -> None:
    rig = plant(relief_c=1e-12)
    rig.switch(True, True, True)
    rig.pulse(FILL_PULSE, 1_000_000)
    rig.advance(100)
    assert all(rig.valves[index].open for index in (SUPPLY_ISOLATION, FILL, VENT_ISOLATION, RELIEF))
    rig.shut()
    assert not any(valve.energised for valve in rig.valves)
    rig.advance(40)
    assert not any(valve.open for valve in rig.valves)
    assert rig.valves[FILL].open_us == 100_000 - 6_000 + 5_000
    pressure = rig.gas_kg
    rig.advance(1000)
    assert rig.gas_kg == pressure


def test_switching_twice_is_one_opening() -> None:
    rig = plant()
    for _ in range(5):
        rig.switch(True, False, False)
        rig.advance(20)
    assert rig.valves[SUPPLY_ISOLATION].openings == 1
    # Off and on again while it still closes: it stays open, and that is a second opening.
    rig.switch(False, False, False)
    rig.advance(5)
    rig.switch(True, False, False)
    rig.advance(100)
    assert rig.valves[SUPPLY_ISOLATION].open
    assert rig.valves[SUPPLY_ISOLATION].openings == 2
    assert rig.valves[SUPPLY_ISOLATION].open_us == 205_000 - 15_000


def test_delays_jitter_and_misses_have_their_size() -> None:
    rig = plant(valve_jitter_ms=1.0, missed_probability=0.2)
    fill = rig.valves[FILL]
    times_us = []
    for _ in range(600):
        before_us, missed = fill.open_us, fill.missed
        rig.pulse(FILL_PULSE, 20_000)
        rig.advance(50)
        times_us.append(fill.open_us - before_us)
        assert (times_us[-1] == 0) == (fill.missed > missed)
    opened = [time for time in times_us if time]
    # Two even distributions of +-1 ms, one for each edge: 2/sqrt(6) ms rms.
    assert fmean(opened) == pytest.approx(19_000, abs=120)
    assert pstdev(opened) == pytest.approx(816, rel=0.12)
    assert min(opened) >= 17_000
    assert max(opened) <= 21_000
    assert fill.openings == 600
    assert fill.missed == pytest.approx(120, abs=40)


def test_one_valve_of_a_pair_moves_no_gas_and_both_do() -> None:
    rig = plant()
    rig.switch(True, True, False)
    rig.advance(5_000)
    assert rig.gas_kg == plant().gas_kg
    rig.switch(False, False, False)
    rig.advance(100)
    # The trap at supply pressure and the trap at ambient: once each, and no more.
    moved = []
    for pulse in (FILL_PULSE, VENT_PULSE):
        for _ in range(2):
            before_kg = rig.gas_kg
            rig.pulse(pulse, 100_000)
            rig.advance(300)
            moved.append(rig.gas_kg - before_kg)
    filled, filled_again, vented, vented_again = moved
    trap_kg = 0.07e-6 / (287.05 * 300)
    assert filled == pytest.approx(trap_kg * 1e6, rel=0.05)
    assert vented == pytest.approx(-trap_kg * 4.9e6, rel=0.05)
    assert abs(filled_again) < 0.01 * filled
    assert abs(vented_again) < 0.01 * filled
    rig.switch(True, False, False)
    rig.pulse(FILL_PULSE, 100_000)
    rig.advance(300)
    assert rig.metered_in_kg > 10 * filled


@pytest.mark.parametrize("name", ["fill", "vent"])
def test_stuck_and_leaking_valves(name: str) -> None:
    inner, outer = (FILL, SUPPLY_ISOLATION) if name == "fill" else (VENT, VENT_ISOLATION)
    sign = 1 if name == "fill" else -1
    rig = plant()
    rig.valves[inner].stuck = "open"
    rig.advance(500)
    # Only the volume in between is shared while the other one is tight.
    start_kg = rig.gas_kg
    rig.advance(1000)
    assert rig.valves[inner].open
    assert rig.valves[inner].open_us == 1_500_000
    assert rig.gas_kg == pytest.approx(start_kg, rel=1e-9)
    rig.valves[outer].leak_c = 1e-12
    rig.advance(1000)
    assert sign * (rig.gas_kg - start_kg) > 1e-6
    rig.valves[inner].stuck = ""
    rig.advance(100)
    assert not rig.valves[inner].open
    rig.valves[inner].stuck = "shut"
    rig.switch(name == "fill", name == "vent", False)
    rig.pulse(0 if name == "fill" else 1, 500_000)
    start_kg = rig.gas_kg
    rig.advance(300)
    assert not rig.valves[inner].open
    assert rig.gas_kg == start_kg
    # Freed in the middle of a pulse, it does what its coil says.
    rig.valves[inner].stuck = ""
    rig.advance(100)
    assert rig.valves[inner].open
    assert sign * (rig.gas_kg - start_kg) > 1e-6


def test_a_valve_that_comes_free_in_mid_pulse_opens() -> None:
    rig = plant()
    rig.valves[FILL].stuck = "shut"
    rig.pulse(FILL_PULSE, 500_000)
    rig.advance(100)
    assert not rig.valves[FILL].open
    rig.valves[FILL].stuck = ""
    rig.advance(100)
    assert rig.valves[FILL].open
    assert rig.valves[FILL].open_us == 100_000


def test_a_seat_leak_is_metered_like_its_valve() -> None:
    rig = plant(fill_leak_c=1e-14, supply_isolation_leak_c=1.0e-9, supply_mpa=10.0)
    for _ in range(100):
        rig.advance(1000)
    choked = 1e-14 * 1.185 * 10e6 * math.sqrt(293.15 / 303.15) * 1.035
    assert rig.metered_in_kg == pytest.approx(100 * choked * 0.945, rel=0.02)


def test_missing_supply_and_override() -> None:
    rig = plant()
    rig.supply_pa_override = 2e6
    rig.switch(True, False, False)
    rig.pulse(FILL_PULSE, 500_000)
    rig.advance(500)
    assert rig.supply_pa == 2e6
    assert rig.metered_in_kg < 0
    assert rig.measure().supply_ma == pytest.approx(4 + 16 * 0.2, abs=0.01)
    rig.supply_pa_override = None
    rig.advance(20)
    assert rig.supply_pa == 6e6


def test_burst_line_and_external_leak_go_to_leaked() -> None:
    rig = plant()
    rig.advance(100)
    rig.burst = 1e-8
    rig.advance(200)
    assert rig.pressure_pa < 4.5e6
    assert rig.leaked_kg == pytest.approx(plant().gas_kg - rig.gas_kg, rel=1e-9)
    assert rig.metered_out_kg == 0.0
    for _ in range(300):
        rig.advance(1000)
    assert rig.pressure_pa == pytest.approx(101325, rel=1e-3)


def test_mechanical_relief_reseats_and_the_burst_disc_does_not() -> None:
    rig = plant(supply_mpa=15.0, fill_c=1e-9)
    rig.switch(True, False, False)
    rig.valves[FILL].stuck = "open"
    highest = 0.0
    while not rig.mechanical_relief_open:
        rig.advance(20)
        highest = max(highest, rig.pressure_pa)
    assert 9.4e6 < highest < 9.7e6
    rig.shut()
    for _ in range(200):
        rig.advance(20)
    assert not rig.mechanical_relief_open
    assert 8.0e6 < rig.pressure_pa < 8.6e6
    assert rig.relieved_kg > 0

    rig = plant(supply_mpa=15.0, fill_c=1e-9, mechanical_relief_c=0.0)
    rig.switch(True, False, False)
    rig.valves[FILL].stuck = "open"
    for _ in range(500):
        rig.advance(20)
    assert rig.burst_disc_broken
    rig.shut()
    rig.advance(1000)
    rig.advance(60_000)
    assert rig.pressure_pa == pytest.approx(101325, rel=0.01)


def test_the_relief_valve_empties_into_the_room() -> None:
    rig = plant()
    rig.switch(False, False, True)
    rig.advance(500)
    assert rig.valves[RELIEF].open
    assert rig.metered_out_kg == pytest.approx(plant().gas_kg - rig.gas_kg, rel=1e-9)
    assert rig.pressure_pa < 4.6e6


@pytest.mark.parametrize("port", ["control", "safety"])
def test_a_blocked_port_freezes_one_transducer(port: str) -> None:
    rig = plant(**NOISELESS)
    rig.advance(20)
    frozen = getattr(rig.measure(), f"{port}_ma")
    rig.sensors.follow_share[port] = 0.0
    rig.switch(False, False, True)
    rig.advance(500)
    found = rig.measure()
    other = "safety" if port == "control" else "control"
    assert getattr(found, f"{port}_ma") == frozen
    assert getattr(found, f"{other}_ma") < frozen - 0.5
    rig.sensors.follow_share.clear()
    rig.advance(20)
    found = rig.measure()
    assert found.control_ma == found.safety_ma


def test_signals_have_their_scale_and_noise() -> None:
    rig = plant()
    rows = []
    for _ in range(4000):
        rig.advance(20)
        rows.append(seen(rig))
    control, safety, supply, gas, wall = zip(*rows, strict=True)
    for signal, milliampere, noise_kpa in ((control, 12.0, 0.5), (safety, 12.0, 3.0), (supply, 13.6, 0.5)):
        assert fmean(signal) == pytest.approx(milliampere, abs=16e-4 * noise_kpa * 5 / math.sqrt(4000))
        assert pstdev(signal) == pytest.approx(16e-4 * noise_kpa, rel=0.05)
    assert pstdev(wall) == pytest.approx(0.004, rel=0.05)
    # Noise of 10 mK on a mismatch that hardly moves within 80 s.
    assert 0.008 < pstdev(gas) < 0.02
    assert fmean(wall) == pytest.approx(rig.wall_k, abs=5e-4)


def test_gas_mismatch_is_slow_and_of_its_size() -> None:
    rig = plant(**{**NOISELESS, "gas_mismatch_mk": 20.0})
    deviations = []
    for _ in range(20_000):
        rig.advance(60_000)
        deviations.append(rig.measure().gas_k - rig.gas_k)
    assert pstdev(deviations) == pytest.approx(0.020, rel=0.1)
    square = fmean(x * x for x in deviations)
    after_half_an_hour = fmean(a * b for a, b in zip(deviations, deviations[30:], strict=False)) / square
    assert after_half_an_hour == pytest.approx(1 / math.e, abs=0.1)


def test_transducer_lag_and_gas_sensor_lag() -> None:
    rig = plant(**NOISELESS, transducer_lag_ms=40.0, convection_factor=0.0)
    rig.switch(False, False, True)
    rig.advance(300)
    rate = -rig.pressure_pa
    rig.advance(20)
    rate += rig.pressure_pa
    behind_pa = (rig.measure().control_ma - 4) / 16 * 10e6 - rig.pressure_pa
    assert behind_pa == pytest.approx(-rate / 20 * 40, rel=0.05)
    rig.shut()
    rig.advance(100)
    gas_k = rig.gas_k
    behind_k = rig.measure().gas_k - rig.gas_k
    assert behind_k > 5
    rig.advance(3000)
    assert rig.gas_k == pytest.approx(gas_k, abs=1e-6)
    assert (rig.measure().gas_k - rig.gas_k) / behind_k == pytest.approx(1 / math.e, rel=0.02)
    # A warming gas is seen late by its rate times the lag, whatever the steps.
    behind = []
    for step_ms in (20, 1000):
        rig = plant(**NOISELESS, wall_s=10.0)
        for _ in range(200_000 // step_ms):
            late_k = -rig.gas_k
            rig.oven_offset_k += 1e-4 * step_ms
            rig.advance(step_ms)
            late_k += rig.gas_k
        late_k *= 1000 / step_ms
        behind.append(rig.gas_k - rig.measure().gas_k)
        assert behind[-1] == pytest.approx(3.0 * late_k, rel=0.02)
    assert behind[0] == pytest.approx(behind[1], rel=0.001)
    # The lag of a step does not hang on how the time is cut.
    once, often = plant(**NOISELESS), plant(**NOISELESS)
    for other in (once, often):
        other.supply_pa_override = 2e6
    once.advance(6)
    for _ in range(6):
        often.advance(1)
    assert often.measure().supply_ma == pytest.approx(once.measure().supply_ma, abs=1e-9)
    assert once.measure().supply_ma == pytest.approx(4 + 1.6 * (2 + 4 * math.exp(-2)), abs=1e-6)


def test_transducers_drift_with_the_wall_and_saturate() -> None:
    calibrated = plant(**NOISELESS)
    calibrated.advance(20)
    assert calibrated.measure().control_ma == pytest.approx(12.0, abs=1e-6)
    drifting = plant(
        **NOISELESS, zero_drift_kpa_per_k=2.0, span_drift_ppm_per_k=100.0, drift_reference_c=20.0
    )
    drifting.advance(20)
    # 10 K above the reference: 20 kPa, and 0.1 % of 5 MPa.
    assert drifting.measure().control_ma == pytest.approx(12.0 + 16e-4 * (20 + 5), abs=1e-6)
    offset = plant(**NOISELESS, control_offset_kpa=30.0, safety_offset_kpa=-10.0)
    offset.advance(20)
    assert offset.measure().control_ma == pytest.approx(12.0 + 0.048, abs=1e-6)
    assert offset.measure().safety_ma == pytest.approx(12.0 - 0.016, abs=1e-6)
    for mpa, milliampere in ((9.9, 20.5), (0.1, 3.8)):
        beyond = plant(
            **NOISELESS,
            initial_mpa=mpa,
            mechanical_relief_mpa=10.5,
            control_offset_kpa=500 if mpa > 5 else -500,
        )
        beyond.advance(20)
        assert beyond.measure().control_ma == milliampere


def test_a_sheath_pulls_the_gas_sensor_to_the_wall() -> None:
    rig = plant(**NOISELESS, gas_sensor_wall_share=0.1, gas_sensor_s=0.0, wall_j_k=1e7)
    rig.chamber.wall_k += 10.0
    rig.advance(20)
    assert rig.measure().gas_k - rig.gas_k == pytest.approx(1.0, abs=0.01)


def test_oven_profile() -> None:
    rig = plant(
        oven_amplitude_k=2.0,
        oven_period_s=600.0,
        oven_drift_k_per_day=1.0,
        oven_step_k=5.0,
        oven_step_s=900.0,
    )
    temperatures = {}
    for second in range(1, 1801):
        rig.advance(1000)
        temperatures[second] = rig.oven_k - 303.15
    assert temperatures[150] == pytest.approx(2 + 150 / 86400)
    assert temperatures[450] == pytest.approx(-2 + 450 / 86400)
    assert temperatures[899] < 0.5
    assert temperatures[900] == pytest.approx(5 + 900 / 86400)
    rig.oven_offset_k = 40.0
    rig.advance(1000)
    assert rig.oven_k > 303.15 + 44


def test_a_hot_cell_heats_the_wall() -> None:
    rig = plant(cell_heat_w=20.0, wall_s=1e6)
    for _ in range(600):
        rig.advance(1000)
    # 12 kJ into wall and gas.
    assert rig.wall_k - 303.15 == pytest.approx(12_000 / 2021, rel=0.01)
    rig.cell_heat_w = 0.0
    wall_k = rig.wall_k
    rig.advance(1000)
    assert rig.wall_k == pytest.approx(wall_k, abs=0.01)


def test_supply_falls_and_a_compressor_cycles() -> None:
    rig = plant(supply_fall_mpa_per_day=2.4)
    for _ in range(3600):
        rig.advance(1000)
    assert rig.supply_pa == pytest.approx(5.9e6)
    rig.advance(100 * 86_400_000)
    assert rig.supply_pa == 101325.0
    rig = plant(compressor_period_s=1000.0, compressor_low_mpa=4.0)
    pressures = []
    for _ in range(100):
        rig.advance(20_000)
        pressures.append(rig.supply_pa)
    assert pressures[19] == pytest.approx(5.0e6)
    assert pressures[39] == pytest.approx(4.0e6)
    assert pressures[44] == pytest.approx(5.0e6)
    assert pressures[49] == pytest.approx(6.0e6)


def breathe(rig: Plant, seconds: int) -> list[float]:
    charges = []
    for _ in range(seconds):
        rig.advance(1000)
        charges.append(rig.cell_ah)
    return charges


def test_cell_cycles_rests_and_profiles(tmp_path: Path) -> None:
    charges = breathe(plant(cell_c_rate=36.0, cell_rest_s=50.0), 400)
    assert charges[49] == pytest.approx(2.5)
    assert charges[99] == charges[149] == pytest.approx(5.0)
    assert charges[199] == pytest.approx(2.5)
    assert charges[249] == charges[299] == pytest.approx(0.0, abs=1e-9)
    assert charges[349] == pytest.approx(2.5)

    points = [[10, 36.0], [110, 0], [150, -72]]
    profile = breathe(plant(cell_profile=[*points, [200.0, 5.0]]), 300)
    assert profile[9] == 0.0
    assert profile[59] == pytest.approx(0.5)
    assert profile[109] == profile[149] == pytest.approx(1.0)
    assert profile[174] == pytest.approx(0.5)
    assert profile[199] == profile[299] == pytest.approx(0.0, abs=1e-9)

    (tmp_path / "cycle.csv").write_text("time_s,current_A\n10,36\n110,0\n150,-72\n200,5\n")
    (tmp_path / "plant.toml").write_text('[plant]\ninitial_mpa = 5\ncell_profile_csv = "cycle.csv"\n')
    parameters = load_parameters(tmp_path / "plant.toml", [])
    assert parameters.cell_profile == ((10.0, 36.0), (110.0, 0.0), (150.0, -72.0), (200.0, 5.0))
    assert breathe(Plant(parameters), 300) == profile
    assert PlantParameters(**asdict(parameters)) == parameters


def test_a_charging_cell_raises_the_pressure_and_gives_the_volume_back() -> None:
    rig = plant(cell_c_rate=36.0)
    breathe(rig, 100)
    assert rig.cell_volume_m3 == pytest.approx(5 * 0.485e-6)
    assert rig.volume_m3 == pytest.approx(5e-4 - 5 * 0.485e-6)
    assert rig.pressure_pa > 5.02e6
    assert rig.gas_kg == plant().gas_kg


def test_gassing_adds_moles() -> None:
    by_moles, by_volume = plant(gassing_mol_s=1e-6), plant(gassing_cm3_h=1e-6 * 3600 * 22413.97)
    for rig in (by_moles, by_volume):
        for _ in range(100):
            rig.advance(1000)
    assert by_moles.gassed_kg == pytest.approx(1e-4 * 28.9655e-3, rel=1e-4)
    assert by_volume.gassed_kg == pytest.approx(by_moles.gassed_kg, rel=1e-6)
    assert by_moles.gas_kg == pytest.approx(plant().gas_kg + by_moles.gassed_kg, rel=1e-12)


def test_a_fresh_plant_is_at_rest() -> None:
    rig = Plant(PlantParameters())
    assert rig.pressure_pa == 101325.0
    assert rig.gas_k == rig.wall_k == rig.oven_k == 303.15
    for _ in range(100):
        rig.advance(1000)
    assert rig.pressure_pa == pytest.approx(101325.0, rel=1e-9)
    assert rig.time_ms == 100_000


commands = st.lists(
    st.tuples(
        st.sampled_from(["fill", "vent", "levels", "shut", "stuck", "burst", "supply"]),
        st.integers(0, 200_000),
        st.sampled_from([1, 7, 20, 20, 100, 1000]),
    ),
    max_size=30,
)


@settings(max_examples=40)
@given(commands, st.sampled_from([0.01, 0.5, 5.0]), st.sampled_from([1e-11, 2e-10, 1e-8, 1e-6]))
def test_no_command_leaves_physics(story: list[tuple[str, int, int]], volume_l: float, c: float) -> None:
    rig = Plant(PlantParameters(volume_l=volume_l, fill_c=c, vent_c=c, initial_mpa=3.0, supply_mpa=9.0))
    start_kg = rig.gas_kg
    for what, number, step_ms in story:
        if what in ("fill", "vent"):
            rig.pulse(0 if what == "fill" else 1, number)
        elif what == "levels":
            rig.switch(bool(number & 1), bool(number & 2), bool(number & 4))
        elif what == "shut":
            rig.shut()
        elif what == "stuck":
            rig.valves[number % 5].stuck = ("", "open", "shut")[number % 3]
        elif what == "burst":
            rig.burst = (0.0, 1e-9, 1e-7)[number % 3]
        else:
            rig.supply_pa_override = (None, 1e6, 2e7)[number % 3]
        rig.advance(step_ms)
        rig.measure()
        assert 0.99 * 101325 <= rig.pressure_pa <= 2.01e7
        # Venting to the room without heat would reach 110 K, compressing from there 1.5 times the supply's.
        assert 80 < rig.gas_k < 700
        assert rig.gas_kg > 0
        gone_kg = rig.metered_out_kg + rig.leaked_kg + rig.relieved_kg
        assert rig.gas_kg == pytest.approx(start_kg + rig.metered_in_kg - gone_kg, rel=1e-9)


def refused(path: Path | None = None, *sets: str) -> str:
    with pytest.raises(ParameterError) as caught:
        load_parameters(path, sets)
    text = str(caught.value)
    assert "\n" not in text
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, FileError)
    return text


@pytest.mark.parametrize(
    ("given_text", "parts"),
    [
        ("volum_l=0.5", ["--set volum_l=0.5", "unknown parameter volum_l", "did you mean volume_l?"]),
        ("zzz=1", ["unknown parameter zzz", "--list"]),
        ("volume_l=0", ["--set volume_l=0", "volume_l = 0.0", "from 0.005 to 100 L"]),
        ("volume_l=-1", ["-1.0", "from 0.005 to 100 L"]),
        ("volume_l=half", ["'half'", "must be a number from 0.005 to 100 L"]),
        ("volume_l=6MPa", ["'6MPa'", "must be a number"]),
        ("oven_c=nan", ["must be a number from -40 to 150 degC"]),
        ("supply_mpa=inf", ["must be a number from 0.05 to 30 MPa"]),
        ("volume_l", ["--set volume_l", "expected name=value"]),
        ("=3", ["expected name=value"]),
        ("volume_l=", ["expected name=value"]),
        ("gas=helium", ["'helium'", "must be air, nitrogen or argon"]),
        ("mechanical_relief_mpa=11", ["--set mechanical_relief_mpa=11", "must not be above burst_disc_mpa"]),
        ("mechanical_reseat_mpa=9.5", ["mechanical_reseat_mpa must be below mechanical_relief_mpa"]),
        ("initial_mpa=10.5", ["initial_mpa must be below burst_disc_mpa"]),
        ("volume_l=0.0006", ["from 0.005 to 100 L"]),
        ("cell_profile=[[0,1]]", ["two points or more"]),
        ("cell_profile=[[5,1],[5,2]]", ["increase"]),
        ("cell_profile=[[-5,1],[5,2]]", ["start at 0"]),
        ("cell_profile=[[0,1],[NaN,2]]", ["finite"]),
        ("cell_profile=[[0,1,2],[1,2,3]]", ["must be a list of [time_s, current_A] pairs"]),
        ("cell_profile=3", ["must be a list of [time_s, current_A] pairs"]),
        ("cell_profile=[[0,3600],[36000000,0]]", ["at most half of volume_l"]),
        ("cell_profile_csv=/nowhere/at/all.csv", ["cannot read /nowhere/at/all.csv", "No such file"]),
    ],
)
def test_bad_settings_are_refused_in_one_clear_line(given_text: str, parts: list[str]) -> None:
    text = refused(None, given_text)
    for part in parts:
        assert part in text


def test_settings_that_contradict_each_other_name_both_places(tmp_path: Path) -> None:
    path = tmp_path / "plant.toml"
    path.write_text("[plant]\ncompressor_period_s = 600\ncompressor_low_mpa = 7.0\n")
    assert refused(path) == f"{path}: compressor_low_mpa must be below supply_mpa"
    text = refused(path, "supply_mpa=5")
    assert str(path) in text
    assert "--set supply_mpa=5" in text
    assert "at most a tenth of volume_l" in refused(None, "supply_trap_ml=20", "volume_l=0.1")
    assert "not both" in refused(None, "gassing_mol_s=1e-9", "gassing_cm3_h=1")
    assert "not both" in refused(None, "cell_c_rate=1", "cell_profile=[[0,1],[1,1]]")
    assert "at most half of volume_l" in refused(
        None, "cell_c_rate=1", "volume_l=0.005", "cell_capacity_ah=10"
    )
    # A supply that could burst the chamber is what the guards are for.
    assert load_parameters(None, ["supply_mpa=30"]).supply_mpa == 30.0


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("[plant]\nvolum_l = 1\n", ["unknown parameter volum_l", "did you mean volume_l?"]),
        ("[plant]\nvolume_l = true\n", ["volume_l = True", "must be a number"]),
        ('[plant]\nvolume_l = "0.5"\n', ["'0.5'", "must be a number"]),
        ("[plant]\ngas = 3\n", ["must be air, nitrogen or argon"]),
        ("[plant\n", ["is not valid TOML", "line 1"]),
        ("volume_l = 1\n", ["put parameters under [plant]", "volume_l"]),
        ("[plnt]\nvolume_l = 1\n", ["unknown table plnt", "did you mean plant?"]),
        ("plant = 3\n", ["must be a table"]),
        ("[plant]\ncell_profile = [[0, 1], [1, 'a']]\n", ["must be a list of [time_s, current_A] pairs"]),
        (
            "[plant]\ncell_profile_csv = 'text.csv'\n",
            ["text.csv line 2", "expected time in s and current in A"],
        ),
        ("[plant]\ncell_profile_csv = 'empty.csv'\n", ["has no points"]),
        ("[plant]\ncell_profile_csv = 'text.csv'\ncell_profile = [[0, 1], [1, 1]]\n", ["not both"]),
    ],
)
def test_bad_files_are_refused_in_one_clear_line(tmp_path: Path, content: str, parts: list[str]) -> None:
    (tmp_path / "text.csv").write_text("time_s,current_A\n0,one\n")
    (tmp_path / "empty.csv").write_text("time_s,current_A\n")
    path = tmp_path / "plant.toml"
    path.write_text(content)
    text = refused(path)
    assert str(tmp_path) in text
    for part in parts:
        assert part in text


def test_unreadable_files_are_refused(tmp_path: Path) -> None:
    assert "No such file" in refused(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    assert "not UTF-8" in refused(tmp_path / "binary.toml")


def test_good_files_and_settings(tmp_path: Path) -> None:
    path = tmp_path / "plant.toml"
    path.write_text("[plant]\nvolume_l = 1\nsupply_mpa = 8\n[[faults]]\nat_s = 3\nname = 'anything'\n")
    parameters = load_parameters(
        path, ["supply_mpa=7.5", " gas = nitrogen ", "cell_profile=[[0, 1], [60, 0]]"]
    )
    assert (parameters.volume_l, parameters.supply_mpa, parameters.gas) == (1.0, 7.5, "nitrogen")
    assert parameters.cell_profile == ((0.0, 1.0), (60.0, 0.0))
    assert load_parameters(None, []) == PlantParameters()
    with pytest.raises(FrozenInstanceError):
        parameters.volume_l = 2.0  # type: ignore[misc]


def test_every_parameter_is_described_and_its_default_is_allowed() -> None:
    rows = describe_parameters(load_rig(None, [], seed=1))
    assert [row["name"] for row in rows] == [each.name for each in fields(PlantParameters)]
    for row in rows:
        assert row["help"]
        assert row["help"][0] != " "
        assert not row["help"].endswith(".")
        if row["minimum"] is not None:
            assert row["minimum"] <= row["default"] <= row["maximum"]
            assert row["unit"]
    json.dumps(rows)
