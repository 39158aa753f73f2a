"""Runs simulating functions in processes of their own: on PyPy if installed, else on this interpreter.

A worker (worker.py) reads one job a line, `["module:function", [arguments]]`, and answers with one line, both in JSON.
It needs only the standard library, and ends with its parent process, even if that is killed.
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
# Longer traces are given up. With PyPy's own limit of 6000 operations, single runs on a loaded machine were slower;
# `make bench ONLY=speed` on an idle one has to confirm that.
_TRACES = "trace_limit=3000,trace_eagerness=30"


def interpreter() -> list[str]:
    """Return the command of the interpreter for simulations: IPCH_BENCH_PYTHON, `pypy3` on the PATH, or this one."""
    chosen = os.environ.get("IPCH_BENCH_PYTHON") or shutil.which("pypy3") or sys.executable
    return [chosen, "--jit", _TRACES] if "pypy" in Path(chosen).name else [chosen]


class Workers:
    """Worker processes, by default IPCH_WORKERS or one for each processor; use it as a context manager."""

    def __init__(self, count: int = 0, command: list[str] | None = None) -> None:
        self.count = count or int(os.environ.get("IPCH_WORKERS", os.cpu_count() or 1))
        self._command = command or interpreter()
        self.name = ""
        """Name of the interpreter that runs the jobs."""
        self.cpu_s = 0.0
        """Processor time used so far."""

    def __enter__(self) -> Workers:
        self._threads = ThreadPoolExecutor(self.count)
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(map(str, (_HOST, _HOST / "src"))),
            # Folder of simple-pid, which is plain Python; last on the path.
            "BENCH_PACKAGES": sysconfig.get_path("purelib"),
            # MicroPython is in the folder of this interpreter.
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
        """Run one job; return its result as decoded JSON. Raises RuntimeError with the worker's traceback."""
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

    def run(self, jobs: Iterable[tuple[Callable[..., Any], tuple[Any, ...]]]) -> Iterator[Any]:
        """Run different functions, in parallel; results come in the order of the jobs."""
        return self._threads.map(lambda job: self.call(job[0], *job[1]), jobs)

    def map(self, function: str | Callable[..., Any], *columns: Iterable[Any]) -> Iterator[Any]:
        """Like the built-in `map`, in parallel: results come in the order of the arguments."""
        return self._threads.map(lambda *arguments: self.call(function, *arguments), *columns)
