"""The chamber as measured: spike filter, level and slope of the pressure, and where it will settle."""

from regulator.measure.oven import Ripple
from regulator.measure.transducer import ADS1115_SATURATED, OPEN, VALID, Transducer, pt1000_mk

# Memory of the level and slope estimate, in samples; beyond 165 a residual times its weight would pass 2^30.
_MEMORY = 160
# A residual beyond this is a jump, not noise: the estimate starts again.
_JUMP_PA = 50_000
_SLEW_PERIOD_MS = 1000


class Sample:
    """What one tick reads from the hardware, as raw counts; `rig.read(sample)` fills it in place."""

    def __init__(self):
        self.control_counts = 0  # ADS1115 at +-2.048 V, 62.5 uV a count, over 100 ohm
        self.safety_counts = 0  # the RP2040's own ADC, oversampled, 0..65535 for 0..3.3 V, over 100 ohm
        self.supply_counts = 0  # ADS1115, as control
        self.gas_counts = 0  # MAX31865 ratio, 15 bit, PT1000 against 4 kilohm
        self.wall_counts = 0  # TMP117, 1/128 K a count, 0 = 0 degC
        self.faults = 0  # bit mask of converters that did not answer: 1 ADS1115, 2 MAX31865, 4 TMP117
        self.reference_counts = 0  # ADS1115, the 1.25 V reference: 20000
        # Bit masks of coils, 1 fill, 2 vent, 4 supply isolation, 8 vent isolation, 16 relief; 0 while the rail is off.
        self.coil_dead = 0  # commanded on, and its drain says that no current flows
        self.coil_shorted = 0  # commanded off, and its drain says on (or that the coil is broken)
        self.rail_on = 0  # 1: the coil rail is on
        self.tripped = 0  # 1: the hardware comparator has tripped


