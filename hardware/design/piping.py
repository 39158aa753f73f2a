"""The piping: its parts, what they join, and the diagram."""

from __future__ import annotations

from hardware.design.pid import Diagram, circle
from hardware.design.sheet import text_of, title_block
from ipch.sizing import Sizing

BLUE = "#0b4f8a"

# reference -> name, for the parts list and the drawing.
PARTS = {
    "EF1": "excess-flow valve", "HV1": "hand shut-off valve", "HS1": "hose", "HV5": "source bleed",
    "PI2": "source gauge", "RG1": "supply regulator", "PI3": "supply gauge", "HV3": "supply bleed", "FL1": "filter",
    "NV1": "check valve", "PT3": "supply transducer", "PI4": "fill line gauge", "HV4": "fill line bleed",
    "PSV2": "supply relief valve", "XV3": "supply isolation", "FO1": "fill restrictor", "XV1": "fill valve",
    "VS1": "chamber", "PT1": "control transducer", "PT2": "safety transducer", "TE1": "gas PT1000", "PI1": "gauge",
    "PSV1": "mechanical relief valve", "PSE1": "burst disc", "XV2": "vent valve", "FO2": "vent restrictor",
    "XV4": "vent isolation", "XV5": "relief solenoid", "HV2": "hand bleed valve", "MU1": "vent muffler",
    "MU2": "relief muffler",
}  # fmt: skip

# What joins two volumes: part -> (volume, volume). CHECK passes from the first to the second only.
JOINS = {
    "HV1": ("connection", "source side"), "RG1": ("source side", "supply side"), "NV1": ("supply side", "fill line"),
    "XV3": ("fill line", "fill trap"), "XV1": ("fill trap", "chamber"), "XV2": ("chamber", "vent trap"),
    "XV4": ("vent trap", "discharge"), "XV5": ("chamber", "discharge"), "HV2": ("chamber", "discharge"),
    "HV3": ("supply side", "discharge"), "HV4": ("fill line", "discharge"), "HV5": ("source side", "discharge"),
    "PSV1": ("chamber", "discharge"), "PSE1": ("chamber", "discharge"), "PSV2": ("supply side", "discharge"),
}  # fmt: skip
# Comes with the cylinder.
OUTSIDE = {"the cylinder's own valve": ("cylinder", "connection")}
HAND, SOLENOIDS, CHECK, REGULATOR = (
    ("HV1", "HV2", "HV3", "HV4", "HV5"),
    ("XV1", "XV2", "XV3", "XV4"),
    ("NV1",),
    ("RG1",),
)
# Gauges that show without power what is in a volume; the traps are proven through the valve next to them.
GAUGES = {"source side": "PI2", "supply side": "PI3", "fill line": "PI4", "chamber": "PI1"}


def notes(sizing: Sizing) -> dict[str, str]:
    """Return reference -> the rating or size to order it by."""
    design, limits = sizing.design, sizing.settings
    return {
        "RG1": f"{design.supply_pa / 1e6:g} MPa",
        "PT3": "0-10 MPa",
        "PI2": f"0-{2 * design.source_pa / 1e6:g} MPa",
        "PI3": "0-16 MPa",
        "PI4": "0-16 MPa",
        "PSV2": f"set {sizing.value('supply relief set pressure'):g} MPa",
        "FO1": f"hole {sizing.fill_mm:g} mm",
        "FO2": f"hole {sizing.vent_mm:g} mm",
        "XV1": f"seat {design.seat_mm:g} mm",
        "XV2": f"seat {design.seat_mm:g} mm",
        "PT1": "0-10 MPa",
        "PT2": "0-10 MPa",
        "PI1": "0-16 MPa",
        "PSV1": f"set {limits['relief_valve_pa'] / 1e6:g} MPa",
        "PSE1": f"{limits['burst_disc_pa'] / 1e6:g} MPa",
        "XV5": f"bore {sizing.value('relief solenoid bore'):.1f} mm or more",
    }


def diagram(sizing: Sizing) -> Diagram:
    """Return the piping diagram: supply from left to right, chamber below, vent from right to left."""
    d = Diagram(PARTS, notes(sizing))
    d.text("Piping: all solenoid valves are normally closed (FC: shut without power); pressures are absolute",
           (-1.5, 4.8), "left", 14)  # fmt: skip
    _supply(d, sizing)
    _chamber(d, sizing)
    title_block(d.drawing, (38.0, -20.0), "piping diagram")
    return d


