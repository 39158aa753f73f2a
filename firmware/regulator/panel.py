"""What may be asked of the regulator, and when it is refused."""

from regulator.control.controller import IDLE, IN_PROGRESS
from regulator.faults import (
    MAINTENANCE,
    OFF,
    PROOF_OVERDUE,
    QUIET,
    REGULATE,
    RESUMED,
    SEALED,
    VENTING,
)
from regulator.measure.transducer import VALID
from regulator.store.record import PENDING
from regulator.watch.proof import RELIEF_VALVE

# The relief is proved for so long at most, the valves of the pairs for so long.
_RELIEF_PROOF_MS = 1_000
_PROOF_MS = 60_000


class Requests:
    """The half of the App (which has the parts) that the command table calls, and the record after a reset.

    Each request returns "" when it was carried out, else the reason why not; then nothing has changed.
    """

    def set_target(self, pa: int) -> str:
        """Set the target in Pa absolute."""
        lowest_pa = self.settings.get("ambient_pa")
        highest_pa = self.settings.get("setpoint_max_pa")
        if not lowest_pa <= pa <= highest_pa:
            return "target: %d to %d Pa" % (lowest_pa, highest_pa)
        self.control.aim(pa)
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
            self.record.cancel()
            safety.warn(RESUMED, False)
            safety.proof.abort()
            if safety.state in (REGULATE, QUIET, VENTING):
                if safety.state == VENTING:
                    self.control.vent_state = IDLE
                safety.state = OFF
            return ""
        if safety.fault:
            return "fault latched: " + safety.fault_name
        if safety.state == REGULATE:
            return ""
        if safety.state != OFF:
            return "not from this state"
        if self.record.outcome == PENDING:
            return "it is being decided whether the last run goes on"
        if not self.control.target_pa:
            if not self.settings.get("hold_amount"):
                return "no target has been set"
            # What there is: a reset in the midst of it finds what it needs to go on.
            lowest_pa = self.settings.get("ambient_pa")
            self.control.target_pa = max(self.sensors.pressure_pa, lowest_pa)
        if safety.warnings & PROOF_OVERDUE and self.settings.get("proof_lockout"):
            return "the proof test is overdue"
        if safety.proof.active:
            return "a proof is under way"
        safety.state = REGULATE
        self.control.vent_state = IDLE
        return ""

    def hold_amount(self, amount: bool) -> str:
        """Hold the amount of gas, valves shut, or the pressure."""
        return self.change_setting("hold_amount", 1 if amount else 0)

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
        """Start or abort a rate-limited vent to ambient; an abort also puts a complete one back to idle."""
        safety = self.safety
        if not start:
            if safety.state == VENTING:
                safety.state = self._vent_from
            self.control.vent_state = IDLE
            return ""
        if safety.state == VENTING:
            return ""
        if safety.state not in (OFF, REGULATE, SEALED):
            return "not from this state"
        self.record.cancel()
        safety.proof.abort()
        safety.warn(RESUMED, False)
        self._rough = False
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
        if self.store.state_lost:
            result |= 128
        if self.safety.coils.fault:
            result |= 256
        return result

    def change_setting(self, name: str, value: int) -> str:
        """Check a setting, put it in force and have it stored."""
        if name == "dead_band_pa" and value < self.control.hold.coarse_pa:
            return (
                "dead_band_pa: at least %d Pa with these valves and this chamber"
                % self.control.hold.coarse_pa
            )
        reason = self.settings.set(name, value)
        if not reason:
            self._configure()
        return reason

    def calibrate(self, values: dict) -> str:
        """Put a whole set of coefficients in force: all of them or none."""
        if self.safety.state not in (OFF, SEALED):
            return "only while the output is off"
        for name in values:
            reason = self.settings.check(name, values[name])
            if reason:
                return reason
        for name in values:
            self.settings.set(name, values[name])
        self._configure()
        return ""

    def _configure(self):
        self.sensors.configure()
        self.valves.configure()
        self.control.configure()
        self.safety.configure()
        self._save = True

    def resume(self, target_pa: int):
        """Go on with the run that a reset interrupted."""
        self.control.target_pa = target_pa
        self.safety.state = REGULATE
        self.safety.warn(RESUMED, True)

    def prove(self, valve: int, ms: int) -> str:
        """Prove a valve (see proof.py) for so long, or with 0 for as long as it takes to see; from OFF only."""
        safety = self.safety
        longest_ms = _RELIEF_PROOF_MS if valve == RELIEF_VALVE else _PROOF_MS
        if not 0 <= ms <= longest_ms:
            return "proof: up to %d ms" % longest_ms
        if safety.state != OFF or safety.fault or self.record.outcome == PENDING:
            return "only while the output is off and no fault is latched"
        if safety.proof.active:
            return "a proof is under way"
        if self.sensors.control.band != VALID:
            return "the control transducer is invalid"
        if not self.valves.idle():
            return "a valve is still moving"
        safety.proof.begin(valve, ms)
        return ""

    def note_proof(self, date: int):
        """Note that a proof test was done on this day (20261231)."""
        self.record.proved(date)
        self.safety.warn(PROOF_OVERDUE, False)
        for side in (0, 1):
            # Wear is told from how the valves were when they were proved.
            self.safety.pulses.reference_gain[side] = 0
