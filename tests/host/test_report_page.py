"""The report with a cycler's data: what is in it, and that a browser has nothing to complain of."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bench.scenarios.planted import make
from ipch.analysis.estimate import Estimate
from ipch.blackbox.capture import BlackBox, Request
from ipch.blackbox.page import STATES, write_plot
from ipch.cyclers.merging import merge
from ipch.report import summary
from ipch.report.evaluation import Assumed, evaluate
from ipch.report.methods import methods, numbers
from ipch.report.page import render
from ipch.report.tables import plus_minus
from ipch.sim.rigs import load_firmware
from tests.host.test_merge import data, run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def untraceable(text: str, values: list[object]) -> list[str]:
    """Numbers in a methods paragraph that are none of these values, in a unit that people read and rounded."""
    text = re.sub(r"ipch firmware 0\.1\.0|(?<![\d.])95 %", "", text)
    known = [
        float(part) for value in values for part in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", str(value))
    ]
    scaled = [abs(value * scale) for value in known for scale in (1, 100, 1e-3, 1e-6, 1 / 3600, 1 / 86400)]

    def is_known(word: str) -> bool:
        digits = len(word.partition(".")[2])
        return any(f"{value:.{digits}f}" == word for value in scaled)

    return [word for word in re.findall(r"\d+(?:\.\d+)?", text) if not is_known(word)]


def test_a_number_from_nowhere_is_found() -> None:
    assert untraceable("within 5 kPa for 99.95 % of 7 h (95 % interval)", [5000.0, 0.99951]) == ["7"]


@pytest.fixture(scope="module")
def page() -> str:
    """Three cycles of a cell that swells by 0.1 mL in 0.1 L, an hour without a record among them."""
    sets = ("volume_l=0.1", "fill_c=5e-11", "vent_c=5e-11", "cell_capacity_ah=0.20619", "cell_c_rate=1")
    planted = make(sets, 6, seed=2, every_s=10.0, half_s=3600).record
    keep = (planted.time_s < 4 * 3600) | (planted.time_s > 5 * 3600)
    names = ("gas_k", "wall_k", "supply_pa", "fills", "vents", "fill_open_s", "vent_open_s")
    columns = {name: getattr(planted, name)[keep] for name in names}
    loaded = run(planted.pressure_pa[keep], planted.time_s[keep], **columns)
    moved = 0.20619 * data().charged_ah, 0.20619 / 0.9 * data().discharged_ah
    merged = merge(loaded, [data(charged_ah=moved[0], discharged_ah=moved[1], path=Path("<cell>.ndax"))])
    assumed = Assumed(volume_ml=100.0)
    judged, found = summary.judge(loaded, None), evaluate(loaded, merged, assumed)
    named = numbers(loaded, judged, found, merged)
    text = methods(loaded, judged, found, named)
    assert "at 5 MPa (absolute)" in text and "complete cycles" in text and "By gas dilatometry" in text
    assert "no calibration date" in text
    assert untraceable(text, [value for _, value, _ in named]) == []
    assert found.gaps and found.cycles[0].volume_change_ml == pytest.approx(0.1, abs=0.01)
    return render(loaded, None, judged, merged, found)


def test_what_is_in_it(page: str) -> None:
    for part in (
        "voltage of the cell", "volume change by gas dilatometry", "<h2>Cycles</h2>", "<h2>Leak and gas</h2>",
        "<h2>Methods paragraph</h2>", "Where each number comes from", "&lt;cell&gt;.ndax, 360 rows",
        "1 gap in the record", "of them without a pressure",
    ):  # fmt: skip
        assert part in page
    assert "@page" in page and 'name="viewport"' in page


def test_figures_are_shown_to_the_digits_they_have() -> None:
    assert plus_minus(Estimate(1.02345, 0.0123)) == "1.023 \u00b1 0.012"
    assert plus_minus(Estimate(123.4, 56.0)) == "123 \u00b1 56"
    assert plus_minus(Estimate(5.0, float("inf"))) == "5"


@pytest.fixture(scope="module")
def black_box(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of a black box: a control loop that opened."""
    ticks = range(500)
    columns = {
        "dt_ms": [20] * 500,
        "control_counts": [3200] * 480 + [0] * 20,
        "safety_counts": [10000] * 500,
        "supply_counts": [6000] * 500,
        "pulse_us": [9000 if tick == 100 else -7000 if tick == 300 else 0 for tick in ticks],
        "levels": [16 | (1 if 95 < tick < 110 else 0) for tick in ticks],
        "state": [1] * 485 + [4] * 15,
    }
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    box = BlackBox(
        format="", version=1, fetched_utc="2026-01-01T00:00:00Z", identity={}, fault="CONTROL_OPEN", trip_row=485,
        missed=0, end_uptime_s=10.0, settings={}, fields=list(columns), rows=rows,
        names_crc="", keyframes=[], requests=[Request(row=20, text=":SOUR:PRES <5>")], lost_row=None,
    )  # fmt: skip
    path = tmp_path_factory.mktemp("box") / "box.html"
    write_plot(path, box)
    return path.read_text()


def test_states_have_the_names_that_the_firmware_gives_them() -> None:
    assert tuple(row[0] for row in load_firmware()["regulator.modes"].TABLE) == tuple(STATES)


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH")
@pytest.mark.parametrize(("name", "lines"), [("page", 8), ("black_box", 11)])
def test_a_browser_draws_it_without_complaint(
    name: str, lines: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    (tmp_path / "page.html").write_text(request.getfixturevalue(name))
    done = subprocess.run(
        [CHROMIUM or "", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}",
         "--enable-logging=stderr", "--virtual-time-budget=10000", "--dump-dom", (tmp_path / "page.html").as_uri()],
        capture_output=True, text=True, timeout=240, check=True,
    )  # fmt: skip
    assert "CONSOLE" not in done.stderr
    # A line for each trace that has one.
    paths = re.findall(r'class="js-line"[^>]*\sd="M[^"]{8,}', done.stdout)
    assert len(paths) >= lines
