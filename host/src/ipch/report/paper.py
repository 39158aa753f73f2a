"""Figures for papers: panels of the report, drawn by matplotlib at a journal's size."""

from pathlib import Path
from typing import Any

from ipch.analysis import Cycle
from ipch.base.extras import how_to_install
from ipch.base.files import access
from ipch.cyclers import Merged
from ipch.errors import FileError, UsageError
from ipch.recording import Run, Truth
from ipch.report.evaluation import Evaluation
from ipch.report.plots import figure
from ipch.report.summary import Judgement

# What may be drawn, with the beginning of the panel's title in the report.
_PANELS = {
    "pressure": "pressure", "error": "hold error", "swelling": "cell swelling", "voltage": "cell /",
    "temperature": "temperature", "pulses": "pulses",
}  # fmt: skip
WHAT = (*_PANELS, "cycles")
ENDINGS = (".pdf", ".svg", ".png")
# A column of most journals is 80 to 90 mm wide, a page 170 to 190 mm.
NARROWEST_MM, WIDEST_MM = 40.0, 400.0
_PANEL_MM, _FIRST_MM, _AROUND_MM = 30.0, 42.0, 12.0
_DPI = 600
_MM = 25.4
_STYLE: Any = {
    # At least 7 pt, as most journals ask; text stays text, so that it can be edited and searched.
    "font.family": "sans-serif", "font.sans-serif": ["Arial", "Helvetica", "DejaVu Sans"], "font.size": 7.5,
    "axes.linewidth": 0.6, "lines.linewidth": 0.9, "xtick.major.width": 0.6, "ytick.major.width": 0.6,
    "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False, "legend.fontsize": 7,
    "pdf.fonttype": 42, "svg.fonttype": "none", "svg.hashsalt": "ipch", "axes.formatter.useoffset": False,
    "legend.handlelength": 1.6, "legend.borderaxespad": 0.0, "xtick.direction": "out", "ytick.direction": "out",
}  # fmt: skip


def check(what: list[str], place: Path, width_mm: float) -> None:
    """Check a wish before a record is read. Raises UsageError, and FileError without matplotlib."""
    for name in what:
        if name not in WHAT:
            raise UsageError(f"--what {name}: unknown; allowed: {', '.join(WHAT)}")
    if place.suffix.lower() not in ENDINGS:
        raise UsageError(f"--out {place}: a figure ends in {', '.join(ENDINGS)}")
    if not NARROWEST_MM <= width_mm <= WIDEST_MM:
        raise UsageError(f"--width: {width_mm:g} mm; expected {NARROWEST_MM:g}mm to {WIDEST_MM:g}mm")
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise FileError(f"a figure needs matplotlib; {how_to_install('figure')}") from error


def draw(
    place: Path, run: Run, truth: Truth | None, judged: Judgement, merged: Merged | None, found: Evaluation,
    *, what: list[str], width_mm: float,
) -> None:  # fmt: skip
    """Draw the panels `what` below each other into a file. Raises UsageError if the record lacks the data for one."""
    import matplotlib

    report = figure(run, truth, judged, merged, found)
    panels = [_cycles(found) if name == "cycles" else _panel(report, name) for name in what]
    heights_mm = [_FIRST_MM, *[_PANEL_MM] * (len(panels) - 1)]
    with matplotlib.rc_context(_STYLE):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        size = (width_mm / _MM, (sum(heights_mm) + _AROUND_MM) / _MM)
        drawing = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(drawing)
        ratios = {"height_ratios": heights_mm}
        together = "cycles" not in what
        axes = drawing.subplots(len(panels), 1, squeeze=False, sharex=together, gridspec_kw=ratios)[:, 0]
        for panel, each in zip(panels, axes, strict=True):
            panel.draw(each)
        for number, (panel, each) in enumerate(zip(panels, axes, strict=True)):
            if number == len(panels) - 1 or not together:
                each.set_xlabel(panel.below)
        drawing.align_ylabels()
        # Nothing of the moment in the file: the same record gives the same figure.
        moment = {".pdf": "CreationDate", ".svg": "Date"}.get(place.suffix.lower())
        with access("write", place):
            place.parent.mkdir(parents=True, exist_ok=True)
            drawing.savefig(place, dpi=_DPI, metadata={moment: None} if moment else {})


