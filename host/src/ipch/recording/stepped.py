"""Columns of a long record. Counters, flags and setpoints rarely change: they are kept as their steps."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

# A step takes as much memory as so many values.
_STEP = 8
Steps = tuple[NDArray[Any], NDArray[np.integer[Any]] | None]
"""Values and how often each is repeated; None for a column that is kept whole."""


class Stepped(Mapping[str, NDArray[Any]]):
    """Behaves as a dict of arrays. A column that is kept as its steps is made anew each time it is asked for."""

    def __init__(self, kept: dict[str, Steps]) -> None:
        self._kept = kept

    def __getitem__(self, name: str) -> NDArray[Any]:
        values, repeats = self._kept[name]
        return values if repeats is None else np.repeat(values, repeats)

    def __iter__(self) -> Iterator[str]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)


class Growing:
    """A column of at most `count` values that is read in pieces: as its steps while these are few."""

    def __init__(self, count: int, dtype: Any) -> None:
        self._count, self._filled, self._taken = count, 0, 0
        self._pieces: list[tuple[NDArray[Any], NDArray[np.integer[Any]]]] = [
            (np.zeros(0, dtype), np.zeros(0, np.int64))
        ]
        self._whole: NDArray[Any] | None = None

    def add(self, values: NDArray[Any]) -> None:
        """Add a piece, which is not empty."""
        if self._whole is None:
            begins = np.ones(len(values), dtype=np.bool_)
            np.not_equal(values[1:], values[:-1], out=begins[1:])
            starts = np.flatnonzero(begins)
            self._pieces.append((values[starts], np.diff(starts, append=len(values))))
            self._taken += len(starts)
            if self._taken * _STEP > self._count:
                begun = np.repeat(*self._joined())
                self._whole = np.empty(self._count, begun.dtype)
                self._whole[: len(begun)] = begun
                self._pieces.clear()
        else:
            self._whole = self._whole.astype(np.promote_types(self._whole.dtype, values.dtype), copy=False)
            self._whole[self._filled : self._filled + len(values)] = values
        self._filled += len(values)

    def steps(self) -> Steps:
        """The column; its type holds the values of all pieces."""
        if self._whole is not None:
            return self._whole[: self._filled], None
        return self._joined()

    def _joined(self) -> tuple[NDArray[Any], NDArray[np.integer[Any]]]:
        values, repeats = zip(*self._pieces, strict=True)
        return np.concatenate(values), np.concatenate(repeats)
