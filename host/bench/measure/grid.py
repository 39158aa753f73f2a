"""Steps without retuning: five volumes, five valves, three gases, two supplies, a slow and the fastest ramp. In each,
one device with default settings and no learned gains takes the three steps in turn, 1 to 4.9 to 2 to 2.1 MPa, with a
hold after each.

Supplies of 9.5 MPa are within `supply_max_pa` as delivered. All at the firmware's own tick of 20 ms. The device
regulates at the first pressure for 10 s, in which it proves its valves one by one and moves no gas; then it receives
the target, and time counts from there. With air, devices without learned gains also take the steps from 4.9 and from 2
MPa; those rows have no goal, because the best schedule knows its valves and the shortest step leaves a second to learn
them. Criteria in addition to faults:

- overshoot: beyond the target in the direction of the step, against 5 kPa or one smallest pulse (see
  `schedule.pulse_effect`), whichever is larger;
- settling: until the pressure stays in the band, against 1.25 x the best schedule (`schedule.shortest_step_s`).
  The band is the firmware's effective dead-band, or the smallest pulse's limit: 3/4 of its settled step and
  1.5 kPa for noise. The firmware may widen its dead-band to at most 1.25 x that limit. The fastest ramp (1 MPa/s) has
  no goal for it: the gas is up to 100 K warm and cools for longer than the best schedule takes;
- the hold: pulses against the need of the net change of gas in it (the wall still cools after a step), one
  for each half band or for each longest pulse, and two for the ends; and at most two changes between filling
  and venting, which is one pulse in the wrong direction. More is a limit cycle.
"""

from __future__ import annotations

import itertools
import math
import sys
import tempfile
from array import array
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.jobs import Workers
from bench.rows import row
from bench.scenarios.day import Scenario, in_force_pa, ours
from bench.scenarios.schedule import pulse_effect, shortest_step_s
from ipch.sim.parameters import load_parameters
from ipch.sim.plant import FILL, VENT, Plant
from ipch.sim.rigs import CoreDevice
from ipch.sim.world import World

VOLUMES_L = (0.08, 0.2, 0.5, 2.0, 5.0)
CONDUCTANCES = (3e-11, 1e-10, 2e-10, 1e-9, 3e-9)
# Gas, supply in MPa, ramp in Pa/s: the default and the fastest.
SUPPLIES = (
    ("air", 6.0, 20_000),
    ("nitrogen", 9.5, 20_000),
    ("argon", 9.5, 20_000),
    ("nitrogen", 9.5, 1_000_000),
)
STEPS_MPA = ((1.0, 4.9), (4.9, 2.0), (2.0, 2.1))
WALL_J_K_L = 4000.0
"""The plant's 2 kJ/K of 0.5 L, in proportion: the heat of a fast fill of 5 L would warm that by 7 K within seconds."""
HOLD_S = 7200
COLD_HOLD_S = 600
SMALL_CELL_AH = 0.1
TICK_MS = 20
NOISE_PA = 1500.0
LONGEST_US = 300_000
PROOF_S = 10
"""Time at the first pressure before the step: the device proves its valves at every start of regulation."""


@dataclass(frozen=True)
class Case:
    """One cell of the grid and one step in it."""

    volume_l: float
    c: float
    supply_mpa: float
    from_mpa: float
    to_mpa: float
    gas: str = "air"
    slew_pa_s: float = 20_000
    cell_ah: float = 0.0

    @property
    def name(self) -> str:
        ends = f"{self.from_mpa:g} to {self.to_mpa:g}"
        cell = f", cell of {self.cell_ah:g} Ah" if self.cell_ah else ""
        plant = f"{self.volume_l:g} L, C {self.c:g}, {self.gas} of {self.supply_mpa:g} MPa"
        return f"{plant}, {self.slew_pa_s / 1e3:g} kPa/s, {ends}{cell}"

    @property
    def sets(self) -> tuple[str, ...]:
        return (
            f"volume_l={self.volume_l}", f"fill_c={self.c}", f"vent_c={self.c}",
            f"supply_mpa={self.supply_mpa}", f"initial_mpa={self.from_mpa}", f"gas={self.gas}",
            f"wall_j_k={WALL_J_K_L * self.volume_l}",
            *((f"cell_capacity_ah={self.cell_ah}", "cell_c_rate=0.5") if self.cell_ah else ()),
        )  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """Result of a case; pressures in Pa, times in s."""

    case: Case
    band_pa: float
    declared_pa: float
    allowed_band_pa: float
    overshoot_pa: float
    overshoot_limit_pa: float
    settled_s: float
    best_s: float
    step_pulses: int
    hold_fills: int
    hold_vents: int
    hold_needed: float
    reversals: int
    hold_max_pa: float
    fault: str
    warnings: tuple[str, ...]
    """Those without `BAND_WIDENED`, which a coarse valve causes: nothing happens here that deserves one."""

    @property
    def overshoots(self) -> bool:
        return self.overshoot_pa > self.overshoot_limit_pa

    @property
    def ratio(self) -> float:
        return self.settled_s / max(self.best_s, TICK_MS / 1e3)

    @property
    def slow(self) -> bool:
        return self.case.slew_pa_s <= Scenario.slew_pa_s and not self.ratio <= 1.25

    @property
    def wide(self) -> bool:
        return self.declared_pa > self.allowed_band_pa

    @property
    def cycles(self) -> bool:
        return self.hold_fills + self.hold_vents > self.hold_needed or self.reversals > 2

    def line(self) -> str:
        wrong = [
            text
            for bad, text in (
                (self.overshoots, "OVERSHOOT"), (self.slow, "SLOW"), (self.cycles, "CYCLES"),
                (self.wide, "WIDE"), (bool(self.fault), self.fault),
                (bool(self.warnings), " ".join(self.warnings)),
            )
            if bad
        ]  # fmt: skip
        return (
            f"{self.case.name}: band {self.band_pa / 1e3:.1f}, over {self.overshoot_pa / 1e3:.1f} of "
            f"{self.overshoot_limit_pa / 1e3:.1f} kPa, settled {self.settled_s:.1f} (best {self.best_s:.1f}, "
            f"ratio {self.ratio:.2f}), pulses {self.step_pulses}, "
            f"hold {self.hold_fills}+{self.hold_vents} of {self.hold_needed:.1f}, "
            f"reversals {self.reversals}, hold max {self.hold_max_pa / 1e3:.1f} "
            f"{' '.join(wrong)}"
        )