def _supply(d: Diagram, sizing: Sizing) -> None:
    d.line((-1.2, -1.0), (-1.2, 0.6), (-0.8, 1.0), (-0.4, 1.0), (0.0, 0.6), (0.0, -1.0), (-1.2, -1.0))
    d.text("N2", (-0.6, 0.0))
    d.text(f"source\n{sizing.design.source_pa / 1e6:g} MPa,\nits own\nvalve", (-0.6, -1.9))
    pipes = ((0.0, 0.9), (1.9, 3.7), (4.7, 5.8), (7.8, 12.4), (13.6, 19.8), (21.0, 22.75), (23.5, 29.3), (30.3, 32.2),
             (33.2, 35.1))  # fmt: skip
    for a, b in pipes:
        d.line((a, 0.0), (b, 0.0))
    # Excess-flow valve: a box with an arrow and a stop.
    d.line((0.9, -0.4), (1.9, -0.4), (1.9, 0.4), (0.9, 0.4), (0.9, -0.4))
    d.line((1.0, 0.0), (1.6, 0.0), (1.4, 0.15))
    d.line((1.6, 0.0), (1.4, -0.15))
    d.line((1.7, -0.3), (1.7, 0.3))
    d.name("EF1", (1.4, -1.1))
    d.hand("HV1", (4.2, 0))
    # Hose: a wavy piece.
    wave = [(5.8 + 0.25 * n, (0.0, 0.25, 0.0, -0.25)[n % 4]) for n in range(9)]
    d.line(*wave)
    d.name("HS1", (6.8, -1.1))
    d.gauge("PI2", (9.4, 0.0))
    d.bleed("HV5", (8.8, 0.0))
    # Regulator.
    x = 13.0
    d.line((x - 0.6, -0.6), (x + 0.6, -0.6), (x + 0.6, 0.6), (x - 0.6, 0.6), (x - 0.6, -0.6))
    d.line((x - 0.6, 0.0), (x + 0.4, 0.0), (x + 0.15, 0.15))
    d.line((x + 0.4, 0.0), (x + 0.15, -0.15))
    d.line((x, 0.6), (x, 0.75), (x - 0.2, 0.85), (x + 0.2, 1.05), (x - 0.2, 1.25), (x + 0.2, 1.45), (x, 1.55))
    d.line((x + 1.0, 0.0), (x + 1.0, -1.0), (x, -1.0), (x, -0.6), dashed=True)
    d.name("RG1", (x, 2.1))
    d.gauge("PI3", (15.3, 0.0))
    d.bleed("HV3", (15.3, 0.0))
    d.line((17.8, 0.0), (17.8, 0.65))
    d.relief("PSV2", (17.8, 1.2))
    d.rhombus("FL1", (20.4, 0))
    # Check valve: free flow from left to right.
    d.line((23.45, 0.45), (22.75, 0.0), (23.45, -0.45))
    d.drawing.add(circle(23.25, 0.0, 0.24))
    d.name("NV1", (23.2, 1.0))
    d.gauge("PT3", (25.6, 0.0))
    d.gauge("PI4", (27.8, 0.0))
    d.bleed("HV4", (24.6, 0.0))
    d.solenoid("XV3", (29.8, 0))
    d.restrictor("FO1", (32.7, 0))
    d.solenoid("XV1", (35.6, 0))
    d.text("source side", (9.4, -4.2), "center", 10, BLUE)
    d.text("supply side", (16.4, -4.2), "center", 10, BLUE)
    d.text(
        "fill line: rated as the chamber, protected by PSV2",
        (27.4, -4.2),
        "center",
        10,
        BLUE,
    )


def _chamber(d: Diagram, sizing: Sizing) -> None:
    """Draw the chamber with a port for each instrument; gas enters at the right and leaves at the left."""
    design, y, x = sizing.design, -12.4, 12.0
    d.line((36.1, 0.0), (38.0, 0.0), (38.0, y), (x + 19.8, y))
    d.line((37.85, -6.4), (38.0, -6.7), (38.15, -6.4))
    d.line((x, y - 1.6), (x, y + 1.6), (x + 19.8, y + 1.6), (x + 19.8, y - 1.6), (x, y - 1.6))
    d.drawn.append("VS1")
    d.text(
        f"VS1  chamber with the cell, in the oven\n{design.volume_m3 * 1e3:g} L, rated {design.rated_pa / 1e6:g} MPa",
        (x + 10.4, y - 0.5), "center", 12,
    )  # fmt: skip
    for offset, ref in ((1.2, "PT1"), (4.0, "PT2"), (6.8, "TE1"), (9.6, "PI1")):
        d.line((x + offset, y + 1.6), (x + offset, y + 3.05))
        d.instrument(ref, (x + offset, y + 3.6))
    d.line((x + 6.8, y + 1.6), (x + 6.8, y + 0.5), dashed=True)
    d.line((x + 12.8, y + 1.6), (x + 12.8, y + 3.05))
    d.relief("PSV1", (x + 12.8, y + 3.6))
    px = x + 17.0
    d.line((px, y + 1.6), (px, y + 3.2))
    d.line((px - 0.6, y + 3.2), (px + 0.6, y + 3.2))
    d.line((px - 0.6, y + 3.7), (px + 0.6, y + 3.7))
    d.curve((px - 0.6, y + 3.2), (px + 0.6, y + 3.2))
    d.line((px, y + 3.7), (px, y + 4.5))
    d.line((px - 0.15, y + 4.25), (px, y + 4.5), (px + 0.15, y + 4.25))
    d.name("PSE1", (px, y + 5.1))
    d.text("PSV1, PSE1: no shut-off before or behind them", (x + 13.6, y + 6.9), "center", 10, BLUE)
    d.text("all open ends: to a safe place; with sulfide cells into the extraction EX1", (x + 9.9, y - 6.7), "center",
           10, BLUE)  # fmt: skip
    # Relief and bleed downwards.
    d.line((x + 2.8, y - 1.6), (x + 2.8, y - 2.9))
    d.solenoid("XV5", (x + 2.8, y - 3.4), True)
    d.line((x + 2.8, y - 3.9), (x + 2.8, y - 5.0))
    d.muffler("MU2", (x + 2.8, y - 5.0), True)
    d.line((x + 14.0, y - 1.6), (x + 14.0, y - 2.9))
    d.hand("HV2", (x + 14.0, y - 3.4), True)
    d.line((x + 14.0, y - 3.9), (x + 14.0, y - 5.0))
    d.line((x + 13.85, y - 4.75), (x + 14.0, y - 5.0), (x + 14.15, y - 4.75))
    # Vent line.
    for a, b in ((x, 10.9), (9.9, 8.1), (7.1, 5.3), (4.3, 3.0)):
        d.line((a, y), (b, y))
    d.solenoid("XV2", (10.4, y))
    d.restrictor("FO2", (7.6, y))
    d.solenoid("XV4", (4.8, y))
    d.muffler("MU1", (2.0, y))


def svg(sizing: Sizing) -> str:
    return text_of(diagram(sizing).drawing)
