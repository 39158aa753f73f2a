"""Flash the emulated board through its serial line, with the command of `make flash` and real mpremote."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipch.board.compile import firmware_files, names_on_board
from ipch.board.flash import FlashError, NotOffError, _ask, flash
from ipch.device import Transport
from ipch.errors import FileError, UsageError
from ipch.sim.emulator import FLASH_BYTES, find_image
from ipch.sim.line import SerialLine
from ipch.sim.parameters import load_parameters
from ipch.sim.pico import PicoDevice
from ipch.sim.plant import Plant
from ipch.sim.world import World
from tests.device.boards import Board

pytestmark = pytest.mark.pico

# The emulated board takes a minute to boot, and answers within some seconds.
TIMEOUT_S = 300.0
# Same value as in board.py.
MAINTENANCE_REQUEST = 0x1DC4


@contextlib.contextmanager
def served(device: PicoDevice, line: SerialLine) -> Iterator[str]:
    """Run the board beside the test; yields its port."""
    over = threading.Event()

    def run() -> None:
        while not over.is_set():
            device.chip.run_ms(1)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield line.port
    finally:
        over.set()
        thread.join()


@pytest.fixture
def line() -> Iterator[SerialLine]:
    made = SerialLine()
    yield made
    made.close()


def world_on(line: SerialLine) -> World:
    return World(Plant(load_parameters(None, ("initial_mpa=0.1",)), seed=1), line=line)


def other_version(number: str) -> dict[str, bytes]:
    """This firmware with another version number, in a source file with the name that the packed files import."""
    files = firmware_files()
    del files["regulator/__init__.mpy"]
    name = names_on_board("regulator/__init__").get("VERSION", "VERSION")
    return {"regulator/__init__.py": f'{name} = "{number}"\n'.encode(), **files}


def never_opened(device: PicoDevice) -> bool:
    return not any(on for _, _, on in device.edges)


def test_a_bare_board_is_flashed_and_a_second_time_nothing_is_written(line: SerialLine) -> None:
    try:
        image = find_image()
    except FileError as error:
        pytest.skip(f"test_a_bare_board_is_flashed: {error}")
    device = PicoDevice(world_on(line), None, image)
    command = [sys.executable, "-m", "ipch", "flash", "--timeout", str(int(TIMEOUT_S)), "--port"]
    with served(device, line) as port:
        done = subprocess.run([*command, port], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "before     MicroPython 1." in done.stdout
        assert "now        ipch,IPCH-1," in done.stdout
        again = flash(port, timeout_s=TIMEOUT_S)
        transport = Transport(port)
        # Nobody has confirmed the limits of a new board.
        assert _ask(transport, ":SYST:SETT:CONF?", TIMEOUT_S, r"[01]$") == "0"
        transport.write_line(":SOUR:PRES 0.4;:OUTP ON")
        assert "config confirm" in _ask(transport, ":SYST:ERR?", TIMEOUT_S, r'-?\d+,"')
        transport.close()
    assert (again.changed, again.removed) == ([], [])
    assert again.after.startswith("ipch,IPCH-1,")
    assert never_opened(device)


def test_another_program_goes_on_until_it_is_to_be_replaced(line: SerialLine) -> None:
    try:
        image = find_image()
    except FileError as error:
        pytest.skip(f"test_another_program_goes_on: {error}")
    other = {"main.py": b"import time\nwhile True:\n    print('pumping')\n    time.sleep(1)\n"}
    device = PicoDevice(world_on(line), None, image, files=other)
    with served(device, line) as port:
        with pytest.raises(
            UsageError, match=r"another program: its main\.py begins with 'import time'.*--replace"
        ):
            flash(port, timeout_s=TIMEOUT_S)
        transport = Transport(port)
        transport.drain(1)
        assert transport.read_line(TIMEOUT_S) == "pumping"
        transport.close()
        assert flash(port, replace=True, timeout_s=TIMEOUT_S).after.startswith("ipch,IPCH-1,")
    assert never_opened(device)


def test_an_upgrade_and_a_downgrade_keep_the_settings(board_on_line: Board, line: SerialLine) -> None:
    device = board_on_line.device
    with served(device, line) as port:
        up = flash(port, files=other_version("9.9.9"), timeout_s=TIMEOUT_S)
        down = flash(port, files=other_version("0.0.1"), timeout_s=TIMEOUT_S)
    assert ",9.9.9 " in up.after and ",9.9.9 " in down.before and ",0.0.1 " in down.after
    assert up.changed == ["regulator/__init__.py", "main.py"]
    assert up.removed == ["regulator/__init__.mpy"]
    assert never_opened(device)


def test_a_board_that_crashes_at_boot_says_so_and_can_be_flashed(
    board_on_line: Board, line: SerialLine
) -> None:
    device = board_on_line.device
    good = firmware_files()
    with served(device, line) as port:
        with pytest.raises(FlashError, match="does not answer"):
            flash(port, files=good | {"main.py": b"import board\nraise ValueError\n"}, timeout_s=20)
        # The state after a Ctrl-C that arrives before board.py has read the request.
        device.chip.mcu.watchdog.scratch_data[0] = MAINTENANCE_REQUEST
        report = flash(port, files=good, timeout_s=TIMEOUT_S)
    assert report.after.startswith("ipch,IPCH-1,")
    assert never_opened(device)


def test_refused_while_it_regulates_and_forced_with_every_valve_shut(
    board_on_line: Board, line: SerialLine
) -> None:
    device = board_on_line.device
    line.to_device += b":SOUR:PRES 0.4;:OUTP ON\n"
    board_on_line.run_until_edge("supply_isolation", True, 3000)
    with served(device, line) as port:
        with pytest.raises(NotOffError, match="--force"):
            flash(port, timeout_s=TIMEOUT_S)
        assert len(device.chip.resets) == 1
        report = flash(port, force=True, files=other_version("9.9.9"), timeout_s=TIMEOUT_S)
    assert ",9.9.9 " in report.after
    assert not any(device.coils_on())


def test_mpremote_that_attaches_during_a_run_stops_nothing(board_on_line: Board, line: SerialLine) -> None:
    device = board_on_line.device
    line.to_device += b":SOUR:PRES 0.4;:OUTP ON\n"
    board_on_line.run_until_edge("fill", True, 6000)
    resets = len(device.chip.resets)
    with served(device, line) as port:
        command = [sys.executable, "-m", "mpremote", "connect", port, "exec", "print(1)"]
        with contextlib.suppress(subprocess.TimeoutExpired):
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
            assert done.returncode, "it must not get a prompt"
    assert len(device.chip.resets) == resets
    device.edges.clear()
    board_on_line.run_until_edge("fill", True, 6000)


def test_power_cut_while_flashing_leaves_a_board_that_opens_nothing_and_can_be_flashed(
    board_on_line: Board, line: SerialLine, tmp_path: Path
) -> None:
    chip = board_on_line.chip
    ssi = chip.mcu.ssi
    apply = ssi._apply_command
    cuts: list[bytes] = []
    programs = 0

    def applied() -> None:
        nonlocal programs
        if ssi._tx_buffer and ssi._tx_buffer[0] == 0x02:
            programs += 1
            if programs % 12 == 3 and len(cuts) < 4:
                # The power fails while the page is half written.
                whole = bytes(ssi._tx_buffer)
                content = bytearray(chip.mcu.flash[:FLASH_BYTES])
                address = int.from_bytes(whole[1:4], "big")
                half = whole[4 : 4 + (len(whole) - 4) // 2]
                for index, byte in enumerate(half):
                    content[address + index] &= byte
                cuts.append(bytes(content))
        apply()

    ssi._apply_command = applied
    # The interpreter ignores what follows the end of a compiled file.
    files = firmware_files()
    mixed = files | {name: files[name] + b"\n" for name in ("files.mpy", "regulator/settings.mpy", "main.py")}
    with served(board_on_line.device, line) as port:
        flash(port, files=mixed, timeout_s=TIMEOUT_S)
    assert len(cuts) >= 3
    for number, content in enumerate(cuts):
        state = tmp_path / str(number)
        state.mkdir()
        (state / "pico.flash").write_bytes(content)
        with contextlib.closing(SerialLine()) as other:
            device = PicoDevice(world_on(other), state, find_image())
            with served(device, other) as port:
                report = flash(port, files=mixed, timeout_s=TIMEOUT_S)
            assert report.after.startswith("ipch,IPCH-1,"), number
            assert never_opened(device), number
