"""Layout of the schematic pages. The parts and nets come from circuit.py."""

from __future__ import annotations

from hardware.design.circuit import LOOPS, VALVES, Part, circuit
from hardware.design.sheet import Sheet


def sheets() -> dict[str, Sheet]:
    """Return name -> page."""
    parts = {part.ref: part for part in circuit()}
    return {
        sheet.name: sheet
        for sheet in (
            _power(parts),
            _drivers(parts),
            _loops(parts),
            _comparator(parts),
            _outputs(parts),
            _chips(parts),
        )
    }


def _power(parts: dict[str, Part]) -> Sheet:
    s = Sheet(
        parts,
        "power",
        "Power: 24 V input, hold-up, coil rail switched by the heartbeat, second feed of the relief coil",
    )
    s.box("PS1", (-2, 1.2), 2.4, [], ["+", "-"], tags=False)
    s.net("GND", (1.1, -0.06 - 0.0), "bottom")
    s.pins["PS1", "-"] = (1.1, -0.06)
    s.wire((1.1, 0.64), (1.6, 0.64))
    s.two("F1", (1.6, 0.64), (3.6, 0.64))
    s.two("D1", (5.8, 0.64), (3.6, 0.64))
    s.wire((5.8, 0.64), (8.8, 0.64))
    s.net("V24", (5.8, 0.64), "top")
    s.two("D2", (6.6, 0.64), (6.6, -1.6), "left")
    s.net("GND", (6.6, -1.6), "bottom")
    s.two("C1", (8.0, 0.64), (8.0, -1.6))
    s.net("GND", (8.0, -1.6), "bottom")
    s.two("D3", (11.0, 0.64), (8.8, 0.64))
    s.wire((11.0, 0.64), (13.6, 0.64))
    s.net("V24_LOGIC", (11.6, 0.64), "top")
    s.two("C2", (12.4, 0.64), (12.4, -1.6), "left")
    s.net("GND", (12.4, -1.6), "bottom")
    s.box("U1", (14.3, 1.2), 2.4, ["VIN", "GND"], ["VOUT"], tags=False)
    s.net("GND", (13.6, -0.06), "bottom")
    s.wire((17.4, 0.64), (19.4, 0.64))
    s.net("V5", (17.9, 0.64), "top")
    s.two("C3", (18.6, 0.64), (18.6, -1.6), "left")
    s.net("GND", (18.6, -1.6), "bottom")
    s.two("D4", (21.6, 0.64), (19.4, 0.64))
    s.net("VSYS", (21.6, 0.64), "right")
    # Heartbeat, charge pump, rail switch.
    y = -8.6
    s.net("HEARTBEAT", (0.0, y), "left")
    s.two("R1", (0.0, y), (2.0, y))
    s.two("C4", (2.0, y), (4.0, y))
    s.clamp("D5", (4.0, y))
    s.net("GND", (4.0, y - 1.2), "bottom")
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
    s.net("V24", (11.8, y + 5.0), "top")
    s.two("D6", (14.0, y + 5.0), (14.0, y + 3.0), "right")
    s.net("V24", (14.0, y + 5.0), "top")
    s.fet("Q2", (15.6, y + 3.0))
    s.net("V24", (16.6, y + 4.0), "top")
    s.wire((16.6, y + 2.0), (16.6, y + 1.2), (22.0, y + 1.2))
    s.net("COIL_RAIL", (17.8, y + 1.2), "top")
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
    # RAIL_CUT.
    z = y - 6.6
    s.net("RAIL_CUT", (0.0, z), "left")
    s.two("R10", (0.0, z), (2.0, z))
    s.wire((2.0, z), (3.4, z))
    s.two("R20", (2.4, z), (2.4, z - 2.2), "left")
    s.net("GND", (2.4, z - 2.2), "bottom")
    s.dot((2.4, z))
    s.fet("Q10", (3.4, z))
    s.net("GND", (4.4, z - 1.0), "bottom")
    s.two("R30", (4.4, z + 3.0), (4.4, z + 1.0))
    s.net("PUMP_OUT", (4.4, z + 3.0), "top")
    # The relief coil's second feed.
    s.two("D8", (24.2, y + 1.2), (22.0, y + 1.2))
    s.wire((24.2, y + 1.2), (29.4, y + 1.2), (29.4, y + 2.0))
    s.net("RELIEF_RAIL", (25.4, y + 1.2), "top")
    s.two("D20", (27.2, y + 1.2), (27.2, y - 1.0))
    s.net("GND", (27.2, y - 1.0), "bottom")
    s.fet("Q3", (28.4, y + 3.0))
    s.net("V24", (29.4, y + 4.0), "top")
    s.net("RELIEF_PULL", (21.0, y + 3.0), "left")
    s.two("R8", (21.0, y + 3.0), (23.0, y + 3.0), "bottom")
    s.wire((23.0, y + 3.0), (28.4, y + 3.0))
    s.two("R7", (23.4, y + 5.0), (23.4, y + 3.0), "left")
    s.net("V24", (23.4, y + 5.0), "top")
    s.two("D9", (25.4, y + 5.0), (25.4, y + 3.0))
    s.net("V24", (25.4, y + 5.0), "top")
    s.net("OVERPRESSURE", (23.8, y - 3.0), "left")
    s.fet("Q4", (23.8, y - 3.0))
    s.wire((24.8, y - 2.0), (25.4, y - 2.0))
    s.net("RELIEF_PULL", (25.4, y - 2.0), "right")
    s.net("GND", (24.8, y - 4.0), "bottom")
    return s


