"""Pressure and cycler data on one time axis: a pressure for each cycler row, a cycle for each sample.

Nothing is extrapolated: two samples further apart than usual enclose a gap; a row in a gap stays unmatched and is
counted. A sample between two rows of one cycle belongs to that cycle; its charge is known if rows are near, or if none
moved meanwhile.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipch.analysis import grouped, longest_step_s, usual_step_s
from ipch.cyclers.table import CyclerData
from ipch.errors import FileError
from ipch.recording import Run, export, steady

Floats = NDArray[np.floating[Any]]

# Resting cyclers write a row every minute to every ten minutes.
_ROW_GAP_S = 900.0
_USUAL = 5.0
# A smaller backward step of a clock is rounding.
_BACK_S = 1.0
# Less than this share of all charge between two rows is a rest.
_STILL = 1e-3


@dataclass(frozen=True)
class Merged:
    """Cycler rows in order of time, and how many of them have a pressure."""

    run: Run
    parts: list[CyclerData]
    order: NDArray[np.integer[Any]] | None
    """Rows of all parts in order of time; None if they are so already."""
    unix_s: Floats
    """Times of the rows, corrected for clocks that were set back."""
    clock_steps: int
    """Number of backward steps of the cycler's clock."""
    pressure_pa: Floats
    """At each row; nan where no sample is near."""
    sample_gap_s: float
    row_gap_s: float

    def column(self, name: str) -> Floats:
        """A column of the cycler's data over all files."""
        return self._in_order([getattr(part, name) for part in self.parts])

    def _in_order(self, columns: Sequence[Floats]) -> Floats:
        # Of a long file nothing is held twice.
        values = columns[0] if len(columns) == 1 else np.concatenate(columns)
        return values if self.order is None else values[self.order]

    @cached_property
    def cycle(self) -> Floats:
        return self.column("cycle")

    @property
    def charged_ah(self) -> Floats:
        """Increment of the capacity at each row."""
        return self._in_order([np.diff(part.charged_ah, prepend=0.0) for part in self.parts])

    @property
    def discharged_ah(self) -> Floats:
        """Increment of the capacity at each row."""
        return self._in_order([np.diff(part.discharged_ah, prepend=0.0) for part in self.parts])

    @property
    def charge_ah(self) -> Floats:
        """Charge put into the cell since the first row, at each row."""
        charge_ah: Floats = np.cumsum(self.charged_ah - self.discharged_ah)
        return charge_ah

    @property
    def rows(self) -> int:
        return len(self.unix_s)

    @property
    def matched(self) -> int:
        """Rows that have a pressure."""
        return int(np.isfinite(self.pressure_pa).sum())

    @property
    def cycle_of_samples(self) -> Floats:
        """Cycle of each sample of the run; nan without cycler data.

        Between two rows of one cycle every sample belongs to it, however long the cycler wrote nothing.
        """
        same = np.diff(self.cycle, append=self.cycle[-1:]) == 0
        return self._at_samples(same, lambda before: self.cycle.astype(np.float32)[before])

    @property
    def charge_of_samples(self) -> Floats:
        """Charge in the cell at each sample, Ah; nan without cycler data, and where it moved while no row came."""
        charge_ah = self.charge_ah
        still = np.abs(np.diff(charge_ah, append=charge_ah[-1:])) <= _STILL * float(np.ptp(charge_ah))
        return self._at_samples(
            still, lambda _: np.interp(self.run.utc_s, self.unix_s, charge_ah).astype(np.float32)
        )

    def _at_samples(self, known: NDArray[np.bool_], values: Callable[[NDArray[Any]], Floats]) -> Floats:
        """Values at each sample, of the row before it; nan unless the next row is near or the value `known` till then.

        Of a month, single precision saves memory: it holds all numbers of cycles, and charge to a ten millionth.
        """
        sample_s = self.run.utc_s
        known = known | (np.diff(self.unix_s, append=self.unix_s[-1:]) <= self.row_gap_s)
        before = np.searchsorted(self.unix_s, sample_s, side="right").astype(np.int32) - np.int32(1)
        inside = (before >= 0) & (sample_s <= self.unix_s[-1])
        np.maximum(before, 0, out=before)
        return np.where(inside & known[before], values(before), np.float32(np.nan))

    @cached_property
    def spans_ah(self) -> dict[int, float]:
        """Largest less smallest charge of each cycle, from the row before its first."""
        charge_ah = self.charge_ah
        return {
            number: float(np.ptp(charge_ah[np.append(max(rows[0] - 1, 0), rows)]))
            for number, rows in grouped(self.cycle).items()
        }


