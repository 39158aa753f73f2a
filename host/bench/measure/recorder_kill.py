"""Kill the recorder 200 times at random instants while it writes one record."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from bench.jobs import Workers
from bench.rows import row
from bench.scenarios.killed import kill_often
from ipch.sim.server import simulate

KILLS = 200


def measure(out: Path, workers: Workers) -> list[dict[str, Any]]:
    """Return missing, duplicate or unmarked samples of the record."""
    with tempfile.TemporaryDirectory() as folder, simulate(["--speed", "20"]) as running:
        lost, double, unmarked = kill_often(running.port, Path(folder) / "log.db", KILLS, seed=1)
    return [
        row("kills", KILLS, "", at_least=200),
        row("acknowledged rows lost", lost, "", at_most=0),
        row("rows twice", double, "", at_most=0),
        row("gaps unmarked", unmarked, "", at_most=0),
    ]
