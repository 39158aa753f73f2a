"""The comparator on the safety loop, its latch, and its own way to the relief valve. Runs on 5 V, without the Pico.

OVER: the loop current is above the trip. WINDOW: it has been so for a few ms and is below that of a shorted loop.
LATCH: set by WINDOW, cleared by a rising CELL_SAFE, which the firmware gives after an acknowledge; holds the fill side
shut. TRIP: LATCH and OVER, for the Pico. ALONE: TRIP while the processor, once alive, is gone: opens the relief valve.
"""

from __future__ import annotations

from typing import Any


def add(put: Any) -> None:
    """Add the parts by calling `put`."""
    _comparator(put)
    _latch(put)
    _alive(put)
    _relief(put)


def _comparator(put: Any) -> None:
    put("comparator", "R71", "R", "1.2k", "V5", "V2V5")
    put("comparator", "U2", "SHUNT", "2.5 V 0.5%", "V2V5", "GND")
    put("comparator", "R72", "R", "3.3k", "V2V5", "TRIP_TOP")
    put("comparator", "RV1", "POT", "10k 20 turns", "TRIP_TOP", "TRIP_LEVEL", "TRIP_BOTTOM")
    put("comparator", "R73", "R", "4.7k", "TRIP_BOTTOM", "GND")
    put("comparator", "R74", "R", "2.05k 0.1%", "V2V5", "SHORT_LEVEL")
    put("comparator", "R75", "R", "10k 0.1%", "SHORT_LEVEL", "GND")
    put("comparator", "R76", "R", "1k", "SAFETY_SHUNT", "WATCHED")
    put("comparator", "C21", "C", "100n", "WATCHED", "GND")
    put("comparator", "R77", "R", "330k", "WATCHED", "OVER")
    put("comparator", "R78", "R", "2.2k", "V5", "OVER")
    # A: above the trip. B: a shorted loop, keeps WINDOW low; once latched it no longer matters. C: to the Pico; its
    # open collector does not pull TRIP low when 5 V is absent. D: the processor is alive.
    put("comparator", "U3", "COMPARATOR", "quad, open collector", {
        "OUTA": "OVER", "INA-": "TRIP_LEVEL", "INA+": "WATCHED", "OUTB": "WINDOW", "INB-": "WATCHED",
        "INB+": "SHORT_LEVEL", "OUTC": "TRIP", "INC-": "V2V5", "INC+": "NOT_TRIPPED", "OUTD": "NOT_ALIVE",
        "IND-": "ALIVE_LEVEL", "IND+": "ALIVE_REFERENCE", "VCC": "V5", "GND": "GND"})  # fmt: skip
    put("comparator", "C22", "C", "100n", "V5", "GND")
    put("comparator", "R104", "R", "47k", "OVER", "WINDOW")
    put("comparator", "C52", "C", "100n", "WINDOW", "GND")
    put("comparator", "D64", "DIODE", "100 V 0.2 A", "OVER", "WINDOW")
    # Holds OVER for more than two ticks, so that the Pico cannot miss what set the latch.
    put("comparator", "D65", "DIODE", "100 V 0.2 A", "OVER_HELD", "OVER")
    put("comparator", "C53", "C", "1u", "OVER_HELD", "GND")
    put("comparator", "R106", "R", "100k", "OVER_HELD", "GND")
    put("comparator", "R79", "R", "10k", "V3V3", "TRIP")


def _latch(put: Any) -> None:
    put("latch", "U21", "NAND", "74HCT132", {
        "1A": "WINDOW", "1B": "WINDOW", "1Y": "NOT_SET", "2A": "NOT_SET", "2B": "NOT_LATCH", "2Y": "LATCH",
        "3Y": "NOT_LATCH", "3A": "NOT_RESET", "3B": "LATCH", "4Y": "NOT_RESET", "4A": "RESET", "4B": "RESET",
        "GND": "GND", "VCC": "V5"})  # fmt: skip
    put("latch", "C23", "C", "100n", "V5", "GND")
    put("latch", "C54", "C", "100n", "CELL_SAFE", "RESET_EDGE")
    put("latch", "R107", "R", "100k", "RESET_EDGE", "GND")
    put("latch", "R108", "R", "10k", "RESET_EDGE", "RESET")
    # Until the processor has been alive the latch is held clear: it may power up set, and CELL_SAFE then gives no edge.
    put("latch", "D82", "DIODE", "100 V 0.2 A", "RESET", "NEVER")
    put("latch", "Q6", "NMOS", "60 V 0.2 A", "LATCH", "GND", "FILL_GATE")
    put("latch", "Q7", "NMOS", "60 V 0.2 A", "LATCH", "GND", "SUPPLY_ISOLATION_GATE")
    put("latch", "R111", "R", "2.2k", "LATCH", "LATCH_LAMP")
    put("latch", "D75", "LED", "fill side latched", "GND", "LATCH_LAMP")


