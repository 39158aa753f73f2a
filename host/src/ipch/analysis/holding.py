"""How well a pressure was held: per step and over a run, from samples or from the simulator's truth."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

BAND_PA = 5000.0
"""Half-width of the band in which a pressure counts as held: 0.05 % of a full scale of 10 MPa."""

# Steps that hold the pressure, if they have a target.
HOLDING = ("hold", "quiet", "wait")
# A longer interval than this and than so many usual ones is a gap in the record. A thinned record has a row at least
# every 10 s.
_GAP_S = 30.0
_MANY = 100_000
_GAP_USUAL = 5.0


class Span(Protocol):
    """A step with its start and end."""

    @property
    def kind(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def target_pa(self) -> int | None: ...
    @property
    def start_s(self) -> float: ...
    @property
    def end_s(self) -> float: ...


@dataclass(frozen=True)
class Stability:
    """Errors against a constant target, each sample weighted with its share of the time."""

    duration_s: float
    in_band_fraction: float
    """Share of the time within the band."""
    mean_pa: float
    """Mean pressure, absolute."""
    rms_pa: float
    max_pa: float
    """Largest distance from the target."""
    error_95_pa: float
    """95th percentile of the distance from the target, by time."""
    error_99_pa: float


@dataclass(frozen=True)
class StepResult:
    """Result of one step. Fields that do not apply to its kind are None."""

    text: str
    kind: str
    target_pa: int | None
    start_s: float
    duration_s: float
    held: Stability | None
    overshoot_pa: float | None
    """Overshoot of a ramp beyond its target until the next ramp; 0 without."""
    settling_s: float | None
    """From the setpoint's arrival at the target until the pressure settled in the band."""
    fills: int
    vents: int


def longest_step_s(time_s: Floats) -> float:
    """Longest interval without a gap between two samples."""
    return max(_GAP_S, _GAP_USUAL * usual_step_s(time_s))


def usual_step_s(time_s: Floats) -> float:
    """Median of the intervals between samples; 0 with a single one."""
    return float(np.median(np.diff(time_s), overwrite_input=True)) if len(time_s) > 1 else 0.0


def weights(time_s: Floats) -> Floats:
    """Time that each sample represents: half of the interval on either side, none of a gap."""
    if len(time_s) < 2:
        return np.ones(len(time_s))
    longest_s, count = longest_step_s(time_s), len(time_s)
    # Of a month, nothing is held twice: halves of the intervals before and after each sample become their sum in parts.
    halves = np.zeros(count + 1)
    np.subtract(time_s[1:], time_s[:-1], out=halves[1:-1])
    halves[halves > longest_s] = 0.0
    halves /= 2
    for at in range(0, count, _MANY):
        end = min(at + _MANY, count)
        halves[at:end] += halves[at + 1 : end + 1]
    return halves[:-1]


def stability(
    time_s: Floats, pressure_pa: Floats, target_pa: Floats | float, band_pa: float = BAND_PA
) -> Stability:
    """Judge pressures against a target. At least one sample; times in s, ascending; pressures in Pa."""
    if len(time_s) == 0:
        raise ValueError("no samples to judge")
    duration_s, weight = float(time_s[-1] - time_s[0]), weights(time_s)
    # Of a month, 19 MB that are not needed any more.
    del time_s
    return _judge(duration_s, weight, pressure_pa, target_pa, band_pa)


def _judge(
    duration_s: float, weight: Floats, pressure_pa: Floats, target_pa: Floats | float, band_pa: float
) -> Stability:
    total = float(weight.sum())
    if not total:
        weight, total = np.ones(len(pressure_pa)), float(len(pressure_pa))
    # A sample between two gaps represents no time.
    if not (used := weight > 0).all():
        pressure_pa, weight = pressure_pa[used], weight[used]
        target_pa = target_pa if isinstance(target_pa, float) else target_pa[used]
    off = np.abs(pressure_pa - target_pa)
    error_95_pa, error_99_pa = quantiles(off, weight, (0.95, 0.99))
    return Stability(
        duration_s=duration_s,
        in_band_fraction=weighted_sum(weight, off <= band_pa) / total,
        mean_pa=weighted_sum(weight, pressure_pa) / total,
        rms_pa=float(np.sqrt(weighted_sum(weight, off, np.square) / total)),
        max_pa=float(off.max()),
        error_95_pa=error_95_pa,
        error_99_pa=error_99_pa,
    )


def weighted_sum(
    weight: Floats, values: NDArray[Any], of: Callable[[Floats], Floats] = lambda part: part
) -> float:
    """Sum of weighted values, or of a function of them, in parts: a month in double precision only costs memory."""
    parts = (slice(at, at + _MANY) for at in range(0, len(values), _MANY))
    return sum(float(weight[part] @ of(values[part].astype(np.float64))) for part in parts)


