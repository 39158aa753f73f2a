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
    held: int
    """Of those in this run, those while the pressure was held: a ramp takes hundreds, and is soon over."""
    per_day: Estimate
    """While the pressure was held; interval of a Poisson count."""
    rated: int
    years_left: Estimate | None
    """Until `rated` at this rate; None without a single actuation."""
    years_at_least: float
    """At the upper end of the rate's interval."""


def wear(
    valve: str, first: float, last: float, open_s: float, held: float, held_s: float, rated: int = RATED
) -> Wear:
    """Judge a valve by its counter at both ends of a run, and by its actuations in `held_s` of holding a pressure."""
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
