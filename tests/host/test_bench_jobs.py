"""The workers of bench and fault proof: their answers, and that they end with the program that started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.jobs import Workers

ROOT = Path(__file__).parents[2]
ENDLESS = """
from bench.jobs import Workers
with Workers(2, [__import__("sys").executable]) as workers:
    print(*(each.pid for each in workers._all), flush=True)
    list(workers.map("time:sleep", [1000.0, 1000.0]))
"""


def test_answers_come_in_order_and_errors_with_their_traceback() -> None:
    with Workers(2, [sys.executable]) as workers:
        assert workers.name.startswith("CPython 3.")
        assert list(workers.map("builtins:divmod", range(10, 20), [3] * 10)) == [
            list(divmod(number, 3)) for number in range(10, 20)
        ]
        with pytest.raises(RuntimeError, match="ZeroDivisionError"):
            workers.call("builtins:divmod", 1, 0)
        # What a job prints is no answer, and a worker goes on after an error.
        assert workers.call("builtins:print", "[true, 1, 0]") is None
        assert workers.cpu_s >= 0.0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_workers_end_with_their_program(number: signal.Signals) -> None:
    paths = {"PYTHONPATH": os.pathsep.join(map(str, (ROOT / "host", ROOT / "host" / "src")))}
    program = subprocess.Popen(
        [sys.executable, "-c", ENDLESS], env=os.environ | paths, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert program.stdout is not None
    workers = [int(pid) for pid in program.stdout.readline().split()]
    assert len(workers) == 2
    program.send_signal(number)
    program.communicate(timeout=60)
    deadline = time.monotonic() + 60
    while any(_runs(pid) for pid in workers):
        assert time.monotonic() < deadline, "a worker outlived its program"
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
