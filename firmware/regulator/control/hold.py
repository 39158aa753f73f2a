"""Holding a pressure: whether an error is worth a pulse, and by how much to correct it.

The constants are chosen on the simulated plant unless they name another source.
"""

from regulator.control.drift import UNKNOWN_PA, Drift
from regulator.control.plan import PULSE_WORTH_S, SWING_MARGIN_PA, Situation, margin_pa, planned_pa
from regulator.valves.sides import FILL, IMMEDIATE_PER_SETTLED_PERCENT, TRUSTED, VENT

# Shares of the dead-band in percent: how far past the target a pulse should settle, and how far its immediate step may
# reach. The rest up to 100 allows for jitter of the pulse, noise and delay.
_PAST_PERCENT = 50
_PEAK_PERCENT = 93
# Reach while the gas cools or warms after a ramp, when every pulse is long. The pulse is due earlier by what the
# pressure moves in 0.1 s: a line of 50 ms whose lag is not known yet, and 50 ms of opening.
_WARM_PEAK_PERCENT = 75
_UNSEEN_TICKS = 5
# Allowance for overshoot of the requested step, in percent, by the number of judged pulses of the valve.
_KNOWN = 6
_OFF_PERCENT = 5
_LEARNING_OFF_PERCENT = 10
_UNKNOWN_OFF_PERCENT = 20
# For this time after a pulse the other side does not correct an error that may be its overshoot.
_REGRET_S = 15
# A pulse that fell far short (of a valve being learned) may be followed up in this time; later the pressure may return
# by itself.
_FOLLOW_S = 45
_FOLLOW_MOST_S = 90
# After this time the gas is back at the wall temperature, and the pressure shows the drift again.
_RESTED_S = 90
# With a swing of the wall: how far past the target, as a share of what the swing leaves of the dead-band.
_PAST_SWING_PERCENT = 70
# A dead-band up to this one has no allowance for a swing: who sets it wants it kept. Design choice.
_STRICT_PA = 2_000
# Mean deviation of the samples that the shares above include.
_USUAL_NOISE_PA = 400
# Samples required since the last pulse.
_SAMPLES = 8
# Smallest dead-band, as a share of the largest settled step of the shortest pulse.
_COARSE_PERCENT = 75


