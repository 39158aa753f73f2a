"""All evaluations of a run, from its samples and, if given, the cycler's file."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import asdict, astuple, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipch.analysis import (
    AIR,
    BAND_PA,
    RATED,
    Balance,
    Cycle,
    CyclerRows,
    Excursion,
    GasLaw,
    GasRecord,
    Groups,
    Held,
    NotEnough,
    PressureSamples,
    Supply,
    Wear,
    clock_check,
    cycle_table,
    excursions,
    forecast,
    is_held,
    longest_step_s,
    pulses_between,
    solve_balance,
    wear,
    weights,
)
from ipch.analysis import COLUMNS as CYCLE_NAMES
from ipch.base.files import access
from ipch.base.units import format_duration
from ipch.cyclers import Line, Merged, check
from ipch.recording import Run, among

Floats = NDArray[np.floating[Any]]

_GAS_READINGS = ("pressure_pa", "gas_k", "wall_k", "supply_pa")
_GAS_COUNTERS = ("fills", "vents", "fill_open_s", "vent_open_s")
COLUMNS = ("ramp_pa", "target_pa", *_GAS_READINGS, *_GAS_COUNTERS)
"""Columns of the samples that the evaluation needs."""

# States in which gas moves only through metered valves or a leak.
_SHUT = ("OFF", "REGULATE", "QUIET", "SEALED")
_RAMP_SETTLE_S = 600.0
_AWAY_PA = 50e3
_BEFORE_S = 3600.0
_PART = 100_000


@dataclass(frozen=True)
class Assumed:
    """Parameters that the record does not hold. Without the volume there are no millilitres and no litres."""

    gas: GasLaw | None = None
    """None: not told, taken as air."""
    volume_ml: float | None = None
    band_pa: float = BAND_PA
    cylinder_l: float | None = None
    cylinder_pa: float | None = None
    rated: int = RATED
    reference_cycle: int | None = None

    @property
    def law(self) -> GasLaw:
        return self.gas or AIR


@dataclass(frozen=True)
class Gap:
    """A gap in the record."""

    start_s: float
    duration_s: float


@dataclass(frozen=True)
class Evaluation:
    """All results; a missing one is None or empty, and `why_not` gives the reason for a missing balance."""

    assumed: Assumed
    balance: Balance | None
    why_not: str
    supply: Supply | None
    excursions: list[Excursion]
    cycles: list[Cycle]
    wear: list[Wear]
    gaps: list[Gap]
    recorded_share: float
    """Share of the run's time that the record covers."""
    checks: list[Line] = field(default_factory=list)
    """Self-check of the merge with the cycler's files."""


def evaluate(run: Run, merged: Merged | None = None, assumed: Assumed | None = None) -> Evaluation:
    """Evaluate a run. Raises UsageError for an unknown reference cycle."""
    given = assumed or Assumed()
    balance, why_not, supply = _gas(run, merged, given)
    gaps = find_gaps(run.time_s)
    samples = run.samples
    held = holding(run, given.band_pa)
    share_s = weights(run.time_s)
    held_s = float(share_s[held].sum()) if len(run.time_s) > 1 else 0.0
    recorded_s = float(share_s.sum())
    del share_s
    wears = [
        wear(
            name,
            float(samples[count][0]),
            float(samples[count][-1]),
            float(samples[opened][-1] - samples[opened][0]),
            held_pulses(run, samples[count], held),
            held_s,
            given.rated,
        )
        for name, count, opened in (("fill", "fills", "fill_open_s"), ("vent", "vents", "vent_open_s"))
    ]
    return Evaluation(
        assumed=given,
        balance=balance,
        why_not=why_not,
        supply=supply,
        excursions=_excursions(run, merged, given),
        cycles=_cycles(run, merged, balance, given) if merged is not None else [],
        wear=wears,
        gaps=gaps,
        recorded_share=recorded_s / run.duration_s if run.duration_s else 1.0,
        checks=[] if merged is None else [*check(merged), _clock(run, merged, balance)],
    )


