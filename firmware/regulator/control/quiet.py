"""The quiet window: valves locked shut for a measurement, limited in time and drift.

The drift counts over windows that follow each other, until the pressure has been in limits or a ramp has moved it.
"""


class Quiet:
    """`left_ms` of the window; `drifted`: it ended because the pressure drifted too far."""

    def __init__(self, settings, sensors):
        self._settings = settings
        self._sensors = sensors
        self.left_ms = 0
        self.drifted = False
        self._from_pa = 0
        self._ramp_pa = -1  # the setpoint when the first window of a row began; -1 before
        self.configure()

    def configure(self):
        """Read the limit of the drift."""
        self._drift_pa = self._settings.get("quiet_drift_pa")

    def begin(self, seconds: int, ramp_pa: int, in_limits: int):
        """Begin a window of this length in s at the present pressure, or prolong a row of windows."""
        self.left_ms = seconds * 1000
        self.drifted = False
        if in_limits or ramp_pa != self._ramp_pa:
            self._ramp_pa = ramp_pa
            self._from_pa = self._sensors.pressure_pa

    def tick(self, dt_ms: int) -> bool:
        """Count one tick of the window; return whether it is over."""
        self.left_ms -= dt_ms
        if abs(self._sensors.pressure_pa - self._from_pa) > self._drift_pa:
            self.drifted = True
            self.left_ms = 0
        return self.left_ms <= 0
