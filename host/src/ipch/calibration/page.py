"""A calibration as one HTML file that needs nothing else: coefficients, plot of the errors, points."""

import html
import json
import math
from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import Any

from ipch.base.units import format_celsius, format_pressure
from ipch.calibration.fit import FULL_SCALE_PA, Fit, Point
from ipch.errors import FileError

# Colours that stay apart for colour-blind readers and in grey (Okabe and Ito).
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
TERM_UNITS = {"zero_pa": "Pa", "span_ppm": "ppm", "zero_tc_pa_k": "Pa/K", "span_tc_ppm_k": "ppm/K"}
_TERM_NAMES = {
    "zero_pa": "zero",
    "span_ppm": "span",
    "zero_tc_pa_k": "zero per kelvin",
    "span_tc_ppm_k": "span per kelvin",
}
_PAGE = Template(
    """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>$title</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c2430; }
h1 { font-size: 1.5rem; margin-bottom: 0 } h2 { font-size: 1.1rem; margin-top: 2rem } p { color: #56606e }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { text-align: right; padding: .25rem .6rem; border-bottom: 1px solid #dde1e6 }
th:first-child, td:first-child { text-align: left } th { color: #56606e; font-weight: 500 }
</style></head><body>
<h1>$title</h1><p>$subtitle</p>
<div id="plot"></div>
<h2>Coefficients</h2>$coefficients
<h2>Points</h2>$points
<script>$plotly</script>
<script>const p = $plot; Plotly.newPlot("plot", p.data, p.layout, {responsive: true, displaylogo: false});</script>
</body></html>
"""
)


def write_page(path: Path, points: Sequence[Point], fits: Sequence[Fit], subtitle: str) -> None:
    """Write the page. Raises FileError."""
    from plotly.offline import get_plotlyjs

    text = _PAGE.substitute(
        title="Calibration of the pressure transducers",
        subtitle=html.escape(subtitle),
        coefficients=_coefficients(fits),
        points=_points(points, fits),
        plotly=get_plotlyjs(),
        plot=json.dumps(_figure(points, fits)).replace("</", "<\\/"),
    )
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FileError(f"cannot write {path}: {error.strerror}") from error


def _figure(points: Sequence[Point], fits: Sequence[Fit]) -> dict[str, Any]:
    """What is left of the error at each point, over pressure; a plot for each transducer, a colour for each
    temperature.
    """
    data = []
    layout: dict[str, Any] = {
        "height": 340 * len(fits),
        "margin": {"l": 70, "r": 20, "t": 40, "b": 50},
        "grid": {"rows": len(fits), "columns": 1, "pattern": "independent"},
        "legend": {"title": {"text": "block"}},
    }
    groups = sorted({round(point.block_k - 273.15) for point in points})
    for number, fit in enumerate(fits):
        axis = "" if number == 0 else str(number + 1)
        for index, celsius in enumerate(groups):
            rows = [n for n, point in enumerate(points) if round(point.block_k - 273.15) == celsius]
            data.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "name": f"{celsius} degC",
                    "legendgroup": str(celsius),
                    "showlegend": number == 0,
                    "x": [points[n].standard_pa / 1e6 for n in rows],
                    "y": [round(float(fit.residual_pa[n]) / 1e3, 4) for n in rows],
                    "xaxis": f"x{axis}",
                    "yaxis": f"y{axis}",
                    "marker": {"size": 9, "color": _COLOURS[index % len(_COLOURS)]},
                }
            )
        layout[f"xaxis{axis}"] = {"title": {"text": "standard, MPa absolute"}}
        layout[f"yaxis{axis}"] = {"title": {"text": f"{fit.name} less standard, kPa"}, "zeroline": True}
    return {"data": data, "layout": layout}


def _coefficients(fits: Sequence[Fit]) -> str:
    rows = []
    for fit in fits:
        for term, unit in TERM_UNITS.items():
            uncertain = fit.uncertainty.get(term, math.nan)
            worth = (
                "kept as it was" if term in fit.fixed else "" if math.isnan(uncertain) else f"{uncertain:.2g}"
            )
            rows.append(
                (f"{fit.name}, {_TERM_NAMES[term]}", str(getattr(fit.coefficients, term)), worth, unit)
            )
    return _table(("coefficient", "value", "uncertainty (95 %)", "unit"), rows)


def _points(points: Sequence[Point], fits: Sequence[Fit]) -> str:
    heads = ["time (UTC)", "standard", "block"]
    for fit in fits:
        heads += [f"{fit.name} uncorrected, kPa", f"{fit.name} corrected, kPa", "% of full scale"]
    rows = []
    for n, point in enumerate(points):
        row = [point.time_utc, format_pressure(point.standard_pa), format_celsius(point.block_k)]
        for fit in fits:
            left_pa = float(fit.residual_pa[n])
            before_kpa = float(fit.before_pa[n]) / 1e3
            row += [f"{before_kpa:+.2f}", f"{left_pa / 1e3:+.3f}", f"{left_pa / FULL_SCALE_PA:+.4%}"[:-1]]
        rows.append(row)
    return _table(heads, rows)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{html.escape(text)}</th>" for text in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(text)}</td>" for text in row) + "</tr>" for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"
