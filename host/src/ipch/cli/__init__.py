"""The command line. Commands translate words into calls; what they do is in the modules that they call.

Nothing heavy is imported here or at the head of the command modules: `ipch --help` has to answer at once.
"""

import contextlib
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

import typer

from ipch.cli.common import Options, fail, options
from ipch.errors import IpchError

INTERRUPTED = 130
TERMINATED = 143


class _Terminated(BaseException):
    """SIGTERM: files are closed on the way out, as after Ctrl-C."""


def _on_sigterm(signum: int, frame: FrameType | None) -> None:
    raise _Terminated


def run(arguments: list[str] | None = None) -> int:
    """Run one command line; return its exit code. Never lets an exception through that a user could see."""
    from ipch.cli.app import app

    words = sys.argv[1:] if arguments is None else arguments
    # Known before the line is parsed, so that a line that cannot be parsed is answered in JSON, too.
    options.__dict__.update(Options(json="--json" in words).__dict__)
    try:
        result = app(args=words, prog_name="ipch", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except IpchError as error:
        return fail(error.exit_code, str(error))
    except typer.TyperException as error:
        message = error.format_message().rstrip(".")
        command = getattr(getattr(error, "ctx", None), "command_path", "ipch")
        return fail(
            error.exit_code, f"{message[:1].lower()}{message[1:]}; `{command} --help` shows what there is"
        )
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except _Terminated:
        return TERMINATED
    except BrokenPipeError:
        # The reader of a pipe, such as head, has had enough; the interpreter must not complain at exit.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if os.environ.get("IPCH_TRACEBACK"):
            raise
        return fail(
            1,
            f"unexpected {type(error).__name__}: {error}; set IPCH_TRACEBACK=1 to see where, then report it",
        )


def main() -> NoReturn:
    """Entry point of the `ipch` program."""
    signal.signal(signal.SIGTERM, _on_sigterm)
    sys.exit(run())
