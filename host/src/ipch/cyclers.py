"""Files of battery cyclers as one table: Neware .nda, .ndax and CSV (flat and nested), BioLogic .mpr and .mpt, BDF.

Binary files and EC-Lab's text go through readers that others keep (extra `cyclers`: fastnda for Neware, galvani for
BioLogic). Neware's CSV exports and BDF are plain tables: the one reader for both that there is brings an ontology
library and a notebook format with it, so they are read here.

Times come out as Unix time. Neware's binary files hold it. All others hold the wall clock of the cycler's computer and
do not say where that was, so a time zone is asked for; BDF may have Unix time. Relative time alone is refused, since it
cannot be put beside a pressure.
"""

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from ipch.errors import FileError, UsageError

Floats = NDArray[np.floating[Any]]

ENDINGS = (".nda", ".ndax", ".mpr", ".mpt", ".csv")
# A half cycle that moved less than this share of the largest one is a blip of the cycler's counting.
_BLIP = 1e-3
_FORMATS = ("%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f")
_EC_LAB_STARTS = (
    "%m/%d/%Y %H:%M:%S.%f", "%m/%d/%Y %H:%M:%S", "%m-%d-%Y %H:%M:%S", "%m.%d.%Y %H:%M:%S.%f", "%m/%d/%y %H:%M:%S",
)  # fmt: skip


@dataclass(frozen=True)
class CyclerData:
    """Rows in the order of the file. Ah, V, A (charging is positive), s; nan where the file says nothing."""

    path: Path
    reader: str
    """What read it, with its version."""
    unix_s: Floats
    test_s: Floats
    """Time since the start of the test, which does not step with the clock."""
    voltage_v: Floats
    current_a: Floats
    cycle: Floats
    """As the file numbers them; BioLogic without cycle numbers: see `cycles_of_halves`."""
    step: Floats
    charged_ah: Floats
    """Within the present half cycle or step, as the file has it; 0 while discharging."""
    discharged_ah: Floats

    def __len__(self) -> int:
        return len(self.unix_s)


def zone_of(name: str | None) -> tzinfo | None:
    """A time zone by its name (Europe/Oslo, UTC) or as an offset (+02:00). Raises UsageError."""
    if name is None:
        return None
    offset = re.fullmatch(r"([+-])(\d\d):?(\d\d)", name.strip())
    if offset:
        stamp = f"2000-01-01T00:00:00{offset[1]}{offset[2]}:{offset[3]}"
        return datetime.fromisoformat(stamp).tzinfo
    try:
        return ZoneInfo(name.strip())
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(
            f"time zone {name}: not known; a name such as Europe/Oslo, UTC, or an offset as +01:00"
        ) from error


