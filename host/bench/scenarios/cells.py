"""The fault matrix as cells: fault, kind of failure, states, and the required reaction with its time limit.

UNSEEN gives the reason why a cell does not run in a state; the test of completeness refuses any other gap.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bench.scenarios.rig import STATES

MOVING = ("RAMP", "DOWN")
REGULATING = ("HOLD", "RAMP", "DOWN")
# The kinds of failure.
OFF, STUCK, GARBAGE, WRONG = "off", "stuck", "garbage", "wrong"
SLOW, DELAYED, INTERMITTENT = "slow", "delayed", "intermittent"
TRIP, WARN, STAY, SAFE, RESET = "trip", "warn", "stay", "safe", "reset"
# Settings of a cell that must end within a minute.
NEAR_LIMIT = (("wall_max_mk", 303_650),)
QUICK_SAFETY_LIMIT = (("safety_invalid_s", 5),)


# Rows of the fault matrix.
MATRIX_ROWS = range(1, 38)


@dataclass(frozen=True)
class Cell:
    """One fault in some states.

    `expect`: TRIP latches one of `codes` and enters `end`; WARN raises one of `codes` and changes no state; STAY
    changes nothing for `within_s`; SAFE may also end in a latched state with everything shut; RESET ends within
    `within_s` with every valve shut and restarts. With `pulses` the limit is that many pulses of `side` instead
    of a time, or as many as move the pressure by `or_moved_pa`. `since` "window": time counts from the first
    window of the side after the fault; "off": from the valve's switching off. `drive` is the message sent right
    after the fault, by state ("" for all others). The gas first comes to rest for `rest_s`.
    """

    row: int
    kind: str
    fault: str
    values: dict[str, object]
    states: tuple[str, ...]
    expect: str
    codes: tuple[str, ...] = ()
    within_s: float = 1.0
    end: str = "SEALED"
    pulses: int = 0
    or_moved_pa: int = 0
    side: int = 0
    since: str = "fault"
    drive: dict[str, str] = field(default_factory=dict)
    settings: tuple[tuple[str, int], ...] = ()
    tick_ms: int = 20
    slow: bool = False
    """Too long for `make test`."""
    rest_s: float = 0.0

    @property
    def name(self) -> str:
        """Unique among the cells of a state."""
        values = " ".join(f"{key}={value}" for key, value in self.values.items())
        rested = " at rest" if self.rest_s else ""
        return f"{self.row} {self.fault} {values} ({self.kind}){rested}"


UP = {"HOLD": ":SOUR:PRES 5.3"}
FALL = {"HOLD": ":SOUR:PRES 4.7"}
START = {"OFF": ":OUTP ON"}
IN_AND_OUT: dict[str, object] = {"every_s": 2.0, "on_s": 1.0}
BRIEFLY: dict[str, object] = {"every_s": 1.0, "on_s": 0.04}
LATE: dict[str, object] = {"after_s": 1.0}
VALVES = ("fill", "supply_isolation", "vent", "vent_isolation", "relief")
OPEN_SIDE = ("FILL_STUCK_OPEN", "LINE_BURST", "VENT_STUCK_OPEN", "RELIEF_STUCK_OPEN", "DISAGREEMENT")
DISAGREE = ("DISAGREEMENT",)
# A jump of the reading exceeds any possible gas flow.
JUMP = (*DISAGREE, "FILL_STUCK_OPEN", "VENT_STUCK_OPEN", "LINE_BURST", "PORT_BLOCKED", "TRANSDUCER_FROZEN")
NOT_MOVING = ("TRANSDUCER_FROZEN", "PORT_BLOCKED", "DISAGREEMENT", "FILL_STUCK_SHUT")
# Three pulses of a few kPa vanish in the safety transducer's noise: they count from this pressure change on.
SEEN_PA = 200_000
ANY_LOOP = ("CONTROL_OPEN", "CONTROL_SHORTED", "CONTROL_RANGE", "DISAGREEMENT")


# A table, so its lines are filled.
# fmt: off
def _loops() -> list[Cell]:
    cells = []
    for row, fault, code, within_s, values, kind in (
        (1, "control-open", "CONTROL_OPEN", 0.2, {}, OFF),
        (1, "control-open", "CONTROL_OPEN", 0.2, {"ma": 3.5}, WRONG),
        (1, "control-open", "CONTROL_OPEN", 0.2, LATE, DELAYED),
        (1, "control-open", "CONTROL_OPEN", 0.2, IN_AND_OUT, INTERMITTENT),
        (2, "control-short", "CONTROL_SHORTED", 0.2, {}, STUCK),
        (2, "control-short", "CONTROL_SHORTED", 0.2, {"ma": 21.1}, WRONG),
        (2, "control-short", "CONTROL_SHORTED", 0.2, LATE, DELAYED),
        (2, "control-short", "CONTROL_SHORTED", 0.2, IN_AND_OUT, INTERMITTENT),
        (3, "control-range", "CONTROL_RANGE", 1.0, {}, WRONG),
        (3, "control-range", "CONTROL_RANGE", 1.0, LATE, DELAYED),
        (3, "control-range", "CONTROL_RANGE", 1.0, IN_AND_OUT, INTERMITTENT),
    ):
        cells.append(Cell(row, kind, fault, values, STATES, TRIP, (code,), within_s))
    # The ADS1115 saturates below 20.5 mA: then the firmware assumes the more serious of the two faults.
    cells.append(Cell(3, WRONG, "control-range", {"ma": 20.7}, STATES, TRIP, ("CONTROL_SHORTED",), 1.0))
    for fault in ("control-open", "control-short"):
        cells.append(Cell(1 if "open" in fault else 2, INTERMITTENT, fault, BRIEFLY, STATES, STAY, within_s=5))
    for which in ("control", "safety"):
        at = {"which": which}
        cells += [
            Cell(4, STUCK, "transducer-frozen", at, MOVING, TRIP, NOT_MOVING, pulses=3, or_moved_pa=SEEN_PA),
            Cell(4, STUCK, "transducer-frozen", at, ("HOLD",), TRIP, NOT_MOVING, pulses=3,
                or_moved_pa=SEEN_PA, drive=UP),
            Cell(4, WRONG, "transducer-frozen", {**at, "noise_kpa": 1}, MOVING, TRIP, NOT_MOVING, pulses=3,
                or_moved_pa=SEEN_PA),
            Cell(4, DELAYED, "transducer-frozen", {**at, **LATE}, MOVING, TRIP, NOT_MOVING, pulses=3,
                or_moved_pa=SEEN_PA),
            Cell(5, WRONG, "transducer-wrong", {**at, "kpa": 300}, STATES, TRIP, JUMP),
            Cell(5, WRONG, "transducer-wrong", {**at, "kpa": -300}, STATES, TRIP, JUMP),
            Cell(5, WRONG, "transducer-wrong", {**at, "kpa": 1300}, STATES, TRIP, JUMP),
            Cell(5, DELAYED, "transducer-wrong", {**at, "kpa": 300, **LATE}, STATES, TRIP, JUMP),
            Cell(5, INTERMITTENT, "transducer-wrong", {**at, "kpa": 300, **IN_AND_OUT}, STATES, TRIP, JUMP),
            # Tolerances and limit together allow 150 kPa: reached after 30 s.
            Cell(5, SLOW, "transducer-wrong", {**at, "kpa": 300, "grow_s": 60.0}, ("OFF", "HOLD", "QUIET",
                "SEALED", "RELIEF"), TRIP, DISAGREE, 33.0, settings=(("quiet_drift_pa", 1_000_000),)),
            Cell(5, DELAYED, "transducer-late", at, STATES, SAFE, within_s=20),
            Cell(6, STUCK, "port-blocked", at, MOVING, TRIP, NOT_MOVING, pulses=3, or_moved_pa=SEEN_PA),
            Cell(6, STUCK, "port-blocked", at, ("HOLD",), TRIP, NOT_MOVING, pulses=3, or_moved_pa=SEEN_PA,
                drive=UP),
            Cell(6, SLOW, "port-blocked", {**at, "lag_s": 60.0}, MOVING, TRIP, NOT_MOVING, pulses=3,
                or_moved_pa=SEEN_PA),
            Cell(6, DELAYED, "port-blocked", {**at, **LATE}, MOVING, TRIP, NOT_MOVING, pulses=3,
                or_moved_pa=SEEN_PA),
        ]
    # One transducer over the trip while the other rises from a pulse that garbage caused: over-pressure by definition.
    garbage = ("CONTROL_ERRATIC", *ANY_LOOP, *OPEN_SIDE, *NOT_MOVING, "OVERPRESSURE")
    cells += [
        Cell(5, GARBAGE, "transducer-garbage", {"which": "control"}, STATES, TRIP, garbage, 1.0,
            "SEALED RELIEF"),
        # Garbage from the safety transducer counts as its failure: an alarm.
        Cell(5, GARBAGE, "transducer-garbage", {"which": "safety"}, STATES, WARN, ("SAFETY_TRANSDUCER",)),
        Cell(5, WRONG, "transducer-noisy", {"kpa": 30}, STATES, SAFE, within_s=10),
    ]
    # Equal counts alone only raise a warning: after ten minutes.
    cells.append(
        Cell(4, OFF, "transducer-frozen", {}, ("OFF", "HOLD"), WARN, ("TRANSDUCER_STILL",), 660, tick_ms=100,
            slow=True)
    )
    return cells


def _converters() -> list[Cell]:
    cells = []
    for fault in ("adc-dead", "bus-stuck"):
        cells += [
            Cell(7, OFF if fault == "adc-dead" else STUCK, fault, {}, STATES, TRIP, ("ADC_DEAD",), 0.1),
            Cell(7, DELAYED, fault, LATE, STATES, TRIP, ("ADC_DEAD",), 0.1),
            Cell(7, INTERMITTENT, fault, IN_AND_OUT, STATES, TRIP, ("ADC_DEAD",), 0.1),
            Cell(7, INTERMITTENT, fault, {"every_s": 1.0, "on_s": 0.06}, STATES, STAY, within_s=5),
        ]
    cells += [
        Cell(7, GARBAGE, "adc-stale", {}, MOVING, TRIP, NOT_MOVING, pulses=3, or_moved_pa=SEEN_PA),
        Cell(8, WRONG, "reference-drift", {"grow_s": 5.0}, STATES, WARN, ("REFERENCE_DRIFT",), 60, slow=True),
        Cell(8, WRONG, "reference-drift", {"percent": -0.8, "grow_s": 5.0}, ("HOLD", "SEALED"), WARN,
            ("REFERENCE_DRIFT",), 60),
        Cell(8, GARBAGE, "reference-drift", {"percent": -3}, ("HOLD", "OFF"), SAFE, within_s=5),
        # A drift counts from 0.5 %: after 10 s.
        Cell(8, SLOW, "reference-drift", {"grow_s": 20.0}, ("OFF", "HOLD"), WARN, ("REFERENCE_DRIFT",), 70,
            slow=True),
    ]
    return cells


def _valves() -> list[Cell]:
    shut = ("OFF", "HOLD", "QUIET", "SEALED", "RELIEF")
    cells = [
        Cell(9, STUCK, "fill-stuck-open", {"valve": "both"}, STATES, TRIP, OPEN_SIDE, 0.3),
        # At every moment of a vent pulse, which removes the incoming gas.
        *(
            Cell(9, DELAYED, "fill-stuck-open", {"valve": "both", "after_s": after_s}, ("VENT",), TRIP,
                OPEN_SIDE, 0.3)
            for after_s in (0.02, 0.04, 0.06, 0.08, 0.12, 0.16, 0.2, 0.24, 0.28, 0.32)
        ),
        Cell(9, DELAYED, "fill-stuck-open", {"valve": "both", **LATE}, shut, TRIP, OPEN_SIDE, 0.3),
        Cell(9, INTERMITTENT, "fill-stuck-open", {"valve": "both", **IN_AND_OUT}, shut, TRIP, OPEN_SIDE, 0.3),
        Cell(9, STUCK, "fill-stuck-open", {}, ("HOLD",), TRIP, OPEN_SIDE, pulses=3, drive=UP),
        Cell(9, STUCK, "fill-stuck-open", {}, ("RAMP",), TRIP, OPEN_SIDE, pulses=3),
        Cell(9, SLOW, "fill-sticky", {"ms": 400}, ("RAMP",), TRIP, OPEN_SIDE, pulses=3),
        Cell(9, SLOW, "fill-leak", {"valve": "both", "c": 2e-11}, ("OFF", "HOLD", "QUIET"), WARN, ("GAS_GAINED",), 60),
        Cell(9, SLOW, "fill-leak", {"valve": "both", "c": 8e-11}, ("OFF", "HOLD", "QUIET"), TRIP,
            ("GAS_CHASED", *OPEN_SIDE), 60),
        Cell(9, SLOW, "fill-leak", {"valve": "both", "c": 2e-13}, ("HOLD",), WARN, ("GAS_GAINED",),
            2 * 900 + 60, tick_ms=100, slow=True),
        Cell(12, STUCK, "vent-stuck-open", {"valve": "both"}, STATES, TRIP, OPEN_SIDE, 0.5),
        Cell(12, DELAYED, "vent-stuck-open", {"valve": "both", **LATE}, shut, TRIP, OPEN_SIDE, 0.5),
        Cell(12, INTERMITTENT, "vent-stuck-open", {"valve": "both", **IN_AND_OUT}, shut, TRIP, OPEN_SIDE,
            0.5),
        Cell(12, STUCK, "vent-stuck-open", {}, ("HOLD",), TRIP, OPEN_SIDE, pulses=3, side=1, drive=FALL),
        Cell(12, STUCK, "vent-stuck-open", {}, ("DOWN", "VENT"), TRIP, OPEN_SIDE, pulses=3, side=1),
        Cell(12, SLOW, "vent-leak", {"valve": "both", "c": 2e-11}, ("OFF", "HOLD", "QUIET"), WARN, ("LEAK",), 60),
        Cell(12, SLOW, "vent-leak", {"valve": "both", "c": 8e-11}, ("OFF", "HOLD", "QUIET"), TRIP,
            ("GAS_CHASED", *OPEN_SIDE), 60),
        Cell(12, SLOW, "vent-sticky", {"ms": 400}, ("DOWN",), TRIP, OPEN_SIDE, pulses=3, side=1),
        Cell(12, SLOW, "vent-leak", {"valve": "both", "c": 1e-13}, ("HOLD",), WARN, ("LEAK",), 2 * 900 + 60,
            tick_ms=100, slow=True),
    ]
    for valve in ("fill", "supply_isolation", "both"):
        at = {"valve": valve}
        cells += [
            Cell(10, STUCK, "fill-stuck-shut", at, ("RAMP",), TRIP, ("FILL_STUCK_SHUT",), pulses=5),
            Cell(10, STUCK, "fill-stuck-shut", at, ("HOLD",), TRIP, ("FILL_STUCK_SHUT",), pulses=5, drive=UP),
        ]
    cells += [
        Cell(10, DELAYED, "fill-stuck-shut", LATE, ("RAMP",), TRIP, ("FILL_STUCK_SHUT",), pulses=5),
        Cell(10, INTERMITTENT, "fill-stuck-shut", {"every_s": 8.0, "on_s": 1.0}, ("RAMP",), STAY,
            within_s=20),
    ]
    for valve in ("vent", "vent_isolation", "both"):
        at = {"valve": valve}
        cells += [
            Cell(13, STUCK, "vent-stuck-shut", at, ("DOWN", "VENT"), WARN, ("VENT_SHUT",), pulses=5, side=1),
            Cell(13, STUCK, "vent-stuck-shut", at, ("HOLD",), WARN, ("VENT_SHUT",), pulses=5, side=1,
                drive=FALL),
        ]
    cells += [
        Cell(13, DELAYED, "vent-stuck-shut", LATE, ("DOWN",), WARN, ("VENT_SHUT",), pulses=5, side=1),
        Cell(13, INTERMITTENT, "vent-stuck-shut", {"every_s": 8.0, "on_s": 1.0}, ("DOWN",), STAY,
            within_s=20),
    ]
    # At the start of regulation, when both sides have pressure across them.
    for valve in VALVES[:4]:
        # Where fill or vent opened, a second proof confirms it, once the gas is calm again.
        cells.append(
            Cell(11, STUCK, "one-valve-open", {"valve": valve}, ("OFF",), WARN, ("PAIR_OPEN",),
                30 if valve in ("fill", "vent") else 3610, drive=START, rest_s=150, slow=valve not in ("fill", "vent"))
        )
        # A proof waits for gas at rest, an hour at most; a fill valve shows in the first pulse that is needed.
        cells.append(
            Cell(11, STUCK, "one-valve-open", {"valve": valve}, ("OFF",), WARN, ("PAIR_OPEN",), 3610,
                drive=START, slow=True)
            if valve != "fill" else
            Cell(11, STUCK, "one-valve-open", {"valve": valve}, ("OFF",), TRIP, ("FILL_STUCK_OPEN",), 3610,
                drive=START, slow=True)
        )
    cells.append(
        Cell(11, STUCK, "one-valve-open", {}, ("HOLD",), WARN, ("PAIR_OPEN",), 86400 + 3610, tick_ms=200,
            slow=True)
    )
    for valve in ("fill", "vent"):
        cells.append(
            Cell(
                30,
                SLOW,
                "restrictor",
                # Once the valve is well known: its first fifty pulses set the reference.
                {"valve": valve, "factor": 0.4, "grow_s": 60.0, "after_s": 300.0},
                ("HOLD",),
                WARN,
                ("VALVE_WORN",),
                900,
                drive={"HOLD": "wave"},
                slow=True,
            )
        )
    return cells


def _coils() -> list[Cell]:
    cells = []
    # A coil that breaks while on shows at its drain only after switch-off; its pulses have no effect.
    codes = ("COIL_SHORTED", "COIL_DEAD", "FILL_STUCK_SHUT")
    for valve in VALVES:
        at = {"valve": valve}
        cells += [
            Cell(14, OFF, "coil-open", at, STATES, TRIP, codes, 0.05, since="off"),
            Cell(14, DELAYED, "coil-open", {**at, **LATE}, STATES, TRIP, codes, 0.05, since="off"),
            Cell(15, STUCK, "transistor-short", at, STATES, TRIP, codes, 0.05, since="off"),
        ]
    cells += [
        Cell(14, INTERMITTENT, "coil-open", {"valve": "vent", **IN_AND_OUT}, STATES, TRIP, codes, 0.05,
            since="off"),
        Cell(15, DELAYED, "transistor-short", {"valve": "fill", **LATE}, STATES, TRIP, codes, 0.05,
            since="off"),
        Cell(15, INTERMITTENT, "transistor-short", {"valve": "fill", **IN_AND_OUT}, STATES, TRIP, codes,
            0.05),
        # A shorted coil shows while on: the isolation valves open 40 ms before the pulse.
        Cell(14, STUCK, "coil-short", {"valve": "supply_isolation"}, ("RAMP",), TRIP, codes, 0.06,
            since="window"),
        Cell(14, STUCK, "coil-short", {"valve": "vent_isolation"}, ("DOWN", "VENT"), TRIP, codes, 0.06,
            since="window", side=1),
        Cell(14, STUCK, "coil-short", {"valve": "fill"}, ("RAMP",), TRIP, (*codes, "FILL_STUCK_SHUT"),
            pulses=5),
        Cell(14, STUCK, "coil-short", {"valve": "vent"}, ("DOWN",), TRIP, (*codes, "VENT_SHUT"), pulses=5,
            side=1),
        Cell(35, OFF, "rail-lost", {}, STATES, TRIP, ("RAIL_LOST",), 0.05),
        Cell(35, DELAYED, "rail-lost", LATE, STATES, TRIP, ("RAIL_LOST",), 0.05),
        Cell(35, INTERMITTENT, "rail-lost", IN_AND_OUT, STATES, TRIP, ("RAIL_LOST",), 0.05),
        Cell(35, STUCK, "rail-stays", {}, STATES, STAY, within_s=2),
        Cell(34, STUCK, "comparator-trips", {}, STATES, TRIP, ("COMPARATOR_TRIPPED",), 0.02),
        Cell(34, DELAYED, "comparator-trips", LATE, STATES, TRIP, ("COMPARATOR_TRIPPED",), 0.02),
        Cell(34, INTERMITTENT, "comparator-trips", IN_AND_OUT, STATES, TRIP, ("COMPARATOR_TRIPPED",), 0.02),
        Cell(34, OFF, "comparator-dead", {}, STATES, STAY, within_s=2),
    ]
    return cells


def _gas() -> list[Cell]:
    burst = ("LINE_BURST", "VENT_STUCK_OPEN", "RELIEF_STUCK_OPEN", "DISAGREEMENT")
    relief = ("RELIEF_STUCK_OPEN", "LINE_BURST", "VENT_STUCK_OPEN")
    empty = ("SUPPLY_LOW",)
    return [
        # The balance starts after 15 min; a quarter of an hour may lose as much as a cell breathes (60 kPa).
        Cell(16, SLOW, "leak", {"kpa_h": 300}, ("HOLD",), WARN, ("LEAK",), 2 * 900 + 60, tick_ms=100,
            slow=True),
        Cell(16, SLOW, "leak", {"kpa_h": 100}, ("HOLD",), WARN, ("LEAK",), 5 * 900 + 60, tick_ms=100,
            slow=True),
        Cell(16, WRONG, "leak", {"kpa_h": 20}, ("HOLD",), WARN, ("LEAK",), 8.5 * 3600, tick_ms=100,
            slow=True),
        Cell(16, OFF, "leak", {"kpa_h": 2000}, ("HOLD", "OFF"), TRIP, ("LEAK_BUDGET", "GAS_CHASED"), 2 * 900 + 60,
            tick_ms=100, slow=True),
        Cell(17, OFF, "line-burst", {"c": 2e-9}, STATES, TRIP, burst, 0.2),
        Cell(17, OFF, "line-burst", {"c": 2e-8}, STATES, TRIP, burst, 0.2),
        Cell(17, DELAYED, "line-burst", {"c": 5e-9, **LATE}, STATES, TRIP, burst, 0.2),
        Cell(17, INTERMITTENT, "line-burst", {"c": 5e-9, **IN_AND_OUT}, STATES, TRIP, burst, 0.2),
        Cell(18, OFF, "supply-low", {"mpa": 0.1}, ("HOLD", "RAMP"), WARN, empty, 1.0),
        Cell(18, WRONG, "supply-low", {}, ("HOLD", "RAMP", "QUIET"), WARN, empty, 1.0),
        Cell(18, SLOW, "supply-low", {"mpa": 0.1, "grow_s": 10.0}, ("HOLD", "RAMP"), WARN, empty, 10.0),
        Cell(18, DELAYED, "supply-low", LATE, ("HOLD", "RAMP"), WARN, empty, 1.0),
        Cell(18, INTERMITTENT, "supply-low", IN_AND_OUT, ("HOLD", "RAMP"), WARN, empty, 1.0),
        Cell(18, OFF, "supply-low", {"mpa": 0.1}, ("OFF", "DOWN", "VENT", "SEALED", "RELIEF"), STAY,
            within_s=3),
        Cell(19, WRONG, "supply-high", {"mpa": 9}, STATES, WARN, ("SUPPLY_HIGH",), 0.2,
            settings=(("supply_max_pa", 8_000_000),)),
        Cell(19, STUCK, "supply-high", {"mpa": 12}, STATES, WARN, ("SUPPLY_HIGH",), 0.2),
        Cell(19, DELAYED, "supply-high", {"mpa": 12, **LATE}, STATES, WARN, ("SUPPLY_HIGH",), 0.2),
        Cell(19, INTERMITTENT, "supply-high", {"mpa": 12, **IN_AND_OUT}, STATES, WARN, ("SUPPLY_HIGH",), 0.2),
        Cell(19, SLOW, "supply-high", {"mpa": 16, "grow_s": 10.0}, ("OFF", "HOLD"), WARN, ("SUPPLY_HIGH",),
            5.0),
        Cell(33, STUCK, "relief-stuck-open", {}, STATES, TRIP, relief, 0.5),
        Cell(33, DELAYED, "relief-stuck-open", LATE, STATES, TRIP, relief, 0.5),
        Cell(33, INTERMITTENT, "relief-stuck-open", IN_AND_OUT, STATES, TRIP, relief, 0.5),
        Cell(33, SLOW, "relief-leak", {"c": 1e-13}, ("HOLD",), WARN, ("LEAK",), 2 * 900 + 60, tick_ms=100,
            slow=True),
    ]


def _surroundings() -> list[Cell]:
    cells = []
    for which, code in (("gas", "GAS_TEMPERATURE"), ("wall", "WALL_TEMPERATURE")):
        fault = f"{which}-sensor"
        for how, kind in (("open", OFF), ("short", STUCK), ("dead", OFF)):
            cells.append(Cell(25, kind, fault, {"how": how}, STATES, WARN, (code,), 5.0))
        cells += [
            Cell(25, WRONG, fault, {"how": "wrong", "k": 60}, ("OFF", "HOLD", "QUIET", "SEALED"), WARN,
                (code,), 7.0),
            Cell(25, DELAYED, fault, {"how": "dead", **LATE}, STATES, WARN, (code,), 5.0),
            Cell(25, INTERMITTENT, fault, {"how": "dead", "every_s": 8.0, "on_s": 4.0}, STATES, WARN, (code,),
                5.0),
        ]
    runaway = ("RUNAWAY",)
    calm = ("OFF", "HOLD", "QUIET", "SEALED", "RELIEF")
    cells += [
        # 0.25 K/s at the wall, and past its limit in between.
        Cell(26, WRONG, "cell-runaway", {"watt": 500}, calm, TRIP, runaway, 9.0),
        Cell(26, DELAYED, "cell-runaway", {"watt": 500, **LATE}, calm, TRIP, runaway, 9.0),
        # The heating by a ramp masks the rate; the limit counts: 0.5 K away, so after 2 s.
        Cell(26, WRONG, "cell-runaway", {"watt": 500, "for_s": 600}, STATES, TRIP, runaway, 7.0,
            settings=NEAR_LIMIT),
        Cell(26, SLOW, "oven-runaway", {"k": 100, "grow_s": 600.0}, ("OFF", "HOLD"), TRIP, runaway, 3600,
            tick_ms=100, slow=True),
        # Shut and the cycler stopped as above; gas is let out once a second witness has confirmed for 3 s.
        Cell(26, WRONG, "cell-runaway", {"watt": 500}, ("HOLD", "OFF"), TRIP, runaway, 12.0, "RELIEF",
            settings=(("runaway_relief", 1),)),
        Cell(32, OFF, "supply-sensor", {}, STATES, WARN, ("SUPPLY_TRANSDUCER",), 1.0),
        Cell(32, WRONG, "supply-sensor", {"ma": 3.7}, STATES, WARN, ("SUPPLY_TRANSDUCER",), 1.0),
        Cell(32, STUCK, "supply-sensor", {"ma": 22}, STATES, WARN, ("SUPPLY_TRANSDUCER", "SUPPLY_HIGH"), 1.0),
        Cell(32, DELAYED, "supply-sensor", LATE, STATES, WARN, ("SUPPLY_TRANSDUCER",), 1.0),
        Cell(32, INTERMITTENT, "supply-sensor", IN_AND_OUT, STATES, WARN, ("SUPPLY_TRANSDUCER",), 1.0),
        Cell(32, GARBAGE, "transducer-garbage", {"which": "supply"}, STATES, STAY, within_s=5),
        Cell(32, STUCK, "supply-sensor-frozen", {}, STATES, STAY, within_s=5),
    ]
    alarm = ("SAFETY_TRANSDUCER",)
    for fault, values, kind in (
        ("safety-open", {}, OFF),
        ("safety-open", {"ma": 3.5}, WRONG),
        ("safety-open", LATE, DELAYED),
        ("safety-open", IN_AND_OUT, INTERMITTENT),
        ("safety-range", {}, WRONG),
    ):
        cells.append(Cell(31, kind, fault, values, STATES, WARN, alarm, 0.2))
    cells += [
        Cell(31, OFF, "safety-open", {}, ("OFF", "HOLD"), TRIP, ("SAFETY_FAILED",), 7.0,
            settings=QUICK_SAFETY_LIMIT),
        Cell(31, STUCK, "safety-short", {}, STATES, WARN, alarm, 0.2),
        Cell(31, SLOW, "transducer-wrong", {"which": "safety", "kpa": -300, "grow_s": 60.0}, ("HOLD",), TRIP,
            DISAGREE, 33.0),
    ]
    return cells


def _device() -> list[Cell]:
    cells = []
    for how, kind in (("gone", OFF), ("stalls", STUCK), ("floods", GARBAGE)):
        cells.append(Cell(24, kind, "host", {"how": how}, STATES, STAY, within_s=10))
    cells.append(Cell(24, INTERMITTENT, "host", {"how": "gone", **IN_AND_OUT}, STATES, STAY, within_s=10))
    for ma in (0.0, 4.0, 20.0, 22.0):
        for which in ("control", "supply", "safety"):
            # A wild sample of the safety transducer above the comparator's limit trips the comparator: see row 34.
            if which != "safety" or ma < 14.0:
                values: dict[str, object] = {"which": which, "ma": ma}
                cells.append(Cell(36, WRONG, "spike", values, STATES, STAY, within_s=2))
    cells.append(Cell(36, INTERMITTENT, "spike", {"ma": 20.0, "every_s": 0.5, "on_s": 0.04}, STATES, STAY, within_s=5))
    for ms in (45, 200, 400):
        cells.append(Cell(37, DELAYED, "flash-slow", {"ms": ms}, STATES, STAY, within_s=65))
    cells += [
        Cell(21, STUCK, "hang", {}, STATES, RESET, within_s=1.1),
        Cell(21, DELAYED, "hang", {"after_s": 0.35}, STATES, RESET, within_s=1.1),
        Cell(21, INTERMITTENT, "hang", {"for_s": 0.4}, STATES, STAY, within_s=3),
        Cell(22, OFF, "brown-out", {}, STATES, RESET, within_s=0.1),
        Cell(22, INTERMITTENT, "brown-out", {"off_s": 0.0}, STATES, RESET, within_s=0.1),
        Cell(22, DELAYED, "brown-out", {"off_s": 60.0, **LATE}, STATES, RESET, within_s=0.1),
        Cell(23, INTERMITTENT, "resets", {"count": 4, "apart_s": 4.0}, STATES, RESET, ("REBOOT_LOOP",),
            within_s=0.1),
        Cell(23, OFF, "resets", {"count": 4, "apart_s": 4.0, "cause": "power"}, STATES, RESET,
            ("REBOOT_LOOP",), within_s=0.1),
    ]
    return cells


CELLS = [*_loops(), *_converters(), *_valves(), *_coils(), *_gas(), *_surroundings(), *_device()]
