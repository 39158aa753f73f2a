"""Current loops, cell-safe relay, isolated monitor output and sensor bus, button, controller and converters."""

from __future__ import annotations

from typing import Any

from hardware.design.blocks_power import VALVES

LOOPS = (("CONTROL", "PT1"), ("SAFETY", "PT2"), ("SUPPLY", "PT3"))
TEST_POINTS = (
    "V24", "V24_LOGIC", "V24_COIL", "V5", "V3V3", "GND", "V2V5", "TRIP_LEVEL", "PUMP_OUT", "COIL_RAIL", "COIL_AMPS",
    "RELIEF_RAIL", "OVER", "LATCH", "ALIVE_LEVEL", "ALONE", "CONTROL_SHUNT", "SAFETY_SHUNT", "SUPPLY_SHUNT", "V3M",
    "V3W",
)  # fmt: skip


def add(put: Any) -> None:
    """Add the parts by calling `put`."""
    _loops(put)
    _outputs(put)
    _monitor(put)
    _wall(put)
    _gas(put)
    _controller(put)
    for n, net in enumerate(TEST_POINTS, 1):
        put("board", f"TP{n}", "TEST", net, net)


def _loops(put: Any) -> None:
    terminals = []
    for n, (name, transducer) in enumerate(LOOPS, 1):
        # A dead 3.3 V rail draws current through clamp and resistor from the shunt that the comparator also reads.
        pin, series = ("SAFETY_ADC", "10k") if name == "SAFETY" else (f"{name}_INPUT", "1k")
        terminals += [f"{name}_PLUS", f"{name}_LOOP"]
        put("loops", f"F1{n}", "PTC", "100 mA resettable", "V24_LOGIC", f"{name}_PLUS")
        put(
            "loops",
            transducer,
            "TRANSDUCER",
            "0-10 MPa abs, 4-20 mA",
            f"{name}_PLUS",
            f"{name}_LOOP",
            field=True,
        )
        put("loops", f"D1{n + 5}", "TVS", "28 V stand-off", f"{name}_PLUS", "GND")
        put("loops", f"D3{n}", "TVS", "28 V stand-off", f"{name}_LOOP", "GND")
        put("loops", f"D4{n}", "LIMITER", "30 mA", f"{name}_SHUNT", f"{name}_LOOP")
        put("loops", f"R5{n}", "R", "100 0.1%", f"{name}_SHUNT", "GND")
        put("loops", f"R6{n}", "R", series, f"{name}_SHUNT", pin)
        put("loops", f"C1{n}", "C", "100n", pin, "GND")
        put("loops", f"D5{n}", "CLAMP", "low-leakage pair", "GND", "V3V3", pin)
    put("loops", "X3", "TERMINALS6", "loops", *terminals)


def _outputs(put: Any) -> None:
    # The relay is fed from the coil rail: without a heartbeat its contact opens.
    put("outputs", "K1", "RELAY", "24 V, 1 NO", "COIL_RAIL", "RELAY_COIL", "CONTACT", "CYCLER_OK")
    put("outputs", "D71", "DIODE", "100 V 0.2 A", "COIL_RAIL", "RELAY_COIL")
    put("outputs", "Q8", "NMOS", "60 V 0.2 A", "RELAY_GATE", "GND", "RELAY_COIL")
    put("outputs", "R81", "R", "1k", "CELL_SAFE", "RELAY_GATE")
    put("outputs", "R82", "R", "4.7k", "RELAY_GATE", "GND")
    put("outputs", "F29", "PTC", "0.5 A resettable", "CYCLER_COM", "CONTACT")
    put("outputs", "D81", "TVS2", "33 V both ways", "CYCLER_COM", "CYCLER_OK")
    put("outputs", "J1", "TERMINALS4", "cycler's interlock", *["CYCLER_COM"] * 2, *["CYCLER_OK"] * 2)
    put("outputs", "S1", "BUTTON", "maintenance", "BUTTON_WIRE", "GND", field=True)
    put("outputs", "X6", "TERMINALS2", "button", "BUTTON_WIRE", "GND")
    put("outputs", "R88", "R", "4.7k", "BUTTON", "BUTTON_WIRE")
    put("outputs", "D80", "CLAMP", "Schottky pair", "GND", "V3V3", "BUTTON")


