"""The report of a real run: complete, self-contained, and safe against what names may contain."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from ipch.analysis import Estimate
from ipch.device.instrument import Instrument
from ipch.errors import FileError
from ipch.recipes.loader import Chosen, load_recipe
from ipch.recording.reader import Run, Truth, load_run
from ipch.report import summary
from ipch.report.evaluation import evaluate, holding
from ipch.report.page import render, write_report
from ipch.report.tables import known
from ipch.report.time_plots import thin
from ipch.sim.server import RunningServer, simulate
from ipch.workflows.run import record_recipe

RECIPE = '[[step]]\nramp = "1MPa"\nslew = "100kPa/s"\n[[step]]\nhold = "60s"\n[[step]]\nramp = "0.8MPa"\n'


@pytest.fixture(scope="module")
def sim() -> Iterator[RunningServer]:
    """As that of the other files, with the firmware on MicroPython, whose version a report tells."""
    with simulate(
        ["--ideal", "--rig", "sim", "--speed", "max", "--ahead", "10s", "--set", "volume_l=0.1"]
    ) as running:
        yield running


@pytest.fixture(scope="module")
def run(sim: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("run")
    recipe = folder / "short.toml"
    recipe.write_text(RECIPE)
    with Instrument.open(sim.port) as instrument:
        record_recipe(instrument, Chosen("short", RECIPE, load_recipe(recipe)), folder, lambda progress: None)
        instrument.off()
    return load_run(folder / "run.db")


@pytest.fixture(scope="module")
def truth(run: Run) -> Truth:
    time_s = np.arange(np.floor(run.time_s[0]) - 5, run.time_s[-1] + 5)
    pressure_pa = np.interp(time_s, run.time_s, run.samples["pressure_pa"]) + 1000.0
    return Truth(
        time_s, pressure_pa, np.arange(len(time_s)) * 1.0, np.zeros(len(time_s)), np.zeros(len(time_s))
    )


class Page(HTMLParser):
    """Collects tags, attributes and text outside of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "link", "br", "img"):
            self.open.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.text += data


def test_it_is_complete_and_needs_nothing_else(run: Run) -> None:
    text = render(run, None, summary.judge(run, None))
    page = Page(text)
    assert page.open == []
    for tag, name, value in page.attributes:
        assert name not in ("src", "href", "srcset", "data", "action"), (tag, name, value)
    assert "@import" not in text.split("</style>")[0] and "url(" not in text.split("</style>")[0]
    for part in (
        "short",
        run.identity["serial_number"],
        "ramp to 1 MPa at 100 kPa/s",
        "hold for 1 min",
        "within 5 kPa while holding",
        "setpoint_max_pa",
        "MicroPython 1.",
        "the device's own filtered transducer",
    ):
        assert part in page.text
    assert '<meta name="viewport"' in text and "@media print" in text


def plot(text: str) -> dict[str, object]:
    found = re.search(r"^const plot = (.*);$", text, re.MULTILINE)
    assert found
    return json.loads(found.group(1))  # type: ignore[no-any-return]


def test_the_plot_shows_what_was_recorded(run: Run, truth: Truth) -> None:
    figure = plot(render(run, truth, summary.judge(run, truth)))
    traces = {trace["name"]: trace for trace in figure["data"]}  # type: ignore[attr-defined]
    assert set(traces) == {
        "absolute pressure",
        "setpoint",
        "events",
        "as measured",
        "true (simulated)",
        "gas",
        "wall",
        "fills",
        "vents",
    }
    pressure = traces["absolute pressure"]
    assert pressure["y"] == pytest.approx(list(run.samples["pressure_pa"] / 1e6), abs=1e-6)
    assert pressure["x"][0] == 0
    held = [y for y in traces["as measured"]["y"] if y is not None]
    assert held and max(abs(y) for y in held) < 20
    # Outside of the holds there is no line.
    assert None in traces["as measured"]["y"]


def test_the_truth_is_what_is_judged_by(run: Run, truth: Truth) -> None:
    by_device, by_truth = summary.judge(run, None), summary.judge(run, truth)
    assert (by_device.source, by_truth.source) == ("device", "truth")
    assert by_device.held is not None and by_truth.held is not None
    assert by_truth.held.mean_pa == pytest.approx(by_device.held.mean_pa + 1000, abs=300)
    assert "the simulated chamber: its true pressure" in render(run, truth, by_truth)
    assert by_truth.reading_error_pa == pytest.approx(-1000, abs=300)
    assert "kPa too low" in dict(summary.headline(run, by_truth))["the device reads"]
    # What the transducer adds is no error of the regulator, and the true error stands beside it.
    known = summary.judge(run, replace(truth, control_error_pa=np.full(len(truth.time_s), -1000.0)))
    assert known.held is not None and known.true_held is not None
    assert known.held.mean_pa == pytest.approx(by_device.held.mean_pa, abs=300)
    assert known.true_held.mean_pa == by_truth.held.mean_pa
    assert dict(summary.headline(run, by_device))["judged by"] == "the device"
    figures = summary.figures(run, by_truth)
    assert figures["micropython"].startswith("1.")
    assert figures["steps"][1]["rms_pa"] == pytest.approx(by_truth.held.rms_pa, abs=1)


