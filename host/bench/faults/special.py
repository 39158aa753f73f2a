"""Rows of the matrix that do not concern a single part: over-pressure, settings, stored copies, relief."""

from __future__ import annotations

from collections.abc import Callable

from bench.faults.run import Missed, Result
from bench.scenarios.rig import STATES, Bench, settled

TRIP_PA = 6.0e6
# Four times the noise of the noisier transducer.
NOISE_PA = 12_000.0


def over_pressure(state: str, values: dict[str, object], other: str = "") -> Result:
    """Row 20: the relief output acts at most 50 ms after the pressure passes the trip; nothing else is energised."""
    bench = settled(state).copy(f"20 over-pressure {values} {other} in {state}")
    try:
        plant = bench.world.plant
        if other:
            bench.inject(other, {})
        bench.inject("over-pressure", values)
        over_ms = None
        for _ in range(4000):
            before_pa = plant.pressure_pa
            bench.world.relief_asked_ms = None
            bench.board.run(1)
            if over_ms is None and plant.pressure_pa > TRIP_PA:
                over_ms = plant.time_ms - 20 * (plant.pressure_pa - TRIP_PA) / (plant.pressure_pa - before_pa)
            if bench.world.relief_asked_ms is not None:
                break
        asked_ms = bench.world.relief_asked_ms
        if over_ms is None and plant.pressure_pa > TRIP_PA - NOISE_PA:
            # The noise of both transducers tripped before the true pressure did.
            over_ms = asked_ms
        if asked_ms is None or over_ms is None:
            raise Missed(f"relief requested at {asked_ms}, over at {over_ms}")
        took_s = (asked_ms - over_ms) / 1000
        if took_s > 0.05 or bench.state != "RELIEF":
            raise Missed(f"{took_s:g} s, {bench.state}")
        bench.run_s(0.1)
        if any(valve.energised for valve in plant.valves[:4]):
            raise Missed("energised beside the relief valve")
        return Result(max(0.0, took_s))
    finally:
        bench.close()


def bad_settings(state: str) -> Result:
    """Row 27: invalid settings are refused with the reason and the old ones kept, in every state."""
    bench = settled(state).copy(f"27 bad settings in {state}")
    try:
        app = bench.app
        before = dict(app.settings.items())
        was = bench.state
        for name, value in (
            ("trip_pa", 5_000_000),
            ("trip_pa", 99_000_000),
            ("trip_pa", -1),
            ("setpoint_max_pa", 7_000_000),
            ("burst_disc_pa", 12_000_000),
            ("pulse_max_us", 300_001),
            ("pulse_min_us", 100_000_000),
            ("no_such", 1),
        ):
            bench.send("*CLS")
            bench.send(f':SYST:SETT "{name}",{value}')
            bench.run_s(0.2)
            error = bench.ask(":SYST:ERR?")
            if error.startswith("0") or dict(app.settings.items()) != before or bench.state != was:
                raise Missed(f"{name}={value}: {error}")
        return Result(None)
    finally:
        bench.close()


def stored_copies(values: dict[str, object]) -> Result:
    """Row 28: one intact copy keeps the settings; without one the device stays OFF, with a warning, until confirmed."""
    bench = Bench(scenario=f"28 stored copies {values}")
    try:
        for slew in (11_000, 12_000):
            # Twice, so that both copies exist.
            bench.send(f':SYST:SETT "slew_pa_s",{slew}')
            bench.run_s(1)
        bench.inject("stored-copies", values)
        bench.run_s(0.1)
        bench.inject("resets", {})
        bench.run_s(2)
        if bench.board.resets != 1 or bench.state != "OFF":
            raise Missed(f"{bench.board.resets} resets, {bench.state}")
        slew = bench.app.settings.get("slew_pa_s")
        lost = "SETTINGS_LOST" in bench.warnings
        if values["copies"] != "both":
            # The intact copy may be the older one.
            if slew not in (11_000, 12_000) or lost:
                raise Missed(f"slew {slew}, lost {lost}")
        elif slew != 20_000 or not lost:
            raise Missed(f"slew {slew}, lost {lost}")
        else:
            bench.send(":SOUR:PRES 5;:SOUR:PRES:SLEW 0.01;:OUTP ON")
            bench.run_s(1)
            if bench.state != "OFF" or "SETTINGS_LOST" not in bench.warnings:
                raise Missed(f"{bench.state}, {sorted(bench.warnings)} after a setting was written")
        return Result(None)
    finally:
        bench.close()


