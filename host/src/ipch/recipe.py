"""Recipes: TOML files of steps, checked before anything moves.

    description = "5 MPa for a day"
    sample = "10s"          # how often to record, in device time
    finally = "hold"        # or off, or vent

    [parameters]            # changed with `ipch run NAME --set target=3MPa`
    target = "5MPa"

    [[step]]
    ramp = "$target"
    slew = "20kPa/s"

    [[step]]
    hold = "24h"

A step is one of ramp, hold, quiet, wait, vent, repeat, and may carry a `note`. A ramp ends when the pressure
is in limits; a repeat has its own `[[step.step]]`.
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, ValidationError

from ipch.errors import FileError, UsageError
from ipch.paths import recipes_dir
from ipch.units import format_duration, format_slew, format_target, parse_duration, parse_pressure, parse_slew

KINDS = ("ramp", "hold", "quiet", "wait", "vent", "repeat")
_MOST_STEPS = 100_000

T = TypeVar("T")


def _written(parse: Callable[[str], T]) -> BeforeValidator:
    def check(value: object) -> T:
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise ValueError(f"not a quantity: {value!r}")
        try:
            return parse(str(value))
        except UsageError as error:
            raise ValueError(str(error)) from error

    return BeforeValidator(check)


def _parse_wait(text: str) -> float | None:
    return None if text == "in-limits" else parse_duration(text)


Pressure = Annotated[int, _written(parse_pressure)]
Slew = Annotated[int, _written(parse_slew)]
Duration = Annotated[float, _written(parse_duration)]


class _Checked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Step(_Checked):
    """What all steps share."""

    note: str = ""


class Ramp(Step):
    """Go to a pressure (Pa) and wait until it is in limits; give up after `timeout` seconds."""

    ramp: Pressure
    slew: Slew | None = None
    timeout: Duration | None = None


class Hold(Step):
    """Keep the pressure for so many seconds."""

    hold: Duration


class Quiet(Step):
    """Keep the valves shut for so many seconds."""

    quiet: Duration


class Wait(Step):
    """Let so many seconds pass, or wait until the pressure is in limits (None)."""

    wait: Annotated[float | None, _written(_parse_wait)]
    timeout: Duration | None = None


class Vent(Step):
    """Let the gas out."""

    vent: Literal[True]


class Repeat(Step):
    """Do the steps below so many times."""

    repeat: Annotated[int, Field(ge=1, le=10_000, strict=True)]
    step: list["AnyStep"] = Field(min_length=1)


def _kind(data: Any) -> str | None:
    if not isinstance(data, Mapping):
        return None
    kinds = [kind for kind in KINDS if kind in data]
    return kinds[0] if len(kinds) == 1 else None


AnyStep = Annotated[
    Annotated[Ramp, Tag("ramp")]
    | Annotated[Hold, Tag("hold")]
    | Annotated[Quiet, Tag("quiet")]
    | Annotated[Wait, Tag("wait")]
    | Annotated[Vent, Tag("vent")]
    | Annotated[Repeat, Tag("repeat")],
    Discriminator(_kind),
]


class Recipe(_Checked):
    """A checked recipe. `steps()` are what is done, one after the other."""

    description: str = ""
    sample: Duration = 1.0
    finally_: Literal["hold", "off", "vent"] = Field("hold", alias="finally")
    parameters: dict[str, str | int | float] = {}
    step: list[AnyStep] = Field(min_length=1)

    def steps(self) -> "list[Task]":
        """All steps in order, repeats unrolled."""
        tasks: list[Task] = []
        target_pa: int | None = None
        for step, note in _unroll(self.step, ""):
            if isinstance(step, Ramp):
                target_pa = step.ramp
            elif isinstance(step, Vent):
                target_pa = None
            tasks.append(Task(len(tasks), step, target_pa, note))
            if len(tasks) > _MOST_STEPS:
                raise ValueError(f"more than {_MOST_STEPS} steps once its repeats are written out")
        return tasks


@dataclass(frozen=True)
class Task:
    """One step of the unrolled recipe; `target_pa` is what the pressure should be, None after a vent."""

    index: int
    step: Step
    target_pa: int | None
    note: str

    @property
    def kind(self) -> str:
        return type(self.step).__name__.lower()

    @property
    def text(self) -> str:
        """What is done, for people."""
        step = self.step
        if isinstance(step, Ramp):
            rate = f" at {format_slew(step.slew)}" if step.slew else ""
            text = f"ramp to {format_target(step.ramp)}{rate}"
        elif isinstance(step, Hold):
            text = f"hold for {format_duration(step.hold)}"
        elif isinstance(step, Quiet):
            text = f"quiet for {format_duration(step.quiet)}"
        elif isinstance(step, Wait):
            text = "wait until in limits" if step.wait is None else f"wait for {format_duration(step.wait)}"
        else:
            text = "vent"
        return f"{text} ({self.note})" if self.note else text


def _unroll(steps: list[Any], note: str) -> Iterator[tuple[Step, str]]:
    for step in steps:
        here = ", ".join(part for part in (note, step.note) if part)
        if isinstance(step, Repeat):
            for turn in range(step.repeat):
                yield from _unroll(
                    step.step, ", ".join(p for p in (here, f"{turn + 1} of {step.repeat}") if p)
                )
        else:
            yield step, here


def estimate_s(
    tasks: list[Task], start_pa: float, slew_pa_s: int, vent_pa_s: int, settle_s: float
) -> list[float]:
    """About how long each step takes, in s of device time, from a pressure and the device's own rates."""
    durations = []
    at_pa = start_pa
    for task in tasks:
        step = task.step
        if isinstance(step, Ramp):
            slew_pa_s = step.slew or slew_pa_s
            durations.append(abs(step.ramp - at_pa) / slew_pa_s + settle_s)
            at_pa = step.ramp
        elif isinstance(step, Vent):
            durations.append(at_pa / vent_pa_s)
            at_pa = 101_325
        elif isinstance(step, Wait):
            durations.append(settle_s if step.wait is None else step.wait)
        elif isinstance(step, Hold):
            durations.append(step.hold)
        elif isinstance(step, Quiet):
            durations.append(step.quiet)
    return durations