def last_outside_s(error_pa: list[float] | array[float], dt_s: float, band_pa: float) -> float:
    """Return the time after which an error, sampled every `dt_s` from 0 on, stays in the band; inf if never."""
    for index in range(len(error_pa) - 1, -1, -1):
        if abs(error_pa[index]) > band_pa:
            return math.inf if index == len(error_pa) - 1 else (index + 1) * dt_s
    return 0.0


def changes(sides: list[int]) -> int:
    """Return the number of changes between filling and venting."""
    return sum(a != b for a, b in zip(sides, sides[1:]))


def steps(cases: tuple[Case, ...], hold_s: int = HOLD_S) -> list[Outcome]:
    """Run one device through consecutive cases."""
    first = cases[0]
    plant = Plant(load_parameters(None, first.sets), seed=1)
    world = World(plant, tick_ms=TICK_MS)
    scenario = Scenario(first.name, first.sets, target_pa=first.from_mpa * 1e6, slew_pa_s=first.slew_pa_s)
    with tempfile.TemporaryDirectory() as state:
        device = ours(scenario, world, Path(state))
        for _ in range(PROOF_S * 1000 // TICK_MS):
            device.tick()
        return [step(case, plant, world, device, hold_s) for case in cases]


def steps_job(cases: list[dict[str, Any]], hold_s: int = HOLD_S) -> list[dict[str, Any]]:
    """The same as a job for a worker."""
    return [asdict(outcome) for outcome in steps(tuple(Case(**case) for case in cases), hold_s)]


def _plain(jobs: Sequence[tuple[Case, ...]]) -> list[list[dict[str, Any]]]:
    return [[asdict(case) for case in cases] for cases in jobs]


def _warning_names(warnings: int) -> list[str]:
    # Known once a device has been made.
    from regulator.faults import warning_names

    return list(warning_names(warnings))


def _outcome(found: dict[str, Any]) -> Outcome:
    return Outcome(**{**found, "case": Case(**found["case"]), "warnings": tuple(found["warnings"])})


def step(case: Case, plant: Plant, world: World, device: CoreDevice, hold_s: int) -> Outcome:
    """Send a regulating device the target of a case, and observe it."""
    up = case.to_mpa > case.from_mpa
    target_pa = case.to_mpa * 1e6
    chamber = plant.chamber
    approach_s = int(2 * shortest_step_s(case.sets, target_pa, case.slew_pa_s, 5000.0) + 120)
    small = pulse_effect(case.sets, 0 if up else 1, target_pa)
    other = pulse_effect(case.sets, 1 if up else 0, target_pa)
    tick, watches = device.tick, device.app.watches
    warnings = 0
    proved = sum(plant.valves[valve].openings for valve in (FILL, VENT))
    errors = array("d", [chamber.pressure_pa - target_pa])
    world.script[world.ticks + 1] = b":SOUR:PRES %.6f\n" % case.to_mpa
    for _ in range(approach_s * 1000 // TICK_MS):
        tick()
        errors.append(chamber.pressure_pa - target_pa)
        warnings |= watches.warnings
    coarse_pa = 0.75 * max(small.settled_pa, other.settled_pa) + NOISE_PA
    declared_pa = float(in_force_pa(device.app))
    band_pa = max(declared_pa, coarse_pa)
    sign = 1 if up else -1
    overshoot_pa = max(0.0, max(sign * error for error in errors))
    valves = (plant.valves[FILL], plant.valves[VENT])
    step_pulses = sum(valve.openings for valve in valves) - proved
    before = [valve.openings for valve in valves]
    settled_kg = plant.gas_kg
    sides: list[int] = []
    seen = list(before)
    largest_pa = 0.0
    for _ in range(hold_s * 1000 // TICK_MS):
        tick()
        warnings |= watches.warnings
        largest_pa = max(largest_pa, abs(chamber.pressure_pa - target_pa))
        for side in (0, 1):
            if valves[side].openings != seen[side]:
                sides += [side] * (valves[side].openings - seen[side])
                seen[side] = valves[side].openings
    fault = device.app.modes.fault_name if device.app.modes.fault else ""
    # The net gas added or vented in the hold, as pressure at the target.
    net_pa = abs(plant.gas_kg - settled_kg) / settled_kg * target_pa
    side = 0 if plant.gas_kg > settled_kg else 1
    longest_pa = pulse_effect(case.sets, side, target_pa, LONGEST_US).settled_pa
    return Outcome(
        case=case,
        band_pa=band_pa,
        declared_pa=declared_pa,
        allowed_band_pa=max(5000.0, 1.25 * coarse_pa),
        overshoot_pa=overshoot_pa,
        overshoot_limit_pa=max(5000.0, small.immediate_pa),
        settled_s=last_outside_s(errors, TICK_MS / 1e3, band_pa),
        best_s=shortest_step_s(case.sets, target_pa, case.slew_pa_s, band_pa),
        step_pulses=step_pulses,
        hold_fills=sides.count(0),
        hold_vents=sides.count(1),
        hold_needed=2.0 + net_pa / min(0.5 * band_pa, longest_pa),
        reversals=changes(sides),
        hold_max_pa=largest_pa,
        fault=fault,
        warnings=tuple(name for name in _warning_names(warnings) if name != "BAND_WIDENED"),
    )


def sequences() -> list[tuple[Case, ...]]:
    """Return the three steps in each cell of the grid, and in its middle with the paper's cell at C/2."""
    plants = [(*cell, 0.0) for cell in itertools.product(VOLUMES_L, CONDUCTANCES, SUPPLIES)]
    return [
        tuple(Case(volume_l, c, supply_mpa, *ends, gas, slew_pa_s, cell_ah) for ends in STEPS_MPA)
        for volume_l, c, (gas, supply_mpa, slew_pa_s), cell_ah in (
            *plants,
            (0.5, 2e-10, SUPPLIES[0], SMALL_CELL_AH),
        )
    ]


def measure(out: Path, workers: Workers) -> list[dict[str, Any]]:
    """Return the number of cases that fail each goal, and the worst of each."""
    jobs = sequences()
    cold = [(case,) for cases in jobs for case in cases[1:] if case.gas == "air"]
    outcomes: list[Outcome] = []
    unlearned: list[Outcome] = []
    for found in workers.map(steps_job, _plain(jobs)):
        for each in found:
            outcomes.append(_outcome(each))
            print(outcomes[-1].line(), file=sys.stderr)
    for found in workers.map(steps_job, _plain(cold), [COLD_HOLD_S] * len(cold)):
        unlearned.append(_outcome(found[0]))
        print("nothing learned: " + unlearned[-1].line(), file=sys.stderr)
    text = [outcome.line() for outcome in outcomes]
    text += ["nothing learned: " + outcome.line() for outcome in unlearned]
    (out / "grid.txt").write_text("\n".join(text) + "\n")
    return [
        row("cases", len(outcomes), ""),
        row("cases that overshoot", sum(o.overshoots for o in outcomes), "", at_most=0),
        row("worst overshoot over its limit", max(o.overshoot_pa / o.overshoot_limit_pa for o in outcomes),
            "", at_most=1),
        row("cases that settle late", sum(o.slow for o in outcomes), "", at_most=0),
        row("slowest settling over the best schedule", max(o.ratio for o in outcomes), "",
            at_most=1.25),
        row("cases that widen their dead-band too far", sum(o.wide for o in outcomes), "", at_most=0),
        row("cases that cycle", sum(o.cycles for o in outcomes), "", at_most=0),
        row("holds with a pulse against the drift", sum(o.reversals > 0 for o in outcomes), ""),
        row("most pulses of a hold of 2 h", max(o.hold_fills + o.hold_vents for o in outcomes), ""),
        row("faults", sum(bool(o.fault) for o in outcomes), "", at_most=0),
        row("cases with a warning", sum(bool(o.warnings) for o in outcomes), "", at_most=0),
        row("nothing learned: cases", len(unlearned), ""),
        row("nothing learned: cases that overshoot", sum(o.overshoots for o in unlearned), "", at_most=0),
        row("nothing learned: cases that settle late", sum(o.slow for o in unlearned), ""),
        row("nothing learned: slowest over the best schedule", max(o.ratio for o in unlearned),
            ""),
    ]  # fmt: skip
