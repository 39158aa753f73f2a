"""The Raspberry Pi Pico. No other file imports machine or rp2. Importing this one shuts every valve."""

# ruff: noqa: E402 - the outputs must be safe before anything else is imported.
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

# `ipch flash --mhz` writes another number here. 200 MHz is the most that the RP2040 is specified for, at 1.15 V.
_CLOCK_MHZ = 200
TICK_MS = 20  # design choice: the over-pressure reaction of 50 ms needs two samples
_TICK_US = TICK_MS * 1000
# If a tick is later than this, the schedule restarts instead of catching up. Design choice: five ticks.
_LATE_US = 100_000
_WATCHDOG_MS = 1000  # design goal: a hung processor is reset within 1 s
# The control transducer's conversion starts this long before the tick that uses it. 480 us are for its I2C transfers
# (0.1 ms each at 400 kHz) and the interpreter. Design choice.
_CONVERSION_US = ads1115.CONVERSION_US + 480
# Two conversions this far apart are averaged: half a period of 50 Hz, so that their hum cancels. If they differ by more
# than 40 counts (16 kPa: 5 kPa of hum and noise give 12), the pressure moves, and the last one counts alone.
_PAIR_US = 10_000
_PAIR_LIMIT = 40
# A result that is not ready then is asked for this often, with this pause. Design choice: 1 ms in all.
_RETRIES = 3
_RETRY_US = 300
# Step of the PIO program, a design choice. Its 15-bit counter limits a pulse to 327 ms.
_STEP_US = 10
# The Pico's converter measures against its 3.3 V supply. The reference reads this sum of conversions at 3.300 V:
# 1.25 V x 10.0 / 12.05 (divider R119, R122 of hardware/), away from the steps of erratum RP2040-E11. A supply of
# 3.3 V +-5 % is corrected; beyond that the reference is missing. Its mean is over 16 readings, 160 ms apart.
_REFERENCE_SUM = 20_601
_REFERENCE_OFF = _REFERENCE_SUM // 20
_REFERENCE_SHIFT = 4
_UNITY = 8192  # of the correction: its product with 16 bits stays below 2^30
_OVERSAMPLE = 16  # conversions of 2 us; their mean has a quarter of the noise of one
_I2C_TIMEOUT_US = 1000  # above a transfer of 4 bytes at 400 kHz (0.1 ms), far below a tick
# Reads in a row, 160 ms apart, that may return no new result. The TMP117 has one every 250 ms. Design choice: five of
# its results.
_STALE = 8

POWER, WATCHDOG, SOFTWARE = range(3)
_RP2350 = "RP2350" in os.uname().machine
ADS1115_FAULT, MAX31865_FAULT, TMP117_FAULT = 1, 2, 4

# Watchdog scratch registers (RP2040 and RP2350 data sheets): a reset by watchdog or software keeps them, a power cut
# clears them.
_SCRATCH = 0x400D800C if _RP2350 else 0x4005800C
_MAINTENANCE_REQUEST = 0x1DC4
# The Pico SDK's watchdog_enable() writes this mark to the fifth register. A software reset does not leave it there.
_WATCHDOG_MARK = 0x6AB73121
# Core voltage regulator (RP2040 data sheet, VREG): enabled, 1.15 V. The Pico SDK gives it 1 ms to settle.
_VREG = 0x40064000
_VREG_1V15 = 0xC1
_VREG_MS = 1
# Levels of all pins at one instant (SIO GPIO_IN). Below 2^30, as there is no pin beyond 29.
_GPIO_IN = 0xD0000004
_ALL_COILS = 31
_MONITOR_HZ = 10_000  # far above the 16 Hz corner of the RC filter behind it
# Control and status register of the ADC (data sheet), followed by its result.
_ADC = 0x400A0000 if _RP2350 else 0x4004C000
_ADC_START = const(1 << 2)
_ADC_READY = const(1 << 8)
_FAILED_STARTS = 3  # design choice, as the reboot loop of regulator/store/record.py
_HEALTHY_TICKS = 3000  # one minute, as HEALTHY_S of regulator/modes.py: then a start has not failed

# USB device controller (RP2040 and RP2350 data sheets): buffer control of endpoint 2 IN, the serial data to the host.
_BUFFER_CONTROL = 0x50100090
_IN_FLIGHT = 0x0400


@rp2.asm_pio(set_init=rp2.PIO.OUT_LOW, out_shiftdir=rp2.PIO.SHIFT_RIGHT)
def _one_shot():
    """Hold the pin high for the lower 15 bits of a word plus 2, in steps. A word makes one pulse that always ends."""
    pull(block)  # noqa: F821
    out(x, 15)  # noqa: F821
    set(pins, 1)
    label("on")  # noqa: F821
    jmp(x_dec, "on")  # noqa: F821
    set(pins, 0)


