"""The names of the firmware on a board: replaced by names that cost no memory there.

MicroPython keeps every name once, in a table that doubles when it is full, and looks for each new text among all of
them. Those that the interpreter itself has lie in flash and cost nothing. So the names of the firmware that the
interpreter does not know are replaced by some that it does (`known_names.txt`: those in the tables of the RPI_PICO
image 1.26.1). An image without one of them works as well, at the cost of its memory.
"""

from __future__ import annotations

import ast
import builtins
import io
import keyword
import re
import tokenize
from collections.abc import Iterable, Mapping, Set
from pathlib import Path

_PRIVATE = re.compile(r"_[A-Za-z]\w*")
# Exceptions have these attributes; compiled files have no text for the last two.
_SPECIAL = ("args", "errno", "value", "const", "sep")
# Names of their methods stay what they are: a replacement of that name would mislead a reader, and compiled files have
# no text for them.
_TYPES = (str, bytes, list, dict, int, range, io.BytesIO)


def known_names() -> tuple[str, ...]:
    """Names that the interpreter has, the shortest first."""
    names = Path(__file__).with_name("known_names.txt").read_text().split()
    return tuple(sorted(names, key=lambda name: (len(name), name)))


def free_names(sources: Iterable[str]) -> tuple[str, ...]:
    """Known names that none of these sources uses and no basic type has."""
    used = {token.string for source in sources for token in _names(source)}
    used |= {name for each in (*_TYPES, builtins) for name in dir(each)} | {*_SPECIAL, *keyword.kwlist}
    return tuple(name for name in known_names() if name not in used)


def private_names(source: str, pool: Iterable[str], shared: Set[str] = frozenset()) -> dict[str, str]:
    """The private names of a module (attributes, methods, functions), each with its replacement from `pool`.

    Modules share the replacements, as no other module uses a private name; those of one file must differ in `shared`
    ones.
    """
    tree = ast.parse(source)
    names = sorted(name for name in _named(tree) - _formatted(tree) - shared if _PRIVATE.fullmatch(name))
    return dict(zip(names, pool, strict=False))


def public_names(
    sources: Mapping[str, str],
    outside: Iterable[str],
    pool: Iterable[str],
    shared: Set[str],
    files: Iterable[str],
) -> dict[str, str]:
    """The public and the `shared` names that these modules define, each with its replacement from `pool`, the same in
    all of them.

    Left as they are: what the sources `outside` use as well, names of `files` (they are texts, too), arguments given by
    name, and what the interpreter has anyway.
    """
    left = {*known_names(), *_SPECIAL, *(token.string for source in outside for token in _names(source))}
    left |= {word for path in files for word in path.removesuffix(".py").split("/")}
    defined: set[str] = set()
    for source in sources.values():
        tree = ast.parse(source)
        left |= _formatted(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                defined.add(node.name)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                defined.add(node.attr)
            elif isinstance(node, ast.keyword) and node.arg:
                left.add(node.arg)
        for statement in tree.body:
            if isinstance(statement, ast.Assign):
                defined |= _set(statement)
    wanted = sorted(
        name
        for name in defined - left
        if (not name.startswith("_") or name in shared) and not hasattr(builtins, name)
    )
    return dict(zip(wanted, pool, strict=False))


def with_names(source: str, names: Mapping[str, str]) -> str:
    """Source text with these names replaced wherever they occur, except in the path of an import."""
    lines = source.splitlines(keepends=True)
    paths = {
        row
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom)
        for row in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    changes = []
    in_path = False
    for token in _names(source):
        if token.start[0] in paths and token.string in ("from", "import"):
            in_path = token.string == "from"
        elif not in_path and token.string in names:
            changes.append(token)
    for token in reversed(changes):
        row, column = token.start
        line = lines[row - 1]
        lines[row - 1] = line[:column] + names[token.string] + line[column + len(token.string) :]
    return "".join(lines)


def _names(source: str) -> list[tokenize.TokenInfo]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return [token for token in tokens if token.type == tokenize.NAME]


def _named(tree: ast.AST) -> set[str]:
    """Every name and attribute in a part of a source."""
    fields = [getattr(node, field, None) for node in ast.walk(tree) for field in ("attr", "id", "name")]
    return {name for name in fields if isinstance(name, str)}


def _formatted(tree: ast.AST) -> set[str]:
    """Names inside f-strings, whose places Python reports only from 3.12 on."""
    return {name for part in ast.walk(tree) if isinstance(part, ast.JoinedStr) for name in _named(part)}


def _set(statement: ast.Assign) -> set[str]:
    """Names that an assignment sets."""
    names = [each for each in ast.walk(statement) if isinstance(each, ast.Name)]
    return {each.id for each in names if isinstance(each.ctx, ast.Store)}
