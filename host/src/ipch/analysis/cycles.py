"""One row for each electrochemical cycle: capacities from the cycler, pressure and swelling from the record."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipch.analysis.balance import Balance, Swelling
from ipch.analysis.holding import BAND_PA, quantiles, weights
from ipch.errors import UsageError

Floats = NDArray[np.floating[Any]]

# A last cycle whose second half moved less than this share of the previous one's is incomplete.
_COMPLETE = 0.9
_MOVED_AH = 1e-12
_RESTING = 0.05
_HALF = 0.005


@dataclass(frozen=True)
class Cycle:
    """Ah, Pa, s, mL; None where a value is unknown or does not apply."""

    cycle: int
    complete: bool
    """Whether both half cycles are there and the file did not end within the second."""
    start_unix_s: float
    duration_s: float
    charge_ah: float
    discharge_ah: float
    coulombic_efficiency: float | None
    """Second half cycle over first: discharge over charge, unless the file's cycles begin with a discharge."""
    retention: float | None
    """Discharge capacity over that of the reference cycle."""
    rows: int
    matched_rows: int
    """Number of rows with a pressure."""
    pressure_s: float
    """Time with a pressure."""
    pressure_mean_pa: float | None
    pressure_sd_pa: float | None
    pressure_min_pa: float | None
    pressure_max_pa: float | None
    in_band: float | None
    """Share of that time within the band around the target."""
    volume_change_ml: float | None
    volume_change_95_ml: float | None
    """Half of the 95 % interval."""
    volume_seen: float | None
    """Share of the cycle's charge during which the pressure was recorded."""
    error_rms_pa: float | None
    """Rms, 95 % and 99 % quantiles of the distance from the target."""
    error_95_pa: float | None
    error_99_pa: float | None


COLUMNS = tuple(field.name for field in fields(Cycle))


@dataclass(frozen=True)
class CyclerRows:
    """Columns of a cycler's rows that the table needs."""

    unix_s: Floats
    cycle: Floats
    charged_ah: Floats
    """Increments."""
    discharged_ah: Floats
    has_pressure: NDArray[np.bool_]


@dataclass(frozen=True)
class PressureSamples:
    """Columns of a record that the table needs; `cycle` is nan without cycler data."""

    time_s: Floats
    pressure_pa: Floats
    target_pa: Floats
    cycle: Floats


def cycle_table(
    rows: CyclerRows,
    samples: PressureSamples,
    balance: Balance | None = None,
    band_pa: float = BAND_PA,
    reference: int | None = None,
) -> list[Cycle]:
    """The table of a merged run. Retention refers to cycle `reference`, by default the first complete one.

    Raises UsageError if there is no such cycle.
    """
    inside = grouped(rows.cycle)
    numbers = list(inside)
    put_in = {number: float(rows.charged_ah[at].sum()) for number, at in inside.items()}
    taken = {number: float(rows.discharged_ah[at].sum()) for number, at in inside.items()}
    discharge_first = _discharge_first(rows, inside)
    first, second = (taken, put_in) if discharge_first else (put_in, taken)
    # Noise of a counter is no half cycle.
    least = max(_MOVED_AH, _HALF * max([*put_in.values(), *taken.values()], default=0.0))
    complete = {number: first[number] > least and second[number] > least for number in numbers}
    if len(numbers) > 1 and complete[numbers[-1]]:
        complete[numbers[-1]] = second[numbers[-1]] >= _COMPLETE * second[numbers[-2]] or _rests(rows)
    elif numbers and complete[numbers[-1]]:
        complete[numbers[-1]] = _rests(rows)
    if reference is None:
        reference = next((number for number in numbers if complete[number]), None)
    elif reference not in inside:
        raise UsageError(f"cycle {reference}: not in the cycler's data; it has {numbers[0]} to {numbers[-1]}")
    base = taken[reference] if reference is not None else 0.0
    swellings = {found.cycle: found for found in balance.cycles} if balance is not None else {}
    by_cycle = _pressures(samples, band_pa)
    table = []
    for number in numbers:
        at = inside[number]
        end_s = rows.unix_s[min(at[-1] + 1, len(rows.unix_s) - 1)]
        swelling = swellings.get(number)
        table.append(
            Cycle(
                cycle=number,
                complete=complete[number],
                start_unix_s=float(rows.unix_s[at[0]]),
                duration_s=float(end_s - rows.unix_s[at[0]]),
                charge_ah=put_in[number],
                discharge_ah=taken[number],
                coulombic_efficiency=second[number] / first[number] if complete[number] else None,
                retention=taken[number] / base if base > _MOVED_AH and taken[number] > _MOVED_AH else None,
                rows=len(at),
                matched_rows=int(rows.has_pressure[at].sum()),
                **(by_cycle.get(number) or _NO_PRESSURE),
                **_volume(swelling),
            )
        )
    return table


