"""Hours of holding on the simulated plant, judged by the true pressure, as `make bench` does for whole days."""

from __future__ import annotations

import pytest

from bench.scenarios.day import REFERENCE, SLOW_OVEN, Scenario, run

pytestmark = pytest.mark.long

BAND_KPA = 5.0
# At this tick a valve is judged on a fifth of the samples: harder than with the board's own tick.
ROUGH_MS = 100


def test_a_valve_that_noise_made_look_weak_does_not_carry_the_pressure_out_of_the_band() -> None:
    sets = (*REFERENCE, "supply_mpa=8", "supply_fall_mpa_per_day=2.5")
    result = run(Scenario("falling supply", sets, hours=4, tick_ms=ROUGH_MS))
    assert result.fills >= 4 and result.metrics.max_kpa <= BAND_KPA


def test_a_swing_beyond_the_dead_band_takes_a_pulse_a_turn() -> None:
    settings = (("swing_allowance_pa", 0),)
    sets = (*REFERENCE, *SLOW_OVEN)
    result = run(Scenario("slow oven", sets, hours=5, tick_ms=ROUGH_MS, settings=settings))
    assert result.metrics.max_kpa <= BAND_KPA
    # Nine reversals in the last four and a half hours; the device learns its valves before.
    late = [side for second, side in result.pulses if second > 1800]
    assert len(late) <= 23
