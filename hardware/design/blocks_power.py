"""24 V input, hold-up and 5 V; the coil rail with its current limit; the valve drivers."""

from __future__ import annotations

from typing import Any

VALVES = ("FILL", "VENT", "SUPPLY_ISOLATION", "VENT_ISOLATION", "RELIEF")


def add(put: Any) -> None:
    """Add the parts by calling `put`."""
    _input(put)
    _rail(put)
    _drivers(put)


def _input(put: Any) -> None:
    # 24 V, fused and protected against reversal. The logic branch has its own diode and hold-up, so that a coil
    # that pulls the input down does not reset the board.
    put("power", "PS1", "SOURCE", "24 V isolated", "V24_IN", "GND", field=True)
    put("power", "X1", "TERMINALS2", "24 V", "V24_IN", "GND")
    put("power", "F1", "FUSE", "2 A slow", "V24_IN", "V24_FUSED")
    put("power", "D1", "SCHOTTKY", "60 V 3 A", "V24", "V24_FUSED")
    put("power", "D2", "TVS", "28 V stand-off", "V24", "GND")
    put("power", "C1", "CP", "100u 50V", "V24", "GND")
    put("power", "D3", "SCHOTTKY", "60 V 1 A", "V24_LOGIC", "V24")
    # R36 limits the inrush into C2; D60 passes it by when C2 has to feed the logic.
    put("power", "R36", "R", "22 3W", "V24_LOGIC", "HOLD_UP")
    put("power", "D60", "SCHOTTKY", "60 V 1 A", "V24_LOGIC", "HOLD_UP")
    put("power", "C2", "CP", "6800u 35V", "HOLD_UP", "GND")
    put("power", "C46", "C", "2.2u 50V", "V24_LOGIC", "GND")
    put("power", "U1", "BUCK", "5 V 0.5 A", "V24_LOGIC", "GND", "V5")
    put("power", "C3", "C", "22u 10V", "V5", "GND")
    put("power", "D4", "SCHOTTKY", "20 V 1 A", "VSYS", "V5")
    for n in range(1, 5):
        put("board", f"H{n}", "HOLE", "M3")


