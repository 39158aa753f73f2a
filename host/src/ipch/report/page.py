"""The report of a run as a single HTML file: figures, plots, tables; page.html is its template."""

from datetime import datetime
from pathlib import Path
from typing import Any

from ipch.base.files import write_text
from ipch.base.units import format_duration
from ipch.cyclers import Merged
from ipch.recording import Run, Truth
from ipch.report import summary, tables
from ipch.report.evaluation import Assumed, Evaluation, clock_holds, evaluate
from ipch.report.html import render_html
from ipch.report.methods import methods, numbers
from ipch.report.plots import figure
from ipch.report.summary import Judgement, judge


def write_report(
    path: Path,
    run: Run,
    truth: Truth | None,
    merged: Merged | None = None,
    assumed: Assumed | None = None,
) -> tuple[Judgement, Evaluation]:
    """Write the report of a run; return the figures in it. Raises FileError and UsageError."""
    given = assumed or Assumed()
    judged = judge(run, truth, given.band_pa)
    found = evaluate(run, merged, given)
    write_text(path, render(run, truth, judged, merged, found))
    return judged, found


def render(
    run: Run,
    truth: Truth | None,
    judged: Judgement,
    merged: Merged | None = None,
    found: Evaluation | None = None,
) -> str:
    """The whole page."""
    known = found if found is not None else evaluate(run, merged)
    named = numbers(run, judged, known, merged)
    return render_html(
        "report/page.html",
        figure(run, truth, judged, merged, known),
        title=f"{run.name} - pressure report",
        heading=run.name,
        subtitle=_subtitle(run),
        tiles=summary.headline(run, judged),
        cycles=(tables.CYCLE_COLUMNS, tables.cycle_rows(known.cycles)) if merged and known.cycles else None,
        cycle_notes=_cycle_notes(known) if merged else "",
        checks=[("" if line.ok else "\u26a0", line.about, line.text) for line in known.checks],
        steps=(summary.STEP_COLUMNS, summary.step_rows(judged)) if judged.steps else None,
        step_notes=_step_notes(judged),
        excursions=(tables.EXCURSION_COLUMNS, tables.excursion_rows(run, known))
        if known.excursions
        else None,
        excursion_total=_excursion_total(known),
        gas=tables.gas_rows(known),
        wear=(tables.WEAR_COLUMNS, tables.wear_rows(run, known))
        if any(wear.actuations for wear in known.wear)
        else None,
        rated=f"{known.assumed.rated:,}",
        methods=methods(run, judged, known, named),
        numbers=[(name, _shown(value), source) for name, value, source in named],
        calibration=tables.calibration_rows(run),
        device=_device(run, merged),
        gaps=_gaps(run, known),
        gap_total=_gap_total(known),
        settings=[(name, str(value)) for name, value in run.settings.items()],
        events=_events(run),
        recipe=run.recipe,
    )


def _subtitle(run: Run) -> list[str]:
    started = datetime.fromisoformat(run.started_utc.replace("Z", "+00:00"))
    parts = [
        f"{started:%Y-%m-%d %H:%M} UTC",
        f"device {run.identity.get('serial_number', '?')}",
        f"firmware {run.identity.get('firmware', '?')}",
    ]
    return parts if run.ended_by in (None, "complete") else [*parts, f"ended: {run.ended_by}"]


def _shown(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _cycle_notes(found: Evaluation) -> str:
    notes = []
    if any(not cycle.complete for cycle in found.cycles):
        notes.append("An asterisk marks an incomplete cycle.")
    if found.assumed.volume_ml is None:
        notes.append("Swelling in mL needs the chamber's gas volume (--volume).")
    else:
        notes.append(
            f"Swelling: volume at the largest charge less that at the smallest, from {found.assumed.volume_ml:g} mL"
            " of gas, \u00b1 half of the 95 % interval; irreversible swelling looks like a negative leak."
        )
    if any(not tables.all_seen(cycle) for cycle in found.cycles):
        notes.append("Seen: share of the cycle's charge during which the pressure was recorded.")
    if not clock_holds(found):
        notes.append(
            "The cycler's clock seems wrong (below): pressures and swelling belong to other times of the cell."
        )
    return " ".join(notes)


def _step_notes(judged: Judgement) -> str:
    by = (
        "The figures come from the simulated chamber: its true pressure plus the control transducer's own slow error,"
        " which no controller can know."
        if judged.source == "truth"
        else "The figures come from the device's own filtered transducer."
    )
    return (
        f"{by} In band: share of the time within {judged.band_pa / 1e3:g} kPa of the target. 95 %, 99 %: the distance"
        " from the target was no larger for so much of the time. "
        "Overshoot and settling are counted until the next ramp; settling starts as the setpoint arrives."
    )


def _excursion_total(found: Evaluation) -> str:
    total = format_duration(max(1.0, sum(each.duration_s for each in found.excursions)))
    return f"{_counted(len(found.excursions), 'excursion')} from the band as measured, {total} in all"


def _gaps(run: Run, found: Evaluation) -> list[tuple[str, str]]:
    start_s = float(run.time_s[0])
    return [
        (format_duration(gap.start_s - start_s), format_duration(gap.duration_s)) for gap in found.gaps[:100]
    ]


def _gap_total(found: Evaluation) -> str:
    total = format_duration(sum(gap.duration_s for gap in found.gaps))
    return f"{_counted(len(found.gaps), 'gap')} in the record, {total} in all"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' if count > 1 else ''}"


def _events(run: Run) -> list[list[str]]:
    start_s = float(run.time_s[0])
    rows = [
        ["-" if e.uptime_s is None else format_duration(max(0.0, e.uptime_s - start_s)), e.kind, e.text]
        for e in run.events
    ]
    return rows if len(rows) <= 200 else [*rows[:100], ["", "", f"{len(rows) - 200} more"], *rows[-100:]]


def _device(run: Run, merged: Merged | None) -> list[list[str]]:
    rows = [[name.replace("_", " "), value] for name, value in run.identity.items()]
    rows += [["port", run.port], ["ipch on the host", run.ipch_version], ["samples", str(len(run.time_s))]]
    rows += [
        ["record", f"{run.path.name}, run {run.number}"],
        ["started", run.started_utc],
        ["ended", run.ended_utc or "-"],
    ]
    for part in merged.parts if merged is not None else ():
        rows.append(
            [
                "cycler file",
                f"{part.path.name}, {len(part)} rows from {tables.when(float(part.unix_s[0]))}, by {part.reader}",
            ]
        )
    return rows
