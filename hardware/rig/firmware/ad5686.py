"""AD5686R, SPI converter with four 16-bit voltage outputs (Analog Devices, data sheet AD5686R/AD5685R/AD5684R).

A frame has 24 bits, clocked in on the falling edge (SPI mode 1) while SYNC is low: command, address, data.
"""

_WRITE_AND_UPDATE = 0x30


class AD5686:
    """Outputs A to D (0..3) from 0 to the reference, 2.5 V, in 65,536 steps of 38 uV."""

    def __init__(self, bus, select):
        self._bus = bus
        self._select = select
        self._frame = bytearray(3)

    def write(self, channel: int, counts: int):
        """Set an output to 0..65535 counts."""
        frame = self._frame
        frame[0] = _WRITE_AND_UPDATE | 1 << channel
        frame[1] = counts >> 8 & 0xFF
        frame[2] = counts & 0xFF
        self._select(0)
        self._bus.write(frame)
        self._select(1)
