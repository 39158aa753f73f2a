"""ADS1115, four-channel 16-bit converter on I2C (Texas Instruments SBAS444, registers in section 8.1)."""

_CONVERSION = 0
_CONFIG = 1

_START = 0x8000  # when read: the last conversion is complete
_SINGLE_ENDED = 0x4000  # channel n against ground is 4 + n in bits 14..12
_GAIN_2V048 = 0x0400
_SINGLE_SHOT = 0x0100
_RATE_860_SPS = 0x00E0
_COMPARATOR_OFF = 0x0003
_SETUP = _START | _SINGLE_ENDED | _GAIN_2V048 | _SINGLE_SHOT | _RATE_860_SPS | _COMPARATOR_OFF

# Longest conversion at 860 samples/s: SBAS444 allows a 10 % slow oscillator (1293 us) and 25 us to wake up.
CONVERSION_US = 1320

# What `read` returns instead of counts.
NOT_READY = -40000  # the conversion is still running
WRONG = -40001  # the chip's configuration is not the one that was written


class ADS1115:
    """Single-ended readings at +-2.048 V (62.5 uV a count) and 860 samples/s, one conversion at a time.

    `bus` has `writeto(address, buffer)` and `readfrom_mem_into(address, register, buffer)`, as machine.I2C;
    both raise OSError when the chip does not acknowledge, and so do `start` and `read`.
    """

    def __init__(self, bus, address: int):
        self._bus = bus
        self._address = address
        self._out = bytearray(3)
        self._in = bytearray(2)
        self._config = 0

    def use(self, bus):
        """Continue on another bus object."""
        self._bus = bus

    def start(self, channel: int):
        """Begin a conversion of channel 0..3."""
        self._config = _SETUP | channel << 12
        self._write(_CONFIG, self._config)

    def read(self) -> int:
        """Return the counts (-32768..32767) of the conversion that was started, NOT_READY, or WRONG.

        Each call reads the configuration back, so that counts of another channel or gain are never used.
        """
        config = self._read(_CONFIG)
        wanted = self._config
        if (config ^ wanted) & 0x7FFF or not wanted:
            return WRONG
        if not config & _START:
            return NOT_READY
        counts = self._read(_CONVERSION)
        return counts - 65536 if counts & 0x8000 else counts

    def _write(self, register: int, value: int):
        out = self._out
        out[0] = register
        out[1] = value >> 8
        out[2] = value & 0xFF
        self._bus.writeto(self._address, out)

    def _read(self, register: int) -> int:
        data = self._in
        self._bus.readfrom_mem_into(self._address, register, data)
        return data[0] << 8 | data[1]
