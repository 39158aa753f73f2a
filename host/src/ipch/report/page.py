"""A run as one HTML file that needs nothing else: figures, plots, tables; report.html is its frame."""

import html
import json
from datetime import datetime
from pathlib import Path
from string import Template
from typing import Any

from ipch.base.units import format_duration
from ipch.cyclers import Merged
from ipch.errors import FileError
from ipch.recording import Run, Truth
from ipch.report import summary, tables
from ipch.report.evaluate import Assumed, Evaluation, evaluate
from ipch.report.methods import methods, numbers
from ipch.report.plots import figure
from ipch.report.summary import Judgement, judge
from ipch.report.time_plots import SCRIPT

_PAGE = Path(__file__).with_suffix(".html")


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
    text = render(run, truth, judged, merged, found)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FileError(f"cannot write {path}: {error.strerror}") from error
    return judged, found


def render(
    run: Run,
    truth: Truth | None,
    judged: Judgement,
    merged: Merged | None = None,
    found: Evaluation | None = None,
) -> str:
    """The whole page."""
    from plotly.offline import get_plotlyjs

    known = found if found is not None else evaluate(run, merged)
    plot = json.dumps(figure(run, truth, judged, merged, known), separators=(",", ":"))
    page = Template(_PAGE.read_text(encoding="utf-8"))
    sources = numbers(run, judged, known, merged)
    return page.substitute(
        title=html.escape(f"{run.name} - pressure report"),
        heading=html.escape(run.name),
        subtitle=_subtitle(run),
        tiles=_tiles(run, judged),
        methods=html.escape(methods(run, judged, known, merged)),
        numbers=_table(
            ("number", "value", "from"), [[n, _shown(v), s] for n, v, s in sources], 1, wraps=True
        ),
        cycles=_cycles(known, merged),
        steps=_steps(judged),
        excursions=_excursions(run, known),
        gas=_gas(known),
        wear=_wear(run, known),
        gaps=_gaps(run, known),
        calibration=_calibration(run),
        events=_events(run),
        device=_device(run, merged),
        settings=_settings(run),
        recipe=f"<details><summary>Recipe</summary><pre>{html.escape(run.recipe)}</pre></details>"
        if run.recipe
        else "",
        plotly=get_plotlyjs(),
        draw=SCRIPT,
        # The only sequence that could end the script early.
        plot=plot.replace("</", "<\\/"),
    )


def _subtitle(run: Run) -> str:
    started = datetime.fromisoformat(run.started_utc.replace("Z", "+00:00"))
    parts = [
        f"{started:%Y-%m-%d %H:%M} UTC",
        f"device {run.identity.get('serial_number', '?')}",
        f"firmware {run.identity.get('firmware', '?')}",
    ]
    if run.ended_by not in (None, "complete"):
        parts.append(f"ended: {run.ended_by}")
    return " &middot; ".join(html.escape(part) for part in parts)


def _tiles(run: Run, judged: Judgement) -> str:
    rows = summary.headline(run, judged)
    return "".join(f"<div><dt>{html.escape(n)}</dt><dd>{html.escape(v)}</dd></div>" for n, v in rows)


def _table(columns: Any, rows: list[list[str]], text_columns: int, wraps: bool = False) -> str:
    def cells(row: Any, tag: str) -> str:
        return "".join(
            f"<{tag}{'' if wraps or n < text_columns else ' class=n'}>{html.escape(cell)}</{tag}>"
            for n, cell in enumerate(row)
        )

    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    head = f"<thead><tr>{cells(columns, 'th')}</tr></thead>" if any(columns) else ""
    look = " class=wraps" if wraps else ""
    return f"<div class=scroll><table{look}>{head}<tbody>{body}</tbody></table></div>"


