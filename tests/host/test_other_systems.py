"""Parts that differ on Windows and macOS, run here with what those systems lack taken away."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pytest_mock import MockerFixture

from ipch.base import awake, paths
from ipch.base.awake import kept_awake

WITHOUT = "import os, select, socket\ndel socket.AF_UNIX, os.openpty, os.mkfifo, select.poll\n"


@pytest.fixture
def other_system(tmp_path: Path) -> dict[str, str]:
    """An environment whose Python has no unix sockets, no pseudo-terminals, no named pipes."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "sitecustomize.py").write_text(WITHOUT)
    here = [str(tmp_path / "other"), *(path for path in sys.path if path)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(here), "XDG_RUNTIME_DIR": str(tmp_path)}


def ipch(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ipch", *words], env=environment, capture_output=True, text=True, timeout=120
    )


def test_a_demo_needs_no_pseudo_terminal(other_system: dict[str, str], tmp_path: Path) -> None:
    recipe = tmp_path / "short.toml"
    recipe.write_text('[[step]]\nramp = "0.3MPa"\nslew = "50kPa/s"\n')
    ended = ipch(
        other_system, "demo", "--rig", "core", "--recipe", str(recipe), "--out", str(tmp_path / "run")
    )
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "run" / "report.html").is_file()
    ended = ipch(other_system, "sim")
    assert (ended.returncode, ended.stderr.count("\n")) == (8, 1) and "use --rig core" in ended.stderr


def test_commands_share_the_port_and_reach_the_rig_without_unix_sockets(
    other_system: dict[str, str], tmp_path: Path
) -> None:
    words = [sys.executable, "-m", "ipch", "sim", "--rig", "core", "--tcp", "0"]
    with subprocess.Popen(words, env=other_system, stdout=subprocess.PIPE, text=True) as simulator:
        try:
            assert simulator.stdout is not None
            first = json.loads(simulator.stdout.readline())
            assert first["port"] == f"socket://127.0.0.1:{first['tcp']}"
            log = [sys.executable, "-m", "ipch", "log", str(tmp_path / "log.db"), "--for", "1h"]
            with subprocess.Popen(log, env=other_system, stderr=subprocess.PIPE, text=True) as recorder:
                assert recorder.stderr is not None and "recording to" in recorder.stderr.readline()
                for each in (["status"], ["off"], ["inject"]):
                    ended = ipch(other_system, *each)
                    assert ended.returncode == 0, (each, ended.stderr)
                (entry,) = (tmp_path / "ipch" / "owners").glob("*.json")
                assert json.loads(entry.read_text())["address"].startswith("127.0.0.1:")
                recorder.terminate()
        finally:
            simulator.terminate()


def test_dead_processes_are_recognised_on_windows(mocker: MockerFixture) -> None:
    kernel = mocker.patch.object(ctypes, "windll", create=True).kernel32
    exit_code = 0

    def tell(handle: int, code: Any) -> int:
        code._obj.value = exit_code
        return 1

    kernel.OpenProcess.return_value = 7
    kernel.GetExitCodeProcess.side_effect = tell
    assert not paths._is_alive_on_windows(1234)
    exit_code = 259
    assert paths._is_alive_on_windows(1234)
    kernel.CloseHandle.assert_called_with(7)
    kernel.OpenProcess.return_value = 0
    assert not paths._is_alive_on_windows(1234)


def test_windows_is_kept_awake_for_the_time_of_the_block(mocker: MockerFixture) -> None:
    kernel = mocker.patch.object(ctypes, "windll", create=True).kernel32
    mocker.patch.object(os, "name", "nt")
    with kept_awake("test"):
        kernel.SetThreadExecutionState.assert_called_once_with(0x80000001)
    kernel.SetThreadExecutionState.assert_called_with(0x80000000)


def test_a_linux_computer_is_kept_awake_by_a_program_that_ends_with_the_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mocker: MockerFixture
) -> None:
    program = tmp_path / "systemd-inhibit"
    called = tmp_path / "called"
    program.write_text(f'#!/bin/sh\necho "$@" $$ > {called}.new\nmv {called}.new {called}\ncat\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    mocker.patch("os.path.exists", autospec=True, return_value=True)
    with kept_awake("records"):
        # From Python 3.14 on Path.exists() asks os.path.
        while called not in tmp_path.iterdir():
            os.sched_yield()
    words = called.read_text().split()
    assert "--what=idle:sleep" in words and not paths.is_alive(int(words[-1]))
    mocker.patch.object(sys, "platform", "darwin")
    mocker.patch("shutil.which", autospec=True, return_value="/usr/bin/caffeinate")
    assert awake._guard("records") == ["caffeinate", "-i", "-w", str(os.getpid())]
