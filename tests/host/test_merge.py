"""Cycler files and their merge with a record: against the reader libraries, and with planted truth."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from ipch import cyclers
from ipch.cyclers import read_cycler, read_cyclers
from ipch.cyclers.biologic import cycles_of_halves
from ipch.cyclers.merging import bdf_table, between, merge
from ipch.cyclers.table import CyclerData
from ipch.cyclers.times import zone_of
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


@needs_samples
def test_neware_binary_is_what_fastnda_says() -> None:
    import fastnda

    path = sample("nw4-120-6-1-36.ndax")
    frame, data = fastnda.read(str(path)), read_cycler(path)
    assert len(data) == len(frame) == 7257
    assert list(data.unix_s) == frame["unix_time_s"].to_list()
    assert list(data.test_s) == frame["total_time_s"].to_list()
    assert list(data.cycle) == frame["cycle_count"].to_list()
    capacity_mah = frame["capacity_mAh"].to_numpy().astype(np.float64)
    assert list(data.charged_ah - data.discharged_ah) == list(capacity_mah / 1e3)
    assert list(data.current_a) == list(frame["current_mA"].to_numpy().astype(np.float64) / 1e3)


@needs_samples
def test_biologic_binary_is_what_galvani_says() -> None:
    from galvani import BioLogic

    path = sample("250116_kigr_gen6_01_02_GCPL_CD8.mpr")
    with path.open("rb") as opened:
        file = BioLogic.MPRfile(opened)
    data = read_cycler(path, OSLO)
    assert list(data.test_s) == file.data["time/s"].tolist()
    assert list(data.voltage_v) == file.data["Ewe/V"].tolist()
    counted = file.data["Q charge/discharge/mA.h"] / 1e3
    assert data.charged_ah - data.discharged_ah == pytest.approx(counted, abs=1e-12)
    # Its time counts from the start of the acquisition, not of this file.
    began = file.timestamp.replace(tzinfo=OSLO).timestamp()
    assert data.unix_s[0] == pytest.approx(began + 43_213.762, abs=0.001)
    # Half cycles 0 to 5: three cycles. The current is not in the file; it set 1.2065 mA.
    assert sorted(set(data.cycle)) == [1, 2, 3]
    charging = (data.charged_ah > 1e-4) & (data.voltage_v < 4.89)
    assert np.median(data.current_a[charging]) == pytest.approx(1.2065e-3, rel=1e-3)


@needs_samples
def test_linked_files_follow_each_other() -> None:
    names = ("250116_kigr_gen6_01_02_GCPL_CD8.mpr", "250116_kigr_gen6_01_01_GCPL_CD8.mpr")
    first, second = read_cyclers([sample(name) for name in names], OSLO)
    assert first.path.name.endswith("01_01_GCPL_CD8.mpr")
    assert 0 < second.unix_s[0] - first.unix_s[-1] < 0.1
    assert sorted(set(second.cycle)) == [2, 3, 4]
    with pytest.raises(FileError, match="overlap in time"):
        read_cyclers([sample(names[0])] * 2, OSLO)


@needs_samples
def test_neware_csv_flat_and_nested() -> None:
    flat = read_cycler(sample("neware_uio.csv"), OSLO)
    assert (len(flat), sorted(set(flat.cycle))) == (9065, [1, 2, 3, 4])
    assert flat.unix_s[0] == datetime(2022, 5, 18, 16, 27, 52, tzinfo=OSLO).timestamp()
    assert flat.test_s[-1] == 144 * 3600 + 2 * 60 + 18
    nested = read_cycler(sample("nw_regular_export_ife_example.csv"), OSLO)
    # The file's own lines for cycles 2 and 3: capacities as Neware summed them up.
    for cycle, charge, discharge in ((2, 0.32780, 0.33172), (3, 0.33180, 0.32663)):
        inside = nested.cycle == cycle
        assert nested.charged_ah[inside].max() == pytest.approx(charge, abs=6e-6)
        assert nested.discharged_ah[inside].max() == pytest.approx(discharge, abs=6e-6)
    assert sorted(set(nested.step[nested.cycle == 1])) == [1, 2, 3, 4, 5]
    with pytest.raises(FileError, match="--tz"):
        read_cycler(sample("neware_uio.csv"))


def data(**columns: Any) -> CyclerData:
    """Rows a minute apart: cycles of a charge of 1 h at 1 A and a discharge of 1 h at 0.9 A."""
    rows = int(columns.pop("rows", 360))
    minutes = np.arange(rows, dtype=np.float64)
    within, charging = minutes % 60, (minutes // 60) % 2 == 0
    values: dict[str, Any] = {
        "path": Path("cell.ndax"), "reader": "test", "unix_s": START + 60 * minutes, "test_s": 60 * minutes,
        "voltage_v": 3.0 + within / 100, "current_a": np.where(charging, 1.0, -0.9), "cycle": minutes // 120 + 1,
        "step": minutes // 60 + 1, "charged_ah": np.where(charging, (within + 1) / 60, 0.0),
        "discharged_ah": np.where(charging, 0.0, 0.9 * (within + 1) / 60),
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


def test_the_end_of_summer_time(tmp_path: Path) -> None:
    path = tmp_path / "neware.csv"
    lines = [
        "DataPoint,Cycle Index,Step Index,Step Type,Cumulative Time,Current(mA),Voltage(V),Capacity(mAh),Date"
    ]
    began = datetime(2025, 10, 26, 0, 30, tzinfo=UTC)
    for number in range(5):
        wall = datetime.fromtimestamp(began.timestamp() + 1800 * number, OSLO)
        passed = f"{number // 2}:{30 * (number % 2):02}:00"
        lines.append(f"{number},1,1,CC Chg,{passed},100,3.5,{50 * number},{wall:%Y-%m-%d %H:%M:%S}")
    # On the wall: 02:30, 02:00 again, 02:30, 03:00, 03:30.
    path.write_text("\n".join(lines))
    found = read_cycler(path, zone_of("Europe/Oslo"))
    assert list(np.diff(found.unix_s)) == [1800.0] * 4
    assert found.unix_s[0] == began.timestamp()
    assert found.charged_ah[-1] == pytest.approx(0.2)
    shifted = read_cycler(path, zone_of("+02:00"), offset_s=-5.0)
    assert shifted.unix_s[0] == began.timestamp() - 5.0


def test_half_cycles_that_skip() -> None:
    def cycles(*halves: tuple[int, float]) -> list[int]:
        number = np.repeat([half for half, _ in halves], 10)
        steps = np.concatenate([np.full(10, moved / 10) for _, moved in halves])
        return [int(cycle) for cycle in cycles_of_halves(number, np.cumsum(steps))[::10]]

    assert cycles((0, 1.0), (1, -1.0), (2, 1.0), (3, -1.0)) == [1, 1, 2, 2]
    # The discharge 3 is missing: two charges, two cycles.
    assert cycles((0, 1.0), (1, -1.0), (2, 1.0), (4, 1.0), (5, -1.0)) == [1, 1, 2, 3, 3]
    # A rest that was counted, and a cell that is discharged first.
    assert cycles((0, 0.0), (1, -1.0), (2, 1.0), (3, -1.0), (4, 1.0)) == [1, 1, 1, 2, 2]
    # A charge in two parts that follow each other.
    assert cycles((0, 1.0), (1, 1.0), (2, -1.0), (3, 1.0)) == [1, 1, 1, 2]


def test_what_is_refused(tmp_path: Path) -> None:
    head = "DataPoint,Cycle Index,Current(A),Voltage(V),Capacity(Ah)"
    cases = {
        "undated.csv": (f"{head}\n1,1,0,3,0", "no column Date"),
        "holes.csv": (
            f"{head},Date\n1,1,0,3,0,2026-01-01 00:00:00\n2,1,0,3,0,",
            "1 of 2 rows have no time stamp",
        ),
        "other.csv": ("a,b,c\n1,2,3", "unknown columns a, b, c"),
        "empty.csv": ("", "is empty"),
        "relative.csv": ("Test Time / s,Voltage / V,Current / A\n0,3,0", "test time alone"),
        "cell.xlsx": ("", "unknown kind of cycler file"),
        "cell.ndax": ("no archive", "cannot be read"),
        "cell.mpr": ("no module", "cannot be read"),
    }
    for name, (text, reason) in cases.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(FileError, match=reason):
            read_cycler(tmp_path / name, UTC)
    with pytest.raises(FileError, match="no cycler file"):
        read_cycler(tmp_path / "none.mpr", UTC)
    with pytest.raises(UsageError, match="Europe/Oslo"):
        zone_of("Atlantis/Poseidonis")


def test_ec_labs_text(tmp_path: Path) -> None:
    path = tmp_path / "cell.mpt"
    head = ["EC-Lab ASCII FILE", "Nb header lines : 5", "Acquisition started on : 01/16/2025 14:05:54.213", "",
            "mode\tox/red\terror\tcontrol changes\tNs changes\tcounter inc.\tNs\ttime/s\tdq/mA.h\t(Q-Qo)/mA.h\tEwe/V\t"
            "half cycle\tcycle number"]  # fmt: skip
    rows = [f"1\t1\t0\t0\t0\t0\t0\t{60 * n}\t0.1\t{0.1 * n:g}\t3,5\t0\t0" for n in range(4)]
    path.write_bytes("\r\n".join(head + rows).encode("latin-1"))
    found = read_cycler(path, OSLO)
    assert found.unix_s[0] == datetime(2025, 1, 16, 14, 5, 54, 213_000, tzinfo=OSLO).timestamp()
    assert found.charged_ah[-1] == pytest.approx(3e-4)
    assert found.current_a[-1] == pytest.approx(6e-3)
    assert found.voltage_v[0] == 3.5


def test_a_merged_file_is_read_back(tmp_path: Path) -> None:
    merged = merge(run(5e6 + np.arange(21_600.0)), [data()])
    export.write_table(tmp_path / "cell.bdf.csv", bdf_table(merged))
    again = read_cycler(tmp_path / "cell.bdf.csv")
    assert list(again.unix_s) == list(merged.unix_s)
    assert list(again.cycle) == list(merged.cycle)
    assert again.charged_ah == pytest.approx(merged.column("charged_ah"), abs=1e-9)
    assert cyclers.read_cyclers([tmp_path / "cell.bdf.csv"])[0].reader == "BDF"
