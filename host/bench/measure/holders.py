"""The paper's holders against this one: pressure of the same breathing cell over cycles and over an oven's drift.

A uniaxial holder is a stiffness: cell, plates and bolts in series, and any springs in series with them. Breathing of
the cell by dL changes the pressure by K dL, and warming by dT changes it by K L (a_clamped - a_bolts) dT. K comes
from two published figures for NCM811 | Li (Ham et al., cited by Chen, Jang et al. 2024, the paper behind this
project): with bolts and plates the pressure varies by 2 MPa over a cycle, springs reduce that to less than 0.5 MPa.
The source cell's areal capacity is unknown; it is assumed to breathe as much as ours. Lithium of 5 mAh/cm2 grows by 5
um per mAh/cm2, so K is 2 MPa / 25 um = 80 kPa/um, and 20 kPa/um with springs. The thermal part is an estimate: 30 mm
of aluminium between steel bolts, (23 - 12) ppm/K, gives 0.33 um/K.

The isostatic chamber is the simulated plant, 0.5 L of air: sealed, then regulated. There the cell (the paper's 0.1 Ah
bilayer, and one of 5 Ah as an upper end) displaces gas instead of plates, and the gas temperature matters instead.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from bench.jobs import Workers
from bench.rows import row
from bench.scenarios.day import Scenario, off, ours, run_all

Floats = NDArray[np.float64]

CYCLES = 10
C_RATE = 1.0
CYCLE_H = 2.0 / C_RATE
START_PA = 5e6
GROWTH_M_PER_AH_M2 = 5e-6 / 10.0
"""Thickness of plated lithium: 5 um for 1 mAh/cm2, that is 10 Ah/m2."""
AREAL_AH_M2 = 50.0
"""5 mAh/cm2, the paper's bilayer cell."""
CLAMPED_M = 0.030
EXPANSION_MISMATCH_1_K = 11e-6
DRIFT_K = 2.0
DRIFT_H = 24.0

CHAMBER = ("volume_l=0.5", "fill_c=2e-10", "vent_c=2e-10", "supply_mpa=6", "initial_mpa=5", "oven_c=30")
CELLS = {"0.1 Ah": 0.1, "5 Ah": 5.0}


@dataclass(frozen=True)
class Uniaxial:
    """A holder with a stiffness; `swing_pa` is the pressure change over a full charge of the cell."""

    name: str
    swing_pa: float

    @property
    def pa_m(self) -> float:
        """Stiffness that gives this pressure change."""
        return self.swing_pa / (GROWTH_M_PER_AH_M2 * AREAL_AH_M2)

    def pressure_pa(self, charged: Floats, warmer_k: Floats) -> Floats:
        """Return the pressure at a state of charge (0 to 1) and a temperature above that of the assembly."""
        moved_m = GROWTH_M_PER_AH_M2 * AREAL_AH_M2 * charged
        moved_m = moved_m + CLAMPED_M * EXPANSION_MISMATCH_1_K * warmer_k
        # Plates that have lost contact exert no pressure.
        return np.maximum(0.0, START_PA + self.pa_m * moved_m)


UNIAXIAL = (
    Uniaxial("bolts and plates", 2.0e6),
    Uniaxial("springs and rubber", 0.5e6),
)


def charge_share(hours: Floats) -> Floats:
    """Return the state of charge (0 to 1) of alternating full charges and discharges, starting empty."""
    phase = (hours / CYCLE_H) % 1.0
    return 1.0 - np.abs(2.0 * phase - 1.0)


def swing_kpa(pressure_pa: Floats) -> float:
    """Return highest minus lowest."""
    return float(pressure_pa.max() - pressure_pa.min()) / 1e3


def thinned(values: Floats, digits: int) -> list[float]:
    """Return about 1200 of the values, rounded, for a plot."""
    return [round(float(value), digits) for value in values[:: max(1, len(values) // 1200)]]


def measure(out: Path, workers: Workers) -> list[dict[str, Any]]:
    """Return the pressure swing of every holder; writes holders.md, holders.html, and the traces for a plot."""
    cycle_hours = CYCLES * CYCLE_H
    jobs = []
    labels = []
    for cell, capacity_ah in CELLS.items():
        cycling = (*CHAMBER, f"cell_capacity_ah={capacity_ah}", f"cell_c_rate={C_RATE}")
        for name, make in (("isostatic, sealed", off), ("isostatic, regulated", ours)):
            labels.append((f"{name}, {cell}", "cycles"))
            jobs.append((Scenario(f"cycles, {cell}", cycling, hours=cycle_hours, tick_ms=100), make))
    drifting = (*CHAMBER, "cell_c_rate=0", f"oven_amplitude_k={DRIFT_K}", f"oven_period_s={DRIFT_H * 3600}")
    for name, make in (("isostatic, sealed", off), ("isostatic, regulated", ours)):
        labels.append((name, "drift"))
        jobs.append((Scenario("drift", drifting, hours=DRIFT_H, tick_ms=100), make))
    results = run_all(workers, jobs, lambda result: print(result.line(), file=sys.stderr))

    traces: list[tuple[str, str, Floats, Floats]] = []
    hours = np.linspace(0.0, cycle_hours, 2001)
    day = np.linspace(0.0, DRIFT_H, 2001)
    warmer_k = DRIFT_K * np.sin(2 * np.pi * day / DRIFT_H)
    for holder in UNIAXIAL:
        traces.append(
            (holder.name, "cycles", hours, holder.pressure_pa(charge_share(hours), np.zeros_like(hours)))
        )
        traces.append((holder.name, "drift", day, holder.pressure_pa(np.zeros_like(day), warmer_k)))
    for (name, what), result in zip(labels, results, strict=True):
        traces.append(
            (name, what, np.array(result.seconds[::30]) / 3600.0, np.array(result.pressure_pa[::30]))
        )

    rows = []
    lines = ["| holder | over | lowest, MPa | highest, MPa | swing, kPa |", "|---|---|---|---|---|"]
    figure = make_subplots(
        rows=1, cols=2, subplot_titles=(f"{CYCLES} cycles at {C_RATE:g} C", "oven +-2 K in a day, idle cell")
    )
    for name, what, at_h, pressure_pa in traces:
        swing = swing_kpa(pressure_pa)
        rows.append(
            row(f"{name}, {what}: swing", swing, "kPa", at_most=10.0 if "regulated" in name else None)
        )
        lowest, highest = pressure_pa.min() / 1e6, pressure_pa.max() / 1e6
        lines.append(f"| {name} | {what} | {lowest:.4f} | {highest:.4f} | {swing:.1f} |")
        figure.add_scatter(
            x=at_h, y=pressure_pa / 1e6, mode="lines", name=name, row=1, col=1 + (what == "drift")
        )
    figure.update_xaxes(title="h")
    figure.update_yaxes(title="pressure on the cell, MPa")
    figure.write_html(out / "holders.html", include_plotlyjs="cdn")
    (out / "holders.md").write_text("\n".join(lines) + "\n")
    drawn = [
        {"name": name, "over": what, "hours": thinned(at_h, 4), "pressure_mpa": thinned(pressure_pa / 1e6, 6)}
        for name, what, at_h, pressure_pa in traces
    ]
    (out / "holders-traces.json").write_text(json.dumps(drawn) + "\n")
    return rows