def read_cycler(path: Path, zone: tzinfo | None = None, offset_s: float = 0.0) -> CyclerData:
    """Read one file. `zone` is where its wall clock hung, `offset_s` is added to its times. Raises FileError."""
    readers: dict[str, Callable[[Path, tzinfo | None], CyclerData]] = {
        ".nda": _neware,
        ".ndax": _neware,
        ".mpr": _mpr,
        ".mpt": _mpt,
        ".csv": _csv,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise FileError(f"{path}: not a cycler file that is known; {', '.join(ENDINGS)}")
    if not path.is_file():
        raise FileError(f"no cycler file at {path}")
    try:
        data = reader(path, zone)
    except FileError:
        raise
    except Exception as error:
        # The readers are not ours: whatever a damaged file makes them raise is one line here.
        raise FileError(f"{path} cannot be read: {type(error).__name__}: {error}") from error
    if not len(data):
        raise FileError(f"{path}: holds no rows")
    missing = int(np.sum(~np.isfinite(data.unix_s)))
    if missing:
        raise FileError(
            f"{path}: {missing} of {len(data)} rows have no time stamp; nothing says when they were"
        )
    return replace(data, unix_s=data.unix_s + offset_s)


def read_cyclers(
    paths: Sequence[Path], zone: tzinfo | None = None, offset_s: float = 0.0
) -> list[CyclerData]:
    """Read several files of one cell, put in the order of their times. Cycles count on. Raises FileError.

    A file that numbers its cycles from where the last one ended is left as it is.
    """
    parts = sorted((read_cycler(path, zone, offset_s) for path in paths), key=lambda part: part.unix_s[0])
    found: list[CyclerData] = []
    last = 0.0
    for part in parts:
        first = float(np.nanmin(part.cycle))
        if found and part.unix_s[0] < found[-1].unix_s[-1] - 60.0:
            raise FileError(f"{part.path} and {found[-1].path} overlap in time: give each stretch once")
        moved = part if first > last else replace(part, cycle=part.cycle + (last + 1 - first))
        last = float(np.nanmax(moved.cycle))
        found.append(moved)
    return found


def cycles_of_halves(half: Floats, charge_ah: Floats) -> Floats:
    """Cycle numbers, from 1, of BioLogic's half cycles, which may skip numbers.

    A half cycle charges or discharges by the change of `charge_ah` over it. A cycle begins with every half cycle in the
    direction of the first one that moved charge, and also where two in the same direction follow each other with a
    number left out between them.
    """
    numbers = half.astype(np.int64)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(numbers)) + 1])
    ends = np.append(starts[1:], len(numbers))
    before = np.concatenate([charge_ah[:1], charge_ah[starts[1:] - 1]])
    moved = charge_ah[ends - 1] - before
    least = _BLIP * float(np.max(np.abs(moved))) if len(moved) else 0.0
    cycles = np.ones(len(numbers))
    lead = last = 0
    last_number = cycle = 1
    for start, end, change in zip(starts, ends, moved, strict=True):
        way = 0 if abs(change) <= least else (1 if change > 0 else -1)
        number = int(numbers[start])
        if way and not lead:
            lead = last = way
        elif way:
            skipped = number - last_number >= 2
            if (way == lead and last != lead) or (way == last and skipped):
                cycle += 1
            last = way
        if way:
            last_number = number
        cycles[start:end] = cycle
    return cycles


def net_charge_ah(data: CyclerData) -> Floats:
    """Charge put into the cell since the first row, at each row, by the capacities of the file."""
    total: Floats = np.cumsum(increments(data.charged_ah) - increments(data.discharged_ah))
    return total


def increments(capacity_ah: Floats) -> Floats:
    """What each row adds to a capacity that starts again at 0 with a step, a half cycle or a cycle."""
    filled = np.nan_to_num(capacity_ah)
    change = np.diff(filled, prepend=0.0)
    return np.where(change < 0, filled, change)


def charge_profile(data: CyclerData) -> list[tuple[float, float]]:
    """(s since the first row, A until the next point): mean currents that give the charge of the file at each row."""
    passed_s = np.maximum.accumulate(np.nan_to_num(data.unix_s - data.unix_s[0]))
    last = np.append(np.diff(passed_s) > 0, True)
    time_s, charge_ah = passed_s[last], net_charge_ah(data)[last]
    current_a = np.append(np.diff(charge_ah) / np.diff(time_s) * 3600.0, 0.0)
    return list(zip(time_s.tolist(), current_a.tolist(), strict=True))


def _column(table: dict[str, Floats], *names: str, scale: float = 1.0) -> Floats | None:
    for name in names:
        if name in table:
            return table[name] * scale
    return None


def _nothing(like: Floats) -> Floats:
    return np.full(len(like), np.nan)


def _library(name: str) -> Any:
    import importlib
    import importlib.metadata

    try:
        module = importlib.import_module(name)
    except ImportError as error:
        raise FileError(f"this file needs {name}; install it with: pip install 'ipch[cyclers]'") from error
    return module, f"{name} {importlib.metadata.version(name)}"


def _neware(path: Path, zone: tzinfo | None) -> CyclerData:
    """Neware binary, by fastnda. Its capacity is of the step, negative while discharging; its times are Unix time."""
    fastnda, reader = _library("fastnda")
    frame = fastnda.read(str(path))

    def column(name: str) -> Floats:
        values: Floats = frame[name].to_numpy().astype(np.float64)
        return values

    capacity_ah = column("capacity_mAh") / 1e3
    return CyclerData(
        path,
        reader,
        unix_s=column("unix_time_s"),
        test_s=column("total_time_s"),
        voltage_v=column("voltage_V"),
        current_a=column("current_mA") / 1e3,
        cycle=column("cycle_count"),
        step=column("step_count"),
        charged_ah=np.maximum(capacity_ah, 0.0),
        discharged_ah=np.maximum(-capacity_ah, 0.0),
    )


