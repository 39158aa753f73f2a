"""The record of a run: one SQLite file in WAL mode, readable while it grows. CSV is an export.

Every sample is in it once, by boot and sequence number, with three clocks: `uptime_s` of the device (the time
base of the experiment), `utc_s` (Unix time) and `host_s` (the host's monotonic clock).
"""

import contextlib
import csv
import json
import math
import os
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ipch import __version__
from ipch.errors import FileError
from ipch.instrument import Instrument, Sample
from ipch.thinning import Thinning

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
    kind TEXT NOT NULL,           -- begin, step, state, fault, gap, clock, settings, lost, note, end
    text TEXT NOT NULL,
    data TEXT NOT NULL            -- JSON
);
"""
# What a crash may cost at most; committing every sample would cost a fast simulation most of its speed.
_COMMIT_S = 1.0
# While nothing can be written, so many rows wait in memory: 14 h at one a second.
_MOST_WAITING = 50_000
# The host's clock was set when it moved by more than this against the host's monotonic one.
_CLOCK_STEP_S = 0.5
_GAP_POLLS = 3.0
_GAP_HOST_S = 1.0


@dataclass(frozen=True)
class Mark:
    """An event of a record."""

    number: int
    utc_s: float
    boot: int
    uptime_s: float
    kind: str
    text: str
    data: dict[str, Any]


class Recorder:
    """Writes one run. Use it in a `with`; leaving it ends the run.

    A disk that is full ends nothing: rows wait in memory, `alarm` is told, and they are written once there is room.
    """

    def __init__(
        self,
        path: Path,
        instrument: Instrument,
        name: str,
        recipe: str | None = None,
        commit_s: float = _COMMIT_S,
        *,
        resume: bool = False,
        thinning: Thinning | None = None,
        alarm: Callable[[str], None] = lambda text: None,
        acknowledge: Callable[[list[tuple[int, int]]], None] = lambda rows: None,
    ) -> None:
        """Begin a run in a new or an existing file; with `resume` go on with its last one if that is of this device.

        `thinning` leaves out samples that say nothing new. `acknowledge` is told boot and sequence of every row
        that no crash can take any more. Raises FileError.
        """
        self.path = path
        self.every_s = 1.0
        """Between samples, device time; three times that without one is a gap."""
        self.count = 0
        """Samples written or waiting to be."""
        self._commit_s = commit_s
        self._thinning = thinning
        self._alarm = alarm
        self._acknowledge = acknowledge
        self.last: Sample | None = None
        """The last sample, also of the record that is gone on with."""
        self._last_at = (0.0, 0.0)
        self._cause = ""
        self._waiting: deque[tuple[str, dict[str, Any]]] = deque()
        self._failing = ""
        self._given_up = False
        self._committed = time.monotonic()
        self._settings = {setting.name: setting.value for setting in instrument.settings()}
        self._identity = asdict(instrument.identity)
        self.first_settings = dict(self._settings)
        """Those that the device had when the run began."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = open_database(path, create=True)
            self.run = (resume and self._resume(name)) or self._begin(name, instrument.port, recipe)
        except (OSError, sqlite3.Error) as error:
            raise FileError(f"cannot record to {path}: {error}") from error
        host = {"pid": os.getpid(), "host_boot": _host_boot(), "port": instrument.port, "ipch": __version__}
        self.event("begin", "recording", host)
        self.commit()

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
        last, self.last = self.last, sample
        last_at, self._last_at = self._last_at, now
        if last is not None and (cause := self._gap(last, last_at, sample, now)):
            for held in self._thinning.rest() if self._thinning else ():
                self._row(held, last_at)
            self._mark_gap(last, last_at[0], sample, now[0], cause)
        for row in self._thinning.rows(sample) if self._thinning else [sample]:
            self._row(row, now if row is sample else last_at)
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
        at = sample or self.last
        values = {
            "run": self.run,
            "utc_s": time.time(),
            "host_s": time.monotonic(),
            "boot": at.boot if at else None,
            "uptime_s": at.uptime_s if at else None,
            "kind": kind,
            "text": text,
            "data": json.dumps(dict(data or {})),
        }
        self._insert("events", values)

    def lost(self, cause: str) -> None:
        """The device does not answer: what is missing until the next sample is a gap with this cause."""
        if self._cause != cause:
            self._cause = cause
            self.event("lost", cause)
            self.commit()

    def marks(self, *kinds: str) -> list[Mark]:
        """Events of these kinds that the record holds, in their order."""
        chosen = ", ".join("?" * len(kinds))
        query = (
            "SELECT event, utc_s, coalesce(boot, 0), coalesce(uptime_s, 0), kind, text, data FROM events"
            f" WHERE run = ? AND kind IN ({chosen}) ORDER BY event"
        )
        return [
            Mark(number, utc_s, boot, uptime_s, kind, text, json.loads(data))
            for number, utc_s, boot, uptime_s, kind, text, data in self._database.execute(
                query, (self.run, *kinds)
            )
        ]

    def compare(self, instrument: Instrument) -> None:
        """Read settings, calibration among them, and identity again, and record what changed."""
        settings = {setting.name: setting.value for setting in instrument.settings()}
        identity = asdict(instrument.identity)
        self._note_changes(settings, identity)
        self._settings, self._identity = settings, identity

    def commit(self) -> None:
        """Make sure of everything so far, or keep it for the next time if the disk has no room."""
        self._committed = time.monotonic()
        if not self._waiting:
            return
        try:
            with self._database:
                for sql, values in self._waiting:
                    self._database.execute(sql, values)
        except sqlite3.Error as error:
            self._fail(str(error))
            return
        rows = [(values["boot"], values["sequence"]) for _, values in self._waiting if "sequence" in values]
        self._waiting.clear()
        self._acknowledge(rows)
        if self._failing:
            self._failing = ""
            self._given_up = False
            self._alarm(f"recording to {self.path} goes on")
            self.event("note", "recording goes on; what had been waiting is written")
            self.commit()

    def close(self, ended_by: str) -> None:
        """End the run; `ended_by` is complete, interrupted or what went wrong. Raises FileError if rows are lost."""
        for held in self._thinning.rest() if self._thinning else ():
            self._row(held, self._last_at)
        self.event("end", ended_by)
        values = {"ended_utc": utc_now(), "ended_by": ended_by, "run": self.run}
        sql = "UPDATE runs SET ended_utc = :ended_utc, ended_by = :ended_by WHERE run = :run"
        self._waiting.append((sql, values))
        self.commit()
        with contextlib.suppress(sqlite3.Error):
            self._database.close()
        if self._waiting:
            raise FileError(
                f"cannot record to {self.path}: {self._failing}; {len(self._waiting)} rows are lost"
            )

    def _begin(self, name: str, port: str, recipe: str | None) -> int:
        with self._database:
            cursor = self._database.execute(
                "INSERT INTO runs (name, started_utc, ipch_version, port, identity, settings, recipe)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    name,
                    utc_now(),
                    __version__,
                    port,
                    json.dumps(self._identity),
                    json.dumps(self._settings),
                    recipe,
                ),
            )
        return cursor.lastrowid or 0

    def _resume(self, name: str) -> int:
        """The last run of the file, if it can go on; 0 otherwise."""
        query = "SELECT run, identity, settings FROM runs WHERE name = ? ORDER BY run DESC LIMIT 1"
        found = self._database.execute(query, (name,)).fetchone()
        if found is None:
            return 0
        run, identity, settings = int(found[0]), json.loads(found[1]), json.loads(found[2])
        if identity.get("serial_number") != self._identity["serial_number"]:
            return 0
        columns = ", ".join(SAMPLE_COLUMNS)
        row = self._database.execute(
            f"SELECT utc_s, host_s, {columns} FROM samples WHERE run = ? ORDER BY boot DESC, sequence DESC LIMIT 1",
            (run,),
        ).fetchone()
        if row is not None:
            # Only temperatures may be NULL.
            values: list[Any] = [math.nan if value is None else value for value in row[2:]]
            self.last = Sample(*values)
            self._last_at = (row[0], row[1])
            self._cause = "the recorder was not running"
        self.run = run
        for text in self._database.execute(
            "SELECT data FROM events WHERE run = ? AND kind = 'settings' ORDER BY event", (run,)
        ):
            settings |= {key: change[1] for key, change in json.loads(text[0]).get("settings", {}).items()}
        self.first_settings = json.loads(found[2])
        now_settings, now_identity = self._settings, self._identity
        self._settings, self._identity = settings, identity
        self._note_changes(now_settings, now_identity)
        self._settings, self._identity = now_settings, now_identity
        with self._database:
            self._database.execute("UPDATE runs SET ended_utc = NULL, ended_by = NULL WHERE run = ?", (run,))
        return run

    def _note_changes(self, settings: dict[str, int], identity: dict[str, str]) -> None:
        changed = {k: [self._settings.get(k), v] for k, v in settings.items() if self._settings.get(k) != v}
        if changed:
            self.event("settings", ", ".join(changed), {"settings": changed})
        if identity != self._identity:
            self.event("note", f"the firmware is {identity['firmware']} now", {"identity": identity})

    def _gap(
        self, last: Sample, last_at: tuple[float, float], sample: Sample, now: tuple[float, float]
    ) -> str:
        """Why samples are missing before this one, empty if none are; a clock that was set is an event."""
        host_s, utc_s = now[1] - last_at[1], now[0] - last_at[0]
        device_s = sample.uptime_s - last.uptime_s
        cause, self._cause = self._cause, ""
        step_s = utc_s - host_s
        slept = (
            step_s > _CLOCK_STEP_S and abs(utc_s - device_s) < 1 + 0.01 * utc_s and last.boot == sample.boot
        )
        if abs(step_s) > _CLOCK_STEP_S and not slept and not cause:
            self.event(
                "clock", f"the computer's clock was set by {step_s:+.1f} s", {"step_s": step_s}, sample
            )
        if cause:
            return cause
        if last.boot != sample.boot:
            return "the device restarted"
        if slept:
            return "the computer slept"
        late = device_s > _GAP_POLLS * self.every_s and host_s > _GAP_HOST_S
        return "the computer was busy" if late else ""

    def _mark_gap(self, last: Sample, last_utc_s: float, sample: Sample, utc_s: float, cause: str) -> None:
        ends = (("from", last, last_utc_s), ("to", sample, utc_s))
        data: dict[str, Any] = {"cause": cause}
        for end, at, at_utc_s in ends:
            data |= {f"{end}_boot": at.boot, f"{end}_sequence": at.sequence, f"{end}_uptime_s": at.uptime_s}
            data[f"{end}_utc_s"] = at_utc_s
        self.event("gap", cause, data, sample)

    def _row(self, sample: Sample, at: tuple[float, float]) -> None:
        self.count += 1
        self._insert("samples", asdict(sample) | {"run": self.run, "utc_s": at[0], "host_s": at[1]})

    def _insert(self, table: str, values: dict[str, Any]) -> None:
        columns = ", ".join(values)
        marks = ", ".join(f":{name}" for name in values)
        # A sample that is there already is the same sample.
        self._waiting.append((f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({marks})", values))

    def _fail(self, reason: str) -> None:
        if not self._failing:
            self._alarm(
                f"cannot record to {self.path}: {reason}; samples wait in memory, the device is not concerned:"
                " make room"
            )
            self.event("note", f"nothing can be written: {reason}")
        self._failing = reason
        if len(self._waiting) > _MOST_WAITING:
            # Every other sample goes, so that the whole time stays covered; what happened stays.
            kept = [(n, row) for n, row in enumerate(self._waiting) if n % 2 or "sequence" not in row[1]]
            self._waiting = deque(row for _, row in kept)
            if not self._given_up:
                self._given_up = True
                text = f"disk full: every other sample that waited was given up ({reason})"
                self.event("gap", text, {"cause": "disk full"})


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
        # What was acknowledged survives a power cut, too.
        database.execute("PRAGMA synchronous = FULL")
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


def _host_boot() -> str:
    """What tells one start of this computer from another, where the system says: `host_s` counts from there."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def utc_now() -> str:
    return iso_utc(time.time())


def iso_utc(unix_s: float) -> str:
    """ISO 8601 with Z, to the millisecond."""
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
