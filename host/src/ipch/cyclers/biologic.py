"""BioLogic: EC-Lab's .mpr and .mpt, by galvani; and cycles from half cycles."""

import re
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipch.cyclers.table import CyclerData, library, nothing, since_change
from ipch.cyclers.times import parsed, unix
from ipch.errors import FileError

Floats = NDArray[np.floating[Any]]
_EC_LAB_STARTS = (
    "%m/%d/%Y %H:%M:%S.%f", "%m/%d/%Y %H:%M:%S", "%m-%d-%Y %H:%M:%S", "%m.%d.%Y %H:%M:%S.%f", "%m/%d/%y %H:%M:%S",
)  # fmt: skip
# A half cycle with less than this share of the largest one's charge is an artefact of the cycler's counting.
_BLIP = 1e-3


def cycles_of_halves(half: Floats, charge_ah: Floats) -> Floats:
    """Cycle numbers, from 1, of BioLogic's half cycles, which may skip numbers.

    A half cycle charges or discharges by the change of `charge_ah` over it. A cycle begins with every half cycle in the
    direction of the first one that moved charge, and also where two in the same direction follow each other with a
    skipped number between them.
    """
    numbers = half.astype(np.int64)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(numbers)) + 1])
    ends = np.append(starts[1:], len(numbers))
    before = np.concatenate([charge_ah[:1], charge_ah[starts[1:] - 1]])
    moved = charge_ah[ends - 1] - before
    least = _BLIP * float(np.max(np.abs(moved))) if len(moved) else 0.0
    cycles = np.ones(len(numbers))
    lead = last = 0
    last_number = cycle = 1
    for start, end, change in zip(starts, ends, moved, strict=True):
        way = 0 if abs(change) <= least else (1 if change > 0 else -1)
        number = int(numbers[start])
        if way and not lead:
            lead = last = way
        elif way:
            skipped = number - last_number >= 2
            if (way == lead and last != lead) or (way == last and skipped):
                cycle += 1
            last = way
        if way:
            last_number = number
        cycles[start:end] = cycle
    return cycles


def _biologic(
    path: Path, reader: str, table: dict[str, Floats], start: datetime | None, zone: tzinfo | None
) -> CyclerData:
    """Columns of EC-Lab. Its time counts from the start of the acquisition, even in the second of linked files."""
    test_s = table["time/s"]
    charge_mah = column(table, "(Q-Qo)/mA.h")
    if charge_mah is None:
        change = column(table, "dq/mA.h", "dQ/mA.h")
        if change is None:
            raise FileError(f"{path}: holds neither (Q-Qo)/mA.h nor dq/mA.h, so no capacities")
        charge_mah = np.cumsum(change)
    current_a = column(table, "<I>/mA", "I/mA", scale=1e-3)
    if current_a is None:
        # Not stored: the mean since the previous row, from the counted charge.
        passed = np.diff(charge_mah, prepend=charge_mah[0])
        took_s = np.diff(test_s, prepend=test_s[0])
        current_a = np.where(took_s > 0, passed * 3.6 / np.maximum(took_s, 1e-9), 0.0)
    half = column(table, "half cycle")
    cycle = column(table, "cycle number")
    if cycle is None:
        cycle = cycles_of_halves(half, charge_mah) if half is not None else np.ones(len(test_s))
    counted = column(table, "Q charge/discharge/mA.h", scale=1e-3)
    if counted is None:
        edges = half if half is not None else np.sign(np.diff(charge_mah, prepend=charge_mah[0]))
        counted = since_change(charge_mah * 1e-3, edges)
    if start is None:
        raise FileError(
            f"{path}: no time stamps: EC-Lab stored no start of the acquisition; export it as .mpr or with all settings"
        )
    voltage_v = column(table, "Ewe/V", "<Ewe>/V", "Ecell/V", "<Ewe/V>")
    step = column(table, "Ns")
    return CyclerData(
        path,
        reader,
        unix_s=unix(start, zone, path) + test_s,
        test_s=test_s,
        voltage_v=voltage_v if voltage_v is not None else nothing(test_s),
        current_a=current_a,
        cycle=cycle,
        step=step if step is not None else nothing(test_s),
        charged_ah=np.maximum(counted, 0.0),
        discharged_ah=np.maximum(-counted, 0.0),
    )


def column(table: dict[str, Floats], *names: str, scale: float = 1.0) -> Floats | None:
    for name in names:
        if name in table:
            return table[name] * scale
    return None


def read_mpr(path: Path, zone: tzinfo | None) -> CyclerData:
    """BioLogic binary, by galvani."""
    _, reader = library("galvani")
    from galvani import BioLogic

    with path.open("rb") as opened:
        file = BioLogic.MPRfile(opened)
    table = {name: file.data[name].astype(np.float64) for name in file.data.dtype.names}
    return _biologic(path, reader, table, getattr(file, "timestamp", None), zone)


def read_mpt(path: Path, zone: tzinfo | None) -> CyclerData:
    """EC-Lab's text, by galvani; its header holds the start of the acquisition."""
    _, reader = library("galvani")
    from galvani import BioLogic

    with path.open("rb") as file:
        data, comments = BioLogic.MPTfile(file, encoding="latin-1")
    start = None
    for line in comments:
        found = re.match(r"Acquisition started on : (.*\S)", line.decode("latin-1"))
        if found:
            start = parsed(found[1], _EC_LAB_STARTS)
    table = {name: data[name].astype(np.float64) for name in data.dtype.names}
    return _biologic(path, reader, table, start, zone)