def _biologic(
    path: Path, reader: str, table: dict[str, Floats], start: datetime | None, zone: tzinfo | None
) -> CyclerData:
    """Columns of EC-Lab. Its time counts from the start of the acquisition, also in the second of linked files."""
    test_s = table["time/s"]
    charge_mah = _column(table, "(Q-Qo)/mA.h")
    if charge_mah is None:
        change = _column(table, "dq/mA.h", "dQ/mA.h")
        if change is None:
            raise FileError(f"{path}: holds neither (Q-Qo)/mA.h nor dq/mA.h, so no capacities")
        charge_mah = np.cumsum(change)
    current_a = _column(table, "<I>/mA", "I/mA", scale=1e-3)
    if current_a is None:
        # Not stored: the mean since the row before, from the charge that was counted.
        passed = np.diff(charge_mah, prepend=charge_mah[0])
        took_s = np.diff(test_s, prepend=test_s[0])
        current_a = np.where(took_s > 0, passed * 3.6 / np.maximum(took_s, 1e-9), 0.0)
    half = _column(table, "half cycle")
    cycle = _column(table, "cycle number")
    if cycle is None:
        cycle = cycles_of_halves(half, charge_mah) if half is not None else np.ones(len(test_s))
    counted = _column(table, "Q charge/discharge/mA.h", scale=1e-3)
    if counted is None:
        edges = half if half is not None else np.sign(np.diff(charge_mah, prepend=charge_mah[0]))
        counted = _since_change(charge_mah * 1e-3, edges)
    if start is None:
        raise FileError(
            f"{path}: no time stamps: EC-Lab wrote no start of the acquisition; export it as .mpr or with all settings"
        )
    voltage_v = _column(table, "Ewe/V", "<Ewe>/V", "Ecell/V", "<Ewe/V>")
    step = _column(table, "Ns")
    return CyclerData(
        path,
        reader,
        unix_s=_unix(start, zone, path) + test_s,
        test_s=test_s,
        voltage_v=voltage_v if voltage_v is not None else _nothing(test_s),
        current_a=current_a,
        cycle=cycle,
        step=step if step is not None else _nothing(test_s),
        charged_ah=np.maximum(counted, 0.0),
        discharged_ah=np.maximum(-counted, 0.0),
    )


def _since_change(charge_ah: Floats, label: Floats) -> Floats:
    """Charge since the row before the label last changed."""
    starts = np.concatenate([[0], np.flatnonzero(np.diff(label)) + 1])
    before = np.concatenate([charge_ah[:1], charge_ah[starts[1:] - 1]])
    counted: Floats = charge_ah - np.repeat(before, np.diff(np.append(starts, len(charge_ah))))
    return counted


def _mpr(path: Path, zone: tzinfo | None) -> CyclerData:
    """BioLogic binary, by galvani."""
    _, reader = _library("galvani")
    from galvani import BioLogic

    with path.open("rb") as opened:
        file = BioLogic.MPRfile(opened)
    table = {name: file.data[name].astype(np.float64) for name in file.data.dtype.names}
    return _biologic(path, reader, table, getattr(file, "timestamp", None), zone)


def _mpt(path: Path, zone: tzinfo | None) -> CyclerData:
    """EC-Lab's text, by galvani; the start of the acquisition is in its head."""
    _, reader = _library("galvani")
    from galvani import BioLogic

    with path.open("rb") as file:
        data, comments = BioLogic.MPTfile(file, encoding="latin-1")
    start = None
    for line in comments:
        found = re.match(r"Acquisition started on : (.*\S)", line.decode("latin-1"))
        if found:
            start = _parsed(found[1], _EC_LAB_STARTS)
    table = {name: data[name].astype(np.float64) for name in data.dtype.names}
    return _biologic(path, reader, table, start, zone)


def _csv(path: Path, zone: tzinfo | None) -> CyclerData:
    """BDF, or one of Neware's exports, by what the first lines say."""
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Neware's client writes the degree sign in the code page of its computer.
        text = raw.decode("gb18030", errors="replace")
    rows = list(csv.reader(io.StringIO(text)))
    if not rows:
        raise FileError(f"{path}: is empty")
    head = [cell.strip() for cell in rows[0]]
    if "Voltage / V" in head or "voltage_volt" in head:
        return _bdf(path, head, rows[1:], zone)
    if "DataPoint" in head and "Cycle Index" in head:
        return _neware_flat(path, head, rows[1:], zone)
    if head[:1] == ["Cycle Index"] and len(rows) > 3 and any(c.strip() == "DataPoint" for c in rows[2]):
        return _neware_nested(path, rows, zone)
    raise FileError(
        f"{path}: columns of no known cycler: {', '.join(head[:4])}; Neware's exports and BDF are read"
    )


