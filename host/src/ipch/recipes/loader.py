"""Recipe files: find and read them, fill in parameters, and report a mistake with its line and key."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from ipch.base.files import read_text
from ipch.base.paths import recipes_dir
from ipch.base.units import format_duration
from ipch.errors import FileError, UsageError
from ipch.recipes.planning import estimate_s
from ipch.recipes.steps import KINDS, Hold, LogRate, Place, Quiet, Ramp, Recipe, Repeat, Task, Vent, Wait

_CHANGED = "# changed: "


class _Misplaced(ValueError):
    """A mistake that only the check of the whole recipe finds, with its place."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.place = place


def shipped_recipes() -> dict[str, Path]:
    """Name and file of every recipe in the package."""
    return {path.stem: path for path in sorted(recipes_dir().glob("*.toml"), key=lambda path: path.stem)}


def describe_recipes() -> list[dict[str, Any]]:
    """Name, description, parameters and estimated duration of every recipe in the package."""
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
                "takes_about": format_duration(seconds) + (" and waits" if waits_for_others(recipe) else ""),
            }
        )
    return rows


def waits_for_others(recipe: Recipe) -> bool:
    """Whether a step waits for someone else, so that its duration cannot be estimated."""
    steps = (task.step for task in recipe.steps())
    return any(isinstance(step, Wait) and step.wait in ("file", "webhook", "cycle") for step in steps)


def parse_changes(texts: list[str]) -> dict[str, str]:
    """Parse `name=value`, the argument of --set. Raises UsageError."""
    changes = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise UsageError(f"--set {text}: expected name=value, as in --set target=3MPa")
        changes[name] = value
    return changes


def find_recipe(name: str) -> Path:
    """Recipe file for a path or for the name of a recipe in the package."""
    shipped = shipped_recipes()
    if name in shipped:
        return shipped[name]
    path = Path(name)
    if path.is_file():
        return path
    raise FileError(f"no recipe is named {name!r}; give a path, or one of {', '.join(shipped)}")


def load_recipe(path: Path, changes: Mapping[str, str] | None = None) -> Recipe:
    """Read and check a recipe; `changes` override the file's parameters.

    Raises FileError with file, line, key and the allowed values; UsageError for an unknown parameter.
    """
    try:
        text = read_text(path)
    except UnicodeDecodeError as error:
        raise FileError(f"{path}: not valid TOML: {error}") from error
    return parse_recipe(text, path, changes)


def parse_recipe(text: str, path: Path, changes: Mapping[str, str] | None = None) -> Recipe:
    """Check the text of a recipe; messages name it `path`."""
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
    """A chosen recipe: its name, the text to store in the record, and its steps."""

    name: str
    text: str
    recipe: Recipe


def choose_recipe(name: str, changes: Mapping[str, str] | None = None) -> Chosen:
    """Find, read and check a recipe. Raises FileError or UsageError."""
    path = find_recipe(name)
    recipe = load_recipe(path, changes)
    text = read_text(path)
    text += "".join(f"\n{_CHANGED}{key} = {value}" for key, value in (changes or {}).items())
    return Chosen(path.stem, text, recipe)


def recipe_of_record(name: str, text: str) -> Chosen:
    """The recipe that `choose_recipe` stored in a record, with its changed parameters."""
    changes = parse_changes(
        [line.removeprefix(_CHANGED) for line in text.splitlines() if line.startswith(_CHANGED)]
    )
    return Chosen(name, text, parse_recipe(text, Path(f"{name} (from the record)"), changes))


def _fill_in(data: Any, values: Mapping[str, Any], place: Place) -> Any:
    """Replace each `$name` with its parameter."""
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
            key = "wait" if isinstance(step, Wait) else task.kind
            message = f"{key}: step {task.index + 1} ({task.text}): a ramp must come before it"
            raise _Misplaced((*task.place, key), message)


_HEADER = re.compile(r"\s*(\[{1,2})\s*([A-Za-z0-9_.\- ]+?)\s*\]{1,2}\s*(?:#.*)?")
_KEY = re.compile(r"\s*([A-Za-z0-9_\-]+)\s*=")


def find_lines(text: str) -> dict[tuple[str | int, ...], int]:
    """Line number of every table and of every key that begins a line, by its place."""
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
            # Tables below a new array element are counted from 0 again.
            for known in [key for key in counts if len(key) > len(table) and key[: len(table)] == table]:
                del counts[known]
        elif key := _KEY.match(line):
            lines.setdefault((*table, key.group(1)), number)
    return lines


def _explain(path: Path, text: str, error: ValidationError) -> str:
    """Describe the first mistake in one line."""
    first = error.errors()[0]
    place = _without_tags(first["loc"])
    where = _where(path, text, place)
    key = next((str(part) for part in reversed(place) if isinstance(part, str)), "")
    kind = first["type"]
    if kind == "extra_forbidden":
        allowed = _allowed_keys(first["loc"])
        return f"{where}: unknown key {key!r}; allowed: {', '.join(allowed)}"
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
    """Place in the file: pydantic adds the kind of step after its number."""
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
