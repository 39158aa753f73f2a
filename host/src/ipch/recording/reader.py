"""Reading a record: a run as arrays, its steps and events; the truth file of a simulator."""

import json
import os
import sqlite3
import struct
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from itertools import starmap
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipch.errors import FileError
from ipch.recording.clock import steady
from ipch.recording.columns import COLUMNS
from ipch.recording.schema import INTEGERS, SAMPLE_COLUMNS, last_run, open_database
from ipch.recording.schema import columns as columns_of
from ipch.recording.stepped import Growing, Stepped, Steps
from ipch.recording.texts import Texts

Floats = NDArray[np.floating[Any]]
_TEXTS = ("state", "fault")
# Columns of a record that a firmware does not report, and those that are never NULL.
_OURS = ("run", "utc_s", "host_s")
_KEYS = ("boot", "sequence", "uptime_s", "utc_s", "host_s")
# Times need double precision; other readings fit 24 bits (pressures to 16 MPa in Pa), or the lost digits are noise.
_DOUBLE = ("uptime_s", "utc_s", "fill_open_s", "vent_open_s")
_CHUNK = 2000
# Columns that keep their value over many samples.
_STEADY = (
    "ramp_pa",
    "target_pa",
    "fills",
    "vents",
    "fill_open_s",
    "vent_open_s",
    "in_limits",
    "warnings",
    "slew_pa_s",
)
# A host clock was set if it deviates from device time by more than this plus the share; crystals drift less.
_CLOCK_STEP_S = 2.0
_CLOCK_DRIFT = 2e-4
# A run that is faster than the host's clock by this factor is a simulation.
_SIMULATED_SPEED = 1.5
TRUTH_NAME = "truth.jsonl"


@dataclass(frozen=True)
class StepSpan:
    """A recipe step with its start and end, in s of device time."""

    index: int
    kind: str
    text: str
    target_pa: int | None
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Event:
    utc_s: float
    uptime_s: float | None
    """On the time axis of the run, like `Run.time_s`."""
    kind: str
    text: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Run:
    """One recorded run. `samples` holds an array for each numeric column, nan for an invalid reading.

    Counters and flags are integers, unless the firmware left some out.
    `offsets_s` is added to the uptime of each boot to get one time axis for the run.
    """

    path: Path
    number: int
    name: str
    started_utc: str
    ended_utc: str | None
    ended_by: str | None
    ipch_version: str
    port: str
    identity: dict[str, str]
    settings: dict[str, int]
    recipe: str | None
    samples: Mapping[str, NDArray[Any]]
    states: Sequence[str]
    faults: Sequence[str]
    events: list[Event]
    steps: list[StepSpan]
    offsets_s: dict[int, float]
    host_span_s: float = 0.0
    """From the first to the last sample, by the computer's monotonic clock."""
    beside: dict[str, Floats] = field(default_factory=dict)
    """Columns of other instruments, one value per sample."""
    texts: dict[str, Texts] = field(default_factory=dict)
    """Columns of text that this version of ipch does not know."""

    @cached_property
    def time_s(self) -> Floats:
        """Device uptime, continued across restarts by the host's clock."""
        return _on_one_axis(self.samples, self.offsets_s)

    @cached_property
    def utc_s(self) -> Floats:
        """Unix time of each sample: device time, anchored to the host's clock, which may have been set meanwhile.

        The clock is right after it was set: earlier samples are counted back from there in device time. A simulation
        that ran faster than the clock is counted from its first sample.
        """
        if self.speed > _SIMULATED_SPEED:
            simulated_s: Floats = self.samples["utc_s"][0] + (self.time_s - self.time_s[0])
            return simulated_s
        passed_s = np.diff(self.time_s)
        jumped = np.abs(np.diff(self.samples["utc_s"]) - passed_s) > _CLOCK_STEP_S + _CLOCK_DRIFT * passed_s
        if not jumped.any():
            right_s: Floats = self.samples["utc_s"]
            return right_s
        return steady(self.samples["utc_s"], self.time_s, np.append(jumped, False))

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """Every column by name, one value per sample; `units` has the units. `pandas.DataFrame(run.arrays)` works.

        Starts with `time_s` and `utc_s`; counters and flags are integers, other numbers floats, `state`
        and `fault` arrays of str.
        """
        others = {name: values for name, values in self.samples.items() if name != "utc_s"}
        texts = {"state": self.states, "fault": self.faults, **self.texts}
        return {
            "time_s": self.time_s,
            "utc_s": self.utc_s,
            **others,
            **{name: np.array(values) for name, values in texts.items()},
            **self.beside,
        }

    @property
    def units(self) -> dict[str, str]:
        """Unit of each array, or empty for counts, flags and texts; pressures are absolute."""
        return {name: COLUMNS[name].unit if name in COLUMNS else "" for name in self.arrays}

    @property
    def speed(self) -> float:
        """Device seconds per host second: 1 except in a simulation."""
        return self.duration_s / self.host_span_s if self.host_span_s > 0 else 1.0

    @property
    def duration_s(self) -> float:
        """Device time from the first to the last sample."""
        return float(self.time_s[-1] - self.time_s[0]) if len(self.time_s) else 0.0


