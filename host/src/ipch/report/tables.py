"""Texts and tables of a report as plain text; page.py puts them into the page."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from ipch.analysis import Cycle, Estimate, Wear
from ipch.base.units import format_duration
from ipch.recording import Run
from ipch.report.evaluation import Evaluation

CYCLE_COLUMNS = (
    "cycle", "charge/mAh", "discharge/mAh", "CE/%", "retention/%", "mean/MPa", "sd/kPa", "min/MPa", "max/MPa",
    "in band", "swelling/mL",
)  # fmt: skip
EXCURSION_COLUMNS = ("at", "step", "cycle", "for", "peak/kPa", "cause")
WEAR_COLUMNS = (
    "valve",
    "pulses",
    "while holding",
    "per day of holding",
    "all its life",
    "open",
    "learned gain, Pa/s per MPa",
    "years left",
)
_DASH = "-"
_SOME_KPA = 1e-3
NOT_TOLD = "not told"


def cycle_rows(cycles: Sequence[Cycle]) -> list[list[str]]:
    """One row for each cycle, for CYCLE_COLUMNS. An asterisk marks an incomplete cycle."""

    def mpa(pa: float | None) -> str:
        return _DASH if pa is None else f"{pa / 1e6:.4f}"

    rows = []
    for cycle in cycles:
        swelling = _DASH
        if cycle.volume_change_ml is not None and cycle.volume_change_95_ml is not None:
            swelling = plus_minus(Estimate(cycle.volume_change_ml, cycle.volume_change_95_ml))
            if not all_seen(cycle):
                swelling += f" ({cycle.volume_seen or 0.0:.0%} seen)"
        rows.append(
            [
                f"{cycle.cycle}{'' if cycle.complete else '*'}",
                f"{cycle.charge_ah * 1e3:.3f}",
                f"{cycle.discharge_ah * 1e3:.3f}",
                _percent(cycle.coulombic_efficiency),
                _percent(cycle.retention),
                mpa(cycle.pressure_mean_pa),
                _DASH if cycle.pressure_sd_pa is None else f"{cycle.pressure_sd_pa / 1e3:.2f}",
                mpa(cycle.pressure_min_pa),
                mpa(cycle.pressure_max_pa),
                _DASH if cycle.in_band is None else f"{cycle.in_band:.2%}",
                swelling,
            ]
        )
    return rows


def all_seen(cycle: Cycle) -> bool:
    """Whether the pressure was recorded over all of the cycle's charge."""
    return cycle.volume_seen is None or cycle.volume_seen >= 0.98


def excursion_rows(run: Run, found: Evaluation, most: int = 50) -> list[list[str]]:
    """The largest excursions, in order of time."""
    largest = sorted(found.excursions, key=lambda e: -abs(e.peak_pa))[:most]
    start_s = float(run.time_s[0])
    return [
        [
            format_duration(e.start_s - start_s),
            _DASH if e.step is None else str(e.step),
            _DASH if e.cycle is None else str(e.cycle),
            format_duration(max(e.duration_s, 1.0)),
            f"{e.peak_pa / 1e3:+.2f}",
            e.cause,
        ]
        for e in sorted(largest, key=lambda e: e.start_s)
    ]


