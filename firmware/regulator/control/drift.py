"""What the pressure would do without pulses: a cell that breathes, a leak, a slow oven; and when it will turn."""

from regulator.measure.turning_points import TurningPoints

# A turn is believed once the pressure without pulses has come back this far.
_TURN_PA = 1_500
# Faster swings are the oven's and their share is taken out before.
_SHORTEST_S = 1500
# A turn that is overdue by so much of its half cycle, in percent, is not waited for any more.
_OVERDUE_PERCENT = 125
_FIRST_PERCENT = 104
# From so long after a turn on it is known how fast the pressure goes.
_SLOPE_S = 300
# More than any pulse: nothing is known of a turn.
UNKNOWN_PA = 1 << 24


class Drift:
    """The pressure without the pulses, in Pa, and its turns."""

    def __init__(self):
        self._turns = TurningPoints(_TURN_PA)
        self._moved_pa = 0  # by pulses
        self._pulsed = False  # since `_at_s`
        self._free_pa = 0
        self._at_s = 0  # when that was
        self._start_s = -1  # nothing was seen yet
        self._swinging = False

    def forget(self):
        """Start anew: a ramp, or another target."""
        self._turns.forget()
        self._start_s = -1
        self._moved_pa = 0
        self._pulsed = False

    def moved(self):
        """A pulse moves the pressure."""
        self._pulsed = True

    def update(self, pressure_pa: int, swinging: bool, uptime_s: int):
        """Take the settled pressure without its swing, about once a second, but not soon after a pulse."""
        turns = self._turns
        if self._start_s < 0:
            self._start_s = uptime_s
        if swinging != self._swinging:
            self._swinging = swinging
            turns.forget()
        if self._pulsed:
            # What the pulse did is what is seen, less what would have come in the meantime anyway.
            self._pulsed = False
            since_s = self._at_s - turns.at_s[2]
            self._moved_pa = pressure_pa - self._free_pa
            if turns.count and since_s >= _SLOPE_S:
                gone_pa = self._free_pa - turns.value[2]
                self._moved_pa -= _share(gone_pa, min(uptime_s - self._at_s, since_s), since_s)
        self._free_pa = pressure_pa - self._moved_pa
        self._at_s = uptime_s
        turns.update(self._free_pa, uptime_s)
        if turns.count == 0:
            turns.begin(turns.value[2], self._start_s)

    def returns(self, falling: bool) -> bool:
        """Return whether the pressure is known to go the other way than falling (or rising)."""
        return self._turns.count > 0 and self._turns.rising == falling

    def left_pa(self, falling: bool, uptime_s: int) -> int:
        """Return how far the pressure will still fall (or rise) before it turns; UNKNOWN_PA where nobody knows."""
        turns = self._turns
        if turns.count < 1 or turns.rising == falling:
            return UNKNOWN_PA
        # The half cycle before the last one went the same way.
        first = 0 if turns.count == 3 else 1
        half_s = turns.at_s[first + 1] - turns.at_s[first]
        since_s = uptime_s - turns.at_s[2]
        # What was seen before the first turn may have been the end of a longer one.
        overdue = _OVERDUE_PERCENT if turns.count > 1 else _FIRST_PERCENT
        if half_s < _SHORTEST_S or since_s * 100 > half_s * overdue:
            return UNKNOWN_PA
        if since_s >= half_s:
            return 0
        if since_s * 2 < half_s:
            # Too early to tell from this one how fast it goes.
            return _share(abs(turns.value[first + 1] - turns.value[first]), half_s - since_s, half_s)
        return _share(abs(self._free_pa - turns.value[2]), half_s - since_s, since_s)

    def over_pa(self, falling: bool, seconds: int, uptime_s: int) -> int:
        """Return how far the pressure falls (or rises) in so many seconds, going by the time since the last turn."""
        turns = self._turns
        since_s = uptime_s - turns.at_s[2]
        if turns.count < 1 or turns.rising == falling or since_s < 60:
            return 0
        return _share(abs(self._free_pa - turns.value[2]), seconds, since_s)


def _share(pa: int, part_s: int, whole_s: int) -> int:
    """Return the part of a travel that goes with a part of its time, to a thousandth."""
    return pa * min(part_s * 1000 // whole_s, 10_000) // 1000
