"""Keep the computer from falling asleep while something is recorded."""

import contextlib
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

_log = logging.getLogger(__name__)
# ES_CONTINUOUS alone, and with ES_SYSTEM_REQUIRED (SetThreadExecutionState).
_AS_USUAL = 0x80000000
_AWAKE = 0x80000001


@contextlib.contextmanager
def kept_awake(why: str) -> Iterator[None]:
    """Ask the system not to sleep during the block. Where it does not listen, nothing else changes."""
    with contextlib.ExitStack() as stack:
        if os.name == "nt":
            _execution_state(_AWAKE)
            stack.callback(_execution_state, _AS_USUAL)
        elif (words := _guard(why)) is not None:
            with contextlib.suppress(OSError):
                # It ends with its standard input, also if this process is killed.
                process = subprocess.Popen(
                    words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                )
                stack.callback(_end, process)
                _log.info("kept awake by %s", words[0])
        yield


def _guard(why: str) -> list[str] | None:
    """A program that keeps the system awake until its standard input ends."""
    if sys.platform == "darwin" and shutil.which("caffeinate"):
        return ["caffeinate", "-i", "-w", str(os.getpid())]
    if os.path.exists("/run/systemd/system") and (found := shutil.which("systemd-inhibit")):
        return [found, "--what=idle:sleep", "--who=ipch", f"--why={why}", "--mode=block", "cat"]
    return None


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
    process.terminate()
    process.wait()


def _execution_state(state: int) -> None:
    import ctypes

    found = getattr(ctypes, "windll").kernel32.SetThreadExecutionState(state)  # noqa: B009 (on Windows alone)
    _log.info("execution state %#x, was %#x", state, found)
