"""Gas balance: leak while regulating, gas per pulse, and swelling of the cell, from one least-squares fit.

The chamber holds  n = rho (V - v)  of gas: V is its gas volume at the start, v the swelling of the cell since then,
rho = p/(Z R T) the density from pressure, temperature and the gas law. Gas enters through the fill valve, leaves
through the vent valve, and leaks. With r = rho over its mean, each bin of samples between two pulses gives

    r = level + sum_k (v_k/V) r q_k(t) + g_f F(t) + d_f C_f(t) - g_v E(t) - d_v C_v(t) - l t + thermometers + noise

- q_k: charge in the cell (Ah) within electrochemical cycle k, so v_k/V is swelling per Ah there. The
  model assumes equal volume at equal charge: irreversible swelling looks like added gas, that is like a negative
  leak. No measurement of pressure can tell the two apart.
- F and E: open time of fill and vent (as metered by the device), times the driving pressure (upstream pressure
  times the subsonic share of ISO 6358); C_f and C_v: the same for the number of pulses, since a valve opens late and
  shuts late. Gain g and dead time d/g are unknown and estimated with the rest: each pulse is a step in r, and the sum
  of pulses is known better than one of them. Pulses scatter about their mean (see noise.py). The scatter adds no
  uncertainty where pressure was recorded on both sides of a pulse, and counts in full across a gap.
- l: leak as a share of the gas per second, which for a small hole is the same at every pressure. Seals take up gas for
  hours after a change of pressure: two losses that fade exponentially stand beside it, if the record is likelier with
  them, and the leak that is reported is the mean loss of the record, fading part included.
- thermometers: r is computed with the gas sensor; the weight of (wall - gas) replaces it by the wall sensor as
  far as the record shows that this one follows the gas better. The wall sensor misses effects of known shape: the gas
  follows the wall late (the wall behind itself by three lags), the warmth of each pulse fades (three exponentials), a
  swelling cell works on the gas (warmer in proportion to the current). The wall temperature also models the drift of
  the transducer with temperature that calibration leaves.
- noise: white, from the scatter within bins, and a slow mismatch of unknown size and memory (noise.py).

The fit leaves out ramps, and the minutes after pulses in which gas and sensor differ in temperature. Each ramp starts
a new level. All terms are relative, so the leak needs no volume; millilitres of the cell do.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipch.analysis.bins import FADING, LAGS_S, Bins, NotEnough, binned
from ipch.analysis.estimate import Estimate
from ipch.analysis.gas import AIR, GasLaw
from ipch.analysis.gas_record import GasRecord
from ipch.analysis.noise import Fit, Noise, Rows, solve

Floats = NDArray[np.floating[Any]]

# Priors of the nuisance coefficients, all of them wide.
_WALL_WEIGHT, _WALL_WEIGHT_SD = 0.5, 1.0
_LAG_SD = 1.0
_WORK_SD_K = 0.05
_DRIFT_SD_PA_K = 500.0
_DEAD_SD_S = 0.01
_GAIN_SD = 1.0
# Seals take up gas after a change of pressure: up to 20 kPa of 5 MPa, over hours.
SORPTION_S = (5400.0, 21_600.0)
_SORPTION_SD = 3e-3
_HOUR_S = 3600.0
# Uncertainty of the model itself, as a share of a result: gas law (0.04 %), shapes of the warmth.
_MODEL = 0.0025
# Of a cycle of which less was seen, nothing is said; more than the other counts as all, by the width of a bin.
_LEAST_SEEN, _ALL_SEEN = 0.4, 0.98
# For more cycles than this, the noise is first looked for in stretches of so many.
_MANY_CYCLES, _STRETCH, _STRETCHES = 120, 40, 3


@dataclass(frozen=True)
class Swelling:
    """One electrochemical cycle. Volumes in mL, None without the chamber's volume; `share` of the gas volume always."""

    cycle: int
    span_ah: float
    """Largest charge less smallest charge within the cycle."""
    share: Estimate
    """Cell volume at the largest charge less that at the smallest, over the gas volume."""
    change_ml: Estimate | None
    seen: float = 1.0
    """Share of the cycle's charge during which the pressure was seen; the rest widens the interval."""


@dataclass(frozen=True)
class Balance:
    """Result of the balance; the module describes the model."""

    pressure_pa: float
    """Mean pressure of the bins used: figures in kPa refer to it."""
    duration_s: float
    rows: int
    """Number of bins used."""
    bin_s: float
    leak_kpa_h: Estimate
    leak_share_1_day: Estimate
    """Share of the gas, per day."""
    filled_kpa: Estimate
    """Gas let in during the time used, as pressure of the chamber, by the estimated gain."""
    vented_kpa: Estimate
    cycles: list[Swelling]
    wall_weight: float
    """0: the gas sensor follows the gas; 1: the wall sensor does."""
    noise: Noise
    noise_scale: float
    leak_to_swelling: float
    """Largest correlation of leak and swelling of a cycle, 0 to 1: above 0.95 the record hardly separates them."""
    notes: list[str] = field(default_factory=list)
    time_s: Floats = field(default_factory=lambda: np.zeros(0))
    """Of each bin."""
    swelling_share: Floats = field(default_factory=lambda: np.zeros(0))
    """Cell volume over gas volume in each bin, without leak and pulses; each segment starts at the model's value."""
    bins: Bins | None = None


