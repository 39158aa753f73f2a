"""Around the firmware on the simulated rungs: plant, converters, serial line, pace, record of the truth."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from ipch.sim import signals
from ipch.sim.line import FIFO_BYTES, SerialLine
from ipch.sim.plant import FILL as PLANT_FILL
from ipch.sim.plant import Plant
from ipch.sim.sensors import Measurement

# Bytes that the line delivers in one tick, the same bound as the firmware's.
RX_BYTES = 64
TX_BYTES = FIFO_BYTES

# The coil rail drops this long after the last change of the heartbeat: the circuit's slowest value, which is the worst
# case for coils that a hung processor left on (hardware/electrical.md has the range).
HEARTBEAT_MS = 1000
COMPARATOR_HYSTERESIS_PA = 100_000.0
COMPARATOR_MOST_MA = 20.75
FILL = 0
# The coils in the readbacks' bit order, as indices of the plant's valves.
COILS = (1, 3, 0, 2, 4)
# Names of the device's states, as on the wire, by the pattern of its LED.
STATES = {
    0x01: "OFF",
    0x0F: "REGULATE",
    0x11: "QUIET",
    0x33: "VENT",
    0x55: "SEALED",
    0x77: "RELIEF",
    0x00: "MAINTENANCE",
}


class Failure:
    """Failure of a part of the rig; acts once a tick while it is in the world's list."""

    def before(self, world: World) -> None:
        """Act before the plant advances."""

    def sensed(self, world: World, measurement: Measurement) -> None:
        """Act on the sensors' signals."""

    def converted(self, world: World, counts: list[int]) -> None:
        """Act on the converters' counts."""


def comparator_trips(safety_ma: float, comparator_pa: float, tripped: bool) -> bool:
    """Return whether the hardware comparator trips on a current of the safety loop, mA; `tripped` is its state before.

    A loop that jumps past COMPARATOR_MOST_MA is shorted and gives no pressure; once tripped, more does not let go.
    """
    if tripped:
        comparator_pa -= COMPARATOR_HYSTERESIS_PA
    elif safety_ma >= COMPARATOR_MOST_MA:
        return False
    return (safety_ma - 4.0) / 16.0 * 10e6 > comparator_pa


