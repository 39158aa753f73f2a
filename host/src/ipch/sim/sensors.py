"""The rig's sensors: lag, noise, drift and the slow mismatch of gas temperature, before any converter."""

from __future__ import annotations

from math import exp, sqrt
from random import Random

from ipch.sim.parameters import PlantParameters
from ipch.sim.surroundings import ZERO_CELSIUS_K

# NAMUR NE43 transmitters saturate at these currents.
LEAST_MA, MOST_MA = 3.8, 20.5


class Measurement:
    """Sensor signals after lag and noise, before any converter: mA of a 4-20 mA loop, K."""

    __slots__ = ("control_ma", "gas_k", "safety_ma", "supply_ma", "wall_k")

    def __init__(self) -> None:
        self.control_ma = 4.0
        self.safety_ma = 4.0
        self.supply_ma = 4.0
        self.gas_k = 0.0
        self.wall_k = 0.0


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
        self._lag_s = parameters.transducer_lag_ms * 1e-3
        self._sensed_pa = pressure_pa
        self._control_pa = pressure_pa
        self._safety_pa = pressure_pa
        self._supply_pa = supply_pa
        self._control_offset_pa = parameters.control_offset_kpa * 1e3
        self._safety_offset_pa = parameters.safety_offset_kpa * 1e3
        self._ma_pa = 16.0 / (parameters.full_scale_mpa * 1e6)
        self._zero_drift_pa_k = parameters.zero_drift_kpa_per_k * 1e3
        self._span_drift_1_k = parameters.span_drift_ppm_per_k * 1e-6
        self._drifts = bool(self._zero_drift_pa_k or self._span_drift_1_k)
        self._drift_reference_k = parameters.drift_reference_c + ZERO_CELSIUS_K
        self._noise_pa = parameters.transducer_noise_kpa * 1e3
        self._safety_noise_pa = parameters.safety_noise_kpa * 1e3
        self._control_random = Random(f"{seed} control noise")
        self._safety_random = Random(f"{seed} safety noise")
        self._supply_random = Random(f"{seed} supply noise")

        self._gas_lag_s = parameters.gas_sensor_s
        self._wall_share = parameters.gas_sensor_wall_share
        self._near_k = gas_k
        self._gas_k = gas_k
        self._gas_noise_k = parameters.gas_noise_mk * 1e-3
        self._wall_noise_k = parameters.wall_noise_mk * 1e-3
        self._gas_random = Random(f"{seed} gas noise")
        self._wall_random = Random(f"{seed} wall noise")
        self._mismatch_random = Random(f"{seed} gas mismatch")
        self._mismatch_rms_k = parameters.gas_mismatch_mk * 1e-3
        self._mismatch_s = parameters.gas_mismatch_s
        self._mismatch_k = self._mismatch_random.gauss(0.0, self._mismatch_rms_k)
        self._decay_dt_s = 0.0
        self._gas_decay = 0.0
        self._mismatch_decay = 0.0
        self._mismatch_step_k = 0.0

    def follow_pressure(self, dt_s: float, before_pa: float, after_pa: float) -> None:
        """Let the chamber's transducers follow a pressure that changes linearly over `dt_s`."""
        if self._lag_s:
            behind_pa = (after_pa - before_pa) * (self._lag_s / dt_s)
            decay = exp(-dt_s / self._lag_s)
            self._sensed_pa = after_pa - behind_pa + (self._sensed_pa - before_pa + behind_pa) * decay
        else:
            self._sensed_pa = after_pa

    def follow(self, dt_s: float, supply_pa: float, gas_k: float, wall_k: float) -> None:
        """Let the slow sensors follow over a whole tick."""
        if dt_s != self._decay_dt_s:
            self._decay_dt_s = dt_s
            self._gas_decay = exp(-dt_s / self._gas_lag_s) if self._gas_lag_s else 0.0
            self._mismatch_decay = exp(-dt_s / self._mismatch_s)
            self._mismatch_step_k = self._mismatch_rms_k * sqrt(1.0 - self._mismatch_decay**2)
        if supply_pa != self._supply_pa:
            self._supply_pa = supply_pa + (self._supply_pa - supply_pa) * (
                exp(-dt_s / self._lag_s) if self._lag_s else 0.0
            )
        near_k = gas_k + self._wall_share * (wall_k - gas_k)
        behind_k = (near_k - self._near_k) * (self._gas_lag_s / dt_s)
        self._gas_k = near_k - behind_k + (self._gas_k - self._near_k + behind_k) * self._gas_decay
        self._near_k = near_k
        # Ornstein-Uhlenbeck: stationary from the start, for any step length.
        self._mismatch_k = self._mismatch_k * self._mismatch_decay + self._mismatch_random.gauss(
            0.0, self._mismatch_step_k
        )

    def measure(self, wall_k: float) -> Measurement:
        """Return the present sensor signals; each call draws new noise."""
        share = self.follow_share
        if not share:
            self._control_pa = self._safety_pa = self._sensed_pa
        else:
            self._control_pa += share.get("control", 1.0) * (self._sensed_pa - self._control_pa)
            self._safety_pa += share.get("safety", 1.0) * (self._sensed_pa - self._safety_pa)
        control_pa = self._control_pa + self._control_offset_pa
        safety_pa = self._safety_pa + self._safety_offset_pa
        supply_pa = self._supply_pa
        if self._drifts:
            warm_k = wall_k - self._drift_reference_k
            zero_pa = self._zero_drift_pa_k * warm_k
            span = 1.0 + self._span_drift_1_k * warm_k
            control_pa = control_pa * span + zero_pa
            safety_pa = safety_pa * span + zero_pa
            supply_pa = supply_pa * span + zero_pa
        self.control_error_pa = control_pa - self._sensed_pa
        ma_pa = self._ma_pa
        found = self._measurement
        ma = 4.0 + ma_pa * (control_pa + self._control_random.gauss(0.0, self._noise_pa))
        found.control_ma = LEAST_MA if ma < LEAST_MA else MOST_MA if ma > MOST_MA else ma
        ma = 4.0 + ma_pa * (safety_pa + self._safety_random.gauss(0.0, self._safety_noise_pa))
        found.safety_ma = LEAST_MA if ma < LEAST_MA else MOST_MA if ma > MOST_MA else ma
        ma = 4.0 + ma_pa * (supply_pa + self._supply_random.gauss(0.0, self._noise_pa))
        found.supply_ma = LEAST_MA if ma < LEAST_MA else MOST_MA if ma > MOST_MA else ma
        found.gas_k = self._gas_k + self._mismatch_k + self._gas_random.gauss(0.0, self._gas_noise_k)
        found.wall_k = wall_k + self._wall_random.gauss(0.0, self._wall_noise_k)
        return found
