"""Ordinary imperfections of cycler files: each is planted into a file with a known truth, and read."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from bench.scenarios.cycler_files import DIALECTS, START, Rows, Written, cycling, drive_cycle, rows, write
from ipch.cyclers import Reading, read_cycler, read_cyclers
from ipch.cyclers.cycles import going_on
from ipch.errors import FileError

Cells = list[list[str]]
TABLE = rows(cycling(3, ah=0.1))
TRUTH = {1: (0.1, 0.099), 2: (0.1, 0.099), 3: (0.1, 0.099)}
AT_START = Reading(start=datetime.fromtimestamp(START, UTC))


def edited(path: Path, edit: Callable[[Cells], Cells], name: str = "edited.csv") -> Path:
    """A copy of a CSV file with edited cells; the first row is the head."""
    with path.open(newline="", encoding="utf-8") as file:
        cells = edit(list(csv.reader(file)))
    with path.with_name(name).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(cells)
    return path.with_name(name)


def per_cycle(paths: list[Path], reading: Reading | None = None) -> dict[int, tuple[float, float]]:
    found: dict[int, tuple[float, float]] = {}
    for part in read_cyclers(paths, UTC, reading=reading):
        charged, discharged = (np.diff(each, prepend=0.0) for each in (part.charged_ah, part.discharged_ah))
        for number in np.unique(part.cycle):
            inside = part.cycle == number
            before = found.get(int(number), (0.0, 0.0))
            found[int(number)] = (before[0] + charged[inside].sum(), before[1] + discharged[inside].sum())
    return found


def judged(found: dict[int, tuple[float, float]], within: float = 1e-9) -> None:
    """Coulombic efficiency and capacities are those planted."""
    assert sorted(found) == sorted(TRUTH)
    for number, truth in TRUTH.items():
        assert found[number] == pytest.approx(truth, abs=within), number


def dropped_a_digit(cells: Cells) -> Cells:
    cells[30][6] = f"{float(cells[29][6]) - 2e-9:.9f}"
    return cells


def noisy(columns: tuple[int, ...], size: float) -> Callable[[Cells], Cells]:
    def edit(cells: Cells) -> Cells:
        random = np.random.default_rng(1)
        for row in cells[1:]:
            for at in columns:
                row[at] = f"{float(row[at]) + random.normal(0, size):.9f}"
        return cells

    return edit


def with_holes(columns: tuple[int, ...]) -> Callable[[Cells], Cells]:
    def edit(cells: Cells) -> Cells:
        for row in cells[20:400:17]:
            for at in columns:
                row[at] = ""
        return cells

    return edit


def test_a_counter_that_drops_by_a_digit(tmp_path: Path) -> None:
    judged(per_cycle([edited(write(tmp_path, TABLE, "bdf"), dropped_a_digit)]), 3e-9)


@pytest.mark.parametrize(
    ("dialect", "columns", "size"),
    [("bdf", (6, 7), 1e-6), ("arbin", (8, 9), 1e-6), ("neware", (8, 9, 10), 1e-3)],
)
def test_a_counter_with_noise_in_every_row(
    dialect: str, columns: tuple[int, ...], size: float, tmp_path: Path
) -> None:
    # 0.05 % of the capacity is 50 uAh.
    judged(per_cycle([edited(write(tmp_path, TABLE, dialect), noisy(columns, size))]), 2e-5)


@pytest.mark.parametrize("dialect", ["bdf", "neware"])
def test_rows_that_are_written_twice(dialect: str, tmp_path: Path) -> None:
    path = write(tmp_path, TABLE, dialect)
    block = edited(path, lambda cells: cells[:80] + cells[60:80] + cells[80:], "block.csv")
    each = edited(
        path, lambda cells: cells[:60] + [row for row in cells[60:80] for _ in "ab"] + cells[80:], "each.csv"
    )
    for copy in (block, each):
        judged(per_cycle([copy]))
        assert read_cycler(copy, UTC).dropped == {"written twice": 20}


@pytest.mark.parametrize(("dialect", "columns"), [("bdf", (2, 4, 6, 7)), ("neware", (1, 8, 9, 10))])
def test_empty_cells_hold(dialect: str, columns: tuple[int, ...], tmp_path: Path) -> None:
    judged(per_cycle([edited(write(tmp_path, TABLE, dialect), with_holes(columns))]), 1e-8)


def test_only_a_counter_of_the_step_without_sign(tmp_path: Path) -> None:
    judged(
        per_cycle(
            [edited(write(tmp_path, TABLE, "neware"), lambda cells: [row[:9] + row[11:] for row in cells])]
        )
    )


def test_regeneration_inside_a_discharge_step(tmp_path: Path) -> None:
    """A discharge in pulses as one step: its counter falls with each pulse that gives charge back."""
    table = rows(drive_cycle())
    phase = (table.number - 1) % 63
    number = np.searchsorted([0, 1, 2, 62], phase, side="right") + 4 * (table.cycle - 1)
    one = replace(table, number=number.astype(float))
    net, _, _ = one.since(one.number)

    def edit(cells: Cells) -> Cells:
        for row, moved in zip(cells[1:], net, strict=True):
            row[8] = f"{abs(moved) * 1e3:.7f}"
        return [row[:9] + row[11:] for row in cells]

    found = per_cycle([edited(write(tmp_path, one, "neware"), edit)])
    for values in found.values():
        assert values == pytest.approx((0.1, 0.099), abs=1e-7)


@pytest.mark.parametrize("dialect", ["neware", "bdf", "arbin", "basytec", "ec-lab", "maccor"])
def test_a_test_in_two_files_whose_numbers_go_on(dialect: str, tmp_path: Path) -> None:
    whole = write(tmp_path, TABLE, dialect)
    encoding, half = DIALECTS[dialect][3], len(TABLE.time_s) // 2 + 7
    lines = whole.read_text(encoding=encoding).splitlines(keepends=True)
    head = len(lines) - len(TABLE.time_s)
    first, second = (whole.with_name(f"{name}{whole.suffix}") for name in ("first", "second"))
    first.write_text("".join(lines[: head + half]), encoding=encoding)
    second.write_text("".join([*lines[:head], *lines[head + half :]]), encoding=encoding)
    judged(per_cycle([second, first]), 1e-8)


def test_two_tests_continue_the_numbers(tmp_path: Path) -> None:
    later = replace(TABLE, time_s=TABLE.time_s + 100_000)
    paths = [write(tmp_path, TABLE, "neware", name="a"), write(tmp_path, later, "neware", name="b")]
    assert sorted(per_cycle(paths)) == [1, 2, 3, 4, 5, 6]


def techniques(folder: Path, table: Rows) -> list[Path]:
    """EC-Lab's loop: a file for the charges, one for the rests, one for the discharges."""
    which = [table.ampere > 0, table.ampere == 0, table.ampere < 0]
    return [
        write(folder, table.part(np.flatnonzero(rows)), "ec-lab", name=f"{n}") for n, rows in enumerate(which)
    ]


