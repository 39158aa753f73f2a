"""Import rules: the firmware stays independent of hardware and host, and other rooms use only a room's public names.

The order of the host's rooms stands in host/pyproject.toml, and `make lint` checks it.
"""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from types import ModuleType

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


def test_the_firmware_does_not_know_the_host() -> None:
    for file in FIRMWARE.rglob("*.py"):
        assert "ipch" not in imports(file), file


# The rooms of the regulator from left to right: a file imports from its own room and from rooms before it.
ROOMS = (
    "fixed",
    "faults",
    "settings",
    "measure",
    "valves",
    "control",
    "watch",
    "modes",
    "outputs",
    "store",
    "changes",
    "panel",
    "blackbox",
    "health",
    "scpi",
    "app",
)


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def test_no_room_of_the_regulator_imports_from_one_to_its_right() -> None:
    files = [file for file in (FIRMWARE / "regulator").rglob("*.py") if file.name != "__init__.py"]
    assert {file.relative_to(FIRMWARE / "regulator").parts[0].removesuffix(".py") for file in files} == set(
        ROOMS
    )
    for file in files:
        own = ROOMS.index(file.relative_to(FIRMWARE / "regulator").parts[0].removesuffix(".py"))
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("regulator"):
                names = (
                    [room_of(node.module or "")]
                    if "." in (node.module or "")
                    else [a.name for a in node.names]
                )
                for name in set(names) & set(ROOMS):
                    assert ROOMS.index(name) <= own, f"{file}:{node.lineno}"


def test_no_object_writes_anothers_attributes() -> None:
    for file in FIRMWARE.rglob("*.py"):
        # The rig contract: `rig.read(sample)` fills in the counts.
        owners = {"self", "sample"} if file.name == "board.py" else {"self"}
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                assert ast.unparse(node.value) in owners, f"{file}:{node.lineno}"


def test_the_state_is_assigned_at_one_place() -> None:
    tree = ast.parse((FIRMWARE / "regulator" / "modes.py").read_text())
    places = [
        function.name
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and node.attr == "state"
    ]
    assert places == ["__init__", "go"]


def test_functions_of_the_regulator_take_four_arguments_at_most() -> None:
    for file in (FIRMWARE / "regulator").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef):
                names = [each.arg for each in node.args.args if each.arg != "self"]
                assert len(names) <= 4, f"{file}:{node.lineno}: {node.name}"


def test_other_rooms_import_only_what_a_room_exports() -> None:
    """Of `base` and `sim`, whose modules need quite different libraries, modules are imported instead."""
    package = ROOT / "host" / "src" / "ipch"
    rooms = {path.parent.name for path in package.glob("*/__init__.py")} - {"base", "cli", "sim"}
    for file in package.rglob("*.py"):
        own = file.relative_to(package).parts[0]
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ipch."):
                _, room, *module = (node.module or "").split(".")
                public = importlib.import_module(f"ipch.{room}").__all__ if room in rooms - {own} else None
                names = {alias.name for alias in node.names}
                assert public is None or (not module and names <= set(public)), f"{file}:{node.lineno}"


def test_no_public_name_of_a_room_hides_a_module_of_it() -> None:
    for path in (ROOT / "host" / "src" / "ipch").glob("*/__init__.py"):
        room = importlib.import_module(f"ipch.{path.parent.name}")
        for name in getattr(room, "__all__", ()):
            if path.with_name(f"{name}.py").is_file() or path.with_name(name).is_dir():
                assert isinstance(getattr(room, name), ModuleType), f"ipch.{path.parent.name}.{name}"
