"""The piping diagram: P&ID symbols (ISO 14617, ISO 1219 for filter and muffler) on the schematic's drawing layer."""

from __future__ import annotations

from itertools import pairwise

import schemdraw
import schemdraw.elements as elm

from hardware.design.sheet import Point, text_of

# reference -> what it is; the parts list and the drawing share it.
PARTS = {
    "HV1": "shut-off by hand",
    "RG1": "supply regulator",
    "FL1": "filter",
    "NV1": "check valve",
    "PT3": "supply transducer",
    "PSV2": "relief valve of the supply side",
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
    "HV2": "bleed by hand",
    "MU1": "muffler of the vent",
    "MU2": "muffler of the relief",
}


class Diagram:
    """Symbols at given places; `drawn` lists the references in order."""

    def __init__(self) -> None:
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
            elm.Label().at(point).label(
                text, loc="center", halign=align, valign="center", fontsize=size, color=color, ofst=0
            )
        )  # fmt: skip

    def name(self, ref: str, point: Point, align: str = "center") -> None:
        self.drawn.append(ref)
        self.text(f"{ref}\n{PARTS[ref]}", point, align)

    def bow_tie(self, point: Point, upright: bool = False) -> None:
        x, y = point
        corners = [(-0.5, -0.35), (-0.5, 0.35), (0.5, -0.35), (0.5, 0.35), (-0.5, -0.35)]
        self.line(*((x + b, y + a) if upright else (x + a, y + b) for a, b in corners))

    def solenoid(self, ref: str, point: Point, upright: bool = False) -> None:
        """A normally closed valve: bow tie, stem, square with S, FC for fails closed."""
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
        """A circle with its letters on a line from below."""
        x, y = point
        self.drawing.add(_circle(x, y, 0.55))
        self.text(ref[:2], (x, y + 0.17))
        self.text(ref[2:], (x, y - 0.2))
        self.drawn.append(ref)
        self.text(PARTS[ref].replace(" ", "\n"), (x, y + 1.1))

    def relief(self, ref: str, point: Point) -> None:
        """An angle valve with a spring: inlet below, outlet to the right."""
        x, y = point
        self.line((x, y), (x - 0.35, y - 0.55), (x + 0.35, y - 0.55), (x, y), (x + 0.55, y - 0.35),
                  (x + 0.55, y + 0.35), (x, y))  # fmt: skip
        self.line((x, y), (x, y + 0.2), (x - 0.22, y + 0.3), (x + 0.22, y + 0.5), (x - 0.22, y + 0.7),
                  (x + 0.22, y + 0.9), (x, y + 1.0))  # fmt: skip
        self.line((x + 0.55, y), (x + 1.1, y))
        self.line((x + 0.9, y + 0.12), (x + 1.1, y), (x + 0.9, y - 0.12))
        self.name(ref, (x, y + 1.55))

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


