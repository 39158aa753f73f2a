"""Layout of the schematic pages: power, coil rail, drivers, loops. The parts and nets come from circuit.py."""

from __future__ import annotations

from hardware.design import sheets_io, sheets_safety
from hardware.design.circuit import LOOPS, VALVES, Part, circuit
from hardware.design.sheet import Sheet


def sheets() -> dict[str, Sheet]:
    """Return name -> page."""
    parts = {part.ref: part for part in circuit()}
    pages = (_power, _rail, _drivers, _loops, *sheets_safety.PAGES, *sheets_io.PAGES)
    return {sheet.name: sheet for sheet in (page(parts) for page in pages)}


def _power(parts: dict[str, Part]) -> Sheet:
    s = Sheet(parts, "power", "Power: 24 V input, hold-up of the logic, 5 V")
    s.box("PS1", (-2, 1.2), 2.4, [], ["+", "-"])
    s.box("X1", (-2, -2.4), 2.4, [], ["1", "2"])
    x, y = 5.0, 0.64
    s.net("V24_IN", (x, y), "left")
    s.two("F1", (x, y), (x + 2, y))
    s.two("D1", (x + 4.2, y), (x + 2, y))
    s.wire((x + 4.2, y), (x + 7.2, y))
    s.net("V24", (x + 4.2, y), "top")
    s.two("D2", (x + 5.0, y), (x + 5.0, y - 2.24), "left")
    s.two("C1", (x + 6.4, y), (x + 6.4, y - 2.24))
    s.two("D3", (x + 9.4, y), (x + 7.2, y))
    s.wire((x + 9.4, y), (x + 21.1, y))
    s.net("V24_LOGIC", (x + 10.2, y), "top")
    s.two("R36", (x + 11.4, y), (x + 11.4, y - 2.0), "left")
    s.two("D60", (x + 13.2, y), (x + 13.2, y - 2.0), "right")
    s.wire((x + 11.4, y - 2.0), (x + 13.2, y - 2.0))
    s.two("C2", (x + 11.4, y - 2.0), (x + 11.4, y - 4.2), "left")
    s.net("HOLD_UP", (x + 13.2, y - 2.0), "right")
    s.two("C46", (x + 18.4, y), (x + 18.4, y - 2.24), "left")
    s.box("U1", (x + 21.8, y + 0.56), 2.4, ["VIN", "GND"], ["VOUT"], tags=False)
    s.net("GND", (x + 21.1, y - 0.7), "bottom")
    x += 24.9
    s.wire((x, y), (x + 2.0, y))
    s.net("V5", (x + 0.5, y), "top")
    s.two("C3", (x + 1.2, y), (x + 1.2, y - 2.24), "left")
    s.two("D4", (x + 4.2, y), (x + 2.0, y))
    s.net("VSYS", (x + 4.2, y), "right")
    for ref in ("D2", "C1", "C2", "C46", "C3"):
        low = s.pins[ref, "A" if ref == "D2" else "2"]
        s.net("GND", low, "bottom")
    return s


