"""The circuit: every part with the net on each of its pins; source of netlist, schematic and parts list.

Nets that reach the Pico have the names of firmware/pins.py. electrical.py checks the values.
"""

from __future__ import annotations

from dataclasses import dataclass

# name -> (reference prefix, ((pin number, pin name, electrical type), ...))
TWO = (("1", "1", "PASSIVE"), ("2", "2", "PASSIVE"))
DIODE = (("1", "K", "PASSIVE"), ("2", "A", "PASSIVE"))
FET = (("1", "G", "INPUT"), ("2", "S", "PASSIVE"), ("3", "D", "PASSIVE"))
KINDS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "R": TWO, "C": TWO, "FUSE": TWO, "COIL": TWO, "BUTTON": TWO, "CONTACT": TWO, "TRANSDUCER": TWO,
    "DIODE": DIODE, "SCHOTTKY": DIODE, "ZENER": DIODE, "TVS": DIODE, "LED": DIODE, "LIMITER": DIODE,
    "CLAMP": (("1", "LOW", "PASSIVE"), ("2", "HIGH", "PASSIVE"), ("3", "MID", "PASSIVE")),
    "NMOS": FET, "PMOS": FET,
    "NPN": (("1", "B", "INPUT"), ("2", "E", "PASSIVE"), ("3", "C", "PASSIVE")),
    "POT": (("1", "TOP", "PASSIVE"), ("2", "WIPER", "PASSIVE"), ("3", "BOTTOM", "PASSIVE")),
    "RELAY": (("1", "A1", "PASSIVE"), ("2", "A2", "PASSIVE"), ("3", "COM", "PASSIVE"), ("4", "NO", "PASSIVE")),
    "SOURCE": (("1", "+", "PWROUT"), ("2", "-", "PWROUT")),
    "OUTLET": TWO,
    "BUCK": (("1", "VIN", "PWRIN"), ("2", "GND", "PWRIN"), ("3", "VOUT", "PWROUT")),
    "REFERENCE": (("1", "VIN", "PWRIN"), ("2", "VOUT", "OUTPUT"), ("3", "GND", "PWRIN")),
    "SHUNT": (("1", "K", "PASSIVE"), ("2", "A", "PASSIVE")),
    "COMPARATOR": (
        ("1", "OUTA", "OPENCOLL"), ("2", "INA-", "INPUT"), ("3", "INA+", "INPUT"), ("4", "GND", "PWRIN"),
        ("5", "INB+", "INPUT"), ("6", "INB-", "INPUT"), ("7", "OUTB", "OPENCOLL"), ("8", "VCC", "PWRIN"),
    ),
    "OPAMP": (
        ("1", "OUT", "OUTPUT"), ("2", "V-", "PWRIN"), ("3", "IN+", "INPUT"), ("4", "IN-", "INPUT"),
        ("5", "V+", "PWRIN"),
    ),
    "ADS1115": (
        ("1", "ADDR", "INPUT"), ("2", "ALERT", "NOCONNECT"), ("3", "GND", "PWRIN"), ("4", "AIN0", "INPUT"),
        ("5", "AIN1", "INPUT"), ("6", "AIN2", "INPUT"), ("7", "AIN3", "INPUT"), ("8", "VDD", "PWRIN"),
        ("9", "SDA", "BIDIR"), ("10", "SCL", "INPUT"),
    ),
    "TMP117": (
        ("1", "SCL", "INPUT"), ("2", "GND", "PWRIN"), ("3", "ALERT", "NOCONNECT"), ("4", "ADD0", "INPUT"),
        ("5", "V+", "PWRIN"), ("6", "SDA", "BIDIR"),
    ),
    "MAX31865": tuple(
        (str(n), name, kind)
        for n, (name, kind) in enumerate(
            (
                ("DRDY", "OUTPUT"), ("DVDD", "PWRIN"), ("VDD", "PWRIN"), ("BIAS", "PASSIVE"), ("REFIN+", "INPUT"),
                ("REFIN-", "PASSIVE"), ("ISENSOR", "PASSIVE"), ("FORCE+", "PASSIVE"), ("FORCE2", "PASSIVE"),
                ("RTDIN+", "INPUT"), ("RTDIN-", "INPUT"), ("FORCE-", "PASSIVE"), ("GND2", "PWRIN"), ("SDI", "INPUT"),
                ("SCLK", "INPUT"), ("CS", "INPUT"), ("SDO", "TRISTATE"), ("DGND", "PWRIN"), ("GND1", "PWRIN"),
                ("NC", "NOCONNECT"),
            ),
            1,
        )
    ),
    "PT1000": (("1", "A", "PASSIVE"), ("2", "A'", "PASSIVE"), ("3", "B", "PASSIVE"), ("4", "B'", "PASSIVE")),
}  # fmt: skip
_PHYSICAL = (1, 2, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15, 16, 17, 19, 20, 21, 22, 24, 25, 26, 27, 29)
_OUTPUTS = (1, *range(2, 8), 14, 17, 18, 19, 22)
KINDS["PICO"] = (
    *(
        (str(pin), f"GP{gp}", "BIDIR" if gp == 0 else "OUTPUT" if gp in _OUTPUTS else "INPUT")
        for gp, pin in enumerate(_PHYSICAL)
    ),
    ("31", "GP26", "INPUT"),
    ("32", "GP27", "OUTPUT"),
    ("34", "GP28", "NOCONNECT"),
    ("LED", "GP25", "NOCONNECT"),  # inside the module
    ("30", "RUN", "NOCONNECT"),
    ("33", "AGND", "PWRIN"),
    ("35", "ADC_VREF", "NOCONNECT"),
    ("36", "3V3", "PWROUT"),
    ("37", "3V3_EN", "NOCONNECT"),
    ("38", "GND", "PWRIN"),
    ("39", "VSYS", "PWRIN"),
    ("40", "VBUS", "NOCONNECT"),
)