def _shown(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _cycles(found: Evaluation, merged: Merged | None) -> str:
    if merged is None or not found.cycles:
        return ""
    table = _table(tables.CYCLE_COLUMNS, tables.cycle_rows(found.cycles), text_columns=1)
    lost = merged.rows - merged.matched
    notes = [f"{merged.rows} rows of the cycler, {lost} of them without a pressure."]
    if merged.clock_steps:
        notes.append(
            f"Its clock went back {merged.clock_steps} times; what came before was moved to meet it."
        )
    if any(not cycle.complete for cycle in found.cycles):
        notes.append("An asterisk marks a cycle that is not complete.")
    if found.assumed.volume_ml is None:
        notes.append("Swelling in mL needs the chamber's gas volume (--volume).")
    else:
        notes.append(
            f"Swelling: volume at the largest charge less that at the smallest, from {found.assumed.volume_ml:g} mL"
            " of gas, \u00b1 half of the 95 % interval; what stays swollen after a cycle looks like a negative leak."
        )
    return f"<h2>Cycles</h2>{table}<p class=note>{html.escape(' '.join(notes))}</p>"


def _steps(judged: Judgement) -> str:
    if not judged.steps:
        return ""
    table = _table(summary.STEP_COLUMNS, summary.step_rows(judged), text_columns=1)
    by = (
        "The figures come from the true pressure of the simulated chamber, which no device knows."
        if judged.source == "truth"
        else "The figures come from the device's own filtered transducer."
    )
    return (
        f"<h2>Steps</h2>{table}<p class=note>{by} "
        f"In band: share of the time within {judged.band_pa / 1e3:g} kPa of the target. 95 %, 99 %: the distance from"
        " the target was no larger for so much of the time. "
        "Overshoot and settling are counted until the next ramp; settling starts as the setpoint arrives.</p>"
    )


def _excursions(run: Run, found: Evaluation) -> str:
    count = len(found.excursions)
    if not count:
        return "<p class=note>As measured, the band was not left after it was reached.</p>"
    table = _table(tables.EXCURSION_COLUMNS, tables.excursion_rows(run, found), text_columns=1)
    total = format_duration(max(1.0, sum(e.duration_s for e in found.excursions)))
    return (
        f"<details><summary>{count} excursion{'s' if count > 1 else ''} from the band as measured, {total} in all"
        f"</summary>{table}</details>"
    )


def _gas(found: Evaluation) -> str:
    rows = [[name, value] for name, value in tables.gas_rows(found)]
    return f"<h2>Leak and gas</h2>{_table(('', ''), rows, 2, wraps=True)}"


def _wear(run: Run, found: Evaluation) -> str:
    if not any(wear.actuations for wear in found.wear):
        return ""
    table = _table(tables.WEAR_COLUMNS, tables.wear_rows(run, found), text_columns=1)
    return f"<h2>Valves</h2>{table}<p class=note>Rated for {found.assumed.rated:,} actuations each.</p>"


def _gaps(run: Run, found: Evaluation) -> str:
    if not found.gaps:
        return "<p class=note>No gaps in the record.</p>"
    start_s = float(run.time_s[0])
    rows = [[format_duration(g.start_s - start_s), format_duration(g.duration_s)] for g in found.gaps[:100]]
    total = format_duration(sum(g.duration_s for g in found.gaps))
    return (
        f"<details><summary>{len(found.gaps)} gap{'s' if len(found.gaps) > 1 else ''} in the record, {total} in all"
        f"</summary>{_table(('after', 'for'), rows, 2)}</details>"
    )


def _calibration(run: Run) -> str:
    rows = tables.calibration_rows(run)
    if not rows:
        return ""
    head = ("transducer", "serial number", "calibrated", "correction")
    return f"<h2>Calibration</h2>{_table(head, rows, 4)}"


def _events(run: Run) -> str:
    start_s = float(run.time_s[0])
    rows = [
        ["-" if e.uptime_s is None else format_duration(max(0.0, e.uptime_s - start_s)), e.kind, e.text]
        for e in run.events
    ]
    shown = rows if len(rows) <= 200 else [*rows[:100], ["", "", f"{len(rows) - 200} more"], *rows[-100:]]
    return _table(("time", "event", "what"), shown, text_columns=3)


def _device(run: Run, merged: Merged | None) -> str:
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
    return _table(("", ""), rows, text_columns=2, wraps=True)


def _settings(run: Run) -> str:
    return _table(
        ("setting", "value"), [[name, str(value)] for name, value in run.settings.items()], text_columns=1
    )
