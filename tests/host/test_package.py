"""What is installed: the wheel carries everything that the program reads at run time."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ipch.device.instrument
from ipch import Instrument, __version__, alarms, errors
from ipch.base.paths import firmware_dir, recipes_dir
from ipch.errors import FileError
from ipch.recipes.loader import load_recipe
from ipch.sim.injector import load_script
from ipch.sim.server import RunningServer

HOST = Path(__file__).resolve().parents[2] / "host"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names of the files in a freshly built wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    program = f"from hatchling.build import build_wheel; build_wheel({str(folder)!r})"
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], cwd=HOST, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    assert path.name.startswith(f"ipch-{__version__}-py3-")
    return set(zipfile.ZipFile(path).namelist())


def relative(folder: Path, suffixes: tuple[str, ...]) -> set[str]:
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.suffix in suffixes and "__pycache__" not in path.parts
    }


def test_the_wheel_carries_the_firmware(wheel: set[str]) -> None:
    files = relative(HOST.parent / "firmware", (".py",))
    assert {"main.py", "link.py", "regulator/app.py"} <= files
    assert {f"ipch/_firmware/{name}" for name in files} <= wheel


def test_the_wheel_carries_code_recipes_and_the_frame_of_the_report(wheel: set[str]) -> None:
    files = relative(HOST / "src" / "ipch", (".py", ".toml", ".html", ".service", ".typed"))
    assert {"recipes/demo.toml", "report/base.html", "recording/ipch-log@.service"} <= files
    assert {f"ipch/{name}" for name in files} <= wheel
    assert not [name for name in wheel if "__pycache__" in name or name.endswith(".pyc")]


def test_firmware_is_found_in_a_checkout_or_where_it_is_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (firmware_dir() / "regulator" / "app.py").is_file()
    assert (recipes_dir() / "demo.toml").is_file()
    monkeypatch.setenv("IPCH_FIRMWARE", str(tmp_path))
    with pytest.raises(FileError, match="no firmware found"):
        firmware_dir()
    (tmp_path / "main.py").write_text("")
    assert firmware_dir() == tmp_path


def test_the_client_is_at_hand() -> None:
    assert Instrument.__module__ == "ipch.device.instrument"


def test_the_module_runs_as_the_program_does() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    command = [sys.executable, "-m", "ipch", "--version"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert shown.stdout == f"ipch {__version__}\n"


def readme_blocks(language: str) -> list[str]:
    text = (HOST / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def test_the_toml_of_the_readme_is_what_it_says(tmp_path: Path) -> None:
    plant, recipe, waits, alarm = readme_blocks("toml")
    files = {}
    for name, text in {"plant": plant, "recipe": recipe, "waits": waits, "alarms": alarm}.items():
        files[name] = tmp_path / f"{name}.toml"
        files[name].write_text(text)
    assert [name for name, _ in load_script(files["plant"])] == ["leak"]
    steps = [task.kind for task in load_recipe(files["recipe"], {"target": "3MPa"}).steps()]
    assert steps == ["ramp", "hold", "quiet", *["ramp", "wait"] * 3, "vent"]
    assert len(list(load_recipe(files["waits"], {}).steps())) >= 2
    assert alarms.load(files["alarms"]).no_sample_s == 60


def test_the_python_of_the_readme_runs(sim: RunningServer, capsys: pytest.CaptureFixture[str]) -> None:
    first, second, visa = readme_blocks("python")
    exec(compile(first, "README.md", "exec"), {})
    assert "NONE" in capsys.readouterr().out
    with Instrument.open(sim.port) as regulator:
        assert regulator.target_pa == 5_000_000
        regulator.off()
        settings, identity = regulator.settings(), regulator.identity
    exec(compile(second, "README.md", "exec"), {})
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith("-222 ")
    assert [line.split()[0] for line in shown[1:-2]] == [setting.name for setting in settings]
    assert identity.serial_number in shown[-2]
    assert "/dev/ttyACM0" in visa
    exec(compile(visa.replace("/dev/ttyACM0", sim.port), "README.md", "exec"), {})
    assert capsys.readouterr().out.startswith('0,"No error" 0.')
    with Instrument.open(sim.port) as regulator:
        assert regulator.target_pa == 5_000_000
        regulator.off()


def test_the_example_of_the_client_runs(sim: RunningServer, capsys: pytest.CaptureFixture[str]) -> None:
    program = (ipch.device.instrument.__doc__ or "").split("\n\n", 1)[1]
    exec(compile(program, "instrument.py", "exec"), {})
    assert int(capsys.readouterr().out) > 0
    with Instrument.open(sim.port) as regulator:
        assert regulator.state == "REGULATE"
        regulator.off()


def test_the_readme_names_every_command_and_exit_code(cli: Callable[..., Any]) -> None:
    text = (HOST / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^  ([a-z]+)  ", cli("--help").out, re.MULTILINE)
    assert len(commands) > 15
    assert [name for name in commands if not re.search(rf"`{name}\b|`[a-z ,]*\b{name}\b", text)] == []
    codes = {
        error.exit_code
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, errors.IpchError)
    }
    assert [code for code in codes if f"\n| {code} | " not in text and f"\n| {code} |" not in text] == []
