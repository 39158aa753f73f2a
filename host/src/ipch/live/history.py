"""The history that a page draws: bins of equal width, each with the lowest and the highest pressure in it."""

import contextlib
import math
import sqlite3
import threading
from collections import deque
from pathlib import Path
from typing import Any

from ipch.device import Sample
from ipch.errors import FileError
from ipch.recording import open_database

HOUR_S, DAY_S = 3600.0, 86_400.0
_BINS = 1200
# A hole in the lines: this many bins without a sample, and longer than a recipe samples apart.
_HOLE_BINS, _HOLE_S = 3.0, 180.0
# A record that is faster than the clock by this factor is of a simulation.
_SIMULATED_SPEED = 1.5

FIELDS = (
    "time_s", "low_pa", "high_pa", "ramp_pa", "target_pa", "supply_pa", "gas_k", "wall_k", "fills", "vents", "regulates"
)  # fmt: skip
Row = list[Any]
"""One value for each of FIELDS; the pressures of a hole are None."""


def row_of(time_s: float, sample: Sample) -> Row:
    """A bin with one sample in it."""
    names = (
        "pressure_pa",
        "pressure_pa",
        "ramp_pa",
        "target_pa",
        "supply_pa",
        "gas_k",
        "wall_k",
        "fills",
        "vents",
    )
    values = [_finite(getattr(sample, name)) for name in names]
    return [time_s, *values, int(sample.state in ("REGULATE", "QUIET"))]


class Span:
    """The bins of one span. Past `most`, the oldest go, or with `grows` the bins double their width."""

    def __init__(self, width_s: float, most: int = _BINS, *, grows: bool = False) -> None:
        self.width_s = width_s
        self._most = most
        self._grows = grows
        self.rows: deque[Row] = deque()

    def add(self, row: Row) -> None:
        """Add a sample, or a hole."""
        last = self.rows[-1] if self.rows else None
        if last is not None and self._bin(last) == self._bin(row) and (last[1] is None) == (row[1] is None):
            self.rows[-1] = _joined(last, row)
            return
        self.rows.append(row)
        if len(self.rows) > self._most:
            if not self._grows:
                self.rows.popleft()
                return
            self.width_s *= 2
            rows, self.rows = self.rows, deque()
            for each in rows:
                self.add(each)

    def columns(self) -> dict[str, list[Any]]:
        """A list for each of FIELDS, with a hole where no sample was."""
        shown: list[Row] = []
        for row in self.rows:
            if shown and row[0] - shown[-1][0] > max(_HOLE_BINS * self.width_s, _HOLE_S):
                shown.append(hole(shown[-1][0] + self.width_s))
            shown.append(row)
        return {name: [row[n] for row in shown] for n, name in enumerate(FIELDS)}

    def _bin(self, row: Row) -> int:
        return int(row[0] // self.width_s)


class History:
    """Last hour, last day and everything, of bounded size. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spans = _spans()

    def add(self, row: Row) -> None:
        with self._lock:
            for span in self._spans.values():
                span.add(row)

    def columns(self, span: str) -> dict[str, Any]:
        """FIELDS of a span (hour, day or all), and the width of its bins in s. Raises KeyError for another span."""
        with self._lock:
            found = self._spans[span]
            return {"width_s": found.width_s, **found.columns()}

    def seed(self, record: Path, now_s: float) -> None:
        """Put the last run of a record before what is there. A record that cannot be read adds nothing."""
        spans = _spans()
        with (
            contextlib.suppress(sqlite3.Error, FileError),
            contextlib.closing(open_database(record)) as database,
        ):
            for name, span in spans.items():
                for row in _recorded(database, span.width_s, now_s - _LENGTHS_S[name]):
                    span.add(row)
        with self._lock:
            for name, span in self._spans.items():
                older = spans[name]
                first = span.rows[0][0] if span.rows else math.inf
                live, span.rows, span.width_s = span.rows, deque(), max(span.width_s, older.width_s)
                for row in (*(row for row in older.rows if row[0] < first), *live):
                    span.add(row)


_LENGTHS_S = {"hour": HOUR_S, "day": DAY_S, "all": math.inf}


def _spans() -> dict[str, Span]:
    return {"hour": Span(HOUR_S / _BINS), "day": Span(DAY_S / _BINS), "all": Span(30.0, grows=True)}


def hole(time_s: float) -> Row:
    """A break in all lines."""
    return [time_s, *[None] * (len(FIELDS) - 4), None, None, 0]


def _recorded(database: sqlite3.Connection, width_s: float, since_s: float) -> list[Row]:
    """Bins of the last run. A simulation that outran the clock is counted back from its end in device time."""
    ends = database.execute(
        "SELECT run, min(utc_s), max(utc_s), min(uptime_s), max(uptime_s) FROM samples"
        " WHERE run = (SELECT max(run) FROM runs) GROUP BY run"
    ).fetchone()
    if ends is None:
        return []
    run, first_utc_s, last_utc_s, first_s, last_s = ends
    simulated = last_s - first_s > _SIMULATED_SPEED * (last_utc_s - first_utc_s) + 1
    time_s = f"(uptime_s + {last_utc_s - last_s!r})" if simulated else "utc_s"
    query = (
        f"SELECT max({time_s}), min(pressure_pa), max(pressure_pa), ramp_pa, target_pa, supply_pa, gas_k, wall_k,"
        f" fills, vents, state IN ('REGULATE', 'QUIET') FROM samples WHERE run = ? AND {time_s} > ?"
        f" GROUP BY CAST({time_s} / ? AS INTEGER) ORDER BY 1"
    )
    return [list(row) for row in database.execute(query, (run, max(since_s, 0.0), width_s))]


def _joined(first: Row, second: Row) -> Row:
    if second[1] is None:
        return first
    return [second[0], min(first[1], second[1]), max(first[2], second[2]), *second[3:]]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