def solve_balance(
    record: GasRecord,
    law: GasLaw = AIR,
    volume_ml: float | None = None,
    ambient_pa: float = 101_325.0,
    noises: list[Noise] | None = None,
    sample_noise: float | None = None,
) -> Balance:
    """Estimate leak, gains and swelling. Raises NotEnough.

    `noises` and `sample_noise` (white, relative, of one sample) give a bound for known noise.
    """
    bins = binned(record, law, ambient_pa)
    model = _MODEL if sample_noise is None else 0.0
    if sample_noise is not None:
        bins = replace(bins, white=sample_noise / np.sqrt(bins.count))
    table = _columns(bins)
    fit = _solve(bins, table, noises)
    names = table.names
    pressure_pa = float(np.average(bins.pressure_pa, weights=bins.count))
    kelvin = float(np.average(bins.gas_k, weights=bins.count))
    # Relative amount to pressure at constant temperature.
    kpa = pressure_pa * float(law.stiffness(pressure_pa, kelvin)) / 1e3

    def along(**parts: float) -> Floats:
        direction = np.zeros(len(names))
        for name, part in parts.items():
            if name in names:
                direction[names.index(name)] = part
        return direction

    def estimate(direction: Floats) -> Estimate:
        return _estimate(fit, direction, model)

    # The mean loss over the record: what seals take up fades, and cannot be told from a leak while it does.
    span_s = float(bins.time_s[-1] - bins.time_s[0])
    lost = {name: table.lost[name] / max(span_s, 1.0) for name in table.lost}
    leak = estimate(along(leak=1.0, **lost))
    moved = []
    for side in ("fill", "vent"):
        total = along(**{side: table.total[side], f"{side}_count": table.total[f"{side}_count"]})
        moved.append(estimate(total).times(kpa))
    cycles, coupled = _swellings(fit, table, record, volume_ml, model)
    notes = []
    if coupled > 0.95:
        notes.append("the record hardly separates leak and swelling: it holds no rest and no full cycle")
    notes += _fading(table, span_s, kpa, estimate)
    residual = bins.value - table.columns @ (fit.mean * ~table.is_swelling)
    return Balance(
        pressure_pa=pressure_pa,
        duration_s=float(bins.time_s[-1] - bins.time_s[0]),
        rows=len(bins.time_s),
        bin_s=bins.width_s,
        leak_kpa_h=leak.times(_HOUR_S * kpa),
        leak_share_1_day=leak.times(24 * _HOUR_S),
        filled_kpa=moved[0],
        vented_kpa=moved[1],
        cycles=cycles,
        wall_weight=float(fit.mean[names.index("wall")]) if "wall" in names else 0.0,
        noise=fit.noise,
        noise_scale=fit.scale,
        leak_to_swelling=coupled,
        notes=notes,
        time_s=bins.time_s,
        swelling_share=_levelled(residual, table.columns @ (fit.mean * table.is_swelling), bins, fit),
        bins=bins,
    )


def _fading(table: "_Table", span_s: float, kpa: float, estimate: Callable[[Floats], Estimate]) -> list[str]:
    """What is known of a loss that fades, if there is one."""
    taken, ends = np.zeros(len(table.names)), np.zeros(len(table.names))
    for name, share in table.lost.items():
        if name in table.names:
            fading_s = float(name.split()[1])
            taken[table.names.index(name)] = share
            ends[table.names.index(name)] = np.exp(-span_s / fading_s) / fading_s
    if "leak" in table.names:
        ends[table.names.index("leak")] = 1.0
    fading, at_end = estimate(taken).times(kpa), estimate(ends).times(_HOUR_S * kpa)
    if fading.covers(0.0):
        return []
    return [
        f"the loss fades, as when seals take up gas: {fading.value:.2g} \u00b1 {fading.half_width:.1g} kPa of it so"
        f" far; at the end it was {at_end.value:.2g} \u00b1 {at_end.half_width:.1g} kPa/h"
    ]


@dataclass(frozen=True)
class _Table:
    names: list[str]
    columns: Floats
    prior_mean: Floats
    prior_sd: Floats
    total: dict[str, float]
    lost: dict[str, float]
    """Share of the gas that each fading loss takes over the record, for a coefficient of 1."""
    step: Floats
    is_swelling: NDArray[np.bool_]


