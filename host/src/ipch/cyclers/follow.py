"""Present cycle number of a cycler, from the file that it is still writing."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from ipch.errors import FileError

# Each growth means a full read: at most this often, and for at most a tenth of the time.
_AGAIN_S = 1.0
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
    return GrowingCycles(path)


def check_kind(path: Path) -> None:
    """Raises FileError if this kind of file has no readable cycles, or needs a library that is missing."""
    from ipch.cyclers.binary import library
    from ipch.cyclers.read import ENDINGS

    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise FileError(f"{path}: cannot follow cycles in this kind of file; expected {', '.join(ENDINGS)}")
    needed = {".nda": "fastnda", ".ndax": "fastnda", ".mpr": "galvani", ".xlsx": "python_calamine"}
    if ending in needed:
        library(needed[ending])


class GrowingCycles:
    """A file that is read in full after each change, in a thread of its own, and so counted as by a merge."""

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
    return (status.st_ino, status.st_size, status.st_mtime_ns) if status.st_size else None


def _highest(path: Path) -> int:
    from ipch.cyclers.cycles import going_on, whole_numbers
    from ipch.cyclers.maps import shipped
    from ipch.cyclers.read import Reading, read_cycler
    from ipch.cyclers.text import UnknownTable, cycle_numbers

    try:
        # Its dates, its start and its time zone do not matter here.
        return int(
            read_cycler(path, UTC, reading=Reading(start=datetime(2000, 1, 1, tzinfo=UTC))).cycle.max()
        )
    except UnknownTable as unknown:
        try:
            numbers = cycle_numbers(path, shipped())
        except UnknownTable:
            raise unknown from None
        return int(whole_numbers(going_on(numbers)[0], path).max()) if len(numbers) else 0
