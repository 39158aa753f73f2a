"""The order of a tick. What may be asked of the regulator is in requests.py.

The rig contract: an object with these methods, on every rung of the ladder.

- `wait_tick() -> int`: sleep (or let the simulated plant run) to the next tick; return the ms since the last one.
- `read(sample)`: fill a `sensors.Sample` with raw counts.
- `pulse(valve, us)`: one-shot of FILL (0) or VENT (1), timed by hardware, which also bounds it.
- `switch(supply_isolation, vent_isolation, relief)`: levels of the other three valves.
- `safe()`: every output off at once, running one-shots included.
- `show(pattern, cell_ok, monitor_permille)`: LED (8 bits of 160 ms, the lowest first), the relay that lets the cycler
  run, and the monitor output in permille of full scale (10 MPa).
- `feed(coils)`: the tick is complete; the watchdog may be fed. The heartbeat that keeps the coil rail on changes only
  while `coils` is true: not beating cuts the rail within 1 s, `coils` false cuts it at once.

Besides: `serial_number` (text), `serial` (the byte port, see link.py), `reset_cause` (POWER 0, WATCHDOG 1, SOFTWARE 2).
For main.py: `maintenance` (the board is to be
left to its REPL), `enter_maintenance()` (reset into it), `release()` (safe, and the serial line given back).
"""

from regulator import keyframe
from regulator.blackbox import BlackBox
from regulator.control.amount import Amount
from regulator.control.controller import COMPLETE, Control
from regulator.faults import (
    AMOUNT_DRIFT,
    BAND_WIDENED,
    HOST_GONE,
    HOST_SILENT,
    OFF,
    PROOF_OVERDUE,
    QUIET,
    REGULATE,
    SETTINGS_LOST,
    STATE_LOST,
    VENT_SHUT,
    VENTING,
)
from regulator.measure.sensors import Sample, Sensors
from regulator.measure.transducer import VALID
from regulator.panel import Requests
from regulator.safety import Safety
from regulator.scpi.server import Instrument
from regulator.store.record import PENDING, Record
from regulator.valves.window import Valves
from regulator.watch.proof import ALL

_HOST_SEAL, _HOST_VENT = 1, 2

# How many ticks may serve the line, 2 kB each at most, before memory is collected: in the next tick that serves
# nothing, or in one that makes the host wait.
_SOME_GARBAGE = 8
_MUCH_GARBAGE = 20


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


