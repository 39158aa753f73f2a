"""Draws the README's pictures from runs that the project made: `make pages` after `make demo` and `make example`."""

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


def draw_example(folder: Path, out: Path) -> None:
    """Draw pressure, voltage and the swelling that the balance of gas finds, over the cycles of the example."""
    from datetime import UTC

    import numpy as np

    from ipch.cyclers import read_cyclers
    from ipch.evaluation import Assumed, evaluate
    from ipch.example import CYCLER_NAME, VOLUME_ML
    from ipch.experiments import load_for_report
    from ipch.merge import merge

    run = load_for_report(folder)
    merged = merge(run, read_cyclers([folder / CYCLER_NAME], UTC))
    found = evaluate(run, merged, Assumed(volume_ml=VOLUME_ML))
    assert found.balance is not None
    figure, (top, middle, bottom) = plt.subplots(3, 1, sharex=True, figsize=(8, 5), layout="constrained")
    start_s = float(merged.unix_s[0] - run.utc_s[0] + run.time_s[0])
    hours = (run.time_s - start_s) / 3600
    error_kpa = (run.samples["pressure_pa"] - run.samples["target_pa"]) / 1e3
    # Every tenth sample and no more digits than a picture has: the file is kept small.
    part = np.flatnonzero(hours > -0.2)[::10]
    top.axhspan(-BAND_KPA, BAND_KPA, color="tab:green", alpha=0.12, linewidth=0)
    top.plot(hours[part].round(3), error_kpa[part].round(2), color="tab:blue", linewidth=0.8)
    top.set_ylim(-2 * BAND_KPA, 2 * BAND_KPA)
    top.set_ylabel("pressure\n- 5 MPa / kPa")
    rows = slice(None, None, 3)
    cell_h = (merged.unix_s - merged.unix_s[0]) / 3600
    middle.plot(cell_h[rows].round(3), merged.column("voltage_v")[rows], color="tab:purple", linewidth=0.9)
    middle.set_ylabel("cell / V")
    balance = found.balance
    balance_h = (balance.time_s - start_s) / 3600
    bottom.plot(
        balance_h.round(3),
        (balance.swelling_share * VOLUME_ML * 1e3).round(2),
        color="tab:green",
        linewidth=1.0,
    )
    bottom.set_ylabel("swelling / \u00b5L")
    bottom.set_xlabel("time of the cycler / h")
    for axes in (top, middle, bottom):
        axes.spines[["top", "right"]].set_visible(False)
        axes.margins(x=0.01)
    figure.savefig(out, metadata={"Date": None})


if __name__ == "__main__":
    drawn = False
    for name, needs, draw in (("demo", "truth.jsonl", draw_demo), ("example", "cycler.csv", draw_example)):
        folder = Path("runs") / name
        if (folder / needs).is_file():
            draw(folder, HERE / f"{name}.svg")
            drawn = True
    if not drawn:
        sys.exit("no run in runs/demo or runs/example: make demo, make example")
