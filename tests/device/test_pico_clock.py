"""The emulated board's clock: 200 MHz at its core voltage, and unchanged rates at the pins."""

from __future__ import annotations

import pytest
from rp2040py.gpio_pin import GPIOPinState

from tests.device.boards import Board

pytestmark = pytest.mark.pico
_VREG = 0x40064000


def test_the_firmware_sets_clock_voltage_and_the_mode_of_the_supply(board: Board) -> None:
    chip = board.chip
    assert chip.clock.mhz == 200
    # VREG (RP2040 data sheet): enabled, not high impedance, VSEL 1100 is 1.15 V.
    assert chip.mcu.read_uint32(_VREG) & 0xF3 == 0xC1
    assert chip.mcu.gpio[board.device.pins.SMPS_MODE].value == GPIOPinState.HIGH


def test_the_rates_at_the_pins_are_those_of_any_clock(board: Board) -> None:
    chip = board.chip
    board.run_ms(100)
    i2c = chip.mcu.i2c[0]
    bit_ns = (i2c.scl_low_period + i2c.scl_high_period) * chip.clock.cycle_ns
    assert 1e9 / bit_ns == pytest.approx(400_000, rel=0.05)
    # From the 48 MHz of USB, whatever the processor's clock is.
    assert 0.9e6 <= chip.mcu.spi[0].clock_frequency <= 1e6
    channel = chip.mcu.pwm.channels[board.device.pins.MONITOR // 2 % 8]
    assert channel.timer.frequency == 200_000_000
    hertz = channel.timer.frequency / channel.timer.prescaler / (channel.timer.top + 1)
    assert hertz == pytest.approx(10_000, rel=0.01)


def test_the_board_says_how_it_keeps_up(board: Board) -> None:
    board.run_ms(500)
    counts = [int(text) for text in board.ask(b":DIAG:COUN?").split(",")]
    longest_ms, write_ms, late, collections, mhz, start_ms, free = counts[4:]
    assert (mhz, late) == (200, 0) and longest_ms == write_ms == 0
    # A plausible figure: 71 kB in version d666a00, with the regulator in one file.
    assert 300 < start_ms < 1500 and 68_000 < free < 150_000
    board.regulate()
    board.run_ms(1500)
    later = [int(text) for text in board.ask(b":DIAG:COUN?").split(",")]
    # It wrote its state, and collected memory in a tick of its own, so none was late.
    assert later[1] > counts[1] and later[7] > collections
    assert later[4:7] == [0, 0, 0]
