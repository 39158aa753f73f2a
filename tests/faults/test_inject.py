"""`ipch inject` and the plant file's [[faults]]: accepted values, start, effect and end."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.scenarios.cells import MATRIX_ROWS
from ipch.errors import FileError, UsageError
from ipch.sim import signals
from ipch.sim.board import Board
from ipch.sim.faults import FAULTS
from ipch.sim.injector import active, inject, load_script
from ipch.sim.parameters import load_parameters
from ipch.sim.plant import Plant
from ipch.sim.server import simulate
from ipch.sim.world import World


def world_of(*sets: str) -> World:
    world = World(Plant(load_parameters(None, ("initial_mpa=5", *sets)), seed=1))
    world.feed(True)
    return world


def run(world: World, ticks: int) -> None:
    for _ in range(ticks):
        world.feed(True)
        world.advance()


def test_every_row_that_can_be_injected_has_a_fault() -> None:
    # A bad setting results from a command: tests/faults/test_matrix.py sends it.
    assert {fault.row for fault in FAULTS.values()} == set(MATRIX_ROWS) - {27}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_that_ends_leaves_the_rig_as_it_was(name: str, tmp_path: Path) -> None:
    world = world_of()
    run(world, 5)
    before = copy.deepcopy(world)
    inject(world, name, {"for_s": 0.1})
    run(world, 20)
    assert active(world) == []
    for each in (world, before):
        each.plant.supply_pa = 0.0  # tracked from tick to tick
    for one, other in zip(world.plant.valves, before.plant.valves, strict=True):
        for part in ("stuck", "leak_c", "stick_us", "coil", "held", "gate", "energised", "c"):
            assert getattr(one, part) == getattr(other, part), part
    for part in ("burst", "supply_pa_override", "oven_offset_k", "cell_heat_w", "mechanical_relief_blocked"):
        assert getattr(world.plant, part) == getattr(before.plant, part), part
    assert world.plant.sensors.follow_share == {}
    for part in ("comparator_forced", "rail_forced", "hung", "host", "flood"):
        assert getattr(world, part) == getattr(before, part), part


def test_a_fault_may_come_later_come_and_go_and_grow() -> None:
    world = world_of("transducer_noise_kpa=0")
    inject(world, "control-open", {"after_s": 0.2, "every_s": 0.1, "on_s": 0.04, "for_s": 0.2})
    seen = []
    for _ in range(25):
        run(world, 1)
        seen.append(world.counts[signals.CONTROL] == 0)
    assert seen == [tick in (10, 11, 15, 16) for tick in range(25)]
    inject(world, "transducer-wrong", {"kpa": 100, "grow_s": 1})
    run(world, 1)
    counts = []
    for _ in range(3):
        run(world, 25)
        counts.append(world.counts[signals.CONTROL])
    assert counts[0] - 19200 == pytest.approx(128, abs=2)
    assert counts[1] - 19200 == counts[2] - 19200 == pytest.approx(256, abs=2)


def test_a_broken_coil_and_a_transistor_show_at_the_drains() -> None:
    world = world_of()
    inject(world, "coil-open", {"valve": "vent"})
    inject(world, "coil-short", {"valve": "supply_isolation"})
    inject(world, "transistor-short", {"valve": "relief"})
    run(world, 2)
    assert world.counts[signals.COIL_DEAD] == 0
    assert world.counts[signals.COIL_SHORTED] == 2 | 16
    assert world.plant.valves[4].energised
    world.switch(1)
    run(world, 2)
    assert world.counts[signals.COIL_DEAD] == 4
    assert not world.plant.valves[0].energised
    for _ in range(10):
        world.feed(False)
        world.advance()
    assert not world.plant.valves[4].energised, "without the rail no transistor matters"
    assert world.counts[signals.COIL_SHORTED] == 0


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("contrl-open", {}, "did you mean control-open"),
        ("nothing-like-it", {}, "one of control-open"),
        ("control-open", {"ma": "5"}, "0 to 3.59 mA"),
        ("control-open", {"ma": "nan"}, "0 to 3.59 mA"),
        ("control-open", {"ma": "x"}, "0 to 3.59 mA"),
        ("control-open", {"kpa": "5"}, "it takes ma, after_s"),
        ("fill-leak", {"valve": "vent"}, "one of fill, supply_isolation, both"),
        ("hang", {"every_s": "1"}, "on_s"),
        ("hang", {"on_s": "1"}, "needs every_s"),
    ],
)
def test_what_cannot_be_injected_is_refused_with_what_can(
    name: str, values: dict[str, object], words: str
) -> None:
    world = world_of()
    with pytest.raises(UsageError, match=words) as error:
        inject(world, name, values)
    assert active(world) == []
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[faults]]\nat_s = 3", "name is missing"),
        ("[[faults]]\nname = 'hang'\n[[faults]]\nname = 'nothing'", "number 2"),
        ("[[faults]]\nname = 'control-open'\nma = 12", "0 to 3.59 mA"),
        ("faults = 3", r"\[\[faults\]\]"),
    ],
)
def test_a_bad_script_is_refused(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "plant.toml"
    path.write_text(text)
    with pytest.raises(FileError, match=words) as error:
        load_script(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("load", [load_script, lambda path: load_parameters(path, ())])
def test_a_python_without_toml_says_what_to_do(
    load: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "plant.toml"
    path.write_text("[plant]\ninitial_mpa = 5\n")
    monkeypatch.setitem(sys.modules, "tomllib", None)
    with pytest.raises(FileError, match=r"needs Python 3\.11 or newer; pass name=value instead"):
        load(path)


@pytest.mark.parametrize("rig", ["core", "sim"])
def test_the_truth_tells_what_the_device_drives(rig: str, tmp_path: Path) -> None:
    file = (tmp_path / "truth.jsonl").open("w")
    sets = ("initial_mpa=5", "control_offset_kpa=3", "zero_drift_kpa_per_k=0.1", "oven_c=40")
    world = World(Plant(load_parameters(None, sets)), truth=file, truth_period_ms=20)
    board = Board(world, tmp_path, rig)
    board.run(3)
    inject(world, "transducer-wrong", {"kpa": -1000, "after_s": 0.5})
    inject(world, "transducer-noisy", {"kpa": 2})
    board.run(100)
    world.reset_wanted = ("power", 0.0)
    board.run(20)
    board.close()
    file.close()
    lines = [json.loads(line) for line in Path(file.name).read_text().splitlines()]
    warm_k = lines[10]["wall_k"] - 273.15 - 25
    # At 40 degC and a drift of 0.1 kPa/K from 25 degC.
    assert lines[10]["control_error_pa"] == pytest.approx(3000 + 100 * warm_k, abs=1)
    assert (lines[10]["state"], lines[10]["cell_ok"], lines[10]["rail"]) == ("OFF", True, True)
    sealed = lines[100]
    assert sealed["control_error_pa"] == pytest.approx(lines[10]["control_error_pa"] - 1e6, abs=10)
    assert sealed["state"] == "SEALED"
    assert (lines[-1]["state"], lines[-1]["cell_ok"], lines[-1]["rail"]) == ("RESET", False, False)


def ipch_inject(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ipch", "inject", *arguments], capture_output=True, text=True, timeout=60
    )


def test_inject_into_a_running_simulator(tmp_path: Path) -> None:
    script = tmp_path / "plant.toml"
    script.write_text("[plant]\ninitial_mpa = 5\n[[faults]]\nname = 'host'\nhow = 'gone'\nat_s = 1e6\n")
    with simulate(["--ideal", "--rig", "core", "--plant", str(script)]) as sim:
        assert "control" in sim.first_line
        asked = json.loads(ipch_inject("--json", "--port", sim.port).stdout)
        assert [each["name"] for each in asked["active"]] == ["host"]
        done = ipch_inject("control-open", "ma=1", "--json", "--port", sim.port)
        assert done.returncode == 0, done.stderr
        assert [each["name"] for each in json.loads(done.stdout)["active"]] == ["host", "control-open"]
        bad = ipch_inject("control-open", "ma=9", "--port", sim.port)
        assert (bad.returncode, bad.stdout) == (2, "")
        assert bad.stderr == "ipch: control-open: ma=9; expected 0 to 3.59 mA\n"
        cleared = ipch_inject("--clear", "--json", "--port", sim.port)
        assert json.loads(cleared.stdout) == {"cleared": 2, "active": []}
    gone = ipch_inject("control-open")
    assert gone.returncode == 3
    assert gone.stderr.count("\n") == 1
    listed = json.loads(ipch_inject("--list", "--json").stdout)
    assert {each["name"] for each in listed} == set(FAULTS)
