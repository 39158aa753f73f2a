"""Watches the coils and their rail: drain readback against commands."""

from regulator.faults import COIL_DEAD, COIL_SHORTED, NO_FAULT, RAIL_LOST

# Two samples in a row, because an edge of a pulse may fall between command and readback.
_SAMPLES = 2
# The charge pump needs several heartbeats to switch the rail on, also after a slow write to flash. It holds for 0.49 s
# without one (hardware/electrical.md). Design choices.
_RISE_MS = 300
_LATE_MS = 100
# After an acknowledge a cut rail is on for a test of _TRIAL_MS, and a good result counts for a while: design choices.
_TRIAL_MS = 500
_TRIAL_VALID_MS = 10_000


class Coils:
    """`on`: heartbeat runs. `value`: a mask, 1 fill, 2 vent, 4 supply isolation, 8 vent isolation, 16 relief."""

    def __init__(self):
        self.on = True
        self.fault = NO_FAULT
        self.value = 0
        self.cut = False  # because of a shorted transistor; a test if `on` as well
        self._rise_ms = _RISE_MS
        self._dead = 0
        self._shorted = 0
        self._lost = 0
        self._trial_ms = 0

    def check(self, sample, dt_ms: int):
        """Judge this tick's sample."""
        if dt_ms > _LATE_MS:
            self._rise_ms = _RISE_MS
        elif self._rise_ms > 0:
            self._rise_ms -= dt_ms
        if sample.rail_on:
            self._lost = 0
            if sample.coil_dead or sample.coil_shorted or self._dead or self._shorted:
                self._check_drains(sample)
            elif self.on and self.fault:
                # A cut rail stays a fault until a whole test was good.
                self.fault = COIL_SHORTED if self.cut and self._trial_ms < _TRIAL_MS else NO_FAULT
        elif self.on and self._rise_ms <= 0:
            self._lost += 1
            if self._lost >= _SAMPLES:
                self._lost = _SAMPLES
                self.fault = RAIL_LOST
                self.value = 0
        if self.cut and self.on:
            self._trial_ms += dt_ms
            if self._trial_ms > _TRIAL_MS + _TRIAL_VALID_MS:
                self.on = False
                self.fault = COIL_SHORTED

    def try_again(self) -> bool:
        """Switch a cut rail on for a test; return whether the rail is in order."""
        if not self.cut:
            return True
        if not self.on:
            self.on = True
            self._trial_ms = 0
            self._rise_ms = _RISE_MS
            return False
        if self.fault or self._trial_ms < _TRIAL_MS:
            return False
        self.cut = False
        return True

    def _check_drains(self, sample):
        """Report a bit that is set in two samples in a row."""
        shorted = sample.coil_shorted & self._shorted
        dead = sample.coil_dead & self._dead
        self._shorted = sample.coil_shorted
        self._dead = sample.coil_dead
        if shorted:
            self.fault = COIL_SHORTED
            self.value = shorted
            self.cut = True
            self.on = False
        elif dead:
            self.fault = COIL_DEAD
            self.value = dead
        elif not self.cut:
            self.fault = NO_FAULT
