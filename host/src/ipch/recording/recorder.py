"""The record of a run: one SQLite file in WAL mode, readable while it grows. CSV is an export.

It holds each sample once, keyed by boot and sequence number, with three clocks: `uptime_s` of the device (the
time base of the experiment), `utc_s` (Unix time) and `host_s` (the host's monotonic clock).
"""

import contextlib
import json
import math
import os
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ipch import __version__
from ipch.device import Instrument, Sample
from ipch.errors import FileError
from ipch.recording.gaps import BUSY, BusyAlarm, Seen, between, describe
from ipch.recording.schema import (
    CLOSE_THE_OTHER,
    SAMPLE_COLUMNS,
    LoneWriter,
    columns,
    is_locked,
    open_database,
    utc_now,
)
from ipch.recording.thinning import Thinning

# Longest loss in a crash; committing every sample would slow down a fast simulation.
_COMMIT_S = 1.0
# Rows kept in memory while the file cannot be written: 14 h at one per second.
_MOST_WAITING = 50_000


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


@dataclass(frozen=True)
class Looked:
    """What of a device changes seldom: settings with calibration, identity, learned gains, health of the board."""

    settings: dict[str, int]
    identity: dict[str, str]
    valves: dict[str, dict[str, Any]]
    health: dict[str, int]


def look(instrument: Instrument) -> Looked:
    """Read it, which takes seconds on a slow line. Raises IpchError."""
    settings = {setting.name: setting.value for setting in instrument.settings()}
    valves = {name: asdict(instrument.valve(number)) for number, name in ((1, "fill"), (2, "vent"))}
    return Looked(settings, asdict(instrument.identity), valves, instrument.health())


