"""A run with the cell's data beside the pressure, for Python."""

import os
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from ipch.cyclers.merging import between, merge
from ipch.cyclers.read import Reading, read_cyclers
from ipch.cyclers.times import zone_of
from ipch.errors import UsageError
from ipch.recording import Run
from ipch.recording import load_run as load_record

_Path = str | os.PathLike[str]


def load_run(
    path: _Path,
    number: int | None = None,
    columns: Collection[str] | None = None,
    *,
    cycler: _Path | Sequence[_Path] | None = None,
    tz: str | None = None,
    offset_s: float = 0.0,
    reading: Reading | None = None,
) -> Run:
    """Read a run from a record, or from the folder that `ipch run` wrote.

    `number` chooses a run of the record, by default the last; `columns` limits the memory for a long one. With
    `cycler`, one or several files of it, `arrays` also has at each sample: `cycle`, `charge_ah` (in the cell since the
    first row, Ah), `cell_v` and `cell_a` (charging is positive); nan where the cycler has no row near. `tz` and
    `offset_s` are as for `ipch merge`. Raises FileError and UsageError.
    """
    run = load_record(path, number, columns)
    if cycler is None:
        return run
    files = [cycler] if isinstance(cycler, (str, os.PathLike)) else list(cycler)
    if not files:
        raise UsageError("cycler: the list of files is empty")
    merged = merge(run, read_cyclers([Path(file) for file in files], zone_of(tz), offset_s, reading))
    beside = {
        "cycle": merged.cycle_of_samples,
        "charge_ah": merged.charge_of_samples,
        **{
            name: between(merged.unix_s, merged.column(of_file), run.utc_s, merged.row_gap_s)
            for name, of_file in (("cell_v", "voltage_v"), ("cell_a", "current_a"))
        },
    }
    return replace(run, beside=beside)
