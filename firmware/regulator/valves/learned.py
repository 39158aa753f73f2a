"""What one valve's pulses do, learned from what they did: immediate step = gain * flow * (pulse - dead time)."""

from regulator.fixed import muldiv
from regulator.valves.sides import TRUSTED

# Nothing that this firmware is meant for lies outside (Pa/s per MPa of choked upstream pressure).
_GAIN_MIN = 300
_GAIN_MAX = 2_000_000
_DEAD_MIN_US = -20_000
_DEAD_MAX_US = 40_000
_FLOOR_MAX_US = 100_000
# Every valve that this firmware is meant for opens within this; a slower one is noticed because its pulses are silent.
_FLOOR_KNOWN_US = 12_000
# Up to here trial pulses grow by a quarter, beyond by half: longer than an opening delay without effect means slow.
_TRIAL_FINE_US = 16_000
# A pulse may be this many times as long as the longest one that is known: short ones tell little about long ones.
_GROWTH = 2


class Response:
    """Gain, dead time and shortest pulse that opens, of one valve.

    Two anchors, the running means of short and of long pulses, span the straight line between pulse length and step.
    Steps are normalised by the flow: the upstream pressure in kPa, times the subsonic fraction.
    """

    def __init__(self, floor_us: int):
        self.gain = 0  # Pa/s per MPa; 0 until the first pulse that did something
        self.dead_us = 0  # opening delay less closing delay
        self.floor_us = floor_us  # shortest pulse to ask for
        self._trial_us = floor_us
        self.judged = 0  # pulses that taught something, 100 at most
        self.missed = 0  # pulses without effect
        self.silent = 0  # of these, in a row
        self.response_pa = 0  # immediate step of the last pulse
        self._short_us = 0
        self._short_step = 0
        self._long_us = 0
        self._long_step = 0
        self._reach_us = 0  # longest pulse that was judged

    def learned(self) -> tuple:
        """Return what outlasts a reset; `recall` takes it back."""
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
        """Take back what `learned` returned; False, and nothing changes, unless it is plausible."""
        gain, dead_us, floor_us, judged, short_us, short_step, long_us, long_step = values
        if not (
            _GAIN_MIN <= gain <= _GAIN_MAX
            and _DEAD_MIN_US <= dead_us <= _DEAD_MAX_US
            and self.floor_us <= floor_us <= _FLOOR_MAX_US
            and 0 < judged <= 100
            and 0 < short_us <= long_us <= 1_000_000
            and abs(short_step) < 1 << 28
            and abs(long_step) < 1 << 28
        ):
            return False
        self.gain = gain
        self.dead_us = dead_us
        self.floor_us = floor_us
        self.judged = judged
        self._short_us = short_us
        self._short_step = short_step
        self._long_us = long_us
        self._long_step = long_step
        self._reach_us = long_us
        return True

    def rate_pa_s(self, flow_kpa: int) -> int:
        """Return the immediate effect of the open valve in Pa/s; 0 while unknown."""
        return muldiv(self.gain, flow_kpa, 1000)

    def step_pa(self, us: int, flow_kpa: int) -> int:
        """Return the immediate step that a pulse is expected to make; 0 while unknown."""
        if us <= self.dead_us:
            return 0
        return muldiv(self.rate_pa_s(flow_kpa), us - self.dead_us, 1_000_000)

    def smallest_pa(self, flow_kpa: int) -> int:
        """Return the immediate step of the shortest pulse that opens the valve."""
        return self.step_pa(self.floor_us, flow_kpa)

    def pulse_us(self, step_pa: int, flow_kpa: int, longest_us: int) -> int:
        """Return the pulse for a step, in whole 0.1 ms up to `longest_us`; 0 if the shortest one would be too much.

        While the valve is unknown it is a trial pulse: the shortest one first, growing as long as none shows an effect.
        """
        if flow_kpa <= 0:
            return 0
        if self.gain == 0:
            return min(self._trial_us, longest_us)
        rate = max(self.rate_pa_s(flow_kpa), 1)
        seconds_5 = rate // 5  # the step of 0.2 s, so that the quotient below stays small
        us = longest_us if step_pa > 10 * seconds_5 else muldiv(step_pa, 10_000, rate) * 100 + self.dead_us
        if us < self.floor_us:
            return self.floor_us if step_pa * 2 >= self.smallest_pa(flow_kpa) else 0
        return min(us, longest_us, self._reach_us * _GROWTH)

    def judge(self, us: int, step_pa: int, flow_kpa: int, clear_pa: int):
        """Learn from a pulse of this length that was seen to step the pressure by so much, towards its own side.

        Steps below `clear_pa` are not told from noise.
        """
        self.response_pa = step_pa
        if flow_kpa <= 0:
            return
        self._reach_us = max(self._reach_us, us)
        if self.gain == 0:
            if step_pa < clear_pa:
                self._try_longer(us)
                return
            self.floor_us = max(self.floor_us, min(us, _FLOOR_KNOWN_US))
        else:
            expected_pa = self.step_pa(us, flow_kpa)
            if expected_pa < clear_pa and step_pa < 2 * clear_pa:
                return
            if step_pa * 10 < expected_pa * 3:
                self._note_silence(us)
                return
        self.silent = 0
        if self.judged < 100:
            self.judged += 1
        self._anchor(us, muldiv(step_pa, 1000, flow_kpa))
        self._fit()

    def _try_longer(self, us: int):
        self._trial_us = us * 5 // 4 if us < _TRIAL_FINE_US else us * 3 // 2

    def _note_silence(self, us: int):
        """One pulse may fail; two in a row mean that they are too short."""
        self.missed += 1
        self.silent += 1
        if self.silent > 1 and self.judged < TRUSTED:
            # What the first pulses seemed to do was noise: it is unknown still.
            self.gain = self.judged = 0
            self._short_us = self._short_step = self._long_us = self._long_step = 0
            self._try_longer(us)
        elif self.silent > 1 and us < 2 * self.floor_us:
            self.floor_us = min(max(self.floor_us, us) * 9 // 8, _FLOOR_MAX_US)

    def _anchor(self, us: int, step: int):
        """Let the pulse pull the anchor that is nearer to its length, or take the place of one that it outreaches."""
        weight = 2 if self.judged < 8 else 6
        # Nearer in ratio: compared with the geometric mean, in 0.1 ms so that the squares stay small.
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
            self.dead_us = min(max(dead_us, _DEAD_MIN_US), _DEAD_MAX_US, self.floor_us - 500)
            if self.dead_us == dead_us:
                self.gain = min(max(gain, _GAIN_MIN), _GAIN_MAX)
                return
        # Anchors that differ by little, or by nothing a valve could do: the dead time stays, and both tell the gain.
        open_us = max((long_us + short_us) // 2 - self.dead_us, 500)
        self.gain = min(max(muldiv(steps // 2, 1_000_000, open_us), _GAIN_MIN), _GAIN_MAX)
