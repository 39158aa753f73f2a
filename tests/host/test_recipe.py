from __future__ import annotations

import os
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path

import pytest

from bench.scenarios import cycler_files
from ipch.cyclers import Reading, read_cycler
from ipch.cyclers.follow import GrowingCycles, open_cycles
from ipch.errors import FileError, UsageError
from ipch.recipes.loader import (
    choose_recipe,
    describe_recipes,
    find_lines,
    find_recipe,
    load_recipe,
    parse_changes,
    recipe_of_record,
    shipped_recipes,
)
from ipch.recipes.planning import estimate_s
from ipch.recipes.steps import Hold, Ramp, Recipe, shortened
from ipch.recipes.webhooks import Webhooks

SAMPLES = os.environ.get("IPCH_SAMPLES")
needs_samples = pytest.mark.skipif(
    not SAMPLES, reason="IPCH_SAMPLES does not name the folder of real cycler files"
)
NAMES = [
    "activation", "bilayer", "demo", "depressurisation", "gitt", "long-term", "long-term-by-cycle", "rate-capability",
]  # fmt: skip


def write(folder: Path, text: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text(text)
    return path


def test_all_recipes_that_are_shipped_are_valid() -> None:
    assert list(shipped_recipes()) == NAMES
    for row in describe_recipes():
        assert row["description"]
        assert row["takes_about_s"] > 600
        recipe = load_recipe(shipped_recipes()[row["name"]])
        # A chamber built to the default settings allows 5.5 MPa and quiet windows of 4 h.
        assert all(step.ramp <= 5_000_000 for step in recipe.step if isinstance(step, Ramp))


@pytest.mark.parametrize(
    ("name", "hours"),
    [("activation", 23), ("rate-capability", 212), ("long-term", 1100), ("gitt", 402), ("bilayer", 2200)],
)
def test_how_long_the_protocols_hold(name: str, hours: int) -> None:
    tasks = load_recipe(find_recipe(name)).steps()
    assert sum(estimate_s(tasks, 0, 20_000, 20_000, 0)) / 3600 == pytest.approx(hours, rel=0.005)


def test_parameters_change_a_recipe() -> None:
    recipe = load_recipe(find_recipe("activation"), {"target": "30 bar", "cycle": "1h"})
    assert [task.target_pa for task in recipe.steps()] == [5_000_000, 5_000_000, 3_000_000]
    assert isinstance(recipe.step[1], Hold) and recipe.step[1].hold == 3600
    with pytest.raises(UsageError, match="no parameter 'pressure'; it has target, cycle"):
        load_recipe(find_recipe("activation"), {"pressure": "3MPa"})
    with pytest.raises(FileError, match="not a pressure: '3bananas'"):
        load_recipe(find_recipe("activation"), {"target": "3bananas"})


def test_repeats_are_unrolled_with_their_round(tmp_path: Path) -> None:
    text = """
[[step]]
ramp = 1
[[step]]
repeat = 2
note = "swing"
[[step.step]]
repeat = 2
[[step.step.step]]
hold = "1s"
note = "rest"
[[step.step]]
ramp = 2.5
"""
    tasks = load_recipe(write(tmp_path, text)).steps()
    assert [task.kind for task in tasks] == ["ramp", "hold", "hold", "ramp", "hold", "hold", "ramp"]
    assert [task.index for task in tasks] == list(range(7))
    assert tasks[2].text == "hold for 1 s (swing, 1 of 2, 2 of 2, rest)"
    assert [task.target_pa for task in tasks[:4]] == [1_000_000, 1_000_000, 1_000_000, 2_500_000]


def test_a_vent_ends_what_there_is_to_hold(tmp_path: Path) -> None:
    tasks = load_recipe(
        write(tmp_path, '[[step]]\nramp="1MPa"\n[[step]]\nvent=true\n[[step]]\nwait="1h"')
    ).steps()
    assert [task.target_pa for task in tasks] == [1_000_000, None, None]
    assert estimate_s(tasks, 0, 20_000, 10_000, 5) == [55, 100, 3600]


RAMP = '[[step]]\nramp="1MPa"\n'


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", None, "no [[step]]; at least one is needed"),
        ("step = 3", 1, "step"),
        (RAMP + "slow = 3", 3, "unknown key 'slow'; allowed: ramp, slew, timeout, note"),
        (RAMP + '[[step]]\nhold = "1h"\nslew = "1kPa/s"', 5, "unknown key 'slew'; allowed: hold, note"),
        (
            "speed = 1\n" + RAMP,
            1,
            "unknown key 'speed'; allowed: description, sample, finally, parameters, step",
        ),
        (RAMP + 'hold = "3h"', 1, "exactly one of ramp, hold, quiet, wait, vent, repeat, log-rate"),
        ("[[step]]\nnote = 'x'", 1, "exactly one of ramp, hold, quiet, wait, vent, repeat, log-rate"),
        ('[[step]]\nramp="5bananas"', 2, "ramp: not a pressure: '5bananas'"),
        ("[[step]]\nramp=[5]", 2, "ramp: not a quantity: [5]"),
        ("[[step]]\nramp=true", 2, "ramp: not a quantity: True"),
        (RAMP + "\n# pause\n[[step]]\n\nhold=10", 7, "hold: not a duration: '10'"),
        (
            RAMP + "[[step]]\nrepeat=2\n[[step.step]]\nramp=1\n[[step.step]]\nhold='x'",
            8,
            "hold: not a duration: 'x'",
        ),
        (RAMP + "[[step]]\nrepeat=2\n[[step.step]]\nramp=1\nstew=2", 7, "unknown key 'stew'"),
        (RAMP + "[[step]]\nrepeat=2", 3, "no [[step.step]]; at least one is needed"),
        (RAMP + "[[step]]\nrepeat=0\n[[step.step]]\nvent=true", 4, "repeat: "),
        ("finally='explode'\n" + RAMP, 1, "finally: "),
        ("sample=0\n" + RAMP, 1, "sample: not a duration: '0'"),
        ("[[step]]\nvent=false", 2, "vent: "),
        ("parameters=3\n" + RAMP, 1, "parameters: "),
        ('[[step]]\nramp="$x"', 2, "ramp: $x: no such parameter; [parameters] has none"),
        ('[parameters]\np="1MPa"\n[[step]]\nramp="$x"', 4, "ramp: $x: no such parameter; [parameters] has p"),
        ('[[step]]\nhold="1h"', 2, "hold: step 1 (hold for 1 h): a ramp must come before it"),
        ('[[step]]\nwait="in-limits"', 2, "a ramp must come before it"),
        (
            RAMP + '[[step]]\nvent=true\n[[step]]\nquiet="1h"',
            6,
            "step 3 (quiet for 1 h): a ramp must come",
        ),
        ("garbage", None, "not valid TOML"),
        (RAMP + "[[step]]\nwait='soon'", 4, "wait: not a duration: 'soon'"),
        (RAMP + "[[step]]\nwait='file'", 3, "wait = 'file' needs 'path'"),
        (RAMP + "[[step]]\nwait='file'\npath='x'\nnumber=3", 3, "wait = 'file' takes no 'number'"),
        (RAMP + "[[step]]\nwait='1h'\nname='x'", 3, "takes no 'name'"),
        (RAMP + "[[step]]\nwait='cycle'\npath='x'\nnumber=0", 6, "number: "),
        (RAMP + "[[step]]\nwait='webhook'\nname='a b'", 5, "name: "),
        (RAMP + "[[step]]\nlog-rate=3", 4, "log-rate: not a duration: '3'"),
        (
            RAMP + "[[step]]\nrepeat=10000\n[[step.step]]\nrepeat=10000\n[[step.step.step]]\nwait='1s'",
            None,
            "100000 steps",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    tmp_path: Path, text: str, line: int | None, message: str
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(FileError) as refusal:
        load_recipe(path)
    told = str(refusal.value)
    assert told.startswith(f"{path}:{line}: " if line else f"{path}: ")
    assert message in told
    assert "\n" not in told


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no recipe is named 'dmeo'; give a path, or one of activation"):
        find_recipe("dmeo")
    with pytest.raises(FileError, match="cannot read"):
        load_recipe(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileError, match="not valid TOML"):
        load_recipe(tmp_path / "binary.toml")


def test_lines_of_tables_and_keys() -> None:
    text = "a = 1\n[[s]]\nx = 1\n[[s.t]]\n[[s.t]]\ny = 2\n[[s]]\n[[s.t]]\nz = 3\n[p] # end\nq = 4\n"
    assert find_lines(text) == {
        ("a",): 1,
        ("s", 0): 2,
        ("s", 0, "x"): 3,
        ("s", 0, "t", 0): 4,
        ("s", 0, "t", 1): 5,
        ("s", 0, "t", 1, "y"): 6,
        ("s", 1): 7,
        ("s", 1, "t", 0): 8,
        ("s", 1, "t", 0, "z"): 9,
        ("p",): 10,
        ("p", "q"): 11,
    }


def test_changes_as_written_on_the_command_line() -> None:
    assert parse_changes(["target=3MPa", " cycle = 1h "]) == {"target": "3MPa", "cycle": "1h"}
    for text in ("target", "=3", "target=", ""):
        with pytest.raises(UsageError, match="expected name=value"):
            parse_changes([text])


def test_defaults() -> None:
    recipe = Recipe.model_validate({"step": [{"ramp": "1MPa"}]})
    assert (recipe.sample, recipe.finally_) == (1.0, "hold")


def test_what_a_step_may_wait_for(tmp_path: Path) -> None:
    text = (
        RAMP
        + """
[[step]]
wait = "file"
path = "go"
[[step]]
wait = "webhook"
name = "eis-done"
[[step]]
wait = "cycle"
path = "cell.csv"
number = 10
[[step]]
log-rate = "2s"
"""
    )
    recipe = load_recipe(write(tmp_path, text))
    assert [task.text for task in recipe.steps()[1:]] == [
        "wait for the file go",
        "wait for the call eis-done",
        "wait for cycle 10 in cell.csv",
        "record every 2 s",
    ]
    assert estimate_s(shortened(recipe, 3.0).steps(), 1e6, 1, 1, 0) == [0, 3, 3, 3, 0]


def test_a_recipe_is_the_same_out_of_its_record() -> None:
    chosen = choose_recipe("activation", {"target": "30 bar"})
    assert recipe_of_record("activation", chosen.text).recipe == chosen.recipe


def settled(cycles: GrowingCycles) -> int:
    """What it says once a reading that is under way has ended."""
    cycles.read()
    if cycles._reading is not None:
        cycles._reading.exception(timeout=60)
    return cycles.read()


def test_the_cycle_in_a_growing_file(tmp_path: Path) -> None:
    path = tmp_path / "cell.csv"
    head = "Unix Time / s,Voltage / V,Current / A,Cycle Count / 1"
    with closing(GrowingCycles(path, again_s=0.0, rest=0.0)) as cycles:
        assert settled(cycles) == 0 and not cycles.trouble
        path.write_text("half a")
        assert settled(cycles) == 0
        assert "unknown columns" in cycles.trouble
        path.write_text(f"{head}\n0,3,1,1\n60,3,1,2\n")
        assert settled(cycles) == 2
        assert not cycles.trouble
        # Unchanged, it is not read again.
        cycles.read()
        assert cycles._reading is None
        with path.open("a") as file:
            file.write("120,3.2,1,10\n180,3.3,1,1")
        assert settled(cycles) == 10
        path.unlink()
        assert settled(cycles) == 10


@pytest.mark.parametrize(
    "head",
    [
        "Test Time (s),Cycle Index,Voltage (V)",
        "Cycle_Index,Test_Time",
        "Cycle,Remark",
        "Cycle Count / 1;note",
    ],
)
def test_a_column_of_cycles_is_enough_to_follow(tmp_path: Path, head: str) -> None:
    path = tmp_path / "cell.csv"
    separator = ";" if ";" in head else ","
    columns = head.split(separator)
    rows = [separator.join(str(n // 2 + 1) if "ycle" in name else "" for name in columns) for n in range(7)]
    path.write_text("\n".join([head, *rows]) + "\n")
    with closing(GrowingCycles(path, again_s=0.0, rest=0.0)) as cycles:
        assert settled(cycles) == 4 and not cycles.trouble
        path.write_text(f"{head}\n")
        settled(cycles)
        path.write_text(head + "\n" + separator.join("2.5" for _ in columns) + "\n")
        assert settled(cycles) == 4 and "is not a whole number" in cycles.trouble


def test_cycles_are_counted_as_a_merge_counts_them(tmp_path: Path) -> None:
    table = cycler_files.rows(cycler_files.half_cell(cycles=4))
    for dialect in ("neware", "ec-lab", "basytec"):
        path = cycler_files.write(tmp_path, table, dialect)
        with closing(GrowingCycles(path, again_s=0.0, rest=0.0)) as cycles:
            merged = read_cycler(path, UTC, reading=Reading(start=datetime(2026, 1, 1, tzinfo=UTC)))
            assert settled(cycles) == merged.cycle.max() == 4


@needs_samples
@pytest.mark.parametrize(
    ("name", "highest"), [("nw4-120-6-1-36.ndax", 5), ("250116_kigr_gen6_01_02_GCPL_CD8.mpr", 3)]
)
def test_the_cycle_in_a_real_binary_file(name: str, highest: int) -> None:
    with closing(open_cycles(Path(SAMPLES or "") / name)) as cycles:
        assert isinstance(cycles, GrowingCycles)
        assert settled(cycles) == highest


def test_what_cannot_be_followed(tmp_path: Path) -> None:
    with pytest.raises(
        FileError, match=r"cell.pdf: cannot follow cycles in this kind of file; expected .nda, .*, .dat"
    ):
        open_cycles(tmp_path / "cell.pdf")
    path = tmp_path / "cell.csv"
    path.write_text("a,b\n" + "1,2\n" * 1000)
    with closing(GrowingCycles(path, again_s=0.0, rest=0.0)) as cycles:
        assert settled(cycles) == 0
        assert cycles.trouble.startswith(f"{path}: unknown columns a, b")


def test_calls_over_http() -> None:
    hooks = Webhooks(0)

    def post(path: str, **headers: str) -> int:
        with closing(HTTPConnection("127.0.0.1", hooks.port, timeout=5)) as connection:
            connection.request("POST", path, headers=headers)
            return connection.getresponse().status

    assert post("/eis-done") == 202
    assert post("/eis-done", Origin="https://example.org") == 403
    assert post("/a/../c") == 403
    assert hooks.calls.get_nowait() == "eis-done"
    assert hooks.calls.empty()
    with pytest.raises(UsageError, match="cannot wait for webhooks"):
        Webhooks(hooks.port)
    hooks.close()
