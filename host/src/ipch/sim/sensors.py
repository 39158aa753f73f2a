"""The rig's sensors: lag, noise, drift and the slow mismatch of gas temperature, before any converter."""

from __future__ import annotations

from math import exp, pi, sin, sqrt
from random import Random

from ipch.sim.parameters import PlantParameters
from ipch.sim.surroundings import DAY_S, ZERO_CELSIUS_K

# NAMUR NE43 transmitters saturate at these currents.
LEAST_MA, MOST_MA = 3.8, 20.5
# Two conversions of the control loop in each tick; half a period of 50 Hz apart their mean has no hum. One that differs
# by more shows a movement, which must not be delayed.
PAIR_S = 0.01
PAIR_LIMIT_PA = 16e3
# A transducer's hysteresis: a smaller way back is no reversal, and an older error fades over this share of full scale.
REVERSAL_PA = 500.0
FADING_SHARE = 0.1


class Measurement:
    """Sensor signals after lag and noise, before any converter: mA of a 4-20 mA loop, K."""

    __slots__ = ("control_ma", "gas_k", "safety_ma", "supply_ma", "wall_k")

    def __init__(self) -> None:
        self.control_ma = 4.0
        self.safety_ma = 4.0
        self.supply_ma = 4.0
        self.gas_k = 0.0
        self.wall_k = 0.0


class Loops:
    """Slow errors and disturbances of the 4-20 mA loops: offset, drift, temperature, hysteresis, hum, glitches."""

    def __init__(self, parameters: PlantParameters, seed: int, pressure_pa: float) -> None:
        self.time_s = 0.0
        self._offset_pa = (parameters.control_offset_kpa * 1e3, parameters.safety_offset_kpa * 1e3)
        self._drift_pa_s = (
            parameters.control_drift_kpa_per_day * 1e3 / DAY_S,
            parameters.safety_drift_kpa_per_day * 1e3 / DAY_S,
        )
        self._zero_drift_pa_k = parameters.zero_drift_kpa_per_k * 1e3
        self._span_drift_1_k = parameters.span_drift_ppm_per_k * 1e-6
        self._drift_reference_k = parameters.drift_reference_c + ZERO_CELSIUS_K
        self._full_scale_pa = parameters.full_scale_mpa * 1e6
        # Hysteresis: its error, at the last reversal and now, and where that was.
        self._hysteresis_pa = parameters.transducer_hysteresis_kpa * 1e3
        self._turn_pa = self._extreme_pa = pressure_pa
        self._turn_error_pa = self._late_pa = 0.0
        self._rises = True
        self._hum_pa = parameters.hum_kpa * 1e3
        self._omega = 2.0 * pi * parameters.hum_hz
        self._phase = 2.0 * pi * Random(f"{seed} hum").random()
        self._glitch_pa = parameters.glitch_kpa * 1e3
        self._glitch_s = parameters.glitch_ms * 1e-3
        self._glitch_every_s = parameters.glitch_every_s
        self._random = Random(f"{seed} glitches")
        self._glitch_at_s = self._random.expovariate(1.0 / self._glitch_every_s)
        self._glitch = (0, 0.0)  # loop and height of the next or present one
        self._plan_glitch()

    def temperature_pa(self, pressure_pa: float, wall_k: float) -> float:
        """Error that the temperature of its block gives a transducer at this pressure."""
        warm_k = wall_k - self._drift_reference_k
        return (self._zero_drift_pa_k + self._span_drift_1_k * pressure_pa) * warm_k

    def slow_pa(self, loop: int, pressure_pa: float) -> float:
        """Offset, drift and hysteresis of the control (0) or safety (1) transducer."""
        return self._offset_pa[loop] + self._drift_pa_s[loop] * self.time_s + self._late_pa

    def follow(self, dt_s: float, pressure_pa: float) -> None:
        """Let time and the hysteresis of both transducers follow."""
        self.time_s += dt_s
        if self._hysteresis_pa:
            self._follow_hysteresis(pressure_pa)
        if self._glitch_pa and self.time_s > self._glitch_at_s + self._glitch_s:
            self._glitch_at_s += self._glitch_s + self._random.expovariate(1.0 / self._glitch_every_s)
            self._plan_glitch()

    def glitch_pa(self, loop: int) -> float:
        """Height of a glitch that is there now on this loop."""
        if not self._glitch_pa or self.time_s < self._glitch_at_s or self._glitch[0] != loop:
            return 0.0
        return self._glitch[1]

    def hum_pa(self, before_s: float = 0.0) -> float:
        """Mains hum now, or this much earlier; the same on all loops."""
        if not self._hum_pa:
            return 0.0
        return self._hum_pa * sin(self._phase + self._omega * (self.time_s - before_s))

    def _plan_glitch(self) -> None:
        loop = self._random.randrange(2)
        self._glitch = (loop, self._random.choice((-1.0, 1.0)) * self._glitch_pa)

    def _follow_hysteresis(self, pressure_pa: float) -> None:
        """A reading lags behind by up to half of the hysteresis, in proportion to the way since the last reversal; the
        error at that reversal fades along the way.
        """
        sign = 1.0 if self._rises else -1.0
        if (self._extreme_pa - pressure_pa) * sign > REVERSAL_PA:
            self._rises = not self._rises
            sign = -sign
            self._turn_pa = self._extreme_pa
            self._turn_error_pa = self._late_pa
            self._extreme_pa = pressure_pa
        elif (pressure_pa - self._extreme_pa) * sign > 0.0:
            self._extreme_pa = pressure_pa
        else:
            return
        way = abs(self._extreme_pa - self._turn_pa) / self._full_scale_pa
        self._late_pa = (
            self._turn_error_pa * exp(-way / FADING_SHARE) - sign * 0.5 * self._hysteresis_pa * way
        )


