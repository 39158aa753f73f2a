"""`ipch log` as people run it: several chambers at once, a disk that fills up, and as a service."""

from __future__ import annotations

import codecs
import contextlib
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from bench.scenarios.replugged import Replugged, replug_often
from ipch.device.instrument import Instrument
from ipch.recording import service
from ipch.recording.reader import Run, load_run
from ipch.sim.server import RunningServer, simulate
from tests.shares import share

Cli = Callable[..., Any]


@pytest.fixture(scope="module")
def slow() -> Iterator[RunningServer]:
    """A chamber at 1 MPa; one that leaves most of a core to the others."""
    with simulate(["--ideal", "--speed", "20", "--set", "volume_l=0.1", "--set", "initial_mpa=1"]) as running:
        yield running


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An `ipch` on the PATH whose folder has a space in it."""
    path = tmp_path / "my programs" / "ipch"
    path.parent.mkdir()
    path.write_text(f'#!/bin/sh\nexec {sys.executable} -m ipch "$@"\n')
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(path.parent), prepend=":")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return path


@contextlib.contextmanager
def logging(*command: str) -> Iterator[subprocess.Popen[str]]:
    """A program that logs, from its first sample to Ctrl-C."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as log:
        assert log.stderr is not None
        try:
            assert "recording to" in log.stderr.readline()
            yield log
        finally:
            log.send_signal(signal.SIGINT)
            log.wait(30)
    assert log.returncode == 0


def log_command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "ipch", "log", *arguments]


def gaps(run: Run) -> set[str]:
    """Why samples are missing."""
    return {event.text for event in run.events if event.kind == "gap"}


