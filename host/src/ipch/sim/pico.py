"""The `pico` rung: a stock MicroPython image on an emulated RP2040, with the board's chips on its pins and the plant.

The plant follows the emulated processor in steps of a millisecond, valves open and close at the emulated microsecond of
their pins' edges, and a bus transfer takes as long as its clock requires.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from ipch.base.paths import firmware_dir
from ipch.errors import DeviceLostError
from ipch.sim import signals
from ipch.sim.buses import I2c, Spi
from ipch.sim.chips import ADS1115Chip, MAX31865Chip, TMP117Chip
from ipch.sim.coils import Coils
from ipch.sim.emulator import FLASH_BYTES, Chip, find_image
from ipch.sim.injector import clear
from ipch.sim.rigs import confirmed_settings
from ipch.sim.world import World

# Noise of one conversion of the RP2040's ADC: 8.7 effective bits.
ADC_NOISE_COUNTS = 2.0
REFERENCE_VOLT = (
    1.25 * 10.0 / 12.05
)  # of the divided reference at the Pico's converter (hardware/, R119 and R122)


def load_pins() -> ModuleType:
    """The board's pin table, from the firmware."""
    folder = str(firmware_dir())
    if folder not in sys.path:
        sys.path.append(folder)
    import importlib

    return importlib.import_module("pins")


