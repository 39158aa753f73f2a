"""Compares firmware/pins.py, hardware/wiring.csv and the netlist with each other."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping

from hardware.design.circuit import KINDS, VALVES, Part

Nets = Mapping[str, set[tuple[str, str]]]
PICO, CONVERTER = "U10", "U11"
# Words of the wiring table -> kinds of parts that have a pin on the same net.
_WORDS = {
    "ADS1115, and of the isolator to the TMP117": ("ADS1115", "BUS_ISOLATOR"),
    "isolator of the monitor output": ("ISOLATOR",),
    "MAX31865": ("MAX31865",),
    "1.25 V reference": ("REFERENCE",),
}
_OHMS = {"kohm": "k", "ohm": ""}


def disagreements(pins_py: str, wiring_csv: str, parts: list[Part], nets: Nets) -> list[str]:
    """Return one message for each difference between the three."""
    pins: dict[str, int] = {}
    exec(pins_py, {}, pins)
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(wiring_csv))}
    kinds = {part.ref: part for part in parts}
    number = {name: str(number) for number, name, _ in KINDS["PICO"]}
    adc = {name: str(number) for number, name, _ in KINDS["ADS1115"]}
    found = []
    for name, row in rows.items():
        if name not in pins:
            found.append(f"{name}: in the table, not in pins.py")
            continue
        signal = row["signal"]
        if signal != (f"AIN{pins[name]}" if name.endswith("_INPUT") else f"GP{pins[name]}"):
            found.append(f"{name}: {signal} in the table, {pins[name]} in pins.py")
        chip, pin = (CONVERTER, adc.get(signal)) if signal.startswith("AIN") else (PICO, number.get(signal))
        if signal in ("GP23", "GP25"):  # inside the module, no wire
            continue
        if chip == PICO and row["pico_pin"] != pin:
            found.append(f"{name}: pin {row['pico_pin']} in the table, {signal} is pin {pin}")
        net = nets.get(name, set())
        if (chip, pin) not in net:
            found.append(f"{name}: not on {signal} of {chip} in the netlist")
        found += [f"{name}: {text}" for text in _ends(name, row["connect_to"], net, kinds, nets)]
    flags = ("_ON", "_OFF", "_ACTIVE", "_OK", "_PRESSED", "_PWM", "_ADDRESS", "SELECTED")
    found += [f"{name}: in pins.py, not in the table" for name in pins
              if name.isupper() and name not in rows and not name.endswith(flags)]  # fmt: skip
    return found


def _ends(
    name: str, words: str, net: set[tuple[str, str]], kinds: Mapping[str, Part], nets: Nets
) -> list[str]:
    """Return what the table says of the far end of a wire and the netlist does not have."""
    found = []
    near = set(net)
    for ref, _ in net:
        part = kinds[ref]
        if part.kind in ("R", "C"):
            for other in part.nets.values():
                if other not in ("GND", "V3V3", "V5", "V24"):
                    near |= nets[other]
    for text, wanted in _WORDS.items():
        if text in words:
            there = {kinds[ref].kind for ref, _ in (near if f"{text}, through" in words else net)}
            found += [f"no {kind} on its net" for kind in wanted if kind not in there]
    for size, unit in re.findall(r"([\d.]+) (kohm|ohm)", words):
        value = size + _OHMS[unit]
        if not any(kinds[ref].kind == "R" and kinds[ref].value.split()[0] == value for ref, _ in near):
            found.append(f"no resistor of {size} {unit}")
    gate = re.match(r"gate of the (.+) valve's MOSFET", words)
    drain = re.match(r"divider at the (.+) valve's drain", words)
    for match, pin in ((gate, "1"), (drain, None)):
        if match is None:
            continue
        coil = f"XV{VALVES.index(match[1].replace(' ', '_').upper()) + 1}"
        switched = {ref for ref, part in kinds.items() if part.nets.get("D") == kinds[coil].nets["2"]}
        if pin is not None and not any((ref, pin) in near for ref in switched):
            found.append(f"does not reach the gate of the transistor of {coil}")
        if pin is None and (coil, "2") not in near:
            found.append(f"does not reach the drain at {coil}")
    if "empties the pump" in words:
        drains = {kinds[ref].nets["D"] for ref, number in near if kinds[ref].kind == "NMOS" and number == "1"}
        ends = [set(part.nets.values()) for part in kinds.values() if part.kind == "R"]
        if not any({"PUMP_OUT", drain} in ends for drain in drains):
            found.append("its transistor does not reach the pump")
    for text, kind in (("charge pump", "C"), ("relay", "NMOS"), ("comparator", "COMPARATOR"), ("button", "BUTTON"),
                       ("shunt", "LIMITER"), ("coil rail through", "PMOS"),
                       ("clears the latch", "C")):  # fmt: skip
        if text in words and not any(kinds[ref].kind == kind for ref, _ in near):
            found.append(f"no {kind} at its end")
    return found
