"""Watches the transducers' current loops. Constants without another source are chosen on the simulated plant."""

from regulator.faults import (
    ADC_DEAD,
    CONTROL_ERRATIC,
    CONTROL_OPEN,
    CONTROL_RANGE,
    CONTROL_SHORTED,
    DISAGREEMENT,
    NO_FAULT,
    REFERENCE_DRIFT,
    SAFETY_FAILED,
    SAFETY_TRANSDUCER,
    SUPPLY_TRANSDUCER,
    TRANSDUCER_STILL,
)
from regulator.measure.transducer import HIGH, LOW, SHORT, STILL_MS, VALID, WILD_PA, has_steps

# A loop may fail for this long without a fault: relays nearby, or a lost conversion.
_FAILED_MS = 100
_DEAD_MS = 80
_RANGE_MS = 500
_DISAGREEMENT_MS = 500
# Four spikes on alternate sides of the median within half a second are erratic.
_WILD_WEIGHT = 10
_WILD_MOST = 35
# 1.25 V / 62.5 uV. Tolerances: reference 0.1 %, ADS1115 0.15 % (data sheets). A deviation of 0.5 % is a drift.
REFERENCE_COUNTS = 20_000
_REFERENCE_COUNTS_MAX = 100
_REFERENCE_MS = 20_000


class Loops:
    """`fault` is the present one, with its `value`; `warnings` is a mask of the present ones."""

    def __init__(self, settings, sensors):
        self._settings = settings
        self._sensors = sensors
        self.fault = NO_FAULT
        self.value = 0
        self.warnings = 0
        self._wild = 0
        self._wild_up = False
        self._failed_ms = 0
        self._range_ms = 0
        self._disagree_ms = 0
        self._invalid_ms = 0
        self._invalid_s = 0
        self._reference_ms = 0
        self.configure()

    def configure(self):
        """Read the limits from the settings."""
        self._invalid_limit_s = self._settings.get("safety_invalid_s")

    def reference_moves(self) -> bool:
        """Return whether the reference has recently moved, which shifts the control but not the safety reading."""
        return 0 < self._reference_ms < _REFERENCE_MS

    def check(self, dead: bool, dt_ms: int):
        """Judge this tick's sample. `dead`: the converter of the control transducer did not answer."""
        control = self._sensors.control
        safety = self._sensors.safety
        self.fault = NO_FAULT
        if control.band == VALID:
            self._take_control(control.pa)
        else:
            self._check_control(control, dead, dt_ms)
        trusted = self._sensors.trusted
        if trusted.safety_valid():
            self._invalid_ms = 0
            self._invalid_s = 0
            if trusted.clash():
                self._disagree_ms += dt_ms
                if self._disagree_ms >= _DISAGREEMENT_MS:
                    self.fault = DISAGREEMENT
                    self.value = control.pa - safety.pa
                    self._disagree_ms = _DISAGREEMENT_MS
            else:
                self._disagree_ms = 0
        else:
            self._disagree_ms = 0
            self._check_safety(dt_ms)

    def _take_control(self, control_pa: int):
        self._failed_ms = 0
        self._range_ms = 0
        wild_pa = control_pa - self._sensors.control_pa
        if wild_pa > WILD_PA or wild_pa < -WILD_PA or self._wild:
            self._count_wild(wild_pa)

    def _count_wild(self, wild_pa: int):
        """Count spikes that alternate in direction, which no pressure does."""
        if self._wild:
            self._wild -= 1
            if not self._wild:
                self._sensors.trusted.doubt_control(False)
        if -WILD_PA <= wild_pa <= WILD_PA:
            return
        up = wild_pa > 0
        if up != self._wild_up or not self._wild:
            self._wild_up = up
            self._wild += _WILD_WEIGHT
            if self._wild > _WILD_MOST:
                self._wild = _WILD_MOST
                self._sensors.trusted.doubt_control(True)
                self.fault = CONTROL_ERRATIC
                self.value = wild_pa

    def check_slowly(self, sample, dt_ms: int):
        """Run the slow checks; `dt_ms` since the last call."""
        warnings = 0
        sensors = self._sensors
        if not sensors.trusted.safety_valid():
            warnings = SAFETY_TRANSDUCER
        supply = sensors.supply
        supply.count_still(sample.supply_counts, dt_ms)
        if supply.band != VALID or supply.still_ms >= STILL_MS:
            warnings |= SUPPLY_TRANSDUCER
        sensors.control.count_still(sample.control_counts, dt_ms)
        if not has_steps(sensors.control.mean_pa):
            sensors.safety.count_still(sample.safety_counts, dt_ms)
        if sensors.control.still_ms > STILL_MS or sensors.safety.still_ms > STILL_MS:
            warnings |= TRANSDUCER_STILL
        off = sample.reference_counts - REFERENCE_COUNTS
        if off > _REFERENCE_COUNTS_MAX or off < -_REFERENCE_COUNTS_MAX:
            if self._reference_ms < _REFERENCE_MS:
                self._reference_ms += dt_ms
            else:
                warnings |= REFERENCE_DRIFT
        else:
            self._reference_ms = 0
        self.warnings = warnings

    def _check_control(self, control, dead: bool, dt_ms: int):
        band = control.band
        if dead:
            self._failed_ms += dt_ms
            if self._failed_ms >= _DEAD_MS:
                self._failed_ms = _DEAD_MS
                self.fault = ADC_DEAD
                self.value = 0
        elif band == LOW or band == HIGH:  # noqa: SIM109 - a tuple would be allocated
            self._range_ms += dt_ms
            if self._range_ms >= _RANGE_MS:
                self._range_ms = _RANGE_MS
                self.fault = CONTROL_RANGE
                self.value = control.pa
        else:
            self._failed_ms += dt_ms
            if self._failed_ms >= _FAILED_MS:
                self._failed_ms = _FAILED_MS
                self.fault = CONTROL_SHORTED if band == SHORT else CONTROL_OPEN
                self.value = control.pa

    def _check_safety(self, dt_ms: int):
        """Measure the time without the safety transducer."""
        self.warnings |= SAFETY_TRANSDUCER
        self._invalid_ms += dt_ms
        while self._invalid_ms >= 1000:
            self._invalid_ms -= 1000
            self._invalid_s += 1
        if self._invalid_s > self._invalid_limit_s and not self.fault:
            self.fault = SAFETY_FAILED
            self.value = self._invalid_s
