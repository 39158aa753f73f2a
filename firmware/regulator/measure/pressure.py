"""Level and slope of the pressure: a straight line fitted to the samples since the last pulse."""

# Memory of the fit, in samples; beyond 165 a residual times its weight would pass 2^30.
_MEMORY = 160
# A residual beyond this is a jump, not noise: the fit starts again.
_JUMP_PA = 50_000


class Pressure:
    """Growing-memory fit of a straight line, then fading memory: level and slope without a lag behind a drift."""

    def __init__(self):
        self.pa = 0  # level of the line; during a pulse the last median
        self.samples = 0  # how many samples the line rests on
        self._level = 0  # pa times 32
        self._slope = 0  # change of _level per tick
        self._frozen = False
        self._noise = 0  # mean deviation from the line, Pa times 64

    def freeze(self):
        """A pulse begins: extrapolate the line on its slope instead of following the pulse."""
        self._frozen = True

    def resume(self):
        """The pulse is over: fit anew from the present sample on; the slope is kept until new samples tell better."""
        self._frozen = False
        self.samples = 0

    def noise_pa(self) -> int:
        """Return the mean deviation of the samples from the line."""
        return self._noise >> 6

    def ahead_pa(self, ticks: int) -> int:
        """Return the pressure expected this many ticks from now (negative: that long ago), on the present slope."""
        return (self._level + self._slope * ticks) >> 5

    def take(self, median_pa: int):
        """Take the median of this tick."""
        level = self._level + self._slope
        if self._frozen:
            self._level = level
            self.pa = median_pa
            return
        residual = (median_pa << 5) - level
        if self.samples == 0 or residual > _JUMP_PA << 5 or residual < -_JUMP_PA << 5:
            if self.samples:
                self._slope = 0
            self.samples = 1
            level = median_pa << 5
        else:
            n = self.samples
            if n < _MEMORY:
                n += 1
                self.samples = n
            if n > 10:
                self._noise += (abs(residual) >> 5) - (self._noise >> 6)
            scale = n * (n + 1)
            level += residual * (4 * n - 2) // scale
            # Two samples do not tell a slope; from the third on it is worth more than the one from before the pulse.
            if n > 2:
                self._slope += residual * 6 // scale
        self._level = level
        self.pa = level >> 5
