"""Export of a run: CSV with every recorded column, BDF (Battery Data Format), Parquet.

BDF is a table of one cell with standard column names (battery-data-alliance.github.io/battery-data-format). It requires
voltage and current, which a pressure regulator does not measure: the export of a run leaves those two columns empty,
`ipch merge` fills them.
"""

import contextlib
import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipch.base.extras import how_to_install
from ipch.errors import FileError, UsageError
from ipch.recording.reader import Run
from ipch.recording.schema import INTEGERS, SAMPLE_COLUMNS

Column = NDArray[Any] | Sequence[str]
Table = Mapping[str, Column]

TEST_TIME, VOLTAGE, CURRENT = "Test Time / s", "Voltage / V", "Current / A"
UNIX_TIME, PRESSURE = "Unix Time / s", "Applied Pressure / Pa"
CYCLE, STEP = "Cycle Count / 1", "Step Count / 1"
CHARGE, DISCHARGE = "Charging Capacity / Ah", "Discharging Capacity / Ah"
GAS, WALL = "Ambient Temperature / degC", "Temperature T1 / degC"
# Not a BDF column; BDF readers ignore unknown columns.
SETPOINT = "Pressure Setpoint / Pa"

# Unix time, written as a date: ISO 8601 with Z, or a timestamp in Parquet.
UTC = "utc"

FORMATS = ("csv", "bdf", "parquet")
_CHUNK = 50_000
# Decimal places of each column; 0 writes an integer.
_DIGITS = {
    TEST_TIME: 3, UNIX_TIME: 3, VOLTAGE: 6, CURRENT: 9, CHARGE: 9, DISCHARGE: 9, PRESSURE: 1, SETPOINT: 0, GAS: 3,
    WALL: 3, CYCLE: 0, STEP: 0, "utc_s": 3, "time_s": 3, "uptime_s": 3, "gas_k": 3, "wall_k": 3, "fill_open_s": 3,
    "vent_open_s": 3,
}  # fmt: skip


def format_of(path: Path, wanted: str | None = None) -> str:
    """Format of a file, one of FORMATS: `wanted`, else from the name. Raises UsageError."""
    name = path.name.lower()
    if not name.endswith((".csv", ".parquet")):
        raise UsageError(f"cannot write {path}: a table ends in .csv, .bdf.csv, .parquet or .bdf.parquet")
    if wanted == "parquet" and not name.endswith(".parquet"):
        raise UsageError(f"{path}: a Parquet file ends in .parquet")
    found = wanted or ("bdf" if ".bdf" in name else "parquet" if name.endswith(".parquet") else "csv")
    if found not in FORMATS:
        raise UsageError(f"unknown format: {found}; allowed: {', '.join(FORMATS)}")
    return found


def export(run: Run, path: Path, wanted: str | None = None) -> int:
    """Write the samples of a run to a new file; return their number. Raises FileError and UsageError.

    A name with `.bdf` gets the BDF columns (`.bdf.parquet`: in Parquet), any other name every recorded column.
    """
    layout = format_of(path, wanted)
    table = bdf_table(run) if layout == "bdf" or ".bdf" in path.name.lower() else full_table(run)
    write_table(path, table)
    return len(run.time_s)


def full_table(run: Run) -> dict[str, Column]:
    """UTC (anchored to device time), time since the first sample in s, then every recorded column."""
    utc_s = run.utc_s
    table: dict[str, Column] = {UTC: utc_s, "utc_s": utc_s, "time_s": run.time_s - run.time_s[0]}
    texts = {"state": run.states, "fault": run.faults, **run.texts}
    more = sorted((run.samples.keys() | texts.keys()) - {*SAMPLE_COLUMNS, "utc_s", "host_s"})
    for name in (*SAMPLE_COLUMNS, *more):
        table[name] = texts[name] if name in texts else run.samples[name]
    return table


def bdf_table(run: Run) -> dict[str, Column]:
    """A run with the column names of BDF."""
    nothing = np.full(len(run.time_s), np.nan, dtype=np.float32)
    return {
        TEST_TIME: run.time_s - run.time_s[0],
        VOLTAGE: nothing,
        CURRENT: nothing,
        UNIX_TIME: run.utc_s,
        PRESSURE: run.samples["pressure_pa"],
        SETPOINT: run.samples["ramp_pa"],
        GAS: run.samples["gas_k"] - 273.15,
        WALL: run.samples["wall_k"] - 273.15,
    }


def write_table(path: Path, table: Table) -> None:
    """Write columns to a new file: Parquet for `.parquet`, else CSV. Raises FileError; leaves no partial file."""
    if path.exists():
        raise FileError(f"{path} exists already; name another file")
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.name.lower().endswith(".parquet"):
            _write_parquet(part, table)
        else:
            _write_csv(part, table)
        os.replace(part, path)
    except OSError as error:
        raise FileError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _write_csv(path: Path, table: Table) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(table)
        length = len(next(iter(table.values())))
        for start in range(0, length, _CHUNK):
            writer.writerows(_rows(table, start, min(start + _CHUNK, length)))


def _rows(table: Table, start: int, end: int) -> Iterator[tuple[Any, ...]]:
    return zip(*(_cells(name, column[start:end]) for name, column in table.items()), strict=True)


def _cells(name: str, values: Column) -> list[Any]:
    if not isinstance(values, np.ndarray):
        return list(values)
    if name == UTC:
        return [f"{stamp}Z" for stamp in (values * 1000).round().astype("datetime64[ms]")]
    digits = _DIGITS.get(name, 0)
    numbers = values.astype(np.float64).round(digits)
    if digits == 0:
        return ["" if value != value else int(value) for value in numbers.tolist()]
    return ["" if value != value else value for value in numbers.tolist()]


def _write_parquet(path: Path, table: Table) -> None:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise FileError(f"Parquet needs pyarrow; {how_to_install('parquet')}") from error
    columns = {
        name: pyarrow.array(values if isinstance(values, np.ndarray) else list(values))
        for name, values in table.items()
    }
    for name in INTEGERS:
        values = table.get(name)
        if isinstance(values, np.ndarray):
            columns[name] = pyarrow.array(np.nan_to_num(values).astype(np.int64), mask=np.isnan(values))
    if UTC in columns:
        stamps = (np.asarray(table[UTC]) * 1000).round().astype("datetime64[ms]")
        columns[UTC] = pyarrow.array(stamps, pyarrow.timestamp("ms", tz="UTC"))
    parquet.write_table(pyarrow.table(columns), path, compression="zstd")
