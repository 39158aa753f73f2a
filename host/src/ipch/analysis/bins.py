"""Bins of samples: means between pulses, and the regressors of everything that moves gas or its temperature."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipch.analysis.gas import GasLaw, flow_share
from ipch.analysis.gas_record import GasRecord

Floats = NDArray[np.floating[Any]]

# After this wait the gas sensor has settled behind a pulse's warming or cooling; the wall sensor takes longer.
_LEAST_SETTLE_S, _MOST_SETTLE_S, _SETTLE_SHARE = 20.0, 180.0, 0.5
_BIN_S = 60.0
_MOST_BINS = 2500
_LEAST_ROWS = 12
_LEAST_BAR_PA = 200e3
_GRID_S, _MOST_GRID = 10.0, 200_000
_WORK_S = 80.0
_BLOCK = 64
LAGS_S = (30.0, 100.0, 300.0)
"""Time constants of the lags of the wall temperature behind itself."""
FADING = ((30.0, 120.0), (90.0, 120.0), (270.0, 2.0))
"""How a pulse's warmth fades: (s, K). Free convection slows down with it, so one exponential does not fit.

Amplitudes refer to all of the gas: a fill warms it by about 0.4 T dn/n; the slow parts have less.
"""


class NotEnough(ValueError):
    """The record holds too little; the text names what is missing."""


@dataclass(frozen=True)
class Bins:
    time_s: Floats
    value: Floats
    white: Floats
    count: Floats
    starts: NDArray[np.bool_]
    pressure_pa: Floats
    gas_k: Floats
    thermal: Floats
    """Relative change of the value per kelvin of gas temperature above its sensor's."""
    means: dict[str, Floats]
    """Mean of each regressor within the bin."""
    charge_ah: Floats | None
    cycle: Floats | None
    width_s: float
    pulses: Floats
    """Number of pulses up to the bin."""


def _settled(record: GasRecord) -> NDArray[np.bool_]:
    """Which samples are usable and far enough from the last pulse."""
    time_s = record.time_s
    moved = np.flatnonzero(np.diff(record.fills + record.vents) != 0) + 1
    settled = record.usable & np.isfinite(record.pressure_pa) & (record.pressure_pa > _LEAST_BAR_PA)
    settled &= np.isfinite(record.gas_k) | np.isfinite(record.wall_k)
    if len(moved):
        usual_s = float(np.median(np.diff(time_s[moved]))) if len(moved) > 1 else np.inf
        wait_s = float(np.clip(_SETTLE_SHARE * usual_s, _LEAST_SETTLE_S, _MOST_SETTLE_S))
        last = np.searchsorted(moved, np.arange(len(time_s)), side="right") - 1
        since_s = np.where(last >= 0, time_s - time_s[moved[np.maximum(last, 0)]], np.inf)
        settled &= since_s >= wait_s
        # The sample before the counter moved may already show the pulse.
        settled[moved - 1] = False
    return settled


def binned(record: GasRecord, law: GasLaw, ambient_pa: float) -> Bins:
    """Means over bins that contain no pulse."""
    settled = _settled(record)
    index = np.flatnonzero(settled)
    if len(index) < _LEAST_ROWS:
        raise NotEnough("too few samples at rest: hold the pressure for some minutes")
    time_s = record.time_s[index]
    span_s = float(time_s[-1] - time_s[0])
    width_s = max(_BIN_S, np.ceil(span_s / _MOST_BINS / _BIN_S) * _BIN_S)
    while span_s / width_s < 3 * _LEAST_ROWS and width_s > 5.0:
        width_s /= 2.0
    pulses = (record.fills + record.vents)[index]
    slot = np.floor((time_s - time_s[0]) / width_s)
    segment = record.segment[index]
    cycle = record.cycle[index] if record.cycle is not None else None
    new = (np.diff(slot) != 0) | (np.diff(pulses) != 0) | (np.diff(segment) != 0)
    if cycle is not None:
        new |= np.diff(np.nan_to_num(cycle, nan=-1.0)) != 0
    edges = np.concatenate([[0], np.flatnonzero(new) + 1])
    count = np.diff(edges, append=len(index)).astype(np.float64)

    def mean(values: Floats) -> Floats:
        total: Floats = np.add.reduceat(values.astype(np.float64), edges)
        return total / count

    # One after the other: those of a long record would take as much memory as the record.
    regressors = {name: mean(values) for name, values in _regressors(record, settled, ambient_pa)}
    pressure_pa = record.pressure_pa[index].astype(np.float64)
    gas_k = record.gas_k[index].astype(np.float64)
    wall_k = record.wall_k[index].astype(np.float64)
    base_k = np.where(np.isfinite(gas_k), gas_k, wall_k)
    density = law.density_mol_m3(pressure_pa, base_k)
    value = mean(density)
    of_bin = np.repeat(value, count.astype(int))
    scatter2 = np.add.reduceat(np.square(density - of_bin), edges)
    keep = count >= min(3.0, float(np.median(count)))
    first = np.zeros(len(edges), dtype=np.bool_)
    labels = segment[edges]
    pressures = mean(pressure_pa)
    # Each segment relative to its own mean, so that a leak is the same share at every pressure.
    norm = np.empty(len(edges))
    for label in np.unique(labels[keep]):
        inside = (labels == label) & keep
        norm[inside] = np.average(value[inside], weights=count[inside])
        first[np.flatnonzero(inside)[0]] = True
    if keep.sum() < _LEAST_ROWS:
        raise NotEnough("too few samples between pulses")
    within = float(np.sum(scatter2[keep] / norm[keep] ** 2) / max(1.0, float(np.sum(count[keep] - 1))))
    ratio = (value / np.where(keep, norm, 1.0))[keep]
    means = {name: values[keep] for name, values in regressors.items()}
    warmer = wall_k - base_k
    means["wall"] = mean(law.thermal_1_k(pressure_pa, base_k) * warmer)[keep] * ratio
    kelvin = mean(wall_k)[keep]
    thermal = law.thermal_1_k(pressures[keep], mean(base_k)[keep])
    grid_s, late = _on_grid(record)
    for name, values in late.items():
        means[name] = ratio * thermal * mean(np.interp(time_s, grid_s, values))[keep]
    means["drift"] = (kelvin - kelvin[0]) / pressures[keep]
    charge = record.charge_ah
    return Bins(
        time_s=mean(time_s)[keep],
        value=ratio,
        white=np.sqrt(within / count[keep] + 1e-16),
        count=count[keep],
        starts=first[keep],
        pressure_pa=pressures[keep],
        gas_k=mean(base_k)[keep],
        thermal=ratio * thermal,
        means=means,
        charge_ah=None if charge is None else mean(charge[index])[keep],
        cycle=None if cycle is None else cycle[edges][keep],
        width_s=width_s,
        pulses=pulses[edges][keep].astype(np.float64),
    )


