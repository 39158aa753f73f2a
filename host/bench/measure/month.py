"""28 days at 1 Hz: size of the record, time and memory to open, export and report it, with and without a cycler's
file of 700,000 rows.

The record is written directly into the database: a pressure that varies in its band, pulses, an oven, gaps. Each step
runs in a process of its own, whose peak memory comes from the operating system. Last, the recorder itself records as
many samples, as `ipch log` does: its memory must not grow with their number.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from bench.jobs import Workers
from ipch.recording import SAMPLE_COLUMNS, open_database

DAYS = 28
CYCLER_ROWS = 700_000
START = 1_767_225_600.0
_CHUNK = 100_000
_STEPS = {
    "open": "from ipch.workflows import load_for_report; from pathlib import Path; load_for_report(Path('run.db'))",
    "export as CSV": "from ipch.cli import run; import sys; sys.exit(run(['export', 'run.db', '--out', 'out.csv']))",
    "export as BDF": "from ipch.cli import run; import sys; sys.exit(run(['export', 'run.db', '--out', 'o.bdf.csv']))",
    "report": "from ipch.cli import run; import sys; sys.exit(run(['report', 'run.db', '--volume', '500mL']))",
    "report with cycles": "from ipch.cli import run; import sys; sys.exit(run(['report', 'run.db', '--volume',"
    " '500mL', '--cycler', 'cell.bdf.csv', '--out', 'cycles.html']))",
    "recording": "from bench.measure.month import record; record()",
}


def measure(out: Path, workers: Workers) -> list[dict[str, Any]]:
    """Write the record and measure the times."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_record(folder / "run.db", DAYS * 86_400)
        _write_cycler(folder / "cell.bdf.csv")
        size = (folder / "run.db").stat().st_size
        rows.append(_row("size of the record", size / 1e6, "MB"))
        for step, code in _STEPS.items():
            seconds, cpu_s, peak_mb = _run(folder, code)
            judged = step.startswith("report")
            in_time, in_room = (cpu_s <= 7, peak_mb <= 300) if judged else (None, None)
            if step == "recording":
                grown_mb = float((folder / "grown").read_text())
                rows.append(
                    _row("recording: memory that 27 days took", grown_mb, "MB", "<= 5", grown_mb <= 5)
                )
            rows.append(_row(f"{step}: time", seconds, "s"))
            rows.append(_row(f"{step}: processor time", cpu_s, "s", "<= 7" if judged else "", in_time))
            rows.append(_row(f"{step}: memory", peak_mb, "MB", "<= 300" if judged else "", in_room))
        rows.append(_row("size of the report", (folder / "report.html").stat().st_size / 1e6, "MB"))
    return rows


def _row(name: str, value: float, unit: str, goal: str = "", ok: bool | None = None) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "goal": goal, "ok": ok}


def _run(folder: Path, code: str) -> tuple[float, float, float]:
    """Wall time, processor time and peak memory (MB) of a Python program, which must succeed."""
    watch = "import resource, sys\ntry:\n    " + code.replace("; ", "\n    ") + (
        "\nfinally:\n    used = resource.getrusage(resource.RUSAGE_SELF)\n"
        "    print(used.ru_utime + used.ru_stime, used.ru_maxrss, file=sys.stderr)"
    )  # fmt: skip
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", watch], cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )  # fmt: skip
    seconds = time.monotonic() - began
    if done.returncode:
        raise RuntimeError(done.stderr)
    cpu_s, peak_kb = done.stderr.split()[-2:]
    return seconds, float(cpu_s), int(peak_kb) / 1024


def _write_cycler(path: Path) -> None:
    """Cycles of 8 h."""
    second = np.linspace(0, DAYS * 86_400, CYCLER_ROWS, endpoint=False)
    hour = second / 3600 % 8
    ampere = np.where(hour < 4, 1.0, -1.0)
    charge = np.where(hour < 4, hour, 0.0)
    discharge = np.where(hour < 4, 0.0, hour - 4)
    columns = (
        START + second,
        3.2 + 0.2 * np.minimum(hour, 8 - hour),
        ampere,
        second // 28_800 + 1,
        charge,
        discharge,
    )
    head = "Unix Time / s,Voltage / V,Current / A,Cycle Count / 1,Charging Capacity / Ah,Discharging Capacity / Ah"
    np.savetxt(path, np.column_stack(columns), "%.6f", delimiter=",", header=head, comments="")


