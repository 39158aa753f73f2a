"""Boards in a settled state, and a world that checks every command of the device."""

from __future__ import annotations

import copy
import functools
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ipch.sim.board import Board
from ipch.sim.injector import clear, inject
from ipch.sim.parameters import load_parameters
from ipch.sim.plant import FILL, SUPPLY_ISOLATION, VENT, VENT_ISOLATION, Plant
from ipch.sim.world import World

# The longest pulse that the firmware may request, and the hardware's limit.
PULSE_MAX_US = 300_000
STATES = ("OFF", "HOLD", "RAMP", "DOWN", "QUIET", "VENT", "SEALED", "RELIEF")
LATCHED = ("SEALED", "RELIEF")
SETS = ("initial_mpa=4.7", "missed_probability=0")


class Violation(AssertionError):
    """A forbidden command."""


class Watched(World):
    """Refuses forbidden commands: too long a pulse, fill and vent together, fill while it is barred.

    `barred` is called before every command of the fill side and returns why it is forbidden, or "".
    """

    barred: Callable[[], str] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.relief_asked_ms: int | None = None
        self.pulses = [0, 0]
        self.pulsed_us = [0, 0]
        self._levels_now = 0

    def pulse(self, valve: int, duration_us: int) -> None:
        if not 0 < duration_us <= PULSE_MAX_US:
            raise Violation(f"pulse of {duration_us} us")
        if self._levels_now & 3 == 2 >> valve:
            raise Violation(f"pulse on {valve} with the isolation of the other side open")
        self._permit(valve == 0)
        self.pulses[valve] += 1
        self.pulsed_us[valve] += duration_us
        super().pulse(valve, duration_us)
        self.permit_levels()

    def switch(self, levels: int) -> None:
        self._levels_now = levels
        if levels & 3 == 3:
            raise Violation("both isolation valves")
        self._permit(bool(levels & 1))
        if levels & 4 and self.relief_asked_ms is None:
            self.relief_asked_ms = self.plant.time_ms
        super().switch(levels)
        self.permit_levels()

    def shut(self) -> None:
        self._levels_now = 0
        super().shut()

    @property
    def waiting(self) -> bool:
        """Whether bytes for the device are still unread."""
        return bool(self._scripted or self.script)

    def permit_levels(self) -> None:
        """Check the actual gates: a side that is still running counts, whatever the new command."""
        gates = [valve.gate for valve in self.plant.valves]
        if (gates[FILL] or gates[SUPPLY_ISOLATION]) and (gates[VENT] or gates[VENT_ISOLATION]):
            raise Violation(f"fill and vent side at once: {gates}")

    def _permit(self, fill: bool) -> None:
        reason = self.barred() if fill and self.barred is not None else ""
        if reason:
            raise Violation(f"fill while {reason}")


