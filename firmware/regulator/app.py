"""The order of a tick. panel.py has the requests that the regulator accepts.

The rig contract: an object with these methods, on every rung of the ladder.

- `wait_tick() -> int`: sleep (or let the simulated plant run) to the next tick; return the ms since the last one.
- `read(sample)`: fill a `Sample` with raw counts.
- `pulse(valve, us)`: one-shot of FILL (0) or VENT (1), timed by hardware, which also bounds it.
- `switch(supply_isolation, vent_isolation, relief)`: levels of the other three valves.
- `safe()`: switch every coil off at once, running one-shots included.
- `show(pattern, cell_ok, monitor_permille)`: LED (8 bits of 160 ms, lowest bit first), the relay that lets the cycler
  run, and the monitor output in permille of full scale (10 MPa).
- `collect()`: collect garbage; called at one place, some ticks after a command was served.
- `feed(coils)`: the tick is complete, the heartbeat toggles, and the watchdog may be fed. Without `coils` the coil rail
  is cut at once. A missing heartbeat cuts the rail within 1 s, and lets the comparator open the relief valve.

Attributes: `serial_number` (text), `serial` (the byte port, see link.py), `reset_cause` (POWER 0, WATCHDOG 1,
SOFTWARE 2), and, 0 where it is not known: `clock_mhz`, `start_ms` (from the reset to the first tick), `free_bytes`
(after the last collection). main.py also uses `maintenance` (leave the board to its REPL), `enter_maintenance()` (reset
into the REPL) and `release()` (safe(), then give the serial line back).
"""

from regulator.blackbox import BlackBox
from regulator.control.controller import Control
from regulator.faults import (
    HOST_GONE,
    HOST_SILENT,
    PROOF_OVERDUE,
    SETTINGS_INVALID,
    SETTINGS_LOST,
    STATE_LOST,
)
from regulator.health import Health
from regulator.measure.sensors import Sample, Sensors
from regulator.modes import OFF, QUIET, REGULATE, Modes
from regulator.outputs import Outputs
from regulator.panel import Panel
from regulator.scpi.server import Server
from regulator.store.copies import SAVE_STEPS
from regulator.store.record import PENDING, Record
from regulator.valves.heat import Heat
from regulator.valves.window import Valves
from regulator.watch.watches import Watches

_HOST_SEAL, _HOST_VENT = 1, 2

