"""Recording directly to a CSV file instead of a database."""

import csv
import math
import time
from pathlib import Path
from typing import Any, Self

from ipch.base.files import access
from ipch.device import Sample
from ipch.errors import FileError
from ipch.recording.schema import SAMPLE_COLUMNS, iso_utc


class CsvLog:
    """Writes samples as CSV lines and flushes each one; the column names include units."""

    def __init__(self, path: Path) -> None:
        """Create a new file. Raises FileError."""
        self.path = path
        with access("write", path):
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._file = path.open("x", newline="", encoding="utf-8")
        except FileExistsError as error:
            raise FileError(f"{path} exists already; name another file") from error
        except OSError as error:
            raise FileError(f"cannot write {path}: {error.strerror}") from error
        self._writer = csv.writer(self._file)
        self._names: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()

    def sample(self, sample: Sample) -> None:
        """Write one sample, taken now. Raises FileError."""
        utc_s = time.time()
        row = sample.row()
        with access("write", self.path):
            if not self._names:
                self._names = [*SAMPLE_COLUMNS, *sample.more]
                self._writer.writerow(["utc", "utc_s", *self._names])
            cells = [_cell(row.get(name)) for name in self._names]
            self._writer.writerow([iso_utc(utc_s), f"{utc_s:.3f}", *cells])
            self._file.flush()


def _cell(value: Any) -> Any:
    """Format a value as in the database: an invalid reading is empty, a flag is 1 or 0."""
    if isinstance(value, bool):
        return int(value)
    return None if isinstance(value, float) and math.isnan(value) else value
