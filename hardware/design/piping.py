"""The piping diagram: P&ID symbols (ISO 14617; ISO 1219 for filter and muffler)."""

from __future__ import annotations

from itertools import pairwise

import schemdraw
import schemdraw.elements as elm

from hardware.design.sheet import NO_OFFSET, Point, text_of
from ipch.sizing import Sizing

BLUE = "#0b4f8a"

# reference -> name, for the parts list and the drawing.
PARTS = {
    "HV1": "hand shut-off valve",
    "RG1": "supply regulator",
    "FL1": "filter",
    "NV1": "check valve",
    "PT3": "supply transducer",
    "PSV2": "supply relief valve",
    "XV3": "supply isolation",
    "FO1": "fill restrictor",
    "XV1": "fill valve",
    "VS1": "chamber",
    "PT1": "control transducer",
    "PT2": "safety transducer",
    "TE1": "gas PT1000",
    "PI1": "gauge",
    "PSV1": "mechanical relief valve",
    "PSE1": "burst disc",
    "XV2": "vent valve",
    "FO2": "vent restrictor",
    "XV4": "vent isolation",
    "XV5": "relief solenoid",
    "HV2": "hand bleed valve",
    "MU1": "vent muffler",
    "MU2": "relief muffler",
}


class Diagram:
    """Symbols at given places. `notes` maps a reference to the text below its name; `drawn` lists the references."""

    def __init__(self, notes: dict[str, str]) -> None:
        self.notes = notes
        schemdraw.use("svg")
        self.drawing = schemdraw.Drawing(show=False)
        self.drawing.config(fontsize=11, font="sans-serif", unit=2, margin=0.4, bgcolor="white")
        self.drawn: list[str] = []

    def line(self, *points: Point, dashed: bool = False) -> None:
        for a, b in pairwise(points):
            self.drawing.add(elm.Line(ls="--" if dashed else "-").at(a).to(b))

    def text(
        self, text: str, point: Point, align: str = "center", size: int = 10, color: str = "black"
    ) -> None:
        self.drawing.add(
            elm.Label().right().at(point).label(
                text, loc="center", halign=align, valign="center", fontsize=size, color=color, ofst=NO_OFFSET
            )
        )  # fmt: skip

    def name(self, ref: str, point: Point, align: str = "center") -> None:
        self.drawn.append(ref)
        lines = [ref, PARTS[ref], *([self.notes[ref]] if ref in self.notes else [])]
        # Grow upwards from the second line, so that a note does not run into the symbol.
        x, y = point
        self.text("\n".join(lines), (x, y + (0.19 * (len(lines) - 2) if align == "center" else 0.0)), align)

    def bow_tie(self, point: Point, upright: bool = False) -> None:
        x, y = point
        corners = [(-0.5, -0.35), (-0.5, 0.35), (0.5, -0.35), (0.5, 0.35), (-0.5, -0.35)]
        self.line(*((x + b, y + a) if upright else (x + a, y + b) for a, b in corners))

    def solenoid(self, ref: str, point: Point, upright: bool = False) -> None:
        """Draw a normally closed valve: bow tie, stem, square with S, and FC for fails closed."""
        x, y = point
        self.bow_tie(point, upright)
        dx, dy = (0.0, 1.0) if not upright else (1.0, 0.0)
        self.line(point, (x + 0.6 * dx, y + 0.6 * dy))
        cx, cy = x + 0.95 * dx, y + 0.95 * dy
        self.line((cx - 0.35, cy - 0.35), (cx + 0.35, cy - 0.35), (cx + 0.35, cy + 0.35), (cx - 0.35, cy + 0.35),
                  (cx - 0.35, cy - 0.35))  # fmt: skip
        self.text("S", (cx, cy))
        if upright:
            self.text("FC", (x - 0.75, y), "center", 9)
            self.name(ref, (x + 1.5, y), "left")
        else:
            self.text("FC", (x, y - 0.6), "center", 9)
            self.name(ref, (x, y + 1.75))

    def hand(self, ref: str, point: Point, upright: bool = False) -> None:
        x, y = point
        self.bow_tie(point, upright)
        if upright:
            self.line(point, (x + 0.6, y))
            self.line((x + 0.6, y - 0.35), (x + 0.6, y + 0.35))
            self.name(ref, (x + 0.9, y), "left")
        else:
            self.line(point, (x, y + 0.6))
            self.line((x - 0.35, y + 0.6), (x + 0.35, y + 0.6))
            self.name(ref, (x, y + 1.1))

    def instrument(self, ref: str, point: Point) -> None:
        """Draw a circle with the letters of the reference."""
        x, y = point
        self.drawing.add(_circle(x, y, 0.55))
        self.text(f"{ref[:2]}\n{ref[2:]}", (x, y))
        self.drawn.append(ref)
        lines = [*PARTS[ref].split(" "), *([self.notes[ref]] if ref in self.notes else [])]
        self.text("\n".join(lines), (x, y + 0.7 + 0.19 * len(lines)))

    def relief(self, ref: str, point: Point) -> None:
        """Draw a spring-loaded angle valve: inlet below, outlet to the right."""
        x, y = point
        self.line((x, y), (x - 0.35, y - 0.55), (x + 0.35, y - 0.55), (x, y), (x + 0.55, y - 0.35),
                  (x + 0.55, y + 0.35), (x, y))  # fmt: skip
        self.line((x, y), (x, y + 0.2), (x - 0.22, y + 0.3), (x + 0.22, y + 0.5), (x - 0.22, y + 0.7),
                  (x + 0.22, y + 0.9), (x, y + 1.0))  # fmt: skip
        self.line((x + 0.55, y), (x + 1.1, y))
        self.line((x + 0.9, y + 0.12), (x + 1.1, y), (x + 0.9, y - 0.12))
        self.drawn.append(ref)
        self.text(f"{ref}\n{PARTS[ref].replace(' ', chr(10), 1)}\n{self.notes[ref]}", (x, y + 1.85))

    def rhombus(self, ref: str, point: Point) -> None:
        x, y = point
        self.line((x - 0.6, y), (x, y + 0.6), (x + 0.6, y), (x, y - 0.6), (x - 0.6, y))
        self.line((x, y + 0.6), (x, y - 0.6), dashed=True)
        self.name(ref, (x, y + 1.2))

    def muffler(self, ref: str, point: Point, upright: bool = False) -> None:
        x, y = point
        if upright:
            self.line((x - 0.35, y), (x + 0.35, y), (x + 0.35, y - 1.0), (x - 0.35, y - 1.0), (x - 0.35, y))
            for n in (0.25, 0.5, 0.75):
                self.line((x - 0.35, y - n), (x + 0.35, y - n))
            self.name(ref, (x + 0.7, y - 0.5), "left")
            return
        self.line((x, y - 0.35), (x + 1.0, y - 0.35), (x + 1.0, y + 0.35), (x, y + 0.35), (x, y - 0.35))
        for n in (0.25, 0.5, 0.75):
            self.line((x + n, y - 0.35), (x + n, y + 0.35))
        self.name(ref, (x + 0.5, y + 0.95))

    def restrictor(self, ref: str, point: Point) -> None:
        x, y = point
        for sign in (1, -1):
            self.line((x - 0.5, y + sign * 0.4), (x - 0.15, y + sign * 0.12), (x + 0.15, y + sign * 0.12),
                      (x + 0.5, y + sign * 0.4))  # fmt: skip
        self.line((x - 0.5, y), (x + 0.5, y))
        self.name(ref, (x, y + 1.0))


