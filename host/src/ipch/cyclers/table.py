"""The canonical table: names, units and signs of the Battery Data Format, whatever the cycler."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipch.cyclers import counters, cycles
from ipch.cyclers.cycles import Numbering
from ipch.cyclers.raw import COLUMNS, Raw
from ipch.errors import FileError

Floats = NDArray[np.floating[Any]]

# A voltage that falls by more than this share of its range was not charged.
_FALL = 0.3


@dataclass(frozen=True)
class CyclerData:
    """Rows in order of time. Ah, V, A (charging is positive), s; nan where the file has no value."""

    path: Path
    reader: str
    """Reader with its version, or the maker's map."""
    unix_s: Floats
    test_s: Floats
    """Time since the start of the test; unaffected by steps of the clock."""
    voltage_v: Floats
    current_a: Floats
    cycle: Floats
    step: NDArray[np.integer[Any]]
    """Counts up with each step."""
    charged_ah: Floats
    """Since the first row, never restarting: the sum of the counter's signed increments."""
    discharged_ah: Floats
    own_cycles: dict[int, tuple[float, float]] = field(default_factory=dict)
    """Ah charged and discharged in each cycle by the file's own table, if it has one."""
    dropped: dict[str, int] = field(default_factory=dict)
    """Rows left out, by reason."""
    notes: tuple[str, ...] = ()
    numbered: bool = True
    """Whether the cycles are numbered in the file."""

    def __len__(self) -> int:
        return len(self.unix_s)


def canonical(
    parts: Sequence[Raw], numbering: Numbering | None = None, pauses: NDArray[np.bool_] | None = None
) -> list[CyclerData]:
    """Files of one test, in order of time, whose numbers and counters go on from one to the next.

    `pauses`: rows before which another file has rows.
    """
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts])
        if len(parts) > 1
        else getattr(parts[0], name)
        for name in COLUMNS
    }
    ends = np.cumsum([len(part) for part in parts])[:-1]
    file = counters.changes(columns["test"])
    file[ends] = True
    if _no_direction(columns):
        raise FileError(
            f"{parts[0].path}: nothing tells charge from discharge: its current has no sign, and there is no column"
            " with the step's type"
        )
    nowhere = np.zeros(len(file), dtype=np.bool_)
    charged, discharged = increments(columns, file, nowhere if pauses is None else pauses)
    net = np.cumsum(charged - discharged)
    current_a = columns["current_a"]
    if not (current_a < 0).any():
        # Without sign, though the counters have a direction.
        way = np.where(charged == discharged, np.nan, np.sign(charged - discharged))
        current_a = np.where(counters.held(way[::-1])[::-1] < 0, -current_a, current_a)
    if not np.isfinite(current_a).any():
        # Not stored: the mean since the row before, by the counted charge.
        took_s = np.diff(columns["unix_s"], prepend=columns["unix_s"][:1])
        current_a = np.where(took_s > 0, (charged - discharged) * 3600.0 / np.maximum(took_s, 1e-9), 0.0)
    cycle = _numbered(columns, net, numbering, parts[0].path)
    begins = counters.changes(columns["step"]) | counters.changes(cycle)
    step = np.cumsum(begins, dtype=np.int32) + np.int32(1)
    found = []
    for part, start, end in zip(parts, [0, *ends], [*ends, len(net)], strict=True):
        rows = slice(start, end)
        found.append(
            CyclerData(
                part.path, part.reader, part.unix_s, part.test_s, part.voltage_v, current_a[rows], cycle[rows],
                step[rows], np.cumsum(charged[rows]), np.cumsum(discharged[rows]), part.own_cycles, part.dropped,
                part.notes, part.has("cycle"),
            )
        )  # fmt: skip
    return found


