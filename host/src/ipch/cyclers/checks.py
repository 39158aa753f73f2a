"""Self-check of a merge: rows used and dropped, charge against the current's integral, cycles against the file's own.

Every merge says these lines, whether or not something is wrong.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipch.cyclers import cycles
from ipch.cyclers.merging import Merged
from ipch.cyclers.table import CyclerData

Floats = NDArray[np.floating[Any]]

_WORTH_A_WARNING = 0.01
# An interval of more than so many usual ones is a pause, whose current is not known.
_USUAL = 20.0
_UNLIKE_CYCLES = 2
# Cells that one file may hold row by row, and how much less than their voltages those of one cell differ.
_CELLS, _UNLIKE, _RESOLUTION_V, _ENOUGH = 8, 5.0, 1e-3, 20
_MOST_ROWS = 50_000


@dataclass(frozen=True)
class Line:
    """One line of the self-check; `ok` is False if the result should not be trusted as it is."""

    about: str
    ok: bool
    text: str


def check(merged: Merged) -> list[Line]:
    """Lines about rows, charge and cycles."""
    return [_rows(merged), _charge(merged), _cycles(merged)]


def _rows(merged: Merged) -> Line:
    lost = sum((Counter(part.dropped) for part in merged.parts), Counter())
    read = merged.rows + lost.total()
    text = f"{read} read, {merged.rows} used, {merged.rows - merged.matched} of them without a pressure"
    if lost:
        text += "; dropped: " + ", ".join(f"{count} {why}" for why, count in lost.items())
    if merged.clock_steps:
        times = "once" if merged.clock_steps == 1 else f"{merged.clock_steps} times"
        text += f"; the cycler's clock went back {times}, earlier rows were shifted"
    notes = dict.fromkeys(note for part in merged.parts for note in part.notes)
    return Line("rows", not lost and not merged.clock_steps, "; ".join([text, *notes]))


def _charge(merged: Merged) -> Line:
    charged, discharged = (float(values.sum()) for values in (merged.charged_ah, merged.discharged_ah))
    text = f"{charged * 1e3:.5g} mAh in, {discharged * 1e3:.5g} mAh out by the counters"
    low, high = np.zeros(2), np.zeros(2)
    for part in merged.parts:
        lower, upper = _integral(part)
        low, high = low + lower, high + upper
    if not high.any():
        return Line("charge", True, f"{text}; no current in the file to compare with")
    counted = np.array([charged, discharged])
    off = np.abs(counted - np.clip(counted, low, high)) / max(float(counted.max()), float(high.max()), 1e-12)
    ok = bool(off.max() <= _WORTH_A_WARNING)
    text += f", {_range(low[0], high[0])} and {_range(low[1], high[1])} by the integral of the current"
    if (
        sum(
            float(np.nansum(part.current_a[1:] * np.diff(part.charged_ah - part.discharged_ah)))
            for part in merged.parts
        )
        < 0
    ):
        return Line("charge", False, f"{text}: the current has the other sign")
    return Line("charge", ok, text if ok else f"{text}: they differ by {off.max():.1%}")


def _range(low: float, high: float) -> str:
    """In mAh: one value, or what the current of few rows allows."""
    if high - low > _WORTH_A_WARNING * high:
        return f"{low * 1e3:.3g} to {high * 1e3:.3g}"
    return f"{(low + high) / 2 * 1e3:.5g}"


def _integral(part: CyclerData) -> tuple[Floats, Floats]:
    """Least and most Ah in and out that the current allows, by its values at the ends of each interval.

    In a pause the current may have stopped at once, or gone on.
    """
    time_s = part.test_s if np.isfinite(part.test_s).all() else part.unix_s
    interval_s = np.diff(time_s)
    going = interval_s > 0
    usual_s = float(np.median(interval_s[going])) if going.any() else 0.0
    hours = np.where(going, interval_s, 0.0) / 3600.0
    paused = interval_s > _USUAL * usual_s
    current_a = np.nan_to_num(part.current_a)
    low, high = np.zeros(2), np.zeros(2)
    for side, sign in enumerate((1.0, -1.0)):
        ampere = np.maximum(sign * current_a, 0.0)
        larger = np.maximum(ampere[1:], ampere[:-1])
        sums = sorted(
            [
                float(ampere[1:] @ np.where(paused, 0.0, hours)),
                float(ampere[:-1] @ np.where(paused, 0.0, hours)),
            ]
        )
        low[side], high[side] = sums[0], sums[1] + float(larger @ np.where(paused, hours, 0.0))
    return low, high


def _cycles(merged: Merged) -> Line:
    numbers = len(np.unique(merged.cycle))
    turns = int(cycles.by_charge(merged.charge_ah).max())
    text = (
        f"{numbers} in the file, {turns} by its charges"
        if merged.parts[0].numbered
        else f"{numbers} by half cycles"
    )
    # Small cycles do not count as turns; but a column that never changes, or always, has no cycles.
    one, each = turns >= _UNLIKE_CYCLES * numbers, numbers > max(merged.rows / _UNLIKE_CYCLES, _ENOUGH)
    unlike = merged.parts[0].numbered and (one or each)
    if unlike:
        text += ": --cycles charge takes the latter"
    own = {number: values for part in merged.parts for number, values in part.own_cycles.items()}
    worst = 0.0
    moved = (merged.charged_ah, merged.discharged_ah)
    for number, values in own.items():
        inside = merged.cycle == number
        found = [float(each[inside].sum()) for each in moved]
        size = max(*values, *found, 1e-12)
        worst = max(worst, *(abs(a - b) / size for a, b in zip(values, found, strict=True)))
    if own:
        text += f"; the file's own table agrees within {worst:.2%}"
    mixed = [part.path.name for part in merged.parts if _alternates(part)]
    if mixed:
        text += f"; rows of {mixed[0]} alternate between voltages as of several cells: export each to a file of its own"
    return Line("cycles", worst <= _WORTH_A_WARNING and not mixed and not unlike, text)


def _alternates(part: CyclerData) -> bool:
    """Whether rows resemble those a few rows before rather than their neighbours, at currents of the same direction."""
    start = max(0, (len(part) - _MOST_ROWS) // 2)
    some = slice(start, start + _MOST_ROWS)
    volt, current_a = part.voltage_v[some], np.nan_to_num(part.current_a[some])

    def change(rows: int) -> float:
        same = (np.sign(current_a[rows:]) == np.sign(current_a[:-rows])) & (current_a[rows:] != 0)
        changes = np.abs(volt[rows:] - volt[:-rows])[same & np.isfinite(volt[rows:] - volt[:-rows])]
        return float(np.median(changes)) if len(changes) > _ENOUGH else 0.0

    neighbours = change(1)
    return any(neighbours > _UNLIKE * change(rows) + _RESOLUTION_V for rows in range(2, _CELLS + 1))
