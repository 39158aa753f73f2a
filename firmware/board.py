"""The Raspberry Pi Pico: the only file that knows of machine and rp2. Importing it shuts every valve."""

# ruff: noqa: E402 - nothing may come before the outputs are safe.
import pins
from machine import Pin

_VALVES = tuple(
    Pin(number, Pin.OUT, value=1 - pins.VALVE_ON)
    for number in (pins.FILL, pins.VENT, pins.SUPPLY_ISOLATION, pins.VENT_ISOLATION, pins.RELIEF)
)

import gc
import os
import select
import sys
import time

import machine
import micropython
import rp2
from drivers import ads1115, max31865, tmp117
from machine import ADC, I2C, PWM, SPI, WDT, mem16, mem32
from micropython import const

TICK_MS = 20
_TICK_US = TICK_MS * 1000
# Later than this, missed ticks are not caught up with: the schedule starts anew.
_LATE_US = 100_000
_WATCHDOG_MS = 1000
# The conversion of the control transducer is started this long before the tick that uses it.
_CONVERSION_US = ads1115.CONVERSION_US + 480
# What the PIO program counts in, and how many of these steps its 15-bit counter allows at most: 327 ms.
_STEP_US = 10
_OVERSAMPLE = 16
_I2C_TIMEOUT_US = 1000
# How many ticks in a row a slow sensor may have nothing new to say.
_STALE = 8

POWER, WATCHDOG, SOFTWARE = range(3)
ADS1115_FAULT, MAX31865_FAULT, TMP117_FAULT = 1, 2, 4

# Two scratch registers that a reset by the watchdog or by software keeps and that a power cut clears.
_SCRATCH = 0x400D800C if "RP2350" in os.uname().machine else 0x4005800C
_MAINTENANCE_REQUEST = 0x1DC4
# What a running watchdog leaves in the fifth of these registers, and a reset by software does not.
_WATCHDOG_MARK = 0x6AB73121
# Levels of all pins at one instant; below 2^30, as no pin beyond 29 exists.
_GPIO_IN = 0xD0000004
_ALL_COILS = 31
_MONITOR_HZ = 10_000
# Control and status register of the ADC, followed by its result.
_ADC = 0x400A0000 if "RP2350" in os.uname().machine else 0x4004C000
_ADC_START = const(1 << 2)
_ADC_READY = const(1 << 8)
_FAILED_STARTS = 3

# USB device controller of RP2040 and RP2350: buffer control of endpoint 2 IN, which carries the serial line
# to the host.
_BUFFER_CONTROL = 0x50100090
_IN_FLIGHT = 0x0400


@rp2.asm_pio(set_init=rp2.PIO.OUT_LOW, out_shiftdir=rp2.PIO.SHIFT_RIGHT)
def _one_shot():
    """Hold the pin for as many steps as the lower 15 bits of a word, plus 2. No word, no pulse; no way to
    stay on.
    """
    pull(block)  # noqa: F821
    out(x, 15)  # noqa: F821
    set(pins, 1)
    label("on")  # noqa: F821
    jmp(x_dec, "on")  # noqa: F821
    set(pins, 0)


@micropython.viper
def _sum_conversions(base: int, count: int) -> int:
    """Sum of so many conversions of the ADC's selected input, 2 us each (read_u16 would take ten times as long)."""
    registers = ptr32(base)  # noqa: F821
    total = 0
    for _ in range(count):
        registers[0] = registers[0] | _ADC_START
        while not registers[0] & _ADC_READY:
            pass
        total += registers[1]
    return total


class Port:
    """The USB serial line. Neither direction ever waits for the host."""

    def __init__(self):
        self._poll = select.poll()
        self._poll.register(sys.stdin, select.POLLIN)
        self._out_poll = select.poll()
        self._out_poll.register(sys.stdout, select.POLLOUT)
        self._readinto = sys.stdin.buffer.readinto
        self._write = sys.stdout.buffer.write
        self._byte = bytearray(1)

    def read(self, buffer) -> int:
        """Take what is there, at most 16 bytes."""
        count = 0
        byte = self._byte
        while count < 16:
            ready = False
            for _ in self._poll.ipoll(0):
                ready = True
            if not ready:
                break
            self._readinto(byte)
            buffer[count] = byte[0]
            count += 1
        return count

    def write(self, buffer, start: int, end: int) -> int:
        """Hand over up to 64 bytes, and only while nothing is on its way to the host.

        As long as the host does not collect what it was sent, the endpoint's buffer stays in flight.
        MicroPython's own write would then wait for up to half a second.
        """
        for _ in range(2):
            # Twice, with a turn of the loop in between in which the USB stack may refill the endpoint from
            # its queue.
            if mem16[_BUFFER_CONTROL] & _IN_FLIGHT:
                return 0
        connected = False
        for _ in self._out_poll.ipoll(0):
            connected = True
        count = end - start
        if not connected:
            # Nobody has the port open: what was said is lost, as on any serial line.
            return count
        if count > 64:
            count = 64
        self._write(buffer, start, count)
        return count


