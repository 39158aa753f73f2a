"""The methods paragraph of a report, with the source of each number."""

from typing import Any

import numpy as np

from ipch.analysis import Estimate, usual_step_s, weighted_sum, weights
from ipch.cyclers import Merged
from ipch.recording import Run
from ipch.report.evaluation import Evaluation, clock_holds, holding
from ipch.report.summary import Judgement
from ipch.report.tables import NOT_TOLD, all_seen, calibration_rows, detected, plus_minus

Numbers = list[tuple[str, Any, str]]
"""Name, computed value, and its source."""


_TRUTH = " (true, plus the control transducer's own slow error)"


def numbers(run: Run, judged: Judgement, found: Evaluation, merged: Merged | None) -> Numbers:
    """Every figure of the methods paragraph."""
    record = f"{run.path.name}, run {run.number}"
    rows: Numbers = [
        (
            "target_pa",
            _targets(run, judged),
            f"{record}: targets of the steps that hold, else samples.target_pa",
        ),
        ("duration_s", round(run.duration_s, 3), f"{record}: samples.uptime_s, last less first"),
        ("samples", len(run.time_s), f"{record}: rows of samples"),
        (
            "sample_interval_s",
            round(usual_step_s(run.time_s), 3),
            f"{record}: median of the steps of samples.uptime_s",
        ),
        ("recorded_share", round(found.recorded_share, 6), f"{record}: samples.uptime_s, less the gaps"),
        *_holding(run, judged, record),
        ("excursions", len(found.excursions), f"{record}: samples.pressure_pa beyond the band"),
        ("gaps", len(found.gaps), f"{record}: steps of samples.uptime_s beyond 30 s and five usual ones"),
    ]
    balance = found.balance
    if balance is not None:
        source = f"{record}: pressure_pa, gas_k, wall_k, supply_pa, fills, vents, fill_open_s, vent_open_s"
        rows += [
            ("leak_kpa_h", balance.leak_kpa_h.value, f"{source}; ipch.analysis.balance"),
            ("leak_95_kpa_h", balance.leak_kpa_h.half_width, "half of the 95 % interval, same source"),
            ("leak_at_most_kpa_h", max(balance.leak_kpa_h.high, 0.0), "upper end of that interval"),
        ]
    if merged is not None:
        rows += _cycles(found, merged, record)
    for _, serial, date, correction in _calibrated(run):
        source = f"{record}: settings of the device"
        rows += [("serial", serial, source), ("calibrated", date, source), ("correction", correction, source)]
    return rows


def _calibrated(run: Run) -> list[list[str]]:
    """Calibration of the control transducer, if it has a date."""
    return [row for row in calibration_rows(run) if row[0] == "control" and row[2] != NOT_TOLD]


def _targets(run: Run, judged: Judgement) -> str:
    """Held pressures, Pa; at most five for a run without steps."""
    targets = {step.target_pa for step in judged.steps if step.held is not None and step.target_pa}
    if not targets:
        held = run.samples["target_pa"][run.samples["target_pa"] > 0]
        values, counts = np.unique(held, return_counts=True)
        targets = {int(values[at]) for at in np.argsort(-counts)[:5]}
    return " ".join(str(target) for target in sorted(targets, reverse=True))


def _holding(run: Run, judged: Judgement, record: str) -> Numbers:
    """Figures of the time in which the pressure was held."""
    held = judged.held
    if held is None:
        return []
    truth = judged.source == "truth"
    source = "truth.jsonl: pressure_pa + control_error_pa" if truth else f"{record}: samples.pressure_pa"
    source += " against the target, while holding"
    pulses = f"{record}: samples"
    rows: Numbers = [
        ("band_pa", judged.band_pa, "--band of ipch report"),
        ("in_band_share", round(held.in_band_fraction, 6), source),
        ("rms_pa", round(held.rms_pa, 1), source),
        ("error_99_pa", round(held.error_99_pa, 1), source),
        ("max_pa", round(held.max_pa, 1), source),
        ("held_fills", judged.held_fills, f"{pulses}: counter of the fill valve, while holding"),
        ("held_vents", judged.held_vents, f"{pulses}: counter of the vent valve, while holding"),
    ]
    known = holding(run, judged.band_pa) & np.isfinite(run.samples["gas_k"])
    if known.any():
        mean, deviation = _mean_and_deviation(run.samples["gas_k"][known], weights(run.time_s)[known])
        rows += [
            ("gas_mean_c", round(mean - 273.15, 3), f"{record}: samples.gas_k, while holding"),
            ("gas_sd_k", round(deviation, 3), f"{record}: samples.gas_k, while holding"),
        ]
    return rows


def _mean_and_deviation(values: Any, weight: Any) -> tuple[float, float]:
    total = float(weight.sum())
    if not total:
        weight, total = np.ones(len(values)), float(len(values))
    mean = weighted_sum(weight, values) / total
    return mean, float(np.sqrt(weighted_sum(weight, values, lambda part: np.square(part - mean)) / total))


