"""Figures of the comparator, the latch of the fill side and the sign of life."""

from __future__ import annotations

from math import exp, inf, log

from hardware.design.assumptions import (
    BEAT_S,
    DIODE_V,
    FALLING_V,
    GATE_A,
    GATE_DROP_V,
    RISING_V,
    SMART_INPUT_OHM,
    TICK_S,
    V5,
    V33_LOW,
    Add,
    Values,
)
from ipch.sizing import Sizing


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


def trip_level_v(value: dict[str, float], comparator_pa: int) -> float:
    """Return the voltage of TRIP_LEVEL at which the comparator trips at `comparator_pa`."""
    shunt_v = (4.0 + 1.6 * comparator_pa / 1e6) * 1e-3 * value["R52"]
    # trip_v is linear in the level.
    comparator = _Comparator(value)
    at_0, at_1 = comparator.trip_v(0.0, False), comparator.trip_v(1.0, False)
    return (shunt_v - at_0) / (at_1 - at_0)


def trip_figures(add: Add, v: Values, sizing: Sizing) -> None:
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


def latch(add: Add, v: Values) -> None:
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


def alive(add: Add, v: Values) -> None:
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
    add(s, "C50 is empty after a heartbeat that stops high", 1e3 * v.get("R121", inf) * v["C50"], "ms", 0, 200,
        "R121; far below that time, or C50 adds to C51")  # fmt: skip
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
    input_v = (0.95 * V5 - GATE_DROP_V) * SMART_INPUT_OHM / (SMART_INPUT_OHM + v["R110"])
    add(s, "input of Q9 while the comparator opens the relief", input_v, "V", 2.8, 5.0,
        "LATCH at 4 mA with 5 V 5 % low, R110, 0.3 mA of Q9 while it limits")  # fmt: skip
    latch_ma = 1e3 * (V5 / v["R110"] + (V5 - 1.6) / v["R111"])
    add(
        s,
        "current that LATCH gives",
        latch_ma,
        "mA",
        0,
        4,
        "R110 while a transistor holds ALONE low, lamp D75",
    )
    add(s, "armed after power-up, at least", 1e3 * 0.85 * v["R109"] * v["C55"] * log(V5 / (V5 - RISING_V[0])), "ms",
        20, inf, "R109, C55: NEVER is set before a beat can clear it")  # fmt: skip