def grouped(label: Floats) -> dict[int, NDArray[np.integer[Any]]]:
    """Rows of each label in ascending order; empty labels belong to none."""
    known = np.isfinite(label)
    begins = (known[1:] != known[:-1]) | (known[1:] & (label[1:] != label[:-1]))
    edges = [0, *(np.flatnonzero(begins) + 1).tolist(), len(label)]
    rows: dict[int, list[NDArray[np.integer[Any]]]] = {}
    for start, end in pairwise(edges):
        if end > start and known[start]:
            # A month has 2.4 million samples: half as wide an index is enough.
            rows.setdefault(int(label[start]), []).append(np.arange(start, end, dtype=np.int32))
    return {number: np.concatenate(rows[number]) for number in sorted(rows)}


_NO_PRESSURE: dict[str, Any] = {
    "pressure_s": 0.0, "pressure_mean_pa": None, "pressure_sd_pa": None, "pressure_min_pa": None,
    "pressure_max_pa": None, "in_band": None, "error_rms_pa": None, "error_95_pa": None, "error_99_pa": None,
}  # fmt: skip


def _volume(swelling: Swelling | None) -> dict[str, Any]:
    change = swelling.change_ml if swelling is not None else None
    return {
        "volume_change_ml": None if change is None else change.value,
        "volume_change_95_ml": None if change is None else change.half_width,
        "volume_seen": None if swelling is None else swelling.seen,
    }


def _discharge_first(rows: CyclerRows, inside: Mapping[int, NDArray[np.integer[Any]]]) -> bool:
    """Whether most cycles begin with a discharge, as in half cells: their charge bends below its own straight line."""
    votes = 0.0
    for at in inside.values():
        charge = np.cumsum(rows.charged_ah[at] - rows.discharged_ah[at])
        if np.ptp(charge) > 0:
            line = np.linspace(charge[0], charge[-1], len(charge))
            votes -= np.sign(np.mean(charge - line))
    return bool(votes > 0)


def _rests(rows: CyclerRows) -> bool:
    """Whether the file ends at rest, which completes the last half cycle."""
    last = np.abs(rows.charged_ah[-3:] - rows.discharged_ah[-3:])
    moved = np.abs(rows.charged_ah - rows.discharged_ah)
    moving = moved[moved > 0]
    # Noise of a counter is no current.
    return not len(moving) or bool(np.all(last <= _RESTING * float(np.median(moving))))


def _pressures(samples: PressureSamples, band_pa: float) -> dict[int, dict[str, Any]]:
    """Pressure in each cycle, every sample weighted with the time that it represents."""
    inside = grouped(np.where(np.isfinite(samples.pressure_pa), samples.cycle, np.nan))
    weight = weights(samples.time_s)
    found = {}
    for number, at in inside.items():
        pressure_pa, share = samples.pressure_pa[at].astype(np.float64), weight[at]
        total = float(share.sum()) or 1.0
        # Relative to a value near the mean: equal pressures have exactly that mean and no deviation.
        origin = pressure_pa[0]
        mean = float(share @ (pressure_pa - origin)) / total
        spread = float(share @ np.square(pressure_pa - origin - mean)) / total
        error_pa = np.abs(pressure_pa - samples.target_pa[at])
        error_95_pa, error_99_pa = quantiles(error_pa, share, (0.95, 0.99))
        found[int(number)] = {
            "pressure_s": total,
            "pressure_mean_pa": float(origin + mean),
            "pressure_sd_pa": float(np.sqrt(spread)),
            "pressure_min_pa": float(pressure_pa.min()),
            "pressure_max_pa": float(pressure_pa.max()),
            "in_band": float(share[error_pa <= band_pa].sum()) / total,
            "error_rms_pa": float(np.sqrt(share @ np.square(error_pa) / total)),
            "error_95_pa": error_95_pa,
            "error_99_pa": error_99_pa,
        }
    return found