def shipped_recipes() -> dict[str, Path]:
    """Name and file of every recipe that comes with the package."""
    return {path.stem: path for path in sorted(recipes_dir().glob("*.toml"))}


def describe_recipes() -> list[dict[str, Any]]:
    """Name, description, parameters and about how long it takes, for every shipped recipe."""
    rows = []
    for name, path in shipped_recipes().items():
        recipe = load_recipe(path)
        seconds = sum(estimate_s(recipe.steps(), 101_325, 20_000, 20_000, 60.0))
        rows.append(
            {
                "name": name,
                "description": recipe.description,
                "parameters": recipe.parameters,
                "takes_about_s": round(seconds),
                "takes_about": format_duration(seconds),
            }
        )
    return rows


def parse_changes(texts: list[str]) -> dict[str, str]:
    """`name=value` as written behind --set. Raises UsageError."""
    changes = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise UsageError(f"--set {text}: expected name=value, as in --set target=3MPa")
        changes[name] = value
    return changes


def find_recipe(name: str) -> Path:
    """The file that a person means: a path, or the name of a recipe that comes with the package."""
    shipped = shipped_recipes()
    if name in shipped:
        return shipped[name]
    path = Path(name)
    if path.is_file():
        return path
    raise FileError(f"no recipe {name!r}; a path, or one of {', '.join(shipped)}")


def load_recipe(path: Path, changes: Mapping[str, str] | None = None) -> Recipe:
    """Read and check a recipe; `changes` are parameters that differ from the file's.

    Raises FileError with file, line, key and what is allowed; UsageError for an unknown parameter.
    """
    try:
        text = path.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileError(f"{path}: not valid TOML: {error}") from error
    parameters = document.get("parameters")
    values = dict(parameters) if isinstance(parameters, dict) else {}
    for name, value in (changes or {}).items():
        if name not in values:
            known = ", ".join(values) or "none"
            raise UsageError(f"recipe {path.stem} has no parameter {name!r}; it has {known}")
        values[name] = value
    if isinstance(parameters, dict):
        document["parameters"] = values
    try:
        document["step"] = _fill_in(document.get("step"), values)
        if document["step"] is None:
            del document["step"]
        recipe = Recipe.model_validate(document)
        _check_order(recipe.steps())
    except ValidationError as error:
        raise FileError(_explain(path, text, error)) from error
    except ValueError as error:
        raise FileError(f"{path}: {error}") from error
    return recipe


@dataclass(frozen=True)
class Chosen:
    """A recipe as somebody asked for it: its name, the text to keep with the record, and what to do."""

    name: str
    text: str
    recipe: Recipe


