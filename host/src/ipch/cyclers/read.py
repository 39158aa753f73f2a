"""Files of battery cyclers as one table: Neware .nda, .ndax and CSV (flat and nested), BioLogic .mpr and .mpt, BDF.

Third-party readers read binary files and EC-Lab's text (extra `cyclers`: fastnda for Neware, galvani for BioLogic).
Neware's CSV exports and BDF are plain tables. The only existing reader for both depends on an ontology library and a
notebook format, so they are read here.

Times are returned as Unix time. Neware's binary files hold it, and BDF may. All others hold the local time of the
cycler's computer without its time zone, so the caller must give one. Relative time alone is refused, since it cannot
be matched with a pressure.
"""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import tzinfo
from pathlib import Path

import numpy as np

from ipch.cyclers.bdf import read_bdf
from ipch.cyclers.biologic import read_mpr, read_mpt
from ipch.cyclers.neware import read_flat, read_nda, read_nested
from ipch.cyclers.table import CyclerData
from ipch.errors import FileError

ENDINGS = (".nda", ".ndax", ".mpr", ".mpt", ".csv")


def read_cycler(path: Path, zone: tzinfo | None = None, offset_s: float = 0.0) -> CyclerData:
    """Read one file. `zone` is the time zone of its wall clock; `offset_s` is added to its times. Raises FileError."""
    readers: dict[str, Callable[[Path, tzinfo | None], CyclerData]] = {
        ".nda": read_nda,
        ".ndax": read_nda,
        ".mpr": read_mpr,
        ".mpt": read_mpt,
        ".csv": _csv,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise FileError(f"{path}: unknown kind of cycler file; expected {', '.join(ENDINGS)}")
    if not path.is_file():
        raise FileError(f"no cycler file at {path}")
    try:
        data = reader(path, zone)
    except FileError:
        raise
    except Exception as error:
        # Third-party readers: any exception that a damaged file causes becomes one line here.
        raise FileError(f"{path} cannot be read: {type(error).__name__}: {error}") from error
    if not len(data):
        raise FileError(f"{path}: holds no rows")
    missing = int(np.sum(~np.isfinite(data.unix_s)))
    if missing:
        raise FileError(f"{path}: {missing} of {len(data)} rows have no time stamp")
    return replace(data, unix_s=data.unix_s + offset_s)


def read_cyclers(
    paths: Sequence[Path], zone: tzinfo | None = None, offset_s: float = 0.0
) -> list[CyclerData]:
    """Read several files of one cell in order of time. Cycle numbers continue. Raises FileError.

    A file whose cycle numbers already continue from the previous file is left unchanged.
    """
    parts = sorted((read_cycler(path, zone, offset_s) for path in paths), key=lambda part: part.unix_s[0])
    found: list[CyclerData] = []
    last = 0.0
    for part in parts:
        first = float(np.nanmin(part.cycle))
        if found and part.unix_s[0] < found[-1].unix_s[-1] - 60.0:
            raise FileError(f"{part.path} and {found[-1].path} overlap in time: give each period once")
        moved = part if first > last else replace(part, cycle=part.cycle + (last + 1 - first))
        last = float(np.nanmax(moved.cycle))
        found.append(moved)
    return found


def _csv(path: Path, zone: tzinfo | None) -> CyclerData:
    """BDF, or one of Neware's exports, recognised by its first lines."""
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Neware's client writes the degree sign in its computer's code page.
        text = raw.decode("gb18030", errors="replace")
    rows = list(csv.reader(io.StringIO(text)))
    if not rows:
        raise FileError(f"{path}: is empty")
    head = [cell.strip() for cell in rows[0]]
    if "Voltage / V" in head or "voltage_volt" in head:
        return read_bdf(path, head, rows[1:], zone)
    if "DataPoint" in head and "Cycle Index" in head:
        return read_flat(path, head, rows[1:], zone)
    if head[:1] == ["Cycle Index"] and len(rows) > 3 and any(c.strip() == "DataPoint" for c in rows[2]):
        return read_nested(path, rows, zone)
    raise FileError(f"{path}: unknown columns {', '.join(head[:4])}; expected Neware's exports or BDF")
