"""The smallest fill valve in the largest chamber: single pulses of its first seconds are hidden by noise."""

from __future__ import annotations

import pytest

from bench.measure.grid import Case, steps
from bench.scenarios.rig import Bench


@pytest.mark.parametrize("seed", range(6))
def test_a_small_valve_in_a_large_chamber_is_not_taken_for_one_stuck_shut(seed: int) -> None:
    sets = ("initial_mpa=0.101325", "volume_l=5", "fill_c=3e-11", "missed_probability=0")
    bench = Bench(sets=sets, seed=seed)
    try:
        bench.send(":SOUR:PRES 5;:OUTP ON")
        bench.run_s(60)
        assert (bench.state, bench.app.modes.fault_name) == ("REGULATE", "NONE")
        assert bench.world.plant.pressure_pa > 0.15e6
    finally:
        bench.close()


def test_a_long_ramp_of_a_small_valve_is_no_leak() -> None:
    """It is filled for 40 minutes, the coils half of the time, by pulses that chain and teach nothing."""
    (step,) = steps((Case(5.0, 3e-11, 6.0, 1.0, 4.9),), 1800)
    assert not step.fault
    assert not step.warnings
    assert step.settled_s < 1.25 * step.best_s
