"""A danger needs two witnesses before gas is let out: a wall sensor that climbs alone is a sensor fault."""

from __future__ import annotations

import functools
from itertools import product

import pytest

from bench.scenarios.rig import Bench, enter, learn
from tests.shares import share


def held(volume_l: float = 0.5, mpa: float = 5.0) -> Bench:
    """A bench that holds this pressure, and would vent for a runaway."""
    return holding(volume_l, mpa).copy()


@functools.cache
def holding(volume_l: float, mpa: float) -> Bench:
    bench = Bench(sets=(f"initial_mpa={mpa - 0.3}", "missed_probability=0", f"volume_l={volume_l}"))
    if mpa == 5.0:
        learn(bench)
    else:
        bench.send(f":SOUR:PRES {mpa};:OUTP ON")
        bench.run_s(120)
    bench.send(':SYST:SETT "runaway_relief",1')
    bench.run_s(60)
    return bench


HELD = ((0.5, 5.0), (0.1, 5.0), (2, 5.0), (0.5, 0.6))


@pytest.mark.parametrize(("held_at", "k_min"), share(product(HELD, (12, 40, 200)), 0, 4))
def test_a_wall_sensor_that_drifts_alone_empties_nothing(held_at: tuple[float, float], k_min: float) -> None:
    bench = held(*held_at)
    _, mpa = held_at
    try:
        grow_s = 60.0 if k_min > 100 else 180.0
        bench.inject("wall-sensor", {"how": "wrong", "k": k_min * grow_s / 60, "grow_s": grow_s})
        told_s = None
        for second in range(240):
            bench.run_s(1)
            assert abs(bench.world.plant.pressure_pa - mpa * 1e6) < 25_000
            if told_s is None and "WALL_TEMPERATURE" in bench.warnings:
                told_s = second
            assert not bench.world.plant.valves[4].gate
        assert bench.app.modes.fault_name == "NONE"
        assert told_s is not None
        assert told_s < 25
        # It stays ignored while it is wrong, and the hold goes on.
        assert "WALL_TEMPERATURE" in bench.warnings
        assert bench.state == "REGULATE"
    finally:
        bench.close()


@pytest.mark.parametrize("k_min", share((6.5, 7, 8), 1))
def test_a_drift_barely_above_the_limit_may_seal_but_lets_no_gas_out(k_min: float) -> None:
    bench = held()
    try:
        bench.inject("wall-sensor", {"how": "wrong", "k": k_min * 3, "grow_s": 180.0})
        for _ in range(240):
            bench.run_s(1)
            assert bench.world.plant.pressure_pa > 4.975e6
            assert not bench.world.plant.valves[4].gate
    finally:
        bench.close()


@pytest.mark.parametrize(
    ("k_min", "state"),
    share(
        product((12, 60, -12, -40), ("OFF", "QUIET", "SEALED", "RAMP", "DOWN", "HOLD", "VENT")), 0, 3, 8, 13
    ),
)
def test_in_no_state(k_min: float, state: str) -> None:
    """During a ramp neither gas temperature nor pressure can tell: it may isolate, but lets no gas out."""
    bench = held()
    try:
        enter(bench, state)
        before_kg = bench.world.plant.gas_kg
        bench.inject("wall-sensor", {"how": "wrong", "k": k_min * 2, "grow_s": 120.0})
        bench.run_s(100)
        assert bench.world.plant.valves[4].openings == 0
        if state not in ("DOWN", "VENT"):
            assert bench.world.plant.gas_kg > 0.995 * before_kg
    finally:
        bench.close()


# Target, and slew in MPa/s; from 4.6 MPa, a minute after a ramp down to it, or from a start at 1 MPa.
RAMPS = {
    "up": (5.4, 0.02),
    "down": (3.0, 0.02),
    "slowly up": (5.4, 0.002),
    "slowly down": (4.2, 0.002),
    "far up": (5.0, 0.1),
    "far down": (1.0, 0.1),
}


@functools.cache
def before_ramp(volume_l: float, unknown_valves: bool) -> Bench:
    """A bench whose gas is still colder than the wall, or one that knows neither of its valves."""
    if unknown_valves:
        bench = Bench(sets=("initial_mpa=1", "missed_probability=0", f"volume_l={volume_l}"))
        bench.send(":SOUR:PRES 1;:OUTP ON")
        bench.run_s(120)
    else:
        bench = held(volume_l)
        bench.send(":SOUR:PRES 4.6")
        bench.run_s(60)
    return bench