class Bench:
    """A board on its watched plant."""

    def __init__(
        self, rig: str = "core", sets: tuple[str, ...] = SETS, seed: int = 1, tick_ms: int = 20
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ipch-faults-"))
        self.world = Watched(Plant(load_parameters(None, sets), seed), seed=seed, tick_ms=tick_ms)
        self.board = Board(self.world, self.folder, rig)
        if rig == "core":
            self.world.barred = functools.partial(barred, self.board)

    @property
    def app(self) -> Any:
        """The firmware's application; on the rung `core` only."""
        assert self.board.device is not None
        return self.board.device.app  # type: ignore[union-attr]

    @property
    def state(self) -> str:
        """State of the device; `core` only."""
        return self.app.modes.name if self.board.device is not None else "RESET"

    @property
    def warnings(self) -> set[str]:
        """Warnings by name; `core` only."""
        from regulator.faults import warning_names

        return set(warning_names(self.app.watches.warnings))

    def is_over_pressure(self) -> bool:
        """Whether the device believes in an over-pressure now; `core` only."""
        from regulator.faults import OVERPRESSURE

        return bool(self.app.watches.over.fault == OVERPRESSURE)

    def send(self, message: str) -> None:
        """Put a message on the line; the device receives it in the next tick."""
        at = self.world.ticks + 1
        self.world.script[at] = self.world.script.get(at, b"") + message.encode() + b"\n"

    def ask(self, message: str) -> str:
        """Send a message and run until its reply line arrives."""
        self.world.received.clear()
        self.send(message)
        for _ in range(500):
            self.board.run(1)
            if self.world.received.endswith(b"\r\n"):
                return self.world.received.decode().strip()
        raise AssertionError(f"no reply to {message!r}, only {bytes(self.world.received)!r}")

    def fetch(self) -> dict[str, str]:
        """Return the fields of :FETCh? by name."""
        names = self.ask(":FETC:FIEL?").split(",")
        return dict(zip(names, self.ask(":FETC?").split(",")))

    def run_s(self, seconds: float) -> None:
        """Run for this much time."""
        self.board.run(round(seconds * 1000 / self.world.tick_ms))

    def inject(self, fault: str, values: dict[str, object]) -> None:
        """As `ipch inject`."""
        inject(self.world, fault, values)

    def copy(self) -> Bench:
        """A second bench in the same state with its own files; `core` only."""
        twin = copy.deepcopy(self)
        twin.folder = Path(tempfile.mkdtemp(prefix="ipch-faults-"))
        shutil.copytree(self.folder, twin.folder, dirs_exist_ok=True)
        twin.board.move(twin.folder)
        twin.world.barred = functools.partial(barred, twin.board)
        return twin

    def close(self) -> None:
        """Close the device and remove its files."""
        self.board.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def barred(board: Board) -> str:
    """Return why the device must not fill now, "" if it may."""
    from regulator.modes import REGULATE

    if board.device is None:
        return "in reset"
    modes = board.device.app.modes  # type: ignore[union-attr]
    if modes.fault:
        return f"latched: {modes.fault_name}"
    return "" if modes.state == REGULATE else f"in {modes.name}"


def learn(bench: Bench) -> None:
    """Regulate at 5 MPa, with both valves known from ramps."""
    bench.send(":SOUR:PRES 5;:OUTP ON")
    bench.run_s(40)
    bench.send(":SOUR:PRES 4.8")
    bench.run_s(30)
    bench.send(":SOUR:PRES 5")
    bench.run_s(60)


def enter(bench: Bench, state: str) -> None:
    """Change from regulating to a state."""
    if state == "OFF":
        bench.send(":OUTP OFF")
        bench.run_s(5)
    elif state == "RAMP":
        bench.send(":SOUR:PRES:SLEW 0.01;:SOUR:PRES 5.4")
        bench.run_s(5)
    elif state == "DOWN":
        bench.send(":SOUR:PRES:SLEW 0.01;:SOUR:PRES 4.5")
        bench.run_s(5)
    elif state == "QUIET":
        bench.send(":OUTP:QUI 3600")
        bench.run_s(5)
    elif state == "VENT":
        bench.send(":SOUR:PRES:LEV:IMM:AMPL:VENT 1")
        bench.run_s(5)
    elif state == "SEALED":
        bench.inject("control-open", {"for_s": 0.5})
        bench.run_s(5)
    elif state == "RELIEF":
        bench.inject("over-pressure", {"mpa": 6.5})
        bench.inject("transducer-wrong", {"which": "control", "kpa": 1100})
        bench.inject("transducer-wrong", {"which": "safety", "kpa": 1100})
        bench.run_s(0.3)
        clear(bench.world)
        bench.run_s(10)


@functools.cache
def settled(state: str, tick_ms: int = 20) -> Bench:
    """A bench on `core` in this state, made once; use a copy."""
    if state == "HOLD":
        bench = Bench(tick_ms=tick_ms)
        learn(bench)
    else:
        bench = settled("HOLD", tick_ms).copy()
        enter(bench, state)
    return bench