def _cycles(found: Evaluation, merged: Merged, record: str) -> Numbers:
    """Figures of the complete cycles."""
    names = ", ".join(part.path.name for part in merged.parts)
    rows: Numbers = [
        ("cycler_rows", merged.rows, names),
        ("cycler_rows_without_pressure", merged.rows - merged.matched, f"{names} and samples.utc_s"),
    ]
    whole = [c for c in found.cycles if c.complete and c.pressure_mean_pa is not None]
    if not whole:
        return rows
    deviation = max(c.pressure_sd_pa or 0.0 for c in whole)
    rows += [
        ("complete_cycles", len(whole), f"{names}: both half cycles are there, with a pressure"),
        (
            "largest_cycle_sd_pa",
            round(deviation, 1),
            f"{record}: samples.pressure_pa, by the cycles of {names}",
        ),
    ]
    swollen = [
        c
        for c in whole
        if c.volume_change_ml is not None and c.volume_change_95_ml is not None and all_seen(c)
    ]
    if swollen and clock_holds(found):
        source = f"{record} and {names}; ipch.analysis.balance"
        rows += [
            (
                "swelling_mean_ml",
                float(np.mean([c.volume_change_ml for c in swollen])),
                f"{source}; complete cycles",
            ),
            (
                "swelling_95_ml",
                max(c.volume_change_95_ml or 0.0 for c in swollen),
                "half of the widest interval",
            ),
            ("gas_volume_ml", found.assumed.volume_ml, "--volume of ipch report"),
        ]
    return rows


def methods(run: Run, judged: Judgement, found: Evaluation, figures: Numbers) -> str:
    """A paragraph for a methods section; all its figures are those of `numbers`."""
    values = {name: value for name, value, _ in figures}
    targets = [f"{int(target) / 1e6:g} MPa" for target in values["target_pa"].split()]
    at = " and ".join(part for part in (", ".join(targets[:-1]), *targets[-1:]) if part) or "no set pressure"
    law = found.assumed.gas
    gas = (
        "a gas taken as air (not told)"
        if law is None
        else "compressed air"
        if law.name == "air"
        else law.name
    )
    text = [
        f"The cell was held isostatically in {gas} at {at} (absolute) by a closed-loop regulator with pulsed solenoid"
        f" valves (ipch firmware {run.identity.get('firmware', '?')}, device {run.identity.get('serial_number', '?')})."
    ]
    if run.speed > 1.5:
        text.insert(0, "SIMULATED, not measured:")
    text.append(
        f"Pressure and gas temperature were recorded every {values['sample_interval_s']:g} s over"
        f" {_span(values['duration_s'])} ({values['samples']} samples, {values['recorded_share'] * 100:.2f} % of the"
        " time)."
    )
    if "rms_pa" in values:
        text.append(
            f"While holding, the pressure{_TRUTH if judged.source == 'truth' else ''} was within"
            f" {values['band_pa'] / 1e3:g} kPa of the target for {values['in_band_share'] * 100:.2f} % of the time (rms"
            f" error {values['rms_pa'] / 1e3:.2f} kPa, largest {values['max_pa'] / 1e3:.2f} kPa), which took"
            f" {_pulses(values['held_fills'], 'fill')} and {_pulses(values['held_vents'], 'vent')}."
        )
    if "gas_mean_c" in values:
        text.append(
            f"The mean temperature of the gas was then {values['gas_mean_c']:.2f} \u00b0C (standard deviation"
            f" {values['gas_sd_k']:.2f} K)."
        )
    if found.balance is not None:
        text.append(_leak_sentence(values))
    text += _cycle_sentences(values)
    if "calibrated" in values:
        text.append(
            f"The control transducer (serial number {values['serial']}) was calibrated on {values['calibrated']}"
            f" (applied correction {values['correction']})."
        )
    else:
        text.append("The device holds no calibration date for its control transducer.")
    return " ".join(text)


def _pulses(count: int, valve: str) -> str:
    return f"{count} {valve} pulse{'' if count == 1 else 's'}"


def _leak_sentence(values: dict[str, Any]) -> str:
    leak = Estimate(values["leak_kpa_h"], values["leak_95_kpa_h"])
    if not detected(leak):
        return f"No leak was detected (below {values['leak_at_most_kpa_h']:.2g} kPa/h at the 95 % level)."
    if leak.value < 0:
        return (
            f"The amount of gas seemed to grow by {plus_minus(leak.times(-1))} kPa/h (95 % interval), as if the"
            " cell kept swelling."
        )
    return (
        f"The chamber leaked {plus_minus(leak)} kPa/h (95 % interval), determined while regulating from the"
        " temperature-corrected amount of gas and the metered pulses."
    )


def _cycle_sentences(values: dict[str, Any]) -> list[str]:
    count = values.get("complete_cycles")
    if not count:
        return []
    deviation = f"{values['largest_cycle_sd_pa'] / 1e3:.2f} kPa"
    within = f"each of the {count} complete cycles" if count > 1 else "the one complete cycle"
    text = [
        f"Within {within} the standard deviation of the pressure was {'at most ' if count > 1 else ''}{deviation}."
    ]
    if "swelling_mean_ml" in values:
        shown = plus_minus(Estimate(values["swelling_mean_ml"], values["swelling_95_ml"]))
        of = "mean of these cycles, 95 % interval of a single one" if count > 1 else "95 % interval"
        text.append(
            f"By gas dilatometry the volume of the cell changed by {shown} mL per cycle ({of}; gas volume"
            f" {values['gas_volume_ml']:g} mL)."
        )
    return text


def _span(seconds: float) -> str:
    return f"{seconds / 86400:.1f} days" if seconds >= 2 * 86400 else f"{seconds / 3600:.1f} h"
