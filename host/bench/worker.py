"""The process that jobs.py starts: runs the named functions, one line of JSON each way."""

from __future__ import annotations

import importlib
import json
import os
import platform
import signal
import sys
import threading
import traceback
from queue import Queue


def name() -> str:
    """Return the name of this interpreter."""
    pypy = getattr(sys, "pypy_version_info", None)
    return f"PyPy {pypy.major}.{pypy.minor}.{pypy.micro}" if pypy else f"CPython {platform.python_version()}"


def main() -> None:
    """Answer until the parent process ends."""
    # Ctrl-C is for the parent process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.path.append(os.environ["BENCH_PACKAGES"])
    answers = os.fdopen(os.dup(1), "w")
    # Output of a job must not be taken for an answer.
    os.dup2(2, 1)
    jobs: Queue[str] = Queue()
    threading.Thread(target=_listen, args=(jobs,), daemon=True).start()
    while True:
        path, arguments = json.loads(jobs.get())
        module, _, function = path.partition(":")
        before = os.times()
        try:
            answer: list[object] = [True, getattr(importlib.import_module(module), function)(*arguments)]
        except Exception:
            answer = [False, traceback.format_exc()]
        # Including the programs that it started.
        answer.append(sum(os.times()[:4]) - sum(before[:4]))
        print(json.dumps(answer), file=answers, flush=True)


def _listen(jobs: Queue[str]) -> None:
    for line in sys.stdin:
        jobs.put(line)
    os._exit(1)


if __name__ == "__main__":
    main()
