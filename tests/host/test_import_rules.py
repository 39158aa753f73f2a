"""Which way the code depends: the rules that keep the halves apart."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
FIRMWARE = ROOT / "firmware"


def imports(file: Path) -> set[str]:
    """Return the top-level names of every module that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative imports hide where a name comes from"
            names.add((node.module or "").split(".")[0])
    return names


def test_the_regulator_is_pure() -> None:
    for file in (FIRMWARE / "regulator").rglob("*.py"):
        # `sys` only names the interpreter's version, for *IDN?; `array` is a list that takes less memory.
        assert imports(file) <= {"regulator", "array", "binascii", "sys"}, file


def test_only_the_board_knows_the_hardware() -> None:
    for file in FIRMWARE.rglob("*.py"):
        if file.name != "board.py":
            assert not imports(file) & {"machine", "rp2", "micropython"}, file


def test_the_regulator_has_no_floats() -> None:
    for file in (FIRMWARE / "regulator").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), (
                f"{file}:{node.lineno}"
            )
            assert not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)), f"{file}:{node.lineno}"
            assert not (isinstance(node, ast.Name) and node.id == "float"), f"{file}:{node.lineno}"


def test_firmware_and_host_never_import_each_other() -> None:
    firmware_names = {path.stem for path in FIRMWARE.iterdir() if path.suffix == ".py" or path.is_dir()}
    for file in (ROOT / "host" / "src").rglob("*.py"):
        if "unix" not in file.parts:
            assert not imports(file) & firmware_names, file
    for file in FIRMWARE.rglob("*.py"):
        assert "ipch" not in imports(file), file