class Sensors:
    """Two transducers on the chamber, one on the supply, a PT1000 in the gas, a digital one on the wall.

    All have first-order lags, exact for signals that are linear within a step. A blocked port stops its transducer from
    following. Each noise has its own random stream.
    """

    def __init__(
        self, parameters: PlantParameters, seed: int, pressure_pa: float, supply_pa: float, gas_k: float
    ) -> None:
        # Share of the way to the true pressure that a transducer covers per reading: below 1 with a narrow port.
        self.follow_share: dict[str, float] = {}
        self._measurement = Measurement()
        self.control_error_pa = 0.0  # of the control transducer, without noise and lag; failures add theirs
        self._loops = Loops(parameters, seed, pressure_pa)
        self._lag_s = parameters.transducer_lag_ms * 1e-3
        self._control_lag_s = parameters.control_lag_ms * 1e-3 or self._lag_s
        self._safety_lag_s = parameters.safety_lag_ms * 1e-3 or self._lag_s
        self._lag_dt_s = -1.0
        self._control_decay = self._safety_decay = 0.0
        self._control_sensed_pa = self._safety_sensed_pa = pressure_pa
        # Half a tick before the end of a step, PAIR_S, the converter of the control loop is read a first time.
        self._first_pa = self._control_pa = pressure_pa
        self._first_due_s = 0.0
        self._elapsed_s = 0.0
        self._safety_pa = pressure_pa
        self._supply_pa = supply_pa
        self._ma_pa = 16.0 / (parameters.full_scale_mpa * 1e6)
        self._noise_pa = parameters.transducer_noise_kpa * 1e3
        self._safety_noise_pa = parameters.safety_noise_kpa * 1e3
        self._control_random = Random(f"{seed} control noise")
        self._safety_random = Random(f"{seed} safety noise")
        self._supply_random = Random(f"{seed} supply noise")

        self._gas_lag_s = parameters.gas_sensor_s
        self._wall_share = parameters.gas_sensor_wall_share
        self._near_k = gas_k
        self._gas_k = gas_k
        self._wall_k = gas_k
        self._gas_offset_k = parameters.gas_offset_k
        self._wall_offset_k = parameters.wall_offset_k
        self._wall_lag_s = parameters.wall_sensor_s
        self._gas_noise_k = parameters.gas_noise_mk * 1e-3
        self._wall_noise_k = parameters.wall_noise_mk * 1e-3
        self._gas_random = Random(f"{seed} gas noise")
        self._wall_random = Random(f"{seed} wall noise")
        self._mismatch_random = Random(f"{seed} gas mismatch")
        self._mismatch_rms_k = parameters.gas_mismatch_mk * 1e-3
        self._mismatch_s = parameters.gas_mismatch_s
        self._mismatch_k = self._mismatch_random.gauss(0.0, self._mismatch_rms_k)
        self._decay_dt_s = 0.0
        self._gas_decay = self._wall_decay = 0.0
        self._mismatch_decay = 0.0
        self._mismatch_step_k = 0.0

    def begin(self, dt_s: float) -> None:
        """Begin a step of the plant."""
        self._elapsed_s = 0.0
        self._first_due_s = dt_s - PAIR_S if dt_s > PAIR_S else dt_s

    def follow_pressure(self, dt_s: float, before_pa: float, after_pa: float) -> None:
        """Let the chamber's transducers follow a pressure that changes linearly over `dt_s`."""
        if dt_s != self._lag_dt_s:
            self._lag_dt_s = dt_s
            self._control_decay = exp(-dt_s / self._control_lag_s) if self._control_lag_s else 0.0
            self._safety_decay = exp(-dt_s / self._safety_lag_s) if self._safety_lag_s else 0.0
        slope = (after_pa - before_pa) / dt_s
        behind_pa = slope * self._control_lag_s
        was_pa = self._control_sensed_pa
        sensed_pa = after_pa - behind_pa + (was_pa - before_pa + behind_pa) * self._control_decay
        self._control_sensed_pa = sensed_pa
        behind_pa = slope * self._safety_lag_s
        self._safety_sensed_pa = (
            after_pa - behind_pa + (self._safety_sensed_pa - before_pa + behind_pa) * self._safety_decay
        )
        due_s = self._first_due_s - self._elapsed_s
        self._elapsed_s += dt_s
        if 0.0 < due_s <= dt_s:
            self._first_pa = was_pa + (sensed_pa - was_pa) * (due_s / dt_s)

    def follow(self, dt_s: float, supply_pa: float, gas_k: float, wall_k: float) -> None:
        """Let the slow sensors follow over a whole tick."""
        if dt_s != self._decay_dt_s:
            self._decay_dt_s = dt_s
            self._gas_decay = exp(-dt_s / self._gas_lag_s) if self._gas_lag_s else 0.0
            self._wall_decay = exp(-dt_s / self._wall_lag_s) if self._wall_lag_s else 0.0
            self._mismatch_decay = exp(-dt_s / self._mismatch_s)
            self._mismatch_step_k = self._mismatch_rms_k * sqrt(1.0 - self._mismatch_decay**2)
        self._loops.follow(dt_s, self._control_sensed_pa)
        if supply_pa != self._supply_pa:
            self._supply_pa = supply_pa + (self._supply_pa - supply_pa) * (
                exp(-dt_s / self._lag_s) if self._lag_s else 0.0
            )
        near_k = gas_k + self._wall_share * (wall_k - gas_k)
        behind_k = (near_k - self._near_k) * (self._gas_lag_s / dt_s)
        self._gas_k = near_k - behind_k + (self._gas_k - self._near_k + behind_k) * self._gas_decay
        self._near_k = near_k
        self._wall_k = wall_k + (self._wall_k - wall_k) * self._wall_decay
        # Ornstein-Uhlenbeck: stationary from the start, for any step length.
        self._mismatch_k = self._mismatch_k * self._mismatch_decay + self._mismatch_random.gauss(
            0.0, self._mismatch_step_k
        )

    def measure(self, wall_k: float, paired: bool = False) -> Measurement:
        """Return the present sensor signals; each call draws new noise.

        `paired`: that of the control loop is what its converter gives from two conversions PAIR_S apart, the last one
        now (see firmware/board.py): their mean, or the last one alone where they differ by more than PAIR_LIMIT_PA.
        """
        share = self.follow_share
        first_pa = self._first_pa
        if not share:
            self._control_pa = self._control_sensed_pa
            self._safety_pa = self._safety_sensed_pa
        else:
            self._control_pa += share.get("control", 1.0) * (self._control_sensed_pa - self._control_pa)
            self._safety_pa += share.get("safety", 1.0) * (self._safety_sensed_pa - self._safety_pa)
            if "control" in share:
                first_pa = self._control_pa
        loops = self._loops
        supply_pa = self._supply_pa
        error_pa = loops.slow_pa(0, self._control_pa) + loops.temperature_pa(self._control_pa, wall_k)
        self.control_error_pa = self._control_pa + error_pa - self._control_sensed_pa
        hum_pa = loops.hum_pa()
        control_pa = self._control_pa + hum_pa + self._control_random.gauss(0.0, self._noise_pa)
        if paired:
            first_pa += loops.hum_pa(PAIR_S) + self._control_random.gauss(0.0, self._noise_pa)
            if -PAIR_LIMIT_PA <= control_pa - first_pa <= PAIR_LIMIT_PA:
                control_pa = 0.5 * (control_pa + first_pa)
        ma_pa = self._ma_pa
        found = self._measurement
        ma = 4.0 + ma_pa * (control_pa + error_pa + loops.glitch_pa(0))
        found.control_ma = LEAST_MA if ma < LEAST_MA else MOST_MA if ma > MOST_MA else ma
        error_pa = loops.slow_pa(1, self._safety_pa) + loops.temperature_pa(self._safety_pa, wall_k)
        error_pa += hum_pa + loops.glitch_pa(1)
        ma = 4.0 + ma_pa * (
            self._safety_pa + error_pa + self._safety_random.gauss(0.0, self._safety_noise_pa)
        )
        found.safety_ma = LEAST_MA if ma < LEAST_MA else MOST_MA if ma > MOST_MA else ma
        error_pa = loops.temperature_pa(supply_pa, wall_k) + hum_pa
        ma = 4.0 + ma_pa * (supply_pa + error_pa + self._supply_random.gauss(0.0, self._noise_pa))
        found.supply_ma = LEAST_MA if ma < LEAST_MA else MOST_MA if ma > MOST_MA else ma
        found.gas_k = (
            self._gas_k
            + self._gas_offset_k
            + self._mismatch_k
            + self._gas_random.gauss(0.0, self._gas_noise_k)
        )
        found.wall_k = self._wall_k + self._wall_offset_k + self._wall_random.gauss(0.0, self._wall_noise_k)
        return found
