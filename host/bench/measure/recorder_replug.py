"""Unplug and replug the cable 100 times at random instants while the recorder writes one record."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from bench.jobs import Workers
from bench.rows import row
from bench.scenarios.replugged import replug_often
from ipch.device import Instrument
from ipch.sim.server import simulate

TIMES = 100


def measure(out: Path, workers: Workers) -> list[dict[str, Any]]:
    """Return unmarked gaps and duplicates in the record, and whether regulation continued."""
    sets = ["--set", "volume_l=0.1", "--set", "initial_mpa=1"]
    with tempfile.TemporaryDirectory() as folder, simulate(["--speed", "20", *sets]) as running:
        with Instrument.open(running.port) as instrument:
            instrument.target_pa = 1_000_000
            instrument.on()
        found = replug_often(running, Path(folder) / "log.db", TIMES, seed=1)
    return [
        row("replugs", TIMES, "", at_least=100),
        row("gaps marked", found.gaps, "", at_least=TIMES),
        row("stretches without a sample or a mark", found.unmarked, "", at_most=0),
        row("rows twice", found.twice, "", at_most=0),
        row("samples that do not regulate", found.not_regulating, "", at_most=0),
    ]
