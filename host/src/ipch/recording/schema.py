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

SCHEMA_VERSION = 2
# "ipch" in ASCII, so that `file` and other tools identify the file.
_APPLICATION_ID = 0x69706368
# Wait for another program that has locked the file: when opening, in s; of a recorder, less than between two samples.
_LOCKED_S = 2.0
_LOCKED_WRITE_MS = 300
CLOSE_THE_OTHER = "close the program that has locked it"

SAMPLE_COLUMNS = tuple(field.name for field in fields(Sample) if field.name != "more")
# Counters and flags: integers everywhere, unless a firmware does not report them.
INTEGERS = ("sequence", "boot", "in_limits", "fills", "vents", "warnings")

_RUNS = """
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
"""
# Only what this version of ipch knows: a recorder adds a column for each other field of the firmware.
_SAMPLES = """
CREATE TABLE samples (
    run INTEGER NOT NULL REFERENCES runs,
    boot INTEGER NOT NULL,
    sequence INTEGER NOT NULL,    -- the device counts its answers, also those that are not recorded
    uptime_s REAL NOT NULL,
    utc_s REAL NOT NULL,
    host_s REAL NOT NULL,
    state TEXT NOT NULL,
    fault TEXT NOT NULL,
    in_limits INTEGER,            -- NULL here and below: the firmware does not report it
    pressure_pa INTEGER,          -- absolute, as all pressures
    ramp_pa INTEGER,
    target_pa INTEGER,
    control_pa INTEGER,
    safety_pa INTEGER,
    supply_pa INTEGER,
    gas_k REAL,                   -- NULL also while the sensor is invalid
    wall_k REAL,
    slew_pa_s INTEGER,
    settled_pa INTEGER,
    fills INTEGER,
    vents INTEGER,
    fill_open_s REAL,
    vent_open_s REAL,
    warnings INTEGER,             -- bit mask
    PRIMARY KEY (run, boot, sequence)
) WITHOUT ROWID;
"""
_EVENTS = """
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
    """Open a record of this or an older schema; with `create`, for writing and in this schema. Raises FileError."""
    if not create and not path.is_file():
        raise FileError(f"no record at {path}")
    database = None
    try:
        database = sqlite3.connect(path, timeout=_LOCKED_S) if create else _connect_to_read(path)
        _check(database, path, create)
        if create:
            # Committed rows survive a power cut. A recorder keeps its rows and tries again, so it waits for nobody.
            database.execute("PRAGMA synchronous = FULL")
            database.execute(f"PRAGMA busy_timeout = {_LOCKED_WRITE_MS}")
        return database
    except BaseException as error:
        if database is not None:
            database.close()
        if is_locked(error):
            raise FileError(f"{path} is locked: {CLOSE_THE_OTHER} and try again") from error
        if isinstance(error, sqlite3.Error):
            raise FileError(f"{path} is not a record of ipch, or cannot be opened: {error}") from error
        raise


def is_locked(error: BaseException) -> bool:
    """Whether another program keeps SQLite from the file."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _check(database: sqlite3.Connection, path: Path, create: bool) -> None:
    version = database.execute("PRAGMA user_version").fetchone()[0]
    application = database.execute("PRAGMA application_id").fetchone()[0]
    empty = database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    stamp = f"PRAGMA user_version = {SCHEMA_VERSION}; PRAGMA application_id = {_APPLICATION_ID};"
    if create and empty and application in (0, _APPLICATION_ID):
        database.execute("PRAGMA journal_mode = WAL")
        database.executescript(f"BEGIN; {_RUNS} {_SAMPLES} {_EVENTS} {stamp} COMMIT;")
    elif application != _APPLICATION_ID or version < 1:
        raise FileError(f"{path} is not a record of ipch")
    elif version > SCHEMA_VERSION:
        raise FileError(
            f"{path} has schema {version}; this version of ipch reads up to schema {SCHEMA_VERSION}"
        )
    elif create and version == 1:
        # Schema 1 demanded a value in each column.
        names = ", ".join(columns(database))
        database.executescript(
            f"BEGIN; ALTER TABLE samples RENAME TO samples_1; {_SAMPLES}"
            f"INSERT INTO samples ({names}) SELECT {names} FROM samples_1; DROP TABLE samples_1; {stamp} COMMIT;"
        )


def columns(database: sqlite3.Connection) -> list[str]:
    """Names of the columns of the samples."""
    return [str(row[1]) for row in database.execute("PRAGMA table_info(samples)")]


def _connect_to_read(path: Path) -> sqlite3.Connection:
    """Open for reading, also in a folder where SQLite cannot put its files of the write-ahead log."""
    database = sqlite3.connect(path, timeout=_LOCKED_S)
    try:
        database.execute("PRAGMA query_only = ON")
        database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return database
    except BaseException as error:
        database.close()
        if not isinstance(error, sqlite3.OperationalError) or is_locked(error):
            raise
    log = path.with_name(f"{path.name}-wal")
    if not log.exists() or not log.stat().st_size:
        return sqlite3.connect(f"{path.resolve().as_uri()}?immutable=1", uri=True)
    # The newest rows are in the log alone: read a copy of both.
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copy(path, folder))
        shutil.copy(log, folder)
        with contextlib.closing(sqlite3.connect(copy)) as source:
            database = sqlite3.connect(":memory:")
            try:
                source.backup(database)
            except BaseException:
                database.close()
                raise
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
    else:
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
        raise FileError(f"{path} has no run")
    return int(number)


def utc_now() -> str:
    return iso_utc(time.time())


def iso_utc(unix_s: float) -> str:
    """ISO 8601 with Z, to the millisecond."""
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