class Rig:
    """The rig contract of regulator/app.py on real pins."""

    def __init__(self):
        micropython.kbd_intr(-1)
        self.serial_number = "".join("%02X" % byte for byte in machine.unique_id())
        self._button = Pin(pins.BUTTON, Pin.IN, Pin.PULL_UP)
        # Stay in the REPL, without a watchdog: asked for, button held, or too many starts in a row that
        # failed.
        starts = mem16[_SCRATCH + 4]
        # MicroPython resets itself through the watchdog, too: the mark tells the two apart.
        if machine.reset_cause() == machine.PWRON_RESET:
            self.reset_cause = POWER
        else:
            self.reset_cause = WATCHDOG if mem32[_SCRATCH + 16] == _WATCHDOG_MARK else SOFTWARE
        self.pattern = 0x0F  # of the LED: one bit for each 160 ms, the lowest first
        self.maintenance = (
            mem16[_SCRATCH] == _MAINTENANCE_REQUEST
            or self._button() == pins.BUTTON_PRESSED
            or starts >= _FAILED_STARTS
        )
        mem32[_SCRATCH] = 0
        mem32[_SCRATCH + 4] = 0 if self.maintenance else starts + 1
        self._led = Pin(pins.LED, Pin.OUT, value=1 - pins.LED_ON)
        self._heartbeat = Pin(pins.HEARTBEAT, Pin.OUT, value=0)
        self._cut = Pin(pins.RAIL_CUT, Pin.OUT, value=1 - pins.RAIL_CUT_ON)
        self._cell_safe = Pin(pins.CELL_SAFE, Pin.OUT, value=1 - pins.CELL_SAFE_OK)
        self._cell_ok = False
        self._monitor_permille = 0
        self._supply_isolation = _VALVES[2]
        self._vent_isolation = _VALVES[3]
        self._relief = _VALVES[4]
        if self.maintenance:
            self._shots = ()
            micropython.kbd_intr(3)
            return
        self._shots = (rp2.StateMachine(0), rp2.StateMachine(1))
        self._arm()
        self.serial = Port()

        # Read together with the valves, in one register.
        for number in range(pins.FILL_DRAIN, pins.RELIEF_DRAIN + 1):
            Pin(number, Pin.IN)
        self._monitor = PWM(Pin(pins.MONITOR), freq=_MONITOR_HZ, duty_u16=0)
        self._rail = Pin(pins.RAIL, Pin.IN)
        self._trip = Pin(pins.TRIP, Pin.IN, Pin.PULL_UP)
        self._adc = ADC(pins.SAFETY_ADC)
        self._select = Pin(pins.RTD_SELECT, Pin.OUT, value=1 - pins.SELECTED)
        spi = SPI(
            0,
            baudrate=1_000_000,
            polarity=0,
            phase=1,
            sck=Pin(pins.SCK),
            mosi=Pin(pins.MOSI),
            miso=Pin(pins.MISO),
        )
        self._rtd = max31865.MAX31865(spi, self._select)
        self._rtd_ready = Pin(pins.RTD_READY, Pin.IN, Pin.PULL_UP)
        bus = _free_bus()
        self._ads = ads1115.ADS1115(bus, pins.ADS1115_ADDRESS)
        self._tmp = tmp117.TMP117(bus, pins.TMP117_ADDRESS)
        self.faults = MAX31865_FAULT | TMP117_FAULT
        self.reference_counts = 0
        self._supply_counts = 0
        self._aux = -1  # the input whose conversion runs beside the control transducer's
        self._gas_counts = 0
        self._wall_counts = 0
        self._gas_stale = 0
        self._wall_stale = 0
        self._phase = 0
        self._beat = 0
        self._good_ticks = 0
        self._watchdog = None
        self._setup_rtd()
        self._setup_wall()
        # The first sample must not say that there is neither supply nor reference.
        for self._aux in (pins.SUPPLY_INPUT, pins.REFERENCE_INPUT):
            self._start(self._aux)
            time.sleep_us(_CONVERSION_US)
            self._take_aux()
        self._aux = -1
        self._due_us = self._last_us = 0

    def wait_tick(self) -> int:
        """Tend the slow sensors, then sleep until the tick is due; return the ms since the last one."""
        self._tend()
        if self._watchdog is None:
            # No tick was completed yet. The imports since __init__ took more than a second, in which slow checks
            # would be due whose sensors were not read yet.
            self._due_us = self._last_us = time.ticks_us()
        due_us = time.ticks_add(self._due_us, _TICK_US)
        if time.ticks_diff(time.ticks_us(), due_us) > _LATE_US:
            due_us = time.ticks_us()
        self._due_us = due_us
        self._sleep_until(time.ticks_add(due_us, -_CONVERSION_US))
        self._start(pins.CONTROL_INPUT)
        self._sleep_until(due_us)
        now_us = time.ticks_us()
        dt_ms = (time.ticks_diff(now_us, self._last_us) + 500) // 1000
        # The remainder stays with the next tick: uptime does not drift against the crystal.
        self._last_us = time.ticks_add(self._last_us, dt_ms * 1000)
        return dt_ms

    def read(self, sample):
        """Fill in the counts; the bits of `sample.faults` are the converters without a reading to trust."""
        counts = self._collect()
        if counts >= -32768:
            sample.control_counts = counts
            self.faults &= ~ADS1115_FAULT
        else:
            self.faults |= ADS1115_FAULT
        self._aux = pins.SUPPLY_INPUT if self._phase & 7 else pins.REFERENCE_INPUT
        self._start(self._aux)
        # 12 bits each; the first read selects the input, and is scaled to 16 bits as read_u16 does it.
        self._adc.read_u16()
        total = _sum_conversions(_ADC, _OVERSAMPLE)
        sample.safety_counts = ((total << 4) + (total >> 8)) // _OVERSAMPLE
        sample.supply_counts = self._supply_counts
        sample.gas_counts = self._gas_counts
        sample.wall_counts = self._wall_counts
        sample.faults = self.faults
        sample.reference_counts = self.reference_counts
        self._read_back(sample)

    def _read_back(self, sample):
        """Compare the drains with the valve outputs; without the rail they say nothing."""
        levels = mem32[_GPIO_IN]
        rail_on = sample.rail_on = 1 if levels >> pins.RAIL & 1 == pins.RAIL_ON else 0
        sample.tripped = 1 if levels >> pins.TRIP & 1 == pins.TRIP_ACTIVE else 0
        if not rail_on:
            sample.coil_dead = sample.coil_shorted = 0
            return
        on = levels >> pins.FILL
        if not pins.VALVE_ON:
            on = ~on
        off = levels >> pins.FILL_DRAIN
        if not pins.DRAIN_OFF:
            off = ~off
        sample.coil_dead = on & off & _ALL_COILS
        sample.coil_shorted = ~(on | off) & _ALL_COILS

    def pulse(self, valve: int, us: int):
        """One-shot of FILL (0) or VENT (1) in steps of 10 us, 20 us to 327 ms; ignored while one is
        running.
        """
        shot = self._shots[valve]
        steps = (us + _STEP_US // 2) // _STEP_US - 2
        if shot.tx_fifo() == 0 and _VALVES[valve]() != pins.VALVE_ON:
            shot.put(min(max(steps, 0), 32767))

    def switch(self, supply_isolation: bool, vent_isolation: bool, relief: bool):
        """Set the three switched valves."""
        self._supply_isolation(supply_isolation)
        self._vent_isolation(vent_isolation)
        self._relief(relief)

    def safe(self):
        """All coils off at once, running one-shots included."""
        # Taking the pads away from the PIO ends a pulse before its program is stopped.
        for valve in _VALVES:
            valve.init(Pin.OUT, value=1 - pins.VALVE_ON)
        self._arm()

    def show(self, pattern: int, cell_ok: bool, monitor_permille: int):
        """LED pattern, cell-safe relay, and the monitor output in permille of 3.3 V."""
        self.pattern = pattern
        if cell_ok != self._cell_ok:
            self._cell_ok = cell_ok
            self._cell_safe(pins.CELL_SAFE_OK if cell_ok else 1 - pins.CELL_SAFE_OK)
        if monitor_permille != self._monitor_permille:
            self._monitor_permille = monitor_permille
            self._monitor.duty_u16(monitor_permille * 65535 // 1000)

    def collect(self):
        """Collect garbage."""
        gc.collect()

    def feed(self, coils: bool):
        """The tick is complete: LED, watchdog, and with `coils` the heartbeat that keeps the coil rail on."""
        if coils:
            self._cut(1 - pins.RAIL_CUT_ON)
            self._beat ^= 1
            self._heartbeat(self._beat)
        else:
            self._cut(pins.RAIL_CUT_ON)
        phase = self._phase
        if not phase & 7:
            self._led((self.pattern >> (phase >> 3) & 1) == pins.LED_ON)
        if self._good_ticks < 3000:
            self._good_ticks += 1
            if self._good_ticks == 3000:
                mem32[_SCRATCH + 4] = 0
        watchdog = self._watchdog
        if watchdog is None:
            self._watchdog = watchdog = WDT(timeout=_WATCHDOG_MS)
        watchdog.feed()

    def enter_maintenance(self):
        """Shut everything and reset into the REPL, which no watchdog disturbs. Does not return."""
        self.safe()
        mem32[_SCRATCH] = _MAINTENANCE_REQUEST
        machine.reset()

    def release(self):
        """Give the serial line back to the REPL."""
        self.safe()
        micropython.kbd_intr(3)

    def _arm(self):
        for shot, pin in zip(self._shots, _VALVES):
            shot.active(0)
            shot.init(_one_shot, freq=1_000_000 // _STEP_US, set_base=pin)
            shot.active(1)

    def _sleep_until(self, until_us: int):
        # In slices, between which MicroPython attends to USB.
        while True:
            left_us = time.ticks_diff(until_us, time.ticks_us())
            if left_us <= 0:
                return
            time.sleep_us(left_us if left_us < 1000 else 1000)

    def _start(self, channel: int):
        try:
            self._ads.start(channel)
        except OSError:
            self.faults |= ADS1115_FAULT
            self._recover_bus()

    def _collect(self) -> int:
        """Return the counts of the conversion in progress, or what ads1115 returns without any."""
        try:
            counts = self._ads.read()
            return counts if counts != ads1115.NOT_READY else self._wait_for_counts()
        except OSError:
            self._recover_bus()
        return ads1115.WRONG

    def _wait_for_counts(self) -> int:
        for _ in range(3):
            time.sleep_us(300)
            counts = self._ads.read()
            if counts != ads1115.NOT_READY:
                return counts
        return ads1115.WRONG

    def _tend(self):
        """Collect supply or reference, and each eighth tick one of the temperatures."""
        phase = self._phase = (self._phase + 1) & 63
        if self._aux >= 0:
            self._take_aux()
        if phase & 7 == 2:
            self._read_gas()
        elif phase & 7 == 5:
            self._read_wall()

    def _take_aux(self):
        counts = self._collect()
        if counts < -32768:
            self.faults |= ADS1115_FAULT
        elif self._aux == pins.SUPPLY_INPUT:
            self._supply_counts = counts
        else:
            self.reference_counts = counts

    def _read_gas(self):
        counts = self._rtd.read()
        if counts >= 0:
            self._gas_counts = counts
            self._gas_stale = 0
            self.faults &= ~MAX31865_FAULT
            return
        self._gas_stale += 1
        if self._gas_stale >= 2:
            self.faults |= MAX31865_FAULT
            self._setup_rtd()

    def _read_wall(self):
        try:
            counts = self._tmp.read()
        except OSError:
            counts = tmp117.WRONG
            self._recover_bus()
        if counts >= -32768:
            self._wall_counts = counts
            self._wall_stale = 0
            self.faults &= ~TMP117_FAULT
            return
        self._wall_stale += 1
        if self._wall_stale >= _STALE or (counts == tmp117.WRONG and self._wall_stale >= 2):
            self.faults |= TMP117_FAULT
            self._setup_wall()

    def _setup_rtd(self):
        self._rtd.configure()
        self._gas_stale = 0

    def _setup_wall(self):
        self._wall_stale = 0
        try:
            self._tmp.configure()
        except OSError:
            self._recover_bus()

    def _recover_bus(self):
        """Free the bus after a transfer that failed."""
        self._ads.bus = self._tmp.bus = _free_bus()


def _free_bus():
    """Return the I2C bus after nine clocks and a stop: a chip that was interrupted in a byte lets go of SDA."""
    sda = Pin(pins.SDA, Pin.OPEN_DRAIN, value=1)
    scl = Pin(pins.SCL, Pin.OPEN_DRAIN, value=1)
    for _ in range(9):
        scl(0)
        time.sleep_us(5)
        scl(1)
        time.sleep_us(5)
    sda(0)
    time.sleep_us(5)
    scl(0)
    sda(0)
    time.sleep_us(5)
    scl(1)
    time.sleep_us(5)
    sda(1)
    return I2C(0, scl=scl, sda=sda, freq=400_000, timeout=_I2C_TIMEOUT_US)
