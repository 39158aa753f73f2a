"""Mutation testing of the firmware: which small mistakes would no test notice?

Of each file up to IPCH_MUTANTS mutants (200; 0 is all) are drawn, the same ones each time; IPCH_MUTATE restricts the
run to the named files, and IPCH_DRAWN=60 draws so many from all of them together (IPCH_DRAW=n: others). Each runs
against the tests of tests/core named here, then against the others there, the golden traces, and a share of the fault
matrix and of random triples. Survivors are listed in runs/bench/mutation.txt, with the reason for those of _REASONS.
IPCH_WORKERS limits the processes.
"""

from __future__ import annotations

import ast
import os
import random
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

from bench.jobs import Workers, interpreter
from bench.mutants import mutant, places
from bench.rows import row
from ipch.base import generated

ROOT = Path(__file__).resolve().parents[3]
FIRMWARE = ROOT / "firmware" / "regulator"
MOST = int(os.environ.get("IPCH_MUTANTS", "200"))
DRAWN = int(os.environ.get("IPCH_DRAWN", "0"))
DRAW = os.environ.get("IPCH_DRAW", "0")
TIMEOUT_S = 240
# What a mutant needs around it.
_PARTS = ("firmware", "host/src", "host/bench", "tests/core", "tests/golden")
_ALL = ("test_modes", "test_last_word", "test_watches", "test_proof", "test_record")
_SCPI = ("test_scpi", "test_server")
# Each file with the tests that should notice, the quickest first.
FILES = {
    "fixed.py": ("test_fixed", "test_heat", "test_valves"),
    "faults.py": ("test_modes", "test_scpi"),
    "settings.py": ("test_settings", "test_store", "test_scpi"),
    "measure/sensors.py": ("test_sensors", "test_control", "test_watches"),
    "measure/trusted.py": ("test_watches", "test_modes", "test_stuck_valves", "test_record"),
    "measure/transducer.py": ("test_sensors", "test_watches"),
    "measure/temperature.py": ("test_sensors", "test_watches"),
    "measure/pressure.py": ("test_sensors", "test_control"),
    "measure/oven.py": ("test_oven", "test_sensors"),
    "measure/turning_points.py": ("test_oven", "test_drift"),
    "valves/window.py": ("test_valves", "test_stuck_valves", "test_control"),
    "valves/learned.py": ("test_learned", "test_valves"),
    "valves/verdict.py": ("test_verdict", "test_valves", "test_stuck_valves", "test_learned"),
    "valves/sides.py": ("test_valves",),
    "valves/heat.py": ("test_heat", "test_watches"),
    "control/controller.py": ("test_control", "test_modes"),
    "control/ramp.py": ("test_control", "test_modes"),
    "control/hold.py": ("test_control", "test_drift"),
    "control/plan.py": ("test_plan", "test_drift", "test_control"),
    "control/drift.py": ("test_drift", "test_control"),
    "control/vent.py": ("test_vent", "test_modes", "test_control", "test_record"),
    "control/quiet.py": ("test_modes", "test_control"),
    "control/amount.py": ("test_amount", "test_modes"),
    "store/copies.py": ("test_store", "test_record"),
    "store/record.py": ("test_record",),
    "changes.py": ("test_settings", "test_record", "test_modes", "test_scpi"),
    "modes.py": _ALL,
    "outputs.py": _ALL,
    "panel.py": ("test_modes", "test_record", "test_proof", "test_scpi"),
    "app.py": ("test_app", *_ALL),
    "health.py": ("test_health", "test_app"),
    "blackbox.py": ("test_blackbox", "test_app"),
    "watch/watches.py": _ALL,
    "watch/overpressure.py": ("test_overpressure", *_ALL),
    "watch/current_loops.py": _ALL,
    "watch/coils.py": ("test_watches", "test_record"),
    "watch/tightness.py": _ALL,
    "watch/stuck_valves.py": ("test_stuck_valves", "test_watches"),
    "watch/compare.py": ("test_apart", "test_stuck_valves", "test_watches"),
    "watch/balance.py": ("test_watches",),
    "watch/chase.py": ("test_watches",),
    "watch/surroundings.py": ("test_runaway", "test_watches"),
    "watch/proof.py": ("test_proof", "test_record"),
    "scpi/syntax.py": _SCPI,
    "scpi/parameters.py": _SCPI,
    "scpi/status.py": _SCPI,
    "scpi/pressure.py": _SCPI,
    "scpi/system.py": _SCPI,
    "scpi/calibration.py": _SCPI,
    "scpi/trace.py": ("test_blackbox", *_SCPI),
    "scpi/places.py": ("test_scpi",),
    "scpi/server.py": ("test_server", "test_scpi"),
}
# What may notice a mutant of any file.
_OTHERS = (
    "test_amount", "test_apart", "test_app", "test_control", "test_drift", "test_heat", "test_last_word",
    "test_learned", "test_modes", "test_oven", "test_overpressure", "test_plan", "test_proof", "test_record",
    "test_runaway", "test_sensors", "test_settings", "test_stuck_valves", "test_valves", "test_vent", "test_verdict",
    "test_watches",
)  # fmt: skip
# Survivors without an effect: a part of the line, a part of the change, and the reason; `_reason` has more of them.
_REASONS = (
    ("self._present = 0", "0 -> 1", "the bit of NO_FAULT"),
    ("present = 0", "0 -> 1", "the bit of NO_FAULT"),
    ("1 << watch.fault", "1 -> 2", "another bit, still one for each fault"),
    ("self._turn = 0", "0 -> 1", "which turn comes first does not matter"),
    ("self._second_ms = 0", "0 -> 1", "1 ms, once"),
    ("rig.switch(False, False, False)", "left out", "rig.safe() has shut everything two lines before"),
    ("1 << FILL_VALVE", ">>", "FILL_VALVE is 0"),
    ("self.value = 0", "0 -> 1", "only read with a fault"),
    ("self.fault_s = 0", "", "only read with a fault"),
    ("self.fault_ms = 0", "", "only read with a fault"),
    ("self.fault_value = 0", "", "only read with a fault"),
    ("self._generation = 0", "0 -> 1", "only the order of generations counts"),
    ("self._generation + 1", "1 -> 2", "only the order of generations counts"),
    ("self._generation += 1", "1 -> 2", "only the order of generations counts"),
    ("decoded[0] > self._generation", ">=", "two copies never have the same generation"),
    ("self._next = suffix", "left out", "the copy that was read first has set it"),
    ("at < 0", "", "a record without a head is refused two lines later"),
)