def blocked_relief(fault: str) -> Result:
    """Row 29: with the switched relief blocked the mechanical one bounds the pressure, and vice versa."""
    bench = settled("HOLD").copy(f"29 {fault} in HOLD")
    try:
        bench.inject(fault, {})
        bench.inject("over-pressure", {"mpa": 12})
        highest_pa = 0.0
        for _ in range(3000):
            bench.board.run(1)
            highest_pa = max(highest_pa, bench.world.plant.pressure_pa)
        if bench.state != "RELIEF" or highest_pa > 9.6e6:
            raise Missed(f"{bench.state}, {highest_pa / 1e6:.2f} MPa")
        return Result(None)
    finally:
        bench.close()


def overdue_proof(state: str) -> Result:
    """Row 29: an overdue proof test is reported and changes nothing."""
    bench = settled(state).copy(f"29 overdue proof in {state}")
    try:
        was = bench.state
        record = bench.app.record
        record.hours = record.proof_hours + 366 * 24
        bench.run_s(3)
        if "PROOF_OVERDUE" not in bench.warnings or bench.state != was:
            raise Missed(f"{bench.state} {sorted(bench.warnings)}")
        return Result(None)
    finally:
        bench.close()


def _special() -> list[tuple[int, str, str, str, Callable[[], Result]]]:
    rows: list[tuple[int, str, str, str, Callable[[], Result]]] = []
    ways: tuple[tuple[str, dict[str, object], str], ...] = (
        ("stuck", {}, ""),
        ("slow", {"mpa": 6.6}, ""),
        ("delayed", {"after_s": 0.5, "mpa": 10}, ""),
        ("intermittent", {"every_s": 1.0, "on_s": 0.7, "mpa": 10}, ""),
        ("off", {"mpa": 10}, "safety-open"),
    )
    for state in STATES:
        for kind, values, other in ways:
            rows.append(
                (
                    20,
                    kind,
                    state,
                    f"over-pressure {values} {other}",
                    _bind(over_pressure, state, values, other),
                )
            )
        rows.append((27, "wrong", state, "settings that are not allowed", _bind(bad_settings, state)))
        rows.append((29, "slow", state, "proof test overdue", _bind(overdue_proof, state)))
    for copies in ("a", "b", "both"):
        for how, kind in (
            ("bit", "wrong"),
            ("truncated", "wrong"),
            ("empty", "off"),
            ("garbage", "garbage"),
            ("missing", "off"),
        ):
            copy_values: dict[str, object] = {"copies": copies, "how": how}
            rows.append((28, kind, "OFF", f"stored copies {copies} {how}", _bind(stored_copies, copy_values)))
    for fault in ("relief-blocked", "mechanical-relief-blocked"):
        rows.append((29, "stuck", "HOLD", fault, _bind(blocked_relief, fault)))
    return rows


def _bind(function: Callable[..., Result], *arguments: object) -> Callable[[], Result]:
    return lambda: function(*arguments)


SPECIAL = _special()

# Reasons why a row does not run in a state. MAINTENANCE: the firmware does not run, every coil is off and the coil rail
# drops; only the mechanical relief and the comparator act.
_NO_PULSES = "no pulse in this state, so the fault has no effect"
_OTHER_SIDE = "no pulse of this side in this state"
_SLOW = "judged while gas is not moved on purpose; the same watch runs in HOLD, for which it is shown"
_TREND = "a trend of pulses: shown in HOLD, where there are enough of them"
UNSEEN: dict[int, dict[str, str]] = {
    4: dict.fromkeys(
        ("QUIET", "VENT", "SEALED", "RELIEF"),
        _NO_PULSES + " (VENT: the vent ends at the pressure that is seen)",
    ),
    6: dict.fromkeys(("OFF", "QUIET", "VENT", "SEALED", "RELIEF"), _NO_PULSES),
    10: dict.fromkeys(("OFF", "DOWN", "QUIET", "VENT", "SEALED", "RELIEF"), _OTHER_SIDE),
    11: dict.fromkeys(
        ("RAMP", "DOWN", "QUIET", "VENT", "SEALED", "RELIEF"), "proved at the start and once a day, in HOLD"
    ),
    13: dict.fromkeys(("OFF", "RAMP", "QUIET", "SEALED", "RELIEF"), _OTHER_SIDE),
    16: dict.fromkeys(("RAMP", "DOWN", "QUIET", "VENT", "SEALED", "RELIEF"), _SLOW),
    28: dict.fromkeys(
        ("HOLD", "RAMP", "DOWN", "QUIET", "VENT", "SEALED", "RELIEF"), "read at boot, which begins in OFF"
    ),
    30: dict.fromkeys(("OFF", "RAMP", "DOWN", "QUIET", "VENT", "SEALED", "RELIEF"), _TREND),
}