def _on_grid(record: GasRecord) -> tuple[Floats, dict[str, Floats]]:
    """Wall temperature behind itself by each lag, and current, on an even grid of times without gaps."""
    start_s, end_s = float(record.time_s[0]), float(record.time_s[-1])
    step_s = max(_GRID_S, (end_s - start_s) / _MOST_GRID)
    at = ((record.time_s - start_s) / step_s).astype(np.int64)
    length = int(at[-1]) + 1
    grid_s = start_s + (np.arange(length) + 0.5) * step_s

    def gridded(values: Floats) -> Floats | None:
        known = np.isfinite(values)
        if not known.any():
            return None
        count = np.bincount(at[known], minlength=length)
        total = np.bincount(at[known], weights=values[known], minlength=length)
        there = count > 0
        found: Floats = np.interp(grid_s, grid_s[there], total[there] / count[there])
        return found

    found: dict[str, Floats] = {}
    wall_k = gridded(record.wall_k)
    if wall_k is not None:
        for lag_s in LAGS_S:
            found[f"lag {lag_s:g} s"] = _behind(wall_k, step_s / lag_s) - wall_k
    charge_ah = gridded(record.charge_ah) if record.charge_ah is not None else None
    if charge_ah is not None and length > 2:
        found["work"] = _behind(np.gradient(charge_ah, step_s / 3600.0), step_s / _WORK_S)
    return grid_s, found


def _behind(values: Floats, part: float) -> Floats:
    """First-order lag of an even series; `part` is the step over the time constant."""
    kept, count = np.exp(-part), len(values)
    blocks = np.append(values, np.full(-count % _BLOCK, values[-1])).reshape(-1, _BLOCK)
    power = np.arange(_BLOCK)
    # Within a block the lag is a sum; from block to block its last value is carried on.
    late = blocks @ np.tril((1.0 - kept) * kept ** np.maximum(power[:, None] - power, 0)).T
    fading = kept ** (power + 1.0)
    carried = float(values[0])
    for block in late:
        block += carried * fading
        carried = float(block[-1])
    found: Floats = late.ravel()[:count]
    return found


def _regressors(
    record: GasRecord, settled: NDArray[np.bool_], ambient_pa: float
) -> Iterator[tuple[str, Floats]]:
    """At each settled sample: the metered flows up to there, and the time for the leak; each with its name."""
    pressure_pa = np.maximum(record.pressure_pa.astype(np.float64), 1.0)
    whole = np.diff(record.segment, prepend=record.segment[0]) == 0
    supply_pa = record.supply_pa.astype(np.float64)
    for side, count, open_s, drive in (
        (
            "fill",
            record.fills,
            record.fill_open_s,
            supply_pa * flow_share(supply_pa, pressure_pa) / pressure_pa,
        ),
        ("vent", record.vents, record.vent_open_s, flow_share(pressure_pa, ambient_pa)),
    ):
        sign = 1.0 if side == "fill" else -1.0
        opened = np.maximum(np.diff(open_s.astype(np.float64), prepend=open_s[:1]), 0.0) * whole
        pulses = np.maximum(np.diff(count.astype(np.float64), prepend=count[:1]), 0.0) * whole
        yield side, sign * np.cumsum(drive * opened)[settled]
        moved = np.flatnonzero(opened)
        for fading_s, _ in FADING:
            faded = _faded(record.time_s, moved, sign * (drive * opened)[moved], fading_s)
            yield f"{side}_fading_{fading_s:g}", faded[settled]
        yield f"{side}_count", -sign * np.cumsum(drive * pulses)[settled]
    yield (
        "leak",
        -(record.time_s - record.time_s[0])[settled]
        * flow_share(float(np.median(pressure_pa[settled])), ambient_pa),
    )


def _faded(time_s: Floats, moved: NDArray[np.integer[Any]], size: Floats, fading_s: float) -> Floats:
    """Sum at each sample of all earlier pulses, each of which fades exponentially."""
    if not len(moved):
        return np.zeros(len(time_s))
    left = np.empty(len(moved))
    kept, before_s = 0.0, time_s[moved[0]]
    for at, (index, part) in enumerate(zip(moved, size, strict=True)):
        kept = kept * np.exp(-(time_s[index] - before_s) / fading_s) + part
        left[at], before_s = kept, time_s[index]
    last = np.searchsorted(moved, np.arange(len(time_s)), side="right") - 1
    known = np.maximum(last, 0)
    faded: Floats = np.where(
        last >= 0, left[known] * np.exp(-np.maximum(time_s - time_s[moved[known]], 0.0) / fading_s), 0.0
    )
    return faded
