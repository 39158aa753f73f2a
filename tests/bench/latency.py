"""How soon a query is answered in real time, and whether hosts that ask or send without pause delay a tick."""

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

from ipch.sim.line import SerialLine
from ipch.sim.parameters import load_parameters
from ipch.sim.plant import Plant
from ipch.sim.rigs import SimDevice
from ipch.sim.world import World
from ipch.transport import Transport
from tests.bench._rows import row

SECONDS = 20.0
TICK_MS = 20
# A host of its own takes a moment to start and to end.
TICKS_OF_START = 100
# More than the ticks of an idle device are late in the same run: what the machine itself causes is in both.
MORE_LATE_MS = 2.0

# Hosts of their own, so that they compete with the device for the line only.
EAGER = """
import sys, time, serial
end = time.monotonic() + float(sys.argv[2])
port = serial.Serial(sys.argv[1], timeout=2)
while time.monotonic() < end:
    port.write(b":FETC?;:SENS:PRES:INL?;SLEW?" + bytes([10]))
    assert port.readline()
"""
FLOOD = """
import os, sys, time
end = time.monotonic() + float(sys.argv[2])
port = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
while time.monotonic() < end:
    try:
        os.write(port, b":FETC?;:SOUR:PRES 1.2;:NONSENSE" + bytes([10]))
    except BlockingIOError:
        time.sleep(0.001)
"""


class Timed(World):
    """Notes when each tick begins."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.begun: list[float] = []

    def advance(self) -> None:
        super().advance()
        # The world waits for the tick within advance().
        self.begun.append(time.perf_counter())


class Device:
    """The sim rung at the pace of the clock, regulating, in a thread of its own."""

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

    def late_ms(self, action: Callable[[float], None]) -> np.ndarray:
        """How much later than its time each tick began while the action went on, ms."""
        first = len(self.world.begun)
        action(time.perf_counter() + SECONDS)
        begun = np.array(self.world.begun[first:]) * 1000
        due = np.arange(len(begun)) * TICK_MS
        # The earliest tick tells where the raster of the clock lies.
        return (begun - due) - (begun - due).min()


def measure(out: Path) -> list[dict[str, Any]]:
    """Return latencies of a query, and the lateness of ticks of an idle device, with an eager host and in a flood."""
    with tempfile.TemporaryDirectory() as state:
        device = Device(state)
        try:
            return _measure(device)
        finally:
            device.close()


def _measure(device: Device) -> list[dict[str, Any]]:
    transport = Transport(device.line.port)
    latencies: list[float] = []

    def patient(end: float) -> None:
        while (now := time.perf_counter()) < end:
            transport.write_line(":FETC?")
            assert transport.read_line(2.0)
            latencies.append((time.perf_counter() - now) * 1000)
            # Not in step with the ticks.
            time.sleep(0.0137 + 0.0171 * (len(latencies) % 3))

    def host(program: str) -> Callable[[float], None]:
        def run(end: float) -> None:
            arguments = [sys.executable, "-c", program, device.line.port, str(end - time.perf_counter())]
            subprocess.run(arguments, check=True, timeout=SECONDS * 3)

        return run

    transport.write_line(":SOUR:PRES 1.2;:OUTP ON")
    idle = device.late_ms(lambda end: time.sleep(end - time.perf_counter()))
    patiently = device.late_ms(patient)
    eagerly = device.late_ms(host(EAGER))
    flooded = device.late_ms(host(FLOOD))
    transport.close()
    rows = [
        row("query answered, median", float(np.median(latencies)), "ms"),
        row("query answered, 99 %", float(np.percentile(latencies, 99)), "ms", at_most=TICK_MS + 5),
        row("query answered, longest", float(np.max(latencies)), "ms"),
    ]
    usual_ms = float(np.percentile(idle, 99))
    for name, late in (("idle", idle), ("queries", patiently), ("eager host", eagerly), ("flood", flooded)):
        goal = None if late is idle else usual_ms + MORE_LATE_MS
        rows.append(row(f"tick late, {name}, 99 %", float(np.percentile(late, 99)), "ms", at_most=goal))
        rows.append(row(f"tick late, {name}, longest", float(np.max(late)), "ms"))
    for name, late in (("eager host", eagerly), ("flood", flooded)):
        # Had ticks begun before their time, there would be too many.
        too_many = len(late) - SECONDS * 1000 / TICK_MS
        rows.append(row(f"ticks too many, {name}", too_many, "", at_most=TICKS_OF_START))
    rows.append(row("fills meanwhile", device.world.plant.valves[0].openings, "", at_least=1))
    return rows