def quantiles(values: Floats, weight: Floats, shares: Sequence[float]) -> list[float]:
    """Weighted quantiles: for each share the smallest value that so much of the weight does not exceed."""
    total = float(weight.sum(dtype=np.float64))
    # Sums of many small weights differ in their last digits.
    wanted = np.array(shares) * total * (1 - 1e-9)
    below = 0.0
    if len(values) > _MANY:
        # Only the upper values need sorting, if they hold enough of the weight.
        upper = values >= np.partition(values, int(0.8 * len(values)))[int(0.8 * len(values))]
        left = total - float(weight[upper].sum(dtype=np.float64))
        if left < wanted.min():
            values, weight, below = values[upper], weight[upper], left
    order = np.argsort(values)
    reached = below + np.cumsum(weight[order], dtype=np.float64)
    at = np.searchsorted(reached, wanted)
    return [float(values[order[min(index, len(order) - 1)]]) for index in at]


def overshoot(pressure_pa: Floats, target_pa: float, from_pa: float) -> float:
    """Overshoot beyond a target approached from `from_pa`; 0 without."""
    beyond = pressure_pa - target_pa if target_pa >= from_pa else target_pa - pressure_pa
    return max(0.0, float(beyond.max())) if len(beyond) else 0.0


def settling_time(
    time_s: Floats, pressure_pa: Floats, target_pa: float, arrived_s: float, band_pa: float = BAND_PA
) -> float | None:
    """Seconds from `arrived_s` until the pressure stays in the band; None if it ends outside."""
    outside = np.flatnonzero(np.abs(pressure_pa - target_pa) > band_pa)
    if len(outside) == 0:
        return 0.0
    if outside[-1] == len(time_s) - 1:
        return None
    return max(0.0, float(time_s[outside[-1] + 1]) - arrived_s)


def evaluate(
    steps: Sequence[Span],
    time_s: Floats,
    pressure_pa: Floats,
    ramp: tuple[Floats, Floats],
    fills: Floats,
    vents: Floats,
    band_pa: float = BAND_PA,
) -> list[StepResult]:
    """Judge every step. `ramp` holds time and value of the ramped setpoint; `fills` and `vents` are counters."""
    results = []
    for index, step in enumerate(steps):
        inside = (time_s >= step.start_s) & (time_s <= step.end_s)
        held = None
        if is_held(step) and inside.any():
            held = stability(time_s[inside], pressure_pa[inside], float(step.target_pa or 0), band_pa)
        beyond = settled = None
        if step.kind == "ramp" and step.target_pa is not None and inside.any():
            until_s = next(
                (s.start_s for s in steps[index + 1 :] if s.kind in ("ramp", "vent")), steps[-1].end_s
            )
            reach = (time_s >= step.start_s) & (time_s <= until_s)
            beyond = overshoot(pressure_pa[reach], step.target_pa, float(pressure_pa[inside][0]))
            arrived_s = _arrival(ramp, step, until_s)
            if arrived_s is not None:
                settled = settling_time(time_s[reach], pressure_pa[reach], step.target_pa, arrived_s, band_pa)
        results.append(
            StepResult(
                text=step.text,
                kind=step.kind,
                target_pa=step.target_pa,
                start_s=step.start_s,
                duration_s=step.end_s - step.start_s,
                held=held,
                overshoot_pa=beyond,
                settling_s=settled,
                fills=pulses_between(time_s, fills, step.start_s, step.end_s),
                vents=pulses_between(time_s, vents, step.start_s, step.end_s),
            )
        )
    return results


def overall(
    steps: Sequence[Span], time_s: Floats, pressure_pa: Floats, band_pa: float = BAND_PA
) -> Stability | None:
    """Judge all holding steps together without the gaps between them; None if there is none."""
    held = [step for step in steps if is_held(step)]
    inside = [np.flatnonzero((time_s >= step.start_s) & (time_s <= step.end_s)) for step in held]
    parts = [(step, at) for step, at in zip(held, inside, strict=True) if len(at)]
    if not parts:
        return None
    return _judge(
        sum(float(time_s[at[-1]] - time_s[at[0]]) for _, at in parts),
        np.concatenate([weights(time_s[at]) for _, at in parts]),
        np.concatenate([pressure_pa[at] for _, at in parts]),
        np.concatenate([np.full(len(at), float(step.target_pa or 0)) for step, at in parts]),
        band_pa,
    )


def is_held(step: Span) -> bool:
    """Whether this step holds the pressure."""
    return step.kind in HOLDING and step.target_pa is not None


def _arrival(ramp: tuple[Floats, Floats], step: Span, until_s: float) -> float | None:
    """Time at which the ramped setpoint reached the target of a step."""
    time_s, setpoint_pa = ramp
    there = time_s[(time_s >= step.start_s) & (time_s <= until_s) & (setpoint_pa == step.target_pa)]
    return float(there[0]) if len(there) else None


def pulses_between(time_s: Floats, counter: Floats, start_s: float, end_s: float) -> int:
    """Increments of a counter from `start_s` to `end_s`: each pulse belongs to one of two steps in a row."""
    if not len(counter):
        return 0
    first, last = (max(int(np.searchsorted(time_s, at, side="right")) - 1, 0) for at in (start_s, end_s))
    steps = np.diff(counter[first : last + 1])
    return round(float(steps[steps > 0].sum()))