@dataclass(frozen=True)
class Part:
    """One part; `nets` maps pin names to nets. Pins without a net are unconnected on purpose."""

    ref: str
    kind: str
    value: str
    nets: dict[str, str]
    sheet: str
    field: bool = False  # on the rig, not on the board; drawn because a wire ends there


def circuit() -> list[Part]:
    """Return all parts."""
    parts: list[Part] = []

    def put(sheet: str, ref: str, kind: str, value: str, *nets: str, field: bool = False) -> None:
        names = [name for _, name, electrical in KINDS[kind] if electrical != "NOCONNECT"]
        parts.append(Part(ref, kind, value, dict(zip(names, nets, strict=True)), sheet, field))

    _power(put)
    _drivers(put)
    _loops(put)
    _comparator(put)
    _outputs(put)
    _controller(put)
    assert len({part.ref for part in parts}) == len(parts)
    return parts


VALVES = ("FILL", "VENT", "SUPPLY_ISOLATION", "VENT_ISOLATION", "RELIEF")
LOOPS = (("CONTROL", "PT1"), ("SAFETY", "PT2"), ("SUPPLY", "PT3"))


def _power(put) -> None:  # type: ignore[no-untyped-def]
    # 24 V, fused and protected against reversal. The logic branch has its own diode and hold-up, so that a coil
    # that pulls the input down does not reset the board.
    put("power", "PS1", "SOURCE", "24 V isolated", "V24_IN", "GND", field=True)
    put("power", "F1", "FUSE", "2 A slow", "V24_IN", "V24_FUSED")
    put("power", "D1", "SCHOTTKY", "60 V 3 A", "V24", "V24_FUSED")
    put("power", "D2", "TVS", "28 V stand-off", "V24", "GND")
    put("power", "C1", "C", "100u 50V", "V24", "GND")
    put("power", "D3", "SCHOTTKY", "60 V 1 A", "V24_LOGIC", "V24")
    put("power", "C2", "C", "4700u 35V", "V24_LOGIC", "GND")
    put("power", "U1", "BUCK", "5 V 1 A", "V24_LOGIC", "GND", "V5")
    put("power", "C3", "C", "22u 10V", "V5", "GND")
    put("power", "D4", "SCHOTTKY", "20 V 1 A", "VSYS", "V5")
    # Coil rail: only edges of HEARTBEAT drive the charge pump. It holds longer than the longest write to flash and
    # releases before the watchdog: that needs the narrow threshold of a bipolar transistor. C6 makes it snap off.
    put("power", "R1", "R", "470", "HEARTBEAT", "PUMP_IN")
    put("power", "C4", "C", "2.2u", "PUMP_IN", "PUMP")
    put("power", "D5", "CLAMP", "Schottky pair", "GND", "PUMP_OUT", "PUMP")
    put("power", "C5", "C", "1u", "PUMP_OUT", "GND")
    put("power", "C6", "C", "10n", "COIL_RAIL", "PUMP_OUT")
    put("power", "R2", "R", "1M", "PUMP_OUT", "GND")
    # RAIL_CUT discharges C5 faster than a beat can charge it through R1: the rail goes off at once and stays off.
    put("power", "R10", "R", "330", "RAIL_CUT", "CUT_GATE")
    put("power", "R20", "R", "4.7k", "CUT_GATE", "GND")
    put("power", "R30", "R", "47", "PUMP_OUT", "PUMP_DRAIN")
    put("power", "Q10", "NMOS", "60 V 0.2 A", "CUT_GATE", "GND", "PUMP_DRAIN")
    put("power", "R9", "R", "470k", "PUMP_OUT", "RAIL_BASE")
    put("power", "Q1", "NPN", "65 V, gain 200-450", "RAIL_BASE", "GND", "RAIL_PULL")
    put("power", "R3", "R", "100k", "RAIL_PULL", "RAIL_GATE")
    put("power", "R4", "R", "100k", "V24", "RAIL_GATE")
    put("power", "D6", "ZENER", "15 V", "V24", "RAIL_GATE")
    put("power", "Q2", "PMOS", "-60 V 3 A", "RAIL_GATE", "V24", "COIL_RAIL")
    # Freewheeling path of a coil that is on when its rail is cut.
    put("power", "D10", "SCHOTTKY", "60 V 3 A", "COIL_RAIL", "GND")
    put("power", "D20", "SCHOTTKY", "60 V 1 A", "RELIEF_RAIL", "GND")
    put("power", "R5", "R", "33k", "COIL_RAIL", "RAIL")
    put("power", "R6", "R", "3.9k", "RAIL", "GND")
    put("power", "D7", "CLAMP", "Schottky pair", "GND", "V3V3", "RAIL")
    # Second feed of the relief coil from 24 V, switched by the comparator only.
    put("power", "D8", "SCHOTTKY", "60 V 1 A", "RELIEF_RAIL", "COIL_RAIL")
    put("power", "Q3", "PMOS", "-60 V 3 A", "RELIEF_GATE_HIGH", "V24", "RELIEF_RAIL")
    put("power", "R7", "R", "10k", "V24", "RELIEF_GATE_HIGH")
    put("power", "D9", "ZENER", "15 V", "V24", "RELIEF_GATE_HIGH")
    put("power", "R8", "R", "10k", "RELIEF_PULL", "RELIEF_GATE_HIGH")
    put("power", "Q4", "NMOS", "60 V 0.2 A", "OVERPRESSURE", "GND", "RELIEF_PULL")


