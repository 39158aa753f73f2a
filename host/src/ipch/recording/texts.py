"""A long column of few different texts, kept as small numbers."""

from collections.abc import Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray


class Texts(Sequence[str]):
    """Behaves as a list of str; a month of states takes 2 MB instead of 20, and is compared at once."""

    def __init__(self, codes: NDArray[np.integer[Any]], names: Sequence[str]) -> None:
        """Text number `n` is `names[codes[n]]`."""
        self._codes, self._names = codes, tuple(names)

    def __len__(self) -> int:
        return len(self._codes)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        if isinstance(at, slice):
            return [self._names[code] for code in self._codes[at].tolist()]
        return self._names[int(self._codes[at])]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __array__(self, dtype: Any = None, copy: Any = None) -> NDArray[Any]:
        found: NDArray[Any] = np.array(self._names or ("",))[self._codes]
        return found.astype(dtype) if dtype is not None else found

    def among(self, wanted: Sequence[str]) -> NDArray[np.bool_]:
        """Which of them are among the wanted."""
        known = np.array([name in wanted for name in self._names] or [False])
        found: NDArray[np.bool_] = known[self._codes]
        return found


def among(texts: Sequence[str], wanted: Sequence[str]) -> NDArray[np.bool_]:
    """Which texts of a column are among the wanted."""
    if isinstance(texts, Texts):
        return texts.among(wanted)
    return np.fromiter((text in wanted for text in texts), dtype=np.bool_, count=len(texts))
