"""The command line. Commands translate arguments into calls; the called modules do the work.

Heavy modules are imported inside the commands that use them, so that `ipch --help` answers at once.
"""

import contextlib
import logging
import os
import re
import shlex
import signal
import sys
from itertools import pairwise
from types import FrameType
from typing import NoReturn

import typer

from ipch.cli.common import Options, fail, options
from ipch.cli.logs import logging_to_stderr, to_front
from ipch.errors import IpchError

INTERRUPTED = 130
TERMINATED = 143
_log = logging.getLogger(__name__)


class _Terminated(BaseException):
    """Raised on SIGTERM, so that files are closed as after Ctrl-C."""


def _on_sigterm(signum: int, frame: FrameType | None) -> None:
    raise _Terminated


def run(arguments: list[str] | None = None) -> int:
    """Run one command line; return its exit code. No exception reaches the user."""
    # Threads of numpy's matrix library spin while they wait for each other: a third of the processor time of a report.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    words = to_front(sys.argv[1:] if arguments is None else arguments)
    # Set before parsing, so that a parse error is also reported in JSON.
    options.__dict__.update(Options(json="--json" in words).__dict__)
    with logging_to_stderr():
        return _run(words)


def _run(words: list[str]) -> int:
    from ipch.cli.app import app

    try:
        result = app(args=words, prog_name="ipch", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except IpchError as error:
        return fail(error.exit_code, str(error))
    except typer.TyperException as error:
        message = error.format_message().rstrip(".")
        command = getattr(getattr(error, "ctx", None), "command_path", "ipch")
        hint = _hint(words) or f"`{command} --help` lists what is allowed"
        return fail(error.exit_code, f"{message[:1].lower()}{message[1:]}; {hint}")
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except _Terminated:
        return TERMINATED
    except BrokenPipeError:
        # The reader of the pipe, such as head, has closed it; keep the interpreter from complaining at exit.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if os.environ.get("IPCH_TRACEBACK"):
            raise
        _log.debug("unexpected", exc_info=error)
        return fail(
            1,
            f"unexpected {type(error).__name__}: {error} {_place(error)}; please report it, with the traceback that"
            " IPCH_TRACEBACK=1 or --log-file shows",
        )


def _place(error: Exception) -> str:
    """Where in this package an error arose."""
    import traceback
    from pathlib import Path

    package = Path(__file__).parents[1]
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename).is_relative_to(package):
            return f"(in ipch/{Path(frame.filename).relative_to(package).as_posix()}, line {frame.lineno})"
    return ""


def _hint(words: list[str]) -> str:
    """What to write instead of `set 50 bar`, which the shell has split, or `set -5MPa`; empty for other mistakes."""
    from ipch.base.units import is_unit

    if any(re.match(r"-\.?\d", word) for word in words):
        return "pressures are absolute and no quantity is negative; `ipch vent` lets the gas out"
    for number, unit in pairwise(words):
        if number[-1:].isdigit() and is_unit(unit):
            at = words.index(unit)
            told = shlex.join(["ipch", *words[: at - 1], f"{number} {unit}", *words[at + 1 :]])
            return f"number and unit are one word: {number}{unit}, or quoted: {told}"
    return ""


def main() -> NoReturn:
    """Entry point of the `ipch` program."""
    signal.signal(signal.SIGTERM, _on_sigterm)
    # A closed terminal ends a command as SIGTERM does, unless nohup says otherwise.
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _on_sigterm)
    sys.exit(run())
