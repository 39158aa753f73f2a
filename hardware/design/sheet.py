"""A schematic page: symbols at given places, and a check of the drawing against the circuit."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from itertools import pairwise

import schemdraw
import schemdraw.elements as elm

from hardware.design.circuit import KINDS, Part

Point = tuple[float, float]
NO_OFFSET = -0.1  # schemdraw adds 0.1 by itself
# Of all drawings and of the board. A new letter whenever something that is built changes.
REVISION = "C"
PROJECT = "ipch pressure regulator"
_TWO = {
    "R": elm.ResistorIEC, "C": elm.Capacitor, "CP": elm.Capacitor2, "FUSE": elm.FuseIEC, "PTC": elm.FuseIEC,
    "COIL": elm.Inductor2, "BUTTON": elm.Button, "TVS2": elm.Zener,
    "DIODE": elm.Diode, "SCHOTTKY": elm.Schottky, "ZENER": elm.Zener, "TVS": elm.Zener, "LED": elm.LED,
    "LIMITER": elm.SourceI, "SHUNT": elm.Zener,
}  # fmt: skip
_RAILS = ("V24", "V24_LOGIC", "V5", "V3V3", "V2V5", "COIL_RAIL", "RELIEF_RAIL")


def text_of(drawing: schemdraw.Drawing) -> str:
    """Return the drawing as SVG; coordinates are rounded to 0.01 so that every computer gives the same file."""
    svg = drawing.get_imagedata("svg").decode()
    svg = re.sub(r"-?\d+\.\d{3,}(?:e-?\d+)?", lambda m: f"{float(m[0]):.2f}".replace("-0.00", "0.00"), svg)
    return svg.rstrip() + "\n"


def title_block(
    drawing: schemdraw.Drawing, corner: Point, subject: str, scale: str = "A3, not to scale"
) -> None:
    """Draw a title block whose upper right corner is at `corner`: subject, revision, scale, project."""
    x, y = corner
    cells = (
        (0.0, 7.0, subject),
        (7.0, 10.5, f"revision {REVISION}"),
        (10.5, 14.5, scale),
        (14.5, 20.5, PROJECT),
    )
    left = x - cells[-1][1]
    for start, end, text in cells:
        a, b = left + start, left + end
        for p, q in (
            ((a, y), (b, y)),
            ((b, y), (b, y - 0.8)),
            ((b, y - 0.8), (a, y - 0.8)),
            ((a, y - 0.8), (a, y)),
        ):
            drawing.add(elm.Line().at(p).to(q))
        drawing.add(
            elm.Label().right().at(((a + b) / 2, y - 0.4)).label(
                text, loc="center", halign="center", valign="center", fontsize=10, ofst=NO_OFFSET
            )
        )  # fmt: skip


class Sheet:
    """Places parts of the circuit by reference. Coordinates are in drawing units, y upwards."""

    def __init__(self, parts: Mapping[str, Part], name: str, title: str) -> None:
        schemdraw.use("svg")
        self.name = name
        self.parts = {ref: part for ref, part in parts.items() if part.sheet == name}
        self.drawing = schemdraw.Drawing(show=False)
        self.drawing.config(fontsize=11, font="sans-serif", unit=2, margin=0.4, bgcolor="white")
        self.pins: dict[tuple[str, str], Point] = {}
        self.labels: list[tuple[str, Point]] = []
        self.wires: list[tuple[Point, Point]] = []
        self.title = title

    def two(self, ref: str, start: Point, end: Point, side: str = "", reverse: bool = False) -> None:
        """Draw a two-pin part with its first pin at `start` and its second at `end`. Diodes: cathode first."""
        part = self.parts[ref]
        first, second = (name for _, name, _ in KINDS[part.kind][:2])
        element = _TWO[part.kind]
        diode = (first, second) == ("K", "A")
        a, b = (end, start) if diode else (start, end)
        drawn = element().endpoints(a, b)
        upright = abs(start[0] - end[0]) < 0.01
        text = f"{ref}\n{part.value}"
        where = {"": ("right" if upright else "top")}.get(side, side)
        self.drawing.add(drawn)
        for anchor, wanted in (("start", a), ("end", b)):
            assert math.dist(drawn.absanchors[anchor], wanted) < 0.01, f"{ref} is drawn elsewhere"
        x, y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
        far = {"LIMITER": 0.95, "BUTTON": 0.95, "LED": 0.75}.get(part.kind, 0.62)
        beside = 0.85 if part.kind == "LED" else 0.45
        shift = {"right": (beside, 0.0, "left"), "left": (-beside, 0.0, "right"), "top": (0, far, "center"),
                 "bottom": (0, -far - 0.15, "center")}[where]  # fmt: skip
        self.text(text, (x + shift[0], y + shift[1]), shift[2])
        self.pins[ref, first], self.pins[ref, second] = start, end

    def fet(self, ref: str, gate: Point) -> tuple[Point, Point]:
        """Draw a MOSFET with its gate at the left (N: drain up, P: source up). Return drain and source."""
        part = self.parts[ref]
        n = part.kind != "PMOS"
        x, y = gate
        add = self.drawing.add
        up, down = (x + 1.0, y + 1.0), (x + 1.0, y - 1.0)
        for a, b in (((x, y), (x + 0.4, y)), ((x + 0.4, y - 0.45), (x + 0.4, y + 0.45)),
                     ((x + 1.0, y + 0.4), up), ((x + 1.0, y - 0.4), down),
                     ((x + 0.55, y + 0.4), (x + 1.0, y + 0.4)), ((x + 0.55, y - 0.4), (x + 1.0, y - 0.4)),
                     ((x + 0.55, y), (x + 1.0, y)), ((x + 1.0, y), (x + 1.0, y - 0.4 if n else y + 0.4))):  # fmt: skip
            add(elm.Line().at(a).to(b))
        for low in (0.25, -0.15, -0.55):
            add(elm.Line().at((x + 0.55, y + low)).to((x + 0.55, y + low + 0.3)))
        tip, tail = ((x + 0.58, y), (x + 0.82, y)) if n else ((x + 0.82, y), (x + 0.58, y))
        for dy in (0.11, -0.11):
            add(elm.Line().at((tail[0], tail[1] + dy)).to(tip))
        self.text(f"{ref}\n{part.value}", (x + 1.2, y), "left")
        self.pins[ref, KINDS[part.kind][0][1]] = gate
        self.pins[ref, "D"], self.pins[ref, "S"] = (up, down) if n else (down, up)
        return (up, down) if n else (down, up)

    def pot(self, ref: str, top: Point) -> None:
        """Draw a trimmer downwards from `top`, two units long, with its wiper to the right."""
        x, y = top
        self.drawing.add(elm.ResistorIEC().at(top).to((x, y - 2.0)))
        for a, b in (((x + 1.2, y - 1.0), (x + 0.25, y - 1.0)), ((x + 0.5, y - 0.85), (x + 0.25, y - 1.0)),
                     ((x + 0.5, y - 1.15), (x + 0.25, y - 1.0))):  # fmt: skip
            self.drawing.add(elm.Line().at(a).to(b))
        self.text(f"{ref}\n{self.parts[ref].value}", (x - 0.42, y - 1.0), "right")
        self.pins.update(
            {(ref, "TOP"): top, (ref, "WIPER"): (x + 1.2, y - 1.0), (ref, "BOTTOM"): (x, y - 2.0)}
        )

    def npn(self, ref: str, base: Point) -> None:
        """Draw a bipolar transistor with its base at the left, collector up, emitter down."""
        x, y = base
        for a, b in (((x, y), (x + 0.55, y)), ((x + 0.55, y - 0.45), (x + 0.55, y + 0.45)),
                     ((x + 0.55, y + 0.18), (x + 1.0, y + 0.5)), ((x + 1.0, y + 0.5), (x + 1.0, y + 1.0)),
                     ((x + 0.55, y - 0.18), (x + 1.0, y - 0.5)), ((x + 1.0, y - 0.5), (x + 1.0, y - 1.0)),
                     ((x + 0.96, y - 0.3), (x + 1.0, y - 0.5)), ((x + 0.8, y - 0.52), (x + 1.0, y - 0.5))):  # fmt: skip
            self.drawing.add(elm.Line().at(a).to(b))
        self.text(f"{ref}\n{self.parts[ref].value}", (x + 1.2, y), "left")
        self.pins.update({(ref, "B"): base, (ref, "C"): (x + 1.0, y + 1.0), (ref, "E"): (x + 1.0, y - 1.0)})

    def clamp(self, ref: str, mid: Point) -> None:
        """Draw two diodes in series: LOW below, MID, HIGH above."""
        x, y = mid
        kind = elm.Schottky if "Schottky" in self.parts[ref].value else elm.Diode
        self.drawing.add(kind().at((x, y - 1.2)).to((x, y)))
        self.drawing.add(kind().at((x, y)).to((x, y + 1.2)))
        self.text(f"{ref}\n{self.parts[ref].value}", (x + 0.4, y + 0.72), "left")
        self.pins.update({(ref, "LOW"): (x, y - 1.2), (ref, "HIGH"): (x, y + 1.2), (ref, "MID"): mid})

    def box(self, ref: str, corner: Point, width: float, left: Iterable[str], right: Iterable[str] = (),
            pitch: float = 0.7, tags: bool = True) -> None:  # fmt: skip
        """Draw a box with named pins downwards from its upper left corner; `tags` adds each pin's net name."""
        part = self.parts[ref]
        x, y = corner
        sides = (list(left), list(right))
        height = pitch * (max(map(len, sides)) + 0.6)
        for a, b in (((x, y), (x + width, y)), ((x + width, y), (x + width, y - height)),
                     ((x + width, y - height), (x, y - height)), ((x, y - height), (x, y))):  # fmt: skip
            self.drawing.add(elm.Line().at(a).to(b))
        self.text(
            f"{ref}  {part.kind}: {part.value}" if part.kind != part.value else ref, (x + width / 2, y + 0.35)
        )
        numbers = {name: number for number, name, _ in KINDS[part.kind]}
        for index, names in enumerate(sides):
            for n, name in enumerate(names):
                if not name:
                    continue
                py = y - pitch * (n + 0.8)
                inner, outer = (
                    ((x, py), (x - 0.7, py)) if index == 0 else ((x + width, py), (x + width + 0.7, py))
                )
                self.drawing.add(elm.Line().at(inner).to(outer))
                self.text(
                    name, (x + 0.15, py) if index == 0 else (x + width - 0.15, py), ("left", "right")[index]
                )
                number = numbers[name]
                middle = (inner[0] + outer[0]) / 2
                self.text(number, (middle, py + 0.17), "center", 8)
                if name in part.nets:
                    self.pins[ref, name] = outer
                    if tags:
                        self.net(part.nets[name], outer, "left" if index == 0 else "right")
                else:
                    self.text("x", (outer[0] + (0.14 if index else -0.14), outer[1]), "center", 11)

    def wire(self, *points: Point) -> None:
        """Draw a wire through the points; its ends and corners connect."""
        for a, b in pairwise(points):
            self.drawing.add(elm.Line().at(a).to(b))
            self.wires.append((a, b))

    def dot(self, point: Point) -> None:
        self.drawing.add(elm.Dot(radius=0.06).at(point))

    def net(self, name: str, point: Point, side: str = "left") -> None:
        """Name the net at a point: text at left or right, a ground or rail symbol at top or bottom."""
        self.labels.append((name, point))
        x, y = point
        if side in ("left", "right"):
            out = -0.15 if side == "left" else 0.15
            self.text(name, (x + out, y), "right" if side == "left" else "left", 10, "#0b4f8a")
            return
        if name == "GND":
            self.drawing.add(elm.Ground().at(point))
            return
        self.drawing.add(elm.Line().at((x - 0.3, y)).to((x + 0.3, y)))
        self.text(name, (x, y + (0.28 if side == "top" else -0.28)), "center", 10, "#0b4f8a")

    def text(
        self, text: str, point: Point, align: str = "center", size: int = 10, color: str = "black"
    ) -> None:
        self.drawing.add(
            elm.Label()
            .right()  # else a label inherits the direction of the line before it
            .at(point)
            .label(
                text, loc="center", halign=align, valign="center", fontsize=size, color=color, ofst=NO_OFFSET
            )
        )

    def _junctions(self) -> None:
        """Draw a dot wherever three or more lines meet."""
        ends = [*self.pins.values(), *(p for wire in self.wires for p in wire)]
        for point in sorted({(round(x, 2), round(y, 2)) for x, y in ends}):
            count = sum(math.dist(point, end) < 0.01 for end in ends)
            for a, b in self.wires:
                inside = abs(math.dist(a, point) + math.dist(point, b) - math.dist(a, b)) < 0.005
                count += 2 * (inside and min(math.dist(a, point), math.dist(b, point)) > 0.01)
            if count > 2:
                self.dot(point)

    def svg(self) -> str:
        xs = [x for x, _ in self.pins.values()]
        ys = [y for _, y in self.pins.values()]
        self._junctions()
        self.text(self.title, (min(xs), max(ys) + 1.8), "left", 15)
        title_block(self.drawing, (max(xs), min(ys) - 2.6), f"schematic, page {self.name}")
        return text_of(self.drawing)

    def mistakes(self, everywhere: Mapping[str, Part]) -> list[str]:
        """Return the differences between drawing and circuit: missing parts, joined or severed nets."""
        found = [
            f"{self.name}: {ref} is not drawn" for ref in self.parts if ref not in {r for r, _ in self.pins}
        ]
        points = [
            *self.pins.values(),
            *(p for _, p in self.labels),
            *(p for wire in self.wires for p in wire),
        ]
        keys = {(round(x, 2), round(y, 2)) for x, y in points}
        group = {key: key for key in keys}

        def root(key: Point) -> Point:
            while group[key] != key:
                key = group[key]
            return key

        def on(key: Point, a: Point, b: Point) -> bool:
            return abs(math.dist(a, key) + math.dist(key, b) - math.dist(a, b)) < 0.005

        for a, b in self.wires:
            for key in keys:
                if on(key, a, b):
                    group[root(key)] = root((round(a[0], 2), round(a[1], 2)))
        names: dict[Point, set[str]] = {}
        labelled: dict[Point, set[str]] = {}
        for (ref, pin), (x, y) in self.pins.items():
            names.setdefault(root((round(x, 2), round(y, 2))), set()).add(self.parts[ref].nets[pin])
        for name, (x, y) in self.labels:
            labelled.setdefault(root((round(x, 2), round(y, 2))), set()).add(name)
        where: dict[str, list[Point]] = {}
        for key, nets in names.items():
            if len(nets | labelled.get(key, set())) > 1:
                found.append(
                    f"{self.name}: {', '.join(sorted(nets | labelled.get(key, set())))} are joined at {key}"
                )
            for net in nets:
                where.setdefault(net, []).append(key)
        outside = {
            net
            for part in everywhere.values()
            if part.sheet not in (self.name, "board")
            for net in part.nets.values()
        }
        for net, places in where.items():
            if len(places) > 1 or net in outside:
                found += [
                    f"{self.name}: {net} ends without its name at {p}"
                    for p in places
                    if net not in labelled.get(p, ())
                ]
        for part in self.parts.values():
            found += [
                f"{self.name}: {part.ref}.{pin} is not drawn"
                for pin in part.nets
                if (part.ref, pin) not in self.pins
            ]
        return found