def _neware_flat(path: Path, head: list[str], rows: list[list[str]], zone: tzinfo | None) -> CyclerData:
    return _neware_table(path, "Neware CSV, flat", head, [row for row in rows if row], None, zone)


def _neware_nested(path: Path, rows: list[list[str]], zone: tzinfo | None) -> CyclerData:
    """Three levels of head and of rows: cycle, step (indented by one), record (by two)."""
    head = [cell.strip() for cell in rows[2]]
    records, levels = [], []
    cycle = step = "0"
    steps_head = [cell.strip() for cell in rows[1]]
    for row in rows[3:]:
        if not row:
            continue
        if row[0].strip():
            cycle = row[0].strip()
            # A cycle's first step may stand in the same line behind it.
            rest = row[len([cell for cell in rows[0] if cell.strip()]) :]
            step = rest[1].strip() if len(rest) > 1 and rest[1].strip() else step
        elif len(row) > 1 and row[1].strip():
            step = row[steps_head.index("Step Number")].strip()
        elif len(row) > 2 and row[2].strip():
            records.append(row)
            levels.append((cycle, step))
    return _neware_table(path, "Neware CSV, nested", head, records, levels, zone)


def _neware_table(
    path: Path,
    reader: str,
    head: list[str],
    rows: list[list[str]],
    levels: list[tuple[str, str]] | None,
    zone: tzinfo | None,
) -> CyclerData:
    """Records of an export. Their capacity starts anew with each step."""
    place = {name: at for at, name in enumerate(head)}

    def cells(*names: str) -> list[str] | None:
        for name in names:
            if name in place:
                at = place[name]
                return [row[at] if at < len(row) else "" for row in rows]
        return None

    def numbers(name: str) -> Floats:
        for unit, scale in (("A", 1.0), ("mA", 1e-3), ("Ah", 1.0), ("mAh", 1e-3), ("V", 1.0), ("mV", 1e-3)):
            texts = cells(f"{name}({unit})")
            if texts is not None:
                return np.array([_number(text) for text in texts]) * scale
        return np.full(len(rows), np.nan)

    dates = cells("Date", "Absolute Time", "Realtime")
    if dates is None:
        raise FileError(f"{path}: no column Date, so nothing says when it was; export it with absolute time")
    current_a, capacity_ah = numbers("Current"), numbers("Capacity")
    charged_ah, discharged_ah = numbers("Chg. Cap."), numbers("DChg. Cap.")
    if not np.isfinite(charged_ah).any():
        # The sign of a step's current says which it was; the first record of a step may still have none.
        way = np.sign(_of_step(current_a, levels))
        charged_ah = np.where(way > 0, capacity_ah, 0.0)
        discharged_ah = np.where(way < 0, capacity_ah, 0.0)
    if levels is None:
        cycle = np.array([_number(text) for text in cells("Cycle Index") or [""] * len(rows)])
        step = np.array([_number(text) for text in cells("Step Number", "Step Index") or [""] * len(rows)])
    else:
        cycle = np.array([_number(cycle) for cycle, _ in levels])
        step = np.array([_number(step) for _, step in levels])
    return CyclerData(
        path,
        reader,
        unix_s=_stamps(dates, zone, path),
        test_s=np.array(
            [_clock(text) for text in cells("Cumulative Time", "Total Time") or [""] * len(rows)]
        ),
        voltage_v=numbers("Voltage"),
        current_a=current_a,
        cycle=cycle,
        step=step,
        charged_ah=charged_ah,
        discharged_ah=discharged_ah,
    )


def _of_step(current_a: Floats, levels: list[tuple[str, str]] | None) -> Floats:
    """Mean current of the step that each record belongs to."""
    if levels is None:
        return current_a
    labels = np.unique(np.array([f"{cycle} {step}" for cycle, step in levels]), return_inverse=True)[1]
    mean: Floats = np.bincount(labels, weights=np.nan_to_num(current_a)) / np.bincount(labels)
    return mean[labels]


