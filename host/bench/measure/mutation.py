"""Mutation testing of the firmware: which small mistakes would no test of tests/core notice?

Of each file up to IPCH_MUTANTS mutants (200; 0 is all) are drawn, the same ones each time, and run against the tests
named here; IPCH_MUTATE restricts the run to the named files. Survivors are listed in runs/bench/mutation.txt, with
the reason for those of _REASONS.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.jobs import Workers
from bench.mutants import mutants
from bench.rows import row
from ipch.base import generated

ROOT = Path(__file__).resolve().parents[3]
CORE = ROOT / "tests" / "core"
MOST = int(os.environ.get("IPCH_MUTANTS", "200"))
TIMEOUT_S = 300
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
    "valves/verdict.py": ("test_valves", "test_stuck_valves", "test_learned"),
    "valves/heat.py": ("test_heat", "test_watches"),
    "control/controller.py": ("test_control", "test_modes"),
    "control/ramp.py": ("test_control", "test_modes"),
    "control/hold.py": ("test_control", "test_drift"),
    "control/plan.py": ("test_drift", "test_control"),
    "control/drift.py": ("test_drift", "test_control"),
    "control/vent.py": ("test_modes", "test_control", "test_record"),
    "control/quiet.py": ("test_modes", "test_control"),
    "control/amount.py": ("test_amount", "test_modes"),
    "store/copies.py": ("test_store", "test_record"),
    "store/record.py": ("test_record",),
    "store/changes.py": ("test_settings", "test_record", "test_modes", "test_scpi"),
    "modes.py": _ALL,
    "outputs.py": _ALL,
    "panel.py": ("test_modes", "test_record", "test_proof", "test_scpi"),
    "app.py": ("test_app", *_ALL),
    "blackbox.py": ("test_blackbox", "test_app"),
    "watch/watches.py": _ALL,
    "watch/overpressure.py": _ALL,
    "watch/current_loops.py": _ALL,
    "watch/coils.py": ("test_watches", "test_record"),
    "watch/tightness.py": _ALL,
    "watch/stuck_valves.py": ("test_stuck_valves", "test_watches"),
    "watch/compare.py": ("test_stuck_valves", "test_watches"),
    "watch/balance.py": ("test_watches",),
    "watch/chase.py": ("test_watches",),
    "watch/surroundings.py": ("test_watches",),
    "watch/proof.py": ("test_proof", "test_record"),
    "scpi/syntax.py": _SCPI,
    "scpi/parameters.py": _SCPI,
    "scpi/status.py": _SCPI,
    "scpi/pressure.py": _SCPI,
    "scpi/system.py": _SCPI,
    "scpi/calibration.py": _SCPI,
    "scpi/trace.py": ("test_blackbox", *_SCPI),
    "scpi/server.py": ("test_server", "test_scpi"),
}
# Survivors without an effect: a part of the line, a part of the change, and the reason.
_REASONS = (
    ("self._present = 0", "0 -> 1", "the bit of NO_FAULT"),
    ("present = 0", "0 -> 1", "the bit of NO_FAULT"),
    ("1 << watch.fault", "1 -> 2", "another bit, still one for each fault"),
    ("self._turn = 0", "0 -> 1", "which turn comes first does not matter"),
    ("self._second_ms = 0", "0 -> 1", "1 ms, once"),
    ("rig.switch(False, False, False)", "left out", "rig.safe() has shut everything two lines before"),
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


def _survives(firmware: Path, made: Path, tests: tuple[str, ...]) -> bool:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(firmware), str(CORE), str(made)])}
    try:
        done = subprocess.run(
            [sys.executable, "-c", RUNNER, *tests],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _reason(line: str, said: str) -> str:
    return next((why for part, change, why in _REASONS if part in line and change in said), "")


def measure(out: Path, workers: Workers) -> list[dict[str, Any]]:
    """Return the share of killed mutants, file by file."""
    only = os.environ.get("IPCH_MUTATE", "").split()
    rows = []
    report = []
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        made = Path(folder)
        (made / "generated.py").write_text(generated.source(ROOT / "firmware"))
        for name, tests in FILES.items():
            if only and name not in only:
                continue
            source = (ROOT / "firmware" / "regulator" / name).read_text()
            lines = source.splitlines()
            drawn = list(mutants(source))
            if MOST and len(drawn) > MOST:
                drawn = random.Random(name).sample(drawn, MOST)

            def run(numbered: tuple[int, str], name: str = name, tests: tuple[str, ...] = tests) -> bool:
                number, mutated = numbered
                firmware = made / f"{name.replace(os.sep, '-')}-{number}"
                shutil.copytree(
                    ROOT / "firmware", firmware, ignore=shutil.ignore_patterns("__pycache__", "*.md")
                )
                (firmware / "regulator" / name).write_text(mutated)
                survives = _survives(firmware, made, tests)
                shutil.rmtree(firmware)
                return survives

            if not _survives(ROOT / "firmware", made, tests):
                raise RuntimeError(f"{name}: its tests fail without a mutation")
            survived = list(pool.map(run, ((number, each[2]) for number, each in enumerate(drawn))))
            unexplained = 0
            for (line, said, _), lives in zip(drawn, survived, strict=True):
                if lives:
                    reason = _reason(lines[line - 1], said)
                    unexplained += not reason
                    report.append(f"{name}:{line}: {said}: {reason or 'no reason known'}")
            killed = 100.0 * (len(drawn) - unexplained) / len(drawn)
            rows.append(
                row(f"{name}: killed or explained, of {len(drawn)} mutants", killed, "%", at_least=95.0)
            )
            (out / "mutation.txt").write_text("\n".join(report) + "\n")
    return rows
