"""An estimate of the analysis: a value with its uncertainty."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A value with half of its 95 % interval, in the same unit."""

    value: float
    half_width: float

    @property
    def low(self) -> float:
        return self.value - self.half_width

    @property
    def high(self) -> float:
        return self.value + self.half_width

    def covers(self, truth: float) -> bool:
        """Whether the interval contains a value."""
        return self.low <= truth <= self.high

    def times(self, factor: float) -> "Estimate":
        return Estimate(self.value * factor, self.half_width * abs(factor))
