"""One run of a controller on the simulated plant, judged by the true pressure: the basis of every measurement here.

The true pressure is taken after every tick, so that the peaks right after a pulse count in full. A day at the
firmware's tick of 20 ms takes about four minutes, with IPCH_BENCH_TICK_MS=100 about one: the firmware then has a
fifth of the samples and acts later. That changes the figures of the reference day by about 1 %, those of days
close to the edge of the band by 10 %; `reference_day.py` has one such comparison.
"""

from __future__ import annotations

import dataclasses
import importlib
import math
import os
import tempfile
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bench.jobs import Workers
from ipch.sim.parameters import load_rig
from ipch.sim.plant import FILL, SUPPLY_ISOLATION, VENT, VENT_ISOLATION, Plant
from ipch.sim.rigs import CoreDevice
from ipch.sim.world import World

TICK_MS = int(os.environ.get("IPCH_BENCH_TICK_MS", "20"))
"""The firmware's own tick, unless set for a quicker, rougher result."""
BANDS_KPA = (1, 2, 5, 10)
Floats = Sequence[float]

REFERENCE = (
    "volume_l=0.5", "fill_c=2e-10", "vent_c=2e-10", "supply_mpa=6", "initial_mpa=5",
    "oven_c=30", "oven_amplitude_k=2", "oven_period_s=600",
    "cell_capacity_ah=5", "cell_c_rate=0.5",
)  # fmt: skip
SMALL_CELL = ("cell_capacity_ah=0.1",)
SLOW_OVEN = (*SMALL_CELL, "oven_period_s=1800")
# A sine of this period moves from one extreme to the other and back in a day.
DAILY_DRIFT = (*SMALL_CELL, "oven_period_s=86400")
LEAK_1_KPA_H = (*SMALL_CELL, "leak_c=2.8e-16")


class Controller(Protocol):
    """Any regulator: one tick of it runs the world for one tick."""

    def tick(self) -> None: ...


Make = Callable[["Scenario", World, Path], Controller]


@dataclass(frozen=True)
class Scenario:
    """A plant and the task of its controller. `settings` are the firmware's; peers ignore them."""

    name: str
    sets: tuple[str, ...]
    hours: float = 24.0
    target_pa: float = 5e6
    tick_ms: int = TICK_MS
    seed: int = 1
    settings: tuple[tuple[str, int], ...] = ()
    slew_pa_s: float = 20_000.0
    ordinary: bool = False
    """Tolerances drawn from the seed, except for what `sets` gives; otherwise the ideal rig."""

    def but(self, **changes: Any) -> Scenario:
        """The same scenario with some fields changed."""
        return dataclasses.replace(self, **changes)


@dataclass(frozen=True)
class Metrics:
    """Figures of a trace of the true pressure; times in s, pressures in kPa."""

    rms_kpa: float
    max_kpa: float
    shares: tuple[float, ...]
    """Share of the time within each of BANDS_KPA."""
    overshoot_kpa: float
    """Overshoot beyond the target in the direction of the step; for a start at the target, the largest error."""
    settled_s: float | None
    """Time from the start until the pressure settled within `band_kpa`; None if it ended outside."""


@dataclass(frozen=True)
class Result:
    """Result of a run."""

    scenario: Scenario
    controller: str
    metrics: Metrics
    """Of the true pressure plus the slow error of the control transducer, which no controller can know."""
    true: Metrics
    """Of the true pressure."""
    fills: int
    vents: int
    isolations: int
    """Openings of the two isolation valves."""
    gas_g: float
    """Gas taken from the supply through the fill valve."""
    vented_g: float
    fault: str
    warnings: int
    """All warning bits that were ever set; 0 for peers."""
    band_pa: int
    """The effective dead-band at the end; 0 for peers."""
    pulses: tuple[tuple[float, int], ...]
    """(time in s, FILL or VENT) of every opening, to the second."""
    seconds: Floats
    pressure_pa: Floats
    """The true pressure once a second, for plots."""

    @property
    def actuations(self) -> int:
        """Openings of fill and vent."""
        return self.fills + self.vents

    def line(self) -> str:
        """One line of text for a log."""
        m = self.metrics
        shares = " ".join(f"{share:.4f}" for share in m.shares)
        settled = "never" if m.settled_s is None else f"{m.settled_s:.1f}"
        return (
            f"{self.scenario.name} | seed {self.scenario.seed} | {self.controller} | tick {self.scenario.tick_ms} | "
            f"rms {m.rms_kpa:.2f} max {m.max_kpa:.2f} (true {self.true.rms_kpa:.2f} {self.true.max_kpa:.2f}) | "
            f"{self.fills}+{self.vents} (isolations {self.isolations}) | "
            f"shares {shares} | gas {self.gas_g:.2f} g | over {m.overshoot_kpa:.1f} settled {settled} | "
            f"fault {self.fault or '-'} warnings {self.warnings:#x}"
        )


def judge(error_pa: Floats, dt_s: float, band_pa: float = 5000.0) -> Metrics:
    """Return the figures of an error sampled at the end of every `dt_s`; the first value is the start."""
    if not len(error_pa):
        raise ValueError("no errors to judge")
    rising = error_pa[0] < -band_pa
    falling = error_pa[0] > band_pa
    squares = beyond_pa = most_pa = 0.0
    within = [0] * len(BANDS_KPA)
    outside = -1
    for index, error in enumerate(error_pa):
        distance = abs(error)
        squares += error * error
        most_pa = max(most_pa, distance)
        beyond_pa = max(beyond_pa, error if rising else -error if falling else distance)
        for number, band in enumerate(BANDS_KPA):
            within[number] += distance <= band * 1e3
        if distance > band_pa:
            outside = index
    count = len(error_pa)
    return Metrics(
        rms_kpa=math.sqrt(squares / count) / 1e3,
        max_kpa=float(most_pa) / 1e3,
        shares=tuple(number / count for number in within),
        overshoot_kpa=float(beyond_pa) / 1e3,
        settled_s=None if outside == count - 1 else (outside + 1) * dt_s,
    )