def _columns(bins: Bins) -> _Table:
    """The regressors that vary, with the priors of their coefficients."""
    names: list[str] = []
    columns: list[Floats] = []
    priors: list[tuple[float, float]] = []

    def add(name: str, values: Floats, mean: float, sd: float) -> None:
        values = np.nan_to_num(values)
        if np.ptp(values) > 0:
            names.append(name)
            columns.append(values)
            priors.append((mean, sd))

    add("leak", bins.means["leak"], 0.0, np.inf)
    add("wall", bins.means["wall"], _WALL_WEIGHT, _WALL_WEIGHT_SD)
    for lag_s in LAGS_S:
        if f"lag {lag_s:g} s" in bins.means:
            add(f"lag {lag_s:g} s", bins.means[f"lag {lag_s:g} s"], 0.0, _LAG_SD)
    if "work" in bins.means:
        # In K for the largest current.
        work = bins.means["work"]
        most = max(float(np.max(np.abs(work / bins.thermal))), 1e-12)
        add("work", work / most, 0.0, _WORK_SD_K)
    add("drift", bins.means["drift"], 0.0, _DRIFT_SD_PA_K)
    since_s = bins.time_s - bins.time_s[0]
    lost: dict[str, float] = {}
    for fading_s in SORPTION_S:
        taken = 1.0 - np.exp(-since_s / fading_s)
        lost[f"sorption {fading_s:g} s"] = float(taken[-1])
        add(f"sorption {fading_s:g} s", -taken, 0.0, _SORPTION_SD)
    total: dict[str, float] = {}
    step = np.zeros(len(bins.time_s))
    for side in ("fill", "vent"):
        metered, counted = bins.means[side], bins.means[f"{side}_count"]
        # What a ramp or a vent between two segments moved is not part of the time used.
        inside = np.where(
            bins.starts, 0.0, bins.pressure_pa / np.average(bins.pressure_pa, weights=bins.count)
        )
        total[side] = float(np.abs(np.diff(metered, prepend=metered[0])) @ inside)
        total[f"{side}_count"] = -float(np.abs(np.diff(counted, prepend=counted[0])) @ inside)
        pulses = float(np.ptp(counted))
        moved = np.diff(metered, prepend=metered[0])
        stepped = (moved != 0) & ~bins.starts
        if stepped.any():
            # The steps themselves give a first gain: the one that explains them best, one by one.
            steps = np.diff(bins.value, prepend=bins.value[0])[stepped]
            guess = max(float(steps @ moved[stepped] / (moved[stepped] @ moved[stepped])), 1e-9)
            add(side, metered, guess, _GAIN_SD * guess)
            if pulses > 0:
                add(f"{side}_count", counted, 0.0, _DEAD_SD_S * guess)
            for fading_s, amplitude_k in FADING:
                warmth = guess * bins.means[f"{side}_fading_{fading_s:g}"] * bins.thermal
                add(f"{side} warmth {fading_s:g} s", warmth, 0.0, amplitude_k)
            each = np.maximum(np.abs(np.diff(bins.pulses, prepend=bins.pulses[0])), 1.0)
            step = np.hypot(step, np.abs(guess * moved) / np.sqrt(each) * ~bins.starts)
    is_swelling = np.zeros(len(names), dtype=np.bool_)
    if bins.charge_ah is not None and bins.cycle is not None:
        charge = _filled(bins.charge_ah)
        for cycle in np.unique(bins.cycle[np.isfinite(bins.cycle)]):
            inside = np.flatnonzero(bins.cycle == cycle)
            if len(inside) < 3 or np.ptp(charge[inside]) <= 0:
                continue
            before = charge[inside[0] - 1] if inside[0] > 0 else charge[inside[0]]
            within = np.zeros(len(charge))
            within[inside] = charge[inside] - before
            within[inside[-1] + 1 :] = charge[inside[-1]] - before
            add(f"cycle {int(cycle)}", within * bins.value, 0.0, np.inf)
        is_swelling = np.array([name.startswith("cycle ") for name in names], dtype=np.bool_)
    return _Table(
        names,
        np.column_stack(columns),
        np.array([mean for mean, _ in priors]),
        np.array([sd for _, sd in priors]),
        total,
        lost,
        step,
        is_swelling,
    )


def _filled(values: Floats) -> Floats:
    """Charge, held constant through the time without cycler data."""
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return np.zeros(len(values))
    at = np.clip(np.searchsorted(known, np.arange(len(values)), side="right") - 1, 0, None)
    return values[known[at]]


