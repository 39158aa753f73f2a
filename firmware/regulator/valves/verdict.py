"""Judges the effect of the last pulse. Constants without another source are chosen on the simulated plant."""

from regulator.fixed import muldiv
from regulator.measure.transducer import VALID
from regulator.valves.sides import DRIVEN_PA, NONE, VENT

# A step is clear if it exceeds this, and this many mean deviations of the samples (4 sigma of a step fitted to 15
# samples).
_CLEAR_PA = 1_000
_CLEAR_PER_NOISE = 5
# From this many samples on, half of it suffices.
_MANY = 50
# Limit for the ratio of extrapolated to fitted ticks.
_DOUBT_MOST = 20

# A window with this excess teaches nothing about its pulse. An excess counts from _KNOWN judged pulses and _EXCESS_PA
# on.
_EXCESS_PERCENT = 50
# No open valve passes more than this: a larger excess is a wrong response, or noise of a long chain.
_EXCESS_MOST_PERCENT = 250
_KNOWN = 8
_EXCESS_PA = 6_000

# A slow sensing line shows as a reading that still moves on once the valve is shut, by more than _LATE_PA (four sigma
# of the difference of two medians) in the first half of the settling time. A share above _LATE_MOST of that in the
# second half is no lag but gas that flows. What the gas does by itself is subtracted, as the slope before the pulse
# shows it from _SLOPE_SAMPLES samples on.
_LATE_PA = 1_500
_SLOPE_SAMPLES = 20
_LATE_MOST = 850
# A step of which more than one in _LATE_PART came later than it was waited for teaches nothing about its valve.
_LATE_PART = 3
_LAG_MOST_MS = 600
# Noise of the difference of two medians: two sigma. From the end of a pulse to what the reading at the end of the lag
# stage shows: that stage, less a tick for the median.
_NOISE_PA = 600
_UNSEEN_MS = 40


