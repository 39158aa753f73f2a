"""Terminal plan, field wiring, layout of the box, and grounds; from the circuit."""

from __future__ import annotations

import csv
import io
from itertools import pairwise

import schemdraw
import schemdraw.elements as elm

from hardware.design.circuit import Part, circuit
from hardware.design.sheet import NO_OFFSET, Point, text_of, title_block

# Plug -> (what its cable is, cross-section and kind of cable). J1 and J2 go to the cycler.
CABLES = {
    "X1": "2 x 1.5 mm2, from PS1 on the rail",
    "X2": "10 x 0.75 mm2, coils, not with the loops",
    "X3": "3 x 2 x 0.25 mm2, twisted and screened",
    "X4": "2 x 2 x 0.25 mm2, twisted and screened",
    "X5": "2 x 2 x 0.25 mm2, screened, at most 1 m",
    "X6": "2 x 0.25 mm2, inside the box",
    "J1": "2 x 0.25 mm2, screened, to the cycler",
    "J2": "2 x 0.25 mm2, screened, to the cycler",
}
# Terminals of TB1: how many at the left and at the right, and the first one of each plug whose wires pass there.
TB1_LEFT, TB1_RIGHT = 14, 20
RAIL = {"X2": 1, "X3": 15, "X4": 21, "X5": 25}
# Poles that only make the number of poles unique.
SPARE = {("X5", "5"), ("J1", "2"), ("J1", "4"), ("J2", "3")}
_CLAMPS = ("TVS", "TVS2", "CLAMP", "SCHOTTKY")
_SERIES = ("R", "FUSE", "PTC", "LIMITER", "LOWSIDE", "PMOS", "RELAY")
_GROUNDS = ("GND", "GND_M", "GND_W")


def _ends(parts: list[Part], net: str, pair: str) -> list[str]:
    """Return "reference.pin" of what the wire of a net ends on; of several parts, the one on the pole's `pair`."""
    found = [
        (part.ref, pin) for part in parts if part.field for pin, each in part.nets.items() if each == net
    ]
    partners = {part.ref for part in parts if part.field and pair in part.nets.values()}
    chosen = [(ref, pin) for ref, pin in found if ref in partners] or found
    return [f"{ref}.{pin}" for ref, pin in chosen]


def _protection(parts: list[Part], net: str) -> str:
    """Return the references of the series elements and clamps of a terminal's net."""
    if net in _GROUNDS:
        return "reference of its circuit"
    on = [part for part in parts if not part.field and net in part.nets.values()]
    series = [part for part in on if part.kind in _SERIES]
    if any(part.kind in ("LOWSIDE", "PMOS") for part in series):
        # Dividers and lamps on the same net protect nothing.
        series = [part for part in series if part.kind in ("LOWSIDE", "PMOS")]
    behind = {far for part in series for far in part.nets.values() if far not in (net, *_GROUNDS)}
    clamps = [part.ref for part in on if part.kind in _CLAMPS]
    if not clamps:
        clamps = [part.ref for part in parts if part.kind in _CLAMPS and behind & set(part.nets.values())]
    return " ".join(sorted({*(part.ref for part in series), *clamps}))


def plan() -> list[dict[str, str]]:
    """Return the terminal plan: one row a pole."""
    parts = circuit()
    rows = []
    for part in parts:
        if not part.kind.startswith("TERMINALS"):
            continue
        for pole, net in part.nets.items():
            pair = str(int(pole) + 1 if int(pole) % 2 else int(pole) - 1)
            ends = " ".join(_ends(parts, net, part.nets.get(pair, "")))
            if part.ref in ("J1", "J2"):
                ends = "cycler"
            if (part.ref, pole) in SPARE:
                ends = "spare"
            rail = "direct"
            if part.ref in RAIL and ends != "spare":
                rail = f"TB1.{RAIL[part.ref] + int(pole) - 1}"
            rows.append({"plug": part.ref, "pole": pole, "net": net, "rail": rail, "ends_at": ends,
                         "cable": CABLES[part.ref], "protected_by": _protection(parts, net)})  # fmt: skip
    return sorted(rows, key=lambda row: (row["plug"], int(row["pole"])))


def table() -> str:
    """Return the terminal plan as CSV."""
    file = io.StringIO()
    rows = plan()
    writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