def merge(run: Run, parts: Sequence[CyclerData]) -> Merged:
    """Match rows of cycler files (in order of time) with the samples of a run. Raises FileError.

    If no row lies beside a sample, the time zone or the offset is wrong, and the merge is refused.
    """
    steps = 0
    times = []
    for part in parts:
        advance_s = np.diff(part.unix_s, append=part.unix_s[-1:])
        if (advance_s >= 0).all():
            times.append(part.unix_s)
            continue
        back = advance_s < -_BACK_S
        steps += int(back.sum())
        # Without test time the real duration of a row is unknown: assume one second.
        test_s = np.where(np.isfinite(part.test_s), part.test_s, np.arange(len(part)))
        times.append(np.maximum.accumulate(steady(part.unix_s, test_s, back)))
    unix_s = times[0] if len(times) == 1 else np.concatenate(times)
    order = None
    if (np.diff(unix_s) < 0).any():
        # Files of techniques in a loop take turns.
        order = np.argsort(unix_s, kind="stable")
        unix_s = unix_s[order]
    sample_s = run.utc_s
    gap_s = longest_step_s(sample_s)
    pressure_pa = between(sample_s, run.samples["pressure_pa"], unix_s, gap_s)
    if not np.isfinite(pressure_pa).any():
        notes = "".join(f"; {note}" for part in parts for note in part.notes if "read as" in note)
        raise FileError(
            f"no row of {parts[0].path} lies within the record: it has {_span(unix_s)}, the record {_span(sample_s)};"
            f" see --tz and --offset{notes}"
        )
    return Merged(
        run=run,
        parts=list(parts),
        order=order,
        unix_s=unix_s,
        clock_steps=steps,
        pressure_pa=pressure_pa,
        sample_gap_s=gap_s,
        row_gap_s=max(_ROW_GAP_S, _USUAL * usual_step_s(unix_s)),
    )


def between(time_s: Floats, values: Floats, at_s: Floats, gap_s: float) -> Floats:
    """Values interpolated linearly between neighbours with no gap between them; else nan."""
    after = np.searchsorted(time_s, at_s, side="left")
    inside = (at_s >= time_s[0]) & (at_s <= time_s[-1])
    after = np.clip(after, 0, len(time_s) - 1)
    exact = time_s[after] == at_s
    before = np.where(exact, after, np.maximum(after - 1, 0))
    width_s = time_s[after] - time_s[before]
    inside &= width_s <= gap_s
    share = np.where(width_s > 0, (at_s - time_s[before]) / np.where(width_s > 0, width_s, 1.0), 0.0)
    low, high = values[before].astype(np.float64), values[after].astype(np.float64)
    found: Floats = np.where(inside, low + share * (high - low), np.nan)
    return found


def bdf_table(merged: Merged) -> dict[str, export.Column]:
    """The cycler rows with pressure and temperatures, under BDF's names."""
    run, unix_s = merged.run, merged.unix_s

    def of_run(name: str, zero: float = 0.0) -> Floats:
        return between(run.utc_s, run.samples[name] - zero, unix_s, merged.sample_gap_s)

    return {
        export.TEST_TIME: unix_s - unix_s[0],
        export.VOLTAGE: merged.column("voltage_v"),
        export.CURRENT: merged.column("current_a"),
        export.UNIX_TIME: unix_s,
        export.CYCLE: merged.cycle,
        export.STEP: np.cumsum(np.diff(merged.column("step"), prepend=0.0) != 0),
        # Cumulative since the start, as BDF wants them; noise of a counter is held back.
        export.CHARGE: np.maximum.accumulate(np.cumsum(merged.charged_ah)),
        export.DISCHARGE: np.maximum.accumulate(np.cumsum(merged.discharged_ah)),
        export.PRESSURE: merged.pressure_pa,
        export.SETPOINT: of_run("ramp_pa"),
        export.GAS: of_run("gas_k", 273.15),
        export.WALL: of_run("wall_k", 273.15),
    }


def _span(unix_s: Floats) -> str:
    first, last = (str(np.datetime64(round(float(t)), "s")) + "Z" for t in (unix_s[0], unix_s[-1]))
    return f"{first} to {last}"
