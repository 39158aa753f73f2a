"""Text tables of cyclers in any code page, with any separator and decimal mark: their head, and a stream of rows."""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from itertools import chain, islice
from pathlib import Path

from ipch.cyclers import nested
from ipch.cyclers.columns import CHUNK, Columns
from ipch.cyclers.maps import Found, Map, fit, present
from ipch.cyclers.raw import Floats, Raw
from ipch.cyclers.units import is_unit
from ipch.errors import FileError

# A log may stand above a table, but few of its lines have the name of a column.
_HEAD_LINES = 20_000
_HEAD_BYTES = 2_000_000
_MOST_HEADS = 400
_TAIL_BYTES = 65_536
_NO_TEXT = {
    b"PK\x03\x04": "a ZIP archive or workbook",
    b"\x1f\x8b": "a gzip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"%PDF": "a PDF document",
}
_UNITS_BELOW = ("{}({})", "{} ({})", "{} / {}")
_DECIMAL = re.compile(r"[-+]?\d*\.\d+([eE][-+]?\d+)?")
_DATED = re.compile(r"^\s*\d+[/.-]\d+[/.-]\d+")


class UnknownTable(FileError):
    """No map fits the columns of a text table."""


def read_text(path: Path, maps: Sequence[Map], zone: tzinfo | None, start: datetime | None = None) -> Raw:
    """Read a text table by the map that fits its head best. Raises FileError."""
    lines, columns = _table(path, maps)
    return columns.raw(lines, zone, start)


def cycle_numbers(path: Path, maps: Sequence[Map]) -> Floats:
    """The column of cycles of a table that may have no other column that the maps know. Raises FileError."""
    names = [name for each in maps for name in each.columns.get("cycle", [])]
    return _table(path, [Map(name="cycles", columns={"cycle": names}, recognise=["cycle"])])[1].numbers(
        "cycle"
    )


def _table(path: Path, maps: Sequence[Map]) -> tuple[Sequence[str], Columns]:
    """The lines above a table, and its columns."""
    with path.open("rb") as file:
        top = file.read(_HEAD_BYTES)
    if not top.strip(b"\0 \t\r\n"):
        raise FileError(f"{path}: is empty")
    for mark, what in _NO_TEXT.items():
        if top.startswith(mark):
            raise FileError(f"{path}: is {what}, no table of text; see its ending")
    for encoding, text in _decoded(top):
        # As the file is read below: a form feed ends no line.
        lines = re.split("\r\n|\r|\n", text.rstrip("\r\n"), maxsplit=_HEAD_LINES)[:_HEAD_LINES]
        levels = nested.head_of(lines)
        place = nested.found(path, levels, maps) if levels else find_head(path, lines, maps)
        if place is not None:
            return lines[: place[1]], _read(path, encoding, lines, place, levels is not None)
    almost = _almost(path, lines[:_MOST_HEADS], maps)
    if almost:
        raise UnknownTable(almost)
    first = next(line for line in text.splitlines() if line.strip())
    cells = ", ".join(cell.strip()[:40] for cell in re.split("[,;\t]", first)[:4])
    raise UnknownTable(
        f"{path}: unknown columns {cells}; known are tables of {', '.join(sorted({m.name for m in maps}))};"
        " others need a map of their columns (--map)"
    )


def _decoded(top: bytes) -> Iterator[tuple[str, str]]:
    """Code pages that the file may have, the likeliest first, with its first lines."""
    marks = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
    known = [name for mark, name in marks.items() if top.startswith(mark)]
    zeros = top[:400]
    if not known and zeros.count(0) > len(zeros) // 4:
        known = ["utf-16-le" if zeros[1::2].count(0) > zeros[::2].count(0) else "utf-16-be"]
    # Programs of Neware and BioLogic write the code page of their computer.
    for name in known or ("utf-8", "cp1252", "gb18030", "latin-1"):
        try:
            yield name, codecs.getincrementaldecoder(name)().decode(top)
        except UnicodeDecodeError:
            continue


Place = tuple[Found, int, str, list[str]]
"""A map that fits, the number of the head's line, its separator and cells."""


def find_head(path: Path, lines: Sequence[str], maps: Sequence[Map]) -> Place | None:
    """The map that finds most columns in one of these lines."""
    best: Place | None = None
    telling = {word for each in maps for name in each.columns[each.recognise[0]] if (word := _telling(name))}
    heads = (n for n, line in enumerate(lines) if best or any(word in line.lower() for word in telling))
    for number in islice(heads, _MOST_HEADS):
        for separator in "\t;,":
            for last, cells in _heads(lines, number, separator):
                for candidate in maps:
                    if len(cells) < min(3, len(candidate.columns) + 1):
                        continue
                    found = fit(candidate, cells, str(path))
                    if found is not None and (best is None or len(found.column) > len(best[0].column)):
                        best = found, last, separator, cells
        if best is not None and number >= best[1] + 3:
            break
    return best


