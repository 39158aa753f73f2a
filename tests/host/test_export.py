"""A record written for other programs, and the time axis that it is written on."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet

from ipch.errors import FileError, UsageError
from ipch.recording.export import export, format_of
from ipch.recording.reader import load_run
from ipch.recording.schema import SAMPLE_COLUMNS, open_database

ROW: dict[str, Any] = dict.fromkeys(SAMPLE_COLUMNS, 0) | {
    "state": "REGULATE", "fault": "NONE", "pressure_pa": 5_000_123, "ramp_pa": 5_000_000, "gas_k": 303.152,
    "wall_k": None, "boot": 1, "fill_open_s": 1.234,
}  # fmt: skip


def record(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """Write a record with these samples, a second apart unless they say otherwise."""
    with closing(open_database(path, create=True)) as database, database:
        database.execute(
            "INSERT INTO runs (run, name, started_utc, ipch_version, port, identity, settings)"
            " VALUES (1, 'trial', '2026-01-01T00:00:00.000Z', '0', 'p', '{}', '{}')"
        )
        for number, row in enumerate(rows):
            clock = 1_767_225_600.0 + number
            values = ROW | {"uptime_s": 10.0 + number, "sequence": number + 1} | row
            values = {"run": 1, "utc_s": clock, "host_s": clock} | values
            marks = ", ".join(f":{name}" for name in values)
            database.execute(f"INSERT INTO samples ({', '.join(values)}) VALUES ({marks})", values)
    return path


def test_bdf_has_the_names_that_others_know(tmp_path: Path) -> None:
    run = load_run(record(tmp_path / "run.db", [{}, {"pressure_pa": 4_999_877}]))
    assert export(run, tmp_path / "out.bdf.csv") == 2
    with (tmp_path / "out.bdf.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {
        "Test Time / s": "0.0",
        "Voltage / V": "",
        "Current / A": "",
        "Unix Time / s": "1767225600.0",
        "Applied Pressure / Pa": "5000123.0",
        "Pressure Setpoint / Pa": "5000000",
        "Ambient Temperature / degC": "30.002",
        "Temperature T1 / degC": "",
    }
    assert rows[1]["Applied Pressure / Pa"] == "4999877.0"


def test_parquet_keeps_every_value(tmp_path: Path) -> None:
    run = load_run(record(tmp_path / "run.db", [{}, {"fault": "DISAGREEMENT"}]))
    export(run, tmp_path / "out.parquet")
    table = parquet.read_table(tmp_path / "out.parquet").to_pydict()
    assert table["pressure_pa"] == [5_000_123, 5_000_123]
    assert table["fill_open_s"] == [1.234, 1.234]
    assert table["fault"] == ["NONE", "DISAGREEMENT"]
    export(run, tmp_path / "out.bdf.parquet")
    assert "Applied Pressure / Pa" in parquet.read_table(tmp_path / "out.bdf.parquet").column_names


@pytest.mark.parametrize(
    ("name", "wanted", "bdf"),
    [
        ("a.csv", "bdf", True),
        ("a.bdf.csv", None, True),
        ("a.csv", None, False),
        ("a.bdf.parquet", "parquet", True),
    ],
)
def test_the_option_or_the_name_chooses_the_columns(
    tmp_path: Path, name: str, wanted: str | None, bdf: bool
) -> None:
    path = tmp_path / name
    export(load_run(record(tmp_path / "run.db", [{}])), path, wanted)
    names = (
        parquet.read_schema(path).names
        if name.endswith("parquet")
        else path.read_text().splitlines()[0].split(",")
    )
    assert ("Test Time / s" in names, "pressure_pa" in names) == (bdf, not bdf)


def test_the_name_says_which_format() -> None:
    assert [format_of(Path(n)) for n in ("a.csv", "a.bdf.csv", "a.parquet")] == [
        "csv",
        "bdf",
        "parquet",
    ]
    with pytest.raises(UsageError, match="csv, bdf, parquet"):
        format_of(Path("a.csv"), "xlsx")


def test_nothing_is_overwritten_and_nothing_half_stays(tmp_path: Path) -> None:
    run = load_run(record(tmp_path / "run.db", [{}]))
    (tmp_path / "out.csv").write_text("mine")
    with pytest.raises(FileError, match="exists already"):
        export(run, tmp_path / "out.csv")
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="cannot write"):
        export(run, tmp_path / "file" / "out.csv")
    assert (tmp_path / "out.csv").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "out.csv", "run.db"]


def test_the_time_axis_goes_on_through_a_restart(tmp_path: Path) -> None:
    rows = [{"uptime_s": 100.0}, {"uptime_s": 101.0}]
    later = [
        {"boot": 2, "uptime_s": 5.0 + n, "utc_s": 1_767_225_661.0 + n, "host_s": 60.0 + n} for n in range(2)
    ]
    path = record(tmp_path / "run.db", rows + later)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(
            "INSERT INTO events (run, utc_s, host_s, boot, uptime_s, kind, text, data)"
            " VALUES (1, 0, 0, 2, 6.0, 'note', 'after', ?)",
            (json.dumps({}),),
        )
    run = load_run(path)
    # The host's clock says that the device was away for a minute.
    assert list(run.time_s) == [100.0, 101.0, 161.0, 162.0]
    assert run.events[0].uptime_s == 162.0


def test_a_clock_that_was_set_is_right_afterwards(tmp_path: Path) -> None:
    clock = 1_767_225_600.0
    # Set back by an hour after the third sample.
    utc_s = [clock + n - (3600 if n >= 3 else 0) for n in range(6)]
    run = load_run(
        record(tmp_path / "run.db", [{"utc_s": utc, "host_s": float(n)} for n, utc in enumerate(utc_s)])
    )
    assert list(run.utc_s) == pytest.approx([clock - 3600 + n for n in range(6)])


def test_a_simulation_counts_on_from_its_beginning(tmp_path: Path) -> None:
    rows = [{"uptime_s": 10.0 * n, "utc_s": 1e9 + 0.1 * n, "host_s": 0.1 * n} for n in range(5)]
    assert list(load_run(record(tmp_path / "run.db", rows)).utc_s) == pytest.approx(1e9 + 10.0 * np.arange(5))


def test_only_what_is_wanted_is_read(tmp_path: Path) -> None:
    run = load_run(record(tmp_path / "run.db", [{}, {}]), columns=("pressure_pa",))
    assert "gas_k" not in run.samples
    # Three months at one sample a second are 8 million rows.
    dtypes = {run.samples[name].dtype for name in ("utc_s", "uptime_s", "fill_open_s")}
    assert (run.samples["pressure_pa"].dtype, dtypes) == (np.float32, {np.dtype(np.float64)})
    assert list(run.samples["pressure_pa"]) == [5_000_123, 5_000_123]


def test_the_command(tmp_path: Path, cli: Callable[..., Any]) -> None:
    record(tmp_path / "run.db", [{}, {}])
    done = cli("export", str(tmp_path), "--format", "bdf", "--json")
    assert done.json() == {"file": str(tmp_path / "run.bdf.csv"), "format": "bdf", "samples": 2}
    again = cli("export", str(tmp_path), "--format", "bdf")
    assert again.code == 8
    assert "exists already" in again.error_line()
    assert cli("export", str(tmp_path), "--format", "xls").code == 2
    assert cli("export", str(tmp_path / "none")).code == 8


def test_integers_in_half_the_memory_where_they_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ipch.recording.reader._CHUNK", 1)
    rows = [
        {"fills": 7, "vents": 1},
        {"fills": 8, "vents": 3_000_000_000},
        {"warnings": 1 << 40},
        {"vents": None},
    ]
    path = record(tmp_path / "run.db", [{"boot": 4, **row} for row in rows])
    narrow = load_run(path, columns=("fills", "vents", "warnings"), narrow=True)
    whole = load_run(path)
    assert narrow.samples["fills"].dtype == np.int32 and list(narrow.samples["fills"][:2]) == [7, 8]
    assert narrow.samples["warnings"].dtype == np.int64
    for name in ("fills", "vents", "warnings", "boot"):
        assert np.array_equal(narrow.samples[name], whole.samples[name], equal_nan=True)
    assert np.isnan(narrow.samples["vents"][3]) and narrow.samples["vents"][1] == 3e9
    assert "host_s" not in narrow.samples and narrow.speed == whole.speed


def test_columns_that_rarely_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A month keeps them as their steps: the values are the same, also where a piece of many changes follows."""
    monkeypatch.setattr("ipch.recording.reader._CHUNK", 70)
    rows = [
        {
            "boot": 1 + n // 600, "sequence": n % 600, "uptime_s": float(n), "pressure_pa": 5_000_000 + n,
            "fills": n // 40, "vents": 0 if n < 700 else n << 31 * (n > 900), "gas_k": None,
            "ramp_pa": None if n == 500 else 5_000_000,
        }
        for n in range(1000)
    ]  # fmt: skip
    path = record(tmp_path / "run.db", rows)
    narrow, whole = load_run(path, narrow=True).samples, load_run(path).samples
    assert list(narrow) == list(whole)
    for name, values in whole.items():
        assert np.array_equal(narrow[name], values, equal_nan=True), name
    assert narrow["vents"].tolist() == [row["vents"] for row in rows]
    narrow["fills"][:] = 9
    assert narrow["fills"][0] == 0


def test_a_damaged_cell_is_told(tmp_path: Path) -> None:
    path = record(tmp_path / "run.db", [{}, {"pressure_pa": "much"}])
    with pytest.raises(FileError, match=r"run\.db cannot be read: "):
        load_run(path)
