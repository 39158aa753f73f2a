"""Layout of the schematic pages of outputs, isolated monitor and sensor bus, gas sensor and controller."""

from __future__ import annotations

from hardware.design.circuit import Part
from hardware.design.sheet import Sheet
from hardware.design.sheets_safety import _stack


def _outputs(parts: dict[str, Part]) -> Sheet:
    s = Sheet(parts, "outputs", "Cell-safe relay for the cycler's interlock, maintenance button")
    s.net("CELL_SAFE", (0, 0), "left")
    s.two("R81", (0, 0), (2, 0))
    s.wire((2, 0), (3, 0))
    s.two("R82", (2.4, 0), (2.4, -2.2), "left")
    s.net("GND", (2.4, -2.2), "bottom")
    s.fet("Q8", (3, 0))
    s.net("GND", (4, -1), "bottom")
    s.wire((4, 1), (4, 1.8), (8.3, 1.8))
    s.two("D71", (5.6, 4.0), (5.6, 1.8), "left")
    s.net("COIL_RAIL", (5.6, 4.0), "top")
    s.box("K1", (9.0, 3.06), 2.6, ["A1", "A2"], ["COM", "NO"], tags=False)
    s.net("COIL_RAIL", (8.3, 2.5), "left")
    s.two("F29", (16.8, 2.5), (14.6, 2.5))
    s.wire((12.3, 2.5), (14.6, 2.5))
    s.wire((16.8, 2.5), (20.4, 2.5))
    s.net("CYCLER_COM", (18.0, 2.5), "top")
    s.wire((12.3, 1.8), (13.2, 1.8), (13.2, 0.3), (18.4, 0.3), (18.4, 1.8), (20.6, 1.8))
    s.two("D81", (17.2, 2.5), (17.2, 0.3), "left")
    s.net("CYCLER_OK", (15.4, 0.3), "bottom")
    s.box("J1", (21.6, 4.46), 1.8, ["1", "2", "3", "4"], tags=False)
    s.wire((20.9, 3.9), (20.4, 3.9), (20.4, 3.2), (20.9, 3.2))
    s.wire((20.4, 3.2), (20.4, 2.5))
    s.wire((20.9, 2.5), (20.6, 2.5), (20.6, 1.8), (20.9, 1.8))
    y = -5.0
    s.net("BUTTON", (0, y), "left")
    s.wire((0, y), (5.0, y))
    s.clamp("D80", (1.6, y))
    s.net("V3V3", (1.6, y + 1.2), "top")
    s.net("GND", (1.6, y - 1.2), "bottom")
    s.two("R88", (5.0, y), (7.2, y))
    s.net("BUTTON_WIRE", (7.2, y), "right")
    s.box("X6", (13.0, y + 0.9), 1.8, ["1", "2"])
    s.net("BUTTON_WIRE", (20.0, y), "left")
    s.two("S1", (20.0, y), (22.2, y))
    s.net("GND", (22.2, y), "bottom")
    return s


def _supply(s: Sheet, dcdc: str, capacitor: str, domain: str, corner: tuple[float, float]) -> None:
    """Draw the isolated supply of a domain."""
    x, y = corner
    s.box(dcdc, (x, y), 3.4, ["+VIN", "-VIN", "ON"], ["+VOUT", "-VOUT", "NC", "NC2"])
    _stack(s, ((capacitor, f"V3{domain}", f"GND_{domain}"),), (x + 10.8, y), 3.0)


def _monitor(parts: dict[str, Part]) -> Sheet:
    s = Sheet(parts, "monitor", "Isolated monitor output for the cycler's analogue input")
    _supply(s, "U24", "C61", "M", (3.0, 4.6))
    s.box("U23", (3.0, 0.0), 3.4, ["VDD1", "VIA", "VIB", "GND1"], ["VDD2", "VOA", "VOB", "GND2"])
    _stack(s, (("C63", "V3V3", "GND"),), (-2.6, -0.4))
    _stack(s, (("C67", "V3M", "GND_M"), ("C68", "V3M", "GND_M")), (15.6, 3.6), 2.8)
    y = -1.26
    s.net("MONITOR_PULSES", (13.8, y), "left")
    s.two("R83", (13.8, y), (16.0, y))
    s.two("C31", (16.0, y), (16.0, y - 2.2), "left")
    s.net("GND_M", (16.0, y - 2.2), "bottom")
    s.wire((16.0, y), (16.6, y))
    s.two("R84", (16.6, y), (18.8, y))
    s.two("C32", (18.8, y), (18.8, y - 2.2), "left")
    s.net("GND_M", (18.8, y - 2.2), "bottom")
    s.wire((18.8, y), (20.3, y))
    s.box("U4", (21.0, y + 0.56), 2.4, ["IN+", "IN-"], ["OUT", "V+", "V-"], tags=False)
    s.wire((24.1, y), (24.7, y), (24.7, y + 1.5), (19.8, y + 1.5), (19.8, y - 0.7), (20.3, y - 0.7))
    s.net("V3M", (24.1, y - 0.7), "right")
    s.net("GND_M", (24.1, y - 1.4), "right")
    s.wire((24.7, y), (25.4, y))
    s.two("R87", (25.4, y), (27.4, y), "bottom")
    s.wire((27.4, y), (29.2, y))
    s.two("D72", (28.2, y), (28.2, y - 2.2))
    s.net("GND_M", (28.2, y - 2.2), "bottom")
    s.two("F23", (29.2, y), (31.4, y))
    s.wire((31.4, y), (33.3, y))
    s.box("J2", (34.0, y + 0.56), 1.8, ["1", "2", "3"], tags=False)
    s.net("GND_M", (33.3, y - 0.7), "left")
    s.net("GND_M", (33.3, y - 1.4), "left")
    return s


