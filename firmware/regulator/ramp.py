"""The way to a target: the ramped setpoint, and the long pulses that follow it."""

from regulator.fixed import muldiv
from regulator.valves import VENT

# A ramp asks for this much of its way at a time.
_BURST_MS = 1000
_BURST_MAX_PA = 100_000


class Ramp:
    """Advances the setpoint, and decides on the pulses of the way there. Pressures in Pa, rates in Pa/s."""

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
        """Begin anew: what was left of the last step is forgotten."""
        self._rest = 0

    def advance(self, ramp_pa: int, target_pa: int, slew_pa_s: int, dt_ms: int) -> int:
        """Return where the setpoint is one tick later."""
        if ramp_pa == target_pa:
            return ramp_pa
        # The ramp waits for a plant that cannot follow.
        lead_pa = max(4 * self._band_pa, 2 * self._burst_pa(slew_pa_s))
        self._rest += slew_pa_s * dt_ms
        step_pa = self._rest // 1000
        self._rest -= step_pa * 1000
        pressure_pa = self._sensors.control_pa
        if target_pa > ramp_pa:
            return min(ramp_pa + step_pa, target_pa, max(pressure_pa + lead_pa, ramp_pa))
        return max(ramp_pa - step_pa, target_pa, min(pressure_pa - lead_pa, ramp_pa))

    def step_pa(self, ramp_pa: int, target_pa: int, slew_pa_s: int) -> int:
        """Return the immediate step to ask for now, negative for a vent, 0 for none.

        A burst once the ramp is half a burst ahead; never past the target.
        """
        pressure_pa = self._sensors.pressure_pa
        ahead_pa = ramp_pa - pressure_pa
        remaining_pa = target_pa - pressure_pa
        falls = remaining_pa < 0
        if falls:
            ahead_pa = -ahead_pa
            remaining_pa = -remaining_pa
        half_pa = self._burst_pa(slew_pa_s) // 2
        if ahead_pa < half_pa and ahead_pa < remaining_pa:
            return 0
        # The last burst falls short by what a pulse may be off; the hold makes up for it.
        step_pa = min(ahead_pa + half_pa, remaining_pa - remaining_pa // 8)
        return -step_pa if falls else step_pa

    def chain(self, ramp_pa: int, target_pa: int):
        """Let a next pulse follow at once where the ramp is so far ahead that the valve had better stay open."""
        valves = self._valves
        if not valves.may_chain():
            return
        side = valves.side
        ahead_pa = ramp_pa - self._sensors.control_pa
        remaining_pa = target_pa - self._sensors.control_pa
        if side == VENT:
            ahead_pa = -ahead_pa
            remaining_pa = -remaining_pa
        longest_us = valves.pulse_for(side, 1 << 28)
        rate_pa_s = valves.rate_pa_s(side)
        # A whole longest pulse fits into what is missing, and more into the rest of the way.
        if ahead_pa > muldiv(rate_pa_s, longest_us, 1_000_000) and remaining_pa > rate_pa_s // 2:
            valves.request(side, longest_us, True)

    def _burst_pa(self, slew_pa_s: int) -> int:
        return max(self._band_pa, min(slew_pa_s * _BURST_MS // 1000, _BURST_MAX_PA))
