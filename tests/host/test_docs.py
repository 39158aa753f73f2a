"""The documentation builds without a warning, and what it shows runs."""

from __future__ import annotations

import math
import os
import re
import shlex
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pages import site

from ipch import Instrument, alarms, errors, load_run
from ipch.base.units import parse_volume_ml
from ipch.recipes.loader import load_recipe
from ipch.recording import COLUMNS, SAMPLE_COLUMNS, Recorder
from ipch.sim.injector import load_script
from ipch.sim.server import RunningServer
from ipch.workflows import VOLUME_ML

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def blocks(page: str, language: str) -> list[str]:
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.mark.long
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-W",
        "--keep-going",
        "-q",
        "-b",
        "dummy",
        str(DOCS),
        str(tmp_path),
    ]
    built = subprocess.run(command, capture_output=True, text=True)
    assert (built.returncode, built.stderr) == (0, "")
    shown = (DOCS / "generated" / "commands.md").read_text(encoding="utf-8")
    assert "\n### ipch calibrate verify\n" in shown


def test_the_decisions_are_numbered_without_a_gap() -> None:
    found = sorted((DOCS / "decisions").glob("0*.md"))
    for number, page in enumerate(found, start=1):
        text = page.read_text(encoding="utf-8")
        assert page.name.startswith(f"{number:04d}-") and text.startswith(f"# {number}. "), page.name
        for part in ("Context", "Decision", "Consequence"):
            assert f"\n**{part}.** " in text, (page.name, part)


def test_every_section_of_the_firmware_is_on_a_page() -> None:
    text = (ROOT / "firmware" / "README.md").read_text(encoding="utf-8")
    pages = site.firmware_pages(text)
    shown = [section for page in pages.values() for section in re.findall(r"^## (.+)$", page, re.MULTILINE)]
    assert sorted(shown) == sorted(re.findall(r"^## (.+)$", text, re.MULTILINE))


