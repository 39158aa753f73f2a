"""A simulated regulator for each module that wants one, and the command line as a function."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import serial.tools.list_ports

import ipch.cli
from ipch.device.instrument import Instrument
from ipch.live import Feed, Server
from ipch.sim.server import RunningServer, simulate

from .live_feeds import FIRST, feed

_WINDOWS = sys.platform == "win32"
_POSIX = re.compile(r"^(import|from) (fcntl|pty|resource|termios|tty)\b|\bsimulate\(", re.MULTILINE)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Windows has no pseudo-terminals: leave out modules that need one; the fixture `sim` skips single tests."""
    if not _WINDOWS or collection_path.suffix != ".py":
        return None
    return bool(_POSIX.search(collection_path.read_text(encoding="utf-8"))) or None


@pytest.fixture(autouse=True)
def _no_boards_of_this_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serial.tools.list_ports, "comports", list)


@pytest.fixture(scope="module")
def sim() -> Iterator[RunningServer]:
    """A chamber of 0.1 L that fills quickly, as fast as it goes."""
    if _WINDOWS:
        pytest.skip("the simulator of the board needs a pseudo-terminal")
    with simulate(
        ["--ideal", "--rig", "core", "--speed", "max", "--ahead", "10s", "--set", "volume_l=0.1"]
    ) as running:
        yield running


@pytest.fixture
def regulator(sim: RunningServer) -> Iterator[Instrument]:
    """The simulated regulator, off."""
    with Instrument.open(sim.port) as instrument:
        yield instrument
        instrument.off()


@dataclass(frozen=True)
class Result:
    """What a command line did."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        import json

        return json.loads(self.out)

    def error_line(self) -> str:
        """The only line on stderr, checked to be one that a person can read."""
        assert self.err.count("\n") == 1, self.err
        assert self.err.startswith("ipch: ")
        assert "Traceback" not in self.err
        assert "\x1b" not in self.err
        return self.err


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Run a command line in this process."""

    def run(*arguments: str) -> Result:
        capfd.readouterr()
        code = ipch.cli.run(list(arguments))
        captured = capfd.readouterr()
        return Result(code, captured.out, captured.err)

    return run


@pytest.fixture
def ipch_process() -> Callable[..., AbstractContextManager[subprocess.Popen[str]]]:
    """Run a command line in a process of its own for the duration of a with-block, which never outlasts it."""

    @contextmanager
    def start(*arguments: str) -> Iterator[subprocess.Popen[str]]:
        with subprocess.Popen(
            [sys.executable, "-m", "ipch", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.kill()

    return start


@pytest.fixture
def fed() -> Feed:
    """A live page's feed with one sample, of a device that does not exist."""
    found = feed()
    found.sample(FIRST)
    return found


@pytest.fixture
def server(fed: Feed) -> Iterator[Server]:
    """Serves that feed's page."""
    with Server("127.0.0.1:0", {"PAGE1": fed}, alone=True) as running:
        yield running
