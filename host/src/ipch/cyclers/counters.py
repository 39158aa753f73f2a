"""Charge from the counters of a cycler: the only place that decides where a counter restarted.

Counters are noisy, drop by a digit, hold over pauses, and restart with each step, half cycle or cycle, or never.
An increment is therefore the signed difference of two rows. A counter restarts only where a label changes, only if it
does so at most changes of that label, and only where that agrees better with the current than going on does; or where
all that it counted is lost at once for good, against the current, as when the cycler's computer starts anew.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Bools = NDArray[np.bool_]

MOVING = 1e-3
"""A smaller share of the largest current is noise at rest."""
# Without any label, a counter restarts where it falls below this share of itself.
_FALLS_TO = 0.05
# The first row may hold what so many usual intervals move.
_FIRST = 3.0
# So many usual intervals are lost at once only by a restart.
_LOST = 10.0
# A longer interval than so many usual ones says nothing about the charge that passed in it.
_USUAL = 20.0


def held(values: Floats) -> Floats:
    """Each empty cell takes the last value before it; 0 before the first."""
    known = np.isfinite(values)
    if known.all():
        return values
    last = np.maximum.accumulate(np.where(known, np.arange(len(values)), -1))
    return np.where(last >= 0, values[np.maximum(last, 0)], 0.0)


def changes(label: Floats) -> Bools:
    """Rows at which a label differs from the row before; empty labels hold."""
    kept = held(label)
    return np.concatenate([[False], kept[1:] != kept[:-1]])


def passed(current_a: Floats, time_s: Floats) -> Floats:
    """Ah that each row's own current would have moved since the row before; 0 across pauses and without current."""
    interval_s = np.diff(time_s, prepend=time_s[:1])
    usual_s = float(np.median(interval_s[interval_s > 0])) if (interval_s > 0).any() else 0.0
    interval_s = np.where((interval_s > 0) & (interval_s <= _USUAL * usual_s), interval_s, 0.0)
    return np.nan_to_num(current_a) * interval_s / 3600.0


def increments(counter: Floats, labels: Sequence[Bools], expected: Floats, pauses: Bools) -> Floats:
    """Signed increment of each row. `labels` are places where a restart is possible, the coarsest first.

    At `pauses` another file has the rows before: what the counter did meanwhile is not this file's to tell.
    """
    counter = held(counter)
    going_on = np.diff(counter, prepend=counter[:1])
    restarts = np.zeros(len(counter), dtype=np.bool_)
    lost = np.zeros_like(restarts)
    told = [label for label in labels if label.any()]
    if told:
        decided = np.zeros(len(counter), dtype=np.bool_)
        for label in told:
            restarts |= _restarts(counter, going_on, label & ~decided, expected)
            decided |= label
        lost = _lost(counter, going_on, expected)
    else:
        before = np.concatenate([counter[:1], counter[:-1]])
        restarts = np.abs(counter) < _FALLS_TO * np.abs(before)
    result: Floats = np.where(restarts, counter, going_on)
    # A counter that began anew, or wrapped, does not tell all that passed since the row before: the current may.
    anew = np.where(np.abs(expected) > np.abs(counter), expected, counter)
    result = np.where(lost & ~restarts, anew, result)
    # The first row has no row before it: more than its current moves in some intervals was counted in an earlier file.
    result[:1] = np.where(np.abs(counter[:1]) <= _FIRST * _usual(expected), counter[:1], 0.0)
    result[pauses] = 0.0
    return result


def _usual(expected: Floats) -> float:
    moved = np.abs(expected[expected != 0])
    return float(np.median(moved)) if len(moved) else 0.0


def _restarts(counter: Floats, going_on: Floats, at: Bools, expected: Floats) -> Bools:
    """Where among `at` the counter began anew: if it does so at most of them, and if that fits the current there."""
    better = np.abs(counter - expected) < np.abs(going_on - expected)
    found: Bools = at & better
    # A change says nothing where the counter held next to nothing before it.
    before = np.abs(counter - going_on)
    telling = at & (before > 1e-3 * float(np.max(np.abs(counter), initial=0.0)))
    if telling.any() and np.mean(found[telling]) < 0.5:
        found[:] = False
    return found


def _lost(counter: Floats, going_on: Floats, expected: Floats) -> Bools:
    """Where a counter fell to next to nothing, against its current, without coming back."""
    before, off, usual = np.abs(counter - going_on), going_on - expected, _usual(expected)
    fell = (
        (before > _LOST * usual)
        & (np.abs(counter) <= _FIRST * usual)
        & (np.abs(counter - expected) < np.abs(off))
    )
    for row in np.flatnonzero(fell) if usual else ():
        jumps = np.flatnonzero(np.abs(off[row + 1 :]) > 0.5 * before[row])
        fell[row] = not len(jumps) or off[row] * off[row + 1 + jumps[0]] > 0
    return fell & (usual > 0)


def of_steps(values: Floats, labels: Sequence[Bools]) -> Floats:
    """Sum of the values over the step that each row belongs to."""
    begins = np.zeros(len(values), dtype=np.int64)
    for label in labels:
        begins |= label
    step = np.cumsum(begins)
    total: Floats = np.bincount(step, weights=np.nan_to_num(values)).astype(np.float64)
    return total[step]
