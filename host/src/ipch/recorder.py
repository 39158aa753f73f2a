"""The record of a run: one SQLite file in WAL mode, readable while it grows. CSV is an export.

Every sample is in it once, by boot and sequence number, with three clocks: `uptime_s` of the device (the time
base of the experiment), `utc_s` (Unix time) and `host_s` (the host's monotonic clock).
"""

import csv
import json
import math
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ipch import __version__
from ipch.errors import FileError
from ipch.instrument import Instrument, Sample

SCHEMA_VERSION = 1
# "ipch" in ASCII: `file` and other tools can tell what it is.
_APPLICATION_ID = 0x69706368

SAMPLE_COLUMNS = tuple(field.name for field in fields(Sample))

_SCHEMA = """
CREATE TABLE runs (
    run INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    started_utc TEXT NOT NULL,
    ended_utc TEXT,
    ended_by TEXT,                -- complete, interrupted, or the error that ended it; NULL while it runs
    ipch_version TEXT NOT NULL,
    port TEXT NOT NULL,
    identity TEXT NOT NULL,       -- JSON: maker, model, serial_number, firmware, interpreter
    settings TEXT NOT NULL,       -- JSON: the device's settings as they were at the start, name to value
    recipe TEXT                   -- TOML as it was read, NULL without one
);
CREATE TABLE samples (
    run INTEGER NOT NULL REFERENCES runs,
    boot INTEGER NOT NULL,
    sequence INTEGER NOT NULL,    -- the device counts its answers, also those that are not recorded
    uptime_s REAL NOT NULL,
    utc_s REAL NOT NULL,
    host_s REAL NOT NULL,
    state TEXT NOT NULL,
    fault TEXT NOT NULL,
    in_limits INTEGER NOT NULL,
    pressure_pa INTEGER NOT NULL, -- absolute, as all pressures
    ramp_pa INTEGER NOT NULL,
    target_pa INTEGER NOT NULL,
    control_pa INTEGER NOT NULL,
    safety_pa INTEGER NOT NULL,
    supply_pa INTEGER NOT NULL,
    gas_k REAL,                   -- NULL while the sensor is invalid
    wall_k REAL,
    slew_pa_s INTEGER NOT NULL,
    settled_pa INTEGER NOT NULL,
    fills INTEGER NOT NULL,
    vents INTEGER NOT NULL,
    fill_open_s REAL NOT NULL,
    vent_open_s REAL NOT NULL,
    warnings INTEGER NOT NULL,    -- bit mask
    PRIMARY KEY (run, boot, sequence)
) WITHOUT ROWID;
CREATE TABLE events (
    event INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs,
    utc_s REAL NOT NULL,
    host_s REAL NOT NULL,
    boot INTEGER,
    uptime_s REAL,                -- NULL for events that the host saw alone
    kind TEXT NOT NULL,           -- step, state, fault, note, end
    text TEXT NOT NULL,
    data TEXT NOT NULL            -- JSON
);
"""
# What a crash may cost at most; committing every sample would cost a fast simulation most of its speed.
_COMMIT_S = 1.0


