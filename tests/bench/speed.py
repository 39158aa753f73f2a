"""How much faster than real time the rungs run at the 20 ms tick, holding 5 MPa."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from ipch.sim.parameters import load_parameters
from ipch.sim.plant import Plant
from ipch.sim.rigs import CoreDevice, SimDevice
from ipch.sim.world import World
from tests.bench._rows import row

# 40 simulated minutes: a ramp to 5 MPa (4 min), then hold.
TICKS = 120_000
GOALS = {"core": 200.0, "sim": 100.0}


def measure(out: Path) -> list[dict[str, Any]]:
    """Return the simulated time over the wall time of both rungs."""
    rows = []
    for kind in (CoreDevice, SimDevice):
        with tempfile.TemporaryDirectory() as state:
            world = World(Plant(load_parameters(None, []), seed=1))
            world.script[1] = b":SOUR:PRES 5;:OUTP ON\n"
            device = kind(world, Path(state))
            device.run(100)
            start = time.perf_counter()
            device.run(TICKS)
            wall_s = time.perf_counter() - start
            device.close()
        speed = TICKS * world.tick_ms / 1000 / wall_s
        rows.append(row(f"{device.rig}: simulated over real time", speed, "x", at_least=GOALS[device.rig]))
        rows.append(row(f"{device.rig}: tick", wall_s / TICKS * 1e6, "us"))
    return rows
