"""Residual temperature drift of a calibrated transducer: zero 2 kPa/K and span 0.02 %/K, at three temperatures and
four pressures, with a noisy standard and noisy readings; judged by the true pressure at points between 20 and
45 degC outside the fit, for three seeds.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random
from typing import Any

from bench.jobs import Workers
from bench.rows import row
from ipch.calibration import TRANSDUCERS, Coefficients, Point, fit
from ipch.sim.parameters import load_parameters
from ipch.sim.plant import Plant
from ipch.sim.rigs import CoreDevice
from ipch.sim.world import World

DRIFT = (
    "zero_drift_kpa_per_k=2", "span_drift_ppm_per_k=200", "drift_reference_c=25", "transducer_noise_kpa=1",
)  # fmt: skip
FIT_C = (20.0, 32.0, 45.0)
FIT_MPA = (0.101325, 1.8, 3.6, 5.4)
OTHERS_C = (20.0, 24.0, 28.5, 38.0, 41.0, 45.0)
OTHERS_MPA = (0.9, 2.7, 4.5, 5.3)
REFERENCE_K = 303.15
STANDARD_PA = 300.0
"""Noise of the standard's readings, rms."""
LIMIT_KPA = 3.0
"""0.03 % of full scale."""
WARM_UP_TICKS = 250
TICKS = 500
TICK_MS = 20
SEEDS = (7, 8, 9)


def reading(
    celsius: float, mpa: float, seed: int, fitted: dict[str, Coefficients]
) -> tuple[dict[str, float], float, float]:
    """Return the means of both transducers over 10 s, the wall in K, and the true pressure, for a closed chamber."""
    plant = Plant(load_parameters(None, (*DRIFT, f"oven_c={celsius}", f"initial_mpa={mpa}")), seed=seed)
    world = World(plant, tick_ms=TICK_MS)
    with tempfile.TemporaryDirectory() as state:
        device = CoreDevice(world, Path(state))
        settings = {"cal_temperature_mk": round(REFERENCE_K * 1000)}
        for name, c in fitted.items():
            settings |= {
                f"{name}_zero_pa": c.zero_pa, f"{name}_span_ppm": c.span_ppm,
                f"{name}_zero_tc_pa_k": c.zero_tc_pa_k, f"{name}_span_tc_ppm_k": c.span_tc_ppm_k,
            }  # fmt: skip
        for name, value in settings.items():
            reason = device.app.panel.change_setting(name, value)
            if reason:
                raise ValueError(reason)
        sensors = device.app.sensors
        sums = dict.fromkeys(TRANSDUCERS, 0.0)
        for tick in range(WARM_UP_TICKS + TICKS):
            device.tick()
            if tick >= WARM_UP_TICKS:
                for name in TRANSDUCERS:
                    sums[name] += getattr(sensors, name).pa
        return (
            {name: total / TICKS for name, total in sums.items()},
            sensors.wall_mk / 1000,
            plant.pressure_pa,
        )


def measure(out: Path, workers: Workers) -> list[dict[str, Any]]:
    """Return the largest error before and after, and the uncertainty that the fit states, of the worst seed."""
    before = dict.fromkeys(TRANSDUCERS, 0.0)
    after = dict.fromkeys(TRANSDUCERS, 0.0)
    claimed = dict.fromkeys(TRANSDUCERS, 0.0)
    for seed in SEEDS:
        random = Random(seed)
        points = []
        for number, (celsius, mpa) in enumerate((c, p) for c in FIT_C for p in FIT_MPA):
            readings, wall_k, true_pa = reading(celsius, mpa, 1000 * seed + number, {})
            points.append(Point(true_pa + random.gauss(0.0, STANDARD_PA), wall_k, readings))
        found = {name: fit(points, name, REFERENCE_K, Coefficients()) for name in TRANSDUCERS}
        coefficients = {name: result.coefficients for name, result in found.items()}
        for number, (celsius, mpa) in enumerate((c, p) for c in OTHERS_C for p in OTHERS_MPA):
            for errors, used in ((before, {}), (after, coefficients)):
                readings, _, true_pa = reading(celsius, mpa, 1000 * seed + 500 + number, used)
                for name in TRANSDUCERS:
                    errors[name] = max(errors[name], abs(readings[name] - true_pa) / 1e3)
        for name in TRANSDUCERS:
            claimed[name] = max(claimed[name], found[name].expanded_pa / 1e3)
    rows = []
    for name in TRANSDUCERS:
        rows += [
            row(f"{name}: largest error before", before[name], "kPa"),
            row(f"{name}: largest error at points not used", after[name], "kPa", at_most=LIMIT_KPA),
            row(f"{name}: expanded uncertainty that the fit states", claimed[name], "kPa"),
        ]
    return rows
