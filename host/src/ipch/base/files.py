"""Reading and writing files: what the system refuses becomes one line for people."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from ipch.errors import FileError


@contextlib.contextmanager
def access(verb: str, path: Path) -> Iterator[None]:
    """While a file is read or written, an OSError becomes FileError: `cannot VERB PATH: reason`."""
    try:
        yield
    except OSError as error:
        raise FileError(f"cannot {verb} {path}: {error.strerror or error}") from error


def read_text(path: Path) -> str:
    """The whole of a text file. Raises FileError, and UnicodeDecodeError for other bytes than UTF-8."""
    with access("read", path):
        return path.read_text(encoding="utf-8")


def write_text(path: Path, text: str) -> None:
    """Write a text file. Raises FileError."""
    with access("write", path):
        path.write_text(text, encoding="utf-8")
