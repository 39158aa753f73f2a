"""Readers of cycler files: public files against independent readers, and planted files in every dialect."""

from __future__ import annotations

import os
import warnings
import zipfile
import zlib
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.scenarios.cycler_files import DIALECTS, PROTOCOLS, START, Step, Written, rows, true_cycles, write
from ipch.cyclers import Reading, load_map, read_cycler, read_cyclers, zone_of
from ipch.cyclers.binary import _is_calendar, library
from ipch.cyclers.cycles import by_charge, by_halves
from ipch.cyclers.table import CyclerData
from ipch.errors import FileError, UsageError

SAMPLES = os.environ.get("IPCH_SAMPLES")
OSLO = ZoneInfo("Europe/Oslo")
MANUAL = Reading(start=datetime(2026, 1, 1, tzinfo=UTC))

needs_samples = pytest.mark.skipif(
    not SAMPLES, reason="IPCH_SAMPLES does not name the folder of real cycler files"
)


def sample(name: str) -> Path:
    return Path(SAMPLES or "") / name


def per_cycle(parts: list[CyclerData]) -> dict[int, tuple[float, float]]:
    """Ah charged and discharged in each cycle, over all files."""
    found: dict[int, tuple[float, float]] = {}
    for part in parts:
        charged, discharged = (np.diff(each, prepend=0.0) for each in (part.charged_ah, part.discharged_ah))
        for number in np.unique(part.cycle):
            inside = part.cycle == number
            before = found.get(int(number), (0.0, 0.0))
            found[int(number)] = (before[0] + charged[inside].sum(), before[1] + discharged[inside].sum())
    return found


