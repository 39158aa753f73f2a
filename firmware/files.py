"""The file system of the board, with the functions that regulator/store/copies.py needs."""

import os

_kept = {}  # files of `line`, as opening one takes longer than reading a line (1.2 ms of 1.5 on the emulated board)


def read(name: str):
    """Return the content of a file, or None if it does not exist."""
    try:
        with open(name, "rb") as file:
            return file.read()
    except OSError:
        return None


def line(name: str, offset: int) -> bytes:
    """Return the line of a file that begins at `offset`, or b"" if the file does not exist. The file stays open."""
    try:
        if name not in _kept:
            _kept[name] = open(name, "rb")  # noqa: SIM115
        _kept[name].seek(offset)
        return _kept[name].readline().rstrip()
    except OSError:
        return b""


def create(name: str):
    """Return a new file, to be written and closed; raise OSError if that fails."""
    return open(name, "wb")


def rename(old: str, new: str):
    """Rename a file and replace the target, atomically on littlefs."""
    os.rename(old, new)
