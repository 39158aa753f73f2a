"""The `core` and `sim` rungs: the firmware in this process, or as a MicroPython program in lockstep with the plant."""

from __future__ import annotations

import array
import importlib
import os
import select
import shutil
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from ipch.base import generated
from ipch.base.extras import how_to_install
from ipch.base.paths import firmware_dir
from ipch.errors import FileError
from ipch.sim import signals
from ipch.sim.world import RX_BYTES, TX_BYTES, World

FILL, VENT = 0, 1
POWER, WATCHDOG, SOFTWARE = range(3)
# The emulated board has its chip's serial number.
DEFAULT_SERIALS = {"core": "CORE000001", "sim": "SIM0000001"}
# Words of a frame before its bytes; the other end is unix/board.py.
OUT_WORDS, IN_WORDS = 5, signals.COUNT + 2


class FirmwareStopped(Exception):
    """The firmware program ended; the text is its output."""


# Parts that Windows lacks.
_posix: Any = os
_select: Any = select


def find_micropython() -> str:
    """The `micropython` command: beside this interpreter, else on the PATH. Raises FileError with the remedy."""
    beside = Path(sys.executable).with_name("micropython")
    found = str(beside) if beside.is_file() else shutil.which("micropython")
    if not found:
        raise FileError(f"no micropython command found; {how_to_install('sim')}, or use --rig core")
    return found


def confirmed_settings() -> dict[str, bytes]:
    """The stored settings of a board with default limits that a person has confirmed: see the firmware's store."""
    body = b"ipch 1 1\nconfirmed 1\n"
    return {"settings.b": body + b"crc %08x\n" % zlib.crc32(body)}


def furnish(world: World, state: Path) -> None:
    """A new simulated chamber comes with confirmed limits. One that has run, here or in this folder, can lose them."""
    if world.ticks == 0 and not any(state.glob("settings.*")) and not any(state.glob("state.*")):
        for name, data in confirmed_settings().items():
            (state / name).write_bytes(data)


class _Written:
    """A file that is being written."""

    def __init__(self, path: Path, world: World | None) -> None:
        self._path = path
        self._world = world
        path.write_bytes(b"")

    def write(self, data: bytes) -> None:
        self._path.write_bytes(data)
        if self._world is not None:
            self._world.erased()

    def close(self) -> None:
        if self._world is not None:
            self._world.closed()
            self._world.wrote(self._path.name)


class Files:
    """The board's file system as a folder on this machine; see firmware/files.py."""

    def __init__(self, folder: Path, world: World | None = None) -> None:
        """`world` is told of every write."""
        self.folder = folder
        self._world = world

    def read(self, name: str) -> bytes | None:
        path = self.folder / name
        return path.read_bytes() if path.is_file() else None

    def create(self, name: str) -> _Written:
        return _Written(self.folder / name, self._world)

    def rename(self, old: str, new: str) -> None:
        (self.folder / old).replace(self.folder / new)


class _Port:
    """The byte port of the `core` rung."""

    def __init__(self, world: World) -> None:
        self._world = world

    def read(self, buffer: bytearray) -> int:
        data = self._world.take(min(len(buffer), RX_BYTES))
        buffer[: len(data)] = data
        return len(data)

    def write(self, buffer: bytearray, start: int, end: int) -> int:
        count = min(end - start, self._world.room())
        if count > 0:
            self._world.send(bytes(buffer[start : start + count]))
        return max(count, 0)


class _CoreRig:
    """The rig contract directly on the plant."""

    def __init__(self, world: World, reset_cause: int) -> None:
        self._world = world
        self.serial_number = world.serial_number or DEFAULT_SERIALS["core"]
        self.serial = _Port(world)
        self.reset_cause = reset_cause
        self.clock_mhz = self.start_ms = self.free_bytes = 0

    def wait_tick(self) -> int:
        self._world.advance()
        return self._world.counts[signals.DT_MS]

    def read(self, sample: Any) -> None:
        (_, control, safety, supply, gas, wall, faults, reference, dead, shorted, rail, tripped) = (
            self._world.counts
        )
        sample.control_counts = control
        sample.safety_counts = safety
        sample.supply_counts = supply
        sample.gas_counts = gas
        sample.wall_counts = wall
        sample.faults = faults
        sample.reference_counts = reference
        sample.coil_dead = dead
        sample.coil_shorted = shorted
        sample.rail_on = rail
        sample.tripped = tripped

    def pulse(self, valve: int, us: int) -> None:
        self._world.pulse(valve, us)

    def switch(self, supply_isolation: bool, vent_isolation: bool, relief: bool) -> None:
        self._world.switch(supply_isolation | vent_isolation << 1 | relief << 2)

    def safe(self) -> None:
        self._world.shut()

    def feed(self, coils: bool) -> None:
        self._world.feed(bool(coils))

    def show(self, pattern: int, cell_ok: bool, monitor_permille: int) -> None:
        self._world.show(pattern, bool(cell_ok), monitor_permille)

    def collect(self) -> None:
        """Nothing to do: this interpreter collects its own garbage."""


def load_firmware() -> dict[str, ModuleType]:
    """Import the firmware's pure half (everything but main, board and drivers) as a program under test."""
    folder = str(firmware_dir())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    names = (
        "link",
        "regulator.app",
        "regulator.settings",
        "regulator.store.copies",
        "regulator.faults",
        "regulator.modes",
        "regulator.control.controller",
    )
    modules = {name: importlib.import_module(name) for name in names}
    modules["generated"] = generated.load(firmware_dir())
    return modules


