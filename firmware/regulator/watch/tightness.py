"""Watches the pressure with all valves shut. Constants without another source are chosen on the simulated plant."""

from regulator.faults import FILL_STUCK_OPEN, LINE_BURST, NO_FAULT, RELIEF_STUCK_OPEN, VENT_STUCK_OPEN
from regulator.fixed import muldiv
from regulator.measure.transducer import VALID
from regulator.valves.heat import back_pa, left_by_pa
from regulator.valves.sides import FILL, VENT

# After this time the closing delay, the lag of a quick transducer and the median filter are over; a slow one takes
# three of its time constants more.
_SHUT_MS = 60
# Movements are judged over up to 10 samples, and over up to 10 samples of every tenth tick.
_SAMPLES = 10
# A movement counts above this share of the open valve's effect, this many Pa, and this many times the noise.
_SHARE_PERCENT = 35
_LEAST_PA = 8_000
_LEAST_NOISE = 16
# Rate of an unknown valve, and the largest one with the valves shut: a fall that empties the chamber within seconds
# must not pass because the vent would be faster still.
_UNKNOWN_PA_S = 300_000
_FASTEST_PA_S = 5_000_000
# The noise counts up to this much, and its rise is followed with this mean (64 calls).
_NOISE_MOST_PA = 12_000
_NOISE_SHIFT = 6
# A burst is faster than the vent by this factor and moves this much in this many samples, on both transducers.
_BURST_PERCENT = 200
_BURST_LEAST_PA = 100_000
_BURST_SAMPLES = 5
# The safety transducer must confirm a movement, as a mean of about four samples: what only one of them saw is none. One
# that repeats its counts for this long tells nothing of a movement up to _STILL_MOST_PA.
_SAFETY_SHIFT = 2
_SAFETY_STILL_MS = 400
_STILL_MOST_PA = 100_000
# Noise of that ADC from sample to sample: four sigma.
_SAFETY_NOISE_PA = 50_000
# A fall within this time after the relief valve was open is attributed to it.
_RELIEF_MS = 5_000
# The fault ends after this time without a movement.
_STILL_MS = 2_000
# A fault needs this many samples with a movement, without a quiet window of _SAMPLES between them.
_HITS = 2
# A rise that nothing explains holds back a vent pulse, which would hide it, for this many samples.
_DOUBTS = 3