def test_files_of_techniques_that_take_turns(tmp_path: Path) -> None:
    judged(per_cycle(techniques(tmp_path, TABLE)), 1e-8)
    once = replace(
        TABLE, **{name: getattr(TABLE, name)[TABLE.cycle == 1] for name in Rows.__dataclass_fields__}
    )
    assert list(per_cycle(techniques(tmp_path, once))) == [1]


def test_two_cells_at_once_are_no_turns(tmp_path: Path) -> None:
    other = replace(TABLE, time_s=TABLE.time_s + 17.0)
    paths = [write(tmp_path, TABLE, "neware", name="a"), write(tmp_path, other, "neware", name="b")]
    with pytest.raises(FileError, match="overlap in time"):
        read_cyclers(paths, UTC)


@pytest.mark.parametrize("hours", [2, -2])
@pytest.mark.parametrize("timed", [True, False])
def test_a_row_with_a_wrong_stamp_moves_no_other(hours: int, timed: bool, tmp_path: Path) -> None:
    def edit(cells: Cells) -> Cells:
        cells[50][3] = f"{float(cells[50][3]) + 3600 * hours:.3f}"
        return cells if timed else [row[1:] for row in cells]

    path = edited(write(tmp_path, TABLE, "bdf"), edit)
    found = read_cycler(path)
    assert list(found.unix_s) == list(np.delete(START + TABLE.time_s, 49))
    ((reason, count),) = found.dropped.items()
    assert count == 1 and reason.startswith(
        f"stamped {hours:+}." if timed else f"stamped {hours - np.sign(hours) * 0.02:+.2f}"
    )
    judged(per_cycle([path]))


def test_cycle_numbers_that_are_not_whole(tmp_path: Path) -> None:
    path = edited(
        write(tmp_path, TABLE, "bdf"),
        lambda cells: [cells[0], *([*row[:4], "1.5", *row[5:]] for row in cells[1:])],
    )
    with pytest.raises(
        FileError, match=r"cycle number 1.5 in row 1 is not a whole number; .* --cycles charge"
    ):
        read_cycler(path)
    judged(per_cycle([path], Reading(cycles="charge")))


def test_units_are_those_of_the_column(tmp_path: Path) -> None:
    path = write(tmp_path, TABLE, "bdf")

    def in_ma(cells: Cells) -> Cells:
        return [
            [*cells[0][:2], "Current / mA", *cells[0][3:]],
            *([*row[:2], str(float(row[2]) * 1e3), *row[3:]] for row in cells[1:]),
        ]

    assert read_cycler(edited(path, in_ma)).current_a == pytest.approx(TABLE.ampere, abs=1e-6)
    neware = write(tmp_path, TABLE, "neware")
    for unit, reason in (("furlong", "unknown unit 'furlong'"), ("MA", "unknown unit 'MA'")):
        broken = edited(
            neware, lambda c, u=unit: [[x.replace("Current(mA)", f"Current({u})") for x in c[0]], *c[1:]]
        )  # type: ignore[misc]
        with pytest.raises(FileError, match=rf"column Current\({unit}\): {reason}; known are A, mA, uA, nA"):
            read_cycler(broken, UTC)


@pytest.mark.parametrize(("bytes_", "lost"), [(40, 1), (4, 1), (2, 0)])
def test_a_cut_last_line(bytes_: int, lost: int, tmp_path: Path) -> None:
    path = write(tmp_path, TABLE, "neware")
    path.write_bytes(path.read_bytes()[:-bytes_])
    found = read_cycler(path, UTC)
    assert len(found) == len(TABLE.time_s) - lost
    assert sum(found.dropped.values()) == lost
    judged(per_cycle([path]))


