"""Layout of the schematic pages of the comparator, its latch, and its way to the relief valve."""

from __future__ import annotations

from hardware.design.circuit import Part
from hardware.design.sheet import Sheet

_LEFT = ["1A", "1B", "2A", "2B", "3A", "3B", "4A", "4B"]
_RIGHT = ["1Y", "2Y", "3Y", "4Y", "VCC", "GND"]


def _stack(
    s: Sheet, rows: tuple[tuple[str, str, str], ...], start: tuple[float, float], pitch: float = 3.2
) -> None:
    """Draw two-pin parts side by side, each upright with the names of its nets."""
    x, y = start
    for n, (ref, top, bottom) in enumerate(rows):
        s.two(ref, (x + pitch * n, y), (x + pitch * n, y - 2.0))
        s.net(top, (x + pitch * n, y), "top")
        s.net(bottom, (x + pitch * n, y - 2.0), "bottom")


def _comparator(parts: dict[str, Part]) -> Sheet:
    s = Sheet(
        parts, "comparator", "Comparator of the safety loop: over the trip, shorted loop, processor alive"
    )
    s.two("R71", (0, 2), (0, 0), "left")
    s.net("V5", (0, 2), "top")
    s.wire((0, 0), (8.0, 0))
    s.net("V2V5", (1.4, 0), "top")
    s.two("U2", (0, 0), (0, -2.2), "left")
    s.net("GND", (0, -2.2), "bottom")
    s.two("R72", (3.6, 0), (3.6, -2.0), "left")
    s.pot("RV1", (3.6, -2.0))
    s.net("TRIP_LEVEL", (4.8, -3.0), "right")
    s.two("R73", (3.6, -4.0), (3.6, -6.0), "left")
    s.net("GND", (3.6, -6.0), "bottom")
    s.two("R74", (8.0, 0), (8.0, -2.0))
    s.wire((8.0, -2.0), (9.6, -2.0))
    s.net("SHORT_LEVEL", (9.6, -2.0), "right")
    s.two("R75", (8.0, -2.0), (8.0, -4.0), "right")
    s.net("GND", (8.0, -4.0), "bottom")
    s.net("SAFETY_SHUNT", (16.0, 1.2), "left")
    s.two("R76", (16.0, 1.2), (18.0, 1.2))
    s.wire((18.0, 1.2), (20.6, 1.2))
    s.net("WATCHED", (19.2, 1.2), "top")
    s.two("C21", (18.6, 1.2), (18.6, -1.0))
    s.net("GND", (18.6, -1.0), "bottom")
    s.two("R77", (20.6, 1.2), (22.6, 1.2))
    s.net("OVER", (22.6, 1.2), "right")
    s.box("U3", (16.6, -3.8), 3.6, ["INA+", "INA-", "INB+", "INB-", "INC+", "INC-", "IND+", "IND-"],
          ["OUTA", "OUTB", "OUTC", "OUTD", "VCC", "GND"])  # fmt: skip
    # OVER: window of a few ms, and a memory of more than two ticks.
    y = 1.2
    s.net("V5", (27.2, y + 2.0), "top")
    s.two("R78", (27.2, y + 2.0), (27.2, y))
    s.wire((27.2, y), (35.4, y))
    s.net("OVER", (27.2, y), "left")
    s.two("R104", (30.2, y), (30.2, y - 2.0), "left")
    s.two("D64", (32.0, y), (32.0, y - 2.0))
    s.wire((29.2, y - 2.0), (32.0, y - 2.0))
    s.net("WINDOW", (29.2, y - 2.0), "left")
    s.two("C52", (30.2, y - 2.0), (30.2, y - 4.0), "left")
    s.net("GND", (30.2, y - 4.0), "bottom")
    s.two("D65", (37.6, y), (35.4, y))
    s.wire((37.6, y), (41.0, y))
    s.net("OVER_HELD", (41.0, y), "right")
    s.two("C53", (38.2, y), (38.2, y - 2.0), "left")
    s.two("R106", (40.2, y), (40.2, y - 2.0))
    s.net("GND", (38.2, y - 2.0), "bottom")
    s.net("GND", (40.2, y - 2.0), "bottom")
    _stack(s, (("C22", "V5", "GND"), ("R79", "V3V3", "TRIP")), (32.0, -6.4))
    return s


def _latch(parts: dict[str, Part]) -> Sheet:
    s = Sheet(parts, "latch", "Latch: set by WINDOW, cleared by a rising CELL_SAFE; holds the fill side shut")
    s.box("U21", (3.0, 2.0), 3.4, _LEFT, _RIGHT)
    s.net("CELL_SAFE", (14.4, 1.0), "left")
    s.two("C54", (14.4, 1.0), (16.4, 1.0))
    s.wire((16.4, 1.0), (18.6, 1.0))
    s.net("RESET_EDGE", (17.6, 1.0), "top")
    s.two("R107", (16.8, 1.0), (16.8, -1.0))
    s.net("GND", (16.8, -1.0), "bottom")
    s.two("R108", (18.6, 1.0), (20.6, 1.0), "bottom")
    s.net("RESET", (20.6, 1.0), "right")
    s.two("D82", (20.2, -2.0), (18.0, -2.0), "bottom")
    s.net("RESET", (20.2, -2.0), "right")
    s.net("NEVER", (18.0, -2.0), "left")
    _stack(s, (("C23", "V5", "GND"), ("R111", "LATCH", "LATCH_LAMP")), (24.4, 1.8), 3.0)
    s.two("D75", (30.8, -0.2), (30.8, 1.8))
    s.net("LATCH_LAMP", (30.8, 1.8), "top")
    s.net("GND", (30.8, -0.2), "bottom")
    for n, ref in enumerate(("Q6", "Q7")):
        x, y = 15.0 + 8.4 * n, -6.0
        s.net("LATCH", (x, y), "left")
        drain, source = s.fet(ref, (x, y))
        s.net("GND", source, "bottom")
        s.net(parts[ref].nets["D"], drain, "top")
    return s