def diagram() -> Diagram:
    """Return the drawn piping diagram."""
    d = Diagram()
    d.text(
        "Piping: all solenoid valves are normally closed (FC); drawn without power", (-1.5, 9.6), "left", 15
    )
    # Supply line.
    d.line((-1.2, -1.0), (-1.2, 0.6), (-0.8, 1.0), (-0.4, 1.0), (0.0, 0.6), (0.0, -1.0), (-1.2, -1.0))
    d.text("N2", (-0.6, -0.2))
    d.text("source", (-0.6, -1.4))
    for a, b in (
        (0.0, 1.3),
        (2.3, 4.1),
        (5.3, 6.7),
        (7.9, 9.7),
        (10.7, 14.9),
        (15.9, 17.8),
        (18.8, 20.7),
        (21.7, 23.4),
    ):
        d.line((a, 0.0), (b, 0.0))
    d.hand("HV1", (1.8, 0))
    d.line((4.1, -0.6), (5.3, -0.6), (5.3, 0.6), (4.1, 0.6), (4.1, -0.6))
    d.line((4.1, 0.0), (5.1, 0.0), (4.85, 0.15))
    d.line((5.1, 0.0), (4.85, -0.15))
    d.line((4.7, 0.6), (4.7, 0.75), (4.5, 0.85), (4.9, 1.05), (4.5, 1.25), (4.9, 1.45), (4.7, 1.55))
    d.line((5.6, 0.0), (5.6, -1.0), (4.7, -1.0), (4.7, -0.6), dashed=True)
    d.name("RG1", (4.7, 2.1))
    d.rhombus("FL1", (7.3, 0))
    d.line((9.7, 0.4), (9.7, -0.4))
    d.line((10.7, 0.45), (9.75, 0.0), (10.7, -0.45))
    d.drawing.add(_circle(9.95 + 0.35, 0.0, 0.22))
    d.name("NV1", (10.2, 1.0))
    d.line((11.9, 0.0), (11.9, 2.45))
    d.instrument("PT3", (11.9, 3.0))
    d.line((13.3, 0.0), (13.3, -2.2))
    _down_relief(d, "PSV2", (13.3, -2.2))
    d.solenoid("XV3", (15.4, 0))
    d.restrictor("FO1", (18.3, 0))
    d.solenoid("XV1", (21.2, 0))
    # Chamber with a port for each instrument.
    d.line((23.4, -1.6), (23.4, 1.6), (38.4, 1.6), (38.4, -1.6), (23.4, -1.6))
    d.drawn.append("VS1")
    d.text("VS1  chamber, with the cell, in the oven", (30.9, 0.0), "center", 12)
    for x, ref in ((24.4, "PT1"), (26.6, "PT2"), (28.8, "TE1"), (31.0, "PI1")):
        d.line((x, 1.6), (x, 3.45))
        d.instrument(ref, (x, 4.0))
    d.line((28.8, 1.6), (28.8, 0.6), dashed=True)
    d.line((33.4, 1.6), (33.4, 3.45))
    d.relief("PSV1", (33.4, 4.0))
    d.line((36.8, 1.6), (36.8, 3.6))
    d.line((36.2, 3.6), (37.4, 3.6))
    d.line((36.2, 4.1), (37.4, 4.1))
    d.drawing.add(elm.Arc2(k=0.35).at((36.2, 3.6)).to((37.4, 3.6)))
    d.line((36.8, 4.1), (36.8, 4.9))
    d.line((36.65, 4.7), (36.8, 4.95), (36.95, 4.7))
    d.name("PSE1", (36.8, 5.5))
    d.text("PSV1, PSE1: to a safe place,\nnothing that shuts in between", (35.4, 7.3), "center", 9)
    # Relief and bleed downwards.
    d.line((29.0, -1.6), (29.0, -3.5))
    d.solenoid("XV5", (29.0, -4.0), True)
    d.line((29.0, -4.5), (29.0, -5.6))
    d.muffler("MU2", (29.0, -5.6), True)
    d.line((35.0, -1.6), (35.0, -3.5))
    d.hand("HV2", (35.0, -4.0), True)
    d.line((35.0, -4.5), (35.0, -5.6))
    d.line((34.85, -5.4), (35.0, -5.65), (35.15, -5.4))
    # Vent line.
    for a, b in ((38.4, 40.1), (41.1, 43.0), (44.0, 45.9), (46.9, 48.6)):
        d.line((a, 0.0), (b, 0.0))
    d.solenoid("XV2", (40.6, 0))
    d.restrictor("FO2", (43.5, 0))
    d.solenoid("XV4", (46.4, 0))
    d.muffler("MU1", (48.6, 0))
    d.text(
        "supply side: stands the source's pressure, or PSV2 protects it", (7.5, -4.6), "center", 10, "#0b4f8a"
    )
    return d


def _down_relief(d: Diagram, ref: str, point: Point) -> None:
    """A spring-loaded relief valve that hangs on a line from above; outlet to the left."""
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


def svg() -> str:
    return text_of(diagram().drawing)
