"""Figures of the loops, sensors and other inputs and outputs."""

from __future__ import annotations

from math import inf

from hardware.design.assumptions import (
    LIMITER_A,
    SCHOTTKY_V,
    V24,
    V24_HIGH,
    V24_LOW,
    V33,
    WALL_PF,
    Add,
    Values,
)


def loops(add: Add, v: Values) -> None:
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


def rest(add: Add, v: Values) -> None:
    s = "the rest"
    add(s, "lamp current", 1e3 * (V24 - 2) / v["R89"], "mA", 1, 5, "R89")
    add(s, "dissipation of R89", (V24_HIGH - 2) ** 2 / v["R89"], "W", 0, 0.1, "its rating")
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
    add(s, "capacitance of the bus on the board at 400 kHz", 0.3e-6 / 0.847 / v["R91"] * 1e12, "pF", 100, inf,
        "rise in 0.3 us, R91, R92")  # fmt: skip
    add(s, "sink current of the isolated bus", 1e3 * V33 / v["R112"], "mA", 0, 3,
        "R112, R113; side 1 of U28; pull-ups on the breakout of U12 add to it")  # fmt: skip
    add(s, "capacitance of the isolated bus at 400 kHz", 0.3e-6 / 0.847 / v["R112"] * 1e12, "pF", WALL_PF, inf,
        "rise in 0.3 us; 1 m of cable with 100 pF/m, D67, F25, U28 and U12 [estimate]")  # fmt: skip