class Recorder:
    """Writes one run. Use it in a `with`; leaving it ends the run."""

    def __init__(
        self,
        path: Path,
        instrument: Instrument,
        name: str,
        recipe: str | None = None,
        commit_s: float = _COMMIT_S,
    ) -> None:
        """Begin a run in a new or an existing file. Raises FileError."""
        self.path = path
        self._commit_s = commit_s
        self._last: Sample | None = None
        self._committed = time.monotonic()
        settings = {setting.name: setting.value for setting in instrument.settings()}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = open_database(path, create=True)
            with self._database:
                cursor = self._database.execute(
                    "INSERT INTO runs (name, started_utc, ipch_version, port, identity, settings, recipe)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (
                        name,
                        utc_now(),
                        __version__,
                        instrument.port,
                        json.dumps(asdict(instrument.identity)),
                        json.dumps(settings),
                        recipe,
                    ),
                )
        except (OSError, sqlite3.Error) as error:
            raise FileError(f"cannot record to {path}: {error}") from error
        self.run = cursor.lastrowid or 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        ended_by = "complete"
        if value is not None:
            ended_by = str(value) if isinstance(value, Exception) else "interrupted"
        self.close(ended_by)

    def sample(self, sample: Sample) -> None:
        """Record a sample, and what changed since the last one as events."""
        now = (time.time(), time.monotonic())
        values = asdict(sample) | {"run": self.run, "utc_s": now[0], "host_s": now[1]}
        columns = ", ".join(values)
        marks = ", ".join(f":{name}" for name in values)
        # A sample that is there already is the same sample.
        self._execute(f"INSERT OR IGNORE INTO samples ({columns}) VALUES ({marks})", values)
        last, self._last = self._last, sample
        if last is None or last.state != sample.state:
            self.event("state", sample.state, sample=sample)
        if last is not None and last.boot != sample.boot:
            self.event("note", "the device restarted", sample=sample)
        if sample.faulty and (last is None or last.fault != sample.fault):
            self.event("fault", sample.fault, sample=sample)
        if now[1] - self._committed >= self._commit_s:
            self.commit()

    def event(
        self, kind: str, text: str, data: Mapping[str, Any] | None = None, sample: Sample | None = None
    ) -> None:
        """Record that something happened, at the time of `sample` or of the last one."""
        at = sample or self._last
        boot, uptime_s = (at.boot, at.uptime_s) if at else (None, None)
        self._execute(
            "INSERT INTO events (run, utc_s, host_s, boot, uptime_s, kind, text, data)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self.run,
                time.time(),
                time.monotonic(),
                boot,
                uptime_s,
                kind,
                text,
                json.dumps(dict(data or {})),
            ),
        )

    def commit(self) -> None:
        """Make sure of everything so far."""
        try:
            self._database.commit()
        except sqlite3.Error as error:
            raise FileError(f"cannot record to {self.path}: {error}") from error
        self._committed = time.monotonic()

    def close(self, ended_by: str) -> None:
        """End the run; `ended_by` is complete, interrupted or what went wrong."""
        self.event("end", ended_by)
        self._execute(
            "UPDATE runs SET ended_utc = ?, ended_by = ? WHERE run = ?", (utc_now(), ended_by, self.run)
        )
        self.commit()
        self._database.close()

    def _execute(self, sql: str, values: Any) -> None:
        try:
            self._database.execute(sql, values)
        except sqlite3.Error as error:
            raise FileError(f"cannot record to {self.path}: {error}") from error


def open_database(path: Path, create: bool = False) -> sqlite3.Connection:
    """Open a record, for writing with `create`. Raises FileError if it is none, or one of a newer version."""
    if not create and not path.is_file():
        raise FileError(f"no record at {path}")
    try:
        database = sqlite3.connect(path)
        if not create:
            database.execute("PRAGMA query_only = ON")
        version = database.execute("PRAGMA user_version").fetchone()[0]
        application = database.execute("PRAGMA application_id").fetchone()[0]
        empty = database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    except sqlite3.Error as error:
        raise FileError(f"{path} is not a record of ipch: {error}") from error
    if create and empty and application in (0, _APPLICATION_ID):
        database.execute("PRAGMA journal_mode = WAL")
        stamp = f"PRAGMA user_version = {SCHEMA_VERSION}; PRAGMA application_id = {_APPLICATION_ID};"
        database.executescript(f"BEGIN; {_SCHEMA} {stamp} COMMIT;")
    elif application != _APPLICATION_ID:
        database.close()
        raise FileError(f"{path} is not a record of ipch")
    elif version != SCHEMA_VERSION:
        database.close()
        raise FileError(f"{path} has schema {version}; this ipch knows {SCHEMA_VERSION}")
    if create:
        database.execute("PRAGMA synchronous = NORMAL")
    return database


class CsvLog:
    """Samples as lines of a CSV file, each on the disk before the next; units are in the column names."""

    def __init__(self, path: Path) -> None:
        """Begin a new file. Raises FileError."""
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("x", newline="", encoding="utf-8")
        except FileExistsError as error:
            raise FileError(f"{path} exists already; name another file") from error
        except OSError as error:
            raise FileError(f"cannot write {path}: {error.strerror}") from error
        self._writer = csv.writer(self._file)
        self._writer.writerow(["utc", "utc_s", *SAMPLE_COLUMNS])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def sample(self, sample: Sample) -> None:
        """Write one sample, taken now."""
        self.row(time.time(), [_cell(value) for value in asdict(sample).values()])

    def row(self, utc_s: float, values: Sequence[Any]) -> None:
        try:
            self._writer.writerow([iso_utc(utc_s), f"{utc_s:.3f}", *values])
            self._file.flush()
        except OSError as error:
            raise FileError(f"cannot write {self.path}: {error.strerror}") from error


def _cell(value: Any) -> Any:
    """As the database has it: an invalid reading is empty, a flag is 1 or 0."""
    if isinstance(value, bool):
        return int(value)
    return None if isinstance(value, float) and math.isnan(value) else value


def last_run(database: sqlite3.Connection, path: Path) -> int:
    """Number of the latest run in a record. Raises FileError if there is none."""
    number = database.execute("SELECT max(run) FROM runs").fetchone()[0]
    if number is None:
        raise FileError(f"{path} holds no run")
    return int(number)


def utc_now() -> str:
    return iso_utc(time.time())


def iso_utc(unix_s: float) -> str:
    """ISO 8601 with Z, to the millisecond."""
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
