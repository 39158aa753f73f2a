"""The ordinary rig: each tolerance by itself against its definition, and how it is drawn."""

from __future__ import annotations

import json
import math
from dataclasses import fields
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any

import pytest

from ipch.sim import signals
from ipch.sim.parameters import ParameterError, PlantParameters, draw, load_parameters, load_rig
from ipch.sim.plant import FILL, VENT, Plant
from ipch.sim.server import simulate

FILL_PULSE, VENT_PULSE = 0, 1
QUIET: dict[str, Any] = {
    "initial_mpa": 5.0,
    "valve_jitter_ms": 0.0,
    "missed_probability": 0.0,
    "transducer_noise_kpa": 0.0,
    "safety_noise_kpa": 0.0,
    "gas_mismatch_mk": 0.0,
    "gas_noise_mk": 0.0,
    "wall_noise_mk": 0.0,
}
# PHYSICS.md's names, with the ranges of an ordinary rig.
RANGES = {
    "gas_offset_k": (-0.35, 0.35),
    "wall_offset_k": (-0.25, 0.25),
    "control_offset_kpa": (-5, 5),
    "safety_offset_kpa": (-20, 20),
    "zero_drift_kpa_per_k": (-0.4, 0.4),
    "span_drift_ppm_per_k": (-40, 40),
    "control_drift_kpa_per_day": (-0.5, 0.5),
    "safety_drift_kpa_per_day": (-0.5, 0.5),
    "transducer_hysteresis_kpa": (0, 4),
    "control_lag_ms": (3, 50),
    "safety_lag_ms": (3, 50),
    "hum_kpa": (0, 1),
    "glitch_kpa": (0, 20),
    "glitch_ms": (60, 60),
    "glitch_every_s": (3600, 3600),
    "gas_sensor_wall_share": (0, 0.3),
    "wall_sensor_s": (0, 300),
    "valve_dead_ms_per_mpa": (0, 1),
    "rest_s": (600, 600),
    "first_pulse_share": (0.5, 1),
    "coil_rise_ms": (5, 12),
    "supply_droop_mpa": (0, 0.5),
    "supply_lockup_mpa": (0, 0.5),
    "sorption_kpa": (0, 20),
    "sorption_h": (5, 5),
    "creep_kpa_per_mpa": (0, 1),
    "trap_ml": (0.05, 0.3),
    "forced_factor": (0.01, 0.4),
}


def plant(**changes: Any) -> Plant:
    """Return a plant at 5 MPa without noise and jitter."""
    return Plant(PlantParameters(**{**QUIET, **changes}))


def kpa(ma: float) -> float:
    return (ma - 4.0) / 16.0 * 1e4


def run_s(rig: Plant, seconds: float) -> None:
    for _ in range(round(seconds * 50)):
        rig.advance(20)


def step_pa(rig: Plant, valve: int, us: int) -> float:
    """Return what a pulse through an open isolation valve moves at once."""
    rig.switch(valve == FILL_PULSE, valve == VENT_PULSE, False)
    run_s(rig, 0.1)
    before_pa = rig.pressure_pa
    rig.pulse(valve, us)
    run_s(rig, 0.1)
    moved_pa = rig.pressure_pa - before_pa
    rig.switch(False, False, False)
    run_s(rig, 0.1)
    return moved_pa


def test_every_tolerance_is_drawn_within_its_range_and_nothing_else() -> None:
    drawn = [draw(seed, {}) for seed in range(200)]
    assert set(drawn[0]) == {*RANGES, "hum_hz", "gas"}
    for name, (low, high) in RANGES.items():
        values = [float(each[name]) for each in drawn]
        assert low <= min(values) <= max(values) <= high, name
        assert low == high or max(values) - min(values) > 0.9 * (high - low), name
    hz = [float(each["hum_hz"]) for each in drawn]
    assert all(abs(each - 50) <= 0.5 or abs(each - 60) <= 0.5 for each in hz)
    assert {each["gas"] for each in drawn} == {"air", "nitrogen", "argon"}


