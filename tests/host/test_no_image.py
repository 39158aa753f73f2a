"""Without a MicroPython image the tests of the emulated board are skipped by name, and nothing else happens."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
TESTS = (
    "test_boots_identifies_itself_and_measures",
    "test_over_pressure_opens_the_relief_in_time",
    "test_a_hung_processor_shuts_the_valve_within_its_pulse",
)


def test_each_is_named(tmp_path: Path) -> None:
    file = "tests/device/test_pico_short.py"
    command = [sys.executable, "-m", "pytest", "-m", "pico", "-p", "no:cacheprovider", file]
    environment = os.environ | {"HOME": str(tmp_path), "COLUMNS": "300"}
    for name in [name for name in environment if name.startswith("PYTEST_")]:
        del environment[name]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=REPOSITORY, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(TESTS)} skipped" in done.stdout
    for name in TESTS:
        assert f"::{name}: no RPI_PICO-*.uf2 in " in done.stdout


def test_an_emulator_without_its_compiled_part_is_refused_in_one_line() -> None:
    pytest.importorskip("rp2040py")
    code = "from ipch.sim.emulator import _clock_class; _clock_class()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "RP2040PY_SKIP_CYTHON": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr.splitlines()[-1].endswith("install its wheel for this Python")