def _wall(parts: dict[str, Part]) -> Sheet:
    s = Sheet(parts, "wall", "Isolated bus of the wall sensor")
    _supply(s, "U26", "C64", "W", (3.0, 4.6))
    s.box("U28", (3.0, 0.0), 3.6, ["VDD2", "SDA2", "SCL2", "GND2"], ["VDD1", "SDA1", "SCL1", "GND1"])
    _stack(s, (("C66", "V3V3", "GND"),), (-2.6, -0.4))
    _stack(s, (("C69", "V3W", "GND_W"),), (15.6, 3.6))
    _stack(s, (("R112", "V3W", "SDA_W"), ("R113", "V3W", "SCL_W")), (13.0, -0.4), 2.8)
    s.two("D69", (18.6, -0.4), (18.6, -2.4))
    s.net("V3W", (18.6, -0.4), "top")
    s.net("GND_W", (18.6, -2.4), "bottom")
    for n, (ref, net) in enumerate((("D67", "SDA_W"), ("D68", "SCL_W"))):
        x, y = 14.4 + 6.6 * n, -6.6
        s.clamp(ref, (x, y))
        s.wire((x, y), (x - 0.8, y))
        s.net(net, (x - 0.8, y), "left")
        s.net("V3W", (x, y + 1.2), "top")
        s.net("GND_W", (x, y - 1.2), "bottom")
    for n, (ref, net) in enumerate((("F24", "V3W"), ("F25", "SDA_W"), ("F26", "SCL_W"))):
        y = -0.6 - 1.9 * n
        s.net(net, (24.4, y), "left")
        s.two(ref, (24.4, y), (26.6, y))
        s.net(parts[ref].nets["2"], (26.6, y), "right")
    s.box("X5", (33.0, 1.0), 1.8, ["1", "2", "3", "4", "5"])
    s.box("U12", (33.0, -5.0), 3.6, ["V+", "GND", "ADD0"], ["SDA", "SCL", "ALERT"])
    return s


def _gas(parts: dict[str, Part]) -> Sheet:
    s = Sheet(parts, "gas", "Gas sensor: converter and protected wires of the PT1000")
    digital = ["CS", "SCLK", "SDI", "SDO", "DRDY", "DVDD", "VDD", "DGND", "GND1", "GND2"]
    analogue = ["BIAS", "REFIN+", "REFIN-", "ISENSOR", "FORCE+", "FORCE2", "RTDIN+", "RTDIN-", "FORCE-", "NC"]
    s.box("U13", (2, 0), 4.4, digital, analogue)
    rows = (
        ("R93", "RTD_BIAS", "RTD_MIDDLE"),
        ("R94", "RTD_MIDDLE", "RTD_REF"),
        ("C41", "RTD_PLUS", "RTD_MINUS"),
        ("C42", "V3V3", "GND"),
    )
    _stack(s, rows, (13.4, -0.6), 3.6)
    for n, (ref, clamp, name) in enumerate((("F27", "D76", "FORCE"), ("R117", "D77", "PLUS"), ("R118", "D78", "MINUS"),
                                            ("F28", "D79", "RETURN"))):  # fmt: skip
        x, y = 14.6 + 12.6 * (n % 2), -5.6 - 4.0 * (n // 2)
        s.net(f"RTD_{name}", (x, y), "left")
        s.wire((x, y), (x + 1.6, y))
        s.two(clamp, (x + 0.8, y), (x + 0.8, y - 2.0))
        s.net("GND", (x + 0.8, y - 2.0), "bottom")
        s.two(ref, (x + 1.6, y), (x + 3.8, y))
        s.net(f"TE_{name}", (x + 3.8, y), "right")
    s.box("X4", (39.6, -0.4), 1.8, ["1", "2", "3", "4"])
    s.box("TE1", (39.6, -5.4), 2.8, ["A", "A'", "B'", "B"])
    return s


def _chips(parts: dict[str, Part]) -> Sheet:
    s = Sheet(parts, "controller", "Controller, converter and reference")
    left = [f"GP{n}" for n in range(16)]
    right = ["VSYS", "VBUS", "3V3", "3V3_EN", "GND", "AGND", "ADC_VREF", "RUN", *(f"GP{n}" for n in range(16, 23)),
             "GP25", "GP26", "GP27", "GP28"]  # fmt: skip
    grounds = [f"GND{n}" for n in (3, 8, 13, 18, 23, 28)]
    s.box("U10", (4, 0), 5.0, [*left, *grounds], right)
    s.box(
        "U11", (21, 0), 3.6, ["AIN0", "AIN1", "AIN2", "AIN3", "ADDR"], ["VDD", "SDA", "SCL", "ALERT", "GND"]
    )
    s.box("U14", (21, -6.0), 3.6, ["VIN", "GND"], ["VOUT"])
    _stack(
        s,
        (
            ("C45", "REFERENCE_INPUT", "GND"),
            ("C57", "REFERENCE_ADC", "GND"),
            ("R122", "REFERENCE_ADC", "GND"),
        ),
        (16.4, -10.4),
        3.9,
    )
    s.net("REFERENCE_INPUT", (30.6, -11.4), "left")
    s.two("R119", (30.6, -11.4), (32.8, -11.4))
    s.net("REFERENCE_ADC", (32.8, -11.4), "right")
    _stack(s, (("R91", "V3V3", "SDA"), ("R92", "V3V3", "SCL")), (30.5, -0.6))
    _stack(s, (("C43", "V3V3", "GND"), ("C44", "V3V3", "GND")), (30.5, -6.4))
    return s


PAGES = (_outputs, _monitor, _wall, _gas, _chips)
