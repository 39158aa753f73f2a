"""What is so now decides: faults that come second, transducers that are wrong, ways out that are blocked.

Every judgement is about the plant: true pressure, valves and relay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import pytest

from bench.scenarios.rig import Bench, settled
from tests.shares import share

AMBIENT_PA = 101_325
VENT = ":SOUR:PRES:LEV:IMM:AMPL:VENT"
COILS = ("fill", "vent", "supply_isolation", "vent_isolation", "relief")


@pytest.fixture
def hold() -> Iterator[Callable[..., Bench]]:
    """Make benches that hold 5 MPa, after these settings and with these faults."""
    made: list[Bench] = []

    def make(*faults: tuple[str, dict[str, object]], commands: tuple[str, ...] = (), s: float = 3.0) -> Bench:
        bench = settled("HOLD").copy()
        made.append(bench)
        for command in commands:
            bench.send(command)
            bench.run_s(0.1)
        for name, values in faults:
            bench.inject(name, values)
        bench.run_s(s)
        return bench

    yield make
    for bench in made:
        bench.close()


def pa(bench: Bench) -> float:
    return bench.world.plant.pressure_pa


def cycler_runs(bench: Bench) -> bool:
    return bench.world.shown[1]


def vent(bench: Bench, most_s: float = 3700.0) -> str:
    """Vent to the end; return what `VENT?` replies."""
    bench.send(VENT + " 1")
    bench.run_s(1)
    left_s = most_s
    while bench.state == "VENT" and left_s > 0:
        bench.run_s(1)
        left_s -= 1
    return bench.ask(VENT + "?")


@pytest.mark.parametrize(
    "faults",
    share(
        [
            [("transducer-wrong", {"which": "control", "kpa": -4880})],
            [("transducer-wrong", {"which": "control", "kpa": -4500})],
            [("transducer-wrong", {"which": "safety", "kpa": -4880})],
            [
                ("port-blocked", {"which": "control"}),
                ("transducer-wrong", {"which": "control", "kpa": -4898}),
            ],
            [("port-blocked", {"which": "safety"}), ("transducer-wrong", {"which": "safety", "kpa": -4898})],
            [("control-open", {})],
            [("safety-open", {})],
            [("control-short", {})],
        ],
        *(1, 2),
    ),
)
def test_a_vent_with_one_wrong_transducer_is_complete_when_the_chamber_is_empty(hold, faults) -> None:
    bench = hold(*faults)
    assert pa(bench) > 4.9e6
    assert vent(bench) == "2"
    assert pa(bench) < AMBIENT_PA + 50_000


@pytest.mark.parametrize(
    "faults",
    share(
        [
            [("rail-lost", {})],
            [("vent-stuck-shut", {"valve": "both"}), ("relief-blocked", {})],
            [("control-open", {}), ("safety-open", {})],
            [("transducer-frozen", {"which": "control"}), ("safety-open", {})],
        ],
        *(0, 1, 3),
    ),
)
def test_a_vent_that_cannot_know_says_so(hold, faults) -> None:
    bench = hold(commands=(":OUTP OFF",))
    for name, values in faults:
        bench.inject(name, values)
    bench.run_s(2)
    assert vent(bench) == "3"
    assert "VENT_UNKNOWN" in bench.warnings


def test_a_rail_lost_during_a_vent_never_ends_as_empty(hold) -> None:
    bench = hold()
    bench.send(VENT + " 1")
    bench.run_s(20)
    bench.inject("rail-lost", {})
    bench.run_s(1)
    assert vent(bench) == "3"
    assert pa(bench) > 4e6


def test_a_vent_is_accepted_in_every_state_but_maintenance(hold) -> None:
    for state in ("OFF", "RAMP", "QUIET", "SEALED", "RELIEF"):
        bench = settled(state).copy()
        bench.send(VENT + " 1")
        bench.run_s(0.5)
        assert bench.state == "VENT", state
        bench.close()


@pytest.mark.parametrize(
    "first", [("control-range", {"for_s": 2}), ("rail-lost", {"for_s": 1}), ("adc-dead", {})]
)
def test_a_danger_stops_the_cycler_whatever_is_latched(hold, first) -> None:
    bench = hold(first)
    assert cycler_runs(bench)
    bench.inject("over-pressure", {"mpa": 8})
    bench.run_s(5)
    assert not cycler_runs(bench)
    assert pa(bench) < 6.2e6


def test_an_over_pressure_behind_a_stuck_fill_side_stops_the_cycler(hold) -> None:
    bench = hold(("fill-stuck-open", {"valve": "both"}), s=6)
    assert bench.state == "SEALED" and cycler_runs(bench)
    bench.inject("supply-high", {"mpa": 9})
    for _ in range(60):
        bench.run_s(0.5)
        assert pa(bench) < 6.2e6
    assert not cycler_runs(bench)


@pytest.mark.parametrize("relief", share((1, 0), 0))
def test_a_runaway_empties_the_chamber_only_as_configured(hold, relief) -> None:
    bench = hold(("control-range", {"for_s": 2}), commands=(f':SYST:SETT "runaway_relief",{relief}',), s=5)
    assert bench.app.modes.fault_name == "CONTROL_RANGE"
    bench.inject("cell-runaway", {"watt": 500})
    lowest_pa = pa(bench)
    for _ in range(300):
        bench.run_s(2)
        lowest_pa = min(lowest_pa, pa(bench))
    assert not cycler_runs(bench)
    if relief:
        assert pa(bench) < AMBIENT_PA + 100_000
    else:
        # The heat makes an over-pressure, which opens the relief down to below the trip, and not to ambient.
        assert lowest_pa > 4.9e6
        assert pa(bench) < 6.1e6


@pytest.mark.parametrize(
    "faults", [[("relief-blocked", {})], [("coil-open", {"valve": "relief"})], [("vent-stuck-shut", {})]]
)
def test_relief_and_vent_pair_stand_in_for_each_other(hold, faults) -> None:
    bench = hold(*faults)
    bench.inject("over-pressure", {"mpa": 7})
    bench.run_s(2)
    bench.inject("over-pressure", {"mpa": 7, "for_s": 4})
    highest_pa = 0.0
    for _ in range(200):
        bench.run_s(0.1)
        highest_pa = max(highest_pa, pa(bench))
    assert highest_pa < 6.9e6


def test_a_blocked_relief_is_told_and_a_vent_accepted(hold) -> None:
    bench = hold(("relief-blocked", {}), ("over-pressure", {"mpa": 8, "for_s": 6}), s=12)
    assert "RELIEF_BLOCKED" in bench.warnings
    assert vent(bench) == "2"
    assert pa(bench) < AMBIENT_PA + 50_000


@pytest.mark.parametrize(("fault", "valve"), share(product(("coil-open", "transistor-short"), COILS), 0, 8))
def test_one_broken_coil_leaves_a_way_out(hold, fault, valve) -> None:
    bench = hold((fault, {"valve": valve}))
    assert not bench.world.rail
    assert vent(bench) == "2"
    assert pa(bench) < AMBIENT_PA + 50_000


@pytest.mark.parametrize(("target", "which"), share(product(("1.2", "3"), ("control", "safety")), 0, 3))
def test_one_transducer_that_jumps_does_not_empty_the_chamber(hold, which, target) -> None:
    bench = hold(commands=(":SOUR:PRES:SLEW 0.5", ":SOUR:PRES " + target), s=30)
    bench.send(":SOUR:PRES:SLEW 0.1;:SOUR:PRES 5")
    bench.run_s(5)
    for phase in range(4):
        twin = bench.copy()
        twin.run_s(0.06 * phase)
        before_pa = pa(twin)
        twin.inject("transducer-wrong", {"which": which, "kpa": 5000})
        for _ in range(100):
            twin.run_s(0.2)
            assert pa(twin) > before_pa - 120_000
        twin.close()


def test_a_reading_that_freezes_while_the_relief_is_open_does_not_keep_it_open(hold) -> None:
    for which in ("control", "safety"):
        bench = hold(("over-pressure", {"mpa": 8, "for_s": 6}), s=0)
        for _ in range(500):
            bench.run_s(0.02)
            if bench.app.watches.over.relief_open and bench.app.sensors.control.pa < 6.02e6:
                break
        bench.inject("transducer-frozen", {"which": which})
        for _ in range(100):
            bench.run_s(0.1)
            assert pa(bench) > 5.4e6, which


def test_a_blocked_port_does_not_hide_an_over_pressure(hold) -> None:
    bench = hold(("port-blocked", {"which": "control"}), ("over-pressure", {"mpa": 9}), s=0)
    highest_pa = 0.0
    for _ in range(600):
        bench.run_s(0.1)
        highest_pa = max(highest_pa, pa(bench))
    assert not cycler_runs(bench)
    assert highest_pa < 8e6
    # Safety transducer over the comparator at 6.5 MPa, test bleed, relief.
    assert pa(bench) < 6.5e6


def test_the_comparator_opens_the_relief_only_while_the_processor_is_gone(hold) -> None:
    bench = hold(("comparator-trips", {}))
    assert bench.state == "SEALED"
    assert pa(bench) > 4.9e6
    bench = hold(("hang", {}), ("comparator-trips", {}), s=0)
    bench.run_s(0.9)
    assert not bench.world.plant.valves[4].energised
    bench.run_s(0.3)
    assert bench.world.gone


def test_a_safety_transducer_that_stands_still_is_told(hold) -> None:
    bench = hold(("transducer-frozen", {"which": "safety"}), s=700)
    assert "TRANSDUCER_STILL" in bench.warnings


@pytest.mark.long
def test_a_safety_transducer_that_only_makes_noise_is_told(hold) -> None:
    bench = hold(("transducer-frozen", {"which": "safety", "noise_kpa": 2}))
    for target in 7 * ("5.02", "5"):
        bench.send(":SOUR:PRES " + target)
        bench.run_s(40)
    assert "SAFETY_TRANSDUCER" in bench.warnings or bench.state == "SEALED"