class Tightness:
    """`fault` is the present one, `value` its movement in Pa."""

    def __init__(self, sensors, valves, heat):
        self._sensors = sensors
        self._valves = valves
        self.fault = NO_FAULT
        self.value = 0
        self._heat = heat
        self._from_pa = 0  # pressure when the valves last shut or opened
        self._last_pa = -1  # no sample yet
        self._shut_ms = 0
        self._dt_ms = 0
        self._hits = 0
        self._doubts = 0  # samples in a row with a rise that nothing explains
        self._fast_pa = [0] * _SAMPLES
        self._safety_pa = [0] * _SAMPLES
        self._index = 0
        self._count = 0  # samples in _fast_pa since the valves shut
        self._slow_pa = [0] * _SAMPLES
        self._slow_safety_pa = [0] * _SAMPLES
        self._slow_index = 0
        self._slow_count = 0
        self._vents = False  # the vent isolation valve is open
        # Lowest pressure since it opened or since the last pulse began, by the control and the safety transducer.
        self._lowest_pa = 0
        self._lowest_safety_pa = 0
        self._since_lowest_ms = 0
        self._relief_ms = 0
        self._still_ms = 0
        self._rise_pa_s = _UNKNOWN_PA_S
        self._vent_pa_s = _UNKNOWN_PA_S
        self._fall_pa_s = _UNKNOWN_PA_S
        self._noise_pa = 0
        self._until_ms = _SHUT_MS
        self._safety_mean = 0  # of about four samples, Pa times 4
        self._least_pa = _LEAST_PA
        self._burst_pa = _BURST_LEAST_PA

    def refresh(self, dt_ms: int):
        """Update the thresholds from valves and noise, every eighth tick. `dt_ms` is the length of a tick."""
        valves = self._valves
        self._until_ms = _SHUT_MS + 3 * valves.verdict.lag_ms
        self._rise_pa_s = min(valves.rate_pa_s(FILL) or _UNKNOWN_PA_S, _FASTEST_PA_S)
        self._vent_pa_s = valves.rate_pa_s(VENT) or _UNKNOWN_PA_S
        self._fall_pa_s = min(self._vent_pa_s, _FASTEST_PA_S)
        # A drift looks like noise in the residuals of the fit, so a rise of the noise is followed slowly.
        noise_pa = min(self._sensors.pressure.noise_pa(), _NOISE_MOST_PA)
        if noise_pa > self._noise_pa:
            # Rounded up, so that it arrives.
            noise_pa = self._noise_pa - (self._noise_pa - noise_pa >> _NOISE_SHIFT)
        self._noise_pa = noise_pa
        self._least_pa = max(_LEAST_PA, _LEAST_NOISE * noise_pa)
        burst_pa = self._vent_pa_s // 1000 * (dt_ms * _BURST_SAMPLES) // 100 * _BURST_PERCENT
        self._burst_pa = max(_BURST_LEAST_PA, self._least_pa, burst_pa)

    def suspects(self) -> bool:
        """Return whether a rise needs a few more samples to be judged."""
        return 0 < self._doubts <= _DOUBTS

    def check(self, moving: bool, relief: bool, dt_ms: int):
        """Judge this tick's sample. `moving`: a pulse or a proof may move gas; `relief`: the relief valve is open."""
        pa = self._sensors.control_pa
        if self._sensors.control.band != VALID or pa < 0:
            # No absolute pressure is below zero: a reading at the end of its range shows no fall.
            self._last_pa = -1
            self._watch_safety_alone(moving or relief)
            return
        self._follow_safety()
        if self._last_pa < 0:
            self._restart(pa)
        self._last_pa = pa
        self._dt_ms = dt_ms
        if relief:
            self._relief_ms = _RELIEF_MS
        else:
            self._watch_burst(dt_ms)
        if moving or relief:
            if self._shut_ms >= self._until_ms:
                self._end_shut(pa)
                self._begin_vent(pa)
            self._shut_ms = self._doubts = 0
        rises = self._rises_in_vent(dt_ms)
        if self._shut_ms < self._until_ms:
            self._shut_ms += dt_ms
            self._count = self._slow_count = 0
            if self._shut_ms >= self._until_ms:
                self._end_moving(pa)
        else:
            self._watch_shut(rises)
        self._keep(pa)

    def _follow_safety(self):
        safety_pa = self._sensors.safety.pa
        if self._safety_mean:
            self._safety_mean += safety_pa - (self._safety_mean >> _SAFETY_SHIFT)
        else:
            self._safety_mean = safety_pa << _SAFETY_SHIFT

    def _keep(self, pa: int):
        index = self._index
        self._fast_pa[index] = pa
        self._safety_pa[index] = self._safety_mean >> _SAFETY_SHIFT
        self._index = index + 1 if index + 1 < _SAMPLES else 0

    def _watch_burst(self, dt_ms: int):
        if self._relief_ms > 0:
            self._relief_ms -= dt_ms
        before = self._index - _BURST_SAMPLES
        moved_pa = self._last_pa - self._fast_pa[before]
        if -moved_pa > self._burst_pa:
            self._judge_burst(moved_pa, self._safety_pa[before])

    def _rises_in_vent(self, dt_ms: int) -> bool:
        vents = self._valves.isolation == VENT
        if vents != self._vents:
            self._vents = vents
            self._begin_vent(self._last_pa)
        return vents and self._since_lowest_ms < dt_ms * _SAMPLES and self._watch_vent(self._last_pa, dt_ms)

    def _watch_shut(self, rises: bool):
        count = self._count
        if count and not rises:
            before = self._index - count
            moved_pa = self._last_pa - self._fast_pa[before]
            if moved_pa > self._least_pa or moved_pa < -self._least_pa:
                self._judge(moved_pa, count * self._dt_ms, self._safety_pa[before])
            else:
                self._doubts = 0
                if count == _SAMPLES:
                    self._hits = 0
        if count < _SAMPLES:
            self._count = count + 1
        if self._index == 0:
            self._watch_slowly(self._last_pa, self._dt_ms * _SAMPLES)
        if self.fault:
            self._still_ms += self._dt_ms
            if self._still_ms >= _STILL_MS:
                self.fault = NO_FAULT

    def cool(self, dt_ms: int):
        """Fade the remaining heat; `dt_ms` since the last call, at most 1 s."""
        pa = self._last_pa
        if pa < 0:
            return
        if self._shut_ms < self._until_ms:
            self._end_moving(pa)
        self._heat.fade(dt_ms, pa)

    def _end_moving(self, pa: int):
        self._heat.move(pa - self._from_pa)
        self._from_pa = pa

    def _end_shut(self, pa: int):
        self._heat.give_back(pa - self._from_pa)
        self._from_pa = pa

    def _restart(self, pa: int):
        self._last_pa = pa
        self._from_pa = pa
        self._shut_ms = 0
        for index in range(_SAMPLES):
            self._fast_pa[index] = pa
            self._safety_pa[index] = self._safety_mean >> _SAFETY_SHIFT

    def _begin_vent(self, pa: int):
        self._lowest_pa = pa
        self._lowest_safety_pa = self._safety_mean >> _SAFETY_SHIFT
        self._since_lowest_ms = 0

    def _watch_vent(self, pa: int, dt_ms: int) -> bool:
        """Judge a rise while the vent side is open, beyond the heat of its own pulse; return whether there was one."""
        if pa <= self._lowest_pa:
            self._begin_vent(pa)
            self._hits = 0
            return False
        self._since_lowest_ms += dt_ms
        ms = self._since_lowest_ms
        own_pa = back_pa(left_by_pa(self._from_pa - self._lowest_pa), ms, pa)
        if pa - self._lowest_pa <= self._least_pa + own_pa:
            return False
        self._judge(pa - self._lowest_pa, ms, self._lowest_safety_pa)
        return True

    def _watch_slowly(self, pa: int, ms: int):
        """Judge movements over ten times as long; `ms` between the calls."""
        count = self._slow_count
        index = self._slow_index
        if count:
            moved_pa = pa - self._slow_pa[index - count]
            if moved_pa > self._least_pa or moved_pa < -self._least_pa:
                # Over this time one sample is enough.
                self._hits = _HITS
                self._judge(moved_pa, count * ms, self._slow_safety_pa[index - count])
        self._slow_pa[index] = pa
        self._slow_safety_pa[index] = self._safety_mean >> _SAFETY_SHIFT
        self._slow_index = index + 1 if index + 1 < _SAMPLES else 0
        if count < _SAMPLES:
            self._slow_count = count + 1

    def _judge(self, moved_pa: int, ms: int, safety_from_pa: int):
        """Report a movement unless heat explains it. The safety transducer must confirm a large one."""
        # Movement from the shutting of the valves to the first of these samples.
        before_pa = self._last_pa - moved_pa - self._from_pa
        if moved_pa > 0:
            rate_pa_s = self._rise_pa_s
            over_pa = moved_pa - self._heat.cold.back_pa(before_pa, ms, self._last_pa)
        else:
            rate_pa_s = self._fall_pa_s
            over_pa = -moved_pa - self._heat.warm.back_pa(-before_pa, ms, self._last_pa)
        if over_pa < self._least_pa:
            self._doubts = 0
            return
        if moved_pa > 0:
            self._doubts += 1
        if over_pa < muldiv(rate_pa_s, ms * _SHARE_PERCENT, 100_000):
            return
        if not self._safety_saw(moved_pa, safety_from_pa):
            return
        self._still_ms = 0
        self._hits += 1
        if self.fault or self._hits < _HITS:
            return
        self.value = moved_pa
        if moved_pa > 0:
            self.fault = FILL_STUCK_OPEN
        else:
            self.fault = self._name_fall()

    def _name_fall(self) -> int:
        if self._relief_ms > 0:
            return RELIEF_STUCK_OPEN
        # Only the last samples, because older ones may be from before the fall began.
        fallen_pa = self._fast_pa[self._index - _HITS] - self._last_pa
        if fallen_pa > muldiv(self._vent_pa_s, self._dt_ms * _HITS * _BURST_PERCENT, 100_000):
            return LINE_BURST
        return VENT_STUCK_OPEN

    def _judge_burst(self, moved_pa: int, safety_from_pa: int):
        """Report a fall faster than the vent as a burst, if the safety transducer confirms it or is invalid."""
        if not self._safety_saw(moved_pa, safety_from_pa) or -moved_pa < self._valves.unknown_pa(VENT):
            return
        self._still_ms = 0
        if self._relief_ms <= 0:
            # Also where another fault was seen first, because a burst stops the cycler.
            self.fault = LINE_BURST
            self.value = moved_pa
        elif not self.fault:
            self.fault = RELIEF_STUCK_OPEN
            self.value = moved_pa

    def _watch_safety_alone(self, moving: bool):
        """Without the control transducer a burst shows on the safety transducer, above its noise."""
        safety = self._sensors.safety
        index = self._index
        if safety.band != VALID or moving:
            self._count = 0
        elif self._count >= _BURST_SAMPLES:
            moved_pa = safety.pa - self._safety_pa[index - _BURST_SAMPLES]
            if self._count == _SAMPLES:
                # At a low pressure a burst passes the noise only over twice the time, still faster than the vent.
                moved_pa = min(moved_pa, safety.pa - self._safety_pa[index])
            if -moved_pa > self._burst_pa + _SAFETY_NOISE_PA:
                self.fault = LINE_BURST
                self.value = moved_pa
        if self._count < _SAMPLES:
            self._count += 1
        self._safety_pa[index] = safety.pa
        self._index = index + 1 if index + 1 < _SAMPLES else 0

    def _safety_saw(self, moved_pa: int, safety_from_pa: int) -> bool:
        """Return whether the safety transducer moved by at least 40 % of this, or is invalid."""
        safety = self._sensors.safety
        if safety.band != VALID or (safety.still_ms > _SAFETY_STILL_MS and abs(moved_pa) < _STILL_MOST_PA):
            return True
        seen_pa = (self._safety_mean >> _SAFETY_SHIFT) - safety_from_pa
        return seen_pa * 5 >= moved_pa * 2 if moved_pa > 0 else seen_pa * 5 <= moved_pa * 2
