"""A vent without the control transducer, or past a vent valve that does not open: slow, bounded, never refused."""

from regulator.transducers import VALID
from regulator.valves import VENT

# Without any measurement: one short pulse a second, and the end after so many.
_BLIND_MS = 1000
_BLIND_US = 20_000
_BLIND_PULSES = 3600
_STEP_MAX_PA = 100_000
# The relief valve opens for one tick, then what it did is waited for.
_RELIEF_PAUSE_MS = 500
# The safety transducer is not good enough to tell the last of it.
_EMPTY_PA = 20_000
_EMPTY_ROUGH_PA = 100_000


class RoughVent:
    """`relief_open` asks for the relief valve in this tick."""

    def __init__(self, settings, sensors, valves, loops):
        self._settings = settings
        self._sensors = sensors
        self._valves = valves
        self._loops = loops
        self.relief_open = False
        self._allowed_pa = 0
        self._rest_ms = 0
        self._pulses = 0
        self._left_pa_ms = 0

    def start(self):
        """Begin at the pressure that is there."""
        self.relief_open = False
        self._allowed_pa = max(self._pressure_pa(), 0)
        self._rest_ms = 0
        self._pulses = 0

    def tick(self, dt_ms: int, by_relief: bool) -> bool:
        """One tick of a vent at the vent rate; return whether the chamber is empty, or nothing more may be done."""
        pa = self._pressure_pa()
        slew_pa_s = self._settings.get("vent_slew_pa_s")
        self.relief_open = False
        self._rest_ms -= dt_ms
        self._left_pa_ms += slew_pa_s * dt_ms
        step_pa = self._left_pa_ms // 1000
        self._left_pa_ms -= step_pa * 1000
        empty_pa = self._settings.get("ambient_pa")
        empty_pa += _EMPTY_PA if self._sensors.control.band == VALID else _EMPTY_ROUGH_PA
        self._allowed_pa = max(self._allowed_pa - step_pa, 0)
        if 0 <= pa < empty_pa or self._pulses >= _BLIND_PULSES:
            return True
        if self._rest_ms > 0 or (0 <= pa <= self._allowed_pa):
            return False
        if pa < 0:
            self._pulses += 1
        if by_relief:
            self.relief_open = True
            self._rest_ms = _RELIEF_PAUSE_MS
        elif self._valves.idle():
            self._valves.request(VENT, self._pulse_us(pa, slew_pa_s), False)
            self._rest_ms = _BLIND_MS
        return False

    def _pulse_us(self, pa: int, slew_pa_s: int) -> int:
        if pa < 0:
            return _BLIND_US
        step_pa = min(slew_pa_s * _BLIND_MS // 1000, _STEP_MAX_PA)
        return self._valves.responses[VENT].pulse_us(step_pa, pa // 1000, 300_000) or _BLIND_US

    def _pressure_pa(self) -> int:
        """Return the best there is: control, else safety transducer; -1 without any."""
        sensors = self._sensors
        if sensors.control.band == VALID:
            return sensors.pressure_pa
        if sensors.safety.band == VALID:
            return self._loops.safety_mean_pa
        return -1