class _Panel:
    """Lines of one panel of the report."""

    def __init__(self, title: str, below: str, traces: list[dict[str, Any]], axis: dict[str, Any]) -> None:
        self.title = title
        self.below = below
        self.traces = traces
        self.axis = axis
        self.span: tuple[float, float] | None = None
        self.band: tuple[float, float] | None = None

    def draw(self, axes: Any) -> None:
        for trace in self.traces:
            look = trace.get("line", {})
            dash = {"dash": (0, (4, 2)), "dot": (0, (1, 1.5))}.get(str(look.get("dash")), "-")
            step = {"drawstyle": "steps-post"} if look.get("shape") == "hv" else {}
            y = [float("nan") if value is None else value for value in trace["y"]]
            axes.plot(trace["x"], y, color=look["color"], linestyle=dash, label=trace["name"], **step)
        if self.band is not None:
            axes.axhspan(*self.band, color="#009E73", alpha=0.12, linewidth=0)
        axes.set_ylabel(self.title)
        if self.span is not None:
            axes.set_xlim(*self.span)
        if "range" in self.axis:
            axes.set_ylim(*self.axis["range"])
        elif self.axis.get("rangemode") == "tozero":
            axes.set_ylim(bottom=0)
        if len(self.traces) > 1:
            axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=len(self.traces))


class _Cycles:
    """Coulombic efficiency and swelling of each complete cycle."""

    below = "cycle"

    def __init__(self, cycles: list[Cycle]) -> None:
        self._cycles = [cycle for cycle in cycles if cycle.complete]

    def draw(self, axes: Any) -> None:
        from matplotlib.ticker import MaxNLocator

        numbers = [cycle.cycle for cycle in self._cycles]
        efficiency = [_percent(cycle.coulombic_efficiency) for cycle in self._cycles]
        axes.plot(numbers, efficiency, "o", color="#0072B2", markersize=3, label="Coulombic efficiency")
        axes.set_ylabel("efficiency / %")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        swelling = [cycle.volume_change_ml for cycle in self._cycles]
        if any(value is not None for value in swelling):
            right = axes.twinx()
            right.spines["right"].set_visible(True)
            half = [cycle.volume_change_95_ml or 0.0 for cycle in self._cycles]
            y = [float("nan") if value is None else value for value in swelling]
            right.errorbar(
                numbers, y, yerr=half, fmt="s", color="#009E73", markersize=3, capsize=1.5, linewidth=0.7,
                label="swelling, 95 %",
            )  # fmt: skip
            right.set_ylabel("swelling / mL")
            handles = [*axes.get_legend_handles_labels()[0], *right.get_legend_handles_labels()[0]]
            axes.legend(handles=handles, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2)


def _percent(share: float | None) -> float:
    return float("nan") if share is None else 100 * share


def _cycles(found: Evaluation) -> _Cycles:
    if not any(cycle.complete for cycle in found.cycles):
        raise UsageError("no complete cycle: name the cycler's file with --cycler")
    return _Cycles(found.cycles)


def _panel(report: dict[str, Any], name: str) -> _Panel:
    layout = report["layout"]
    axes = {key: axis for key, axis in layout.items() if key.startswith("yaxis")}
    for key, axis in axes.items():
        title = str(axis["title"]["text"])
        if title.startswith(_PANELS[name]):
            number = key.removeprefix("yaxis")
            lines = [t for t in report["data"] if t["yaxis"] == f"y{number}" and t.get("mode") == "lines"]
            panel = _Panel(title, str(layout["xaxis"]["title"]["text"]), lines, axis)
            panel.span = tuple(layout["xaxis"]["range"])
            for shape in layout["shapes"]:
                if shape["type"] == "rect" and shape["yref"] == f"y{number or 1}":
                    panel.band = (shape["y0"], shape["y1"])
            return panel
    needs = {"swelling": "the cycler's file (--cycler)", "voltage": "the cycler's file (--cycler)"}
    raise UsageError(
        f"--what {name}: the record has no data for it; it needs {needs.get(name, 'more samples')}"
    )
