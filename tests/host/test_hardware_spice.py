"""The circuit in ngspice: rail, coils, loops, comparator with latch, short circuits. Skipped without ngspice."""

from __future__ import annotations

import pytest

from hardware.design import spice
from hardware.design.circuit import circuit
from hardware.design.electrical import checks
from hardware.design.spice import Deck, beat, steps
from ipch.sizing import Design, size

pytestmark = pytest.mark.skipif(not spice.installed(), reason="ngspice is not installed (Debian: ngspice)")
PARTS = {part.ref: part for part in circuit()}
SHEETS: dict[str, list[str]] = {}
for _part in PARTS.values():
    SHEETS.setdefault(_part.sheet, []).append(_part.ref)
FIGURES = {check.name: check.value for check in checks(size(Design()))}
SUPPLIES = ("VV24 V24 0 24", "VV33 V3V3 0 3.3", "VV5 V5 0 5")
QUIET_CUT = steps("RAIL_CUT", [(0, 0)])
# Ends of the spread: capacitors and resistors of the pump, gain and base voltage of Q1.
SLOW = {"spread": {"C4": 0.85, "C5": 1.15, "R2": 1.01, "R9": 1.01}, "gain": 450, "base_v": 0.50}
FAST = {"spread": {"C4": 1.15, "C5": 0.85, "R2": 0.99, "R9": 0.99}, "gain": 200, "base_v": 0.65}


@pytest.mark.parametrize("tail_v", [0.0, 3.3])
@pytest.mark.parametrize("corner", [SLOW, {}, FAST], ids=["slow", "typical", "fast"])
def test_the_rail_outlives_a_write_to_flash_and_not_the_watchdog(corner: dict, tail_v: float) -> None:
    deck = Deck(SHEETS["rail"], **corner).add(
        *SUPPLIES, *beat(0.6, tail_v), *QUIET_CUT, "RLOAD COIL_RAIL 0 1440"
    )
    found = deck.run(["on WHEN V(COIL_RAIL)=12 RISE=1", "off WHEN V(COIL_RAIL)=12 FALL=1",
                      "readback MAX V(RAIL)"], 2.0, 1e-3)  # fmt: skip
    assert found["on"] < 0.3
    held = found["off"] - 0.60
    assert 0.44 < held < 1.0
    assert (
        FIGURES["shortest hold time without heartbeat"]
        < held
        < FIGURES["longest hold time without heartbeat"]
    )
    assert 2.0 < found["readback"] < 3.3


@pytest.mark.parametrize("limiter", ["works", "shorted"])
def test_rail_cut_wins_over_a_running_heartbeat(limiter: str) -> None:
    refs = [ref for ref in SHEETS["rail"] if limiter == "works" or ref not in ("U20", "Q16")]
    shorted = [] if limiter == "works" else ["RU20 V24 V24_COIL 0.05"]
    deck = Deck(refs).add(*SUPPLIES, *shorted, *beat(1.5), *steps("RAIL_CUT", [(0, 0), (0.5, 3.3), (1.0, 0)]),
                                    "RLOAD COIL_RAIL 0 1440")  # fmt: skip
    found = deck.run(["off WHEN V(COIL_RAIL)=5 FALL=1", "peak MAX V(COIL_RAIL) FROM=0.52 TO=0.99",
                      "again WHEN V(COIL_RAIL)=12 RISE=2"], 1.5, 5e-4)  # fmt: skip
    assert 0.5 < found["off"] < 0.505
    assert found["peak"] < 0.5
    assert 1.0 < found["again"] < 1.3


def test_a_shorted_rail_switch_is_cut_by_the_current_limiter() -> None:
    parts = [ref for ref in SHEETS["rail"] if ref != "Q2"]
    cut = steps("RAIL_CUT", [(0, 0), (0.3, 3.3)])
    shorted = ("RQ2 V24_COIL COIL_RAIL 0.05", "RLOAD COIL_RAIL 0 144")
    deck = Deck(parts).add(*SUPPLIES, *beat(0.5), *cut, *shorted)
    assert deck.run(["rest MAX V(COIL_RAIL) FROM=0.32 TO=0.5"], 0.5, 5e-4)["rest"] < 0.5


