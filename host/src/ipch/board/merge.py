"""Many modules in one file for the board.

Each file of its own costs memory there: a table of its names, one of its globals, and its path. They are imported
faster from one file, too.
"""

from __future__ import annotations

import ast
import graphlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from ipch.errors import FileError

# A compiled file refers to the first names of its table with one byte, to later ones with two.
_SHORT = 127


def merged(sources: Mapping[str, str], words: Iterable[str] = ()) -> str:
    """One source text of these modules (path -> source) in the order of their imports, without the imports of each
    other; with the names that are used most, and `words`, where the board finds each of them once.

    Raises FileError if two modules define the same name.
    """
    modules = {path.removesuffix(".py").replace("/", "."): sources[path] for path in sorted(sources)}
    # In lists, as the same sources must give the same file: a board compares its hash.
    needs = {
        name: [each.module or "" for each in _imports(ast.parse(source), modules)]
        for name, source in modules.items()
    }
    order = list(graphlib.TopologicalSorter(needs).static_order())
    defined: dict[str, str] = {}
    parts = []
    for name in order:
        tree = ast.parse(modules[name])
        for each in top_names(tree):
            if defined.setdefault(each, name) != name:
                raise FileError(
                    f"{each} is defined by {defined[each]} and {name}, which share a file on the board"
                )
        parts.append(_without(_imports(tree, modules), modules[name]))
    text = "\n".join(parts)
    often = [name for name, _ in _uses(ast.parse(text)).most_common(_SHORT)]
    return _unreached(often) + text + "\n" + _unreached(f"a.{word}" for word in words)


def repeated(sources: Iterable[str]) -> list[str]:
    """Texts that these modules use more than once, and that the compiler would store each time."""
    found = Counter(
        node.value
        for source in sources
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier()
    )
    return sorted(text for text, count in found.items() if count > 1)


def top_names(tree: ast.Module) -> Iterator[str]:
    """Names that a module defines, without those that it imports."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            for each in ast.walk(node):
                if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
                    yield each.id


def _imports(tree: ast.Module, modules: Mapping[str, str]) -> list[ast.ImportFrom]:
    return [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module in modules]


def _without(nodes: Iterable[ast.stmt], source: str) -> str:
    """Source text without the lines of these statements; the rest as it is, since MicroPython optimises some forms."""
    lines = source.splitlines()
    for node in reversed(list(nodes)):
        del lines[node.lineno - 1 : node.end_lineno]
    return "\n".join(lines)


def _unreached(expressions: Iterable[str]) -> str:
    """Code that never runs: it only gives its names a place in the file's table, the first ones first."""
    return "\n ".join(["if not __name__:", "pass", *expressions]) + "\n"


def _uses(tree: ast.AST) -> Counter[str]:
    """How often a compiled file refers to each name."""
    found: Counter[str] = Counter()
    local: dict[ast.AST, set[str]] = {}
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            found[function.name] += 1
            found.update(each.arg for each in function.args.args)
            inside = list(ast.walk(function))
            own = {each.arg for each in inside if isinstance(each, ast.arg)}
            own |= {
                each.id for each in inside if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
            }
            for each in inside:
                local[each] = own
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            found[node.attr] += 1
        elif isinstance(node, ast.Name) and node.id not in local.get(node, ()):
            found[node.id] += 1
    return found
