"""MAX31865, resistance thermometer converter on SPI (Maxim 19-6478, registers in tables 1 to 7)."""

_WRITE = 0x80
_CONFIG = 0
_HIGH_THRESHOLD = 3

# Bias on, automatic conversion, 2- or 4-wire, 50 Hz filter (table 2).
_CONFIGURATION = 0xC1
_FILTER_50_HZ = 0x01
_CLEAR_FAULTS = 0x02
# Fault limits: a PT1000 outside 700..1700 ohm (-75..185 degC) against 4 kilohm. 16 bits, the lowest one unused.
_HIGH = 1700 * 32768 // 4000 << 1
_LOW = 700 * 32768 // 4000 << 1

# What `read` returns instead of a ratio.
WRONG = -1  # the chip does not answer, or its configuration is not the one that was written
FAULT = -2  # the chip reports a fault, until it is configured again


class MAX31865:
    """The ratio of a PT1000 to its 4 kilohm reference, 0..32767.

    `bus` has `write_readinto(out, into)`, as machine.SPI in mode 1 at 5 MHz at most; `select(level)` drives
    the chip select, low = selected. SPI has no acknowledge, so a missing chip shows only in the register read-back.
    """

    def __init__(self, bus, select):
        self._bus = bus
        self._select = select
        # One transfer reads all eight registers, so that each reading comes with its configuration.
        self._ask = (bytearray(9), bytearray(9))
        self._setup = bytearray(5)
        self._setup[0] = _WRITE | _HIGH_THRESHOLD
        self._setup[1] = _HIGH >> 8
        self._setup[2] = _HIGH & 0xFF
        self._setup[3] = _LOW >> 8
        self._setup[4] = _LOW & 0xFF
        self._command = bytearray(2)
        self._command[0] = _WRITE | _CONFIG

    def configure(self):
        """Configure the chip and clear its fault register. The first reading is ready after 75 ms."""
        # The data sheet forbids changing the filter while the chip converts.
        self._write_config(_FILTER_50_HZ | _CLEAR_FAULTS)
        self._transfer((self._setup, bytearray(5)))
        self._write_config(_CONFIGURATION)

    def read(self) -> int:
        """Return the ratio of the last conversion (0..32767), WRONG, or FAULT."""
        self._transfer(self._ask)
        answer = self._ask[1]
        setup = self._setup
        if (
            answer[1] != _CONFIGURATION
            or answer[4] != setup[1]
            or answer[5] != setup[2]
            or answer[6] != setup[3]
            or answer[7] != setup[4]
        ):
            return WRONG
        # The fault bit of the ratio, or a fault in the status register (table 7).
        if answer[3] & 1 or answer[8]:
            return FAULT
        return (answer[2] << 8 | answer[3]) >> 1

    def _write_config(self, value: int):
        self._command[1] = value
        self._transfer((self._command, bytearray(2)))

    def _transfer(self, buffers):
        # A pair and no `finally`, because a frame of more words would be allocated on the heap.
        self._select(0)
        try:
            self._bus.write_readinto(buffers[0], buffers[1])
        except Exception:
            self._select(1)
            raise
        self._select(1)
