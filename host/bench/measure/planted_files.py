"""Files of cyclers with a known truth, merged with records of a known chamber: ten protocols, 100 files of each.

The cell holds 0.1667 Ah and swells by 0.485 mL/Ah in 0.1 L of gas (scenarios/planted_run.py); each file is in a
dialect drawn by its seed. Judged: Coulombic efficiency and retention of every complete cycle, and the share of
swellings within their own 95 % interval.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

import numpy as np

from bench.jobs import Workers
from bench.scenarios import cycler_files as files
from bench.scenarios.cycler_files import Rows, Step
from bench.scenarios.planted_run import CAPACITY_AH, ML_PER_AH, VOLUME_ML, Chamber, record
from ipch.analysis import AIR
from ipch.cyclers import merge, read_cyclers
from ipch.recording import load_run
from ipch.report import Assumed, evaluate

SEEDS = int(os.environ.get("IPCH_BENCH_SEEDS", "100"))
_SIMPLE = ("neware", "neware-uA", "bdf", "arbin", "landt", "maccor", "novonix", "basytec", "ec-lab")


def _whole(folder: Path, table: Rows, seed: int) -> list[Path]:
    return [files.write(folder, table, _SIMPLE[seed % len(_SIMPLE)])]


def _no_half_cycles(folder: Path, table: Rows, seed: int) -> list[Path]:
    """Not by EC-Lab, which counts each pulse as a half cycle."""
    return [files.write(folder, table, _SIMPLE[seed % (len(_SIMPLE) - 1)])]


def _split(folder: Path, table: Rows, seed: int) -> list[Path]:
    at = len(table.time_s) * (30 + seed % 40) // 100
    dialect = ("neware", "bdf", "arbin", "maccor")[seed % 4]
    whole = files.write(folder, table, dialect)
    lines = whole.read_text(encoding=files.DIALECTS[dialect][3]).splitlines(keepends=True)
    head = len(lines) - len(table.time_s)
    parts = [folder / f"{name}{whole.suffix}" for name in ("first", "second")]
    parts[0].write_text("".join(lines[: head + at]), encoding="utf-8")
    parts[1].write_text("".join([*lines[:head], *lines[head + at :]]), encoding="utf-8")
    return parts


def _loop(folder: Path, table: Rows, seed: int) -> list[Path]:
    which = [table.ampere > 0, table.ampere == 0, table.ampere < 0]
    return [
        files.write(folder, table.part(np.flatnonzero(w)), "ec-lab", name=f"{n}") for n, w in enumerate(which)
    ]


@dataclass(frozen=True)
class Protocol:
    name: str
    steps: Callable[[], list[Step]]
    written: Callable[[Path, Rows, int], list[Path]] = _whole


PROTOCOLS = (
    Protocol("formation", lambda: files.formation(ah=CAPACITY_AH)),
    Protocol("CC-CV", lambda: files.cc_cv(ah=CAPACITY_AH)),
    Protocol("GITT", lambda: files.gitt(ah=CAPACITY_AH)),
    Protocol("rate", lambda: files.rate(ah=CAPACITY_AH)),
    Protocol("half cell", lambda: files.half_cell(ah=CAPACITY_AH)),
    Protocol("pauses", lambda: files.pauses(ah=CAPACITY_AH)),
    Protocol("sparse rests", lambda: files.cycling(ah=CAPACITY_AH, rest_s=3600.0, rest_every_s=3600.0)),
    Protocol("split files", lambda: files.cycling(ah=CAPACITY_AH), _split),
    Protocol("loop of techniques", lambda: files.cycling(ah=CAPACITY_AH), _loop),
    Protocol("drive cycle", lambda: files.drive_cycle(ah=CAPACITY_AH), _no_half_cycles),
)


def measure(out: Path, workers: Workers) -> list[dict[str, Any]]:
    """Judge every protocol."""
    rows: list[dict[str, Any]] = []
    with ProcessPoolExecutor(2) as pool:
        for number, protocol in enumerate(PROTOCOLS):
            found = list(pool.map(_judge, [number] * SEEDS, range(1, SEEDS + 1), chunksize=5))
            efficiency = max(each[0] for each in found)
            retention = max(each[1] for each in found)
            inside = statistics.mean(share for each in found for share in each[2])
            half = statistics.median(half for each in found for half in each[3])
            rows += [
                _row(f"{protocol.name}: largest error of Coulombic efficiency", 100 * efficiency, "%", 0.05),
                _row(f"{protocol.name}: largest error of retention", 100 * retention, "%", 0.001),
                {"name": f"{protocol.name}: swelling within its interval", "value": inside, "unit": "share",
                 "goal": ">= 0.89", "ok": inside >= 0.89},
                {"name": f"{protocol.name}: half of the interval", "value": half, "unit": "mL", "goal": "", "ok": None},
            ]  # fmt: skip
    return rows


def _row(name: str, value: float, unit: str, most: float) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "goal": f"<= {most:g}", "ok": value <= most}


def _judge(number: int, seed: int) -> tuple[float, float, list[float], list[float]]:
    """Errors of efficiency and retention, whether each swelling is inside its interval, and half of the interval."""
    protocol = PROTOCOLS[number]
    table = files.rows(protocol.steps())
    truth = files.true_cycles(table)
    first = table.ampere[table.ampere != 0][0] < 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        chamber = Chamber(seed=seed, oven_k=0.1 + 0.02 * (seed % 50))
        run = load_run(record(folder / "run.db", table, chamber))
        merged = merge(run, read_cyclers(protocol.written(folder, table, seed), UTC))
        found = evaluate(run, merged, Assumed(gas=AIR, volume_ml=VOLUME_ML))
    assert [cycle.cycle for cycle in found.cycles] == sorted(truth), (protocol.name, seed)
    efficiency, retention, inside, half = 0.0, 0.0, [], []
    for cycle in found.cycles:
        charged, discharged = truth[cycle.cycle]
        true_efficiency = charged / discharged if first else discharged / charged
        efficiency = max(efficiency, abs((cycle.coulombic_efficiency or 9.0) - true_efficiency))
        retention = max(retention, abs((cycle.retention or 9.0) - discharged / truth[1][1]))
        at = np.flatnonzero(table.cycle == cycle.cycle)
        true_ml = ML_PER_AH * float(np.ptp(table.charge[max(at[0] - 1, 0) : at[-1] + 1]))
        assert cycle.volume_change_ml is not None and cycle.volume_change_95_ml is not None
        inside.append(float(abs(cycle.volume_change_ml - true_ml) <= cycle.volume_change_95_ml))
        half.append(cycle.volume_change_95_ml)
    return efficiency, retention, inside, half
