"""Draws the README picture from runs that the project made: `make pages` after `make demo`."""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
# The same run gives the same file.
matplotlib.rcParams["svg.hashsalt"] = "ipch"
matplotlib.rcParams["font.size"] = 9

from matplotlib import pyplot as plt  # noqa: E402 - the backend comes first

HERE = Path(__file__).parent
BAND_KPA = 5.0


def draw_demo(run: Path, out: Path) -> None:
    """Draw the true pressure of the demo run with its setpoint, and the true error close up."""
    truth = [json.loads(line) for line in (run / "truth.jsonl").read_text().splitlines()]
    minutes = [record["time_s"] / 60 for record in truth]
    pressure_pa = [record["pressure_pa"] for record in truth]
    with sqlite3.connect(run / "run.db") as database:
        ramp = database.execute(
            "SELECT uptime_s / 60, ramp_pa / 1e6 FROM samples ORDER BY uptime_s"
        ).fetchall()
        target = database.execute("SELECT uptime_s / 60, target_pa FROM samples ORDER BY uptime_s").fetchall()
    figure, (top, bottom) = plt.subplots(
        2, 1, sharex=True, figsize=(8, 4.6), height_ratios=(3, 2), layout="constrained"
    )
    top.plot(*zip(*ramp, strict=True), color="0.55", linewidth=2.5, label="ramped setpoint")
    top.plot(
        minutes,
        [pa / 1e6 for pa in pressure_pa],
        color="tab:blue",
        linewidth=1,
        label="pressure in the chamber",
    )
    top.set_ylabel("absolute pressure / MPa")
    top.legend(loc="upper right", frameon=False)
    errors = []
    at = 0
    for minute, pa in zip(minutes, pressure_pa, strict=True):
        while at + 1 < len(target) and target[at + 1][0] <= minute:
            at += 1
        errors.append((pa - target[at][1]) / 1000 if minute >= target[0][0] else float("nan"))
    bottom.axhspan(-BAND_KPA, BAND_KPA, color="tab:green", alpha=0.12, linewidth=0)
    bottom.plot(minutes, errors, color="tab:blue", linewidth=0.8)
    bottom.set_ylim(-2 * BAND_KPA, 2 * BAND_KPA)
    bottom.set_ylabel("error / kPa")
    bottom.set_xlabel("device time / min")
    for axes in (top, bottom):
        axes.spines[["top", "right"]].set_visible(False)
        axes.margins(x=0.01)
    figure.savefig(out, metadata={"Date": None})


if __name__ == "__main__":
    run = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/demo")
    if not (run / "truth.jsonl").is_file():
        sys.exit(f"no run in {run}: make demo first")
    draw_demo(run, HERE / "demo.svg")
