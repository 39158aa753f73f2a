"""The figures of a run, which `ipch run`, `ipch report` and `ipch demo` print and write as summary.json."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ipch.analysis import (
    BAND_PA,
    Stability,
    StepResult,
    evaluate,
    is_held,
    overall,
    pulses_between,
    stability,
)
from ipch.base.files import write_text
from ipch.base.units import format_duration, format_target
from ipch.recording import TRUTH_NAME, Run, Truth, load_truth
from ipch.report.evaluation import held_pulses, holding

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Judgement:
    """Stability of a run, by the truth of a simulated chamber where available.

    The error is then the true pressure plus the control transducer's own slow error (offset, drift, hysteresis,
    temperature), less the target: no controller can know these. `true_held` leaves the transducer's error out.
    """

    source: str
    """`truth` or `device`."""
    band_pa: float
    steps: list[StepResult]
    held: Stability | None
    """All holding steps together."""
    overshoot_pa: float
    """The largest overshoot of all ramps."""
    fills: int
    vents: int
    held_fills: int
    """While holding."""
    held_vents: int
    true_held: Stability | None = None
    """As `held`, of the true pressure alone; by the truth only."""
    reading_error_pa: float | None = None
    """Mean of the device's reading minus the truth while holding, by the truth only."""


def find_truth(run: Run) -> Truth | None:
    """The truth file beside a record, if there is one."""
    path = run.path.parent / TRUTH_NAME
    return load_truth(path) if path.is_file() else None


def judge(run: Run, truth: Truth | None, band_pa: float = BAND_PA) -> Judgement:
    """Evaluate the steps of a run; without steps, the times at which the device was to keep its target."""
    samples = run.samples
    time_s, pressure_pa = run.time_s, samples["pressure_pa"]
    if truth is not None:
        # Skip what the simulator did before and after the run.
        inside = (truth.time_s >= time_s[0]) & (truth.time_s <= time_s[-1])
        time_s, true_pa = truth.time_s[inside], truth.pressure_pa[inside]
        pressure_pa = true_pa + truth.control_error_pa[inside]
    none = np.zeros(0)
    steps = evaluate(run.steps, time_s, pressure_pa, (run.time_s, samples["ramp_pa"]), none, none, band_pa)
    held = overall(run.steps, time_s, pressure_pa, band_pa)
    inside = holding(run, band_pa)
    if not run.steps and truth is None and inside.any():
        target_pa = samples["target_pa"][inside]
        held = stability(time_s[inside], pressure_pa[inside], target_pa, band_pa)
    # Pulses are the device's own count everywhere.
    fills, vents = (_pulses(run, samples[name], inside) for name in ("fills", "vents"))
    return Judgement(
        source="device" if truth is None else "truth",
        band_pa=band_pa,
        steps=[
            replace(step, fills=filled, vents=vented)
            for step, filled, vented in zip(steps, fills.of_steps, vents.of_steps, strict=True)
        ],
        held=held,
        overshoot_pa=max((step.overshoot_pa for step in steps if step.overshoot_pa is not None), default=0.0),
        fills=fills.all,
        vents=vents.all,
        held_fills=0 if held is None else fills.held,
        held_vents=0 if held is None else vents.held,
        true_held=None if truth is None else overall(run.steps, time_s, true_pa, band_pa),
        reading_error_pa=None if truth is None else _reading_error_pa(run, truth),
    )


class _Pulses(NamedTuple):
    of_steps: list[int]
    all: int
    held: int


def _pulses(run: Run, counter: Floats, inside: NDArray[np.bool_]) -> _Pulses:
    """Increments of a counter in each step, over the run, and in the samples `inside` of holding."""
    return _Pulses(
        [pulses_between(run.time_s, counter, step.start_s, step.end_s) for step in run.steps],
        round(float(np.ptp(counter))),
        held_pulses(run, counter, inside),
    )


def _reading_error_pa(run: Run, truth: Truth) -> float | None:
    held = [step for step in run.steps if is_held(step)]
    inside = np.zeros(len(truth.time_s), dtype=bool)
    for step in held:
        inside |= (truth.time_s >= step.start_s) & (truth.time_s <= step.end_s)
    if not inside.any():
        return None
    read_pa = np.interp(truth.time_s[inside], run.time_s, run.samples["pressure_pa"])
    return float(np.mean(read_pa - truth.pressure_pa[inside]))