def _telling(name: str) -> str:
    """What a line must contain to have a column of this name; its spaces may be others."""
    return max(re.split(r"\{\w+\}|\s", name.lower()), key=len)


def _heads(lines: Sequence[str], number: int, separator: str) -> Iterator[tuple[int, list[str]]]:
    """A line as a head, before that with the units that the line below may hold; and the head's last line."""
    names, *rest = csv.reader(lines[number : number + 2], delimiter=separator)
    units = [cell.strip() for cell in rest[0]] if rest else []
    if sum(map(is_unit, units)) > 1 and len(units) <= len(names):
        for form in _UNITS_BELOW:
            spelled = [
                form.format(name.strip(), unit) if unit else name
                for name, unit in zip(names, units, strict=False)
            ]
            yield number + 1, spelled + names[len(units) :]
    yield number, names


def _almost(path: Path, lines: Sequence[str], maps: Sequence[Map]) -> str:
    """What a table of a known maker lacks, if a line has most of its columns; else empty."""
    best, text = 2, ""
    for line in lines:
        for separator in "\t;,":
            cells = next(csv.reader([line], delimiter=separator), [])
            for candidate in maps:
                there, missing = present(candidate, cells)
                if len(there) >= best and missing:
                    names = re.sub(r"[{}]", "", " or ".join(candidate.columns[missing[0]][:2]))
                    best = len(there) + 1
                    text = (
                        f"{path}: looks like a table of {candidate.name}, but has no {missing[0]} ({names}); a table of"
                        " another kind needs a map of its columns (--map)"
                    )
    return text


def _read(path: Path, encoding: str, lines: Sequence[str], place: Place, levels: bool) -> Columns:
    found, line, separator, head = place
    body = lines[line + 1 :]
    first_rows = [next(csv.reader([row], delimiter=separator), []) for row in body[:5]]
    if not levels and first_rows and all(any(row[len(head) :]) for row in first_rows if row):
        raise FileError(f"{path}: its rows have {_more(first_rows, len(head))}")
    found = _with_dates(found, first_rows)
    columns = Columns(path, found, _decimal_comma(body, separator))
    with path.open(encoding=encoding, errors="replace", newline=None) as file:
        for _ in range(line + 1):
            next(file)
        first: list[str] = []
        while not levels and (first := list(islice(file, CHUNK))) and columns.take_numbers(first, separator):
            pass
        rows: Iterator[list[str]] = csv.reader(chain(first, file), delimiter=separator)
        columns.take(nested.flat(rows, lines, columns.own_cycles) if levels else rows)
    if not levels and _is_cut(path, encoding, separator, found):
        columns.drop_last("last line cut")
    return columns


def _more(rows: Sequence[Sequence[str]], wide: int) -> str:
    """What may be wrong with rows that have more cells than their head."""
    if not any(_DECIMAL.fullmatch(cell.strip()) for row in rows for cell in row):
        return "more cells than its header: the comma is a decimal mark as well as a separator; save it with semicolons"
    if all(len(row) == wide + 1 for row in rows if row):
        return "one cell more than its header, so that it is not known which column is which: add the missing name"
    return "more cells than its header, so that it is not known which column is which: add the missing names"


def _with_dates(found: Found, rows: Sequence[Sequence[str]]) -> Found:
    """EC-Lab and BT-Lab may write dates into the column of time."""
    at = found.column.get("test_time", -1)
    if "date" in found.column or not any(len(row) > at >= 0 and _DATED.match(row[at]) for row in rows):
        return found
    column = {("date" if name == "test_time" else name): n for name, n in found.column.items()}
    return replace(found, column=column)


def _decimal_comma(lines: Sequence[str], separator: str) -> bool:
    """Whether a comma alone is a decimal mark: where it does not separate cells, or where quoted numbers say so."""
    if separator != ",":
        return True
    text = "\n".join(lines[:200])
    return len(re.findall(r"\"[-+]?\d+,\d+\"", text)) > len(re.findall(r"\d\.\d", text))


def _is_cut(path: Path, encoding: str, separator: str, found: Found) -> bool:
    """Whether the last line has no end and is shorter than the lines before it, in cells or in its last cell."""
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - _TAIL_BYTES) // 2 * 2)
        tail = file.read().decode(encoding.removesuffix("-sig"), errors="replace")
    *before, last = list(csv.reader(tail.splitlines()[-12:], delimiter=separator)) or [[]]
    # The first of these lines may itself be cut, by where the reading began; and it may be the head.
    before = [row for row in before[1:] if row]
    if (
        tail.endswith(("\n", "\r"))
        or not before
        or len(last) <= max(found.column.get(n, 0) for n in found.map.recognise)
    ):
        return False
    if len(last) < min(len(row) for row in before):
        return True
    at = len(last) - 1
    return at in found.column.values() and len(last[at]) < min(
        len(row[at]) for row in before if len(row) > at
    )
