"""The state record: content, times of writing, and the resume at the next start. Constants are design choices."""

from regulator.faults import FAULTS, NO_FAULT, POWER, REBOOT_LOOP, RESUMED, STAYS_OFF
from regulator.modes import HEALTHY_S, MAINTENANCE, OFF, QUIET, REGULATE, RELIEF, SEALED, VENTING
from regulator.settings import CONFIRMED
from regulator.valves.sides import FILL, VENT

# Starts in a row without HEALTHY_S of uptime, this one included, that are a reboot loop: after three resets.
_LOOP_STARTS = 4
# While regulating, the state is written every _PERIOD_S, and every _RAMP_S or _STEP_PA of a ramp, whose setpoint may
# leave the envelope for _HURRY_S first. Regulation that begins is written at most every _PAUSE_S.
_PERIOD_S = 1800
_RAMP_S = 600
_STEP_PA = 250_000
_HURRY_S = 5
_PAUSE_S = 4
# Where pressure and prediction part, or a ramp's gas has cooled, a new envelope is written after these times.
_PARTED_S = 300
_COOLED_S = 60
# Writes that the device may begin by itself: 40, and one more each 10 min, so at most 184 a day; the last of them are
# kept for the ends of ramps. A save that failed is tried again each 10 min instead. Accepted changes: 60, and one more
# each 20 s.
_OWN, _OWN_S = 40, 600
_KEPT = 10
_TOLD, _TOLD_S = 60, 20
# A resume is decided between _SETTLE_MS and _DECIDE_MS after the start, when both transducers agree. An emptied chamber
# is not filled again: below ambient by this much nothing resumes.
_DECIDE_MS = 2000
_SETTLE_MS = 1000
_EMPTIED_PA = 100_000

# Outcomes of the last run.
NOTHING, PENDING, WENT_ON, SEALED_POWER, KEPT_FAULT, STAYED_OFF, LOOP, CANCELLED = range(8)
OUTCOMES = ("NONE", "PENDING", "RESUMED", "SEALED", "FAULT", "OFF", "LOOP", "CANCELLED")

_LEARNED = ("gain", "dead_us", "floor_us", "judged", "short_us", "short_step", "long_us", "long_step")
_SIDES = ("fill_", "vent_")


