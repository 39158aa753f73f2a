"""Physical limits of a plant: shortest time of a step, smallest pulse, bound of a hold."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ipch.sim.gas import Gas
from ipch.sim.parameters import PlantParameters, load_parameters
from ipch.sim.plant import FILL, VENT, Plant
from ipch.sim.surroundings import Cell

_STEP_MS = 2
STORE_S, REFILL = 300.0, 0.4
"""Limits of the firmware on the time of a coil (`valves/window.py`): half of any hour."""
# A rate below 50 Pa/s at full opening means that the pressure gets no further.
_STANDSTILL_PA = 0.1
# Coil time that certainly opens a valve: its delay and full jitter, plus a margin.
_LIFT_MARGIN_US = 200
_PERFECT = (
    "missed_probability=0", "valve_jitter_ms=0", "fill_open_ms=0", "fill_close_ms=0", "vent_open_ms=0",
    "vent_close_ms=0", "supply_isolation_open_ms=0", "vent_isolation_open_ms=0",
)  # fmt: skip


@dataclass(frozen=True)
class Effect:
    """Pressure change of one pulse: the largest immediate one, and the settled one."""

    immediate_pa: float
    settled_pa: float


def shortest_step_s(sets: tuple[str, ...], target_pa: float, slew_pa_s: float, band_pa: float) -> float:
    """Return the shortest time in s in which the pressure can settle in the band around the target.

    The optimal schedule keeps the valve open all the way wherever the plant flows slower than
    the slew setting, and throttles it to the slew where it flows faster; so each increment dp
    takes dp over the smaller of the two rates. The rate of the open valve is the plant's own: valves without delay,
    open from the start, the gas warming and cooling to the wall as it does. From the edge of the band on
    the valve stays throttled to compensate cooling at the wall (or warming, after a vent), which needs less than
    its full flow: the pressure stays in the band, and the cooling costs gas but no time. Real valves cannot be
    throttled and need pulses instead. Coils may be on for `STORE_S` at once and for `REFILL` of the time beyond that.
    """
    plant = Plant(load_parameters(None, (*sets, *_PERFECT)))
    plant.switch(True, True, False)
    plant.advance(_STEP_MS)
    before_pa = plant.pressure_pa
    started_ms = plant.time_ms
    up = target_pa > before_pa
    edge_pa = target_pa - band_pa if up else target_pa + band_pa
    plant.drive(FILL if up else VENT, True, int(plant.time_ms * 1000))
    seconds = 0.0
    while (before_pa >= edge_pa) != up:
        plant.advance(_STEP_MS)
        now_pa = plant.pressure_pa
        way_pa = abs(now_pa - before_pa)
        if way_pa < _STANDSTILL_PA:
            return math.inf
        seconds += max(way_pa / slew_pa_s, _STEP_MS / 1e3)
        if (now_pa >= edge_pa) == up:
            # The last increment counts in part.
            seconds -= abs(now_pa - edge_pa) / way_pa * max(way_pa / slew_pa_s, _STEP_MS / 1e3)
        before_pa = now_pa
    # The valve is open for this time even where the slew stretches the step.
    open_s = (plant.time_ms - started_ms) / 1e3
    return max(seconds, (open_s - STORE_S) / REFILL)


def shortest_us(parameters: PlantParameters, side: int) -> int:
    """Return the shortest coil time that certainly lifts the armature, in us."""
    open_ms = parameters.fill_open_ms if side == 0 else parameters.vent_open_ms
    return int((open_ms + parameters.valve_jitter_ms) * 1000) + _LIFT_MARGIN_US


def pulse_effect(sets: tuple[str, ...], side: int, at_pa: float, coil_us: int = 0) -> Effect:
    """Measure a pulse of FILL (0) or VENT (1) on the plant at rest at a pressure, without jitter.

    `coil_us` 0 is the shortest pulse that certainly opens the valve.
    """
    calm = (*sets, f"initial_mpa={at_pa / 1e6}", "oven_amplitude_k=0", "cell_c_rate=0", "leak_c=0")
    plant = Plant(load_parameters(None, (*calm, "missed_probability=0", "valve_jitter_ms=0")))
    coil_us = coil_us or shortest_us(load_parameters(None, sets), side)
    plant.switch(True, True, False)
    plant.advance(100)
    before_pa = plant.pressure_pa
    plant.pulse(side, coil_us)
    immediate_pa = 0.0
    for _ in range(coil_us // 10_000 + 10):
        plant.advance(10)
        immediate_pa = max(immediate_pa, abs(plant.pressure_pa - before_pa))
    plant.switch(False, False, False)
    plant.advance(300_000)
    return Effect(immediate_pa, abs(plant.pressure_pa - before_pa))


def travel(parameters: PlantParameters, at_pa: float, hours: float) -> tuple[float, int]:
    """Return the total pressure change that the cell's breathing would cause, in Pa, and its number of directions.

    Each swelling dV compresses the gas at constant temperature: dp = rho (dp/drho) dV/V.
    """
    gas = Gas(parameters.gas)
    kelvin = parameters.oven_c + 273.15
    density = at_pa / (gas.r_j_kg_k * kelvin)
    for _ in range(20):
        state = gas.raw_state(density, kelvin)
        density += (at_pa - state[0]) / state[4]
    stiffness_pa = density * gas.raw_state(density, kelvin)[4]
    cell = Cell(parameters)
    total_m3, directions, last = 0.0, 0, 0
    before_ah = cell.ampere_hours(0.0)
    for second in range(10, round(hours * 3600) + 1, 10):
        now_ah = cell.ampere_hours(float(second))
        step = now_ah - before_ah
        before_ah = now_ah
        if abs(step) < 1e-12:
            continue
        total_m3 += abs(step * cell.m3_per_ah)
        sign = 1 if step > 0 else -1
        directions += sign != last
        last = sign
    return stiffness_pa * total_m3 / (parameters.volume_l * 1e-3), directions


def bound_rms_pa(travel_pa: float, directions: int, pulses: float) -> float:
    """Return the lowest rms that this many pulses can reach against a disturbance of this total change."""
    return travel_pa / (math.sqrt(12.0) * (pulses + directions))