def _rail(parts: dict[str, Part]) -> Sheet:
    s = Sheet(parts, "rail", "Coil rail: current limit, switch held by the heartbeat, quick cut, readback")
    s.box("U20", (0, 6.0), 4.6, ["IN", "IN2", "IN3", "IN_SYS", "UVLO", "OVP", "SHDN", "MODE", "PGTH", "GND", "PAD"],
          ["OUT", "OUT2", "OUT3", "FLT", "IMON", "ILIM", "DVDT", "PGOOD", "B_GATE", "DRV"])  # fmt: skip
    for n, (ref, top, bottom) in enumerate((("R37", "V24", "COIL_UVLO"), ("C48", "V24", "GND"),
                                           ("D61", "V24_COIL", "GND"), ("C49", "V24_COIL", "GND"))):  # fmt: skip
        x = 10.6 + 2.9 * n
        s.two(ref, (x, 5.4), (x, 3.4))
        s.net(top, (x, 5.4), "top")
        s.net(bottom, (x, 3.4), "bottom")
    for n, (ref, net) in enumerate((("R38", "COIL_UVLO"), ("R39", "COIL_LIMIT"), ("R40", "COIL_AMPS"),
                                    ("C47", "COIL_RAMP"))):  # fmt: skip
        x = 10.6 + 2.9 * n
        s.two(ref, (x, 1.0), (x, -1.0))
        s.net(net, (x, 1.0), "top")
        s.net("GND", (x, -1.0), "bottom")
    # Overload lamp; the fault pulls RAIL low.
    s.net("V5", (23.6, 5.4), "top")
    s.two("R99", (23.6, 5.4), (23.6, 3.4), "left")
    s.two("D74", (23.6, 1.4), (23.6, 3.4), "left")
    s.wire((23.6, 1.4), (24.6, 1.4))
    s.net("RAIL_FAULT", (23.6, 1.4), "left")
    s.two("D62", (24.6, 1.4), (26.8, 1.4), "bottom")
    s.net("RAIL", (26.8, 1.4), "right")
    # Heartbeat, charge pump, rail switch.
    y = -8.6
    s.net("HEARTBEAT", (0.0, y), "left")
    s.two("R1", (0.0, y), (2.0, y))
    s.two("C4", (2.0, y), (4.0, y))
    s.clamp("D5", (4.0, y))
    s.net("GND", (4.0, y - 1.2), "bottom")
    s.wire((4.0, y), (5.0, y), (5.0, y - 2.0))
    s.two("R120", (5.0, y - 2.0), (5.0, y - 4.0))
    s.net("GND", (5.0, y - 4.0), "bottom")
    s.wire((4.0, y + 1.2), (8.8, y + 1.2), (8.8, y))
    s.two("C6", (5.4, y + 3.2), (5.4, y + 1.2))
    s.net("COIL_RAIL", (5.4, y + 3.2), "top")
    s.two("C5", (6.6, y + 1.2), (6.6, y - 1.2), "left")
    s.net("GND", (6.6, y - 1.2), "bottom")
    s.two("R2", (8.0, y + 1.2), (8.0, y - 1.2), "left")
    s.net("GND", (8.0, y - 1.2), "bottom")
    s.net("PUMP_OUT", (7.3, y + 1.2), "top")
    s.two("R9", (8.8, y), (10.8, y))
    s.npn("Q1", (10.8, y))
    s.net("GND", (11.8, y - 1.0), "bottom")
    s.two("R3", (11.8, y + 1.0), (11.8, y + 3.0), "left")
    s.wire((11.8, y + 3.0), (15.6, y + 3.0))
    s.two("R4", (11.8, y + 5.0), (11.8, y + 3.0), "left")
    s.net("V24_COIL", (11.8, y + 5.0), "top")
    s.two("D6", (14.0, y + 5.0), (14.0, y + 3.0), "right")
    s.net("V24_COIL", (14.0, y + 5.0), "top")
    s.fet("Q2", (15.6, y + 3.0))
    s.net("V24_COIL", (16.6, y + 4.0), "top")
    s.wire((16.6, y + 2.0), (16.6, y + 1.2), (24.0, y + 1.2))
    s.net("COIL_RAIL", (18.6, y + 1.2), "top")
    s.two("R5", (16.6, y + 1.2), (16.6, y - 0.8), "left")
    s.two("R6", (16.6, y - 0.8), (16.6, y - 2.8), "left")
    s.net("GND", (16.6, y - 2.8), "bottom")
    s.wire((16.6, y - 0.8), (19.4, y - 0.8))
    s.clamp("D7", (18.0, y - 0.8))
    s.net("V3V3", (18.0, y + 0.4), "top")
    s.net("GND", (18.0, y - 2.0), "bottom")
    s.net("RAIL", (19.4, y - 0.8), "right")
    s.two("D10", (21.4, y + 1.2), (21.4, y - 1.0))
    s.net("GND", (21.4, y - 1.0), "bottom")
    s.two("R89", (24.0, y + 1.2), (24.0, y - 0.8))
    s.two("D73", (24.0, y - 2.8), (24.0, y - 0.8))
    s.net("GND", (24.0, y - 2.8), "bottom")
    # RAIL_CUT.
    z = y - 9.0
    s.net("RAIL_CUT", (0.0, z), "left")
    s.two("R10", (0.0, z), (2.0, z))
    s.wire((2.0, z), (3.4, z))
    s.two("R20", (2.4, z), (2.4, z - 2.2), "left")
    s.net("GND", (2.4, z - 2.2), "bottom")
    s.net("CUT_GATE", (2.8, z), "top")
    s.fet("Q10", (3.4, z))
    s.net("GND", (4.4, z - 1.0), "bottom")
    s.two("R30", (4.4, z + 3.0), (4.4, z + 1.0))
    s.net("PUMP_OUT", (4.4, z + 3.0), "top")
    s.net("CUT_GATE", (10.4, z), "left")
    s.fet("Q16", (10.4, z))
    s.net("GND", (11.4, z - 1.0), "bottom")
    s.net("COIL_OFF", (11.4, z + 1.0), "top")
    return s


