"""Buses for the drivers, and register models of the chips on the bench rig: AD5686R and AD5270 (Analog Devices).

The chips of the regulator are in ipch.sim.chips. This file also runs under MicroPython.
"""

_EIO = 5
_ETIMEDOUT = 110


class AD5686Chip:
    """Four 16-bit voltage outputs of the bench rig (Analog Devices, AD5686R), reference 2.5 V, on SPI."""

    REFERENCE_V = 2.5

    def __init__(self):
        self.counts = [0, 0, 0, 0]
        self._frame: list[int] | None = None

    def select(self, level: int):
        """Drive SYNC; a frame of 24 bits counts when it rises."""
        if not level:
            self._frame = []
        elif self._frame is not None:
            if len(self._frame) == 3 and self._frame[0] >> 4 == 3:
                for channel in range(4):
                    if self._frame[0] >> channel & 1:
                        self.counts[channel] = self._frame[1] << 8 | self._frame[2]
            self._frame = None

    def transfer(self, byte: int):
        """Take a byte while selected."""
        if self._frame is not None:
            self._frame.append(byte)
        return 0xFF

    def volt(self, channel: int):
        """Voltage of output 0..3."""
        return self.counts[channel] * self.REFERENCE_V / 65536


class AD5270Chip:
    """Rheostat of the bench rig (Analog Devices, AD5270): its wiper moves only after it was unlocked."""

    def __init__(self):
        self.position = 512
        self._unlocked = False
        self._frame: list[int] | None = None

    def select(self, level: int):
        """Drive SYNC; a frame of 16 bits counts when it rises."""
        if not level:
            self._frame = []
        elif self._frame is not None:
            if len(self._frame) == 2:
                word = self._frame[0] << 8 | self._frame[1]
                command = word >> 10 & 15
                if command == 1 and self._unlocked:
                    self.position = word & 1023
                elif command == 7:
                    self._unlocked = bool(word & 2)
            self._frame = None

    def transfer(self, byte: int):
        """Take a byte while selected."""
        if self._frame is not None:
            self._frame.append(byte)
        return 0xFF


class I2cBus:
    """An I2C controller with chips on it, with the methods of machine.I2C that the drivers call."""

    def __init__(self, *chips):
        self.chips = {chip.address: chip for chip in chips}
        self.stuck = False  # SDA is held low: no transfer succeeds
        self.transfers = 0

    def writeto(self, address: int, buffer: "bytes | bytearray"):
        """Write all bytes; OSError without acknowledgement or on a stuck bus."""
        chip = self._connect(address, False)
        for byte in buffer:
            if not chip.write(byte):
                raise OSError(_EIO)
        return len(buffer)

    def readfrom_mem_into(self, address: int, register: int, buffer: bytearray):
        """Set the pointer, then fill the buffer; OSError without acknowledgement or on a stuck bus."""
        if not self._connect(address, False).write(register):
            raise OSError(_EIO)
        chip = self._connect(address, True)
        for index in range(len(buffer)):
            buffer[index] = chip.read()

    def _connect(self, address: int, read: bool):
        self.transfers += 1
        if self.stuck:
            raise OSError(_ETIMEDOUT)
        chip = self.chips.get(address)
        if chip is None or not chip.connect(read):
            raise OSError(_EIO)
        return chip


class SpiBus:
    """An SPI controller with one chip on it, with the method of machine.SPI that the driver calls."""

    def __init__(self, chip):
        self.chip = chip

    def write_readinto(self, out: "bytes | bytearray", into: bytearray):
        """Exchange as many bytes as `out` has."""
        for index in range(len(out)):
            into[index] = self.chip.transfer(out[index])
