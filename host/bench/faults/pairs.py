"""Two faults at once: no forbidden command, and a pressure bounded by the reliefs."""

from __future__ import annotations

from itertools import combinations

from bench.scenarios.rig import Bench, settled
from ipch.sim.faults import FAULTS

# Faults that act only over a long time, or only on files, show no effect in ten seconds.
SECONDS = 10.0
TRIP_PA = 6.0e6
# Rise until the relief valve has opened and acts: 8 MPa through the fill valves, 0.1 s.
OVERSHOOT_PA = 0.25e6
VALUES: dict[str, dict[str, object]] = {
    "fill-stuck-open": {"valve": "both"},
    "vent-stuck-open": {"valve": "both"},
    "fill-leak": {"valve": "both", "c": 1e-11},
    "vent-leak": {"valve": "both", "c": 1e-11},
    "relief-leak": {"c": 1e-11},
    "hang": {"after_s": 1.0},
    "brown-out": {"after_s": 2.0},
    "resets": {"after_s": 2.0},
    "host": {"how": "floods"},
    "spike": {"every_s": 0.5, "on_s": 0.04},
}
# Pairs in which no output of the device can bound the pressure: the mechanical relief does, at 9.5 MPa.
MECHANICAL_PA = 9.7e6
# ... because the switched relief valve cannot open, or nothing can open it.
WITHOUT_RELIEF = (
    "relief-blocked",
    "rail-lost",
    "hang",
    "brown-out",
    "resets",
    "transistor-short",
    "coil-open",
    "coil-short",
)
# ... or because the sensor that would show it is wrong; the comparator has its own limit, 6.5 MPa.
COMPARATOR_PA = 6.5e6


def pairs() -> list[tuple[str, str]]:
    """All pairs of different faults."""
    return list(combinations(FAULTS, 2))


def run_pair(one: str, other: str, state: str = "HOLD") -> str:
    """Run both from a settled state; return the final state. Raises AssertionError or Violation."""
    bench = settled(state).copy(f"pair {one} and {other} in {state}")
    try:
        for name in (one, other):
            bench.inject(name, VALUES.get(name, {}))
        if state == "HOLD":
            bench.send(":SOUR:PRES 5.2")
        highest_pa = 0.0
        for _ in range(round(SECONDS * 50)):
            bench.board.run(1)
            highest_pa = max(highest_pa, bench.world.plant.pressure_pa)
        limit_pa = TRIP_PA + OVERSHOOT_PA
        if any(name in WITHOUT_RELIEF for name in (one, other)):
            limit_pa = MECHANICAL_PA
        elif any(
            name.startswith(("transducer", "control", "safety", "port", "adc", "bus", "reference"))
            for name in (one, other)
        ):
            limit_pa = COMPARATOR_PA + OVERSHOOT_PA
        assert highest_pa < limit_pa, f"{one} and {other}: {highest_pa / 1e6:.3f} MPa"
        return _end(bench)
    finally:
        bench.close()


def judge_pair(one: str, other: str) -> str:
    """Return "" for a safe pair, else the violation."""
    try:
        run_pair(one, other)
    except AssertionError as error:
        return str(error)
    return ""


def _end(bench: Bench) -> str:
    return "RESET" if bench.board.device is None else f"{bench.state} {bench.app.modes.fault_name}"
