"""A wrong reading of up to 0.1 s on one loop costs neither a pulse nor the experiment, however large it is."""

from __future__ import annotations

import pytest

from bench.scenarios.rig import settled


@pytest.mark.parametrize("kpa", [-4000, -300, -40, -12, 12, 25, 60, 140, 900, 4000])
@pytest.mark.parametrize("samples", [3, 5])
def test_a_glitch_of_the_control_transducer_is_counted_only(kpa: float, samples: int) -> None:
    bench = settled("HOLD").copy(f"{samples} samples wrong by {kpa} kPa")
    spared = settled("HOLD").copy("the same hold without")
    try:
        for each in (bench, spared):
            each.run_s(1)
        wild = int(bench.ask(":DIAG:COUN?").split(",")[0])
        pulses = list(bench.world.pulses)
        spared.ask(":DIAG:COUN?")
        bench.inject("transducer-wrong", {"kpa": kpa, "for_s": samples * 0.02})
        for each in (bench, spared):
            each.run_s(3)
        assert bench.world.pulses == pulses
        assert (bench.state, bench.app.modes.fault_name) == ("REGULATE", "NONE")
        assert abs(bench.world.plant.pressure_pa - spared.world.plant.pressure_pa) < 1
        assert int(bench.ask(":DIAG:COUN?").split(",")[0]) >= wild + samples - 1
    finally:
        bench.close()
        spared.close()


@pytest.mark.parametrize("state", ["HOLD", "QUIET"])
@pytest.mark.parametrize(("kpa", "safety_kpa"), [(75, -4000), (-75, 900), (140, -300)])
def test_both_transducers_that_jump_apart_move_no_gas(state: str, kpa: float, safety_kpa: float) -> None:
    bench = settled(state).copy(f"{kpa} kPa on one, {safety_kpa} kPa on the other in {state}")
    try:
        pulses = list(bench.world.pulses)
        bench.inject("transducer-wrong", {"which": "safety", "kpa": safety_kpa, "for_s": 0.08})
        bench.run_s(0.02)
        bench.inject("transducer-wrong", {"kpa": kpa, "for_s": 0.06})
        bench.run_s(1.5)
        assert bench.world.pulses == pulses
        assert bench.app.modes.fault_name == "NONE"
    finally:
        bench.close()


@pytest.mark.parametrize("kpa", [-4000, -900, 900, 1400])
@pytest.mark.parametrize("state", ["RAMP", "DOWN", "QUIET"])
@pytest.mark.parametrize("which", ["control", "safety"])
def test_in_other_states(state: str, which: str, kpa: float) -> None:
    bench = settled(state).copy(f"{which} wrong by {kpa} kPa in {state}")
    try:
        for _ in range(3):
            bench.inject("transducer-wrong", {"which": which, "kpa": kpa, "for_s": 0.1})
            bench.run_s(2.3)
        assert (bench.state, bench.app.modes.fault_name) == (
            "QUIET" if state == "QUIET" else "REGULATE",
            "NONE",
        )
    finally:
        bench.close()


@pytest.mark.parametrize("kpa", [-1500, 400, 900])
def test_a_reading_that_the_other_transducer_contradicts_moves_no_gas(kpa: float) -> None:
    """It lasts longer than a glitch, and is over before it counts as a disagreement."""
    bench = settled("HOLD").copy(f"wrong by {kpa} kPa for 0.4 s")
    try:
        pulses = list(bench.world.pulses)
        bench.inject("transducer-wrong", {"kpa": kpa, "for_s": 0.4})
        bench.run_s(0.5)
        assert bench.world.pulses == pulses
    finally:
        bench.close()


def test_a_true_movement_passes_at_once() -> None:
    bench = settled("QUIET").copy("a burst")
    try:
        bench.inject("line-burst", {})
        bench.run_s(0.2)
        assert bench.app.modes.fault_name == "LINE_BURST"
    finally:
        bench.close()


def test_an_erratic_control_transducer_is_no_witness_of_an_over_pressure() -> None:
    """The pressure rises towards the trip, and is shown by the safety transducer alone: nothing opens too early."""
    bench = settled("HOLD").copy("random counts")
    try:
        bench.inject("transducer-garbage", {})
        bench.run_s(1)
        assert bench.app.modes.fault_name == "CONTROL_ERRATIC"
        bench.inject("over-pressure", {"mpa": 8})
        highest_pa = 0.0
        while not bench.world.plant.valves[4].gate and highest_pa < 7e6:
            bench.run_s(0.02)
            highest_pa = bench.world.plant.pressure_pa
        assert 5.95e6 < highest_pa < 6.2e6
    finally:
        bench.close()
