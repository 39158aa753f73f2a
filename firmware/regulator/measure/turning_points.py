"""Turning points of a quantity that rises and falls: when it turned, and at which value."""


class TurningPoints:
    """The last three turns, the newest last. Values in any integer unit below 2^29, times in s of uptime."""

    def __init__(self, back: int):
        """A turn is believed once the value has come back this far from its extreme."""
        self._back = back
        self.value = [0, 0, 0]
        self.at_s = [0, 0, 0]
        self.count = 0  # of these that are known
        self.rising = True  # since the newest turn
        self._extreme = 0  # since the newest turn
        self._extreme_s = -1  # nothing was seen yet

    def forget(self):
        """Start anew."""
        self.count = 0
        self._extreme_s = -1

    def update(self, value: int, uptime_s: int) -> bool:
        """Take the value of now; return whether it shows that there was a turn."""
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
        """Before the first turn: what came first stands in for the turn before it."""
        self.value[2] = value
        self.at_s[2] = uptime_s

    def lasted_s(self) -> int:
        """Return the mean time between the last three turns."""
        return (self.at_s[2] - self.at_s[0]) >> 1
