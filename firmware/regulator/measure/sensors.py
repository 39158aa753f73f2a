"""The state of the chamber from all sensors, and the pressure that it will have at the wall temperature."""

from regulator.measure.oven import Oven
from regulator.measure.pressure import Pressure
from regulator.measure.temperature import APART_MK, Lead, Temperatures
from regulator.measure.transducer import ADC_FAULT, ADS1115_SATURATED, VALID, WILD_PA, Transducer
from regulator.measure.trusted import Trusted

_SLEW_PERIOD_MS = 1000  # design choice: the slew rate is a mean over 1 s
# A larger lead means a burst of gas or a broken sensor. The clamp keeps products below 2^30.
_LEAD_MK = 20_000
# A glitch: the control transducer alone jumps by _ALONE_PA, or the safety transducer, which is noisier, by WILD_PA. The
# last reading stands for up to _GLITCH_MS. Until _MOVED_MS after a pulse, the faster sensing line shows it alone.
# Chosen on the simulated plant.
_ALONE_PA = 8_000
_GLITCH_MS = 120
_MOVED_MS = 120
# Gas at rest does not change its pressure faster (5 K/min is 1.5 kPa/s): this is a relief or a vent. Design choice.
_MOVED_PA_S = 2_000

# The block with the transducers changes by less than this in a second: a runaway of 15 K/min by a quarter of it.
_BLOCK_STEP_MK = 1_000


class Sample:
    """The raw counts of one tick; `rig.read(sample)` fills them in place."""

    def __init__(self):
        self.control_counts = 0  # ADS1115 at +-2.048 V, 62.5 uV a count, over 100 ohm
        self.safety_counts = 0  # the RP2040's own ADC, oversampled, 0..65535 for 0..3.3 V, over 100 ohm
        self.supply_counts = 0  # ADS1115, as control
        self.gas_counts = 0  # MAX31865 ratio, 15 bit, PT1000 against 4 kilohm
        self.wall_counts = 0  # TMP117, 1/128 K a count, 0 = 0 degC
        self.faults = 0  # converters that did not answer: ADC_FAULT, GAS_FAULT, WALL_FAULT
        self.reference_counts = 0  # ADS1115, the 1.25 V reference: 20000
        # Bit masks of coils, 1 fill, 2 vent, 4 supply isolation, 8 vent isolation, 16 relief; 0 while the rail is off.
        self.coil_dead = 0  # commanded on, but the drain shows no current
        self.coil_shorted = 0  # commanded off, but the drain reads on (or the coil is open)
        self.rail_on = 0  # 1: the coil rail is on
        self.tripped = 0  # 1: the hardware comparator has tripped


