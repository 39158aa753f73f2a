"""Maps: text formats as data. A TOML file names the columns, units, dates and signs of a maker's tables.

`[columns]` gives, for each quantity, the names that its column may have, the best first. `{V}`, `{A}`, `{Ah}` or `{s}`
in a name stands for any unit of that quantity; `[units]` gives the unit of columns whose names have none (V, A, Ah, s).
Names are compared without regard to case and spaces.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ipch.cyclers.units import scale_of
from ipch.errors import FileError

Quantity = Literal[
    "unix", "date", "test_time", "voltage", "current", "cycle", "half", "step", "state", "channel", "record", "charged",
    "discharged", "capacity", "net", "passed",
]  # fmt: skip
UNIT_OF: Mapping[str, str] = {
    "unix": "s", "test_time": "s", "voltage": "V", "current": "A", "charged": "Ah", "discharged": "Ah",
    "capacity": "Ah", "net": "Ah", "passed": "Ah",
}  # fmt: skip
_SHORT = 3
_UNIT = re.compile(r"\s?([^)\]\s]{1,16}?)\s?")
_CHANNEL = ("Channel", "Channel_ID", "Channel ID", "Chl", "Chan", "\u901a\u9053", "\u901a\u9053\u53f7")


class Map(BaseModel):
    """One dialect; see the head of this module."""

    model_config = ConfigDict(extra="forbid")
    name: str
    columns: dict[Quantity, Annotated[list[str], Field(min_length=1)]]
    units: dict[Quantity, str] = {}
    dates: list[str] = ["%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S"]
    recognise: list[Quantity] = ["voltage", "current"]
    """Quantities without which a line is not the head of such a table."""
    needs: list[str] = []
    """The head has at least one of these names as well."""
    start: str | None = None
    """Regular expression; its group is the start of the test, in a line above the table."""
    discharge_positive: bool = False


@dataclass(frozen=True)
class Found:
    """A map that fits the head of a table: for each quantity the column and the factor to its canonical unit."""

    map: Map
    column: dict[str, int]
    scale: dict[str, float]
    assumed: list[str] = field(default_factory=list)
    """Quantities whose unit the file does not tell."""


@cache
def shipped() -> tuple[Map, ...]:
    """All maps of the package."""
    return tuple(load_map(path) for path in sorted((Path(__file__).parent / "maps").glob("*.toml")))


def load_map(path: Path) -> Map:
    """Read a map. Raises FileError with the place of the mistake."""
    try:
        found = Map.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        if found.start is not None and re.compile(found.start).groups != 1:
            raise ValueError("start: needs exactly one group, in parentheses")
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise FileError(f"{path}: {place}: {first['msg']}") from error
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, re.error) as error:
        raise FileError(f"{path} is not a map: {error}") from error
    return found


def fit(candidate: Map, head: Sequence[str], where: str) -> Found | None:
    """Match a map with the cells of a line; None if it is not the head of such a table. Raises FileError for a unit."""
    names = [_plain(cell) for cell in head]
    column: dict[str, int] = {}
    unit: dict[str, str] = {}
    wanted: dict[str, Sequence[str]] = {"channel": _CHANNEL} | {
        str(q): names for q, names in candidate.columns.items()
    }
    for quantity, patterns in wanted.items():
        fitting = ((at, told) for pattern in patterns for at, name in enumerate(names)
                   if (told := _unit(pattern, name)) is not None)  # fmt: skip
        at, told = next(fitting, (-1, ""))
        if at >= 0:
            column[quantity] = at
            if told:
                unit[quantity] = told
    if not set(candidate.recognise) <= set(column):
        return None
    if candidate.needs and not {_plain(name) for name in candidate.needs} & set(names):
        return None
    units: dict[str, str] = {str(name): told for name, told in candidate.units.items()} | unit
    scale = {
        name: scale_of(UNIT_OF[name], units[name], f"{where}: column {head[at]}")
        for name, at in column.items()
        if name in UNIT_OF and name in units
    }
    assumed = [name for name in column if UNIT_OF.get(name) in ("A", "Ah") and name not in units]
    return Found(candidate, column, scale, assumed)


def present(candidate: Map, head: Sequence[str]) -> tuple[list[Quantity], list[Quantity]]:
    """Quantities of a map that a line has as columns, and those that it lacks to be its head."""
    names = [_plain(cell) for cell in head]
    there: list[Quantity] = [
        quantity
        for quantity, patterns in candidate.columns.items()
        if any(_unit(pattern, name) is not None for pattern in patterns for name in names)
    ]
    return there, [quantity for quantity in candidate.recognise if quantity not in there]


def _unit(pattern: str, name: str) -> str | None:
    """The unit in a name that a pattern fits, empty if it has none; None for any other name.

    Names are compared without regard to case, but units with it: mA is not MA. Short names differ by case alone: dq and
    dQ, u and U.
    """
    before, unit, after, short = _parts(pattern)
    begin, end = name[: len(before)], name[len(name) - len(after) :]
    if (begin if short else begin.lower()) != before or end.lower() != after:
        return None
    between = name[len(before) : len(name) - len(after)]
    if not unit:
        return None if between else ""
    told = _UNIT.fullmatch(between)
    # h:min:s is how a clock is written, and no unit.
    return None if told is None else "" if ":" in told[1] else told[1]


@cache
def _parts(pattern: str) -> tuple[str, bool, str, bool]:
    """Text before the unit, whether there is one, text after it, and whether the case of the name counts."""
    before, unit, after = re.findall(r"^([^{]*)(\{\w+\})?(.*)$", pattern)[0]
    short = len(before) <= _SHORT
    return _plain(before) if short else _plain(before).lower(), bool(unit), _plain(after).lower(), short


def _plain(name: str) -> str:
    return re.sub(r"\s+", " ", name.strip().strip('"').lstrip("~\ufeff").strip())
