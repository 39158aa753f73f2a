"""AD5270, SPI rheostat of 20 kilohm with 1,024 positions (Analog Devices, data sheet AD5270/AD5271).

A frame has 16 bits in SPI mode 1: two zeros, four bits of command, ten of data.
"""

_WRITE_RDAC = 0x0400
_WRITE_CONTROL = 0x1C00
_UNLOCK = 0x02


class AD5270:
    """Resistance of 0..1023 steps of 19.5 ohm; with a fixed resistor in parallel it replaces a PT1000."""

    def __init__(self, bus, select):
        self._bus = bus
        self._select = select
        self._frame = bytearray(2)
        # The wiper is write-protected after power-up.
        self._write(_WRITE_CONTROL | _UNLOCK)

    def set(self, position: int):
        """Set the wiper to 0..1023."""
        self._write(_WRITE_RDAC | position & 1023)

    def _write(self, word: int):
        frame = self._frame
        frame[0] = word >> 8
        frame[1] = word & 0xFF
        self._select(0)
        self._bus.write(frame)
        self._select(1)