def test_the_axis_of_the_error_shows_the_truth(run: Run, truth: Truth) -> None:
    off = replace(truth, pressure_pa=truth.pressure_pa + 60_000)
    figure = plot(render(run, off, summary.judge(run, off)))
    axes = [axis for name, axis in figure["layout"].items() if name.startswith("yaxis")]  # type: ignore[attr-defined]
    low, high = next(axis["range"] for axis in axes if axis["title"]["text"] == "hold error / kPa")
    assert low < -60 and high > 60


def test_no_setpoint_is_drawn_across_a_gap(run: Run) -> None:
    time_s = run.samples["uptime_s"].copy()
    time_s[len(time_s) // 2 :] += 600.0
    gap = replace(run, samples={**run.samples, "uptime_s": time_s}, steps=[])
    figure = plot(render(gap, None, summary.judge(gap, None)))
    (line,) = [trace for trace in figure["data"] if trace["name"] == "setpoint"]  # type: ignore[attr-defined]
    assert line["y"][len(time_s) // 2] is None and line["connectgaps"] is False


def test_a_page_has_one_count_of_pulses(run: Run, truth: Truth) -> None:
    # The simulator counts what the device did before and after the run, and what no sample shows.
    judged, found = summary.judge(run, truth), evaluate(run)
    assert (
        judged.fills
        == np.ptp(run.samples["fills"])
        == sum(w.actuations for w in found.wear if w.valve == "fill")
    )
    for wear, held in zip(found.wear, (judged.held_fills, judged.held_vents), strict=True):
        assert wear.held == held
    counted = [step.fills for step in judged.steps if step.held is not None]
    assert sum(counted) == judged.held_fills


def test_what_is_wider_than_itself_is_not_known() -> None:
    assert known(Estimate(8363.0, 8438.0), "kPa") == "not known: at most 1.7e+04 kPa"
    assert known(Estimate(8363.0, 84.0), "kPa") == "8363 \u00b1 84 kPa"


def test_names_cannot_break_the_page(run: Run) -> None:
    evil = "</script><script>alert(1)</script> & <b>"
    hostile = replace(run, name=evil, recipe=f"# {evil}", identity={**run.identity, "serial_number": evil})
    text = render(hostile, None, summary.judge(hostile, None))
    assert Page(text).open == []
    assert "<script>alert" not in text
    assert evil in Page(text).text


def test_a_target_that_changed_between_two_samples_is_not_held_before_it_is_reached(run: Run) -> None:
    seen = np.flatnonzero(run.samples["ramp_pa"] == run.samples["target_pa"])
    target_pa = run.samples["target_pa"][seen]
    (changed,) = np.flatnonzero((target_pa[1:] != target_pa[:-1]) & (target_pa[:-1] == 1e6)) + 1
    samples = {name: values[seen] for name, values in run.samples.items()}
    samples["pressure_pa"] = samples["pressure_pa"].copy()
    samples["pressure_pa"][changed] += 50_000
    log = replace(run, steps=[], recipe=None, samples=samples, states=[run.states[at] for at in seen])
    held = holding(log)
    assert held[changed - 1] and not held[changed]


def test_a_log_was_held_where_the_device_kept_its_target(run: Run, tmp_path: Path) -> None:
    log = replace(run, steps=[], recipe=None)
    judged, found = write_report(tmp_path / "log.html", log, None)
    held = holding(log)
    still = run.samples["ramp_pa"] == run.samples["target_pa"]
    assert held.any() and still[held].all()
    # The ramps are over only once the pressure is there.
    assert np.abs(run.samples["pressure_pa"] - run.samples["target_pa"])[held].max() < 20_000
    assert judged.held is not None and judged.held.max_pa < 20_000
    assert 0 < judged.held_fills + judged.held_vents < judged.fills + judged.vents
    assert summary.figures(log, judged)["in_band_fraction"] == pytest.approx(judged.held.in_band_fraction)
    assert sum(wear.held for wear in found.wear) == judged.held_fills + judged.held_vents
    text = (tmp_path / "log.html").read_text()
    assert "pulses" in text and "1 MPa, 0.8 MPa" not in text
    # Off all the time, it held nothing.
    off = replace(log, states=["OFF"] * len(run.states))
    judged, _ = write_report(tmp_path / "off.html", off, None)
    assert judged.held is None and summary.figures(off, judged)["in_band_fraction"] is None
    with pytest.raises(FileError, match="cannot write"):
        write_report(tmp_path / "none" / "log.html", log, None)


def test_long_lines_are_thinned_without_losing_their_extremes() -> None:
    time = np.arange(1e6)
    values = np.sin(time / 1e5)
    values[345_678] = 7.0
    values[345_679] = -7.0
    values[-5:] = np.nan
    x, y = thin(time, values, most=3000)
    assert len(x) <= 3002
    assert (np.nanmax(y), np.nanmin(y)) == (7.0, -7.0)
    assert (x[0], x[-1]) == (0, 999_999)
    assert list(x) == sorted(set(x))
    short = thin(time[:10], values[:10], most=3000)
    assert list(short[0]) == list(range(10))
