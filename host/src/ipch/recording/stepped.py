"""Columns of a long record. Counters, flags and setpoints rarely change: they are kept as their steps."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

# A step takes as much memory as so many values.
_STEP = 8


class Stepped(Mapping[str, NDArray[Any]]):
    """Behaves as a dict of arrays. A column that is kept as its steps is made anew each time it is asked for."""

    def __init__(self, columns: dict[str, NDArray[Any]]) -> None:
        """Empties `columns`, so that none of them is held twice."""
        self._kept = {name: _steps(columns.pop(name)) for name in list(columns)}

    def __getitem__(self, name: str) -> NDArray[Any]:
        values, repeats = self._kept[name]
        return values if repeats is None else np.repeat(values, repeats)

    def __iter__(self) -> Iterator[str]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)


def _steps(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.integer[Any]] | None]:
    """The distinct values in a row and how often each is repeated; or all values, and None."""
    begins = np.ones(len(values), dtype=np.bool_)
    np.not_equal(values[1:], values[:-1], out=begins[1:])
    if np.count_nonzero(begins) * _STEP > len(values):
        return values, None
    starts = np.flatnonzero(begins)
    return values[starts], np.diff(starts, append=len(values))