def _drivers(parts: dict[str, Part]) -> Sheet:
    s = Sheet(
        parts,
        "drivers",
        "Drivers: protected low-side switch, clamp, gate pull-down and drain readback for each valve coil",
    )
    for n, name in enumerate(VALVES):
        x, y = 20.5 * (n % 2), -8.6 * (n // 2)
        i = n + 1
        s.net(name, (x, y), "left")
        s.two(f"R1{i}", (x, y), (x + 2, y))
        s.wire((x + 2, y), (x + 6, y))
        s.dot((x + 2.4, y))
        s.net(f"{name}_GATE", (x + 4.2, y), "top")
        s.wire((x + 2.4, y), (x + 2.4, y - 0.2))
        s.two(f"R2{i}", (x + 2.4, y - 0.2), (x + 2.4, y - 2.2), "left")
        s.net("GND", (x + 2.4, y - 2.2), "bottom")
        s.fet(f"Q1{i}", (x + 6, y))
        s.net("GND", (x + 7, y - 1.0), "bottom")
        s.wire((x + 7, y + 1.0), (x + 7, y + 1.8), (x + 13.2, y + 1.8))
        s.dot((x + 7, y + 1.8))
        s.two(f"XV{i}", (x + 7, y + 4.2), (x + 7, y + 1.8), "left")
        s.net(parts[f"XV{i}"].nets["1"], (x + 7, y + 4.2), "top")
        s.net(f"{name}_COIL", (x + 9.2, y + 1.8), "top")
        s.two(f"D1{i}", (x + 11.4, y + 1.8), (x + 11.4, y - 1.0), "left")
        s.dot((x + 11.4, y + 1.8))
        s.net("GND", (x + 11.4, y - 1.0), "bottom")
        s.two(f"R3{i}", (x + 13.2, y + 1.8), (x + 13.2, y - 0.2), "left")
        s.two(f"R4{i}", (x + 13.2, y - 0.2), (x + 13.2, y - 2.2), "left")
        s.dot((x + 13.2, y - 0.2))
        s.net("GND", (x + 13.2, y - 2.2), "bottom")
        s.wire((x + 13.2, y - 0.2), (x + 14.4, y - 0.2))
        s.clamp(f"D2{i}", (x + 14.4, y - 0.2))
        s.net("V3V3", (x + 14.4, y + 1.0), "top")
        s.net("GND", (x + 14.4, y - 1.4), "bottom")
        s.wire((x + 13.8, y - 0.2), (x + 13.8, y - 3.2))
        s.net(f"{name}_DRAIN", (x + 13.8, y - 3.2), "right")
    s.box("X2", (26.0, -14.4), 2.4, [str(n) for n in range(1, 10, 2)], [str(n) for n in range(2, 11, 2)])
    return s


def _loops(parts: dict[str, Part]) -> Sheet:
    s = Sheet(
        parts,
        "loops",
        "4-20 mA receivers: fuse, transducer, surge clamps, current limiter, shunt, filter and clamp",
    )
    for n, (name, transducer) in enumerate(LOOPS):
        y, i = -5.4 * n, n + 1
        s.net("V24_LOGIC", (0, y), "left")
        s.two(f"F1{i}", (0, y), (2.2, y))
        s.wire((2.2, y), (5.3, y))
        s.two(f"D1{i + 5}", (3.0, y), (3.0, y - 2.2), "left")
        s.net("GND", (3.0, y - 2.2), "bottom")
        s.net(f"{name}_PLUS", (4.0, y), "top")
        s.box(transducer, (6.0, y + 0.56), 3.0, ["1"], ["2"], tags=False)
        s.wire((9.7, y), (11.0, y))
        s.net(f"{name}_LOOP", (10.6, y), "top")
        s.two(f"D3{i}", (11.0, y), (11.0, y - 2.2), "left")
        s.net("GND", (11.0, y - 2.2), "bottom")
        s.wire((11.0, y), (11.6, y))
        s.two(f"D4{i}", (13.8, y), (11.6, y))
        s.wire((13.8, y), (17.4, y))
        s.net(f"{name}_SHUNT", (15.6, y), "top")
        s.two(f"R5{i}", (15.0, y), (15.0, y - 2.2), "left")
        s.net("GND", (15.0, y - 2.2), "bottom")
        s.two(f"R6{i}", (17.4, y), (19.4, y))
        s.wire((19.4, y), (24.6, y))
        s.two(f"C1{i}", (20.0, y), (20.0, y - 2.2), "left")
        s.net("GND", (20.0, y - 2.2), "bottom")
        s.clamp(f"D5{i}", (21.4, y))
        s.net("V3V3", (21.4, y + 1.2), "top")
        s.net("GND", (21.4, y - 1.2), "bottom")
        s.net("SAFETY_ADC" if name == "SAFETY" else f"{name}_INPUT", (24.6, y), "right")
    s.box("X3", (32.5, -2.4), 2.4, ["1", "3", "5"], ["2", "4", "6"])
    return s
