"""The order of a tick, and what may be asked of the regulator.

The rig contract: an object with these methods, on every rung of the ladder.

- `wait_tick() -> int`: sleep (or let the simulated plant run) to the next tick; return the ms since the last one.
- `read(sample)`: fill a `sensors.Sample` with raw counts.
- `pulse(valve, us)`: one-shot of FILL (0) or VENT (1), timed by hardware, which also bounds it.
- `switch(supply_isolation, vent_isolation, relief)`: levels of the other three valves.
- `safe()`: every output off at once, running one-shots included.
- `show(pattern, cell_ok, monitor_permille)`: LED (8 bits of 160 ms, the lowest first), the relay that lets the cycler
  run, and the monitor output in permille of full scale (10 MPa).
- `feed(coils)`: the tick is complete; the watchdog may be fed. The heartbeat that keeps the coil rail on changes only
  while `coils` is true: not beating cuts the rail, within 0.1 s.

Besides: `serial_number` (text), `serial` (the byte port, see link.py), `reset_cause` (POWER 0, WATCHDOG 1, SOFTWARE 2).
For main.py: `maintenance` (the board is to be
left to its REPL), `enter_maintenance()` (reset into it), `release()` (safe, and the serial line given back).
"""

from regulator.control import COMPLETE, IDLE, IN_PROGRESS, Control
from regulator.faults import (
    BAND_WIDENED,
    MAINTENANCE,
    OFF,
    QUIET,
    REGULATE,
    SEALED,
    SETTINGS_LOST,
    SUPPLY_LOW,
    VENTING,
)
from regulator.instrument import Instrument
from regulator.safety import Safety
from regulator.sensors import Sample, Sensors
from regulator.valves import Valves


class Clock:
    """Uptime that never wraps: seconds and milliseconds as two small integers."""

    def __init__(self):
        self.uptime_s = 0
        self.uptime_ms = 0

    def advance(self, dt_ms: int):
        """Add the length of a tick."""
        self.uptime_ms += dt_ms
        while self.uptime_ms >= 1000:
            self.uptime_ms -= 1000
            self.uptime_s += 1


