"""All generated files, by their names under hardware/."""

from __future__ import annotations

from pathlib import Path

from hardware.design import bom, electrical, fmea, hazards, panel, piping
from hardware.design.circuit import circuit
from hardware.design.netlist import build
from hardware.design.sheets import sheets
from ipch.sizing import Design, markdown, size

HARDWARE = Path(__file__).resolve().parents[1]


def outputs() -> dict[str, str]:
    """Return name -> text; identical on every computer."""
    sizing = size(Design())
    netlist, report = build(circuit())
    assert "No errors or warnings" in report, report
    return {
        "sizing.md": markdown(sizing),
        "bom.csv": bom.table(sizing),
        "electrical.md": electrical.page(sizing),
        "fmea.md": fmea.page(),
        "hazards.md": hazards.page(),
        "ipch.net": netlist,
        "terminals.csv": panel.table(),
        "drawings/field-wiring.svg": panel.field_wiring(),
        "drawings/panel.svg": panel.panel(),
        "drawings/grounding.svg": panel.grounding(),
        "drawings/piping.svg": piping.svg(sizing),
        **{f"drawings/{name}.svg": sheet.svg() for name, sheet in sheets().items()},
    }
