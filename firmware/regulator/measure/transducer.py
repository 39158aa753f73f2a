"""One pressure transducer: counts to pascal, calibration, NAMUR NE43 bands, median, mean, and frozen counts."""

FULL_SCALE_PA = 10_000_000  # measuring range of the transducers

# State of a 4-20 mA loop. NAMUR NE43: 3.8-20.5 mA is a measurement, below 3.6 and above 21 mA is a failure.
VALID, OPEN, LOW, HIGH, SHORT = range(5)
# These limits as nominal pressures: 4 mA is zero, and 16 mA more is full scale.
_OPEN_PA = -250_000
_LOW_PA = -125_000
_HIGH_PA = 10_312_500
_SHORT_PA = 10_625_000

# The ADS1115 saturates at 32767 counts = 20.48 mA into 100 ohm. A short then looks like 20.5 mA, so it counts as a
# short, the worse of the two.
ADS1115_SATURATED = 32767

# Bit of Sample.faults, as board.py sets it: the ADS1115, which converts the control and the supply transducer.
ADC_FAULT = 1

# A reading this far from the median of three is a spike, not a movement of gas. Chosen on the simulated plant.
WILD_PA = 50_000
# A converter that repeats one count for this long has failed: the noise of a live loop moves it. Design choice.
STILL_MS = 600_000
# The RP2040's converter, which reads the safety transducer, has steps of up to 45 kPa near 0.08 and 5.23 MPa (erratum
# E11): there it shows no pulse.
_STEP_LOW_PA, _STEP_HIGH_PA, _STEP_EMPTY_PA = 5_150_000, 5_290_000, 200_000


def has_steps(pa: int) -> bool:
    """Return whether the safety transducer's converter has wide steps at this pressure."""
    return pa < _STEP_EMPTY_PA or _STEP_LOW_PA < pa < _STEP_HIGH_PA


class Transducer:
    """A 4-20 mA pressure transducer over 0..10 MPa absolute and its calibration.

    pressure = nominal + zero + span * nominal. Zero and span each have a term that is linear in the temperature of the
    block that carries the transducer.

    `band` and `pa` belong to the last sample, `median_pa` to the last three. `mean_pa` covers about 32 medians.
    """

    def __init__(self, multiplier: int, divisor: int, saturated: int):
        """Nominal pressure = counts * multiplier / divisor - 2.5 MPa; the converter ends at `saturated` counts."""
        self._multiplier = multiplier
        self._divisor = divisor
        self._saturated = saturated
        self._zero_pa = 0
        self._span_ppm = 0
        self._zero_tc_pa_k = 0
        self._span_tc_ppm_k = 0
        self._reference_mk = 303_150
        self._offset_pa = 0
        self._gain_ppm = 0
        self.band = OPEN
        self.pa = 0
        self.median_pa = 0
        self.mean_pa = 0
        self.wild_samples = 0
        self.still_ms = 0
        self._older_pa = -1  # no sample yet
        self._old_pa = 0
        self._mean = 0  # mean_pa times 32; 0 restarts it
        self._counts = 0

    def calibrate(self, setting, name: str):
        """Read the coefficients of this transducer (control, safety or supply) from the settings."""
        self._zero_pa = setting(name + "_zero_pa")
        self._span_ppm = setting(name + "_span_ppm")
        if name != "supply":
            self._zero_tc_pa_k = setting(name + "_zero_tc_pa_k")
            self._span_tc_ppm_k = setting(name + "_span_tc_ppm_k")
        self._reference_mk = setting("cal_temperature_mk")
        self.compensate(self._reference_mk)

    def compensate(self, wall_mk: int):
        """Apply the temperature terms for this temperature of the block."""
        delta_mk = wall_mk - self._reference_mk
        self._offset_pa = self._zero_pa + self._zero_tc_pa_k * delta_mk // 1000
        self._gain_ppm = self._span_ppm + self._span_tc_ppm_k * delta_mk // 1000

    def update(self, counts: int):
        """Convert one sample: set `band`, and `pa` if the loop current is a measurement."""
        nominal_pa = counts * self._multiplier // self._divisor - 2_500_000
        if _LOW_PA <= nominal_pa <= _HIGH_PA and counts < self._saturated:
            self.band = VALID
            self.pa = nominal_pa + self._offset_pa + (nominal_pa // 1000) * self._gain_ppm // 1000
        elif nominal_pa < _OPEN_PA:
            self.band = OPEN
        elif nominal_pa < _LOW_PA:
            self.band = LOW
        elif nominal_pa > _SHORT_PA or counts >= self._saturated:
            self.band = SHORT
        else:
            self.band = HIGH

    def fail(self):
        """Treat the loop as open, because its converter did not answer."""
        self.band = OPEN

    def filter(self, wild: bool):
        """Add a valid sample to the median, which rejects a single spike, and to the mean; only count a wild one."""
        if wild:
            self.wild_samples += 1
            return
        pa = self.pa
        if self._older_pa == -1:
            self._old_pa = pa
            self._older_pa = pa
        a = self._older_pa
        b = self._old_pa
        self._older_pa = b
        self._old_pa = pa
        if a > b:
            a, b = b, a
        median_pa = a if pa < a else (b if pa > b else pa)
        if median_pa - pa > WILD_PA or pa - median_pa > WILD_PA:
            self.wild_samples += 1
        self.median_pa = median_pa
        self._mean += median_pa - (self._mean >> 5) if self._mean else median_pa << 5
        self.mean_pa = self._mean >> 5

    def forget_mean(self):
        """Restart the mean with the next valid sample, because the loop failed."""
        self._mean = 0

    def count_still(self, counts: int, dt_ms: int):
        """Measure how long the converter has repeated one count; `dt_ms` since the last call."""
        if counts != self._counts:
            self._counts = counts
            self.still_ms = 0
        elif self.still_ms <= STILL_MS:
            self.still_ms += dt_ms
