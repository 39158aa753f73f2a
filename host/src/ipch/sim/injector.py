"""When faults are in force: by hand while the simulator runs, or scripted in the plant file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from ipch.errors import FileError, UsageError
from ipch.sim.failures import Values
from ipch.sim.faults import FAULTS, Fault, parse_values
from ipch.sim.sensors import Measurement

if TYPE_CHECKING:
    from ipch.sim.world import World

Script = list[tuple[str, dict[str, object]]]


def load_script(path: Path | None) -> Script:
    """Return (name, values) of the [[faults]] of a plant file. Raises FileError naming the entry.

    `at_s` is simulated time since the start; everything else as in `faults.parse_values`.
    """
    if path is None:
        return []
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("faults", [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FileError(f"{path}: cannot be read: {error}") from None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise FileError(f"{path}: faults must be a list of tables, each written [[faults]]")
    script: Script = []
    for number, entry in enumerate(entries, 1):
        values = dict(entry)
        name = values.pop("name", None)
        if not isinstance(name, str):
            raise FileError(
                f"{path}: [[faults]] number {number}: name is missing; `ipch inject --list` has them"
            )
        if "at_s" in values:
            values["after_s"] = values.pop("at_s")
        try:
            parse_values(name, values)
        except UsageError as error:
            raise FileError(f"{path}: [[faults]] number {number}: {error}") from None
        script.append((name, values))
    return script


class _Planned:
    """One injected fault and when it is in force."""

    def __init__(self, fault: Fault, values: dict[str, float | str], now_ms: int, seed: str) -> None:
        self.fault = fault
        self.values = values
        self.failure = fault.make(values, Random(seed))
        self.present = False
        self.begin_ms = now_ms + self._ms("after_s")
        length_ms = self._ms("for_s")
        self.end_ms = self.begin_ms + length_ms if length_ms else None
        self.every_ms = self._ms("every_s")
        self.on_ms = self._ms("on_s")
        self.grow_ms = self._ms("grow_s") if fault.grows else 0

    def _ms(self, name: str) -> int:
        return round(float(self.values[name]) * 1000)

    def over(self, now_ms: int) -> bool:
        return self.end_ms is not None and now_ms >= self.end_ms

    def due(self, now_ms: int) -> bool:
        if now_ms < self.begin_ms:
            return False
        return not self.every_ms or (now_ms - self.begin_ms) % self.every_ms < self.on_ms


class Injector:
    """The faults that are planned or in force in a world."""

    def __init__(self, seed: int = 1) -> None:
        self._seed = seed
        self._count = 0
        self.planned: list[_Planned] = []

    def inject(self, world: World, name: str, given: Mapping[str, object]) -> None:
        """Plan a fault from now on; the same fault of the same part replaces the one that was there.

        Raises UsageError with what is allowed; then nothing has changed.
        """
        fault, values = parse_values(name, given)
        for each in list(self.planned):
            if each.fault is fault and _part(each.values) == _part(values):
                self._remove(world, each)
        self._count += 1
        seed = f"{self._seed} {name} {self._count}"
        self.planned.append(_Planned(fault, values, world.plant.time_ms, seed))

    def clear(self, world: World, name: str | None = None) -> int:
        """End faults of this name, or all; return how many. Raises UsageError for an unknown name."""
        if name is not None and name not in FAULTS:
            parse_values(name, {})
        ended = [each for each in self.planned if name is None or each.fault.name == name]
        for each in ended:
            self._remove(world, each)
        return len(ended)

    def active(self) -> list[dict[str, Any]]:
        """Return what is planned or in force: name, row, present, and values that differ from the defaults."""
        rows = []
        for each in self.planned:
            defaults = {option.name: option.default for option in each.fault.all_options()}
            values = {key: value for key, value in each.values.items() if defaults.get(key, value) != value}
            rows.append(
                {"name": each.fault.name, "row": each.fault.row, "present": each.present, "values": values}
            )
        return rows

    def before(self, world: World) -> None:
        """Begin and end what is due, and act on the plant."""
        now_ms = world.plant.time_ms
        for each in list(self.planned):
            if each.over(now_ms):
                self._remove(world, each)
                continue
            due = each.due(now_ms)
            if due != each.present:
                each.present = due
                if due:
                    each.failure.begin(world)
                else:
                    each.failure.end(world)
            if due:
                if each.grow_ms:
                    each.failure.strength = min(1.0, (now_ms - each.begin_ms) / each.grow_ms)
                each.failure.before(world)

    def sensed(self, world: World, measurement: Measurement) -> None:
        """Act on what the sensors deliver."""
        for each in self.planned:
            if each.present:
                each.failure.sensed(world, measurement)

    def converted(self, world: World, counts: list[int]) -> None:
        """Act on what the converters deliver."""
        for each in self.planned:
            if each.present:
                each.failure.converted(world, counts)

    def _remove(self, world: World, each: _Planned) -> None:
        if each.present:
            each.failure.end(world)
        self.planned.remove(each)


def _part(values: Values) -> tuple[object, ...]:
    return (values.get("which"), values.get("valve"))
