"""Estimates the free drift of the pressure. Constants without another source are chosen on the simulated plant."""

from regulator.measure.turning_points import TurningPoints

# A turning point counts once the free pressure is back from its extreme by this much.
_TURN_PA = 1_500
# Faster swings are the oven's, whose share is already subtracted. Where a wall sensor follows late, some of it is left:
# then a turning point takes twice as much, up to _TURN_MOST_PA.
_SHORTEST_S = 1500
_TURN_MOST_PA = 6_000
# A turning point is awaited up to this share of the previous half cycle, in percent; the first one less long.
_OVERDUE_PERCENT = 125
_FIRST_PERCENT = 104
# The slope is known this long after a turning point.
_SLOPE_S = 300
# Larger than any pulse: no turning point is foreseen.
UNKNOWN_PA = 1 << 24


class Drift:
    """The free pressure, i.e. without the effect of pulses, in Pa, and its turning points."""

    def __init__(self):
        self._turn_pa = _TURN_PA
        self._turns = TurningPoints(_TURN_PA)
        self._moved_pa = 0  # total effect of the pulses
        self._pulsed = False  # since `_at_s`
        self._free_pa = 0
        self._at_s = 0  # time of _free_pa
        self._start_s = -1  # no value yet
        self._swinging = False

    def forget(self):
        """Restart, because of a ramp or a new target."""
        self._turn_pa = _TURN_PA
        self._turns.expect(_TURN_PA)
        self._swinging = False
        self._start_s = -1
        self._moved_pa = 0
        self._pulsed = False

    def moved(self):
        """Note that a pulse moves the pressure."""
        self._pulsed = True

    def update(self, pressure_pa: int, swinging: bool, uptime_s: int):
        """Take the settled pressure without its swing, about once a second, except shortly after a pulse."""
        turns = self._turns
        if self._start_s < 0:
            self._start_s = uptime_s
        if swinging and not self._swinging:
            # The first time: turning points of a swing that was not subtracted are none. Later a swing may be lost from
            # time to time, where the wall sensor follows late.
            self._swinging = True
            turns.forget()
        if self._pulsed:
            # Effect of the pulse: the observed change minus the drift during that time.
            self._pulsed = False
            since_s = self._at_s - turns.at_s[2]
            self._moved_pa = pressure_pa - self._free_pa
            if turns.count and since_s >= _SLOPE_S:
                gone_pa = self._free_pa - turns.value[2]
                self._moved_pa -= _share(gone_pa, min(uptime_s - self._at_s, since_s), since_s)
        self._free_pa = pressure_pa - self._moved_pa
        self._at_s = uptime_s
        turned = turns.update(self._free_pa, uptime_s)
        if (
            turned
            and turns.count > 1
            and turns.at_s[2] - turns.at_s[1] < _SHORTEST_S
            and self._turn_pa < _TURN_MOST_PA
        ):
            self._turn_pa *= 2
            turns.expect(self._turn_pa)
            self._start_s = uptime_s
        if turns.count == 0:
            turns.begin(turns.value[2], self._start_s)

    def returns(self, falling: bool) -> bool:
        """Return whether the free pressure is known to move opposite to `falling`."""
        return self._turns.count > 0 and self._turns.rising == falling

    def left_pa(self, falling: bool, uptime_s: int) -> int:
        """Return how far the free pressure will still fall (or rise) before it turns, or UNKNOWN_PA."""
        turns = self._turns
        if turns.count < 1 or turns.rising == falling:
            return UNKNOWN_PA
        # The half cycle before the last one went the same way.
        first = 0 if turns.count == 3 else 1
        half_s = turns.at_s[first + 1] - turns.at_s[first]
        since_s = uptime_s - turns.at_s[2]
        # The time before the first turning point may be part of a longer half cycle.
        overdue = _OVERDUE_PERCENT if turns.count > 1 else _FIRST_PERCENT
        if half_s < _SHORTEST_S or since_s * 100 > half_s * overdue:
            return UNKNOWN_PA
        if since_s >= half_s:
            return 0
        if since_s * 2 < half_s:
            # Too early to use the slope of this half cycle.
            return _share(abs(turns.value[first + 1] - turns.value[first]), half_s - since_s, half_s)
        return _share(abs(self._free_pa - turns.value[2]), half_s - since_s, since_s)

    def over_pa(self, falling: bool, seconds: int, uptime_s: int) -> int:
        """Return how far the free pressure falls (or rises) in `seconds`, at its mean rate since the last turn."""
        turns = self._turns
        since_s = uptime_s - turns.at_s[2]
        if turns.count < 1 or turns.rising == falling or since_s < 60:
            return 0
        return _share(abs(self._free_pa - turns.value[2]), seconds, since_s)


def _share(pa: int, part_s: int, whole_s: int) -> int:
    """Return pa * part_s / whole_s, to a thousandth of pa, at most ten times pa."""
    return pa * min(part_s * 1000 // whole_s, 10_000) // 1000
