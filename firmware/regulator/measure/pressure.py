"""Level and slope of the pressure: a straight line fitted by least squares to the samples since the last pulse."""

# Memory of the fit in samples. Above 165 a residual (50 kPa times 32) times its weight would pass 2^30.
_MEMORY = 160
# A larger residual is a jump, and the fit restarts. Chosen on the simulated plant: 100 times its noise.
_JUMP_PA = 50_000


class Pressure:
    """Recursive fit with a memory that grows to 160 samples: level and slope without lag behind a drift."""

    def __init__(self):
        self.pa = 0  # level of the line; the last median during a pulse
        self.samples = 0  # samples in the fit
        self._level = 0  # pa times 32
        self._slope = 0  # change of _level per tick
        self.frozen = False  # a pulse moves gas
        self._noise = 0  # mean deviation from the line, Pa times 64

    def freeze(self):
        """Extrapolate the line from now on, because a pulse begins."""
        self.frozen = True

    def resume(self):
        """Restart the fit after a pulse; the slope is kept until new samples give a better one."""
        self.frozen = False
        self.samples = 0

    def noise_pa(self) -> int:
        """Return the mean deviation of the samples from the line."""
        return self._noise >> 6

    def ahead_pa(self, ticks: int) -> int:
        """Return the pressure on the line this many ticks from now; negative means in the past."""
        return (self._level + self._slope * ticks) >> 5

    def take(self, median_pa: int):
        """Take the median of this tick."""
        level = self._level + self._slope
        if self.frozen:
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
            # Two samples give no useful slope. From three on it is better than the slope from before the pulse.
            if n > 2:
                self._slope += residual * 6 // scale
        self._level = level
        self.pa = level >> 5
