"""Symbols of the piping diagram (P&ID: ISO 14617; ISO 1219 for filter and muffler)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import schemdraw
import schemdraw.elements as elm

from hardware.design.sheet import NO_OFFSET, Point


class Diagram:
    """Symbols at given places.

    `parts` and `notes` map a reference to its name and to the text below it; `drawn` lists the references.
    """

    def __init__(self, parts: Mapping[str, str], notes: Mapping[str, str]) -> None:
        self.parts = parts
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
        lines = [ref, self.parts[ref], *([self.notes[ref]] if ref in self.notes else [])]
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
        self.drawing.add(circle(x, y, 0.55))
        self.text(f"{ref[:2]}\n{ref[2:]}", (x, y))
        self.drawn.append(ref)
        lines = [*self.parts[ref].split(" "), *([self.notes[ref]] if ref in self.notes else [])]
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
        self.text(f"{ref}\n{self.parts[ref].replace(' ', chr(10), 1)}\n{self.notes[ref]}", (x, y + 1.85))

    def rhombus(self, ref: str, point: Point) -> None:
        x, y = point
        self.line((x - 0.6, y), (x, y + 0.6), (x + 0.6, y), (x, y - 0.6), (x - 0.6, y))
        self.line((x, y + 0.6), (x, y - 0.6), dashed=True)
        self.name(ref, (x, y + 1.2))

    def gauge(self, ref: str, at: Point) -> None:
        """Draw an instrument on a short line up from a pipe."""
        x, y = at
        self.line((x, y), (x, y + 1.45))
        self.instrument(ref, (x, y + 2.0))

    def bleed(self, ref: str, at: Point) -> None:
        """Draw a hand valve on a line down from a pipe, with an open end."""
        x, y = at
        self.line((x, y), (x, y - 1.4))
        self.hand(ref, (x, y - 1.9), True)
        self.line((x, y - 2.4), (x, y - 3.2))
        self.line((x - 0.15, y - 2.95), (x, y - 3.2), (x + 0.15, y - 2.95))

    def curve(self, start: Point, end: Point) -> None:
        """Draw the dome of a burst disc."""
        self.drawing.add(elm.Arc2(k=0.35).at(start).to(end))

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


def circle(x: float, y: float, radius: float) -> elm.Element:
    return elm.Dot(radius=radius, open=True).at((x, y)).zorder(-1)
