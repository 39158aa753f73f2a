"""Free memory of the firmware on the sim rung after 1,000 commands of every kind and after 100,000."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from bench.jobs import Workers
from bench.rows import row
from tests.device.memory import EARLY_ROUNDS, ROUNDS_AGAIN, free_memory

LATE_ROUNDS = EARLY_ROUNDS + 56 * ROUNDS_AGAIN
COMMANDS_PER_ROUND = 28


def measure(out: Path, workers: Workers) -> list[dict[str, Any]]:
    """Return the free part of the 400 kB heap, and the loss between the two counts."""
    with tempfile.TemporaryDirectory() as folder:
        early, late = free_memory([EARLY_ROUNDS, LATE_ROUNDS], Path(folder))
    return [
        row("commands", LATE_ROUNDS * COMMANDS_PER_ROUND, "", at_least=100_000),
        row("free after 1,000 commands", early[1], "B"),
        row("free in the end", late[1], "B"),
        row("lost", early[1] - late[1], "B", at_most=0),
    ]