class Verdict:
    """The last judged pulse or chain of pulses; `count` is the number judged so far."""

    def __init__(self, sensors, heat):
        self._sensors = sensors
        self._heat = heat
        self.count = 0
        self.taught = 0  # pulses that a response learned from
        self.side = NONE
        self.us = 0
        self.pa = 0  # immediate step, positive in the direction of its side
        self.expected_pa = 0  # 0 while the valve is unknown
        self.clear_pa = _CLEAR_PA  # smaller steps are indistinguishable from noise and extrapolation error
        self.excess_percent = 0  # gas beyond the pulses, as a share of what a valve stuck open passes
        self.lag_ms = 0  # time constant of the control transducer and its line; 0 where it is short
        self._half_ms = 0  # half of the settling time
        self._since_ms = -1  # since it began; -1 outside
        self._dt_ms = 1  # length of a tick
        self._drift_pa = 0  # what the gas does by itself in half of the settling time
        self._end_pa = 0  # reading at its beginning
        self._half_pa = 0  # and at its half
        self._judged_us = 0  # the pulse to learn from, 0 for none
        self._flow_kpa = 0
        self._before_pa = 0
        self._chain_us = 0
        self._chain_pa = 0
        # Extrapolation since the pulse began: samples of the fit, ticks extrapolated, and the factor on the noise.
        self._fitted = 1
        self._ticks = 0
        self._doubt = 1
        self._open_ms = 0  # time that the isolation valve has been open

    def tick(self, dt_ms: int, isolated: bool):
        """Count one tick of a window; `isolated`: its isolation valve is shut."""
        if not isolated:
            self._open_ms += dt_ms
        self._dt_ms = dt_ms
        self._ticks += 1
        since_ms = self._since_ms
        if since_ms >= 0:
            self._since_ms = since_ms + dt_ms
            if since_ms < self._half_ms <= since_ms + dt_ms:
                self._half_pa = self._sensors.control_pa

    def begin(self, us: int, expected_pa: int, flow_kpa: int):
        """Begin a pulse, or a further one of a chain."""
        if not self._chain_us:
            self._fitted = max(self._sensors.pressure.samples, 1)
            self._ticks = 0
        self._judged_us = us
        self._flow_kpa = flow_kpa
        self._chain_us += us
        self._chain_pa += expected_pa

    def teach_nothing(self):
        """Learn nothing from a chain, whose pulses cannot be told apart."""
        self._judged_us = 0

    def end(self, settle_ms: int):
        """End the window, which settles from now on: extrapolate the pressure, as it would be without the pulse."""
        self._half_ms = settle_ms >> 1
        self._since_ms = 0
        self._end_pa = self._sensors.control_pa
        pressure = self._sensors.pressure
        self._before_pa = pressure.ahead_pa(0)
        self._drift_pa = pressure.ahead_pa(self._half_ms // self._dt_ms) - self._before_pa
        self._doubt = 1 + self._ticks // self._fitted

    def forget(self):
        """Discard an aborted window."""
        self._judged_us = 0
        self._chain_us = 0
        self._open_ms = 0

    def judge(self, side: int, response, shut: bool):
        """Judge the pulse, and let `response` learn from it. `shut`: the isolation valve is shut again."""
        if side == NONE or self._chain_us == 0:
            return
        if self._sensors.control.band != VALID:
            self._chain_us = self._chain_pa = self._open_ms = 0
            return
        pressure = self._sensors.pressure
        # Evaluated where the fit restarted: what follows is the thermal transient.
        step_pa = pressure.ahead_pa(-pressure.samples) - self._before_pa
        if side == VENT:
            step_pa = -step_pa
        clear_pa = _CLEAR_PER_NOISE * pressure.noise_pa()
        if pressure.samples > _MANY:
            clear_pa //= 2
        # The error of a slope from few samples grows with the extrapolation.
        clear_pa = max(_CLEAR_PA, clear_pa) * min(self._doubt, _DOUBT_MOST)
        self.count = self.count + 1 & 0xFFFFFF
        self.side = side
        self.us = self._chain_us
        self.pa = step_pa
        late = self._learn_lag(-1 if side == VENT else 1)
        self.expected_pa = self._chain_pa if response.gain else 0
        self.clear_pa = clear_pa
        self.excess_percent = self._excess(response) if shut else 0
        self._chain_us = 0
        self._chain_pa = 0
        self._open_ms = 0
        self._since_ms = -1
        if side == VENT and response.gain and self._before_pa < DRIVEN_PA:
            return
        if self._judged_us and not late and self.excess_percent < _EXCESS_PERCENT:
            response.judge(self._judged_us, step_pa, self._flow_kpa, clear_pa)
            self.taught = self.taught + 1 & 0xFFFFFF

    def _learn_lag(self, sign: int) -> bool:
        """Learn from the movement in both halves of the settling time: their ratio is exp(-half/lag).

        Where the second one is only noise: from the share of the step that the first one still has, exp(-t/lag). Return
        whether the line was slower than what was waited for, so that the step was not seen whole.
        """
        if self._fitted < _SLOPE_SAMPLES:
            return False
        now_pa = self._sensors.control_pa
        first_pa = sign * (self._half_pa - self._end_pa - self._drift_pa)
        second_pa = sign * (now_pa - self._half_pa - self._drift_pa)
        whole_pa = sign * (now_pa - self._before_pa - 2 * self._drift_pa)
        if first_pa + max(second_pa, 0) > whole_pa + _LATE_PA:
            # More than the whole step: gas that cools or warms, not a line that is slow.
            return False
        if first_pa > _LATE_PA:
            if second_pa > _NOISE_PA + (abs(self._drift_pa) >> 1):
                ratio = second_pa * 1000 // first_pa
                if ratio > _LATE_MOST:
                    return False
                ms = min(min(self._half_ms, 1_000) * 1000 // _log(ratio), _LAG_MOST_MS)
                # Longer than what was waited for, a third of the step or more would still be to come.
                if ms > max(_UNSEEN_MS, 3 * self.lag_ms) and first_pa * 3 < (1000 - ratio) * (
                    whole_pa // 1000
                ):
                    return False
            else:
                share = min(first_pa * 1000 // max(whole_pa, first_pa), _LATE_MOST)
                ms = min(max(_UNSEEN_MS, 3 * self.lag_ms) * 1000 // _log(share), _LAG_MOST_MS)
        elif whole_pa > 3 * _LATE_PA:
            ms = 0
        else:
            return False
        # Heat that comes back makes a lag look shorter, and one that is waited for hardly shows: so it grows quickly
        # and falls slowly. The first lesson counts in full, or a slow line looks like a valve that stays open.
        late = first_pa * _LATE_PART > whole_pa
        if not self.lag_ms:
            self.lag_ms = ms
        elif ms > self.lag_ms:
            self.lag_ms += (ms - self.lag_ms) // 2
        else:
            self.lag_ms -= self.lag_ms >> 7
        return late

    def _excess(self, response) -> int:
        """Return the gas beyond the pulses in percent of what a valve stuck open would have passed."""
        idle_ms = self._open_ms - self._chain_us // 1000
        if response.judged < _KNOWN or idle_ms <= 0:
            return 0
        heat = self._heat.warm if self.side == VENT else self._heat.cold
        excess_pa = self.pa - self._chain_pa - heat.back_pa(0, self._open_ms, self._sensors.pressure_pa)
        # Below three times the expected step the response may simply be inaccurate at this pressure.
        if excess_pa < _EXCESS_PA or excess_pa < 2 * self._chain_pa:
            return 0
        open_pa = muldiv(response.rate_pa_s(self._flow_kpa), idle_ms, 1000)
        percent = muldiv(excess_pa, 100, max(open_pa, 1))
        return percent if percent <= _EXCESS_MOST_PERCENT else 0


def _log(permille: int) -> int:
    """Return ln(1000/permille) times 1000, from 50 permille on: 2 u (1 + u^2/3 + u^4/5), u = (1 - r)/(1 + r)."""
    permille = max(permille, 50)
    u = (1000 - permille) * 1000 // (1000 + permille)
    square = u * u // 1000
    return 2 * u * (1000 + square // 3 + square * square // 5000) // 1000
