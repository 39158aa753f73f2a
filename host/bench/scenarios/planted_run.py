"""Records of a chamber with a known swelling and leak, by the gas law alone: quick, exact, for files of cyclers.

A sealed chamber of 0.1 L at 5 MPa leaks 2.02 kPa/h; a cell in it swells by 0.485 mL/Ah, 0.0808 mL in a cycle of
0.1667 Ah. The oven swings. No valve moves.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.scenarios.cycler_files import START, Rows
from ipch.recording import SAMPLE_COLUMNS, open_database
from ipch.sim.gas import Gas

Floats = NDArray[np.floating[Any]]

ML_PER_AH = 0.485
VOLUME_ML = 100.0
CAPACITY_AH = 1.0 / 6.0
LEAK_KPA_H = 2.02
_NOISE_PA = 140.0
_TARGET_PA = 5_000_000


@dataclass(frozen=True)
class Chamber:
    """How the chamber behaves: seed of its noise, oven, interval of samples."""

    seed: int = 1
    oven_k: float = 0.3
    every_s: float = 10.0
    start_s: float = -1800.0
    """Of the record, before the start of the test."""


def charge_of(table: Rows) -> Callable[[Floats], Floats]:
    """Charge in the cell at any time of the test."""
    keep = np.append(np.diff(table.time_s) > 0, True)
    return lambda time_s: np.interp(time_s, table.time_s[keep], table.charge[keep])


def record(
    path: Path, table: Rows, chamber: Chamber | None = None, seen: Callable[[Floats], Any] | None = None
) -> Path:
    """Write the record of a test of a cell. `seen` tells which times of the test are recorded; all by default."""
    how = chamber or Chamber()
    random = np.random.default_rng(how.seed)
    time_s = np.arange(how.start_s, table.time_s[-1] + 1800.0, how.every_s)
    gas_k = 303.15 + how.oven_k * np.sin(2 * np.pi * (time_s + 400 * how.seed) / 5400.0)
    swollen_ml = ML_PER_AH * charge_of(table)(time_s)
    air = Gas("air")
    first = air.density_kg_m3(_TARGET_PA + 8000.0, 303.15)
    state = air.state(first, 303.15)
    leak_1_h = LEAK_KPA_H * 1e3 / (state.dp_drho_pa_m3_kg * first)
    density = first * (1.0 - leak_1_h * (time_s - time_s[0]) / 3600.0) * VOLUME_ML / (VOLUME_ML - swollen_ml)
    # Plain arithmetic, so that it takes arrays too.
    pressure_pa = np.asarray(air.raw_state(density, gas_k)[0]) + random.normal(0, _NOISE_PA, len(time_s))  # type: ignore[arg-type]
    values: dict[str, Any] = dict.fromkeys(SAMPLE_COLUMNS, 0) | {
        "run": 1, "boot": 1, "uptime_s": time_s - time_s[0] + 100, "utc_s": START + time_s,
        "host_s": time_s - time_s[0],
        "sequence": np.arange(len(time_s)) + 1, "state": "REGULATE", "fault": "NONE", "in_limits": 1,
        "pressure_pa": pressure_pa.round(), "ramp_pa": _TARGET_PA, "target_pa": _TARGET_PA,
        "control_pa": pressure_pa.round(),
        "safety_pa": pressure_pa.round(), "supply_pa": 6_000_000, "settled_pa": pressure_pa.round(),
        "gas_k": (gas_k + random.normal(0, 0.01, len(time_s))).round(3),
        "wall_k": (gas_k + random.normal(0, 0.004, len(time_s))).round(3),
    }  # fmt: skip
    rows = np.flatnonzero(seen(time_s)) if seen is not None else np.arange(len(time_s))
    columns = [
        (value[rows].tolist() if isinstance(value, np.ndarray) else [value] * len(rows))
        for value in values.values()
    ]
    with closing(open_database(path, create=True)) as database, database:
        database.execute(
            "INSERT INTO runs (run, name, started_utc, ipch_version, port, identity, settings)"
            " VALUES (1, 'planted', '2026-01-01T00:00:00.000Z', '0', 'p', ?, '{}')",
            (json.dumps({"firmware": "0", "serial_number": "PLANTED"}),),
        )
        query = f"INSERT INTO samples ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})"
        database.executemany(query, zip(*columns, strict=True))
    return path
