"""Target -> ramp -> pulses, on measured pressure, with the thermal transient taken into account."""

from regulator.ramp import Ramp
from regulator.valves import FILL, IMMEDIATE_PER_SETTLED_PERCENT, VENT

# Shares of the dead-band in percent: where a pulse is asked for, how far past the target it should end up, and how high
# its immediate step may reach. What is left to 100 is for the jitter of the pulse, noise and the time it takes to act.
_TRIGGER_PERCENT = 93
_PAST_PERCENT = 50
_PEAK_PERCENT = 84
# So long after a pulse the other side does not answer to what is little more than its overshoot.
_REGRET_S = 15
# Where the wall temperature swings: share of what the swing leaves of the dead-band, and a margin for its prediction.
_PAST_SWING_PERCENT = 70
_SWING_MARGIN_PA = 700
# Samples since the last pulse before a hold is judged.
_HOLD_SAMPLES = 8
# An error is judged where it will be when a pulse asked for now takes effect.
_AHEAD_TICKS = 4
# Below this difference across the fill valve nothing useful flows.
_SUPPLY_MARGIN_PA = 100_000

IDLE, IN_PROGRESS, COMPLETE = 0, 1, 2  # vent_state, as a PACE reports it


class Control:
    """Setpoint generation and pulse decisions. Pressures in Pa absolute, rates in Pa/s."""

    def __init__(self, settings, sensors, valves):
        self._settings = settings
        self._sensors = sensors
        self._valves = valves
        self.target_pa = 0
        self.ramp_pa = 0
        self.in_limits = 0
        self.effort_percent = 0
        self.vent_state = IDLE
        self.supply_low = False
        self.coarse_pa = 0  # dead-band that the shortest pulses can keep
        self._ramp = Ramp(settings, sensors, valves)
        self._within_ms = 0
        self._held_side = -1  # the last correction of a hold
        self._held_s = -_REGRET_S
        self._held_pa = 0
        self.configure()

    def configure(self):
        """Read the settings."""
        setting = self._settings.get
        self._band_pa = setting("dead_band_pa")
        self._allowance_pa = setting("swing_allowance_pa")
        self._slew_pa_s = setting("slew_pa_s")
        self._slew_linear = setting("slew_linear")
        self._vent_slew_pa_s = setting("vent_slew_pa_s")
        self._in_limits_pa = setting("in_limits_pa")
        self._in_limits_ms = setting("in_limits_ms")
        self._ambient_pa = setting("ambient_pa")
        self._ramp.configure()

    def start(self):
        """Begin to regulate from the pressure that is there."""
        self.ramp_pa = self._sensors.control_pa
        self._ramp.start()

    def regulate(self, dt_ms: int):
        """One tick of REGULATE."""
        slew = self._slew_pa_s if self._slew_linear else 1_000_000
        self.ramp_pa = self._ramp.advance(self.ramp_pa, self.target_pa, slew, dt_ms)
        self._check_limits(dt_ms)
        if not self._valves.idle():
            self._ramp.chain(self.ramp_pa, self.target_pa)
            return
        self.effort_percent = 0
        if self._valves.learned:
            self._valves.learned = False
            self._weigh_pulses()
        error_pa = self.target_pa - self._sensors.ahead_pa(_AHEAD_TICKS)
        if self.ramp_pa != self.target_pa or abs(error_pa) > 4 * self._band_pa:
            self._follow_ramp(self.target_pa, slew)
        else:
            self._valves.close_window()
            self._hold(error_pa)

    def vent(self, dt_ms: int):
        """One tick of VENT: down to ambient at the vent rate."""
        self.ramp_pa = self._ramp.advance(self.ramp_pa, self._ambient_pa, self._vent_slew_pa_s, dt_ms)
        if not self._valves.idle():
            self._ramp.chain(self.ramp_pa, self._ambient_pa)
            return
        if self._sensors.pressure_pa < self._ambient_pa + 20_000:
            self._valves.close_window()
            self.vent_state = COMPLETE
            return
        self._follow_ramp(self._ambient_pa, self._vent_slew_pa_s)

    def _weigh_pulses(self):
        """Find the dead-band that the valves can keep.

        0.75 of what the shortest pulse leaves, so that a pulse from either edge stays clear of the other one.
        """
        valves = self._valves
        step_pa = max(valves.smallest_step_pa(FILL), valves.smallest_step_pa(VENT))
        self.coarse_pa = step_pa * 75 // IMMEDIATE_PER_SETTLED_PERCENT

    def band_is_widened(self) -> bool:
        """Return whether the valves are too coarse for the dead-band that was set."""
        return self.coarse_pa > self._band_pa

    def rest(self):
        """One tick in which no valve may move."""
        self.in_limits = 0
        self._within_ms = 0
        self.effort_percent = 0

    def _follow_ramp(self, target_pa: int, slew_pa_s: int):
        # The gas of a ramp warms or cools the wall: not a swing of the oven.
        self._sensors.ripple.forget()
        step_pa = self._ramp.step_pa(self.ramp_pa, target_pa, slew_pa_s)
        if step_pa:
            self._pulse(FILL if step_pa > 0 else VENT, abs(step_pa), True)

    def _hold(self, error_pa: int):
        """Correct an error that is about to leave the dead-band and will stay."""
        sensors = self._sensors
        if sensors.samples < _HOLD_SAMPLES:
            return
        band_pa = max(self._band_pa, self.coarse_pa)
        trigger_pa = band_pa * _TRIGGER_PERCENT // 100
        if -trigger_pa <= error_pa <= trigger_pa:
            return
        # From here on as if a fill was needed; for a vent everything has the other sign.
        staying_pa = self.target_pa - sensors.settled_pa
        swing_pa = sensors.swing_pa()
        side = FILL
        if error_pa < 0:
            error_pa = -error_pa
            staying_pa = -staying_pa
            swing_pa = -swing_pa
            side = VENT
        if staying_pa * 2 < band_pa:
            return
        # A pulse that went a little too far takes back 30 % by itself, before the gas sensor has noticed.
        if side != self._held_side and sensors.age_s - self._held_s < _REGRET_S and error_pa < 2 * band_pa:
            return
        past_pa = band_pa * _PAST_PERCENT // 100
        amplitude_pa = sensors.swing_amplitude_pa()
        if amplitude_pa:
            # What the swing adds reverses by itself: the rest of the error is what a pulse is for.
            staying_pa += swing_pa
            excess_pa = amplitude_pa - trigger_pa
            if excess_pa < 0:
                # Past the target, but not so far that the other end of the swing would call for the other valve.
                past_pa = -excess_pa * _PAST_SWING_PERCENT // 100 + self._drift_pa(side)
            else:
                allowed_pa = min(self._allowance_pa, excess_pa + _SWING_MARGIN_PA) if swing_pa < 0 else 0
                if error_pa <= trigger_pa + allowed_pa:
                    return
                past_pa = max(excess_pa - self._allowance_pa, 0) + _SWING_MARGIN_PA // 2
        # Past the target, so that the next correction is further away, but never out of the band at once.
        aim_pa = (staying_pa + past_pa) * IMMEDIATE_PER_SETTLED_PERCENT // 100
        peak_pa = max(band_pa * _PEAK_PERCENT // 100 - self._valves.jitter_pa(side), 0)
        step_pa = min(aim_pa, error_pa + peak_pa)
        if step_pa > 0 and self._pulse(side, step_pa, False):
            self._held_side = side
            self._held_s = sensors.age_s
            self._held_pa = step_pa * 100 // IMMEDIATE_PER_SETTLED_PERCENT

    def _drift_pa(self, side: int) -> int:
        """Return the drift during half a swing, going by what the last pulse of this side made up for."""
        if self._held_side != side:
            return 0
        half_s = self._sensors.ripple.half_s()
        return self._held_pa * half_s // max(self._sensors.age_s - self._held_s, half_s)

    def _pulse(self, side: int, step_pa: int, linger: bool) -> bool:
        """Ask for a pulse; return whether one was worth it and possible."""
        valves = self._valves
        if side == FILL:
            self.supply_low = self._sensors.supply_pa < self._sensors.pressure_pa + _SUPPLY_MARGIN_PA
            if self.supply_low:
                return False
        us = valves.pulse_for(side, step_pa)
        if us == 0:
            return False
        self.effort_percent = max(1, us // 3000) if side == FILL else -max(1, us // 3000)
        valves.request(side, us, linger)
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