def test_a_seed_is_a_rig_and_a_set_value_is_not_drawn() -> None:
    one = load_rig(None, [], seed=7)
    assert one == load_rig(None, [], seed=7)
    assert one.parameters != load_rig(None, [], seed=8).parameters
    assert one.kind == "ordinary"
    other = load_rig(None, ["hum_kpa=5", "supply_trap_ml=0.07", "transducer_lag_ms=4"], seed=7)
    gone = {"hum_kpa", "trap_ml", "control_lag_ms", "safety_lag_ms"}
    assert other.parameters.hum_kpa == 5.0
    assert other.drawn == {name: value for name, value in one.drawn.items() if name not in gone}
    # What was drawn, given again as text, is the same rig.
    assert (
        load_rig(None, [f"{name}={value}" for name, value in one.drawn.items()], 1).parameters
        == one.parameters
    )


def test_the_ideal_rig_has_no_tolerances(tmp_path: Path) -> None:
    file = tmp_path / "plant.toml"
    file.write_text("[plant]\nideal = true\nvolume_l = 0.1\n")
    for rig in (load_rig(file, [], 3), load_rig(None, ["ideal=true", "volume_l=0.1"], 3)):
        assert rig.kind == "ideal"
        assert rig.parameters == PlantParameters(volume_l=0.1)
    assert load_rig(None, [], 3, ideal=True).parameters == load_parameters(None, []) == PlantParameters()
    file.write_text("[plant]\nideal = 1\n")
    with pytest.raises(ParameterError, match="ideal = 1: must be true or false"):
        load_rig(file, [], 3)
    defaults = {each.name: each.default for each in fields(PlantParameters)}
    assert [name for name in RANGES if defaults[name]] == ["glitch_ms", "glitch_every_s", "forced_factor"]


def test_the_first_line_tells_what_was_drawn() -> None:
    with simulate(["--rig", "core", "--seed", "5", "--set", "hum_kpa=0"]) as running:
        assert running.first_line["plant"] == "ordinary"
        assert running.first_line["seed"] == 5
        assert running.first_line["drawn"] == load_rig(None, ["hum_kpa=0"], 5).drawn
    with simulate(["--rig", "core", "--ideal"]) as running:
        assert (running.first_line["plant"], running.first_line["drawn"]) == ("ideal", {})
    json.dumps(running.first_line)


def test_thermometers_are_off_and_late() -> None:
    rig = plant(
        gas_offset_k=0.3,
        wall_offset_k=-0.2,
        wall_sensor_s=100.0,
        oven_step_k=5.0,
        wall_s=10.0,
        oven_step_s=1.0,
    )
    found = rig.measure()
    assert found.gas_k - rig.gas_k == pytest.approx(0.3)
    assert found.wall_k - rig.wall_k == pytest.approx(-0.2)
    run_s(rig, 100)
    # The wall is there after some ten seconds; its sensor has covered 1 - 1/e of the way since.
    assert 0.55 < (rig.measure().wall_k + 0.2 - 303.15) / 5.0 < 0.64


def test_transducers_drift_apart() -> None:
    rig = plant(control_drift_kpa_per_day=24.0, safety_drift_kpa_per_day=-12.0, control_offset_kpa=3.0)
    run_s(rig, 1800)
    found = rig.measure()
    assert kpa(found.control_ma) - rig.pressure_pa / 1e3 == pytest.approx(3.5, abs=0.01)
    assert kpa(found.safety_ma) - rig.pressure_pa / 1e3 == pytest.approx(-0.25, abs=0.01)
    assert rig.sensors.control_error_pa == pytest.approx(3500, abs=10)