def driver(coil: str = "XV1", **options: float) -> Deck:
    refs = ["Q11", "R11", "R21", "D11", "R31", "R41", "D21", *([coil] if coil else [])]
    return Deck(refs, **options).add("VRAIL COIL_RAIL 0 24", "VV33 V3V3 0 3.3")


@pytest.mark.parametrize("clamp", [1.11, 1.228 * 1.05], ids=["lowest breakdown", "highest breakdown"])
def test_the_clamp_ends_a_coil_current_in_time_and_spares_the_transistor(clamp: float) -> None:
    deck = driver(clamp=clamp).add(*steps("FILL", [(0, 0), (0.01, 3.3), (0.11, 0)], 170))
    found = deck.run(
        ["peak MAX V(FILL_COIL)", "gone WHEN I(LXV1)=0.01 FALL=1", "pin MAX V(FILL_DRAIN)"], 0.14, 2e-5
    )
    assert 38 < found["peak"] < 54
    assert found["gone"] - 0.11 < FIGURES["coil current decays within"] * 1e-3 * 1.1
    assert found["pin"] < 3.9  # of the clamp, into 3.3 V through 3.5 kohm


def test_the_coil_current_rises_as_the_sizing_says() -> None:
    deck = driver().add(*steps("FILL", [(0, 0), (0.01, 3.3)], 170))
    found = deck.run(["early FIND I(LXV1) AT=0.015", "lifts WHEN I(LXV1)=0.25 RISE=1", "late FIND I(LXV1) AT=0.024",
                      "full FIND I(LXV1) AT=0.1"], 0.1, 2e-5)  # fmt: skip
    sized = size(Design())
    assert found["full"] == pytest.approx(0.413, abs=0.01)
    assert 100 * found["early"] / found["full"] == pytest.approx(
        sized.value("coil current after 5 ms"), abs=2
    )
    assert found["late"] / found["full"] == pytest.approx(0.80, abs=0.02)
    assert (found["lifts"] - 0.01) * 1e3 == pytest.approx(sized.value("coil rise"), abs=0.5)


def test_a_shorted_coil_is_limited_and_reads_as_off() -> None:
    """Its driver limits; rail and readback stay as the firmware expects of a coil that is dead."""
    deck = driver(coil="").add("RSHORT COIL_RAIL FILL_COIL 0.1", *steps("FILL", [(0, 0), (0.01, 3.3)], 170))
    found = deck.run(
        ["amp MAX I(VRAIL)", "least MIN I(VRAIL)", "drain FIND V(FILL_DRAIN) AT=0.05"], 0.06, 1e-4
    )
    assert -spice.DRIVER_A * 1.05 < found["least"] < -0.5
    assert found["drain"] > 2.0


@pytest.mark.parametrize("rail_ohm", [0.05, 5.0])
def test_a_shorted_rail_is_limited_and_shows_as_a_lost_rail(rail_ohm: float) -> None:
    short = ("SX COIL_RAIL x ctl 0 SWX", f"RX x 0 {rail_ohm}", "VC ctl 0 PWL(0 0 0.4 0 0.4001 5)",
             ".model SWX SW(VT=2.5 RON=0.01 ROFF=1e9)")  # fmt: skip
    deck = Deck(SHEETS["rail"]).add(*SUPPLIES, *beat(1.0), *QUIET_CUT, "RLOAD COIL_RAIL 0 60", *short)
    found = deck.run(["before FIND V(RAIL) AT=0.39", "after MAX V(RAIL) FROM=0.41 TO=0.9",
                      "least MIN I(VV24) FROM=0.41 TO=0.9"], 0.9, 2e-4)  # fmt: skip
    assert found["before"] > 2.0
    assert found["after"] < 0.8  # a 0 of the Pico: RAIL_LOST
    assert -1.15 * FIGURES["current limit of the coil rail"] < found["least"] < -1.5


