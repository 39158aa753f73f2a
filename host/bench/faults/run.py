"""Runs one cell of the matrix in one state and returns the time or pulses it took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bench.scenarios.cells import RESET, SAFE, STAY, TRIP, WARN, Cell
from bench.scenarios.rig import LATCHED, Bench, settled

NAMES = {"HOLD": "REGULATE", "RAMP": "REGULATE", "DOWN": "REGULATE"}
# Observation time of a latched state, which must not change.
LATCHED_S = 2.0
# Longest wait for pulses.
PULSES_S = 120.0
# Longest movement, during which an isolation valve stays open.
MOVEMENT_S = 600.0


class Missed(AssertionError):
    """The device did not react as the matrix requires."""


@dataclass(frozen=True)
class Result:
    """Reaction of a cell: seconds or pulses; none if no reaction was expected."""

    value: float | None
    unit: str = "s"


def run_core(cell: Cell, state: str) -> Result:
    """Run on `core`, from a copy of the settled state. Raises Missed or Violation."""
    bench = settled(state, cell.tick_ms).copy(f"{cell.name} in {state}")
    try:
        bench.run_s(cell.rest_s)
        for name, value in cell.settings:
            bench.set(name, value)
        return _Run(cell, state, bench).run()
    finally:
        bench.close()


class _Run:
    def __init__(self, cell: Cell, state: str, bench: Bench) -> None:
        self.cell = cell
        self.state = state
        self.bench = bench
        self.was = bench.state
        self.cause = bench.app.modes.fault_name
        self.start_pulses = list(bench.world.pulses)
        self.start_ms = bench.world.plant.time_ms + round(float(str(cell.values.get("after_s", 0.0))) * 1000)
        self.start_verdicts = self._under_way()
        self.start_pa = bench.world.plant.pressure_pa
        self.off_ms = self.start_ms
        self.first_window_ms: int | None = None

    def run(self) -> Result:
        cell = self.cell
        bench = self.bench
        bench.inject(cell.fault, cell.values)
        drive = cell.drive.get(self.state, "")
        if drive and drive != "wave":
            bench.send(drive)
        if cell.expect == RESET:
            return self._reset()
        if cell.expect in (STAY, SAFE):
            return self._stay()
        if cell.expect == TRIP and self.was in LATCHED:
            return self._latched()
        return self._happens(drive == "wave")

    def _now_ms(self) -> int:
        return self.bench.world.plant.time_ms

    def _watch(self) -> None:
        """Note the first window after the fault, and the time until which the faulty valve was switched on."""
        world = self.bench.world
        side = self.cell.side
        if self._now_ms() <= self.start_ms:
            self.start_pulses = list(world.pulses)
            self.start_verdicts = self._under_way()
            self.start_pa = world.plant.pressure_pa
        elif self.first_window_ms is None and world.plant.valves[2 * side].gate:
            self.first_window_ms = self._now_ms()
        if any(valve.gate for valve in world.plant.valves if valve.name == self.cell.values.get("valve")):
            # A fault that shows only while the coil is off.
            self.off_ms = max(self.start_ms, self._now_ms() + self.cell.tick_ms)

    def _happened(self) -> bool:
        cell = self.cell
        if cell.codes == ("SUPPLY_HIGH",):
            # Fills are inhibited from here on; the warning follows.
            return bool(self.bench.app.watches.supply.warnings)
        if cell.expect == WARN:
            return bool(self.bench.warnings & set(cell.codes))
        if self.bench.app.modes.fault_name in cell.codes:
            return True
        return bool(self.bench.warnings & set(cell.codes))

    def _happens(self, wave: bool) -> Result:
        cell, bench = self.cell, self.bench
        limit_s = PULSES_S if cell.pulses or cell.since == "window" else cell.within_s
        # The resolution is one tick.
        last_ms = self.start_ms + round(limit_s * 1000) + cell.tick_ms
        up = False
        while not self._happened():
            # A valve that stays on while its fault is in force would postpone the end forever.
            if self._now_ms() > last_ms + min(self.off_ms - self.start_ms, round(MOVEMENT_S * 1000)):
                raise Missed(f"nothing after {limit_s:g} s: {self._says()}")
            if wave and self._now_ms() % 20_000 == 0:
                up = not up
                bench.send(f":SOUR:PRES {5.15 if up else 4.85}")
            bench.board.run(1)
            self._watch()
            if bench.app.modes.fault_name != self.cause and not self._happened():
                raise Missed(f"another cause: {self._says()}")
        took = self._took()
        self._judge(took)
        self._settle()
        return took

    def _under_way(self) -> int:
        """Pulses judged so far, plus the one whose gas has flowed but whose verdict is pending."""
        valves = self.bench.app.valves
        return int(valves.verdict.count) + (1 if valves.stage else 0)

    def _judged(self) -> int:
        """Pulses since the fault whose end was seen; immediately following ones count as part of the pulse before."""
        return int(self.bench.app.valves.verdict.count) - self.start_verdicts

    def _took(self) -> Result:
        cell = self.cell
        if cell.pulses:
            return Result(self._judged(), "pulses")
        since_ms = {
            "fault": self.start_ms,
            "off": self.off_ms,
            "window": self.first_window_ms,
        }[cell.since]
        if since_ms is None:
            raise Missed(f"before any {cell.since}: {self._says()}")
        return Result(max(0.0, (self._now_ms() - since_ms) / 1000))

    def _judge(self, took: Result) -> None:
        cell = self.cell
        limit = cell.pulses or cell.within_s
        assert took.value is not None
        moved_pa = abs(self.bench.world.plant.pressure_pa - self.start_pa)
        if took.value > limit + 1e-9 and not (cell.pulses and moved_pa < cell.or_moved_pa):
            raise Missed(f"{took.value:g} {took.unit} instead of {limit:g}: {self._says()}")

    def _settle(self) -> None:
        """After the event: the required state, and nothing energised that should not be."""
        cell, bench = self.cell, self.bench
        if cell.expect == WARN or not bench.app.modes.fault:
            was = "REGULATE" if self.cell.drive.get(self.state) == ":OUTP ON" else self.was
            if was == "QUIET" and "QUIET_DRIFT" in bench.warnings:
                # A drifting reading ends a quiet window, whatever its cause.
                was = "REGULATE"
            if bench.state != was or bench.app.modes.fault_name != self.cause:
                raise Missed(f"a warning changed the state: {self._says()}")
            return
        pulses = list(bench.world.pulses)
        bench.run_s(1.0)
        # A relief may follow the seal: both within the cell's time.
        while bench.state not in cell.end.split() and self._now_ms() < self.start_ms + cell.within_s * 1000:
            bench.run_s(0.1)
        if bench.state not in cell.end.split() and not (
            bench.state == "RELIEF" and bench.app.watches.over.relief_open
        ):
            raise Missed(f"not {cell.end}: {self._says()}")
        if bench.world.pulses != pulses:
            raise Missed(f"pulses after the trip: {self._says()}")
        self._check_shut()

    def _check_shut(self) -> None:
        valves = self.bench.world.plant.valves
        relief = self.bench.state == "RELIEF"
        on = [valve.name for valve in valves if valve.energised and not (relief and valve.name == "relief")]
        if on:
            raise Missed(f"energised: {', '.join(on)}: {self._says()}")

    def _latched(self) -> Result:
        """A second cause: the first one is kept, and the only transition is to RELIEF."""
        bench = self.bench
        bench.run_s(float(str(self.cell.values.get("after_s", 0.0))) + LATCHED_S)
        allowed = {self.was, "RELIEF"} if self.cell.end == "RELIEF" else {self.was}
        if bench.is_over_pressure():
            allowed = {"RELIEF"}
        if bench.state not in allowed or bench.app.modes.fault_name != self.cause:
            raise Missed(f"was {self.was} with {self.cause}: {self._says()}")
        self._check_shut()
        return Result(None)

    def _stay(self) -> Result:
        bench = self.bench
        bench.run_s(self.cell.within_s)
        # A vent may have ended by now, and an emptied chamber is OFF.
        allowed = {self.was, "OFF"} if self.was == "VENT" else {self.was}
        if self.cell.expect == SAFE and bench.app.modes.fault:
            if bench.state not in LATCHED:
                raise Missed(f"was {self.was}: {self._says()}")
            self._check_shut()
            return Result(None)
        if bench.state not in allowed or bench.app.modes.fault_name != self.cause:
            raise Missed(f"was {self.was}: {self._says()}")
        return Result(None)

    def _reset(self) -> Result:
        """The plant must be shut in time, and the restarted firmware must be in an allowed state."""
        cell, bench = self.cell, self.bench
        resets = bench.board.resets
        last_ms = self.start_ms + round(cell.within_s * 1000) + cell.tick_ms
        shut_ms = None
        while bench.board.resets == resets:
            if self._now_ms() > last_ms:
                raise Missed("no reset")
            bench.board.run(1)
        while any(valve.energised for valve in bench.world.plant.valves):
            if self._now_ms() > last_ms:
                raise Missed(
                    f"still energised: {[valve.name for valve in bench.world.plant.valves if valve.energised]}"
                )
            bench.board.run(1)
        shut_ms = self._now_ms()
        bench.run_s(float(str(cell.values.get("off_s", 0.0))) + 4.0)
        if cell.codes:
            bench.run_s(float(str(cell.values["apart_s"])) * float(str(cell.values["count"])) + 4.0)
            if bench.state not in ("OFF", "SEALED", "RELIEF"):
                raise Missed(f"not off after a reboot loop: {self._says()}")
            return Result((shut_ms - self.start_ms) / 1000)
        self._check_restart()
        return Result((shut_ms - self.start_ms) / 1000)

    def _check_restart(self) -> None:
        """OFF stays OFF; regulation is resumed or the chamber sealed; a latched fault is kept."""
        state, fault = self.bench.state, self.bench.app.modes.fault_name
        allowed: dict[str, Any] = {
            "OFF": ({"OFF"}, {"NONE"}),
            "REGULATE": ({"REGULATE", "SEALED"}, {"NONE", "POWER"}),
            "QUIET": ({"REGULATE", "SEALED"}, {"NONE", "POWER"}),
            "VENT": ({"OFF", "SEALED"}, {"NONE", "POWER"}),
            "SEALED": ({"SEALED"}, {self.cause}),
            "RELIEF": ({"RELIEF", "SEALED"}, {self.cause}),
        }
        states, causes = allowed[self.was]
        if state not in states or fault not in causes:
            raise Missed(f"{self.was} with {self.cause} became {self._says()}")

    def _says(self) -> str:
        bench = self.bench
        modes = bench.app.modes
        return (
            f"{bench.state} {modes.fault_name}={modes.fault_value} {sorted(bench.warnings)} pulses "
            f"{[now - was for now, was in zip(bench.world.pulses, self.start_pulses)]} "
            f"at {bench.world.plant.pressure_pa / 1e6:.3f} MPa after {(self._now_ms() - self.start_ms) / 1000:g} s"
        )
