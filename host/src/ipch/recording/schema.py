"""The record file: its tables, opening it, and the lock of its only writer.

It is SQLite in WAL mode, so that it can be read while it grows.
"""

import contextlib
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

from ipch.device import Sample
from ipch.errors import FileError

SCHEMA_VERSION = 1
# "ipch" in ASCII, so that `file` and other tools identify the file.
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
    kind TEXT NOT NULL,           -- begin, step, state, fault, gap, clock, settings, valves, lost, note, end
    text TEXT NOT NULL,
    data TEXT NOT NULL            -- JSON
);
"""


def open_database(path: Path, create: bool = False) -> sqlite3.Connection:
    """Open a record, for writing with `create`. Raises FileError if it is no record or has another schema."""
    if not create and not path.is_file():
        raise FileError(f"no record at {path}")
    try:
        database = sqlite3.connect(path) if create else _connect_to_read(path)
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
        raise FileError(f"{path} has schema {version}; this version of ipch reads schema {SCHEMA_VERSION}")
    if create:
        # Committed rows survive a power cut.
        database.execute("PRAGMA synchronous = FULL")
    return database


def _connect_to_read(path: Path) -> sqlite3.Connection:
    """Open for reading, also in a folder where SQLite cannot put its files of the write-ahead log."""
    database = sqlite3.connect(path)
    try:
        database.execute("PRAGMA query_only = ON")
        database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        database.close()
        log = path.with_name(f"{path.name}-wal")
        if log.exists() and log.stat().st_size:
            # The newest rows are in the log alone: read a copy of both.
            with tempfile.TemporaryDirectory() as folder:
                copy = Path(shutil.copy(path, folder))
                shutil.copy(log, folder)
                database = sqlite3.connect(":memory:")
                with contextlib.closing(sqlite3.connect(copy)) as source:
                    source.backup(database)
            return database
        database = sqlite3.connect(f"{path.resolve().as_uri()}?immutable=1", uri=True)
    return database


class LoneWriter:
    """Lock against a second recorder on a file; the end of the process releases it."""

    def __init__(self, path: Path) -> None:
        """Take the lock. Raises FileError if another program records, OSError if the file cannot be locked."""
        self._path = path.with_name(f"{path.name}-lock")
        while True:
            self._file = self._path.open("ab")
            try:
                _lock(self._file.fileno())
            except PermissionError as error:
                self._file.close()
                raise FileError(f"another program records to {path}; name another file") from error
            # The previous owner may have deleted the file between the two lines above.
            with contextlib.suppress(OSError):
                if os.path.samestat(os.fstat(self._file.fileno()), self._path.stat()):
                    return
            self._file.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
        self._file.close()


def _lock(descriptor: int) -> None:
    """Lock a file. Raises PermissionError if it is locked; ignores a file system without locks."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        return
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise PermissionError(*error.args) from error
    except OSError:
        pass


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
