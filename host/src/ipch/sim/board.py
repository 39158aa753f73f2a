"""Around the processor of a simulated board: its watchdog, power and resets."""

from __future__ import annotations

from pathlib import Path

from ipch.sim.injector import clear
from ipch.sim.rigs import POWER, SOFTWARE, WATCHDOG, CoreDevice, SimDevice
from ipch.sim.world import World

DEVICES: dict[str, type[CoreDevice] | type[SimDevice]] = {"core": CoreDevice, "sim": SimDevice}
CAUSES = {"power": POWER, "watchdog": WATCHDOG, "software": SOFTWARE}
WATCHDOG_MS = 1000
# From a reset to the first tick of the firmware [E].
BOOT_MS = 500


class Board:
    """A device on the rung `core` or `sim` that can hang and be reset while its plant continues.

    A hung processor leaves its pins as they are; 1 s after the last `feed` the watchdog resets it. The watchdog starts
    with the first tick, as on the board.
    """

    def __init__(self, world: World, state: Path, rig: str = "sim") -> None:
        """`state` is the folder of the device's files."""
        self.world = world
        self.rig = rig
        self.resets = 0
        self._state = state
        self._off_ms = 0
        self._cause = POWER
        world.folder = state
        self.device: CoreDevice | SimDevice | None = DEVICES[rig](world, state)

    def tick(self) -> None:
        """One tick of the plant, and of the firmware if it runs."""
        world = self.world
        if self.device is None:
            self._off_ms -= world.tick_ms
            if self._off_ms <= 0:
                world.reset_wanted = None
                self.device = DEVICES[self.rig](world, self._state, reset_cause=self._cause)
            world.advance()
            return
        if world.hung or world.busy_ms > 0:
            world.busy_ms = max(world.busy_ms - world.tick_ms, 0.0)
            late_ms = world.late_ms
            world.advance()
            world.late_ms = late_ms + world.tick_ms
            if world.fed_ms is not None and world.plant.time_ms - world.fed_ms > WATCHDOG_MS:
                world.reset_wanted = ("watchdog", 0.0)
        else:
            self.device.tick()
        if world.reset_wanted is not None:
            cause, off_s = world.reset_wanted
            self._reset(CAUSES[cause], off_s)

    def run(self, ticks: int) -> None:
        """Run this many ticks."""
        for _ in range(ticks):
            self.tick()

    def move(self, state: Path) -> None:
        """Move the device's files to another folder; on the rung `core`."""
        self._state = self.world.folder = state
        if self.device is not None:
            assert isinstance(self.device, CoreDevice)
            self.device.files.folder = state

    def close(self) -> None:
        """End the program, if it runs."""
        if self.device is not None:
            self.device.close()
            self.device = None

    def _reset(self, cause: int, off_s: float) -> None:
        self.close()
        world = self.world
        world.restart()
        world.reset_wanted = None
        world.late_ms = 0
        # A restart ends whatever hung the processor.
        clear(world, "hang")
        world.hung = False
        world.busy_ms = 0.0
        self.resets += 1
        self._cause = cause
        self._off_ms = BOOT_MS + round(off_s * 1000)
