"""Wall clocks of cyclers as Unix time: time zones, repeated hours in autumn and skipped hours in spring."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from ipch.errors import FileError, UsageError

Floats = NDArray[np.floating[Any]]
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_PARTS = {
    "Y": r"(?P<Y>\d{4})", "y": r"(?P<y>\d\d)", "m": r"(?P<m>\d\d?)", "d": r"(?P<d>\d\d?)", "H": r"(?P<H>\d\d?)",
    "I": r"(?P<I>\d\d?)", "M": r"(?P<M>\d\d)", "S": r"(?P<S>\d\d)", "f": r"(?P<f>\d+)",
    "p": r"(?P<p>[AaPp])\.?\s?[Mm]\.?", "b": r"(?P<b>[A-Za-z]{3})",
}  # fmt: skip
_INSTANT = re.compile(r"\s*(\d{4}-\d\d-\d\d)[T\s](\d\d:\d\d:\d\d(?:[.,]\d+)?)\s?(Z|([+-])(\d\d):?(\d\d))\s*")
# The days end with a word, a space, a dash or a point.
_CLOCK = re.compile(
    r"\s*(?:(\d+)(?:\s*(?:d|days?)?\s*,?\s*|[-.])(?<!\d))?(\d+):(\d\d):(\d\d(?:[.,]\d+|:\d{3})?)\s*",
    re.IGNORECASE,
)
_SERIAL = re.compile(r"[3-6]\d{4}(?:[.,](\d*))?")
# Fewer decimals of a day are more than a second.
_DIGITS = 5
_EXCEL_1970 = 25_569.0
_STEP_S = 2.0


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
            f"time zone {name}: unknown; expected a name such as Europe/Oslo, UTC, or an offset such as +01:00"
        ) from error


def start_of(text: str | None) -> datetime | None:
    """Start of a test as typed: 2026-01-31 08:00:00, with Z or an offset, or else in the cycler's zone."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError(f"start {text}: expected a time such as 2026-01-31T08:00:00") from error


def clock(text: str) -> float:
    """Seconds of a plain number, or of h:mm:ss(.fff), optionally with days in front; nan for anything else.

    Four fields with colons are d:hh:mm:ss or h:mm:ss:cc, so they are read with three digits of milliseconds only.
    """
    try:
        return float(text)
    except ValueError:
        pass
    parts = re.fullmatch(
        r"\s*(?:(\d+)(?:\s*(?:d|days?)?\s*,?\s*|[-.])(?<!\d))?(\d+):(\d\d):(\d\d(?:[.,]\d+|:\d{3})?)\s*", text
    )
    if parts is None:
        return float("nan")
    days, hours, minutes, seconds = parts.groups()
    seconds = seconds.replace(",", ".").replace(":", ".")
    return int(days or 0) * 86400.0 + int(hours) * 3600.0 + int(minutes) * 60.0 + float(seconds)


def instants(texts: Sequence[str]) -> Floats | None:
    """Unix times of dates that tell their offset from UTC (Z, +01:00), nan where one is empty; None for other dates."""
    if not _INSTANT.fullmatch(next(filter(None, texts), "")):
        return None
    matches = [_INSTANT.fullmatch(text) for text in texts]
    if any(text and match is None for text, match in zip(texts, matches, strict=True)):
        return None
    wall_s = _parse([f"{match[1]} {match[2]}" if match else "" for match in matches], "%Y-%m-%d %H:%M:%S")
    offset_s = [
        float(f"{match[4]}1") * (int(match[5]) * 3600 + int(match[6]) * 60) if match and match[4] else 0.0
        for match in matches
    ]
    unix_s: Floats = wall_s - np.array(offset_s)
    return unix_s


def serial(texts: Sequence[str]) -> Floats | None:
    """Wall clock of dates that Excel wrote as days since 1900, to the second at least; None for other dates."""
    if not _SERIAL.fullmatch(next(filter(None, texts), "")):
        return None
    found = [match for text in texts if text and (match := _SERIAL.fullmatch(text))]
    if len(found) < sum(map(bool, texts)) or max(len(match[1] or "") for match in found) < _DIGITS:
        return None
    days = np.array([float(text.replace(",", ".") or "nan") for text in texts])
    wall_s: Floats = np.round((days - _EXCEL_1970) * 86_400.0, 3)
    return wall_s


def as_kept(
    wall_s: Floats, unix_s: Floats, test_s: Floats, zone: tzinfo | None, path: Path
) -> tuple[Floats, str]:
    """Unix times where the clock of the cycler's computer did not follow a change of summer time, and what was done.

    Its dates then go on as the test time does, while the zone has a jump. A test that begins in the repeated hour began
    in its second half of the night.
    """
    offset_s = wall_s - unix_s
    jumps = np.flatnonzero(np.abs(np.diff(offset_s)) > _STEP_S)
    with_test = np.abs(np.diff(wall_s) - np.diff(test_s))[jumps] <= _STEP_S
    if not len(jumps) or not with_test.all():
        return unix_s, ""
    first, second, _ = _offsets_s(wall_s[: jumps[0] + 1], zone or UTC)
    if (first != second).all():
        return wall_s - offset_s[-1], ""
    kept = f"{offset_s[0] / 3600:+g} h"
    return wall_s - offset_s[
        0
    ], f"the clock of {path.name} did not change from or to summer time: taken as UTC {kept}"


