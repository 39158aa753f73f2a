"""Samples for the live page that no device has sent."""

from __future__ import annotations

from dataclasses import replace

from ipch.device import Sample
from ipch.live import Feed

FACTS = {
    "serial_number": "PAGE1", "program": "run <b>bold</b>", "firmware": "0.1.0", "ipch": "0.1.0", "dead_band_pa": 5000,
    "setpoint_max_pa": 5_500_000,
}  # fmt: skip
FIRST = Sample(
    sequence=1, boot=1, uptime_s=10.0, state="REGULATE", fault="NONE", in_limits=True, pressure_pa=1_000_000,
    ramp_pa=1_000_000, target_pa=1_000_000, control_pa=1_000_100, safety_pa=999_000, supply_pa=6_000_000, gas_k=303.15,
    wall_k=303.05, slew_pa_s=0, settled_pa=1_000_000, fills=3, vents=1, fill_open_s=0.1, vent_open_s=0.1, warnings=0,
)  # fmt: skip


def feed() -> Feed:
    return Feed(FACTS, lambda: "The control transducer's loop is open; all valves are shut. Check its cable.")


def after(seconds: float, **changes: object) -> Sample:
    """The first sample so many seconds later."""
    return replace(FIRST, uptime_s=FIRST.uptime_s + seconds, sequence=round(1 + seconds), **changes)  # type: ignore[arg-type]
