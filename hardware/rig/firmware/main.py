"""Bench rig: a Pico that simulates the plant for the regulator's Pico. The host steps the plant; see ../README.md.

The host sends lines `control safety supply gas wall trip rail`: three DAC counts, the rheostat position, the TMP117
counts, trip 0 or 1, rail 0 (off) or 1 (follows the heartbeat). The rig answers each with one line: `now fed cell`
(microseconds, rail on, cell-safe output), then `valve:edge:count` for each edge of a valve output since the last
answer; see `_edges` for the count.
"""

import select
import sys
import time

import micropython
import pins
import rp2
from ad5270 import AD5270
from ad5686 import AD5686
from machine import SPI, Pin
from thermometer import Registers, listen

_HEARTBEAT_US = 1_000_000
_COUNT_HZ = 500_000
VALVES = (pins.FILL, pins.VENT, pins.SUPPLY_ISOLATION, pins.VENT_ISOLATION, pins.RELIEF)


@rp2.asm_pio(fifo_join=rp2.PIO.JOIN_RX)
def _edges():
    """Decrement x every second cycle and push it at each edge: rise, fall, rise, ...

    x stands still for three cycles at a rise and for two at a fall; the host corrects for that.
    """
    label("low")  # noqa: F821
    jmp(pin, "rise")  # noqa: F821
    jmp(x_dec, "low")  # noqa: F821
    jmp("low")  # noqa: F821
    label("rise")  # noqa: F821
    mov(isr, x)  # noqa: F821
    push(noblock)  # noqa: F821
    label("high")  # noqa: F821
    jmp(x_dec, "still")  # noqa: F821
    label("still")  # noqa: F821
    jmp(pin, "high")  # noqa: F821
    mov(isr, x)  # noqa: F821
    push(noblock)  # noqa: F821


@rp2.asm_pio(out_init=(rp2.PIO.OUT_LOW,) * 5)
def _drains():
    """Drive each drain with the inverse of its gate, within a few cycles, as transistor and coil do."""
    mov(pins, invert(pins))  # noqa: F821


class Rig:
    """DAC, rheostat and TMP117 for the regulator's inputs; drains, rail and edge counters for its outputs."""

    def __init__(self):
        self._drain_pins = tuple(Pin(pins.FILL_DRAIN + index, Pin.OUT, value=0) for index in range(5))
        self._rail = Pin(pins.RAIL, Pin.OUT, value=0)
        self._trip = Pin(pins.TRIP, Pin.OPEN_DRAIN, value=1)
        self._cell = Pin(pins.CELL_SAFE, Pin.IN)
        self._beat = Pin(pins.HEARTBEAT, Pin.IN)
        self._cut = Pin(pins.RAIL_CUT, Pin.IN)
        bus = SPI(0, baudrate=4_000_000, polarity=0, phase=1, sck=Pin(pins.SCK), mosi=Pin(pins.MOSI))
        self._dac = AD5686(bus, Pin(pins.DAC_SYNC, Pin.OUT, value=1))
        self._rheostat = AD5270(bus, Pin(pins.RHEOSTAT_SYNC, Pin.OUT, value=1))
        self._wall = Registers()
        self._target = listen(self._wall, Pin(pins.TARGET_SDA), Pin(pins.TARGET_SCL))
        # PIO block 0 runs the drains' program and one counter, block 1 four counters.
        self._mirror = rp2.StateMachine(
            0, _drains, freq=1_000_000, in_base=Pin(pins.FILL), out_base=self._drain_pins[0]
        )
        self._counters = []
        for machine, pin in zip((4, 5, 6, 7, 1), VALVES):
            counter = rp2.StateMachine(machine, _edges, freq=2 * _COUNT_HZ, jmp_pin=Pin(pin, Pin.IN))
            counter.exec("mov(x, invert(null))")
            self._counters.append(counter)
        for counter in self._counters:
            counter.active(1)
        self._edges = [0] * 5
        self._level = self._beat()
        self._beaten_us = time.ticks_add(time.ticks_us(), -_HEARTBEAT_US)
        self._powered = True
        self._power(False)
        self.rail_wanted = 1
        self.started_us = time.ticks_us()

    def watch(self):
        """Let the rail follow HEARTBEAT and RAIL_CUT; call as often as possible."""
        level = self._beat()
        now_us = time.ticks_us()
        if level != self._level:
            self._level = level
            self._beaten_us = now_us
        if self._cut():
            self._beaten_us = time.ticks_add(now_us, -_HEARTBEAT_US)
        self._power(self.rail_wanted and time.ticks_diff(now_us, self._beaten_us) < _HEARTBEAT_US)

    def _power(self, on: bool):
        if on == self._powered:
            return
        self._powered = on
        self._rail(on)
        self._mirror.active(on)
        if not on:
            self._mirror.exec("mov(pins, null)")

    def step(self, values) -> str:
        """Apply one line from the host; return the answer."""
        control, safety, supply, gas, wall, trip, self.rail_wanted = values
        self._dac.write(0, control)
        self._dac.write(1, safety)
        self._dac.write(2, supply)
        self._rheostat.set(gas)
        self._wall.counts = wall
        self._trip(0 if trip else 1)
        said = [
            str(time.ticks_diff(time.ticks_us(), self.started_us)),
            str(int(self._powered)),
            str(self._cell()),
        ]
        for valve in range(5):
            counter = self._counters[valve]
            while counter.rx_fifo():
                said.append(f"{valve}:{self._edges[valve]}:{counter.get()}")
                self._edges[valve] += 1
        return " ".join(said)


def run():
    """Serve the host until Ctrl-C."""
    rig = Rig()
    led = Pin(pins.LED, Pin.OUT, value=1)
    poll = select.poll()
    poll.register(sys.stdin, select.POLLIN)
    line = ""
    while True:
        rig.watch()
        for _ in poll.ipoll(0):
            letter = sys.stdin.read(1)
            if letter != "\n":
                line = (line + letter)[-100:]
                continue
            try:
                print(rig.step([int(word) for word in line.split()]))
            except ValueError:
                print("? seven integers: control safety supply gas wall trip rail")
            line = ""
            led.toggle()


if __name__ == "__main__":
    micropython.kbd_intr(3)
    run()
