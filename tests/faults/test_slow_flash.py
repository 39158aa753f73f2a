"""A flash that takes 0.4 s to erase a sector, the most that its data sheet allows, harms nothing."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bench.scenarios.rig import Bench, learn
from ipch.base.paths import firmware_dir
from ipch.sim.rigs import find_micropython
from tests.shares import share


@pytest.fixture(params=["core", "sim"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    bench = Bench(request.param)
    learn(bench)
    yield bench
    bench.close()


def stored_pa(bench: Bench) -> int:
    return int(bench.ask(':SYST:SETT? "dead_band_pa"').split(",")[2])


@pytest.mark.parametrize("ms", [45, 200, 400])
def test_what_is_sent_while_a_pressure_is_held_is_stored(bench: Bench, ms: int) -> None:
    bench.inject("flash-slow", {"ms": ms})
    resets = bench.board.resets
    for number in range(12):
        bench.send(f':SYST:SETT "dead_band_pa",{5_100 + number};:SOUR:PRES {4.9 + number / 100}')
        assert bench.ask("*OPC?") == "1"
        bench.run_s(3)
    assert bench.board.resets == resets
    assert bench.fetch()["fault"] == "NONE"
    bench.inject("brown-out", {"off_s": 0.1})
    bench.run_s(5)
    assert stored_pa(bench) == 5111
    assert float(bench.ask(":UNIT:PRES PA;:SOUR:PRES?")) == 5_010_000


def test_a_host_that_changes_a_setting_all_the_time_does_not_stop_the_regulation() -> None:
    bench = Bench()
    try:
        learn(bench)
        bench.send(":SOUR:PRES 4.9")
        for number in range(500):
            bench.send(f':SYST:SETT "dead_band_pa",{5_100 + number % 2}')
            bench.board.run(3)
        assert abs(bench.app.sensors.pressure_pa - 4_900_000) < 20_000
        bench.run_s(1)
        assert not bench.app.record.is_promised()
    finally:
        bench.close()


@pytest.mark.parametrize("seed", share((5, 6, 7), 0))
def test_a_power_cut_in_any_moment_leaves_the_old_or_the_new_values(seed: int) -> None:
    bench = Bench()
    try:
        learn(bench)
        bench.inject("flash-slow", {"ms": 400})
        random = Random(seed)
        stored = 5_000
        for number in range(10):
            new = 5_100 + number
            bench.send(f':SYST:SETT "dead_band_pa",{new}')
            bench.run_s(random.choice((0.02, 0.04, 0.3, 0.5, 0.9, 1.5)))
            bench.world.reset_wanted = ("power", 0.0)
            bench.run_s(3)
            found = stored_pa(bench)
            assert found in (stored, new)
            stored = found
            assert "SETTINGS_LOST" not in bench.warnings
            bench.send(":SYST:FAUL:ACK;:OUTP ON")
            bench.run_s(70)
        assert bench.app.modes.fault_name == "NONE"
    finally:
        bench.close()


def test_no_write_begins_while_the_trip_is_near_and_the_pressure_rises() -> None:
    bench = Bench(sets=("initial_mpa=5.4",))
    try:
        bench.send(":SOUR:PRES 5.4;:OUTP ON")
        bench.run_s(30)
        bench.inject("flash-slow", {"ms": 400})
        bench.inject("over-pressure", {})
        opened_ms = None
        for _ in range(2_000):
            bench.send(f':SYST:SETT "dead_band_pa",{5_000 + bench.world.ticks % 50}')
            bench.board.run(1)
            if bench.world.plant.valves[4].open:
                opened_ms = bench.world.plant.time_ms
                break
        assert opened_ms is not None
        # The truth monitor judges the time from the trip on.
    finally:
        bench.close()


def on_littlefs(program: str) -> Any:
    """What a program of tests/device prints on MicroPython with its own littlefs."""
    done = subprocess.run(
        [find_micropython(), "-X", "heapsize=16m", Path(__file__).parents[1] / "device" / program],
        env={**os.environ, "MICROPYPATH": str(firmware_dir())},
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.long
def test_a_step_of_a_save_erases_one_sector() -> None:
    """On MicroPython's own littlefs; two at once, where it moves worn metadata, may come once in a thousand."""
    for none, one, two, more in on_littlefs("littlefs_erases.py"):
        assert none + one + two == 2000 and two <= 2 and more == 0


def test_a_cut_or_a_failure_at_any_change_of_the_flash_loses_neither_record() -> None:
    cuts, failures = on_littlefs("littlefs_cuts.py")
    assert cuts > 50 and failures > 50