def _alive(put: Any) -> None:
    # A pump of its own: RAIL_CUT does not discharge it. The processor is gone 1 s after the last edge, and only if
    # it was alive since 5 V came: NEVER is set at power-up and cleared by the first beats.
    put("relief", "R100", "R", "1k", "HEARTBEAT", "ALIVE_IN")
    put("relief", "C50", "C", "2.2u", "ALIVE_IN", "ALIVE_PUMP")
    put("relief", "D63", "CLAMP", "Schottky pair", "GND", "ALIVE_LEVEL", "ALIVE_PUMP")
    put("relief", "R121", "R", "33k", "ALIVE_PUMP", "GND")
    put("relief", "C51", "C", "4.7u", "ALIVE_LEVEL", "GND")
    put("relief", "R101", "R", "330k", "ALIVE_LEVEL", "GND")
    put("relief", "R102", "R", "22k", "V2V5", "ALIVE_REFERENCE")
    put("relief", "R103", "R", "10k", "ALIVE_REFERENCE", "GND")
    put("relief", "R105", "R", "10k", "V5", "NOT_ALIVE")
    put("relief", "U22", "NAND", "74HCT132", {
        "1A": "LATCH", "1B": "OVER_HELD", "1Y": "NOT_TRIPPED", "2A": "NOT_ALIVE", "2B": "NOT_ALIVE", "2Y": "ALIVE",
        "3Y": "WAS_ALIVE", "3A": "NOT_ALIVE", "3B": "NEVER", "4Y": "NEVER", "4A": "STARTED", "4B": "WAS_ALIVE",
        "GND": "GND", "VCC": "V5"})  # fmt: skip
    put("relief", "C24", "C", "100n", "V5", "GND")
    put("relief", "R109", "R", "470k", "V5", "STARTED")
    put("relief", "C55", "C", "1u", "STARTED", "GND")
    put("relief", "D66", "DIODE", "100 V 0.2 A", "V5", "STARTED")
    # Three transistors keep ALONE low: not tripped, alive, never alive. R110 hangs on LATCH and not on 5 V: a U22 that
    # is dead or without its supply lets go of all three, and alone must not empty a chamber.
    put("relief", "R110", "R", "4.7k", "LATCH", "ALONE")
    for ref, net in (("Q20", "NOT_TRIPPED"), ("Q21", "ALIVE"), ("Q22", "NEVER")):
        put("relief", ref, "NMOS", "60 V 0.2 A", net, "GND", "ALONE")


def _relief(put: Any) -> None:
    # Second feed of the relief coil from 24 V, with a limit of its own.
    put("relief", "F2", "PTC", "0.75 A resettable", "V24", "V24_RELIEF")
    put("relief", "Q3", "PMOS", "-60 V 3 A", "RELIEF_GATE_HIGH", "RELIEF_RAIL", "V24_RELIEF")
    put("relief", "R7", "R", "10k", "V24_RELIEF", "RELIEF_GATE_HIGH")
    put("relief", "D9", "ZENER", "15 V", "V24_RELIEF", "RELIEF_GATE_HIGH")
    put("relief", "R8", "R", "10k", "RELIEF_PULL", "RELIEF_GATE_HIGH")
    put("relief", "Q4", "NMOS", "60 V 0.2 A", "ALONE", "GND", "RELIEF_PULL")
    put("relief", "Q9", "LOWSIDE", "60 V protected", "ALONE", "RELIEF_COIL", "GND")
    put("relief", "D8", "SCHOTTKY", "60 V 1 A", "RELIEF_RAIL", "COIL_RAIL")
    put("relief", "D20", "SCHOTTKY", "60 V 1 A", "RELIEF_RAIL", "GND")
