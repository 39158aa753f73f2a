"""A cell's current over time, from a CSV file or from a cycler's file."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import timezone
from pathlib import Path
from typing import Any

from ipch.errors import FileError

CellProfile = tuple[tuple[float, float], ...]


def points_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return plant parameters with the points of the file that cell_profile or cell_profile_csv names.

    Raises ValueError with one line that names the parameter.
    """
    values = dict(values)
    name = values.get("cell_profile_csv")
    points = values.get("cell_profile")
    if isinstance(name, str) and name:
        if points:
            raise ValueError("give cell_profile or cell_profile_csv, not both")
        values["cell_profile"] = read_profile(Path(name))
        # The list replaces the file's name: the result can be dumped and loaded again.
        values["cell_profile_csv"] = ""
    elif isinstance(points, str):
        values["cell_profile"] = read_cycler_profile(Path(points))
    return values


def read_profile(path: Path) -> CellProfile:
    """Read (time in s, current in A) rows from a CSV file; a first row that is not numbers is a heading."""
    points: list[tuple[float, float]] = []
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            for number, row in enumerate(csv.reader(lines), 1):
                if not row or row[0].lstrip().startswith("#"):
                    continue
                try:
                    time, current = (float(part) for part in row)
                except ValueError:
                    if number == 1:
                        continue
                    text = f"cell_profile_csv: {path} line {number}: expected time in s and current in A"
                    raise ValueError(text) from None
                points.append((time, current))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a CSV text file"
        raise ValueError(f"cell_profile_csv: cannot read {path}: {reason}") from None
    if not points:
        raise ValueError(f"cell_profile_csv: {path} has no points")
    return tuple(points)


def read_cycler_profile(path: Path) -> CellProfile:
    """Currents that reproduce the charge of a cycler's file, from 0 at its first row.

    A plain CSV file of time in s and current in A works as well.
    """
    from ipch.cyclers import charge_profile, read_cycler

    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            columns = file.readline().count(",") + 1
        if path.suffix.lower() == ".csv" and columns == 2:
            return read_profile(path)
        # Only the time between rows counts, so any time zone will do.
        return tuple(charge_profile(read_cycler(path, timezone.utc)))
    except OSError as error:
        raise ValueError(f"cell_profile: cannot read {path}: {error.strerror}") from None
    except FileError as error:
        raise ValueError(f"cell_profile: {error}") from None
