"""A calibration as a single HTML file: coefficients, plot of the errors, points."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ipch.base.units import format_celsius, format_pressure
from ipch.calibration.fitting import FULL_SCALE_PA, Fit, Point

# Colours that colour-blind readers and grey prints can tell apart (Okabe and Ito).
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
TERM_UNITS = {"zero_pa": "Pa", "span_ppm": "ppm", "zero_tc_pa_k": "Pa/K", "span_tc_ppm_k": "ppm/K"}
_TERM_NAMES = {
    "zero_pa": "zero",
    "span_ppm": "span",
    "zero_tc_pa_k": "zero per kelvin",
    "span_tc_ppm_k": "span per kelvin",
}


def write_page(path: Path, points: Sequence[Point], fits: Sequence[Fit], subtitle: str) -> None:
    """Write the page. Raises FileError."""
    # Import numerical libraries only when a page is written.
    from ipch.report import write_html

    heads = ["time (UTC)", "standard", "block"]
    for fit in fits:
        heads += [f"{fit.name} uncorrected, kPa", f"{fit.name} corrected, kPa", "% of full scale"]
    write_html(
        path,
        "calibration/page.html",
        _figure(points, fits),
        title="Calibration of the pressure transducers",
        subtitle=subtitle,
        coefficients=_coefficients(fits),
        heads=heads,
        points=_points(points, fits),
    )


def _figure(points: Sequence[Point], fits: Sequence[Fit]) -> dict[str, Any]:
    """Residuals at each point, over pressure; a plot for each transducer, a colour for each temperature."""
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


def _coefficients(fits: Sequence[Fit]) -> list[tuple[str, str, str, str]]:
    rows = []
    for fit in fits:
        for term, unit in TERM_UNITS.items():
            uncertain = fit.uncertainty.get(term, math.nan)
            worth = "not fitted" if term in fit.fixed else "" if math.isnan(uncertain) else f"{uncertain:.2g}"
            rows.append(
                (f"{fit.name}, {_TERM_NAMES[term]}", str(getattr(fit.coefficients, term)), worth, unit)
            )
    return rows


def _points(points: Sequence[Point], fits: Sequence[Fit]) -> list[list[str]]:
    rows = []
    for n, point in enumerate(points):
        row = [point.time_utc, format_pressure(point.standard_pa), format_celsius(point.block_k)]
        for fit in fits:
            left_pa = float(fit.residual_pa[n])
            before_kpa = float(fit.before_pa[n]) / 1e3
            row += [f"{before_kpa:+.2f}", f"{left_pa / 1e3:+.3f}", f"{left_pa / FULL_SCALE_PA:+.4%}"[:-1]]
        rows.append(row)
    return rows