class Sensors:
    """The measured state of the chamber; every attribute is an integer in the unit of its name."""

    def __init__(self, settings):
        self._settings = settings
        # Pascal per count as a fraction, at 625 Pa per uA (10 MPa over 16 mA) and 100 ohm: the ADS1115 has 62.5 uV a
        # count, the RP2040 3.3 V / 65536. The latter never reaches 65536: 3.3 V are 33 mA.
        self.control = Transducer(3125, 8, ADS1115_SATURATED)
        self.safety = Transducer(10071, 32, 65536)
        self.supply = Transducer(3125, 8, ADS1115_SATURATED)
        self.trusted = Trusted(settings, self.control, self.safety)
        self.pressure = Pressure()
        self._block_mk = 0  # temperature for which the transducers are compensated; 0 before the first
        self.temperatures = Temperatures()
        self.oven = Oven()
        self.control_pa = 0  # median of the last three samples
        self.pressure_pa = 0  # level of a straight line fitted since the last pulse
        self.gas_mk = 0  # 0 = invalid
        self.wall_mk = 0  # 0 = invalid
        self.slew_pa_s = 0
        self.settled_pa = 0  # pressure predicted for gas at the wall temperature
        self.age_s = 0  # seconds since the start
        self.lead = Lead()
        self._moved = False  # gas, since the last second
        self._slew_from_pa = 0
        self._slew_ms = 0
        self._glitch_ms = 0
        self._moved_ms = 0
        self.configure()

    def configure(self):
        """Read the calibration from the settings."""
        setting = self._settings.get
        self.control.calibrate(setting, "control")
        self.safety.calibrate(setting, "safety")
        self.supply.calibrate(setting, "supply")
        if self._block_mk:
            self._compensate(self._block_mk)
        self.trusted.configure()

    def update(self, sample: Sample, dt_ms: int):
        """Take the sample of this tick."""
        temperatures = self.temperatures
        temperatures.update(sample)
        self.wall_mk = temperatures.wall_mk
        self.gas_mk = temperatures.gas_mk
        control = self.control
        safety = self.safety
        if sample.faults & ADC_FAULT:
            control.fail()
            self.supply.fail()
        else:
            control.update(sample.control_counts)
            self.supply.update(sample.supply_counts)
        safety.update(sample.safety_counts)
        glitch = self._glitch(dt_ms)
        if control.band == VALID:
            control.filter(glitch & 1 != 0)
            self.control_pa = control.median_pa
            self.pressure.take(control.median_pa)
            self.pressure_pa = self.pressure.pa
        else:
            control.forget_mean()
        if safety.band == VALID:
            safety.filter(glitch & 2 != 0)
        else:
            safety.forget_mean()
        self._predict()
        self._slew_ms += dt_ms
        if self._slew_ms >= _SLEW_PERIOD_MS:
            self._end_second()

    def note_pulse(self):
        """In every tick of a pulse: gas moves."""
        self._moved_ms = _MOVED_MS

    def _glitch(self, dt_ms: int) -> int:
        """Return a bit for each transducer that alone jumps: 1 control, 2 safety; both where they jump apart."""
        jump_pa = self.control.pa - self.control.median_pa
        other_pa = self.safety.pa - self.safety.median_pa
        glitch = 1 if abs(jump_pa) > abs(other_pa) else 2
        self._glitch_ms += dt_ms
        if self._moved_ms > 0:
            self._moved_ms -= dt_ms
            self._glitch_ms = 0
        elif abs(jump_pa - other_pa) < (_ALONE_PA if glitch == 1 else WILD_PA) or not self._both_measure():
            self._glitch_ms = 0
        elif glitch == 2 and abs(jump_pa) > _ALONE_PA and (jump_pa > 0) != (other_pa > 0):
            glitch = 3
        return glitch if 0 < self._glitch_ms <= _GLITCH_MS else 0

    def _both_measure(self) -> bool:
        control = self.control
        safety = self.safety
        return control.band == VALID and safety.band == VALID and control.mean_pa != 0 and safety.mean_pa != 0

    def _end_second(self):
        self.slew_pa_s = (self.pressure_pa - self._slew_from_pa) * 10 // (self._slew_ms // 100)
        self._slew_from_pa = self.pressure_pa
        self.age_s += self._slew_ms // 1000
        self._slew_ms = 0
        self.lead.learn(self.wall_mk, self._moved or (self.age_s > 1 and abs(self.slew_pa_s) > _MOVED_PA_S))
        self._moved = False
        self.oven.update(self.wall_mk, self.age_s)
        if self.wall_mk:
            self._compensate(self.wall_mk)

    def _compensate(self, wall_mk: int):
        """Follow the temperature no faster than a block: a sensor that fails is ignored only afterwards."""
        block_mk = self._block_mk
        if block_mk:
            wall_mk = min(max(wall_mk, block_mk - _BLOCK_STEP_MK), block_mk + _BLOCK_STEP_MK)
        elif self.gas_mk and abs(self.gas_mk - wall_mk) > APART_MK:
            return
        self._block_mk = wall_mk
        self.control.compensate(wall_mk)
        self.safety.compensate(wall_mk)

    def swing_pa(self) -> int:
        """Return the part of the pressure that a swing of the wall temperature causes and will reverse."""
        offset_mk = self.oven.offset_mk(self.wall_mk)
        return self.per_kelvin_pa() * min(max(offset_mk, -_LEAD_MK), _LEAD_MK) // 1000 if offset_mk else 0

    def swing_amplitude_pa(self) -> int:
        """Return the largest `swing_pa`; 0 while the wall temperature does not swing."""
        amplitude_mk = self.oven.amplitude_mk
        return self.per_kelvin_pa() * min(amplitude_mk, _LEAD_MK) // 1000 if amplitude_mk else 0

    def per_kelvin_pa(self) -> int:
        """Return dp/dT of the sealed gas: k p / T, with k = 1 + 0.022 per MPa for air (from Z(p, T))."""
        real_gas_permille = 1000 + self.pressure_pa // 1000 * 22 // 1000
        return self.pressure_pa // (self.wall_mk // 1000) * real_gas_permille // 1000

    def _predict(self):
        lead = self.lead
        if self.pressure.frozen:
            self._moved = True
        if not self.gas_mk or not self.wall_mk:
            lead.forget()
            self.settled_pa = self.pressure_pa
            return
        lead.update(self.gas_mk - self.wall_mk)
        warmer_mk = min(max(lead.warmer_mk, -_LEAD_MK), _LEAD_MK)
        self.settled_pa = self.pressure_pa - self.per_kelvin_pa() * warmer_mk // 1000