def _rail(put: Any) -> None:
    # U20 limits the current into Q2 and retries by itself. Its fault output pulls RAIL low, so that the Pico sees an
    # overload as a lost rail. RAIL_CUT switches it off as well: a shorted Q2 can still be cut.
    gnd = dict.fromkeys(("OVP", "GND", "MODE", "PGTH", "PAD"), "GND")
    put("rail", "U20", "EFUSE", "60 V, 2 A limit", {
        **dict.fromkeys(("IN", "IN2", "IN3", "IN_SYS"), "V24"), **dict.fromkeys(("OUT", "OUT2", "OUT3"), "V24_COIL"),
        **gnd, "UVLO": "COIL_UVLO", "DVDT": "COIL_RAMP", "ILIM": "COIL_LIMIT", "SHDN": "COIL_OFF",
        "IMON": "COIL_AMPS", "FLT": "RAIL_FAULT"})  # fmt: skip
    put("rail", "R37", "R", "470k", "V24", "COIL_UVLO")
    put("rail", "R38", "R", "39k", "COIL_UVLO", "GND")
    put("rail", "R39", "R", "9.1k", "COIL_LIMIT", "GND")
    put("rail", "R40", "R", "22k", "COIL_AMPS", "GND")
    put("rail", "C47", "C", "22n", "COIL_RAMP", "GND")
    put("rail", "C48", "C", "1u 50V", "V24", "GND")
    put("rail", "C49", "C", "1u 50V", "V24_COIL", "GND")
    put("rail", "D61", "SCHOTTKY", "60 V 1 A", "V24_COIL", "GND")
    put("rail", "Q16", "NMOS", "60 V 0.2 A", "CUT_GATE", "GND", "COIL_OFF")
    put("rail", "D62", "SCHOTTKY", "30 V 0.2 A", "RAIL_FAULT", "RAIL")
    put("rail", "R99", "R", "2.2k", "V5", "FAULT_LAMP")
    put("rail", "D74", "LED", "overload", "RAIL_FAULT", "FAULT_LAMP")
    # Only edges of HEARTBEAT drive the charge pump. It holds longer than the longest write to flash and releases
    # before the watchdog: that needs the narrow threshold of a bipolar transistor. C6 makes it snap off.
    put("rail", "R1", "R", "470", "HEARTBEAT", "PUMP_IN")
    put("rail", "C4", "C", "2.2u", "PUMP_IN", "PUMP")
    put("rail", "D5", "CLAMP", "Schottky pair", "GND", "PUMP_OUT", "PUMP")
    # Without R120 a heartbeat that stops high leaves C4 in parallel with C5: the rail would hold three times as long.
    put("rail", "R120", "R", "33k", "PUMP", "GND")
    put("rail", "C5", "C", "1u", "PUMP_OUT", "GND")
    put("rail", "C6", "C", "10n", "COIL_RAIL", "PUMP_OUT")
    put("rail", "R2", "R", "1M", "PUMP_OUT", "GND")
    # RAIL_CUT discharges C5 faster than a beat can charge it through R1: the rail goes off at once and stays off.
    put("rail", "R10", "R", "330", "RAIL_CUT", "CUT_GATE")
    put("rail", "R20", "R", "4.7k", "CUT_GATE", "GND")
    put("rail", "R30", "R", "47", "PUMP_OUT", "PUMP_DRAIN")
    put("rail", "Q10", "NMOS", "60 V 0.2 A", "CUT_GATE", "GND", "PUMP_DRAIN")
    put("rail", "R9", "R", "470k", "PUMP_OUT", "RAIL_BASE")
    put("rail", "Q1", "NPN", "65 V, gain 200-450", "RAIL_BASE", "GND", "RAIL_PULL")
    put("rail", "R3", "R", "100k", "RAIL_PULL", "RAIL_GATE")
    put("rail", "R4", "R", "100k", "V24_COIL", "RAIL_GATE")
    put("rail", "D6", "ZENER", "15 V", "V24_COIL", "RAIL_GATE")
    put("rail", "Q2", "PMOS", "-60 V 3 A", "RAIL_GATE", "COIL_RAIL", "V24_COIL")
    # Freewheeling path of a coil that is on when its rail is cut.
    put("rail", "D10", "SCHOTTKY", "60 V 3 A", "COIL_RAIL", "GND")
    put("rail", "R5", "R", "33k", "COIL_RAIL", "RAIL")
    put("rail", "R6", "R", "3.9k", "RAIL", "GND")
    put("rail", "D7", "CLAMP", "Schottky pair", "GND", "V3V3", "RAIL")
    put("rail", "R89", "R", "10k", "COIL_RAIL", "LAMP")
    put("rail", "D73", "LED", "coil rail on", "GND", "LAMP")


def _drivers(put: Any) -> None:
    terminals = []
    for n, name in enumerate(VALVES, 1):
        rail = "RELIEF_RAIL" if name == "RELIEF" else "COIL_RAIL"
        terminals += [rail, f"{name}_COIL"]
        put("drivers", f"XV{n}", "COIL", "24 V 10 W, NC", rail, f"{name}_COIL", field=True)
        put("drivers", f"Q1{n}", "LOWSIDE", "60 V protected", f"{name}_GATE", f"{name}_COIL", "GND")
        put("drivers", f"R1{n}", "R", "330", name, f"{name}_GATE")
        put("drivers", f"R2{n}", "R", "4.7k", f"{name}_GATE", "GND")
        put("drivers", f"D1{n}", "TVS", "36 V stand-off", f"{name}_COIL", "GND")
        put("drivers", f"R3{n}", "R", "33k", f"{name}_COIL", f"{name}_DRAIN")
        put("drivers", f"R4{n}", "R", "3.9k", f"{name}_DRAIN", "GND")
        put("drivers", f"D2{n}", "CLAMP", "Schottky pair", "GND", "V3V3", f"{name}_DRAIN")
    put("drivers", "X2", "TERMINALS10", "coils", *terminals)
