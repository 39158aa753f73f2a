"""Wall clocks that were set while something was recorded by them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]


def steady(unix_s: Floats, elapsed_s: Floats, jumped: NDArray[np.bool_]) -> Floats:
    """Unix time that runs as `elapsed_s` does over each place where `jumped` says that the clock was set after it.

    The clock is right after it was set: what came before is moved to meet it.
    """
    offset_s = unix_s - elapsed_s
    change_s = np.where(jumped, np.diff(offset_s, append=offset_s[-1:]), 0.0)
    later_s: Floats = np.cumsum(change_s[::-1])[::-1]
    return unix_s + later_s
