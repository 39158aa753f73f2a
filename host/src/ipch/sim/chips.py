"""Register models of the chips on the board's buses, for tests of the drivers and for the emulated board.

Each follows its data sheet: ADS1115 (Texas Instruments SBAS444D), TMP117 (Texas Instruments SNOSD82C),
MAX31865 (Maxim 19-6478 rev. 3). A wrong configuration gives the same wrong readings as the real chip.

This file also runs under MicroPython: it imports nothing and uses only the core language. `now_us()` is the time of the
world around the chip, in microseconds.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class I2cChip:
    """Common to all I2C chips here: a pointer register, 16-bit registers, most significant byte first."""

    def __init__(self, address: int, now_us: "Callable[[], int]") -> None:
        self.address = address
        self.now_us = now_us
        self.acknowledges = True
        self.flips = 0  # bits to flip in the next 16-bit word that is read
        self._pointer = 0
        self._written = 0
        self._first = True
        self._high = True
        self._word = 0

    def connect(self, read: bool) -> bool:
        """Answer to a start condition with this chip's address; True = acknowledge."""
        self._first = not read
        self._high = True
        return self.acknowledges

    def write(self, byte: int) -> bool:
        """Take a byte; True = acknowledge."""
        if self._first:
            self._first = False
            self._pointer = byte
        elif self._high:
            self._written = byte << 8
            self._high = False
        else:
            self._high = True
            self.set_register(self._pointer, self._written | byte)
        return self.acknowledges

    def read(self) -> int:
        """Give a byte."""
        if self._high:
            self._word = self.get_register(self._pointer) ^ self.flips
            self.flips = 0
            self._high = False
            return self._word >> 8
        self._high = True
        return self._word & 0xFF

    def get_register(self, register: int) -> int:
        """Value of this register on a read, 0..65535."""
        raise NotImplementedError

    def set_register(self, register: int, value: int) -> None:
        """Effect of a write to this register."""
        raise NotImplementedError


class ADS1115Chip(I2cChip):
    """Four-channel 16-bit converter. `volt(input)` is the voltage at input 0..3, sampled when a conversion ends."""

    FULL_SCALE_V = (6.144, 4.096, 2.048, 1.024, 0.512, 0.256, 0.256, 0.256)
    RATE_HZ = (8, 16, 32, 64, 128, 250, 475, 860)
    WAKE_US = 25

    def __init__(self, address: int, now_us: "Callable[[], int]", volt: "Callable[[int], float]") -> None:
        super().__init__(address, now_us)
        self.volt = volt
        self.slow_ppm = 0  # the oscillator may be off by +-100,000 ppm
        self.frozen = False  # the conversion register keeps its value
        self.reset()

    def reset(self) -> None:
        """Power-up state: differential AIN0-AIN1, +-2.048 V, 128 SPS, powered down."""
        self._config = 0x8583
        self._low = 0x8000
        self._high_threshold = 0x7FFF
        self._counts = 0
        self._ready_us = -1  # end of the running conversion

    def converting(self, channel: int) -> bool:
        """Whether a single-ended conversion of this input was started and its result not read yet."""
        return self._ready_us >= 0 and self._config >> 12 & 7 == 4 + channel

    def get_register(self, register: int) -> int:
        self._progress()
        register &= 3
        if register == 0:
            return self._counts & 0xFFFF
        if register == 1:
            return (self._config & 0x7FFF) | (0 if self._ready_us >= 0 else 0x8000)
        return self._low if register == 2 else self._high_threshold

    def set_register(self, register: int, value: int) -> None:
        self._progress()
        register &= 3
        if register == 1:
            self._config = value
            single_shot = value & 0x0100
            if value & 0x8000 or not single_shot:
                self._ready_us = self.now_us() + self.WAKE_US + self._conversion_us()
            else:
                self._ready_us = -1
        elif register == 2:
            self._low = value
        elif register == 3:
            self._high_threshold = value

    def _conversion_us(self) -> int:
        nominal_us = 1_000_000 // self.RATE_HZ[self._config >> 5 & 7]
        return nominal_us + nominal_us * self.slow_ppm // 1_000_000

    def _progress(self) -> None:
        now_us = self.now_us()
        if self._ready_us < 0 or now_us < self._ready_us:
            return
        if not self.frozen:
            self._counts = self._convert()
        if self._config & 0x0100:
            self._ready_us = -1
        else:
            conversion_us = self._conversion_us()
            self._ready_us = now_us - (now_us - self._ready_us) % conversion_us + conversion_us

    def _convert(self) -> int:
        mux = self._config >> 12 & 7
        if mux >= 4:
            volt = self.volt(mux - 4)
        else:
            volt = self.volt((0, 0, 1, 2)[mux]) - self.volt((1, 3, 3, 3)[mux])
        counts = int(volt / self.FULL_SCALE_V[self._config >> 9 & 7] * 32768 + 32768.5) - 32768
        return min(32767, max(-32768, counts))