def find_record(path: Path) -> Path:
    """The record at a path: the file itself, or run.db in a folder. Raises FileError."""
    record = path / "run.db" if path.is_dir() else path
    if record.suffix.lower() in (".csv", ".parquet") and record.is_file():
        raise FileError(
            f"{path} is a table, not a record: it lacks settings and events, which a report needs; name the .db"
            " file (`ipch log NAME.db` writes one; a CSV cannot be converted)"
        )
    if not record.is_file():
        raise FileError(f"no record at {path}; name a folder written by `ipch run`, or a .db file")
    return record


def load_run(
    path: str | os.PathLike[str],
    number: int | None = None,
    columns: Collection[str] | None = None,
    narrow: bool = False,
) -> Run:
    """Read a run from a record, or from the folder that `ipch run` wrote.

    A record can hold several runs: `number` counts from 1, and without it the last one is read. `columns` limits the
    memory for long runs; `narrow` keeps integers in 32 bits if they fit, and columns that rarely change as their steps.
    Raises FileError if there is no record, or no sample in it.
    """
    path = find_record(Path(path))
    with closing(open_database(path)) as database:
        database.row_factory = sqlite3.Row
        try:
            # All of one moment, while a recorder goes on.
            database.execute("BEGIN")
            wanted = number or last_run(database, path)
            row = database.execute("SELECT * FROM runs WHERE run = ?", (wanted,)).fetchone()
            if row is None:
                raise FileError(f"{path} has no run {wanted}")
            kept, texts = _samples(database, wanted, columns, np.int32 if narrow else np.int64)
            samples = kept if narrow else dict(kept)
            host_span_s = _host_span_s(database, wanted)
            offsets_s = _offsets_s(samples)
            events = [
                Event(
                    e["utc_s"],
                    None if e["uptime_s"] is None else e["uptime_s"] + offsets_s.get(e["boot"], 0.0),
                    e["kind"],
                    e["text"],
                    json.loads(e["data"]),
                )
                for e in database.execute("SELECT * FROM events WHERE run = ? ORDER BY event", (wanted,))
            ]
        except (sqlite3.Error, struct.error, ValueError) as error:
            raise FileError(f"{path} cannot be read: {error}") from error
    if not len(samples["uptime_s"]):
        raise FileError(f"{path}: run {wanted} has no samples")
    return Run(
        path=path,
        number=wanted,
        **{
            name: row[name]
            for name in ("name", "started_utc", "ended_utc", "ended_by", "ipch_version", "port", "recipe")
        },
        identity=json.loads(row["identity"]),
        settings=json.loads(row["settings"]),
        samples=samples,
        states=texts.pop("state"),
        faults=texts.pop("fault"),
        texts=texts,
        events=events,
        steps=_steps(events, float(_on_one_axis(samples, offsets_s)[-1])),
        offsets_s=offsets_s,
        host_span_s=host_span_s,
    )