class World:
    """Advances the plant tick by tick; the firmware's rig is its only caller.

    The order within a tick is the firmware's: commands take effect at the current plant time, then time advances.

    `stuck_counts` overrides any of the counts of signals.py, digital inputs included. The coil rail follows
    `feed`, and the hardware comparator on the safety transducer trips at `comparator_pa` (and releases 0.1 MPa below):
    both act on the valves by themselves, from the first `feed` on. The comparator cuts the fill side. It opens the
    relief, which has a supply of its own for this, only once the processor has been silent for `HEARTBEAT_MS`.
    """

    def __init__(
        self,
        plant: Plant,
        *,
        tick_ms: int = 20,
        line: SerialLine | None = None,
        speed: float | None = None,
        ahead_s: float | None = None,
        truth: TextIO | None = None,
        truth_period_ms: int = 1000,
        seed: int = 1,
    ) -> None:
        """`seed` is for the failures; `speed` is simulated over real time, None for as fast as possible.

        With `ahead_s` and no `speed`, the plant runs ahead of a silent host by at most this much simulated time, and
        then in real time until the host speaks again.
        """
        self.plant = plant
        self.tick_ms = tick_ms
        self.counts = [0] * signals.COUNT
        self.counts[signals.REFERENCE] = signals.REFERENCE_COUNTS
        self.counts[signals.DT_MS] = tick_ms
        self.ticks = 0
        self._ms = 0
        # Electrical faults: converter counts that override the sensors.
        self.stuck_counts: dict[int, int] = {}
        self.forced: dict[
            int, int
        ] = {}  # on the emulated board: those, and the failures' effects on converters
        self._line = line
        self._speed = speed
        self._ahead_ms = None if ahead_s is None else round(ahead_s * 1000)
        self._heard_ms = 0  # when the host last sent something
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
        self._beaten_ms: int | None = None  # when the coil rail was last permitted
        self._alive_ms: int | None = None  # when the heartbeat last changed
        self.gone = False  # the comparator's own way to the relief is armed
        self.fed_ms: int | None = None  # when the watchdog was last fed
        # The parts that fail or will fail, and their effects here: see failures.py.
        self.failures: list[Failure] = []
        self.seed = seed
        self.injected = 0  # number so far: each failure has its own random stream
        self.comparator_forced: bool | None = None
        self.rail_forced: bool | None = None
        self.hung = False
        self.reset_wanted: tuple[str, float] | None = None
        self.host = ""
        self.flood = bytearray()
        self.folder: Path | None = None  # folder of the device's files
        self.serial_number = ""  # of the board; empty: the rig's own
        self.late_ms = 0  # delay before the device is served next
        self.hold_ms = HEARTBEAT_MS
        self.erase_ms = 0.0  # for which an erase of a sector stops the processor
        self.busy_ms = 0.0  # for which the processor is stopped at present
        self._files = 0  # written so far
        # Outputs of the device: LED pattern, cell-safe relay, monitor output.
        self.shown: tuple[int, bool, int] = (0, False, 0)
        # Reads the relay of an emulated board, which does not call `show`.
        self.relay: Callable[[], bool] | None = None

    def advance(self) -> None:
        """Run the plant for one tick and measure."""
        plant = self.plant
        failures = self.failures
        if failures:
            self._begin()
        plant.advance(self.tick_ms)
        counts = self.counts
        measurement = plant.measure(paired=True)
        for failure in failures:
            failure.sensed(self, measurement)
        signals.quantise(measurement, counts)
        counts[signals.DT_MS] = self.tick_ms + self.late_ms
        self.late_ms = 0
        counts[signals.REFERENCE] = signals.REFERENCE_COUNTS
        counts[signals.FAULTS] = 0
        if self._beaten_ms is not None:
            self._run_hardware(measurement.safety_ma)
        counts[signals.RAIL] = int(self.rail)
        counts[signals.TRIPPED] = int(self.tripped)
        self._read_coils(counts)
        for failure in failures:
            failure.converted(self, counts)
        for signal, stuck in self.stuck_counts.items():
            counts[signal] = stuck
        self._end_tick(paced=True)

    def advance_ms(self) -> None:
        """Run the plant for 1 ms of a tick: the emulated board has converters and a coil rail of its own.

        `forced` then holds the failures' effects on the converters. While any are planned, the sensors are measured
        once a tick, as on the other rungs.
        """
        plant = self.plant
        failures = self.failures
        if failures and not self._ms:
            self._begin()
        plant.advance(1)
        self._ms += 1
        done = self._ms >= self.tick_ms
        if done or not failures:
            measurement = plant.measure()
        if not done:
            if self._line is not None:
                self._line.pump()
            return
        self._ms = 0
        counts = self.counts
        self.forced = self.stuck_counts
        for failure in failures:
            failure.sensed(self, measurement)
        signals.quantise(measurement, counts)
        counts[signals.FAULTS] = 0
        if failures:
            whole = list(counts)
            for failure in failures:
                failure.converted(self, counts)
            failed = {
                signal: counts[signal] for signal in range(signals.COUNT) if counts[signal] != whole[signal]
            }
            self.forced = failed | self.stuck_counts
        self._end_tick(paced=False)

    def _begin(self) -> None:
        # A copy of the list, because an ended failure removes itself.
        for failure in list(self.failures):
            failure.before(self)

    def _end_tick(self, *, paced: bool) -> None:
        plant = self.plant
        self.ticks += 1
        if self.trace is not None:
            self.trace.append((self.ticks, *self.counts))
        if self._truth is not None and plant.time_ms >= self._truth_due_ms:
            self._truth.write(json.dumps(plant.truth() | self.driven()) + "\n")
            self._truth_due_ms += self._truth_period_ms
        if self._line is not None:
            self._line.pump(self._wait_s() if paced else 0.0)

    @property
    def control_error_pa(self) -> float:
        """What the control transducer adds to the true pressure besides its noise: offset, drift, failures."""
        return self.plant.sensors.control_error_pa

    def driven(self) -> dict[str, object]:
        """Return what the device drives, for the record of the truth.

        `state` is the one that the LED shows, by its name on the wire; RESET while the firmware does not run. It is
        empty on the emulated board, whose LED blinks.
        """
        if self.relay is not None:
            cell_ok, rail, state = self.relay(), self.rail, ""
        elif self.fed_ms is None:
            cell_ok, rail, state = False, self.rail, "RESET"
        else:
            cell_ok, rail, state = self.shown[1], self.powered, STATES.get(self.shown[0], "")
        return {"cell_ok": cell_ok, "rail": rail, "state": state, "control_error_pa": self.control_error_pa}

    def pulse(self, valve: int, duration_us: int) -> None:
        """One-shot of FILL (0) or VENT (1)."""
        if self.powered and not (self.tripped and valve == FILL):
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
        """Switch every coil off at once."""
        self._levels = 0
        self.plant.shut()

    def feed(self, coils: bool) -> None:
        """The device completed a tick; with `coils` the rail is permitted, otherwise it drops at once."""
        self.fed_ms = self._alive_ms = self.plant.time_ms
        if coils:
            self._beaten_ms = self.plant.time_ms
            if not self.rail and self.rail_forced is not False:
                self._power(True)
        else:
            self._beaten_ms = self.plant.time_ms - self.hold_ms - self.tick_ms
            if self.rail and not self.rail_forced:
                self._power(False)

    def show(self, pattern: int, cell_ok: bool, monitor_permille: int) -> None:
        """LED, relay and monitor output of the device."""
        shown = (pattern, cell_ok, monitor_permille)
        if shown != self.shown:
            self.shown = shown
            if self.trace is not None:
                self.trace.append((self.ticks, "show", *shown))

    def plug(self, plugged: bool) -> str:
        """Plug the serial line's cable in or unplug it; return the port, empty without one."""
        if self._line is None:
            return ""
        if plugged:
            self._line.plug()
        else:
            self._line.unplug()
        return self._line.port

    def take(self, count: int = RX_BYTES) -> bytes:
        """Bytes received for the device in this tick."""
        if self.host == "gone":
            return b""
        if self.flood:
            taken = bytes(self.flood[:count])
            del self.flood[:count]
            return taken
        if self.script:
            # Bytes scheduled for earlier ticks have arrived even if nobody took them then.
            for tick in sorted(tick for tick in self.script if tick <= self.ticks):
                self._scripted += self.script.pop(tick)
        if self._scripted:
            taken = bytes(self._scripted[:count])
            del self._scripted[:count]
            return taken
        if self._line is None:
            return b""
        taken = self._line.take(count)
        if taken:
            self._heard_ms = self.plant.time_ms
        return taken

    def room(self) -> int:
        """Number of bytes that the device may send in this tick."""
        if self.host == "stalls":
            return 0
        return self._line.room() if self._line is not None else TX_BYTES

    def send(self, data: bytes) -> None:
        """Take bytes from the device, at most `room()`."""
        if self.host == "gone":
            return
        if self._line is not None:
            self._line.to_host += data
        else:
            self.received += data

    def erased(self) -> None:
        """The device erases a sector of its flash, which stops the processor after this tick."""
        self.busy_ms += self.erase_ms

    def closed(self) -> None:
        """The device closes a file that it wrote, for which littlefs erases a sector each third time."""
        self._files += 1
        if self._files % 3 == 0:
            self.erased()

    def wrote(self, name: str) -> None:
        """The device wrote a file; on the rung `core`."""

    def restart(self) -> None:
        """The processor was reset: its pins are inputs again."""
        self.shut()
        self.fed_ms = None
        if self._beaten_ms is not None:
            self._beaten_ms = min(self._beaten_ms, self.plant.time_ms - self.hold_ms)

    @property
    def powered(self) -> bool:
        """Whether the coil rail is on; always, as long as the device uses no heartbeat."""
        return self.rail or self._beaten_ms is None

    def _drive(self) -> None:
        """Set the coils of the three switched valves, as far as rail and comparator allow."""
        levels = self._levels if self.powered else 0
        if self.tripped:
            levels = levels & 6 | (4 if self.gone else 0)
        self.plant.switch(bool(levels & 1), bool(levels & 2), bool(levels & 4))

    def _power(self, on: bool) -> None:
        self.rail = on
        self.plant.power(on)
        self._drive()

    def _read_coils(self, counts: list[int]) -> None:
        """Drains against commands, as the dividers show them; without the rail nothing is visible."""
        dead = shorted = 0
        if self.rail:
            for bit, index in enumerate(COILS):
                valve = self.plant.valves[index]
                if valve.gate:
                    # The driver of a shorted coil protects itself: no current, as if it were off.
                    dead |= (valve.coil == "short") << bit
                else:
                    shorted |= (valve.held or valve.coil == "open") << bit
        counts[signals.COIL_DEAD] = dead
        counts[signals.COIL_SHORTED] = shorted

    def _run_hardware(self, safety_ma: float) -> None:
        """Hardware without the processor: coil rail and comparator."""
        assert self._beaten_ms is not None
        beaten = self.plant.time_ms - self._beaten_ms <= self.hold_ms + self.tick_ms
        if self.rail_forced is not None:
            beaten = self.rail_forced
        if self.rail != beaten and (self.rail or self.rail_forced):
            self._power(beaten)
        tripped = comparator_trips(safety_ma, self.comparator_pa, self.tripped)
        if self.comparator_forced is not None:
            tripped = self.comparator_forced
        gone = (
            self._alive_ms is not None and self.plant.time_ms - self._alive_ms > HEARTBEAT_MS + self.tick_ms
        )
        if tripped != self.tripped or gone != self.gone:
            self.tripped = tripped
            self.gone = gone
            if tripped:
                self.plant.valves[PLANT_FILL].release(self.plant.time_ms * 1000)
            self._drive()

    def _wait_s(self) -> float:
        if self._speed is None:
            silent_ms = self.plant.time_ms - self._heard_ms
            return self.tick_ms / 1000 if self._ahead_ms is not None and silent_ms > self._ahead_ms else 0.0
        due = self._started + self.ticks * self.tick_ms / 1000 / self._speed
        wait = due - time.monotonic()
        if wait < -1.0:
            # The machine cannot keep up: restart the pace from here rather than race later.
            self._started -= wait
        return max(0.0, wait)