def _gas(run: Run, merged: Merged | None, given: Assumed) -> tuple[Balance | None, str, Supply | None]:
    """The gas balance, or why there is none; how long a cylinder lasts."""
    record = gas_record(run, merged)
    try:
        balance = solve_balance(
            record, given.law, given.volume_ml, float(run.settings.get("ambient_pa", 101_325))
        )
    except NotEnough as error:
        return None, str(error), None
    if given.volume_ml is None or given.cylinder_l is None:
        return balance, "", None
    supply = forecast(
        balance,
        given.volume_ml,
        given.cylinder_l,
        given.cylinder_pa or float(np.nanmax(record.supply_pa)),
        balance.pressure_pa + 1e5,
        float(np.nanmean(record.gas_k)),
        given.law,
    )
    return balance, "", supply


def _clock(run: Run, merged: Merged, balance: Balance | None) -> Line:
    """Whether the pressure follows the charge best with the times as they are."""
    found = None
    if balance is not None and balance.bins is not None:
        seen_s = (
            np.interp(merged.unix_s, run.utc_s, run.time_s)
            + np.where(merged.unix_s < run.utc_s[0], merged.unix_s - run.utc_s[0], 0.0)
            + np.where(merged.unix_s > run.utc_s[-1], merged.unix_s - run.utc_s[-1], 0.0)
        )
        found = clock_check(balance.bins, seen_s, merged.charge_ah)
    if found is None:
        return Line("clock", True, "not compared: too little pressure at rest beside the cycler's charge")
    if not found.ahead_s:
        explained = f"the charge explains {abs(found.explained):.0%} of the changes of the gas"
        return Line("clock", True, f"no other time of the cycler fits the pressure better; {explained}")
    side = "ahead" if found.ahead_s > 0 else "behind"
    return Line(
        "clock", False,
        f"the cycler's clock seems to be {format_duration(abs(found.ahead_s))} {side}: with"
        f" --offset {-found.ahead_s:+.0f}s the charge explains {found.explained_shifted:.0%} of the changes of the gas,"
        f" as it is {abs(found.explained):.0%}{' with the wrong sign' if found.explained < 0 else ''}; check --tz",
    )  # fmt: skip


def clock_holds(found: Evaluation) -> bool:
    """Whether the cycler's times fit the pressure, as far as that can be told."""
    return all(line.ok for line in found.checks if line.about == "clock")


def figures(run: Run, found: Evaluation) -> dict[str, Any]:
    """What `ipch report --json` adds to the summary; units are in the names."""
    balance = found.balance
    start_s = float(run.time_s[0])
    gas: dict[str, Any] | None = None
    if balance is not None:
        gas = {
            "leak_kpa_h": balance.leak_kpa_h.value,
            "leak_95_kpa_h": balance.leak_kpa_h.half_width,
            "leak_percent_day": balance.leak_share_1_day.value * 100,
            "pressure_pa": balance.pressure_pa,
            "wall_weight": balance.wall_weight,
            "filled_kpa": asdict(balance.filled_kpa),
            "vented_kpa": asdict(balance.vented_kpa),
            "bins": balance.rows,
            "notes": balance.notes,
        }
    return {
        "gas": found.assumed.law.name,
        "gas_told": found.assumed.gas is not None,
        "leak": gas,
        "leak_why_not": found.why_not or None,
        "supply": None if found.supply is None else asdict(found.supply),
        "cycles": [asdict(cycle) for cycle in found.cycles],
        "excursions": [asdict(e) | {"start_s": e.start_s - start_s} for e in found.excursions],
        "gaps": [asdict(gap) | {"start_s": gap.start_s - start_s} for gap in found.gaps],
        "recorded_share": found.recorded_share,
        "wear": [asdict(wear) for wear in found.wear],
        "checks": [asdict(line) for line in found.checks],
    }


def write_cycles(path: Path, cycles: Sequence[Cycle]) -> None:
    """Write the table of cycles as CSV, units in the column names. Raises FileError."""
    with access("write", path), path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(CYCLE_NAMES)
        writer.writerows(
            [
                "" if value is None else int(value) if isinstance(value, bool) else value
                for value in astuple(cycle)
            ]
            for cycle in cycles
        )