def test_line_ends_and_heads_of_ec_lab(tmp_path: Path) -> None:
    path = write(tmp_path, TABLE, "ec-lab")
    text = path.read_bytes().decode("cp1252")
    path.write_bytes(text.replace("\r\n", "\n").encode("cp1252"))
    judged(per_cycle([path]), 1e-8)
    path.write_bytes("\n".join(text.split("\r\n")[4:]).encode("cp1252"))
    with pytest.raises(FileError, match="give the start of the test with --start"):
        read_cycler(path, UTC)
    judged(per_cycle([path], AT_START), 1e-8)
    assert read_cycler(path, UTC, reading=AT_START).unix_s[0] == START


def test_day_first(tmp_path: Path) -> None:
    def edit(cells: Cells) -> Cells:
        late = START + 20 * 86_400
        stamps = [
            datetime.fromtimestamp(late + float(row[2]), UTC).strftime("%d/%m/%Y %H:%M:%S")
            for row in cells[1:]
        ]
        return [cells[0], *([row[0], stamp, *row[2:]] for row, stamp in zip(cells[1:], stamps, strict=True))]

    path = edited(write(tmp_path, TABLE, "arbin"), edit)
    found = read_cycler(path, UTC)
    assert found.unix_s == pytest.approx(START + 20 * 86_400 + TABLE.time_s, abs=1)
    assert found.notes == ()
    # In the first days of a month the numbers do not tell: the maker's order, said.
    early = read_cycler(write(tmp_path, TABLE, "arbin", name="early"), UTC)
    assert early.notes == ("dates of early.csv read as month/day/year",)


def test_two_channels_in_a_file(tmp_path: Path) -> None:
    path = write(tmp_path, TABLE, "neware")
    other = write(tmp_path, rows(cycling(2, ah=0.05)), "neware", name="other").read_text().splitlines()[1:]
    numbered = edited(
        path, lambda c: [["Channel", *c[0]], *([str(1 + n % 2), *row] for n, row in enumerate(c[1:]))]
    )
    with pytest.raises(FileError, match=r"has 2 channels \(1, 2\)"):
        read_cycler(numbered, UTC)
    path.write_text(path.read_text() + "\n".join(other))
    with pytest.raises(FileError, match="two tests or channels"):
        read_cycler(path, UTC)


CHINESE = "数据序号,循环号,工步号,工步类型,时间,总时间,电流(mA),电压(V),容量(mAh),充电容量(mAh),放电容量(mAh),绝对时间"
OLD = (
    "Record ID,Cycle ID,Step ID,Step Name,Time(h:min:s.ms),Total Time(h:min:s.ms),Current(mA),Voltage(V),"
    "CapaCity(mAh),CapaCity-Chg(mAh),CapaCity-DChg(mAh),Date(h:min:s.ms)"
)


@pytest.mark.parametrize(("head", "encoding"), [(CHINESE, "gb18030"), (CHINESE, "utf-8"), (OLD, "utf-8")])
def test_other_column_names_of_bts(head: str, encoding: str, tmp_path: Path) -> None:
    path = write(tmp_path, TABLE, "neware")
    _, *lines = path.read_text().splitlines()
    text = "\n".join([head, *lines])
    if head == CHINESE:
        for english, chinese in (("CC DChg", "恒流放电"), ("CC Chg", "恒流充电"), ("Rest", "搁置")):
            text = text.replace(english, chinese)
    path.write_bytes(text.encode(encoding))
    judged(per_cycle([path]), 1e-8)


