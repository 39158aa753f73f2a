"""Learned response of one valve: immediate step = gain * flow * (pulse - dead time).

Constants without another source are chosen on the simulated plant.
"""

from regulator.fixed import muldiv
from regulator.valves.sides import TRUSTED

# Plausible gains in Pa/s per MPa: 1.45 C 99.7 kPa / V (ISO 6358), from C 1e-11 in 5 L to C 3.3e-9 in 0.08 L.
_GAIN_MIN = 300
_GAIN_MAX = 6_000_000
# Plausible dead times, and shortest pulses. The simulated valves open in 5 to 20 ms and close in 3 to 30 ms.
_DEAD_MIN_US = -20_000
_DEAD_MAX_US = 40_000
# Longest dead time that trial pulses without effect show; beyond it they were missed.
_TRIAL_DEAD_MAX_US = 26_000
_FLOOR_MAX_US = 100_000
# Suitable valves open within this time. A slower one shows because its pulses have no effect.
_FLOOR_KNOWN_US = 12_000
# Up to this length trial pulses grow by a quarter, then by half.
_TRIAL_FINE_US = 16_000
# Longest pulse, as a multiple of the longest one judged: short pulses predict long ones badly.
_GROWTH = 2
# The shortest pulse holds a valve open for at least this long, so that a gain can be computed.
_OPEN_LEAST_US = 500
# Judged pulses are counted up to here, and weigh this much in an anchor: more while there are few.
_JUDGED_MOST = 100
_FEW = 8
_WEIGHT_OF_FEW = 2
_WEIGHT = 6
# A step off by more than 2 x, beyond _JITTER_US of the pulse and half of what is clear, contradicts what was learned;
# after three in a row it is learned anew. The first pulse after _RESTED_S may come from a valve that sticks. From
# _SURE judged pulses on. Design choices.
# A seal that rested for ten minutes gives 0.5 to 1 of its flow in the first pulse [E]. Rests up to _SHORT_S have no
# such effect, those from _LONG_S on have it; between them a pulse is counted to what it is nearer to. While no pulse
# after a short rest has been seen, one may give up to _FRESH_PERCENT more than those after a long rest taught; where
# they are seldom, _SELDOM_PERCENT.
_SHORT_S = 450
_LONG_S = 750
_USUAL_MOST_S = 3_600
_FRESH_PERCENT = 60
_SELDOM_PERCENT = 15
_SHARE_LEAST = 40
_SHARE_MOST = 110
_JITTER_US = 1_500
_CONTRADICTIONS = 3
_RESTED_S = 60
_SURE = 8


