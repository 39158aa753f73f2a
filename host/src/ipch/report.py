"""A run as one HTML file that needs nothing else: figures, plots, tables; report.html is its frame."""

import html
import json
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipch import summary
from ipch.errors import FileError
from ipch.runs import Run, Truth
from ipch.summary import Judgement, judge
from ipch.units import format_duration

Floats = NDArray[np.floating[Any]]

# Colours that stay apart for colour-blind readers and in grey (Okabe and Ito).
_BLUE, _ORANGE, _GREEN, _PURPLE, _GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8a8f98"
_PAGE = Path(__file__).with_suffix(".html")
# Points of a line beyond this many are thinned out, extremes kept: no screen shows more.
_POINTS = 4000


def write_report(path: Path, run: Run, truth: Truth | None) -> Judgement:
    """Write the report of a run; return the figures in it. Raises FileError."""
    judged = judge(run, truth)
    text = render(run, truth, judged)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FileError(f"cannot write {path}: {error.strerror}") from error
    return judged


def render(run: Run, truth: Truth | None, judged: Judgement) -> str:
    """The whole page."""
    from plotly.offline import get_plotlyjs

    figure = _figure(run, truth, judged)
    plot = json.dumps({"data": figure["data"], "layout": figure["layout"]}, separators=(",", ":"))
    page = Template(_PAGE.read_text(encoding="utf-8"))
    return page.substitute(
        title=html.escape(f"{run.name} - pressure report"),
        heading=html.escape(run.name),
        subtitle=_subtitle(run),
        tiles=_tiles(run, judged),
        steps=_steps(judged),
        events=_events(run),
        device=_device(run),
        settings=_settings(run),
        recipe=f"<details><summary>Recipe</summary><pre>{html.escape(run.recipe)}</pre></details>"
        if run.recipe
        else "",
        plotly=get_plotlyjs(),
        # The only sequence that could end the script early.
        plot=plot.replace("</", "<\\/"),
    )


def thin(time: Floats, values: Floats, most: int = _POINTS) -> tuple[Floats, Floats]:
    """Fewer points that draw the same line: first, lowest and highest of each stretch, and the last."""
    count = len(time)
    if count <= most:
        return time, values
    edges = np.linspace(0, count, max(1, most // 3) + 1).astype(int)
    keep: set[int] = {0, count - 1}
    filled = np.where(np.isnan(values), 0.0, values)
    for start, end in pairwise(edges):
        if end > start:
            part = filled[start:end]
            keep.update((int(start), int(start + part.argmin()), int(start + part.argmax())))
    index = np.array(sorted(keep))
    return time[index], values[index]


def _figure(run: Run, truth: Truth | None, judged: Judgement) -> dict[str, Any]:
    """Data and layout for plotly: four plots above each other that share their time axis."""
    start_s = float(run.time_s[0])
    scale, unit = _time_unit(run.duration_s)
    time = (run.time_s - start_s) / scale
    samples = run.samples
    traces: list[dict[str, Any]] = []

    def line(row: int, name: str, x: Floats, y: Floats, colour: str, digits: int, **style: Any) -> None:
        x, y = thin(x, y)
        look = {"color": colour, "width": 1.6, **style}
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": name,
                "x": _numbers(x, 6),
                "y": _numbers(y, digits),
                "line": look,
                "xaxis": "x",
                "yaxis": f"y{row if row > 1 else ''}",
                "connectgaps": False,
                "legend": f"legend{row if row > 1 else ''}",
            }
        )

    line(1, "pressure", time, samples["pressure_pa"] / 1e6, _BLUE, 6)
    line(1, "setpoint", time, _while_regulating(run, samples["ramp_pa"]) / 1e6, _ORANGE, 6, dash="dash")
    held = _error_without_steps(run) if not run.steps else np.full(len(time), np.nan)
    for step in run.steps:
        if step.kind in ("hold", "quiet") and step.target_pa is not None:
            inside = (run.time_s >= step.start_s) & (run.time_s <= step.end_s)
            held[inside] = samples["pressure_pa"][inside] - step.target_pa
    line(2, "as measured", time, held / 1e3, _GREY if truth else _BLUE, 4, width=1.0 if truth else 1.6)
    if truth is not None:
        inside = (truth.time_s >= run.time_s[0]) & (truth.time_s <= run.time_s[-1])
        true_s, true_pa = truth.time_s[inside], truth.pressure_pa[inside]
        error = np.full(len(true_s), np.nan)
        for step in run.steps:
            if step.kind in ("hold", "quiet") and step.target_pa is not None:
                here = (true_s >= step.start_s) & (true_s <= step.end_s)
                error[here] = true_pa[here] - step.target_pa
        line(2, "true (simulated)", (true_s - start_s) / scale, error / 1e3, _BLUE, 4)
    line(3, "gas", time, samples["gas_k"] - 273.15, _ORANGE, 3)
    line(3, "wall", time, samples["wall_k"] - 273.15, _GREEN, 3)
    line(4, "fills", time, samples["fills"] - samples["fills"][0], _BLUE, 0, shape="hv")
    line(4, "vents", time, samples["vents"] - samples["vents"][0], _PURPLE, 0, shape="hv")

    titles = (
        "absolute pressure / MPa",
        "hold error / kPa",
        "temperature / \u00b0C",
        "pulses",
    )
    domains = ((0.70, 1.0), (0.46, 0.655), (0.23, 0.415), (0.0, 0.185))
    layout: dict[str, Any] = {
        "height": 1000,
        "margin": {"l": 62, "r": 14, "t": 58, "b": 46},
        "paper_bgcolor": "#fff",
        "plot_bgcolor": "#fff",
        "font": {"family": "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif", "size": 13},
        "hovermode": "x unified",
        "dragmode": "zoom",
        "xaxis": {
            "title": {"text": f"time / {unit}"},
            "domain": [0, 1],
            "anchor": "y4",
            "showgrid": False,
            "zeroline": False,
            "showline": True,
            "linecolor": "#444",
            "ticks": "outside",
            "range": [0, float(time[-1])],
        },
        "shapes": _marks(run, start_s, scale),
        "annotations": _numbers_of_steps(run, start_s, scale),
    }
    for row, (title, domain) in enumerate(zip(titles, domains, strict=True), 1):
        suffix = row if row > 1 else ""
        layout[f"yaxis{suffix}"] = {
            "title": {"text": title, "font": {"size": 12}},
            "domain": list(domain),
            "gridcolor": "#e8eaee",
            "zeroline": False,
            "showline": True,
            "linecolor": "#444",
            "ticks": "outside",
            "automargin": True,
        }
        layout[f"legend{suffix}"] = {
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": domain[1],
            "yanchor": "bottom",
            "font": {"size": 12},
            "bgcolor": "rgba(255,255,255,0)",
        }
    band = judged.band_pa / 1e3
    layout["shapes"].append(
        {
            "type": "rect",
            "xref": "paper",
            "yref": "y2",
            "x0": 0,
            "x1": 1,
            "y0": -band,
            "y1": band,
            "fillcolor": _GREEN,
            "opacity": 0.10,
            "line": {"width": 0},
            "layer": "below",
        }
    )
    # The band gives the scale, unless the error needs more.
    errors = [np.nanmax(np.abs(held)) / 1e3] if np.isfinite(held).any() else []
    limit = max([1.3 * band, *(1.1 * float(value) for value in errors)])
    layout["yaxis2"]["range"] = [-limit, limit]
    layout["yaxis1" if "yaxis1" in layout else "yaxis"]["rangemode"] = "tozero"
    layout["yaxis4"]["rangemode"] = "tozero"
    return {"data": traces, "layout": layout}


