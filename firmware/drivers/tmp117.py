"""TMP117, digital thermometer on I2C (Texas Instruments SNOSD82, registers in section 7.6)."""

_TEMPERATURE = 0
_CONFIG = 1

# Continuous conversion, mean of 8 samples, one result every 250 ms (SNOSD82, configuration register).
_CONFIGURATION = 0x0120
_CONFIGURABLE = 0x0FFC
_DATA_READY = 0x2000

# What `read` returns instead of counts.
NOT_READY = -40000  # no new result since the last read
WRONG = -40001  # the chip was reset to another configuration, or has no result


class TMP117:
    """Temperature in counts of 1/128 K, 0 = 0 degC.

    `bus` has `writeto(address, buffer)` and `readfrom_mem_into(address, register, buffer)`, as machine.I2C;
    both raise OSError when the chip does not acknowledge, and so do `configure` and `read`.
    """

    def __init__(self, bus, address: int):
        self._bus = bus
        self._address = address
        self._out = bytearray((_CONFIG, _CONFIGURATION >> 8, _CONFIGURATION & 0xFF))
        self._in = bytearray(2)

    def use(self, bus):
        """Continue on another bus object."""
        self._bus = bus

    def configure(self):
        """Configure the chip. `read` tells another chip by the configuration that it reads back."""
        self._bus.writeto(self._address, self._out)

    def read(self) -> int:
        """Return the newest counts (-7040..19200), NOT_READY, or WRONG."""
        config = self._read(_CONFIG)
        if (config ^ _CONFIGURATION) & _CONFIGURABLE:
            return WRONG
        if not config & _DATA_READY:
            return NOT_READY
        counts = self._read(_TEMPERATURE)
        # The register holds 0x8000 until the first conversion is complete.
        if counts == 0x8000:
            return WRONG
        return counts - 65536 if counts & 0x8000 else counts

    def _read(self, register: int) -> int:
        data = self._in
        self._bus.readfrom_mem_into(self._address, register, data)
        return data[0] << 8 | data[1]