class CoreDevice:
    """The firmware's control and safety code in this process: rung `core`."""

    rig = "core"

    def __init__(
        self,
        world: World,
        state: Path,
        load: Callable[[], dict[str, ModuleType]] = load_firmware,
        *,
        reset_cause: int = POWER,
    ) -> None:
        """`state` is the folder of its settings files; `load` may load instrumented modules.

        `reset_cause` is the chip's cause of this start: POWER, WATCHDOG or SOFTWARE.
        """
        modules = load()
        furnish(world, state)
        settings = modules["regulator.settings"].Settings()
        self.files = Files(state, world)
        store = modules["regulator.store.copies"].Store(self.files, settings)
        rig = _CoreRig(world, reset_cause)
        rig.safe()
        link = modules["link"].Link(rig.serial)
        self.app = modules["regulator.app"].App(rig, link, store, modules["generated"])
        self.tick: Callable[[], None] = self.app.tick

    def run(self, ticks: int) -> None:
        """Run this many ticks."""
        tick = self.tick
        for _ in range(ticks):
            tick()

    def close(self) -> None:
        """Nothing to close."""


class SimDevice:
    """The whole firmware as a MicroPython program in lockstep: rung `sim`."""

    rig = "sim"

    def __init__(
        self,
        world: World,
        state: Path,
        *,
        heap: str = "800k",
        program: Path | None = None,
        reset_cause: int = POWER,
    ) -> None:
        """Start the program with `state` as its file system. `program` replaces main.py.

        `heap` is twice what the board has and more: words are twice as long here, and sources are compiled.
        """
        if not hasattr(os, "mkfifo"):
            raise FileError("the rig sim needs Linux or macOS; use --rig core")
        self._world = world
        furnish(world, state)
        firmware = firmware_dir()
        board = Path(__file__).with_name("unix")
        self._folder = tempfile.mkdtemp(prefix="ipch-sim-")
        to_world, from_world = (os.path.join(self._folder, name) for name in ("to_world", "from_world"))
        _posix.mkfifo(to_world)
        _posix.mkfifo(from_world)
        self._output = open(os.path.join(self._folder, "output"), "w+b")  # noqa: SIM115
        Path(self._folder, "generated.py").write_text(generated.source(firmware))
        self._process = subprocess.Popen(
            [
                find_micropython(),
                "-X",
                f"heapsize={heap}",
                str(program or board / "start.py"),
                to_world,
                from_world,
                str(reset_cause),
                world.serial_number or DEFAULT_SERIALS["sim"],
            ],
            cwd=state,
            env={**os.environ, "MICROPYPATH": f"{board}:{firmware}:{self._folder}"},
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        # Neither call waits for the program, which may die before it opens its ends.
        self._to_device = os.open(from_world, os.O_RDWR)
        self._from_device: Any = open(os.open(to_world, os.O_RDONLY | _posix.O_NONBLOCK), "rb", buffering=0)  # noqa: SIM115
        self._await_first_frame()
        self._out = array.array("i", [0] * (OUT_WORDS + TX_BYTES // 4))
        self._out_bytes = memoryview(self._out).cast("B")
        self._in = array.array("i", [0] * (IN_WORDS + RX_BYTES // 4))
        self._in_bytes = memoryview(self._in).cast("B")

    def tick(self) -> None:
        """Take one frame of commands, run the plant for a tick, answer with its measurements."""
        world = self._world
        out = self._out
        if self._from_device.readinto(self._out_bytes) != len(self._out_bytes):
            raise FirmwareStopped(self._printed())
        switches = out[2]
        if switches & 8:
            world.shut()
        world.switch(switches & 7)
        if out[0]:
            world.pulse(FILL, out[0])
        if out[1]:
            world.pulse(VENT, out[1])
        if out[3]:
            world.send(bytes(self._out_bytes[OUT_WORDS * 4 : OUT_WORDS * 4 + out[3]]))
        if out[4] >= 0:
            world.show(out[4] & 255, bool(out[4] & 256), out[4] >> 9)
        if switches & 64:
            world.feed(bool(switches & 32))
        if switches & 128:
            world.erased()
        if switches & 256:
            world.closed()
        world.advance()
        into = self._in
        into[0 : signals.COUNT] = array.array("i", world.counts)
        into[signals.COUNT] = world.room()
        if out[2] & 16:
            # Bytes that the firmware did not take are offered again, as by a USB buffer.
            data = world.take()
            into[signals.COUNT + 1] = len(data)
            self._in_bytes[IN_WORDS * 4 : IN_WORDS * 4 + len(data)] = data
        os.write(self._to_device, self._in_bytes)

    def run(self, ticks: int) -> None:
        """Run this many ticks."""
        tick = self.tick
        for _ in range(ticks):
            tick()

    def close(self) -> None:
        """End the program: it stops when its line to the simulator closes."""
        self._from_device.close()
        os.close(self._to_device)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._output.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _await_first_frame(self) -> None:
        poll = _select.poll()
        poll.register(self._from_device, _select.POLLIN)
        while not poll.poll(50):
            if self._process.poll() is not None:
                printed = self._printed()
                self.close()
                raise FirmwareStopped(printed)
        _posix.set_blocking(self._from_device.fileno(), True)

    def _printed(self) -> str:
        self._output.flush()
        return (
            Path(self._output.name).read_text(errors="replace").strip() or "the firmware ended without output"
        )
