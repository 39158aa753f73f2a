"""Speed of the rungs relative to real time at the 20 ms tick, holding 5 MPa."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.jobs import Workers
from bench.rows import row
from ipch.sim.parameters import load_parameters
from ipch.sim.plant import Plant
from ipch.sim.rigs import CoreDevice, SimDevice
from ipch.sim.world import World

# 40 simulated minutes: a ramp to 5 MPa (4 min), then hold.
TICKS = 120_000
# On PyPy after a hold that compiled the code: this speed counts for runs of days.
WARM_UP_TICKS = 400_000


def ticks_per_s(rig: str, warm_up: int) -> float:
    """Return ticks per second of processor time on `core`, or of real time on `sim`."""
    with tempfile.TemporaryDirectory() as state:
        world = World(Plant(load_parameters(None, []), seed=1))
        world.script[1] = b":SOUR:PRES 5;:OUTP ON\n"
        device = (CoreDevice if rig == "core" else SimDevice)(world, Path(state))
        device.run(warm_up)
        clock = time.process_time if rig == "core" else time.perf_counter
        start = clock()
        device.run(TICKS)
        took_s = clock() - start
        device.close()
    return TICKS / took_s


def measure(out: Path, workers: Workers) -> list[dict[str, Any]]:
    """Return simulated time over the time taken, for both rungs, and for `core` on PyPy if installed."""
    with Workers(1, [sys.executable]) as here:
        found = [("core", here.name, here.call(ticks_per_s, "core", 100), 200.0)]
    if workers.name.startswith("PyPy"):
        found.append(("core on PyPy", workers.name, workers.call(ticks_per_s, "core", WARM_UP_TICKS), 4000.0))
    found.append(("sim", "MicroPython", ticks_per_s("sim", 100), 100.0))
    rows = []
    for name, python, rate, goal in found:
        judged = row(f"{name}: simulated over real time", rate * 0.02, "x", at_least=goal)
        rows += [each | {"python": python} for each in (judged, row(f"{name}: tick", 1e6 / rate, "us"))]
    return rows
