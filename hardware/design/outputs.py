"""All generated files, by their names under hardware/."""

from __future__ import annotations

import re
from pathlib import Path

from hardware.design import bom, electrical, fmea, hazards, panel, piping
from hardware.design.circuit import circuit
from hardware.design.netlist import build
from hardware.design.sheets import sheets
from ipch.sizing import Design, markdown, size

HARDWARE = Path(__file__).resolve().parents[1]


def bring_up_sheet() -> str:
    """Return the steps of bring-up.md as one page to print, with room for readings and initials."""
    text = (HARDWARE / "bring-up.md").read_text(encoding="utf-8")
    lines = [
        "# Bring-up: sheet to print\n",
        "\nThe steps of [bring-up.md](bring-up.md), which says how. Stop at the first reading that differs.\n",
        "\nBoard: ____________________  Rig: ____________________  Signed by: ____________________\n",
    ]
    for heading, body in re.findall(r"^## (.+?)$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL):
        lines.append(f"\n## {heading}\n\n| step | reading | date, initials |\n|---|---|---|\n")
        for number, step in re.findall(r"^(\d+)\. (.+?)(?=^\d+\. |\Z)", body, re.MULTILINE | re.DOTALL):
            names = re.findall(r"\*\*(.+?)\*\*", re.sub(r"\s+", " ", step))
            lines += [f"| {number} {name.rstrip('.')} | | |\n" for name in names]
            rows = [
                line.split(" | ") for line in step.splitlines() if re.match(r"\| (?!where|loop|---)", line)
            ]
            lines += [f"| {number}: {row[0].strip('| ')}: {row[1].strip('| ')} | | |\n" for row in rows]
    return "".join(lines)


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
        "bring-up-sheet.md": bring_up_sheet(),
        "terminals.csv": panel.table(),
        "drawings/field-wiring.svg": panel.field_wiring(),
        "drawings/panel.svg": panel.panel(),
        "drawings/grounding.svg": panel.grounding(),
        "drawings/piping.svg": piping.svg(sizing),
        **{f"drawings/{name}.svg": sheet.svg() for name, sheet in sheets().items()},
    }
