"""How worn the valves are, and when they will have done what they are rated for."""

from dataclasses import dataclass

from ipch.analysis.estimate import Estimate

RATED = 10_000_000
"""Actuations that makers of miniature solenoid valves commonly state; the data sheet of yours counts."""
_DAY_S = 86_400.0


@dataclass(frozen=True)
class Wear:
    """One valve."""

    valve: str
    actuations: int
    """In this run."""
    total: int
    """By the device's own count at the end."""
    open_s: float
    per_day: Estimate
    """Interval of a Poisson count."""
    rated: int
    years_left: Estimate | None
    """Until `rated` at this rate; None without a single actuation."""


def wear(valve: str, first: float, last: float, open_s: float, duration_s: float, rated: int = RATED) -> Wear:
    """Judge a valve by its counter at both ends of a stretch of `duration_s`."""
    count = max(0, round(last - first))
    days = max(duration_s / _DAY_S, 1e-9)
    half = 1.96 * max(count, 1) ** 0.5
    rate = Estimate(count / days, half / days)
    left = None
    if count:
        years = max(0.0, rated - last) / rate.value / 365.25
        left = Estimate(years, years * half / count)
    return Wear(valve, count, round(last), open_s, rate, rated, left)