def _samples(
    database: sqlite3.Connection,
    run: int,
    wanted: Collection[str] | None,
    integer: type[np.signedinteger[Any]],
) -> tuple[Stepped, dict[str, Texts]]:
    there = columns_of(database)
    more = [
        name for name in there if name not in (*SAMPLE_COLUMNS, *_OURS) and (wanted is None or name in wanted)
    ]
    chosen = [name for name in SAMPLE_COLUMNS if wanted is None or name in (*wanted, *_DOUBLE)]
    boots, codes = _codes(database, run, more)
    # At most: other runs may be in the file.
    count = int(database.execute("SELECT count(*) FROM samples").fetchone()[0])
    clocks = [name for name in ("utc_s", "host_s") if wanted is None or name != "host_s" or name in wanted]
    names = [name for name in (*chosen, *more, *clocks) if name not in codes and name != "boot"]
    texts = {name: np.zeros(count, dtype=np.min_scalar_type(len(found))) for name, found in codes.items()}
    in_order = sorted((name for name in names if name in there), key=lambda name: name in _STEADY)
    read = {name: Growing(count, _dtype(name, integer)) for name in in_order}
    # Texts are read as numbers, so that a chunk of the table is one array.
    varied = [name for name in codes if len(codes[name]) > 1]
    cases = [
        f"CASE coalesce(\"{name}\", '') {' '.join(f'WHEN ? THEN {n}' for n in range(len(codes[name])))} END"
        for name in varied
    ]
    # NULL, of an invalid or missing reading, becomes infinite and then nan.
    values = [f'"{name}"' if name in _KEYS else f'ifnull("{name}", 9e999)' for name in read]
    steady = [name for name in read if name in _STEADY]
    words = [text for name in varied for text in codes[name]]
    at = 0
    for boot, piece in _pieces(database, (run, list(boots)), [*cases, *values], words, steady):
        boots[boot] += len(piece)
        rows = slice(at, at + len(piece))
        for number, name in enumerate(varied):
            texts[name][rows] = piece[:, number]
        for number, (name, growing) in enumerate(read.items(), len(varied)):
            column = np.where(np.isinf(piece[:, number]), np.nan, piece[:, number])
            growing.add(column.astype(_wide_enough(_dtype(name, integer), column)))
        at = rows.stop
    missing = np.full(1, np.nan, np.float32), np.array([at])
    table: dict[str, Steps] = dict.fromkeys(names, missing)
    table |= {name: growing.steps() for name, growing in read.items()}
    table["boot"] = np.array(list(boots), dtype=integer), np.array(list(boots.values()), dtype=int)
    return Stepped(table), {name: Texts(texts[name][:at], codes[name]) for name in codes}


def _pieces(
    database: sqlite3.Connection,
    run: tuple[int, list[int]],
    columns: list[str],
    words: list[str],
    steady: list[str],
) -> Iterator[tuple[int, Floats]]:
    """Rows of a run and its boots in parts, each with its boot: a month of samples is gigabytes as Python numbers.

    `words` are the parameters of the columns, the last of which are `steady`: those that are the same in all of a part
    are not read. SQLite compares them in half of the time.
    """
    cursor = database.cursor()
    cursor.row_factory = None
    where = "FROM samples WHERE run = ? AND boot = ? AND sequence BETWEEN ? AND ?"
    moving = len(columns) - len(steady)
    differ = " OR ".join(f'"{name}" IS NOT ?' for name in steady) or "TRUE"
    changed = f"SELECT 1 {where} AND ({differ}) LIMIT 1"
    following = "SELECT min(sequence) FROM samples WHERE run = ? AND boot = ? AND sequence > ?"
    held: Floats | None = None
    for boot in run[1]:
        last = -(1 << 62)
        while (first := cursor.execute(following, (run[0], boot, last)).fetchone()[0]) is not None:
            last = first + _CHUNK - 1
            part = (run[0], boot, first, last)
            same = held is not None and not cursor.execute(changed, (*part, *_bound(held))).fetchone()
            wide = moving if same else len(columns)
            cursor.execute(f"SELECT {', '.join(columns[:wide])} {where} ORDER BY sequence", (*words, *part))
            # Packing rows as they come takes less time than an array of tuples.
            piece = np.frombuffer(b"".join(starmap(struct.Struct(f"={wide}d").pack, cursor))).reshape(
                -1, wide
            )
            if held is not None and same:
                piece = np.hstack([piece, np.broadcast_to(held, (len(piece), len(held)))])
            held = piece[-1, moving:] if steady else None
            yield boot, piece


def _bound(values: Floats) -> list[float | None]:
    return [None if np.isinf(value) else value for value in values.tolist()]


def _wide_enough(dtype: Any, values: Floats) -> Any:
    """A type that holds the values: for integers a wider one, or floats if one is missing or no integer."""
    if not np.issubdtype(dtype, np.integer):
        return dtype
    if not np.array_equal(values, np.floor(values)):
        return np.float64
    return dtype if np.abs(values).max() <= np.iinfo(dtype).max else np.int64


