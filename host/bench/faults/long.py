"""Weeks of operation: counters that wrap, and healthy operation without a false trip."""

from __future__ import annotations

from dataclasses import dataclass

from bench.scenarios.rig import Bench, settled

WRAPS_S = ((1 << 29) / 1000, (1 << 30) / 1000, (1 << 32) / 1000, (1 << 30) / 1e6)
DAY_S = 86400


def cross_wraps(state: str, seconds: float = 20.0) -> int:
    """Seed the uptime shortly before each wrap and run across; return the number of ticks. Raises AssertionError.

    2^29, 2^30 and 2^32 ms, and 2^30 us.
    """
    ticks = 0
    for wrap_s in WRAPS_S:
        bench = settled(state).copy(f"wraps in {state}")
        try:
            clock = bench.app.clock
            clock.uptime_s = int(wrap_s) - 5
            clock.uptime_ms = 0
            start_ms = bench.world.plant.time_ms
            before = (bench.state, bench.app.modes.fault_name)
            steps = round(seconds * 50)
            for _ in range(steps):
                bench.board.run(1)
                passed_ms = bench.world.plant.time_ms - start_ms
                up_ms = (clock.uptime_s - int(wrap_s) + 5) * 1000 + clock.uptime_ms
                assert up_ms == passed_ms, f"{up_ms} ms of uptime in {passed_ms} ms at {wrap_s} s"
            ticks += steps
            assert (bench.state, bench.app.modes.fault_name) == before
            if state == "HOLD":
                assert abs(bench.world.plant.pressure_pa - 5e6) < 8_000
            if state == "RAMP":
                # 10 kPa/s: requested and actual rate.
                assert abs(bench.app.control.ramp_pa - bench.world.plant.pressure_pa) < 60_000
        finally:
            bench.close()
    return ticks


def cross_quiet_end() -> None:
    """A quiet window across a wrap ends in time."""
    for wrap_s in WRAPS_S:
        bench = settled("HOLD").copy()
        try:
            bench.app.clock.uptime_s = int(wrap_s) - 5
            bench.send(":OUTP:QUI 10")
            bench.run_s(9.8)
            assert bench.state == "QUIET"
            bench.run_s(0.4)
            assert bench.state == "REGULATE"
        finally:
            bench.close()


def sixty_days(days: float = 60.0, tick_ms: int = 1000) -> dict[str, float]:
    """Run days that alternate between all states, with a long tick; return figures. Raises AssertionError."""
    bench = Bench(tick_ms=tick_ms, sets=("initial_mpa=5", "missed_probability=0"), scenario="60 days")
    app = bench.app
    try:
        bench.set("settle_ms", 5000)
        turns = 0
        plan = (
            (":SOUR:PRES 5;:OUTP ON", 0.4),
            (":OUTP:QUI 3600", 0.05),
            (":OUTP OFF", 0.3),
            (":SOUR:PRES 5;:OUTP ON", 0.25),
        )
        while bench.world.plant.time_ms < days * DAY_S * 1000:
            message, share = plan[turns % len(plan)]
            turns += 1
            bench.send(message)
            bench.run_s(share * DAY_S)
            up_ms = app.clock.uptime_s * 1000 + app.clock.uptime_ms
            assert up_ms == bench.world.plant.time_ms, (
                f"{up_ms} ms of uptime at {bench.world.plant.time_ms} ms"
            )
            assert not app.modes.fault, app.modes.fault_name
        return {"days": bench.world.plant.time_ms / 1000 / DAY_S, "turns": turns, "ticks": bench.world.ticks}
    finally:
        bench.close()


@dataclass(frozen=True)
class Calm:
    """Healthy but awkward operation: a plant and alternating messages, each for some seconds."""

    name: str
    sets: tuple[str, ...]
    plan: tuple[tuple[str, float], ...]
    settings: tuple[tuple[str, int], ...] = ()
    tick_ms: int = 20
    """A longer tick suffices for slow or few ramps; it misjudges long ones of 20 kPa/s or more."""


