"""The regulator against three simpler ones on the same plant, valves, seeds and sensors.

- PI with pulse-width modulation: `simple-pid`, tuned by Skogestad's rule from the step response of the
  valves (`controllers.simc`); PWM periods of 0.25, 1 and 5 s, and one of 1 s with a dead-band of 3 kPa.
  A pulse too short to lift the armature is not counted: the driver drops it.
- Hysteresis switching: a valve is open from the edge of the band to the target.
- A plain dead-band with computed pulses, given the plant's true flow, volume and valve delays.

The peers keep their isolation valves open, ours opens one for each pulse: its isolation valves move as
often as fill and vent do. Only openings of fill and vent are counted as actuations. All run at a tick of 20
ms, but PI with 0.25 s at 50 ms and with 5 s at 100 ms: their means over a period then rest on fewer
samples.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from bench.jobs import Workers
from bench.rows import row
from bench.scenarios import controllers
from bench.scenarios.day import (
    DAILY_DRIFT,
    LEAK_1_KPA_H,
    REFERENCE,
    SLOW_OVEN,
    SMALL_CELL,
    TICK_MS,
    Make,
    Result,
    Scenario,
    ours,
    run_all,
)
from bench.scenarios.schedule import bound_rms_pa, travel
from ipch.sim.parameters import load_parameters

BOTH = ("reference", "slow oven")
SMALL = "reference, 0.1 Ah"
DAYS = {
    "reference": REFERENCE,
    "slow oven": REFERENCE + SLOW_OVEN,
    SMALL: REFERENCE + SMALL_CELL,
    "drift": REFERENCE + DAILY_DRIFT,
    "leak": REFERENCE + LEAK_1_KPA_H,
}
# By default an oscillation of the oven may exceed the dead-band by this setting.
ALLOWANCE = "swing_allowance_pa"
APPROACH = "1 to 5 MPa"
STEP = (*REFERENCE[:4], "initial_mpa=1", "cell_c_rate=0")


@dataclass(frozen=True)
class Contender:
    """One controller with the tick it needs."""

    label: str
    make: Make
    tick_ms: int
    days: tuple[str, ...] = BOTH
    settings: tuple[tuple[str, int], ...] = ()


CONTENDERS = (
    Contender("ours", ours, TICK_MS, tuple(DAYS)),
    Contender("ours, no allowance", ours, TICK_MS, ("slow oven",), ((ALLOWANCE, 0),)),
    Contender("PI-PWM 1 s", controllers.pi_pwm, TICK_MS, (*BOTH, SMALL)),
    Contender("PI-PWM 0.25 s", controllers.pi_pwm_fast, 50, ("reference",)),
    Contender("PI-PWM 5 s", controllers.pi_pwm_slow, 100, ("reference",)),
    Contender("PI-PWM 1 s, 3 kPa left alone", controllers.pi_pwm_dead_band, TICK_MS),
    Contender("hysteresis 5 kPa", controllers.hysteresis_5, 20, ()),
    Contender("hysteresis 10 kPa", controllers.hysteresis_10, 20, (*BOTH, SMALL)),
    Contender("computed pulses 3 kPa", controllers.computed_3, TICK_MS),
    Contender("computed pulses 5 kPa", controllers.computed_5, TICK_MS, tuple(DAYS)),
    Contender("computed pulses 10 kPa", controllers.computed_10, TICK_MS),
)
# Runs of ours to judge, and the band in kPa.
JUDGED = (
    ("ours", "reference", 5.0),
    ("ours", "slow oven", 8.0),
    ("ours, no allowance", "slow oven", 5.0),
)
# Hysteresis at 5 kPa never rests, so an hour of it is enough.
SHORT = {"hysteresis 5 kPa": 1.0}


def jobs() -> list[tuple[str, str, Scenario, Make]]:
    """Return every run: (label, day, scenario, controller)."""
    listed = []
    for contender in CONTENDERS:
        for day in contender.days:
            scenario = Scenario(day, DAYS[day], tick_ms=contender.tick_ms, settings=contender.settings)
            listed.append((contender.label, day, scenario, contender.make))
        if contender.label in SHORT:
            hours = SHORT[contender.label]
            scenario = Scenario("reference", REFERENCE, hours=hours, tick_ms=contender.tick_ms)
            listed.append((contender.label, f"reference, first {hours:g} h", scenario, contender.make))
        if contender.settings:
            continue
        # The approach to the target is short: all at the firmware's tick.
        listed.append((contender.label, APPROACH, Scenario(APPROACH, STEP, hours=0.5), contender.make))
    return listed


def beaten_by(our: Result, peers: list[Result]) -> list[Result]:
    """Return the peers with both a lower rms and fewer actuations."""
    return [
        peer
        for peer in peers
        if peer.metrics.rms_kpa < our.metrics.rms_kpa and peer.actuations < our.actuations
    ]


def percent(share: float) -> str:
    """Return a share in percent; only the whole rounds to 100."""
    return "100%" if share == 1.0 else f"{min(share, 0.9999):.2%}"


def table(results: dict[tuple[str, str], Result]) -> str:
    """Return all figures as a Markdown table."""
    lines = [
        "| day | controller | rms, kPa | largest, kPa | within 1 | 2 | 5 | 10 kPa | fills + vents | gas, g "
        "| overshoot, kPa | settled, s |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for (label, day), result in results.items():
        m = result.metrics
        held = [f"{m.rms_kpa:.2f}", f"{m.max_kpa:.1f}", *(percent(share) for share in m.shares)]
        came = [f"{m.overshoot_kpa:.1f}", "never" if m.settled_s is None else f"{m.settled_s:.0f}"]
        if day == APPROACH:
            held = [""] * len(held)
        else:
            came = [""] * len(came)
        counts = [f"{result.fills} + {result.vents}", f"{result.gas_g:.2f}"]
        lines.append(f"| {' | '.join([day, label, *held, *counts, *came])} |")
    return "\n".join(lines) + "\n"


def plot(results: dict[tuple[str, str], Result], file: Path) -> None:
    """Draw rms against actuations of the reference day, with the bound."""
    figure = go.Figure()
    moved_pa, directions = travel(load_parameters(None, REFERENCE), 5e6, 24.0)
    counts = [10 * 1.1**n for n in range(60)]
    figure.add_scatter(
        x=counts,
        y=[bound_rms_pa(moved_pa, directions, n) / 1e3 for n in counts],
        mode="lines",
        name="bound: no ripple, full foresight",
        line={"dash": "dash", "color": "gray"},
    )
    for (label, day), result in results.items():
        if day == "reference":
            figure.add_scatter(
                x=[result.actuations],
                y=[result.metrics.rms_kpa],
                mode="markers+text",
                text=[label],
                textposition="top center",
                name=label,
                marker={"size": 14 if label == "ours" else 9},
            )
    figure.update_xaxes(title="openings of fill and vent in 24 h", type="log")
    figure.update_yaxes(title="rms of the true error, kPa", rangemode="tozero")
    figure.update_layout(
        title="Reference day: 5 Ah at C/2 in 0.5 L at 5 MPa, oven +-2 K in 600 s", showlegend=False
    )
    figure.write_html(file, include_plotlyjs="cdn")


def rows(results: dict[tuple[str, str], Result]) -> list[dict[str, Any]]:
    """Return the figures with their goals."""
    listed = []
    for (label, day), result in results.items():
        if day == APPROACH:
            listed.append(row(f"{label}, {day}: overshoot", result.metrics.overshoot_kpa, "kPa"))
            if result.metrics.settled_s is not None:
                listed.append(row(f"{label}, {day}: settled", result.metrics.settled_s, "s"))
            continue
        listed.append(row(f"{label}, {day}: rms", result.metrics.rms_kpa, "kPa"))
        listed.append(row(f"{label}, {day}: largest error", result.metrics.max_kpa, "kPa"))
        listed.append(row(f"{label}, {day}: actuations", result.actuations, ""))
    for label, day, within_kpa in JUDGED:
        our = results[label, day]
        others = [
            result for (other, on), result in results.items() if on == day and not other.startswith("ours")
        ]
        title = f"{label}, {day}"
        beaten = len(beaten_by(our, others))
        listed.append(row(f"{title}: peers with less rms and fewer actuations", beaten, "", at_most=0))
        listed.append(row(f"{title}: largest error", our.metrics.max_kpa, "kPa", at_most=within_kpa))
        share = our.actuations / max(1, results["PI-PWM 1 s", day].actuations)
        # Without the allowance the controller must follow the oven's ripple: that goal holds for the default.
        listed.append(
            row(
                f"{title}: actuations over those of PI-PWM",
                share,
                "",
                at_most=0.05 if label == "ours" else None,
            )
        )
    return listed


def measure(out: Path, workers: Workers) -> list[dict[str, Any]]:
    """Run all controllers on every day; writes peers.md and peers.html."""
    listed = jobs()
    found = run_all(
        workers,
        [(scenario, make) for _, _, scenario, make in listed],
        lambda result: print(result.line(), file=sys.stderr),
    )
    results = {(label, day): result for (label, day, _, _), result in zip(listed, found, strict=True)}
    (out / "peers.md").write_text(table(results))
    print(table(results))
    plot(results, out / "peers.html")
    return rows(results)