class App(Requests):
    """The regulator: sensors, control, valves, safety and the command table, in one synchronous loop."""

    def __init__(self, rig, link, settings, store, collect):
        """`collect()` is called at the end of a tick, some ticks after a command was served: the one place for garbage
        collection.
        """
        self.rig = rig
        self.settings = settings
        self.store = store
        self._collect = collect
        self.boot_id = store.boots
        self.sample = Sample()
        self.clock = Clock()
        self.sensors = Sensors(settings)
        self.valves = Valves(settings, self.sensors)
        self.safety = Safety(settings, self.sensors, self.valves)
        self.control = Control(settings, self.sensors, self.valves)
        self.blackbox = BlackBox(rig, keyframe)
        self.amount = Amount(settings, self.sensors)
        self.instrument = Instrument(self, link)
        self.record = Record(store, self)
        self._vent_from = OFF
        self._save = False
        self._started = False
        self._seen = OFF
        self._garbage = 0  # ticks that served the line since memory was collected
        self._late = False  # the tick before collected because it had to
        self._coils = True  # what the tick before said of the coil rail
        self._rough = False  # the vent goes on without the control transducer or the vent valve
        self._look_ms = 0
        self._fifths_ms = 0
        self._silent_s = 0
        self._proved_s = 0
        if store.lost:
            self.safety.warn(SETTINGS_LOST, True)
        if store.state_lost:
            self.safety.warn(STATE_LOST, True)
        self.record.begin()
        self.blackbox.watch(self)

    # A frame of more than eleven words (arguments, variables, stack) is taken from the heap on the board, and to find
    # room there takes longer than another call does: what runs in every tick is cut into functions accordingly.

    def tick(self):
        """Do one tick: wait, read, correct, check, control, safety, drive, serve, collect, record, feed."""
        dt_ms = self.rig.wait_tick()
        self.clock.advance(dt_ms)
        self.rig.read(self.sample)
        self.sensors.update(self.sample, dt_ms)
        safety = self.safety
        safety.target_pa = self.control.target_pa
        safety.check(self.sample, dt_ms, self.clock.uptime_s, self.clock.uptime_ms)
        self._control(dt_ms)
        safety.drive(self.blackbox, self.valves)
        # An over-pressure is told by two samples: after the first one nothing that can wait may put the second one off.
        hurry = safety.over.awaits_second()
        self._serve(hurry)
        self._look_ms += dt_ms
        if self._look_ms >= 200:
            self._look_after(self.rig)
        coils = safety.rail()
        self._tidy(coils, hurry)
        self.blackbox.record(dt_ms, coils, self.instrument.busy)
        self.rig.feed(coils)
        self.blackbox.complete()

    def _serve(self, hurry: bool):
        # A host that leaves no time to collect waits while that is done, and in the tick that comes late after it.
        full = self._garbage >= _MUCH_GARBAGE and not hurry
        self.instrument.serve(full or self._late or hurry)
        self._late = full

    def _tidy(self, coils: bool, hurry: bool):
        """Write what is waiting, and collect memory."""
        # A write stops the processor for up to 0.4 s: a rail that is to be cut is cut first.
        wrote = (self._save or self.record.due) and not hurry and coils == self._coils and self._write()
        self._coils = coils
        if self.instrument.busy:
            self._silent_s = 0
            self._garbage += 1
        elif wrote or (self._garbage >= _SOME_GARBAGE and not hurry):
            # On a board this takes longer than the rest of a tick is, so it is done seldom and not twice in a row.
            self._garbage = 0
            self._collect()

    def _control(self, dt_ms: int):
        safety = self.safety
        control = self.control
        valves = self.valves
        valves.update(dt_ms)
        state = safety.state
        if state != self._seen:
            self._seen = state
            self.record.watch()
        if safety.proof.active:
            safety.proof.tick(dt_ms)
            control.rest()
            return
        if self.record.urgent:
            # First the change of state is written, so that a reset in the midst of what comes finds it.
            valves.close_window()
            control.rest()
            return
        if state == VENTING:
            self._vent(dt_ms)
            return
        if self.record.outcome == PENDING:
            self.record.decide(dt_ms)
        if self.sensors.control.band != VALID:
            # No decision without a measurement; the safety module counts how long that may last.
            control.rest()
            return
        if state == REGULATE and self.settings.get("hold_amount"):
            self._hold_amount(dt_ms)
            return
        if self.amount.active and state != QUIET:
            self.amount.stop()
            safety.warn(AMOUNT_DRIFT, False)
        if state == REGULATE:
            if not self._started:
                self._started = True
                control.start()
                self._proved_s = self.clock.uptime_s
                safety.proof.pending = ALL
                if safety.proof.begin_pending():
                    return
            control.regulate(dt_ms)
            safety.warn(BAND_WIDENED, control.hold.band_is_widened())
            return
        if state != QUIET:
            self._end_hold()
        control.rest()

    def _hold_amount(self, dt_ms: int):
        amount = self.amount
        # Begins anew, proofs and ramp, once the pressure is to be held again.
        self._started = False
        self.valves.close_window()
        self.control.rest()
        if self.valves.idle():
            amount.tick(dt_ms)
            self.control.in_limits = 1 if amount.within() else 0
        self.safety.warn(BAND_WIDENED, False)
        self.safety.warn(AMOUNT_DRIFT, amount.too_far())

    def _end_hold(self):
        if self._started:
            self._started = False
            # It speaks of a hold that is under way.
            self.safety.warn(BAND_WIDENED, False)

    def _vent(self, dt_ms: int):
        safety = self.safety
        control = self.control
        self._end_hold()
        by_relief = safety.warnings & VENT_SHUT != 0
        if self.sensors.control.band != VALID or by_relief:
            if not self._rough:
                self._rough = True
                safety.rough.start()
            control.rest()
            if safety.rough.tick(dt_ms, by_relief):
                control.vent_state = COMPLETE
        else:
            if self._rough:
                self._rough = False
                safety.rough.relief_open = False
                control.start()
            control.vent(dt_ms)
        if control.vent_state == COMPLETE:
            safety.state = self._vent_from

    def _look_after(self, rig):
        """Five times a second: outputs for people, record, host, proofs."""
        safety = self.safety
        safety.show(rig)
        self.record.watch()
        self._fifths_ms += self._look_ms
        self._look_ms = 0
        if self._fifths_ms >= 1000:
            self._fifths_ms -= 1000
            self.record.count_second()
            self._watch_host()
            self._watch_proofs()

    def _watch_host(self):
        """Once a second: a host that is silent for too long."""
        limit_s = self.settings.get("host_timeout_s")
        if self._silent_s < 1_000_000:
            self._silent_s += 1
        silent = limit_s and self._silent_s >= limit_s
        safety = self.safety
        safety.warn(HOST_SILENT, silent)
        if silent and self._silent_s == limit_s and safety.state in (REGULATE, QUIET):
            action = self.settings.get("host_gone_action")
            if action == _HOST_SEAL:
                safety.trip(HOST_GONE, limit_s, self.clock.uptime_s, self.clock.uptime_ms)
            elif action == _HOST_VENT:
                safety.state = REGULATE
                self.vent(True)

    def _watch_proofs(self):
        """Once a second: valves of a pair alone when it is time and the hold can spare it; age of the proof test."""
        safety = self.safety
        record = self.record
        days = self.settings.get("proof_interval_days")
        safety.warn(PROOF_OVERDUE, record.hours - record.proof_hours > days * 24)
        if safety.state != REGULATE or safety.proof.active or self.settings.get("hold_amount"):
            return
        period_s = self.settings.get("valve_proof_h") * 3600
        if period_s and self.clock.uptime_s - self._proved_s >= period_s:
            self._proved_s = self.clock.uptime_s
            safety.proof.pending = ALL
        if safety.proof.pending and self.control.in_limits and not self.record.urgent:
            safety.proof.begin_pending()

    def _write(self) -> bool:
        """Write what is waiting, one thing a tick: it stops the processor, so only while no coil is energised."""
        if not self.safety.quiet_coils():
            return False
        if self._save:
            self._save = False
            self.safety.warn(SETTINGS_LOST, not self.store.save(self.settings))
        else:
            self.safety.warn(STATE_LOST, not self.record.write())
        return True