def gas_record(run: Run, merged: Merged | None = None) -> GasRecord:
    """Input of the gas balance from the samples of a run: a few samples as one for a long run."""
    samples, time_s = run.samples, run.time_s
    groups = Groups(len(time_s))
    usable, segment = _usable(run)
    of_cell: dict[str, Any] = {}
    if merged is not None:
        charge_ah, cycle = merged.charge_of_samples, merged.cycle_of_samples
        # Charge moved, but the cycler did not write when.
        usable &= np.isfinite(charge_ah) | ~np.isfinite(cycle)
        of_cell = {
            "charge_ah": groups.mean(charge_ah),
            "cycle": groups.last(cycle),
            "spans_ah": merged.spans_ah,
        }
    values: dict[str, Any] = {name: groups.mean(samples[name]) for name in _GAS_READINGS}
    values |= {name: groups.last(samples[name]) for name in _GAS_COUNTERS}
    return GasRecord(
        time_s=groups.mean(time_s),
        segment=groups.last(segment),
        usable=groups.all(usable) & groups.one(segment),
        **values,
        **of_cell,
    )


def _usable(run: Run) -> tuple[NDArray[np.bool_], NDArray[np.integer[Any]]]:
    """Samples at which no gas moved but by pulses and a leak, and the number of the stretch between ramps of each."""
    boot, ramping = run.samples["boot"], _ramping(run)
    begins = np.diff(boot, prepend=boot[0]) != 0
    begins |= ramping & ~np.concatenate([[False], ramping[:-1]])
    usable, marks, time_s = ~ramping & _in_states(run, _SHUT), np.flatnonzero(ramping), run.time_s
    for start, end in _parts(len(time_s)):
        usable[start:end] &= _since(time_s, marks, np.arange(start, end)) > _RAMP_SETTLE_S
    return usable, np.cumsum(begins, dtype=np.int32)


def find_gaps(time_s: Floats) -> list[Gap]:
    """Intervals without a sample, longer than 30 s and five usual intervals."""
    if len(time_s) < 2:
        return []
    intervals = np.diff(time_s)
    return [
        Gap(float(time_s[at]), float(intervals[at]))
        for at in np.flatnonzero(intervals > longest_step_s(time_s))
    ]


def _in_states(run: Run, states: tuple[str, ...]) -> NDArray[np.bool_]:
    return among(run.states, states)


def _ramping(run: Run) -> NDArray[np.bool_]:
    """Whether the setpoint moves, the pressure is far from it, or gas is vented."""
    samples = run.samples
    on = _in_states(run, ("REGULATE", "QUIET"))
    away = np.abs(samples["pressure_pa"] - samples["target_pa"]) > _AWAY_PA
    moving = samples["ramp_pa"] != samples["target_pa"]
    turned = np.diff(samples["target_pa"], prepend=samples["target_pa"][0]) != 0
    ramping: NDArray[np.bool_] = (on & (away | moving | turned)) | ~_in_states(run, _SHUT)
    return ramping


def _since(time_s: Floats, marks: NDArray[np.integer[Any]], rows: NDArray[np.integer[Any]]) -> Floats:
    """Time at some rows since the last of the marked rows before; inf before the first."""
    if not len(marks):
        return np.full(len(rows), np.inf)
    last = np.searchsorted(marks, rows, side="right") - 1
    since: Floats = np.where(last >= 0, time_s[rows] - time_s[marks[np.maximum(last, 0)]], np.inf)
    return since


def holding(run: Run, band_pa: float = BAND_PA) -> NDArray[np.bool_]:
    """The samples of holding: by the steps of the recipe, else by the state of the device."""
    if not run.steps:
        away = np.abs(run.samples["pressure_pa"] - run.samples["target_pa"]) > band_pa
        return _on_target(run, ~away)
    held = np.zeros(len(run.time_s), dtype=np.bool_)
    for step in run.steps:
        if is_held(step):
            held |= (run.time_s >= step.start_s) & (run.time_s <= step.end_s)
    return held


def held_pulses(run: Run, counter: Floats, inside: NDArray[np.bool_]) -> int:
    """Increments of a counter while holding, as the table of steps counts them; without steps, between neighbours.

    `inside`: the samples of holding.
    """
    if run.steps:
        spans = [(step.start_s, step.end_s) for step in run.steps if is_held(step)]
        return sum(pulses_between(run.time_s, counter, *span) for span in spans)
    steps = np.diff(counter)[inside[1:] & inside[:-1]]
    return round(float(steps[steps > 0].sum()))