class Plan:
    """Boxes, lines and text at given places."""

    def __init__(self, title: str, at: Point) -> None:
        schemdraw.use("svg")
        self.drawing = schemdraw.Drawing(show=False)
        self.drawing.config(fontsize=11, font="sans-serif", unit=2, margin=0.4, bgcolor="white")
        self.text(title, at, "left", 15)

    def line(self, *points: Point, dashed: bool = False) -> None:
        for a, b in pairwise(points):
            self.drawing.add(elm.Line(ls="--" if dashed else "-").at(a).to(b))

    def box(self, corner: Point, size: Point, dashed: bool = False) -> None:
        (x, y), (w, h) = corner, size
        self.line((x, y), (x + w, y), (x + w, y - h), (x, y - h), (x, y), dashed=dashed)

    def text(self, text: str, at: Point, align: str = "center", size: int = 10) -> None:
        self.drawing.add(
            elm.Label().right().at(at).label(text, loc="center", halign=align, valign="center", fontsize=size,
                                             ofst=NO_OFFSET)
        )  # fmt: skip

    def svg(self, corner: Point, subject: str, scale: str = "not to scale") -> str:
        title_block(self.drawing, corner, subject, scale)
        return text_of(self.drawing)


def field_wiring() -> str:
    """Return the field wiring: each plug with its cable and what it ends on."""
    d = Plan("Field wiring: plugs of the board, terminals on the rail (TB1), what the wires end on", (0, 2.0))
    by_plug: dict[str, list[dict[str, str]]] = {}
    for row in plan():
        by_plug.setdefault(row["plug"], []).append(row)
    columns = (("X1", "X2", "X6"), ("X3", "X4", "X5", "J1", "J2"))
    lowest = 0.0
    for n, plugs in enumerate(columns):
        x, y = 21.5 * n, 0.0
        for plug in plugs:
            rows = by_plug[plug]
            d.text(f"{plug}  {CABLES[plug]}", (x, y + 0.45), "left", 11)
            d.box((x, y), (5.4, 0.7 * len(rows) + 0.3))
            for k, row in enumerate(rows):
                py = y - 0.5 - 0.7 * k
                d.text(row["pole"], (x + 0.4, py), "center")
                d.text(row["net"], (x + 5.2, py), "right", 9)
                d.line((x + 5.4, py), (x + 12.6, py), dashed=row["ends_at"] == "spare")
                d.text(row["ends_at"], (x + 12.8, py), "left", 10)
                if row["rail"] != "direct":
                    d.text(row["rail"], (x + 9.0, py + 0.22), "center", 9)
            y -= 0.7 * len(rows) + 2.2
            lowest = min(lowest, y)
    return d.svg((41.0, lowest), "field wiring")


# Outline of the board, mm: width and height; board.py uses it too.
BOARD_MM = (180.0, 150.0)
# Box: inner width and height, mm.
BOX_MM = (400.0, 300.0)
SCALE = 0.06  # drawing units per mm


def panel() -> str:
    """Return the layout of the box, to scale: rail with supply and terminals above, board below."""
    k, (w, h) = SCALE, BOX_MM
    d = Plan("Panel: box of 400 x 300 mm inside, seen from the front, cover off", (0, 2.2))

    def at(x_mm: float, y_mm: float) -> Point:
        return x_mm * k, -y_mm * k

    def item(x: float, y: float, wide: float, high: float, text: str) -> None:
        d.box(at(x, y), (wide * k, high * k))
        d.text(text, at(x + wide / 2, y + high / 2))

    d.box(at(0, 0), (w * k, h * k))
    d.box(at(18, 6), (362 * k, 90 * k), True)
    d.text("on a 35 mm DIN rail", at(230, 102))
    item(25, 10, 35, 78, "main\nswitch,\nfuse")
    item(62, 10, 53, 78, "PS1\n24 V\n52.5 mm")
    item(118, 22, 72, 54, f"TB1 left\ncoils\n{TB1_LEFT} terminals")
    item(270, 22, 105, 54, f"TB1 right\nloops, TE1, U12\n{TB1_RIGHT} terminals")
    item(205, 22, 50, 54, "UI1\nUSB isolator")
    x, y = 105.0, 112.0
    bw, bh = BOARD_MM
    d.box(at(x, y), (bw * k, bh * k))
    d.text("board 180 x 150 mm\non four nylon M3 spacers", at(x + bw / 2, y + bh / 2), size=11)
    d.text("X1 X2", at(x + 30, y + 8))
    d.text("X3 X4 X5", at(x + bw - 30, y + 8))
    d.text("J1", at(x + 30, y + bh - 8))
    d.text("J2", at(x + bw - 30, y + bh - 8))
    item(20, 110, 25, 160, "duct\n24 V\nand\ncoils")
    item(355, 110, 25, 160, "duct\nloops\nand\nsensors")
    for n in range(3):
        d.line(at(-6, 150 + 40 * n), at(6, 150 + 40 * n))
    for n in range(4):
        d.line(at(394, 145 + 30 * n), at(406, 145 + 30 * n))
    d.text("mains (M16), coils (M20),\nJ1 (M16, screened)", at(-12, 190), "right")
    d.text("4 glands M16, screened:\nloops, TE1, U12, J2", at(412, 190), "left")
    d.text("earth bolt M6 at the bottom of the box: chamber, PS1 minus, mains earth", at(200, 286))
    d.text("front: S1 (recessed), USB socket of UI1, windows over D73, D74, D75", at(200, 316))
    # A ruler of 100 mm.
    d.line(at(0, 334), at(100, 334))
    for mm in (0, 50, 100):
        d.line(at(mm, 330), at(mm, 338))
    d.text("100 mm", at(108, 334), "left")
    return d.svg((32.0, -350 * k), "panel layout", "ruler: 100 mm")


