"""The plots of a report for plotly: panels above each other with one time axis."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipch.analysis import is_held
from ipch.cyclers import Merged
from ipch.recording import Run, Truth, among
from ipch.report.evaluation import Evaluation
from ipch.report.summary import Judgement
from ipch.report.time_plots import BLUE, GREEN, GREY, ORANGE, PURPLE, Panels

Floats = NDArray[np.floating[Any]]

_MOST_MARKS = 200


class Figure(Panels):
    """Panels of a run, with a suitable unit of time."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._start_s = float(run.time_s[0])
        self.unit_s, self.unit = time_unit(run.duration_s)
        self.end = run.duration_s / self.unit_s

    def at(self, time_s: Floats | float) -> Any:
        """Convert device time to the unit of the axis."""
        since = time_s - self._start_s
        # In place: a month of times is 19 MB.
        since /= self.unit_s
        return since


def figure(
    run: Run, truth: Truth | None, judged: Judgement, merged: Merged | None, found: Evaluation
) -> dict[str, Any]:
    """Data and layout for plotly."""
    plot = Figure(run)
    samples, time = run.samples, run.time_s
    plot.panel("pressure / MPa", rangemode="tozero")
    plot.line("absolute pressure", time, _broken(run, samples["pressure_pa"] / 1e6, found), BLUE, 6)
    plot.clock(time, run.utc_s)
    setpoint_mpa = _while_regulating(run, samples["ramp_pa"]) / 1e6
    plot.line("setpoint", time, _broken(run, setpoint_mpa, found), ORANGE, 6, dash="dash")
    del setpoint_mpa
    _mark_events(plot, run)
    if merged is not None:
        plot.panel("cell / V")
        seen_s = np.interp(merged.unix_s, run.utc_s, run.time_s, left=np.nan, right=np.nan)
        known = np.isfinite(seen_s)
        volts = merged.column("voltage_v")[known]
        plot.line("voltage of the cell", *_with_breaks(seen_s[known], volts, merged.row_gap_s), PURPLE, 5)
    plot.panel("hold error / kPa")
    largest_kpa = _hold_errors(plot, run, truth, found)
    plot.band(judged.band_pa / 1e3)
    # The band sets the scale, unless an error needs more, measured or true.
    limit = max(1.3 * judged.band_pa / 1e3, 1.1 * largest_kpa)
    plot.scale(range=[-limit, limit])
    balance = found.balance
    if balance is not None and balance.cycles:
        volume_ml = found.assumed.volume_ml
        factor, unit = (volume_ml, "mL") if volume_ml is not None else (100.0, "% of gas")
        plot.panel(f"cell swelling / {unit}")
        share = _with_breaks(balance.time_s, balance.swelling_share * factor, 20 * balance.bin_s)
        plot.line("volume change by gas dilatometry", *share, GREEN, 5)
    plot.panel("temperature / \u00b0C")
    plot.line("gas", time, _broken(run, samples["gas_k"] - 273.15, found), ORANGE, 3)
    plot.line("wall", time, _broken(run, samples["wall_k"] - 273.15, found), GREEN, 3)
    plot.panel("pulses", rangemode="tozero")
    plot.line("fills", time, samples["fills"] - samples["fills"][0], BLUE, 0, shape="hv")
    plot.line("vents", time, samples["vents"] - samples["vents"][0], PURPLE, 0, shape="hv")
    layout = plot.layout(f"time / {plot.unit}", (0, plot.end))
    layout["shapes"] += _steps(run, plot)
    layout["annotations"] = _numbers_of_steps(run, plot, layout["yaxis"]["domain"][0])
    return {"data": plot.traces, "layout": layout}


def time_unit(duration_s: float) -> tuple[float, str]:
    """A suitable unit for a time in seconds, and its name."""
    for scale, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if duration_s >= 3 * scale:
            return scale, unit
    return 1.0, "s"


def _hold_errors(plot: Figure, run: Run, truth: Truth | None, found: Evaluation) -> float:
    """Draw them; return the largest, in kPa."""
    measured = run.samples["pressure_pa"]
    if run.steps:
        error = _of_steps(run, run.time_s, measured)
    else:
        error = _error_without_steps(run)
    grey = truth is not None
    shown = _broken(run, error / 1e3, found)
    plot.line("as measured", run.time_s, shown, GREY if grey else BLUE, 4, width=1.0 if grey else 1.6)
    largest_pa = _largest(error)
    if truth is not None:
        inside = (truth.time_s >= run.time_s[0]) & (truth.time_s <= run.time_s[-1])
        true_s = truth.time_s[inside]
        true = _of_steps(run, true_s, truth.pressure_pa[inside])
        plot.line("true (simulated)", true_s, true / 1e3, BLUE, 4)
        largest_pa = max(largest_pa, _largest(true))
    return largest_pa / 1e3


def _largest(values: Floats) -> float:
    return float(np.nanmax(np.abs(values))) if np.isfinite(values).any() else 0.0


def _of_steps(run: Run, time_s: Floats, pressure_pa: Floats) -> Floats:
    error = np.full(len(time_s), np.nan)
    for step in run.steps:
        if is_held(step):
            inside = (time_s >= step.start_s) & (time_s <= step.end_s)
            error[inside] = pressure_pa[inside] - (step.target_pa or 0)
    return error


def _error_without_steps(run: Run) -> Floats:
    """Distance from the target wherever no ramp was in progress: a log has no steps to mark these times."""
    ramp_pa, target_pa = run.samples["ramp_pa"], run.samples["target_pa"]
    error = _while_regulating(run, run.samples["pressure_pa"] - target_pa)
    return np.where(ramp_pa == target_pa, error, np.nan)


def _broken(run: Run, values: Floats, found: Evaluation) -> Floats:
    """A copy with a hole at each gap, so that no line is drawn across it."""
    if not found.gaps:
        return values
    broken = np.array(values)
    after = np.searchsorted(run.time_s, [gap.start_s for gap in found.gaps], side="right")
    broken[np.minimum(after, len(broken) - 1)] = np.nan
    return broken


def _with_breaks(x: Floats, y: Floats, widest: float) -> tuple[Floats, Floats]:
    """The same points with a hole between two that are further apart than this."""
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
        plot.marks("events", time_s, run.samples["pressure_pa"][at] / 1e6, texts, "#1c1f24")


def _steps(run: Run, plot: Figure) -> list[dict[str, Any]]:
    """A thin line through all panels at the start of each step."""
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
    return np.where(among(run.states, ("REGULATE", "QUIET")), values, np.nan)
