"""A file as its columns, in canonical units and file order, before anything is decided about them."""

from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Raw:
    """Columns of one file; nan in an empty cell, all nan where the file has no such column. V, A, Ah, s."""

    path: Path
    reader: str
    """Reader with its version, or the map."""
    unix_s: Floats
    test_s: Floats
    voltage_v: Floats
    current_a: Floats
    cycle: Floats
    half: Floats
    """BioLogic's number of the half cycle."""
    step: Floats
    way: Floats
    """1 in a charging step, -1 in a discharging one, 0 at rest, by the step's name; nan where it has none."""
    charged: Floats
    """Counters, as they are in the file."""
    discharged: Floats
    capacity: Floats
    """Counter of a step, without sign."""
    net: Floats
    """Counter of charge less discharge."""
    record: Floats
    """Number of the row, by the cycler."""
    test: Floats
    """Number of the test, in a file that holds several."""
    own_cycles: dict[int, tuple[float, float]] = field(default_factory=dict)
    """The file's own table: Ah charged and discharged in each cycle."""
    dropped: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.unix_s)

    def has(self, name: str) -> bool:
        """Whether the file has this column."""
        return bool(np.isfinite(getattr(self, name)).any())

    def keep(self, rows: NDArray[np.bool_], why: str) -> "Raw":
        """Only these rows; the others are counted under `why`."""
        lost = int(np.sum(~rows))
        if not lost:
            return self
        columns = {name: getattr(self, name)[rows] for name in COLUMNS if self.has(name)}
        dropped = {**self.dropped, why: self.dropped.get(why, 0) + lost}
        return replace(self, **_filled(columns, len(self) - lost), dropped=dropped)


COLUMNS = tuple(column.name for column in fields(Raw) if column.type is Floats)
"""Names of the columns."""


def raw(path: Path, reader: str, rows: int, columns: dict[str, Floats], **more: Any) -> Raw:
    """A Raw of the columns that the file has."""
    return Raw(path, reader, **_filled(columns, rows), **more)


def _filled(columns: dict[str, Floats], rows: int) -> dict[str, Any]:
    """All columns; those that the file has not take no memory."""
    empty = np.broadcast_to(np.nan, rows)
    return {name: columns.get(name, empty) for name in COLUMNS}
