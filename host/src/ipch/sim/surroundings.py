"""Surroundings of a chamber as functions of time: oven, supply and the breathing cell."""

from __future__ import annotations

from math import expm1, pi, sin

from ipch.sim.parameters import PlantParameters

ZERO_CELSIUS_K = 273.15
DAY_S = 86400.0
COMPRESSOR_FALLING_SHARE = 0.8
# How quickly a regulator's outlet falls with flow, and rises after it [E].
DROOP_S, LOCKUP_S = 0.05, 1.0


class Oven:
    """Air temperature in the oven: setpoint, control cycle, drift and one step."""

    __slots__ = ("_amplitude_k", "_drift_k_s", "_omega", "_set_k", "_step_at_s", "_step_k")

    def __init__(self, parameters: PlantParameters) -> None:
        self._set_k = parameters.oven_c + ZERO_CELSIUS_K
        self._amplitude_k = parameters.oven_amplitude_k
        self._omega = 2.0 * pi / parameters.oven_period_s
        self._drift_k_s = parameters.oven_drift_k_per_day / DAY_S
        self._step_k = parameters.oven_step_k
        self._step_at_s = parameters.oven_step_s

    def kelvin(self, time_s: float) -> float:
        """Return the temperature in K."""
        temperature = self._set_k + self._drift_k_s * time_s
        if self._amplitude_k:
            temperature += self._amplitude_k * sin(self._omega * time_s)
        if self._step_k and time_s >= self._step_at_s:
            temperature += self._step_k
        return temperature


class Supply:
    """Pressure of a supply that falls slowly, or cycles between two pressures when a compressor feeds it.

    Its regulator lets the pressure fall while gas flows (droop) and rise when the flow ends (lock-up).
    """

    __slots__ = (
        "_droop_pa",
        "_fall_pa_s",
        "_high_pa",
        "_least_pa",
        "_lockup_pa",
        "_period_s",
        "_range_pa",
        "_share",
    )

    def __init__(self, parameters: PlantParameters) -> None:
        self._high_pa = parameters.supply_mpa * 1e6
        self._least_pa = min(self._high_pa, parameters.ambient_kpa * 1e3)
        self._fall_pa_s = parameters.supply_fall_mpa_per_day * 1e6 / DAY_S
        self._period_s = parameters.compressor_period_s
        self._range_pa = (parameters.supply_mpa - parameters.compressor_low_mpa) * 1e6
        self._droop_pa = parameters.supply_droop_mpa * 1e6
        self._lockup_pa = parameters.supply_lockup_mpa * 1e6
        self._share = 0.0

    def pascal(self, time_s: float, dt_s: float = 0.0, flow_share: float = 0.0) -> float:
        """Return the pressure in Pa; an empty supply stays at ambient.

        `flow_share` is the flow of the last `dt_s`, as a share of the fill valve's into ambient.
        """
        pressure = self._high_pa - self._fall_pa_s * time_s
        if self._period_s:
            share = (time_s / self._period_s) % 1.0
            if share < COMPRESSOR_FALLING_SHARE:
                pressure -= self._range_pa * (share / COMPRESSOR_FALLING_SHARE)
            else:
                pressure -= self._range_pa * ((1.0 - share) / (1.0 - COMPRESSOR_FALLING_SHARE))
        if self._droop_pa or self._lockup_pa:
            rises = flow_share < self._share
            self._share += (flow_share - self._share) * -expm1(-dt_s / (LOCKUP_S if rises else DROOP_S))
            pressure += self._lockup_pa * (1.0 - self._share) - self._droop_pa * self._share
        return max(pressure, self._least_pa)


class Cell:
    """Charge in the cell: alternating full charges and discharges with rests, or a list of (time_s, A).

    Each current of the list holds until the next one's time; the last time ends it.
    """

    __slots__ = ("_at", "_capacity_ah", "_half_s", "_points", "_rest_s", "breathes", "m3_per_ah")

    def __init__(self, parameters: PlantParameters) -> None:
        self.m3_per_ah = parameters.cell_cm3_per_ah * 1e-6
        self._capacity_ah = parameters.cell_capacity_ah
        self._half_s = 3600.0 / parameters.cell_c_rate if parameters.cell_c_rate else 0.0
        self._rest_s = parameters.cell_rest_s
        # (start in s, charge at the start in Ah, current in Ah/s), each valid until the next one's start.
        self._points: list[tuple[float, float, float]] = []
        self._at = 0
        charge_ah = 0.0
        profile = parameters.cell_profile
        for (start_s, current_a), (end_s, _) in zip(profile, profile[1:]):
            self._points.append((start_s, charge_ah, current_a / 3600.0))
            charge_ah += (end_s - start_s) * current_a / 3600.0
        if self._points:
            self._points.append((profile[-1][0], charge_ah, 0.0))
        self.breathes = bool(self.m3_per_ah and (self._points or (self._half_s and self._capacity_ah)))

    def ampere_hours(self, time_s: float) -> float:
        """Return the charge put in since the start in Ah; times must not decrease."""
        if self._half_s:
            half, within_s = divmod(time_s, self._half_s + self._rest_s)
            share = min(within_s / self._half_s, 1.0)
            return self._capacity_ah * (1.0 - share if half % 2.0 else share)
        if not self._points or time_s <= self._points[0][0]:
            return 0.0
        while self._at + 1 < len(self._points) and self._points[self._at + 1][0] <= time_s:
            self._at += 1
        start_s, charge_ah, rate_ah_s = self._points[self._at]
        return charge_ah + (time_s - start_s) * rate_ah_s
