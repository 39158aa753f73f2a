"""The built package in a fresh environment, outside the checkout. Run by `make wheel`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

import pytest

from ipch import __version__

pytestmark = pytest.mark.wheel
DIST = Path(__file__).resolve().parents[2] / "host" / "dist"


@pytest.fixture(scope="module")
def wheel() -> Path:
    found = list(DIST.glob(f"ipch-{__version__}-py3-none-any.whl"))
    assert found, "no wheel in host/dist; `make wheel` builds it"
    return found[0]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder, and the place of the environment."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def environment(wheel: Path, home: Path) -> dict[str, str]:
    """Variables of a shell in which the wheel is installed, with what `pip install 'ipch[sim]'` brings."""
    subprocess.run([sys.executable, "-m", "venv", str(home / "env")], check=True)
    install = [str(home / "env/bin/pip"), "install", "-q", "--disable-pip-version-check", f"{wheel}[sim]"]
    subprocess.run(install, check=True, cwd=home)
    kept = {name: os.environ[name] for name in ("LANG", "XDG_RUNTIME_DIR") if name in os.environ}
    return kept | {"HOME": str(home), "PATH": f"{home / 'env/bin'}:/usr/bin:/bin"}


def run(environment: dict[str, str], *words: str) -> str:
    done = subprocess.run(words, cwd=environment["HOME"], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"
    return done.stdout


def test_what_is_installed_is_the_wheel(environment: dict[str, str]) -> None:
    assert run(environment, "ipch", "--version") == f"ipch {__version__}\n"
    place = run(environment, "python", "-c", "import ipch; print(ipch.__file__)")
    assert place.startswith(environment["HOME"])
    assert "--force" in run(environment, "ipch", "flash", "--help")
    assert run(environment, "pip", "check").startswith("No broken requirements")


def test_a_simulator_is_regulated(environment: dict[str, str]) -> None:
    command = ["ipch", "sim", "--speed", "max", "--ahead", "10s"]
    with subprocess.Popen(
        command, cwd=environment["HOME"], env=environment, stdout=subprocess.PIPE, text=True
    ) as simulator:
        try:
            assert simulator.stdout is not None
            port = json.loads(simulator.stdout.readline())["port"]
            run(environment, "ipch", "set", "1MPa", "--port", port)
            run(environment, "ipch", "on", "--port", port)
            run(environment, "ipch", "set", "1MPa", "--wait", "--port", port)
            status: dict[str, Any] = json.loads(run(environment, "ipch", "status", "--json", "--port", port))
            assert status["state"] == "REGULATE" and abs(status["pressure_pa"] - 1_000_000) < 20_000
        finally:
            simulator.kill()


def test_the_demo_and_the_example_are_recorded(environment: dict[str, str]) -> None:
    run(environment, "ipch", "demo", "--out", "demo")
    run(environment, "ipch", "example", "--out", "example")
    program = "import ipch; run = ipch.load_run('demo'); print(run.arrays['pressure_pa'].max(), run.ended_by)"
    highest, ended = run(environment, "python", "-c", program).split()
    assert ended == "complete" and 4.99e6 < float(highest) < 5.02e6
    for name in ("demo/report.html", "example/report.html", "example/merged.bdf.csv"):
        assert (Path(environment["HOME"]) / name).stat().st_size > 10_000


def test_wheel_and_source_say_who_and_where(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        folder = f"ipch-{__version__}.dist-info"
        about = HeaderParser().parsestr(archive.read(f"{folder}/METADATA").decode())
        assert archive.read(f"{folder}/licenses/LICENSE") == (DIST.parents[1] / "LICENSE").read_bytes()
    assert about["Author"] and about["License-Expression"] == "MIT"
    addresses = dict(line.split(", ") for line in about.get_all("Project-URL"))
    assert all(address.startswith("https://") for address in addresses.values()) and "Paper" in addresses
    # A relative link leads nowhere on the page of a package index.
    assert "](http" in about.get_payload() or "](" not in about.get_payload()
    with tarfile.open(DIST / f"ipch-{__version__}.tar.gz") as source:
        names = [name.partition("/")[2] for name in source.getnames()]
    assert {"LICENSE", "README.md", "src/ipch/__init__.py", "_firmware/main.py"} <= set(names)
