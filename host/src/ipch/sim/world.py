"""What surrounds the firmware on the simulated rungs: plant, converters, serial line, pace, record of the truth."""

from __future__ import annotations

import json
import time
from typing import TextIO

from ipch.sim import signals
from ipch.sim.line import FIFO_BYTES, SerialLine
from ipch.sim.plant import FILL as PLANT_FILL
from ipch.sim.plant import Plant

# How many bytes the line hands over in one tick, as the firmware's own bound.
RX_BYTES = 64
TX_BYTES = FIFO_BYTES

# The coil rail's monostable falls back this long after the last change of the heartbeat.
HEARTBEAT_MS = 100
COMPARATOR_HYSTERESIS_PA = 100_000.0
FILL = 0


class World:
    """Advances the plant tick by tick; the firmware's rig is its only caller.

    The order within a tick is the firmware's: commands take effect at the current plant time, then time advances.

    `stuck_counts` overrides any of the counts of signals.py, digital inputs included. The coil rail follows the
    heartbeat that `feed` tells of, and the hardware comparator on the safety transducer trips at `comparator_pa`
    (and lets go 0.1 MPa below): both act on the valves by themselves, from the first `feed` on.
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
        self.counts = [0] * signals.COUNT
        self.counts[signals.REFERENCE] = signals.REFERENCE_COUNTS
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
        self.comparator_pa = 6.5e6
        self.rail = False
        self.tripped = False
        self._beaten_ms: int | None = None  # when the heartbeat last changed
        # What the device shows: LED pattern, cell-safe relay, monitor output.
        self.shown: tuple[int, bool, int] = (0, False, 0)

    def advance(self) -> None:
        """Run the plant for one tick and measure."""
        plant = self.plant
        plant.advance(self.tick_ms)
        counts = self.counts
        measurement = plant.measure()
        signals.quantise(measurement, counts)
        if self._beaten_ms is not None:
            self._run_hardware(measurement.safety_ma)
        counts[signals.RAIL] = int(self.rail)
        counts[signals.TRIPPED] = int(self.tripped)
        for signal, stuck in self.stuck_counts.items():
            counts[signal] = stuck
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
        if self._powered and not (self.tripped and valve == FILL):
            self.plant.pulse(valve, duration_us)
        if self.trace is not None:
            self.trace.append((self.ticks, "pulse", valve, duration_us))

    def switch(self, levels: int) -> None:
        """Bit 0 supply isolation, 1 vent isolation, 2 relief."""
        if levels != self._levels:
            self._levels = levels
            self._drive()
            if self.trace is not None:
                self.trace.append((self.ticks, "switch", levels))

    def shut(self) -> None:
        """Every coil off at once."""
        self._levels = 0
        self.plant.shut()

    def feed(self, coils: bool) -> None:
        """The device completed a tick; its heartbeat changes with `coils`."""
        if coils:
            self._beaten_ms = self.plant.time_ms
            if not self.rail:
                self.rail = True
                self._drive()
        elif self._beaten_ms is None:
            self._beaten_ms = self.plant.time_ms - HEARTBEAT_MS

    def show(self, pattern: int, cell_ok: bool, monitor_permille: int) -> None:
        """LED, relay and monitor output of the device."""
        shown = (pattern, cell_ok, monitor_permille)
        if shown != self.shown:
            self.shown = shown
            if self.trace is not None:
                self.trace.append((self.ticks, "show", *shown))

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

    @property
    def _powered(self) -> bool:
        return self.rail or self._beaten_ms is None

    def _drive(self) -> None:
        """Set the coils of the three switched valves, as far as rail and comparator allow."""
        levels = self._levels if self._powered else 0
        if self.tripped and self._powered:
            levels = levels & 2 | 4
        self.plant.switch(bool(levels & 1), bool(levels & 2), bool(levels & 4))

    def _run_hardware(self, safety_ma: float) -> None:
        """What the board does without its processor: coil rail and comparator."""
        assert self._beaten_ms is not None
        if self.rail and self.plant.time_ms - self._beaten_ms > HEARTBEAT_MS + self.tick_ms:
            self.rail = False
            self.plant.shut()
        pa = (safety_ma - 4.0) / 16.0 * 10e6
        tripped = pa > self.comparator_pa - (COMPARATOR_HYSTERESIS_PA if self.tripped else 0.0)
        if tripped != self.tripped:
            self.tripped = tripped
            self.plant.valves[PLANT_FILL].release(self.plant.time_ms * 1000)
            self._drive()

    def _wait_s(self) -> float:
        if self._speed is None:
            return 0.0
        due = self._started + self.ticks * self.tick_ms / 1000 / self._speed
        wait = due - time.monotonic()
        if wait < -1.0:
            # The machine cannot keep up: go on from here rather than race later.
            self._started -= wait
        return max(0.0, wait)
