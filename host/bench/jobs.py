"""Runs functions that simulate in processes of their own: on PyPy where there is one, else on this interpreter.

A worker (worker.py) reads one job a line, `["module:function", [arguments]]`, and answers with one line, both in JSON.
It needs the standard library alone, and ends with the program that started it, however that ends.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

_HOST = Path(__file__).parents[1]
# Traces of more than so many operations are given up: with PyPy's own 6000 the firmware's tick is traced again and
# again (9 to 15 us a tick instead of 4.5, `make bench ONLY=speed`).
_TRACES = "trace_limit=3000,trace_eagerness=30"


def interpreter() -> list[str]:
    """Return the command of what simulates: IPCH_BENCH_PYTHON, `pypy3` on the PATH, or this interpreter."""
    chosen = os.environ.get("IPCH_BENCH_PYTHON") or shutil.which("pypy3") or sys.executable
    return [chosen, "--jit", _TRACES] if "pypy" in Path(chosen).name else [chosen]


class Workers:
    """So many processes, one for each processor unless told otherwise; use it in a `with`."""

    def __init__(self, count: int = 0, command: list[str] | None = None) -> None:
        self.count = count or os.cpu_count() or 1
        self._command = command or interpreter()
        self.name = ""
        """Which interpreter runs the jobs."""
        self.cpu_s = 0.0
        """How long processors have worked for them so far."""

    def __enter__(self) -> Workers:
        self._threads = ThreadPoolExecutor(self.count)
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(map(str, (_HOST, _HOST / "src"))),
            # Where simple-pid is, which is plain Python; behind everything else.
            "BENCH_PACKAGES": sysconfig.get_path("purelib"),
            # MicroPython is beside this interpreter.
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))),
        }
        self._all = [
            subprocess.Popen(
                [*self._command, "-m", "bench.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment,
                text=True,
            )
            for _ in range(self.count)
        ]
        self._idle: SimpleQueue[subprocess.Popen[str]] = SimpleQueue()
        for worker in self._all:
            self._idle.put(worker)
        self.name = self.call("bench.worker:name")
        return self

    def __exit__(self, *error: object) -> None:
        for worker in self._all:
            worker.kill()
            worker.wait()
        self._threads.shutdown(cancel_futures=True)
        for worker in self._all:
            for pipe in (worker.stdin, worker.stdout):
                assert pipe is not None
                pipe.close()

    def call(self, function: str | Callable[..., Any], *arguments: Any) -> Any:
        """Run one job; return what came of it as JSON has it. Raises RuntimeError with the worker's traceback."""
        name = function if isinstance(function, str) else f"{function.__module__}:{function.__qualname__}"
        worker = self._idle.get()
        assert worker.stdin is not None and worker.stdout is not None
        try:
            worker.stdin.write(json.dumps([name, arguments]) + "\n")
            worker.stdin.flush()
            answer = worker.stdout.readline()
        finally:
            self._idle.put(worker)
        if not answer:
            raise RuntimeError(f"a worker ended in {name}{arguments}")
        done, result, cpu_s = json.loads(answer)
        self.cpu_s += cpu_s
        if not done:
            raise RuntimeError(result)
        return result

    def map(self, function: str | Callable[..., Any], *columns: Iterable[Any]) -> Iterator[Any]:
        """As the built-in `map`, side by side: results come in the order of the arguments."""
        return self._threads.map(lambda *arguments: self.call(function, *arguments), *columns)
