"""Present cycle number of a cycler, from the file that it is still writing."""

import csv
import re
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from ipch.errors import FileError

_CYCLE = re.compile(r"cycle[ _]?(index|number|count|id|no\.?)?( ?/ ?1)?|循环号|循环序号", re.IGNORECASE)
_LINE_LIMIT = 1_000_000
_HEAD_LINES = 1000
_BINARY = (".nda", ".ndax", ".mpr")
_TEXT = (".csv", ".txt", ".tsv", ".dat", ".mpt")
# Each growth means a full read: at most this often, and for at most a tenth of the time.
_AGAIN_S = 30.0
_REST = 10.0


class Cycles(Protocol):
    """What `open_cycles` returns."""

    @property
    def trouble(self) -> str:
        """Reason why no cycle was found, if it is more than that none was written yet; else empty."""

    def read(self) -> int:
        """The highest cycle so far, 0 before the first. Never waits, never raises."""

    def close(self) -> None: ...


def open_cycles(path: Path) -> Cycles:
    """Follow a file that may not exist yet. Raises FileError for a kind that cannot be followed."""
    check_kind(path)
    return BinaryCycles(path) if path.suffix.lower() in _BINARY else TextCycles(path)


def check_kind(path: Path) -> None:
    """Raises FileError if this kind of file has no readable cycles, or needs a library that is missing."""
    ending = path.suffix.lower()
    if ending not in (*_BINARY, *_TEXT):
        raise FileError(
            f"{path}: cannot follow cycles in this kind of file; expected {', '.join((*_TEXT, *_BINARY))}"
        )
    if ending in _BINARY:
        from ipch.cyclers.table import library

        library("galvani" if ending == ".mpr" else "fastnda")


class BinaryCycles:
    """A binary file, read in full by the cycler's reader after each change, in a thread of its own."""

    def __init__(self, path: Path, again_s: float = _AGAIN_S, rest: float = _REST) -> None:
        """The next read starts at least `again_s` after the last, and `rest` times that read's duration."""
        self._path = path
        self._again_s = again_s
        self._rest = rest
        self._next = 0.0
        self._version: tuple[int, int, int] | None = None
        self._pool = ThreadPoolExecutor(1, "ipch-cycles")
        self._reading: Future[int] | None = None
        self._began = 0.0
        self.highest = 0
        self.trouble = ""

    def read(self) -> int:
        """See Cycles: the result of the last complete read; the next one starts when it is due."""
        now = time.monotonic()
        if self._reading is not None:
            if not self._reading.done():
                return self.highest
            try:
                self.highest, self.trouble = max(self.highest, self._reading.result()), ""
            except FileError as error:
                # Perhaps half written: a later read may find it complete.
                self.trouble = str(error)
            self._reading = None
            self._next = now + max(self._again_s, self._rest * (now - self._began))
        if now >= self._next and (version := _version(self._path)) not in (None, self._version):
            self._version, self._began = version, now
            self._reading = self._pool.submit(_highest, self._path)
        return self.highest

    def close(self) -> None:
        """Release the thread; a read in progress ends by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _version(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _highest(path: Path) -> int:
    from datetime import UTC

    import numpy as np

    from ipch.cyclers.read import read_cycler

    # Its times and its time zone do not matter here.
    return int(np.nanmax(read_cycler(path, UTC).cycle))


class TextCycles:
    """The highest cycle number in a text table that a cycler is still writing; reads only new text."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._start()

    def _start(self) -> None:
        self._offset = 0
        self._inode = -1
        self._rest = b""
        self._column = -1
        self._lines = 0
        self._separator = ","
        self.highest = 0

    @property
    def trouble(self) -> str:
        """Reason why there may never be a cycle; else empty."""
        if self._column < 0 and self._lines >= _HEAD_LINES:
            return f"{self._path}: no column of cycle numbers in its first {_HEAD_LINES} lines"
        return ""

    def read(self) -> int:
        """The highest cycle so far, 0 before the first; a replaced file is read from its start."""
        try:
            with self._path.open("rb") as file:
                status = self._path.stat()
                if status.st_ino != self._inode or status.st_size < self._offset:
                    self._start()
                    self._inode = status.st_ino
                file.seek(self._offset)
                data = file.read()
        except OSError:
            # Not there yet, or locked by the cycler.
            return self.highest
        self._offset += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[-_LINE_LIMIT:]
        for line in lines:
            self._take(line.decode("utf-8-sig", "replace").strip("\r"))
        return self.highest

    def close(self) -> None:
        """No open file to close."""

    def _take(self, line: str) -> None:
        if self._column < 0:
            self._lines += 1
            for separator in (",", "\t", ";"):
                names = [name.strip().strip('"') for name in line.split(separator)]
                columns = [at for at, name in enumerate(names) if _CYCLE.fullmatch(name)]
                if columns and len(names) > 1:
                    self._column, self._separator = columns[0], separator
            return
        cells = next(csv.reader([line], delimiter=self._separator), [])
        if len(cells) > self._column:
            try:
                number = float(cells[self._column].replace(",", "."))
            except ValueError:
                return
            if 0 < number < 1e9:
                self.highest = max(self.highest, int(number))