RUNNER = """
import importlib, sys
for name in sys.argv[1:]:
    module = importlib.import_module(name)
    for test in [value for key, value in vars(module).items() if key.startswith("test")]:
        test()
"""


# Every cell of the fault matrix in one state, and some random triples of faults: quick enough on PyPy.
MATRIX = """
from bench.faults import run, sequences
from bench.scenarios.cells import CELLS
for index, cell in enumerate(cell for cell in CELLS if not cell.slow):
    run.run_core(cell, cell.states[index % len(cell.states)])
found = sequences.judge_triples(0, 60)[0]
assert not found, found
"""


class _Mutant(NamedTuple):
    file: str
    line: int
    said: str
    source: str


class _Checkout:
    """A copy of firmware, tests and host package, in which one file at a time is a mutant."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        hidden = shutil.ignore_patterns("__pycache__", "*.md")
        for part in _PARTS:
            shutil.copytree(ROOT / part, folder / part, ignore=hidden)
        (folder / "generated.py").write_text(generated.source(ROOT / "firmware"))
        self.traces = (ROOT / "tests" / "golden" / "traces.txt").read_text()

    def killer(self, name: str, source: str) -> str:
        """Return which tests notice this source of a file; empty if none does."""
        path = self.folder / "firmware" / "regulator" / name
        whole = path.read_text()
        try:
            path.write_text(source)
            return next((tests for tests in _killers(name) if not self.passes(tests)), "")
        finally:
            path.write_text(whole)

    def passes(self, tests: str) -> bool:
        """Return whether these tests pass: modules of tests/core, the golden traces, or the fault matrix."""
        if tests == "golden":
            return self._run([*interpreter(), "tests/golden/traces.py"]) == self.traces
        if tests == "matrix":
            return self._run([*interpreter(), "-c", MATRIX], "host", "host/src") is not None
        return (
            self._run([*interpreter(), "-c", RUNNER, *tests.split()], "firmware", "tests/core", ".")
            is not None
        )

    def _run(self, command: list[str], *paths: str) -> str | None:
        """Return the output of a program, None if it fails or does not end."""
        path = os.pathsep.join(str(self.folder / each) for each in paths)
        environment = os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(
                command,
                env=environment,
                cwd=self.folder,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                timeout=TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None
        return done.stdout if done.returncode == 0 else None


def _killers(name: str) -> tuple[str, ...]:
    """Return the tests that may notice a mutant of a file, the quickest first."""
    return (*FILES[name], " ".join(_OTHERS), "golden", "matrix")


def _reason(source: str, line: int, said: str) -> str:
    """Return why a survivor has no effect that a rig could notice, "" if that is not known."""
    text = source.splitlines()[line - 1]
    if _LIMIT.match(said):
        return "a reading that meets a limit to the pascal or millikelvin"
    if said == "0 -> 1" and _COUNT_OF_MS.search(text):
        return "one millisecond of a count"
    if _is_initial(source, line) and said.endswith("-> left out"):
        return "set before it is read; made here so that no tick allocates it"
    if _is_initial(source, line) and said == "0 -> 1" and _SMALL.search(text):
        return "one pascal, millisecond or place in a ring, once at the start"
    return next((why for part, change, why in _REASONS if part in text and change in said), "")


# A comparison of pressures or temperatures that gains or loses the equal sign.
_LIMIT = re.compile(
    r"[^<>=]*(pa|mk)\b[^<>=]*( < .* -> .* <= | <= .* -> .* < | > .* -> .* >= | >= .* -> .* > )",
    re.IGNORECASE,
)
_COUNT_OF_MS = re.compile(r"self\._(\w*_)?ms = 0$")
_SMALL = re.compile(r"self\._?\w*(pa|ms|us|mk|index|mean) = ")


def _is_initial(source: str, line: int) -> bool:
    """Return whether a line is in a constructor."""
    return any(
        isinstance(node, ast.FunctionDef)
        and node.name == "__init__"
        and node.lineno <= line <= (node.end_lineno or 0)
        for node in ast.walk(ast.parse(source))
    )


def _draw() -> Iterator[_Mutant]:
    only = os.environ.get("IPCH_MUTATE", "").split()
    every = []
    for name in FILES:
        if only and name not in only:
            continue
        found = [(name, place) for place in places((FIRMWARE / name).read_text())]
        if MOST and not DRAWN and len(found) > MOST:
            found = random.Random(name).sample(found, MOST)
        every += found
    for name, place in random.Random(f"{DRAWN} {DRAW}").sample(every, DRAWN) if DRAWN else every:
        yield _Mutant(name, *mutant((FIRMWARE / name).read_text(), place))


def measure(out: Path, workers: Workers) -> list[dict[str, Any]]:
    """Return the share of killed mutants, file by file, or of all that were drawn together."""
    drawn = list(_draw())
    unexplained: Counter[str] = Counter()
    killers: Counter[str] = Counter()
    report: list[str] = []
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(workers.count) as pool:
        idle: SimpleQueue[_Checkout] = SimpleQueue()
        for number in range(workers.count):
            idle.put(_Checkout(Path(folder, str(number))))

        def run(each: _Mutant) -> str:
            checkout = idle.get()
            try:
                return checkout.killer(each.file, each.source)
            finally:
                idle.put(checkout)

        def fails(tests: str) -> str:
            checkout = idle.get()
            try:
                return "" if checkout.passes(tests) else tests
            finally:
                idle.put(checkout)

        failed = "".join(pool.map(fails, sorted({tests for each in drawn for tests in _killers(each.file)})))
        if failed:
            raise RuntimeError(f"{failed}: fails without a mutation")
        killed_by = pool.map(run, drawn)
        for each, killer in zip(drawn, killed_by, strict=True):
            killers[killer] += 1
            if not killer:
                reason = _reason((FIRMWARE / each.file).read_text(), each.line, each.said)
                unexplained[each.file] += not reason
                report.append(f"{each.file}:{each.line}: {each.said}: {reason or 'no reason known'}")
                (out / "mutation.txt").write_text("\n".join(report) + "\n")
    print(f"  killed by: {dict(killers.most_common())}")
    counts = Counter("all files" if DRAWN else each.file for each in drawn)
    lives = Counter({"all files": unexplained.total()}) if DRAWN else unexplained
    return [
        row(
            f"{name}: killed or explained, of {count} mutants",
            100.0 * (count - lives[name]) / count,
            "%",
            at_least=90.0 if DRAWN else 95.0,
        )
        for name, count in counts.items()
    ]
