"""Controllers for comparison, with the same plant, valves and quantised sensors as the firmware.

All follow the same setpoint ramp and hold the isolation valves open, so that no trapped gas disturbs their pulses,
and every opening of fill and vent is one that they requested.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import cache
from pathlib import Path

from simple_pid import PID

from bench.scenarios.day import Scenario
from ipch.sim import signals
from ipch.sim.gas import Gas, Orifice
from ipch.sim.parameters import PlantParameters, load_parameters
from ipch.sim.plant import Plant
from ipch.sim.world import World

FILL, VENT = 0, 1
_BOTH_ISOLATIONS = 0b011
# A coil that is on for less than its valve's opening delay and jitter moves nothing.
MINIMUM_US = 7_500
MAXIMUM_US = 300_000


class Peer:
    """Common to all peers: conversion of counts, a ramped setpoint, and one decision per tick."""

    def __init__(self, scenario: Scenario, world: World) -> None:
        self._world = world
        self._target_pa = scenario.target_pa
        self._step_pa = scenario.slew_pa_s * world.tick_ms / 1000
        self.setpoint_pa: float | None = None
        self.ticks = 0

    def tick(self) -> None:
        """Run the world for a tick and decide from its measurement."""
        world = self._world
        world.advance()
        pressure_pa = world.counts[signals.CONTROL] * 390.625 - 2.5e6
        setpoint_pa = pressure_pa if self.setpoint_pa is None else self.setpoint_pa
        if setpoint_pa != self._target_pa:
            step_pa = min(self._step_pa, max(-self._step_pa, self._target_pa - setpoint_pa))
            setpoint_pa += step_pa
        if self.ticks == 0:
            world.switch(_BOTH_ISOLATIONS)
        self.ticks += 1
        self.setpoint_pa = setpoint_pa
        self.decide(pressure_pa, setpoint_pa)

    def decide(self, pressure_pa: float, setpoint_pa: float) -> None:
        """Take one sample in Pa."""
        raise NotImplementedError


class Hysteresis(Peer):
    """Opens a valve when the median of three samples leaves the band, and closes it at the target."""

    def __init__(self, scenario: Scenario, world: World, band_pa: float) -> None:
        super().__init__(scenario, world)
        self._band_pa = band_pa
        self._samples: deque[float] = deque(maxlen=3)
        self._on: int | None = None

    def decide(self, pressure_pa: float, setpoint_pa: float) -> None:
        self._samples.append(pressure_pa)
        error_pa = setpoint_pa - sorted(self._samples)[len(self._samples) // 2]
        if (self._on == FILL and error_pa <= 0) or (self._on == VENT and error_pa >= 0):
            self._on = None
        if self._on is None and abs(error_pa) > self._band_pa:
            self._on = FILL if error_pa > 0 else VENT
        if self._on is not None:
            # The coil stays on from tick to tick: each pulse extends just into the next tick.
            self._world.pulse(self._on, self._world.tick_ms * 1000 + 1)


class ComputedPulses(Peer):
    """A plain dead-band; each pulse is computed from the true plant and ends at the target once settled."""

    def __init__(self, scenario: Scenario, world: World, band_pa: float) -> None:
        super().__init__(scenario, world)
        self._band_pa = band_pa
        # A second of samples: 0.07 kPa of noise at a tick of 20 ms.
        self._samples: deque[float] = deque(maxlen=max(5, 1000 // world.tick_ms))
        self._parameters = world.plant.parameters
        self._gas = Gas(self._parameters.gas)
        self._orifice = Orifice(self._gas, self._parameters.critical_ratio)

    def decide(self, pressure_pa: float, setpoint_pa: float) -> None:
        samples = self._samples
        samples.append(pressure_pa)
        if len(samples) < samples.maxlen:  # type: ignore[operator]
            return
        error_pa = setpoint_pa - sum(samples) / len(samples)
        if abs(error_pa) <= self._band_pa:
            return
        side = FILL if error_pa > 0 else VENT
        us = self._pulse_us(side, abs(error_pa))
        if us >= MINIMUM_US:
            self._world.pulse(side, min(us, MAXIMUM_US))
            samples.clear()

    def _pulse_us(self, side: int, step_pa: float) -> int:
        """Return the coil time that changes the pressure by `step_pa` at constant temperature, in us."""
        p, plant = self._parameters, self._world.plant
        if side == FILL:
            flow = self._orifice.flow_kg_s(
                p.fill_c, plant.supply_pa, p.supply_c + 273.15, plant.pressure_pa, plant.gas_k
            )
            delay_ms = p.fill_open_ms - p.fill_close_ms
        else:
            flow = self._orifice.flow_kg_s(
                p.vent_c, plant.pressure_pa, plant.gas_k, p.ambient_kpa * 1e3, plant.wall_k
            )
            delay_ms = p.vent_open_ms - p.vent_close_ms
        if flow <= 0.0:
            return 0
        per_density = self._gas.raw_state(plant.gas_kg / plant.volume_m3, plant.gas_k)[4]
        return int(step_pa * plant.volume_m3 / per_density / flow * 1e6 + delay_ms * 1e3)


class PiPwm(Peer):
    """PI of simple-pid once per PWM period on the mean of the period's samples; its sign chooses the valve.

    `dead_band_pa` leaves smaller errors alone, by simple-pid's own error map.
    """

    def __init__(self, scenario: Scenario, world: World, period_ms: int, dead_band_pa: float = 0.0) -> None:
        super().__init__(scenario, world)
        self.period_ms = period_ms
        self._per_period = period_ms // world.tick_ms
        self._sum_pa = 0.0
        kp_per_pa, ti_s = simc(world.plant.parameters, scenario.target_pa, period_ms / 1000)
        self.pid = PID(
            kp_per_pa,
            kp_per_pa / ti_s,
            0.0,
            sample_time=None,
            output_limits=(-1.0, 1.0),
            error_map=(lambda error: 0.0 if abs(error) < dead_band_pa else error) if dead_band_pa else None,
        )

    def decide(self, pressure_pa: float, setpoint_pa: float) -> None:
        self._sum_pa += pressure_pa
        if self.ticks % self._per_period:
            return
        self.pid.setpoint = setpoint_pa
        share = self.pid(self._sum_pa / self._per_period, dt=self.period_ms / 1000) or 0.0
        self._sum_pa = 0.0
        us = int(abs(share) * self.period_ms * 1000)
        if us >= MINIMUM_US:
            self._world.pulse(FILL if share > 0 else VENT, us)


@cache
def valve_rates_pa_s(sets: tuple[str, ...], at_pa: float) -> tuple[float, float]:
    """Return the rates of pressure with open fill and vent valve, in Pa/s: slopes of 0.2 s of response."""
    rates = []
    for side in (FILL, VENT):
        plant = Plant(
            load_parameters(
                None, (*sets, f"initial_mpa={at_pa / 1e6}", "missed_probability=0", "valve_jitter_ms=0")
            )
        )
        plant.switch(True, True, False)
        plant.advance(100)
        plant.pulse(side, 400_000)
        plant.advance(100)
        before_pa = plant.pressure_pa
        plant.advance(200)
        rates.append(abs(plant.pressure_pa - before_pa) / 0.2)
    return rates[0], rates[1]


def simc(parameters: PlantParameters, at_pa: float, period_s: float) -> tuple[float, float]:
    """Return gain (duty per Pa) and reset time in s after Skogestad's SIMC rule for an integrating process.

    The process gain is that of the faster valve, from its step response. Dead time: half a period for the
    mean over the samples, half a period for the mean delay of a pulse width, 10 ms for the valve and the
    lag of the transducer. The closed loop's time constant equals the dead time, the rule's own choice: Kc =
    1 / (k 2 theta), tau_I = 8 theta.
    """
    sets = tuple(
        f"{name}={getattr(parameters, name)}"
        for name in ("volume_l", "fill_c", "vent_c", "supply_mpa", "gas", "critical_ratio", "oven_c")
    )
    gain_pa_s = max(valve_rates_pa_s(sets, at_pa))
    dead_s = period_s + 0.01
    return 1.0 / (gain_pa_s * 2 * dead_s), 8 * dead_s


def _named(name: str, make: Callable[[Scenario, World], Peer]) -> Callable[[Scenario, World, Path], Peer]:
    """Return the factory of a controller; a worker finds it by its name."""

    def made(scenario: Scenario, world: World, state: Path) -> Peer:
        return make(scenario, world)

    made.__name__ = made.__qualname__ = name
    return made


# PI with a PWM period of 1, 0.25 and 5 s, and with a dead-band of 3 kPa.
pi_pwm = _named("pi_pwm", lambda scenario, world: PiPwm(scenario, world, 1000))
pi_pwm_fast = _named("pi_pwm_fast", lambda scenario, world: PiPwm(scenario, world, 250))
pi_pwm_slow = _named("pi_pwm_slow", lambda scenario, world: PiPwm(scenario, world, 5000))
pi_pwm_dead_band = _named("pi_pwm_dead_band", lambda scenario, world: PiPwm(scenario, world, 1000, 3000.0))
# Hysteresis, and computed pulses, with these dead-bands in kPa.
hysteresis_5 = _named("hysteresis_5", lambda scenario, world: Hysteresis(scenario, world, 5e3))
hysteresis_10 = _named("hysteresis_10", lambda scenario, world: Hysteresis(scenario, world, 10e3))
computed_3 = _named("computed_3", lambda scenario, world: ComputedPulses(scenario, world, 3e3))
computed_5 = _named("computed_5", lambda scenario, world: ComputedPulses(scenario, world, 5e3))
computed_10 = _named("computed_10", lambda scenario, world: ComputedPulses(scenario, world, 10e3))
