"""Merging files of cyclers with records of a known chamber: 0.1 L, 0.485 mL/Ah, 0.0808 mL a cycle, leak 2.02 kPa/h."""

from __future__ import annotations

import csv
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ipch
from bench.scenarios.cycler_files import Rows, cycling, half_cell, rows, write
from bench.scenarios.planted_run import CAPACITY_AH, ML_PER_AH, record
from ipch.analysis import balance, noise
from ipch.errors import UsageError
from ipch.recording import recall

SWELLING_ML = ML_PER_AH * CAPACITY_AH
TABLE = rows(cycling(4, CAPACITY_AH))
Cli = Callable[..., Any]


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record, and the cycler's file beside it."""
    folder = tmp_path_factory.mktemp("planted")
    write(folder, TABLE, "neware")
    return record(folder / "run.db", TABLE).parent


def merged(cli: Cli, db: Path, *arguments: str, out: str = "merged.bdf.csv") -> dict[str, Any]:
    (db.parent / out).unlink(missing_ok=True)
    words = ("merge", str(db), "--tz", "UTC", "--volume", "100mL", "--gas", "air", *arguments)
    result = cli(*words, "--out", str(db.parent / out), "--json")
    assert result.code == 0, result.err
    found: dict[str, Any] = result.json() | {"stderr": result.err}
    return found


def line(found: dict[str, Any], about: str) -> dict[str, Any]:
    return next(check for check in found["checks"] if check["about"] == about)


def swelling_holds(cycle: dict[str, Any], most_ml: float = 0.002) -> None:
    assert cycle["volume_change_95_ml"] < most_ml
    assert cycle["volume_change_ml"] == pytest.approx(SWELLING_ML, abs=1.5 * cycle["volume_change_95_ml"])


def test_all_is_found_and_checked(planted: Path, cli: Cli) -> None:
    found = merged(cli, planted / "run.db", "--cycler", str(planted / "cell.csv"))
    for cycle in found["cycles"]:
        assert cycle["complete"] and cycle["volume_seen"] == pytest.approx(1.0, abs=0.01)
        assert cycle["coulombic_efficiency"] == pytest.approx(0.99, abs=5e-4)
        assert cycle["retention"] == pytest.approx(1.0, abs=1e-6)
        swelling_holds(cycle)
    assert [check["about"] for check in found["checks"]] == ["rows", "charge", "cycles", "clock"]
    assert all(check["ok"] for check in found["checks"])
    assert found["stderr"] == ""


def test_rests_that_are_logged_only_at_their_ends(tmp_path: Path, cli: Cli) -> None:
    table = rows(cycling(4, CAPACITY_AH, rest_s=3600.0, rest_every_s=3600.0))
    found = merged(cli, record(tmp_path / "run.db", table), "--cycler", str(write(tmp_path, table, "bdf")))
    for cycle in found["cycles"]:
        swelling_holds(cycle)
        assert cycle["pressure_s"] == pytest.approx(14_400, abs=70)


@pytest.mark.parametrize(
    ("seen", "torn"),
    [
        (lambda time_s: ~((time_s > 8400 + 1800) & (time_s < 8400 + 5400)), 2),
        (lambda time_s: time_s < 3 * 8400 + 1900, 4),
    ],
)
def test_half_cycles_that_were_not_seen_are_marked(
    seen: Callable[[Any], Any], torn: int, tmp_path: Path, cli: Cli
) -> None:
    """A hole of an hour over the top of a charge; a record that ends in the middle of one."""
    db = record(tmp_path / "run.db", TABLE, seen=seen)
    found = merged(cli, db, "--cycler", str(write(tmp_path, TABLE, "neware")))
    for cycle in found["cycles"]:
        if cycle["cycle"] != torn:
            swelling_holds(cycle)
            continue
        assert cycle["volume_seen"] < 0.7
        assert abs(cycle["volume_change_ml"] - SWELLING_ML) < cycle["volume_change_95_ml"]
        assert cycle["volume_change_95_ml"] > 0.02
    text = cli("merge", str(db), "--tz", "UTC", "--volume", "100mL", "--cycler", str(tmp_path / "cell.csv"),
               "--out", str(tmp_path / "again.bdf.csv")).out  # fmt: skip
    assert len(re.findall(r"\(\d\d% seen\)", text)) == 1


