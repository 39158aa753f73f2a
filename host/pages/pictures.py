"""Draw the pictures of the README from runs of the project: `make pages` after `make demo` and `make example`."""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
# The same run then gives the same file.
matplotlib.rcParams["svg.hashsalt"] = "ipch"
matplotlib.rcParams["font.size"] = 9

from matplotlib import pyplot as plt  # noqa: E402 - the backend comes first

HERE = Path(__file__).parent
BAND_KPA = 5.0


def draw_demo(run: Path, out: Path) -> None:
    """Draw the true pressure and setpoint of the demo run, and the true error."""
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
    """Draw pressure, voltage and the swelling from the gas balance, over the cycles of the example."""
    from datetime import UTC

    import numpy as np

    from ipch.cyclers import merge, read_cyclers
    from ipch.report import Assumed, evaluate
    from ipch.workflows import CYCLER_NAME, VOLUME_ML, load_for_report

    run = load_for_report(folder)
    merged = merge(run, read_cyclers([folder / CYCLER_NAME], UTC))
    found = evaluate(run, merged, Assumed(volume_ml=VOLUME_ML))
    assert found.balance is not None
    figure, (top, middle, bottom) = plt.subplots(3, 1, sharex=True, figsize=(8, 5), layout="constrained")
    start_s = float(merged.unix_s[0] - run.utc_s[0] + run.time_s[0])
    hours = (run.time_s - start_s) / 3600
    error_kpa = (run.samples["pressure_pa"] - run.samples["target_pa"]) / 1e3
    # Every tenth sample, rounded to the resolution of the picture, keeps the file small.
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


def draw_holders(bench: Path, out: Path) -> None:
    """Draw the pressure on the same cell in the paper's holders and in this one, at two scales."""
    traces = json.loads((bench / "holders-traces.json").read_text())
    looks = {
        "bolts and plates": ("tab:red", 1.2),
        "springs and rubber": ("tab:orange", 1.2),
        "isostatic, sealed": ("tab:purple", 1.0),
        "isostatic, regulated": ("tab:blue", 0.8),
    }
    figure, axes = plt.subplots(2, 2, figsize=(8, 5), sharex="col", layout="constrained")
    titles = {"cycles": "10 cycles at 1 C", "drift": "oven +-2 K in a day, idle cell"}
    for column, (over, title) in enumerate(titles.items()):
        top, bottom = axes[0][column], axes[1][column]
        for trace in traces:
            # Draw only the larger cell: the paper's cell changes the gas pressure by half a kilopascal.
            if trace["over"] != over or "0.1 Ah" in trace["name"]:
                continue
            name = trace["name"].removesuffix(", 5 Ah")
            colour, width = looks[name]
            kpa = [round((mpa - 5) * 1e3, 2) for mpa in trace["pressure_mpa"]]
            label = name + (", 5 Ah cell" if name != trace["name"] else "")
            top.plot(trace["hours"], trace["pressure_mpa"], color=colour, linewidth=width, label=label)
            bottom.plot(trace["hours"], kpa, color=colour, linewidth=width)
        top.set_title(title, fontsize=9)
        top.set_ylim(4.8, 7.2)
        bottom.set_ylim(-60, 60)
        bottom.axhspan(-BAND_KPA, BAND_KPA, color="tab:green", alpha=0.12, linewidth=0)
        bottom.set_xlabel("h")
    axes[0][0].set_ylabel("pressure on the cell / MPa")
    axes[1][0].set_ylabel("the same, less 5 MPa / kPa")
    axes[0][1].legend(*axes[0][0].get_legend_handles_labels(), loc="upper right", frameon=False)
    for one in axes.flat:
        one.spines[["top", "right"]].set_visible(False)
        one.margins(x=0.01)
    figure.savefig(out, metadata={"Date": None})


def draw_peers(bench: Path, out: Path) -> None:
    """Draw rms over actuations of the reference day: this regulator, its peers, and the bound."""
    rows = {row["name"]: row["value"] for row in json.loads((bench / "peers.json").read_text())}
    day = ", reference: "
    labels = [name.removesuffix(day + "rms") for name in rows if name.endswith(day + "rms")]
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    # 5 Ah at C/2 for a day: 290 kPa of travel with 12 reversals; N pulses leave at least this error.
    counts = [10 * 1.1**n for n in range(64)]
    axes.plot(counts, [290 / (12**0.5 * (n + 12)) for n in counts], "--", color="0.5", linewidth=1)
    axes.annotate("bound: full foresight, no ripple", (10.5, 0.9), color="0.4", fontsize=8)
    below = ("ours", "computed pulses 3 kPa")
    for label in labels:
        ours = label.startswith("ours")
        x, y = rows[label + day + "actuations"], rows[label + day + "rms"]
        axes.plot([x], [y], "o", color="tab:blue" if ours else "0.35", markersize=9 if ours else 6)
        offset = (7, -12 if label in below else 5)
        axes.annotate(label, (x, y), textcoords="offset points", xytext=offset, fontsize=8)
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlim(10, 12000)
    axes.set_xlabel("openings of fill and vent in 24 h")
    axes.set_ylabel("rms of the true error / kPa")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(out, metadata={"Date": None})


if __name__ == "__main__":
    drawn = False
    for name, needs, draw in (
        ("demo", "truth.jsonl", draw_demo),
        ("example", "cycler.csv", draw_example),
        ("holders", "holders-traces.json", draw_holders),
        ("peers", "peers.json", draw_peers),
    ):
        folder = Path("runs") / ("bench" if draw in (draw_holders, draw_peers) else name)
        if (folder / needs).is_file():
            draw(folder, HERE / f"{name}.svg")
            drawn = True
    if not drawn:
        sys.exit("nothing in runs: make demo, make example, make bench")
