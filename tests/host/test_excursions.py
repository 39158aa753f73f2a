"""Causes of excursions, wear of valves, gaps: from made-up samples in which the cause is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ipch.analysis.out_of_band import Held, excursions
from ipch.analysis.valve_wear import wear
from ipch.report.evaluation import find_gaps


def held(error_pa: Any, **columns: Any) -> Held:
    """An hour and a half at 5 MPa, a sample a second; what is not given is as it should be."""
    size = 5400
    same = np.ones(size)
    values: dict[str, Any] = {
        "time_s": np.arange(float(size)), "pressure_pa": 5e6 + np.asarray(error_pa) * same, "target_pa": 5e6 * same,
        "gas_k": 303.15 * same, "supply_pa": 6e6 * same, "pulses": 0 * same, "free": same > 0, "faulty": same < 0,
        "since_ramp_s": 1e6 * same,
    }  # fmt: skip
    return Held(**{**values, **columns})


SECONDS = np.arange(5400.0)
# From 4000 s on it drifts out of the band, and is back at once at 4800 s.
DRIFT = np.where((SECONDS > 4000) & (SECONDS < 4800), (SECONDS - 4000) * 10.0, 0.0)


@pytest.mark.parametrize(
    ("columns", "cause"),
    [
        ({}, "cell or leak"),
        ({"gas_k": 303.15 + DRIFT / 18_350}, "temperature"),
        ({"gas_k": 303.15 - DRIFT / 18_350}, "cell or leak"),
        ({"free": SECONDS < 3000}, "valves shut"),
        ({"faulty": SECONDS > 4600}, "fault"),
        ({"pulses": (SECONDS > 4495) * 1.0}, "pulse"),
        ({"since_ramp_s": SECONDS - 3500}, "after a ramp"),
    ],
)
def test_the_cause(columns: dict[str, Any], cause: str) -> None:
    (found,) = excursions(held(DRIFT, **columns))
    assert found.cause == cause
    assert found.start_s == 4501
    assert found.duration_s == pytest.approx(299, abs=1)
    assert found.peak_pa == pytest.approx(7990)


def test_a_supply_that_is_too_low_explains_a_loss_and_no_gain() -> None:
    empty = np.full(5400, 5.05e6)
    assert excursions(held(-DRIFT, supply_pa=empty))[0].cause == "supply too low"
    assert excursions(held(DRIFT, supply_pa=empty))[0].cause == "cell or leak"


def test_what_is_near_is_one_and_what_is_in_the_band_is_none() -> None:
    error = np.zeros(5400)
    error[[1000, 1005, 1100]] = 6000.0
    assert [round(one.start_s) for one in excursions(held(error))] == [1000, 1100]
    assert excursions(held(np.full(5400, 5000.0))) == []


def test_wear_goes_by_the_count_of_the_device_and_by_the_rate_of_holding() -> None:
    # 400 pulses in the run, 300 of them in ramps.
    found = wear("fill", 1_000_000, 1_000_400, 20.0, 100.0, 4 * 86_400.0, rated=2_000_000)
    assert (found.actuations, found.held, found.total) == (400, 100, 1_000_400)
    assert found.per_day.value == 25
    assert found.per_day.half_width == pytest.approx(1.96 * 10 / 4)
    assert found.years_left is not None
    assert found.years_left.value == pytest.approx(999_600 / 25 / 365.25)
    assert found.years_at_least == pytest.approx(999_600 / found.per_day.high / 365.25)
    assert wear("vent", 7, 9, 0.0, 0.0, 86_400.0).years_left is None


def test_gaps_are_what_is_longer_than_usual() -> None:
    every_10_s = np.arange(0.0, 600.0, 10.0)
    assert find_gaps(np.concatenate([every_10_s, every_10_s + 640])) == []
    (gap,) = find_gaps(np.concatenate([every_10_s, every_10_s + 660]))
    assert (gap.start_s, gap.duration_s) == (590.0, 70.0)
    assert find_gaps(np.array([1.0])) == []
