"""What the figures of the circuit rest on: data-sheet values of classes of parts; estimates are marked [estimate]."""

from __future__ import annotations

import re
from collections.abc import Callable

# Section, name, value, unit, lowest and highest allowed, how.
Add = Callable[[str, str, float, str, float, float, str], None]
Values = dict[str, float]

V24, V24_LOW, V24_HIGH = 24.0, 22.8, 25.2
V33, V33_LOW, V5, SCHOTTKY_V, DIODE_V = 3.3, 3.23, 5.0, 0.45, 0.5
PAD_OHM = 170.0  # RP2040 at 4 mA: at least 2.62 V of 3.3
COIL_H = 0.5  # [estimate], of a 10 W valve
TVS_LOW, TVS_HIGH, HOT = 1.11, 1.228, 1.05  # breakdown of a TVS / its stand-off voltage; factor when warm
LIMITER_A, BASE_V = (0.030, 0.038), (0.50, 0.65)  # limiting current; Q1's base-emitter voltage, 50 to 0 degC
Q2_GATE_V, FET_OHM = (1.0, 3.0), 0.6
# Pico at 200 MHz 60 mA [estimate], two isolated supplies at little load 40 mA each (TRACO TMR 2 data sheet, 2020: 35 mA
# without load), logic and lamps 20 mA, through U1 at 80 %.
LOGIC_W = 5.0 * (0.06 + 2 * 0.04 + 0.02) / 0.8
# Load of U1 at 5 V: Pico, two isolated supplies, lamps, logic and pull-ups [estimate].
PICO_A, ISOLATED_A, REST_A = 0.10, 0.06, 0.03
BEAT_S, TICK_S = 0.04, 0.02
PUMP_LEAK_A = 0.3e-6  # D5 and Q10 at 3 V and 40 degC
SMALL_OHM, Q2_GATE_C = 6.0, 20e-9  # on-resistance of Q10 at 2.5 V; gate charge of Q2 [estimate]
HOLDS = 0.2  # fraction of its current at which a coil still holds its valve [estimate]
# TPS26631: limit = 18 V / R39, 7 % off, and 10 % more for R39 and a cold chip [estimate].
LIMIT_V, LIMIT_SPREAD = 18e3, 0.15
UVLO_V, SMART_A = 1.2, 0.7  # threshold of U20; lowest limit of a protected driver
# 74HCT132 at 5 V, 0 to 50 degC: positive- and negative-going thresholds; its input current.
RISING_V, FALLING_V, GATE_A = (0.9, 1.9), (0.5, 1.4), 1e-6
GATE_DROP_V = 0.66  # below its supply at 4 mA
SMART_INPUT_OHM = 5.0 / 300e-6  # a protected driver's input while hot (Diodes ZXMS6005DG data sheet)
WALL_PF = 140.0  # 1 m of cable at 100 pF/m, two clamps' and chips' pins [estimate]
_UNITS = {"k": 1e3, "M": 1e6, "u": 1e-6, "n": 1e-9, "": 1.0}


def number(text: str) -> float:
    """Return a part's value, "4.7k", in its unit."""
    match = re.match(r"([\d.]+)([kMun]?)", text)
    assert match is not None, text
    return float(match[1]) * _UNITS[match[2]]
