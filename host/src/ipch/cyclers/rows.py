"""Rows that are no measurements: without a time, written twice, or stamped by a clock that was wrong for a moment."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipch.base.units import format_duration
from ipch.cyclers import cycles
from ipch.cyclers.raw import COLUMNS, Raw
from ipch.errors import FileError

Floats = NDArray[np.floating[Any]]
Bools = NDArray[np.bool_]

# So few rows with another clock than those on both sides are outliers; more of them are a clock that was set.
_OUTLIERS = 3
# Clocks and test time differ by rounding and by slow drift.
_STEP_S = 2.0
_MOST_UNDATED = 0.01
_TWO_TESTS_S = 60.0
_TOLD_S = 60.0
_ROWS_TO_COMPARE = 10
_SAME_UNIT = 0.02
_EARLIEST_S = 946_684_800.0  # 2000


def cleaned(raw: Raw) -> Raw:
    """The rows that count, with the reason for the others. Raises FileError if too many have no time."""
    undated = ~np.isfinite(raw.unix_s)
    # A clock that was not set yet begins in 1970 or so.
    early = raw.unix_s < _EARLIEST_S
    undated |= early & ~(early | undated).all()
    if undated.sum() > max(1.0, _MOST_UNDATED * len(raw)):
        raise FileError(f"{raw.path}: {int(undated.sum())} of {len(raw)} rows have no time stamp")
    if len(raw) > _OUTLIERS and np.ptp(raw.unix_s[~undated]) == 0 and (np.diff(raw.test_s) > 0).any():
        raise FileError(f"{raw.path}: all rows have the same time stamp; with test time alone, give --start")
    raw = _in_seconds(_oldest_first(raw.keep(~undated, "no time stamp")))
    raw = raw.keep(~_repeated(raw), "written twice")
    back = np.flatnonzero((np.diff(raw.unix_s) < -_TWO_TESTS_S) & (np.diff(raw.test_s) < -_TWO_TESTS_S))
    if len(back):
        raise FileError(
            f"{raw.path}: dates and test time both go back at row {back[0] + 2}: it holds two tests or channels, or is"
            " damaged; export each to a file of its own"
        )
    outlying, off_s = outliers(raw.unix_s, raw.test_s)
    if outlying.any():
        raw = raw.keep(
            ~outlying,
            f"stamped {off_s / 3600:+.2f} h off" if abs(off_s) >= 180 else f"stamped {off_s:+.0f} s off",
        )
    return _ahead(_numbered_on(raw))


def _numbered_on(raw: Raw) -> Raw:
    """Numbers of cycles that never fall: a file may hold several tests, and single rows with a wrong number."""
    notes = list(raw.notes)
    columns: dict[str, Any] = {}
    for name, what in (("cycle", "cycles"), ("half", "half cycles")):
        columns[name], errors, anew = cycles.going_on(getattr(raw, name), even=name == "half")
        if errors:
            notes.append(
                f"{errors} rows of {raw.path.name} with a number of {what} unlike those on both sides: taken as theirs"
            )
        if anew:
            columns["test"] = np.searchsorted(anew, np.arange(len(raw)), side="right").astype(np.float64)
            # The file's own table has several cycles of each number.
            columns["own_cycles"] = {}
            more = f" and {len(anew) - 1} times more" if len(anew) > 1 else ""
            notes.append(
                f"{what} of {raw.path.name} begin anew at row {anew[0] + 1}{more}: numbered on from the last"
            )
    return replace(raw, **columns, notes=tuple(notes))


def _oldest_first(raw: Raw) -> Raw:
    """The rows in reverse, if they are in reverse order of time."""
    advance_s = np.diff(raw.unix_s)
    if np.sum(advance_s < 0) <= np.sum(advance_s > 0):
        return raw
    columns: dict[str, Any] = {name: getattr(raw, name)[::-1] for name in COLUMNS}
    return replace(raw, **columns, notes=(*raw.notes, f"{raw.path.name} has the newest row first"))


def _ahead(raw: Raw) -> Raw:
    """Tells the largest jump of the dates beyond the test time, which may be a pause."""
    if not raw.has("test_s"):
        return raw
    ran_s = np.diff(raw.test_s)
    jump_s = np.where(ran_s >= 0, np.diff(raw.unix_s) - ran_s, 0.0)
    if jump_s.max(initial=0.0) < _TOLD_S:
        return raw
    at = int(jump_s.argmax())
    by = format_duration(jump_s[at])
    note = f"dates of {raw.path.name} go {by} ahead of its test time at row {at + 2}: a pause, or the clock was set"
    return replace(raw, notes=(*raw.notes, note))


def _in_seconds(raw: Raw) -> Raw:
    """Test time in the unit in which it advances as the dates do, if the file's own unit is another."""
    clock_s, test_s = np.diff(raw.unix_s), np.diff(raw.test_s)
    both = (clock_s > 0) & (test_s > 0)
    if both.sum() < _ROWS_TO_COMPARE:
        return raw
    ratio = float(np.median(clock_s[both] / test_s[both]))
    for unit, scale in (("minutes", 60.0), ("hours", 3600.0), ("milliseconds", 1e-3)):
        if abs(ratio / scale - 1.0) < _SAME_UNIT:
            note = f"test time of {raw.path.name} is in {unit}, by its dates"
            return replace(raw, test_s=raw.test_s * scale, notes=(*raw.notes, note))
    return raw


