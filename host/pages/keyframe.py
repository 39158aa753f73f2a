"""Write firmware/regulator/keyframe.py, which copies every integer of the regulator, from the regulator itself."""

from __future__ import annotations

import tempfile
from pathlib import Path

from ipch.board import module
from ipch.sim.parameters import load_parameters
from ipch.sim.plant import Plant
from ipch.sim.rigs import CoreDevice
from ipch.sim.world import World

MODULE = Path(__file__).resolve().parents[2] / "firmware" / "regulator" / "keyframe.py"


def current() -> str:
    """What the module has to be now."""
    with tempfile.TemporaryDirectory() as state:
        device = CoreDevice(World(Plant(load_parameters(None, []))), Path(state))
        try:
            return module(device.app)
        finally:
            device.close()


if __name__ == "__main__":
    if not MODULE.exists():
        # The regulator cannot be made without it.
        MODULE.write_text('SLOTS = 0\nNAMES_CRC = ""\nfirst = second = None\n')
    MODULE.write_text(current())