def _slew(mpa_s: float) -> tuple[tuple[str, float], ...]:
    up_s = 3.0 / mpa_s * 1.3 + 120
    return ((f":SOUR:PRES:SLEW {mpa_s};:SOUR:PRES 5;:OUTP ON", up_s), (":SOUR:PRES 2", up_s))


HOLD = ((":SOUR:PRES 5;:OUTP ON", 3600.0),)
ROUGH_MS = 100
COMMON = ("initial_mpa=4.9",)
CALMS = (
    *(
        Calm(f"ramps of {1000 * slew:g} kPa/s", COMMON, _slew(slew), tick_ms=tick_ms)
        for slew, tick_ms in ((0.001, ROUGH_MS), (0.004, ROUGH_MS), (0.02, 20), (0.1, 20), (1.0, 20))
    ),
    Calm("quiet sensors", (*COMMON, "transducer_noise_kpa=0.02", "safety_noise_kpa=0.1"), HOLD,
        tick_ms=ROUGH_MS),
    Calm("1 % of pulses missed", (*COMMON, "missed_probability=0.01"), _slew(0.02)),
    Calm("compressor between 5.2 and 8 MPa", (*COMMON, "supply_mpa=8", "compressor_low_mpa=5.2",
        "compressor_period_s=600"), ((":SOUR:PRES 5;:OUTP ON", 1200.0), (":SOUR:PRES 4.8", 300.0)),
        tick_ms=ROUGH_MS),
    Calm("oven door", (*COMMON, "oven_step_k=-15", "oven_step_s=1800"), HOLD, tick_ms=ROUGH_MS),
    Calm("oven cycles", (*COMMON, "oven_amplitude_k=2"), HOLD, tick_ms=ROUGH_MS),
    Calm("slow leak", (*COMMON, "leak_c=8e-16"), HOLD, tick_ms=ROUGH_MS),
    Calm("cell breathes", (*COMMON, "cell_c_rate=0.5"), HOLD, tick_ms=ROUGH_MS),
    Calm("noise x 3", (*COMMON, "transducer_noise_kpa=1.5", "safety_noise_kpa=9"), _slew(0.02)),
    Calm("noise x 3, hold", (*COMMON, "transducer_noise_kpa=1.5", "safety_noise_kpa=9", "cell_c_rate=0.5"),
        HOLD, tick_ms=ROUGH_MS),
    Calm("vents", COMMON, ((":SOUR:PRES 5;:OUTP ON", 400.0), (":SOUR:PRES:LEV:IMM:AMPL:VENT 1", 400.0)),
        tick_ms=ROUGH_MS),
    Calm("quiet windows", (*COMMON, "oven_amplitude_k=0.5"), ((":SOUR:PRES 5;:OUTP ON", 600.0),
        (":OUTP:QUI 1200", 1300.0)), tick_ms=ROUGH_MS),
)  # fmt: skip


def live(calm: Calm, hours: float, seed: int = 1) -> float:
    """Run; return the simulated hours. Raises AssertionError with the first fault that latches."""
    bench = Bench(sets=calm.sets, seed=seed, tick_ms=calm.tick_ms, scenario=f"calm {calm.name}")
    try:
        turn = 0
        while bench.world.plant.time_ms < hours * 3.6e6:
            message, seconds = calm.plan[turn % len(calm.plan)]
            turn += 1
            bench.send(message)
            left_s = min(seconds, hours * 3600 - bench.world.plant.time_ms / 1000)
            bench.run_s(max(left_s, 1.0))
            modes = bench.app.modes
            assert not modes.fault, (
                f"{calm.name}, seed {seed}: {modes.fault_name}={modes.fault_value} at {modes.fault_s} s, "
                f"{bench.world.plant.pressure_pa / 1e6:.4f} MPa, turn {turn}"
            )
        return bench.world.plant.time_ms / 3.6e6
    finally:
        bench.close()


def judge_part(part: int, hours: float) -> tuple[float, str]:
    """Run the next one of CALMS, in turn; return the hours and the first fault that latched, or ""."""
    try:
        return live(CALMS[part % len(CALMS)], hours, part), ""
    except AssertionError as error:
        return 0.0, str(error)
