"""Holding on ordinary rigs: the first minute after a fast ramp, and valves with large traps."""

import pytest

from bench.measure.ordinary import first_minute_kpa
from bench.scenarios.day import REFERENCE, SMALL_CELL, Scenario, run


@pytest.mark.parametrize("seed", [9, 13, 19])
def test_the_first_minute_after_a_fast_ramp_stays_within_the_dead_band(seed):
    """On these rigs the minute of the supply isolation's coil ended while the gas cooled by 8 kPa/s."""
    assert first_minute_kpa(seed) <= 5.0


@pytest.mark.parametrize("seed", [1, 2])
def test_large_traps_are_no_open_pair(seed):
    result = run(
        Scenario("traps", (*REFERENCE, *SMALL_CELL, "trap_ml=1"), hours=0.05, seed=seed, ordinary=True)
    )
    from regulator.faults import warning_names

    assert "PAIR_OPEN" not in warning_names(result.warnings)
    assert not result.fault