def test_two_chambers_at_once_each_with_its_service(
    cli: Cli, program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    place, _ = service.install(None)
    line = next(line for line in place.read_text().splitlines() if line.startswith("ExecStart="))
    wanted = {"LEFT": 1_200_000, "RIGHT-2": 1_300_000}
    with contextlib.ExitStack() as stack:
        for name, pressure_pa in wanted.items():
            filled = ["--set", f"initial_mpa={pressure_pa / 1e6}"]
            stack.enter_context(simulate(["--ideal", "--serial", name, "--speed", "20", *filled]))
        for name in wanted:
            command = line.removeprefix("ExecStart=").replace("%I", name)
            stack.enter_context(logging("sh", "-c", f"exec {command}"))
        # Each command finds its chamber by the serial number, through the log that has its port.
        for name, target_pa in wanted.items():
            assert cli("set", f"{target_pa / 1e6}MPa", "--port", name).code == 0
        for name, target_pa in wanted.items():
            assert cli("status", "--json", "--port", name).json()["target_pa"] == target_pa
        told = cli("status").out
        assert all(name in told for name in wanted)
    for name, pressure_pa in wanted.items():
        run = load_run(service.default_record(name))
        assert run.identity["serial_number"] == name
        assert run.samples["pressure_pa"] == pytest.approx(pressure_pa, abs=20_000)
        assert run.ended_by == "complete"
        assert gaps(run) <= {"the computer was busy"}


def test_the_disk_fills_up_while_a_pressure_is_held(cli: Cli, slow: RunningServer, tmp_path: Path) -> None:
    file = tmp_path / "log.db"
    with logging(*log_command(str(file), "--all", "--every", "0.2s", "--port", slow.port)) as log:
        assert log.stderr is not None
        for words in (("set", "1MPa"), ("on",)):
            assert cli(*words, "--port", slow.port).code == 0
        _, most = resource.prlimit(log.pid, resource.RLIMIT_FSIZE)
        size = max(path.stat().st_size for path in tmp_path.iterdir())
        resource.prlimit(log.pid, resource.RLIMIT_FSIZE, (size, most))
        lines = (line for line in log.stderr if "the computer was busy" not in line)
        alarm = next(lines)
        assert f"cannot record to {file}" in alarm and "free disk space" in alarm
        # Others reach the device through the program that cannot write.
        assert cli("set", "1.01MPa", "--port", slow.port).code == 0
        assert cli("status", "--json", "--port", slow.port).json()["state"] == "REGULATE"
        resource.prlimit(log.pid, resource.RLIMIT_FSIZE, (most, most))
        assert next(lines) == f"ipch: recording to {file} resumed\n"
    run = load_run(file)
    assert run.ended_by == "complete"
    told = [event.text for event in run.events if event.kind == "note"]
    assert any(text.startswith("cannot write: ") for text in told)
    assert "recording resumed; the waiting rows are written" in told
    # The samples of the time without room are there.
    assert gaps(run) <= {"the computer was busy"}
    states = [event.text for event in run.events if event.kind == "state"]
    assert states == ["OFF", "REGULATE"]
    waited = [event.uptime_s for event in run.events if event.kind == "note"]
    assert waited[0] is not None and waited[-1] is not None
    assert ((run.time_s > waited[0]) & (run.time_s < waited[-1])).sum() >= 2


@pytest.mark.parametrize("replugs", share((2, 5), 0))
def test_unplugged_while_it_logs(replugs: int, tmp_path: Path) -> None:
    sets = ["--set", "volume_l=0.1", "--set", "initial_mpa=1"]
    with simulate(["--ideal", "--speed", "20", *sets]) as running:
        with Instrument.open(running.port) as instrument:
            instrument.target_pa = 1_000_000
            instrument.on()
        found = replug_often(running, tmp_path / "log.db", replugs, seed=2)
    assert found == Replugged(gaps=replugs, unmarked=0, twice=0, not_regulating=0, ended_by="complete")


def test_the_service_is_installed(cli: Cli, program: Path, tmp_path: Path) -> None:
    found = cli("log", "--install-service", "--json", "--port", "E6614103E7").json()
    place = tmp_path / "config" / "systemd" / "user" / "ipch-log@.service"
    assert found["unit"] == str(place)
    assert found["commands"][1] == (
        'systemctl --user enable --now ipch-log@"$(systemd-escape -- E6614103E7)"'
    )
    unit = place.read_text()
    assert f'ExecStart="{program}" log --port "%I"\n' in unit
    assert "@IPCH@" not in unit
    # What `systemctl stop` sends is what ends a log in order; a crash or a reboot starts it again.
    for line in ("KillSignal=SIGINT", "Restart=always", "StartLimitIntervalSec=0", "WantedBy=default.target"):
        assert f"{line}\n" in unit
    plain = cli("log", "--install-service")
    assert plain.out.splitlines()[2] == "systemctl --user daemon-reload" and "SERIAL_NUMBER" in plain.out


def test_on_windows_the_service_is_a_task(
    cli: Cli, program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_WINDOWS", True)
    monkeypatch.setenv("USERDOMAIN", "LAB")
    monkeypatch.setenv("USERNAME", "PORT & Co")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    found = cli("log", "--install-service", "--json", "--port", "COM5").json()
    place = Path(found["unit"])
    assert found["commands"][0] == f'schtasks /create /tn "ipch log COM5" /xml "{place}"'
    # The Task Scheduler refuses a file whose encoding is not the one that its head names.
    assert place.read_bytes().startswith(codecs.BOM_UTF16) and 'encoding="UTF-16"' in place.read_text(
        "utf-16"
    )
    task = ElementTree.fromstring(place.read_bytes())
    told = {element.tag.rpartition("}")[2]: (element.text or "").strip() for element in task.iter()}
    assert task.tag == "{http://schemas.microsoft.com/windows/2004/02/mit/task}Task"
    assert (told["Command"], told["Arguments"]) == (str(program), 'log --port "COM5"')
    assert told["UserId"] == "LAB\\PORT & Co"
    # It runs until it is stopped, also on a battery, and starts again after a failure.
    assert told["ExecutionTimeLimit"] == "PT0S" and told["DisallowStartIfOnBatteries"] == "false"
    assert told["RestartOnFailure"] == "" and told["MultipleInstancesPolicy"] == "IgnoreNew"
    refused = cli("log", "--install-service")
    assert refused.code == 2 and "name it with --port" in refused.error_line()


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze on the PATH")
def test_systemd_takes_the_service(cli: Cli, program: Path) -> None:
    place = cli("log", "--install-service", "--json").json()["unit"]
    instance = Path(place).with_name("ipch-log@E6614103E7.service")
    shutil.copy(place, instance)
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", str(instance)], capture_output=True, text=True, check=False
    )
    if "Failed to initialize manager" in done.stderr or "Failed to create" in done.stderr:
        pytest.skip(f"systemd-analyze cannot work here: {done.stderr.strip().splitlines()[-1]}")
    assert (done.returncode, done.stderr) == (0, "")