def test_a_workbook_of_bts(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    with write(tmp_path, TABLE, "neware").open(newline="") as file:
        head, *lines = list(csv.reader(file))
    book = openpyxl.Workbook()
    book.active.title = "unit"
    book.active.append(["Start Cell", "A1"])
    # A long test takes several sheets.
    for name, part in (("record", lines[:200]), ("record1", lines[200:])):
        sheet = book.create_sheet(name)
        sheet.append(head)
        for row in part:
            stamp = datetime.fromisoformat(row[11])
            sheet.append(
                [int(row[0]), int(row[1]), int(row[2]), row[3], row[4], row[5], *map(float, row[6:11]), stamp]
            )
    path = tmp_path / "cell.xlsx"
    book.save(path)
    judged(per_cycle([path]), 1e-8)
    assert read_cycler(path, UTC).unix_s == pytest.approx(START + TABLE.time_s, abs=2e-3)
    # A title above the tables.
    for name in ("record", "record1"):
        book[name].insert_rows(1, 3)
        book[name]["A1"] = "Test of a cell"
    book.save(path)
    judged(per_cycle([path]), 1e-8)
    del book["record"], book["record1"]
    book.save(path)
    with pytest.raises(FileError, match=r"none of its sheets \(unit\) holds records"):
        read_cycler(path, UTC)


def test_a_current_of_one_direction_at_a_time(tmp_path: Path) -> None:
    """The counters of all dialects agree with the integral of the current in between."""
    found = read_cycler(write(tmp_path, TABLE, "maccor"), UTC)
    for before, after in pairwise(np.flatnonzero(np.diff(found.step, prepend=0.0))):
        assert len(set(np.sign(found.current_a[before + 1 : after]))) == 1


def test_a_counter_that_holds_over_the_rests_of_a_half_cycle(tmp_path: Path) -> None:
    """Landt: it restarts as the current turns, not with each step."""
    turn = np.where(TABLE.ampere == 0, np.nan, np.sign(TABLE.ampere))
    known = np.maximum.accumulate(np.where(np.isfinite(turn), np.arange(len(turn)), 0))
    _, up, down = TABLE.since(turn[known])

    def edit(cells: Cells) -> Cells:
        for row, moved in zip(cells[1:], up + down, strict=True):
            row[8] = f"{moved * 1e3:.7f}"
        return [[*row[:3], *row[4:9], *row[11:]] for row in cells]

    judged(per_cycle([edited(write(tmp_path, TABLE, "neware"), edit)]), 1e-8)


def test_test_time_in_minutes(tmp_path: Path) -> None:
    def edit(cells: Cells) -> Cells:
        cells[1][3] = "TestTime"
        return [cells[0], cells[1], *([*row[:3], f"{float(row[3]) / 60:.6f}", *row[4:]] for row in cells[2:])]

    path = edited(write(tmp_path, TABLE, "maccor"), edit)
    found = read_cycler(path, UTC)
    assert found.test_s == pytest.approx(TABLE.time_s, abs=1e-3)
    assert found.notes == ("test time of edited.csv is in minutes, by its dates",)
    judged(per_cycle([path]))


def test_ec_labs_two_kinds_of_dq(tmp_path: Path) -> None:
    """dq is the charge of a row, dQ that since the sequence began."""
    path = write(tmp_path, TABLE, "ec-lab")
    lines = path.read_bytes().decode("cp1252").split("\r\n")
    since, _, _ = TABLE.since(TABLE.number)

    def with_column(name: str, values: np.ndarray[Any, Any]) -> str:
        head = lines[4].replace("dq/mA.h\t(Q-Qo)/mA.h\t", f"{name}\t")
        rows_ = [line.split("\t") for line in lines[5:] if line]
        body = [
            "\t".join([*row[:7], f"{value:.9E}", row[9]]) for row, value in zip(rows_, values, strict=True)
        ]
        return "\r\n".join([*lines[:4], head, *body, ""])

    for name, values in (
        ("dq/mA.h", np.diff(TABLE.charge * 1e3, prepend=0.0)),
        ("dQ/mA.h", since * 1e3),
        ("dQ/C", since * 3600),
    ):
        path.write_bytes(with_column(name, values).encode("cp1252"))
        judged(per_cycle([path]), 1e-8)


@pytest.mark.parametrize(("dialect", "columns"), [("neware", (8, 9, 10)), ("bdf", (6, 7)), ("arbin", (8, 9))])
def test_a_counter_that_restarts_inside_a_step(
    dialect: str, columns: tuple[int, ...], tmp_path: Path
) -> None:
    """The cycler's computer was restarted: no step, cycle or direction changes there."""

    def edit(cells: Cells) -> Cells:
        before = [float(cells[31][at]) for at in columns]
        # In counters of the step until its end; in those of the test for good.
        for row in cells[32 : len(cells) if dialect == "bdf" else 62]:
            for at, lost in zip(columns, before, strict=True):
                row[at] = f"{float(row[at]) - lost:.9f}"
        return cells

    judged(per_cycle([edited(write(tmp_path, TABLE, dialect), edit)]), 1e-8)


def test_a_counter_that_is_zero_in_one_row_has_not_restarted(tmp_path: Path) -> None:
    def edit(cells: Cells) -> Cells:
        cells[45][6] = "0"
        return cells

    judged(per_cycle([edited(write(tmp_path, TABLE, "bdf"), edit)]))


def bare(cell: str) -> tuple[str, str]:
    """Name and unit of a head's cell."""
    found = re.fullmatch(r"(.*?) ?(?:\((\w*)\)| / (\w+))", cell)
    return (found[1], found[2] or found[3] or "") if found else (cell, "")


@pytest.mark.parametrize("dialect", ["neware", "neware-uA", "bdf", "arbin", "maccor"])
def test_units_in_a_row_below_the_names(dialect: str, tmp_path: Path) -> None:
    path = write(tmp_path, TABLE, dialect)
    encoding = DIALECTS[dialect][3]
    lines = path.read_text(encoding=encoding).splitlines()
    at = len(lines) - len(TABLE.time_s) - 1
    heads = [bare(cell) for cell in lines[at].split(",")]
    lines[at : at + 1] = [",".join(name for name, _ in heads), ",".join(unit for _, unit in heads)]
    path.write_text("\n".join(lines), encoding=encoding)
    judged(per_cycle([path]), 1e-8)
    found = read_cycler(path, UTC)
    assert np.abs(found.current_a).max() == pytest.approx(0.1, rel=1e-6) and not found.dropped
    assert not any("tells no unit" in note for note in found.notes)


@pytest.mark.parametrize("dialect", ["bdf", "neware", "maccor", "novonix"])
def test_the_newest_row_first(dialect: str, tmp_path: Path) -> None:
    path = write(tmp_path, TABLE, dialect)
    lines = path.read_text().splitlines()
    head = len(lines) - len(TABLE.time_s)
    path.write_text("\n".join(lines[:head] + lines[: head - 1 : -1]))
    judged(per_cycle([path]), 1e-8)
    found = read_cycler(path, UTC)
    assert found.unix_s == pytest.approx(START + TABLE.time_s, abs=1)
    assert "the newest row first" in " ".join(found.notes)


def test_cells_that_are_no_numbers(tmp_path: Path) -> None:
    def edit(cells: Cells) -> Cells:
        for n, row in enumerate(cells[1:]):
            row[2] = row[2].replace("-", "\u2212")
            if n % 9 == 4:
                row[2] = row[6] = ("NaN", "#N/A", "--", "inf", "-Infinity", "null")[n // 9 % 6]
        return cells

    found = read_cycler(edited(write(tmp_path, TABLE, "bdf"), edit))
    known = np.isfinite(found.current_a)
    assert not np.isinf(found.current_a).any() and known.sum() == len(TABLE.time_s) - 48
    assert found.current_a[known] == pytest.approx(TABLE.ampere[known], abs=1e-6)
    assert found.charged_ah[-1] == pytest.approx(0.3, abs=1e-9)


@pytest.mark.parametrize(("dialect", "at"), [("bdf", 7), ("neware", 10)])
def test_discharge_that_is_counted_below_zero(dialect: str, at: int, tmp_path: Path) -> None:
    def edit(cells: Cells) -> Cells:
        return [cells[0], *([*row[:at], f"-{row[at]}", *row[at + 1 :]] for row in cells[1:])]

    judged(per_cycle([edited(write(tmp_path, TABLE, dialect), edit)]), 1e-8)


@pytest.mark.parametrize(
    ("content", "what"),
    [(b"PK\x03\x04", "a ZIP archive or workbook"), (b"\x1f\x8b\x08", "a gzip archive"),
     (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook"), (b"%PDF-1.7", "a PDF document")],
)  # fmt: skip
def test_what_only_looks_like_a_table(content: bytes, what: str, tmp_path: Path) -> None:
    (tmp_path / "cell.csv").write_bytes(content + bytes(range(256)) * 9)
    with pytest.raises(FileError, match=rf"cell\.csv: is {what}, no table of text"):
        read_cycler(tmp_path / "cell.csv", UTC)


def test_a_head_that_lacks_a_name(tmp_path: Path) -> None:
    """R writes row names without a head: every column would be taken for the one beside it."""
    for dialect in ("bdf", "neware"):
        path = edited(
            write(tmp_path, TABLE, dialect),
            lambda c: [c[0], *([str(n), *row] for n, row in enumerate(c[1:], 1))],
        )
        with pytest.raises(FileError, match="its rows have one cell more than its header"):
            read_cycler(path, UTC)


def test_cycles_from_zero_are_told(tmp_path: Path) -> None:
    zero = read_cycler(write(tmp_path, replace(TABLE, cycle=TABLE.cycle - 1), "bdf"))
    assert sorted(set(zero.cycle)) == [1, 2, 3]
    assert zero.notes == ("cycles of cell.bdf.csv begin with 0: numbered from 1",)


def at_dates(path: Path, column: int, form: str, name: str = "edited.csv") -> Path:
    """A copy with the dates of a column in another format, in UTC; `serial` for Excel's days."""

    def edit(cells: Cells) -> Cells:
        for row, time_s in zip(cells[1:], TABLE.time_s, strict=True):
            stamp = datetime.fromtimestamp(START + time_s, UTC)
            row[column] = (
                f"{25_569 + (START + time_s) / 86_400:.8f}" if form == "serial" else stamp.strftime(form)
            )
        return cells

    return edited(path, edit, name)


@pytest.mark.parametrize("dialect", ["neware", "bdf", "arbin", "maccor", "ec-lab"])
def test_two_tests_in_one_file(dialect: str, tmp_path: Path) -> None:
    """Two exports put together: the second begins with cycle 1 again, which is not the first test's cycle 1."""
    half = TABLE.part(TABLE.cycle < 3)
    first = write(tmp_path, half, dialect)
    pause_s = half.time_s[-1] + 1800.0
    # EC-Lab's dates are its test time, which goes on.
    later = replace(half, time_s=half.time_s + pause_s) if dialect == "ec-lab" else half
    second = write(tmp_path, later, dialect, Written(start=START + pause_s * (later is half)), "second")
    encoding = DIALECTS[dialect][3]
    lines = second.read_text(encoding=encoding).splitlines(keepends=True)
    with first.open("a", encoding=encoding) as file:
        file.writelines(lines[len(lines) - len(half.time_s) :])
    found = per_cycle([first], AT_START)
    assert sorted(found) == [1, 2, 3, 4]
    for values in found.values():
        assert values == pytest.approx((0.1, 0.099), abs=1e-8)
    assert "begin anew at row 289: numbered on from the last" in " ".join(read_cycler(first, UTC).notes)


@pytest.mark.parametrize(("row", "number"), [(200, "99"), (300, "1"), (200, "0")])
def test_a_row_with_the_number_of_another_cycle(row: int, number: str, tmp_path: Path) -> None:
    def edit(cells: Cells) -> Cells:
        cells[row][4] = cells[row + 1][4] = number
        return cells

    path = edited(write(tmp_path, TABLE, "bdf"), edit)
    judged(per_cycle([path]))
    assert "2 rows of edited.csv with a number of cycles unlike those" in " ".join(read_cycler(path).notes)


def test_numbers_that_begin_anew() -> None:
    def numbers(*values: float, even: bool = False) -> list[float]:
        return list(going_on(np.array(values, dtype=float), even)[0])

    assert numbers(1, 2, 2, 3, 1, 2, 3) == [1, 2, 2, 3, 4, 5, 6]
    # A last number that is not written in full.
    assert numbers(9, 9, 10, 10, 1) == [9, 9, 10, 10, 10]
    assert numbers(0, 1, 2, 0, 1, 2, even=True) == [0, 1, 2, 4, 5, 6]
    # The next cycle had just begun when a new test did.
    assert numbers(1, 1, 1, 1, 2, 1, 1, 1, 1, 2) == [1, 1, 1, 1, 2, 3, 3, 3, 3, 4]


@pytest.mark.parametrize("dialect", ["neware", "bdf", "maccor", "basytec"])
@pytest.mark.parametrize("rows_of_both", [20, 10_000])
def test_files_that_share_rows(dialect: str, rows_of_both: int, tmp_path: Path) -> None:
    """Daily exports: the second has the last rows of the first too, or all of them."""
    whole = write(tmp_path, TABLE, dialect)
    encoding, half = DIALECTS[dialect][3], len(TABLE.time_s) // 2 + 7
    lines = whole.read_text(encoding=encoding).splitlines(keepends=True)
    head = len(lines) - len(TABLE.time_s)
    shared = min(rows_of_both, half)
    first, second = (whole.with_name(f"{name}{whole.suffix}") for name in ("first", "second"))
    first.write_text("".join(lines[: head + half]), encoding=encoding)
    second.write_text("".join([*lines[:head], *lines[head + half - shared :]]), encoding=encoding)
    parts = read_cyclers([second, first], UTC)
    judged(per_cycle([second, first]), 1e-8)
    ((why, count),) = [each for part in parts for each in part.dropped.items()]
    assert count == shared and "also in" in why


@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize("dialect_row", [1, -1])
def test_the_first_or_last_row_with_a_wrong_stamp(dialect_row: int, timed: bool, tmp_path: Path) -> None:
    """The last row 2 h behind moved all others by 2 h; a first row in 1970 made a cycle of 56 years."""

    def edit(seconds: float) -> Callable[[Cells], Cells]:
        def off(cells: Cells) -> Cells:
            cells[dialect_row][3] = f"{float(cells[dialect_row][3]) + seconds:.3f}"
            return cells if timed else [row[1:] for row in cells]

        return off

    true_s = START + (TABLE.time_s[1:] if dialect_row == 1 else TABLE.time_s[:-1])
    for seconds in (7200.0 * dialect_row, -START + 10):
        found = read_cycler(edited(write(tmp_path, TABLE, "bdf"), edit(seconds)))
        assert list(found.unix_s) == list(true_s)
        assert sum(found.dropped.values()) == 1


@pytest.mark.parametrize(
    ("dialect", "column", "form"),
    [("neware", 11, "%Y/%m/%d %H:%M"), ("arbin", 1, "%d/%m/%Y %H:%M")],
)
def test_dates_without_seconds(dialect: str, column: int, form: str, tmp_path: Path) -> None:
    """A spreadsheet program saves what it shows."""
    path = at_dates(write(tmp_path, replace(TABLE, time_s=TABLE.time_s + 17.0), dialect), column, form)
    found = read_cycler(path, UTC)
    assert found.unix_s == pytest.approx(START + TABLE.time_s, abs=60)
    assert np.diff(found.unix_s) == pytest.approx(np.diff(TABLE.time_s))
    assert "have no seconds: these are those of the test time" in " ".join(found.notes)
    if dialect == "arbin":
        # Its map asks for the test time.
        return
    without = edited(path, lambda cells: [row[:5] + row[6:] for row in cells], "without.csv")
    found = read_cycler(without, UTC)
    assert found.unix_s == pytest.approx(START + TABLE.time_s, abs=31)
    assert "right to half a minute" in " ".join(found.notes)


@pytest.mark.parametrize(
    "form",
    ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S+00:00", "%Y-%m-%dT%H:%M:%S.000+0000", "serial"],
)
@pytest.mark.parametrize(("dialect", "column"), [("neware", 11), ("landt", 3), ("bdf", 3)])
def test_dates_with_an_offset_and_days_of_a_spreadsheet(
    dialect: str, column: int, form: str, tmp_path: Path
) -> None:
    path = write(tmp_path, TABLE, dialect)
    if dialect == "landt":
        path = edited(path, lambda cells: cells[2:], "head.csv")
    elif dialect == "bdf":
        path = edited(path, lambda cells: [[*cells[0][:3], "Date Time ISO", *cells[0][4:]], *cells[1:]])
    found = read_cycler(at_dates(path, column, form, "dates.csv"), UTC if form == "serial" else None)
    assert found.unix_s == pytest.approx(START + TABLE.time_s, abs=1e-3)


def test_an_offset_of_a_date_counts(tmp_path: Path) -> None:
    path = at_dates(write(tmp_path, TABLE, "neware"), 11, "%Y-%m-%dT%H:%M:%S-02:30")
    assert read_cycler(path).unix_s[0] == START + 9000


def test_days_of_a_spreadsheet_with_few_digits_are_refused(tmp_path: Path) -> None:
    path = edited(
        write(tmp_path, TABLE, "neware"),
        lambda cells: [cells[0], *([*row[:11], "46023.041"] for row in cells[1:])],
    )
    with pytest.raises(FileError, match=r"cannot read the date '46023\.041'"):
        read_cycler(path, UTC)


@pytest.mark.parametrize(
    ("start", "hours"),
    [(datetime(2026, 10, 24, 22, tzinfo=UTC), 2), (datetime(2026, 3, 28, 22, tzinfo=UTC), 1)],
)
def test_a_computer_that_does_not_change_its_clock(start: datetime, hours: int, tmp_path: Path) -> None:
    how = Written(start=start.timestamp(), zone=timezone(timedelta(hours=hours)))
    found = read_cycler(write(tmp_path, TABLE, "neware", how), ZoneInfo("Europe/Oslo"))
    assert found.unix_s == pytest.approx(start.timestamp() + TABLE.time_s, abs=1e-3)
    assert f"did not change from or to summer time: taken as UTC +{hours} h" in " ".join(found.notes)


def test_a_test_that_begins_in_the_second_of_two_equal_hours(tmp_path: Path) -> None:
    start = datetime(2026, 10, 25, 1, 20, tzinfo=UTC).timestamp()
    how = Written(start=start, zone=ZoneInfo("Europe/Oslo"))
    found = read_cycler(write(tmp_path, TABLE, "neware", how), ZoneInfo("Europe/Oslo"))
    assert found.unix_s == pytest.approx(start + TABLE.time_s, abs=1e-3)


@pytest.mark.parametrize(
    "form",
    ["{d}d {h:02}:{m:02}:{s:02}", "{d}.{h:02}:{m:02}:{s:02}", "{d}-{h:02}:{m:02}:{s:02}.000", "{H}:{m:02}:{s:02}",
     "{d} days, {h}:{m:02}:{s:02}", "{d} days {h:02}:{m:02}:{s:02},0", "{H:04}:{m:02}:{s:02}:000"],
)  # fmt: skip
def test_test_time_of_days(form: str, tmp_path: Path) -> None:
    path = write(tmp_path, replace(TABLE, time_s=TABLE.time_s * 8), "basytec")
    *head, names = (lines := path.read_text(encoding="cp1252").splitlines())[:4]
    body = [line.split("\t", 1) for line in lines[4:]]
    shown = [
        form.format(d=t // 86_400, h=t // 3600 % 24, H=t // 3600, m=t // 60 % 60, s=t % 60)
        for t in (round(float(time)) for time, _ in body)
    ]
    rest = [f"{time}\t{line}" for time, (_, line) in zip(shown, body, strict=True)]
    path.write_text("\n".join([*head, names.replace("Time[s]", "Time[h:min:s]"), *rest]), encoding="cp1252")
    found = read_cycler(path, UTC)
    assert found.unix_s == pytest.approx(START + TABLE.time_s * 8, abs=1)


def test_a_test_time_that_nobody_can_read_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, TABLE, "basytec")
    lines = path.read_text(encoding="cp1252").splitlines()
    path.write_text("\n".join([*lines[:4], *("0:12\t" + line.split("\t", 1)[1] for line in lines[4:])]))
    with pytest.raises(FileError, match="cannot read the test time '0:12'"):
        read_cycler(path, UTC)


@pytest.mark.parametrize("apart", ["\u202f", "\u2009", "'", "\u2019", "\u00a0", " "])
def test_thousands_that_are_set_apart(apart: str, tmp_path: Path) -> None:
    path = write(tmp_path, TABLE, "neware-uA")
    with path.open(encoding="cp1252", newline="") as file:
        cells = list(csv.reader(file))
    for row in cells[1:]:
        row[6] = f"{float(row[6]):,.3f}".replace(",", apart)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";").writerows(cells)
    assert read_cycler(path, UTC).current_a == pytest.approx(TABLE.ampere, abs=1e-6)


@pytest.mark.parametrize(
    ("dialect", "columns", "most"), [("neware", (8, 9, 10), 65.536), ("bdf", (6, 7), 0.262144)]
)
def test_a_counter_that_wraps(dialect: str, columns: tuple[int, ...], most: float, tmp_path: Path) -> None:
    def edit(cells: Cells) -> Cells:
        for row in cells[1:]:
            for at in columns:
                row[at] = f"{float(row[at]) % most:.9f}"
        return cells

    judged(per_cycle([edited(write(tmp_path, TABLE, dialect), edit)]), 1e-7)


@pytest.mark.parametrize("thousands", [1, 2, 3])
def test_unix_time_in_smaller_units_than_its_name_says(thousands: int, tmp_path: Path) -> None:
    def edit(cells: Cells) -> Cells:
        return [
            cells[0],
            *([*row[:3], f"{float(row[3]) * 1000**thousands:.0f}", *row[4:]] for row in cells[1:]),
        ]

    found = read_cycler(edited(write(tmp_path, TABLE, "bdf"), edit))
    assert found.unix_s == pytest.approx(START + TABLE.time_s, abs=1e-3)


def test_a_log_above_the_table(tmp_path: Path) -> None:
    path = write(tmp_path, TABLE, "neware")
    path.write_text(
        "".join(f"step {n}, voltage ok\n" for n in range(300))
        + "log\n" * 3000
        + "page\f2\n"
        + path.read_text()
    )
    judged(per_cycle([path]))
    assert len(read_cycler(path, UTC)) == len(TABLE.time_s)


@pytest.mark.parametrize(("dialect", "columns"), [("maccor", (8,)), ("neware", (3, 9, 10))])
def test_nothing_tells_charge_from_discharge(dialect: str, columns: tuple[int, ...], tmp_path: Path) -> None:
    """A current without sign and without the step's type: all of it was taken for charge, 331 mAh in and 0 out."""

    def edit(cells: Cells) -> Cells:
        return [
            [cell.lstrip("-") for n, cell in enumerate(row) if n not in columns or len(row) < 3]
            if row[0] != "Today's Date"
            else row
            for row in cells
        ]

    path = edited(write(tmp_path, TABLE, dialect), edit)
    with pytest.raises(FileError, match="nothing tells charge from discharge"):
        read_cycler(path, UTC)
    # A test of charges alone is none of these.
    charges = TABLE.part(TABLE.ampere > 0)
    charges = replace(charges, discharged=0.0 * charges.discharged, charge=charges.charged)
    only = write(tmp_path, charges, dialect, name="charges")
    assert read_cycler(edited(only, edit), UTC).charged_ah[-1] == pytest.approx(0.3, rel=0.05)


def test_a_current_without_sign_beside_counters_with_a_direction(tmp_path: Path) -> None:
    def edit(cells: Cells) -> Cells:
        return [[cell.lstrip("-") for n, cell in enumerate(row) if n != 3] for row in cells]

    path = edited(write(tmp_path, TABLE, "neware"), edit)
    judged(per_cycle([path]), 1e-8)
    assert read_cycler(path, UTC).current_a == pytest.approx(TABLE.ampere, abs=1e-6)


def test_a_capacity_that_rises_in_both_directions(tmp_path: Path) -> None:
    net, _, _ = TABLE.since(TABLE.number)
    path = write(tmp_path, TABLE, "novonix")
    lines = path.read_text().splitlines()
    body = [line.split(",") for line in lines[5:]]
    for row, moved in zip(body, net, strict=True):
        row[6] = f"{abs(moved):.9f}"
    path.write_text("\n".join([*lines[:5], *map(",".join, body)]))
    judged(per_cycle([path]), 1e-8)


def test_cells_with_their_units_are_told(tmp_path: Path) -> None:
    path = write(tmp_path, TABLE, "bdf")

    def with_unit(*columns: int) -> Callable[[Cells], Cells]:
        return lambda cells: [
            cells[0],
            *([f"{cell} mAh" if n in columns else cell for n, cell in enumerate(row)] for row in cells[1:]),
        ]

    found = read_cycler(edited(path, with_unit(6)))
    assert f"432 cells of charged in edited.csv are no numbers, such as '{0:.9f} mAh'" in found.notes
    with pytest.raises(FileError, match=r"has no rows of numbers, but '3\.2200 mAh' as voltage"):
        read_cycler(edited(path, with_unit(1, 2)))


@pytest.mark.parametrize(
    "form",
    ["%d.%m.%Y %H:%M:%S", "%d-%b-%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S\u202f%p", "%Y-%m-%dT%H:%M:%S"],
)
def test_dates_that_a_program_was_told_to_write(form: str, tmp_path: Path) -> None:
    found = read_cycler(at_dates(write(tmp_path, TABLE, "neware"), 11, form), UTC)
    assert found.unix_s == pytest.approx(START + TABLE.time_s, abs=1e-3)


@pytest.mark.parametrize(
    "names",
    [("Laden", "Entladen", "Pause"), ("Charge", "D\u00e9charge", "Repos"), ("Carga", "Descarga", "Pausa"),
     ("Carica", "Scarica", "Pausa"), ("Lading", "Utlading", "Hvile"), ("CC_Charge", "CC-DisCharge", "Rest")],
)  # fmt: skip
def test_names_of_steps_in_other_languages(names: tuple[str, str, str], tmp_path: Path) -> None:
    """A French "Décharge" was taken for a charge; a German "Entladen" for nothing, and so for a charge."""
    spelled = dict(zip(("CC Chg", "CC DChg", "Rest"), names, strict=True))

    def edit(cells: Cells) -> Cells:
        return [
            [spelled.get(cell, cell.lstrip("-")) for n, cell in enumerate(row) if n not in (9, 10)]
            for row in cells
        ]

    judged(per_cycle([edited(write(tmp_path, TABLE, "neware"), edit)]), 1e-8)


def test_a_row_that_is_named_a_pause_but_has_a_current(tmp_path: Path) -> None:
    """Maccor marks a row at which a step was suspended: its charge was lost."""

    def edit(cells: Cells) -> Cells:
        return [[*row[:8], "S", *row[9:]] if n % 37 == 5 else row for n, row in enumerate(cells)]

    judged(per_cycle([edited(write(tmp_path, TABLE, "maccor"), edit)]), 1e-8)


def test_one_time_stamp_for_all_rows(tmp_path: Path) -> None:
    path = edited(
        write(tmp_path, TABLE, "bdf"),
        lambda cells: [cells[0], *([*row[:3], str(START), *row[4:]] for row in cells[1:])],
    )
    with pytest.raises(FileError, match="all rows have the same time stamp"):
        read_cycler(path)
