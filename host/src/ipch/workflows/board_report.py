"""Figures of a real board, for a file worth sending: speed, memory, flash, noise. No valve moves."""

from __future__ import annotations

import math
import statistics
import sys
import time
from dataclasses import asdict
from typing import Any

from ipch import __version__
from ipch.device import Instrument

_QUERIES = ("*IDN?", ":FETC?", ":SYST:ERR?", ":SENS:PRES?")
_QUANTITIES = ("control_pa", "safety_pa", "supply_pa", "gas_k", "wall_k")


def measure(instrument: Instrument, seconds: float) -> dict[str, Any]:
    """Query the device for `seconds` (host's time) and return its figures; keys carry units.

    `noise` has standard deviation and number of differing readings of each quantity, about their mean line, so that a
    drift does not count. `device_over_host` compares the two clocks; USB and the host's own delays make it uncertain by
    about 5 ms over the duration.
    """
    before = instrument.health()
    first, first_s = instrument.fetch(), time.monotonic()
    taken_ms: dict[str, list[float]] = {query: [] for query in _QUERIES}
    samples = [first]
    while time.monotonic() - first_s < seconds:
        for query in _QUERIES:
            asked_s = time.monotonic()
            instrument.query(query)
            taken_ms[query].append((time.monotonic() - asked_s) * 1000)
        samples.append(instrument.fetch())
    last, last_s = samples[-1], time.monotonic()
    rows = [sample.row() for sample in samples]
    return {
        "ipch": __version__,
        "host": sys.platform,
        "utc": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "identity": asdict(instrument.identity),
        "self_test": int(instrument.query("*TST?")),
        "state": last.state,
        "seconds": last_s - first_s,
        "health_before": before,
        "health": instrument.health(),
        "noise": {
            name: _noise([float(row[name]) for row in rows]) for name in _QUANTITIES if name in rows[0]
        },
        "round_trip_ms": {
            query: {"median": statistics.median(each), "longest": max(each), "queries": len(each)}
            for query, each in taken_ms.items()
        },
        "device_over_host": (last.uptime_s - first.uptime_s) / (last_s - first_s),
    }


def _noise(values: list[float]) -> dict[str, float | None]:
    """Standard deviation about a line through the readings that are known; None of fewer than ten."""
    known = [value for value in values if math.isfinite(value)]
    if len(known) < 10:
        return {"standard_deviation": None, "readings": len(known)}
    slope, offset = statistics.linear_regression(range(len(known)), known)
    left = [value - slope * at - offset for at, value in enumerate(known)]
    return {"standard_deviation": statistics.pstdev(left), "readings": len(known)}
