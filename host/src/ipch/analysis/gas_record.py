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


def condensed(record: GasRecord, most: int = 400_000) -> GasRecord:
    """Fewer samples: means over a few consecutive ones, the last value of counters; all usable or none.

    The balance works with means of a minute or more; a month of samples per second would only cost memory.
    """
    every = -(-len(record.time_s) // most)
    if every < 2:
        return record
    edges = np.arange(0, len(record.time_s), every)
    ends = np.append(edges[1:], len(record.time_s)) - 1
    count = (ends - edges + 1).astype(np.float64)

    def mean(values: Floats) -> Floats:
        total: Floats = np.add.reduceat(values, edges, dtype=np.float64)
        return total / count

    return GasRecord(
        time_s=mean(record.time_s),
        pressure_pa=mean(record.pressure_pa),
        gas_k=mean(record.gas_k),
        wall_k=mean(record.wall_k),
        supply_pa=mean(record.supply_pa),
        fills=record.fills[ends],
        vents=record.vents[ends],
        fill_open_s=record.fill_open_s[ends],
        vent_open_s=record.vent_open_s[ends],
        segment=record.segment[ends],
        usable=np.logical_and.reduceat(record.usable, edges)
        & (record.segment[edges] == record.segment[ends]),
        charge_ah=None if record.charge_ah is None else mean(record.charge_ah),
        cycle=None if record.cycle is None else record.cycle[ends],
        spans_ah=record.spans_ah,
    )
