"""The front panel: the requests that the regulator accepts, and when it refuses them."""

from regulator.changes import OUTPUT_ON, pressurised, refused
from regulator.faults import PROOF_OVERDUE, RESUMED, SETTINGS_INVALID, SETTINGS_LOST
from regulator.measure.transducer import VALID
from regulator.modes import MAINTENANCE, OFF, QUIET, REGULATE, SEALED, VENTING
from regulator.settings import CONFIRMED
from regulator.store.record import PENDING
from regulator.watch.proof import PASSES, RELIEF_VALVE, RESULTS, TIGHT

# Longest proofs of the relief valve and of the pair valves. Design choices: gas lost, and longest time of a coil.
_RELIEF_PROOF_MS = 1_000
_PROOF_MS = 60_000
# A proof test is recorded for proofs of the last day. Design choice.
_PROOF_AGE_S = 86_400


class Panel:
    """The requests that commands make of an app.

    Each request returns "" once it is carried out. Otherwise it returns the reason of the refusal and changes nothing.
    """

    def __init__(self, app):
        self._app = app
        self.save_due = False  # settings are waiting to be written
        self.unit = 0  # of the port; held here and not by pressure.py, because a replay needs it
        # Uptime at which a command last proved each valve.
        self._proved_s = [-_PROOF_AGE_S] * len(app.watches.proof.results)

    def save_again(self):
        """Have the settings written once more, because that failed."""
        self.save_due = True

    def begin_save(self):
        """Begin to save the settings."""
        self.save_due = False
        self._app.store.begin_settings()

    def set_target(self, pa: int) -> str:
        """Set the target in Pa absolute."""
        lowest_pa = self._app.settings.get("ambient_pa")
        highest_pa = self._app.settings.get("setpoint_max_pa")
        if not lowest_pa <= pa <= highest_pa:
            return "target: %d to %d Pa" % (lowest_pa, highest_pa)
        self._app.control.aim(pa)
        self._app.record.note_target()
        return ""

    def set_unit(self, unit: int):
        """Set the unit of the port."""
        self.unit = unit

    def set_slew(self, pa_s: int) -> str:
        """Set the ramp rate in Pa/s."""
        return self.change_setting("slew_pa_s", pa_s)

    def set_slew_max(self, maximum: bool) -> str:
        """Ramp as fast as the valves allow, or at the ramp rate."""
        return self.change_setting("slew_linear", 0 if maximum else 1)

    def output(self, on: bool) -> str:
        """Begin or end regulation."""
        modes = self._app.modes
        control = self._app.control
        if on:
            if modes.state == REGULATE and not modes.fault:
                return ""
            reason = self._start_refused()
            if reason:
                return reason
            if not control.target_pa:
                # Hold the present pressure as target, so that a reset while the amount is held can resume.
                control.keep_target(max(self._app.sensors.pressure_pa, self._app.settings.get("ambient_pa")))
            control.start()
            modes.go(REGULATE)
            control.vent.stop()
            return ""
        self._take_over()
        if modes.state in (REGULATE, QUIET, VENTING):
            if modes.state == VENTING:
                control.vent.stop()
            modes.go(OFF)
        return ""

    def _start_refused(self) -> str:
        app = self._app
        if app.modes.fault:
            return "fault latched: " + app.modes.fault_name
        if app.modes.state != OFF:
            return "not from this state"
        if app.store.lost:
            return "settings were lost or never stored: enter the limits, then ipch config confirm or :SYST:SETT:CONF"
        conflict = app.settings.conflict()
        if conflict:
            return conflict
        if app.record.outcome == PENDING:
            return "the resume of the last run is being decided"
        if not app.control.target_pa and not app.settings.get("hold_amount"):
            return "no target has been set"
        if app.watches.warnings & PROOF_OVERDUE and app.settings.get("proof_lockout"):
            return "the proof test is overdue"
        return "a proof is under way" if app.watches.proof.active else ""

    def _take_over(self):
        """A command takes precedence: end a pending resume and a running proof."""
        self._app.record.cancel()
        self._app.watches.warn(RESUMED, False)
        self._app.watches.proof.abort()

    def hold_amount(self, amount: bool) -> str:
        """Hold the amount of gas with all valves shut, or the pressure."""
        return self.change_setting("hold_amount", 1 if amount else 0)

    def quiet(self, seconds: int) -> str:
        """Lock the valves shut for this time in s; 0 ends the window."""
        modes = self._app.modes
        longest_s = self._app.settings.get("quiet_max_s")
        if not 0 <= seconds <= longest_s:
            return "quiet window: 0 to %d s" % longest_s
        if seconds == 0:
            if modes.state == QUIET:
                modes.go(REGULATE)
            return ""
        if modes.state not in (REGULATE, QUIET):
            return "a quiet window begins while regulating"
        modes.begin_quiet(seconds)
        return ""

    def vent(self, start: bool) -> str:
        """Start or abort a rate-limited vent to ambient; an abort also resets a complete vent to idle."""
        modes = self._app.modes
        vent = self._app.control.vent
        if not start:
            if modes.state == VENTING:
                modes.end_vent()
            vent.stop()
            return ""
        if modes.state == VENTING:
            return ""
        if modes.state == MAINTENANCE:
            return "not from this state"
        self._take_over()
        modes.go(VENTING)
        vent.start()
        return ""

    def acknowledge(self) -> str:
        """Clear a latched fault if its cause is gone."""
        return self._app.modes.acknowledge()

    def maintenance(self, forced: bool = False) -> str:
        """Reset into the REPL; from OFF only, without a latched fault and, unless `forced`, with the chamber vented."""
        modes = self._app.modes
        if modes.fault:
            return "fault latched: " + modes.fault_name
        if modes.state != OFF:
            return OUTPUT_ON
        reason = pressurised(self._app)
        if reason and not forced:
            return reason + "; FORCe keeps the gas in, and nothing watches it"
        self._take_over()
        modes.go(MAINTENANCE)
        return ""

    def self_test(self) -> int:
        """Return 0 if converters, transducers, coils and stored data are in order, else a bit for each failure."""
        sensors = self._app.sensors
        result = self._app.sample.faults
        if sensors.control.band != VALID:
            result |= 8
        if sensors.safety.band != VALID:
            result |= 16
        if sensors.supply.band != VALID:
            result |= 32
        if self._app.store.lost:
            result |= 64
        if self._app.store.state_lost:
            result |= 128
        if self._app.watches.coils.fault:
            result |= 256
        return result

    def change_setting(self, name: str, value: int, forced: bool = False) -> str:
        """Check a setting, apply it and have it stored. `forced` allows a large correction of a transducer."""
        return self.calibrate({name: value}, forced)

    def calibrate(self, values: dict, forced: bool = False) -> str:
        """Apply a whole set of settings, as the coefficients of a transducer: all of them or none."""
        settings = self._app.settings
        coarse_pa = self._app.control.hold.coarse_pa
        if values.get("dead_band_pa", coarse_pa) < coarse_pa:
            return "dead_band_pa: at least %d Pa with these valves and this chamber" % coarse_pa
        new = {}
        for name in values:
            reason = settings.check(name, values[name])
            if reason:
                return reason
            # Repeating a value changes nothing, so nothing is written either.
            if values[name] != settings.get(name):
                new[name] = values[name]
        if not new:
            return ""
        reason = refused(self._app, new, forced)
        if reason:
            return reason
        for name in new:
            settings.set(name, new[name])
            if name in CONFIRMED:
                self._app.record.note_change()
        self._configure()
        return ""

    def confirm(self, limits: tuple) -> str:
        """Confirm the limits in force, named in the order of CONFIRMED: regulation is allowed again."""
        app = self._app
        for name, value in zip(CONFIRMED, limits):
            if value != app.settings.get(name):
                return "%s is %d Pa" % (name, app.settings.get(name))
        reason = app.settings.conflict()
        if not reason and (app.store.lost or app.watches.warnings & SETTINGS_LOST):
            app.store.confirm(True)
            self.save_due = True
        return reason

    def withdraw(self) -> str:
        """Withdraw the confirmation, so that limits may change under pressure: nothing regulates until the next one."""
        app = self._app
        if app.record.outcome == PENDING or app.modes.state not in (OFF, SEALED):
            return OUTPUT_ON
        if not app.store.lost:
            app.store.confirm(False)
            self.save_due = True
        return ""

    def _configure(self):
        app = self._app
        for part in (app.sensors, app.valves, app.control, app.watches, app.modes):
            part.configure()
        app.watches.warn(SETTINGS_INVALID, app.settings.conflict() != "")
        self.save_due = True

    def longest_proof_ms(self, valve: int) -> int:
        """Return how long a valve may be proved."""
        return _RELIEF_PROOF_MS if valve == RELIEF_VALVE else _PROOF_MS

    def prove(self, valve: int, ms: int) -> str:
        """Prove a valve (see watch/proof.py) for `ms`, or with 0 for a computed time; from OFF only."""
        app = self._app
        longest_ms = self.longest_proof_ms(valve)
        if not 0 <= ms <= longest_ms:
            return "proof: up to %d ms" % longest_ms
        if app.modes.state != OFF or app.modes.fault or app.record.outcome == PENDING:
            return "only while the output is off and no fault is latched"
        if app.watches.proof.active:
            return "a proof is under way"
        if app.control.is_blind():
            return "the control transducer is invalid"
        if not app.valves.idle():
            return "a valve is still moving"
        if valve != RELIEF_VALVE and app.valves.is_tired(valve & 1):
            return "the coils of this side must rest"
        app.watches.proof.begin(valve, ms)
        self._proved_s[valve] = app.clock.uptime_s
        return ""

    def forget_valves(self):
        """Forget what was learned of the valves and the chamber."""
        app = self._app
        app.valves.forget()
        app.watches.stuck.forget_wear()
        app.record.note_change()

    def note_proof(self, date: int) -> str:
        """Record the date of a proof test (20261231) in which every valve was proved, and passed."""
        app = self._app
        if date == app.record.proof_date:
            return ""
        for valve, result in enumerate(app.watches.proof.results):
            if app.clock.uptime_s - self._proved_s[valve] >= _PROOF_AGE_S:
                return "valve %d was not proved by a command in the last day" % (valve + 1)
            if result != (PASSES if valve == RELIEF_VALVE else TIGHT):
                return "valve %d: %s" % (valve + 1, RESULTS[result])
        app.record.proved(date)
        app.watches.warn(PROOF_OVERDUE, False)
        app.watches.stuck.forget_wear()
        return ""