def _supply(put: Any, sheet: str, dcdc: str, capacitor: str, domain: str) -> None:
    """Add an isolated, regulated 3.3 V supply for a domain."""
    put(sheet, dcdc, "DCDC", "5 V to 3.3 V, 1.5 kV", "GND", "V5", f"V3{domain}", f"GND_{domain}")
    put(sheet, capacitor, "C", "1u", f"V3{domain}", f"GND_{domain}")


def _monitor(put: Any) -> None:
    # The cycler's analogue common may be the cell's minus: the output has a supply and a ground of its own.
    _supply(put, "monitor", "U24", "C61", "M")
    put("monitor", "U23", "ISOLATOR", "2 channels, 1 kV", {
        "VDD1": "V3V3", "VIA": "MONITOR", "VIB": "GND", "GND1": "GND", "GND2": "GND_M", "VOA": "MONITOR_PULSES",
        "VDD2": "V3M"})  # fmt: skip
    put("monitor", "C63", "C", "100n", "V3V3", "GND")
    put("monitor", "C67", "C", "100n", "V3M", "GND_M")
    put("monitor", "C68", "C", "100n", "V3M", "GND_M")
    put("monitor", "R83", "R", "10k", "MONITOR_PULSES", "MONITOR_1")
    put("monitor", "C31", "C", "1u", "MONITOR_1", "GND_M")
    put("monitor", "R84", "R", "10k", "MONITOR_1", "MONITOR_2")
    put("monitor", "C32", "C", "1u", "MONITOR_2", "GND_M")
    put(
        "monitor",
        "U4",
        "OPAMP",
        "rail to rail",
        "MONITOR_BUFFER",
        "GND_M",
        "MONITOR_2",
        "MONITOR_BUFFER",
        "V3M",
    )
    put("monitor", "R87", "R", "100", "MONITOR_BUFFER", "MONITOR_SAFE")
    put("monitor", "D72", "TVS", "5 V stand-off", "MONITOR_SAFE", "GND_M")
    put("monitor", "F23", "PTC", "100 mA resettable", "MONITOR_SAFE", "MONITOR_OUT")
    put("monitor", "J2", "TERMINALS3", "cycler's analogue input", "MONITOR_OUT", "GND_M", "GND_M")


def _wall(put: Any) -> None:
    # The bus of the wall sensor leaves the box: isolated, so that one slip of a 24 V wire closes no circuit.
    _supply(put, "wall", "U26", "C64", "W")
    put("wall", "U28", "BUS_ISOLATOR", "I2C, 1 kV", {
        "VDD1": "V3W", "SDA1": "SDA_W", "SCL1": "SCL_W", "GND1": "GND_W", "GND2": "GND", "SCL2": "SCL",
        "SDA2": "SDA", "VDD2": "V3V3"})  # fmt: skip
    put("wall", "C66", "C", "100n", "V3V3", "GND")
    put("wall", "C69", "C", "100n", "V3W", "GND_W")
    terminals = []
    for n, (net, wire) in enumerate((("V3W", "WALL_PLUS"), ("SDA_W", "WALL_SDA"), ("SCL_W", "WALL_SCL"))):
        put("wall", f"F2{n + 4}", "PTC", "100 mA resettable", net, wire)
        terminals.append(wire)
    put("wall", "R112", "R", "2.2k", "V3W", "SDA_W")
    put("wall", "R113", "R", "2.2k", "V3W", "SCL_W")
    put("wall", "D67", "CLAMP", "Schottky pair", "GND_W", "V3W", "SDA_W")
    put("wall", "D68", "CLAMP", "Schottky pair", "GND_W", "V3W", "SCL_W")
    put("wall", "D69", "TVS", "5 V stand-off", "V3W", "GND_W")
    put("wall", "X5", "TERMINALS5", "wall sensor", *terminals, "GND_W", "GND_W")
    put("wall", "U12", "TMP117", "at PT1 and PT2, 0x49", "WALL_SCL", "GND_W", "WALL_PLUS", "WALL_PLUS",
        "WALL_SDA", field=True)  # fmt: skip


