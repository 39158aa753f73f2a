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
_FORMATS = ("%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f")


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


def clock(text: str) -> float:
    """h:mm:ss(.fff), optionally with days in front, in s."""
    parts = re.fullmatch(r"(?:(\d+)[-d ])?(\d+):(\d\d):(\d\d(?:\.\d+)?)", text.strip())
    if parts is None:
        return float("nan")
    days, hours, minutes, seconds = parts.groups()
    return int(days or 0) * 86400.0 + int(hours) * 3600.0 + int(minutes) * 60.0 + float(seconds)


def parsed(text: str, formats: Sequence[str]) -> datetime | None:
    for form in formats:
        try:
            return datetime.strptime(text.strip(), form)
        except ValueError:
            continue
    return None


def unix(stamp: datetime, zone: tzinfo | None, path: Path) -> float:
    if stamp.tzinfo is not None:
        return stamp.timestamp()
    if zone is None:
        raise FileError(
            f"{path}: its times are local wall-clock times; give their time zone with --tz, such as Europe/Oslo"
        )
    return stamp.replace(tzinfo=zone).timestamp()


def stamps(texts: Sequence[str], zone: tzinfo | None, path: Path) -> Floats:
    """Wall-clock times as Unix time. A repeated hour counts as its first occurrence until the clock steps back."""
    found = np.full(len(texts), np.nan)
    last: datetime | None = None
    fold = 0
    for at, text in enumerate(texts):
        stamp = parsed(text, _FORMATS) if text.strip() else None
        if stamp is None:
            continue
        if last is not None and stamp < last and _comes_twice(stamp, zone):
            fold = 1
        elif not _comes_twice(stamp, zone):
            fold = 0
        last = stamp
        found[at] = unix(stamp.replace(fold=fold), zone, path)
    return found


def _comes_twice(stamp: datetime, zone: tzinfo | None) -> bool:
    if zone is None or zone is UTC or not isinstance(zone, ZoneInfo):
        return False
    here = stamp.replace(tzinfo=zone)
    return here.replace(fold=0).utcoffset() != here.replace(fold=1).utcoffset() and _exists(stamp, zone)


def _exists(stamp: datetime, zone: tzinfo) -> bool:
    """Whether a wall clock ever showed this time: not in the hour that is skipped in spring."""
    back = datetime.fromtimestamp(stamp.replace(tzinfo=zone).timestamp(), zone)
    return back.replace(tzinfo=None) == stamp