def _relief(parts: dict[str, Part]) -> Sheet:
    s = Sheet(
        parts, "relief", "The comparator's own way to the relief valve: only while the processor is gone"
    )
    y = 0.0
    s.net("HEARTBEAT", (0.0, y), "left")
    s.two("R100", (0.0, y), (2.0, y))
    s.two("C50", (2.0, y), (4.0, y))
    s.clamp("D63", (4.0, y))
    s.net("GND", (4.0, y - 1.2), "bottom")
    s.wire((4.0, y), (5.0, y), (5.0, y - 1.4))
    s.two("R121", (5.0, y - 1.4), (5.0, y - 3.4))
    s.net("GND", (5.0, y - 3.4), "bottom")
    s.wire((4.0, y + 1.2), (9.6, y + 1.2))
    s.two("C51", (7.0, y + 1.2), (7.0, y - 0.8), "left")
    s.net("GND", (7.0, y - 0.8), "bottom")
    s.two("R101", (8.4, y + 1.2), (8.4, y - 0.8))
    s.net("GND", (8.4, y - 0.8), "bottom")
    s.net("ALIVE_LEVEL", (9.6, y + 1.2), "right")
    _stack(s, (("R102", "V2V5", "ALIVE_REFERENCE"), ("R105", "V5", "NOT_ALIVE"), ("C24", "V5", "GND")),
           (14.6, 1.6), 3.4)  # fmt: skip
    s.two("R103", (26.0, 1.6), (26.0, -0.4))
    s.net("ALIVE_REFERENCE", (26.0, 1.6), "top")
    s.net("GND", (26.0, -0.4), "bottom")
    s.box("U22", (3.0, -5.4), 3.4, _LEFT, _RIGHT)
    # Power-up.
    x, z = 14.6, -4.0
    s.net("V5", (x, z), "top")
    s.two("R109", (x, z), (x, z - 2.0), "left")
    s.two("D66", (x + 1.4, z), (x + 1.4, z - 2.0))
    s.net("V5", (x + 1.4, z), "top")
    s.wire((x, z - 2.0), (x + 1.4, z - 2.0))
    s.net("STARTED", (x + 1.4, z - 2.0), "right")
    s.two("C55", (x, z - 2.0), (x, z - 4.0))
    s.net("GND", (x, z - 4.0), "bottom")
    # ALONE.
    s.two("R110", (21.6, -4.0), (21.6, -6.0), "left")
    s.net("LATCH", (21.6, -4.0), "top")
    s.wire((21.6, -6.0), (37.6, -6.0))
    s.net("ALONE", (37.6, -6.0), "right")
    for n, ref in enumerate(("Q20", "Q21", "Q22")):
        gx = 21.2 + 5.8 * n
        s.net(parts[ref].nets["G"], (gx, -8.0), "left")
        drain, source = s.fet(ref, (gx, -8.0))
        s.wire(drain, (drain[0], -6.0))
        s.net("GND", source, "bottom")
    # The second feed of the relief coil.
    y = -15.4
    s.net("V24", (0.0, y), "left")
    s.two("F2", (0.0, y), (2.0, y))
    s.wire((2.0, y), (13.4, y))
    s.net("V24_RELIEF", (3.4, y), "top")
    s.two("R7", (6.4, y), (6.4, y - 2.0), "left")
    s.two("D9", (9.0, y), (9.0, y - 2.0))
    s.wire((5.0, y - 2.0), (6.4, y - 2.0), (12.4, y - 2.0))
    s.two("R8", (3.0, y - 2.0), (5.0, y - 2.0), "bottom")
    s.net("RELIEF_PULL", (3.0, y - 2.0), "left")
    s.fet("Q3", (12.4, y - 2.0))
    s.wire((13.4, y - 1.0), (13.4, y))
    s.wire((13.4, y - 3.0), (13.4, y - 3.6), (20.6, y - 3.6))
    s.net("RELIEF_RAIL", (17.6, y - 3.6), "top")
    s.two("D20", (15.6, y - 3.6), (15.6, y - 5.8))
    s.net("GND", (15.6, y - 5.8), "bottom")
    s.two("D8", (20.6, y - 3.6), (22.8, y - 3.6))
    s.net("COIL_RAIL", (22.8, y - 3.6), "right")
    for n, ref in enumerate(("Q4", "Q9")):
        gx = 29.0 + 6.6 * n
        s.net("ALONE", (gx, y - 2.6), "left")
        drain, source = s.fet(ref, (gx, y - 2.6))
        s.net(parts[ref].nets["D"], drain, "top")
        s.net("GND", source, "bottom")
    return s


PAGES = (_comparator, _latch, _relief)
