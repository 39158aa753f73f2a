from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipch.analysis.holding import (
    evaluate,
    overall,
    overshoot,
    pulses_between,
    quantiles,
    settling_time,
    stability,
    weights,
)


@dataclass(frozen=True)
class Step:
    kind: str
    text: str
    target_pa: int | None
    start_s: float
    end_s: float


def test_a_sine_has_the_rms_of_a_sine() -> None:
    time_s = np.linspace(0, 1000, 100_001)
    pressure_pa = 5e6 + 8000 * np.sin(2 * np.pi * time_s / 100)
    found = stability(time_s, pressure_pa, 5e6, band_pa=4000)
    assert found.rms_pa == pytest.approx(8000 / np.sqrt(2), rel=1e-4)
    assert found.max_pa == pytest.approx(8000, rel=1e-6)
    assert found.mean_pa == pytest.approx(5e6, rel=1e-9)
    # |sin| < 1/2 for a third of the time.
    assert found.in_band_fraction == pytest.approx(1 / 3, abs=1e-3)
    assert found.duration_s == 1000


def test_samples_count_for_the_time_they_stand_for() -> None:
    # Dense samples inside the band, sparse ones outside: half of the time is outside.
    time_s = np.concatenate([np.arange(0, 10, 0.5), np.arange(10, 20.5, 2.0)])
    error_pa = np.where(time_s < 10, 0.0, 9000.0)
    assert stability(time_s, error_pa, 0.0).in_band_fraction == pytest.approx(0.5, abs=0.06)


def test_a_gap_counts_for_nothing() -> None:
    time_s = np.array([0, 1, 2, 3, 1003, 1004, 1005, 1006.0])
    assert weights(time_s).sum() == pytest.approx(6)


def test_a_sample_between_two_gaps_judges_nothing() -> None:
    time_s = np.array([0, 1, 2, 1000, 2000, 2001.0])
    error_pa = np.array([0, 0, 0, 999_940, 0, 0.0])
    found = stability(time_s, error_pa, 0.0)
    assert (found.in_band_fraction, found.max_pa, found.rms_pa, found.error_99_pa) == (1.0, 0.0, 0.0, 0.0)


def test_quantiles_of_many_samples_are_those_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(1)
    values, weight = random.exponential(1000.0, 30_000), random.uniform(0.1, 5.0, 30_000)
    all_sorted = quantiles(values, weight, (0.95, 0.99))
    monkeypatch.setattr("ipch.analysis.holding._MANY", 1000)
    assert quantiles(values, weight, (0.95, 0.99)) == all_sorted
    # Half of the weight lies below the upper fifth of the values: all are sorted.
    assert quantiles(values, weight, (0.5,)) == pytest.approx([np.median(np.repeat(values, 10))], rel=0.02)


def test_each_pulse_belongs_to_one_step() -> None:
    time_s, counter = np.arange(10.0), np.array([0, 0, 1, 1, 2, 3, 3, 4, 4, 5.0])
    spans = [(0.0, 3.5), (3.5, 6.0), (6.0, 9.0)]
    assert [pulses_between(time_s, counter, *span) for span in spans] == [1, 2, 2]
    assert pulses_between(time_s, np.zeros(0), 0, 9) == 0


def test_a_record_that_saves_room_has_no_gaps() -> None:
    # A busy quarter of an hour with a row a second, then one every 10 s.
    time_s = np.concatenate([np.arange(900.0), np.arange(900.0, 4500.0, 10.0)])
    error_pa = np.where(time_s < 900, 9000.0, 0.0)
    assert weights(time_s).sum() == pytest.approx(4490)
    assert stability(time_s, error_pa, 0.0).in_band_fraction == pytest.approx(0.8, abs=0.002)


def test_percentiles_go_by_time() -> None:
    # A minute in an hour outside, seen by as many samples as the rest.
    time_s = np.concatenate([np.arange(0, 3540, 10.0), np.linspace(3540, 3600, 354)])
    error_pa = np.where(time_s < 3540, -1000.0, 8000.0)
    found = stability(time_s, 5e6 + error_pa, 5e6)
    assert (found.error_95_pa, found.error_99_pa, found.max_pa) == (1000, 8000, 8000)


