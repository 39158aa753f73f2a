"""Input of the gas balance: columns of a record, thinned for a long one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class GasRecord:
    """One array for each recorded column, in order of time (s, Pa, K). nan where no value is valid.

    `segment` counts up wherever the level is unknown (restart, ramp, vent); `usable` is False during ramps
    and vents. `charge_ah` is the charge put into the cell since the start and `cycle` the number of the electrochemical
    cycle; both None for an idle cell, nan without cycler data.
    """

    time_s: Floats
    pressure_pa: Floats
    gas_k: Floats
    wall_k: Floats
    supply_pa: Floats
    fills: Floats
    vents: Floats
    fill_open_s: Floats
    vent_open_s: Floats
    segment: NDArray[np.integer[Any]]
    usable: NDArray[np.bool_]
    charge_ah: Floats | None = None
    cycle: Floats | None = None
    spans_ah: Mapping[int, float] | None = None
    """Largest less smallest charge of each cycle by the cycler, also while no pressure was recorded."""


class Groups:
    """A few consecutive samples as one: means of readings, the last value of counters.

    The balance works with means of a minute or more; a month of samples per second would only cost memory.
    """

    def __init__(self, samples: int, most: int = 400_000) -> None:
        every = -(-samples // most)
        self._whole = every < 2
        self._starts = np.arange(0, samples, max(every, 1))
        self._ends = np.append(self._starts[1:], samples) - 1

    def mean(self, values: Floats) -> Floats:
        if self._whole:
            return values
        total: Floats = np.add.reduceat(values, self._starts, dtype=np.float64)
        return total / (self._ends - self._starts + 1)

    def last(self, values: NDArray[Any]) -> NDArray[Any]:
        return values if self._whole else values[self._ends]

    def all(self, marked: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Whether all samples of a group are marked."""
        return marked if self._whole else np.logical_and.reduceat(marked, self._starts)

    def one(self, label: NDArray[Any]) -> NDArray[np.bool_]:
        """Whether a label that only rises is the same in all samples of a group."""
        same: NDArray[np.bool_] = label[self._starts] == label[self._ends]
        return same