def test_each_transducer_has_its_own_lag() -> None:
    rig = plant(control_lag_ms=500.0, safety_lag_ms=50.0)
    rig.switch(False, True, False)
    run_s(rig, 0.1)
    rig.pulse(VENT_PULSE, 100_000)
    for _ in range(10):
        rig.advance(20)
    found = rig.measure()
    fallen = (5000 - kpa(found.control_ma), 5000 - kpa(found.safety_ma))
    true = 5000 - rig.pressure_pa / 1e3
    assert fallen[0] < 0.4 * true < 0.8 * true < fallen[1]


def test_hysteresis_is_half_of_its_width_behind_over_full_scale() -> None:
    rig = plant(transducer_hysteresis_kpa=4.0, initial_mpa=0.1)
    loops = rig.sensors._loops
    for mpa in range(1, 101):
        loops.follow(1.0, mpa * 1e5)
    up_pa = loops.slow_pa(0, 1e7)
    for mpa in range(100, -1, -1):
        loops.follow(1.0, mpa * 1e5)
    assert up_pa == pytest.approx(-2000, rel=0.02)
    assert loops.slow_pa(0, 0.0) == pytest.approx(2000, rel=0.02)
    before_pa = loops.slow_pa(0, 0.0)
    # A small wiggle changes next to nothing.
    for pa in (5e3, 0.0, 5e3, 0.0):
        loops.follow(1.0, pa)
    assert loops.slow_pa(0, 0.0) == pytest.approx(before_pa, rel=0.03)


@pytest.mark.parametrize(("hz", "left"), [(50.0, 0.01), (49.5, 0.06), (60.3, 0.4)])
def test_two_conversions_in_a_tick_remove_most_of_the_hum(hz: float, left: float) -> None:
    rig = plant(hum_kpa=5.0, hum_hz=hz)
    single, paired = [], []
    for _ in range(500):
        rig.advance(20)
        single.append(kpa(rig.measure().control_ma))
        paired.append(kpa(rig.measure(paired=True).control_ma))
    amplitude = math.sqrt(2.0) * pstdev(paired)
    assert amplitude < 5.0 * left
    assert max(single) - min(single) <= 10.01
    assert fmean(single) == pytest.approx(5000, abs=5.01)


def test_a_quick_movement_is_not_delayed_by_the_pair() -> None:
    rig = plant(vent_c=1.25e-9)
    rig.switch(False, True, False)
    run_s(rig, 0.1)
    rig.pulse(VENT_PULSE, 200_000)
    rig.advance(20)
    rig.advance(20)
    assert rig.measure(paired=True).control_ma == rig.measure().control_ma


def test_glitches_come_at_random_on_one_loop_at_a_time() -> None:
    rig = plant(glitch_kpa=12.0, glitch_ms=60.0, glitch_every_s=20.0)
    lengths, seen, both = [], 0, 0
    for _ in range(50 * 2000):
        rig.advance(20)
        found = rig.measure()
        off = [abs(kpa(ma) - rig.pressure_pa / 1e3) > 6 for ma in (found.control_ma, found.safety_ma)]
        both += all(off)
        seen = seen + 1 if any(off) else (lengths.append(seen) if seen else None) or 0
    assert both == 0
    assert 70 < len(lengths) < 130
    assert set(lengths) <= {3, 4}


def test_a_valve_opens_late_against_pressure_and_after_its_coil() -> None:
    reference = step_pa(plant(), VENT_PULSE, 40_000)
    late = step_pa(plant(valve_dead_ms_per_mpa=1.0), VENT_PULSE, 40_000)
    # Open for 39 ms (40 - 6 + 5), and 4.9 ms less against 4.9 MPa.
    assert late / reference == pytest.approx((39 - 4.9) / 39, rel=0.01)
    slow = step_pa(plant(coil_rise_ms=10.0), VENT_PULSE, 40_000)
    assert slow / reference == pytest.approx((39 - 9.16) / 39, rel=0.01)
    assert step_pa(plant(coil_rise_ms=10.0), VENT_PULSE, 15_000) == pytest.approx(0.0, abs=1500)