def _gas(put: Any) -> None:
    # TE1: the converter's own pins withstand 45 V; the clamps leak less than a nanoampere at the 0.6 V of use.
    put("gas", "U13", "MAX31865", "RTD converter", "RTD_READY", "V3V3", "V3V3", "RTD_BIAS", "RTD_BIAS", "RTD_REF",
        "RTD_REF", "RTD_FORCE", "GND", "RTD_PLUS", "RTD_MINUS", "RTD_RETURN", "GND", "MOSI", "SCK", "RTD_SELECT",
        "MISO", "GND", "GND")  # fmt: skip
    # 4.0 kohm of two values that are sold.
    put("gas", "R93", "R", "2.0k 0.1% 10ppm", "RTD_BIAS", "RTD_MIDDLE")
    put("gas", "R94", "R", "2.0k 0.1% 10ppm", "RTD_MIDDLE", "RTD_REF")
    put("gas", "C41", "C", "10n", "RTD_PLUS", "RTD_MINUS")
    put("gas", "C42", "C", "100n", "V3V3", "GND")
    put("gas", "F27", "PTC", "100 mA resettable", "RTD_FORCE", "TE_FORCE")
    put("gas", "R117", "R", "2.2k", "RTD_PLUS", "TE_PLUS")
    put("gas", "R118", "R", "2.2k", "RTD_MINUS", "TE_MINUS")
    put("gas", "F28", "PTC", "100 mA resettable", "RTD_RETURN", "TE_RETURN")
    names = ("FORCE", "PLUS", "MINUS", "RETURN")
    for ref, name in zip(("D76", "D77", "D78", "D79"), names, strict=True):
        put("gas", ref, "TVS", "15 V stand-off", f"RTD_{name}", "GND")
    put("gas", "X4", "TERMINALS4", "gas sensor", *(f"TE_{name}" for name in names))
    put(
        "gas", "TE1", "PT1000", "class A, 4 wires", "TE_FORCE", "TE_PLUS", "TE_RETURN", "TE_MINUS", field=True
    )


def _controller(put: Any) -> None:
    gpio = (
        "SDA", "SCL", *VALVES, "HEARTBEAT", *(f"{name}_DRAIN" for name in VALVES), "TRIP", "CELL_SAFE", "BUTTON",
        "MISO", "RTD_SELECT", "SCK", "MOSI", "RTD_READY", "RAIL", "MONITOR", "SAFETY_ADC", "RAIL_CUT",
        "REFERENCE_ADC",
    )  # fmt: skip
    put("controller", "U10", "PICO", "Pico or Pico 2", *gpio, "GND", "V3V3", *["GND"] * 7, "VSYS")
    put("controller", "U11", "ADS1115", "16 bit", "GND", "GND", "CONTROL_INPUT", "SUPPLY_INPUT", "REFERENCE_INPUT",
        "GND", "V3V3", "SDA", "SCL")  # fmt: skip
    put("controller", "U14", "REFERENCE", "1.25 V 0.2%", "V3V3", "REFERENCE_INPUT", "GND")
    put("controller", "C45", "C", "1u", "REFERENCE_INPUT", "GND")
    # The Pico's converter measures against its 3.3 V: the same reference tells how large that is. The divider keeps it
    # away from the steps of RP2040-E11 (codes 512 and 1536).
    put("controller", "R119", "R", "2.05k 0.1%", "REFERENCE_INPUT", "REFERENCE_ADC")
    put("controller", "R122", "R", "10k 0.1%", "REFERENCE_ADC", "GND")
    put("controller", "C57", "C", "100n", "REFERENCE_ADC", "GND")
    put("controller", "R91", "R", "2.2k", "V3V3", "SDA")
    put("controller", "R92", "R", "2.2k", "V3V3", "SCL")
    for n in (43, 44):
        put("controller", f"C{n}", "C", "100n", "V3V3", "GND")