def _drivers(put) -> None:  # type: ignore[no-untyped-def]
    for n, name in enumerate(VALVES, 1):
        rail = "RELIEF_RAIL" if name == "RELIEF" else "COIL_RAIL"
        put("drivers", f"XV{n}", "COIL", "24 V 10 W, NC", rail, f"{name}_COIL", field=True)
        put("drivers", f"Q1{n}", "NMOS", "55 V, on at 2.7 V", f"{name}_GATE", "GND", f"{name}_COIL")
        put("drivers", f"R1{n}", "R", "330", name, f"{name}_GATE")
        put("drivers", f"R2{n}", "R", "4.7k", f"{name}_GATE", "GND")
        put("drivers", f"D1{n}", "TVS", "36 V stand-off", f"{name}_COIL", "GND")
        put("drivers", f"R3{n}", "R", "33k", f"{name}_COIL", f"{name}_DRAIN")
        put("drivers", f"R4{n}", "R", "3.9k", f"{name}_DRAIN", "GND")
        put("drivers", f"D2{n}", "CLAMP", "Schottky pair", "GND", "V3V3", f"{name}_DRAIN")


def _loops(put) -> None:  # type: ignore[no-untyped-def]
    for n, (name, transducer) in enumerate(LOOPS, 1):
        # A dead 3.3 V rail draws current through clamp and resistor from the shunt that the comparator also reads.
        pin, series = ("SAFETY_ADC", "10k") if name == "SAFETY" else (f"{name}_INPUT", "1k")
        put("loops", f"F1{n}", "FUSE", "50 mA resettable", "V24_LOGIC", f"{name}_PLUS")
        put(
            "loops",
            transducer,
            "TRANSDUCER",
            "0-10 MPa abs, 4-20 mA",
            f"{name}_PLUS",
            f"{name}_LOOP",
            field=True,
        )
        put("loops", f"D3{n}", "TVS", "28 V stand-off", f"{name}_LOOP", "GND")
        put("loops", f"D4{n}", "LIMITER", "30 mA", f"{name}_SHUNT", f"{name}_LOOP")
        put("loops", f"R5{n}", "R", "100 0.1%", f"{name}_SHUNT", "GND")
        put("loops", f"R6{n}", "R", series, f"{name}_SHUNT", pin)
        put("loops", f"C1{n}", "C", "100n", pin, "GND")
        put("loops", f"D5{n}", "CLAMP", "low-leakage pair", "GND", "V3V3", pin)


