"""Cycler files and their merge with a record: against the reader libraries, and with planted truth."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from ipch.cyclers import read_cycler
from ipch.cyclers.merging import bdf_table, between, merge
from ipch.cyclers.table import CyclerData
from ipch.errors import FileError, UsageError
from ipch.recording import export
from ipch.recording.reader import Run
from ipch.report.evaluation import Assumed, evaluate
from ipch.report.tables import excursion_rows

SAMPLES = os.environ.get("IPCH_SAMPLES")
OSLO = ZoneInfo("Europe/Oslo")
START = 1_767_225_600.0

needs_samples = pytest.mark.skipif(
    not SAMPLES, reason="IPCH_SAMPLES does not name the folder of real cycler files"
)


def sample(name: str) -> Path:
    return Path(SAMPLES or "") / name


def data(**columns: Any) -> CyclerData:
    """Rows a minute apart: cycles of a charge of 1 h at 1 A and a discharge of 1 h at 0.9 A."""
    rows = int(columns.pop("rows", 360))
    minutes = np.arange(rows, dtype=np.float64)
    within, charging = minutes % 60, (minutes // 60) % 2 == 0
    values: dict[str, Any] = {
        "path": Path("cell.ndax"), "reader": "test", "unix_s": START + 60 * minutes, "test_s": 60 * minutes,
        "voltage_v": 3.0 + within / 100, "current_a": np.where(charging, 1.0, -0.9), "cycle": minutes // 120 + 1,
        "step": minutes // 60 + 1, "charged_ah": np.cumsum(charging / 60),
        "discharged_ah": np.cumsum(0.9 * ~charging / 60),
    }  # fmt: skip
    return CyclerData(**{**values, **columns})


def run(pressure_pa: Any, time_s: Any = None, **columns: Any) -> Run:
    """A record, a sample a second, without a file behind it."""
    pressure_pa = np.asarray(pressure_pa, dtype=np.float64)
    time_s = np.arange(float(len(pressure_pa))) if time_s is None else np.asarray(time_s, dtype=np.float64)
    same = np.ones(len(time_s))
    samples: dict[str, Any] = {
        "uptime_s": time_s, "utc_s": START + time_s, "host_s": time_s, "pressure_pa": pressure_pa, "boot": same,
        "ramp_pa": 5e6 * same, "target_pa": 5e6 * same, "gas_k": 303.15 * same, "wall_k": 303.15 * same,
        "supply_pa": 6e6 * same, "fills": 0 * same, "vents": 0 * same, "fill_open_s": 0 * same,
        "vent_open_s": 0 * same,
    }  # fmt: skip
    return Run(
        path=Path("run.db"), number=1, name="trial", started_utc="2026-01-01T00:00:00.000Z", ended_utc=None,
        ended_by=None, ipch_version="0", port="p", identity={}, settings={}, recipe=None,
        samples={**samples, **columns}, states=["REGULATE"] * len(time_s), faults=["NONE"] * len(time_s), events=[],
        steps=[], offsets_s={1: 0.0},
    )  # fmt: skip


def test_planted_means_are_recovered_exactly() -> None:
    seconds = np.arange(21_600)
    planted = 5e6 + 1000.0 * (seconds // 7200)
    merged = merge(run(planted), [data()])
    table = evaluate(merged.run, merged).cycles
    assert [cycle.cycle for cycle in table] == [1, 2, 3]
    # The last cycle's last row ends it, a minute before the record does.
    assert [cycle.pressure_mean_pa for cycle in table] == [5e6, 5.001e6, 5.002e6]
    assert [cycle.pressure_sd_pa for cycle in table] == [0.0, 0.0, 0.0]
    assert [cycle.charge_ah for cycle in table] == pytest.approx([1.0] * 3, abs=1e-12)
    assert [cycle.discharge_ah for cycle in table] == pytest.approx([0.9] * 3, abs=1e-12)
    assert table[0].coulombic_efficiency == pytest.approx(0.9)
    assert [cycle.retention for cycle in table] == pytest.approx([1.0] * 3)
    assert merged.matched == merged.rows == 360
    # Against a target of 5 MPa.
    assert [cycle.error_95_pa for cycle in table] == [0.0, 1000.0, 2000.0]
    assert [cycle.error_rms_pa for cycle in table] == [0.0, 1000.0, 2000.0]


def test_an_excursion_belongs_to_a_cycle() -> None:
    pressure_pa = np.full(21_600, 5e6)
    pressure_pa[8000:8100] += 7000.0
    merged = merge(run(pressure_pa), [data()])
    (found,) = evaluate(merged.run, merged).excursions
    assert (found.cycle, found.step, found.start_s) == (2, None, 8000.0)
    assert excursion_rows(merged.run, evaluate(merged.run, merged))[0][1:3] == ["-", "2"]


def test_an_incomplete_last_cycle_and_a_reference() -> None:
    merged = merge(run(np.full(21_600, 5e6)), [data(rows=320)])
    table = evaluate(merged.run, merged, Assumed(reference_cycle=2)).cycles
    assert [cycle.complete for cycle in table] == [True, True, False]
    assert table[2].coulombic_efficiency is None
    assert table[2].retention == pytest.approx(20 / 60)
    with pytest.raises(UsageError, match="cycle 9: not in the cycler's data; it has 1 to 3"):
        evaluate(merged.run, merged, Assumed(reference_cycle=9))


def test_nothing_is_made_up_across_a_gap() -> None:
    time_s = np.concatenate([np.arange(7200), np.arange(9000, 21_600)])
    merged = merge(run(np.full(len(time_s), 5e6), time_s), [data()])
    # Rows at 7200 .. 8940 s; the one at 9000 has a sample of its own.
    lost = ~np.isfinite(merged.pressure_pa)
    assert lost.sum() == 30
    assert merged.unix_s[lost][0] == START + 7200
    table = evaluate(merged.run, merged).cycles
    assert [cycle.rows - cycle.matched_rows for cycle in table] == [0, 30, 0]
    assert [gap.duration_s for gap in evaluate(merged.run).gaps] == [1801.0]


def test_rows_beyond_the_record_are_counted_and_all_of_them_refused() -> None:
    merged = merge(run(np.full(3600, 5e6)), [data()])
    assert (merged.rows, merged.matched) == (360, 60)
    late = data(unix_s=START + 1e6 + 60 * np.arange(360.0))
    with pytest.raises(FileError, match="see --tz and --offset"):
        merge(run(np.full(3600, 5e6)), [late])


def test_between_neighbours_and_not_further() -> None:
    time_s, values = np.array([0.0, 1.0, 2.0, 100.0]), np.array([10.0, 20.0, 30.0, 40.0])
    found = between(time_s, values, np.array([-1.0, 0.0, 0.5, 2.0, 50.0, 100.0, 101.0]), 30.0)
    assert found == pytest.approx([np.nan, 10, 15, 30, np.nan, 40, np.nan], nan_ok=True)


def test_a_clock_that_was_set_back() -> None:
    minutes = 60 * np.arange(360.0)
    # Two minutes fast until it was corrected after row 100; what is recorded later is right.
    unix_s = START + minutes + np.where(np.arange(360) <= 100, 120.0, 0.0)
    merged = merge(run(np.full(21_600, 5e6)), [data(unix_s=unix_s)])
    assert merged.clock_steps == 1
    assert list(merged.unix_s) == list(START + minutes)


def test_a_merged_file_is_read_back(tmp_path: Path) -> None:
    merged = merge(run(5e6 + np.arange(21_600.0)), [data()])
    export.write_table(tmp_path / "cell.bdf.csv", bdf_table(merged))
    again = read_cycler(tmp_path / "cell.bdf.csv")
    assert list(again.unix_s) == list(merged.unix_s)
    assert list(again.cycle) == list(merged.cycle)
    assert again.charged_ah == pytest.approx(merged.column("charged_ah"), abs=1e-9)
    assert again.reader == "BDF"
