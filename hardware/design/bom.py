"""The parts list: what each part must do, from parts.csv and the figures of `ipch size`.

Where no data sheet was at hand, parts.csv states the requirement instead of a number. Braces there stand for
figures. Price classes, in euro a piece: A below 2, B below 20, C below 100, D below 500, E more.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

from ipch.sizing import Sizing

_SOURCE = Path(__file__).with_name("parts.csv")


def figures(sizing: Sizing) -> dict[str, str]:
    """Return what the braces stand for."""
    from math import log

    design, value = sizing.design, sizing.value
    hold_s = 1e6 * 470e-9
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
        "relief": f"{sizing.settings['relief_valve_pa'] / 1e6:g}",
        "relief_c": f"{value('relief valve C'):.1e}",
        "relief_mm": f"{value('relief valve bore'):.1f}",
        "burst": f"{sizing.settings['burst_disc_pa'] / 1e6:g}",
        "disc_c": f"{value('burst disc C'):.1e}",
        "disc_mm": f"{value('burst disc bore'):.1f}",
        "holdup": f"{0.5 * 4700e-6 * (24**2 - 8**2) / 2.0:.1f}",
        # The pump reaches 2.7 V less its load; Q1 lets go at 1.5 V at the earliest, 0.8 V at the latest.
        "hold_min": f"{hold_s * log(2.6 / 1.5):.2f}",
        "hold_max": f"{hold_s * log(2.7 / 0.8):.2f}",
    }


def table(sizing: Sizing) -> str:
    """Return the parts list as CSV."""
    known = figures(sizing)
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    with _SOURCE.open(newline="", encoding="utf-8") as rows:
        for row in csv.reader(rows):
            writer.writerow(text.format(**known) for text in row)
    return file.getvalue()
