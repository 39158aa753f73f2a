"""rms against the number of pulses on the reference day, for dead-bands from 3 to 10 kPa.

N pulses against a disturbance of total change D in R alternating directions leave an rms of at least D / (sqrt(12) (N
+ R)). D comes from the plant's own cell profile, R is its number of charges and discharges. The rms of the oven's
ripple, measured on the same day with the cell idle and the output off, is subtracted in quadrature.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go

from bench.jobs import Workers
from bench.rows import row
from bench.scenarios.day import REFERENCE, SMALL_CELL, Result, Scenario, off, ours, run_all
from bench.scenarios.schedule import bound_rms_pa, travel
from ipch.sim.parameters import load_parameters

DEAD_BANDS_KPA = (3, 4, 5, 7, 10)
FACTOR = 1.25


def ripple_rms_pa(result: Result) -> float:
    """Return the rms about the mean of a day without any control."""
    return float(np.std(np.asarray(result.pressure_pa)))


def without_ripple_pa(rms_pa: float, ripple_pa: float) -> float:
    """Return an rms with independent ripple subtracted in quadrature."""
    return math.sqrt(max(0.0, rms_pa**2 - ripple_pa**2))


def measure(out: Path, workers: Workers) -> list[dict[str, Any]]:
    """Run the day with each dead-band; writes dead_bands.html."""
    idle = Scenario("idle cell, output off", (*REFERENCE, "cell_c_rate=0"), tick_ms=100)
    days = [
        Scenario(f"{band} kPa", REFERENCE, settings=(("dead_band_pa", band * 1000),))
        for band in DEAD_BANDS_KPA
    ]
    # The paper's cell moves the pressure by a fiftieth of that: its bound is negligible.
    small = Scenario("0.1 Ah cell, 5 kPa", REFERENCE + SMALL_CELL, settings=(("dead_band_pa", 5000),))
    alone, little, *held = run_all(
        workers,
        [(idle, off), (small, ours), *((day, ours) for day in days)],
        lambda result: print(result.line(), file=sys.stderr),
    )
    ripple_pa = ripple_rms_pa(alone)
    moved_pa, directions = travel(load_parameters(None, REFERENCE), 5e6, 24.0)
    rows = [
        row("ripple left alone, rms", ripple_pa / 1e3, "kPa"),
        row("travel of the cell's breathing", moved_pa / 1e3, "kPa"),
        row("directions of the breathing", directions, ""),
    ]
    figure = go.Figure()
    counts = [10 * 1.08**n for n in range(40)]
    for factor, name in ((1.0, "bound"), (FACTOR, f"{FACTOR:g} x bound")):
        figure.add_scatter(
            x=counts,
            y=[factor * bound_rms_pa(moved_pa, directions, count) / 1e3 for count in counts],
            mode="lines",
            name=name,
        )
    left_kpa = []
    for band, result in zip(DEAD_BANDS_KPA, held, strict=True):
        least_kpa = bound_rms_pa(moved_pa, directions, result.actuations) / 1e3
        left_kpa.append(without_ripple_pa(result.metrics.rms_kpa * 1e3, ripple_pa) / 1e3)
        rows += [
            row(f"{band} kPa: pulses", result.actuations, ""),
            row(f"{band} kPa: rms", result.metrics.rms_kpa, "kPa"),
            row(f"{band} kPa: largest error", result.metrics.max_kpa, "kPa", at_most=band),
            row(
                f"{band} kPa: rms without ripple over the bound", left_kpa[-1] / least_kpa, "", at_most=FACTOR
            ),
        ]
    rows += [
        row(f"{small.name}: pulses", little.actuations, ""),
        row(f"{small.name}: rms", little.metrics.rms_kpa, "kPa"),
        row(f"{small.name}: largest error", little.metrics.max_kpa, "kPa", at_most=5),
    ]
    figure.add_scatter(
        x=[result.actuations for result in held],
        y=left_kpa,
        text=[f"{band} kPa" for band in DEAD_BANDS_KPA],
        mode="markers+text",
        textposition="top right",
        name="dead-bands",
    )
    figure.update_xaxes(title="pulses in 24 h")
    figure.update_yaxes(title="rms without ripple, kPa", rangemode="tozero")
    figure.write_html(out / "dead_bands.html", include_plotlyjs="cdn")
    return rows
