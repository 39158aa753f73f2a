"""Several files of one cell: which continue a test, which take turns in time, and how their cycles are numbered."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipch.cyclers import cycles
from ipch.cyclers.counters import held
from ipch.cyclers.cycles import Numbering
from ipch.cyclers.raw import Raw
from ipch.cyclers.table import CyclerData, canonical
from ipch.errors import FileError

Floats = NDArray[np.floating[Any]]

# Files may overlap by what a clock is off.
_OVERLAP_S = 60.0
# Rows of files that take turns lie in pauses of the others: at most this share of them does not.
_BESIDE = 0.05
# Of rows in the time of the file before, more than this share are those of that file, or it is another cell's.
_SAME = 0.9


def joined(raws: Sequence[Raw], numbering: Numbering | None) -> list[CyclerData]:
    """Canonical tables in order of time, with cycle numbers that hold for all of them. Raises FileError."""
    raws = _once(sorted(raws, key=lambda part: float(part.unix_s[0])))
    turns = _take_turns(raws)
    chains: list[list[Raw]] = []
    for part in raws:
        if chains and not turns and goes_on(chains[-1][-1], part):
            chains[-1].append(part)
        else:
            chains.append([part])
    tests = [canonical(chain, numbering, _pauses(chain[0], raws) if turns else None) for chain in chains]
    parts = [part for test in tests for part in test]
    if len(tests) > 1 and (turns or numbering in ("charge", "discharge") or _single_halves(raws)):
        return _by_charge(parts, numbering)
    return _continued(tests)


def _once(raws: Sequence[Raw]) -> list[Raw]:
    """Files in order of time, without the rows that the file before has as well: exports of a growing test overlap."""
    found: list[Raw] = []
    for part in raws:
        before = found[-1] if found else part
        both = part.unix_s <= before.unix_s[-1]
        if before is not part and before.reader == part.reader and both.any():
            inside = before.unix_s >= part.unix_s[0]
            same = set(_rows(before, inside))
            again = np.zeros(len(part), dtype=np.bool_)
            again[both] = [row in same for row in _rows(part, both)]
            if np.mean(again[both]) > _SAME:
                why = f"also in {before.path.name}"
                if again.all():
                    found[-1] = replace(
                        before, dropped={**before.dropped, f"of {part.path.name} {why}": len(part)}
                    )
                    continue
                part = part.keep(~again, why)
        found.append(part)
    return found


def _rows(raw: Raw, rows: NDArray[np.bool_]) -> list[tuple[float, ...]]:
    columns = (raw.unix_s, raw.voltage_v, raw.current_a)
    return list(zip(*(np.round(np.nan_to_num(column[rows]), 6).tolist() for column in columns), strict=True))


def goes_on(before: Raw, part: Raw) -> bool:
    """Whether a file continues the test of the one before: its numbers go on."""
    if before.reader != part.reader:
        return False
    timed = before.has("test_s") and part.has("test_s")
    same_clock = timed and part.test_s[0] >= before.test_s[-1] - 2.0 and before.test_s[-1] > 0
    for name in ("cycle", "half"):
        if before.has(name) and part.has(name):
            last, first = float(held(getattr(before, name))[-1]), float(held(getattr(part, name))[0])
            if first not in (last, last + 1):
                return False
            # The first number of a new file says nothing, unless the clock of the test goes on.
            return first > 1 or (same_clock and name == "cycle")
    return bool(same_clock)


def _take_turns(raws: Sequence[Raw]) -> bool:
    """Whether files overlap in time, with the rows of each in pauses of the others. Raises FileError if not so."""
    found = False
    for number, before in enumerate(raws):
        for part in raws[number + 1 :]:
            if part.unix_s[0] >= before.unix_s.max() - _OVERLAP_S:
                continue
            found = True
            inside = np.searchsorted(before.unix_s, part.unix_s)
            interval_s = np.diff(before.unix_s)
            usual_s = float(np.quantile(interval_s, 0.25)) if len(interval_s) else 0.0
            within = (inside > 0) & (inside < len(before))
            of_row = interval_s[np.clip(inside - 1, 0, len(interval_s) - 1)]
            if (
                np.mean(within & (of_row <= 1.5 * usual_s)) > _BESIDE
                or np.isin(part.unix_s, before.unix_s).mean() > 0.5
            ):
                raise FileError(f"{part.path} and {before.path} overlap in time: give each period once")
    return found


def _pauses(raw: Raw, raws: Sequence[Raw]) -> NDArray[np.bool_]:
    """Rows of a file before which another file has rows, since its own row before."""
    others = np.sort(np.concatenate([part.unix_s for part in raws if part is not raw]))
    between = np.searchsorted(others, raw.unix_s[1:]) - np.searchsorted(others, raw.unix_s[:-1], side="right")
    return np.concatenate([[False], between > 0])


def _single_halves(raws: Sequence[Raw]) -> bool:
    """Whether each file holds at most one half cycle of a test that EC-Lab wrote to a file per technique."""
    return all(raw.has("half") and not raw.has("cycle") and np.nanmax(raw.half) < 1 for raw in raws)


def _by_charge(parts: list[CyclerData], numbering: Numbering | None) -> list[CyclerData]:
    time_s = np.concatenate([part.unix_s for part in parts])
    order = np.argsort(time_s, kind="stable")
    moved = np.concatenate([np.diff(part.charged_ah - part.discharged_ah, prepend=0.0) for part in parts])
    numbers = np.concatenate([part.cycle for part in parts])
    if numbering == "file" or (all(part.numbered for part in parts) and (np.diff(numbers[order]) >= 0).all()):
        return parts
    begin = numbering if numbering in ("charge", "discharge") else None
    numbers[order] = cycles.by_charge(np.cumsum(moved[order]), begin)
    edges = np.cumsum([len(part) for part in parts])[:-1]
    return [replace(part, cycle=cycle) for part, cycle in zip(parts, np.split(numbers, edges), strict=True)]


def _continued(tests: Sequence[Sequence[CyclerData]]) -> list[CyclerData]:
    """Cycle numbers go on from test to test, unless they do so already."""
    found: list[CyclerData] = []
    last = 0.0
    for test in tests:
        first = float(test[0].cycle.min())
        by = 0.0 if first > last else last + 1 - first
        note = f"cycles of {test[0].path.name} begin with {first:g}: numbered from {first + by:g}"
        found += [
            replace(
                part,
                cycle=part.cycle + by,
                own_cycles={number + int(by): moved for number, moved in part.own_cycles.items()},
                notes=(*part.notes, note),
            )
            if by
            else part
            for part in test
        ]
        last = max(float(part.cycle.max()) for part in found)
    return found