def _drivers(parts: dict[str, Part]) -> Sheet:
    s = Sheet(
        parts,
        "drivers",
        "Drivers: low-side switch, clamp, gate pull-down and drain readback for each valve coil",
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
    return s


def _loops(parts: dict[str, Part]) -> Sheet:
    s = Sheet(
        parts,
        "loops",
        "4-20 mA receivers: fuse, transducer, surge clamp, current limiter, shunt, filter and clamp",
    )
    for n, (name, transducer) in enumerate(LOOPS):
        y, i = -5.4 * n, n + 1
        s.net("V24_LOGIC", (0, y), "left")
        s.two(f"F1{i}", (0, y), (2.2, y))
        s.box(transducer, (4.0, y + 0.56), 3.0, ["1"], ["2"], tags=False)
        s.wire((2.2, y), (3.3, y))
        s.wire((7.7, y), (9.0, y))
        s.net(f"{name}_LOOP", (8.6, y), "top")
        s.two(f"D3{i}", (9.0, y), (9.0, y - 2.2), "left")
        s.dot((9.0, y))
        s.net("GND", (9.0, y - 2.2), "bottom")
        s.wire((9.0, y), (9.6, y))
        s.two(f"D4{i}", (11.8, y), (9.6, y))
        s.wire((11.8, y), (15.4, y))
        s.dot((13.0, y))
        s.net(f"{name}_SHUNT", (13.6, y), "top")
        s.two(f"R5{i}", (13.0, y), (13.0, y - 2.2), "left")
        s.net("GND", (13.0, y - 2.2), "bottom")
        s.two(f"R6{i}", (15.4, y), (17.4, y))
        s.wire((17.4, y), (21.4, y))
        s.dot((18.0, y))
        s.two(f"C1{i}", (18.0, y), (18.0, y - 2.2), "left")
        s.net("GND", (18.0, y - 2.2), "bottom")
        s.clamp(f"D5{i}", (19.4, y))
        s.net("V3V3", (19.4, y + 1.2), "top")
        s.net("GND", (19.4, y - 1.2), "bottom")
        pin = "SAFETY_ADC" if name == "SAFETY" else f"{name}_INPUT"
        s.wire((21.4, y), (22.6, y))
        s.net(pin, (22.6, y), "right")
    return s


def _comparator(parts: dict[str, Part]) -> Sheet:
    s = Sheet(parts, "comparator", "Window comparator for the safety transducer: trips without the processor")
    s.two("R71", (0, 2), (0, 0), "left")
    s.net("V5", (0, 2), "top")
    s.wire((0, 0), (7.0, 0))
    s.net("V2V5", (1.4, 0), "top")
    s.two("U2", (0, 0), (0, -2.2), "left")
    s.net("GND", (0, -2.2), "bottom")
    s.two("R72", (3.0, 0), (3.0, -2.0), "left")
    s.pot("RV1", (3.0, -2.0))
    s.net("TRIP_LEVEL", (4.2, -3.0), "right")
    s.two("R73", (3.0, -4.0), (3.0, -6.0), "left")
    s.net("GND", (3.0, -6.0), "bottom")
    s.two("R74", (7.0, 0), (7.0, -2.0))
    s.wire((7.0, -2.0), (8.6, -2.0))
    s.net("SHORT_LEVEL", (8.6, -2.0), "right")
    s.two("R75", (7.0, -2.0), (7.0, -4.0), "right")
    s.net("GND", (7.0, -4.0), "bottom")
    s.net("SAFETY_SHUNT", (12.0, 1.2), "left")
    s.two("R76", (12.0, 1.2), (14.0, 1.2))
    s.wire((14.0, 1.2), (16.6, 1.2))
    s.net("WATCHED", (15.2, 1.2), "top")
    s.two("C21", (14.6, 1.2), (14.6, -1.0))
    s.net("GND", (14.6, -1.0), "bottom")
    s.two("R77", (16.6, 1.2), (18.6, 1.2))
    s.net("OVERPRESSURE", (18.6, 1.2), "right")
    s.net("SHORT_LEVEL", (18.6, -0.6), "left")
    s.two("R80", (18.6, -0.6), (20.6, -0.6))
    s.net("OVERPRESSURE", (20.6, -0.6), "right")
    s.box("U3", (14.6, -3.4), 3.4, ["INA-", "INA+", "INB+", "INB-"], ["OUTA", "OUTB", "VCC", "GND"])
    s.two("R78", (24.0, -2.6), (24.0, -4.6), "left")
    s.net("V5", (24.0, -2.6), "top")
    s.wire((24.0, -4.6), (24.6, -4.6))
    s.net("OVERPRESSURE", (24.6, -4.6), "right")
    s.two("C22", (28.6, -2.6), (28.6, -4.6))
    s.net("V5", (28.6, -2.6), "top")
    s.net("GND", (28.6, -4.6), "bottom")
    for n, ref in enumerate(("Q5", "Q6", "Q7", "Q9")):
        x, y = 2.4 + 6.6 * n, -10.4
        s.net("OVERPRESSURE", (x, y), "left")
        drain, source = s.fet(ref, (x, y))
        s.net("GND", source, "bottom")
        s.wire(drain, (drain[0], drain[1] + 0.4))
        s.net(parts[ref].nets["D"], (drain[0], drain[1] + 0.4), "top")
    s.two("R79", (28.8, -9.4), (28.8, -11.4))
    s.net("V3V3", (28.8, -9.4), "top")
    s.wire((28.8, -11.4), (29.4, -11.4))
    s.net("TRIP", (29.4, -11.4), "right")
    return s


def _outputs(parts: dict[str, Part]) -> Sheet:
    s = Sheet(parts, "outputs", "Outputs and button: cell-safe relay, monitor output, coil rail lamp")
    s.net("CELL_SAFE", (0, 0), "left")
    s.two("R81", (0, 0), (2, 0))
    s.wire((2, 0), (3, 0))
    s.two("R82", (2.4, 0), (2.4, -2.2), "left")
    s.net("GND", (2.4, -2.2), "bottom")
    s.dot((2.4, 0))
    s.fet("Q8", (3, 0))
    s.net("GND", (4, -1), "bottom")
    s.wire((4, 1), (4, 1.8), (8.3, 1.8))
    s.two("D71", (5.6, 4.0), (5.6, 1.8), "left")
    s.net("COIL_RAIL", (5.6, 4.0), "top")
    s.dot((5.6, 1.8))
    s.box("K1", (9.0, 3.06), 2.6, ["A1", "A2"], ["COM", "NO"], tags=False)
    s.net("COIL_RAIL", (8.3, 2.5), "left")
    s.wire((12.3, 2.5), (14.3, 2.5))
    s.wire((12.3, 1.8), (14.3, 1.8))
    s.box("J1", (15.0, 3.06), 1.6, ["1", "2"], tags=False)
    y = -5.0
    s.net("MONITOR", (0, y), "left")
    s.two("R83", (0, y), (2.2, y))
    s.two("C31", (2.2, y), (2.2, y - 2.2), "left")
    s.net("GND", (2.2, y - 2.2), "bottom")
    s.wire((2.2, y), (2.8, y))
    s.two("R84", (2.8, y), (5.0, y))
    s.two("C32", (5.0, y), (5.0, y - 2.2), "left")
    s.net("GND", (5.0, y - 2.2), "bottom")
    s.wire((5.0, y), (6.5, y))
    s.box("U4", (7.2, y + 0.56), 2.4, ["IN+", "IN-"], ["OUT", "V+", "V-"], tags=False)
    s.wire((10.3, y), (10.9, y), (10.9, y + 1.8), (6.0, y + 1.8), (6.0, y - 0.7), (6.5, y - 0.7))
    s.net("V5", (10.3, y - 0.7), "right")
    s.net("GND", (10.3, y - 1.4), "right")
    s.wire((10.9, y), (11.6, y))
    s.two("R87", (11.6, y), (13.6, y))
    s.wire((13.6, y), (15.3, y))
    s.two("D72", (14.4, y), (14.4, y - 2.2), "left")
    s.dot((14.4, y))
    s.net("GND", (14.4, y - 2.2), "bottom")
    s.box("J2", (16.0, y + 0.56), 1.6, ["1", "2"], tags=False)
    s.net("GND", (15.3, y - 0.7), "bottom")
    y = -10.4
    s.net("BUTTON", (0, y), "left")
    s.two("R88", (0, y), (2.2, y))
    s.two("S1", (2.2, y), (4.4, y))
    s.net("GND", (4.4, y), "bottom")
    s.net("COIL_RAIL", (9, y), "left")
    s.two("R89", (9, y), (11.2, y))
    s.two("D73", (13.4, y), (11.2, y), "bottom")
    s.net("GND", (13.4, y), "bottom")
    return s


def _chips(parts: dict[str, Part]) -> Sheet:
    s = Sheet(
        parts,
        "controller",
        "Controller and converters",
    )
    left = [f"GP{n}" for n in range(16)]
    right = [
        "VSYS",
        "VBUS",
        "3V3",
        "3V3_EN",
        "GND",
        "AGND",
        "ADC_VREF",
        "RUN",
        *(f"GP{n}" for n in range(16, 23)),
    ]
    s.box("U10", (4, 0), 5.0, left, [*right, "GP25", "GP26", "GP27", "GP28"])
    s.box(
        "U11", (21, 0), 3.6, ["AIN0", "AIN1", "AIN2", "AIN3", "ADDR"], ["VDD", "SDA", "SCL", "ALERT", "GND"]
    )
    s.box("U12", (21, -5.8), 3.6, ["V+", "GND", "ADD0"], ["SDA", "SCL", "ALERT"])
    s.box("U14", (21, -10.0), 3.6, ["VIN", "GND"], ["VOUT"])
    s.two("C45", (30.5, -9.2), (30.5, -11.2))
    s.net("REFERENCE_INPUT", (30.5, -9.2), "top")
    s.net("GND", (30.5, -11.2), "bottom")
    for n, ref in enumerate(("R91", "R92")):
        s.two(ref, (30.5 + 2.6 * n, 0), (30.5 + 2.6 * n, -2))
        s.net("V3V3", (30.5 + 2.6 * n, 0), "top")
        s.net(parts[ref].nets["2"], (30.5 + 2.6 * n, -2), "bottom")
    for n, ref in enumerate(("C42", "C43", "C44")):
        s.two(ref, (30.5 + 2.2 * n, -4.8), (30.5 + 2.2 * n, -6.8))
        s.net("V3V3", (30.5 + 2.2 * n, -4.8), "top")
        s.net("GND", (30.5 + 2.2 * n, -6.8), "bottom")
    y = -16.4
    digital = ["CS", "SCLK", "SDI", "SDO", "DRDY", "DVDD", "VDD", "DGND", "GND1", "GND2"]
    analogue = ["BIAS", "REFIN+", "REFIN-", "ISENSOR", "FORCE+", "FORCE2", "RTDIN+", "RTDIN-", "FORCE-", "NC"]
    s.box("U13", (8, y), 4.4, digital, analogue)
    s.two("R93", (18.4, y - 0.4), (18.4, y - 2.4))
    s.net("RTD_BIAS", (18.4, y - 0.4), "top")
    s.net("RTD_REF", (18.4, y - 2.4), "bottom")
    s.two("C41", (18.4, y - 4.6), (18.4, y - 6.6))
    s.net("RTD_PLUS", (18.4, y - 4.6), "top")
    s.net("RTD_MINUS", (18.4, y - 6.6), "bottom")
    s.box("TE1", (26.0, y - 2.0), 2.8, ["A", "A'", "B'", "B"])
    return s
