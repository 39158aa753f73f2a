"""Neware's export in three levels: lines of cycles, of steps (indented by one cell) and of records (by two)."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from ipch.cyclers.maps import Found, Map, fit
from ipch.cyclers.units import scale_of

_CYCLE, _STEP, _STATE = "Cycle Index", "Step Index", "Step Type"


def head_of(lines: Sequence[str]) -> list[list[str]] | None:
    """The three lines of headings, or None if the file is not in levels."""
    if len(lines) < 4:
        return None
    separator = max(",;\t", key=lines[0].count)
    heads = [[cell.strip() for cell in row] for row in csv.reader(lines[:3], delimiter=separator)]
    indented = [next((n for n, cell in enumerate(head) if cell), -1) for head in heads]
    return heads if indented == [0, 1, 2] else None


def found(
    path: Path, heads: list[list[str]], maps: Sequence[Map]
) -> tuple[Found, int, str, list[str]] | None:
    """The map that fits the records, as if cycle, step and its type stood in front of each."""
    cells = [_CYCLE, _STEP, _STATE, *heads[2][2:]]
    fitting = [place for candidate in maps if (place := fit(candidate, cells, str(path))) is not None]
    if not fitting:
        return None
    best = max(fitting, key=lambda place: len(place.column))
    return best, 2, ",", cells


def flat(
    rows: Iterator[list[str]], lines: Sequence[str], own: dict[int, tuple[float, float]]
) -> Iterator[list[str]]:
    """Records with cycle, step and its type in front; the lines of the cycles fill `own`."""
    heads = head_of(lines) or []
    of_cycles, of_steps = heads[0], heads[1]
    number = next(n for n, cell in enumerate(of_steps) if cell in ("Step Number", "Step Index"))
    number = of_steps.index("Step Number") if "Step Number" in of_steps else number
    state_at = of_steps.index("Step Type") if "Step Type" in of_steps else -1
    own_at = [
        next((n for n, cell in enumerate(of_cycles) if cell.startswith(name)), -1)
        for name in ("Chg. Cap.", "DChg. Cap.")
    ]
    width = len([cell for cell in of_cycles if cell])
    cycle = step = state = ""
    for row in rows:
        if not any(row):
            continue
        if row[0].strip():
            cycle = row[0].strip()
            _note(own, cycle, row, of_cycles, own_at)
            # A cycle's first step may follow it on the same line.
            rest = ["", *row[width:]]
            if len(rest) > number and rest[number].strip():
                step, state = rest[number].strip(), rest[state_at].strip()
        elif len(row) > 1 and row[1].strip():
            step, state = row[number].strip(), row[state_at].strip()
        elif len(row) > 2 and row[2].strip():
            yield [cycle, step, state, *row[2:]]


def _note(
    own: dict[int, tuple[float, float]], cycle: str, row: list[str], head: list[str], at: list[int]
) -> None:
    try:
        values = [
            float(row[n]) * scale_of("Ah", head[n].partition("(")[2].rstrip(")"), head[n])
            for n in at
            if n >= 0
        ]
        if len(values) == 2:
            own[int(cycle)] = values[0], values[1]
    except (ValueError, IndexError):
        return
