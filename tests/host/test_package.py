"""What is installed: the wheel carries everything that the program reads at run time."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import ipch.device.instrument
from ipch import Instrument, __version__
from ipch.base.paths import firmware_dir, recipes_dir
from ipch.errors import FileError
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
    files = relative(HOST / "src" / "ipch", (".py", ".toml", ".html", ".service", ".xml", ".typed"))
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


def test_the_example_of_the_client_runs(sim: RunningServer, capsys: pytest.CaptureFixture[str]) -> None:
    program = (ipch.device.instrument.__doc__ or "").split("\n\n", 1)[1]
    exec(compile(program, "instrument.py", "exec"), {})
    assert int(capsys.readouterr().out) > 0
    with Instrument.open(sim.port) as regulator:
        assert regulator.state == "REGULATE"
        regulator.off()