@micropython.viper
def _sum_conversions(base: int, count: int) -> int:
    """Return the sum of `count` conversions of the selected ADC input, 2 us each (read_u16 takes ten times as long)."""
    registers = ptr32(base)  # noqa: F821
    total = 0
    for _ in range(count):
        registers[0] = registers[0] | _ADC_START
        while not registers[0] & _ADC_READY:
            pass
        total += registers[1]
    return total


def _set_clock():
    """Run the RP2040 faster than MicroPython does; the RP2350 stays at its 150 MHz.

    Before PIO, PWM, I2C and SPI are made, which divide this clock.
    """
    if _RP2350 or machine.freq() == _CLOCK_MHZ * 1_000_000:
        return
    if _CLOCK_MHZ > 133:
        mem32[_VREG] = _VREG_1V15
        time.sleep_ms(_VREG_MS)
    machine.freq(_CLOCK_MHZ * 1_000_000)


class Port:
    """The USB serial port. Neither direction ever waits for the host."""

    def __init__(self):
        self._poll = select.poll()
        self._poll.register(sys.stdin, select.POLLIN)
        self._out_poll = select.poll()
        self._out_poll.register(sys.stdout, select.POLLOUT)
        self._readinto = sys.stdin.buffer.readinto
        self._write = sys.stdout.buffer.write
        self._byte = bytearray(1)

    def read(self, buffer) -> int:
        """Read what has arrived, at most 16 bytes; return the count."""
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
        """Write up to 64 bytes if nothing is in flight to the host; return how many were taken.

        The endpoint's buffer stays in flight until the host collects it. MicroPython's own write would then wait for up
        to half a second.
        """
        # Checked twice, because the USB stack may refill the endpoint from its queue in between.
        if mem16[_BUFFER_CONTROL] & _IN_FLIGHT or mem16[_BUFFER_CONTROL] & _IN_FLIGHT:
            return 0
        count = end - start
        if not self._is_open():
            # Nobody has the port open: the bytes are lost, as on any serial line.
            return count
        if count > 64:
            count = 64
        self._write(buffer, start, count)
        return count

    def _is_open(self) -> bool:
        is_open = False
        for _ in self._out_poll.ipoll(0):
            is_open = True
        return is_open