@pytest.mark.parametrize(
    ("zone", "told"), [("+01:00", "1 h behind"), ("-01:00", "1 h ahead"), ("-02:00", "2 h ahead")]
)
def test_a_wrong_time_zone_is_told(zone: str, told: str, planted: Path, cli: Cli) -> None:
    found = merged(cli, planted / "run.db", "--cycler", str(planted / "cell.csv"), "--tz", zone)
    clock = line(found, "clock")
    assert not clock["ok"] and f"the cycler's clock seems to be {told}" in clock["text"]
    assert f"ipch: warning: clock: the cycler's clock seems to be {told}" in found["stderr"]
    # What is told is right.
    offset = re.search(r"--offset ([+-]\d+s)", clock["text"])
    assert offset is not None
    again = merged(
        cli, planted / "run.db", "--cycler", str(planted / "cell.csv"), "--tz", zone, f"--offset={offset[1]}"
    )
    assert line(again, "clock")["ok"]
    swelling_holds(again["cycles"][1])


def test_charge_that_the_current_did_not_move_is_told(planted: Path, tmp_path: Path, cli: Cli) -> None:
    table = Rows(**{**vars(TABLE), "charged": TABLE.charged * 1.05})
    path = write(tmp_path, table, "bdf")
    found = merged(cli, planted / "run.db", "--cycler", str(path))
    assert not line(found, "charge")["ok"]
    assert "they differ by 4.8%" in line(found, "charge")["text"]
    assert "warning: charge: 700 mAh in" in found["stderr"]


def test_half_cells_begin_with_a_discharge(tmp_path: Path, cli: Cli) -> None:
    table = rows(half_cell(3, CAPACITY_AH))
    found = merged(cli, record(tmp_path / "run.db", table), "--cycler", str(write(tmp_path, table, "ec-lab")))
    assert [cycle["coulombic_efficiency"] for cycle in found["cycles"]] == pytest.approx([0.85] * 3, abs=5e-4)
    assert line(found, "cycles")["text"] == "3 by half cycles"


def test_a_merged_file_counts_as_bdf_does(planted: Path, cli: Cli) -> None:
    merged(cli, planted / "run.db", "--cycler", str(planted / "cell.csv"))
    table = np.genfromtxt(planted / "merged.bdf.csv", delimiter=",", names=True, deletechars="")
    for name, truth in (
        ("Charging_Capacity_/_Ah", TABLE.charged),
        ("Discharging_Capacity_/_Ah", TABLE.discharged),
    ):
        assert (np.diff(table[name]) >= 0).all()
        assert table[name] == pytest.approx(truth, abs=2e-9)
    assert set(np.diff(table["Step_Count_/_1"])) == {0, 1}
    again = merged(cli, planted / "run.db", "--cycler", str(planted / "merged.bdf.csv"), out="twice.bdf.csv")
    assert [cycle["charge_ah"] for cycle in again["cycles"]] == pytest.approx([CAPACITY_AH] * 4, abs=1e-8)


def test_a_report_remembers_what_it_was_told(planted: Path, tmp_path: Path, cli: Cli) -> None:
    folder = Path(shutil.copytree(planted, tmp_path / "run"))
    told = ("--cycler", str(folder / "cell.csv"), "--tz", "UTC", "--volume", "100mL", "--gas", "argon")
    first = cli("report", str(folder), *told, "--json").json()
    assert (first["gas"], first["gas_told"], len(first["cycles"])) == ("argon", True, 4)
    again = cli("report", str(folder), "--json")
    assert again.json()["cycles"] == first["cycles"]
    assert "options remembered from the last report: --cycler" in again.err and "--volume 100mL" in again.err
    # The cycler's file is gone: the report that knew it stays.
    (folder / "cell.csv").rename(folder / "elsewhere.csv")
    before = (folder / "report.html").read_bytes()
    assert cli("report", str(folder)).code == 8
    assert (folder / "report.html").read_bytes() == before
    forced = cli("report", str(folder), "--force", "--json").json()
    assert (forced["cycles"], forced["gas"], forced["gas_told"]) == ([], "air", False)
    assert recall(folder / "run.db")["volume"] is None
    assert "a gas taken as air (not told)" in (folder / "report.html").read_text()
    assert cli("report", str(folder), "--out", str(folder / "r.pdf")).code == 2


def test_python_merges_too(planted: Path) -> None:
    run = ipch.load_run(planted, cycler=planted / "cell.csv", tz="UTC")
    assert set(np.unique(run.arrays["cycle"][np.isfinite(run.arrays["cycle"])])) == {1, 2, 3, 4}
    assert np.nanmax(run.arrays["charge_ah"]) == pytest.approx(CAPACITY_AH + 3 * 0.01 * CAPACITY_AH, abs=1e-5)
    assert run.units["charge_ah"] == "Ah"
    with pytest.raises(UsageError, match="list of files is empty"):
        ipch.load_run(planted, cycler=[])


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_record_in_a_read_only_folder_is_read(planted: Path, tmp_path: Path, cli: Cli) -> None:
    folder = Path(shutil.copytree(planted, tmp_path / "run"))
    folder.chmod(0o555)
    try:
        words = ("report", str(folder), "--cycler", str(folder / "cell.csv"), "--tz", "UTC")
        done = cli(*words, "--out", str(tmp_path / "report.html"), "--json")
        assert len(done.json()["cycles"]) == 4
        assert "the options are not remembered" in done.err
    finally:
        folder.chmod(0o755)