def grounding() -> str:
    """Return the grounds: what meets at the one earth point, and what is isolated from it."""
    d = Plan("Grounds: one earth point; what is drawn dashed is an isolation of 1 kV", (0, 2.0))

    def block(x: float, y: float, w: float, h: float, text: str) -> None:
        d.box((x, y), (w, h))
        d.text(text, (x + w / 2, y - h / 2))

    block(0, 0, 5.4, 2.2, "PS1\n24 V, isolated\nfrom the mains")
    block(8.4, 0, 6.4, 6.6, "board\nGND\n\n24 V, coils, loops,\ngas sensor, Pico,\nbutton")
    d.line((5.4, -1.1), (8.4, -1.1))
    d.text("24 V, minus", (6.9, -0.8))
    block(19.0, 0, 7.0, 1.8, "computer (its earth)")
    d.line((14.8, -0.9), (16.2, -0.9))
    d.line((17.6, -0.9), (19.0, -0.9))
    d.box((16.2, -0.3), (1.4, 1.2), True)
    d.text("UI1", (16.9, -0.9))
    block(19.0, -2.6, 7.0, 1.8, "cycler's analogue input\nGND_M: may be the cell's minus")
    d.line((14.8, -3.5), (16.2, -3.5))
    d.line((17.6, -3.5), (19.0, -3.5))
    d.box((16.2, -2.9), (1.4, 1.2), True)
    d.text("U23\nU24", (16.9, -3.5), size=9)
    d.text("J2", (18.3, -3.2))
    block(19.0, -5.2, 7.0, 1.8, "wall sensor U12\nGND_W: floating")
    d.line((14.8, -6.1), (16.2, -6.1))
    d.line((17.6, -6.1), (19.0, -6.1))
    d.box((16.2, -5.5), (1.4, 1.2), True)
    d.text("U26\nU28", (16.9, -6.1), size=9)
    d.text("X5", (18.3, -5.8))
    block(19.0, -7.8, 7.0, 1.8, "cycler's interlock\nclosed contact lets it run")
    d.line((11.6, -6.6), (11.6, -8.7), (16.2, -8.7))
    d.line((17.6, -8.7), (19.0, -8.7))
    d.box((16.2, -8.1), (1.4, 1.2), True)
    d.text("K1", (16.9, -8.7))
    d.text("J1", (18.3, -8.4))
    # The star.
    y = -11.4
    block(0, y, 5.4, 1.8, "chamber and piping\n(U12 is insulated from it)")
    block(8.4, y, 6.4, 1.8, "box, screens of loops\nand gas sensor")
    block(17.0, y, 5.4, 1.8, "mains earth")
    star = (11.6, -15.0)
    for x0, y0 in ((2.7, y - 1.8), (11.6, y - 1.8), (19.7, y - 1.8)):
        d.line((x0, y0), (x0, star[1]), star)
    d.line((1.4, -2.2), (1.4, -10.2), (-1.4, -10.2), (-1.4, -15.6), (11.6, -15.6), star)
    d.text("minus of PS1", (-1.6, -12.6), "right")
    d.drawing.add(elm.Ground().at((11.6, -15.6)))
    d.text("earth bolt of the box", (12.2, -16.2), "left")
    return d.svg((26.0, -17.6), "grounds")
