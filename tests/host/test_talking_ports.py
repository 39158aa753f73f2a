"""Ports on which something keeps talking, answers late, or is another board: an answer or one line within 5 s."""

from __future__ import annotations

import os
import pty
import random
import select
import subprocess
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import serial.tools.list_ports
from serial.tools.list_ports_common import ListPortInfo

from ipch.device.instrument import Instrument
from ipch.device.session import Direct
from ipch.device.transport import Transport
from ipch.errors import DeviceLostError, NoDeviceError
from ipch.sim.rigs import find_micropython
from ipch.sim.server import RunningServer
from tests.shares import share

# Of which an interpreter needs some to start.
LONGEST_S = 4.5


@contextmanager
def far_end(talk: Callable[[int], None]) -> Iterator[str]:
    """A pseudo-terminal whose far end calls `talk` again and again, every 50 ms at most."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    over = threading.Event()

    def run() -> None:
        while not over.wait(0.05):
            with suppress(BlockingIOError):
                talk(master)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield os.ttyname(slave)
    finally:
        over.set()
        thread.join()
        os.close(master)
        os.close(slave)


def lines(master: int) -> None:
    os.write(master, b"temperature 23.4 C\r\n")


def noise(master: int) -> None:
    os.write(master, random.randbytes(200).replace(b"\n", b""))


def numbers(master: int) -> None:
    os.write(master, b"1.234 ")


def echo(master: int) -> None:
    os.write(master, os.read(master, 1000))


def nothing(master: int) -> None:
    pass


@pytest.mark.parametrize(
    ("talk", "said"),
    share(
        [
            (lines, "it sends 'temperature 23.4 C'"),
            (noise, "no regulator on"),
            (numbers, "no regulator on .* '1.234 1.234"),
            (echo, r"it sends '\*CLS"),
            (nothing, "nothing answers on"),
        ],
        0,
        4,
    ),
)
def test_something_else_is_told_from_a_regulator_in_time(talk: Callable[[int], None], said: str) -> None:
    with far_end(talk) as port:
        begun_s = time.monotonic()
        with pytest.raises(NoDeviceError, match=said):
            Instrument.open(port)
        assert time.monotonic() - begun_s < LONGEST_S
        Transport(port).close()


def test_a_device_that_starts_to_babble_is_given_up(sim: RunningServer) -> None:
    with far_end(lines) as port, Instrument.open(sim.port, timeout_s=1.0) as instrument:
        direct = instrument.session.channel  # type: ignore[attr-defined]
        direct.transport.close()
        direct.transport = Transport(port)
        begun_s = time.monotonic()
        with pytest.raises(DeviceLostError, match=r"sends 'temperature|stopped answering|did not answer"):
            instrument.ask(":OUTP OFF")
        assert time.monotonic() - begun_s < 1.0 + LONGEST_S


@contextmanager
def slow_line(port: str, round_trip_s: float) -> Iterator[str]:
    """A line to `port` that takes this long for each way there and back."""
    there = os.open(port, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(there)
    waiting: list[tuple[float, int, bytes]] = []

    def carry(master: int) -> None:
        ready, _, _ = select.select([master, there], [], [], 0)
        for end in ready:
            other = there if end == master else master
            waiting.append((time.monotonic() + round_trip_s / 2, other, os.read(end, 4096)))
        while waiting and waiting[0][0] <= time.monotonic():
            _, end, data = waiting.pop(0)
            os.write(end, data)

    try:
        with far_end(carry) as here:
            yield here
    finally:
        os.close(there)


@pytest.mark.parametrize("words", share([["off"], ["status"], ["vent", "--abort"]], 0))
def test_a_round_trip_of_more_than_a_second(
    sim: RunningServer, cli: Callable[..., Any], words: list[str]
) -> None:
    with slow_line(sim.port, 1.4) as port:
        begun_s = time.monotonic()
        result = cli(*words, "--port", port)
        assert (result.code, result.err) == (0, "")
        assert time.monotonic() - begun_s < LONGEST_S


def test_a_late_reply_goes_to_nobody_else(sim: RunningServer) -> None:
    with slow_line(sim.port, 1.9) as port:
        transport = Transport(port)
        transport.write_line("*IDN?\n:SENS:PRES?;:SYST:VERS?\n:SYST:VERS?;:SYST:ERR?")
        transport.close()
        with Instrument.open(port) as instrument:
            assert instrument.ask("*OPC?") == ["1"]
            assert instrument.ask("*OPC?;:SYST:VERS?") == ["1", "1999.0"]
            assert instrument.fetch().state == "OFF"


def test_a_message_that_looks_like_our_mark_has_its_own_reply(regulator: Instrument) -> None:
    for _ in range(2):
        assert regulator.ask(":SYST:VERS?;:SYST:ERR?") == ["1999.0", '0,"No error"']
    assert regulator.ask("*OPC?") == ["1"]
    assert regulator.ask("*CLS") == []


@contextmanager
def foreign_board(program: str = "") -> Iterator[str]:
    """A MicroPython that runs another program, or is at its prompt."""
    master, slave = pty.openpty()
    words = [str(find_micropython()), *(["-c", program] if program else [])]
    with subprocess.Popen(words, stdin=slave, stdout=slave, stderr=slave, start_new_session=True) as process:
        try:
            yield from _relay(master)
        finally:
            process.kill()
            os.close(slave)


def _relay(master: int) -> Iterator[str]:
    def both(other: int) -> None:
        ready, _, _ = select.select([master, other], [], [], 0)
        for end in ready:
            os.write(other if end == master else master, os.read(end, 4096))

    with far_end(both) as port:
        yield port
    os.close(master)


def test_a_micropython_prompt_is_recognised() -> None:
    with foreign_board() as port:
        begun_s = time.monotonic()
        with pytest.raises(NoDeviceError, match="a MicroPython prompt answers; `ipch flash` installs"):
            Instrument.open(port)
        assert time.monotonic() - begun_s < LONGEST_S


def test_another_program_on_a_board_goes_on(tmp_path: Path) -> None:
    program = "import sys\nwhile True:\n    line = sys.stdin.readline()\n    print('you said', repr(line))"
    with foreign_board(program) as port:
        with pytest.raises(NoDeviceError, match=r"it sends .*you said"):
            Instrument.open(port)
        transport = Transport(port)
        transport.drain(0.1)
        transport.write_line("still there?")
        assert any("still there" in (transport.read_line(5) or "") for _ in range(10))
        transport.close()


def test_a_regulator_is_found_beside_other_boards(
    sim: RunningServer, cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def board(port: str, number: int) -> ListPortInfo:
        info = ListPortInfo(port)
        info.vid, info.pid, info.serial_number = 0x2E8A, 0x0005, f"E66{number}"
        return info

    with foreign_board() as prompt, far_end(nothing) as silent:
        boards = [board(prompt, 1), board(silent, 2)]
        monkeypatch.setattr(serial.tools.list_ports, "comports", lambda: boards)
        with Instrument.open() as instrument:
            assert instrument.port == sim.port
            with Instrument.open() as other:
                assert other.port == sim.port and not isinstance(other.session.channel, Direct)  # type: ignore[attr-defined]
        assert cli("off").code == 0
