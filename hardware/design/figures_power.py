"""Figures of drivers, coil rail, hold-up and short circuits."""

from __future__ import annotations

from math import inf, log, sqrt

from hardware.design.assumptions import (
    BASE_V,
    BEAT_S,
    COIL_H,
    FET_OHM,
    HOLDS,
    HOT,
    ISOLATED_A,
    LIMIT_SPREAD,
    LIMIT_V,
    LOGIC_W,
    PAD_OHM,
    PICO_A,
    PUMP_LEAK_A,
    Q2_GATE_C,
    Q2_GATE_V,
    REST_A,
    SCHOTTKY_V,
    SMALL_OHM,
    SMART_A,
    TVS_HIGH,
    TVS_LOW,
    UVLO_V,
    V24,
    V24_HIGH,
    V24_LOW,
    V33,
    V33_LOW,
    Add,
    Values,
)


def gates(add: Add, v: Values) -> None:
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


def rail(add: Add, v: Values) -> None:
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
    add(s, "C4 is empty after a heartbeat that stops high", 1e3 * v.get("R120", inf) * v["C4"], "ms", 0, 100,
        "R120; far below the hold time, or C4 adds to C5")  # fmt: skip
    add(s, "rail on after the first beat", 1e3 * beats * BEAT_S, "ms", 0, 300,
        "limit: how long the firmware waits")  # fmt: skip
    cut(add, v)
    switches(add, v)
    kick = V24 * v["C6"] / (v["C5"] + v["C6"])
    add(s, "kick at switch-off", kick, "V", 0.1, 0.6, "C6: Q2 never stays half on")
    first_v, last_v = V24_LOW - 3 * SCHOTTKY_V, 9.0
    loops_a = 3 * 0.0205
    power_v = LOGIC_W / loops_a
    hold = (
        0.8 * v["C2"] / loops_a * (first_v - last_v - power_v * log((power_v + first_v) / (power_v + last_v)))
    )
    add(s, "hold-up of the logic without 24 V", hold, "s", 0.4, inf,
        f"C2 20 % low, {LOGIC_W:g} W and three loops, until the 9 V of U1")  # fmt: skip
    add(
        s,
        "load of U1",
        PICO_A + 2 * ISOLATED_A + REST_A,
        "A",
        0,
        0.4,
        "Pico, U24, U26, logic; limit 80 % of 0.5 A",
    )
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


def switches(add: Add, v: Values) -> None:
    """Figures of the gates of the P-channel switches, of the relay and of the rail's readback."""
    s = "coil rail and hold-up"
    for switch, upper, lower in (("Q2", "R4", "R3"), ("Q3", "R7", "R8")):
        share = v[upper] / (v[upper] + v[lower])
        add(s, f"gate voltage of {switch}, 24 V low", (V24_LOW - SCHOTTKY_V) * share, "V", 8, 18,
            f"{upper}, {lower}; on-resistance at -10 V")  # fmt: skip
        add(
            s,
            f"gate voltage of {switch}, 24 V high",
            V24_HIGH * share,
            "V",
            8,
            18,
            "its gate withstands 20 V",
        )
    gate_v = V33_LOW * v["R82"] / (v["R82"] + v["R81"] + PAD_OHM)
    add(s, "gate voltage of Q8", gate_v, "V", 2.5, 5.0, "lowest: R81, R82")
    share = v["R6"] / (v["R5"] + v["R6"])
    add(
        s,
        "readback of the rail while on",
        (V24_LOW - 2 * SCHOTTKY_V) * share,
        "V",
        2.0,
        V33,
        "24 V 5 % low; a 1 needs 2 V",
    )
    add(s, "readback of the rail, 24 V 5 % high", V24_HIGH * share, "V", 2.0, V33, "no clamp current")


def cut(add: Add, v: Values) -> None:
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


def limits(add: Add, v: Values) -> None:
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