def test_the_edge_of_the_band_is_inside() -> None:
    assert stability(np.array([0, 1.0]), np.array([5000.0, -5000.0]), 0.0).in_band_fraction == 1.0


def test_one_sample_is_enough_and_none_is_not() -> None:
    assert stability(np.array([3.0]), np.array([7.0]), 4.0).rms_pa == 3.0
    with pytest.raises(ValueError, match="no samples"):
        stability(np.array([]), np.array([]), 0.0)


def test_overshoot_goes_with_the_direction() -> None:
    rising = np.array([1.0, 4.0, 5.3, 4.9])
    assert overshoot(rising, 5.0, 1.0) == pytest.approx(0.3)
    assert overshoot(np.array([5.0, 2.2, 1.8, 2.1]), 2.0, 5.0) == pytest.approx(0.2)
    assert overshoot(np.array([1.0, 4.0]), 5.0, 1.0) == 0.0


def test_settling_is_counted_to_the_last_time_outside() -> None:
    time_s = np.arange(10.0)
    error = np.array([-90, -50, 2, 9, 2, 1, 0, 1, 0, 1.0])
    assert settling_time(time_s, error, 0.0, arrived_s=1.0, band_pa=5) == 3.0
    assert settling_time(time_s, error, 0.0, arrived_s=6.0, band_pa=5) == 0.0
    assert settling_time(time_s, np.zeros(10), 0.0, arrived_s=1.0, band_pa=5) == 0.0
    error[-1] = 50
    assert settling_time(time_s, error, 0.0, arrived_s=1.0, band_pa=5) is None


def test_steps_of_a_run() -> None:
    time_s = np.arange(0.0, 101.0)
    setpoint_pa = np.clip(1e6 + 1e5 * time_s, None, 2e6)
    pressure_pa = setpoint_pa.copy()
    pressure_pa[11] = 2.02e6
    pressure_pa[60:] += 3000
    fills = np.minimum(time_s, 20)
    steps = [
        Step("ramp", "ramp", 2_000_000, 0, 20),
        Step("hold", "hold", 2_000_000, 20, 60),
        Step("wait", "wait", 2_000_000, 60, 80),
        Step("quiet", "quiet", 2_000_000, 80, 100),
    ]
    found = evaluate(steps, time_s, pressure_pa, (time_s, setpoint_pa), fills, np.zeros(101))
    assert found[0].overshoot_pa == pytest.approx(20_000)
    assert found[0].settling_s == 2.0
    assert [step.fills for step in found] == [20, 0, 0, 0]
    assert found[0].held is None
    assert found[2].held is not None and found[2].held.mean_pa == pytest.approx(2.003e6)
    assert found[1].held is not None and found[1].held.in_band_fraction == 1.0
    assert found[3].held is not None and found[3].held.rms_pa == pytest.approx(3000)
    together = overall(steps, time_s, pressure_pa)
    assert together is not None
    assert together.duration_s == 80
    assert together.rms_pa == pytest.approx(np.sqrt(3000**2 / 2), rel=0.05)
    assert (together.error_95_pa, together.max_pa) == (3000, 3000)
    assert overall(steps[:1], time_s, pressure_pa) is None


def test_a_ramp_that_never_arrives_never_settles() -> None:
    time_s = np.arange(0.0, 11.0)
    setpoint_pa = 1e6 + 1e4 * time_s
    found = evaluate(
        [Step("ramp", "ramp", 2_000_000, 0, 10)],
        time_s,
        setpoint_pa,
        (time_s, setpoint_pa),
        np.zeros(11),
        np.zeros(11),
    )
    assert found[0].settling_s is None
    assert found[0].overshoot_pa == 0.0


@given(st.lists(st.floats(0.01, 10), min_size=2, max_size=50), st.floats(-1e4, 1e4))
def test_a_constant_error_is_its_own_rms(intervals: list[float], error: float) -> None:
    time_s = np.cumsum(intervals)
    found = stability(time_s, np.full(len(time_s), 5e6 + error), 5e6)
    assert found.rms_pa == pytest.approx(abs(error), abs=1e-6)
    assert found.in_band_fraction in (0.0, pytest.approx(1.0))
