"""Correction of wall clocks that were set during a recording."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]


def steady(unix_s: Floats, elapsed_s: Floats, jumped: NDArray[np.bool_]) -> Floats:
    """Unix time with each clock step removed; `jumped` marks the samples after which the clock was set.

    The clock is taken as right after a step: earlier times are shifted so that time advances by `elapsed_s` there.
    """
    offset_s = unix_s - elapsed_s
    change_s = np.where(jumped, np.diff(offset_s, append=offset_s[-1:]), 0.0)
    later_s: Floats = np.cumsum(change_s[::-1])[::-1]
    return unix_s + later_s