def increments(
    columns: dict[str, Floats], file: NDArray[np.bool_], pauses: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Ah charged and discharged in each row, from the best of the counters that there are."""
    time_s = columns["test_s"] if np.isfinite(columns["test_s"]).all() else columns["unix_s"]
    passed = counters.passed(columns["current_a"], time_s)
    current_a = np.nan_to_num(columns["current_a"])
    moving = np.abs(current_a) > counters.MOVING * float(np.max(np.abs(current_a), initial=0.0))
    turns = counters.changes(np.where(moving, np.sign(current_a), np.nan))
    numbered = [counters.changes(columns[name]) for name in ("cycle", "half", "step")]
    # A counter may hold over the rests of a half cycle and restart as the current turns.
    restarts = [file, *numbered[:2], turns, numbered[2]]
    labels = [file, *numbered] if np.isfinite(columns["step"]).any() else [file, *numbered, turns]

    def of(name: str, expected: Floats) -> Floats:
        return counters.increments(columns[name], restarts, expected, pauses)

    def has(name: str) -> bool:
        return bool(np.isfinite(columns[name]).any())

    if has("charged") and has("discharged"):
        return of("charged", np.maximum(passed, 0.0)), of("discharged", np.maximum(-passed, 0.0))
    if has("net") and not _unsigned(columns["net"], passed, restarts):
        moved = of("net", passed)
    elif has("net") or has("capacity"):
        counter = "net" if has("net") else "capacity"
        moved = _ways(columns, labels) * of(counter, np.abs(passed))
    else:
        moved = passed
    if not labels[-1].any() and not has("step") and not has("half"):
        # Nothing tells steps or directions but the charge itself.
        labels = [*labels, cycles.half_cycles(np.cumsum(moved))]
    up = counters.of_steps(moved, labels) >= 0
    return np.where(up, moved, 0.0), np.where(up, 0.0, -moved)


def _unsigned(counter: Floats, passed: Floats, restarts: list[NDArray[np.bool_]]) -> bool:
    """Whether a counter rises in both directions of the current."""
    moved = np.diff(counters.held(counter), prepend=counter[:1])
    moved[np.any(restarts, axis=0)] = 0.0
    return bool(moved[passed > 0].sum() > 0 and moved[passed < 0].sum() > 0)


def _no_direction(columns: dict[str, Floats]) -> bool:
    """Whether nothing tells charge from discharge, though the voltage falls as it does in a discharge."""
    current_a = np.nan_to_num(columns["current_a"])
    told = ("net", "charged", "discharged")
    if any(np.isfinite(columns[name]).any() for name in told) or (current_a < 0).any():
        return False
    if np.isin(columns["way"][current_a > 0], (1.0, -1.0)).any():
        return False
    volt = counters.held(columns["voltage_v"])
    change = np.diff(volt, prepend=volt[:1])
    # Not from step to step, nor from one half cycle of a technique to its next.
    change[counters.changes(columns["step"]) | (counters.passed(current_a, columns["unix_s"]) <= 0)] = 0.0
    passed = np.cumsum(change)
    return bool(np.max(np.maximum.accumulate(passed) - passed) > _FALL * np.ptp(volt))


def _ways(columns: dict[str, Floats], labels: list[NDArray[np.bool_]]) -> Floats:
    """Direction of each row's step: by its name, else by its current; the first row of a step may have none yet."""
    named = columns["way"]
    by_current = np.sign(counters.of_steps(columns["current_a"], labels))
    # A name that changes within a step is that of the row.
    mixed = np.abs(counters.of_steps(named, labels)) < counters.of_steps(np.abs(named), labels)
    return np.where(np.isfinite(named) & ~mixed, named, by_current)


def _numbered(columns: dict[str, Floats], net: Floats, numbering: Numbering | None, path: Path) -> Floats:
    if numbering in ("charge", "discharge"):
        return cycles.by_charge(net, numbering)
    if np.isfinite(columns["cycle"]).any():
        return cycles.whole_numbers(columns["cycle"], path)
    if np.isfinite(columns["half"]).any():
        return cycles.by_halves(columns["half"])
    return cycles.by_charge(net)


def per_row(data: CyclerData) -> tuple[Floats, Floats]:
    """Ah charged and discharged in each row."""
    return np.diff(data.charged_ah, prepend=0.0), np.diff(data.discharged_ah, prepend=0.0)


def charge_profile(data: CyclerData) -> list[tuple[float, float]]:
    """(s since the first row, A until the next point): mean currents that give the file's charge at each row."""
    passed_s = np.maximum.accumulate(np.nan_to_num(data.unix_s - data.unix_s[0]))
    last = np.append(np.diff(passed_s) > 0, True)
    time_s, charge_ah = passed_s[last], (data.charged_ah - data.discharged_ah)[last]
    current_a = np.append(np.diff(charge_ah) / np.diff(time_s) * 3600.0, 0.0)
    return list(zip(time_s.tolist(), current_a.tolist(), strict=True))
