"""Decisions of a recording, one by one: which sample is kept, why one is missing, how a value is written."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

from ipch.device import Sample
from ipch.errors import FileError
from ipch.recording import CsvLog, Thinning, find_record, steady, write_table
from ipch.recording.gaps import Between, Seen, between, describe

ONE = Sample(
    sequence=7, boot=1, uptime_s=100.0, state="REGULATE", fault="NONE", in_limits=True, pressure_pa=5_000_000,
    ramp_pa=5_000_000, target_pa=5_000_000, control_pa=5_000_000, safety_pa=5_000_000, supply_pa=6_000_000,
    gas_k=303.0, wall_k=303.0, slew_pa_s=20_000, settled_pa=5_000_000, fills=3, vents=1, fill_open_s=0.5,
    vent_open_s=0.25, warnings=0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "small", "large"),
    [
        *((name, 300, 301) for name in ("pressure_pa", "ramp_pa", "control_pa", "safety_pa", "settled_pa")),
        ("supply_pa", 3000, 3001),
        ("gas_k", 0.019, 0.021),
        ("wall_k", 0.019, 0.021),
        *((name, 0, 1) for name in ("target_pa", "fills", "vents", "warnings")),
    ],
)
def test_which_change_is_a_row(name: str, small: float, large: float) -> None:
    for sign in (-1, 1):
        for step, kept in ((small, 0), (large, 1)):
            thinning = Thinning(10.0)
            thinning.rows(ONE)
            moved = replace(ONE, uptime_s=101.0, **{name: getattr(ONE, name) + sign * step})
            assert len(thinning.rows(moved)) == kept, (sign, step)


def test_the_sample_before_a_change_is_a_row_too_but_none_of_another_boot() -> None:
    thinning = Thinning(10.0)
    samples = [replace(ONE, uptime_s=100.0 + n, sequence=7 + n) for n in range(4)]
    assert [thinning.rows(sample) for sample in samples[:3]] == [[samples[0]], [], []]
    changed = replace(samples[3], state="SEALED")
    assert thinning.rows(changed) == [samples[2], changed]
    assert thinning.rows(replace(changed, uptime_s=112.4)) == []
    # 95 % of the interval are enough: the samples come a little early or late.
    at_last = replace(changed, uptime_s=112.5)
    assert thinning.rows(at_last) == [at_last]
    held = replace(changed, uptime_s=113.0)
    assert thinning.rows(held) == []
    restarted = replace(ONE, boot=2, uptime_s=1.0)
    assert thinning.rows(restarted) == [held, restarted]
    assert thinning.rest() == []


def seen(device_s: float, utc_s: float, host_s: float, boot: int = 1) -> Seen:
    return Seen(replace(ONE, uptime_s=device_s, boot=boot), utc_s, host_s)


@pytest.mark.parametrize(
    ("now", "cause", "found"),
    [
        (seen(101, 1001, 51), "", Between("", 0.0)),
        (seen(102, 1002, 52), "", Between("", 0.0)),
        (seen(102.1, 1002.1, 52.1), "", Between("the computer was busy", 0.0)),
        # At 100 x the device's time passes within a second of the computer.
        (seen(200, 1001, 51), "", Between("", 0.0)),
        (seen(200, 1001.1, 51.1), "", Between("the computer was busy", 0.0)),
        (seen(3, 1010, 60, boot=2), "", Between("the device restarted", 0.0)),
        (seen(700, 1600, 51), "", Between("the computer slept", 0.0)),
        # Within a second and a hundredth of the device's time.
        (seen(700, 1607, 51), "", Between("the computer slept", 0.0)),
        (seen(700, 1608, 51), "", Between("", 607.0)),
        (seen(101, 4601, 51), "", Between("", 3600.0)),
        (seen(101, 401, 51), "", Between("", -600.0)),
        (seen(101, 1001.5, 51), "", Between("", 0.0)),
        (seen(101, 1000.4, 51), "", Between("", pytest.approx(-0.6))),
        (seen(700, 1600, 650), "disk full", Between("disk full", 0.0)),
        (seen(101, 4601, 51), "disk full", Between("disk full", 0.0)),
    ],
)
def test_why_samples_are_missing(now: Seen, cause: str, found: Between) -> None:
    assert between(seen(100, 1000, 50), now, 1.0, cause) == found


def test_both_ends_of_a_gap_are_kept() -> None:
    told = describe(seen(100, 1000, 50), seen(3, 1010, 60, boot=2), "the device restarted")
    assert told == {
        "cause": "the device restarted", "from_boot": 1, "from_sequence": 7, "from_uptime_s": 100, "from_utc_s": 1000,
        "to_boot": 2, "to_sequence": 7, "to_uptime_s": 3, "to_utc_s": 1010,
    }  # fmt: skip


def test_a_clock_is_right_after_it_was_set() -> None:
    elapsed = np.arange(5.0)
    unix_s = np.array([100.0, 101.0, 202.0, 203.0, 204.0])
    jumped = np.array([False, True, False, False, False])
    assert list(steady(unix_s, elapsed, jumped)) == [200.0, 201.0, 202.0, 203.0, 204.0]
    assert list(steady(unix_s, elapsed, np.zeros(5, bool))) == list(unix_s)


def test_a_csv_log_is_flushed_line_by_line_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "new" / "log.csv"
    with CsvLog(path) as log:
        log.sample(replace(ONE, gas_k=math.nan, more={"later_pa": 5}))
        with path.open(newline="", encoding="utf-8") as file:
            (row,) = csv.DictReader(file)
        assert path.read_bytes().count(b"\r\n") == 2
    assert (row["pressure_pa"], row["gas_k"], row["in_limits"], row["later_pa"]) == ("5000000", "", "1", "5")
    assert row["utc"].endswith("Z") and float(row["utc_s"]) > 1e9
    with pytest.raises(FileError, match=rf"^{path} exists already; name another file$"):
        CsvLog(path)
    with pytest.raises(FileError, match=r"^cannot write .*log\.csv/x\.csv: "):
        CsvLog(path / "x.csv")


def table(**more: Any) -> dict[str, Any]:
    return {
        "utc": np.array([1_767_225_600.0, 1_767_225_600.5]), "fills": np.array([16_777_217.0, np.nan]),
        "gas_k": np.array([303.15249, np.nan]), "state": ["OFF", "REGULATE"], **more,
    }  # fmt: skip


def test_a_table_as_csv_rounds_leaves_unknown_empty_and_counts_in_integers(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "table.csv"
    write_table(path, table())
    assert path.read_bytes() == (
        b"utc,fills,gas_k,state\r\n2026-01-01T00:00:00.000Z,16777217,303.152,OFF\r\n"
        b"2026-01-01T00:00:00.500Z,,,REGULATE\r\n"
    )
    assert [each.name for each in path.parent.iterdir()] == ["table.csv"]
    with pytest.raises(FileError, match="exists already"):
        write_table(path, table())
    with pytest.raises(FileError, match="cannot write"):
        write_table(path / "x.csv", table())


def test_a_table_as_parquet_has_types(tmp_path: Path) -> None:
    write_table(tmp_path / "table.PARQUET", table())
    read = parquet.read_table(tmp_path / "table.PARQUET")
    assert read.schema.field("utc").type == pyarrow.timestamp("ms", tz="UTC")
    assert read.schema.field("fills").type == pyarrow.int64()
    assert read["fills"].to_pylist() == [16_777_217, None] and read["state"].to_pylist() == [
        "OFF",
        "REGULATE",
    ]
    assert read["utc"].to_pylist()[1].isoformat() == "2026-01-01T00:00:00.500000+00:00"


def test_files_are_written_into_folders_that_do_not_exist_yet(tmp_path: Path) -> None:
    deep = tmp_path / "new" / "deep"
    with CsvLog(deep / "log.csv"):
        pass
    write_table(deep / "deeper" / "still" / "table.csv", {"a": [1.0]})
    assert (deep / "log.csv").is_file() and (deep / "deeper" / "still" / "table.csv").is_file()
    assert not list(tmp_path.rglob("*.part"))


def test_a_table_is_no_record(tmp_path: Path) -> None:
    for name in ("log.csv", "log.PARQUET"):
        (tmp_path / name).write_text("")
        with pytest.raises(FileError, match="is a table, not a record: it lacks settings and events"):
            find_record(tmp_path / name)
    with pytest.raises(FileError, match=r"^no record at .*gone\.csv; name a folder"):
        find_record(tmp_path / "gone.csv")
