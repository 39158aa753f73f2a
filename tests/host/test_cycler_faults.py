"""Ordinary imperfections of cycler files: each is planted into a file with a known truth, and read."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.scenarios.cycler_files import DIALECTS, START, Rows, cycling, drive_cycle, rows, write
from ipch.cyclers import Reading, read_cycler, read_cyclers
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
