"""What the last evaluation of a run was told: cycler files, time zone, volume, gas. Kept in the record."""

import contextlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from ipch.recording.schema import last_run, open_database


def recall(path: Path, number: int | None = None) -> dict[str, Any]:
    """What `remember` kept for a run, by default the last; empty if nothing."""
    with closing(open_database(path)) as database, contextlib.suppress(sqlite3.Error, ValueError):
        run = number or last_run(database, path)
        row = database.execute("SELECT told FROM evaluations WHERE run = ?", (run,)).fetchone()
        found: dict[str, Any] = json.loads(row[0]) if row else {}
        return found
    return {}


def remember(path: Path, number: int | None, told: dict[str, Any]) -> bool:
    """Keep what an evaluation was told. False if the record cannot be written, as in a read-only folder."""
    try:
        with closing(sqlite3.connect(path, timeout=2.0)) as database, database:
            run = number or last_run(database, path)
            database.execute(
                "CREATE TABLE IF NOT EXISTS evaluations (run INTEGER PRIMARY KEY, told TEXT NOT NULL)"
            )
            database.execute("INSERT OR REPLACE INTO evaluations VALUES (?, ?)", (run, json.dumps(told)))
    except sqlite3.Error:
        return False
    return True
