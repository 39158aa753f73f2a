"""Whether the Battery Data Format's own program accepts a merged file: `bdf validate` of batterydf.

The package depends on an ontology library and a notebook format, so it has its own environment beside the figures;
pip fetches it the first time.
"""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC
from pathlib import Path
from typing import Any

import numpy as np

from bench.jobs import Workers
from bench.measure.month import write_record
from ipch.cyclers import bdf_table, merge, read_cycler
from ipch.recording import Run, load_run, write_table

_ROW = {"unit": "", "goal": "accepted", "name": ""}


def measure(out: Path, workers: Workers) -> list[dict[str, Any]]:
    """Merge real files with a synthetic pressure, or a synthetic file without IPCH_SAMPLES; validate each."""
    folder = (out / "bdf").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    program = _environment(folder) / "bdf"
    record = folder / "run.db"
    record.unlink(missing_ok=True)
    write_record(record, 200_000)
    run = load_run(record)
    rows = []
    for source in _files(folder, run):
        target = folder / f"{source.stem}.bdf.csv"
        target.unlink(missing_ok=True)
        data = read_cycler(source, UTC)
        data = read_cycler(source, UTC, offset_s=float(run.utc_s[0] - data.unix_s[0]))
        write_table(target, bdf_table(merge(run, [data])))
        done = subprocess.run(
            [program, "validate", "--strict", target], capture_output=True, text=True, check=False
        )
        accepted = done.returncode == 0 and "Missing" not in done.stdout
        rows.append({**_ROW, "name": source.name, "value": float(accepted), "ok": accepted})
    return rows


def _environment(folder: Path) -> Path:
    place = folder / "venv"
    if not (place / "bin" / "bdf").exists():
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        subprocess.run([place / "bin" / "pip", "install", "-q", "batterydf"], check=True)
    return place / "bin"


def _files(folder: Path, run: Run) -> list[Path]:
    samples = os.environ.get("IPCH_SAMPLES")
    if samples:
        return sorted(
            p for p in Path(samples).iterdir() if p.suffix in (".ndax", ".nda", ".mpr", ".mpt", ".csv")
        )
    made = folder / "made-up.csv"
    seconds = np.arange(0, 7200, 10)
    lines = ["Unix Time / s,Voltage / V,Current / A,Cycle Count / 1"]
    lines += [f"{run.utc_s[0] + s:.1f},{3.5 + s / 1e4:.4f},{1 if s < 3600 else -1},1" for s in seconds]
    made.write_text("\n".join(lines))
    return [made]
