"""Where the gas went: leak while regulating, what pulses deliver, and how much the cell swells, from one balance.

The chamber holds  n = rho (V - v)  of gas: V its gas volume with the cell as it was at the start, v what the cell has
swollen since, rho = p/(Z R T) the density by pressure, temperature and the gas law. Gas comes through the fill valve,
goes through the vent valve, and leaks. With r = rho over its mean, each bin of samples between two pulses says

    r = level + sum_k (v_k/V) r q_k(t) + g_f F(t) + d_f C_f(t) - g_v E(t) - d_v C_v(t) - l t + thermometers + noise

- q_k: charge in the cell (Ah) within electrochemical cycle k, so v_k/V is swelling per Ah there. A cell is taken to
  have the same volume again at equal charge: what remains swollen after a cycle looks like gas that came from nowhere,
  that is like a negative leak. No measurement of pressure can tell the two apart.
- F and E: time that fill and vent were open (as metered by the device), times what drives the flow (upstream pressure
  times the subsonic share of ISO 6358); C_f and C_v: the same for the number of pulses, since a valve opens late and
  shuts late. Gain g and dead time d/g are unknown and estimated with all the rest: each pulse is seen as a step in
  r, and the sum of pulses is known better than one of them. Beyond its mean a pulse scatters (see noise.py), which
  costs nothing as long as pressure was recorded on both sides of it, and counts in full across a gap.
- l: leak as a share of the gas per second, which for a small hole is the same at every pressure.
- thermometers: r is computed with the gas sensor; (wall - gas) with a weight lets the wall sensor stand in as far as
  the record itself says that it follows the gas better. What the wall does not see has a shape that is known: the gas
  follows the wall late (the wall behind itself by three lags), the warmth of each pulse fades (three exponentials), a
  swelling cell works on the gas (warmer in proportion to the current). The wall itself stands for what calibration
  leaves of the transducer's drift with temperature.
- noise: white, from the scatter within bins, and a slow mismatch of unknown size and memory (noise.py).

The minutes after pulses, in which gas and sensor are not yet equally warm, are left out, ramps too: behind a ramp the
level begins anew. All are relative, so the leak needs no volume; millilitres of the cell do.
"""

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipch.analysis.noise import Fit, Noise, Rows, solve
from ipch.gas import AIR, NORMAL_M3_MOL, GasLaw, flow_share

Floats = NDArray[np.floating[Any]]

# Gas that a pulse warmed or cooled is as warm as its sensor says after this; the wall takes longer to show in it.
_LEAST_SETTLE_S, _MOST_SETTLE_S, _SETTLE_SHARE = 20.0, 180.0, 0.5
_RAMP_SETTLE_S = 600.0
_BIN_S = 60.0
_MOST_BINS = 2500
_LEAST_ROWS = 12
# What is believed of the nuisances before the data speak; all of it wide.
_WALL_WEIGHT, _WALL_WEIGHT_SD = 0.5, 1.0
_LAGS_S, _LAG_SD = (30.0, 100.0, 300.0), 1.0
_WORK_SD_K, _WORK_S = 0.05, 80.0
_GRID_S, _MOST_GRID = 10.0, 200_000
# How a pulse's warmth fades: free convection slows down as it does, so no single exponential. Amplitudes in K for the
# whole of the gas: a fill warms by about 0.4 T dn/n, less is left for the slow parts.
_FADING = ((30.0, 120.0), (90.0, 120.0), (270.0, 2.0))
_DRIFT_SD_PA_K = 500.0
_DEAD_SD_S = 0.01
_GAIN_SD = 1.0
_HOUR_S = 3600.0
# What the model itself is believed to be good for, as a share of a result: gas law (0.04 %), shapes of the warmth.
_MODEL = 0.0025
_LEAST_BAR_PA = 200e3


@dataclass(frozen=True)
class Estimate:
    """A value with half of its 95 % interval, in the same unit."""

    value: float
    half_width: float

    @property
    def low(self) -> float:
        return self.value - self.half_width

    @property
    def high(self) -> float:
        return self.value + self.half_width

    def covers(self, truth: float) -> bool:
        """Whether the interval contains a value."""
        return self.low <= truth <= self.high

    def times(self, factor: float) -> "Estimate":
        return Estimate(self.value * factor, self.half_width * abs(factor))


