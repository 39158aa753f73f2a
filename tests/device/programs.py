"""Programs in place of the firmware on the rung `sim`, which end by themselves."""

from __future__ import annotations

from ipch.sim.rigs import FirmwareStopped, SimDevice


def run_to_end(device: SimDevice) -> str:
    """Run until the program ends; return its output."""
    while True:
        try:
            device.tick()
        except FirmwareStopped as stopped:
            return str(stopped)
