"""Plots for plotly: panels above each other with one time axis."""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

# Colours that colour-blind readers and grey prints can tell apart (Okabe and Ito).
BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8a8f98"
# A line with more points is thinned, keeping extremes: no screen shows more.
_POINTS = 4000
_PANEL_PX, _GAP_PX, _TOP_PX, _BOTTOM_PX = 170, 46, 34, 46
_TALL = 1.45


def thin(time: Floats, values: Floats, most: int = _POINTS) -> tuple[Floats, Floats]:
    """Fewer points that draw the same line: first, lowest and highest of each group, and the last.

    A group without values keeps its first point, so that the line is broken there.
    """
    count = len(time)
    if count <= most:
        return time, values
    edges = np.linspace(0, count, max(1, most // 3) + 1).astype(int)
    keep: set[int] = {0, count - 1}
    for start, end in pairwise(edges.tolist()):
        if end > start:
            part = values[start:end]
            missing = np.isnan(part)
            low, high = np.where(missing, np.inf, part), np.where(missing, -np.inf, part)
            keep.update((start, start + int(low.argmin()), start + int(high.argmax())))
    index = np.array(sorted(keep))
    return time[index], values[index]


class Panels:
    """Collects panels and their lines."""

    def __init__(self) -> None:
        self.traces: list[dict[str, Any]] = []
        self.titles: list[str] = []
        self._ranges: dict[int, dict[str, Any]] = {}
        self._bands: list[tuple[int, float]] = []

    def at(self, x: Any) -> Any:
        """Convert to the unit of the axis."""
        return x

    def panel(self, title: str, **axis: Any) -> None:
        """Start the next panel."""
        self.titles.append(title)
        self._ranges[len(self.titles)] = axis

    def scale(self, **axis: Any) -> None:
        """Set further plotly options of the present panel's axis."""
        self._ranges[len(self.titles)] |= axis

    def band(self, half: float) -> None:
        """Shade the band in the present panel."""
        self._bands.append((len(self.titles), half))

    def line(
        self, name: str, x: Floats, y: Floats, colour: str, digits: int, in_legend: bool = True, **look: Any
    ) -> None:
        """Draw a line in the present panel."""
        x, y = thin(x, y)
        style = {"color": colour, "width": 1.6, **look}
        unit = self.titles[-1].partition(" / ")[2]
        hover = f"%{{y}} {unit}".rstrip() + f"<extra>{name}</extra>"
        self._add(
            name, self.at(x), y, digits, mode="lines", line=style, showlegend=in_legend, hovertemplate=hover
        )

    def clock(self, x: Floats, utc_s: Floats) -> None:
        """Show the time of day, too, where the last line is pointed at; `utc_s` is Unix time at the points `x`."""
        trace = self.traces[-1]
        at_s = np.interp(np.array(trace["x"], dtype=np.float64), self.at(x), utc_s)
        trace["customdata"] = [f"{text}Z" for text in at_s.astype("datetime64[s]").astype(str)]
        trace["hovertemplate"] = trace["hovertemplate"].replace("<extra>", ", %{customdata}<extra>")

    def marks(self, name: str, x: Floats, y: Floats, texts: list[str], colour: str) -> None:
        """Points with a text on hover."""
        marker = {"color": colour, "size": 8, "symbol": "diamond-open", "line": {"width": 1.6}}
        # A mark at the edge is whole.
        self._add(
            name, self.at(x), y, 6, mode="markers", marker=marker, text=texts, hovertemplate="%{text}<extra></extra>",
            cliponaxis=False,
        )  # fmt: skip

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

    def layout(self, title: str, span: tuple[float, float]) -> dict[str, Any]:
        """The complete layout: one time axis below, one axis and one legend for each panel."""
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
            # One box with the values of all panels.
            "hovermode": "x unified",
            "hoversubplots": "axis",
            "dragmode": "zoom",
            "xaxis": {
                "title": {"text": title},
                "domain": [0, 1],
                "anchor": f"y{count if count > 1 else ''}",
                "showgrid": False,
                "zeroline": False,
                "showline": True,
                "linecolor": "#444",
                "ticks": "outside",
                "range": list(span),
            },
            "shapes": [self._shaded(row, half) for row, half in self._bands],
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


def _numbers(values: Floats, digits: int) -> list[float | None]:
    rounded = np.round(values.astype(np.float64), digits).tolist()
    return [None if value != value else value for value in rounded]
