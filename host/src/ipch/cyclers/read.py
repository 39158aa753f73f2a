"""Files of battery cyclers as canonical tables: one file, or several of one cell joined in time.

Text formats are maps (see `maps`); binary files need a reader each (see `binary`). Times become Unix time: files that
hold the wall clock of the cycler's computer need its time zone, and files with test time alone the start of the test.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from pathlib import Path

import numpy as np

from ipch.cyclers.binary import read_mpr, read_neware, read_xlsx
from ipch.cyclers.cycles import Numbering
from ipch.cyclers.joining import joined
from ipch.cyclers.maps import Map, shipped
from ipch.cyclers.raw import Raw
from ipch.cyclers.rows import cleaned
from ipch.cyclers.table import CyclerData
from ipch.cyclers.text import read_text
from ipch.errors import FileError

BINARY = (".nda", ".ndax", ".mpr", ".xlsx")
TEXT = (".csv", ".txt", ".mpt", ".tsv", ".dat")
ENDINGS = (*BINARY, *TEXT)


@dataclass(frozen=True)
class Reading:
    """How to read what a file does not tell."""

    map: Map | None = None
    """The columns of a text table that no shipped map knows."""
    start: datetime | None = None
    """Start of the test, for files with test time alone."""
    cycles: Numbering | None = None
    """`file`: the file's own numbers; `charge` or `discharge`: a cycle begins with each of these. None: the file's, or
    where it has none, in the direction of the first half cycle."""


def read_cycler(
    path: Path, zone: tzinfo | None = None, offset_s: float = 0.0, reading: Reading | None = None
) -> CyclerData:
    """Read one file. `zone` is the time zone of its wall clock; `offset_s` is added to its times. Raises FileError."""
    return read_cyclers([path], zone, offset_s, reading)[0]


def read_cyclers(
    paths: Sequence[Path], zone: tzinfo | None = None, offset_s: float = 0.0, reading: Reading | None = None
) -> list[CyclerData]:
    """Read several files of one cell in order of time. Raises FileError.

    A file whose numbers go on from the file before continues its test; cycles of other files continue the numbers.
    Files whose rows take turns in time, such as those of EC-Lab's techniques in a loop, are interleaved.
    """
    how = reading or Reading()
    raws = []
    for path in paths:
        found = cleaned(_read(path, zone, how))
        raws.append(replace(found, unix_s=found.unix_s + offset_s))
    return joined(raws, how.cycles)


def _read(path: Path, zone: tzinfo | None, how: Reading) -> Raw:
    ending = path.suffix.lower()
    if ending not in ENDINGS and how.map is None:
        raise FileError(f"{path}: unknown kind of cycler file; expected {', '.join(ENDINGS)}")
    if not path.is_file():
        raise FileError(f"no cycler file at {path}")
    maps = shipped() if how.map is None else (how.map,)
    try:
        if ending in (".nda", ".ndax"):
            found = read_neware(path, zone)
        elif ending == ".mpr":
            found = read_mpr(path, zone, how.start)
        elif ending == ".xlsx":
            found = read_xlsx(path, maps, zone, how.start)
        else:
            found = read_text(path, maps, zone, how.start)
    except FileError:
        raise
    except Exception as error:
        # Third-party readers: any exception that a damaged file causes becomes one line here.
        text = " ".join(str(error).split()) or "damaged"
        raise FileError(f"{path} cannot be read: {type(error).__name__}: {text}") from error
    if not len(found):
        raise FileError(f"{path}: has no rows")
    if not np.isfinite(found.unix_s).any():
        raise FileError(f"{path}: no time stamps; give the start of the test with --start")
    return found
