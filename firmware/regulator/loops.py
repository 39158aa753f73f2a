"""Watches the transducers' loops and converters: failed, out of range, disagreeing, standing still, drifting."""

from regulator.faults import (
    ADC_DEAD,
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
from regulator.transducers import HIGH, LOW, OPEN, SHORT, VALID

# A loop may fail for a few samples without harm: a relay nearby, one lost conversion.
_FAILED_MS = 100
_DEAD_MS = 80
_RANGE_MS = 500
_DISAGREEMENT_MS = 500
_STILL_MS = 600_000
# The 1.25 V reference of 0.1 % and an ADS1115 of 0.15 % read 20000 counts; 0.5 % is a drift.
REFERENCE_COUNTS = 20_000
_REFERENCE_COUNTS_MAX = 100
_REFERENCE_MS = 20_000


class Loops:
    """`fault` is what holds now, `value` what goes with it, `warnings` a mask of those that this module knows."""

    WARNINGS = SAFETY_TRANSDUCER | SUPPLY_TRANSDUCER | TRANSDUCER_STILL | REFERENCE_DRIFT

    def __init__(self, settings, sensors):
        self._settings = settings
        self._sensors = sensors
        self.fault = NO_FAULT
        self.value = 0
        self.warnings = 0
        self.safety_mean_pa = 0  # over about 32 samples: a single reading is noisy
        self._safety_32 = 0
        self._failed_ms = 0
        self._range_ms = 0
        self._disagree_ms = 0
        self._invalid_ms = 0
        self._invalid_s = 0
        self._counts = 0
        self.still_ms = 0
        self._reference_ms = 0
        self.configure()

    def configure(self):
        """Read the limits from the settings."""
        setting = self._settings.get
        self._disagreement_pa = (
            setting("disagreement_pa") + setting("control_tolerance_pa") + setting("safety_tolerance_pa")
        )
        self._invalid_limit_s = setting("safety_invalid_s")

    def agree(self) -> bool:
        """Return whether both transducers are valid and agree now."""
        sensors = self._sensors
        return (
            sensors.control.band == VALID
            and sensors.safety.band == VALID
            and abs(sensors.control.pa - self.safety_mean_pa) <= self._disagreement_pa
        )

    def check(self, dead: bool, dt_ms: int):
        """Judge this tick's sample. `dead`: the converter of the control transducer did not answer."""
        control = self._sensors.control
        safety = self._sensors.safety
        self.fault = NO_FAULT
        if control.band == VALID:
            self._failed_ms = 0
            self._range_ms = 0
        else:
            self._check_control(control, dead, dt_ms)
        if safety.band == VALID:
            self._invalid_ms = 0
            self._invalid_s = 0
            self._safety_32 += safety.pa - (self._safety_32 >> 5) if self._safety_32 else safety.pa << 5
            self.safety_mean_pa = self._safety_32 >> 5
            if (
                control.band == VALID
                and not -self._disagreement_pa <= control.pa - safety.pa <= self._disagreement_pa
            ):
                self._disagree_ms += dt_ms
                if self._disagree_ms >= _DISAGREEMENT_MS:
                    self.fault = DISAGREEMENT
                    self.value = control.pa - safety.pa
                    self._disagree_ms = _DISAGREEMENT_MS
            else:
                self._disagree_ms = 0
        else:
            self._safety_32 = 0
            self._disagree_ms = 0
            self._check_safety(dt_ms)

    def check_slowly(self, sample, dt_ms: int):
        """Judge what may take seconds; `dt_ms` since the last call."""
        warnings = 0
        sensors = self._sensors
        if sensors.safety.band != VALID:
            warnings = SAFETY_TRANSDUCER
        # A saturated converter may mean a supply that is too high: that is for the watch of the supply.
        if sensors.supply.band == OPEN or sensors.supply.band == LOW:
            warnings |= SUPPLY_TRANSDUCER
        if sample.control_counts == self._counts:
            if self.still_ms < _STILL_MS:
                self.still_ms += dt_ms
            else:
                warnings |= TRANSDUCER_STILL
        else:
            self._counts = sample.control_counts
            self.still_ms = 0
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
        """Count the time without the safety transducer."""
        self.warnings |= SAFETY_TRANSDUCER
        self._invalid_ms += dt_ms
        while self._invalid_ms >= 1000:
            self._invalid_ms -= 1000
            self._invalid_s += 1
        if self._invalid_s > self._invalid_limit_s and not self.fault:
            self.fault = SAFETY_FAILED
            self.value = self._invalid_s