def _dtype(name: str, integer: type[np.signedinteger[Any]]) -> Any:
    if name in _DOUBLE:
        return np.float64
    return integer if name not in SAMPLE_COLUMNS or name in INTEGERS else np.float32


def _codes(
    database: sqlite3.Connection, run: int, more: list[str]
) -> tuple[dict[int, int], dict[str, list[str]]]:
    """Starts of the device, each with a count of 0, and the distinct texts in each column of text, also of `more`."""
    query = "SELECT DISTINCT boot, state, fault FROM samples WHERE run = ?"
    found = database.execute(query, (run,)).fetchall()
    boots = dict.fromkeys(sorted({int(each[0]) for each in found}), 0)
    codes = {name: sorted({str(each[at]) for each in found}) for at, name in enumerate(_TEXTS, 1)}
    for name in more:
        found = database.execute(
            f'SELECT DISTINCT coalesce("{name}", \'\'), typeof("{name}") FROM samples WHERE run = ?', (run,)
        ).fetchall()
        if any(kind == "text" for _, kind in found):
            codes[name] = sorted({str(text) for text, _ in found})
    return boots, codes


def _host_span_s(database: sqlite3.Connection, run: int) -> float:
    ends = [
        database.execute(
            f"SELECT host_s FROM samples WHERE run = ? ORDER BY boot {way}, sequence {way} LIMIT 1", (run,)
        ).fetchone()
        for way in ("ASC", "DESC")
    ]
    return float(ends[1][0] - ends[0][0]) if all(ends) else 0.0


def _offsets_s(samples: Mapping[str, NDArray[Any]]) -> dict[int, float]:
    boots, uptime_s, utc_s = samples["boot"], samples["uptime_s"], samples["utc_s"]
    if not len(boots):
        return {}
    offsets_s = {int(boots[0]): 0.0}
    for start in np.flatnonzero(np.diff(boots)) + 1:
        away_s = max(0.0, float(utc_s[start] - utc_s[start - 1]))
        before_s = float(uptime_s[start - 1]) + offsets_s[int(boots[start - 1])]
        offsets_s[int(boots[start])] = before_s + away_s - float(uptime_s[start])
    return offsets_s


def _on_one_axis(samples: Mapping[str, NDArray[Any]], offsets_s: dict[int, float]) -> Floats:
    if len(offsets_s) < 2:
        uptime_s: Floats = samples["uptime_s"]
        return uptime_s
    boots, which = np.unique(samples["boot"], return_inverse=True)
    added_s: Floats = np.array([offsets_s[int(boot)] for boot in boots])[which]
    return samples["uptime_s"] + added_s


def _steps(events: list[Event], end_s: float) -> list[StepSpan]:
    """Spans of the steps: each ends at the next step or at the end of the recipe."""
    marks = [e for e in events if e.kind in ("step", "recipe-end") and e.uptime_s is not None]
    spans = []
    for mark, following in zip(marks, [*marks[1:], None], strict=False):
        if mark.kind == "step" and mark.uptime_s is not None:
            end = following.uptime_s if following is not None else end_s
            data = mark.data
            spans.append(
                StepSpan(
                    data["index"], data["kind"], mark.text, data["target_pa"], mark.uptime_s, end or end_s
                )
            )
    return spans


@dataclass(frozen=True)
class Truth:
    """True state of a simulated chamber, in device time."""

    time_s: Floats
    pressure_pa: Floats
    fills: Floats
    vents: Floats
    control_error_pa: Floats
    """What the control transducer adds besides noise: offset, drift, hysteresis, temperature; 0 in older files."""


def load_truth(path: Path) -> Truth:
    """Read a file written by `ipch sim --truth`. Raises FileError."""
    columns: list[tuple[float, ...]] = []
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                if not line.endswith("\n"):
                    break  # the simulator stopped while writing
                row = json.loads(line)
                columns.append(
                    (
                        row["time_s"],
                        row["pressure_pa"],
                        row["fill_openings"],
                        row["vent_openings"],
                        row.get("control_error_pa", 0.0),
                    )
                )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FileError(f"{path} is not a truth file of `ipch sim`: {error}") from error
    table = np.array(columns, dtype=np.float64).reshape(len(columns), 5)
    return Truth(*table.T)
