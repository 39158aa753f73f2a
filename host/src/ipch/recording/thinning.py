"""Selection of samples to record: every change, and one sample per longest interval."""

from dataclasses import dataclass, field

from ipch.device import Sample

# Steps of pressure and temperature above the noise.
_PRESSURE_PA = 300
_TEMPERATURE_K = 0.02
_WORDS = ("boot", "state", "fault", "in_limits", "target_pa", "fills", "vents", "warnings")
_PRESSURES = ("pressure_pa", "ramp_pa", "control_pa", "safety_pa", "settled_pa")


@dataclass
class Thinning:
    """Passes on a sample that differs from the last row, and the sample before it, so that steps stay steep."""

    longest_s: float = 10.0
    _row: Sample | None = None
    _held: Sample | None = field(default=None, init=False)

    def rows(self, sample: Sample) -> list[Sample]:
        """Rows to write after this sample."""
        row, held = self._row, self._held
        self._held = sample
        if row is None or sample.boot != row.boot:
            rows = [] if held is None or held is row else [held]
        elif _differs(row, sample):
            rows = [held] if held is not None and held is not row and held.boot == row.boot else []
        elif sample.uptime_s - row.uptime_s >= self.longest_s * 0.95:
            rows = []
        else:
            return []
        self._row = sample
        return [*rows, sample]

    def rest(self) -> list[Sample]:
        """The last held-back sample: the end of a record, or the start of a gap."""
        held, self._held = self._held, self._row
        if held is None or held is self._row:
            return []
        self._row = self._held = held
        return [held]


def _differs(row: Sample, sample: Sample) -> bool:
    return (
        any(getattr(row, name) != getattr(sample, name) for name in _WORDS)
        or any(abs(getattr(row, name) - getattr(sample, name)) > _PRESSURE_PA for name in _PRESSURES)
        or abs(row.supply_pa - sample.supply_pa) > 10 * _PRESSURE_PA
        or abs(row.gas_k - sample.gas_k) > _TEMPERATURE_K
        or abs(row.wall_k - sample.wall_k) > _TEMPERATURE_K
    )
