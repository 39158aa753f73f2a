"""Copies of a bench: as copy.deepcopy, but quick enough for a hundred thousand of them."""

from __future__ import annotations

import copy
import functools
from array import array
from collections import deque
from collections.abc import Callable
from pathlib import PurePath
from random import Random
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

Memo = dict[int, Any]
# Values that cannot change, and code.
_SHARED = {int, float, str, bytes, bool, type(None), type, FunctionType, BuiltinFunctionType, ModuleType}


def twin(thing: Any, memo: Memo) -> Any:
    """Return a copy of an object and of all that it refers to; `memo` has the copies made so far, by id."""
    kind = type(thing)
    if kind in _SHARED:
        return thing
    known = memo.get(id(thing))
    if known is not None:
        return known
    how = _HOW.get(kind)
    if how is not None:
        return how(thing, memo)
    if isinstance(thing, (list, dict, tuple, type, PurePath)):
        return copy.deepcopy(thing, memo)
    made = memo[id(thing)] = kind.__new__(kind)
    if hasattr(thing, "__dict__"):
        values = made.__dict__
        for name, value in thing.__dict__.items():
            values[name] = value if type(value) in _SHARED else twin(value, memo)
    for name in _slots(kind):
        setattr(made, name, twin(getattr(thing, name), memo))
    return made


@functools.cache
def _slots(kind: type) -> tuple[str, ...]:
    return tuple(
        name for each in kind.__mro__ for name in each.__dict__.get("__slots__", ()) if name != "__dict__"
    )


def _list(thing: list[Any], memo: Memo) -> list[Any]:
    made: list[Any] = []
    memo[id(thing)] = made
    for each in thing:
        made.append(each if type(each) in _SHARED else twin(each, memo))
    return made


def _dict(thing: dict[Any, Any], memo: Memo) -> dict[Any, Any]:
    made: dict[Any, Any] = {}
    memo[id(thing)] = made
    for key, value in thing.items():
        made[key] = value if type(value) in _SHARED else twin(value, memo)
    return made


def _tuple(thing: tuple[Any, ...], memo: Memo) -> tuple[Any, ...]:
    for each in thing:
        if type(each) not in _SHARED:
            break
    else:
        return thing
    made = tuple([twin(each, memo) for each in thing])
    # A tuple that contains itself by way of a list was copied meanwhile.
    return memo.setdefault(id(thing), made)


def _deque(thing: deque[Any], memo: Memo) -> deque[Any]:
    made: deque[Any] = deque(maxlen=thing.maxlen)
    memo[id(thing)] = made
    made.extend([twin(each, memo) for each in thing])
    return made


def _flat(thing: Any, memo: Memo) -> Any:
    made = memo[id(thing)] = thing[:]
    return made


def _method(thing: MethodType, memo: Memo) -> MethodType:
    return MethodType(thing.__func__, twin(thing.__self__, memo))


def _random(thing: Random, memo: Memo) -> Random:
    made = memo[id(thing)] = Random.__new__(Random)
    made.setstate(thing.getstate())
    return made


_HOW: dict[type, Callable[[Any, Memo], Any]] = {
    list: _list,
    dict: _dict,
    tuple: _tuple,
    deque: _deque,
    array: _flat,
    bytearray: _flat,
    MethodType: _method,
    Random: _random,
}
