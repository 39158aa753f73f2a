"""One suite for every rung: each test runs on the rungs that `--rig` names (core and sim by default)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.scenarios.truth import Watched
from ipch.sim.line import SerialLine
from ipch.sim.parameters import load_parameters
from ipch.sim.plant import Plant
from ipch.sim.rigs import CoreDevice, SimDevice
from tests.device.boards import Board, in_a_child, pico_device

DEVICES = {"core": CoreDevice, "sim": SimDevice, "pico": pico_device}


# An emulated second takes half a minute. These tests take 17 of them together; every other test of this folder takes
# 4 to 230 each, and is excluded by name.
ON_PICO = (
    "test_each_end_of_a_line",
    "test_mixed_ends_and_empty_lines",
    "test_two_messages_in_one_write",
    "test_a_line_byte_by_byte",
    "test_compound_queries_answer_all_of_them_on_one_line",
)


class Bench:
    """A device on its plant, driven tick by tick: the test controls the time."""

    def __init__(self, rig: str, state: Path, sets: tuple[str, ...], seed: int) -> None:
        self.world = Watched(Plant(load_parameters(None, sets), seed=seed))
        self.device = DEVICES[rig](self.world, state)
        self.plant = self.world.plant

    def send(self, message: str) -> None:
        """Put a message on the line; the device receives it in the next tick."""
        self.world.script[self.world.ticks + 1] = message.encode() + b"\n"

    def ask(self, message: str) -> str:
        """Send a message and run until its reply line arrives."""
        self.world.received.clear()
        self.send(message)
        for _ in range(400):
            self.device.run(1)
            if self.world.received.endswith(b"\r\n"):
                return self.world.received.decode().strip()
        raise AssertionError(f"no reply to {message!r}, only {bytes(self.world.received)!r}")

    def fetch(self) -> dict[str, str]:
        """Return the fields of :FETCh? by name."""
        names = self.ask(":FETC:FIEL?").split(",")
        return dict(zip(names, self.ask(":FETC?").split(","), strict=True))

    def run_s(self, seconds: float) -> None:
        """Run for this much device time."""
        self.device.run(round(seconds * 1000 / self.world.tick_ms))

    def run_until(self, condition: Callable[[], bool], limit_s: float) -> float:
        """Run until the condition holds; return the seconds it took, fail after `limit_s`."""
        start = self.plant.time_ms
        while not condition():
            assert self.plant.time_ms - start < limit_s * 1000, f"not within {limit_s} s"
            self.device.run(5)
        return (self.plant.time_ms - start) / 1000


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "bench" not in metafunc.fixturenames:
        return
    wanted = metafunc.config.getoption("--rig") or ["core", "sim"]
    name = metafunc.definition.name
    marks = [pytest.mark.pico]
    if name not in ON_PICO:
        marks.append(pytest.mark.skip(reason=f"{name}: on pico it would take too long"))
    rigs = [pytest.param(rig, marks=marks) if rig == "pico" else rig for rig in DEVICES if rig in wanted]
    metafunc.parametrize("bench", rigs, indirect=True)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run each test of the emulated board in a fork of a booted one."""
    wanted = {"bench", "board", "board_on_line"} & set(getattr(item, "fixturenames", ()))
    if item.get_closest_marker("pico") is None or not wanted:
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in in_a_child(item):
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


@pytest.fixture
def board() -> Board:
    """A freshly booted emulated board with its output off."""
    return Board()


@pytest.fixture
def board_on_line(line: SerialLine) -> Board:
    """The same, its serial line on the pseudo-terminal `line`."""
    return Board(line=line)


@pytest.fixture
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """Return a function that sets up a device: `bench("supply_mpa=7", seed=3)`."""
    made: list[Bench] = []

    def make(*sets: str, seed: int = 1) -> Bench:
        state = tmp_path / f"state{len(made)}"
        state.mkdir()
        made.append(Bench(request.param, state, sets, seed))
        return made[-1]

    yield make
    for one in made:
        one.device.close()