# Ticks that may serve the line before memory is collected: in the next tick that serves nothing and has no coil on, or
# in one that makes the host wait. A tick leaves at most 2 kB of garbage, and 70 kB are free (measured: make bench
# RIG=pico).
_SOME_GARBAGE = 8
_MUCH_GARBAGE = 20
# The count of silent seconds stops here, above the largest host_timeout_s and far below 2^30.
_SILENT_MOST_S = 1_000_000
# A host that changes settings all the time leaves the valves this long between two saves. Design choice.
_TURN_MS = 1000
_CALM_WAIT_S = 3600  # design choice: row 11 of the fault matrix allows a day
# Displays and record are looked after this often. Design choice.
_LOOK_MS = 200


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
    """The regulator: all its parts, and one synchronous loop through them."""

    def __init__(self, rig, link, store, generated):
        """`generated` is the module that packing makes: it copies keyframes, and knows the places of commands."""
        settings = store.settings
        self.rig = rig
        self.settings = settings
        self.store = store
        self.boot_id = store.boots
        self.sample = Sample()
        self.clock = Clock()
        self.sensors = Sensors(settings)
        heat = Heat()
        self.valves = Valves(settings, self.sensors, heat)
        self.watches = Watches(settings, self.sensors, self.valves, heat)
        self.control = Control(settings, self.sensors, self.valves)
        self.modes = Modes(settings, self.watches, self.control, self.clock)
        self.outputs = Outputs(self.modes, self.watches, self.valves, self.sensors)
        self.blackbox = BlackBox(rig, generated)
        self.panel = Panel(self)
        self.server = Server(self, link, generated.PLACES)
        self.record = Record(store, self)
        self.health = Health()
        self.saving = 0  # steps left of the save that has begun
        self._saves_settings = False
        self._turn_ms = 0  # of the valves, while settings that changed during a save wait
        self._seen = OFF
        self._garbage = 0  # ticks that served the line since memory was collected
        self._late = False  # the previous tick collected and made the host wait
        self._coils = True  # whether the previous tick kept the coil rail on
        self._look_ms = 0
        self._fifths_ms = 0
        self._silent_s = 0
        if store.lost:
            self.watches.warn(SETTINGS_LOST, True)
        if settings.conflict():
            self.watches.warn(SETTINGS_INVALID, True)
        if store.state_lost:
            self.watches.warn(STATE_LOST, True)
        self.record.begin()
        self.blackbox.watch(self)

    # MicroPython allocates a frame of more than eleven words (arguments, variables, stack) on the heap, which takes
    # longer than another call. So the code of every tick is split into functions with small frames.

    def tick(self):
        """Do one tick: wait, read, measure, watch, decide, drive, serve, collect, record, feed."""
        dt_ms = self.rig.wait_tick()
        self.clock.advance(dt_ms)
        self.health.advance(dt_ms)
        sample = self.sample
        self.rig.read(sample)
        self.sensors.update(sample, dt_ms)
        self.watches.check(sample, dt_ms, self.modes)
        self.modes.judge(sample.tripped, dt_ms)
        self._decide(dt_ms)
        outputs = self.outputs
        outputs.drive(self.blackbox)
        # An over-pressure takes two samples. After the first one nothing else may delay the second one.
        hurry = self.watches.over.awaits_second
        self._serve(hurry)
        self._look_ms += dt_ms
        if self._look_ms >= _LOOK_MS:
            self._look_after()
        coils = outputs.rail()
        self._tidy(coils, hurry)
        self.blackbox.record(dt_ms, coils, self.server.busy)
        self.rig.feed(coils)
        if self.blackbox.half_copied:
            self.blackbox.complete()

    def _decide(self, dt_ms: int):
        valves = self.valves
        record = self.record
        valves.update(dt_ms)
        if self.modes.state != self._seen:
            self._seen = self.modes.state
            record.watch()
        if self.watches.proof.active:
            self.watches.proof.tick(dt_ms)
            self.control.rest()
        elif self._saves_first() and not self.modes.relief_open():
            # Store an accepted change before any valve moves, so that a reset finds it. An open relief cannot wait.
            valves.close_window()
            self.control.rest()
        elif not self.saving or self.modes.relief_open():
            # A save that has begun takes three ticks, in which no other coil is energised.
            self._turn_ms = max(self._turn_ms - dt_ms, 0) if self.panel.save_due else 0
            self.modes.tick(dt_ms)
            if record.outcome == PENDING:
                record.decide(dt_ms)

    def _saves_first(self) -> bool:
        settings = self.panel.save_due and not self._turn_ms and self.modes.state == REGULATE
        return self.record.urgent or settings

    def _serve(self, hurry: bool):
        # A host that leaves no time to collect waits for this tick and for the late one after it.
        full = self._garbage >= _MUCH_GARBAGE and not hurry
        self.server.serve(full or self._late or hurry)
        self._late = full

    def _tidy(self, coils: bool, hurry: bool):
        """Write pending data to flash, and collect memory."""
        # A write stops the processor for up to 0.4 s (W25Q16JV), so a rail that must be cut is cut first.
        waits = self.saving or self.panel.save_due or self.record.due
        wrote = waits and not hurry and coils == self._coils and self._write()
        self._coils = coils
        if self.server.busy:
            self._silent_s = 0
            self._garbage += 1
        elif self._garbage >= _SOME_GARBAGE and not (hurry or wrote) and self._is_calm():
            # This takes longer than the rest of a tick (27 ms on the emulated board): seldom, and never twice in a row.
            self._garbage = 0
            self.health.note_collection()
            self.rig.collect()

    def _is_calm(self) -> bool:
        """Return whether this tick may be long: nothing was decided, or the host has waited for it."""
        calm = self.outputs.coils_are_off() and self.modes.state == self._seen
        return calm or self._garbage >= _MUCH_GARBAGE

    def _look_after(self):
        """Five times a second: displays and record. Once a second: hours in service, host, proofs."""
        self.blackbox.wait()
        self.outputs.show(self.rig)
        self.record.watch()
        self._fifths_ms += self._look_ms
        self._look_ms = 0
        if self._fifths_ms >= 1000:
            self._fifths_ms -= 1000
            self.record.count_second()
            self._watch_host()
            self._watch_proofs()

    def _watch_host(self):
        """Once a second: react to a silent host."""
        limit_s = self.settings.get("host_timeout_s")
        if self._silent_s < _SILENT_MOST_S:
            self._silent_s += 1
        silent = limit_s and self._silent_s >= limit_s
        modes = self.modes
        self.watches.warn(HOST_SILENT, silent)
        if silent and self._silent_s == limit_s and modes.state in (REGULATE, QUIET):
            action = self.settings.get("host_gone_action")
            if action == _HOST_SEAL:
                modes.trip(HOST_GONE, limit_s)
            elif action == _HOST_VENT:
                modes.go(REGULATE)
                self.panel.vent(True)

    def _watch_proofs(self):
        """Once a second: age of the proof test; start valve proofs that are due while the pressure is in limits."""
        proof = self.watches.proof
        self.watches.warn(PROOF_OVERDUE, self.record.proof_is_overdue())
        if self.modes.state != REGULATE or proof.active or self.settings.get("hold_amount"):
            return
        now_s = self.clock.uptime_s
        if not proof.is_due(now_s) or not self.control.in_limits or self.record.urgent:
            return
        # A hold that never calms is proved after an hour all the same.
        if self.control.is_calm() or proof.waits_s(now_s) > _CALM_WAIT_S:
            proof.begin_pending()

    def _write(self) -> bool:
        """Take the next step of a pending save; return whether that was possible.

        Each step stops the processor, so no coil may be energised, and the trip must not be near.
        """
        if not self.outputs.coils_are_off() or self.watches.over.is_near():
            return False
        if not self.saving:
            self.saving = SAVE_STEPS
            self._saves_settings = self.panel.save_due
            self._turn_ms = _TURN_MS if self._saves_settings else 0
            if self._saves_settings:
                self.panel.begin_save()
            else:
                self.record.begin_save()
        self.health.note_write()
        went = self.store.step()
        self.saving = self.saving - 1 if went else 0
        if self.saving:
            return True
        self._garbage = max(self._garbage, _SOME_GARBAGE)
        if self._saves_settings:
            self.watches.warn(SETTINGS_LOST, self.store.lost or not went)
        else:
            self.watches.warn(STATE_LOST, not went)
        return True
