"""Rows of text cells as the columns of a Raw, by a map that fits their head; in chunks, so that memory stays small."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from itertools import compress, islice, zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipch.cyclers.counters import MOVING, held
from ipch.cyclers.maps import UNIT_OF, Found
from ipch.cyclers.raw import Raw, raw
from ipch.cyclers.times import (
    ambiguous,
    as_kept,
    clock,
    instants,
    serial,
    start_unix,
    unix_of,
    wall_clock,
)
from ipch.errors import FileError

Floats = NDArray[np.floating[Any]]

CHUNK = 20_000
_SAMPLE = 2000
_FAR_S = 1e11
# Cells that hold no value; so few others are a line between the rows.
_EMPTY = re.compile(r"|-+|#?n/?an?|null|none|[-+\u2212]?inf(inity)?", re.IGNORECASE)
_FEW, _FEW_SHARE = 3, 1e-3
# Formats of dates that any program may have been told to write.
_ANY_DATES = (
    "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M",
    "%Y.%m.%d %H:%M:%S", "%d-%b-%Y %H:%M:%S", "%d/%b/%Y %H:%M:%S", "%d %b %Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p",
    "%d/%m/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%m-%d-%Y %H:%M:%S", "%d-%m-%Y %H:%M:%S",
)  # fmt: skip
_NUMBERS = (*UNIT_OF, "cycle", "half", "step", "record")
_REST = re.compile(r"rest|pause|ocv|wait|^[RPSO]$|\u9759\u7f6e|\u6401\u7f6e", re.IGNORECASE)
# English, Chinese, German, French, Spanish, Italian, Norwegian.
_OUT = re.compile(
    r"d(is|[e\u00e9])?[ _-]?ch(a?r?ge?)?|^D$|\u653e\u7535|(ent|ut)lad|descarg|scaric", re.IGNORECASE
)
_IN = re.compile(r"ch(a?r?ge?)|^C$|\u5145\u7535|lad(en|ung|ing)|carg|caric", re.IGNORECASE)
_APART = re.compile(r"[\s'\u2019]")
_RENAMED = {"unix": "unix_s", "test_time": "test_s", "voltage": "voltage_v", "current": "current_a"}


class Columns:
    """Collects the cells that the map names."""

    def __init__(self, path: Path, found: Found, comma: bool) -> None:
        """`comma`: the decimal mark is a comma."""
        self._path, self._found, self._comma = path, found, comma
        self._numbers: dict[str, list[Floats]] = {name: [] for name in found.column if name in _NUMBERS}
        self._texts: dict[str, list[str]] = {
            name: [] for name in ("date", "state", "channel") if name in found.column
        }
        # A row without any of these holds nothing.
        self._telling: list[str] = [name for name in ("voltage", "current") if name in self._numbers] or [
            "cycle"
        ]
        self.dropped: dict[str, int] = {}
        self.own_cycles: dict[int, tuple[float, float]] = {}
        self._strange: dict[str, tuple[int, str]] = {}
        """Cells that are no numbers, with the first of them, by column."""

    def take(self, rows: Iterable[Sequence[str]]) -> None:
        """Add rows. Those without cells, or without a voltage and a current, are counted and left out."""
        source = iter(rows)
        while chunk := list(islice(source, CHUNK)):
            self._add([row for row in chunk if row])

    def take_numbers(self, lines: Sequence[str], separator: str) -> bool:
        """Add lines whose cells of interest are all plain numbers, in a third of the time; False if they are not."""
        text = "".join(lines)
        if self._texts or '"' in text or not text.strip():
            return False
        names = list(self._numbers)
        at = [self._found.column[name] for name in names]
        try:
            cells = np.loadtxt(lines, delimiter=separator, usecols=at, comments=None, ndmin=2)
        except ValueError:
            return False
        known = np.isfinite(cells)
        if not known[:, [name in self._telling for name in names]].any(axis=1).all():
            return False
        for number, name in enumerate(names):
            values = np.where(known[:, number], cells[:, number], np.nan)
            self._numbers[name].append(values * self._found.scale.get(name, 1.0))
        return True

    def _add(self, rows: list[Sequence[str]]) -> None:
        column = self._found.column
        last = max(column.get(name, 0) for name in self._found.map.recognise)
        whole, widths = rows, set(map(len, rows))
        if min(widths, default=0) <= last:
            whole = [row for row in rows if len(row) > last]
            self._lose("too few cells", sum(any(row) for row in rows if len(row) <= last))
        if not whole:
            return
        cells = list(zip(*whole, strict=True) if len(widths) == 1 else zip_longest(*whole, fillvalue=""))
        empty = ("",) * len(whole)
        texts = {name: cells[at] if at < len(cells) else empty for name, at in column.items()}
        numbers = {name: self._column(texts[name], name) for name in self._numbers}
        keep = np.any([np.isfinite(numbers[name]) for name in self._telling], axis=0)
        if not keep.all():
            self._lose("no numbers", sum(any(whole[at]) for at in np.flatnonzero(~keep)))
        for name, values in numbers.items():
            self._numbers[name].append(values[keep])
        for name, kept in self._texts.items():
            kept += [text.strip() for text in compress(texts[name], keep.tolist())]

    def numbers(self, name: str) -> Floats:
        """A column of numbers, as read."""
        # The parts go: a long file is not held twice.
        self._numbers[name] = [np.concatenate([np.zeros(0), *self._numbers[name]])]
        return self._numbers[name][0]

    def drop_last(self, why: str) -> None:
        """Leave out the last row."""
        for parts in self._numbers.values():
            while parts and not len(parts[-1]):
                parts.pop()
            if parts:
                parts[-1] = parts[-1][:-1]
        for texts in self._texts.values():
            del texts[-1:]
        self._lose(why, 1)

    def _lose(self, why: str, count: int) -> None:
        if count:
            self.dropped[why] = self.dropped.get(why, 0) + count

    def _column(self, texts: Sequence[str], name: str) -> Floats:
        scale = self._found.scale.get(name, 1.0)
        if name == "test_time" and any(":" in text for text in texts):
            # A clock has no unit, whatever the head says.
            found, scale = np.array([clock(text) for text in texts]), 1.0
        else:
            try:
                found = np.fromiter(map(float, texts), dtype=np.float64, count=len(texts))
            except ValueError:
                found = np.array([_number(text, self._comma) for text in texts])
        found[np.isinf(found)] = np.nan
        unread = [
            text
            for at in np.flatnonzero(np.isnan(found)).tolist()
            if not _EMPTY.fullmatch(text := texts[at].strip())
        ]
        if unread:
            count, first = self._strange.get(name, (0, unread[0]))
            self._strange[name] = count + len(unread), first
        return found * scale

    def raw(self, above: Sequence[str], zone: tzinfo | None, start: datetime | None) -> Raw:
        """The columns with their times; `above` are the lines above the table. Raises FileError."""
        found, path = self._found, self._path
        columns = {_RENAMED.get(name, name): self.numbers(name) for name in self._numbers}
        rows = len(columns["voltage_v"])
        if not rows:
            cells = ", ".join(f"{first!r} as {name}" for name, (_, first) in self._strange.items())
            raise FileError(f"{path}: has no rows" + (f" of numbers, but {cells}" if cells else ""))
        self._one_channel()
        notes = [
            f"{count} cells of {name} in {path.name} are no numbers, such as {first!r}"
            for name, (count, first) in self._strange.items()
            if count > max(_FEW, _FEW_SHARE * rows)
        ]
        if found.assumed:
            notes.append(f"{path.name} tells no unit of {' and '.join(found.assumed)}: taken as A, Ah")
        if found.map.discharge_positive:
            for name in {"current_a", "net", "passed"} & set(columns):
                columns[name] = -columns[name]
        if "discharged" in columns and not (columns["discharged"] > 0).any():
            columns["discharged"] = np.abs(columns["discharged"])
        if "state" in found.column:
            columns["way"] = _ways(self._texts["state"], columns.get("current_a"))
            if "current_a" in columns and not (columns["current_a"] < 0).any():
                # A current without sign: the state has it.
                columns["current_a"] = np.where(columns["way"] < 0, -1.0, 1.0) * columns["current_a"]
        passed = columns.pop("passed", None)
        if passed is not None and "net" not in columns:
            columns["net"] = np.cumsum(np.nan_to_num(passed))
        dates = self._texts.get("date", [])
        if np.isfinite(columns.get("unix_s", np.zeros(0))).any():
            columns["unix_s"] = _as_seconds(columns["unix_s"])
        else:
            if any(dates):
                columns["unix_s"] = self._dated(columns.get("test_s"), zone, notes)
            else:
                test_s = columns.get("test_s", np.full(rows, np.nan))
                if "test_time" in self._strange and not np.isfinite(test_s).any():
                    first = self._strange["test_time"][1]
                    raise FileError(
                        f"{path}: cannot read the test time {first!r}; known are h:mm:ss and days"
                    )
                columns["unix_s"] = self._start(above, zone, start) + test_s
        return raw(
            path, found.map.name, rows, columns, dropped=self.dropped, notes=tuple(notes), own_cycles=self.own_cycles
        )  # fmt: skip

    def _dated(self, test_s: Floats | None, zone: tzinfo | None, notes: list[str]) -> Floats:
        """Unix times of the column of dates."""
        path, dates = self._path, self._texts["date"]
        told = instants(dates)
        if told is not None:
            return told
        timed = test_s is not None and np.isfinite(test_s).all()
        days = serial(dates)
        wall_s, form = (days, "") if days is not None else _dates(path, dates, self._found.map.dates)
        if ambiguous(form, wall_s):
            order = "month/day" if form.index("%m") < form.index("%d") else "day/month"
            notes.append(f"dates of {path.name} read as {order}/year")
        if form and "%S" not in form:
            wall_s, note = _to_the_second(wall_s, test_s if timed else None)
            notes.append(f"dates of {path.name} have no seconds: {note}")
        unix_s = unix_of(wall_s, zone, path)
        if test_s is not None and timed:
            unix_s, note = as_kept(wall_s, unix_s, test_s, zone, path)
            notes += [note] if note else []
        return unix_s

    def _one_channel(self) -> None:
        channels = sorted({text for text in self._texts.get("channel", []) if text})
        if len(channels) > 1:
            named = ", ".join(channels[:4])
            raise FileError(
                f"{self._path}: has {len(channels)} channels ({named}); export one channel to a file"
            )

    def _start(self, above: Sequence[str], zone: tzinfo | None, start: datetime | None) -> float:
        """Unix time of test time 0: by a line above the table, else as given."""
        wanted = self._found.map.start
        if wanted is not None:
            line = next((match[1] for text in above if (match := re.search(wanted, text))), None)
            wall_s, form = wall_clock([line.strip()], self._found.map.dates) if line else (np.zeros(0), "")
            if form:
                return float(unix_of(wall_s, zone, self._path)[0])
        if "test_time" not in self._found.column:
            raise FileError(f"{self._path}: no column Date, and no test time; export it with absolute time")
        if start is None:
            raise FileError(
                f"{self._path}: no time stamps: test time alone gives no date; give the start of the test with --start"
            )
        return start_unix(start, zone, self._path)


def _dates(path: Path, texts: Sequence[str], formats: Sequence[str]) -> tuple[Floats, str]:
    """All dates by the format that fits an even sample of them."""
    sample = texts[:: max(1, len(texts) // _SAMPLE)]
    form = wall_clock(sample, formats)[1] or wall_clock(sample, _ANY_DATES)[1]
    if not form:
        first = next(text for text in texts if text)
        raise FileError(f"{path}: cannot read the date {first!r}; known are {', '.join(formats)}")
    return wall_clock(texts, [form])


def _as_seconds(unix: Floats) -> Floats:
    """Unix time in s; no test was made so far from 1970 that ms or us could be meant as s."""
    size = max(float(np.nanmedian(unix)), 1.0)
    thousands = max(int(np.floor(np.log10(size / _FAR_S) / 3)) + 1, 0)
    return unix / 1e3**thousands


def _to_the_second(minute_s: Floats, test_s: Floats | None) -> tuple[Floats, str]:
    """Dates that have no seconds, by the test time if it goes on as they do; and what was done."""
    if test_s is not None:
        off_s = minute_s - test_s
        least, most = float(np.nanmax(off_s)), float(np.nanmin(off_s)) + 60.0
        if least <= most:
            return test_s + (least + most) / 2, "these are those of the test time"
    return minute_s + 30.0, "right to half a minute"


def _ways(texts: Sequence[str], current_a: Floats | None) -> Floats:
    """Directions by the names of the steps. A row with a current that is named a pause ends the row before it."""
    each = {
        text: 0.0
        if _REST.search(text)
        else -1.0
        if _OUT.search(text)
        else 1.0
        if _IN.search(text)
        else np.nan
        for text in set(texts)
    }
    way = np.array([each[text] for text in texts])
    if current_a is not None:
        size = np.nan_to_num(np.abs(current_a))
        paused = (way == 0) & (size > MOVING * size.max(initial=0.0))
        way[paused] = held(np.where(paused, np.nan, way))[paused]
    return way


def _number(text: str, comma: bool) -> float:
    # Thousands may be set apart by any space or apostrophe.
    text = _APART.sub("", text).replace("\u2212", "-")
    if "," in text:
        if "." in text:
            # Both: the last one is the decimal mark.
            thousands = "," if text.rfind(".") > text.rfind(",") else "."
            text = text.replace(thousands, "").replace(",", ".")
        else:
            text = text.replace(",", "." if comma else "")
    try:
        return float(text)
    except ValueError:
        return float("nan")
