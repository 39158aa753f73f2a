"""What the last pulse did: its step, what was expected of it, and whether a window let more pass than its pulses."""

from regulator.fixed import muldiv
from regulator.measure.transducer import VALID
from regulator.valves.sides import NONE, VENT

# A step is clear when it is this large, and so many times the mean deviation of the samples (4 sigma of a step that is
# fitted on 15 samples).
_CLEAR_PA = 1_000
_CLEAR_PER_NOISE = 5
# From so many samples on, half of that is clear.
_MANY = 50
# A slope is extrapolated by this many times its own length at most.
_DOUBT_MOST = 20

# A window with an excess of this share teaches nothing of its pulse. It is only told of valves that so many pulses have
# taught, and from so many Pa on.
_EXCESS_PERCENT = 50
# More than this no open valve lets pass: then the response was learned wrongly, or it is the noise of a long chain.
_EXCESS_MOST_PERCENT = 250
_KNOWN = 8
_EXCESS_PA = 6_000


class Verdict:
    """The judged pulse, or chain of pulses: `count` of them so far, and for the last one the attributes below."""

    def __init__(self, sensors, heat):
        self._sensors = sensors
        self._heat = heat
        self.count = 0
        self.taught = 0  # how often one of them taught something
        self.side = NONE
        self.us = 0
        self.pa = 0  # immediate step, towards its own side
        self.expected_pa = 0  # 0 while the valve is unknown
        self.clear_pa = _CLEAR_PA  # steps below are not told from noise, nor from what was extrapolated
        self.excess_percent = (
            0  # what the window let pass besides, of what a valve that stays open would have
        )
        self._judged_us = 0  # the pulse to learn from, 0 for none
        self._flow_kpa = 0
        self._before_pa = 0
        self._chain_us = 0
        self._chain_pa = 0
        # What is extrapolated since the pulse began: samples of the line, for how many ticks; what noise makes of it.
        self._fitted = 1
        self._ticks = 0
        self._doubt = 1
        self._open_ms = 0  # how long the isolation valve has been open for it

    def tick(self, open_ms: int):
        """One tick of a window; `open_ms`: how long its isolation valve was open in it."""
        self._open_ms += open_ms
        self._ticks += 1

    def begin(self, us: int, expected_pa: int, flow_kpa: int):
        """A pulse begins, maybe as a link of a chain."""
        if not self._chain_us:
            self._fitted = max(self._sensors.pressure.samples, 1)
            self._ticks = 0
        self._judged_us = us
        self._flow_kpa = flow_kpa
        self._chain_us += us
        self._chain_pa += expected_pa

    def teach_nothing(self):
        """Where one pulse ended and the other began is not seen: nothing to learn from a chain."""
        self._judged_us = 0

    def end(self):
        """The window ends. Extrapolated since the pulse began: what the pressure would be now without it."""
        self._before_pa = self._sensors.pressure.ahead_pa(0)
        self._doubt = 1 + self._ticks // self._fitted

    def forget(self):
        """The window was aborted: there is nothing to judge."""
        self._judged_us = 0
        self._chain_us = 0
        self._open_ms = 0

    def judge(self, side: int, response, shut: bool):
        """Judge the pulse, and let `response` learn from it. `shut`: its isolation valve is shut again."""
        if side == NONE or self._chain_us == 0:
            return
        if self._sensors.control.band != VALID:
            self._chain_us = self._chain_pa = self._open_ms = 0
            return
        pressure = self._sensors.pressure
        # Back to the moment the fit resumed: what came after is the thermal transient.
        step_pa = pressure.ahead_pa(-pressure.samples) - self._before_pa
        if side == VENT:
            step_pa = -step_pa
        clear_pa = _CLEAR_PER_NOISE * pressure.noise_pa()
        if pressure.samples > _MANY:
            clear_pa //= 2
        # A slope that few samples told is off by more, the further it is extrapolated.
        clear_pa = max(_CLEAR_PA, clear_pa) * min(self._doubt, _DOUBT_MOST)
        self.count = self.count + 1 & 0xFFFFFF
        self.side = side
        self.us = self._chain_us
        self.pa = step_pa
        self.expected_pa = self._chain_pa if response.gain else 0
        self.clear_pa = clear_pa
        self.excess_percent = self._excess(response) if shut else 0
        self._chain_us = 0
        self._chain_pa = 0
        self._open_ms = 0
        if self._judged_us and self.excess_percent < _EXCESS_PERCENT:
            response.judge(self._judged_us, step_pa, self._flow_kpa, clear_pa)
            self.taught = self.taught + 1 & 0xFFFFFF

    def _excess(self, response) -> int:
        """Return what a window let pass beyond its pulses, in percent of what a valve that stays open would have."""
        idle_ms = self._open_ms - self._chain_us // 1000
        if response.judged < _KNOWN or idle_ms <= 0:
            return 0
        heat = self._heat.warm if self.side == VENT else self._heat.cold
        excess_pa = self.pa - self._chain_pa - heat.back_pa(0, self._open_ms, self._sensors.pressure_pa)
        # Less than three times what was expected may be a response that is not known well enough at this pressure.
        if excess_pa < _EXCESS_PA or excess_pa < 2 * self._chain_pa:
            return 0
        open_pa = muldiv(response.rate_pa_s(self._flow_kpa), idle_ms, 1000)
        percent = muldiv(excess_pa, 100, max(open_pa, 1))
        return percent if percent <= _EXCESS_MOST_PERCENT else 0
