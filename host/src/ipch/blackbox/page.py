"""The black box as a single HTML page with plots."""

from pathlib import Path
from typing import Any

import numpy as np

from ipch.blackbox.capture import BlackBox
from ipch.report import BLUE, GREEN, GREY, ORANGE, Panels, write_html
from ipch.sim.signals import ADS1115_VOLT_PER_COUNT, RP2040_VOLT_PER_COUNT, SHUNT_OHM

_SWITCHES = (
    (1, "supply isolation", BLUE),
    (2, "vent isolation", ORANGE),
    (4, "relief", GREEN),
    (16, "heartbeat", GREY),
)
STATES = ("OFF", "REGULATE", "QUIET", "VENT", "SEALED", "RELIEF", "MAINTENANCE")
"""In the order of the firmware's numbers for the states."""


def nominal_mpa(counts: int, volt_per_count: float) -> float:
    """Pressure in MPa of these counts by the 4-20 mA scale, without calibration."""
    return (counts * volt_per_count / SHUNT_OHM * 1000 - 4) / 16 * 10


def write_plot(path: Path, box: BlackBox) -> None:
    """Write the page. Raises FileError."""
    times = box.times_s()
    requests = [(f"{times[each.row]:+.3f} s", each.text) for each in box.requests if each.row >= 0]
    write_html(
        path,
        "blackbox/page.html",
        _figure(box, times),
        title=f"Black box: {box.fault if box.trip_row is not None else 'frozen by command'}",
        subtitle=f"device {box.identity.get('serial_number', '?')}, firmware {box.identity.get('firmware', '?')}, "
        f"fetched {box.fetched_utc}; pressures from the 4-20 mA scale, without calibration",
        requests=requests or [("none",)],
    )


def _figure(box: BlackBox, times: list[float]) -> dict[str, Any]:
    x = np.array(times)
    plot = Panels()

    def steps(name: str, values: list[float], colour: str, in_legend: bool = False) -> None:
        plot.line(name, x, np.array(values), colour, 3, in_legend, shape="hv")

    plot.panel("pressure / MPa")
    for name, volt, colour in (
        ("control", ADS1115_VOLT_PER_COUNT, BLUE),
        ("safety", RP2040_VOLT_PER_COUNT, ORANGE),
        ("supply", ADS1115_VOLT_PER_COUNT, GREY),
    ):
        pressures = np.array([nominal_mpa(each, volt) for each in box.column(f"{name}_counts")])
        plot.line(name, x, pressures, colour, 5)
    plot.panel("pulse / ms", rangemode="tozero")
    steps("fill", [max(us, 0) / 1000 for us in box.column("pulse_us")], BLUE, True)
    steps("vent", [max(-us, 0) / 1000 for us in box.column("pulse_us")], ORANGE, True)
    plot.panel("", tickvals=[n + 0.4 for n in range(len(_SWITCHES))], ticktext=[s[1] for s in _SWITCHES])
    for place, (bit, name, colour) in enumerate(_SWITCHES):
        steps(name, [place + (0.8 if levels & bit else 0.0) for levels in box.column("levels")], colour)
    states = box.column("state")
    seen = sorted(set(states))
    plot.panel(
        "state", tickvals=seen, ticktext=[STATES[n] for n in seen], range=[seen[0] - 0.5, seen[-1] + 0.5]
    )
    steps("state", [float(each) for each in states], BLUE)
    plot.panel("tick / ms", rangemode="tozero")
    steps("length of the tick", [float(each) for each in box.column("dt_ms")], BLUE)
    layout = plot.layout(
        f"time from the {'end' if box.trip_row is None else 'trip'} / s", (times[0], times[-1])
    )
    trip = {"type": "line", "x0": 0, "x1": 0, "yref": "paper", "y0": 0, "y1": 1}
    layout["shapes"].append({**trip, "line": {"color": "#c00", "width": 1}})
    return {"data": plot.traces, "layout": layout}
