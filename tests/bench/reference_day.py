"""24 h at 5 MPa: 0.5 L, a 5 Ah cell at C/2, an oven that swings by +-2 K in 600 s, C = 2e-10 m3/(s Pa)."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any

from ipch.sim.parameters import load_parameters
from ipch.sim.plant import Plant
from ipch.sim.rigs import CoreDevice
from ipch.sim.world import World
from tests.bench._rows import row

REFERENCE = (
    "volume_l=0.5", "fill_c=2e-10", "vent_c=2e-10", "supply_mpa=6", "initial_mpa=5",
    "oven_c=30", "oven_amplitude_k=2", "oven_period_s=600",
    "cell_capacity_ah=5", "cell_c_rate=0.5",
)  # fmt: skip
TARGET_PA = 5_000_000


def measure(out: Path) -> list[dict[str, Any]]:
    """Return rms and maximum of the true error, and the actuations of the day."""
    with tempfile.TemporaryDirectory() as state:
        world = World(Plant(load_parameters(None, REFERENCE), seed=1))
        world.script[5] = b":SOUR:PRES 5;:OUTP ON\n"
        device = CoreDevice(world, Path(state))
        worst_pa = squares = 0.0
        seconds = 24 * 3600
        for _ in range(seconds):
            device.run(50)
            error_pa = world.plant.pressure_pa - TARGET_PA
            worst_pa = max(worst_pa, abs(error_pa))
            squares += error_pa * error_pa
    fills, vents = device.app.valves.openings
    return [
        row("rms of the true error", math.sqrt(squares / seconds) / 1000, "kPa", at_most=2.5),
        row("largest true error", worst_pa / 1000, "kPa", at_most=6),
        row("fills", fills, ""),
        row("vents", vents, ""),
        row("pulses", fills + vents, "", at_most=65),
    ]
