"""Every rung and every interpreter computes the same: five scenarios, tick for tick (tests/golden/traces.py)."""

import shutil
import subprocess

import pytest

from tests.golden import traces
from tests.shares import share

PYPY = shutil.which("pypy3")

SCENARIOS = list(traces.SCENARIOS)


@pytest.mark.parametrize("name", SCENARIOS)
def test_core_computes_what_it_always_did(name):
    golden = traces.GOLDEN.read_text().splitlines()
    assert traces.digests(name) == [line for line in golden if line.startswith(name + ",")]


@pytest.mark.parametrize("name", share(SCENARIOS, 1))
def test_core_and_sim_agree_in_every_tick(name):
    core, core_said = traces.trace(name)
    sim, sim_said = traces.trace(name, "sim")
    assert sum(1 for entry in core if entry[1] == "pulse") > 10
    assert len(sim) > len(core) * 99 // 100
    assert core[: len(sim)] == sim[: len(core)]
    # Replies leave the MicroPython program with its next frame, so the last one may be missing, like those of a reset.
    assert set(sim_said.split(b"\r\n")[:-1]) <= set(core_said.split(b"\r\n"))


@pytest.mark.long
@pytest.mark.skipif(PYPY is None, reason="no pypy3; on Debian: apt-get install pypy3")
def test_pypy_computes_the_same_with_the_standard_library_alone():
    said = subprocess.run([PYPY, "-S", traces.__file__], capture_output=True, text=True, timeout=600)
    assert said.returncode == 0, said.stderr
    assert said.stdout == traces.GOLDEN.read_text()
