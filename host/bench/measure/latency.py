"""Response time of a query in real time, and whether hosts that query or send without pause delay a tick."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.jobs import Workers
from bench.rows import row
from ipch.device import Transport
from ipch.sim.line import SerialLine
from ipch.sim.parameters import load_parameters
from ipch.sim.plant import Plant
from ipch.sim.rigs import SimDevice
from ipch.sim.world import World

# Each kind of host has its turn in each round, so that other load on the machine affects all of them alike.
ROUNDS = 10
TURN_S = 2.0
TICK_MS = 20
# A turn ends a few ticks after its time.
TICKS_OF_A_TURN = 5
# Compared with an idle device in the same run: both include delays of the machine itself.
MORE_LATE_MS = 2.0

# Separate host processes compete with the device for the line only. Each waits for its turn: a line with the number
# of seconds, which it answers at the end.
EAGER = """
import sys, time, serial
port = serial.Serial(sys.argv[1], timeout=2)
print(flush=True)
for turn in sys.stdin:
    end = time.monotonic() + float(turn)
    while time.monotonic() < end:
        port.write(b":FETC?;:SENS:PRES:INL?;SLEW?" + bytes([10]))
        assert port.readline()
    print(flush=True)
"""
FLOOD = """
import os, select, sys, time
port = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
print(flush=True)
for turn in sys.stdin:
    end = time.monotonic() + float(turn)
    while time.monotonic() < end:
        try:
            os.write(port, b":FETC?;:SOUR:PRES 1.2;:NONSENSE" + bytes([10]))
        except BlockingIOError:
            time.sleep(0.001)
    print(flush=True)
    # Leave the line in its first state: all messages answered, and the answers read.
    while select.select([port], [], [], 0.5)[0]:
        os.read(port, 4096)
    os.write(port, bytes([10]))
    print(flush=True)
"""


class Timed(World):
    """Records the start of each tick."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.begun: list[float] = []

    def advance(self) -> None:
        super().advance()
        # The world waits for the tick within advance().
        self.begun.append(time.perf_counter())


class Device:
    """The sim rung in real time, regulating, in a thread of its own."""

    def __init__(self, state: str) -> None:
        self.line = SerialLine()
        self.world = Timed(Plant(load_parameters(None, ["initial_mpa=1"])), line=self.line, speed=1.0)
        self._device = SimDevice(self.world, Path(state))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._device.run(1)

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._device.close()
        self.line.close()

    def late_ms(self, action: Callable[[], None]) -> np.ndarray:
        """Delay of the start of each tick during the action, ms."""
        first = len(self.world.begun)
        action()
        begun = np.array(self.world.begun[first:]) * 1000
        due = np.arange(len(begun)) * TICK_MS
        # The earliest tick gives the phase of the clock's raster.
        return (begun - due) - (begun - due).min()


class Host:
    """A program that uses the line during its turn."""

    def __init__(self, program: str, port: str) -> None:
        arguments = [sys.executable, "-c", program, port]
        self._process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.wait()

    def turn(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{TURN_S}\n")
        self._process.stdin.flush()
        self.wait()

    def wait(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "\n", "the host died"

    def close(self) -> None:
        self._process.communicate(timeout=10)


def measure(out: Path, workers: Workers) -> list[dict[str, Any]]:
    """Return latencies of a query, and delays of ticks with an idle, a querying and a flooding host."""
    with tempfile.TemporaryDirectory() as state:
        device = Device(state)
        try:
            return _measure(device)
        finally:
            device.close()


def _measure(device: Device) -> list[dict[str, Any]]:
    transport = Transport(device.line.port)
    eager, flood = Host(EAGER, device.line.port), Host(FLOOD, device.line.port)
    latencies: list[float] = []

    def patient() -> None:
        end = time.perf_counter() + TURN_S
        while (now := time.perf_counter()) < end:
            transport.write_line(":FETC?")
            assert transport.read_line(2.0)
            latencies.append((time.perf_counter() - now) * 1000)
            # Not synchronised with the ticks.
            time.sleep(0.0137 + 0.0171 * (len(latencies) % 3))

    hosts = {
        "idle": lambda: time.sleep(TURN_S),
        "queries": patient,
        "eager host": eager.turn,
        "flood": flood.turn,
    }
    turns: dict[str, list[np.ndarray]] = {name: [] for name in hosts}
    transport.write_line(":SOUR:PRES 1.2;:OUTP ON")
    for _ in range(ROUNDS):
        for name, host in hosts.items():
            turns[name].append(device.late_ms(host))
        flood.wait()
    for each in (eager, flood, transport):
        each.close()
    late = {name: np.concatenate(parts) for name, parts in turns.items()}
    rows = [
        row("query answered, median", float(np.median(latencies)), "ms"),
        row("query answered, 99 %", float(np.percentile(latencies, 99)), "ms", at_most=TICK_MS + 5),
        row("query answered, longest", float(np.max(latencies)), "ms"),
    ]
    usual_ms = float(np.percentile(late["idle"], 99))
    for name, ms in late.items():
        goal = None if name == "idle" else usual_ms + MORE_LATE_MS
        rows.append(row(f"tick late, {name}, 99 %", float(np.percentile(ms, 99)), "ms", at_most=goal))
        rows.append(row(f"tick late, {name}, longest", float(np.max(ms)), "ms"))
    for name in ("eager host", "flood"):
        # Ticks that started early would make the count too high.
        too_many = len(late[name]) - ROUNDS * TURN_S * 1000 / TICK_MS
        rows.append(row(f"ticks too many, {name}", too_many, "", at_most=ROUNDS * TICKS_OF_A_TURN))
    rows.append(row("fills meanwhile", device.world.plant.valves[0].openings, "", at_least=1))
    return rows
