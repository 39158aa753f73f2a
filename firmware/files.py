"""The file system of the board, as store.py wants it."""

import os


def read(name: str):
    """Return the content of a file, or None when there is no such file."""
    try:
        with open(name, "rb") as file:
            return file.read()
    except OSError:
        return None


def write(name: str, data: bytes):
    """Write a file whole; OSError when it cannot be written."""
    with open(name, "wb") as file:
        file.write(data)


def rename(old: str, new: str):
    """Rename a file over another one (atomic on littlefs)."""
    os.rename(old, new)
