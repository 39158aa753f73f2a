"""One table for the files of all cyclers, and helpers for its readers."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipch.errors import FileError

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class CyclerData:
    """Rows in file order. Ah, V, A (charging is positive), s; nan where the file has no value."""

    path: Path
    reader: str
    """Reader with its version."""
    unix_s: Floats
    test_s: Floats
    """Time since the start of the test; unaffected by steps of the clock."""
    voltage_v: Floats
    current_a: Floats
    cycle: Floats
    """As numbered in the file; for BioLogic without cycle numbers see `cycles_of_halves`."""
    step: Floats
    charged_ah: Floats
    """Within the present half cycle or step, as in the file; 0 while discharging."""
    discharged_ah: Floats

    def __len__(self) -> int:
        return len(self.unix_s)


def net_charge_ah(data: CyclerData) -> Floats:
    """Charge put into the cell since the first row, at each row, from the file's capacities."""
    total: Floats = np.cumsum(increments(data.charged_ah) - increments(data.discharged_ah))
    return total


def increments(capacity_ah: Floats) -> Floats:
    """Increment of each row for a capacity that restarts from 0 with a step, a half cycle or a cycle."""
    filled = np.nan_to_num(capacity_ah)
    change = np.diff(filled, prepend=0.0)
    return np.where(change < 0, filled, change)


def charge_profile(data: CyclerData) -> list[tuple[float, float]]:
    """(s since the first row, A until the next point): mean currents that give the file's charge at each row."""
    passed_s = np.maximum.accumulate(np.nan_to_num(data.unix_s - data.unix_s[0]))
    last = np.append(np.diff(passed_s) > 0, True)
    time_s, charge_ah = passed_s[last], net_charge_ah(data)[last]
    current_a = np.append(np.diff(charge_ah) / np.diff(time_s) * 3600.0, 0.0)
    return list(zip(time_s.tolist(), current_a.tolist(), strict=True))


def nothing(like: Floats) -> Floats:
    return np.full(len(like), np.nan)


def since_change(charge_ah: Floats, label: Floats) -> Floats:
    """Charge since the last row with another label."""
    starts = np.concatenate([[0], np.flatnonzero(np.diff(label)) + 1])
    before = np.concatenate([charge_ah[:1], charge_ah[starts[1:] - 1]])
    counted: Floats = charge_ah - np.repeat(before, np.diff(np.append(starts, len(charge_ah))))
    return counted


def library(name: str) -> Any:
    import importlib
    import importlib.metadata

    try:
        module = importlib.import_module(name)
    except ImportError as error:
        raise FileError(f"this file needs {name}; install it with: pip install 'ipch[cyclers]'") from error
    return module, f"{name} {importlib.metadata.version(name)}"


def number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
