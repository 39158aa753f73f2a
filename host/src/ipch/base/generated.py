"""The firmware's module `generated`: what is computed from the firmware itself when it is packed or simulated.

It copies black-box keyframes (every integer of the regulator's objects, in a fixed order), so that the board need not
search its objects, and it has the place of every command in the table, so that the board need not parse the table.
Standard library only: the build hook of the wheel loads this file by its path.
"""

from __future__ import annotations

import functools
import importlib
import sys
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

# Attributes that do not decide about valves, or must not be copied: links to other objects and back.
OUTSIDE = ("rig", "store", "settings", "link", "blackbox", "sample", "scpi", "server", "status", "health")

_HEAD = '''"""Generated from the regulator itself.

`first` and `second` copy every integer that decides about valves into a frame, a half each: all of them in one go would
make a tick too long. `PLACES` is what regulator/scpi/places.py returns for the command table.
"""

SLOTS = {slots}
# The CRC32 of their names.
NAMES_CRC = "{crc}"
PLACES = {places}


def copy(frame, at, values):
    for each in values:
        frame[at] = each
        at += 1
'''

Found = list[tuple[str, Any, list[tuple[str, int]]]]


def parts(app: Any) -> Found:
    """(path, object, names) of all data that decides about valves; names is a list of (name, length).

    The search follows attributes from the app and collects integers (length 0) and lists of integers. It misses an
    attribute that has another type when the app is created.
    """
    waiting = [("", app)]
    seen: list[Any] = []
    found: Found = []
    while waiting:
        path, thing = waiting.pop(0)
        if any(thing is other for other in seen):
            continue
        seen.append(thing)
        names = []
        for name, value in sorted(vars(thing).items()):
            if name.lstrip("_") in OUTSIDE:
                continue
            if isinstance(value, int):
                names.append((name, 0))
            elif type(value).__name__ in ("list", "array", "bytearray"):
                if len(value) and all(isinstance(each, int) for each in value):
                    names.append((name, len(value)))
            else:
                inner = (
                    [(f"{name}.{n}", each) for n, each in enumerate(value)]
                    if isinstance(value, tuple)
                    else []
                )
                for step, each in inner or [(name, value)]:
                    if not callable(each) and hasattr(each, "__dict__"):
                        waiting.append((f"{path}.{step}" if path else step, each))
        if names:
            found.append((path, thing, names))
    return found


def slot_names(found: Found) -> list[str]:
    """Name of each integer in a keyframe, in order: `sensors.control.band`, `valves.openings[1]`."""
    listed = []
    for path, _, names in found:
        prefix = path + "." if path else ""
        for name, length in names:
            listed += [f"{prefix}{name}[{index}]" for index in range(length)] if length else [prefix + name]
    return listed


def names_crc(found: Found) -> str:
    """CRC32 of all names, eight hexadecimal digits."""
    text = "".join(f"{name}\n" for name in slot_names(found))
    return f"{zlib.crc32(text.encode()):08X}"


def source(folder: Path, called: Callable[[str, str], str] = lambda module, name: name) -> str:
    """Source of the module `generated` for the firmware in `folder`, from a regulator created from it.

    `called(module, name)` returns the name of a class attribute as compiled in that module.
    """
    app = _regulator(folder)
    places = importlib.import_module("regulator.scpi.places").places(app.server.parts)
    return _text(app, called, places)


@functools.cache
def _regulator(folder: Path) -> Any:
    """A newly created regulator without a board."""
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    settings = importlib.import_module("regulator.settings").Settings()
    store = SimpleNamespace(
        settings=settings,
        boots=1,
        starts=1,
        writes=0,
        failures=0,
        lost=False,
        state_lost=False,
        last={},
        text=str.encode,
    )
    nothing = SimpleNamespace(SLOTS=0, NAMES_CRC="", PLACES={}, first=None, second=None)
    return importlib.import_module("regulator.app").App(None, None, store, nothing)


@functools.cache
def load(folder: Path) -> ModuleType:
    """Generate and load the module `generated`, once: it holds no state."""
    module = ModuleType("generated")
    exec(compile(source(folder), "generated.py", "exec"), module.__dict__)
    return module


def _text(app: Any, called: Callable[[str, str], str], places: Mapping[int, int]) -> str:
    found = parts(app)
    slots = len(slot_names(found))
    halves: list[list[str]] = [[], []]
    slot = 0
    for path, thing, names in found:
        lines = halves[slot * 2 >= slots]
        lines.append(f"    o = {_reference(app, path, called)}")
        for name, length in names:
            there = called(type(thing).__module__, name)
            if length:
                lines.append(f"    copy(frame, {slot}, o.{there})")
            else:
                lines.append(f"    frame[{slot}] = o.{there}")
            slot += length or 1
    text = _HEAD.format(slots=slots, crc=names_crc(found), places=places)
    for name, lines in zip(("first", "second"), halves, strict=True):
        text += "\n\n" + "\n".join([f"def {name}(frame, app):", *lines]) + "\n"
    return text


def _reference(app: Any, path: str, called: Callable[[str, str], str]) -> str:
    """`watches.each.0` as Python: `app.watches.each[0]`."""
    text, thing = "app", app
    for step in path.split(".") if path else []:
        if step.isdigit():
            text, thing = f"{text}[{step}]", thing[int(step)]
        else:
            text, thing = f"{text}.{called(type(thing).__module__, step)}", getattr(thing, step)
    return text