def _error_without_steps(run: Run) -> Floats:
    """Distance from the target wherever the ramp was over: a log has no steps that say when that was."""
    ramp_pa, target_pa = run.samples["ramp_pa"], run.samples["target_pa"]
    error = _while_regulating(run, run.samples["pressure_pa"] - target_pa)
    return np.where(ramp_pa == target_pa, error, np.nan)


def _marks(run: Run, start_s: float, scale: float) -> list[dict[str, Any]]:
    """A thin line through all plots where a step begins."""
    return [
        {
            "type": "line",
            "xref": "x",
            "yref": "paper",
            "x0": (step.start_s - start_s) / scale,
            "x1": (step.start_s - start_s) / scale,
            "y0": 0,
            "y1": 1,
            "line": {"color": "#b5bac3", "width": 1, "dash": "dot"},
            "layer": "below",
        }
        for step in run.steps[1:]
    ]


def _numbers_of_steps(run: Run, start_s: float, scale: float) -> list[dict[str, Any]]:
    if len(run.steps) > 40:
        return []
    return [
        {
            "xref": "x",
            "yref": "paper",
            "x": ((step.start_s + step.end_s) / 2 - start_s) / scale,
            "y": 0.70,
            "yanchor": "bottom",
            "text": str(number),
            "showarrow": False,
            "font": {"size": 11, "color": _GREY},
        }
        for number, step in enumerate(run.steps, 1)
    ]


def _while_regulating(run: Run, values: Floats) -> Floats:
    regulating = np.array([state in ("REGULATE", "QUIET") for state in run.states])
    return np.where(regulating, values, np.nan)


def _time_unit(duration_s: float) -> tuple[float, str]:
    for scale, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if duration_s >= 3 * scale:
            return scale, unit
    return 1.0, "s"


def _numbers(values: Floats, digits: int) -> list[float | None]:
    return [None if np.isnan(value) else round(float(value), digits) for value in values]


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


def _table(columns: Any, rows: list[list[str]], text_columns: int) -> str:
    def cells(row: Any, tag: str) -> str:
        return "".join(
            f"<{tag}{'' if n < text_columns else ' class=n'}>{html.escape(cell)}</{tag}>"
            for n, cell in enumerate(row)
        )

    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    head = f"<thead><tr>{cells(columns, 'th')}</tr></thead>" if any(columns) else ""
    return f"<div class=scroll><table>{head}<tbody>{body}</tbody></table></div>"


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
        f"In band: share of the time within {judged.band_pa / 1e3:g} kPa of the target. "
        "Overshoot and settling are counted until the next ramp; settling starts as the setpoint arrives.</p>"
    )


def _events(run: Run) -> str:
    start_s = float(run.time_s[0])
    rows = [
        ["-" if e.uptime_s is None else format_duration(max(0.0, e.uptime_s - start_s)), e.kind, e.text]
        for e in run.events
    ]
    shown = rows if len(rows) <= 200 else [*rows[:100], ["", "", f"{len(rows) - 200} more"], *rows[-100:]]
    return _table(("time", "event", "what"), shown, text_columns=3)


def _device(run: Run) -> str:
    rows = [[name.replace("_", " "), value] for name, value in run.identity.items()]
    rows += [["port", run.port], ["ipch on the host", run.ipch_version], ["samples", str(len(run.time_s))]]
    rows += [
        ["record", f"{run.path.name}, run {run.number}"],
        ["started", run.started_utc],
        ["ended", run.ended_utc or "-"],
    ]
    return _table(("", ""), rows, text_columns=2).replace("<thead><tr><th></th><th></th></tr></thead>", "")


def _settings(run: Run) -> str:
    return _table(
        ("setting", "value"), [[name, str(value)] for name, value in run.settings.items()], text_columns=1
    )
