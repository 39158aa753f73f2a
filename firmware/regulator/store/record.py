"""The state record: content, times of writing, and the resume at the next start. Constants are design choices."""

from regulator.faults import FAULTS, NO_FAULT, POWER, REBOOT_LOOP, RESUMED, STAYS_OFF
from regulator.modes import HEALTHY_S, MAINTENANCE, OFF, QUIET, REGULATE, RELIEF, SEALED, VENTING
from regulator.valves.sides import FILL, VENT

# Starts in a row without HEALTHY_S of uptime, this one included, that are a reboot loop: after three resets.
_LOOP_STARTS = 4
# While regulating, the state is written every _PERIOD_S, 48 times a day. A new target is written after _SOON_S without
# another one, at most every _TARGET_S; a change of state at once, at most every _PAUSE_S.
_PERIOD_S = 1800
_TARGET_S = 60
_SOON_S = 5
_PAUSE_S = 2
# A resume is decided between _SETTLE_MS and _DECIDE_MS after the start, when both transducers agree.
_DECIDE_MS = 2000
_SETTLE_MS = 1000

# Outcomes of the last run.
NOTHING, PENDING, WENT_ON, SEALED_POWER, KEPT_FAULT, STAYED_OFF, LOOP, CANCELLED = range(8)
OUTCOMES = ("NONE", "PENDING", "RESUMED", "SEALED", "FAULT", "OFF", "LOOP", "CANCELLED")

_LEARNED = ("gain", "dead_us", "floor_us", "judged", "short_us", "short_step", "long_us", "long_step")
_SIDES = ("fill_", "vent_")


