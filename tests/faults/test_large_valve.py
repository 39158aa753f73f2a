"""The largest valve in the smallest chamber: one pulse of a valve that is not known yet moves more than 100 kPa."""

from __future__ import annotations

from bench.measure.grid import Case, steps

FAST_PA_S = 1_000_000


def test_a_first_long_vent_pulse_is_no_burst() -> None:
    cases = tuple(Case(0.2, 3e-9, 9.5, *ends, "nitrogen", FAST_PA_S) for ends in ((1.0, 4.9), (4.9, 2.0)))
    assert [each.fault for each in steps(cases, 10)] == ["", ""]


def test_the_largest_flow_is_learned() -> None:
    """A bound below it had every ninth pulse taken for that of a changed chamber, and a ramp stop on its way."""
    (step,) = steps((Case(0.08, 3e-9, 6.0, 4.9, 2.0),), 10)
    assert step.settled_s < 1.25 * step.best_s
    assert not step.fault
