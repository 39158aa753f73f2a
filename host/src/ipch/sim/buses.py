"""I2C and SPI controllers of an emulated RP2040 with chips on them, at their clock speed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ipch.sim.chips import I2cChip, MAX31865Chip
from ipch.sim.emulator import Chip


class I2c:
    """I2C controller 0 and the chips on its bus, at its clock speed."""

    def __init__(self, chip: Chip, chips: list[I2cChip], sda: int, scl: int) -> None:
        from rp2040py.gpio_pin import GPIOPinState
        from rp2040py.peripherals.reset import RESET_I2C0

        self._controller = chip.mcu.i2c[0]
        self._chips = {each.address: each for each in chips}
        self._chip: I2cChip | None = None
        self._clock = chip.clock
        self._alarm = chip.clock.create_alarm(self._done)
        self._then: Callable[[], None] = lambda: None
        self._sda = chip.mcu.gpio[sda]
        self._clocks_left = 0
        self.transfers = 0
        controller = self._controller
        controller.on_start = self._on_start
        controller.on_connect = self._on_connect
        controller.on_write_byte = self._on_write
        controller.on_read_byte = self._on_read
        controller.on_stop = lambda: self._after(1, controller.complete_stop)
        chip.on_reset.append(self._alarm.cancel)

        def clock(state: Any, before: Any) -> None:
            if self._clocks_left > 0 and state == GPIOPinState.LOW:
                self._clocks_left -= 1
                if self._clocks_left == 0:
                    self._sda.set_input_value(True)

        chip.mcu.gpio[scl].add_listener(clock)
        self._sda.set_input_value(True)
        chip.mcu.gpio[scl].set_input_value(True)
        # The emulator stores writes to RESETS, but resets nothing; a hung controller needs the reset.
        resets: Any = chip.mcu.resets
        write = resets.write_uint32

        def write_uint32(offset: int, value: int) -> None:
            write(offset, value)
            if offset == 0 and value & RESET_I2C0:
                self._alarm.cancel()
                controller.reset()

        resets.write_uint32 = write_uint32

    def hold_sda(self, clocks: int = 9) -> None:
        """A chip holds SDA low until it has seen this many clocks."""
        self._clocks_left = clocks
        self._sda.set_input_value(False)

    def held(self) -> bool:
        """Whether SDA is still held."""
        return self._clocks_left > 0

    def _after(self, bits: int, then: Callable[[], None]) -> None:
        controller = self._controller
        cycles = (controller.scl_low_period + controller.scl_high_period) * bits
        self._then = then
        self._alarm.schedule(cycles * self._clock.cycle_ns)

    def _done(self) -> None:
        self._then()

    def _on_start(self, repeated: bool) -> None:
        self.transfers += 1
        # With SDA held low there is no start condition, and the controller waits forever.
        if not self._clocks_left:
            self._after(1, self._controller.complete_start)

    def _on_connect(self, address: int, mode: int) -> None:
        chip = self._chips.get(address & 0x7F)
        acknowledged = chip is not None and chip.connect(bool(mode))
        self._chip = chip
        self._after(9, lambda: self._controller.complete_connect(acknowledged))

    def _on_write(self, value: int) -> None:
        chip = self._chip
        assert chip is not None
        self._after(9, lambda: self._controller.complete_write(chip.write(value)))

    def _on_read(self, acknowledge: bool) -> None:
        chip = self._chip
        assert chip is not None
        self._after(9, lambda: self._controller.complete_read(chip.read()))


class Spi:
    """SPI controller 0 with the MAX31865 on it."""

    def __init__(self, chip: Chip, rtd: MAX31865Chip, select: int, ready: int) -> None:
        from rp2040py.gpio_pin import GPIOPinState

        controller = chip.mcu.spi[0]

        def tell_ready() -> None:
            chip.mcu.gpio[ready].set_input_value(not rtd.ready())

        def done() -> None:
            received = rtd.transfer(self._value)
            # In modes 0 and 2 data change on the other edge: every bit arrives one place late.
            controller.complete_transmit(received if controller.spi_mode in (1, 2) else received >> 1)
            tell_ready()

        alarm = chip.clock.create_alarm(done)

        def transmit(value: int) -> None:
            self._value = value
            alarm.schedule(8e9 / (controller.clock_frequency or 1e6))

        controller.on_transmit = transmit
        chip.on_reset.append(alarm.cancel)
        chip.mcu.gpio[select].add_listener(lambda state, before: rtd.select(int(state != GPIOPinState.LOW)))
        self._value = 0
        chip.each_ms.append(tell_ready)
