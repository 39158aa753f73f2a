"""The plots of a report as plotly takes them: panels above each other that share one time axis."""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipch.evaluation import Evaluation
from ipch.merge import Merged
from ipch.runs import Run, Truth
from ipch.summary import Judgement

Floats = NDArray[np.floating[Any]]

# Colours that stay apart for colour-blind readers and in grey (Okabe and Ito).
BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8a8f98"
# Points of a line beyond this many are thinned out, extremes kept: no screen shows more.
_POINTS = 4000
_MOST_MARKS = 200
_PANEL_PX, _GAP_PX, _TOP_PX, _BOTTOM_PX = 170, 46, 34, 46
_TALL = 1.45
_HELD = ("hold", "quiet")


def thin(time: Floats, values: Floats, most: int = _POINTS) -> tuple[Floats, Floats]:
    """Fewer points that draw the same line: first, lowest and highest of each stretch, and the last.

    A stretch without values keeps its first point, so that the line is broken there.
    """
    count = len(time)
    if count <= most:
        return time, values
    edges = np.linspace(0, count, max(1, most // 3) + 1).astype(int)
    keep: set[int] = {0, count - 1}
    missing = np.isnan(values)
    low, high = np.where(missing, np.inf, values), np.where(missing, -np.inf, values)
    for start, end in pairwise(edges):
        if end > start:
            keep.update(
                (int(start), int(start + low[start:end].argmin()), int(start + high[start:end].argmax()))
            )
    index = np.array(sorted(keep))
    return time[index], values[index]


class Figure:
    """Collects panels and their lines."""

    def __init__(self, run: Run) -> None:
        self._start_s = float(run.time_s[0])
        self.scale, self.unit = time_unit(run.duration_s)
        self._end = run.duration_s / self.scale
        self.traces: list[dict[str, Any]] = []
        self.titles: list[str] = []
        self._ranges: dict[int, dict[str, Any]] = {}
        self._bands: list[tuple[int, float]] = []

    def at(self, time_s: Floats | float) -> Any:
        """Device time to the unit of the axis."""
        return (time_s - self._start_s) / self.scale

    def panel(self, title: str, **axis: Any) -> None:
        """Begin the next panel."""
        self.titles.append(title)
        self._ranges[len(self.titles)] = axis

    def band(self, half: float) -> None:
        """Shade what counts as held in the present panel."""
        self._bands.append((len(self.titles), half))

    def line(self, name: str, x: Floats, y: Floats, colour: str, digits: int, **look: Any) -> None:
        """Draw a line in the present panel; x in the unit of the axis."""
        x, y = thin(x, y)
        self._add(name, x, y, digits, mode="lines", line={"color": colour, "width": 1.6, **look})

    def marks(self, name: str, x: Floats, y: Floats, texts: list[str], colour: str) -> None:
        """Points that say something when one touches them."""
        marker = {"color": colour, "size": 8, "symbol": "diamond-open", "line": {"width": 1.6}}
        self._add(
            name, x, y, 6, mode="markers", marker=marker, text=texts, hovertemplate="%{text}<extra></extra>"
        )

    def _add(self, name: str, x: Floats, y: Floats, digits: int, **style: Any) -> None:
        row = len(self.titles)
        suffix = "" if row == 1 else str(row)
        self.traces.append(
            {
                "type": "scatter",
                "name": name,
                "x": _numbers(x, 6),
                "y": _numbers(y, digits),
                "xaxis": "x",
                "yaxis": f"y{suffix}",
                "connectgaps": False,
                "legend": f"legend{suffix}",
                **style,
            }
        )

    def layout(self, run: Run) -> dict[str, Any]:
        """The whole of it: one axis of time below, one axis and one legend for each panel."""
        count = len(self.titles)
        tall = [_TALL if number == 0 else 1.0 for number in range(count)]
        inner = sum(tall) * _PANEL_PX + (count - 1) * _GAP_PX
        domains: list[list[float]] = []
        top = 1.0
        for share in tall:
            bottom = top - share * _PANEL_PX / inner
            domains.append([max(bottom, 0.0), top])
            top = bottom - _GAP_PX / inner
        layout: dict[str, Any] = {
            "height": inner + _TOP_PX + _BOTTOM_PX,
            "margin": {"l": 62, "r": 14, "t": _TOP_PX, "b": _BOTTOM_PX},
            "paper_bgcolor": "#fff",
            "plot_bgcolor": "#fff",
            "font": {
                "family": "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif",
                "size": 13,
            },
            "hovermode": "x",
            "dragmode": "zoom",
            "xaxis": {
                "title": {"text": f"time / {self.unit}"},
                "domain": [0, 1],
                "anchor": f"y{count if count > 1 else ''}",
                "showgrid": False,
                "zeroline": False,
                "showline": True,
                "linecolor": "#444",
                "ticks": "outside",
                "range": [0, self._end],
            },
            "shapes": [*_steps(run, self), *(self._shaded(row, half) for row, half in self._bands)],
            "annotations": _numbers_of_steps(run, self, domains[0][0]),
        }
        for number, (title, domain) in enumerate(zip(self.titles, domains, strict=True), 1):
            suffix = "" if number == 1 else str(number)
            layout[f"yaxis{suffix}"] = {
                "title": {"text": title, "font": {"size": 12}},
                "domain": domain,
                "gridcolor": "#e8eaee",
                "zeroline": False,
                "showline": True,
                "linecolor": "#444",
                "ticks": "outside",
                "automargin": True,
                **self._ranges[number],
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
        return layout

    def _shaded(self, row: int, half: float) -> dict[str, Any]:
        return {
            "type": "rect", "xref": "paper", "yref": f"y{row}", "x0": 0, "x1": 1, "y0": -half, "y1": half,
            "fillcolor": GREEN, "opacity": 0.10, "line": {"width": 0}, "layer": "below",
        }  # fmt: skip


def figure(
    run: Run, truth: Truth | None, judged: Judgement, merged: Merged | None, found: Evaluation
) -> dict[str, Any]:
    """Data and layout for plotly."""
    plot = Figure(run)
    samples, time = run.samples, plot.at(run.time_s)
    plot.panel("pressure / MPa", rangemode="tozero")
    pressure = _broken(run, samples["pressure_pa"] / 1e6, found)
    plot.line("absolute pressure", time, pressure, BLUE, 6)
    plot.line("setpoint", time, _while_regulating(run, samples["ramp_pa"]) / 1e6, ORANGE, 6, dash="dash")
    _mark_events(plot, run)
    if merged is not None:
        plot.panel("cell / V")
        seen_s = np.interp(merged.unix_s, run.utc_s, run.time_s, left=np.nan, right=np.nan)
        known = np.isfinite(seen_s)
        volts = merged.column("voltage_v")[known]
        x = plot.at(seen_s[known])
        plot.line("voltage of the cell", *_with_breaks(x, volts, merged.row_gap_s / plot.scale), PURPLE, 5)
    plot.panel("hold error / kPa")
    errors = _hold_errors(plot, run, truth, found)
    plot.band(judged.band_pa / 1e3)
    # The band gives the scale, unless the error needs more.
    largest = [np.nanmax(np.abs(errors)) / 1e3] if np.isfinite(errors).any() else []
    limit = max([1.3 * judged.band_pa / 1e3, *(1.1 * float(value) for value in largest)])
    plot._ranges[len(plot.titles)]["range"] = [-limit, limit]
    balance = found.balance
    if balance is not None and balance.cycles:
        volume_ml = found.assumed.volume_ml
        factor, unit = (volume_ml, "mL") if volume_ml is not None else (100.0, "% of gas")
        plot.panel(f"cell swelling / {unit}")
        share = _with_breaks(
            plot.at(balance.time_s), balance.swelling_share * factor, 20 * balance.bin_s / plot.scale
        )
        plot.line("volume change by gas dilatometry", *share, GREEN, 5)
    plot.panel("temperature / \u00b0C")
    plot.line("gas", time, _broken(run, samples["gas_k"] - 273.15, found), ORANGE, 3)
    plot.line("wall", time, _broken(run, samples["wall_k"] - 273.15, found), GREEN, 3)
    plot.panel("pulses", rangemode="tozero")
    plot.line("fills", time, samples["fills"] - samples["fills"][0], BLUE, 0, shape="hv")
    plot.line("vents", time, samples["vents"] - samples["vents"][0], PURPLE, 0, shape="hv")
    return {"data": plot.traces, "layout": plot.layout(run)}


def time_unit(duration_s: float) -> tuple[float, str]:
    """Seconds in the unit that suits, and its name."""
    for scale, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if duration_s >= 3 * scale:
            return scale, unit
    return 1.0, "s"


def _hold_errors(plot: Figure, run: Run, truth: Truth | None, found: Evaluation) -> Floats:
    measured = run.samples["pressure_pa"]
    if run.steps:
        error = _of_steps(run, run.time_s, measured)
    else:
        error = _error_without_steps(run)
    grey = truth is not None
    shown = _broken(run, error / 1e3, found)
    plot.line(
        "as measured", plot.at(run.time_s), shown, GREY if grey else BLUE, 4, width=1.0 if grey else 1.6
    )
    if truth is not None:
        inside = (truth.time_s >= run.time_s[0]) & (truth.time_s <= run.time_s[-1])
        true_s = truth.time_s[inside]
        true = _of_steps(run, true_s, truth.pressure_pa[inside])
        plot.line("true (simulated)", plot.at(true_s), true / 1e3, BLUE, 4)
    return error


def _of_steps(run: Run, time_s: Floats, pressure_pa: Floats) -> Floats:
    error = np.full(len(time_s), np.nan)
    for step in run.steps:
        if step.kind in _HELD and step.target_pa is not None:
            inside = (time_s >= step.start_s) & (time_s <= step.end_s)
            error[inside] = pressure_pa[inside] - step.target_pa
    return error


def _error_without_steps(run: Run) -> Floats:
    """Distance from the target wherever the ramp was over: a log has no steps that say when that was."""
    ramp_pa, target_pa = run.samples["ramp_pa"], run.samples["target_pa"]
    error = _while_regulating(run, run.samples["pressure_pa"] - target_pa)
    return np.where(ramp_pa == target_pa, error, np.nan)


def _broken(run: Run, values: Floats, found: Evaluation) -> Floats:
    """A copy with a hole at each gap, so that no line is drawn across it."""
    if not found.gaps:
        return values
    broken = np.array(values, dtype=np.float64)
    after = np.searchsorted(run.time_s, [gap.start_s for gap in found.gaps], side="right")
    broken[np.minimum(after, len(broken) - 1)] = np.nan
    return broken


def _with_breaks(x: Floats, y: Floats, widest: float) -> tuple[Floats, Floats]:
    """The same points with a hole wherever two are further apart."""
    cuts = np.flatnonzero(np.diff(x) > widest) + 1
    return np.insert(x, cuts, x[cuts]), np.insert(y.astype(np.float64), cuts, np.nan)


def _mark_events(plot: Figure, run: Run) -> None:
    events = [e for e in run.events if e.uptime_s is not None and e.kind not in ("step", "recipe-end", "end")]
    if not events or len(events) > _MOST_MARKS:
        events = [e for e in events if e.kind in ("fault", "alarm", "note")][:_MOST_MARKS]
    if events:
        time_s = np.array([e.uptime_s for e in events], dtype=np.float64)
        at = np.clip(np.searchsorted(run.time_s, time_s), 0, len(run.time_s) - 1)
        texts = [f"{e.kind}: {e.text}" for e in events]
        plot.marks("events", plot.at(time_s), run.samples["pressure_pa"][at] / 1e6, texts, "#1c1f24")


def _steps(run: Run, plot: Figure) -> list[dict[str, Any]]:
    """A thin line through all panels where a step begins."""
    if len(run.steps) > _MOST_MARKS:
        return []
    return [
        {
            "type": "line", "xref": "x", "yref": "paper", "x0": plot.at(step.start_s), "x1": plot.at(step.start_s),
            "y0": 0, "y1": 1, "line": {"color": "#b5bac3", "width": 1, "dash": "dot"}, "layer": "below",
        }
        for step in run.steps[1:]
    ]  # fmt: skip


def _numbers_of_steps(run: Run, plot: Figure, bottom: float) -> list[dict[str, Any]]:
    if len(run.steps) > 40:
        return []
    return [
        {
            "xref": "x", "yref": "paper", "x": plot.at((step.start_s + step.end_s) / 2), "y": bottom,
            "yanchor": "bottom", "text": str(number), "showarrow": False, "font": {"size": 11, "color": GREY},
        }
        for number, step in enumerate(run.steps, 1)
    ]  # fmt: skip


def _while_regulating(run: Run, values: Floats) -> Floats:
    regulating = np.fromiter(
        (s in ("REGULATE", "QUIET") for s in run.states), dtype=np.bool_, count=len(run.states)
    )
    return np.where(regulating, values, np.nan)


def _numbers(values: Floats, digits: int) -> list[float | None]:
    rounded = np.round(values.astype(np.float64), digits).tolist()
    return [None if value != value else value for value in rounded]
