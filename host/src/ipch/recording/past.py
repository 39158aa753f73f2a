"""The runs in a folder, without reading their samples."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from ipch.errors import FileError
from ipch.recording.schema import open_database


def list_runs(folder: Path) -> list[dict[str, Any]]:
    """All runs of all records below a folder, the newest first; files that are no records are passed over."""
    found: list[dict[str, Any]] = []
    # os.walk passes over what cannot be read, or goes away meanwhile.
    below = (Path(at) / name for at, _, names in os.walk(folder) for name in sorted(names))
    paths = [folder] if folder.is_file() else [path for path in below if path.suffix == ".db"]
    for path in paths:
        try:
            with closing(open_database(path)) as database:
                database.row_factory = sqlite3.Row
                rows = database.execute(
                    "SELECT run, name, started_utc, ended_by, (SELECT max(uptime_s) - min(uptime_s) FROM samples"
                    " WHERE samples.run = runs.run) AS seconds FROM runs"
                ).fetchall()
        except (sqlite3.Error, FileError):
            continue
        record = path.parent if path.name == "run.db" else path
        found += [
            {
                "record": str(record), "run": row["run"], "runs": len(rows), "name": row["name"],
                "started_utc": row["started_utc"], "ended_by": row["ended_by"], "duration_s": row["seconds"] or 0.0,
            }
            for row in rows
        ]  # fmt: skip
    return sorted(found, key=lambda row: str(row["started_utc"]), reverse=True)