def test_inrush_and_hold_up_of_the_logic() -> None:
    refs = [ref for ref in SHEETS["power"] if ref not in ("PS1", "X1")]
    deck = Deck(refs, {"C2": 0.8}).add("VIN V24_IN_s 0 PWL(0 0 1m 22.8 2.0 22.8)", "SIN V24_IN_s V24_IN c 0 SW1",
                                       "VCS c 0 PWL(0 5 2.0 5 2.0001 0)", ".model SW1 SW(VT=2.5 RON=0.05 ROFF=1e9)",
                                       "BLOOPS V24_LOGIC 0 I=0.0615*(0.5*(1+tanh(V(V24_LOGIC)-3)))")  # fmt: skip
    found = deck.run(
        ["inrush MAX par('V(V24_LOGIC)-V(HOLD_UP)') FROM=2m TO=1", "out WHEN V(V5)=4.5 FALL=1"], 4.0, 1e-3
    )
    assert found["inrush"] / 22.0 < 2.0
    assert found["out"] - 2.0 == pytest.approx(FIGURES["hold-up of the logic without 24 V"], rel=0.15)
    assert found["out"] - 2.0 > 0.4


@pytest.mark.parametrize("n", [1, 2, 3])
def test_24_v_on_a_loop_terminal(n: int) -> None:
    """A slip of a wire, or a transducer that is bridged: the converters' pins stay within what they withstand."""
    name, pin = (("CONTROL", "CONTROL_INPUT"), ("SAFETY", "SAFETY_ADC"), ("SUPPLY", "SUPPLY_INPUT"))[n - 1]
    refs = [
        ref for ref in SHEETS["loops"] if ref.endswith(str(n)) and ref not in ("X3", f"PT{n}", f"D1{n + 5}")
    ]
    deck = Deck(refs).add("VV33 V3V3 0 3.3", "VLOG V24_LOGIC 0 24", f"RS V24_LOGIC {name}_LOOP 0.1")
    found = deck.run([f"pin MAX V({pin})", f"shunt MAX V({name}_SHUNT)", "into MAX I(VV33)"], 0.05, 1e-4)
    assert found["shunt"] < 3.9 and found["pin"] < 3.7 and found["into"] < 1e-3


def safety(
    heartbeat: list[str],
    loop: str,
    acknowledge: list[tuple[float, float]],
    without: str = "",
    **options: object,
) -> Deck:
    """The comparator with latch and relief on the shunt of the safety loop; RV1 stands at 6.5 MPa (14.4 mA)."""
    refs = [*SHEETS["comparator"], *SHEETS["latch"], *SHEETS["relief"], "R52"]
    refs = [ref for ref in refs if ref != without]
    # The trimmer's share from the bottom: 1.436 V of the 2.5 V over 18 kohm, less R73.
    share = (1.436 / 2.5 * 18.0 - 4.7) / 10.0
    spread = {"RV1": share / 0.5} | dict(options.pop("spread", {}))  # type: ignore[call-overload]
    return Deck(refs, spread, **options).add(  # type: ignore[arg-type]
        "VV24 V24 0 24", "VV33 V3V3 0 3.3", "VV5 V5 0 PWL(0 0 2m 5)", *heartbeat, f"ILOOP 0 SAFETY_SHUNT PWL({loop})",
        *steps("CELL_SAFE", acknowledge), "RFILL FILL_GATE V3V3 330", "RSUP SUPPLY_ISOLATION_GATE V3V3 330",
        "RCOIL RELIEF_RAIL RELIEF_COIL 57.6", "RIDLE COIL_RAIL 0 10k",
    )  # fmt: skip


CLEARED = [(0, 0), (0.3, 3.3)]


