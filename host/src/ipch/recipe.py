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

A step is one of ramp, hold, quiet, wait, vent, repeat, log-rate, and may carry a `note`. A ramp ends when the
pressure is in limits; a repeat has its own `[[step.step]]`.
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    model_validator,
)

from ipch.errors import FileError, UsageError
from ipch.paths import recipes_dir
from ipch.units import format_duration, format_slew, format_target, parse_duration, parse_pressure, parse_slew

KINDS = ("ramp", "hold", "quiet", "wait", "vent", "repeat", "log-rate")
TRIGGERS = {"in-limits": (), "file": ("path",), "webhook": ("name",), "cycle": ("path", "number")}
_MOST_STEPS = 100_000
_CHANGED = "# changed: "

T = TypeVar("T")
Place = tuple[str | int, ...]


class _Misplaced(ValueError):
    """A mistake that is only seen when the whole is looked at, and where."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.place = place


def _written(parse: Callable[[str], T]) -> BeforeValidator:
    def check(value: object) -> T:
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise ValueError(f"not a quantity: {value!r}")
        try:
            return parse(str(value))
        except UsageError as error:
            raise ValueError(str(error)) from error

    return BeforeValidator(check)


def _parse_wait(text: str) -> float | str:
    if text in TRIGGERS:
        return text
    try:
        return parse_duration(text)
    except UsageError as error:
        raise UsageError(f"{error}; or one of {', '.join(TRIGGERS)}") from error


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
    """Let so many seconds pass, or wait until something is so.

    `in-limits`: the pressure; `file`: the file `path` was written after the recipe began; `webhook`: somebody
    called `name`; `cycle`: the cycler's growing file `path` has reached cycle `number`.
    """

    wait: Annotated[float | str, _written(_parse_wait)]
    path: str | None = None
    name: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9_.-]+$")] = None
    number: Annotated[int | None, Field(ge=1)] = None
    timeout: Duration | None = None

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> "Wait":
        needed = TRIGGERS.get(str(self.wait), ())
        for key in ("path", "name", "number"):
            if (getattr(self, key) is not None) != (key in needed):
                raise ValueError(f"wait = {self.wait!r} {'needs' if key in needed else 'takes no'} {key!r}")
        return self


class LogRate(Step):
    """Record a sample every so many seconds from here on."""

    log_rate: Duration = Field(alias="log-rate")


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
    | Annotated[Repeat, Tag("repeat")]
    | Annotated[LogRate, Tag("log-rate")],
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
        for step, note, place in _unroll(self.step, "", ()):
            if isinstance(step, Ramp):
                target_pa = step.ramp
            elif isinstance(step, Vent):
                target_pa = None
            tasks.append(Task(len(tasks), step, target_pa, note, place))
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
    place: "Place" = ()
    """Where it stands in the file."""

    @property
    def kind(self) -> str:
        return "log-rate" if isinstance(self.step, LogRate) else type(self.step).__name__.lower()

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
            text = _describe_wait(step)
        elif isinstance(step, LogRate):
            text = f"record every {format_duration(step.log_rate)}"
        else:
            text = "vent"
        return f"{text} ({self.note})" if self.note else text


def _describe_wait(step: Wait) -> str:
    if isinstance(step.wait, float):
        return f"wait for {format_duration(step.wait)}"
    texts = {"file": f"for the file {step.path}", "webhook": f"for the call {step.name}"}
    texts["cycle"] = f"for cycle {step.number} in {step.path}"
    return f"wait {texts.get(step.wait, 'until in limits')}"


def _unroll(steps: list[Any], note: str, place: Place) -> Iterator[tuple[Step, str, Place]]:
    for number, step in enumerate(steps):
        here = ", ".join(part for part in (note, step.note) if part)
        at = (*place, "step", number)
        if isinstance(step, Repeat):
            for turn in range(step.repeat):
                yield from _unroll(
                    step.step, ", ".join(p for p in (here, f"{turn + 1} of {step.repeat}") if p), at
                )
        else:
            yield step, here, at


def shortened(recipe: Recipe, longest_s: float) -> Recipe:
    """The same recipe with every step of time cut to `longest_s`, and without what only others can bring about."""

    def cut(step: Any) -> Any:
        if isinstance(step, Repeat):
            return step.model_copy(update={"step": [cut(each) for each in step.step]})
        if isinstance(step, Wait) and step.wait != "in-limits":
            seconds = step.wait if isinstance(step.wait, float) else longest_s
            return Wait(wait=f"{min(seconds, longest_s)}s", note=step.note)
        for name in ("hold", "quiet"):
            if hasattr(step, name):
                return step.model_copy(update={name: min(getattr(step, name), longest_s)})
        return step

    return recipe.model_copy(update={"step": [cut(step) for step in recipe.step]})


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
            # Nobody knows how long others take.
            durations.append(step.wait if isinstance(step.wait, float) else settle_s)
        elif isinstance(step, LogRate):
            durations.append(0.0)
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
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise FileError(f"{path}: not valid TOML: {error}") from error
    return parse_recipe(text, path, changes)


def parse_recipe(text: str, path: Path, changes: Mapping[str, str] | None = None) -> Recipe:
    """Check the text of a recipe; `path` is what messages call it."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
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
        document["step"] = _fill_in(document.get("step"), values, ("step",))
        if document["step"] is None:
            del document["step"]
        recipe = Recipe.model_validate(document)
        _check_order(recipe.steps())
    except ValidationError as error:
        raise FileError(_explain(path, text, error)) from error
    except _Misplaced as error:
        raise FileError(f"{_where(path, text, error.place)}: {error}") from error
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
    text += "".join(f"\n{_CHANGED}{key} = {value}" for key, value in (changes or {}).items())
    return Chosen(path.stem, text, recipe)


