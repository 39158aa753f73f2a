"""The quiet window: valves locked shut for a measurement, limited in time and drift."""


class Quiet:
    """`left_ms` of the window; `drifted`: it ended because the pressure drifted too far."""

    def __init__(self, settings, sensors):
        self._settings = settings
        self._sensors = sensors
        self.left_ms = 0
        self.drifted = False
        self._from_pa = 0
        self.configure()

    def configure(self):
        """Read the limit of the drift."""
        self._drift_pa = self._settings.get("quiet_drift_pa")

    def begin(self, seconds: int):
        """Begin a window of this length in s at the present pressure."""
        self.left_ms = seconds * 1000
        self.drifted = False
        self._from_pa = self._sensors.pressure_pa

    def tick(self, dt_ms: int) -> bool:
        """Count one tick of the window; return whether it is over."""
        self.left_ms -= dt_ms
        if abs(self._sensors.pressure_pa - self._from_pa) > self._drift_pa:
            self.drifted = True
            self.left_ms = 0
        return self.left_ms <= 0