def _circle(x: float, y: float, radius: float) -> elm.Element:
    return elm.Dot(radius=radius, open=True).at((x, y)).zorder(-1)


def notes(sizing: Sizing) -> dict[str, str]:
    """Return reference -> the rating or size to order it by."""
    design, limits = sizing.design, sizing.settings
    return {
        "RG1": f"{design.supply_pa / 1e6:g} MPa",
        "PT3": "0-10 MPa",
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
    d = Diagram(notes(sizing))
    design = sizing.design
    d.text("Piping: all solenoid valves are normally closed (FC: shut without power); pressures are absolute",
           (-1.5, 4.4), "left", 14)  # fmt: skip
    # Supply line.
    d.line((-1.2, -1.0), (-1.2, 0.6), (-0.8, 1.0), (-0.4, 1.0), (0.0, 0.6), (0.0, -1.0), (-1.2, -1.0))
    d.text("N2", (-0.6, 0.0))
    d.text(f"source\n{design.source_pa / 1e6:g} MPa", (-0.6, -1.5))
    for a, b in ((0.0, 1.3), (2.3, 4.1), (5.3, 6.7), (7.9, 9.75), (10.52, 14.9), (15.9, 17.8), (18.8, 20.7)):
        d.line((a, 0.0), (b, 0.0))
    d.hand("HV1", (1.8, 0))
    d.line((4.1, -0.6), (5.3, -0.6), (5.3, 0.6), (4.1, 0.6), (4.1, -0.6))
    d.line((4.1, 0.0), (5.1, 0.0), (4.85, 0.15))
    d.line((5.1, 0.0), (4.85, -0.15))
    d.line((4.7, 0.6), (4.7, 0.75), (4.5, 0.85), (4.9, 1.05), (4.5, 1.25), (4.9, 1.45), (4.7, 1.55))
    d.line((5.7, 0.0), (5.7, -1.0), (4.7, -1.0), (4.7, -0.6), dashed=True)
    d.name("RG1", (4.7, 2.1))
    d.rhombus("FL1", (7.3, 0))
    # Check valve: free flow from left to right.
    d.line((10.45, 0.45), (9.75, 0.0), (10.45, -0.45))
    d.drawing.add(_circle(10.25, 0.0, 0.24))
    d.name("NV1", (10.2, 1.0))
    d.line((11.9, 0.0), (11.9, 1.45))
    d.instrument("PT3", (11.9, 2.0))
    d.line((13.3, 0.0), (13.3, -2.2))
    _down_relief(d, "PSV2", (13.3, -2.2))
    d.solenoid("XV3", (15.4, 0))
    d.restrictor("FO1", (18.3, 0))
    d.solenoid("XV1", (21.2, 0))
    d.text("up to XV1 the supply side is rated for the source pressure, or protected by PSV2", (5.4, -2.9), "center",
           10, BLUE)  # fmt: skip
    # Chamber with a port for each instrument; gas enters at the right and leaves at the left.
    y = -11.0
    d.line((21.7, 0.0), (24.2, 0.0), (24.2, y), (22.4, y))
    d.line((24.05, -6.4), (24.2, -6.7), (24.35, -6.4))
    d.line((9.6, y - 1.6), (9.6, y + 1.6), (22.4, y + 1.6), (22.4, y - 1.6), (9.6, y - 1.6))
    d.drawn.append("VS1")
    d.text(
        f"VS1  chamber with the cell, in the oven\n{design.volume_m3 * 1e3:g} L, rated {design.rated_pa / 1e6:g} MPa",
        (16.8, y - 0.5), "center", 12,
    )  # fmt: skip
    for x, ref in ((10.4, "PT1"), (12.4, "PT2"), (14.4, "TE1"), (16.4, "PI1")):
        d.line((x, y + 1.6), (x, y + 3.05))
        d.instrument(ref, (x, y + 3.6))
    d.line((14.4, y + 1.6), (14.4, y + 0.5), dashed=True)
    d.line((18.4, y + 1.6), (18.4, y + 3.05))
    d.relief("PSV1", (18.4, y + 3.6))
    d.line((21.2, y + 1.6), (21.2, y + 3.2))
    d.line((20.6, y + 3.2), (21.8, y + 3.2))
    d.line((20.6, y + 3.7), (21.8, y + 3.7))
    d.drawing.add(elm.Arc2(k=0.35).at((20.6, y + 3.2)).to((21.8, y + 3.2)))
    d.line((21.2, y + 3.7), (21.2, y + 4.5))
    d.line((21.05, y + 4.25), (21.2, y + 4.5), (21.35, y + 4.25))
    d.name("PSE1", (21.2, y + 5.1))
    d.text("PSV1, PSE1: discharge to a safe place; no shut-off before or behind them", (16.6, y + 6.8), "center",
           10, BLUE)  # fmt: skip
    # Relief and bleed downwards.
    d.line((12.4, y - 1.6), (12.4, y - 2.9))
    d.solenoid("XV5", (12.4, y - 3.4), True)
    d.line((12.4, y - 3.9), (12.4, y - 5.0))
    d.muffler("MU2", (12.4, y - 5.0), True)
    d.line((19.0, y - 1.6), (19.0, y - 2.9))
    d.hand("HV2", (19.0, y - 3.4), True)
    d.line((19.0, y - 3.9), (19.0, y - 5.0))
    d.line((18.85, y - 4.75), (19.0, y - 5.0), (19.15, y - 4.75))
    # Vent line.
    for a, b in ((9.6, 8.5), (7.5, 5.7), (4.7, 2.9), (1.9, 0.6)):
        d.line((a, y), (b, y))
    d.solenoid("XV2", (8.0, y))
    d.restrictor("FO2", (5.2, y))
    d.solenoid("XV4", (2.4, y))
    d.muffler("MU1", (-0.4, y))
    return d


def _down_relief(d: Diagram, ref: str, point: Point) -> None:
    """Draw a spring-loaded relief valve on a line from above; outlet to the left."""
    x, y = point
    d.line((x, y), (x - 0.35, y), (x, y - 0.55), (x + 0.35, y), (x, y))
    d.line((x, y - 0.55), (x - 0.55, y - 0.9), (x - 0.55, y - 0.2), (x, y - 0.55))
    d.line(
        (x, y - 0.55),
        (x, y - 0.75),
        (x + 0.22, y - 0.85),
        (x - 0.22, y - 1.05),
        (x + 0.22, y - 1.25),
        (x, y - 1.35),
    )
    d.line((x - 0.55, y - 0.55), (x - 1.1, y - 0.55))
    d.line((x - 0.9, y - 0.43), (x - 1.1, y - 0.55), (x - 0.9, y - 0.67))
    d.name(ref, (x + 0.7, y - 0.6), "left")


def svg(sizing: Sizing) -> str:
    return text_of(diagram(sizing).drawing)
