"""Neware: .nda and .ndax by fastnda; its CSV exports, flat and nested, which are plain tables."""

from datetime import tzinfo
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipch.cyclers.table import CyclerData, library, number
from ipch.cyclers.times import clock, stamps
from ipch.errors import FileError

Floats = NDArray[np.floating[Any]]


def read_nda(path: Path, zone: tzinfo | None) -> CyclerData:
    """Neware binary, by fastnda. Its capacity is that of the step, negative on discharge; its times are Unix time."""
    fastnda, reader = library("fastnda")
    frame = fastnda.read(str(path))

    def column(name: str) -> Floats:
        values: Floats = frame[name].to_numpy().astype(np.float64)
        return values

    capacity_ah = column("capacity_mAh") / 1e3
    return CyclerData(
        path,
        reader,
        unix_s=column("unix_time_s"),
        test_s=column("total_time_s"),
        voltage_v=column("voltage_V"),
        current_a=column("current_mA") / 1e3,
        cycle=column("cycle_count"),
        step=column("step_count"),
        charged_ah=np.maximum(capacity_ah, 0.0),
        discharged_ah=np.maximum(-capacity_ah, 0.0),
    )


def read_flat(path: Path, head: list[str], rows: list[list[str]], zone: tzinfo | None) -> CyclerData:
    return _neware_table(path, "Neware CSV, flat", head, [row for row in rows if row], None, zone)


def read_nested(path: Path, rows: list[list[str]], zone: tzinfo | None) -> CyclerData:
    """Three levels of headings and rows: cycle, step (indented by one), record (by two)."""
    head = [cell.strip() for cell in rows[2]]
    records, levels = [], []
    cycle = step = "0"
    steps_head = [cell.strip() for cell in rows[1]]
    for row in rows[3:]:
        if not row:
            continue
        if row[0].strip():
            cycle = row[0].strip()
            # A cycle's first step may follow it on the same line.
            rest = row[len([cell for cell in rows[0] if cell.strip()]) :]
            step = rest[1].strip() if len(rest) > 1 and rest[1].strip() else step
        elif len(row) > 1 and row[1].strip():
            step = row[steps_head.index("Step Number")].strip()
        elif len(row) > 2 and row[2].strip():
            records.append(row)
            levels.append((cycle, step))
    return _neware_table(path, "Neware CSV, nested", head, records, levels, zone)


def _neware_table(
    path: Path,
    reader: str,
    head: list[str],
    rows: list[list[str]],
    levels: list[tuple[str, str]] | None,
    zone: tzinfo | None,
) -> CyclerData:
    """Records of an export. Their capacity starts from 0 with each step."""
    place = {name: at for at, name in enumerate(head)}

    def cells(*names: str) -> list[str] | None:
        for name in names:
            if name in place:
                at = place[name]
                return [row[at] if at < len(row) else "" for row in rows]
        return None

    def numbers(name: str) -> Floats:
        for unit, scale in (("A", 1.0), ("mA", 1e-3), ("Ah", 1.0), ("mAh", 1e-3), ("V", 1.0), ("mV", 1e-3)):
            texts = cells(f"{name}({unit})")
            if texts is not None:
                return np.array([number(text) for text in texts]) * scale
        return np.full(len(rows), np.nan)

    dates = cells("Date", "Absolute Time", "Realtime")
    if dates is None:
        raise FileError(f"{path}: no column Date; export it with absolute time")
    current_a, capacity_ah = numbers("Current"), numbers("Capacity")
    charged_ah, discharged_ah = numbers("Chg. Cap."), numbers("DChg. Cap.")
    if not np.isfinite(charged_ah).any():
        # The sign of a step's current gives its direction; the first record of a step may still have none.
        way = np.sign(_of_step(current_a, levels))
        charged_ah = np.where(way > 0, capacity_ah, 0.0)
        discharged_ah = np.where(way < 0, capacity_ah, 0.0)
    if levels is None:
        cycle = np.array([number(text) for text in cells("Cycle Index") or [""] * len(rows)])
        step = np.array([number(text) for text in cells("Step Number", "Step Index") or [""] * len(rows)])
    else:
        cycle = np.array([number(cycle) for cycle, _ in levels])
        step = np.array([number(step) for _, step in levels])
    return CyclerData(
        path,
        reader,
        unix_s=stamps(dates, zone, path),
        test_s=np.array([clock(text) for text in cells("Cumulative Time", "Total Time") or [""] * len(rows)]),
        voltage_v=numbers("Voltage"),
        current_a=current_a,
        cycle=cycle,
        step=step,
        charged_ah=charged_ah,
        discharged_ah=discharged_ah,
    )


def _of_step(current_a: Floats, levels: list[tuple[str, str]] | None) -> Floats:
    """Mean current of each record's step."""
    if levels is None:
        return current_a
    labels = np.unique(np.array([f"{cycle} {step}" for cycle, step in levels]), return_inverse=True)[1]
    mean: Floats = np.bincount(labels, weights=np.nan_to_num(current_a)) / np.bincount(labels)
    return mean[labels]