@pytest.mark.parametrize(
    "name", ["README.md", "CONTRIBUTING.md", "SECURITY.md", "host/README.md", "firmware/README.md"]
)
def test_links_outside_the_site_lead_somewhere(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        assert target.startswith("https://") or (ROOT / name).parent.joinpath(target).exists(), target


PAGES = sorted(
    path.relative_to(DOCS).as_posix()
    for part in ("tutorial", "how-to")
    for path in (DOCS / part).glob("*.md")
)


def test_the_commands_of_the_pages_are_known(
    cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = 0
    for page in PAGES:
        text = "\n".join(blocks(page, ""))
        for words in re.findall(r"^ *ipch (.+)$", text, re.MULTILINE):
            done = cli(*shlex.split(words, comments=True), "--help")
            assert done.code == 0, f"{page}: ipch {words}: {done.err}"
            found += 1
    assert found > 25


def test_the_first_experiment_names_the_volume_of_the_example() -> None:
    text = (DOCS / "tutorial" / "first-experiment.md").read_text(encoding="utf-8")
    assert {parse_volume_ml(volume) for volume in re.findall(r"--volume (\S+)", text)} == {VOLUME_ML}


def test_every_room_and_every_dependency_has_its_row() -> None:
    text = (DOCS / "explanation" / "rooms.md").read_text(encoding="utf-8")
    rooms = {path.parent.name for path in (ROOT / "host/src/ipch").glob("*/__init__.py")}
    assert [name for name in sorted(rooms) if f"\n| `{name}/` | " not in text] == []
    project = tomllib.loads((ROOT / "host/pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = [re.split(r"[<>=~!; ]", line)[0] for line in project["dependencies"]]
    assert [name for name in needed if f"\n| {name} | " not in text] == []
    assert [name for name in project["optional-dependencies"] if f"`{name}`" not in text] == []


def test_the_toml_of_the_pages_is_what_it_says(tmp_path: Path) -> None:
    recipe, waits = blocks("how-to/recipes.md", "toml")
    texts = {
        "plant": blocks("how-to/simulate-faults.md", "toml")[0],
        "recipe": recipe,
        "waits": waits,
        "alarms": blocks("how-to/alarms.md", "toml")[0],
        "first": blocks("tutorial/first-experiment.md", "toml")[0],
    }
    files = {name: tmp_path / f"{name}.toml" for name in texts}
    for name, text in texts.items():
        files[name].write_text(text)
    assert [name for name, _ in load_script(files["plant"])] == ["leak"]
    steps = [task.kind for task in load_recipe(files["recipe"], {"target": "3MPa"}).steps()]
    assert steps == ["ramp", "hold", "quiet", *["ramp", "wait"] * 3, "vent"]
    assert len(list(load_recipe(files["waits"], {}).steps())) >= 2
    assert alarms.load(files["alarms"]).no_sample_s == 60
    assert [task.kind for task in load_recipe(files["first"], {}).steps()] == ["ramp", "hold"]


def test_the_python_of_the_pages_runs(sim: RunningServer, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = blocks("how-to/python.md", "python")
    (visa,) = blocks("how-to/other-software.md", "python")
    exec(compile(first, "python.md", "exec"), {})
    assert "NONE" in capsys.readouterr().out
    with Instrument.open(sim.port) as regulator:
        assert regulator.target_pa == 5_000_000
        regulator.off()
        settings, identity = regulator.settings(), regulator.identity
    exec(compile(second, "python.md", "exec"), {})
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith("-222 ")
    assert [line.split()[0] for line in shown[1:-2]] == [setting.name for setting in settings]
    assert identity.serial_number in shown[-2]
    assert "/dev/ttyACM0" in visa
    exec(compile(visa.replace("/dev/ttyACM0", sim.port), "other-software.md", "exec"), {})
    assert capsys.readouterr().out.startswith('0,"No error" 0.')
    with Instrument.open(sim.port) as regulator:
        assert regulator.target_pa == 5_000_000
        regulator.off()


def test_every_command_and_exit_code_is_in_the_reference(cli: Callable[..., Any]) -> None:
    commands = re.findall(r"^  ([a-z]+)  ", cli("--help").out, re.MULTILINE)
    assert len(commands) > 15
    reference = site.command_line()
    assert [name for name in commands if f"\n### ipch {name}\n" not in reference] == []
    text = (DOCS / "reference" / "exit-codes.md").read_text(encoding="utf-8")
    codes = {
        error.exit_code
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, errors.IpchError)
    }
    assert [code for code in codes if f"\n| {code} | " not in text] == []


@pytest.fixture
def record(regulator: Instrument, tmp_path: Path) -> Path:
    """A record of three samples, a second apart; the gas temperature is invalid in the second one."""
    path = tmp_path / "run.db"
    first = regulator.fetch()
    with Recorder(path, regulator, "trial") as recorder:
        for n in range(3):
            later = {
                "sequence": first.sequence + n,
                "uptime_s": first.uptime_s + n,
                "gas_k": (300.0, math.nan)[n % 2],
            }
            recorder.sample(replace(first, **later, pressure_pa=4_999_877 + n))
    return path


def test_the_script_of_the_docs_draws_a_figure(record: Path, tmp_path: Path) -> None:
    picture = tmp_path / "figure.svg"
    program = [sys.executable, str(DOCS / "how-to" / "draw_run.py"), str(record), str(picture)]
    subprocess.run(
        program, check=True, capture_output=True, env=os.environ | {"PYTHONPATH": str(ROOT / "host/src")}
    )
    # 85 mm are 240.9 pt.
    assert 'width="240.94' in picture.read_text()


def test_the_arrays_of_a_run_have_units_and_a_meaning(record: Path) -> None:
    run = load_run(str(record))
    assert set(run.arrays) | {"cycle", "charge_ah", "cell_v", "cell_a"} == set(COLUMNS) >= set(SAMPLE_COLUMNS)
    assert {len(values) for values in run.arrays.values()} == {3}
    assert list(run.arrays["pressure_pa"]) == [4_999_877, 4_999_878, 4_999_879]
    assert list(np.isnan(run.arrays["gas_k"])) == [False, True, False]
    assert list(np.diff(run.arrays["time_s"])) == pytest.approx([1.0, 1.0])
    assert set(run.arrays["state"]) == {"OFF"}
    suffixes = {"Pa": "_pa", "K": "_k", "s": "_s", "Pa/s": "_pa_s", "": ""}
    assert [name for name, unit in run.units.items() if not name.endswith(suffixes[unit])] == []
    assert run.units["pressure_pa"] == "Pa"
    assert list(load_run(record.parent).arrays) == list(run.arrays)


def test_no_array_loses_digits(record: Path) -> None:
    with closing(sqlite3.connect(record)) as database, database:
        database.execute("ALTER TABLE samples ADD COLUMN later_k")
        database.execute("ALTER TABLE samples ADD COLUMN later_count")
        database.execute("UPDATE samples SET later_k = 300.25, later_count = 16777217, fills = 16777217")
        (host_s,) = database.execute("SELECT host_s FROM samples").fetchone()
    arrays = load_run(record).arrays
    assert arrays["host_s"][0] == host_s != round(host_s)
    assert set(arrays["later_k"]) == {300.25}
    for name in ("later_count", "fills"):
        assert arrays[name].dtype.kind == "i" and set(arrays[name]) == {16_777_217}, name


def test_pandas_takes_the_arrays_of_a_run(record: Path) -> None:
    import pandas

    run = load_run(record)
    table = pandas.DataFrame(run.arrays)
    assert list(table.columns) == list(run.arrays) and set(table["fault"]) == {"NONE"}
    assert table["pressure_pa"].iloc[-1] == 4_999_879
