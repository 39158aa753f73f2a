"""Sixty-four simulated chambers, each with its recorder, as programs of one computer; and what befalls them."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from ipch.sim import channel
from ipch.sim.server import RunningServer, simulate

IPCH = [sys.executable, "-m", "ipch"]
# A neighbour that is this much later in device time has lost a sample in between, at a sample a second.
_LATE_S = 2.0


@dataclass
class Chamber:
    """A simulated device and its recorder."""

    running: RunningServer
    record: Path
    address: str
    log: subprocess.Popen[str]
    said: str = ""

    @property
    def name(self) -> str:
        return str(self.running.first_line["serial"])

    def hear(self) -> str:
        """What the recorder has said so far."""
        assert self.log.stderr is not None
        pipe = self.log.stderr.fileno()
        # Not by lines: those that the stream has read ahead would hide from select.
        while select.select([pipe], [], [], 0)[0] and (piece := os.read(pipe, 65536)):
            self.said += piece.decode()
        return self.said

    def plug(self, plugged: bool) -> None:
        channel.ask(self.running.first_line["control"], {"plug": plugged})

    def fill_disk(self, full: bool) -> None:
        """Let the recorder write no file, or again."""
        import resource  # Windows lacks it, and has a test of this module.

        # Not the present size: a journal that begins anew does not grow.
        _, most = resource.prlimit(self.log.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.log.pid, resource.RLIMIT_FSIZE, (0 if full else most, most))

    def kill(self) -> None:
        self.hear()
        self.log.kill()
        self.log.wait()

    def restart(self) -> None:
        """As a service manager does."""
        self.log = _log(self.record, self.name, self.address)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _log(record: Path, serial: str, address: str) -> subprocess.Popen[str]:
    command = [*IPCH, "log", str(record), "--all", "--every", "1s", "--port", serial, "--http", address]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


@contextlib.contextmanager
def fleet(folder: Path, count: int) -> Iterator[list[Chamber]]:
    """So many chambers that regulate at 1 MPa, recorded once a second."""
    with contextlib.ExitStack() as stack:
        chambers: list[Chamber] = []
        for number in range(count):
            running = stack.enter_context(
                simulate(["--rig", "core", "--seed", str(number + 1), "--serial", f"F{number + 1:02}"])
            )
            record, address = folder / f"F{number + 1:02}.db", f"127.0.0.1:{free_port()}"
            chambers.append(Chamber(running, record, address, _log(record, f"F{number + 1:02}", address)))
        stack.callback(_end, chambers)
        told(chambers, "recording to", 300)
        yield chambers


def _end(chambers: list[Chamber]) -> None:
    for chamber in chambers:
        if chamber.log.poll() is None:
            chamber.log.send_signal(signal.SIGINT)
    for chamber in chambers:
        try:
            chamber.log.wait(60)
        except subprocess.TimeoutExpired:
            chamber.kill()


def told(chambers: list[Chamber], words: str, seconds: float) -> int:
    """How many of the recorders have said these words; waits so long for all of them."""
    with contextlib.suppress(AssertionError):
        until(lambda: all(words in chamber.hear() for chamber in chambers), seconds)
    return sum(words in chamber.said for chamber in chambers)


def until(so: Callable[[], bool], seconds: float) -> float:
    """Wait until it is so; return how long that took, s."""
    begun_s = time.monotonic()
    while not so():
        assert time.monotonic() - begun_s < seconds, f"not within {seconds} s"
        time.sleep(0.2)
    return time.monotonic() - begun_s


def scrape(address: str) -> tuple[str, float]:
    """The metrics served at an address, and the seconds that took."""
    begun_s = time.perf_counter()
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    return text, time.perf_counter() - begun_s


def unmarked(record: Path) -> tuple[int, int, int]:
    """Samples, samples that are twice, and times that a sample is missing without a mark, of a record."""
    with closing(sqlite3.connect(record)) as database:
        rows = database.execute(
            "SELECT boot, sequence, uptime_s FROM samples ORDER BY boot, sequence"
        ).fetchall()
        marks = set(
            database.execute(
                "SELECT json_extract(data, '$.from_sequence'), json_extract(data, '$.to_sequence') FROM events"
                " WHERE kind = 'gap'"
            )
        )
    missing = sum(b[2] - a[2] > _LATE_S and (a[1], b[1]) not in marks for a, b in pairwise(rows))
    return len(rows), len(rows) - len({row[:2] for row in rows}), missing


def gaps(record: Path, since_utc_s: float = 0.0) -> list[str]:
    """Causes of the marked gaps that ended since then."""
    with closing(sqlite3.connect(record)) as database:
        query = "SELECT text FROM events WHERE kind = 'gap' AND utc_s >= ?"
        return [cause for (cause,) in database.execute(query, (since_utc_s,))]


def used(pids: list[int]) -> tuple[float, float]:
    """Processor seconds used so far, and resident bytes, of processes that still run."""
    page, hertz = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")
    seconds = size = 0.0
    for pid in pids:
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            seconds += (int(words[11]) + int(words[12])) / hertz
            size += int(words[21]) * page
    return seconds, size