@dataclass(frozen=True)
class GasRecord:
    """What was recorded, an array for each column, in the order of time (s, Pa, K). nan where nothing was valid.

    `segment` counts up wherever the level is unknown (restart, ramp, vent); `usable` is False where the gas was on its
    way. `charge_ah` is the charge put into the cell since the start and `cycle` the number of the electrochemical
    cycle; both None for an idle cell, nan where the cycler says nothing.
    """

    time_s: Floats
    pressure_pa: Floats
    gas_k: Floats
    wall_k: Floats
    supply_pa: Floats
    fills: Floats
    vents: Floats
    fill_open_s: Floats
    vent_open_s: Floats
    segment: NDArray[np.integer[Any]]
    usable: NDArray[np.bool_]
    charge_ah: Floats | None = None
    cycle: Floats | None = None


@dataclass(frozen=True)
class Swelling:
    """One electrochemical cycle. Volumes in mL, None without the chamber's volume; `share` of the gas volume always."""

    cycle: int
    span_ah: float
    """Largest less smallest charge within the cycle."""
    share: Estimate
    """Volume of the cell at the largest charge less that at the smallest, over the gas volume."""
    change_ml: Estimate | None
    per_ah_ml: Estimate | None


@dataclass(frozen=True)
class Balance:
    """What the balance says; see the module for the model."""

    pressure_pa: float
    """Mean pressure of what was used: figures in kPa belong to it."""
    duration_s: float
    rows: int
    """Bins that were used."""
    bin_s: float
    leak_kpa_h: Estimate
    leak_share_1_day: Estimate
    """Of the gas, per day."""
    fill_kpa_s: Estimate | None
    """Settled rise of pressure per second that the fill valve is open, at its mean flow; None without fills."""
    vent_kpa_s: Estimate | None
    filled_kpa: Estimate
    """All that was let in within the time that was used, as pressure of the chamber, by the estimated gain."""
    vented_kpa: Estimate
    cycles: list[Swelling]
    wall_weight: float
    """0: the gas sensor follows the gas; 1: the wall sensor does."""
    noise: Noise
    noise_scale: float
    leak_to_swelling: float
    """Largest correlation of leak and swelling of a cycle, 0 to 1: beyond 0.95 the record hardly tells them apart."""
    notes: list[str] = field(default_factory=list)
    time_s: Floats = field(default_factory=lambda: np.zeros(0))
    """Of each bin."""
    swelling_share: Floats = field(default_factory=lambda: np.zeros(0))
    """Volume of the cell over gas volume in each bin, leak and pulses taken out; each segment starts at the model's."""


