"""One cell of the matrix as a job for a worker."""

from __future__ import annotations

from typing import NamedTuple, Optional

from bench.faults import run, sim, special
from bench.scenarios.cells import CELLS


class Outcome(NamedTuple):
    """Result of one cell."""

    row: int
    kind: str
    state: str
    value: Optional[float]
    unit: str
    limit: str
    """The limit as text; empty for a cell without a time of its own."""
    error: str


def outcome(index: int, state: str, rig: str) -> Outcome:
    """Run one cell."""
    if rig == "special":
        number, kind, state, name, try_it = special.SPECIAL[index]
        try:
            result = try_it()
            return Outcome(number, kind, state, result.value, result.unit, "", "")
        except AssertionError as error:
            return Outcome(number, kind, state, None, "s", "", f"{name}: {error}")
    cell = sim.CELLS[index][0] if rig == "sim" else CELLS[index]
    limit = f"{cell.pulses} pulses" if cell.pulses else f"{cell.within_s:g} s"
    if cell.or_moved_pa:
        limit += f" or {cell.or_moved_pa // 1000} kPa"
    try:
        result = run.run_core(cell, state) if rig == "core" else sim.run_sim(cell, state)
        return Outcome(cell.row, cell.kind, state, result.value, result.unit, limit, "")
    except AssertionError as error:
        return Outcome(cell.row, cell.kind, state, None, "s", limit, f"{cell.name}: {error}")
