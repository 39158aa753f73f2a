"""The file system of the board, with the functions that regulator/store/copies.py needs."""

import os


def read(name: str):
    """Return the content of a file, or None if it does not exist."""
    try:
        with open(name, "rb") as file:
            return file.read()
    except OSError:
        return None


def line(name: str, offset: int) -> bytes:
    """Return the line of a file that begins at `offset`, or b"" if the file does not exist."""
    try:
        with open(name, "rb") as file:
            file.seek(offset)
            return file.readline().rstrip()
    except OSError:
        return b""


def create(name: str):
    """Return a new file, to be written and closed; raise OSError if that fails."""
    return open(name, "wb")


def rename(old: str, new: str):
    """Rename a file and replace the target, atomically on littlefs."""
    os.rename(old, new)
