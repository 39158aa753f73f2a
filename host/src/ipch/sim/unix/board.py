"""The board of the `sim` rung: the rig contract over two FIFOs to the simulator, one frame each way and tick.

This file runs under MicroPython's unix port in place of firmware/board.py.
"""

import array
import gc
import sys

import files
import uctypes

_TX_BYTES = 256
_RX_BYTES = 64


# As main.py does, for programs that replace it.
gc.threshold(16_000)


class Port:
    """The byte port for link.py: bytes that travel with the frames of the tick."""

    def __init__(self):
        # To the simulator: fill us, vent us, switches and flags, length, outputs (-1: unchanged), bytes.
        self.out = array.array("i", [0] * (5 + _TX_BYTES // 4))
        # From it: dt, control, safety, supply, gas, wall, faults, reference, coils dead, coils shorted, rail,
        # tripped, room to send, length, bytes.
        self.into = array.array("i", [0] * (14 + _RX_BYTES // 4))
        self._tx = uctypes.bytearray_at(uctypes.addressof(self.out) + 20, _TX_BYTES)
        self._rx = uctypes.bytearray_at(uctypes.addressof(self.into) + 56, _RX_BYTES)

    def read(self, buffer) -> int:
        count = self.into[13]
        rx = self._rx
        for i in range(count):
            buffer[i] = rx[i]
        self.into[13] = 0
        return count

    def write(self, buffer, start: int, end: int) -> int:
        used = self.out[3]
        count = min(end - start, self.into[12] - used)
        if count <= 0:
            return 0
        tx = self._tx
        for i in range(count):
            tx[used + i] = buffer[start + i]
        self.out[3] = used + count
        return count


class Written:
    """A file that tells the simulator of its writing, which takes time on the board's flash."""

    written = closed = False

    def __init__(self, name: str):
        self._file = open(name, "wb")

    def write(self, data: bytes):
        self._file.write(data)
        Written.written = True

    def close(self):
        self._file.close()
        Written.closed = True


files.create = Written


class Rig:
    """Frames instead of pins."""

    maintenance = False
    clock_mhz = start_ms = free_bytes = 0

    def __init__(self):
        self.reset_cause = int(sys.argv[3])
        self.serial_number = sys.argv[4]
        self.serial = Port()
        self._out = self.serial.out
        self._in = self.serial.into
        self._to = open(sys.argv[1], "wb")
        self._from = open(sys.argv[2], "rb")

    def wait_tick(self) -> int:
        out = self._out
        if not self._in[13]:
            out[2] |= 16  # ready for more bytes
        if Written.written:
            out[2] |= 128
        if Written.closed:
            out[2] |= 256
        Written.written = Written.closed = False
        self._to.write(out)
        out[0] = 0
        out[1] = 0
        out[2] &= 7
        out[3] = 0
        out[4] = -1
        if not self._from.readinto(self._in):
            raise SystemExit
        return self._in[0]

    def read(self, sample):
        counts = self._in
        sample.control_counts = counts[1]
        sample.safety_counts = counts[2]
        sample.supply_counts = counts[3]
        sample.gas_counts = counts[4]
        sample.wall_counts = counts[5]
        sample.faults = counts[6]
        sample.reference_counts = counts[7]
        sample.coil_dead = counts[8]
        sample.coil_shorted = counts[9]
        sample.rail_on = counts[10]
        sample.tripped = counts[11]

    def pulse(self, valve: int, us: int):
        self._out[valve] = us

    def switch(self, supply_isolation: bool, vent_isolation: bool, relief: bool):
        self._out[2] = (self._out[2] & 488) | supply_isolation | vent_isolation << 1 | relief << 2

    def safe(self):
        self._out[0] = 0
        self._out[1] = 0
        self._out[2] = 8
        self._out[4] = -1

    def feed(self, coils: bool):
        self._out[2] |= 96 if coils else 64

    def show(self, pattern: int, cell_ok: bool, monitor_permille: int):
        self._out[4] = pattern | (256 if cell_ok else 0) | monitor_permille << 9

    def collect(self):
        gc.collect()

    def release(self):
        self.safe()

    def enter_maintenance(self):
        # A board would now wait in its REPL, where nobody answers.
        self.safe()
        while True:
            self.wait_tick()