def ours(scenario: Scenario, world: World, state: Path) -> CoreDevice:
    """The firmware on the `core` rung, regulating from its first ticks."""
    world.script[5] = b":SOUR:PRES %.6f;:OUTP ON\n" % (scenario.target_pa / 1e6)
    device = CoreDevice(world, state)
    for name, value in (*scenario.settings, ("slew_pa_s", int(scenario.slew_pa_s))):
        reason = device.app.panel.change_setting(name, value)
        if reason:
            raise ValueError(reason)
    return device


def in_force_pa(app: Any) -> int:
    """Return the firmware's effective dead-band: the setting, or the resolution of coarser valves."""
    return max(int(app.settings.get("dead_band_pa")), int(app.control.hold.coarse_pa))


def off(scenario: Scenario, world: World, state: Path) -> CoreDevice:
    """The firmware with its output off: a sealed chamber."""
    return CoreDevice(world, state)


def run(scenario: Scenario, make: Make = ours) -> Result:
    """Run a scenario on a fresh plant."""
    rig = load_rig(None, scenario.sets, scenario.seed, ideal=not scenario.ordinary)
    plant = Plant(rig.parameters, seed=scenario.seed)
    world = World(plant, tick_ms=scenario.tick_ms)
    errors = array("d", [plant.pressure_pa - scenario.target_pa])
    controlled = array("d", errors)
    pulses: list[tuple[float, int]] = []
    seen = [0, 0]
    warnings = 0
    with tempfile.TemporaryDirectory() as state:
        controller = make(scenario, world, Path(state))
        app = getattr(controller, "app", None)
        tick, chamber, sensors, target_pa = controller.tick, plant.chamber, plant.sensors, scenario.target_pa
        note, note_controlled = errors.append, controlled.append
        per_second = 1000 // scenario.tick_ms
        counted = (plant.valves[FILL], plant.valves[VENT])
        for second in range(round(scenario.hours * 3600)):
            for _ in range(per_second):
                tick()
                error_pa = chamber.pressure_pa - target_pa
                note(error_pa)
                note_controlled(error_pa + sensors.control_error_pa)
            for side in (0, 1):
                for _ in range(counted[side].openings - seen[side]):
                    pulses.append((float(second), side))
                seen[side] = counted[side].openings
            if app is not None:
                warnings |= app.watches.warnings
        fault = app.modes.fault_name if app is not None and app.modes.fault else ""
        band_pa = in_force_pa(app) if app is not None else 0
    dt_s = scenario.tick_ms / 1e3
    return Result(
        scenario=scenario,
        controller=getattr(make, "__name__", str(make)),
        metrics=judge(controlled, dt_s, max(5000.0, float(band_pa))),
        true=judge(errors, dt_s, max(5000.0, float(band_pa))),
        fills=seen[0],
        vents=seen[1],
        isolations=plant.valves[SUPPLY_ISOLATION].openings + plant.valves[VENT_ISOLATION].openings,
        gas_g=plant.metered_in_kg * 1e3,
        vented_g=plant.metered_out_kg * 1e3,
        fault=fault,
        warnings=warnings,
        band_pa=band_pa,
        pulses=tuple(pulses),
        seconds=[number * dt_s for number in range(0, len(errors), per_second)],
        pressure_pa=[error + target_pa for error in errors[::per_second]],
    )


def run_job(scenario: dict[str, Any], make: str) -> dict[str, Any]:
    """The same as a job for a worker: scenario and result as JSON, the controller as "module:function"."""
    module, _, name = make.partition(":")
    pairs = tuple((key, value) for key, value in scenario.pop("settings"))
    day = Scenario(**{**scenario, "sets": tuple(scenario["sets"]), "settings": pairs})
    return dataclasses.asdict(run(day, getattr(importlib.import_module(module), name)))


def _result(scenario: Scenario, found: dict[str, Any]) -> Result:
    metrics, true = (
        Metrics(**{**each, "shares": tuple(each["shares"])}) for each in (found["metrics"], found["true"])
    )
    pulses = tuple((second, side) for second, side in found["pulses"])
    return Result(**{**found, "scenario": scenario, "metrics": metrics, "true": true, "pulses": pulses})


# Results in this process so far: several measurements judge the same days.
_done: dict[tuple[Scenario, Make], Result] = {}


def run_all(
    workers: Workers, jobs: Sequence[tuple[Scenario, Make]], progress: Callable[[Result], None] | None = None
) -> list[Result]:
    """Run scenarios in parallel; `progress` is called for each new result. Results keep the given order.

    A day that this process has already run, even under another name, is not repeated.
    """
    keys = [(scenario.but(name=""), make) for scenario, make in jobs]
    new = {key: job for key, job in zip(keys, jobs) if key not in _done}
    scenarios = [dataclasses.asdict(scenario) for scenario, _ in new.values()]
    makes = [f"{make.__module__}:{make.__qualname__}" for _, make in new.values()]
    for (key, (scenario, _)), found in zip(new.items(), workers.map(run_job, scenarios, makes)):
        _done[key] = _result(scenario, found)
        if progress is not None:
            progress(_done[key])
    return [dataclasses.replace(_done[key], scenario=scenario) for key, (scenario, _) in zip(keys, jobs)]
