"""The controller: from target to ramped setpoint to pulses, by the measured pressure."""

from regulator.control.amount import Amount
from regulator.control.hold import Hold
from regulator.control.quiet import Quiet
from regulator.control.ramp import Ramp
from regulator.control.vent import EMPTY_PA, Vent
from regulator.measure.transducer import VALID
from regulator.valves.sides import FILL, FILL_DIFFERENCE_PA, VENT
from regulator.valves.window import HOLD, LINGER, WAY_OUT

# Prediction horizon: a pulse requested now takes effect this many ticks later (isolation lead, opening delay).
_AHEAD_TICKS = 4
# A slope from fewer samples is noise: with 0.4 kPa at 20 ms, 16 of them leave 1 kPa/s of it (3.5 sigma/(dt n^1.5)).
_SLOPE_MS = 320
# A fast fall seen before a pulse counts for this long after it. Design choice.
_FAST_S = 1
# The way of the isolation valve to and fro: settle_ms and isolation_lead_ms as delivered, and the valve's own delay.
_REOPEN_MS = 400
# The longest pulse, 300 ms, is an effort of 100 percent.
_US_PER_PERCENT = 3_000
# Near ambient, the chamber may have been exchanged for one of another volume. Design choice.
_EXCHANGEABLE_PA = 100_000