class Recorder:
    """Writes one run. Use it in a `with`; leaving the block ends the run.

    A full disk or a locked file does not end the run: rows wait in memory, `alarm` is called, and they are written as
    soon as that is possible.
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
        """Start a run in a new or existing file; with `resume`, append to its last run if that is of this device.

        `thinning` leaves out unchanged samples. `acknowledge` is called with (boot, sequence) of all rows that have
        become safe from a crash. Raises FileError.
        """
        self.path = path
        self.every_s = 1.0
        """Interval of samples in device time; more than two without a sample are a gap."""
        self.count = 0
        """Number of samples written or waiting."""
        self._commit_s = commit_s
        self._thinning = thinning
        self._alarm = alarm
        self._acknowledge = acknowledge
        self._seen: Seen | None = None
        self._cause = ""
        self._busy = BusyAlarm(alarm, "the record marks each gap")
        self._waiting: deque[tuple[str, dict[str, Any]]] = deque()
        self._gains: dict[str, int] = {}
        self._health: dict[str, int] = {}
        self._failing = ""
        self._given_up = False
        self._committed = time.monotonic()
        found = look(instrument)
        self._settings, self._identity = found.settings, found.identity
        self.first_settings = dict(self._settings)
        """Settings of the device at the start of the run."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = LoneWriter(path)
        except OSError as error:
            raise FileError(f"cannot record to {path}: {error}") from error
        try:
            self._database = open_database(path, create=True)
        except FileError:
            self._lock.close()
            raise
        try:
            self._columns = set(columns(self._database))
            self.run = (resume and self._resume(name)) or self._begin(name, instrument.port, recipe)
        except (sqlite3.Error, FileError) as error:
            self.drop()
            if isinstance(error, FileError):
                raise
            raise FileError(f"cannot record to {path}: {error}") from error
        host = {"pid": os.getpid(), "host_boot": _host_boot(), "port": instrument.port, "ipch": __version__}
        self.event("begin", "recording", host)
        self._note_valves(found.valves)
        self._note_health(found.health)
        self.commit()

    @property
    def last(self) -> Sample | None:
        """The last sample, also from a resumed record."""
        return self._seen.sample if self._seen else None

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
        """Record a sample, and the changes since the last one as events."""
        seen, now = self._seen, Seen(sample, time.time(), time.monotonic())
        last = seen.sample if seen else None
        if seen is not None:
            self._judge(seen, now)
        self._seen = now
        for row in self._thinning.rows(sample) if self._thinning else [sample]:
            self._row(row, now if row is sample or seen is None else seen)
        if last is None or last.state != sample.state:
            self.event("state", sample.state, sample=sample)
        if last is not None and last.boot != sample.boot:
            self.event("note", "the device restarted", sample=sample)
        if sample.faulty and (last is None or last.fault != sample.fault):
            self.event("fault", sample.fault, sample=sample)
        if now.host_s - self._committed >= self._commit_s:
            self.commit()

    def event(
        self, kind: str, text: str, data: Mapping[str, Any] | None = None, sample: Sample | None = None
    ) -> None:
        """Record an event at the time of `sample` or of the last sample."""
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
        """Record that the device is lost: the gap until the next sample gets this cause."""
        if self._cause != cause:
            self._cause = cause
            self.event("lost", cause)
            self.commit()

    def marks(self, *kinds: str) -> list[Mark]:
        """Recorded events of these kinds, in order."""
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
        """Look at the device again; record the changes. Raises IpchError."""
        self.note(look(instrument))

    def note(self, found: Looked) -> None:
        """Record the changes since the device was looked at before."""
        self._note_changes(found.settings, found.identity)
        self._settings, self._identity = found.settings, found.identity
        self._note_valves(found.valves)
        self._note_health(found.health)

    def commit(self) -> None:
        """Write all waiting rows to disk, or keep them for the next attempt if that fails."""
        self._committed = time.monotonic()
        if not self._waiting:
            return
        try:
            with self._database:
                for sql, values in self._waiting:
                    self._database.execute(sql, values)
        except sqlite3.Error as error:
            self._fail(str(error), CLOSE_THE_OTHER if is_locked(error) else "free disk space")
            return
        rows = [(values["boot"], values["sequence"]) for _, values in self._waiting if "sequence" in values]
        self._waiting.clear()
        self._acknowledge(rows)
        if self._failing:
            self._failing = ""
            self._given_up = False
            self.event("note", "recording resumed; the waiting rows are written")
            self.commit()
            if not self._failing:
                # Told once it is in the record: a Ctrl-C that answers the message must not cost the note.
                self._alarm(f"recording to {self.path} resumed")

    def close(self, ended_by: str) -> None:
        """End the run; `ended_by` is complete, interrupted or an error. Raises FileError if rows are lost."""
        self._keep_held()
        self.event("end", ended_by)
        values = {"ended_utc": utc_now(), "ended_by": ended_by, "run": self.run}
        sql = "UPDATE runs SET ended_utc = :ended_utc, ended_by = :ended_by WHERE run = :run"
        self._waiting.append((sql, values))
        self.commit()
        self.drop()
        if self._waiting:
            raise FileError(
                f"cannot record to {self.path}: {self._failing}; {len(self._waiting)} rows are lost"
            )

    def drop(self) -> None:
        """Close the file as a crash would: without ending the run, and without the waiting rows."""
        with contextlib.suppress(sqlite3.Error):
            self._database.close()
        self._lock.close()

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
        """Number of the last run in the file if it can be resumed, else 0."""
        query = "SELECT run, identity, settings FROM runs WHERE name = ? ORDER BY run DESC LIMIT 1"
        found = self._database.execute(query, (name,)).fetchone()
        if found is None:
            return 0
        run, identity, settings = int(found[0]), json.loads(found[1]), json.loads(found[2])
        if identity.get("serial_number") != self._identity["serial_number"]:
            return 0
        names = ", ".join(SAMPLE_COLUMNS)
        row = self._database.execute(
            f"SELECT utc_s, host_s, {names} FROM samples WHERE run = ? ORDER BY boot DESC, sequence DESC LIMIT 1",
            (run,),
        ).fetchone()
        if row is not None:
            values: list[Any] = [math.nan if value is None else value for value in row[2:]]
            self._seen = Seen(Sample(*values), row[0], row[1])
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

    def _judge(self, last: Seen, now: Seen) -> None:
        """Record a gap between two samples, and a clock step."""
        found = between(last, now, self.every_s, self._cause)
        self._cause = ""
        if step_s := found.clock_step_s:
            text = f"the computer's clock was set by {step_s:+.1f} s"
            self.event("clock", text, {"step_s": step_s}, now.sample)
        if found.gap:
            self._keep_held()
            self.event("gap", found.gap, describe(last, now, found.gap), now.sample)
        if found.gap == BUSY:
            self._busy.note(last, now)

    def _note_valves(self, valves: dict[str, dict[str, Any]]) -> None:
        """Record the learned gains of the valves if they changed."""
        gains = {name: valve["gain"] for name, valve in valves.items()}
        if gains != self._gains:
            self._gains = gains
            text = ", ".join(f"{name} {gain} Pa/s per MPa" for name, gain in gains.items())
            self.event("valves", f"learned gains: {text}", valves)

    def _note_health(self, health: dict[str, int]) -> None:
        """Record how well the board keeps up, if anything but its hours in service changed."""
        if health and health | {"hours": 0} != self._health:
            self._health = health | {"hours": 0}
            text = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in health.items())
            self.event("health", text, health)

    def _keep_held(self) -> None:
        """Write the held-back sample: it marks the end of the record, or the start of a gap."""
        if self._seen is not None and self._thinning is not None:
            for held in self._thinning.rest():
                self._row(held, self._seen)

    def _row(self, sample: Sample, at: Seen) -> None:
        self.count += 1
        row = sample.row()
        for name in row.keys() - self._columns:
            self._columns.add(name)
            self._waiting.append((f'ALTER TABLE samples ADD COLUMN "{name}"', {}))
        self._insert("samples", row | {"run": self.run, "utc_s": at.utc_s, "host_s": at.host_s})

    def _insert(self, table: str, values: dict[str, Any]) -> None:
        names = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join(f":{name}" for name in values)
        # An existing row with this key is the same sample.
        self._waiting.append((f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})", values))

    def _fail(self, reason: str, remedy: str) -> None:
        if not self._failing:
            self._alarm(
                f"cannot record to {self.path}: {reason}; samples wait in memory, the device is unaffected:"
                f" {remedy}"
            )
            self.event("note", f"cannot write: {reason}")
        self._failing = reason
        if len(self._waiting) > _MOST_WAITING:
            # Drop every other sample, so that the whole time stays covered; keep all events.
            kept = [(n, row) for n, row in enumerate(self._waiting) if n % 2 or "sequence" not in row[1]]
            self._waiting = deque(row for _, row in kept)
            if not self._given_up:
                self._given_up = True
                text = f"not written: every other waiting sample was dropped ({reason})"
                self.event("gap", text, {"cause": reason})


def _host_boot() -> str:
    """Boot ID of this computer, empty if unknown; `host_s` counts from that boot."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