class Response:
    """Gain, dead time and shortest opening pulse of one valve.

    Two anchors, running means of short and of long pulses, define a straight line of step over pulse length. Steps are
    divided by the flow: upstream pressure in kPa, times the subsonic fraction.

    What was learned before a start, or in a chamber that may have been exchanged, is only compared with the first
    pulses, which are those of an unknown valve, until one of them agrees.
    """

    def __init__(self, floor_us: int):
        self.gain = 0  # Pa/s per MPa; 0 until the first pulse with an effect
        self.dead_us = 0  # opening delay minus closing delay
        self.floor_us = floor_us  # shortest pulse to request
        self._trial_us = floor_us
        self._silent_us = 0  # longest trial pulse without effect
        self.judged = 0  # pulses learned from, at most _JUDGED_MOST
        self.missed = 0  # pulses without effect
        self.silent = 0  # consecutive pulses without effect
        self.response_pa = 0  # immediate step of the last pulse
        self._short_us = 0
        self._short_step = 0
        self._long_us = 0
        self._long_step = 0
        self._reach_us = 0  # longest pulse that was judged
        self.changed = False  # what was learned has been contradicted
        self._least_us = floor_us
        self._was = [0] * 8  # values of `learned` to be confirmed; the first one is 0 without any
        self._off = 0  # contradictions in a row
        self._last_off = 0  # direction in which the last pulse was off the line
        self._pulsed_s = -_RESTED_S
        self._usual_s = 0  # rest before a pulse, as a mean over the last few
        self._since_s = 0  # rest before the present pulse
        self._share_percent = 100  # flow of a pulse after a long rest
        self._fresh = False  # a pulse after a short rest has been judged

    def begin(self, now_s: int):
        """Note that a pulse begins."""
        self._since_s = now_s - self._pulsed_s
        self._usual_s += (min(self._since_s, _USUAL_MOST_S) - self._usual_s) // 2
        self._pulsed_s = now_s

    def share_percent(self, now_s: int) -> int:
        """Return the share of the flow that a pulse now would have, because its seal has rested."""
        return self._share_percent if now_s - self._pulsed_s >= _LONG_S else 100

    def more_percent(self, now_s: int) -> int:
        """Return by how much a pulse now may exceed its expected step, because most others came after a long rest."""
        if now_s - self._pulsed_s >= _LONG_S or self._usual_s <= _SHORT_S:
            return 0
        return _SELDOM_PERCENT if self._fresh else _FRESH_PERCENT

    def doubt(self):
        """Have what was learned confirmed by the next pulses."""
        if self.gain:
            self._remember(self.learned())
            self._unlearn()

    def forget(self):
        """Learn from nothing."""
        self._was[0] = 0
        self.changed = False
        self._unlearn()

    def learned(self) -> tuple:
        """Return the values to store across a reset, for `recall`."""
        if self._was[0]:
            return tuple(self._was)
        return (
            self.gain,
            self.dead_us,
            self.floor_us,
            self.judged,
            self._short_us,
            self._short_step,
            self._long_us,
            self._long_step,
        )

    def recall(self, values: tuple) -> bool:
        """Take values of `learned` to be confirmed; return False, and change nothing, if they are implausible."""
        gain, dead_us, floor_us, judged, short_us, short_step, long_us, long_step = values
        if not (
            _GAIN_MIN <= gain <= _GAIN_MAX
            and _DEAD_MIN_US <= dead_us <= _DEAD_MAX_US
            and self.floor_us <= floor_us <= _FLOOR_MAX_US
            and 0 < judged <= _JUDGED_MOST
            and 0 < short_us <= long_us <= 1_000_000
            and abs(short_step) < 1 << 28
            and abs(long_step) < 1 << 28
        ):
            return False
        self._remember(values)
        return True

    def _remember(self, values: tuple):
        for index in range(len(self._was)):
            self._was[index] = values[index]
        self._trial_us = min(self._was[2], _FLOOR_KNOWN_US)

    def _confirm(self):
        """Put what was remembered in force again."""
        was = self._was
        self.gain = was[0]
        self.dead_us = was[1]
        self.floor_us = was[2]
        self.judged = was[3]
        self._short_us = was[4]
        self._short_step = was[5]
        self._long_us = was[6]
        self._long_step = was[7]
        self._reach_us = max(self._reach_us, was[6])
        was[0] = 0

    def _unlearn(self):
        self.gain = self.judged = self.dead_us = self._off = self._reach_us = 0
        self._short_us = self._short_step = self._long_us = self._long_step = 0
        self.silent = self._silent_us = 0
        self.floor_us = self._least_us
        self._trial_us = max(self._least_us, min(self._was[2], _FLOOR_KNOWN_US) if self._was[0] else 0)
        self._share_percent = 100
        self._fresh = False

    def rate_pa_s(self, flow_kpa: int) -> int:
        """Return the rate of the open valve in Pa/s; 0 while unknown."""
        return muldiv(self.gain, flow_kpa, 1000)

    def step_pa(self, us: int, flow_kpa: int) -> int:
        """Return the expected immediate step of a pulse; 0 while unknown."""
        if us <= self.dead_us:
            return 0
        return muldiv(self.rate_pa_s(flow_kpa), us - self.dead_us, 1_000_000)

    def expected_pa(self, us: int, flow_kpa: int) -> int:
        """Return the same for the present pulse, by the rest before it."""
        share_percent = self._share_percent if self._since_s >= _LONG_S else 100
        return self.step_pa(us, flow_kpa) * share_percent // 100

    def most_pa(self, us: int, flow_kpa: int) -> int:
        """Return the step of a pulse of the largest plausible valve that opens at once and shuts late."""
        return muldiv(muldiv(_GAIN_MAX, flow_kpa, 1000), us - _DEAD_MIN_US, 1_000_000)

    def smallest_pa(self, flow_kpa: int) -> int:
        """Return the immediate step of the shortest pulse that opens the valve."""
        return self.step_pa(self._shortest_us(), flow_kpa)

    def _shortest_us(self) -> int:
        return max(self.floor_us, self.dead_us + _OPEN_LEAST_US)

    def pulse_us(self, step_pa: int, flow_kpa: int, longest_us: int) -> int:
        """Return the pulse for a step, a multiple of 0.1 ms up to `longest_us`; 0 if even the shortest is too long.

        For an unknown valve this is a trial pulse, which starts at the shortest one and grows until one has an effect.
        """
        if flow_kpa <= 0:
            return 0
        if self.gain == 0:
            return min(self._trial_us, longest_us)
        rate = max(self.rate_pa_s(flow_kpa), 1)
        seconds_5 = rate // 5  # the step of 0.2 s, so that the quotient below stays small
        us = longest_us if step_pa > 10 * seconds_5 else muldiv(step_pa, 10_000, rate) * 100 + self.dead_us
        if us < self._shortest_us():
            return self._shortest_us() if step_pa * 2 >= self.smallest_pa(flow_kpa) else 0
        return min(us, longest_us, self._reach_us * _GROWTH)

    def skip_trials(self, other, step_pa: int, flow_kpa: int):
        """Begin the trials of an unknown valve nearer to where those of the other side's valve had an effect.

        At three quarters of the longest one without, but no longer than lets a valve that opens at once and flows like
        the other one make a third of the step.
        """
        rate_pa_s = other.rate_pa_s(flow_kpa)
        if rate_pa_s:
            quick_us = self._least_us + muldiv(step_pa // 3, 1_000_000, rate_pa_s)
            self._trial_us = max(self._trial_us, min(other._silent_us * 3 // 4, quick_us))

    def judge(self, us: int, step_pa: int, flow_kpa: int, clear_pa: int):
        """Learn from a pulse of `us` that stepped the pressure by `step_pa`, positive in the direction of its side.

        Steps below `clear_pa` are indistinguishable from noise.
        """
        self.response_pa = step_pa
        if flow_kpa <= 0:
            return
        if self.gain == 0:
            if step_pa < clear_pa:
                self._try_longer(us)
                return
            # The longest pulse without an effect ended when the valve began to open, so this one held it open for the
            # rest of its length. If it opened before, the gain is too high, and the next pulses are short.
            dead_us = max(min(self._silent_us, _TRIAL_DEAD_MAX_US, us - _OPEN_LEAST_US), 0)
            self.floor_us = max(self.floor_us, min(us, _FLOOR_KNOWN_US))
            self.dead_us = dead_us
        else:
            expected_pa = self.expected_pa(us, flow_kpa)
            if expected_pa < clear_pa and step_pa < 2 * clear_pa:
                return
            if lacks_effect(step_pa, expected_pa, clear_pa):
                self._note_silence(us)
                return
            if self.judged >= _SURE and self._since_s <= _RESTED_S:
                slack_pa = clear_pa // 2 + self._jitter_pa(self.gain, flow_kpa)
                if self._is_outlier(step_pa, expected_pa, slack_pa):
                    return
        self.silent = 0
        self._reach_us = max(self._reach_us, us)
        if self._was[0]:
            self._compare(us, step_pa, flow_kpa, clear_pa // 2)
        if self.judged < _JUDGED_MOST:
            self.judged += 1
        step_pa = self._as_fresh(step_pa, self.step_pa(us, flow_kpa))
        self._follow(us, step_pa, self.step_pa(us, flow_kpa))
        self._anchor(us, muldiv(step_pa, 1000, flow_kpa))
        self._fit()

    def _as_fresh(self, step_pa: int, full_pa: int) -> int:
        """Return the step of the same pulse after a short rest; learn what a long rest does. `full_pa`: expected so."""
        share = self._share_percent
        rested = self._since_s >= _LONG_S
        if not rested and self._since_s > _SHORT_S:
            rested = abs(step_pa - full_pa * share // 100) < abs(step_pa - full_pa)
        if full_pa <= 0 or (rested and not self._fresh):
            return step_pa
        percent = min(max(step_pa * 100 // full_pa, 1), 250)
        if rested:
            share += (min(max(percent, _SHARE_LEAST), _SHARE_MOST) - share) // 3
            self._share_percent = share
            return step_pa * 100 // share
        if not self._fresh:
            self._fresh = True
            if self._usual_s > _SHORT_S and percent > 100:
                # What was learned so far is what pulses do after a long rest.
                self._share_percent = max(10_000 // percent, _SHARE_LEAST)
                self._scale(percent, 100)
        return step_pa

    def _scale(self, by: int, of: int):
        """Move the whole line to by/of."""
        self._short_step = muldiv(self._short_step, by, of)
        self._long_step = muldiv(self._long_step, by, of)

    def _follow(self, us: int, step_pa: int, expected_pa: int):
        """Move the whole line halfway where two pulses in a row are off by more than a sixth in one direction.

        A seal that wears changes the flow of all pulses alike. Of a pulse that is mostly dead time, a dead time that is
        a little wrong changes as much, and long pulses do what they did.
        """
        off_pa = step_pa - expected_pa
        off = 0
        if abs(off_pa) * 6 > expected_pa > 0 and us >= 2 * self.dead_us:
            off = 1 if off_pa > 0 else -1
            if off == self._last_off:
                self._scale(step_pa + expected_pa, 2 * expected_pa)
        self._last_off = off

    def _is_outlier(self, step_pa: int, expected_pa: int, slack_pa: int) -> bool:
        """Return whether to ignore a pulse that contradicts what was learned; after some in a row, learn anew."""
        if not _contradicts(step_pa, expected_pa, slack_pa):
            self._off = 0
            return False
        self._off += 1
        if self._off < _CONTRADICTIONS:
            return True
        self.changed = True
        self._unlearn()
        return False

    def _compare(self, us: int, step_pa: int, flow_kpa: int, slack_pa: int):
        """Confirm what was remembered if this pulse agrees with it; drop it after pulses that do not."""
        was = self._was
        expected_pa = muldiv(muldiv(was[0], flow_kpa, 1000), max(us - was[1], 0), 1_000_000)
        # A step that should not have been clear agrees by chance.
        agrees = expected_pa >= 2 * slack_pa and not _contradicts(
            step_pa, expected_pa, slack_pa + self._jitter_pa(was[0], flow_kpa)
        )
        if agrees:
            self._confirm()
        elif self.judged >= _CONTRADICTIONS:
            # Beside the first one, which may come after a rest.
            was[0] = 0
            self.changed = True

    def _jitter_pa(self, gain: int, flow_kpa: int) -> int:
        return muldiv(muldiv(gain, flow_kpa, 1000), _JITTER_US, 1_000_000)

    def _try_longer(self, us: int):
        self._silent_us = us
        self._trial_us = us * 5 // 4 if us < _TRIAL_FINE_US else us * 3 // 2

    def _note_silence(self, us: int):
        """Count a pulse without effect: one may fail, two in a row are too short."""
        self.missed += 1
        self.silent += 1
        if (self.silent > 1 or us > self._long_us) and self.judged < TRUSTED:
            # The apparent effect of the first pulses was noise, so the valve is still unknown.
            self.gain = self.judged = 0
            self._short_us = self._short_step = self._long_us = self._long_step = 0
            self._try_longer(us)
        elif self.silent > 1 and us < 2 * self.floor_us:
            self.floor_us = min(max(self.floor_us, us) * 9 // 8, _FLOOR_MAX_US)

    def _anchor(self, us: int, step: int):
        """Move the anchor nearer to the pulse length, or replace an anchor that the pulse lies far beyond."""
        weight = _WEIGHT_OF_FEW if self.judged < _FEW else _WEIGHT
        # Nearer by ratio, so compared with the geometric mean; in 0.1 ms, so that the squares stay small.
        to_long = (us // 100) * (us // 100) > (self._long_us // 100) * (self._short_us // 100)
        if self._long_us == 0 or us * 2 > self._long_us * 3:
            self._long_us = us
            self._long_step = step
        elif to_long:
            self._long_us += (us - self._long_us) // weight
            self._long_step += (step - self._long_step) // weight
        if self._short_us == 0 or us * 3 < self._short_us * 2:
            self._short_us = us
            self._short_step = step
        elif not to_long:
            self._short_us += (us - self._short_us) // weight
            self._short_step += (step - self._short_step) // weight

    def _fit(self):
        long_us = self._long_us
        short_us = self._short_us
        steps = self._long_step + self._short_step
        if long_us * 2 > short_us * 3 and self._long_step > self._short_step:
            gain = max(muldiv(self._long_step - self._short_step, 1_000_000, long_us - short_us), 1)
            dead_us = short_us - muldiv(self._short_step, 1_000_000, gain)
            self.dead_us = min(max(dead_us, _DEAD_MIN_US), _DEAD_MAX_US, short_us - _OPEN_LEAST_US)
            if self.dead_us == dead_us:
                self.gain = min(max(gain, _GAIN_MIN), _GAIN_MAX)
                return
        # Anchors too close together, or an implausible line: keep the dead time and fit the gain to both.
        open_us = max((long_us + short_us) // 2 - self.dead_us, _OPEN_LEAST_US)
        self.gain = min(max(muldiv(steps // 2, 1_000_000, open_us), _GAIN_MIN), _GAIN_MAX)


def lacks_effect(step_pa: int, expected_pa: int, clear_pa: int) -> bool:
    """Return whether a pulse moved less than 30 % of what was expected, and nothing that is clear beside the noise.

    In a chamber four times as large a valve that works moves a quarter of what it did.
    """
    return step_pa * 10 < expected_pa * 3 and step_pa < 2 * clear_pa


def _contradicts(step_pa: int, expected_pa: int, slack_pa: int) -> bool:
    """Return whether a step is off by more than 2 x, beyond `slack_pa`."""
    return step_pa > 2 * expected_pa + slack_pa or expected_pa > 2 * step_pa + slack_pa