_BDF_NAMES = {
    "Test Time / s": "test_time_second", "Voltage / V": "voltage_volt", "Current / A": "current_ampere",
    "Unix Time / s": "unix_time_second", "Cycle Count / 1": "cycle_count", "Step Count / 1": "step_count",
    "Charging Capacity / Ah": "charging_capacity_ah", "Discharging Capacity / Ah": "discharging_capacity_ah",
    "Net Capacity / Ah": "net_capacity_ah",
}  # fmt: skip


def _bdf(path: Path, head: list[str], rows: list[list[str]], zone: tzinfo | None) -> CyclerData:
    """BDF by its preferred or machine names. Without capacities the current is summed up."""
    names = [_BDF_NAMES.get(name, name) for name in head]
    table = {
        name: np.array([_number(row[at]) if at < len(row) else np.nan for row in rows if row])
        for at, name in enumerate(names)
        if name in _BDF_NAMES.values()
    }
    if "unix_time_second" not in table or not np.isfinite(table["unix_time_second"]).any():
        raise FileError(f"{path}: no column Unix Time / s: test time alone does not say when it was")
    current_a = table["current_ampere"]
    unix_s = table["unix_time_second"]
    test_s = table.get("test_time_second", unix_s - unix_s[0])
    cycle = table.get("cycle_count", np.ones(len(unix_s)))
    charged_ah, discharged_ah = table.get("charging_capacity_ah"), table.get("discharging_capacity_ah")
    if charged_ah is None or discharged_ah is None:
        passed = current_a * np.diff(test_s, prepend=test_s[0]) / 3600.0
        charged_ah = _since_change(np.cumsum(np.maximum(passed, 0.0)), cycle)
        discharged_ah = _since_change(np.cumsum(np.maximum(-passed, 0.0)), cycle)
    return CyclerData(
        path,
        "BDF",
        unix_s=unix_s,
        test_s=test_s,
        voltage_v=table["voltage_volt"],
        current_a=current_a,
        cycle=cycle,
        step=table.get("step_count", _nothing(unix_s)),
        charged_ah=charged_ah,
        discharged_ah=discharged_ah,
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _clock(text: str) -> float:
    """h:mm:ss(.fff), perhaps with days in front, in s."""
    parts = re.fullmatch(r"(?:(\d+)[-d ])?(\d+):(\d\d):(\d\d(?:\.\d+)?)", text.strip())
    if parts is None:
        return float("nan")
    days, hours, minutes, seconds = parts.groups()
    return int(days or 0) * 86400.0 + int(hours) * 3600.0 + int(minutes) * 60.0 + float(seconds)


def _parsed(text: str, formats: Sequence[str]) -> datetime | None:
    for form in formats:
        try:
            return datetime.strptime(text.strip(), form)
        except ValueError:
            continue
    return None


def _unix(stamp: datetime, zone: tzinfo | None, path: Path) -> float:
    if stamp.tzinfo is not None:
        return stamp.timestamp()
    if zone is None:
        raise FileError(
            f"{path}: its times are of a wall clock that hung somewhere; say where with --tz, as Europe/Oslo"
        )
    return stamp.replace(tzinfo=zone).timestamp()


def _stamps(texts: Sequence[str], zone: tzinfo | None, path: Path) -> Floats:
    """Wall-clock times as Unix time. An hour that comes twice is the first one until the clock steps back."""
    found = np.full(len(texts), np.nan)
    last: datetime | None = None
    fold = 0
    for at, text in enumerate(texts):
        stamp = _parsed(text, _FORMATS) if text.strip() else None
        if stamp is None:
            continue
        if last is not None and stamp < last and _comes_twice(stamp, zone):
            fold = 1
        elif not _comes_twice(stamp, zone):
            fold = 0
        last = stamp
        found[at] = _unix(stamp.replace(fold=fold), zone, path)
    return found


def _comes_twice(stamp: datetime, zone: tzinfo | None) -> bool:
    if zone is None or zone is UTC or not isinstance(zone, ZoneInfo):
        return False
    here = stamp.replace(tzinfo=zone)
    return here.replace(fold=0).utcoffset() != here.replace(fold=1).utcoffset() and _exists(stamp, zone)


def _exists(stamp: datetime, zone: tzinfo) -> bool:
    """Whether a wall clock ever showed it: not in the hour that is left out in spring."""
    back = datetime.fromtimestamp(stamp.replace(tzinfo=zone).timestamp(), zone)
    return back.replace(tzinfo=None) == stamp