class Rig:
    """The rig contract of regulator/app.py on real pins."""

    def __init__(self):
        micropython.kbd_intr(-1)
        self.serial_number = "".join("%02X" % byte for byte in machine.unique_id())
        self._button = Pin(pins.BUTTON, Pin.IN, Pin.PULL_UP)
        # Stay in the REPL, without a watchdog, on request, while the button is held, or after too many failed starts.
        starts = mem16[_SCRATCH + 4]
        # MicroPython's software reset uses the watchdog, too. The mark tells the two apart.
        if machine.reset_cause() == machine.PWRON_RESET:
            self.reset_cause = POWER
        else:
            self.reset_cause = WATCHDOG if mem32[_SCRATCH + 16] == _WATCHDOG_MARK else SOFTWARE
        self._pattern = 0x0F  # of the LED: one bit per 160 ms, lowest bit first
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
        _set_clock()
        Pin(pins.SMPS_MODE, Pin.OUT, value=pins.SMPS_PWM)
        self._shots = (rp2.StateMachine(0), rp2.StateMachine(1))
        self._arm()
        self.serial = Port()

        # Inputs of the one register read: drains and valves, rail, comparator.
        for number in range(pins.FILL_DRAIN, pins.RELIEF_DRAIN + 1):
            Pin(number, Pin.IN)
        self._monitor = PWM(Pin(pins.MONITOR), freq=_MONITOR_HZ, duty_u16=0)
        Pin(pins.RAIL, Pin.IN)
        Pin(pins.TRIP, Pin.IN, Pin.PULL_UP)
        self._adc = ADC(pins.SAFETY_ADC)
        self._reference_adc = ADC(pins.REFERENCE_ADC)
        self._reference_sum = 0  # mean, in 2^-_REFERENCE_SHIFT; 0: none yet
        self._correction = _UNITY
        self._read_reference()
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
        self._faults = MAX31865_FAULT | TMP117_FAULT
        self._reference_counts = 0
        self._supply_counts = 0
        self._first_counts = ads1115.WRONG  # of the pair of conversions; WRONG without one
        self._aux = -1  # the auxiliary input that is being converted, -1 for none
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
        # Convert both once, or the first sample would report neither supply nor reference.
        for self._aux in (pins.SUPPLY_INPUT, pins.REFERENCE_INPUT):
            self._start(self._aux)
            time.sleep_us(_CONVERSION_US)
            self._take_aux()
        self._aux = -1
        self._due_us = self._last_us = 0
        self.clock_mhz = machine.freq() // 1_000_000
        self.start_ms = 0
        self.free_bytes = 0

    def wait_tick(self) -> int:
        """Read the slow sensors, then sleep until the tick is due; return the ms since the last one."""
        self._tend()
        if self._watchdog is None:
            # First tick: the clock starts now. The imports since __init__ took more than a second, and slow checks
            # would be due although their sensors have not been read.
            self._due_us = self._last_us = time.ticks_us()
            self.start_ms = time.ticks_ms()
        due_us = time.ticks_add(self._due_us, _TICK_US)
        if time.ticks_diff(time.ticks_us(), due_us) > _LATE_US:
            due_us = time.ticks_us()
        self._due_us = due_us
        at_us = time.ticks_add(due_us, -_CONVERSION_US)
        self._first_counts = ads1115.WRONG
        first_us = time.ticks_add(at_us, -_PAIR_US)
        if time.ticks_diff(first_us, time.ticks_us()) >= 0:
            # Not after a long tick: the second one must not be late.
            self._sleep_until(first_us)
            self._start(pins.CONTROL_INPUT)
            self._sleep_until(time.ticks_add(first_us, _CONVERSION_US))
            self._first_counts = self._collect()
        self._sleep_until(at_us)
        self._start(pins.CONTROL_INPUT)
        self._sleep_until(due_us)
        dt_ms = (time.ticks_diff(time.ticks_us(), self._last_us) + 500) // 1000
        # The next tick gets the remainder, so that uptime does not drift against the crystal.
        self._last_us = time.ticks_add(self._last_us, dt_ms * 1000)
        return dt_ms

    def read(self, sample):
        """Fill in the counts. `sample.faults` has a bit for each converter without a valid reading."""
        counts = self._collect()
        if counts >= -32768:
            first = self._first_counts
            if first >= -32768 and -_PAIR_LIMIT <= counts - first <= _PAIR_LIMIT:
                counts = counts + first >> 1
            sample.control_counts = counts
            self._faults &= ~ADS1115_FAULT
        else:
            self._faults |= ADS1115_FAULT
        self._aux = pins.SUPPLY_INPUT if self._phase & 7 else pins.REFERENCE_INPUT
        self._start(self._aux)
        # The first read selects the input. The 12-bit sum is scaled to 16 bits as read_u16 does.
        self._adc.read_u16()
        total = _sum_conversions(_ADC, _OVERSAMPLE)
        counts = (((total << 4) + (total >> 8)) // _OVERSAMPLE * self._correction) // _UNITY
        sample.safety_counts = counts if counts < 65535 else 65535
        sample.supply_counts = self._supply_counts
        sample.gas_counts = self._gas_counts
        sample.wall_counts = self._wall_counts
        sample.faults = self._faults
        sample.reference_counts = self._reference_counts
        self._read_back(sample)

    def _read_back(self, sample):
        """Compare the drains with the valve outputs. Without the rail they mean nothing."""
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
        """Start a one-shot of FILL (0) or VENT (1), 20 us to 327 ms in steps of 10 us; ignored while one is running."""
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
        """Switch all coils off at once, running one-shots included."""
        # Detaching the pads from the PIO ends a pulse before its program is stopped.
        for valve in _VALVES:
            valve.init(Pin.OUT, value=1 - pins.VALVE_ON)
        self._arm()

    def show(self, pattern: int, cell_ok: bool, monitor_permille: int):
        """Set LED pattern, cell-safe relay, and the monitor output in permille of 3.3 V."""
        self._pattern = pattern
        if cell_ok != self._cell_ok:
            self._cell_ok = cell_ok
            self._cell_safe(pins.CELL_SAFE_OK if cell_ok else 1 - pins.CELL_SAFE_OK)
        if monitor_permille != self._monitor_permille:
            self._monitor_permille = monitor_permille
            self._monitor.duty_u16(monitor_permille * 65535 // 1000)

    def collect(self):
        """Collect garbage."""
        gc.collect()
        self.free_bytes = gc.mem_free()

    def feed(self, coils: bool):
        """End a tick: LED, watchdog, heartbeat, and coil rail (`coils` permits it, else it is cut)."""
        self._cut(1 - pins.RAIL_CUT_ON if coils else pins.RAIL_CUT_ON)
        self._beat ^= 1
        self._heartbeat(self._beat)
        phase = self._phase
        if not phase & 7:
            self._led((self._pattern >> (phase >> 3) & 1) == pins.LED_ON)
        if self._good_ticks < _HEALTHY_TICKS:
            self._good_ticks += 1
            if self._good_ticks == _HEALTHY_TICKS:
                mem32[_SCRATCH + 4] = 0
        watchdog = self._watchdog
        if watchdog is None:
            self._watchdog = watchdog = WDT(timeout=_WATCHDOG_MS)
        watchdog.feed()

    def enter_maintenance(self):
        """Shut every valve and reset into the REPL without a watchdog. Does not return."""
        self.safe()
        mem32[_SCRATCH] = _MAINTENANCE_REQUEST
        machine.reset()

    def release(self):
        """Shut every valve and let Ctrl-C stop programs again."""
        self.safe()
        micropython.kbd_intr(3)

    def _arm(self):
        for shot, pin in zip(self._shots, _VALVES):
            shot.active(0)
            shot.init(_one_shot, freq=1_000_000 // _STEP_US, set_base=pin)
            shot.active(1)

    def _sleep_until(self, until_us: int):
        # In slices of 1 ms, because MicroPython serves USB between them.
        while True:
            left_us = time.ticks_diff(until_us, time.ticks_us())
            if left_us <= 0:
                return
            time.sleep_us(left_us if left_us < 1000 else 1000)

    def _start(self, channel: int):
        try:
            self._ads.start(channel)
        except OSError:
            self._faults |= ADS1115_FAULT
            self._recover_bus()

    def _collect(self) -> int:
        """Return the counts of the conversion in progress, or ads1115.WRONG."""
        try:
            counts = self._ads.read()
            return counts if counts != ads1115.NOT_READY else self._wait_for_counts()
        except OSError:
            self._recover_bus()
        return ads1115.WRONG

    def _wait_for_counts(self) -> int:
        for _ in range(_RETRIES):
            time.sleep_us(_RETRY_US)
            counts = self._ads.read()
            if counts != ads1115.NOT_READY:
                return counts
        return ads1115.WRONG

    def _tend(self):
        """Collect supply or reference; read each temperature every eighth tick."""
        phase = self._phase = (self._phase + 1) & 63
        if self._aux >= 0:
            self._take_aux()
        if phase & 7 == 2:
            self._read_gas()
        elif phase & 7 == 4:
            self._read_reference()
        elif phase & 7 == 5:
            self._read_wall()

    def _read_reference(self):
        """Correct the safety transducer's counts by what the reference says of the 3.3 V supply."""
        self._reference_adc.read_u16()  # selects the input
        total = _sum_conversions(_ADC, _OVERSAMPLE)
        if not -_REFERENCE_OFF < total - _REFERENCE_SUM < _REFERENCE_OFF:
            # Not fitted, or broken: the counts stay as they are.
            self._reference_sum = 0
            self._correction = _UNITY
            return
        if not self._reference_sum:
            self._reference_sum = total << _REFERENCE_SHIFT
        self._reference_sum += total - (self._reference_sum >> _REFERENCE_SHIFT)
        self._correction = (_REFERENCE_SUM << _REFERENCE_SHIFT) * (_UNITY >> 2) // (self._reference_sum >> 2)

    def _take_aux(self):
        counts = self._collect()
        if counts < -32768:
            self._faults |= ADS1115_FAULT
        elif self._aux == pins.SUPPLY_INPUT:
            self._supply_counts = counts
        else:
            self._reference_counts = counts

    def _read_gas(self):
        # A conversion takes 20 ms, and a reading is due each 160 ms: without one the chip stands still.
        counts = self._rtd.read() if self._rtd_ready() == pins.RTD_READY_ACTIVE else max31865.WRONG
        if counts >= 0:
            self._gas_counts = counts
            self._gas_stale = 0
            self._faults &= ~MAX31865_FAULT
            return
        self._gas_stale += 1
        if self._gas_stale >= 2:
            self._faults |= MAX31865_FAULT
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
            self._faults &= ~TMP117_FAULT
            return
        self._wall_stale += 1
        if self._wall_stale >= _STALE or (counts == tmp117.WRONG and self._wall_stale >= 2):
            self._faults |= TMP117_FAULT
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
        """Free the bus after a failed transfer."""
        bus = _free_bus()
        self._ads.use(bus)
        self._tmp.use(bus)


def _free_bus():
    """Return the I2C bus after nine clocks and a stop: they make a chip that was interrupted in a byte release SDA."""
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