# Of all combinations with `runaway_relief` 0 and 1 and a drift that begins 1 or 10 s after the ramp, or 8 s before it.
DRIFTS = [
    (*case, 0 if number % 8 == 7 else 1, (1, 10, -8)[number % 3])
    for number, case in enumerate(product((0.5, 0.1, 2), (False, True), RAMPS, (6.5, 12, 40, 5, -5, -40)))
]


# Both have emptied the chamber.
@pytest.mark.parametrize(
    ("volume_l", "unknown_valves", "ramp", "k_min", "relief", "after_s"), share(DRIFTS, 0, 62)
)
def test_a_wall_sensor_that_drifts_during_a_ramp_seals_at_most(
    volume_l: float, unknown_valves: bool, ramp: str, k_min: float, relief: int, after_s: int
) -> None:
    """It drifts for three minutes, from `after_s` after the ramp's start on; the truth monitor judges, too."""
    bench = before_ramp(volume_l, unknown_valves).copy()
    try:
        bench.set("runaway_relief", relief)
        target_mpa, slew_mpa_s = RAMPS[ramp]
        go = f":SOUR:PRES:SLEW {slew_mpa_s};:SOUR:PRES {target_mpa}"
        if after_s > 0:
            bench.send(go)
        bench.run_s(max(after_s, 0))
        bench.inject("wall-sensor", {"how": "wrong", "k": k_min * 3, "grow_s": 180.0})
        if after_s < 0:
            bench.run_s(-after_s)
            bench.send(go)
        for _ in range(240):
            bench.run_s(1)
            assert bench.state in ("REGULATE", "SEALED")
            assert bench.app.modes.fault_name in ("NONE", "RUNAWAY")
            assert bench.world.plant.valves[4].openings == 0
            if bench.state == "SEALED":
                # A moment later the evidence of the ramp has faded.
                bench.run_s(60)
                break
        assert bench.state in ("REGULATE", "SEALED")
        assert bench.world.plant.valves[4].openings == 0
    finally:
        bench.close()


@pytest.mark.parametrize(("held_at", "state"), share(product(HELD, ("HOLD", "OFF", "QUIET")), 0, 4, 8, 10))
def test_a_true_runaway_empties_where_that_is_configured(held_at: tuple[float, float], state: str) -> None:
    bench = held(*held_at)
    try:
        if state != "HOLD":
            enter(bench, state)
        bench.inject("cell-runaway", {"watt": 500})
        took_s = 0.0
        while not bench.app.modes.fault and took_s < 9.0:
            bench.run_s(0.1)
            took_s += 0.1
        assert bench.app.modes.fault_name == "RUNAWAY"
        bench.run_s(120)
        assert bench.world.plant.pressure_pa < 0.5e6
    finally:
        bench.close()


@pytest.mark.parametrize("state", share(("HOLD", "OFF")))
def test_a_slow_true_runaway_reaches_the_limit_of_the_wall(state: str) -> None:
    bench = held()
    try:
        bench.send(':SYST:SETT "wall_max_mk",308150')
        bench.run_s(1)
        if state != "HOLD":
            enter(bench, state)
        bench.inject("oven-runaway", {"k": 60, "grow_s": 1800.0})
        while bench.world.plant.wall_k < 308.15:
            bench.run_s(1)
            assert not bench.app.modes.fault
        bench.run_s(6)
        assert bench.app.modes.fault_name == "RUNAWAY"
        assert bench.state == "RELIEF"
    finally:
        bench.close()


@pytest.mark.parametrize("dead", [("gas-sensor",), ("gas-sensor", "control-open")])
def test_without_a_partner_it_isolates_but_lets_no_gas_out(dead: tuple[str, ...]) -> None:
    """The gas sensor alone leaves the pressure as a partner; without both, the wall's word isolates."""
    bench = held()
    try:
        for fault in dead:
            bench.inject(fault, {"how": "dead"} if fault == "gas-sensor" else {})
        bench.run_s(20)
        bench.inject("wall-sensor", {"how": "wrong", "k": 60, "grow_s": 120.0})
        before_kg = bench.world.plant.gas_kg
        bench.run_s(60)
        assert bench.world.plant.gas_kg > 0.99 * before_kg
        assert bench.world.plant.valves[4].openings == 0
        assert (bench.app.watches.climate.fault != 0) == (len(dead) == 2)
    finally:
        bench.close()


def test_without_the_wall_the_gas_and_the_pressure_are_witnesses() -> None:
    bench = held()
    try:
        bench.inject("wall-sensor", {"how": "dead"})
        bench.run_s(20)
        bench.inject("cell-runaway", {"watt": 500})
        bench.run_s(40)
        assert bench.app.modes.fault_name == "RUNAWAY"
        assert bench.state == "RELIEF"
    finally:
        bench.close()