def wall_clock(texts: Sequence[str], formats: Sequence[str]) -> tuple[Floats, str]:
    """Dates as s of the wall clock (since 1970 in its own zone), nan where none is readable, and the format used.

    The first format that reads most of the dates in ascending order is taken: 03/04/2026 alone does not tell which is
    the month. A format with `%f` also reads whole seconds.
    """
    best, used, score = np.full(len(texts), np.nan), "", -1.0
    for form in formats:
        found = _parse(texts, form)
        known = found[np.isfinite(found)]
        if not len(known):
            continue
        rated = (
            len(known)
            - 0.5 * float(np.sum(np.diff(known) < -86_400.0))
            - 0.25 * float(np.sum(np.diff(known) > 20 * 86_400.0))
        )
        if rated > score:
            best, used, score = found, form, rated
        if score >= len(texts):
            break
    return best, used


def ambiguous(form: str, wall_s: Floats) -> bool:
    """Whether month and day could be exchanged in all of these dates."""
    if "%m" not in form or form.startswith(("%Y", "%d.")):
        return False
    day = wall_s[np.isfinite(wall_s)].astype("datetime64[s]").astype("datetime64[D]")
    numbers = (day - day.astype("datetime64[M]").astype("datetime64[D]")).astype(int) + 1
    return bool(len(numbers)) and int(numbers.max()) <= 12


def _parse(texts: Sequence[str], form: str) -> Floats:
    spelled = form.replace(".%f", "").replace("%f", "")
    pattern = "".join(
        _PARTS[part[1]] if part.startswith("%") else re.escape(part) if part != " " else r"\s+"
        for part in re.findall(r"%.|.", spelled)
    )
    # Fractions may be missing, or follow a colon.
    pattern = pattern.replace(_PARTS["S"], _PARTS["S"] + r"(?:[.,:](?P<f>\d+))?")
    expression = re.compile(rf"\s*{pattern}\s*")
    names = list(expression.groupindex)
    groups = []
    for text in texts:
        match = expression.fullmatch(text)
        groups.append(match.groups() if match else None)
    at = [number for number, group in enumerate(groups) if group is not None]
    found = np.full(len(texts), np.nan)
    if not at:
        return found
    part = dict(zip(names, zip(*(groups[number] for number in at), strict=True), strict=True))

    def numbers(name: str, otherwise: int = 0) -> NDArray[np.int64]:
        return (
            np.array(part[name], dtype=np.int64)
            if name in part
            else np.full(len(at), otherwise, dtype=np.int64)
        )

    year = numbers("Y") if "Y" in part else 2000 + numbers("y")
    month = (
        np.array([_MONTHS.index(b.lower()) + 1 if b.lower() in _MONTHS else 0 for b in part["b"]])
        if "b" in part else numbers("m")
    )  # fmt: skip
    day, hour = numbers("d"), numbers("H")
    if "I" in part:
        hour = numbers("I") % 12 + 12 * np.array([p in "pP" for p in part["p"]], dtype=np.int64)
    days = (
        ((year - 1970) * 12 + month - 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
        + day
        - 1
    )
    fraction = np.array([float(f"0.{f}") if f else 0.0 for f in part.get("f", [""] * len(at))])
    good = (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31) & (hour < 24)
    seconds = days * 86_400.0 + hour * 3600.0 + numbers("M") * 60.0 + numbers("S") + fraction
    found[np.array(at)[good]] = seconds[good]
    return found


def unix_of(wall_s: Floats, zone: tzinfo | None, path: Path) -> Floats:
    """Unix time of wall-clock times. A repeated hour counts as its first occurrence until the clock steps back."""
    if zone is None:
        raise FileError(
            f"{path}: its times are local wall-clock times; give their time zone with --tz, such as Europe/Oslo"
        )
    first, second, exists = _offsets_s(wall_s, zone)
    twice = (first != second) & exists
    if not twice.any():
        found: Floats = wall_s - first
        return found
    # From the first backward step inside a repeated hour on, its second occurrence holds.
    back = np.concatenate([[False], np.diff(held_back(wall_s)) < 0]) & twice
    since = np.maximum.accumulate(np.where(back, np.arange(len(wall_s)), -1))
    left = np.maximum.accumulate(np.where(~twice, np.arange(len(wall_s)), -1))
    later = twice & (since > left)
    result: Floats = wall_s - np.where(later, second, first)
    return result


def held_back(values: Floats) -> Floats:
    """Values with empty ones filled from before."""
    known = np.isfinite(values)
    last = np.maximum.accumulate(np.where(known, np.arange(len(values)), 0))
    return values[last]


def _offsets_s(wall_s: Floats, zone: tzinfo) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Offset from UTC at each wall-clock time, for its first and second occurrence, and whether it exists."""
    hours = np.floor(np.nan_to_num(wall_s) / 900.0).astype(np.int64)
    each, where = np.unique(hours, return_inverse=True)
    first, second, exists = np.zeros(len(each)), np.zeros(len(each)), np.ones(len(each), dtype=np.bool_)
    for number, quarter in enumerate(each.tolist()):
        stamp = datetime.fromtimestamp(quarter * 900, UTC).replace(tzinfo=zone)
        offsets = [stamp.replace(fold=fold).utcoffset() for fold in (0, 1)]
        first[number], second[number] = (offset.total_seconds() if offset else 0.0 for offset in offsets)
        if first[number] != second[number]:
            back = datetime.fromtimestamp(stamp.timestamp(), zone)
            exists[number] = back.replace(tzinfo=None) == stamp.replace(tzinfo=None)
    return first[where], second[where], exists[where]


def start_unix(start: datetime, zone: tzinfo | None, path: Path) -> float:
    """Unix time of the start of a test."""
    if start.tzinfo is not None:
        return start.timestamp()
    return float(unix_of(np.array([start.replace(tzinfo=UTC).timestamp()]), zone, path)[0])
