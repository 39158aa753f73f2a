"""The firmware with every arithmetic result checked against 2^30, where the board's small integers end.

A desktop does not notice a large integer; the board would allocate it on the heap in the middle of a tick. Tests
therefore load the firmware with each arithmetic operation of its syntax tree wrapped in a check.
"""

from __future__ import annotations

import ast
import importlib.abc
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from ipch.base.paths import firmware_dir

LIMIT = 1 << 30
# Its CRC has 32 bits. It runs only while every valve is at rest, and allocates memory anyway.
_FLASH = "regulator.store.copies"


class IntegerTooLarge(AssertionError):
    """An integer of the tick left the range of MicroPython's small integers."""


class Watch:
    """Counts and checks; only while `armed`, because commands may allocate."""

    def __init__(self) -> None:
        self.armed = False
        self.checked = 0
        self.largest = 0
        self.where = ""

    def check(self, value: Any, where: str) -> Any:
        """Return the value; raise IntegerTooLarge if it is an integer of 2^30 or more while armed."""
        if self.armed and type(value) is int:
            self.checked += 1
            size = abs(value)
            if size > self.largest:
                self.largest, self.where = size, where
                if size >= LIMIT:
                    raise IntegerTooLarge(f"{value} at {where}")
        return value


class _Wrap(ast.NodeTransformer):
    def __init__(self, name: str) -> None:
        self._name = name

    def _checked(self, node: ast.expr) -> ast.Call:
        call = ast.Call(
            func=ast.Name("__check__", ast.Load()),
            args=[node, ast.Constant(f"{self._name}:{node.lineno}")],
            keywords=[],
        )
        return ast.copy_location(call, node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        return self._checked(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        # x += y becomes x = check(x + y): the targets here are plain names, attributes and subscripts.
        load = ast.parse(ast.unparse(node.target), mode="eval").body
        total = ast.copy_location(ast.BinOp(load, node.op, node.value), node)
        assign = ast.Assign(targets=[node.target], value=self._checked(total))
        return ast.copy_location(assign, node)


class _Finder:
    """Finds the firmware's modules and loads them wrapped."""

    def __init__(self, folder: Path, watch: Watch) -> None:
        self._folder = folder
        self._watch = watch

    def find_spec(self, name: str, path: object = None, target: object = None) -> Any:
        if name == _FLASH:
            return None
        place = self._folder.joinpath(*name.split("."))
        for file, package in ((place / "__init__.py", True), (place.with_suffix(".py"), False)):
            if file.is_file():
                return importlib.util.spec_from_file_location(
                    name,
                    file,
                    loader=_Loader(file, self._watch),
                    submodule_search_locations=[str(place)] if package else None,
                )
        return None


class _Loader(importlib.abc.Loader):
    def __init__(self, file: Path, watch: Watch) -> None:
        self._file = file
        self._watch = watch

    def create_module(self, spec: object) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        tree = _Wrap(self._file.stem).visit(ast.parse(self._file.read_text()))
        module.__dict__["__check__"] = self._watch.check
        exec(compile(ast.fix_missing_locations(tree), str(self._file), "exec"), module.__dict__)


def _is_firmware(name: str) -> bool:
    return name == "link" or (name.split(".")[0] == "regulator" and name != _FLASH)


@contextmanager
def checked_firmware(watch: Watch) -> Iterator[None]:
    """Within this context `ipch.sim.rigs.load_firmware` loads the checked firmware."""
    kept = {name: sys.modules.pop(name) for name in list(sys.modules) if _is_firmware(name)}
    finder = _Finder(firmware_dir(), watch)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if _is_firmware(name)]:
            del sys.modules[name]
        sys.modules.update(kept)