def _repeated(raw: Raw) -> Bools:
    """Rows with all values of an earlier one: with its number, or stamped before rows that precede them."""
    back = raw.unix_s < np.maximum.accumulate(raw.unix_s)
    if (np.diff(raw.unix_s) > 0).all():
        return np.zeros(len(raw), dtype=np.bool_)
    columns = [
        np.nan_to_num(getattr(raw, name), nan=-1e300)
        for name in COLUMNS
        if raw.has(name) and name != "record"
    ]
    _, first, inverse = np.unique(np.column_stack(columns), axis=0, return_index=True, return_inverse=True)
    earlier = first[inverse.ravel()]
    same = raw.record[earlier] == raw.record if raw.has("record") else np.ones(len(raw), dtype=np.bool_)
    repeated: Bools = (earlier != np.arange(len(raw))) & (same | back)
    return repeated


def outliers(unix_s: Floats, test_s: Floats) -> tuple[Bools, float]:
    """Rows of a few whose stamp is off, while those around them agree with each other; and how far the worst is off."""
    timed = np.isfinite(test_s).all() and not (np.diff(test_s) < 0).any()
    stretches = _off_test_time(unix_s - test_s) if timed else _out_of_order(unix_s)
    found = np.zeros(len(unix_s), dtype=np.bool_)
    worst = 0.0
    for start, end, off_s in stretches:
        found[start:end] = True
        worst = off_s if abs(off_s) > abs(worst) else worst
    return found, worst


def _off_test_time(offset_s: Floats) -> Iterator[tuple[int, int, float]]:
    """Stretches of a few rows between rows of one offset of clock and test time."""
    edges = [0, *(np.flatnonzero(np.abs(np.diff(offset_s)) > _STEP_S) + 1).tolist(), len(offset_s)]
    for start, end in pairwise(edges[1:-1]):
        if end - start <= _OUTLIERS and abs(offset_s[end] - offset_s[start - 1]) <= _STEP_S:
            yield start, end, float(offset_s[start] - offset_s[start - 1])
    # At the ends a pause explains dates that are ahead of the test time, but none that go back.
    if len(offset_s) > 2 * _OUTLIERS and len(edges) > 2:
        first, last = edges[1], edges[-2]
        if first <= _OUTLIERS and offset_s[first] < offset_s[first - 1]:
            yield 0, first, float(offset_s[0] - offset_s[first])
        if len(offset_s) - last <= _OUTLIERS and offset_s[last] < offset_s[last - 1]:
            yield last, len(offset_s), float(offset_s[last] - offset_s[last - 1])


def _out_of_order(unix_s: Floats) -> Iterator[tuple[int, int, float]]:
    """Without test time only a clock that goes back tells: a few rows ahead of those after, or behind those before."""
    for last in np.flatnonzero(np.diff(unix_s) < -_STEP_S).tolist():
        for count in range(1, _OUTLIERS + 1):
            first, after = last - count + 1, last + count + 1
            if first > 0 and unix_s[first - 1] <= unix_s[last + 1] + _STEP_S:
                yield first, last + 1, float(unix_s[first] - unix_s[last + 1])
                break
            at_start = first == 0 and len(unix_s) > 2 * _OUTLIERS
            if at_start:
                yield 0, last + 1, float(unix_s[last] - unix_s[last + 1])
                break
            at_end = after == len(unix_s) > 2 * _OUTLIERS
            if at_end or (after < len(unix_s) and unix_s[after] >= unix_s[last] - _STEP_S):
                yield last + 1, after, float(unix_s[last + 1] - unix_s[last])
                break
