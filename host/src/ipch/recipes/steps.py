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

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from ipch.base.units import (
    format_duration,
    format_slew,
    format_target,
    parse_duration,
    parse_pressure,
    parse_slew,
)
from ipch.errors import UsageError

KINDS = ("ramp", "hold", "quiet", "wait", "vent", "repeat", "log-rate")
TRIGGERS = {"in-limits": (), "file": ("path",), "webhook": ("name",), "cycle": ("path", "number")}
_MOST_STEPS = 100_000

T = TypeVar("T")
Place = tuple[str | int, ...]


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
    """Fields that all steps share."""

    note: str = ""


class Ramp(Step):
    """Go to a pressure (Pa) and wait until it is in limits; give up after `timeout` seconds."""

    ramp: Pressure
    slew: Slew | None = None
    timeout: Duration | None = None


class Hold(Step):
    """Hold the pressure for this many seconds."""

    hold: Duration


class Quiet(Step):
    """Keep the valves shut for this many seconds."""

    quiet: Duration


class Wait(Step):
    """Wait for this many seconds, or for an event.

    `in-limits`: the pressure is in limits; `file`: the file `path` was written after the recipe began; `webhook`:
    a call of `name` arrived; `cycle`: the file `path`, which the cycler is writing, has reached cycle `number`.
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
    """Record samples at this interval, in s, from this step on."""

    log_rate: Duration = Field(alias="log-rate")


class Vent(Step):
    """Vent the chamber."""

    vent: Literal[True]


class Repeat(Step):
    """Repeat the steps below this many times."""

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
    """A checked recipe. `steps()` lists its steps in order."""

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
                raise ValueError(f"more than {_MOST_STEPS} steps once its repeats are unrolled")
        return tasks


@dataclass(frozen=True)
class Task:
    """One step of the unrolled recipe; `target_pa` is the pressure that it should have, None after a vent."""

    index: int
    step: Step
    target_pa: int | None
    note: str
    place: "Place" = ()
    """Place in the file."""

    @property
    def kind(self) -> str:
        if isinstance(self.step, LogRate):
            return "log-rate"
        # During a wait for limits the pressure still moves; any other wait with a target is a hold.
        return "settle" if getattr(self.step, "wait", "") == "in-limits" else type(self.step).__name__.lower()

    @property
    def text(self) -> str:
        """The step as text for people."""
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
    """The same recipe with every timed step cut to `longest_s`, and without steps that wait for other programs."""

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
