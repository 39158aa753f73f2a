"""ADS1115, four-channel 16-bit converter on I2C (Texas Instruments SBAS444, registers in section 8.1)."""

_CONVERSION = 0
_CONFIG = 1
_LOW_THRESHOLD = 2
_HIGH_THRESHOLD = 3

_START = 0x8000  # when read: the last conversion is complete
_SINGLE_ENDED = 0x4000  # channel n against ground is 4 + n in bits 14..12
_GAIN_2V048 = 0x0400
_SINGLE_SHOT = 0x0100
_RATE_860_SPS = 0x00E0
_COMPARATOR_OFF = 0x0003
_SETUP = _START | _SINGLE_ENDED | _GAIN_2V048 | _RATE_860_SPS

# Longest conversion at 860 samples/s: SBAS444 allows a 10 % slow oscillator (1293 us) and 25 us to wake up.
CONVERSION_US = 1320

# What `read` returns instead of counts.
NOT_READY = -40000  # the conversion is still running
WRONG = -40001  # the chip's configuration is not the one that was written


class ADS1115:
    """Single-ended readings at +-2.048 V (62.5 uV a count) and 860 samples/s, one conversion at a time.

    `bus` has `writeto(address, buffer)` and `readfrom_mem_into(address, register, buffer)`, as machine.I2C;
    both raise OSError when the chip does not acknowledge, and so do all methods here. `bus` may be replaced.
    """

    def __init__(self, bus, address: int = 0x48):
        self.bus = bus
        self._address = address
        self._out = bytearray(3)
        self._in = bytearray(2)
        self._config = 0
        self._alert = _COMPARATOR_OFF

    def start(self, channel: int, continuous: bool = False):
        """Begin a conversion of channel 0..3; with `continuous` the chip repeats it until the next start."""
        self._config = _SETUP | channel << 12 | (0 if continuous else _SINGLE_SHOT) | self._alert
        self._write(_CONFIG, self._config)

    def read(self) -> int:
        """Return the counts (-32768..32767) of the conversion that was started, NOT_READY, or WRONG.

        Each call reads the configuration back, so that counts of another channel or gain are never used.
        """
        config = self._read(_CONFIG)
        wanted = self._config
        if (config ^ wanted) & 0x7FFF or not wanted:
            return WRONG
        if wanted & _SINGLE_SHOT and not config & _START:
            return NOT_READY
        counts = self._read(_CONVERSION)
        return counts - 65536 if counts & 0x8000 else counts

    def ready_on_alert(self):
        """Pulse the ALERT/RDY pin low for 8 us at the end of each conversion, from the next start on."""
        # The most significant bits of the thresholds select this mode of the comparator (SBAS444).
        self._write(_HIGH_THRESHOLD, 0x8000)
        self._write(_LOW_THRESHOLD, 0x0000)
        self._alert = 0

    def _write(self, register: int, value: int):
        out = self._out
        out[0] = register
        out[1] = value >> 8
        out[2] = value & 0xFF
        self.bus.writeto(self._address, out)

    def _read(self, register: int) -> int:
        data = self._in
        self.bus.readfrom_mem_into(self._address, register, data)
        return data[0] << 8 | data[1]
