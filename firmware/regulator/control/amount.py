"""Constant amount of gas: valves shut, and the drift of the pressure corrected for temperature."""

# The drift is relative to a mean at the end of this time, as the gas is still warm before. Design choice.
_BEGIN_S = 60
_MEAN_SHIFT = 4  # mean over about 16 s: design choice
_HOUR_S = 3600
# Larger values times 3600 would pass 2^30.
_RATE_LIMIT_PA = 250_000
# The wall cannot change faster in a second (measure/temperature.py).
_STEP_LIMIT_MK = 5_000


class Amount:
    """The drift since the valves were shut, in Pa at the wall temperature of that time."""

    def __init__(self, settings, sensors):
        self._settings = settings
        self._sensors = sensors
        self.active = False
        self.drift_pa = 0
        self.seconds = 0  # since the valves were shut
        self._ms = 0
        self._mean = 0  # Pa times 16
        self._from_pa = 0
        self._wall_mk = 0
        self._warmth = 0  # pressure due to the wall temperature, mPa
        self._warmth_pa = 0

    def stop(self):
        """Stop, because the valves may move again; the last drift stays readable."""
        self.active = False

    def tick(self, dt_ms: int):
        """Run one tick with the valves shut."""
        if not self.active:
            self.active = True
            self.drift_pa = 0
            self.seconds = 0
            self._ms = 0
            self._warmth = 0
            self._warmth_pa = 0
            self._wall_mk = self._sensors.wall_mk
            self._mean = self._sensors.settled_pa << _MEAN_SHIFT
        self._ms += dt_ms
        while self._ms >= 1000:
            self._ms -= 1000
            self._second()

    def rate_pa_h(self) -> int:
        """Return the mean drift in Pa/h; 0 in the first two minutes."""
        seconds = self.seconds - _BEGIN_S
        if seconds < _BEGIN_S:
            return 0
        drift_pa = min(max(self.drift_pa, -_RATE_LIMIT_PA), _RATE_LIMIT_PA)
        return drift_pa * _HOUR_S // seconds

    def within(self) -> bool:
        """Return whether the drift is within the distance that counts as in limits."""
        return abs(self.drift_pa) <= self._settings.get("in_limits_pa")

    def too_far(self) -> bool:
        """Return whether the drift has passed `amount_drift_pa`."""
        return self.active and abs(self.drift_pa) > self._settings.get("amount_drift_pa")

    def _second(self):
        sensors = self._sensors
        self.seconds += 1
        if sensors.wall_mk and self._wall_mk:
            # In small steps, because dp/dT depends on the present pressure and temperature.
            step_mk = min(max(sensors.wall_mk - self._wall_mk, -_STEP_LIMIT_MK), _STEP_LIMIT_MK)
            self._warmth += sensors.per_kelvin_pa() * step_mk
            whole_pa = self._warmth // 1000
            self._warmth -= whole_pa * 1000
            self._warmth_pa += whole_pa
        self._wall_mk = sensors.wall_mk
        self._mean += sensors.settled_pa - self._warmth_pa - (self._mean >> _MEAN_SHIFT)
        if self.seconds <= _BEGIN_S:
            self._from_pa = self._mean >> _MEAN_SHIFT
        else:
            self.drift_pa = (self._mean >> _MEAN_SHIFT) - self._from_pa
