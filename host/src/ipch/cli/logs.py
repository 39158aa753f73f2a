"""Logging for a command line: warnings on stderr, everything with `--verbose`, and to a file with `--log-file`."""

import contextlib
import logging
import re
import shlex
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from ipch.base.files import access

_log = logging.getLogger("ipch")
_TOKEN = re.compile(r"(--http-token[= ])('[^']*'|\S+)")


class _Times(logging.Formatter):
    """Times as ISO 8601 with Z, to the millisecond."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 (its name)
        stamp = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        return stamp.replace("+00:00", "Z")


@contextlib.contextmanager
def logging_to_stderr() -> Iterator[None]:
    """Show warnings on stderr, and close what the options add, at the end of the block."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(logging.Formatter("ipch: %(message)s"))
    _log.addHandler(handler)
    try:
        yield
    finally:
        for each in list(_log.handlers):
            _log.removeHandler(each)
            each.close()
        _log.setLevel(logging.NOTSET)


def show_all() -> None:
    """Show every message on stderr, with its time, also the lines to and from the device."""
    for handler in _log.handlers:
        if type(handler) is logging.StreamHandler:
            handler.setLevel(logging.DEBUG)
            handler.setFormatter(_Times("%(asctime)s %(name)s %(message)s"))
    _log.setLevel(logging.DEBUG)


def write_to(path: Path) -> None:
    """Append every message to a file. Raises FileError."""
    with access("write", path):
        handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(_Times("%(asctime)s %(levelname)s %(name)s %(message)s"))
    _log.addHandler(handler)
    _log.setLevel(logging.DEBUG)
    # The file may be sent with a report of a defect.
    _log.info("ipch %s", _TOKEN.sub(r"\1***", shlex.join(sys.argv[1:])))


def to_front(words: list[str]) -> list[str]:
    """Move the options of this module before the command: they may stand anywhere."""
    front: list[str] = []
    rest: list[str] = []
    given = iter(words)
    for word in given:
        if word == "--":
            rest += [word, *given]
        elif word in ("-v", "--verbose") or word.startswith("--log-file="):
            front.append(word)
        elif word == "--log-file":
            file = next(given, "-")
            if file.startswith("-"):
                # Not the command's name instead.
                return [word]
            front += [word, file]
        else:
            rest.append(word)
    return front + rest
