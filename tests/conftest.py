"""Isolate the tests from the user's environment: none of their ports, none of their simulators."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rig",
        action="append",
        choices=("core", "sim", "pico"),
        help="a rung for the tests of tests/device; may be repeated; core and sim by default",
    )


def pytest_configure() -> None:
    # The duration of an example depends on other load on the computer.
    settings.register_profile("ipch", deadline=None)
    settings.load_profile("ipch")
    # A shell without job control starts background jobs that ignore Ctrl-C, and their children inherit that: a command
    # that a test ends with Ctrl-C would never end.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # nohup does the same to the signal of a closed terminal.
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session", autouse=True)
def _own_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("IPCH_") and name != "IPCH_SAMPLES"]:
            patch.delenv(name)
        for name in ("NO_COLOR", "FORCE_COLOR", "GITHUB_ACTIONS"):
            patch.delenv(name, raising=False)
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
        yield
