"""What a report says in words and tables; plain text, which report.py puts into the page."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from ipch.analysis.balance import Balance
from ipch.analysis.cycles import Cycle
from ipch.analysis.estimate import Estimate
from ipch.evaluation import Evaluation
from ipch.merge import Merged
from ipch.runs import Run
from ipch.summary import Judgement
from ipch.units import format_duration

CYCLE_COLUMNS = (
    "cycle", "charge/mAh", "discharge/mAh", "CE/%", "retention/%", "mean/MPa", "sd/kPa", "min/MPa", "max/MPa",
    "in band", "swelling/mL",
)  # fmt: skip
EXCURSION_COLUMNS = ("at", "for", "peak/kPa", "cause")
WEAR_COLUMNS = (
    "valve",
    "pulses in this run",
    "by the device's count",
    "per day",
    "open",
    "learned gain, Pa/s per MPa",
    "years to the rated number",
)
_DASH = "-"


def cycle_rows(cycles: Sequence[Cycle]) -> list[list[str]]:
    """One row for each cycle, to go under CYCLE_COLUMNS. An asterisk: not complete."""

    def mpa(pa: float | None) -> str:
        return _DASH if pa is None else f"{pa / 1e6:.4f}"

    rows = []
    for cycle in cycles:
        swelling = _DASH
        if cycle.volume_change_ml is not None and cycle.volume_change_95_ml is not None:
            swelling = plus_minus(Estimate(cycle.volume_change_ml, cycle.volume_change_95_ml))
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


def excursion_rows(run: Run, found: Evaluation, most: int = 50) -> list[list[str]]:
    """The largest excursions, in the order of time."""
    largest = sorted(found.excursions, key=lambda e: -abs(e.peak_pa))[:most]
    start_s = float(run.time_s[0])
    return [
        [
            format_duration(e.start_s - start_s),
            format_duration(max(e.duration_s, 1.0)),
            f"{e.peak_pa / 1e3:+.2f}",
            e.cause,
        ]
        for e in sorted(largest, key=lambda e: e.start_s)
    ]


def gas_rows(found: Evaluation) -> list[tuple[str, str]]:
    """What the balance of gas says, as (name, value)."""
    balance = found.balance
    if balance is None:
        return [("leak", f"not determined: {found.why_not}")]
    rows = [
        (f"leak at {balance.pressure_pa / 1e6:.3f} MPa", f"{plus_minus(balance.leak_kpa_h)} kPa/h (95 %)"),
        ("leak as a share of the gas", f"{plus_minus(balance.leak_share_1_day.times(100))} % per day"),
    ]
    if not detected(balance.leak_kpa_h):
        rows.append(("", "no leak is seen: the interval contains 0"))
    for name, moved in (("let in", balance.filled_kpa), ("let out", balance.vented_kpa)):
        if moved.value:
            rows.append((f"gas {name}", f"{plus_minus(moved)} kPa of the chamber, while it held"))
    if found.supply is not None:
        supply = found.supply
        lasts = f"{plus_minus(supply.days)} days" if supply.days is not None else "nothing is used"
        rows.append(("gas used", f"{plus_minus(supply.used_normal_l_day)} normal litres per day"))
        rows.append(("the cylinder lasts", f"{lasts} (fill gain only; what the days are like is not in it)"))
    rows.append(
        (
            "thermometer",
            f"wall sensor with a weight of {balance.wall_weight:.2f}, gas sensor with the rest; what is left wanders by"
            f" {_at_least(balance.noise.slow * balance.noise_scale * balance.pressure_pa / 1e3)} kPa",
        )
    )
    rows.append(("from", f"{balance.rows} means of {balance.bin_s:g} s, pulses and ramps left out"))
    rows += [("note", note) for note in balance.notes]
    return rows


def _at_least(kpa: float) -> str:
    return f"{kpa:.3f}" if kpa >= 0.0005 else "less than 0.001"


def wear_rows(run: Run, found: Evaluation) -> list[list[str]]:
    """One row for each valve, to go under WEAR_COLUMNS."""
    return [
        [
            wear.valve,
            str(wear.actuations),
            str(wear.total),
            plus_minus(wear.per_day),
            f"{wear.open_s:.2f} s",
            _learned(run, wear.valve),
            _DASH if wear.years_left is None else plus_minus(wear.years_left),
        ]
        for wear in found.wear
    ]


def _learned(run: Run, valve: str) -> str:
    """What the device knew of a valve at the start and at the end; 0 before its first pulse."""
    gains = [event.data[valve]["gain"] for event in run.events if event.kind == "valves"]
    if not gains:
        return _DASH
    return str(gains[-1]) if gains[0] == gains[-1] else f"{gains[0] or 'none'} to {gains[-1]}"


def calibration_rows(run: Run) -> list[list[str]]:
    """Transducers: serial number, date, correction; as they were at the start of the run."""
    rows = []
    for name in ("control", "safety", "supply"):
        zero, span = run.settings.get(f"{name}_zero_pa"), run.settings.get(f"{name}_span_ppm")
        if zero is None or span is None:
            continue
        serial = run.settings.get(f"{name}_serial") or 0
        rows.append(
            [
                name,
                str(serial) if serial else "not told",
                _date(run.settings.get(f"{name}_cal_date") or 0),
                f"{zero:+d} Pa, {span:+d} ppm",
            ]
        )
    return rows


def numbers(
    run: Run, judged: Judgement, found: Evaluation, merged: Merged | None
) -> list[tuple[str, Any, str]]:
    """Every figure of the methods paragraph: name, value as computed, and what it was computed from."""
    record = f"{run.path.name}, run {run.number}"
    rows: list[tuple[str, Any, str]] = [
        ("duration_s", round(run.duration_s, 3), f"{record}: samples.uptime_s, last less first"),
        ("samples", len(run.time_s), f"{record}: rows of samples"),
        ("sample_interval_s", _usual(run), f"{record}: median of the steps of samples.uptime_s"),
        ("recorded_share", round(found.recorded_share, 6), f"{record}: samples.uptime_s; gaps are cut short"),
    ]
    if judged.held is not None:
        source = "truth.jsonl: pressure_pa" if judged.source == "truth" else f"{record}: samples.pressure_pa"
        source += " against the target, within holds"
        rows += [
            (
                "in_band_share",
                round(judged.held.in_band_fraction, 6),
                f"{source}; band {judged.band_pa:g} Pa",
            ),
            ("rms_pa", round(judged.held.rms_pa, 1), source),
            ("max_pa", round(judged.held.max_pa, 1), source),
        ]
    gas_k = run.samples["gas_k"]
    if np.isfinite(gas_k).any():
        rows += [
            ("gas_mean_c", round(float(np.nanmean(gas_k)) - 273.15, 3), f"{record}: samples.gas_k"),
            ("gas_sd_k", round(float(np.nanstd(gas_k)), 3), f"{record}: samples.gas_k"),
        ]
    rows += [
        ("fills", judged.fills, "counter of the fill valve, last less first"),
        ("vents", judged.vents, "counter of the vent valve, last less first"),
        ("excursions", len(found.excursions), f"{record}: samples.pressure_pa beyond the band"),
        ("gaps", len(found.gaps), f"{record}: steps of samples.uptime_s beyond 30 s and five usual ones"),
    ]
    balance = found.balance
    if balance is not None:
        source = f"{record}: pressure_pa, gas_k, wall_k, supply_pa, fills, vents, fill_open_s, vent_open_s"
        rows += [
            ("leak_kpa_h", balance.leak_kpa_h.value, f"{source}; ipch.analysis.balance"),
            ("leak_95_kpa_h", balance.leak_kpa_h.half_width, "half of the 95 % interval, same source"),
        ]
    if merged is not None:
        names = ", ".join(part.path.name for part in merged.parts)
        rows += [
            ("cycler_rows", merged.rows, names),
            ("cycler_rows_without_pressure", merged.rows - merged.matched, f"{names} and samples.utc_s"),
        ]
    return rows


def methods(run: Run, judged: Judgement, found: Evaluation, merged: Merged | None) -> str:
    """A paragraph for a methods section."""
    values = {name: value for name, value, _ in numbers(run, judged, found, merged)}
    targets = sorted({s.target_pa for s in judged.steps if s.held is not None and s.target_pa}, reverse=True)
    if not targets:
        held = run.samples["target_pa"][run.samples["target_pa"] > 0]
        targets = sorted({int(t) for t in np.unique(held)}, reverse=True)[:5]
    at = " and ".join(f"{t / 1e6:g} MPa" for t in targets) or "the pressures given"
    gas = "compressed air" if found.assumed.gas.name == "air" else "nitrogen"
    text = [
        f"The cell was held isostatically in {gas} at {at} (absolute) by a closed-loop regulator with pulsed solenoid"
        f" valves (ipch firmware {run.identity.get('firmware', '?')}, device {run.identity.get('serial_number', '?')})."
    ]
    if run.speed > 1.5:
        text.insert(0, "SIMULATED, not measured:")
    every = values["sample_interval_s"]
    text.append(
        f"Pressure and gas temperature were recorded every {every:g} s over {_span(run.duration_s)}"
        f" ({values['samples']} samples, {values['recorded_share']:.2%} of the time)."
    )
    if judged.held is not None:
        text.append(
            f"While holding, the {'true ' if judged.source == 'truth' else ''}pressure was within"
            f" {judged.band_pa / 1e3:g} kPa of the target for {values['in_band_share']:.2%} of the time (rms error"
            f" {values['rms_pa'] / 1e3:.2f} kPa, largest {values['max_pa'] / 1e3:.2f} kPa) with {values['fills']} fill"
            f" and {values['vents']} vent pulses."
        )
    if "gas_mean_c" in values:
        text.append(
            f"The gas was at {values['gas_mean_c']:.2f} \u00b0C (standard deviation"
            f" {values['gas_sd_k']:.2f} K)."
        )
    if found.balance is not None:
        text.append(_leak_sentence(found.balance))
    text += _cycle_sentences(found)
    calibrated = [row for row in calibration_rows(run) if row[0] == "control"]
    if calibrated and calibrated[0][2] != "not told":
        text.append(
            f"The control transducer (serial number {calibrated[0][1]}) was calibrated on {calibrated[0][2]}"
            f" (applied correction {calibrated[0][3]})."
        )
    else:
        text.append("The device holds no date of a calibration of its control transducer.")
    return " ".join(text)


def _leak_sentence(balance: Balance) -> str:
    leak = balance.leak_kpa_h
    if not detected(leak):
        return f"No leak was detected (below {max(leak.high, 0.0):.2g} kPa/h at the 95 % level)."
    return (
        f"The chamber leaked {plus_minus(leak)} kPa/h (95 % interval), determined while regulating from the"
        " temperature-corrected amount of gas and the metered pulses."
    )


def _cycle_sentences(found: Evaluation) -> list[str]:
    whole = [c for c in found.cycles if c.complete and c.pressure_mean_pa is not None]
    if not whole:
        return []
    spread = max(c.pressure_sd_pa or 0.0 for c in whole) / 1e3
    text = [
        f"Within each of the {len(whole)} complete cycles the standard deviation of the pressure was at most"
        f" {spread:.2f} kPa."
    ]
    swollen = [c for c in whole if c.volume_change_ml is not None and c.volume_change_95_ml is not None]
    if swollen:
        mean = float(np.mean([c.volume_change_ml for c in swollen]))
        widest = max(c.volume_change_95_ml or 0.0 for c in swollen)
        shown = plus_minus(Estimate(mean, widest))
        text.append(
            f"By gas dilatometry the cell changed its volume by {shown} mL per cycle (mean; 95 % interval of a single"
            " cycle)."
        )
    return text


def detected(estimate: Estimate) -> bool:
    """Whether the 95 % interval leaves 0 out."""
    return not estimate.covers(0.0)


def plus_minus(estimate: Estimate) -> str:
    """A value with half of its interval, to two digits of that."""
    half = estimate.half_width
    if not np.isfinite(half) or half <= 0:
        return f"{estimate.value:.4g}"
    digits = max(0, 1 - int(np.floor(np.log10(half))))
    return f"{estimate.value:.{digits}f} \u00b1 {half:.{digits}f}"


def when(unix_s: float) -> str:
    """Unix time for people."""
    return f"{datetime.fromtimestamp(unix_s, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _usual(run: Run) -> float:
    return round(float(np.median(np.diff(run.time_s))), 3) if len(run.time_s) > 1 else 0.0


def _span(seconds: float) -> str:
    return f"{seconds / 86400:.1f} days" if seconds >= 2 * 86400 else f"{seconds / 3600:.1f} h"


def _date(number: int) -> str:
    text = str(number)
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == 8 else "not told"


def _percent(share: float | None) -> str:
    return _DASH if share is None else f"{share * 100:.2f}"