class Control:
    """Setpoint generator and pulse decisions. Pressures in Pa absolute, rates in Pa/s."""

    def __init__(self, settings, sensors, valves):
        self._settings = settings
        self._sensors = sensors
        self._valves = valves
        self.target_pa = 0
        self.ramp_pa = 0
        self.in_limits = 0
        self.effort_percent = 0
        self.hold = Hold(settings, sensors, valves)
        self.amount = Amount(settings, sensors)
        self.quiet = Quiet(settings, sensors)
        self.vent = Vent(settings, sensors, valves, self)
        self._ramp = Ramp(settings, sensors, valves)
        self._within_ms = 0
        self._fast = False  # at the last look, the pressure crossed the dead-band within two seconds
        self._fast_s = 0  # uptime of that look
        self.configure()

    def configure(self):
        """Read the settings."""
        setting = self._settings.get
        self._band_pa = setting("dead_band_pa")
        self._slew_pa_s = setting("slew_pa_s")
        self._slew_linear = setting("slew_linear")
        self._vent_slew_pa_s = setting("vent_slew_pa_s")
        self._in_limits_pa = setting("in_limits_pa")
        self._in_limits_ms = setting("in_limits_ms")
        self._ambient_pa = setting("ambient_pa")
        self._ramp.configure()
        self.hold.configure()
        self.quiet.configure()

    def start(self):
        """Start the ramp at the present pressure."""
        self.ramp_pa = self._sensors.control_pa
        self._ramp.start()
        if self.ramp_pa < self._ambient_pa + _EXCHANGEABLE_PA:
            self._valves.doubt()

    def is_blind(self) -> bool:
        """Return whether the control transducer is invalid."""
        return self._sensors.control.band != VALID

    def gas_rests(self) -> bool:
        """Return whether the gas has the wall's temperature."""
        return self._sensors.lead.is_resting()

    def is_calm(self) -> bool:
        """Return whether a proof may move a little gas: at rest, with no pulse due soon, rather high than low.

        A trapped volume of 0.3 mL takes 3 kPa from 0.5 L at 5 MPa where the vent is proved, which comes first. That of
        the fill side gives gas, more than twice as much with a supply of three times the pressure: then rather low.
        """
        pressure_pa = self._sensors.pressure_pa
        over_pa = pressure_pa - self.target_pa
        if self._sensors.supply.pa > 3 * pressure_pa:
            over_pa = -over_pa
        return self.gas_rests() and -self._band_pa >> 3 <= over_pa <= self._band_pa >> 1

    def keep_target(self, target_pa: int):
        """Set a target without a step: that of before a reset, or the present pressure."""
        self.target_pa = target_pa

    def aim(self, target_pa: int):
        """Set a new target. If the pressure is already past the last one towards it, the ramp starts there."""
        if self.target_pa and self.ramp_pa == self.target_pa:
            pressure_pa = self._sensors.pressure_pa
            if self.ramp_pa < pressure_pa <= target_pa or target_pa <= pressure_pa < self.ramp_pa:
                self.ramp_pa = pressure_pa
        self.target_pa = target_pa

    def regulate(self, dt_ms: int):
        """Run one tick of REGULATE."""
        slew = self._slew_pa_s if self._slew_linear else 1_000_000
        self.ramp_pa = self._ramp.advance(self.ramp_pa, self.target_pa, slew, dt_ms)
        if self.ramp_pa != self.target_pa:
            self._ramp.rest_coils(self.ramp_pa, self.target_pa, slew)
        self._check_limits(dt_ms)
        if not self._valves.idle():
            self._ramp.chain(self.ramp_pa, self.target_pa)
            return
        self.effort_percent = 0
        self.hold.observe()
        error_pa = self._error_pa(dt_ms)
        if self.ramp_pa != self.target_pa or self._is_far(error_pa):
            self._follow_ramp(self.target_pa, slew, False)
        else:
            # While the gas of a ramp cools fast, pulses follow each other through an open isolation valve.
            fast = self._falls_fast(dt_ms)
            if not fast and not self._is_due_soon(dt_ms):
                self._valves.close_window()
            if self._valves.idle():
                self._hold(error_pa, LINGER if fast else HOLD)

    def _error_pa(self, dt_ms: int) -> int:
        # The reading of a slow sensing line is that of its time constant ago.
        ticks = _AHEAD_TICKS + self._valves.verdict.lag_ms // dt_ms
        return self.target_pa - self._sensors.pressure.ahead_pa(ticks)

    def descend(self, dt_ms: int) -> bool:
        """Run one tick of VENT, down to ambient at the vent rate; return whether the chamber is empty."""
        self.ramp_pa = self._ramp.advance(self.ramp_pa, self._ambient_pa, self._vent_slew_pa_s, dt_ms)
        if not self._valves.idle():
            self._ramp.chain(self.ramp_pa, self._ambient_pa)
            return False
        if self._sensors.pressure_pa < self._ambient_pa + EMPTY_PA:
            self._valves.close_window()
            return True
        self._follow_ramp(self._ambient_pa, self._vent_slew_pa_s, True)
        return False

    def keep_amount(self, dt_ms: int):
        """Run one tick of REGULATE with constant amount of gas, valves shut."""
        self._valves.close_window()
        self.rest()
        if self._valves.idle():
            self.amount.tick(dt_ms)
            self.in_limits = 1 if self.amount.within() else 0

    def rest(self, dt_ms: int = 0):
        """Run one tick in which no valve may move."""
        self.in_limits = 0
        self._within_ms = 0
        self.effort_percent = 0

    def _is_far(self, error_pa: int) -> bool:
        """Return whether an error needs a ramp: beyond 4 dead-bands, or beyond 2 and more than one pulse can do."""
        band_pa = max(self._band_pa, self.hold.coarse_pa)
        longest_pa = self._valves.longest_step_pa(_side(error_pa))
        return abs(error_pa) > (4 * band_pa if abs(error_pa) <= longest_pa else 2 * band_pa)

    def _follow_ramp(self, target_pa: int, slew_pa_s: int, way_out: bool):
        self.hold.forget()
        step_pa = self._ramp.step_pa(self.ramp_pa, target_pa, slew_pa_s)
        if step_pa:
            # The limits on a coil's time do not apply to a way out, so its isolation valve may stay open.
            kind = LINGER | WAY_OUT if way_out else self._ramp.kind(_side(step_pa), slew_pa_s)
            self._pulse(_side(step_pa), abs(step_pa), kind)

    def _falls_fast(self, dt_ms: int) -> bool:
        """Return whether the pressure crosses the dead-band within two seconds: about three windows of a hold.

        Where too few samples show its slope, it is what it was before the last pulse, for a second or two: pulses that
        follow each other because of noise would never leave enough of them.
        """
        pressure = self._sensors.pressure
        if pressure.samples * dt_ms >= _SLOPE_MS:
            second_pa = (pressure.ahead_pa(10) - pressure.ahead_pa(0)) * 100 // dt_ms
            self._fast = abs(second_pa) > self._band_pa
            self._fast_s = self._sensors.age_s
        elif self._sensors.age_s - self._fast_s > _FAST_S:
            self._fast = False
        return self._fast

    def _is_due_soon(self, dt_ms: int) -> bool:
        """Return whether a pulse will be due before the isolation valve could have shut and opened again."""
        pressure = self._sensors.pressure
        band_pa = max(self._band_pa, self.hold.coarse_pa)
        return abs(self.target_pa - pressure.ahead_pa(_REOPEN_MS // dt_ms)) > band_pa

    def _hold(self, error_pa: int, kind: int):
        side = _side(error_pa)
        step_pa = self.hold.step_pa(side, self.target_pa, error_pa)
        if step_pa > 0 and self._pulse(side, step_pa, kind):
            self.hold.corrected(side, step_pa)

    def _pulse(self, side: int, step_pa: int, kind: int) -> bool:
        """Request a pulse for a step; return whether its window began."""
        if side == FILL and self._sensors.supply.pa < self._sensors.pressure_pa + FILL_DIFFERENCE_PA:
            return False
        # No pulse for a reading that the other transducer contradicts: either it ends, or a disagreement seals.
        us = 0 if self._sensors.trusted.clash() else self._valves.move(side, step_pa, kind)
        if us == 0:
            return False
        percent = max(1, us // _US_PER_PERCENT)
        self.effort_percent = percent if side == FILL else -percent
        return True

    def _check_limits(self, dt_ms: int):
        error_pa = self.target_pa - self._sensors.control_pa
        if abs(error_pa) <= self._in_limits_pa:
            if self._within_ms < self._in_limits_ms:
                self._within_ms += dt_ms
            self.in_limits = 1 if self._within_ms >= self._in_limits_ms else 0
        else:
            self._within_ms = 0
            self.in_limits = 0


def _side(step_pa: int) -> int:
    return FILL if step_pa > 0 else VENT
