"""What surrounds the firmware on the simulated rungs: plant, converters, serial line, pace, record of the truth."""

from __future__ import annotations

import json
import time
from typing import TextIO

from ipch.sim import signals
from ipch.sim.line import FIFO_BYTES, SerialLine
from ipch.sim.plant import Plant

# How many bytes the line hands over in one tick, as the firmware's own bound.
RX_BYTES = 64
TX_BYTES = FIFO_BYTES


class World:
    """Advances the plant tick by tick; the firmware's rig is its only caller.

    The order within a tick is the firmware's: commands take effect at the current plant time, then time advances.
    """

    def __init__(
        self,
        plant: Plant,
        *,
        tick_ms: int = 20,
        line: SerialLine | None = None,
        speed: float | None = None,
        truth: TextIO | None = None,
        truth_period_ms: int = 1000,
    ) -> None:
        """`speed` is simulated over real time, None for as fast as possible."""
        self.plant = plant
        self.tick_ms = tick_ms
        self.counts = [0] * 7
        self.counts[signals.DT_MS] = tick_ms
        self.ticks = 0
        # Electrical faults: what a converter delivers, whatever is sensed.
        self.stuck_counts: dict[int, int] = {}
        self._line = line
        self._speed = speed
        self._truth = truth
        self._truth_period_ms = truth_period_ms
        self._truth_due_ms = 0
        self._started = time.monotonic()
        self.script: dict[int, bytes] = {}
        self.received = bytearray()
        self._scripted = bytearray()
        self.trace: list[tuple[object, ...]] | None = None
        self._levels = 0

    def advance(self) -> None:
        """Run the plant for one tick and measure."""
        plant = self.plant
        plant.advance(self.tick_ms)
        signals.quantise(plant.measure(), self.counts)
        for signal, counts in self.stuck_counts.items():
            self.counts[signal] = counts
        self.ticks += 1
        if self.trace is not None:
            self.trace.append((self.ticks, *self.counts))
        if self._truth is not None and plant.time_ms >= self._truth_due_ms:
            self._truth.write(json.dumps(plant.truth()) + "\n")
            self._truth_due_ms += self._truth_period_ms
        if self._line is not None:
            self._line.pump(self._wait_s())

    def pulse(self, valve: int, duration_us: int) -> None:
        """One-shot of FILL (0) or VENT (1)."""
        self.plant.pulse(valve, duration_us)
        if self.trace is not None:
            self.trace.append((self.ticks, "pulse", valve, duration_us))

    def switch(self, levels: int) -> None:
        """Bit 0 supply isolation, 1 vent isolation, 2 relief."""
        if levels != self._levels:
            self._levels = levels
            self.plant.switch(bool(levels & 1), bool(levels & 2), bool(levels & 4))
            if self.trace is not None:
                self.trace.append((self.ticks, "switch", levels))

    def shut(self) -> None:
        """Every coil off at once."""
        self._levels = 0
        self.plant.shut()

    def take(self, count: int = RX_BYTES) -> bytes:
        """Bytes for the device in this tick."""
        if self.script:
            # Nobody may have asked for some ticks; what was sent then has arrived all the same.
            for tick in sorted(tick for tick in self.script if tick <= self.ticks):
                self._scripted += self.script.pop(tick)
        if self._scripted:
            taken = bytes(self._scripted[:count])
            del self._scripted[:count]
            return taken
        return self._line.take(count) if self._line is not None else b""

    def room(self) -> int:
        """How many bytes the device may send in this tick."""
        return self._line.room() if self._line is not None else TX_BYTES

    def send(self, data: bytes) -> None:
        """Take bytes from the device; no more than `room()`."""
        if self._line is not None:
            self._line.to_host += data
        else:
            self.received += data

    def _wait_s(self) -> float:
        if self._speed is None:
            return 0.0
        due = self._started + self.ticks * self.tick_ms / 1000 / self._speed
        wait = due - time.monotonic()
        if wait < -1.0:
            # The machine cannot keep up: go on from here rather than race later.
            self._started -= wait
        return max(0.0, wait)