def gas_rows(found: Evaluation) -> list[tuple[str, str]]:
    """Results of the gas balance, as (name, value)."""
    balance = found.balance
    if balance is None:
        return [("leak", f"not determined: {found.why_not}")]
    rows = [
        (f"leak at {balance.pressure_pa / 1e6:.3f} MPa", f"{plus_minus(balance.leak_kpa_h)} kPa/h (95 %)"),
        ("leak as a share of the gas", f"{plus_minus(balance.leak_share_1_day.times(100))} % per day"),
    ]
    if not detected(balance.leak_kpa_h):
        rows.append(("", "no leak detected: the interval contains 0"))
    for name, moved, wear in zip(
        ("let in", "let out"), (balance.filled_kpa, balance.vented_kpa), found.wear, strict=True
    ):
        if abs(moved.value) + moved.half_width > _SOME_KPA:
            rows.append((f"gas {name}", known(moved, "kPa of the chamber, in the time used")))
        elif wear.held:
            left_out = f"its {wear.held} pulses while holding are among those left out"
            rows.append((f"gas {name}", f"not known: {left_out}"))
    if found.supply is not None:
        supply = found.supply
        lasts = known(supply.days, "days") if supply.days is not None else "no consumption"
        rows.append(("gas used", known(supply.used_normal_l_day, "normal litres per day")))
        rows.append(
            (
                "the cylinder lasts",
                f"{lasts} (uncertainty of the fill gain only, at constant consumption)",
            )
        )
    rows.append(
        (
            "thermometer",
            f"wall sensor with a weight of {balance.wall_weight:.2f}, gas sensor with the rest; slow residual of"
            f" {_at_least(balance.noise.slow * balance.noise_scale * balance.pressure_pa / 1e3)} kPa",
        )
    )
    law = found.assumed.gas
    rows.append(("gas", f"{found.assumed.law.name}{'' if law else ', assumed: tell it with --gas'}"))
    rows.append(
        (
            "from",
            f"{balance.rows} means of {balance.bin_s:g} s; ramps, and the minutes after them and pulses, left out",
        )
    )
    rows += [("note", note) for note in balance.notes]
    return rows


def _at_least(kpa: float) -> str:
    return f"{kpa:.3f}" if kpa >= 0.0005 else "less than 0.001"


def wear_rows(run: Run, found: Evaluation) -> list[list[str]]:
    """One row for each valve, for WEAR_COLUMNS."""
    return [
        [
            wear.valve,
            str(wear.actuations),
            str(wear.held),
            known(wear.per_day, "") if wear.held else "0",
            str(wear.total),
            f"{wear.open_s:.2f} s",
            _learned(run, wear.valve),
            _years(wear),
        ]
        for wear in found.wear
    ]


def _years(wear: Wear) -> str:
    """Years until the rated number; with few pulses, a lower bound."""
    left = wear.years_left
    if left is None or left.half_width > 0.5 * left.value or left.value > 100:
        return f"more than {min(100.0, float(f'{wear.years_at_least:.2g}')):g}"
    return plus_minus(left)


def _learned(run: Run, valve: str) -> str:
    """The device's learned gain of a valve at the start and at the end; 0 before its first pulse."""
    gains = [event.data[valve]["gain"] for event in run.events if event.kind == "valves"]
    if not gains:
        return _DASH
    return str(gains[-1]) if gains[0] == gains[-1] else f"{gains[0] or 'none'} to {gains[-1]}"


def calibration_rows(run: Run) -> list[list[str]]:
    """Transducers: serial number, date, correction, as at the start of the run."""
    rows = []
    for name in ("control", "safety", "supply"):
        zero, span = run.settings.get(f"{name}_zero_pa"), run.settings.get(f"{name}_span_ppm")
        if zero is None or span is None:
            continue
        serial = run.settings.get(f"{name}_serial") or 0
        rows.append(
            [
                name,
                str(serial) if serial else NOT_TOLD,
                _date(run.settings.get(f"{name}_cal_date") or 0),
                f"{zero:+d} Pa, {span:+d} ppm",
            ]
        )
    return rows


def detected(estimate: Estimate) -> bool:
    """Whether the 95 % interval excludes 0."""
    return not estimate.covers(0.0)


def known(estimate: Estimate, unit: str) -> str:
    """A value with its interval and unit, or that it is not known: the interval is wider than the value."""
    if estimate.half_width >= abs(estimate.value):
        return f"not known: at most {abs(estimate.value) + estimate.half_width:.2g} {unit}".rstrip()
    return f"{plus_minus(estimate)} {unit}".rstrip()


def plus_minus(estimate: Estimate) -> str:
    """A value with half of its interval, rounded to two digits of the latter."""
    half = estimate.half_width
    if not np.isfinite(half) or half <= 0:
        return f"{estimate.value:.4g}"
    digits = max(0, 1 - int(np.floor(np.log10(half))))
    return f"{estimate.value:.{digits}f} \u00b1 {half:.{digits}f}"


def when(unix_s: float) -> str:
    """Unix time for people."""
    return f"{datetime.fromtimestamp(unix_s, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _date(number: int) -> str:
    text = str(number)
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == 8 else NOT_TOLD


def _percent(share: float | None) -> str:
    return _DASH if share is None else f"{share * 100:.2f}"