def test_the_latch_sets_at_the_trip_and_lets_go_only_after_an_acknowledge() -> None:
    # 12 mA, up through the trip to 22 mA (over range) and back to 12 mA; acknowledged at 1.5 s.
    loop = "0 12m 0.5 12m 0.7 22m 0.9 22m 1.1 12m"
    deck = safety(beat(2.5), loop, [*CLEARED, (0.75, 0), (1.5, 3.3)])
    measures = (
        "set WHEN V(LATCH)=2.5 RISE=LAST",
        "fill_before FIND V(FILL_GATE) AT=0.45",
        "fill_after MAX V(FILL_GATE) FROM=0.6 TO=1.49",
        "supply_after MAX V(SUPPLY_ISOLATION_GATE) FROM=0.6 TO=1.49",
        "trip_over MAX V(TRIP) FROM=0.62 TO=0.95",
        "trip_after FIND V(TRIP) AT=1.45",
        "alone MAX V(ALONE) FROM=0.02 TO=2.4",
        "cleared WHEN V(LATCH)=2.5 FALL=LAST",
    )
    found = deck.run(measures, 2.5, 5e-4)
    trip_s = 0.5 + 0.2 * (14.4 - 12.0) / 10.0
    assert found["set"] == pytest.approx(trip_s + 0.0025, abs=0.006)
    assert found["fill_before"] > 2.8
    assert found["fill_after"] < 0.3 and found["supply_after"] < 0.3
    assert found["trip_over"] < 0.5, "more than 20.6 mA does not let go"
    assert found["trip_after"] > 3.0
    assert found["alone"] < 0.6, "the processor lives"
    assert found["cleared"] == pytest.approx(1.5, abs=0.01)


def test_an_acknowledge_does_nothing_while_the_cause_is_there() -> None:
    deck = safety(beat(2.0), "0 12m 0.5 12m 0.52 16m", [*CLEARED, (0.8, 0), (1.2, 3.3)])
    assert deck.run(["fill MAX V(FILL_GATE) FROM=0.6 TO=1.9"], 2.0, 5e-4)["fill"] < 0.3


def test_a_shorted_loop_and_a_spike_set_no_latch() -> None:
    loop = "0 8m 0.5 8m 0.50002 32m 0.8 32m 0.80002 8m 1.0 8m 1.00001 17m 1.0003 17m 1.00031 8m"
    found = safety(beat(1.4), loop, CLEARED).run(["latch MAX V(LATCH) FROM=0.4 TO=1.35"], 1.4, 5e-5)
    assert found["latch"] < 0.5


@pytest.mark.parametrize("without", ["", "D64"])
def test_short_peaks_do_not_add_up_to_a_trip(without: str) -> None:
    """D64 empties C52 whenever OVER falls: hum or noise across the trip sets no latch."""
    peaks = "".join(f" {t:.5f} 8m {t + 1e-5:.5f} 17m {t + 6e-4:.5f} 17m {t + 6.1e-4:.5f} 8m"
                    for t in (0.5 + 1.5e-3 * n for n in range(20)))  # fmt: skip
    found = safety(beat(0.6), f"0 8m{peaks}", CLEARED, without=without).run(
        ["latch MAX V(LATCH) FROM=0.4 TO=0.55", "over MAX V(OVER) FROM=0.5 TO=0.53"], 0.6, 5e-5
    )
    assert found["over"] > 4.0
    assert (found["latch"] < 0.5) == (without == "")


CORNERS = {
    "earliest": {"C51": 0.85, "R101": 0.99, "C50": 0.85},
    "typical": {},
    "latest": {"C51": 1.15, "R101": 1.01, "C50": 1.15},
}


