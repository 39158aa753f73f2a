"""A regulator of the rung `core` in this process, for an Instrument; its time is that of the plant."""

from __future__ import annotations

import math
from pathlib import Path
from types import TracebackType
from typing import Self

from ipch.device import Direct, Transport
from ipch.sim.parameters import PlantParameters, load_rig
from ipch.sim.plant import Plant
from ipch.sim.rigs import CoreDevice
from ipch.sim.world import World


class _Line(Transport):
    """Lines to and from the device; waiting for a line runs the plant."""

    def __init__(self, world: World, device: CoreDevice) -> None:
        self.port = "core"
        self._world = world
        self._device = device

    def write_line(self, text: str) -> None:
        script = self._world.script
        tick = self._world.ticks + 1
        script[tick] = script.get(tick, b"") + text.encode() + b"\n"

    def read_line(self, timeout_s: float) -> str | None:
        received = self._world.received
        for _ in range(math.ceil(timeout_s * 1000 / self._world.tick_ms) + 1):
            if (end := received.find(b"\n")) >= 0:
                line = received[:end].decode("ascii", "replace").rstrip("\r")
                del received[: end + 1]
                return line
            self._device.run(1)
        return None

    def drain(self, quiet_s: float, limit_s: float = 1.0) -> None:
        self._device.run(5)
        self._world.received.clear()

    def close(self) -> None:
        self._device.close()


class Desk(Direct):
    """The device with its plant, an ordinary rig unless given; `state` is the folder of its files.

    Use it as a context manager.
    """

    def __init__(self, state: Path, parameters: PlantParameters | None = None, *, seed: int = 1) -> None:
        self.world = World(Plant(parameters or load_rig(None, [], seed).parameters, seed))
        self.device = CoreDevice(self.world, state)
        super().__init__(_Line(self.world, self.device), numbers=(0, 1))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def clock(self) -> float:
        """Seconds of the plant."""
        return self.world.plant.time_ms / 1000

    def sleep(self, seconds: float) -> None:
        """Run the plant for this many seconds."""
        self.device.run(math.ceil(seconds * 1000 / self.world.tick_ms))
