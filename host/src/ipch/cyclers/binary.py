"""Binary files: Neware .nda and .ndax by fastnda, BioLogic .mpr by galvani, Neware .xlsx by calamine."""

import contextlib
import importlib
import importlib.metadata
import logging
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipch.base.extras import how_to_install
from ipch.cyclers.columns import Columns
from ipch.cyclers.maps import Map, fit
from ipch.cyclers.raw import Raw, raw
from ipch.cyclers.times import start_unix, unix_of
from ipch.errors import FileError

Floats = NDArray[np.floating[Any]]

# What fastnda reads as Unix time is a calendar without zone in these versions.
_CALENDAR_NDA = (1, 2, 3, 4, 26, 29)
_CALENDAR_NDC = (1, 2, 3, 4, 5, 7)
_PACKAGES = {"galvani": "datalab-org-galvani", "python_calamine": "python-calamine"}


def library(name: str) -> str:
    """Import a reader; return its name with its version. Raises FileError if it is missing or hidden by another."""
    package = _PACKAGES.get(name, name)
    try:
        importlib.import_module(name)
        version = importlib.metadata.version(package)
    except ImportError as error:
        # The old `galvani` has the same module name.
        if name == "galvani" and _installed("galvani"):
            raise FileError(
                "this file needs datalab-org-galvani, which replaces galvani: pip uninstall galvani, then"
                " pip install 'ipch[cyclers]'"
            ) from error
        raise FileError(f"this file needs {package}; {how_to_install('cyclers')}") from error
    if name == "galvani" and _installed("galvani"):
        raise FileError(
            "galvani and datalab-org-galvani are both installed and overwrite each other: pip uninstall both, then"
            " pip install 'ipch[cyclers]'"
        )
    return f"{package} {version}"


def _installed(package: str) -> bool:
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


# fastnda reads the parts of a zip file in threads. Before 3.14, Python's zipfile then mixes up their positions now and
# then; checksums notice it.
_MIXED_UP = (zipfile.BadZipFile, zlib.error, EOFError)
_TRIES = 5
# A title and a summary may stand above the table of a sheet.
_HEAD_ROWS = 100


def read_neware(path: Path, zone: tzinfo | None) -> Raw:
    """.nda or .ndax. Cycles as the cycler numbered them; the capacity is that of the step, negative on discharge."""
    reader = library("fastnda")
    import fastnda

    said: list[str] = []
    with warnings.catch_warnings(record=True) as caught, _listening("fastnda", said):
        warnings.simplefilter("always")
        for left in reversed(range(_TRIES)):
            try:
                frame = fastnda.read(str(path), cycle_mode="raw")
                break
            except _MIXED_UP:
                if not left:
                    raise
    numbered = not any("Raw cycle column missing" in text for text in said)

    def column(name: str) -> Floats:
        if name not in frame.columns:
            return np.full(len(frame), np.nan)
        values: Floats = frame[name].to_numpy().astype(np.float64)
        return values

    unix_s = column("unix_time_s")
    if np.isfinite(unix_s).any() and _is_calendar(path):
        unix_s = unix_of(unix_s, zone, path)
    notes = [f"{path.name}: {warning.message}" for warning in caught if "verified" in str(warning.message)]
    return raw(
        path, reader, len(frame),
        {
            "unix_s": unix_s, "test_s": column("total_time_s"), "voltage_v": column("voltage_V"),
            "current_a": column("current_mA") / 1e3, "cycle": column("cycle_count" if numbered else ""),
            "step": column("step_count"),
            "net": column("capacity_mAh") / 1e3,
        },
        notes=tuple(note.partition(" - ")[0] for note in notes),
    )  # fmt: skip


@contextlib.contextmanager
def _listening(name: str, said: list[str]) -> Iterator[None]:
    """Collects what a library logs instead of letting it onto the terminal."""
    logger = logging.getLogger(name)
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    before, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = before


def _is_calendar(path: Path) -> bool:
    """Whether the file's version keeps year, month and day instead of Unix time."""
    if path.suffix.lower() == ".nda":
        with path.open("rb") as file:
            return file.read(15)[14] in _CALENDAR_NDA
    with zipfile.ZipFile(path) as archive, archive.open("data.ndc") as file:
        return file.read(3)[2] in _CALENDAR_NDC