def test_a_current_with_the_other_sign_is_told(planted: Path, tmp_path: Path, cli: Cli) -> None:
    path = write(tmp_path, replace(TABLE, ampere=-TABLE.ampere), "bdf")
    charge = line(merged(cli, planted / "run.db", "--cycler", str(path)), "charge")
    assert not charge["ok"] and charge["text"].endswith("the current has the other sign")


def test_a_clock_that_was_set_forward_is_told(planted: Path, tmp_path: Path, cli: Cli) -> None:
    """Or the test paused: the file does not tell which."""
    with write(tmp_path, TABLE, "bdf").open(newline="") as file:
        cells = list(csv.reader(file))
    for row in cells[150:]:
        row[3] = f"{float(row[3]) + 1500:.3f}"
    with (tmp_path / "set.bdf.csv").open("w", newline="") as file:
        csv.writer(file).writerows(cells)
    found = merged(cli, planted / "run.db", "--cycler", str(tmp_path / "set.bdf.csv"))
    told = line(found, "rows")["text"]
    assert (
        "dates of set.bdf.csv go 25 min ahead of its test time at row 150: a pause, or the clock was set"
        in told
    )


def test_two_cells_row_by_row_are_told(planted: Path, tmp_path: Path, cli: Cli) -> None:
    """Of two cells without a column of channels, the capacities were some of both."""
    other = replace(TABLE, volt=TABLE.volt - 0.3, ampere=0.8 * TABLE.ampere)
    lines = [write(tmp_path, each, "neware", name=name).read_text().splitlines()
             for name, each in (("a", TABLE), ("b", other))]  # fmt: skip
    both = [line for pair in zip(lines[0][1:], lines[1][1:], strict=True) for line in pair]
    (tmp_path / "both.csv").write_text("\n".join([lines[0][0], *both]))
    found = merged(cli, planted / "run.db", "--cycler", str(tmp_path / "both.csv"))
    assert not line(found, "cycles")["ok"]
    assert "rows of both.csv alternate between voltages as of several cells" in found["stderr"]


def test_the_integral_of_few_rows_is_a_range(planted: Path, tmp_path: Path, cli: Cli) -> None:
    """Rows at the ends of steps alone: 375 mAh was said to be the integral of the current, for 667."""
    ends = TABLE.part(np.append(0, np.flatnonzero(np.diff(TABLE.number, append=99) != 0)))
    found = merged(cli, planted / "run.db", "--cycler", str(write(tmp_path, ends, "bdf")))
    assert "by the counters, 278 to 667 and 110 to 660 by the integral" in line(found, "charge")["text"]
    assert line(found, "charge")["ok"]


def test_many_cycles_need_a_part_of_the_noises(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them for 1000 cycles took 4 GB. Those that matter in three stretches give the same."""
    table = rows(cycling(24, CAPACITY_AH, half_s=1200.0, rest_s=300.0))
    arguments = ("--cycler", str(write(tmp_path, table, "bdf")))
    db = record(tmp_path / "run.db", table)
    whole = merged(cli, db, *arguments)
    tried: list[int] = []
    whiten = noise._whiten
    monkeypatch.setattr(
        noise, "_whiten", lambda rows, points, *sums: (tried.append(len(points)), whiten(rows, points, *sums))
    )
    monkeypatch.setattr(balance, "_MANY_CYCLES", 20)
    monkeypatch.setattr(balance, "_STRETCH", 8)
    part = merged(cli, db, *arguments)
    assert tried[:3] == [max(tried)] * 3 and tried[3] < 0.8 * tried[0]
    for one, other in zip(part["cycles"], whole["cycles"], strict=True):
        assert one["volume_change_ml"] == pytest.approx(other["volume_change_ml"], rel=2e-3)
        assert one["volume_change_95_ml"] == pytest.approx(other["volume_change_95_ml"], rel=2e-3)


@pytest.mark.parametrize("number", [lambda row: 1, lambda row: row])
def test_numbers_of_cycles_that_are_none_are_told(
    number: Callable[[int], int], planted: Path, tmp_path: Path, cli: Cli
) -> None:
    counts = np.array([number(row) for row in range(1, len(TABLE.time_s) + 1)], dtype=float)
    path = write(tmp_path, replace(TABLE, cycle=counts), "bdf")
    found = merged(cli, planted / "run.db", "--cycler", str(path))
    assert f"{int(counts[-1])} in the file, 4 by its charges: --cycles charge takes" in found["stderr"]
    by_charge = merged(cli, planted / "run.db", "--cycler", str(path), "--cycles", "charge")
    assert len(by_charge["cycles"]) == 4
