"""A computer that others use: folders that only this user can use, exclusive ports, pages that stay whole."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ipch.base import paths
from ipch.base.paths import owners_dir, simulators_dir
from ipch.device.instrument import Instrument
from ipch.device.sharing import Owned
from ipch.device.transport import Transport
from ipch.errors import FileError
from ipch.recording import load_run
from ipch.recording.recorder import Recorder
from ipch.report import write_report
from ipch.sim.server import RunningServer

TIOCGEXCL = 0x80045440


def test_the_folders_are_made_for_this_user_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "ipch").mkdir(mode=0o777)
    (tmp_path / "ipch").chmod(0o777)
    for folder in (owners_dir(), simulators_dir()):
        assert folder.is_relative_to(tmp_path / "ipch")
        for each in (folder, tmp_path / "ipch"):
            assert each.stat().st_mode & 0o777 == 0o700


def test_without_a_folder_of_the_session_there_is_a_fixed_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for value in ("", "relative", str(tmp_path / "missing")):
        monkeypatch.setenv("XDG_RUNTIME_DIR", value)
        folder = owners_dir()
        user = os.getuid()
        assert folder in (Path(f"/run/user/{user}/ipch/owners"), Path(f"/tmp/ipch-{user}/owners"))
        assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to make the folder of another user")
@pytest.mark.parametrize("kind", ["folder", "link", "file"])
def test_a_folder_that_another_user_made_is_not_trusted(
    kind: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sim: RunningServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    place = tmp_path / "ipch"
    if kind == "link":
        (tmp_path / "elsewhere").mkdir()
        place.symlink_to(tmp_path / "elsewhere")
    elif kind == "file":
        place.write_text("")
    else:
        place.mkdir()
        os.chown(place, 65534, 65534)
    with pytest.raises(FileError, match="is not a folder of this user"):
        owners_dir()
    # Nobody is heard; the port is opened directly, which is said.
    with Instrument.open(sim.port) as instrument:
        assert instrument.off() is not None
        assert not isinstance(instrument.session.channel, Owned)  # type: ignore[attr-defined]
    assert "is not a folder of this user" in caplog.text
    assert not list((tmp_path / "elsewhere").iterdir()) if kind == "link" else True


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to make the entry of another user")
def test_an_entry_that_another_user_left_is_not_followed(sim: RunningServer) -> None:
    entry = owners_dir() / f"{os.getpid()}-12345678.json"
    entry.write_text(json.dumps({"names": [sim.port], "address": "127.0.0.1:9", "token": "x"}))
    os.chown(entry, 65534, 65534)
    with Instrument.open(sim.port) as instrument:
        assert not isinstance(instrument.session.channel, Owned)  # type: ignore[attr-defined]
    entry.unlink()


def test_a_port_is_asked_for_alone() -> None:
    def exclusive(descriptor: int) -> int:
        return int(struct.unpack("i", fcntl.ioctl(descriptor, TIOCGEXCL, b"\0" * 4))[0])

    master, slave = pty.openpty()
    transport = Transport(os.ttyname(slave))
    assert exclusive(slave) == 1
    transport.close()
    assert exclusive(slave) == 0
    os.close(master)
    os.close(slave)


def test_a_simulator_stays_open_to_the_next_one_after_a_client_was_killed(sim: RunningServer) -> None:
    descriptor = os.open(sim.port, os.O_RDWR | os.O_NOCTTY)
    with Instrument.open(sim.port):
        assert struct.unpack("i", fcntl.ioctl(descriptor, TIOCGEXCL, b"\0" * 4))[0] == 0
    os.close(descriptor)


def test_a_page_stays_whole_whatever_a_note_holds(tmp_path: Path, regulator: Instrument) -> None:
    note = "<!-- <script> </script> ]]> ' \" & \u2028 \\"
    with Recorder(tmp_path / "run.db", regulator, note) as recorder:
        for _ in range(3):
            recorder.sample(regulator.fetch())
            recorder.event("note", note)
            recorder.event("step", note, {"index": 0, "kind": "hold", "target_pa": None})
    write_report(tmp_path / "report.html", load_run(tmp_path / "run.db"), None)
    page = (tmp_path / "report.html").read_text()
    assert "<!-- <script>" not in page and "&lt;!-- &lt;script&gt;" in page
    assert page.rstrip().endswith("</html>")


def test_a_simulator_ends_with_the_process_that_started_it() -> None:
    program = (
        "import os, sys\nfrom ipch.sim.server import simulate\n"
        "with simulate(['--rig', 'core']) as sim:\n    print(sim.pid, flush=True)\n    os.kill(os.getpid(), 9)"
    )
    started = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    pid = int(started.stdout)
    until = time.monotonic() + 20
    while paths.is_alive(pid) and time.monotonic() < until:
        os.sched_yield()
    assert not paths.is_alive(pid)