class App:
    """The regulator: sensors, control, valves, safety and the command table, in one synchronous loop."""

    def __init__(self, rig, link, settings, store, collect):
        """`collect()` is called at the end of a tick that served a command: the one place for garbage collection."""
        self.rig = rig
        self.settings = settings
        self.store = store
        self._collect = collect
        self.boot_id = store.boots
        self.sample = Sample()
        self.clock = Clock()
        self.sensors = Sensors(settings)
        self.valves = Valves(settings, self.sensors)
        self.safety = Safety(settings, self.sensors)
        self.control = Control(settings, self.sensors, self.valves)
        self.instrument = Instrument(self, link)
        self._vent_from = OFF
        self._save = False
        self._started = False
        if store.lost:
            self.safety.warnings |= SETTINGS_LOST

    def tick(self):
        """Do one tick: wait, read, correct, check, control, safety, drive, serve, collect, feed."""
        rig = self.rig
        dt_ms = rig.wait_tick()
        self.clock.advance(dt_ms)
        rig.read(self.sample)
        self.sensors.update(self.sample, dt_ms)
        self.safety.check(dt_ms, self.clock.uptime_s, self.clock.uptime_ms)
        self._control(dt_ms)
        self.safety.drive(rig, self.valves)
        self.instrument.serve()
        if self._save:
            self._write_settings()
        if self.instrument.busy:
            self._collect()
        rig.feed(True)

    def _control(self, dt_ms: int):
        safety = self.safety
        control = self.control
        self.valves.update(dt_ms)
        state = safety.state
        if self.sensors.control.band != 0:
            # No decision without a measurement; the safety module counts how long that may last.
            control.rest()
            return
        if state == REGULATE:
            if not self._started:
                self._started = True
                control.start()
            control.regulate(dt_ms)
            safety.warn(SUPPLY_LOW, control.supply_low)
            safety.warn(BAND_WIDENED, control.band_is_widened())
            return
        if state != QUIET and self._started:
            self._started = False
            # Both speak of a hold that is under way.
            safety.warn(SUPPLY_LOW, False)
            safety.warn(BAND_WIDENED, False)
        if state == VENTING:
            control.vent(dt_ms)
            if control.vent_state == COMPLETE:
                safety.state = self._vent_from
        else:
            control.rest()

    # Requests. Each returns "" when it was carried out, else the reason why not; then nothing has changed.

    def set_target(self, pa: int) -> str:
        """Set the target in Pa absolute."""
        lowest_pa = self.settings.get("ambient_pa")
        highest_pa = self.settings.get("setpoint_max_pa")
        if not lowest_pa <= pa <= highest_pa:
            return "target: %d to %d Pa" % (lowest_pa, highest_pa)
        self.control.target_pa = pa
        return ""

    def set_slew(self, pa_s: int) -> str:
        """Set the ramp rate in Pa/s."""
        return self.change_setting("slew_pa_s", pa_s)

    def set_slew_max(self, maximum: bool) -> str:
        """Ramp as fast as the valves allow, or at the ramp rate."""
        return self.change_setting("slew_linear", 0 if maximum else 1)

    def output(self, on: bool) -> str:
        """Begin or end regulation."""
        safety = self.safety
        if not on:
            if safety.state in (REGULATE, QUIET, VENTING):
                self._end_vent()
                safety.state = OFF
            return ""
        if safety.fault:
            return "fault latched: " + safety.fault_name
        if safety.state == REGULATE:
            return ""
        if safety.state != OFF:
            return "not from this state"
        if not self.control.target_pa:
            return "no target has been set"
        safety.state = REGULATE
        self.control.vent_state = IDLE
        return ""

    def quiet(self, seconds: int) -> str:
        """Lock the valves shut for a measurement; 0 ends the window."""
        safety = self.safety
        longest_s = self.settings.get("quiet_max_s")
        if not 0 <= seconds <= longest_s:
            return "quiet window: 0 to %d s" % longest_s
        if seconds == 0:
            if safety.state == QUIET:
                safety.state = REGULATE
            return ""
        if safety.state not in (REGULATE, QUIET):
            return "a quiet window begins while regulating"
        safety.begin_quiet(seconds)
        return ""

    def vent(self, start: bool) -> str:
        """Start or abort a rate-limited vent to ambient."""
        safety = self.safety
        if not start:
            if safety.state == VENTING:
                self._end_vent()
                safety.state = self._vent_from
            return ""
        if safety.state == VENTING:
            return ""
        if safety.state not in (OFF, REGULATE, SEALED):
            return "not from this state"
        if self.sensors.control.band != 0:
            return "the control transducer is invalid"
        self._vent_from = SEALED if safety.state == SEALED else OFF
        safety.state = VENTING
        self.control.vent_state = IN_PROGRESS
        self.control.start()
        return ""

    def acknowledge(self) -> str:
        """Clear a latched fault whose cause is gone."""
        return self.safety.acknowledge()

    def maintenance(self) -> str:
        """Reset into the REPL; from OFF only."""
        if self.safety.state != OFF:
            return "only while the output is off"
        self.safety.state = MAINTENANCE
        return ""

    def self_test(self) -> int:
        """Return 0 when converters, transducers and settings are in order, else a bit for each that is not."""
        sensors = self.sensors
        result = self.sample.faults
        if sensors.control.band != 0:
            result |= 8
        if sensors.safety.band != 0:
            result |= 16
        if sensors.supply.band != 0:
            result |= 32
        if self.store.lost:
            result |= 64
        return result

    def change_setting(self, name: str, value: int) -> str:
        """Check a setting, put it in force and have it stored."""
        if name == "dead_band_pa" and value < self.control.coarse_pa:
            return "dead_band_pa: at least %d Pa with these valves and this chamber" % self.control.coarse_pa
        reason = self.settings.set(name, value)
        if not reason:
            self.sensors.configure()
            self.valves.configure()
            self.control.configure()
            self.safety.configure()
            self._save = True
        return reason

    def _end_vent(self):
        if self.safety.state == VENTING:
            self.control.vent_state = IDLE

    def _write_settings(self):
        # A flash write stops the processor: only while no coil is energised.
        if self.valves.isolation < 0 and not self.safety.relief_open:
            self.store.save(self.settings)
            self._save = False
