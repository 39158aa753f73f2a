"""Figures of the circuit, computed from the values in circuit.py, each with its limits.

Data-sheet values of a class of parts are constants at the top; estimates are marked [estimate].
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, log, sqrt

from hardware.design.circuit import Part, circuit
from ipch.sizing import Sizing

V24, V24_LOW, V24_HIGH = 24.0, 22.8, 25.2
V33, V33_LOW, V5, SCHOTTKY_V, DIODE_V = 3.3, 3.23, 5.0, 0.45, 0.5
PAD_OHM = 170.0  # RP2040 at 4 mA: at least 2.62 V of 3.3
COIL_H = 0.5  # [estimate], of a 10 W valve
TVS_LOW, TVS_HIGH, HOT = 1.11, 1.228, 1.05  # breakdown of a TVS / its stand-off voltage; factor when warm
LIMITER_A, BASE_V = (0.030, 0.038), (0.50, 0.65)  # limiting current; Q1's base-emitter voltage, 50 to 0 degC
Q2_GATE_V, FET_OHM = (1.0, 3.0), 0.6
# Pico at 200 MHz, two isolated supplies at little load, logic and lamps, through U1 at 80 % [estimate].
LOGIC_W = 0.8
BEAT_S, TICK_S = 0.04, 0.02
PUMP_LEAK_A = 0.3e-6  # D5 and Q10 at 3 V and 40 degC
SMALL_OHM, Q2_GATE_C = 6.0, 20e-9  # on-resistance of Q10 at 2.5 V; gate charge of Q2 [estimate]
HOLDS = 0.2  # fraction of its current at which a coil still holds its valve [estimate]
# TPS26631: limit = 18 V / R39, 7 % off, and 10 % more for R39 and a cold chip [estimate].
LIMIT_V, LIMIT_SPREAD = 18e3, 0.15
UVLO_V, SMART_A = 1.2, 0.7  # threshold of U20; lowest limit of a protected driver
# 74HCT132 at 5 V, 0 to 50 degC: positive- and negative-going thresholds; its input current.
RISING_V, FALLING_V, GATE_A = (0.9, 1.9), (0.5, 1.4), 1e-6
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


def number(text: str) -> float:
    match = re.match(r"([\d.]+)([kMun]?)", text)
    assert match is not None, text
    return float(match[1]) * _UNITS[match[2]]


class _Comparator:
    """Shunt voltages at which OVER changes; its own state shifts the input a little."""

    def __init__(self, value: dict[str, float]) -> None:
        self.value = value

    def _at_input(self, level_v: float, output_v: float) -> float:
        """Return the shunt voltage that puts WATCHED at `level_v`."""
        v = self.value
        return level_v - (output_v - level_v) * (v["R76"] + v["R52"]) / (v["R77"] + v["R78"])

    def trip_v(self, level_v: float, high: bool) -> float:
        return self._at_input(level_v, V5 if high else 0.2)

    def short_v(self) -> float:
        """Return the shunt voltage above which the loop counts as shorted; OVER is high then."""
        v = self.value
        return self._at_input(2.5 * v["R75"] / (v["R74"] + v["R75"]), V5)


def _mpa(volt: float, ohm: float) -> float:
    return (volt / ohm * 1e3 - 4.0) / 1.6


def checks(sizing: Sizing, parts: Sequence[Part] | None = None) -> list[Check]:
    """Return all figures, for the pressure limits in `sizing`; `parts` defaults to the circuit."""
    parts = circuit() if parts is None else parts
    value = {p.ref: number(p.value) for p in parts if p.kind in ("R", "C", "CP", "POT", "TVS")}
    found: list[Check] = []

    def add(section: str, name: str, figure: float, unit: str, low: float, high: float, how: str) -> None:
        found.append(Check(section, name, figure, unit, low, high, how))

    _gates(add, value)
    _loops(add, value)
    _comparator(add, value, sizing)
    _latch(add, value)
    _alive(add, value)
    _rail(add, value)
    _limits(add, value)
    _rest(add, value)
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
    add(s, "dissipation of a driver transistor", amp**2 * FET_OHM, "W", 0, 0.3, "0.6 ohm")
    drain_v = TVS_HIGH * HOT * v["D11"]
    add(s, "drain voltage at switch-off", drain_v, "V", 0, 54.0,
        "highest breakdown of D1x, warm; limit 90 % of 60 V")  # fmt: skip
    clamp_v = TVS_LOW * v["D11"]
    joule = 0.5 * COIL_H * amp**2 * clamp_v / (clamp_v - V24)
    closing_ms = 1e3 * COIL_H / ohm * log(1 + V24 / (clamp_v - V24))
    add(s, "coil current decays within", closing_ms, "ms", 0, 15, "lowest breakdown of D1x, 0.5 H [estimate]")
    add(s, "peak power of the clamp", drain_v * amp, "W", 0, 400 / sqrt(closing_ms),
        "400 W for 1 ms, falling with the square root of the time")  # fmt: skip
    add(s, "openings per second for 1 W in the clamp", 1 / joule, "1/s", 0.5, inf,
        "0.5 H [estimate]; a ramp opens once in two seconds")  # fmt: skip
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
    left_v = V24_LOW - 2 * SCHOTTKY_V - 2.4 - 0.0205 * v["R51"] - 0.0205 * 20.0
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
    s = "comparator"
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
    add(s, "a shorted loop begins at", comparator.short_v() / ohm * 1e3, "mA", 20.3, 21.0,
        "above it WINDOW stays low, unless the latch is set already")  # fmt: skip
    loads = (total, v["R74"] + v["R75"], v["R102"] + v["R103"])
    reference_ma = 1e3 * ((V5 * 0.95 - 2.5) / v["R71"] - sum(2.5 / load for load in loads))
    add(s, "current of the reference", reference_ma, "mA", 0.1, 10, "left for U2 with 5 V 5 % low")
    add(
        s,
        "sink current of an output",
        1e3 * V5 / v["R78"],
        "mA",
        0,
        4,
        "one output of U3, below 0.7 V; its load is R78",
    )
    shunt_v = (4.0 + 1.6 * wanted / 1e6) * 1e-3 * ohm
    dead = (shunt_v - DIODE_V) / v["R62"] / 1.6e-9
    add(s, "trip shift with 3.3 V dead", dead / 1e3, "kPa", 0, 100,
        "current of R62 and D52, taken from the shunt")  # fmt: skip
    error = (5e-3 + 0.005 * shunt_v + 0.001 * shunt_v) / ohm / 1.6e-9
    room = min(wanted - limits["trip_pa"], limits["relief_valve_pa"] - wanted)
    add(s, "largest trip error", (error + dead) / 1e3, "kPa", 0, room / 1e3 / 2,
        "plus 5 mV of U3, 0.5 % of U2, 0.1 % of R52; limit half-way to trip or relief valve")  # fmt: skip
    add(s, "delay", 1e3 * 3 * v["R76"] * v["C21"], "ms", 0, 2, "three time constants of R76 and C21")


def _latch(add, v: dict[str, float]) -> None:  # type: ignore[no-untyped-def]
    s = "latch of the fill side"
    tau = v["R104"] * v["C52"]
    high_v = V5 * 0.95
    times = [
        1e3 * k * tau * log(high_v / (high_v - volt))
        for k, volt in ((0.85, RISING_V[0]), (1.15, RISING_V[1]))
    ]
    add(
        s,
        "latch sets after, at least",
        times[0],
        "ms",
        0.5,
        10,
        "R104, C52: longer than a loop takes to be shorted",
    )
    add(s, "latch sets after, at most", times[1], "ms", 0.5, 10, "a fifth of the 50 ms of the firmware")
    held = v["R106"] * v["C53"]
    top_v = high_v - 0.6
    hold = [1e3 * k * held * log(top_v / (volt + GATE_A * v["R106"])) for k, volt in
            ((0.85, FALLING_V[1]), (1.15, FALLING_V[0]))]  # fmt: skip
    add(s, "TRIP stays for, at least", hold[0], "ms", 2e3 * TICK_S, inf, "two ticks: the Pico cannot miss it")
    add(s, "TRIP stays for, at most", hold[1], "ms", 0, 400, "R106, C53, 15 % off")
    edge = 1e3 * 0.85 * v["R107"] * v["C54"] * log(V33_LOW / FALLING_V[1])
    add(s, "pulse of an acknowledge", edge, "ms", 1, inf, "rising CELL_SAFE through C54 and R107")
    lowest_v = V33_LOW - GATE_A * v["R108"]
    add(s, "height of that pulse", lowest_v, "V", RISING_V[1], V5, "above the highest threshold of U21")


def _alive(add, v: dict[str, float]) -> None:  # type: ignore[no-untyped-def]
    s = "sign of life"
    level_v = 2.5 * v["R103"] / (v["R102"] + v["R103"])
    share = v["C50"] / (v["C50"] + v["C51"])
    for name, spread, start_v, low, high, bias_a in (
        ("processor counts as gone after, at least", 0.85, V33_LOW - 2 * 0.35, 1.0, inf, 0.0),
        ("processor counts as gone after, at most", 1.15, 3.4 - 2 * 0.2, 0, 3.0, 50e-9),
    ):
        tau = spread * v["R101"] * v["C51"]
        # A beat of 40 ms puts back what R101 took since the last one.
        lost = 1 - exp(-BEAT_S / tau)
        full_v = start_v * share / (share + lost * (1 - share))
        offset_v = bias_a * v["R101"]  # the comparator's own input current holds the level up
        seconds = tau * log((full_v - offset_v) / (level_v - offset_v))
        add(s, name, seconds, "s", low, high, "C51 and R101 15 % off, steady level of the pump to R102, R103")
    pump_v, beats = 0.0, 0
    while pump_v < level_v and beats < 100:
        pump_v += (V33_LOW - 0.7 - pump_v) * share
        pump_v *= exp(-BEAT_S / (v["R101"] * v["C51"]))
        beats += 1
    add(
        s,
        "alive after the first beat",
        1e3 * beats * BEAT_S,
        "ms",
        0,
        1000,
        "until then the relief cannot open",
    )
    add(s, "armed after power-up, at least", 1e3 * 0.85 * v["R109"] * v["C55"] * log(V5 / (V5 - RISING_V[0])), "ms",
        20, inf, "R109, C55: NEVER is set before a beat can clear it")  # fmt: skip


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
    first_v, last_v = V24_LOW - 3 * SCHOTTKY_V, 9.0
    loops_a = 3 * 0.0205
    power_v = LOGIC_W / loops_a
    hold = (
        0.8 * v["C2"] / loops_a * (first_v - last_v - power_v * log((power_v + first_v) / (power_v + last_v)))
    )
    add(s, "hold-up of the logic without 24 V", hold, "s", 0.4, inf,
        "C2 20 % low, 0.8 W and three loops, until the 9 V of U1")  # fmt: skip
    add(s, "inrush into C2", (V24_HIGH - 2 * SCHOTTKY_V) / v["R36"], "A", 0, 2.0, "R36; limit 80 % of PS1")
    add(
        s,
        "energy in R36 at power-up",
        0.5 * 1.2 * v["C2"] * V24_HIGH**2,
        "J",
        0,
        3.0,
        "C2 20 % high; 3 W wirewound",
    )


def _limits(add, v: dict[str, float]) -> None:  # type: ignore[no-untyped-def]
    s = "short circuits"
    amp = 10.0 / V24
    rail_a = 3 * amp + 0.03
    limit_a = LIMIT_V / v["R39"]
    add(s, "highest current of the coil rail", rail_a, "A", 0, 0.9 * (1 - LIMIT_SPREAD) * limit_a,
        "a pair, the relief and the relay; limit 90 % of the lowest limit of U20")  # fmt: skip
    add(
        s,
        "current limit of the coil rail",
        limit_a,
        "A",
        0,
        2.0,
        "18 / R39 in kohm; at most F1, and 80 % of PS1",
    )
    add(s, "power in U20 until it shuts down", (1 + LIMIT_SPREAD) * limit_a * V24_HIGH, "W", 0, 80,
        "a shorted rail; U20 limits, shuts down when hot and retries")  # fmt: skip
    share = v["R38"] / (v["R37"] + v["R38"])
    add(s, "rail starts at", UVLO_V / share, "V", 12, 0.9 * V24_LOW, "R37, R38")
    add(s, "lowest limit of a driver above the coil current", SMART_A / amp, "", 1.5, inf,
        "the driver of a shorted coil limits: its drain reads as off")  # fmt: skip
    add(
        s,
        "current of RAIL into the fault output",
        1e3 * V24_HIGH / v["R5"],
        "mA",
        0,
        5,
        "U20 sinks more than that",
    )
    add(s, "RAIL with a fault", 0.2 + 0.35, "V", 0, 0.8, "U20's output and D62; a 0 needs less than 0.8 V")


def _rest(add, v: dict[str, float]) -> None:  # type: ignore[no-untyped-def]
    s = "the rest"
    add(s, "lamp current", 1e3 * (V24 - 2) / v["R89"], "mA", 1, 5, "R89")
    add(s, "dissipation of R89", (V24_HIGH - 2) ** 2 / v["R89"], "W", 0, 0.1, "its rating")
    for ref in ("R83", "R84"):
        assert v[ref] == v["R83"]
    pole = 2 * 3.14159 * 10e3 * v["R83"] * v["C31"]
    add(s, "current of the button input with 24 V on it", 1e3 * (V24_HIGH - V33) / v["R88"], "mA", 0, 10,
        "through D80 into 3.3 V, which the Pico uses")  # fmt: skip
    add(s, "current of the gas sensor's sense wires with 24 V on them", 1e3 * V24_HIGH / v["R117"], "mA", 0, 15,
        "R117, R118; U13 withstands 45 V")  # fmt: skip
    add(s, "error of the gas sensor from its sense resistors", 14e-9 * v["R117"] / (2.0 / 5100.0 * 3.85), "K", 0, 0.05,
        "14 nA of U13 [estimate] through one of them")  # fmt: skip
    adc_v = 1.25 * v["R122"] / (v["R119"] + v["R122"])
    code = adc_v / V33 * 4096
    add(s, "code of the reference at GP28", code, "", 512 * 1.1, 1536 * 0.95,
        "at 3.3 V; away from the steps of RP2040-E11 at 512 and 1536 for a supply 5 % off")  # fmt: skip
    add(s, "error left by the reference", 100 * (0.002 + 2 * 0.001 * v["R119"] / (v["R119"] + v["R122"])), "%", 0, 0.3,
        "0.2 % of U14, 0.1 % of R119 and R122; 3.3 V itself is 2 % off")  # fmt: skip
    reference_s = v["R119"] * v["R122"] / (v["R119"] + v["R122"]) * v["C57"]
    add(s, "filter of the reference to GP28", 1e3 * reference_s, "ms", 0.05, 2, "R119, R122 and C57")
    add(s, "ripple of the monitor", V33 * 0.64 / pole**2 * 1e3, "mV", 0, 1, "10 kHz through two RC stages")
    add(s, "monitor settles within", 1e3 * 5 * 2.62 * v["R83"] * v["C31"], "ms", 0, 200, "to 1 %")
    add(s, "sink current of I2C", 1e3 * V33 / v["R91"], "mA", 0, 3, "R91, R92")
    add(s, "I2C cable capacitance at 400 kHz", 0.3e-6 / 0.847 / v["R91"] * 1e12, "pF", 100, inf,
        "rise in 0.3 us; the wire to U12 is on the isolated side")  # fmt: skip


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
