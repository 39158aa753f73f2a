"""Figures for papers, and the list of past runs."""

from __future__ import annotations

import json
import re
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.golden.commands import record

Cli = Callable[..., Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record of four hours with two gaps, and the file of its cycler."""
    place = tmp_path_factory.mktemp("paper")
    record(place)
    return place


def test_a_figure_has_the_width_that_was_asked_for(cli: Cli, folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    for width, mm in (("85mm", 85.0), ("17cm", 170.0), ("3.5in", 88.9)):
        out = tmp_path / f"{mm:g}.png"
        result = cli("figure", str(folder / "run"), "--out", str(out), "--width", width)
        assert result.code == 0, result.err
        pixels = struct.unpack(">I", out.read_bytes()[16:20])[0]
        assert pixels == pytest.approx(mm / 25.4 * 600, abs=1)
    svg = tmp_path / "fig.svg"
    cli("figure", str(folder / "run"), "--out", str(svg), "--what", "pressure,error,temperature,pulses")
    text = svg.read_text()
    assert re.search(r'width="240\.9\d*pt"', text)
    # Text is text, with units, at a readable size.
    for title in ("pressure / MPa", "hold error / kPa", "temperature / °C", "pulses", "time / h"):
        assert f">{title}</text>" in text
    sizes = [float(size) for size in re.findall(r"font(?:-size)?: ([\d.]+)px", text)]
    assert sizes and min(sizes) >= 7
    pdf = tmp_path / "fig.pdf"
    assert cli("figure", str(folder / "run"), "--out", str(pdf)).code == 0
    assert b"/Type0" in pdf.read_bytes() or b"/TrueType" in pdf.read_bytes()
    first = pdf.read_bytes()
    cli("figure", str(folder / "run"), "--out", str(pdf))
    assert pdf.read_bytes() == first


def test_cycles_and_swelling_need_the_cycler_once(cli: Cli, folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    out = str(tmp_path / "cycles.svg")
    told = ("--cycler", str(folder / "cell.csv"), "--tz", "UTC", "--volume", "500mL")
    for what in ("cycles", "swelling", "voltage"):
        refused = cli("figure", str(folder / "run"), "--out", out, "--what", what)
        assert refused.code == 2 and "--cycler" in refused.error_line()
    assert (
        cli("figure", str(folder / "run"), "--out", out, "--what", "pressure,voltage,cycles", *told).code == 0
    )
    text = Path(out).read_text()
    assert "efficiency / %" in text and "cell / V" in text and "swelling / mL" in text
    # A report remembers what it was told; a figure uses that.
    assert cli("report", str(folder / "run"), *told).code == 0
    assert cli("figure", str(folder / "run"), "--out", out, "--what", "swelling").code == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--out", "a.jpg"], "a figure ends in .pdf, .svg, .png"),
        (["--out", "a.pdf", "--what", "pressure,gas"], "unknown; allowed: pressure"),
        (["--out", "a.pdf", "--width", "85"], "not a length"),
        (["--out", "a.pdf", "--width", "2m"], "not a length"),
        (["--out", "a.pdf", "--width", "900mm"], "expected 40mm to 400mm"),
        (["--out", "a.pdf", "--width", "-85mm"], "not a length"),
    ],
)
def test_what_cannot_be_drawn(cli: Cli, folder: Path, options: list[str], said: str) -> None:
    result = cli("figure", str(folder / "run"), *options)
    assert result.code == 2
    assert said in result.error_line()


def test_without_matplotlib_it_says_what_to_install(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = cli("figure", str(folder / "run"), "--out", "a.pdf")
    assert result.code == 8 and f"{sys.executable} -m pip install 'ipch[figure]'" in result.error_line()


def test_past_runs_are_listed(cli: Cli, folder: Path, tmp_path: Path) -> None:
    (folder / "noise.db").write_bytes(b"no database")
    text = cli("runs", str(folder)).out
    assert str(folder / "run") in text and "3 h 59 min" in text
    (row,) = json.loads(cli("runs", str(folder), "--json").out)
    assert row["duration_s"] == pytest.approx(14_395)
    assert "no folder" in cli("runs", str(tmp_path / "nothing")).error_line()
    assert cli("runs", str(tmp_path)).code == 0
