"""Figures of the circuit, computed from the values in circuit.py, each with its limits.

Data-sheet values of a class of parts are constants at the top; estimates are marked [estimate].
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, log, sqrt

from hardware.design.circuit import Part, circuit
from ipch.sizing import Sizing

V24, V24_LOW, V24_HIGH = 24.0, 22.8, 25.2
V33, V33_LOW, V5, SCHOTTKY_V, DIODE_V = 3.3, 3.23, 5.0, 0.45, 0.5
PAD_OHM = 170.0  # RP2040 at 4 mA: at least 2.62 V of 3.3
COIL_H = 0.5  # [estimate], of a 10 W valve
TVS_LOW, TVS_HIGH, HOT = 1.11, 1.228, 1.05  # breakdown of a TVS / its stand-off voltage; factor when warm
LIMITER_A, BASE_V = (0.030, 0.038), (0.50, 0.65)  # limiting current; Q1's base-emitter voltage, 50 to 0 degC
Q2_GATE_V, FET_OHM, LOGIC_W = (1.0, 3.0), 0.5, 0.35
BEAT_S, TICK_S = 0.04, 0.02
PUMP_LEAK_A = 0.3e-6  # D5 and Q10 at 3 V and 40 degC
SMALL_OHM, Q2_GATE_C = 6.0, 20e-9  # on-resistance of Q10 at 2.5 V; gate charge of Q2 [estimate]
HOLDS = 0.2  # fraction of its current at which a coil still holds its valve [estimate]
_UNITS = {"k": 1e3, "M": 1e6, "u": 1e-6, "n": 1e-9, "": 1.0}


@dataclass(frozen=True)
class Check:
    """A figure and its allowed range."""

    section: str
    name: str
    value: float
    unit: str
    low: float
    high: float
    how: str

    @property
    def kept(self) -> bool:
        return self.low <= self.value <= self.high


def _number(text: str) -> float:
    match = re.match(r"([\d.]+)([kMun]?)", text)
    assert match is not None, text
    return float(match[1]) * _UNITS[match[2]]


class _Comparator:
    """Shunt voltages at which OVERPRESSURE changes; its own state shifts both inputs a little."""

    def __init__(self, value: dict[str, float]) -> None:
        self.value = value

    def _at_input(self, level_v: float, output_v: float) -> float:
        """Return the shunt voltage that puts WATCHED at `level_v`."""
        v = self.value
        return level_v - (output_v - level_v) * (v["R76"] + v["R52"]) / (v["R77"] + v["R78"])

    def trip_v(self, level_v: float, high: bool) -> float:
        return self._at_input(level_v, V5 if high else 0.2)

    def short_v(self, high: bool) -> float:
        v, output_v = self.value, V5 if high else 0.2
        source, ohm = 2.5 * v["R75"] / (v["R74"] + v["R75"]), v["R74"] * v["R75"] / (v["R74"] + v["R75"])
        feed = v.get("R80", inf) + v["R78"]
        return self._at_input(source + (output_v - source) * ohm / (feed + ohm), output_v)


def _mpa(volt: float, ohm: float) -> float:
    return (volt / ohm * 1e3 - 4.0) / 1.6


def checks(sizing: Sizing, parts: Sequence[Part] | None = None) -> list[Check]:
    """Return all figures, for the pressure limits in `sizing`; `parts` defaults to the circuit."""
    parts = circuit() if parts is None else parts
    value = {p.ref: _number(p.value) for p in parts if p.kind in ("R", "C", "POT", "TVS")}
    found: list[Check] = []

    def add(section: str, name: str, figure: float, unit: str, low: float, high: float, how: str) -> None:
        found.append(Check(section, name, figure, unit, low, high, how))

    _gates(add, value)
    _loops(add, value)
    _comparator(add, value, sizing)
    _rail(add, value)
    return found


def _gates(add, v: dict[str, float]) -> None:  # type: ignore[no-untyped-def]
    s = "drivers and readbacks"
    amp, ohm = 10.0 / V24, V24**2 / 10.0
    gate_v = V33_LOW * v["R21"] / (v["R21"] + v["R11"] + PAD_OHM)
    add(s, "gate voltage while on", gate_v, "V", 2.8, 5.0,
        "lowest: 3.23 V behind the 170 ohm pad, into R1x and R2x")  # fmt: skip
    pull_ma = V33 / v["R11"] * 1e3
    add(s, "pin current while the comparator holds the gate low", pull_ma, "mA", 0, 12, "maximum of a pin")
    add(s, "coil current", amp, "A", 0, 1, "10 W at 24 V")
    add(s, "dissipation of a driver transistor", amp**2 * FET_OHM, "W", 0, 0.3, "0.5 ohm")
    drain_v = TVS_HIGH * HOT * v["D11"]
    add(s, "drain voltage at switch-off", drain_v, "V", 0, 49.5,
        "highest breakdown of D1x, warm; limit 90 % of 55 V")  # fmt: skip
    clamp_v = TVS_LOW * v["D11"]
    joule = 0.5 * COIL_H * amp**2 * clamp_v / (clamp_v - V24)
    closing_ms = 1e3 * COIL_H / ohm * log(1 + V24 / (clamp_v - V24))
    add(s, "coil current decays within", closing_ms, "ms", 0, 15, "lowest breakdown of D1x, 0.5 H [estimate]")
    add(s, "peak power of the clamp", drain_v * amp, "W", 0, 400 / sqrt(closing_ms),
        "400 W for 1 ms, falling with the square root of the time")  # fmt: skip
    add(s, "openings per second for 1 W in the clamp", 1 / joule, "1/s", 0.5, inf,
        "0.5 H [estimate]; a ramp opens once in two seconds")  # fmt: skip
    rail_a = 3 * amp + 0.03
    add(s, "highest current of the coil rail", rail_a, "A", 0, 1.6,
        "a pair, the relief and the relay; limit 80 % of F1; Q2 is rated 3 A")  # fmt: skip
    share = v["R41"] / (v["R31"] + v["R41"])
    add(s, "readback of a coil that is off", (V24_LOW - 0.8) * share, "V", 2.0, V33,
        "24 V 5 % low; a 1 needs 2 V")  # fmt: skip
    add(s, "readback, 24 V 5 % high", V24_HIGH * share, "V", 2.0, V33, "no clamp current")
    add(s, "readback of a coil that is on", amp * FET_OHM * share, "V", 0, 0.8, "a 0 needs less than 0.8 V")
    source = v["R31"] * share
    add(s, "readback clamp current at switch-off", 1e3 * max(0.0, drain_v * share - V33) / source, "mA", 0, 2,
        "into 3.3 V")  # fmt: skip
    add(s, "source resistance of a readback", source / 1e3, "kohm", 0, 8.2, "erratum RP2350-E9")


def _loops(add, v: dict[str, float]) -> None:  # type: ignore[no-untyped-def]
    s = "4-20 mA loops"
    most_v = LIMITER_A[1] * v["R51"]
    add(s, "shunt voltage, miswired loop", most_v, "V", 0, 4.0,
        "24 V directly on the terminal: D4x limits to 38 mA")  # fmt: skip
    add(s, "shunt dissipation, miswired loop", LIMITER_A[1] * most_v, "W", 0, 0.25, "its rating")
    limiter_w = LIMITER_A[0] * (V24_HIGH - 2 * SCHOTTKY_V - LIMITER_A[0] * v["R51"])
    add(s, "limiter dissipation, miswired loop", limiter_w, "W", 0, 0.8, "30 mA; D4x must withstand it")
    for ref, name in (("R61", "ADS1115"), ("R62", "RP2040")):
        add(s, f"pin current of the {name}, miswired loop", 1e3 * (most_v - V33) / v[ref], "mA", 0, 1,
            "without its clamp")  # fmt: skip
    left_v = V24_LOW - 2 * SCHOTTKY_V - 1.5 - 0.0205 * v["R51"] - 0.0205 * 20.0
    add(s, "voltage left for the transducer", left_v, "V", 12, 28,
        "24 V 5 % low, 20.5 mA, minus D4x and F1x (20 ohm)")  # fmt: skip
    add(s, "filter time constant, control and supply", 1e3 * v["R61"] * v["C11"], "ms", 0, 1, "R6x and C1x")
    add(s, "filter time constant, safety", 1e3 * v["R62"] * v["C12"], "ms", 0, 2, "R62 and C12")


def trip_level_v(value: dict[str, float], comparator_pa: int) -> float:
    """Return the voltage of TRIP_LEVEL at which the comparator trips at `comparator_pa`."""
    shunt_v = (4.0 + 1.6 * comparator_pa / 1e6) * 1e-3 * value["R52"]
    # trip_v is linear in the level.
    comparator = _Comparator(value)
    at_0, at_1 = comparator.trip_v(0.0, False), comparator.trip_v(1.0, False)
    return (shunt_v - at_0) / (at_1 - at_0)


def _comparator(add, v: dict[str, float], sizing: Sizing) -> None:  # type: ignore[no-untyped-def]
    s = "window comparator"
    comparator, ohm, limits = _Comparator(v), v["R52"], sizing.settings
    total = v["R72"] + v["RV1"] + v["R73"]
    bottom, top = (comparator.trip_v(2.5 * r / total, False) for r in (v["R73"], v["R73"] + v["RV1"]))
    wanted = limits["comparator_pa"]
    add(s, "lowest trip of RV1", _mpa(bottom, ohm), "MPa", 0, wanted / 1e6, "R72, RV1, R73 on 2.5 V")
    add(s, "highest trip of RV1", _mpa(top, ohm), "MPa", wanted / 1e6, 10.3,
        "below the upper end of the window")  # fmt: skip
    level = trip_level_v(v, wanted)
    add(s, f"TRIP_LEVEL for {wanted / 1e6:g} MPa", level, "V", 2.5 * v["R73"] / total,
        2.5 * (v["R73"] + v["RV1"]) / total, "set with RV1")  # fmt: skip
    off = _mpa(comparator.trip_v(level, True), ohm)
    add(s, "comparator releases at", off, "MPa", limits["trip_pa"] / 1e6, wanted / 1e6 - 0.05,
        "R77: at least 50 kPa below the trip")  # fmt: skip
    up, down = (comparator.short_v(high) / ohm * 1e3 for high in (True, False))
    add(s, "upper end of the window, rising current", up, "mA", 20.5, 21.0,
        "a higher current is a short, not a pressure")  # fmt: skip
    add(s, "upper end of the window, falling current", down, "mA", 20.2, min(20.5, up - 0.05),
        "below the level for rising current, or it oscillates")  # fmt: skip
    reference_ma = 1e3 * ((V5 * 0.95 - 2.5) / v["R71"] - 2.5 / total - 2.5 / (v["R74"] + v["R75"]))
    add(s, "current of the reference", reference_ma, "mA", 0.1, 10, "left for U2 with 5 V 5 % low")
    add(s, "sink current of an output", 1e3 * V5 / v["R78"], "mA", 0, 4, "one output of U3, below 0.7 V")
    shunt_v = (4.0 + 1.6 * wanted / 1e6) * 1e-3 * ohm
    dead = (shunt_v - DIODE_V) / v["R62"] / 1.6e-9
    add(s, "trip shift with 3.3 V dead", dead / 1e3, "kPa", 0, 100,
        "current of R62 and D52, taken from the shunt")  # fmt: skip
    error = (5e-3 + 0.005 * shunt_v + 0.001 * shunt_v) / ohm / 1.6e-9
    room = min(wanted - limits["trip_pa"], limits["relief_valve_pa"] - wanted)
    add(s, "largest trip error", (error + dead) / 1e3, "kPa", 0, room / 1e3 / 2,
        "plus 5 mV of U3, 0.5 % of U2, 0.1 % of R52; limit half-way to trip or relief valve")  # fmt: skip
    add(s, "delay", 1e3 * 3 * v["R76"] * v["C21"], "ms", 0, 2, "three time constants of R76 and C21")


def _rail(add, v: dict[str, float]) -> None:  # type: ignore[no-untyped-def]
    s = "coil rail and hold-up"
    times = []
    for spread, base_v, gate_v, gain, leak_a in (
        (0.85, BASE_V[1], Q2_GATE_V[1], 200, PUMP_LEAK_A),
        (1.15, BASE_V[0], Q2_GATE_V[0], 450, 0.0),
    ):
        # C5 discharges through R2, and through R9 into the base, until Q2 turns off.
        ohm = v["R2"] * v["R9"] / (v["R2"] + v["R9"])
        rest_v = base_v * v["R2"] / (v["R2"] + v["R9"]) - leak_a * ohm
        last_v = base_v + gate_v / v["R4"] / gain * v["R9"]
        full_v = V33 - 2 * 0.2 - (0.3 if spread < 1 else 0.0)
        times.append(ohm * v["C5"] * spread * log((full_v - rest_v) / (last_v - rest_v)))
    add(s, "shortest hold time without heartbeat", times[0], "s", 0.4 + BEAT_S, inf,
        "the longest write to flash, 0.4 s, plus the beat it interrupts")  # fmt: skip
    add(s, "longest hold time without heartbeat", times[1], "s", 0, 1.0,
        "limit: the watchdog; C5 and resistors 15 % off, 0 to 50 degC")  # fmt: skip
    share, pump_v, beats = v["C4"] / (v["C4"] + v["C5"]), 0.0, 0
    while pump_v < BASE_V[1] + 40e-6 / 200 * v["R9"] and beats < 100:
        pump_v += (V33_LOW - 0.4 - pump_v) * share - pump_v / v["R2"] * BEAT_S / v["C5"]
        beats += 1
    add(s, "rail on after the first beat", 1e3 * beats * BEAT_S, "ms", 0, 300,
        "limit: how long the firmware waits")  # fmt: skip
    _cut(add, v)
    kick = V24 * v["C6"] / (v["C5"] + v["C6"])
    add(s, "kick at switch-off", kick, "V", 0.1, 0.6, "C6: Q2 never stays half on")
    first_v, last_v = V24_LOW - 2 * SCHOTTKY_V, 8.0
    loops_a = 3 * 0.0205
    power_v = LOGIC_W / loops_a
    hold = (
        0.8 * v["C2"] / loops_a * (first_v - last_v - power_v * log((power_v + first_v) / (power_v + last_v)))
    )
    add(s, "hold-up of the logic without 24 V", hold, "s", 0.4, inf,
        "C2 20 % low, 0.35 W and three loops, until 8 V")  # fmt: skip
    s = "the rest"
    add(s, "lamp current", 1e3 * (V24 - 2) / v["R89"], "mA", 1, 5, "R89")
    add(s, "dissipation of R89", (V24_HIGH - 2) ** 2 / v["R89"], "W", 0, 0.1, "its rating")
    for ref in ("R83", "R84"):
        assert v[ref] == v["R83"]
    pole = 2 * 3.14159 * 10e3 * v["R83"] * v["C31"]
    add(s, "ripple of the monitor", V33 * 0.64 / pole**2 * 1e3, "mV", 0, 1, "10 kHz through two RC stages")
    add(s, "monitor settles within", 1e3 * 5 * 2.62 * v["R83"] * v["C31"], "ms", 0, 200, "to 1 %")
    add(s, "sink current of I2C", 1e3 * V33 / v["R91"], "mA", 0, 3, "R91, R92")
    add(s, "I2C cable capacitance at 400 kHz", 0.3e-6 / 0.847 / v["R91"] * 1e12, "pF", 100, inf,
        "rise in 0.3 us: about 1 m")  # fmt: skip


def _cut(add, v: dict[str, float]) -> None:  # type: ignore[no-untyped-def]
    """Figures of RAIL_CUT: it discharges C5 while the heartbeat continues, and so turns Q2 off."""
    s = "coil rail and hold-up"
    gate_v = V33_LOW * v["R20"] / (v["R20"] + v["R10"] + PAD_OHM)
    add(s, "gate voltage of Q10", gate_v, "V", 2.5, 5.0, "lowest: Q10 with R10 and R20")
    add(s, "pump discharge current", 1e3 * V33 / v["R30"], "mA", 0, 200, "R30; Q10 is rated 200 mA")
    ohm = v["R30"] + SMALL_OHM
    beat_v = V33 * ohm / (ohm + v["R1"])
    add(s, "pump voltage while cut, heartbeat running", beat_v, "V", 0, 0.4,
        "divider of R1 and R30: Q1 stays off")  # fmt: skip
    empty_s = ohm * 1.15 * v["C5"] * log(V33 / BASE_V[0])
    # R4 alone discharges Q2's gate, at the end with the voltage at which Q2 just conducts.
    gate_s = Q2_GATE_C * v["R4"] / Q2_GATE_V[0]
    add(s, "Q2 turns off after a cut", 1e3 * (empty_s + gate_s), "ms", 0, 5,
        "discharge of C5, then 20 nC [estimate] through R4")  # fmt: skip
    amp, coil_ohm = 10.0 / V24, V24**2 / 10.0
    last_a = SCHOTTKY_V / coil_ohm
    coil_s = COIL_H / coil_ohm * log((amp + last_a) / (HOLDS * amp + last_a))
    add(s, "coil of a shorted transistor releases after a cut", 1e3 * (empty_s + gate_s + coil_s), "ms", 0,
        20, "decay through D10 to 20 % of its current [estimate], 0.5 H [estimate]")  # fmt: skip


_HEAD = """\
# Figures of the circuit

`make hardware` computes these figures from the values in [design/circuit.py](design/circuit.py); `make test` fails
if one leaves its allowed range. They are worst cases for the classes of parts in [bom.csv](bom.csv): check them
against the data sheets of what you buy. Nothing here was measured on a board. D1x stands for D11 to D15.
"""


def page(sizing: Sizing) -> str:
    """Return the figures as Markdown."""
    lines = [_HEAD]
    section = ""
    for check in checks(sizing):
        if check.section != section:
            section = check.section
            lines.append(
                f"\n## {section[:1].upper()}{section[1:]}\n\n"
                "| figure | value | unit | allowed | how |\n|---|---|---|---|---|\n"
            )
        if check.high == inf:
            allowed = f"at least {check.low:.3g}"
        else:
            allowed = f"{check.low:.3g} to {check.high:.3g}" if check.low else f"at most {check.high:.3g}"
        lines.append(f"| {check.name} | {check.value:.3g} | {check.unit} | {allowed} | {check.how} |\n")
    return "".join(lines)
