"""A regulator whose cable is unplugged and replugged at random instants while `ipch log` records it."""

from __future__ import annotations

import random
import select
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO

from ipch.sim import channel
from ipch.sim.server import RunningServer


@dataclass(frozen=True)
class Replugged:
    """Findings in the record."""

    gaps: int
    """Marked gaps, with both ends and the cause."""
    unmarked: int
    """Periods of more than a second of the computer's time without a sample and without a mark."""
    twice: int
    not_regulating: int
    """Samples in any other state."""
    ended_by: str


def replug_often(running: RunningServer, path: Path, times: int, seed: int) -> Replugged:
    """Log a regulating device and unplug its cable this many times; each time until the log has noticed."""
    chosen = random.Random(seed)
    control = running.first_line["control"]
    ipch = [sys.executable, "-m", "ipch"]
    command = [*ipch, "log", str(path), "--all", "--every", "1s", "--port", running.port]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as log:
        assert log.stderr is not None
        _until(log.stderr, "recording to")
        for _ in range(times):
            # Wait this long into the next samples, without a message meanwhile.
            select.select([log.stderr], [], [], chosen.uniform(0.0, 0.3))
            channel.ask(control, {"plug": False})
            _until(log.stderr, "resumes when it returns")
            channel.ask(control, {"plug": True})
            _until(log.stderr, "the device is back")
        # The next sample marks the last outage.
        select.select([log.stderr], [], [], 1.0)
        log.send_signal(signal.SIGINT)
        log.communicate(timeout=60)
    assert log.returncode == 0
    return _judge(path)


def _until(lines: IO[str], words: str) -> None:
    for line in lines:
        if words in line:
            return
        assert "Traceback" not in line, line
    raise AssertionError(f"the log ended before it said: {words}")


def _judge(path: Path) -> Replugged:
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute(
            "SELECT boot, sequence, host_s, state FROM samples ORDER BY boot, sequence"
        ).fetchall()
        marks = database.execute(
            "SELECT json_extract(data, '$.from_sequence'), json_extract(data, '$.to_sequence') FROM events"
            " WHERE kind = 'gap' AND json_extract(data, '$.cause') = 'the device was away'"
        ).fetchall()
        any_marks = set(
            database.execute(
                "SELECT json_extract(data, '$.from_sequence'), json_extract(data, '$.to_sequence') FROM events"
                " WHERE kind = 'gap'"
            )
        )
        ends = database.execute("SELECT ended_by FROM runs").fetchall()
    assert len(ends) == 1
    pairs = [((a[1], b[1]), b[2] - a[2]) for a, b in pairwise(rows)]
    neighbours = {pair for pair, _ in pairs}
    return Replugged(
        gaps=sum(mark in neighbours for mark in marks),
        unmarked=sum(seconds > 1.0 and pair not in any_marks for pair, seconds in pairs),
        twice=len(rows) - len({row[:2] for row in rows}),
        not_regulating=sum(row[3] != "REGULATE" for row in rows),
        ended_by=ends[0][0],
    )