def recipe_of_record(name: str, text: str) -> Chosen:
    """The recipe as `choose_recipe` wrote it into a record, with what was changed."""
    changes = parse_changes(
        [line.removeprefix(_CHANGED) for line in text.splitlines() if line.startswith(_CHANGED)]
    )
    return Chosen(name, text, parse_recipe(text, Path(f"{name} (from the record)"), changes))


def _fill_in(data: Any, values: Mapping[str, Any], place: Place) -> Any:
    """Put the parameters where `$name` stands."""
    if isinstance(data, dict):
        return {key: _fill_in(value, values, (*place, key)) for key, value in data.items()}
    if isinstance(data, list):
        return [_fill_in(value, values, (*place, number)) for number, value in enumerate(data)]
    if isinstance(data, str) and data.startswith("$"):
        if data[1:] not in values:
            known = ", ".join(values) or "none"
            raise _Misplaced(place, f"{place[-1]}: {data}: no such parameter; [parameters] has {known}")
        return values[data[1:]]
    return data


def _check_order(tasks: list[Task]) -> None:
    for task in tasks:
        step = task.step
        needs_target = isinstance(step, (Hold, Quiet)) or (
            isinstance(step, Wait) and step.wait == "in-limits"
        )
        if needs_target and task.target_pa is None:
            message = f"{task.kind}: step {task.index + 1} ({task.text}): there must be a ramp before it"
            raise _Misplaced((*task.place, task.kind), message)


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
    where = _where(path, text, place)
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


def _where(path: Path, text: str, place: Place) -> str:
    """File and line."""
    lines = find_lines(text)
    line = next((lines[place[:n]] for n in range(len(place), 0, -1) if place[:n] in lines), None)
    return f"{path}:{line}" if line else str(path)


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
        "log-rate": LogRate,
    }
    model = models[str(loc[-2])] if len(loc) > 1 else Recipe
    names = [field.alias or name for name, field in model.model_fields.items()]
    return [*(name for name in names if name != "note"), *(name for name in names if name == "note")]
