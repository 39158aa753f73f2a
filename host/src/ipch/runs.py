"""Reading what was recorded: a run as arrays, its steps and events; the simulator's truth beside it."""

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipch.errors import FileError
from ipch.recorder import SAMPLE_COLUMNS, last_run, open_database

Floats = NDArray[np.float64]
_TEXTS = ("state", "fault")
TRUTH_NAME = "truth.jsonl"


@dataclass(frozen=True)
class StepSpan:
    """A step of the recipe and when it was done, in s of device time."""

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
    kind: str
    text: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Run:
    """One recorded run. `samples` holds an array for each numeric column, nan where nothing was valid."""

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
    samples: dict[str, Floats]
    states: list[str]
    events: list[Event]
    steps: list[StepSpan]

    @property
    def time_s(self) -> Floats:
        """Device uptime."""
        return self.samples["uptime_s"]

    @property
    def duration_s(self) -> float:
        """Device time from the first to the last sample."""
        return float(self.time_s[-1] - self.time_s[0]) if len(self.time_s) else 0.0

    @property
    def speed(self) -> float:
        """Device seconds per second of the host: 1 but for a simulation."""
        host = self.samples["host_s"]
        return self.duration_s / float(host[-1] - host[0]) if len(host) > 1 and host[-1] > host[0] else 1.0


def find_record(path: Path) -> Path:
    """The database that a person means: the file, or run.db in a folder. Raises FileError."""
    record = path / "run.db" if path.is_dir() else path
    if not record.is_file():
        raise FileError(f"no record at {path}; name a folder that `ipch run` wrote, or a .db file")
    return record


def load_run(path: Path, number: int | None = None) -> Run:
    """Read a run (the last one by default). Raises FileError."""
    with closing(open_database(path)) as database:
        database.row_factory = sqlite3.Row
        try:
            wanted = number or last_run(database, path)
            row = database.execute("SELECT * FROM runs WHERE run = ?", (wanted,)).fetchone()
            if row is None:
                raise FileError(f"{path} holds no run {wanted}")
            samples, states = _samples(database, wanted)
            events = [
                Event(e["utc_s"], e["uptime_s"], e["kind"], e["text"], json.loads(e["data"]))
                for e in database.execute("SELECT * FROM events WHERE run = ? ORDER BY event", (wanted,))
            ]
        except (sqlite3.Error, ValueError) as error:
            raise FileError(f"{path} cannot be read: {error}") from error
    if not len(samples["uptime_s"]):
        raise FileError(f"{path}: run {wanted} has no samples")
    return Run(
        path=path,
        number=wanted,
        name=row["name"],
        started_utc=row["started_utc"],
        ended_utc=row["ended_utc"],
        ended_by=row["ended_by"],
        ipch_version=row["ipch_version"],
        port=row["port"],
        identity=json.loads(row["identity"]),
        settings=json.loads(row["settings"]),
        recipe=row["recipe"],
        samples=samples,
        states=states,
        events=events,
        steps=_steps(events, float(samples["uptime_s"][-1])),
    )


def _samples(database: sqlite3.Connection, run: int) -> tuple[dict[str, Floats], list[str]]:
    names = [name for name in (*SAMPLE_COLUMNS, "utc_s", "host_s") if name not in _TEXTS]
    query = f"SELECT state, {', '.join(names)} FROM samples WHERE run = ? ORDER BY boot, sequence"
    states: list[str] = []
    values: list[tuple[Any, ...]] = []
    for row in database.execute(query, (run,)):
        states.append(row[0])
        values.append(tuple(row)[1:])
    # None becomes nan.
    table = np.array(values, dtype=np.float64).reshape(len(values), len(names))
    return {name: table[:, column] for column, name in enumerate(names)}, states


def _steps(events: list[Event], end_s: float) -> list[StepSpan]:
    """Spans of the steps: each lasts until the next one, or the end of the recipe."""
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
    """What was really so in a simulated chamber, on the device's time."""

    time_s: Floats
    pressure_pa: Floats
    fills: Floats
    vents: Floats


def load_truth(path: Path) -> Truth:
    """Read the file that `ipch sim --truth` wrote. Raises FileError."""
    columns: list[tuple[float, float, float, float]] = []
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                if not line.endswith("\n"):
                    break  # the simulator was stopped while it wrote
                row = json.loads(line)
                columns.append(
                    (row["time_s"], row["pressure_pa"], row["fill_openings"], row["vent_openings"])
                )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FileError(f"{path} is not a truth file of `ipch sim`: {error}") from error
    table = np.array(columns, dtype=np.float64).reshape(len(columns), 4)
    return Truth(table[:, 0], table[:, 1], table[:, 2], table[:, 3])
