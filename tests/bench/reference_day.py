"""The days that the regulator alone is judged by, at the firmware's own tick, and what a longer tick would
change.

Reference day: 24 h at 5 MPa in 0.5 L, a 5 Ah cell at C/2, an oven that swings by +-2 K in 600 s, C = 2e-10
m3/(s Pa). The others have the paper's 0.1 Ah cell: the same oven, one of 1800 s, one that drifts by +-2 K
in a day, and a leak of 1 kPa/h.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ipch.sim.rigs import load_firmware
from tests.bench._day import (
    DAILY_DRIFT,
    LEAK_1_KPA_H,
    REFERENCE,
    SLOW_OVEN,
    SMALL_CELL,
    Make,
    Scenario,
    ours,
    run_all,
)
from tests.bench._peers import computed_5
from tests.bench._rows import row

BAND_KPA = 5.0
DAYS = {
    "reference": REFERENCE,
    "reference, 0.1 Ah": REFERENCE + SMALL_CELL,
    "slow oven": REFERENCE + SLOW_OVEN,
    "drift": REFERENCE + DAILY_DRIFT,
    "leak": REFERENCE + LEAK_1_KPA_H,
}
MOST_ACTUATIONS = {"reference": 55.0}
# Ripple that reverses by itself may pass up to this error; the slow-oven day is judged with it, too.
ALLOWANCE = "ripple_allowance_pa"
ALLOWANCE_PA = 8000
ALLOWED_ACTUATIONS = 15.0


def measure(out: Path) -> list[dict[str, Any]]:
    """Return rms and maximum of the true error, time in the band and actuations of each day."""
    load_firmware()
    settings = sys.modules["regulator.settings"]
    jobs: list[tuple[Scenario, Make]] = [(Scenario(name, sets), ours) for name, sets in DAYS.items()]
    jobs += [(Scenario(name, sets, tick_ms=100), computed_5) for name, sets in DAYS.items()]
    jobs.append((Scenario("reference", REFERENCE, tick_ms=100), ours))
    if any(entry[0] == ALLOWANCE for entry in settings.TABLE):
        allowed = ((ALLOWANCE, ALLOWANCE_PA),)
        jobs.append((Scenario("slow oven, 8 kPa allowed", REFERENCE + SLOW_OVEN, settings=allowed), ours))
    results = run_all(jobs, lambda result: print(result.line(), file=sys.stderr))
    count = len(DAYS)
    rows = []
    for result, plain in zip(results[:count], results[count : 2 * count], strict=True):
        name = result.scenario.name
        # Where no number is set as the goal: no more than a plain dead-band that knows its valves.
        most = MOST_ACTUATIONS.get(name, float(plain.actuations))
        rows += [
            row(f"{name}: rms of the true error", result.metrics.rms_kpa, "kPa"),
            row(f"{name}: largest true error", result.metrics.max_kpa, "kPa", at_most=BAND_KPA),
            row(f"{name}: time within 5 kPa", result.metrics.shares[2], "", at_least=1.0),
            row(f"{name}: actuations", result.actuations, "", at_most=most),
        ]
    coarse, *allowed_days = results[2 * count :]
    for result in allowed_days:
        name = result.scenario.name
        rows += [
            row(f"{name}: rms of the true error", result.metrics.rms_kpa, "kPa"),
            row(f"{name}: largest true error", result.metrics.max_kpa, "kPa", at_most=ALLOWANCE_PA / 1e3),
            row(f"{name}: actuations", result.actuations, "", at_most=ALLOWED_ACTUATIONS),
        ]
    rows.append(row("reference at a tick of 100 ms: rms", coarse.metrics.rms_kpa, "kPa"))
    rows.append(row("reference at a tick of 100 ms: actuations", coarse.actuations, ""))
    return rows