class TMP117Chip(I2cChip):
    """Digital thermometer. `celsius()` is sampled when a conversion ends."""

    # ms from result to result, by averaging (1, 8, 32, 64) and the CONV field.
    CYCLE_MS = (
        (16, 125, 250, 500, 1000, 4000, 8000, 16000),
        (125, 125, 250, 500, 1000, 4000, 8000, 16000),
        (500, 500, 500, 500, 1000, 4000, 8000, 16000),
        (1000, 1000, 1000, 1000, 1000, 4000, 8000, 16000),
    )

    def __init__(self, address: int, now_us: "Callable[[], int]", celsius: "Callable[[], float]") -> None:
        super().__init__(address, now_us)
        self.celsius = celsius
        self.frozen = False  # no new conversions
        self.reset()

    def reset(self) -> None:
        """Power-up state: one result a second, from eight conversions; no result yet."""
        self._config = 0x0220
        self._counts = 0x8000
        self._ready = False
        self._ready_us = self.now_us() + self._cycle_us()

    def get_register(self, register: int) -> int:
        self._progress()
        if register == 0:
            self._ready = False
            return self._counts & 0xFFFF
        if register == 1:
            value = self._config | (0x2000 if self._ready else 0)
            self._ready = False
            return value
        if register == 2:
            return 0x6000
        if register == 3:
            return 0x8000
        return 0x0117 if register == 15 else 0

    def set_register(self, register: int, value: int) -> None:
        self._progress()
        if register == 1:
            if value & 2:
                self.reset()
            else:
                self._config = value & 0x0FFC
                self._ready_us = self.now_us() + self._cycle_us()

    def _cycle_us(self) -> int:
        return self.CYCLE_MS[self._config >> 5 & 3][self._config >> 7 & 7] * 1000

    def _progress(self) -> None:
        now_us = self.now_us()
        mode = self._config >> 10 & 3
        if mode == 1 or self._ready_us < 0 or now_us < self._ready_us:
            return
        if not self.frozen:
            counts = int(self.celsius() * 128 + 32768.5) - 32768
            self._counts = min(32767, max(-32768, counts))
            self._ready = True
        if mode == 3:
            self._config |= 0x0400
        cycle_us = self._cycle_us()
        self._ready_us = now_us - (now_us - self._ready_us) % cycle_us + cycle_us


class MAX31865Chip:
    """Resistance thermometer converter on SPI. `ohm()` is the sensor's resistance, sampled when a conversion ends."""

    _RESET = (0x00, 0x00, 0x00, 0xFF, 0xFF, 0x00, 0x00, 0x00)

    def __init__(
        self, now_us: "Callable[[], int]", ohm: "Callable[[], float]", reference_ohm: float = 4000.0
    ) -> None:
        self.now_us = now_us
        self.ohm = ohm
        self.reference_ohm = reference_ohm
        self.answers = True
        self.frozen = False
        self.flips = 0  # bits to flip in the next byte that is read
        self._selected = False
        self.reset()

    def reset(self) -> None:
        """Power-up state: no bias, no conversions."""
        self._registers = list(self._RESET)
        self._address = -1
        self._ready_us = -1
        self._unread = False

    def select(self, level: int) -> None:
        """Drive the chip select, low = selected."""
        self._selected = not level
        self._address = -1

    def ready(self) -> bool:
        """Whether DRDY is low: a conversion has ended, and its result has not been read (data sheet, DRDY)."""
        self._progress()
        return self._unread and self.answers

    def transfer(self, byte: int) -> int:
        """Exchange a byte; 255 (pull-up on an undriven line) while not selected."""
        if not self._selected or not self.answers:
            return 0xFF
        self._progress()
        if self._address < 0:
            self._address = byte
            return 0x00
        register = self._address & 7
        if self._address & 0x80:
            self._write(register, byte)
            self._address = 0x80 | (register + 1 & 7)
            return 0x00
        value = self._registers[register] ^ self.flips
        self.flips = 0
        self._unread = self._unread and register not in (1, 2)
        self._address = register + 1 & 7
        return value

    def _write(self, register: int, value: int) -> None:
        if register == 0:
            if value & 0x02:
                self._registers[7] = 0
                self._registers[2] &= 0xFE
            before = self._registers[0]
            self._registers[0] = value & 0xDD
            fifty_hz = value & 1
            if value & 0x40:
                if not before & 0x40:
                    self._ready_us = self.now_us() + (62_500 if fifty_hz else 52_000)
            elif value & 0x20:
                self._ready_us = self.now_us() + (62_500 if fifty_hz else 52_000)
            else:
                self._ready_us = -1
        elif register in (3, 4, 5, 6):
            self._registers[register] = value

    def _progress(self) -> None:
        now_us = self.now_us()
        if self._ready_us < 0 or now_us < self._ready_us:
            return
        registers = self._registers
        if registers[0] & 0x40:
            period_us = 20_000 if registers[0] & 1 else 16_667
            self._ready_us = now_us - (now_us - self._ready_us) % period_us + period_us
        else:
            self._ready_us = -1
            registers[0] &= ~0x20
        if self.frozen:
            return
        self._unread = True
        # Without bias no current flows, so there is no voltage to compare.
        ratio = min(32767, max(0, int(self.ohm() / self.reference_ohm * 32768))) if registers[0] & 0x80 else 0
        if ratio << 1 >= (registers[3] << 8 | registers[4]) & 0xFFFE:
            registers[7] |= 0x80
        if ratio << 1 <= (registers[5] << 8 | registers[6]) & 0xFFFE:
            registers[7] |= 0x40
        registers[1] = ratio >> 7
        registers[2] = ratio << 1 & 0xFE | (1 if registers[7] else 0)
