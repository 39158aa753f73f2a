"""Turning points of an oscillating quantity, with value and time of each."""


class TurningPoints:
    """The last three turning points, newest last. Values in any integer unit below 2^29, times in s of uptime."""

    def __init__(self, back: int):
        """A turning point counts once the value is back from its extreme by `back`."""
        self._back = back
        self.value = [0, 0, 0]
        self.at_s = [0, 0, 0]
        self.count = 0  # known turning points, at most 3
        self.rising = True  # since the newest turning point
        self._extreme = 0  # since the newest turning point
        self._extreme_s = -1  # no value yet

    def expect(self, back: int):
        """Start anew, with another distance `back` from an extreme."""
        self._back = back
        self.forget()

    def forget(self):
        """Start anew."""
        self.count = 0
        self._extreme_s = -1

    def update(self, value: int, uptime_s: int) -> bool:
        """Take the present value; return whether it completes a turning point."""
        if self._extreme_s < 0:
            self._extreme = value
            self._extreme_s = uptime_s
            self.begin(value, uptime_s)
            return False
        beyond = value - self._extreme
        if not self.rising:
            beyond = -beyond
        if beyond >= -self._back:
            if beyond > 0:
                self._extreme = value
                self._extreme_s = uptime_s
            return False
        self.value[0] = self.value[1]
        self.value[1] = self.value[2]
        self.value[2] = self._extreme
        self.at_s[0] = self.at_s[1]
        self.at_s[1] = self.at_s[2]
        self.at_s[2] = self._extreme_s
        self.rising = not self.rising
        self._extreme = value
        self._extreme_s = uptime_s
        if self.count < 3:
            self.count += 1
        return True

    def begin(self, value: int, uptime_s: int):
        """Let the first value stand in for the turning point before the first one."""
        self.value[2] = value
        self.at_s[2] = uptime_s

    def lasted_s(self) -> int:
        """Return the mean time in s between the last three turning points."""
        return (self.at_s[2] - self.at_s[0]) >> 1