def _on_target(run: Run, near: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Regulating with no ramp in progress, once the band was reached: the approach to a target is no holding."""
    moving = run.samples["ramp_pa"] != run.samples["target_pa"]
    still = _in_states(run, ("REGULATE", "QUIET")) & ~moving
    target_pa = run.samples["target_pa"]
    # A whole ramp may lie between two samples of a gap.
    other = np.concatenate([[False], target_pa[1:] != target_pa[:-1]])
    held: NDArray[np.bool_] = still & _arrived(still, near, other)
    return held


def _excursions(run: Run, merged: Merged | None, assumed: Assumed) -> list[Excursion]:
    """Excursions of all periods in which the regulator was to hold its target."""
    samples = run.samples
    moving = samples["ramp_pa"] != samples["target_pa"]
    faulty = ~among(run.faults, ("NONE",))
    away = np.abs(samples["pressure_pa"] - samples["target_pa"]) > assumed.band_pa
    held = _on_target(run, ~away)
    outside = np.flatnonzero(away & held)
    if not len(outside):
        return []
    # Only the hour before an excursion matters; this saves memory for a long run.
    inside = np.zeros(len(away), dtype=np.bool_)
    for stretch in np.split(outside, np.flatnonzero(np.diff(outside) > 1) + 1):
        first, last = np.searchsorted(
            run.time_s, [run.time_s[stretch[0]] - _BEFORE_S, run.time_s[stretch[-1]] + 60.0]
        )
        inside[first:last] = True
    inside &= held
    found = excursions(
        Held(
            time_s=run.time_s[inside],
            pressure_pa=samples["pressure_pa"][inside],
            target_pa=samples["target_pa"][inside],
            gas_k=samples["gas_k"][inside],
            supply_pa=samples["supply_pa"][inside],
            pulses=(samples["fills"] + samples["vents"])[inside],
            free=_in_states(run, ("REGULATE",))[inside],
            faulty=faulty[inside],
            since_ramp_s=_since(run.time_s, np.flatnonzero(moving), np.flatnonzero(inside)),
        ),
        assumed.band_pa,
        assumed.law,
    )
    starts = np.searchsorted(run.time_s, [each.start_s for each in found])
    cycles = np.full(len(found), np.nan) if merged is None else merged.cycle_of_samples[starts]
    return [_placed(run, each, float(cycle)) for each, cycle in zip(found, cycles, strict=True)]


def _placed(run: Run, found: Excursion, cycle: float) -> Excursion:
    """The excursion with the step and the cycle in which it began."""
    number = sum(step.start_s <= found.start_s for step in run.steps)
    return replace(found, step=number or None, cycle=int(cycle) if np.isfinite(cycle) else None)


def _parts(count: int) -> Iterator[tuple[int, int]]:
    """Rows in parts: a month has 2.4 million samples, and whole columns of intermediate values cost memory."""
    return ((start, min(start + _PART, count)) for start in range(0, count, _PART))


def _arrived(
    holding: NDArray[np.bool_], near: NDArray[np.bool_], other: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Whether the band was reached since the present period of holding began, or one at an `other` target."""
    arrived = np.empty(len(holding), dtype=np.bool_)
    # Rows at which both happened last.
    last_began = last_reached = -1
    for start, end in _parts(len(holding)):
        part, index = slice(start, end), np.arange(start, end)
        began = np.where(holding[part], np.where(other[part], index - 1, -1), index)
        reached = np.where(holding[part] & near[part], index, -1)
        began[0], reached[0] = max(began[0], last_began), max(reached[0], last_reached)
        for each in (began, reached):
            np.maximum.accumulate(each, out=each)
        last_began, last_reached = began[-1], reached[-1]
        np.greater(reached, began, out=arrived[part])
    return arrived


def _cycles(run: Run, merged: Merged, balance: Balance | None, assumed: Assumed) -> list[Cycle]:
    return cycle_table(
        CyclerRows(
            unix_s=merged.unix_s,
            cycle=merged.cycle,
            charged_ah=merged.charged_ah,
            discharged_ah=merged.discharged_ah,
            has_pressure=np.isfinite(merged.pressure_pa),
        ),
        PressureSamples(
            time_s=run.time_s,
            pressure_pa=run.samples["pressure_pa"],
            target_pa=run.samples["target_pa"],
            cycle=merged.cycle_of_samples,
        ),
        balance,
        assumed.band_pa,
        assumed.reference_cycle,
    )
