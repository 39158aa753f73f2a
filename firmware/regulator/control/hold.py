"""Which error of a hold is worth a pulse, and how large a one."""

from regulator.control.drift import UNKNOWN_PA, Drift
from regulator.valves.learned import TRUSTED
from regulator.valves.window import FILL, IMMEDIATE_PER_SETTLED_PERCENT, VENT

# Shares of the dead-band in percent: where a pulse is asked for, how far past the target it should end up, and how high
# its immediate step may reach. What is left to 100 is for the jitter of the pulse, noise and the time it takes to act.
_TRIGGER_PERCENT = 96
_PAST_PERCENT = 50
_PEAK_PERCENT = 93
# While a turn is about to come anyway, it may go this far.
_COAST_PERCENT = 98
# The same while the gas of a ramp cools, or warms: the pressure moves fast, and every top-up is a long pulse.
_WARM_TRIGGER_PERCENT = 90
_WARM_PEAK_PERCENT = 75
# How far a pulse may go beyond what is asked for, in percent of it, by how often its valve was judged.
_KNOWN = 6
_OFF_PERCENT = 5
_LEARNING_OFF_PERCENT = 10
_UNKNOWN_OFF_PERCENT = 20
# So long after a pulse the other side does not answer to what is little more than its overshoot.
_REGRET_S = 15
# So long after a pulse that fell far short (a valve that is being learned) the next one may follow.
_FOLLOW_S = 45
# So long after a pulse the gas is as warm as the wall again: only then does the pressure tell of a drift.
_RESTED_S = 90
# However wide the dead-band is, a pulse is not put off beyond this error: the rest is for its peak. With a swing: nor
# beyond its amplitude and so much more.
_REACH_PA = 4_850
_REACH_SWING_PA = 2_800
# What one of the pulses to a turn may leave: a share of the dead-band and a constant, and at most so many times what a
# swing leaves of the dead-band.
_WIDEST_PERCENT = 20
_WIDEST_PA = 5_200
_WIDEST_EDGES = 4
_MORE_PERCENT = 109
# It is asked for while the oven's ripple helps, so that its peak is low: from this share of it on, in percent.
_EARLY_PERCENT = 65
# Where the wall temperature swings: share of what the swing leaves of the dead-band, and a margin for its prediction.
_PAST_SWING_PERCENT = 70
_SWING_MARGIN_PA = 700
# From so many pulses on to the turn, each is as large as it may be.
_MANY = 5
# Mean deviation of the samples that the shares above allow for.
_USUAL_NOISE_PA = 400
# Samples since the last pulse before a hold is judged.
_SAMPLES = 8