def _solve(bins: Bins, table: _Table, noises: list[Noise] | None) -> Fit:
    optional = np.array([name in table.lost for name in table.names])
    rows = Rows(bins.time_s, bins.value - 1.0, table.columns, bins.white, bins.starts, table.step, optional)
    points = noises or _likely(bins, rows, table) or None
    try:
        return solve(rows, table.prior_mean, table.prior_sd, points, rescale=noises is None)
    except ValueError as error:
        raise NotEnough("too few samples for this many unknowns") from error


def _likely(bins: Bins, rows: Rows, table: _Table) -> list[Noise]:
    """Of a record of many cycles, the noises that matter in some of its stretches; empty for all of the grid.

    The whole grid takes memory with the square of the number of cycles: 4 GB for 1000.
    """
    cycles = np.flatnonzero(table.is_swelling)
    if bins.cycle is None or len(cycles) <= _MANY_CYCLES:
        return []
    found: dict[Noise, None] = {}
    for start in np.linspace(0, len(cycles) - _STRETCH, _STRETCHES).astype(int).tolist():
        used = ~table.is_swelling
        inside = cycles[start : start + _STRETCH]
        used[inside] = True
        at = np.flatnonzero(np.isin(bins.cycle, [int(table.names[cycle].split()[1]) for cycle in inside]))
        part = slice(int(at[0]), int(at[-1]) + 1)
        used &= np.ptp(rows.columns[part], axis=0) > 0
        begins = rows.starts[part].copy()
        begins[0] = True
        stretch = Rows(
            rows.time_s[part], rows.value[part], rows.columns[part][:, used], rows.white[part], begins,
            rows.step[part], None if rows.optional is None else rows.optional[used],
        )  # fmt: skip
        try:
            fit = solve(stretch, table.prior_mean[used], table.prior_sd[used])
        except ValueError:
            return []
        found |= dict.fromkeys(fit.likely)
    return list(found)


def _estimate(fit: Fit, direction: Floats, model: float) -> Estimate:
    value = float(direction @ fit.mean)
    return Estimate(value, float(np.hypot(fit.half_width(direction), model * value)))


def _spans_ah(record: GasRecord) -> dict[int, float]:
    """Largest less smallest charge of each cycle while the pressure was seen, also while the gas was not at rest."""
    if record.charge_ah is None or record.cycle is None:
        return {}
    known = (
        np.isfinite(record.cycle)
        & np.isfinite(record.charge_ah)
        & record.usable
        & np.isfinite(record.pressure_pa)
    )
    if not known.any():
        return {}
    cycles, starts = np.unique(record.cycle[known], return_index=True)
    order = np.argsort(starts)
    charge = record.charge_ah[known]
    edges = starts[order]
    spans = np.maximum.reduceat(charge, edges) - np.minimum.reduceat(charge, edges)
    return {int(cycles[at]): float(span) for at, span in zip(order, spans, strict=True)}


def _swellings(
    fit: Fit, table: _Table, record: GasRecord, volume_ml: float | None, model: float
) -> tuple[list[Swelling], float]:
    """Swelling of each cycle, and the largest correlation of one of them with the leak."""
    found: list[Swelling] = []
    coupled = 0.0
    seen_ah, spans_ah = _spans_ah(record), record.spans_ah or {}
    leak = table.names.index("leak") if "leak" in table.names else None
    sd = np.sqrt(np.maximum(np.diagonal(fit.covariance), 1e-300))
    for at in np.flatnonzero(table.is_swelling):
        cycle = int(table.names[at].split()[1])
        span_ah = max(spans_ah.get(cycle, 0.0), seen_ah.get(cycle, 0.0))
        seen = seen_ah.get(cycle, 0.0) / span_ah if span_ah > 0 else 0.0
        if seen < _LEAST_SEEN:
            continue
        direction = np.zeros(len(table.names))
        direction[at] = span_ah
        share = _estimate(fit, direction, model)
        if seen < _ALL_SEEN:
            # What the cell did meanwhile is not known: the part that was not seen may be anything from none to twice.
            share = Estimate(share.value, share.half_width + (1.0 - seen) * abs(share.value))
        change = share.times(volume_ml) if volume_ml is not None else None
        found.append(Swelling(cycle, span_ah, share, change, min(seen, 1.0)))
        if leak is not None:
            coupled = max(coupled, abs(float(fit.covariance[at, leak] / (sd[at] * sd[leak]))))
    return found, coupled


def _levelled(residual: Floats, model: Floats, bins: Bins, fit: Fit) -> Floats:
    """Cell volume in each bin: the random part of each pulse is removed."""
    share = np.empty(len(residual))
    marks = np.concatenate(
        [[0], np.flatnonzero((np.diff(bins.pulses) != 0) | bins.starts[1:]) + 1, [len(residual)]]
    )
    for start, end in pairwise(marks):
        if end > start:
            part = residual[start:end]
            share[start:end] = (part - np.mean(part - model[start:end])) / np.mean(bins.value[start:end])
    return share
