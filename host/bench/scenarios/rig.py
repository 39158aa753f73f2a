"""Boards in a settled state, on a world that the truth monitor judges."""

from __future__ import annotations

import functools
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any

from bench.scenarios.truth import Violation, Watched
from bench.scenarios.twin import twin
from ipch.sim.board import Board
from ipch.sim.injector import clear, inject
from ipch.sim.parameters import load_parameters
from ipch.sim.plant import Plant

STATES = ("OFF", "HOLD", "RAMP", "DOWN", "QUIET", "VENT", "SEALED", "RELIEF")
LATCHED = ("SEALED", "RELIEF")
SETS = ("initial_mpa=4.7", "missed_probability=0")

__all__ = ["LATCHED", "SETS", "STATES", "Bench", "Violation", "Watched", "enter", "learn", "settled"]


class Bench:
    """A board on its watched plant."""

    def __init__(
        self,
        rig: str = "core",
        sets: tuple[str, ...] = SETS,
        seed: int = 1,
        tick_ms: int = 20,
        scenario: str = "",
    ) -> None:
        self.folder = self._make_folder()
        self.world = Watched(Plant(load_parameters(None, sets), seed), seed=seed, tick_ms=tick_ms)
        self.world.truth.scenario = scenario
        self.board = Board(self.world, self.folder, rig)

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

    def set(self, name: str, value: int) -> None:
        """Change a setting over the wire; the device must accept it."""
        said = self.ask(f'*CLS;:SYST:SETT "{name}",{value};:SYST:ERR?')
        assert said.startswith("0,"), f"{name}={value}: {said}"

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

    def copy(self, scenario: str = "") -> Bench:
        """A second bench in the same state with its own files, for this scenario; `core` only."""
        other: Bench = twin(self, {})
        other.world.truth.scenario = scenario
        other.folder = other._make_folder()
        shutil.copytree(self.folder, other.folder, dirs_exist_ok=True)
        other.board.move(other.folder)
        return other

    def _make_folder(self) -> Path:
        """A folder for its files, removed at the latest with it: a bench that others copy is never closed."""
        folder = tempfile.mkdtemp(prefix="ipch-faults-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return Path(folder)

    def close(self) -> None:
        """Close the device and remove its files."""
        self.board.close()
        shutil.rmtree(self.folder, ignore_errors=True)


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
