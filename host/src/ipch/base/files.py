"""Reading and writing files, with one-line errors."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from ipch.errors import FileError


@contextlib.contextmanager
def access(verb: str, path: Path) -> Iterator[None]:
    """Convert an OSError in the block to FileError: `cannot VERB PATH: reason`."""
    try:
        yield
    except OSError as error:
        raise FileError(f"cannot {verb} {path}: {error.strerror or error}") from error


def read_text(path: Path) -> str:
    """Read a text file. Raises FileError, or UnicodeDecodeError if it is not UTF-8."""
    with access("read", path):
        return path.read_text(encoding="utf-8")


def write_text(path: Path, text: str) -> None:
    """Write a text file. Raises FileError."""
    with access("write", path):
        path.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def reserved(path: Path) -> Iterator[None]:
    """Create an empty file before the work whose result it is to hold; an exception in the block removes it.

    Raises FileError if the file exists or cannot be created.
    """
    with access("write", path):
        path.touch(exist_ok=False)
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise
