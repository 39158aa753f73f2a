"""Emulated boards for tests: booted once per process, then one fork for each test.

An emulated boot takes a minute, so the parent does it, up to the moment at which the firmware starts its first
conversion: until then it has measured nothing of its plant. Each test runs in a child process with a copy of that
fresh board.
"""

from __future__ import annotations

import json
import os
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from ipch.board.compile import CLOCKS_MHZ, firmware_files
from ipch.errors import DeviceLostError, FileError
from ipch.sim.emulator import find_image
from ipch.sim.line import SerialLine
from ipch.sim.parameters import load_parameters
from ipch.sim.pico import PicoDevice
from ipch.sim.plant import Plant
from ipch.sim.world import World

_booted: list[PicoDevice] = []
_first_world = None
_missing = ""
_broken = ""


def boot(mhz: int = CLOCKS_MHZ[0], slower: float = 1.0) -> bool:
    """Boot this process's board, unless it exists; return whether it does. `slower` is Chip's."""
    global _broken, _missing, _first_world
    if _booted or _missing:
        return bool(_booted)
    try:
        image = find_image()
        _first_world = new_world()
        device = PicoDevice(_first_world, None, image, files=firmware_files(mhz=mhz), slower=slower)
        device.run_to_first_conversion()
    except FileError as error:
        _missing = str(error)
    except DeviceLostError as error:
        _missing = _broken = f"{error}; it said {bytes(_first_world.received).decode(errors='replace')!r}"
    else:
        _booted.append(device)
    return bool(_booted)


def missing() -> str:
    """Reason why there is no board."""
    return _missing


def new_world(*sets: str, seed: int = 1, line: SerialLine | None = None) -> World:
    """A world with a plant of these parameters."""
    return World(Plant(load_parameters(None, sets), seed=seed), line=line)


def take(world: World) -> PicoDevice:
    """Take the board of this process into this world; skips by name if none can boot."""
    assert not _broken, _broken
    if not _booted:
        # With its name, so that the summary lists each test.
        name = os.environ.get("PYTEST_CURRENT_TEST", "").rsplit(" ", 1)[0]
        pytest.skip(f"{name}: {_missing or 'no board was booted'}")
    device = _booted[0]
    assert device.world is _first_world, "one board for each test"
    device.replace_world(world)
    return device


def in_a_child(item: pytest.Item) -> list[pytest.TestReport]:
    """Run a test in a child process with the booted board; return its reports."""
    boot()
    # Otherwise every child would make its own one and remove those of others.
    item.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
    source, sink = os.pipe()
    with warnings.catch_warnings():
        # Under pytest-xdist there are threads, which the child does not need.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        _report(item, sink)
    os.close(sink)
    with open(source, "rb") as pipe:
        data = pipe.read()
    _, status = os.waitpid(child, 0)
    hook = item.config.hook
    if status or not data:
        return [_crash(item, f"the test's process ended with status {status}")]
    reports = [
        hook.pytest_report_from_serializable(config=item.config, data=each) for each in json.loads(data)
    ]
    for report in reports:
        if isinstance(report.longrepr, list):
            # Reason of a skip: JSON has no tuples, but the summary needs one.
            report.longrepr = tuple(report.longrepr)
    return reports


def _report(item: pytest.Item, sink: int) -> None:
    status = 1
    try:
        reports = runtestprotocol(item, log=False, nextitem=None)
        hook = item.config.hook
        said = [hook.pytest_report_to_serializable(config=item.config, report=each) for each in reports]
        with open(sink, "wb") as pipe:
            pipe.write(json.dumps(said).encode())
        status = 0
    finally:
        os._exit(status)


def _crash(item: pytest.Item, why: str) -> pytest.TestReport:
    def fail() -> None:
        raise RuntimeError(why)

    call = pytest.CallInfo.from_call(fail, "call")
    return pytest.TestReport.from_item_and_call(item, call)


class Board:
    """A board of its own for one test, with helpers."""

    def __init__(self, *sets: str, seed: int = 1, line: SerialLine | None = None) -> None:
        self.world = new_world("initial_mpa=0.1", *sets, seed=seed, line=line)
        self.device = take(self.world)
        self.chip = self.device.chip

    def run_ms(self, ms: float) -> None:
        """Run for this much emulated time."""
        self.chip.run_ms(ms)

    def ask(self, message: bytes, limit_ms: int = 5000) -> str:
        """Send a line; return the first reply line."""
        world = self.world
        world.received.clear()
        world.script[world.ticks + 1] = message + b"\n"
        self.wait_for(lambda: world.received.endswith(b"\r\n"), limit_ms, f"a reply to {message!r}")
        return world.received.decode().strip()

    def tell(self, message: bytes) -> None:
        """Send a line and check that it was accepted."""
        self.world.script[self.world.ticks + 1] = message + b"\n"
        self.run_ms(60)
        error = self.ask(b":SYST:ERR?")
        assert error.startswith("0,"), f"{message!r}: {error}"

    def fetch(self) -> dict[str, str]:
        """The fields of :FETCh? by name."""
        names = self.ask(b":FETC:FIEL?").split(",")
        return dict(zip(names, self.ask(b":FETC?").split(","), strict=True))

    def regulate(self) -> None:
        """Regulate to a pressure well above the present one."""
        self.tell(b":SOUR:PRES %.3f" % (self.world.plant.pressure_pa * 1e-6 + 0.3))
        self.tell(b":OUTP ON")

    def wait_for(self, condition: Callable[[], bool], limit_ms: float, what: str, step_ms: float = 1) -> None:
        """Run until the condition holds."""
        until = self.chip.clock.nanos + limit_ms * 1e6
        while not condition():
            assert self.chip.clock.nanos < until, f"{what}: not within {limit_ms} ms"
            self.run_ms(step_ms)

    def run_until_edge(self, coil: str, on: bool, limit_ms: int) -> float:
        """Run until a coil's pin next changes; return the emulated time in ns."""
        start = self.chip.clock.nanos

        def found() -> list[float]:
            return [
                at for at, name, level in self.device.edges if at >= start and (name, level) == (coil, on)
            ]

        self.wait_for(lambda: bool(found()), limit_ms, f"{coil} {'on' if on else 'off'}", 0.5)
        return found()[0]


def pico_device(world: World, state: Path) -> PicoDevice:
    """The emulated board as a device of the device suite; it stores nothing in `state`."""
    return take(world)


# Above the software's trip at 6 MPa, below the comparator's 6.5.
OVER_PRESSURE_MA = 4 + 16 * 0.63


def over_pressure_ms(board: Board, phase_us: int) -> float:
    """Time from both transducers over the trip to the edge of the relief output; leaves the board unchanged."""
    return float(in_a_fork(lambda: _trip(board, phase_us)))


def _trip(board: Board, phase_us: int) -> float:
    board.run_ms(phase_us / 1000)
    start = board.chip.clock.nanos
    board.device.tamper = lambda name, value: OVER_PRESSURE_MA if name in ("control", "safety") else value
    return (board.run_until_edge("relief", True, 200) - start) / 1e6


def in_a_fork(measure: Callable[[], Any]) -> Any:
    """Result of `measure` (as JSON) in a copy of this process: its own board stays unchanged."""
    source, sink = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            os.write(sink, json.dumps(measure()).encode())
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(sink)
    with open(source, "rb") as pipe:
        data = pipe.read()
    os.waitpid(child, 0)
    assert data, "the measurement failed; see above"
    return json.loads(data)