@pytest.mark.parametrize("tail_v", [0.0, 3.3])
@pytest.mark.parametrize("corner", CORNERS)
def test_the_relief_opens_by_itself_a_second_after_the_last_sign_of_life(corner: str, tail_v: float) -> None:
    deck = safety(beat(1.0, tail_v), "0 12m 0.6 12m 0.62 16m", CLEARED, spread=CORNERS[corner])
    found = deck.run(["opens WHEN V(RELIEF_RAIL)=12 RISE=LAST", "rail MAX V(RELIEF_RAIL) FROM=0.1 TO=1.9",
                      "fed FIND V(RELIEF_RAIL) AT=3.9"], 4.0, 1e-3)  # fmt: skip
    assert 1.0 < found["opens"] - 1.0 < 2.6
    assert found["fed"] > 22
    shortest = FIGURES["processor counts as gone after, at least"]
    assert shortest < found["opens"] - 1.0 < FIGURES["processor counts as gone after, at most"]


def test_the_relief_stays_shut_at_power_up_and_shuts_again_when_the_processor_returns() -> None:
    never = safety(["VHB HEARTBEAT 0 0"], "0 16m", [(0, 0)])
    assert (
        never.run(["alone MAX V(ALONE) FROM=5m TO=2.9", "rail MAX V(RELIEF_RAIL) FROM=5m TO=2.9"], 3.0, 1e-3)[
            "rail"
        ]
        < 2
    )
    beats = "VHB HEARTBEAT 0 PULSE(0 3.3 0.02 1u 1u 0.02 0.04)"
    # A gate of the source: beats until 0.5 s, silence, beats again from 3 s.
    gate = [
        "BG HEARTBEAT2 0 V=V(HEARTBEAT)*(V(g)>0.5 ? 1 : 0)",
        "VG g 0 PWL(0 1 0.5 1 0.5001 0 3.0 0 3.0001 1)",
    ]
    back = safety([beats, *gate], "0 16m", [(0, 0)])
    back.lines = [line.replace("RR100 HEARTBEAT ", "RR100 HEARTBEAT2 ") for line in back.lines]
    found = back.run(["open MIN V(RELIEF_COIL) FROM=2.8 TO=3.0", "shut MIN V(ALONE) FROM=2.8 TO=2.99",
                      "again MAX V(ALONE) FROM=3.2 TO=3.9"], 4.0, 1e-3)  # fmt: skip
    assert found["shut"] > 4.0 and found["again"] < 0.6


@pytest.mark.parametrize("dead", ["U21", "U22"])
def test_a_gate_chip_without_supply_does_not_open_the_relief(dead: str) -> None:
    """Its outputs are pulled low through its own dead rail; the processor lives, nothing has tripped."""
    outputs = [PARTS[dead].nets[f"{n}Y"] for n in range(1, 5)]
    deck = safety(beat(1.0), "0 12m", CLEARED, without=dead)
    deck.add(*(f"RDEAD{n} {net} 0 100" for n, net in enumerate(outputs)))
    # Until CELL_SAFE rises at 0.3 s the latch may stand anywhere: a dead U22 does not hold it clear at power-up.
    found = deck.run(["alone MAX V(ALONE) FROM=0.32 TO=1.0", "rail MAX V(RELIEF_RAIL) FROM=0.35 TO=1.0",
                      "trip MAX V(TRIP) FROM=0.35 TO=1.0"], 1.0, 1e-3)  # fmt: skip
    assert found["alone"] < 0.6 and found["rail"] < 2.0
    assert dead == "U21" or found["trip"] < 0.5, "the Pico sees it as a trip"


def test_a_short_of_the_relief_coil_while_the_processor_is_gone() -> None:
    deck = safety(beat(0.5), "0 12m 0.3 12m 0.32 16m", CLEARED)
    deck.lines = [line for line in deck.lines if not line.startswith("RCOIL")]
    found = deck.add("RCOIL RELIEF_RAIL RELIEF_COIL 0.1").run(
        ["least MIN I(VV24) FROM=2.9 TO=3.1"], 3.2, 1e-3
    )
    assert -1.1 * spice.DRIVER_A < found["least"] < -0.5