def record() -> None:
    """Record 28 days of samples, a pulse every minute; print the memory growth after the first day."""
    from dataclasses import replace

    from ipch.device import Instrument
    from ipch.recording import Recorder, Thinning
    from ipch.sim.desk import Desk
    from ipch.sim.parameters import load_parameters

    with tempfile.TemporaryDirectory() as state, Desk(Path(state), load_parameters(None, [])) as desk:
        instrument = Instrument(desk)
        sample = instrument.fetch()
        with Recorder(Path("recorded.db"), instrument, "log", thinning=Thinning()) as recorder:
            first_day_mb = 0.0
            for second in range(DAYS * 86_400):
                if second == 86_400:
                    first_day_mb = _resident_mb()
                recorder.sample(replace(sample, sequence=second, uptime_s=float(second), fills=second // 60))
            Path("grown").write_text(str(_resident_mb() - first_day_mb))


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def write_record(path: Path, count: int) -> None:
    """Write a plausible run of `count` samples, a second apart."""
    random = np.random.default_rng(1)
    values = dict.fromkeys(SAMPLE_COLUMNS, 0)
    with closing(open_database(path, create=True)) as database, database:
        database.execute(
            "INSERT INTO runs (run, name, started_utc, ipch_version, port, identity, settings)"
            " VALUES (1, 'month', '2026-01-01T00:00:00.000Z', '0', 'p', ?, '{}')",
            (json.dumps({"firmware": "0", "serial_number": "MONTH"}),),
        )
        columns = ["run", "utc_s", "host_s", *values]
        query = f"INSERT INTO samples ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
        for start in range(0, count, _CHUNK):
            time_s = np.arange(start, min(start + _CHUNK, count), dtype=np.float64)
            database.executemany(query, zip(*_columns(columns, time_s, random), strict=True))


def _columns(columns: list[str], time_s: Any, random: Any) -> list[Any]:
    """A leak of 1 kPa/h refilled every 8 h, an oven of +-0.5 K, an hour without a record every week."""
    time_s = time_s[(time_s % (7 * 86_400)) < 7 * 86_400 - 3600]
    size = len(time_s)
    kelvin = 303.15 + 0.5 * np.sin(2 * np.pi * time_s / 900)
    fills = np.floor(time_s / 28_800)
    pressure = 5e6 + 4e3 - (time_s % 28_800) / 3.6 + 18_350 * (kelvin - 303.15) * 0.1
    table: dict[str, Any] = {
        "run": np.ones(size, dtype=int), "utc_s": START + time_s, "host_s": time_s, "boot": np.ones(size, dtype=int),
        "sequence": time_s.astype(int) + 1, "uptime_s": time_s + 10, "state": ["REGULATE"] * size,
        "fault": ["NONE"] * size, "in_limits": np.ones(size, dtype=int),
        "pressure_pa": (pressure + random.normal(0, 100, size)).astype(int), "ramp_pa": np.full(size, 5_000_000),
        "target_pa": np.full(size, 5_000_000), "gas_k": (kelvin + random.normal(0, 0.01, size)).round(3),
        "wall_k": (kelvin + random.normal(0, 0.004, size)).round(3), "supply_pa": np.full(size, 6_000_000),
        "control_pa": (pressure + random.normal(0, 500, size)).astype(int),
        "safety_pa": (pressure + random.normal(0, 3000, size)).astype(int), "slew_pa_s": np.zeros(size, dtype=int),
        "settled_pa": pressure.astype(int), "fills": fills.astype(int), "fill_open_s": (fills * 0.06).round(3),
    }  # fmt: skip
    table |= {name: np.zeros(size, dtype=int) for name in columns if name not in table}
    return [values.tolist() if isinstance(values := table[name], np.ndarray) else values for name in columns]
