"""The example that stops a Neware's tests at a fault, against an emulation of the interface that aurora-neware speaks.

The emulation is ours, after what aurora-neware sends and reads: it shows that the example does what it says, not that a
BTS server answers so.
"""

from __future__ import annotations

import re
import socketserver
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ipch.sim.server import RunningServer, simulate

pytest.importorskip("aurora_neware", reason="aurora-neware is not installed")
EXAMPLE = Path(__file__).parents[2] / "docs" / "how-to" / "stop_neware.py"
CHANNELS = ("120-10-8", "120-10-7")
END = b"\n\n#\r\n"


class Bts(socketserver.ThreadingTCPServer):
    """A BTS server with two channels that work."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Client)
        self.state = dict.fromkeys(CHANNELS, "working")
        self.deaf = 0
        """So many stops are answered and not carried out."""
        self.stops = 0
        self.hangs_up = 0
        """So many commands are followed by the end of the connection."""

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Client(socketserver.BaseRequestHandler):
    server: Bts

    def handle(self) -> None:
        data = b""
        while piece := self.request.recv(4096):
            data += piece
            while END in data:
                message, _, data = data.partition(END)
                if self.server.hangs_up:
                    self.server.hangs_up -= 1
                    return
                self.request.sendall(self._answer(message.decode()).encode() + END)

    def _answer(self, message: str) -> str:
        command = re.search(r"<cmd>(\w+)</cmd>", message)
        assert command
        asked = [f"{dev}-{sub}-{chl}" for dev, sub, chl in
                 re.findall(r'devid="(\d+)" subdevid="(\d+)" chlid="(\d+)"', message)]  # fmt: skip
        if command[1] == "getdevinfo":
            rows = "".join(
                '<channel ip="127.0.0.1" devtype="27" devid="{}" subdevid="{}" Channelid="{}">true</channel>'.format(
                    *name.split("-")
                )
                for name in CHANNELS
            )
            return _reply("getdevinfo", f"<middle>{rows}</middle>")
        if command[1] == "stop":
            self.server.stops += 1
            if self.server.deaf:
                self.server.deaf -= 1
            else:
                self.server.state |= dict.fromkeys(asked, "stop")
            return _reply("stop", _list("<stop>ok</stop>" for _ in asked))
        if command[1] == "inquire":
            return _reply(
                "inquire", _list(f'<inquire workstatus="{self.server.state[name]}"/>' for name in asked)
            )
        return _reply(command[1], "<result>ok</result>")


def _reply(name: str, body: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8" ?><bts version="1.0"><cmd>{name}_resp</cmd>{body}</bts>'


def _list(rows: Iterator[str]) -> str:
    found = list(rows)
    return f'<list count="{len(found)}">{"".join(found)}</list>'


@pytest.fixture
def bts() -> Iterator[Bts]:
    with Bts() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def device() -> Iterator[RunningServer]:
    with simulate(["--ideal", "--rig", "core", "--serial", "LOCK1"]) as running:
        yield running


def example(bts: Bts, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(EXAMPLE), "LOCK1", *words, "--port", str(bts.port)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_a_fault_stops_the_channel_and_no_other(
    bts: Bts, device: RunningServer, cli: Callable[..., Any]
) -> None:
    bts.deaf = 1
    with example(bts, "120-10-8") as process:
        assert process.stdout is not None
        assert "watching" in process.stdout.readline()
        assert set(bts.state.values()) == {"working"}
        # The server restarts just then: the example tries again.
        bts.hangs_up = 1
        assert cli("inject", "control-open", "--port", "LOCK1").code == 0
        out, err = process.communicate(timeout=40)
        assert process.returncode == 7
    # An answer alone is not believed: the channel has to say that it stands.
    assert "the server ended the connection" in err
    assert bts.stops == 2 and "120-10-8 working" in out and "120-10-8 stop" in out
    assert bts.state == {"120-10-8": "stop", "120-10-7": "working"}
    assert "fault CONTROL_OPEN" in out


def test_silence_stops_it_as_well(bts: Bts) -> None:
    with simulate(["--ideal", "--rig", "core", "--serial", "LOCK1"]):
        process = example(bts, *CHANNELS, "--silence", "2")
        assert process.stdout is not None
        assert "watching" in process.stdout.readline()
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 7 and set(bts.state.values()) == {"stop"} and "lost" in out


def test_a_channel_that_does_not_exist_is_found_at_once(bts: Bts) -> None:
    with example(bts, "1-2-3") as process:
        _, told = process.communicate(timeout=30)
        assert process.returncode == 1 and told.count("\n") == 1 and "no such channel" in told