@needs_samples
def test_a_zip_that_threads_mixed_up_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen with Python 3.13.0: `Overlapped entries: 'data.ndc'`, once in some readings of a sound file."""
    fastnda = pytest.importorskip("fastnda")
    read, tries = fastnda.read, [zipfile.BadZipFile("Overlapped"), zlib.error("-3"), None]

    def mixed_up(*words: object, **how: object) -> object:
        if (error := tries.pop(0)) is not None:
            raise error
        return read(*words, **how)

    monkeypatch.setattr(fastnda, "read", mixed_up)
    assert len(read_cycler(sample("nw4-120-6-1-36.ndax"), UTC)) == 7257
    tries[:] = [zipfile.BadZipFile("damaged")] * 9
    with pytest.raises(FileError, match="damaged"):
        read_cycler(sample("nw4-120-6-1-36.ndax"), UTC)
    assert tries


@needs_samples
@pytest.mark.parametrize(
    ("name", "count", "cycles"),
    [
        ("nw4-120-6-1-36.ndax", 7257, 5),
        ("second/nw4-120-1-6-53.ndax", 18_700, 150),
        ("second/new_nda_file.nda", 439, 1),
    ],
)
def test_neware_binary_is_what_newarenda_says(name: str, count: int, cycles: int) -> None:
    newarenda = pytest.importorskip("NewareNDA")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame = newarenda.read(str(sample(name)), software_cycle_number=False)
    found = read_cycler(sample(name), UTC)
    assert len(found) == len(frame) == count
    assert found.voltage_v == pytest.approx(frame["Voltage"].to_numpy(), abs=1e-6)
    assert found.current_a * 1e3 == pytest.approx(frame["Current(mA)"].to_numpy(), abs=1e-4)
    assert list(found.cycle) == list(frame["Cycle"])
    assert found.cycle.max() == cycles
    # Its capacities are those of the step.
    last = np.append(np.diff(found.step) != 0, True)
    for mine, theirs in (
        (found.charged_ah, "Charge_Capacity(mAh)"),
        (found.discharged_ah, "Discharge_Capacity(mAh)"),
    ):
        assert mine[-1] * 1e3 == pytest.approx(
            float(np.abs(frame[theirs].to_numpy()[last]).sum()), rel=1e-4, abs=1e-5
        )


@needs_samples
def test_the_makers_own_export_has_the_same_cycles() -> None:
    pyarrow = pytest.importorskip("pyarrow.parquet")
    table = pyarrow.read_table(sample("second/nw4-120-1-6-53.parquet")).to_pandas()
    found = read_cycler(sample("second/nw4-120-1-6-53.ndax"))
    assert list(found.cycle) == list(table["Cycle Index"])
    assert found.test_s == pytest.approx(table["Total Time"].to_numpy(), abs=2e-3)


@needs_samples
def test_a_wall_clock_in_a_binary_file_needs_its_zone(tmp_path: Path) -> None:
    path = sample("second/new_nda_file.nda")
    with pytest.raises(FileError, match="--tz"):
        read_cycler(path)
    assert read_cycler(path, OSLO).unix_s[0] == datetime(2020, 3, 25, 11, 16, 50, tzinfo=OSLO).timestamp()
    assert not _is_calendar(sample("nw4-120-6-1-36.ndax"))
    for version, calendar in ((2, True), (5, True), (7, True), (11, False), (14, False), (17, False)):
        with zipfile.ZipFile(tmp_path / f"{version}.ndax", "w") as archive:
            archive.writestr("data.ndc", bytes([1, 0, version, 0]))
        assert _is_calendar(tmp_path / f"{version}.ndax") == calendar


@needs_samples
def test_biologic_binary_is_what_galvani_says() -> None:
    from galvani import BioLogic

    path = sample("250116_kigr_gen6_01_02_GCPL_CD8.mpr")
    with path.open("rb") as opened:
        file = BioLogic.MPRfile(opened)
    data = read_cycler(path, OSLO)
    assert list(data.test_s) == file.data["time/s"].tolist()
    assert list(data.voltage_v) == file.data["Ewe/V"].tolist()
    assert data.charged_ah - data.discharged_ah == pytest.approx(file.data["(Q-Qo)/mA.h"] / 1e3, abs=1e-12)
    # Its time counts from the start of the acquisition, not of this file.
    began = file.timestamp.replace(tzinfo=OSLO).timestamp()
    assert data.unix_s[0] == pytest.approx(began + 43_213.762, abs=0.001)
    # Half cycles 0 to 5: three cycles. The current is not in the file; it set 1.2065 mA.
    assert sorted(set(data.cycle)) == [1, 2, 3]
    charging = (np.diff(data.charged_ah, prepend=0.0) > 0) & (data.voltage_v < 4.89)
    assert np.median(data.current_a[charging]) == pytest.approx(1.2065e-3, rel=1e-3)


@needs_samples
@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("250116_kigr_gen6_01_01_GCPL_CD8.mpr", 392), ("250116_kigr_gen6_01_02_GCPL_CD8.mpr", 3791),
        ("second/bcd.issue_241.mpr", 2550), ("second/coc.issue_185.mpr", 24), ("second/coc.issue_185.mpt", 24),
        ("second/mb.issue_223.mpt", 108), ("second/mb.issue_95.de.mpt", 33),
    ],
)  # fmt: skip
def test_ec_lab_is_what_yadg_says(name: str, count: int) -> None:
    """A reader of its own, not galvani, of binary files and of text in any number format."""
    extractors = pytest.importorskip("yadg.extractors")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = extractors.extract(
            f"eclab.{name[-3:]}", sample(name), timezone="UTC", locale="de_DE" if ".de." in name else "en_GB"
        ).to_dataset()
    found = read_cycler(sample(name), UTC)
    assert len(found) == table.sizes["uts"] == count
    assert list(found.unix_s) == table["uts"].values.tolist()
    assert list(found.test_s) == table["time"].values.tolist()
    net_mah = 1e3 * np.cumsum(np.diff(found.charged_ah - found.discharged_ah, prepend=0.0))
    counter = table["(Q-Qo)"].values
    assert net_mah - net_mah[0] == pytest.approx(counter - counter[0], abs=1e-12)
    for mine, theirs in ((found.voltage_v, "Ewe"), (found.current_a * 1e3, "I")):
        if theirs in table:
            assert mine == pytest.approx(table[theirs].values, rel=1e-12)
    halves = table["half cycle"].values
    assert len(set(found.cycle)) == len(set(halves // 2))


@needs_samples
def test_newer_columns_of_ec_lab() -> None:
    # EC-Lab shows two cycles: half cycles 0 and 2.
    assert sorted(set(read_cycler(sample("second/bcd.issue_241.mpr"), UTC).cycle)) == [1, 2]
    binary, text = (
        read_cycler(sample(f"second/mb.issue_223.{end}"), UTC, reading=MANUAL) for end in ("mpr", "mpt")
    )
    assert "column 880 is unknown" in binary.notes[0]
    assert binary.discharged_ah == pytest.approx(text.discharged_ah, abs=1e-12)
    # Its counter ends at -1.259 uAh: signed steps of its noise add up to that.
    assert binary.charged_ah[-1] - binary.discharged_ah[-1] == pytest.approx(-1.2592881e-6, rel=1e-6)
    german = read_cycler(sample("second/mb.issue_95.de.mpt"), UTC)
    assert german.charged_ah[-1] - german.discharged_ah[-1] == pytest.approx(9.731169646e-5, rel=1e-6)
    assert german.unix_s[0] == datetime(2022, 12, 8, 14, 36, 53, 355_000, tzinfo=UTC).timestamp()


@needs_samples
def test_linked_files_follow_each_other() -> None:
    names = ("250116_kigr_gen6_01_02_GCPL_CD8.mpr", "250116_kigr_gen6_01_01_GCPL_CD8.mpr")
    first, second = read_cyclers([sample(name) for name in names], OSLO)
    assert first.path.name.endswith("01_01_GCPL_CD8.mpr")
    assert 0 < second.unix_s[0] - first.unix_s[-1] < 0.1
    assert sorted(set(second.cycle)) == [2, 3, 4]
    (once,) = read_cyclers([sample(names[0])] * 2, OSLO)
    assert once.dropped == {f"of {names[0]} also in {names[0]}": len(once)}


@needs_samples
def test_neware_csv_flat_and_nested() -> None:
    flat = read_cycler(sample("neware_uio.csv"), OSLO)
    assert (len(flat), sorted(set(flat.cycle))) == (9065, [1, 2, 3, 4])
    assert flat.unix_s[0] == datetime(2022, 5, 18, 16, 27, 52, tzinfo=OSLO).timestamp()
    assert flat.test_s[-1] == 144 * 3600 + 2 * 60 + 18
    nested = read_cycler(sample("nw_regular_export_ife_example.csv"), OSLO)
    # The file's own lines of cycles: capacities as Neware summed them up.
    assert len(nested.own_cycles) == 20
    for number, found in per_cycle([nested]).items():
        assert found == pytest.approx(nested.own_cycles[number], abs=6e-6), number
    assert sorted(set(nested.step[nested.cycle == 1])) == [1, 2, 3, 4, 5]
    with pytest.raises(FileError, match="--tz"):
        read_cycler(sample("neware_uio.csv"))


@needs_samples
@pytest.mark.parametrize(
    ("name", "reader", "count", "charged_mah", "discharged_mah", "start"),
    [
        ("arbin.csv", "Arbin", 13, 0.400839, 0.0204379, "2024-09-20T08:32:34.558"),
        ("basytec.txt", "Basytec", 74, 1.248917, 0.0, "2023-06-19T17:56:53"),
        ("landt_head.csv", "Landt", 3993, 0.0, 0.4, "2024-04-30T14:33:19"),
        ("maccor.csv", "Maccor", 15, 24.0, 0.0, "2023-11-23T15:56:11"),
        ("novonix.csv", "Novonix", 207, 1706.5334, 0.0, "2025-07-19T15:26:20"),
        ("biologic_timestamped.txt", "BioLogic", 8, 0.7501645, 0.0, "2024-11-20T11:38:41.707"),
        ("interp-test.csv", "Neware", 333, 0.0, 0.0, "2025-06-17T09:26:39.383"),
    ],
)
def test_makers_read_by_maps(
    name: str, reader: str, count: int, charged_mah: float, discharged_mah: float, start: str
) -> None:
    found = read_cycler(sample(f"second/{name}"), UTC)
    assert (found.reader, len(found)) == (reader, count)
    assert found.charged_ah[-1] * 1e3 == pytest.approx(charged_mah, rel=1e-5, abs=1e-9)
    assert found.discharged_ah[-1] * 1e3 == pytest.approx(discharged_mah, rel=1e-5, abs=1e-9)
    assert found.unix_s[0] == pytest.approx(
        datetime.fromisoformat(start).replace(tzinfo=UTC).timestamp(), abs=2e-3
    )


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_protocol_is_the_same_in_every_dialect(protocol: str, dialect: str, tmp_path: Path) -> None:
    if (protocol, dialect) == ("drive cycle", "ec-lab"):
        pytest.skip("EC-Lab counts each pulse as a half cycle")
    table = rows(PROTOCOLS[protocol]())
    found = read_cycler(write(tmp_path, table, dialect, Written(zone=OSLO)), OSLO)
    assert found.unix_s == pytest.approx(START + table.time_s, abs=0.002)
    assert found.current_a == pytest.approx(table.ampere, abs=6e-7)
    assert len(found.dropped) == 0
    truth = true_cycles(table)
    for number, values in per_cycle([found]).items():
        assert values == pytest.approx(truth[number], abs=1.2e-6), (number, values)
    assert sorted(set(found.cycle)) == sorted(truth)


steps = st.tuples(
    st.integers(2, 5), st.floats(0.02, 2.0), st.floats(0.5, 1.0), st.integers(300, 4000), st.integers(7, 90)
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps, st.sampled_from(sorted(DIALECTS)), st.booleans())
def test_any_protocol_in_any_dialect(
    tmp_path: Path, drawn: tuple[int, float, float, int, int], dialect: str, discharge_first: bool
) -> None:
    cycles, ampere, share, seconds, every_s = drawn
    sign = -1.0 if discharge_first else 1.0
    protocol = [
        step
        for cycle in range(1, cycles + 1)
        for step in (
            Step(cycle, seconds, sign * ampere, every_s), Step(cycle, 120, 0.0, 60.0),
            Step(cycle, seconds, -sign * share * ampere, every_s), Step(cycle, 300, 0.0, 60.0),
        )
    ]  # fmt: skip
    table = rows(protocol)
    found = read_cycler(write(tmp_path, table, dialect), UTC)
    truth = true_cycles(table)
    assert found.unix_s == pytest.approx(
        START + table.time_s, abs=1.01 if dialect in ("landt", "maccor", "maccor-tabs", "novonix") else 0.002
    )
    assert sorted(set(found.cycle)) == sorted(truth)
    for number, values in per_cycle([found]).items():
        assert values == pytest.approx(truth[number], rel=1e-5, abs=1e-6)


def test_a_map_reads_anybodys_table(tmp_path: Path) -> None:
    path, own = tmp_path / "own.dat", tmp_path / "own.toml"
    path.write_text("my rig\nwhen;U;I;run\n01.02.2026 10:00:00;3,5;1000;1\n01.02.2026 11:00:00;3,6;1000;1\n")
    with pytest.raises(
        FileError, match=r"unknown columns my rig; .* others need a map of their columns \(--map\)"
    ):
        read_cycler(path, UTC)
    own.write_text(
        'name = "mine"\ndates = ["%d.%m.%Y %H:%M:%S"]\ndischarge_positive = true\n[columns]\ndate = ["when"]\n'
        'voltage = ["U"]\ncurrent = ["I"]\ncycle = ["run"]\n[units]\ncurrent = "mA"\n'
    )
    found = read_cycler(path, UTC, reading=Reading(load_map(own)))
    assert found.unix_s[0] == datetime(2026, 2, 1, 10, tzinfo=UTC).timestamp()
    assert list(found.voltage_v) == [3.5, 3.6]
    assert (found.charged_ah[-1], found.discharged_ah[-1]) == (0.0, 1.0)
    own.write_text('name = "mine"\n[columns]\nvolts = ["U"]\n')
    with pytest.raises(FileError, match=r"own.toml: columns.volts"):
        load_map(own)
    own.write_text("name =")
    with pytest.raises(FileError, match=r"own.toml is not a map"):
        load_map(own)


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


def test_numbers_of_cycles() -> None:
    # EC-Lab's half cycles may skip a number: the discharge 3 is missing.
    assert list(by_halves(np.array([0.0, 1, 2, 4, 5]))) == [1, 1, 2, 3, 3]
    up, flat, down = np.linspace(0, 1, 11), np.ones(5), np.linspace(1, 0.1, 10)
    charge = np.concatenate([up, flat, down, 0.1 * np.ones(5), 0.1 + 0.9 * up[1:], down])
    assert [int(number) for number in by_charge(charge)[[0, 15, 30, 31, -1]]] == [1, 1, 1, 2, 2]
    # By discharges, the first charge is a cycle of its own.
    assert [int(number) for number in by_charge(charge, "discharge")[[0, 15, 17, 31, 42, -1]]] == [
        1,
        1,
        2,
        2,
        3,
        3,
    ]
    assert list(by_charge(np.zeros(4))) == [1, 1, 1, 1]


def test_what_is_refused(tmp_path: Path) -> None:
    head = "DataPoint,Cycle Index,Current(A),Voltage(V),Capacity(Ah)"
    cases = {
        "undated.csv": (f"{head}\n1,1,0,3,0", "no column Date"),
        "holes.csv": (
            f"{head},Date\n1,1,0,3,0,2026-01-01 00:00:00\n2,1,0,3,0,\n3,1,0,3,0,",
            "2 of 3 rows have no time stamp",
        ),
        "dates.csv": (f"{head},Date\n1,1,0,3,0,yesterday", "cannot read the date 'yesterday'"),
        "other.csv": ("a,b,c\n1,2,3", "unknown columns a, b, c"),
        "empty.csv": ("", "is empty"),
        "none.csv": (f"{head},Date\n", "has no rows"),
        "relative.csv": ("Test Time / s,Voltage / V,Current / A\n0,3,0", "test time alone .* --start"),
        "voltage.csv": (
            "Unix Time / s,Voltage / V\n0,3\n",
            r"looks like a table of BDF, but has no current \(Current / A or current_ampere\)",
        ),
        "cycles.csv": (
            "Unix Time / s,Voltage / V,Current / A,cycle_count\n0,3,0,1e300",
            "1e\\+300 in row 1 is not a whole",
        ),
        "commas.csv": (
            "Unix Time / s,Voltage / V,Current / A\n0,000,3,2200,0,1000\n60,000,3,2300,0,1000\n",
            "the comma is a decimal mark as well as a separator",
        ),
        "cell.pdf": ("", "unknown kind of cycler file"),
        "cell.xlsx": ("no archive", "cannot be read"),
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


def test_two_packages_of_the_same_module_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "galvani-0.5.0.dist-info").mkdir()
    (tmp_path / "galvani-0.5.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: galvani\nVersion: 0.5.0\n"
    )
    assert library("galvani").startswith("datalab-org-galvani 0.")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(FileError, match="galvani and datalab-org-galvani are both installed"):
        library("galvani")
    with pytest.raises(
        FileError, match=r"needs nothing_of_that_name; install it with: \S+ -m pip install 'ipch\[cyclers\]'"
    ):
        library("nothing_of_that_name")


def test_ec_labs_text(tmp_path: Path) -> None:
    path = tmp_path / "cell.mpt"
    head = ["EC-Lab ASCII FILE", "Nb header lines : 5", "Acquisition started on : 01/16/2025 14:05:54.213", "",
            "mode\tox/red\terror\tcontrol changes\tNs changes\tcounter inc.\tNs\ttime/s\tdq/mA.h\t(Q-Qo)/mA.h\tEwe/V\t"
            "half cycle\tcycle number"]  # fmt: skip
    lines = [f"1\t1\t0\t0\t0\t0\t0\t{60 * n}\t0.1\t{0.1 * n:g}\t3,5\t0\t0" for n in range(4)]
    path.write_bytes("\r\n".join(head + lines).encode("latin-1"))
    found = read_cycler(path, OSLO)
    assert found.unix_s[0] == datetime(2025, 1, 16, 14, 5, 54, 213_000, tzinfo=OSLO).timestamp()
    assert found.charged_ah[-1] == pytest.approx(3e-4)
    assert found.current_a[-1] == pytest.approx(6e-3)
    assert found.voltage_v[0] == 3.5


def test_plain_numbers_are_read_as_any_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ipch.cyclers.text.CHUNK", 50)
    path = write(tmp_path, rows(PROTOCOLS["cycling"]()), "bdf")
    lines = path.read_text().splitlines()
    plain = read_cycler(path)
    quoted = tmp_path / "quoted.csv"
    # From here on no chunk is of plain numbers alone.
    for at in (1, 120, len(lines) - 1):
        changed = list(lines)
        first, _, rest = changed[at].partition(",")
        changed[at] = f'"{first}",{rest}'
        quoted.write_text("\n".join(changed) + "\n\n")
        found = read_cycler(quoted)
        for name in ("unix_s", "test_s", "voltage_v", "current_a", "cycle", "charged_ah", "discharged_ah"):
            assert list(getattr(found, name)) == list(getattr(plain, name))
    lines[130] = ",,,,,,,"
    lines[140] = lines[140].replace(",", ",x", 1)
    lines.insert(150, "a remark")
    quoted.write_text("\n".join(lines) + "\n" + lines[-1][:20])
    found = read_cycler(quoted)
    assert len(found) == len(plain) - 1
    assert found.dropped == {"too few cells": 1, "last line cut": 1}
