"""The parts list: what each part must do, from parts.csv and the figures of `ipch size`.

parts.csv states a requirement where no data sheet was at hand; names in braces are replaced by figures. Price
classes per piece: A below 2 euro, B below 20, C below 100, D below 500, E above.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

from hardware.design.assumptions import TVS_LOW
from hardware.design.circuit import circuit
from hardware.design.electrical import checks
from ipch.sizing import Sizing

# Parts on neither drawing.
BESIDES = ("TB1", "EN1", "TF1", "SC1", "EX1", "GD1", "UI1", "CB1", "PCB1", "WI1")
_SOURCE = Path(__file__).with_name("parts.csv")


def figures(sizing: Sizing) -> dict[str, str]:
    """Return name in braces -> figure as text."""
    design, value = sizing.design, sizing.value
    board = {check.name: check.value for check in checks(sizing)}
    return {
        "volume": f"{design.volume_m3 * 1e3:g}",
        "supply": f"{design.supply_pa / 1e6:g}",
        "source": f"{design.source_pa / 1e6:g}",
        "rated": f"{design.rated_pa / 1e6:g}",
        "seat": f"{design.seat_mm:g}",
        "hole": f"{sizing.fill_mm:g}",
        "restrictor_c": f"{value('fill restrictor C'):.1e}",
        "solenoid_c": f"{value('relief solenoid C'):.1e}",
        "solenoid_mm": f"{value('relief solenoid bore'):.1f}",
        "limit": f"{board['current limit of the coil rail']:.1f}",
        "supply_relief": f"{value('supply relief set pressure'):g}",
        "gauge_source": f"{2 * design.source_pa / 1e6:g}",
        "relief": f"{sizing.settings['relief_valve_pa'] / 1e6:g}",
        "relief_c": f"{value('relief valve C'):.1e}",
        "relief_mm": f"{value('relief valve bore'):.1f}",
        "burst": f"{sizing.settings['burst_disc_pa'] / 1e6:g}",
        "disc_c": f"{value('burst disc C'):.1e}",
        "disc_mm": f"{value('burst disc bore'):.1f}",
        "holdup": f"{board['hold-up of the logic without 24 V']:.1f}",
        "hold_min": f"{board['shortest hold time without heartbeat']:.2f}",
        "hold_max": f"{board['longest hold time without heartbeat']:.2f}",
        "gate": f"{board['gate voltage while on']:.1f}",
        "limiter_w": f"{board['limiter dissipation, miswired loop'] * 1.25:.1f}",
        "clamp_low": f"{TVS_LOW * 36:.0f}",
        "clamp_high": f"{board['drain voltage at switch-off']:.0f}",
    }


def table(sizing: Sizing) -> str:
    """Return the parts list as CSV; the last columns are quantity and footprint."""
    known = figures(sizing)
    footprints = {part.ref: part.footprint.partition(":")[2] for part in circuit() if part.footprint}
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    with _SOURCE.open(newline="", encoding="utf-8") as rows:
        for n, row in enumerate(csv.reader(rows)):
            there = sorted({footprints[ref] for ref in row[0].split() if ref in footprints})
            quantity = str(len(row[0].split()))
            last = ("quantity", "footprint") if n == 0 else (quantity, "; ".join(there) or "not on the board")
            writer.writerow([*(text.format(**known) for text in row), *last])
    return file.getvalue()
