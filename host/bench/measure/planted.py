"""Planted truth: known leak and swelling, estimated from records and compared with their own 95 % intervals.

IPCH_BENCH_SEEDS (100) records of each scenario, made by the whole plant under a simple regulator
(scenarios/planted.py), and a record of the firmware itself with the same plant for each of two scenarios. The bound
is the interval of an estimator that knows the plant's noise, with all the other unknowns the same.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from bench.jobs import Workers
from bench.scenarios.day import TICK_MS
from bench.scenarios.planted import SCENARIOS, Outcome, Scenario, judge
from ipch.analysis import AIR, GasRecord, solve_balance
from ipch.sim.parameters import load_parameters
from ipch.sim.plant import Plant
from ipch.sim.rigs import CoreDevice
from ipch.sim.world import World

SEEDS = int(os.environ.get("IPCH_BENCH_SEEDS", "100"))
_BY_FIRMWARE = ("leak 10 kPa/h, 0.5 L, 8 h", "0.1 mL, 0.1 L")


def measure(out: Path, workers: Workers) -> list[dict[str, Any]]:
    """Judge every scenario."""
    rows: list[dict[str, Any]] = []
    with ProcessPoolExecutor(2) as pool:
        for scenario in SCENARIOS:
            outcomes = list(pool.map(judge, [scenario] * SEEDS, range(1, SEEDS + 1), chunksize=5))
            rows += _rows(scenario, outcomes)
        for found in pool.map(_firmware, [s for s in SCENARIOS if s.name in _BY_FIRMWARE]):
            rows += found
    return rows


def row(name: str, value: float, unit: str, goal: str = "", ok: bool | None = None) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "goal": goal, "ok": ok}


def _rows(scenario: Scenario, outcomes: list[Outcome]) -> list[dict[str, Any]]:
    name = scenario.name
    leak = [(o.leak_error, o.leak_half, o.leak_bound) for o in outcomes]
    # The bound knows the noise of an ideal rig alone.
    judged = slice(-1) if scenario.ordinary else slice(None)
    rows = _judged(f"{name}: leak", leak, "kPa/h")[judged]
    if scenario.half_s:
        rows += _judged(f"{name}: swelling", [cycle for o in outcomes for cycle in o.swelling], "mL")[judged]
    if "leak 1 kPa/h, 0.5 L, 1 h" in name or "leak 0.1 kPa/h" in name:
        seen = statistics.mean(float(o.leak_kpa_h > 3 * o.leak_half / 1.96) for o in outcomes)
        rows.append(row(f"{name}: found at 3 sigma", seen, "share", ">= 0.9", seen >= 0.9))
    return rows


def _judged(name: str, found: list[tuple[float, float, float]], unit: str) -> list[dict[str, Any]]:
    covered = statistics.mean(float(abs(error) <= half) for error, half, _ in found)
    half = statistics.median(half for _, half, _ in found)
    wide = statistics.median(half / bound for _, half, bound in found)
    bias = statistics.mean(error for error, _, _ in found)
    return [
        row(f"{name}, within its interval", covered, "share", ">= 0.9", covered >= 0.9),
        row(f"{name}, half of the interval", half, unit),
        row(f"{name}, mean error", bias, unit),
        row(f"{name}, interval over bound", wide, "x", "<= 3", wide <= 3),
    ]


def _firmware(scenario: Scenario) -> list[dict[str, Any]]:
    """The same plant, regulated by the firmware and sampled every second."""
    plant = Plant(load_parameters(None, ("initial_mpa=5", *scenario.sets)), seed=1)
    world = World(plant, tick_ms=TICK_MS)
    world.script[5] = b":SOUR:PRES 5;:OUTP ON\n"
    table = []
    with tempfile.TemporaryDirectory() as state:
        device = CoreDevice(world, Path(state))
        app = device.app
        for _ in range(round(scenario.hours * 3600)):
            device.run(1000 // TICK_MS)
            sensors, valves = app.sensors, app.valves
            opened = [valves.open_s[side] + valves.open_us[side] * 1e-6 for side in (0, 1)]
            table.append(
                (plant.time_ms / 1e3, sensors.pressure_pa, sensors.gas_mk / 1e3, sensors.wall_mk / 1e3,
                 sensors.supply.pa, *valves.openings, *opened, plant.cell_ah, plant.gas_kg, plant.leaked_kg)
            )  # fmt: skip
    data = np.array(table)
    # From the start of regulation.
    data = data[60:]
    cycle = np.floor(data[:, 0] / (2 * scenario.half_s)) + 1 if scenario.half_s else None
    record = GasRecord(
        *(data[:, column] for column in range(9)),
        segment=np.zeros(len(data), dtype=np.int64),
        usable=np.ones(len(data), dtype=np.bool_),
        charge_ah=data[:, 9] if scenario.half_s else None,
        cycle=cycle,
    )
    found = solve_balance(record, volume_ml=scenario.volume_l * 1e3)
    hours = float(np.ptp(data[:, 0])) / 3600
    share_h = float(np.ptp(data[:, 11]) / data[0, 10] / hours)
    leak = share_h * 5e3 * float(AIR.stiffness(5e6, 303.15))
    noise_pa = float(np.std(np.diff(data[:, 1])[np.diff(data[:, 5] + data[:, 6]) == 0]) / np.sqrt(2))
    name = f"{scenario.name}, by the firmware"
    covered = found.leak_kpa_h.covers(leak)
    rows = [
        row(f"{name}: noise of the filtered pressure", noise_pa, "Pa", "140 in the quick records"),
        row(f"{name}: leak error", found.leak_kpa_h.value - leak, "kPa/h", "within its interval", covered),
        row(f"{name}: half of its interval", found.leak_kpa_h.half_width, "kPa/h"),
    ]
    for one in found.cycles:
        assert one.change_ml is not None and cycle is not None
        true_ml = float(np.ptp(data[cycle == one.cycle, 9])) * plant.parameters.cell_cm3_per_ah
        error = one.change_ml.value - true_ml
        rows.append(
            row(f"{name}: swelling error, cycle {one.cycle}", error, "mL", f"within {one.change_ml.half_width:.2g}",
                one.change_ml.covers(true_ml))
        )  # fmt: skip
    return rows
