"""Mutation testing of the host package with mutmut: which small mistakes would no test of tests/host notice?

`make bench ONLY=host_mutation`. IPCH_MUTATE restricts the run to the named rooms; IPCH_MUTANTS is the share of the
mutants that is tried, in tenths (10). Survivors are listed in runs/bench/host_mutation.txt. A mutant that makes the
tests hang is killed; one in code that no named test reaches survives.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.jobs import Workers
from bench.rows import row

ROOT = Path(__file__).resolve().parents[3]
TENTHS = int(os.environ.get("IPCH_MUTANTS", "10"))
# Each room: its files, and the tests that should notice. Slow tests are left out by name.
ROOMS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "units": (("base/units.py",), ("test_units.py",)),
    "scpi": (("device/scpi.py",), ("test_wire.py",)),
    "sharing": (("device/sharing.py",), ("test_owner.py", "test_shared_computer.py")),
    "recording": (
        ("recording/reader.py", "recording/schema.py", "recording/recorder.py", "recording/export.py",
         "recording/gaps.py", "recording/clock.py", "recording/thinning.py", "recording/csv_writer.py"),
        ("test_record_rules.py", "test_recorder.py", "test_export.py"),
    ),
    "alarms": (("alarms/*.py",), ("test_alarms.py", "test_alarm_delivery.py")),
    "calibration": (
        ("calibration/fitting.py", "calibration/standards.py", "calibration/standard_port.py"),
        ("test_standards.py", "test_calibrate.py"),
    ),
}  # fmt: skip
# Tests that take longest, and notice nothing that the others do not.
SLOW = (
    "not killed_at and not leads_through and not typed_standard and not test_zero"
    " and not slip_in_a_point and not unplugged_and_plugged"
)
# Survivors without an effect: what the changed lines have in common, and the reason.
_REASONS = (
    (
        re.compile(r"\b(SELECT|WHERE|VALUES|INSERT|UPDATE|DELETE|PRAGMA|CREATE|BEGIN)\b", re.IGNORECASE),
        "SQL ignores case",
    ),
    (re.compile(r"_insert\(|\be\[\""), "names of columns ignore case"),
    (re.compile(r"headers?\b|Content-Type|message\["), "header names ignore case"),
    (re.compile(r'"utf-8"|"ascii"|"replace"'), "names of codecs ignore case"),
)
_CONFIG = """[mutmut]
source_paths=
    src
only_mutate=
{files}
also_copy=
    host
    pytest.ini
pytest_add_cli_args=
    -p
    no:randomly
    -p
    no:cacheprovider
    -k
    {slow}
pytest_add_cli_args_test_selection=
{tests}
"""


def measure(out: Path, workers: Workers) -> list[dict[str, Any]]:
    """Return the share of killed mutants, room by room."""
    only = os.environ.get("IPCH_MUTATE", "").split()
    rows, report = [], []
    for room, (files, tests) in ROOMS.items():
        if only and room not in only:
            continue
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            _lay_out(place)
            lines = {
                "files": "\n".join(f"    src/ipch/{name}" for name in files),
                "tests": "\n".join(f"    tests/host/{name}" for name in tests),
            }
            (place / "setup.cfg").write_text(_CONFIG.format(slow=SLOW, **lines))
            found = _run(place)
            survived = sorted(name for name, state in found.items() if state not in ("killed", "timeout"))
            shown = {name: _shown(place, name) for name in survived}
            report += [
                f"{room}: {name}: {text}: {_reason(text) or 'survives'}" for name, text in shown.items()
            ]
            survived = [name for name in survived if not _reason(shown[name])]
        if not found:
            raise RuntimeError(f"{room}: no mutant was tried; do its tests pass without one?")
        killed = 100.0 * (1 - len(survived) / len(found))
        rows.append(
            row(f"{room}: killed or without effect, of {len(found)} mutants", killed, "%", at_least=85.0)
        )
        (out / "host_mutation.txt").write_text("\n".join(report) + "\n")
    return rows


def _lay_out(place: Path) -> None:
    """A copy of the checkout as mutmut wants it: the package below src."""
    skipped = shutil.ignore_patterns("__pycache__", "dist", "*.egg-info")
    for name in ("firmware", "tests", "hardware", "docs"):
        shutil.copytree(ROOT / name, place / name, ignore=skipped)
    shutil.copytree(ROOT / "host" / "src", place / "src", ignore=skipped)
    for name in ("bench", "pages"):
        shutil.copytree(ROOT / "host" / name, place / "host" / name, ignore=skipped)
    settings = (ROOT / "pytest.ini").read_text().replace("host/src", "src")
    (place / "pytest.ini").write_text(settings.replace("filterwarnings = error\n", ""))


def _run(place: Path) -> dict[str, str]:
    """State of each tried mutant."""
    mutmut = [sys.executable, "-m", "mutmut"]
    names = [] if TENTHS >= 10 else [f"*mutmut_*{digit}" for digit in range(TENTHS)]
    # Programs that a test starts are those of this checkout, without a mutation.
    environment = os.environ | {"PYTHONPATH": str(ROOT / "host" / "src")}
    run = [*mutmut, "run", "--max-children", "1", *names]
    subprocess.run(run, cwd=place, stdout=sys.stderr, check=False, env=environment)
    told = subprocess.run(
        [*mutmut, "results", "--all", "true"], cwd=place, capture_output=True, text=True, check=True
    )
    states = dict(line.strip().split(": ", 1) for line in told.stdout.splitlines() if "__mutmut_" in line)
    return {name: state for name, state in states.items() if state != "not checked"}


def _reason(shown: str) -> str:
    """Why a mutant that only changes the case of letters has no effect; empty if it may have one."""
    before, _, after = shown.partition(" + ")
    if before.removeprefix("- ").lower() != after.lower():
        return ""
    return next((reason for pattern, reason in _REASONS if pattern.search(before)), "")


def _shown(place: Path, name: str) -> str:
    """The changed lines of a mutant."""
    told = subprocess.run(
        [sys.executable, "-m", "mutmut", "show", name], cwd=place, capture_output=True, text=True
    )
    changed = [
        line for line in told.stdout.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")
    ]
    return " ".join(" ".join(line.split()) for line in changed)
