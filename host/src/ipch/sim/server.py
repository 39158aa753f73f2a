"""`ipch sim`: a simulated regulator that serves its serial line until it is stopped."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from ipch.base.paths import choosing_serial, is_alive, register_simulator
from ipch.errors import FileError, UsageError
from ipch.sim.board import Board
from ipch.sim.channel import Channel
from ipch.sim.injector import Script, inject
from ipch.sim.line import SerialLine
from ipch.sim.parameters import Rig
from ipch.sim.plant import Plant
from ipch.sim.rigs import DEFAULT_SERIALS
from ipch.sim.world import World

if TYPE_CHECKING:
    from ipch.sim.pico import PicoDevice

# Half a second: how long a simulator outlives the process that needs it.
_TICKS_BETWEEN_LOOKS = 25
RIGS = ("core", "sim", "pico")


class _Stop(Exception):
    pass


def serve(
    plant: Rig,
    *,
    rig: str = "sim",
    speed: float | None = 1.0,
    ahead_s: float | None = None,
    seed: int = 1,
    truth: Path | None = None,
    tcp: int | None = None,
    state: Path | None = None,
    serial: str | None = None,
    image: Path | None = None,
    bare: bool = False,
    faults: Script | None = None,
    announce: Callable[[dict[str, Any]], None] | None = None,
    end_with: int | None = None,
) -> None:
    """Serve until SIGTERM, SIGINT or the end of the firmware. `speed` None is as fast as possible; with `ahead_s` only
    until a host has been silent for this much simulated time, and then in real time.

    Once the firmware has booted, `announce` receives port, rig, pid, tcp, speed, serial, control and the drawn
    tolerances; by default they are printed as one line of JSON. `state` keeps the device's files between runs; without
    it they are deleted when the simulator ends.
    `serial` is the board's serial number on the rungs core and sim, to tell several apart. For the rig `pico`, `image`
    is the MicroPython image to boot, and `bare` leaves a fresh board without firmware. `faults` comes from
    injector.load_script. Raises UsageError for an unknown rig or a TCP port in use, FileError without a MicroPython.
    """
    if rig not in RIGS:
        raise UsageError(f"unknown rig {rig!r}; one of {', '.join(RIGS)}")
    if serial is not None and (rig == "pico" or not re.fullmatch(r"[A-Za-z0-9_-]{1,24}", serial)):
        raise UsageError(
            f"serial number {serial}: up to 24 letters, digits, - and _; the emulated board has its chip's own"
        )

    def stop(signum: int, frame: FrameType | None) -> None:
        raise _Stop

    with contextlib.ExitStack() as stack:
        try:
            line = SerialLine(tcp)
        except (OSError, OverflowError) as error:
            raise UsageError(
                f"cannot listen on TCP port {tcp}: {error}; choose a free one, or 0 for any"
            ) from None
        stack.callback(line.close)
        truth_file = None
        if truth is not None:
            try:
                truth.parent.mkdir(parents=True, exist_ok=True)
                # By lines: who reads it while it grows sees what is so.
                truth_file = stack.enter_context(truth.open("w", buffering=1))
            except OSError as error:
                raise FileError(f"cannot write {truth}: {error.strerror}") from None
        if state is None:
            state = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ipch-state-")))
        state.mkdir(parents=True, exist_ok=True)
        world = World(
            Plant(plant.parameters, seed),
            line=line,
            speed=speed,
            ahead_s=ahead_s,
            truth=truth_file,
            seed=seed,
        )
        for name, values in faults or ():
            inject(world, name, values)
        with choosing_serial() as taken:
            world.serial_number = serial or _free_serial(rig, taken)
            # Taken from now on; the port follows once the firmware has booted.
            booting = {"port": "", "pid": os.getpid(), "serial": world.serial_number}
            stack.callback(register_simulator(booting).unlink, missing_ok=True)
        channel = Channel()
        stack.callback(channel.close)
        device = _device(rig, world, state, image, bare)
        stack.callback(device.close)
        first_line = {"port": line.port, "rig": rig, "pid": os.getpid(), "tcp": line.tcp_port, "speed": speed}
        first_line |= {"serial": world.serial_number, "control": channel.path}
        first_line |= {"plant": plant.kind, "seed": seed, "drawn": plant.drawn, "end_with": end_with}
        # Boot before the port is announced.
        device.run(2)
        entry = register_simulator(first_line)
        stack.callback(entry.unlink, missing_ok=True)
        line.moved = lambda port: register_simulator({**first_line, "port": port})
        try:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, stop)
            (announce or _print_json)(first_line)
            while end_with is None or is_alive(end_with):
                for _ in range(_TICKS_BETWEEN_LOOKS):
                    device.run(1)
                    channel.serve(world)
        except _Stop:
            # A second signal must not interrupt the clean-up.
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)


def _print_json(first_line: dict[str, Any]) -> None:
    print(json.dumps(first_line), flush=True)


def _free_serial(rig: str, taken: set[str]) -> str:
    """The first serial number of this rig that no running simulator has, so that records of two never mix."""
    first = DEFAULT_SERIALS.get(rig, "")
    counted = (f"{first[:-4]}{number:04}" for number in itertools.count(1))
    return next(name for name in counted if name not in taken) if first else ""


def _device(rig: str, world: World, state: Path, image: Path | None, bare: bool) -> Board | PicoDevice:
    if rig != "pico":
        return Board(world, state, rig)
    from ipch.board import firmware_files
    from ipch.sim.emulator import find_image
    from ipch.sim.pico import PicoDevice

    image = find_image(image)
    return PicoDevice(world, state, image, files=None if bare else firmware_files())


@dataclass(frozen=True)
class RunningServer:
    """A simulator in a process of its own."""

    port: str
    pid: int
    first_line: dict[str, Any]


@contextlib.contextmanager
def simulate(arguments: Sequence[str] = (), *, timeout_s: float = 30.0) -> Iterator[RunningServer]:
    """Run `ipch sim ARGUMENTS` as a child process for the duration of a with-block.

    Raises UsageError with the child's message if it does not start.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "ipch", "sim", "--end-with", str(os.getpid()), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None and process.stderr is not None
    try:
        # A pipe cannot be waited for on Windows.
        late = threading.Timer(timeout_s, process.kill)
        late.start()
        text = process.stdout.readline()
        late.cancel()
        if not text:
            process.kill()
            raise UsageError(
                f"the simulator did not start: {process.stderr.read().strip() or 'it gave no message'}"
            )
        first_line = json.loads(text)
        yield RunningServer(first_line["port"], first_line["pid"], first_line)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
        process.stderr.close()
