"""Wear of the valves, and the time until their rated number of actuations."""

from dataclasses import dataclass

from ipch.analysis.estimate import Estimate

RATED = 10_000_000
"""Common rating of miniature solenoid valves; your valve's data sheet takes precedence."""
_DAY_S = 86_400.0


@dataclass(frozen=True)
class Wear:
    """Wear of one valve."""

    valve: str
    actuations: int
    """In this run."""
    total: int
    """The device's own count at the end."""
    open_s: float
    held: int
    """Actuations in this run while the pressure was held: a ramp takes hundreds, but is soon over."""
    per_day: Estimate
    """While the pressure was held; interval of a Poisson count."""
    rated: int
    years_left: Estimate | None
    """Until `rated` at this rate; None without an actuation."""
    years_at_least: float
    """At the upper end of the rate's interval."""


def wear(
    valve: str, first: float, last: float, open_s: float, held: float, held_s: float, rated: int = RATED
) -> Wear:
    """Judge a valve by its counter at both ends of a run, and by its actuations in `held_s` of holding."""
    days = max(held_s / _DAY_S, 1e-9)
    half = 1.96 * max(held, 1.0) ** 0.5
    rate = Estimate(held / days, half / days)
    left_years = max(0.0, rated - last) / 365.25
    left = None
    if held:
        left = Estimate(left_years / rate.value, left_years / rate.value * half / held)
    return Wear(
        valve=valve,
        actuations=max(0, round(last - first)),
        total=round(last),
        open_s=open_s,
        held=round(held),
        per_day=rate,
        rated=rated,
        years_left=left,
        years_at_least=left_years / rate.high,
    )