def test_the_first_pulse_after_a_rest_gives_less() -> None:
    rig = plant(rest_s=30.0, first_pulse_share=0.5)
    first, second = step_pa(rig, VENT_PULSE, 40_000), step_pa(rig, VENT_PULSE, 40_000)
    assert first / second == pytest.approx(0.5, abs=0.03)
    run_s(rig, 31)
    assert step_pa(rig, VENT_PULSE, 40_000) / second == pytest.approx(0.5, abs=0.03)
    run_s(rig, 25)
    assert step_pa(rig, VENT_PULSE, 40_000) / second == pytest.approx(1.0, abs=0.03)


def test_the_supply_locks_up_and_droops() -> None:
    rig = plant(supply_droop_mpa=0.4, supply_lockup_mpa=0.3, initial_mpa=1.0)
    run_s(rig, 1)
    assert rig.supply_pa == pytest.approx(6.3e6)
    rig.switch(True, False, False)
    run_s(rig, 0.1)
    rig.pulse(FILL_PULSE, 1_000_000)
    run_s(rig, 0.8)
    # Nearly at the full flow, which is lower from a pressure that drooped.
    assert rig.supply_pa == pytest.approx(5.66e6, abs=0.06e6)
    rig.switch(False, False, False)
    run_s(rig, 10)
    assert rig.supply_pa == pytest.approx(6.3e6, abs=0.01e6)


def test_seals_take_up_gas_and_the_chamber_grows() -> None:
    rig = plant(sorption_kpa=20.0, sorption_h=0.5)
    kg = rig.gas_kg
    run_s(rig, 1800)
    fallen_kpa = 5000 - rig.pressure_pa / 1e3
    assert fallen_kpa == pytest.approx(20 * (1 - math.exp(-1)), rel=0.05)
    assert rig.gas_kg + float(rig.truth()["sorbed_kg"]) == pytest.approx(kg, rel=1e-9)
    rig = plant(creep_kpa_per_mpa=1.0)
    kg = rig.gas_kg
    run_s(rig, 3600)
    assert 5000 - rig.pressure_pa / 1e3 == pytest.approx(5 * (1 - math.exp(-1)), rel=0.05)
    assert rig.gas_kg == pytest.approx(kg, rel=1e-12)


def test_trap_ml_is_both_traps() -> None:
    assert plant(trap_ml=0.3)._supply_trap_kg_pa == plant(supply_trap_ml=0.3)._supply_trap_kg_pa
    assert plant(trap_ml=0.3)._vent_trap_kg_pa == plant(vent_trap_ml=0.3)._vent_trap_kg_pa


def test_argon_flows_and_warms_as_its_properties_say() -> None:
    steps = {gas: step_pa(plant(gas=gas, trap_ml=0.001), FILL_PULSE, 100_000) for gas in ("air", "argon")}
    # dp ~ mdot R gamma/M: mdot goes with 1/sqrt(R), so dp with sqrt(R) gamma.
    expected = math.sqrt(208.13 / 287.05) * (5 / 3) / 1.4
    assert steps["argon"] / steps["air"] == pytest.approx(expected, rel=0.06)
    assert FILL < VENT


def test_the_rp2040_converter_has_four_wide_codes() -> None:
    def error_kpa(mpa: float) -> float:
        code = (4 + 1.6 * mpa) * 0.1 / 3.3 * 4096
        return (signals.rp2040_codes(code) - code) * 3.3 / 4096 / 0.1 / 1.6 * 1e3

    near = [error_kpa(5.18 + 0.001 * step) for step in range(81)]
    assert (round(max(near)), round(min(near))) == (35, -10)
    assert error_kpa(5.17) == error_kpa(5.3) == error_kpa(5.0) == error_kpa(2.0) == 0.0
    assert error_kpa(0.05) > 10
