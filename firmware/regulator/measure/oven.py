"""Detects an oscillating wall temperature. Constants without another source are chosen on the simulated plant."""

from regulator.measure.turning_points import TurningPoints

# A turning point counts once the temperature is back from its extreme by this much: six counts of the TMP117.
_TURN_MK = 45
# Three turning points with spans and half periods that agree within this ratio make a swing.
_ALIKE_PERCENT = 60
# Slower swings are corrected by pulses instead of being awaited.
_LONGEST_HALF_S = 2700
# A swing is over if its next turning point is this late, in percent of the half period.
_OVERDUE_PERCENT = 160


class Oven:
    """The swing of the wall temperature. Temperatures in mK, times in s of uptime."""

    def __init__(self):
        self.middle_mk = 0
        self.amplitude_mk = 0  # 0 while there is no swing
        self._turns = TurningPoints(_TURN_MK)

    def forget(self):
        """Forget the swing, because something else heats or cools the wall."""
        self._turns.forget()
        self.amplitude_mk = 0

    def update(self, wall_mk: int, uptime_s: int):
        """Take the temperature, about once a second; 0 = invalid."""
        if wall_mk == 0:
            self.forget()
            return
        turns = self._turns
        if turns.update(wall_mk, uptime_s):
            self._judge()
        if self.amplitude_mk and (uptime_s - turns.at_s[2]) * 100 > turns.lasted_s() * _OVERDUE_PERCENT:
            self.amplitude_mk = 0

    def offset_mk(self, wall_mk: int) -> int:
        """Return how far the wall is from the middle of its swing, at most the amplitude; 0 without a swing."""
        if self.amplitude_mk == 0 or wall_mk == 0:
            return 0
        return min(max(wall_mk - self.middle_mk, -self.amplitude_mk), self.amplitude_mk)

    def half_s(self) -> int:
        """Return half the period of the swing in s."""
        return self._turns.lasted_s()

    def _judge(self):
        turn_mk = self._turns.value
        turn_s = self._turns.at_s
        span_mk = abs(turn_mk[2] - turn_mk[1])
        before_mk = abs(turn_mk[1] - turn_mk[0])
        half_s = turn_s[2] - turn_s[1]
        before_s = turn_s[1] - turn_s[0]
        if (
            self._turns.count == 3
            and half_s <= _LONGEST_HALF_S
            and before_s <= 2 * _LONGEST_HALF_S
            and _alike(span_mk, before_mk)
            and _alike(half_s, before_s)
        ):
            self.middle_mk = (turn_mk[2] + turn_mk[1]) >> 1
            self.amplitude_mk = span_mk >> 1
        else:
            self.amplitude_mk = 0


def _alike(a: int, b: int) -> bool:
    return a * 100 >= b * _ALIKE_PERCENT and b * 100 >= a * _ALIKE_PERCENT