class Record:
    """Decides when the state is written (`due`, `urgent`), and on a resume. Times in s of uptime."""

    def __init__(self, store, app):
        self._store = store
        self._app = app
        last = store.last
        self.due = False
        self.urgent = False  # no valve may move before the write
        self.outcome = NOTHING
        self.found_pa = 0
        self.expected_pa = 0
        self.resumes = last.get("resumes", 0)
        self.hours = last.get("hours", 0)  # in service, over all runs
        self.proof_hours = last.get("proof_hours", 0)  # hours at the last proof test
        self.proof_date = last.get("proof_date", 0)
        self._hour_s = last.get("hour_s", 0)
        self._state = OFF
        self._faults = 0
        self._target_pa = 0
        self._target_s = 0
        self._written_s = -_PERIOD_S
        self._healthy = False
        self._waited_ms = 0
        self._recall()

    def begin(self):
        """At the start: restore the state of the last run as far as no sensor is needed."""
        app = self._app
        modes = app.modes
        last = self._store.last
        state = last.get("state", OFF)
        fault = last.get("fault", NO_FAULT)
        target_pa = last.get("target_pa", 0)
        if app.settings.get("ambient_pa") <= target_pa <= app.settings.get("setpoint_max_pa"):
            self._target_pa = target_pa
        if 0 < fault < len(FAULTS) and state in (OFF, SEALED, RELIEF, VENTING):
            modes.latch_past(fault, last.get("fault_value", 0), last.get("faults", 0))
            stays_off = FAULTS[fault][3] == STAYS_OFF
            modes.go(RELIEF if state == RELIEF else OFF if stays_off else SEALED)
            self.outcome = KEPT_FAULT
        elif self._store.starts >= _LOOP_STARTS:
            self.outcome = LOOP
            modes.latch_past(REBOOT_LOOP, self._store.starts, 0)
        elif self._store.lost:
            self.outcome = STAYED_OFF
        elif state in (REGULATE, QUIET) and app.settings.get("resume"):
            self.outcome = PENDING
        elif state != OFF and state != MAINTENANCE:
            # Maintenance is entered from OFF only, so neither needs a seal.
            self._seal()
        self._state = modes.state
        self._faults = modes.faults

    def decide(self, dt_ms: int):
        """While the outcome is PENDING: resume the last run within bounds, or seal."""
        app = self._app
        sensors = app.sensors
        self._waited_ms += dt_ms
        if self._waited_ms < _SETTLE_MS:
            return
        last = self._store.last
        if sensors.trusted.agree():
            found_pa = sensors.pressure_pa
            expected_pa = last.get("pressure_pa", 0)
            wall_mk = last.get("wall_mk", 0)
            if wall_mk and sensors.wall_mk:
                warmer_mk = min(max(sensors.wall_mk - wall_mk, -50_000), 50_000)
                expected_pa += sensors.per_kelvin_pa() // 10 * (warmer_mk // 10) // 10
            self.found_pa = found_pa
            self.expected_pa = expected_pa
            band_pa = app.settings.get("resume_band_pa")
            # During a ramp any pressure between the recorded one and the target is expected.
            other_pa = self._target_pa if last.get("ramping", 0) else expected_pa
            lowest_pa = min(expected_pa, other_pa) - band_pa
            highest_pa = max(expected_pa, other_pa) + band_pa
            if self._target_pa and lowest_pa <= found_pa <= highest_pa and not app.modes.fault:
                self.outcome = WENT_ON
                self.resumes += 1
                app.control.keep_target(self._target_pa)
                app.modes.go(REGULATE)
                app.watches.warn(RESUMED, True)
                return
            self._seal()
        elif self._waited_ms >= _DECIDE_MS:
            self._seal()

    def cancel(self):
        """End a pending resume, because a command takes precedence."""
        if self.outcome == PENDING:
            self.outcome = CANCELLED

    def watch(self):
        """Note changes that must be written. Cheap enough for five calls a second."""
        app = self._app
        modes = app.modes
        if self.outcome == PENDING:
            return
        state = modes.state
        now_s = app.clock.uptime_s
        if state == QUIET:
            state = REGULATE
        if state != self._state or modes.faults != self._faults:
            if now_s - self._written_s >= _PAUSE_S:
                self.due = True
                self.urgent = True
        elif app.control.target_pa != self._target_pa:
            self._target_pa = app.control.target_pa
            self._target_s = now_s
        if state == REGULATE:
            age_s = now_s - self._written_s
            if age_s >= _PERIOD_S or (
                self._target_s > self._written_s and age_s >= _TARGET_S and now_s - self._target_s >= _SOON_S
            ):
                self.due = True
        if not self._healthy and now_s >= HEALTHY_S:
            self._healthy = True
            self._store.forget_starts()
            self.due = True

    def count_second(self):
        """Once a second: count the hours in service."""
        self._hour_s += 1
        if self._hour_s >= 3600:
            self._hour_s = 0
            self.hours += 1

    def proof_is_overdue(self) -> bool:
        """Return whether the proof test is overdue, in hours in service."""
        return self.hours - self.proof_hours > self._app.settings.get("proof_interval_days") * 24

    def proved(self, date: int):
        """Record the date of a proof test (20261231)."""
        self.proof_date = date
        self.proof_hours = self.hours
        self.due = True

    def write(self):
        """Write the state; return whether that succeeded. No coil may be energised."""
        app = self._app
        modes = app.modes
        control = app.control
        self.due = self.urgent = False
        self._state = REGULATE if modes.state == QUIET else modes.state
        self._faults = modes.faults
        self._target_pa = control.target_pa
        self._written_s = app.clock.uptime_s
        values = {
            "state": self._state,
            "fault": modes.fault,
            "fault_value": modes.fault_value,
            "faults": modes.faults,
            "target_pa": control.target_pa,
            "ramping": 1 if control.ramp_pa != control.target_pa else 0,
            "pressure_pa": app.sensors.settled_pa,
            "wall_mk": app.sensors.wall_mk,
            "resumes": self.resumes,
            "hours": self.hours,
            "hour_s": self._hour_s,
            "proof_hours": self.proof_hours,
            "proof_date": self.proof_date,
        }
        for side in (FILL, VENT):
            prefix = _SIDES[side]
            values[prefix + "reference"] = app.watches.stuck.reference_gain[side]
            for name, value in zip(_LEARNED, app.valves.responses[side].learned()):
                values[prefix + name] = value
        return self._store.save_state(values)

    def _seal(self):
        self.outcome = SEALED_POWER
        modes = self._app.modes
        if not modes.fault:
            modes.latch_past(POWER, self.found_pa - self.expected_pa, 0)
        modes.go(SEALED)

    def _recall(self):
        """Restore the learned responses of the valves."""
        last = self._store.last
        app = self._app
        for side in (FILL, VENT):
            prefix = _SIDES[side]
            if prefix + "gain" in last:
                values = tuple([last.get(prefix + name, 0) for name in _LEARNED])
                if app.valves.responses[side].recall(values):
                    app.watches.stuck.recall_wear(side, last.get(prefix + "reference", 0))