class Record:
    """Decides when the state is written (`due`, `urgent`), and on a resume. Times in s of uptime.

    While regulating, the record has an envelope: the lowest and the highest pressure that what was told may have led
    to by the time of the next write.
    """

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
        # As written. Older versions wrote a single pressure.
        self._state = last.get("state", OFF)
        self._faults = last.get("faults", 0)
        self._target_pa = last.get("target_pa", 0)
        self._low_pa = last.get("low_pa", last.get("pressure_pa", 0))
        self._high_pa = last.get("high_pa", self._low_pa)
        self._wall_mk = last.get("wall_mk", 0)
        self._promised = False  # an accepted change is not written yet
        self._ramped = False  # a ramp was under way since the last write
        self._written_s = -_PERIOD_S
        self._healthy = False
        self._waited_ms = 0
        self._own = _OWN
        self._own_s = 0
        self._told = _TOLD
        self._told_s = 0
        self._recall()

    def begin(self):
        """At the start: restore the state of the last run as far as no sensor is needed."""
        app = self._app
        modes = app.modes
        last = self._store.last
        state = last.get("state", OFF)
        fault = last.get("fault", NO_FAULT)
        target_pa = self._target_pa
        setting = app.settings.get
        if not self._store.lost and setting("ambient_pa") <= target_pa <= setting("setpoint_max_pa"):
            app.control.keep_target(target_pa)
        if 0 < fault < len(FAULTS) and state in (OFF, SEALED, RELIEF, VENTING):
            modes.latch_past(fault, last.get("fault_value", 0), last.get("faults", 0))
            stays_off = FAULTS[fault][3] == STAYS_OFF
            modes.go(RELIEF if state == RELIEF else OFF if stays_off else SEALED)
            self.outcome = KEPT_FAULT
        elif self._store.starts >= _LOOP_STARTS:
            self.outcome = LOOP
            modes.latch_past(REBOOT_LOOP, self._store.starts, 0)
        elif self._store.lost or app.settings.conflict():
            self.outcome = STAYED_OFF
        elif state in (REGULATE, QUIET) and app.settings.get("resume"):
            self.outcome = PENDING
        elif state != OFF and state != MAINTENANCE:
            # Maintenance is entered from OFF only, so neither needs a seal.
            self._seal()

    def decide(self, dt_ms: int):
        """While the outcome is PENDING: resume the last run within bounds, or seal."""
        app = self._app
        sensors = app.sensors
        if app.modes.state != OFF:
            # A fault of this start has decided already, and must be stored: the next reset may come soon.
            self.cancel()
            return
        self._waited_ms += dt_ms
        if self._waited_ms < _SETTLE_MS:
            return
        if sensors.trusted.agree():
            lowest_pa = min(sensors.pressure_pa, sensors.safety.mean_pa)
            self.found_pa = sensors.pressure_pa
            off_pa = self._off_pa(self.found_pa)
            self.expected_pa = self.found_pa - off_pa
            # A target that was sent in the meantime has replaced the stored one.
            if (
                app.control.target_pa
                and abs(off_pa) <= app.settings.get("resume_band_pa")
                and lowest_pa >= app.settings.get("ambient_pa") + _EMPTIED_PA
                and not app.modes.fault
            ):
                self.outcome = WENT_ON
                self.resumes += 1
                app.control.start()
                app.modes.go(REGULATE)
                app.watches.warn(RESUMED, True)
                self.due = self.urgent = True
                return
            self._seal()
        elif self._waited_ms >= _DECIDE_MS:
            self._seal()

    def _off_pa(self, pressure_pa: int) -> int:
        """Return how far a pressure is from the envelope, as it should be at the present wall temperature."""
        sensors = self._app.sensors
        warmth_pa = 0
        if self._wall_mk and sensors.wall_mk:
            warmer_mk = min(max(sensors.wall_mk - self._wall_mk, -50_000), 50_000)
            warmth_pa = sensors.per_kelvin_pa() // 10 * (warmer_mk // 10) // 10
        pressure_pa -= warmth_pa
        return pressure_pa - min(max(pressure_pa, self._low_pa), self._high_pa)

    def cancel(self):
        """End a pending resume, because a command takes precedence."""
        if self.outcome == PENDING:
            self.outcome = CANCELLED
            self.watch()

    def note_target(self):
        """Note that a target was accepted: a changed one is written at once."""
        if self._app.control.target_pa != self._target_pa:
            self._promised = True
            self.watch()

    def is_promised(self) -> bool:
        """Return whether an accepted change is not stored yet."""
        return self._promised or self.due or self._app.panel.save_due or self._app.saving > 0

    def watch(self):
        """Note changes that must be written. Cheap enough for five calls a second."""
        app = self._app
        modes = app.modes
        if self.outcome == PENDING:
            return
        now_s = app.clock.uptime_s
        age_s = now_s - self._written_s
        state = REGULATE if modes.state == QUIET else modes.state
        if state != self._state or modes.faults != self._faults:
            self._promised = True
            # What ends regulation is safer, and written at once.
            if (
                self._state == REGULATE
                or modes.faults != self._faults
                or (self._told > 0 and age_s >= _PAUSE_S)
            ):
                self.due = True
                self.urgent = not modes.relief_open()
        elif app.control.target_pa != self._target_pa:
            self._promised = True
            if self._told > 0:
                self.due = True
                self.urgent = state == REGULATE
        else:
            self._promised = False
            if state == REGULATE and self._own > 0:
                self._renew(age_s)
        if not self._healthy and now_s >= HEALTHY_S:
            self._healthy = True
            self._store.forget_starts()
            self.due = True

    def _renew(self, age_s: int):
        """Have a new envelope written if the present one no longer holds, or is far wider than necessary."""
        control = self._app.control
        ramp_pa = control.ramp_pa
        band_pa = self._app.settings.get("resume_band_pa") // 2
        if self._app.settings.get("hold_amount"):
            ramping = leaves = False
        else:
            ramping = ramp_pa != control.target_pa
            leaves = not self._low_pa <= ramp_pa <= self._high_pa
        if ramping:
            self._ramped = True
            leaves = leaves and age_s >= _HURRY_S
        elif not leaves and self._own > _KEPT:
            if age_s >= _PARTED_S:
                leaves = abs(self._off_pa(self._app.sensors.settled_pa)) > band_pa
            if age_s >= _COOLED_S and not leaves:
                excess_pa = self._high_pa - self._edge_pa(True) + self._edge_pa(False) - self._low_pa
                leaves = excess_pa > band_pa
        period_s = _RAMP_S if ramping else _PERIOD_S
        if age_s >= period_s or (self._ramped and not ramping) or (leaves and self._own > _KEPT):
            self.due = True
        self.urgent = self.urgent or (self.due and ramping)

    def _edge_pa(self, highest: bool) -> int:
        """Return the lowest or highest pressure that regulation may lead to before the next write."""
        app = self._app
        settings = app.settings
        pressure_pa = app.sensors.settled_pa
        if settings.get("hold_amount"):
            return pressure_pa
        ramp_pa = app.control.ramp_pa
        reach_pa = _STEP_PA
        if settings.get("slew_linear"):
            reach_pa = min(settings.get("slew_pa_s") * _RAMP_S, _STEP_PA)
        edge_pa = min(max(app.control.target_pa, ramp_pa - reach_pa), ramp_pa + reach_pa)
        return max(pressure_pa, ramp_pa, edge_pa) if highest else min(pressure_pa, ramp_pa, edge_pa)

    def count_second(self):
        """Once a second: count the hours in service, and the writes that may be begun."""
        self._own_s += 1
        if self._own_s >= _OWN_S:
            self._own_s = 0
            if not self._try_again():
                self._own = min(self._own + 1, _OWN)
        self._told_s += 1
        if self._told_s >= _TOLD_S:
            self._told_s = 0
            self._told = min(self._told + 1, _TOLD)
        self._hour_s += 1
        if self._hour_s >= 3600:
            self._hour_s = 0
            self.hours += 1

    def _try_again(self) -> bool:
        """Have a save that failed tried again; return whether one did."""
        store = self._store
        if store.settings_failed:
            self._app.panel.save_again()
        if store.state_failed:
            self.due = True
        return store.settings_failed or store.state_failed

    def proof_is_overdue(self) -> bool:
        """Return whether the proof test is overdue, in hours in service."""
        return self.hours - self.proof_hours > self._app.settings.get("proof_interval_days") * 24

    def proved(self, date: int):
        """Record the date of a proof test (20261231)."""
        self.proof_date = date
        self.proof_hours = self.hours
        self.note_change()

    def note_change(self):
        """Have an accepted change written."""
        self.due = True

    def begin_save(self):
        """Begin to save the state."""
        app = self._app
        modes = app.modes
        control = app.control
        self.due = self.urgent = False
        if self._promised:
            self._promised = False
            self._told = max(self._told - 1, 0)
        else:
            self._own = max(self._own - 1, 0)
        self._state = REGULATE if modes.state == QUIET else modes.state
        self._faults = modes.faults
        self._target_pa = control.target_pa
        self._low_pa = self._edge_pa(False)
        self._high_pa = self._edge_pa(True)
        self._wall_mk = app.sensors.wall_mk
        self._ramped = False
        self._written_s = app.clock.uptime_s
        values = {
            "state": self._state,
            "fault": modes.fault,
            "fault_value": modes.fault_value,
            "faults": modes.faults,
            "target_pa": control.target_pa,
            "ramping": 1 if control.ramp_pa != control.target_pa else 0,
            "pressure_pa": app.sensors.settled_pa,
            "low_pa": self._low_pa,
            "high_pa": self._high_pa,
            "wall_mk": self._wall_mk,
            "resumes": self.resumes,
            "hours": self.hours,
            "hour_s": self._hour_s,
            "proof_hours": self.proof_hours,
            "proof_date": self.proof_date,
        }
        for name in CONFIRMED:
            values[name] = app.settings.get(name)
        for side in (FILL, VENT):
            prefix = _SIDES[side]
            values[prefix + "reference"] = app.watches.stuck.reference_gain[side]
            values[prefix + "reference_pa"] = app.watches.stuck.reference_pa[side]
            for name, value in zip(_LEARNED, app.valves.responses[side].learned()):
                values[prefix + name] = value
        self._store.begin_state(values)

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
                # An older firmware stored no pressure with the reference.
                if app.valves.responses[side].recall(values) and prefix + "reference_pa" in last:
                    gain = last.get(prefix + "reference", 0)
                    app.watches.stuck.recall_wear(side, gain, last[prefix + "reference_pa"])