class PicoDevice:
    """The board: rung `pico`. `world` brings the plant, the serial line and the truth file."""

    rig = "pico"

    def __init__(
        self,
        world: World,
        state: Path | None,
        image: Path | None = None,
        *,
        files: dict[str, bytes] | None = None,
        button: bool = False,
        slower: float = 1.0,
    ) -> None:
        """Boot `image`; `state` keeps the content of the flash chip between runs (pico.flash).

        An empty flash chip receives `files` (name -> content) and confirmed limits before the actual boot; without
        them the board is bare. `button` holds the maintenance button, from power-up on; `slower` is Chip's.
        """
        self.chip = Chip(find_image(image), slower=slower)
        self._state = state / "pico.flash" if state is not None else None
        bare = self._state is None or not self._state.is_file()
        if self._state is not None and not bare:
            self.chip.mcu.flash[:FLASH_BYTES] = self._state.read_bytes()[:FLASH_BYTES]
        self._noise = random.Random(1)
        # Changes a signal on its way into the board: tamper(name, value) -> value, in mA or K.
        self.tamper: Callable[[str, float], float] = lambda name, value: value
        self.pins = pins = load_pins()
        self._take_world(world)
        now_us = self.chip.now_us
        self.ads1115 = ADS1115Chip(pins.ADS1115_ADDRESS, now_us, self._volt)
        self.tmp117 = TMP117Chip(pins.TMP117_ADDRESS, now_us, self._wall_celsius)
        self.max31865 = MAX31865Chip(now_us, self._gas_ohm, signals.REFERENCE_OHM)
        self.i2c = I2c(self.chip, [self.ads1115, self.tmp117], pins.SDA, pins.SCL)
        self.spi = Spi(self.chip, self.max31865, pins.RTD_SELECT, pins.RTD_READY)
        self.supply_volt = 3.3  # of the Pico, against which its converter measures
        self._wire_adc(pins.SAFETY_ADC, pins.REFERENCE_ADC)
        self.coils = Coils(self.chip, pins, world)
        self._hung = False
        self.chip.on_reset.append(self._on_reset)
        self.hold_button(button)
        self.chip.mcu.gpio[pins.TRIP].set_input_value(not pins.TRIP_ACTIVE)
        self.chip.each_ms.append(self._on_ms)
        self.chip.run_to_prompt()
        if bare and files:
            self.chip.install({**confirmed_settings(), **files})
            self.chip.power_cycle()

    @property
    def edges(self) -> list[tuple[float, str, bool]]:
        """Changes of the valve outputs: emulated ns, name, on."""
        return self.coils.edges

    def coils_on(self) -> tuple[bool, ...]:
        """Which valve outputs are on now, in the order of `coils.NAMES`."""
        return tuple(self.coils.pins_on)

    def run(self, ticks: int) -> None:
        """Run for this many ticks of the world."""
        self.chip.run_ms(ticks * self.world.tick_ms)

    def run_to_first_conversion(self, limit_s: float = 10.0) -> None:
        """Run until the firmware's first tick is due, in which it first measures the chamber."""
        until_s = self.chip.now_s + limit_s
        while not self.ads1115.converting(self.pins.CONTROL_INPUT):
            self.chip.run_ms(0.05)
            if self.chip.now_s > until_s:
                raise DeviceLostError("the emulated board does not start its firmware")

    def replace_world(self, world: World) -> None:
        """Put the board into another world, preferably before its first conversion."""
        self._take_world(world)
        self.coils.use(world)

    def close(self) -> None:
        """Save the flash chip's content."""
        if self._state is not None:
            part = self._state.with_suffix(".part")
            part.write_bytes(bytes(self.chip.mcu.flash[:FLASH_BYTES]))
            part.replace(self._state)

    def hold_button(self, pressed: bool) -> None:
        """Press or release the maintenance button."""
        level = self.pins.BUTTON_PRESSED if pressed else 1 - self.pins.BUTTON_PRESSED
        self.chip.mcu.gpio[self.pins.BUTTON].set_input_value(bool(level))

    def _take_world(self, world: World) -> None:
        world.relay = self._cell_ok
        self.world = world
        self._measurement = world.plant.measure()

    def _cell_ok(self) -> bool:
        """Whether the relay lets the cycler run."""
        from rp2040py.gpio_pin import GPIOPinState

        level = GPIOPinState.HIGH if self.pins.CELL_SAFE_OK else GPIOPinState.LOW
        return bool(self.chip.mcu.gpio[self.pins.CELL_SAFE].value == level)

    def _on_reset(self) -> None:
        # A restart ends whatever hung the processor, unless it is injected again.
        self.world.hung = self._hung = False
        clear(self.world, "hang")

    def _on_ms(self) -> None:
        world = self.world
        world.advance_ms()
        failed = world.forced.get(signals.FAULTS, 0)
        self.ads1115.acknowledges = not failed & 1
        self.max31865.answers = not failed & 2
        self.tmp117.acknowledges = not failed & 4
        if world.hung and not self._hung:
            self.chip.hang()
        self._hung = world.hung
        self.chip.erase_ms = world.erase_ms
        if world.reset_wanted is not None:
            cause, _ = world.reset_wanted
            world.reset_wanted = None
            self.chip.reset(from_watchdog=cause != "power")
        self.coils.watch(self.tamper("safety", self._measurement.safety_ma))
        if not self.chip.at_prompt:
            self._exchange()

    def _exchange(self) -> None:
        world = self.world
        chip = self.chip
        received = chip.received
        room = world.room()
        if received and room > 0:
            world.send(bytes(received[:room]))
            del received[:room]
        data = world.take(512 - chip.cdc.tx_fifo.item_count) if chip.connected else b""
        if data:
            chip.send(data)

    def _volt(self, channel: int) -> float:
        pins = self.pins
        found = self._measurement
        stuck = self.world.forced
        if channel == pins.CONTROL_INPUT:
            name, ma, signal = "control", found.control_ma, signals.CONTROL
        elif channel == pins.SUPPLY_INPUT:
            name, ma, signal = "supply", found.supply_ma, signals.SUPPLY
        elif channel == pins.REFERENCE_INPUT:
            counts = stuck.get(signals.REFERENCE, signals.REFERENCE_COUNTS)
            return counts * signals.ADS1115_VOLT_PER_COUNT
        else:
            return 0.0
        if signal in stuck:
            return stuck[signal] * signals.ADS1115_VOLT_PER_COUNT
        return self.tamper(name, ma) * 1e-3 * signals.SHUNT_OHM

    def _gas_ohm(self) -> float:
        counts = self.world.forced.get(signals.GAS)
        if counts is not None:
            return (counts + 0.5) / 32768 * signals.REFERENCE_OHM
        return signals.pt1000_ohm(self.tamper("gas", self._measurement.gas_k))

    def _wall_celsius(self) -> float:
        counts = self.world.forced.get(signals.WALL)
        if counts is not None:
            return counts * signals.TMP117_KELVIN_PER_COUNT
        return self.tamper("wall", self._measurement.wall_k) - 273.15

    def _wire_adc(self, pin: int, reference_pin: int) -> None:
        adc = self.chip.mcu.adc
        gauss = self._noise.gauss
        safety, reference = pin - 26, reference_pin - 26
        convert = adc.on_adc_read

        def on_read(channel: int) -> None:
            if channel == safety:
                stuck = self.world.forced.get(signals.SAFETY)
                if stuck is not None:
                    counts = stuck >> 4
                else:
                    volt = self.tamper("safety", self._measurement.safety_ma) * 1e-3 * signals.SHUNT_OHM
                    codes = volt / self.supply_volt * 4096 + gauss(0.0, ADC_NOISE_COUNTS)
                    counts = int(signals.rp2040_codes(codes) + 0.5)
                adc.channel_values[channel] = min(4095, max(0, counts))
            elif channel == reference:
                codes = REFERENCE_VOLT / self.supply_volt * 4096 + gauss(0.0, ADC_NOISE_COUNTS)
                adc.channel_values[channel] = int(signals.rp2040_codes(codes) + 0.5)
            convert(channel)

        adc.on_adc_read = on_read