def _comparator(put) -> None:  # type: ignore[no-untyped-def]
    # Over-pressure is a current between the trip and 20.5 mA; more is a shorted loop. Runs on 5 V, without the Pico.
    put("comparator", "R71", "R", "1.5k", "V5", "V2V5")
    put("comparator", "U2", "SHUNT", "2.5 V 0.5%", "V2V5", "GND")
    put("comparator", "R72", "R", "3.3k", "V2V5", "TRIP_TOP")
    put("comparator", "RV1", "POT", "10k 20 turns", "TRIP_TOP", "TRIP_LEVEL", "TRIP_BOTTOM")
    put("comparator", "R73", "R", "4.7k", "TRIP_BOTTOM", "GND")
    put("comparator", "R74", "R", "2.2k 0.1%", "V2V5", "SHORT_LEVEL")
    put("comparator", "R75", "R", "10k 0.1%", "SHORT_LEVEL", "GND")
    put("comparator", "R76", "R", "1k", "SAFETY_SHUNT", "WATCHED")
    put("comparator", "C21", "C", "100n", "WATCHED", "GND")
    # R77 adds hysteresis to the trip but has the wrong sign at the upper level; R80 outweighs it there.
    put("comparator", "R77", "R", "330k", "WATCHED", "OVERPRESSURE")
    put("comparator", "R80", "R", "220k", "SHORT_LEVEL", "OVERPRESSURE")
    put("comparator", "U3", "COMPARATOR", "dual, open collector", "OVERPRESSURE", "TRIP_LEVEL", "WATCHED", "GND",
        "SHORT_LEVEL", "WATCHED", "OVERPRESSURE", "V5")  # fmt: skip
    put("comparator", "C22", "C", "100n", "V5", "GND")
    put("comparator", "R78", "R", "2.2k", "V5", "OVERPRESSURE")
    put("comparator", "Q5", "NMOS", "60 V 0.2 A", "OVERPRESSURE", "GND", "TRIP")
    put("comparator", "R79", "R", "10k", "V3V3", "TRIP")
    put("comparator", "Q6", "NMOS", "60 V 0.2 A", "OVERPRESSURE", "GND", "FILL_GATE")
    put("comparator", "Q7", "NMOS", "60 V 0.2 A", "OVERPRESSURE", "GND", "SUPPLY_ISOLATION_GATE")
    put("comparator", "Q9", "NMOS", "55 V, on at 2.7 V", "OVERPRESSURE", "GND", "RELIEF_COIL")