def read_mpr(path: Path, zone: tzinfo | None, start: datetime | None = None) -> Raw:
    """BioLogic binary. Its time counts from the start of the acquisition, also in the second of linked files."""
    reader = library("galvani")
    from galvani import BioLogic

    with warnings.catch_warnings(record=True) as caught, path.open("rb") as opened:
        warnings.simplefilter("always")
        try:
            file = BioLogic.MPRfile(opened)
        except RuntimeError as error:
            raise FileError(f"{path}: {error.args[0]}: {', '.join(map(str, error.args[1:2]))}") from error
    unknown = [match[1] for w in caught if (match := re.search(r"Unknown column ID (\d+)", str(w.message)))]
    if len(unknown) > 1:
        # One width follows from the size of the file, several do not.
        raise FileError(f"{path}: columns {', '.join(unknown)} are unknown to {reader}; export it as .mpt")
    table = {name: file.data[name].astype(np.float64) for name in file.data.dtype.names}

    def column(*names: str, scale: float = 1.0) -> Floats:
        found = next((table[name] for name in names if name in table), None)
        return np.full(len(file.data), np.nan) if found is None else found * scale

    start = getattr(file, "timestamp", None) or start
    if start is None:
        raise FileError(
            f"{path}: no time stamps: EC-Lab stored no start of the acquisition; give it with --start"
        )
    net = column("(Q-Qo)/mA.h", "Q charge/discharge/mA.h", "dQ/mA.h", scale=1e-3)
    if not np.isfinite(net).any():
        net = column("(Q-Qo)/C", "dQ/C", scale=1 / 3600)
    if not np.isfinite(net).any():
        net = np.cumsum(column("dq/mA.h", scale=1e-3))
    test_s = column("time/s")
    notes = (f"{path.name}: column {unknown[0]} is unknown to {reader}; not used",) if unknown else ()
    return raw(
        path, reader, len(file.data),
        {
            "unix_s": start_unix(start, zone, path) + test_s, "test_s": test_s,
            "voltage_v": column("Ewe/V", "<Ewe>/V", "Ecell/V"), "current_a": column("<I>/mA", "I/mA", scale=1e-3),
            "cycle": column("cycle number"), "half": column("half cycle"), "step": column("Ns"), "net": net,
        },
        notes=notes,
    )  # fmt: skip


def read_xlsx(path: Path, maps: Sequence[Map], zone: tzinfo | None, start: datetime | None) -> Raw:
    """A workbook: the rows of all sheets that have the same head of records."""
    library("python_calamine")
    from python_calamine import CalamineWorkbook

    columns: Columns | None = None
    head: list[str] = []
    above: list[str] = []
    book = CalamineWorkbook.from_path(str(path))
    for name in book.sheet_names:
        rows = _texts(book.get_sheet_by_name(name).iter_rows())
        for row in islice(rows, _HEAD_ROWS):
            if columns is None:
                where = f"{path}, sheet {name}"
                fitting = [found for candidate in maps if (found := fit(candidate, row, where))]
                if fitting:
                    best = max(fitting, key=lambda found: len(found.column))
                    head, columns = row, Columns(path, best, comma=False)
            if columns is not None and row == head:
                columns.take(rows)
                break
            above.append(" ".join(row))
    if columns is None:
        raise FileError(
            f"{path}: none of its sheets ({', '.join(book.sheet_names[:6])}) holds records of a known maker"
        )
    return columns.raw(above, zone, start)


def _texts(rows: Iterator[Sequence[Any]]) -> Iterator[list[str]]:
    for row in rows:
        yield [_text(cell) for cell in row]


def _text(cell: Any) -> str:
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, date):
        # Midnight comes without its time.
        return f"{cell} 00:00:00"
    if isinstance(cell, timedelta):
        seconds = cell.total_seconds()
        return f"{int(seconds // 3600)}:{int(seconds // 60) % 60:02}:{seconds % 60:09.6f}"
    if isinstance(cell, time):
        return f"{cell.hour}:{cell.minute:02}:{cell.second + cell.microsecond / 1e6:09.6f}"
    return str(cell)
