"""The ramped setpoint and its long pulses. Constants without another source are chosen on the simulated plant."""

from regulator.fixed import muldiv
from regulator.valves.sides import FILL, IMMEDIATE_PER_SETTLED_PERCENT, VENT
from regulator.valves.window import LINGER, RAMP

# One burst covers this much of the ramp.
_BURST_MS = 2000
_BURST_MAX_PA = 100_000
# The isolation valve stays open between bursts that follow each other within this time.
_LINGER_MS = 1500
# This long before a fast ramp ends, its coils pause: the second of that pause would cost more than the dead-band while
# the gas cools, at up to 8 kPa/s. Design choice: a pause, and the time to catch up.
_PAUSE_BEFORE_S = 4
# Delay until the effect of a pulse is measured.
_UNSEEN_MS = 50


class Ramp:
    """Advances the setpoint and decides on the pulses that follow it. Pressures in Pa, rates in Pa/s."""

    def __init__(self, settings, sensors, valves):
        self._settings = settings
        self._sensors = sensors
        self._valves = valves
        self._rest = 0
        self.configure()

    def configure(self):
        """Read the settings."""
        self._band_pa = self._settings.get("dead_band_pa")

    def start(self):
        """Clear the remainder of the last step."""
        self._rest = 0

    def advance(self, ramp_pa: int, target_pa: int, slew_pa_s: int, dt_ms: int) -> int:
        """Return the setpoint of the next tick."""
        if ramp_pa == target_pa:
            return ramp_pa
        self._rest += slew_pa_s * dt_ms
        # The ramp waits for a plant that cannot follow.
        if target_pa > ramp_pa:
            return min(target_pa, self._risen_pa(ramp_pa, slew_pa_s))
        return max(target_pa, self._fallen_pa(ramp_pa, slew_pa_s))

    def _risen_pa(self, ramp_pa: int, slew_pa_s: int) -> int:
        most_pa = self._sensors.control_pa + self._lead_pa(FILL, slew_pa_s)
        return min(ramp_pa + self._take_step(), max(most_pa, ramp_pa))

    def _fallen_pa(self, ramp_pa: int, slew_pa_s: int) -> int:
        least_pa = self._sensors.control_pa - self._lead_pa(VENT, slew_pa_s)
        return max(ramp_pa - self._take_step(), min(least_pa, ramp_pa))

    def _lead_pa(self, side: int, slew_pa_s: int) -> int:
        return max(4 * self._band_pa, 2 * self._burst_pa(side, slew_pa_s))

    def _take_step(self) -> int:
        step_pa = self._rest // 1000
        self._rest -= step_pa * 1000
        return step_pa

    def step_pa(self, ramp_pa: int, target_pa: int, slew_pa_s: int) -> int:
        """Return the immediate step to request now, negative for a vent, 0 for none.

        A burst is due once the ramp is half a burst ahead. It never passes the target, and never goes backwards.
        """
        pressure_pa = self._sensors.pressure_pa
        ahead_pa = ramp_pa - pressure_pa
        remaining_pa = target_pa - pressure_pa
        side = FILL
        if remaining_pa < 0:
            side = VENT
            ahead_pa = -ahead_pa
            remaining_pa = -remaining_pa
        if (target_pa > ramp_pa) if side == VENT else (target_pa < ramp_pa):
            return 0
        # A slow valve starts before it is more than one pulse behind.
        half_pa = self._burst_pa(side, slew_pa_s) // 2
        longest_pa = self._valves.longest_step_pa(side)
        if longest_pa:
            half_pa = max(min(half_pa, longest_pa // 2), self._band_pa // 2)
        if ahead_pa < half_pa and ahead_pa < remaining_pa:
            return 0
        step_pa = min(ahead_pa + half_pa, _short_of(remaining_pa))
        return step_pa if side == FILL else -step_pa

    def rest_coils(self, ramp_pa: int, target_pa: int, slew_pa_s: int):
        """Have the coils pause just before the end of a ramp whose gas will cool or warm fast."""
        side = FILL if target_pa > ramp_pa else VENT
        rate_pa_s = min(self._valves.rate_pa_s(side), slew_pa_s)
        left_pa = abs(target_pa - self._sensors.control_pa)
        if rate_pa_s > self._band_pa and left_pa < _PAUSE_BEFORE_S * rate_pa_s:
            self._valves.rest_early(side)

    def chain(self, ramp_pa: int, target_pa: int):
        """Request the next pulse without a pause if at least half of a longest pulse is missing."""
        if self._valves.may_chain():
            self._chain(ramp_pa, target_pa)

    def _chain(self, ramp_pa: int, target_pa: int):
        valves = self._valves
        side = valves.side
        ahead_pa = ramp_pa - self._sensors.control_pa
        remaining_pa = target_pa - self._sensors.control_pa
        if side == VENT:
            ahead_pa = -ahead_pa
            remaining_pa = -remaining_pa
        # Gas that has flowed but is not measured yet.
        unseen_pa = muldiv(valves.rate_pa_s(side), _UNSEEN_MS, 1000)
        longest_pa = valves.longest_step_pa(side)
        step_pa = min(ahead_pa + longest_pa // 2, _short_of(remaining_pa)) - unseen_pa
        if (ahead_pa - unseen_pa) * 2 >= longest_pa and step_pa * 2 >= longest_pa > 0:
            valves.move(side, step_pa, LINGER)

    def kind(self, side: int, slew_pa_s: int) -> int:
        """Return the kind of window: one that shuts after each burst, unless the next one is due soon."""
        burst_pa = self._burst_pa(side, slew_pa_s)
        longest_pa = self._valves.longest_step_pa(side)
        if longest_pa:
            burst_pa = min(burst_pa, longest_pa * 100 // IMMEDIATE_PER_SETTLED_PERCENT)
        return LINGER if burst_pa < muldiv(slew_pa_s, _LINGER_MS, 1000) else RAMP

    def _burst_pa(self, side: int, slew_pa_s: int) -> int:
        smallest_pa = self._valves.smallest_step_pa(side) * 100 // IMMEDIATE_PER_SETTLED_PERCENT
        burst_pa = min(min(slew_pa_s, _BURST_MAX_PA) * _BURST_MS // 1000, _BURST_MAX_PA)
        return max(self._band_pa, smallest_pa, burst_pa)


def _short_of(remaining_pa: int) -> int:
    """Return 7/8 of the remaining way: the margin covers the error of a pulse, and the hold does the rest."""
    return remaining_pa - remaining_pa // 8
