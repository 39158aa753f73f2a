"""Numbers of cycles: the only place that makes them, where the file has none or others are asked for."""

from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ipch.cyclers.counters import held
from ipch.errors import FileError

Floats = NDArray[np.floating[Any]]

Numbering = Literal["file", "charge", "discharge"]
NUMBERINGS: tuple[Numbering, ...] = ("file", "charge", "discharge")
# A turn of less than this share of the whole swing of charge is noise or a pulse, not a half cycle.
_TURN = 0.02
_NOISE = 2e-5
_MOST = 1e7
# So few rows may have the number of a cycle that is not theirs.
_ERRORS = 3


def going_on(numbers: Floats, even: bool = False) -> tuple[Floats, int, list[int]]:
    """Numbers that never fall, how many rows were taken for errors, and the rows at which the numbers begin anew.

    A few rows with a number outside those on both sides take the one before them; so do the last ones, if it falls.
    Where numbers begin anew, as when a file holds several tests, they go on from the last; `even`: by an even number.
    """
    known = np.flatnonzero(np.isfinite(numbers))
    values = numbers[known]
    if not (np.diff(values) < 0).any():
        return numbers, 0, []
    edges = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), len(values)]
    errors = 0
    for start, end in pairwise(edges[1:-1]):
        before, own, after = values[start - 1], values[start], values[end]
        # The first rows of a next cycle, after which a new test began, are none.
        begun = own == before + 1 and after == values[0]
        if end - start <= _ERRORS and before <= after and not before <= own <= after and not begun:
            values[start:end] = before
            errors += end - start
    last = edges[-2]
    if len(values) - last <= _ERRORS and values[last] < values[last - 1]:
        # Too few to be a new test, and perhaps not written in full.
        errors += len(values) - last
        values[last:] = values[last - 1]
    anew = np.flatnonzero(np.diff(values) < 0) + 1
    add = values[anew - 1] - values[anew] + 1
    values += np.cumsum(np.bincount(anew, np.ceil(add / 2) * 2 if even else add, len(values)))
    found = numbers.copy()
    found[known] = values
    return found, errors, known[anew].tolist()


def whole_numbers(cycle: Floats, path: object) -> Floats:
    """The file's own numbers; an empty cell belongs to the cycle before it. Raises FileError if one is not whole."""
    known = np.flatnonzero(np.isfinite(cycle))
    first = cycle[known[0]]
    kept = held(np.concatenate([[first], cycle]))[1:]
    broken = np.flatnonzero((np.abs(kept - np.round(kept)) > 1e-6) | (np.abs(kept) > _MOST))
    if len(broken):
        raise FileError(
            f"{path}: cycle number {kept[broken[0]]:g} in row {broken[0] + 1} is not a whole number; number"
            " them by their charges with --cycles charge"
        )
    whole: Floats = np.round(kept)
    return whole


def by_halves(half: Floats) -> Floats:
    """EC-Lab's cycles of its half cycles, which may skip numbers: two half cycles, from an even number on."""
    cycle: Floats = np.floor(held(half) / 2.0) + 1.0
    return cycle


def by_charge(charge_ah: Floats, begin: Literal["charge", "discharge"] | None = None) -> Floats:
    """Cycles that begin with each charge (or discharge), from 1, by the net charge of the cell at each row.

    By default they begin in the direction of the first half cycle. Rests belong to the half cycle before them.
    """
    turns = _turns(charge_ah)
    cycle = np.ones(len(charge_ah))
    if not turns:
        return cycle
    lead = {"charge": 1, "discharge": -1}.get(begin or "", turns[0][1])
    number = 1
    for count, (row, way) in enumerate(turns):
        if way == lead and count > 0:
            number += 1
        cycle[row:] = number
    return cycle


def half_cycles(charge_ah: Floats) -> NDArray[np.bool_]:
    """Rows at which the charge turns."""
    begins = np.zeros(len(charge_ah), dtype=np.bool_)
    begins[[row for row, _ in _turns(charge_ah)[1:]]] = True
    return begins


def _turns(charge_ah: Floats) -> list[tuple[int, int]]:
    """Row at which each half cycle begins, with its direction: 1 for a charge."""
    swing = float(np.ptp(charge_ah)) if len(charge_ah) else 0.0
    if swing <= 0:
        return []
    least, noise = _TURN * swing, _NOISE * swing
    # Rows between two of the same direction decide nothing.
    way_of = np.sign(np.diff(charge_ah))
    rows = np.concatenate([[0], np.flatnonzero(way_of[1:] != way_of[:-1]) + 1, [len(charge_ah) - 1]])
    values = charge_ah[rows].tolist()
    turns: list[tuple[int, int]] = []
    lowest = highest = values[0]
    # The last rows at those values: a rest ends the half cycle before it.
    low = high = way = 0
    for row, value in zip(rows.tolist(), values, strict=True):
        lowest, highest = min(lowest, value), max(highest, value)
        low = row if value <= lowest + noise else low
        high = row if value >= highest - noise else high
        if way <= 0 and value - lowest > least:
            turns.append((low + 1 if turns else 0, 1))
            way, highest, high = 1, value, row
        elif way >= 0 and highest - value > least:
            turns.append((high + 1 if turns else 0, -1))
            way, lowest, low = -1, value, row
    return turns