def choose_recipe(name: str, changes: Mapping[str, str] | None = None) -> Chosen:
    """Find, read and check a recipe. Raises FileError or UsageError."""
    path = find_recipe(name)
    recipe = load_recipe(path, changes)
    text = path.read_text(encoding="utf-8")
    text += "".join(f"\n# changed: {key} = {value}" for key, value in (changes or {}).items())
    return Chosen(path.stem, text, recipe)


def _fill_in(data: Any, values: Mapping[str, Any]) -> Any:
    """Put the parameters where `$name` stands."""
    if isinstance(data, dict):
        return {key: _fill_in(value, values) for key, value in data.items()}
    if isinstance(data, list):
        return [_fill_in(value, values) for value in data]
    if isinstance(data, str) and data.startswith("$"):
        if data[1:] not in values:
            raise ValueError(f"{data}: no such parameter; [parameters] has {', '.join(values) or 'none'}")
        return values[data[1:]]
    return data


def _check_order(tasks: list[Task]) -> None:
    for task in tasks:
        step = task.step
        needs_target = isinstance(step, (Hold, Quiet)) or (isinstance(step, Wait) and step.wait is None)
        if needs_target and task.target_pa is None:
            raise ValueError(f"step {task.index + 1} ({task.text}): there must be a ramp before it")


_HEADER = re.compile(r"\s*(\[{1,2})\s*([A-Za-z0-9_.\- ]+?)\s*\]{1,2}\s*(?:#.*)?")
_KEY = re.compile(r"\s*([A-Za-z0-9_\-]+)\s*=")


def find_lines(text: str) -> dict[tuple[str | int, ...], int]:
    """Line number of every table and key that begins a line, by its place."""
    lines: dict[tuple[str | int, ...], int] = {}
    counts: dict[tuple[str | int, ...], int] = {}
    table: tuple[str | int, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.fullmatch(line):
            names = [name.strip() for name in header.group(2).split(".")]
            table = ()
            for depth, name in enumerate(names):
                table = (*table, name)
                if header.group(1) == "[[" and depth == len(names) - 1:
                    counts[table] = counts.get(table, -1) + 1
                    table = (*table, counts[table])
                elif table in counts:
                    table = (*table, counts[table])
            lines[table] = number
            # The tables below a new element are counted anew.
            for known in [key for key in counts if len(key) > len(table) and key[: len(table)] == table]:
                del counts[known]
        elif key := _KEY.match(line):
            lines.setdefault((*table, key.group(1)), number)
    return lines


def _explain(path: Path, text: str, error: ValidationError) -> str:
    """One line for the first thing that is wrong."""
    first = error.errors()[0]
    place = _without_tags(first["loc"])
    lines = find_lines(text)
    line = next((lines[place[:n]] for n in range(len(place), 0, -1) if place[:n] in lines), None)
    where = f"{path}:{line}" if line else str(path)
    key = next((str(part) for part in reversed(place) if isinstance(part, str)), "")
    kind = first["type"]
    if kind == "extra_forbidden":
        allowed = _allowed_keys(first["loc"])
        return f"{where}: unknown key {key!r}; allowed are {', '.join(allowed)}"
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        return f"{where}: a step needs exactly one of {', '.join(KINDS)}"
    if kind == "missing":
        table = ".".join(str(part) for part in place if isinstance(part, str))
        what = f"no [[{table}]]; at least one is needed" if key == "step" else f"{key!r} is missing"
        return f"{where}: {what}"
    message = first["msg"].removeprefix("Value error, ")
    return f"{where}: {key}: {message[:1].lower()}{message[1:]}"


def _without_tags(loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Where it stands in the file: pydantic adds the kind of step behind its number."""
    return tuple(part for n, part in enumerate(loc) if not (n and isinstance(loc[n - 1], int)))


def _allowed_keys(loc: tuple[str | int, ...]) -> list[str]:
    models: dict[str, type[BaseModel]] = {
        "ramp": Ramp,
        "hold": Hold,
        "quiet": Quiet,
        "wait": Wait,
        "vent": Vent,
        "repeat": Repeat,
    }
    model = models[str(loc[-2])] if len(loc) > 1 else Recipe
    names = [field.alias or name for name, field in model.model_fields.items()]
    return [*(name for name in names if name != "note"), *(name for name in names if name == "note")]
