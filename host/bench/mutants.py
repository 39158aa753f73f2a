"""Mutants of a Python file: one small change each, like a typing mistake."""

from __future__ import annotations

import ast

_COMPARE = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_ARITHMETIC = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}


def places(source: str) -> list[tuple[int, int]]:
    """Return every place with a known mutation: the number of its node, and that of the change."""
    nodes = ast.walk(ast.parse(source))
    return [(index, change) for index, node in enumerate(nodes) for change in range(_changes(node))]


def mutant(source: str, place: tuple[int, int]) -> tuple[int, str, str]:
    """Return (line, change, mutated source) of one place."""
    tree = ast.parse(source)
    index, change = place
    target = next(each for number, each in enumerate(ast.walk(tree)) if number == index)
    line = getattr(target, "lineno", 0)
    said = _apply(target, change)
    return line, said, ast.unparse(ast.fix_missing_locations(tree))


def _changes(node: ast.AST) -> int:
    if isinstance(node, ast.Compare):
        return len(node.ops)
    if isinstance(node, (ast.BinOp, ast.AugAssign)):
        return int(type(node.op) in _ARITHMETIC)
    if isinstance(node, ast.Constant):
        return int(type(node.value) in (int, bool))
    return int(isinstance(node, (ast.BoolOp, ast.If, ast.IfExp)) or _is_not(node) or _is_statement(node))


def _is_not(node: ast.AST) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)


def _is_statement(node: ast.AST) -> bool:
    """A call for its effect, or an assignment to an attribute."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Call)
    return isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute)


def _another(number: int) -> int:
    """Return the next number, or one half as large again: that 20,001 were not 20,000 no rig could notice."""
    return number + 1 if number < 100 else number + number // 2


def _apply(node: ast.AST, change: int) -> str:
    before = ast.unparse(node).split("\n")[0]
    if isinstance(node, ast.Compare):
        node.ops[change] = _COMPARE[type(node.ops[change])]()
    elif isinstance(node, (ast.BinOp, ast.AugAssign)):
        node.op = _ARITHMETIC[type(node.op)]()
    elif isinstance(node, ast.Constant):
        node.value = not node.value if isinstance(node.value, bool) else _another(int(node.value))  # type: ignore[call-overload]
    elif isinstance(node, ast.BoolOp):
        node.op = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
    elif isinstance(node, (ast.If, ast.IfExp)):
        node.test = ast.UnaryOp(ast.Not(), node.test)
    elif isinstance(node, ast.UnaryOp):
        node.op = ast.UAdd()
    elif isinstance(node, ast.Expr):
        node.value = ast.Constant(None)
        return f"{before} -> left out"
    elif isinstance(node, ast.Assign):
        node.targets = [ast.Name("_", ast.Store())]
        return f"{before} -> left out"
    return f"{before} -> {ast.unparse(node).split(chr(10))[0]}"
