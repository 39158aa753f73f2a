"""Ordinary rigs: the reference day, hard values one at a time, and the first minute after a ramp.

IPCH_BENCH_RIGS sets the number of rigs (10). An error is that of the true pressure plus the control transducer's own
slow error, which no controller can know.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from bench.jobs import Workers
from bench.rows import row
from bench.scenarios.day import REFERENCE, SMALL_CELL, Result, Scenario, ours, run_all
from ipch.sim.parameters import load_rig
from ipch.sim.plant import Plant
from ipch.sim.rigs import CoreDevice
from ipch.sim.world import World

RIGS = int(os.environ.get("IPCH_BENCH_RIGS", "10"))
IN_BAND, BEYOND_KPA, OPENINGS = 0.998, 10.0, 66.0
HARD = {
    "gas_offset_k=1": "TEMPERATURE_OFFSET",
    "wall_offset_k=-1": "TEMPERATURE_OFFSET",
    "control_drift_kpa_per_day=10": "TRANSDUCER_DRIFT",
    "control_lag_ms=500": "SENSING_SLOW",
    "safety_lag_ms=500": "",
    "hum_kpa=5": "",
    "trap_ml=1": "",
}
HARD_HOURS = 6.0
RAMP_MPA_S = 0.04
RAMP_S = 300


def first_minute_kpa(seed: int) -> float:
    """Return the largest error within a minute of reaching 5 MPa by a fast ramp; infinite if that never happens."""
    plant = Plant(load_rig(None, ["initial_mpa=0.1"], seed).parameters, seed)
    world = World(plant)
    world.script[5] = b":SOUR:PRES 5;SLEW %.3f;:OUTP ON\n" % RAMP_MPA_S
    worst_pa, ticks = 0.0, 0
    with tempfile.TemporaryDirectory() as state:
        device = CoreDevice(world, Path(state))
        for _ in range(50 * RAMP_S):
            device.run(1)
            if ticks or device.app.control.in_limits:
                ticks += 1
                worst_pa = max(worst_pa, abs(plant.pressure_pa + plant.sensors.control_error_pa - 5e6))
                if ticks >= 50 * 60:
                    return worst_pa / 1e3
    return float("inf")


def is_kept(result: Result) -> bool:
    """Whether the dead-band was kept, as far as ordinary rigs must."""
    return result.metrics.shares[2] >= IN_BAND and result.metrics.max_kpa <= BEYOND_KPA


def measure(out: Path, workers: Workers) -> list[dict[str, Any]]:
    """Return the figures of all rigs, and those of the hard values."""
    seeds = range(1, RIGS + 1)
    days = [Scenario("reference", REFERENCE, seed=seed, ordinary=True) for seed in seeds]
    hard = [
        Scenario(each, (*REFERENCE, *SMALL_CELL, *each.split()), hours=HARD_HOURS, ordinary=True)
        for each in HARD
    ]
    done = run_all(
        workers, [(each, ours) for each in (*days, *hard)], lambda each: print(each.line(), file=sys.stderr)
    )
    rigs, hards = done[: len(days)], done[len(days) :]
    minutes = list(workers.map(first_minute_kpa, seeds))
    rows = [
        row("ordinary rigs", RIGS, ""),
        row("rigs that keep the dead-band", sum(map(is_kept, rigs)) / RIGS, "", at_least=0.95),
        row("median time within 5 kPa", median(each.metrics.shares[2] for each in rigs), "", at_least=1.0),
        row("least time within 5 kPa", min(each.metrics.shares[2] for each in rigs), ""),
        row("median of the largest error", median(each.metrics.max_kpa for each in rigs), "kPa"),
        row("largest error", max(each.metrics.max_kpa for each in rigs), "kPa"),
        row("median of the largest true error", median(each.true.max_kpa for each in rigs), "kPa"),
        row("median rms", median(each.metrics.rms_kpa for each in rigs), "kPa"),
        row("median openings", median(each.actuations for each in rigs), "", at_most=OPENINGS),
        row("most openings", max(each.actuations for each in rigs), ""),
        row("latched faults", sum(bool(each.fault) for each in rigs), "", at_most=0.0),
        row("first minute after 40 kPa/s, median", median(minutes), "kPa"),
        row("first minute after 40 kPa/s, worst", max(minutes), "kPa", at_most=5.0),
    ]
    for result in hards:
        name = result.scenario.name
        rows += [
            row(f"{name}: largest error", result.metrics.max_kpa, "kPa"),
            row(f"{name}: openings", result.actuations, ""),
            row(f"{name}: latched faults", bool(result.fault), "", at_most=0.0),
            row(f"{name}: in band or told", is_kept(result) or _is_told(result), "", at_least=1.0),
        ]
    return rows


def _is_told(result: Result) -> bool:
    # The firmware is on the path only after its first run.
    from ipch.base.paths import firmware_dir

    sys.path.append(str(firmware_dir()))
    from regulator.faults import warning_names

    return HARD[result.scenario.name] in warning_names(result.warnings)
