"""Timing of faults: injected by hand while the simulator runs, or scripted in the plant file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

from ipch.errors import FileError, UsageError
from ipch.sim.failures import MA_PER_PA, Values
from ipch.sim.faults import FAULTS, Fault, parse_values
from ipch.sim.parameters import read_plant_file
from ipch.sim.sensors import Measurement
from ipch.sim.world import Failure, World

Script = list[tuple[str, dict[str, object]]]


def load_script(path: Path | None) -> Script:
    """Return (name, values) of the [[faults]] of a plant file. Raises FileError naming the entry.

    `at_s` is simulated time since the start; all other keys as in `faults.parse_values`.
    """
    if path is None:
        return []
    entries = read_plant_file(path).get("faults", [])
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


class _Planned(Failure):
    """One injected fault with its timing."""

    def __init__(self, fault: Fault, values: dict[str, float | str], now_ms: int, seed: str) -> None:
        self.fault = fault
        self.values = values
        self.part = fault.make(values, Random(seed))
        self.present = False
        self.begin_ms = now_ms + self._ms("after_s")
        length_ms = self._ms("for_s")
        self.end_ms = self.begin_ms + length_ms if length_ms else None
        self.every_ms = self._ms("every_s")
        self.on_ms = self._ms("on_s")
        self.grow_ms = self._ms("grow_s") if fault.grows else 0

    def _ms(self, name: str) -> int:
        return round(float(self.values[name]) * 1000)

    def _due(self, now_ms: int) -> bool:
        if now_ms < self.begin_ms:
            return False
        return not self.every_ms or (now_ms - self.begin_ms) % self.every_ms < self.on_ms

    def before(self, world: World) -> None:
        now_ms = world.plant.time_ms
        if self.end_ms is not None and now_ms >= self.end_ms:
            self.remove(world)
            return
        due = self._due(now_ms)
        if due != self.present:
            self.present = due
            if due:
                self.part.begin(world)
            else:
                self.part.end(world)
        if due:
            if self.grow_ms:
                self.part.strength = min(1.0, (now_ms - self.begin_ms) / self.grow_ms)
            self.part.before(world)

    def sensed(self, world: World, measurement: Measurement) -> None:
        if self.present:
            before_ma = measurement.control_ma
            self.part.sensed(world, measurement)
            if not self.part.quick:
                world.plant.sensors.control_error_pa += (measurement.control_ma - before_ma) / MA_PER_PA

    def converted(self, world: World, counts: list[int]) -> None:
        if self.present:
            self.part.converted(world, counts)

    def remove(self, world: World) -> None:
        """Remove it from the world's list and repair the part."""
        if self.present:
            self.part.end(world)
        world.failures.remove(self)


def _planned(world: World) -> list[_Planned]:
    return [each for each in world.failures if isinstance(each, _Planned)]


def inject(world: World, name: str, given: Mapping[str, object]) -> None:
    """Plan a fault from now on; it replaces the same fault of the same part.

    Raises UsageError with the allowed values, and changes nothing.
    """
    fault, values = parse_values(name, given)
    for each in _planned(world):
        if each.fault is fault and _part(each.values) == _part(values):
            each.remove(world)
    world.injected += 1
    seed = f"{world.seed} {name} {world.injected}"
    world.failures.append(_Planned(fault, values, world.plant.time_ms, seed))


def clear(world: World, name: str | None = None) -> int:
    """End faults of this name, or all; return their number. Raises UsageError for an unknown name."""
    if name is not None and name not in FAULTS:
        parse_values(name, {})
    ended = [each for each in _planned(world) if name is None or each.fault.name == name]
    for each in ended:
        each.remove(world)
    return len(ended)


def active(world: World) -> list[dict[str, Any]]:
    """Return planned and active faults: name, row, present, and values that differ from the defaults."""
    rows = []
    for each in _planned(world):
        defaults = {option.name: option.default for option in each.fault.all_options()}
        values = {key: value for key, value in each.values.items() if defaults.get(key, value) != value}
        rows.append(
            {"name": each.fault.name, "row": each.fault.row, "present": each.present, "values": values}
        )
    return rows


def _part(values: Values) -> tuple[object, ...]:
    return (values.get("which"), values.get("valve"))