class Hold:
    """Decides on corrections within the dead-band. Pressures in Pa; an error is positive where its side is needed."""

    def __init__(self, settings, sensors, valves):
        self._settings = settings
        self._sensors = sensors
        self._valves = valves
        self.drift = Drift()
        self.coarse_pa = 0  # dead-band that the shortest pulses can keep
        self._pulse_pa = 0  # without the margin of its trigger
        self._now = Situation()
        self._taught = 0  # pulses that coarse_pa takes into account
        self._observed_s = 0
        self._side = -1  # the last correction
        self._at_s = -_REGRET_S
        self._step_pa = 0
        self._fell_short = False
        self.configure()

    def configure(self):
        """Read the settings."""
        self._band_pa = self._settings.get("dead_band_pa")
        self._allowance_pa = 0 if self._band_pa <= _STRICT_PA else self._settings.get("swing_allowance_pa")

    def band_is_widened(self) -> bool:
        """Return whether the valves are too coarse for the dead-band that was set."""
        return self.coarse_pa > self._band_pa

    def forget(self):
        """Restart the estimators, because a ramp is neither a swing nor a drift."""
        self._sensors.oven.forget()
        self.drift.forget()
        self._fell_short = False

    def observe(self):
        """Update the estimators with the results of pulses and the free pressure."""
        sensors = self._sensors
        taught = self._valves.verdict.taught
        if taught != self._taught:
            self._taught = taught
            self._weigh_pulses()
        now_s = sensors.age_s
        if now_s != self._observed_s and now_s - self._at_s > _RESTED_S:
            self._observed_s = now_s
            self._observe_drift(now_s)

    def _observe_drift(self, now_s: int):
        sensors = self._sensors
        free_pa = sensors.settled_pa - sensors.swing_pa()
        self.drift.update(free_pa, sensors.swing_amplitude_pa() != 0, now_s)
        self._now.worth(max(self._band_pa, self.coarse_pa), self._both_ways_pa(now_s))

    def _both_ways_pa(self, now_s: int) -> int:
        drift = self.drift
        return drift.over_pa(True, PULSE_WORTH_S, now_s) + drift.over_pa(False, PULSE_WORTH_S, now_s)

    def corrected(self, side: int, step_pa: int):
        """Note that a pulse for a step of `step_pa` was requested."""
        self._side = side
        self._at_s = self._sensors.age_s
        self._step_pa = step_pa
        self.drift.moved()

    def step_pa(self, side: int, target_pa: int, error_pa: int) -> int:
        """Return the immediate step to request of `side`, 0 for none; `error_pa` is target minus pressure."""
        band_pa = max(self._band_pa, self.coarse_pa)
        if abs(error_pa) * 4 < band_pa or self._sensors.pressure.samples < _SAMPLES:
            return 0
        now = self._now
        now.begin(error_pa if side == FILL else -error_pa, band_pa)
        # 30 % of a slight overshoot reverses by itself, before the gas sensor shows it.
        if side != self._side and self._since_s() < _REGRET_S and now.error_pa < 2 * band_pa:
            return 0
        return self._considered_pa(side, target_pa)

    def _since_s(self) -> int:
        """Return the time since the last correction in s."""
        return self._sensors.age_s - self._at_s

    def _considered_pa(self, side: int, target_pa: int) -> int:
        sensors = self._sensors
        now = self._now
        now.see(
            target_pa - sensors.settled_pa, sensors.swing_pa(), sensors.swing_amplitude_pa(), side == VENT
        )
        warm = abs(now.staying_pa - now.error_pa) > now.band_pa
        # If the shortest pulse is too coarse for the dead-band, a later pulse ends closer to the target.
        early = warm and now.band_pa == self._band_pa
        pressure = sensors.pressure
        unseen_pa = abs(pressure.ahead_pa(_UNSEEN_TICKS) - pressure.ahead_pa(0)) if early else 0
        now.aim(now.band_pa - max(min(unseen_pa, now.band_pa >> 2), margin_pa(now.band_pa)), self._pulse_pa)
        peak_pa = self._peak_pa(side, warm)
        room_pa = self._room_pa(side, now.error_pa + max(peak_pa, 0))
        # No plan for a valve that is being learned: its pulses come one by one, at the edge of the dead-band.
        known = now.edge_pa > 0 and self._valves.responses[side].judged >= TRUSTED
        left_pa = self.drift.left_pa(side == FILL, sensors.age_s) if known else UNKNOWN_PA
        if left_pa != UNKNOWN_PA:
            most_pa = (now.trigger_pa + peak_pa) * 100 // IMMEDIATE_PER_SETTLED_PERCENT
            leaves_pa = room_pa * 100 // IMMEDIATE_PER_SETTLED_PERCENT
            aim_pa = planned_pa(now, left_pa, most_pa, leaves_pa)
        else:
            aim_pa = self._unplanned_pa(side)
        return min(aim_pa * IMMEDIATE_PER_SETTLED_PERCENT // 100, room_pa)

    def _peak_pa(self, side: int, warm: bool) -> int:
        """Return how far beyond the target the immediate step of a pulse may reach."""
        valves = self._valves
        # If the other valve widened the dead-band, this one may still not reach further.
        own_pa = min(self._now.band_pa, max(self._band_pa, valves.smallest_step_pa(side)))
        peak_percent = _WARM_PEAK_PERCENT if warm else _PEAK_PERCENT
        noise_pa = max(self._sensors.pressure.noise_pa() - _USUAL_NOISE_PA, 0)
        if valves.responses[side].judged >= _KNOWN:
            noise_pa //= 2
        return own_pa * peak_percent // 100 - valves.jitter_pa(side) - noise_pa

    def _room_pa(self, side: int, reach_pa: int) -> int:
        """Return the largest step to request that moves the pressure by `reach_pa` at most."""
        response = self._valves.responses[side]
        off_percent = _OFF_PERCENT
        if response.judged < _KNOWN:
            off_percent = _LEARNING_OFF_PERCENT if response.judged >= TRUSTED else _UNKNOWN_OFF_PERCENT
        off_percent += response.more_percent(self._sensors.age_s)
        room_pa = reach_pa * 100 // (100 + off_percent)
        if response.silent > 1:
            # Valves.pulse_for() lengthens these pulses.
            room_pa = room_pa * 4 // (3 + response.silent)
        return room_pa

    def _unplanned_pa(self, side: int) -> int:
        """Return the lasting step if no turning point is foreseen; 0 while none is needed."""
        now = self._now
        amplitude_pa = now.amplitude_pa
        if now.error_pa <= now.trigger_pa:
            if not self._may_follow(side):
                return 0
        elif now.staying_pa * 2 < now.band_pa:
            return 0
        if not amplitude_pa:
            # Past the target, to delay the next correction, but within the dead-band.
            return now.staying_pa + now.band_pa * _PAST_PERCENT // 100
        if now.edge_pa > 0:
            # Not so far that the other end of the swing would need the other valve.
            past_pa = now.edge_pa * _PAST_SWING_PERCENT // 100
            return now.lasting_pa + past_pa + self._drift_pa(side)
        return self._swinging_pa(side)

    def _may_follow(self, side: int) -> bool:
        """Return whether a correction that fell far short may be followed up now."""
        now = self._now
        follows = self._fell_short and side == self._side and _FOLLOW_S < self._since_s() <= _FOLLOW_MOST_S
        return follows and now.lasting_pa * 2 > now.band_pa

    def _swinging_pa(self, side: int) -> int:
        """Return the lasting step if the swing alone fills the dead-band; 0 while none is needed."""
        now = self._now
        edge_pa = now.edge_pa
        allowed_pa = self._allowance_pa if now.swing_pa < 0 else 0
        if now.error_pa <= now.trigger_pa + allowed_pa:
            return 0
        past_pa = max(-edge_pa - self._allowance_pa, 0) + SWING_MARGIN_PA
        # A growing swing needs only a small step, but one that is clear beside the noise, or a pulse that was too short
        # to open the valve is repeated and repeated.
        least_pa = self._valves.smallest_step_pa(side) * 100 // IMMEDIATE_PER_SETTLED_PERCENT
        return max(now.lasting_pa + past_pa, least_pa, now.band_pa >> 2)

    def _weigh_pulses(self):
        """Update the dead-band that the valves can keep after a new result.

        It is 0.75 of the largest settled step of the shortest pulse, so that a pulse from one edge does not reach the
        other edge, and the margin at which a pulse is due.
        """
        valves = self._valves
        step_pa = max(
            valves.smallest_step_pa(FILL) + valves.jitter_pa(FILL),
            valves.smallest_step_pa(VENT) + valves.jitter_pa(VENT),
        )
        self._pulse_pa = step_pa * _COARSE_PERCENT // IMMEDIATE_PER_SETTLED_PERCENT
        self.coarse_pa = self._pulse_pa + margin_pa(self._pulse_pa) if step_pa else 0
        side = valves.side
        self._fell_short = valves.responses[side].response_pa * 2 < self._step_pa

    def _drift_pa(self, side: int) -> int:
        """Return the drift during half a swing: from the estimator, or from the last pulse of this side if larger."""
        half_s = self._sensors.oven.half_s()
        now_s = self._sensors.age_s
        known_pa = self.drift.over_pa(side == FILL, half_s, now_s)
        if self._side != side:
            return known_pa
        lasting_pa = self._step_pa * 100 // IMMEDIATE_PER_SETTLED_PERCENT
        return max(known_pa, lasting_pa * half_s // max(now_s - self._at_s, half_s))
