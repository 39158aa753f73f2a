"""A recorder that is killed at random instants, and the content of its record afterwards.

One process with all imports forks the recorders, so that a kill does not cost a start of Python.
"""

from __future__ import annotations

import os
import random
import select
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

_END = (1 << 60, 1e12)


def main() -> None:
    """For each line on stdin, fork a recorder of that port and file, kill it, and report the samples it acknowledged.

    It is killed this many seconds after its start, or if negative, after its first acknowledgement.
    """
    from ipch import workflows
    from ipch.device import Instrument, Owner, open_session
    from ipch.recording import Thinning

    for line in sys.stdin:
        port, path, seconds = line.rstrip("\n").split("\t")
        from_child, to_parent = os.pipe()
        child = os.fork()
        if not child:

            def acknowledge(rows: list[tuple[int, int]], pipe: int = to_parent) -> None:
                os.write(pipe, "".join(f"{boot} {sequence}\n" for boot, sequence in rows).encode())

            session = open_session(port)
            with Owner(session):
                workflows.log(
                    Instrument(session),
                    Path(path),
                    0.5,
                    None,
                    lambda sample: None,
                    thinning=Thinning(),
                    acknowledge=acknowledge,
                    commit_s=0.02,
                )
            os._exit(0)
        os.close(to_parent)
        # Only the instant comes from the clock: a pipe that is never written to.
        never, unused = os.pipe()
        data = b""
        # Two rows at least, however busy the computer is.
        while float(seconds) < 0 and data.count(b"\n") < 2:
            data += os.read(from_child, 65536)
        select.select([never], [], [], abs(float(seconds)))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        while more := os.read(from_child, 65536):
            data += more
        for descriptor in (from_child, never, unused):
            os.close(descriptor)
        # A write of up to 4096 bytes is complete or absent; text after the last line end is no acknowledgement.
        print(",".join(data.decode().split("\n")[:-1]), flush=True)


def kill_often(port: str, path: Path, times: int, seed: int) -> tuple[int, int, int]:
    """Lost acknowledged rows, duplicate rows, and kills without a marked gap."""
    chosen = random.Random(seed)
    acknowledged: list[tuple[int, int]] = []
    with subprocess.Popen(
        [sys.executable, "-m", "bench.scenarios.killed"],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdin is not None and parent.stdout is not None
        for _ in range(times):
            seconds = chosen.uniform(0.0, 0.5) if chosen.random() < 0.2 else -chosen.uniform(0.0, 0.2)
            print(port, path, seconds, sep="\t", file=parent.stdin, flush=True)
            for row in filter(None, parent.stdout.readline().strip().split(",")):
                boot, sequence = row.split()
                acknowledged.append((int(boot), int(sequence)))
        parent.stdin.close()
    assert len(acknowledged) > times
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute("SELECT boot, sequence FROM samples").fetchall()
        runs = database.execute("SELECT count(*) FROM runs").fetchone()[0]
        assert runs == 1 and database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        begins = database.execute(
            "SELECT event, host_s FROM events WHERE kind = 'begin' ORDER BY event"
        ).fetchall()
        unmarked = 0
        for (event, host_s), (next_event, next_s) in zip(begins[1:], [*begins[2:], _END], strict=True):
            seen = database.execute(
                "SELECT count(*) FROM samples WHERE host_s BETWEEN ? AND ?", (host_s, next_s)
            ).fetchone()[0]
            gaps = database.execute(
                "SELECT count(*) FROM events WHERE kind = 'gap' AND text LIKE '%not running'"
                " AND event BETWEEN ? AND ?",
                (event, next_event),
            ).fetchone()[0]
            # A recorder killed before its first sample leaves it to the next one to mark the gap.
            unmarked += seen > 0 and gaps != 1
    return len(set(acknowledged) - set(rows)), len(rows) - len(set(rows)), unmarked


if __name__ == "__main__":
    main()