def figures(run: Run, judged: Judgement) -> dict[str, Any]:
    """The content of summary.json; units are in the names."""
    held = judged.held
    return {
        "name": run.name,
        "started_utc": run.started_utc,
        "ended_by": run.ended_by,
        "duration_s": round(run.duration_s, 3),
        "speed": round(run.speed, 1),
        "source": judged.source,
        "band_pa": judged.band_pa,
        "in_band_fraction": None if held is None else round(held.in_band_fraction, 6),
        "rms_pa": None if held is None else round(held.rms_pa, 1),
        "max_pa": None if held is None else round(held.max_pa, 1),
        "error_95_pa": None if held is None else round(held.error_95_pa, 1),
        "error_99_pa": None if held is None else round(held.error_99_pa, 1),
        "true_rms_pa": None if judged.true_held is None else round(judged.true_held.rms_pa, 1),
        "true_max_pa": None if judged.true_held is None else round(judged.true_held.max_pa, 1),
        "overshoot_pa": round(judged.overshoot_pa, 1),
        "fills": judged.fills,
        "vents": judged.vents,
        "samples": len(run.time_s),
        "firmware": run.identity.get("firmware"),
        "micropython": run.identity.get("interpreter", "").removeprefix("MicroPython "),
        "interpreter": run.identity.get("interpreter"),
        "serial_number": run.identity.get("serial_number"),
        "ipch": run.ipch_version,
        "steps": [_step(step) for step in judged.steps],
    }


def write(path: Path, run: Run, judged: Judgement) -> None:
    """Write summary.json. Raises FileError."""
    write_text(path, json.dumps(figures(run, judged), indent=2) + "\n")


STEP_COLUMNS = (
    "step",
    "target",
    "duration",
    "in band",
    "rms/kPa",
    "95 %/kPa",
    "99 %/kPa",
    "max/kPa",
    "overshoot/kPa",
    "settled",
    "fills",
    "vents",
)


def step_rows(judged: Judgement) -> list[list[str]]:
    """One row of text for each step, for STEP_COLUMNS; a dash where a figure does not apply."""
    rows = []
    for number, step in enumerate(judged.steps, 1):
        held = step.held
        rows.append(
            [
                f"{number} {step.text}",
                "-" if step.target_pa is None else format_target(step.target_pa),
                format_duration(step.duration_s),
                "-" if held is None else f"{held.in_band_fraction:.2%}",
                "-" if held is None else f"{held.rms_pa / 1e3:.2f}",
                "-" if held is None else f"{held.error_95_pa / 1e3:.2f}",
                "-" if held is None else f"{held.error_99_pa / 1e3:.2f}",
                "-" if held is None else f"{held.max_pa / 1e3:.2f}",
                "-" if step.overshoot_pa is None else f"{step.overshoot_pa / 1e3:.2f}",
                _settled(step),
                str(step.fills),
                str(step.vents),
            ]
        )
    return rows


def headline(run: Run, judged: Judgement) -> list[tuple[str, str]]:
    """The main figures as (name, value) for people."""
    rows = [("duration", format_duration(run.duration_s))]
    if run.speed > 1.5:
        rows[0] = ("duration", f"{rows[0][1]}, simulated at {run.speed:.0f} x")
    if judged.held is not None:
        rows += [
            (
                f"within {judged.band_pa / 1e3:g} kPa while holding",
                f"{judged.held.in_band_fraction:.2%} of the time",
            ),
            ("rms error while holding", _kpa(judged.held.rms_pa)),
            ("largest error while holding", _kpa(judged.held.max_pa)),
        ]
    if any(step.kind == "ramp" for step in judged.steps):
        rows.append(("largest overshoot", _kpa(judged.overshoot_pa)))
    holding_only = ""
    if judged.held is not None:
        holding_only = f"; {judged.held_fills} and {judged.held_vents} while holding"
    rows.append(("pulses", f"{judged.fills} fills, {judged.vents} vents{holding_only}"))
    by = "the device"
    if judged.source == "truth":
        by = "true pressure plus the control transducer's own slow error"
    rows.append(("judged by", by))
    if judged.true_held is not None and judged.reading_error_pa is not None:
        off = judged.reading_error_pa
        rows += [
            (
                "true error while holding",
                f"rms {_kpa(judged.true_held.rms_pa)}, largest {_kpa(judged.true_held.max_pa)}",
            ),
            ("the device reads", f"{_kpa(abs(off))} too {'high' if off > 0 else 'low'}, mean while holding"),
        ]
    return rows


def _kpa(pa: float) -> str:
    return f"{pa / 1e3:.2f} kPa"


def _settled(step: StepResult) -> str:
    if step.kind != "ramp":
        return "-"
    return "never" if step.settling_s is None else format_duration(step.settling_s)


def _step(step: StepResult) -> dict[str, Any]:
    values = asdict(step)
    held = values.pop("held") or {}
    held.pop("duration_s", None)
    values |= held
    return {name: round(value, 6) if isinstance(value, float) else value for name, value in values.items()}