class Sensors:
    """The state of the chamber as measured; every attribute is an integer in the unit of its name."""

    def __init__(self, settings):
        self._settings = settings
        self.control = Transducer(3125, 8, ADS1115_SATURATED)
        self.safety = Transducer(10071, 32, 65536)
        self.supply = Transducer(3125, 8, ADS1115_SATURATED)
        self.control_pa = 0  # median of the last three samples
        self.pressure_pa = 0  # level of a straight line fitted since the last pulse
        self.samples = 0  # how many samples that estimate rests on
        self.safety_pa = 0
        self.supply_pa = 0
        self.gas_mk = 0  # 0 = invalid
        self.wall_mk = 0  # 0 = invalid
        self.slew_pa_s = 0
        self.settled_pa = 0  # predicted pressure once the gas is as warm as the wall
        self.wild_samples = 0
        self.distrusted = 0  # bits as in Sample.faults: sensors that answer, but not plausibly
        self._older_pa = -1  # no sample yet
        self._old_pa = 0
        self._level = 0  # pressure_pa times 32
        self._slope = 0  # change of _level per tick
        self._frozen = False
        self._noise = 0  # mean deviation from the fit, Pa times 64
        self._gas_counts = -1
        self._lead = 0  # gas above wall, mK, averaged, times 64
        self.ripple = Ripple()
        self.age_s = 0  # seconds since the start
        self._slew_from_pa = 0
        self._slew_ms = 0
        self.configure()

    def configure(self):
        """Read the calibration from the settings."""
        setting = self._settings.get
        reference_mk = setting("cal_temperature_mk")
        for transducer, name in ((self.control, "control"), (self.safety, "safety")):
            transducer.calibrate(
                setting(name + "_zero_pa"),
                setting(name + "_span_ppm"),
                setting(name + "_zero_tc_pa_k"),
                setting(name + "_span_tc_ppm_k"),
                reference_mk,
            )
        self.supply.calibrate(setting("supply_zero_pa"), setting("supply_span_ppm"), 0, 0, reference_mk)

    def update(self, sample: Sample, dt_ms: int):
        """Take the sample of this tick."""
        faults = sample.faults | self.distrusted
        if not faults & 4:
            self.wall_mk = 273_150 + sample.wall_counts * 125 // 16
        else:
            self.wall_mk = 0
        if faults & 2:
            self.gas_mk = 0
            self._gas_counts = -1
        elif sample.gas_counts != self._gas_counts:
            self._gas_counts = sample.gas_counts
            self.gas_mk = pt1000_mk(sample.gas_counts)

        control = self.control
        if sample.faults & 1:
            control.band = OPEN
            self.supply.band = OPEN
        else:
            control.update(sample.control_counts)
            self.supply.update(sample.supply_counts)
        self.safety.update(sample.safety_counts)
        self.safety_pa = self.safety.pa
        self.supply_pa = self.supply.pa
        if control.band == VALID:
            self._filter(control.pa)
        self._predict()

        self._slew_ms += dt_ms
        if self._slew_ms >= _SLEW_PERIOD_MS:
            self.slew_pa_s = (self.pressure_pa - self._slew_from_pa) * 10 // (self._slew_ms // 100)
            self._slew_from_pa = self.pressure_pa
            self.age_s += self._slew_ms // 1000
            self._slew_ms = 0
            self.ripple.update(self.wall_mk, self.age_s)
            if self.wall_mk:
                control.compensate(self.wall_mk)
                self.safety.compensate(self.wall_mk)

    def freeze_fit(self):
        """A pulse begins: extrapolate the fit on its slope instead of following the pulse."""
        self._frozen = True

    def resume_fit(self):
        """The pulse is over: fit anew, from the present sample on; the slope is kept until new samples tell better."""
        self._frozen = False
        self.samples = 0

    def noise_pa(self) -> int:
        """Return the mean deviation of the samples from the fit."""
        return self._noise >> 6

    def ahead_pa(self, ticks: int) -> int:
        """Return the pressure expected this many ticks from now (negative: that long ago), on the present slope."""
        return (self._level + self._slope * ticks) >> 5

    def swing_pa(self) -> int:
        """Return the part of the pressure that is due to a swing of the wall temperature and will reverse by itself."""
        offset_mk = self.ripple.offset_mk(self.wall_mk)
        return self.per_kelvin_pa() * min(max(offset_mk, -20_000), 20_000) // 1000 if offset_mk else 0

    def swing_amplitude_pa(self) -> int:
        """Return the largest `swing_pa`; 0 while the wall temperature does not swing."""
        amplitude_mk = self.ripple.amplitude_mk
        return self.per_kelvin_pa() * min(amplitude_mk, 20_000) // 1000 if amplitude_mk else 0

    def per_kelvin_pa(self) -> int:
        """Sealed gas that warms by dT gains k p dT / T, with k = 1 + 0.022 per MPa for air (from Z(p, T))."""
        real_gas_permille = 1000 + self.pressure_pa // 1000 * 22 // 1000
        return self.pressure_pa // (self.wall_mk // 1000) * real_gas_permille // 1000

    def _filter(self, pa: int):
        if self._older_pa == -1:
            self._old_pa = pa
            self._older_pa = pa
        a = self._older_pa
        b = self._old_pa
        self._older_pa = b
        self._old_pa = pa
        if a > b:
            a, b = b, a
        # Median of three: one wild sample never reaches an output.
        median_pa = a if pa < a else (b if pa > b else pa)
        if median_pa - pa > 50_000 or pa - median_pa > 50_000:
            self.wild_samples += 1
        self.control_pa = median_pa
        self._fit(median_pa)

    def _fit(self, median_pa: int):
        # Growing-memory fit of a straight line, then fading memory: level and slope without a lag behind a drift.
        level = self._level + self._slope
        if self._frozen:
            self._level = level
            self.pressure_pa = median_pa
            return
        residual = (median_pa << 5) - level
        if self.samples == 0 or residual > _JUMP_PA << 5 or residual < -_JUMP_PA << 5:
            if self.samples:
                self._slope = 0
            self.samples = 1
            level = median_pa << 5
        else:
            n = self.samples
            if n < _MEMORY:
                n += 1
                self.samples = n
            if n > 10:
                self._noise += (abs(residual) >> 5) - (self._noise >> 6)
            scale = n * (n + 1)
            level += residual * (4 * n - 2) // scale
            # Two samples do not tell a slope; from the third on it is worth more than the one from before the pulse.
            if n > 2:
                self._slope += residual * 6 // scale
        self._level = level
        self.pressure_pa = level >> 5

    def _predict(self):
        """Predict the pressure once the gas is as warm as the wall."""
        if not self.gas_mk or not self.wall_mk:
            self._lead = 0
            self.settled_pa = self.pressure_pa
            return
        self._lead += (self.gas_mk - self.wall_mk) - (self._lead >> 6)
        # Beyond 20 K the gas is in the middle of a burst or its sensor is broken; the clamp keeps the product small.
        warmer_mk = min(max(self._lead >> 6, -20_000), 20_000)
        self.settled_pa = self.pressure_pa - self.per_kelvin_pa() * warmer_mk // 1000
