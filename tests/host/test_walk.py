"""The walk of one count in firmware/README.md: at most twelve hops, each a call that the code makes."""

from __future__ import annotations

import ast
import re
from pathlib import Path

FIRMWARE = Path(__file__).parents[2] / "firmware"
ROW = re.compile(r"^\| ?(\d*) \| `([\w/]+\.py)` \| (.*?) \|", re.MULTILINE)


def walk() -> list[tuple[str, list[str]]]:
    """Return file and functions of each row, the first one where the count is read."""
    text = (FIRMWARE / "README.md").read_text()
    table = text.split("## The walk of one count")[1].split("\n## ")[0]
    return [(name, re.findall(r"`([\w.]+)`", functions)) for _, name, functions in ROW.findall(table)]


def tree(name: str) -> ast.Module:
    path = FIRMWARE / name
    return ast.parse((path if path.exists() else FIRMWARE / "regulator" / name).read_text())


def body(name: str, function: str) -> ast.FunctionDef:
    """Return a function or a method, named as in the table."""
    nodes: list[ast.stmt] = tree(name).body
    for part in function.split("."):
        found = next(
            each for each in nodes if isinstance(each, (ast.ClassDef, ast.FunctionDef)) and each.name == part
        )
        nodes = found.body
    assert isinstance(found, ast.FunctionDef)
    return found


def calls(function: ast.AST) -> set[str]:
    return {
        node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and isinstance(node.func, (ast.Attribute, ast.Name))
    }


def test_the_walk_has_at_most_twelve_hops_and_never_returns_to_a_measuring_file() -> None:
    files = [name for name, _ in walk()]
    assert 1 < len(files) <= 13
    inner = files[1:-1]
    assert len(set(inner)) == len(inner), "no way back"
    assert files[0] == files[-1] == "board.py"


def test_each_hop_is_a_call_that_an_earlier_row_or_the_tick_makes() -> None:
    called = calls(tree("app.py"))
    for name, functions in walk():
        assert functions, name
        assert {each.split(".")[-1] for each in functions} & called, f"nothing calls {functions} of {name}"
        for each in functions:
            # Modes picks the duty of a state from a table.
            called |= calls(body(name, each))