class Hold:
    """Decides on corrections within the dead-band. Pressures in Pa; an error is positive where its side is needed."""

    def __init__(self, settings, sensors, valves):
        self._settings = settings
        self._sensors = sensors
        self._valves = valves
        self.drift = Drift()
        self.coarse_pa = 0  # dead-band that the shortest pulses can keep
        self._observed_s = 0
        self._side = -1  # the last correction
        self._at_s = -_REGRET_S
        self._step_pa = 0
        self._fell_short = False
        self.configure()

    def configure(self):
        """Read the settings."""
        self._band_pa = self._settings.get("dead_band_pa")
        self._allowance_pa = self._settings.get("swing_allowance_pa")

    def band_is_widened(self) -> bool:
        """Return whether the valves are too coarse for the dead-band that was set."""
        return self.coarse_pa > self._band_pa

    def forget(self):
        """A ramp: what it does to the gas and the wall is neither a swing nor a drift."""
        self._sensors.ripple.forget()
        self.drift.forget()
        self._fell_short = False

    def observe(self):
        """Follow what pulses do and where the pressure would go without them."""
        valves = self._valves
        sensors = self._sensors
        if valves.learned:
            valves.learned = False
            self._weigh_pulses()
        now_s = sensors.age_s
        if now_s != self._observed_s and now_s - self._at_s > _RESTED_S:
            self._observed_s = now_s
            swings = sensors.swing_amplitude_pa() != 0
            self.drift.update(sensors.settled_pa - sensors.swing_pa(), swings, now_s)

    def corrected(self, side: int, step_pa: int):
        """A pulse for a step of `step_pa` was asked for."""
        self._side = side
        self._at_s = self._sensors.age_s
        self._step_pa = step_pa
        self.drift.moved()

    def step_pa(self, side: int, target_pa: int, error_pa: int) -> int:
        """Return the immediate step to ask of `side`, 0 for none; `error_pa` (target less pressure) calls for it."""
        band_pa = max(self._band_pa, self.coarse_pa)
        if abs(error_pa) * 4 < band_pa or self._sensors.samples < _SAMPLES:
            return 0
        return self._considered_pa(side, target_pa, error_pa, band_pa)

    def _considered_pa(self, side: int, target_pa: int, error_pa: int, band_pa: int) -> int:
        sensors = self._sensors
        staying_pa = target_pa - sensors.settled_pa
        swing_pa = sensors.swing_pa()
        if side == VENT:
            error_pa = -error_pa
            staying_pa = -staying_pa
            swing_pa = -swing_pa
        since_s = sensors.age_s - self._at_s
        # A pulse that went a little too far takes back 30 % by itself, before the gas sensor has noticed.
        if side != self._side and since_s < _REGRET_S and error_pa < 2 * band_pa:
            return 0
        warm = abs(staying_pa - error_pa) > band_pa
        # A pulse that cannot be made smaller lands the better the later it is.
        early = warm and band_pa == self._band_pa
        trigger_pa = band_pa * (_WARM_TRIGGER_PERCENT if early else _TRIGGER_PERCENT) // 100
        peak_pa = self._peak_pa(side, band_pa, warm)
        room_pa = self._room_pa(side, error_pa + max(peak_pa, 0))
        # What the swing adds reverses by itself: the rest of the error is what a pulse is for.
        lasting_pa = staying_pa + swing_pa
        edge_pa = trigger_pa - sensors.swing_amplitude_pa()
        # A valve that is being learned takes its pulses one after the other, at the edge.
        known = edge_pa > 0 and self._valves.responses[side].judged >= TRUSTED
        left_pa = self.drift.left_pa(side == FILL, sensors.age_s) if known else UNKNOWN_PA
        if left_pa != UNKNOWN_PA:
            most_pa = (trigger_pa + peak_pa) * 100 // IMMEDIATE_PER_SETTLED_PERCENT
            leaves_pa = room_pa * 100 // IMMEDIATE_PER_SETTLED_PERCENT
            aim_pa = self._planned_pa(error_pa, lasting_pa, left_pa, edge_pa, most_pa, leaves_pa, band_pa)
        else:
            aim_pa = self._unplanned_pa(side, error_pa, staying_pa, swing_pa, trigger_pa, band_pa)
        return min(aim_pa * IMMEDIATE_PER_SETTLED_PERCENT // 100, room_pa)

    def _peak_pa(self, side: int, band_pa: int, warm: bool) -> int:
        """Return how far beyond the target the immediate step of a pulse may reach."""
        valves = self._valves
        # A band that the other valve made wider is no licence for this one to go further.
        own_pa = min(band_pa, max(self._band_pa, valves.smallest_step_pa(side)))
        peak_percent = _WARM_PEAK_PERCENT if warm else _PEAK_PERCENT
        noise_pa = max(self._sensors.noise_pa() - _USUAL_NOISE_PA, 0)
        if valves.responses[side].judged >= _KNOWN:
            noise_pa //= 2
        return own_pa * peak_percent // 100 - valves.jitter_pa(side) - noise_pa

    def _room_pa(self, side: int, reach_pa: int) -> int:
        """Return the largest step to ask for that moves the pressure no further than `reach_pa`."""
        response = self._valves.responses[side]
        off_percent = _OFF_PERCENT
        if response.judged < _KNOWN:
            off_percent = _LEARNING_OFF_PERCENT if response.judged >= TRUSTED else _UNKNOWN_OFF_PERCENT
        room_pa = reach_pa * 100 // (100 + off_percent)
        if response.silent > 1:
            # Its pulses are made longer.
            room_pa = room_pa * 4 // (3 + response.silent)
        return room_pa

    def _unplanned_pa(
        self, side: int, error_pa: int, staying_pa: int, swing_pa: int, trigger_pa: int, band_pa: int
    ) -> int:
        """Return the lasting step where no turn is foreseen; 0 while none is needed."""
        amplitude_pa = self._sensors.swing_amplitude_pa()
        lasting_pa = staying_pa + swing_pa
        edge_pa = trigger_pa - amplitude_pa
        reach_pa = min(trigger_pa, max(_REACH_PA, amplitude_pa + _REACH_SWING_PA, self.coarse_pa))
        if error_pa <= (trigger_pa if self.drift.returns(side == FILL) else reach_pa):
            since_s = self._sensors.age_s - self._at_s
            if not (
                self._fell_short and side == self._side and since_s > _FOLLOW_S and lasting_pa * 2 > band_pa
            ):
                return 0
        elif staying_pa * 2 < band_pa:
            return 0
        if not amplitude_pa:
            # Past the target, so that the next correction is further away, but never out of the band at once.
            return staying_pa + min(band_pa, reach_pa) * _PAST_PERCENT // 100
        if edge_pa > 0:
            # But not so far that the other end of the swing would call for the other valve.
            return lasting_pa + min(edge_pa, reach_pa) * _PAST_SWING_PERCENT // 100 + self._drift_pa(side)
        allowed_pa = min(self._allowance_pa, _SWING_MARGIN_PA - edge_pa) if swing_pa < 0 else 0
        if error_pa <= trigger_pa + allowed_pa:
            return 0
        past_pa = max(-edge_pa - self._allowance_pa, 0) + _SWING_MARGIN_PA
        # A swing that goes further than it did asks for little, but not for nothing.
        least_pa = self._valves.smallest_step_pa(side) * 100 // IMMEDIATE_PER_SETTLED_PERCENT
        return max(lasting_pa + past_pa, least_pa)

    def _planned_pa(
        self,
        error_pa: int,
        lasting_pa: int,
        left_pa: int,
        edge_pa: int,
        most_pa: int,
        room_pa: int,
        band_pa: int,
    ) -> int:
        """Return the lasting step of the first of as few pulses as the way to the turn needs; 0 while it can wait.

        The same number of pulses leaves the least rms when all are alike and the errors lie evenly about the target:
        each pulse at half a step before it, and the turn half a step off.
        """
        # A little more than foreseen, so that no small pulse is needed shortly before the turn.
        way_pa = lasting_pa + left_pa * _MORE_PERCENT // 100
        at_edge = error_pa * 100 > band_pa * _TRIGGER_PERCENT
        if way_pa > _MANY * most_pa:
            return most_pa if at_edge else 0
        smallest_pa = self.coarse_pa * 4 // 3
        widest_pa = min(band_pa * _WIDEST_PERCENT // 100 + _WIDEST_PA, edge_pa * _WIDEST_EDGES)
        widest_pa = max(widest_pa, smallest_pa)
        pulses = (way_pa * 20 - widest_pa * 13) // (widest_pa * 20) + 1
        if pulses <= 0:
            # The turn comes first, or all but. If it is late, half a pulse will do.
            return max(way_pa // 2, _SWING_MARGIN_PA) if error_pa * 100 > band_pa * _COAST_PERCENT else 0
        even_pa = max(way_pa * 2 // (2 * pulses + 1), smallest_pa)
        early = (
            lasting_pa * 2 >= even_pa and even_pa <= room_pa and error_pa * 100 >= even_pa * _EARLY_PERCENT
        )
        return even_pa if early or at_edge else 0

    def _weigh_pulses(self):
        """Take account of a pulse, and find the dead-band that the valves can keep.

        That is 0.75 of what the shortest pulse leaves at its largest, so that a pulse from either edge stays clear of
        the other one.
        """
        valves = self._valves
        step_pa = max(
            valves.smallest_step_pa(FILL) + valves.jitter_pa(FILL),
            valves.smallest_step_pa(VENT) + valves.jitter_pa(VENT),
        )
        self.coarse_pa = step_pa * 75 // IMMEDIATE_PER_SETTLED_PERCENT
        side = valves.side
        self._fell_short = valves.responses[side].response_pa * 2 < self._step_pa

    def _drift_pa(self, side: int) -> int:
        """Return the drift during half a swing: since the last turn, or as the last pulse of the side made up for."""
        half_s = self._sensors.ripple.half_s()
        now_s = self._sensors.age_s
        known_pa = self.drift.over_pa(side == FILL, half_s, now_s)
        if self._side != side:
            return known_pa
        lasting_pa = self._step_pa * 100 // IMMEDIATE_PER_SETTLED_PERCENT
        return max(known_pa, lasting_pa * half_s // max(now_s - self._at_s, half_s))
