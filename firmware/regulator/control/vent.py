"""Vents the chamber, and never refuses to. Constants without another source are chosen on the simulated plant."""

from regulator.measure.transducer import VALID
from regulator.valves.sides import NONE, VENT
from regulator.valves.window import WAY_OUT

IDLE, IN_PROGRESS, COMPLETE = 0, 1, 2  # `state`, numbered as in a Druck PACE

# Without a measurement: one short pulse per _BLIND_MS, _BLIND_PULSES at most (an hour).
_BLIND_MS = 1000
_BLIND_US = 20_000
_BLIND_PULSES = 3600
# With a measurement: the pulse grows, up to _LONGEST_US, while the pressure is this far behind the ramp.
_BEHIND_PA = 20_000
_LONGEST_US = 300_000
# The relief valve opens for one tick, then its effect is awaited.
_RELIEF_PAUSE_MS = 500
# The vent ends this far above ambient; sooner by the safety transducer, which is less accurate.
EMPTY_PA = 20_000
_EMPTY_ROUGH_PA = 100_000


class Vent:
    """Follows a ramp with a valid pressure and a working vent valve, else vents by single pulses, slowly and bounded.

    `state` as `VENT?` reports it; `relief_open` requests the relief valve in this tick.
    """

    def __init__(self, settings, sensors, valves, control):
        self._settings = settings
        self._sensors = sensors
        self._valves = valves
        self._control = control
        self.state = IDLE
        self.relief_open = False
        self._rough = False  # without control transducer or vent valve
        self._allowed_pa = 0
        self._rest_ms = 0
        self._pulses = 0
        self._us = _BLIND_US
        self._left_pa_ms = 0

    def start(self):
        """Begin at the present pressure."""
        self.state = IN_PROGRESS
        self._rough = False
        self.relief_open = False
        self._control.start()

    def stop(self):
        """Abort the vent, or reset a complete one to idle."""
        self.state = IDLE

    def tick(self, dt_ms: int, by_relief: bool) -> bool:
        """Run one tick; return whether the chamber is empty. `by_relief`: the vent valve does not open."""
        control = self._control
        if self._sensors.control.band == VALID and not by_relief:
            if self._rough:
                self._rough = False
                self.relief_open = False
                control.start()
            done = control.descend(dt_ms)
        else:
            if not self._rough:
                self._begin_roughly()
            control.rest()
            done = self._tick_roughly(dt_ms, by_relief)
        if done:
            self.state = COMPLETE
        return done

    def _begin_roughly(self):
        self._rough = True
        self.relief_open = False
        self._allowed_pa = max(self._pressure_pa(), 0)
        self._rest_ms = 0
        self._pulses = 0
        self._us = _BLIND_US

    def _tick_roughly(self, dt_ms: int, by_relief: bool) -> bool:
        """Vent at the vent rate; return whether the chamber is empty or the number of pulses is used up."""
        pa = self._pressure_pa()
        slew_pa_s = self._settings.get("vent_slew_pa_s")
        self.relief_open = False
        self._rest_ms -= dt_ms
        self._left_pa_ms += slew_pa_s * dt_ms
        step_pa = self._left_pa_ms // 1000
        self._left_pa_ms -= step_pa * 1000
        self._allowed_pa = max(self._allowed_pa - step_pa, 0)
        if 0 <= pa < self._empty_pa() or self._pulses >= _BLIND_PULSES:
            return True
        if self._rest_ms > 0 or (0 <= pa <= self._allowed_pa):
            return False
        if pa < 0:
            self._pulses += 1
        if by_relief:
            self._valves.close_window()
            if self._valves.isolation == NONE:
                self.relief_open = True
                self._rest_ms = _RELIEF_PAUSE_MS
        elif self._valves.idle():
            us = _BLIND_US if pa < 0 else self._next_us(pa - self._allowed_pa)
            self._valves.request(VENT, us, WAY_OUT)
            self._rest_ms = _BLIND_MS
        return False

    def _empty_pa(self) -> int:
        empty_pa = EMPTY_PA if self._sensors.control.band == VALID else _EMPTY_ROUGH_PA
        return self._settings.get("ambient_pa") + empty_pa

    def _next_us(self, behind_pa: int) -> int:
        """Return the next pulse in us: longer while the pressure is behind the ramp, else shorter."""
        if behind_pa > _BEHIND_PA:
            self._us = min(self._us * 3 // 2, _LONGEST_US)
        else:
            self._us = max(self._us * 2 // 3, _BLIND_US)
        return self._us

    def _pressure_pa(self) -> int:
        """Return the pressure by the control transducer, else by the safety transducer; -1 without both."""
        sensors = self._sensors
        if sensors.control.band == VALID:
            return sensors.pressure_pa
        if sensors.safety.band == VALID:
            return sensors.safety.mean_pa
        return -1
