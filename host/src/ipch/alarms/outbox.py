"""Events that wait for delivery, in a file that outlives the program; retried with growing intervals."""

import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ipch.alarms.rules import Event
from ipch.base.files import access
from ipch.errors import FileError

# After a week nobody needs to be woken for it.
_KEPT_S = 7 * 86400.0
# Longer than any attempt: after this time the program that made it has died.
_CLAIM_S = 120.0
_TABLES = """
CREATE TABLE IF NOT EXISTS queue (
    number INTEGER PRIMARY KEY,
    config TEXT NOT NULL,      -- path of the alarm file that says where to
    way TEXT NOT NULL,         -- command, webhook or email
    event TEXT NOT NULL,       -- JSON
    since_s REAL NOT NULL,     -- Unix time, as the next two
    due_s REAL NOT NULL,
    claimed_s REAL NOT NULL,
    tries INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS sent (what TEXT PRIMARY KEY, at TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Waiting:
    """An event on its way."""

    number: int
    event: Event
    tries: int
    """Failed attempts so far."""


class Outbox:
    """The queue of one alarm file; several programs may use it. Raises FileError. Times are Unix times."""

    def __init__(self, path: Path, config: str = "", now: Callable[[], float] = time.time) -> None:
        self._path = path
        self._config = config
        self._now = now
        with access("write", path):
            path.parent.mkdir(parents=True, exist_ok=True)
        self._run(_TABLES.split(";")[0])
        self._run(_TABLES.split(";")[1])

    def put(self, event: Event, ways: list[str]) -> None:
        """Queue an event once for each way."""
        row = json.dumps(asdict(event))
        for way in ways:
            self._run(
                "INSERT INTO queue (config, way, event, since_s, due_s, claimed_s, tries) VALUES (?, ?, ?, ?, 0, 0, 0)",
                (self._config, way, row, self._now()),
            )

    def take(self, way: str) -> Waiting | None:
        """The oldest event of a way, if it is due and no other program delivers it."""
        now_s = self._now()
        self._run("DELETE FROM queue WHERE since_s < ?", (now_s - _KEPT_S,))
        rows = self._run(
            "UPDATE queue SET claimed_s = :now WHERE due_s <= :now AND claimed_s < :dead AND number ="
            " (SELECT min(number) FROM queue WHERE way = :way AND config = :config) RETURNING number, event, tries",
            {"now": now_s, "dead": now_s - _CLAIM_S, "way": way, "config": self._config},
        )
        return Waiting(rows[0][0], Event(**json.loads(rows[0][1])), rows[0][2]) if rows else None

    def delivered(self, waiting: Waiting) -> None:
        self._run("DELETE FROM queue WHERE number = ?", (waiting.number,))

    def failed(self, waiting: Waiting, again_s: float, *, aside: bool = False) -> None:
        """Try it again after this time; `aside`: after all others, which need not wait for it."""
        self._run(
            "UPDATE queue SET due_s = ?, claimed_s = 0, tries = tries + 1,"
            " number = CASE WHEN ? THEN (SELECT max(number) FROM queue) + 1 ELSE number END WHERE number = ?",
            (self._now() + again_s, aside, waiting.number),
        )

    def count(self) -> int:
        """Number of deliveries that wait."""
        return int(self._run("SELECT count(*) FROM queue WHERE config = ?", (self._config,))[0][0])

    def first_time(self, what: str, at: str) -> bool:
        """Return True the first time that something is noted for a date, for all programs together."""
        return bool(
            self._run(
                "INSERT INTO sent VALUES (?, ?) ON CONFLICT (what) DO UPDATE SET at = excluded.at"
                " WHERE at <> excluded.at RETURNING at",
                (f"{self._config} {what}", at),
            )
        )

    def _run(self, sql: str, values: Any = ()) -> list[tuple[Any, ...]]:
        try:
            # A connection for each: the queue is used by several threads, seldom.
            with closing(sqlite3.connect(self._path, timeout=10.0)) as database, database:
                return database.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise FileError(f"{self._path}: {error}; alarms cannot be queued") from error