def _outputs(put) -> None:  # type: ignore[no-untyped-def]
    # The relay is fed from the coil rail: without a heartbeat its contact opens.
    put("outputs", "K1", "RELAY", "24 V, 1 NO", "COIL_RAIL", "RELAY_COIL", "CYCLER_COM", "CYCLER_OK")
    put("outputs", "D71", "DIODE", "100 V 0.2 A", "COIL_RAIL", "RELAY_COIL")
    put("outputs", "Q8", "NMOS", "60 V 0.2 A", "RELAY_GATE", "GND", "RELAY_COIL")
    put("outputs", "R81", "R", "1k", "CELL_SAFE", "RELAY_GATE")
    put("outputs", "R82", "R", "4.7k", "RELAY_GATE", "GND")
    put("outputs", "J1", "OUTLET", "cycler's interlock", "CYCLER_COM", "CYCLER_OK")
    put("outputs", "R83", "R", "10k", "MONITOR", "MONITOR_1")
    put("outputs", "C31", "C", "1u", "MONITOR_1", "GND")
    put("outputs", "R84", "R", "10k", "MONITOR_1", "MONITOR_2")
    put("outputs", "C32", "C", "1u", "MONITOR_2", "GND")
    put(
        "outputs", "U4", "OPAMP", "rail to rail", "MONITOR_BUFFER", "GND", "MONITOR_2", "MONITOR_BUFFER", "V5"
    )
    put("outputs", "R87", "R", "100", "MONITOR_BUFFER", "MONITOR_OUT")
    put("outputs", "D72", "TVS", "5 V stand-off", "MONITOR_OUT", "GND")
    put("outputs", "J2", "OUTLET", "cycler's analogue input", "MONITOR_OUT", "GND")
    put("outputs", "S1", "BUTTON", "maintenance", "BUTTON_WIRE", "GND")
    put("outputs", "R88", "R", "1k", "BUTTON", "BUTTON_WIRE")
    put("outputs", "R89", "R", "10k", "COIL_RAIL", "LAMP")
    put("outputs", "D73", "LED", "coil rail on", "GND", "LAMP")


def _controller(put) -> None:  # type: ignore[no-untyped-def]
    gpio = (
        "SDA", "SCL", *VALVES, "HEARTBEAT", *(f"{name}_DRAIN" for name in VALVES), "TRIP", "CELL_SAFE", "BUTTON",
        "MISO", "RTD_SELECT", "SCK", "MOSI", "RTD_READY", "RAIL", "MONITOR", "SAFETY_ADC", "RAIL_CUT",
    )  # fmt: skip
    put("controller", "U10", "PICO", "Pico or Pico 2", *gpio, "GND", "V3V3", "GND", "VSYS")
    put("controller", "U11", "ADS1115", "16 bit", "GND", "GND", "CONTROL_INPUT", "SUPPLY_INPUT", "REFERENCE_INPUT",
        "GND", "V3V3", "SDA", "SCL")  # fmt: skip
    put(
        "controller",
        "U12",
        "TMP117",
        "on the transducers' block",
        "SCL",
        "GND",
        "V3V3",
        "V3V3",
        "SDA",
        field=True,
    )
    put("controller", "U13", "MAX31865", "RTD converter", "RTD_READY", "V3V3", "V3V3", "RTD_BIAS", "RTD_BIAS",
        "RTD_REF", "RTD_REF", "RTD_FORCE", "GND", "RTD_PLUS", "RTD_MINUS", "RTD_RETURN", "GND", "MOSI", "SCK",
        "RTD_SELECT", "MISO", "GND", "GND")  # fmt: skip
    put("controller", "U14", "REFERENCE", "1.25 V 0.2%", "V3V3", "REFERENCE_INPUT", "GND")
    put(
        "controller",
        "TE1",
        "PT1000",
        "class A, 4 wires",
        "RTD_FORCE",
        "RTD_PLUS",
        "RTD_RETURN",
        "RTD_MINUS",
        field=True,
    )
    put("controller", "R91", "R", "2.2k", "V3V3", "SDA")
    put("controller", "R92", "R", "2.2k", "V3V3", "SCL")
    put("controller", "R93", "R", "4.0k 0.1% 10ppm", "RTD_BIAS", "RTD_REF")
    put("controller", "C41", "C", "10n", "RTD_PLUS", "RTD_MINUS")
    for n in (42, 43, 44):
        put("controller", f"C{n}", "C", "100n", "V3V3", "GND")
    put("controller", "C45", "C", "1u", "REFERENCE_INPUT", "GND")