def condensed(record: GasRecord, most: int = 400_000) -> GasRecord:
    """Fewer samples: means over a few of them in a row, counters as they were last; all usable or none.

    The balance works with means of a minute or more; a month of seconds would only cost memory.
    """
    every = -(-len(record.time_s) // most)
    if every < 2:
        return record
    edges = np.arange(0, len(record.time_s), every)
    ends = np.append(edges[1:], len(record.time_s)) - 1
    count = (ends - edges + 1).astype(np.float64)

    def mean(values: Floats) -> Floats:
        total: Floats = np.add.reduceat(values, edges, dtype=np.float64)
        return total / count

    return GasRecord(
        time_s=mean(record.time_s),
        pressure_pa=mean(record.pressure_pa),
        gas_k=mean(record.gas_k),
        wall_k=mean(record.wall_k),
        supply_pa=mean(record.supply_pa),
        fills=record.fills[ends],
        vents=record.vents[ends],
        fill_open_s=record.fill_open_s[ends],
        vent_open_s=record.vent_open_s[ends],
        segment=record.segment[ends],
        usable=np.logical_and.reduceat(record.usable, edges)
        & (record.segment[edges] == record.segment[ends]),
        charge_ah=None if record.charge_ah is None else mean(record.charge_ah),
        cycle=None if record.cycle is None else record.cycle[ends],
    )


class NotEnough(ValueError):
    """There is too little in the record; the text says what is missing."""


def solve_balance(
    record: GasRecord,
    law: GasLaw = AIR,
    volume_ml: float | None = None,
    ambient_pa: float = 101_325.0,
    noises: list[Noise] | None = None,
    sample_noise: float | None = None,
) -> Balance:
    """Estimate leak, gains and swelling. Raises NotEnough.

    `noises` and `sample_noise` (white, relative, of one sample) are for a bound with a noise that is known.
    """
    bins = _bin(record, law, ambient_pa)
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

    leak = estimate(along(leak=1.0))
    sides: list[Estimate | None] = []
    moved = []
    for side in ("fill", "vent"):
        gain = along(**{side: 1.0})
        total = along(**{side: table.total[side], f"{side}_count": table.total[f"{side}_count"]})
        moved.append(estimate(total).times(kpa))
        sides.append(estimate(gain * table.flow[side]).times(kpa) if gain.any() else None)
    cycles, coupled = _swellings(fit, table, _spans_ah(record), volume_ml, model)
    notes = []
    if coupled > 0.95:
        notes.append("leak and swelling can hardly be told apart: no rest and no full cycle is in the record")
    residual = bins.value - table.columns @ (fit.mean * ~table.is_swelling)
    return Balance(
        pressure_pa=pressure_pa,
        duration_s=float(bins.time_s[-1] - bins.time_s[0]),
        rows=len(bins.time_s),
        bin_s=bins.width_s,
        leak_kpa_h=leak.times(_HOUR_S * kpa),
        leak_share_1_day=leak.times(24 * _HOUR_S),
        fill_kpa_s=sides[0],
        vent_kpa_s=sides[1],
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
    )


def gas_used_mol(kpa: float, volume_ml: float, pressure_pa: float, kelvin: float, law: GasLaw) -> float:
    """Amount of gas that moves a chamber's pressure by so much."""
    share = kpa * 1e3 / (pressure_pa * float(law.stiffness(pressure_pa, kelvin)))
    return float(share * law.density_mol_m3(pressure_pa, kelvin) * volume_ml * 1e-6)


@dataclass(frozen=True)
class Supply:
    """How long the gas lasts."""

    used_mol_day: Estimate
    used_normal_l_day: Estimate
    left_mol: float
    days: Estimate | None
    """None where nothing is used; `high` may be infinite."""


def forecast(
    balance: Balance,
    volume_ml: float,
    cylinder_l: float,
    cylinder_pa: float,
    needed_pa: float,
    kelvin: float,
    law: GasLaw = AIR,
) -> Supply:
    """How long a cylinder lasts: what was let in per day goes on, the cylinder is empty at `needed_pa`.

    The uncertainty is that of the fill gain. Above 10 MPa the gas law is extrapolated: within 2 % to 20 MPa.
    """
    days = max(balance.duration_s / (24 * _HOUR_S), 1e-9)
    per_kpa = gas_used_mol(1.0, volume_ml, balance.pressure_pa, kelvin, law)
    rate = balance.filled_kpa.times(per_kpa / days)
    used, relative = rate.value, rate.half_width / max(abs(rate.value), 1e-30)
    full = float(law.density_mol_m3(cylinder_pa, kelvin)) * cylinder_l * 1e-3
    rest = float(law.density_mol_m3(min(needed_pa, cylinder_pa), kelvin)) * cylinder_l * 1e-3
    left = full - rest
    lasts = None
    if used > 0:
        lasts = Estimate(left / used, left / used * relative)
    return Supply(rate, rate.times(NORMAL_M3_MOL * 1e3), left, lasts)


@dataclass(frozen=True)
class _Bins:
    time_s: Floats
    value: Floats
    white: Floats
    count: Floats
    starts: NDArray[np.bool_]
    pressure_pa: Floats
    gas_k: Floats
    thermal: Floats
    """Relative change of the value for each kelvin that the gas is warmer than its sensor says."""
    means: dict[str, Floats]
    """Mean of each regressor within the bin."""
    charge_ah: Floats | None
    cycle: Floats | None
    width_s: float
    pulses: Floats
    """Number of pulses up to the bin."""


@dataclass(frozen=True)
class _Table:
    names: list[str]
    columns: Floats
    prior_mean: Floats
    prior_sd: Floats
    total: dict[str, float]
    flow: dict[str, float]
    step: Floats
    is_swelling: NDArray[np.bool_]


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
        # The sample before the counter moved may have seen the pulse already.
        settled[moved - 1] = False
    return settled


def _bin(record: GasRecord, law: GasLaw, ambient_pa: float) -> _Bins:
    """Means over bins that no pulse falls into."""
    settled = _settled(record)
    index = np.flatnonzero(settled)
    if len(index) < _LEAST_ROWS:
        raise NotEnough("too few samples at rest: the pressure has to be held for some minutes")
    time_s = record.time_s[index]
    span_s = float(time_s[-1] - time_s[0])
    width_s = max(_BIN_S, np.ceil(span_s / _MOST_BINS / _BIN_S) * _BIN_S)
    while span_s / width_s < 3 * _LEAST_ROWS and width_s > 5.0:
        width_s /= 2.0
    regressors = _regressors(record, settled, ambient_pa)
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
    # Each segment in terms of its own mean, so that a leak is the same share at every pressure.
    norm = np.empty(len(edges))
    for label in np.unique(labels[keep]):
        inside = (labels == label) & keep
        norm[inside] = np.average(value[inside], weights=count[inside])
        first[np.flatnonzero(inside)[0]] = True
    if keep.sum() < _LEAST_ROWS:
        raise NotEnough("too few samples between pulses")
    within = float(np.sum(scatter2[keep] / norm[keep] ** 2) / max(1.0, float(np.sum(count[keep] - 1))))
    ratio = (value / np.where(keep, norm, 1.0))[keep]
    means = {name: mean(values)[keep] for name, values in regressors.items()}
    warmer = wall_k - base_k
    means["wall"] = mean(law.thermal_1_k(pressure_pa, base_k) * warmer)[keep] * ratio
    kelvin = mean(wall_k)[keep]
    thermal = law.thermal_1_k(pressures[keep], mean(base_k)[keep])
    grid_s, late = _on_grid(record)
    for name, values in late.items():
        means[name] = ratio * thermal * mean(np.interp(time_s, grid_s, values))[keep]
    means["drift"] = (kelvin - kelvin[0]) / pressures[keep]
    charge = record.charge_ah
    return _Bins(
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
    """Wall temperature behind itself by each lag, and current, on an even grid of times that fills every gap."""
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
        for lag_s in _LAGS_S:
            found[f"lag {lag_s:g} s"] = _behind(wall_k, step_s / lag_s) - wall_k
    charge_ah = gridded(record.charge_ah) if record.charge_ah is not None else None
    if charge_ah is not None and length > 2:
        found["work"] = _behind(np.gradient(charge_ah, step_s / 3600.0), step_s / _WORK_S)
    return grid_s, found


def _behind(values: Floats, part: float) -> Floats:
    """First-order lag of an even series; `part` is the step over the time constant."""
    share = float(1.0 - np.exp(-part))
    behind, late = float(values[0]), []
    for value in values.tolist():
        behind += share * (value - behind)
        late.append(behind)
    return np.array(late)


def _regressors(record: GasRecord, settled: NDArray[np.bool_], ambient_pa: float) -> dict[str, Floats]:
    """At each settled sample: what was metered up to there, and the time for the leak."""
    pressure_pa = np.maximum(record.pressure_pa.astype(np.float64), 1.0)
    whole = np.diff(record.segment, prepend=record.segment[0]) == 0
    found: dict[str, Floats] = {}
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
        found[side] = sign * np.cumsum(drive * opened)[settled]
        moved = np.flatnonzero(opened)
        for fading_s, _ in _FADING:
            found[f"{side}_fading_{fading_s:g}"] = _faded(
                record.time_s, moved, sign * (drive * opened)[moved], fading_s
            )[settled]
        found[f"{side}_count"] = -sign * np.cumsum(drive * pulses)[settled]
    found["leak"] = -(record.time_s - record.time_s[0])[settled] * flow_share(
        float(np.median(pressure_pa[settled])), ambient_pa
    )
    return found


def _faded(time_s: Floats, moved: NDArray[np.integer[Any]], size: Floats, fading_s: float) -> Floats:
    """What is left at each sample of the pulses so far, when each fades exponentially."""
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


def _columns(bins: _Bins) -> _Table:
    """The regressors that say something, with what is believed of their coefficients."""
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
    for lag_s in _LAGS_S:
        if f"lag {lag_s:g} s" in bins.means:
            add(f"lag {lag_s:g} s", bins.means[f"lag {lag_s:g} s"], 0.0, _LAG_SD)
    if "work" in bins.means:
        # In K for the largest current.
        work = bins.means["work"]
        most = max(float(np.max(np.abs(work / bins.thermal))), 1e-12)
        add("work", work / most, 0.0, _WORK_SD_K)
    add("drift", bins.means["drift"], 0.0, _DRIFT_SD_PA_K)
    total: dict[str, float] = {}
    flow: dict[str, float] = {}
    step = np.zeros(len(bins.time_s))
    for side in ("fill", "vent"):
        metered, counted = bins.means[side], bins.means[f"{side}_count"]
        total[side], total[f"{side}_count"] = float(np.ptp(metered)), -float(np.ptp(counted))
        pulses = float(np.ptp(counted))
        flow[side] = 1.0
        moved = np.diff(metered, prepend=metered[0])
        inside = (moved != 0) & ~bins.starts
        if inside.any():
            # The steps themselves say how much about: the gain that explains them best, one by one.
            steps = np.diff(bins.value, prepend=bins.value[0])[inside]
            guess = max(float(steps @ moved[inside] / (moved[inside] @ moved[inside])), 1e-9)
            add(side, metered, guess, _GAIN_SD * guess)
            if pulses > 0:
                add(f"{side}_count", counted, 0.0, _DEAD_SD_S * guess)
            for fading_s, amplitude_k in _FADING:
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
        flow,
        step,
        is_swelling,
    )


def _filled(values: Floats) -> Floats:
    """Charge through the time without cycler data: it stays what it was."""
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return np.zeros(len(values))
    at = np.clip(np.searchsorted(known, np.arange(len(values)), side="right") - 1, 0, None)
    return values[known[at]]


def _solve(bins: _Bins, table: _Table, noises: list[Noise] | None) -> Fit:
    rows = Rows(bins.time_s, bins.value - 1.0, table.columns, bins.white, bins.starts, table.step)
    try:
        return solve(rows, table.prior_mean, table.prior_sd, noises, rescale=noises is None)
    except ValueError as error:
        raise NotEnough("too few samples for what is to be estimated") from error


def _estimate(fit: Fit, direction: Floats, model: float) -> Estimate:
    value = float(direction @ fit.mean)
    return Estimate(value, float(np.hypot(fit.half_width(direction), model * value)))


def _spans_ah(record: GasRecord) -> dict[int, float]:
    """Largest less smallest charge of each cycle, also where the gas was not at rest."""
    if record.charge_ah is None or record.cycle is None:
        return {}
    known = np.isfinite(record.cycle) & np.isfinite(record.charge_ah)
    cycles, starts = np.unique(record.cycle[known], return_index=True)
    order = np.argsort(starts)
    charge = record.charge_ah[known]
    edges = starts[order]
    spans = np.maximum.reduceat(charge, edges) - np.minimum.reduceat(charge, edges)
    return {int(cycles[at]): float(span) for at, span in zip(order, spans, strict=True)}


def _swellings(
    fit: Fit, table: _Table, spans_ah: dict[int, float], volume_ml: float | None, model: float
) -> tuple[list[Swelling], float]:
    """Swelling of each cycle, and how strongly the worst of them hangs together with the leak."""
    found: list[Swelling] = []
    coupled = 0.0
    leak = table.names.index("leak") if "leak" in table.names else None
    sd = np.sqrt(np.maximum(np.diagonal(fit.covariance), 1e-300))
    for at in np.flatnonzero(table.is_swelling):
        cycle = int(table.names[at].split()[1])
        span_ah = spans_ah[cycle]
        direction = np.zeros(len(table.names))
        direction[at] = span_ah
        share = _estimate(fit, direction, model)
        change = share.times(volume_ml) if volume_ml is not None else None
        found.append(Swelling(cycle, span_ah, share, change, change.times(1 / span_ah) if change else None))
        if leak is not None:
            coupled = max(coupled, abs(float(fit.covariance[at, leak] / (sd[at] * sd[leak]))))
    return found, coupled


def _levelled(residual: Floats, model: Floats, bins: _Bins, fit: Fit) -> Floats:
    """What is left for the cell in each bin: the random part of each pulse is taken out between pulses."""
    share = np.empty(len(residual))
    marks = np.concatenate(
        [[0], np.flatnonzero((np.diff(bins.pulses) != 0) | bins.starts[1:]) + 1, [len(residual)]]
    )
    for start, end in pairwise(marks):
        if end > start:
            part = residual[start:end]
            share[start:end] = (part - np.mean(part - model[start:end])) / np.mean(bins.value[start:end])
    return share
