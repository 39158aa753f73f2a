"""EPICS: `ipch ioc` against caproto, a Channel Access client that shares no code with the server."""

from __future__ import annotations

import contextlib
import math
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ipch.device import Instrument, Owner, open_session
from ipch.errors import DeviceError, UsageError
from ipch.fleet.chamber import Chamber, read_facts
from ipch.fleet.ioc import ACCESS, ROWS, name_devices, severity
from ipch.fleet.search import find_served
from ipch.sim.server import RunningServer, simulate

from .live_feeds import FIRST

pytest.importorskip("softioc", reason="softioc is not installed")
caproto = pytest.importorskip("caproto", reason="caproto is not installed")
from caproto.sync import client  # noqa: E402

Cli = Callable[..., Any]
OPEN_RULES = "ASG(DEFAULT) { RULE(1, READ) }\nASG(CONTROL) { RULE(1, READ) RULE(0, WRITE) }\n"
INVALID, MAJOR, MINOR = 3, 2, 1
WRITE, STATE, COMM = 2, 7, 9


class Ioc:
    """A running `ipch ioc`, seen by a client."""

    def __init__(self, process: subprocess.Popen[str], start: str) -> None:
        self.process = process
        self._start = start

    def read(self, record: str) -> Any:
        """Value, status and severity."""
        return client.read(self._start + record, data_type="time", repeater=False, timeout=20)

    def value(self, record: str) -> Any:
        return self.read(record).data[0]

    def text(self, record: str) -> str:
        return bytes(self.read(record).data).rstrip(b"\0").decode()

    def alarm(self, record: str) -> tuple[int, int]:
        told = self.read(record).metadata
        return int(told.severity), int(told.status)

    def put(self, record: str, value: float, timeout_s: float = 10) -> bool:
        """Write, and wait until it is carried out; whether EPICS let it through to the record."""
        response = client.write(self._start + record, value, notify=True, repeater=False, timeout=timeout_s)
        return isinstance(response, caproto.WriteNotifyResponse) and bool(response.status.success)

    def await_(self, so: Callable[[], bool], seconds: float = 20) -> None:
        await_(lambda: self.process.poll() is not None or so(), seconds)
        assert self.process.poll() is None


def await_(so: Callable[[], bool], seconds: float = 20) -> None:
    limit = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < limit
        time.sleep(0.2)


@contextlib.contextmanager
def ioc(monkeypatch: pytest.MonkeyPatch, *words: str) -> Iterator[Ioc]:
    """`ipch ioc` for the device of this name, with its own ports."""
    for name, value in (
        ("EPICS_CA_SERVER_PORT", str(free_port())),
        ("EPICS_CA_ADDR_LIST", "127.0.0.1"),
        ("EPICS_CA_AUTO_ADDR_LIST", "NO"),
    ):
        monkeypatch.setenv(name, value)
    with subprocess.Popen(
        [sys.executable, "-m", "ipch", "ioc", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        try:
            line = process.stdout.readline()
            assert " records of " in line, process.stderr.read()
            yield Ioc(process, "ipch:a:")
        finally:
            process.terminate()
            process.communicate(timeout=20)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def device() -> Iterator[RunningServer]:
    with simulate(["--ideal", "--rig", "core", "--serial", "EPIC1"]) as running:
        yield running


def test_records_tell_what_the_device_tells(
    device: RunningServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with ioc(monkeypatch, "EPIC1=a") as found:
        found.await_(lambda: found.alarm("PRESSURE")[0] == 0)
        assert found.value("PRESSURE") == pytest.approx(0.1013, abs=0.005)
        assert found.value("GAS_TEMP") == pytest.approx(30, abs=2)
        units = client.read("ipch:a:PRESSURE", data_type="control", repeater=False).metadata.units
        assert units == b"MPa"
        assert (
            client.read("ipch:a:STATE", data_type="control", repeater=False).metadata.enum_strings[0]
            == b"OFF"
        )
        assert found.value("FAULT") == b"NONE"
        assert found.value("SETPOINT_MAX") == pytest.approx(5.5)
        for record in ROWS:
            assert found.alarm(record)[0] < INVALID, record
        # Without rules of a lab's own nobody may write.
        assert not found.put("OUTPUT", 1)
        with Instrument.open("EPIC1") as instrument:
            assert instrument.state == "OFF"
        assert listening(found.process.pid) == {"127.0.0.1"}


def test_what_the_device_refuses_is_told_and_not_clamped(
    device: RunningServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cli: Cli
) -> None:
    rules = tmp_path / "rules.acf"
    rules.write_text(OPEN_RULES)
    with ioc(monkeypatch, "EPIC1=a", "--access", str(rules)) as found:
        found.await_(lambda: found.alarm("PRESSURE")[0] == 0)
        assert found.put("SETPOINT", 1.25)
        assert found.alarm("SETPOINT") == (0, 0)
        assert found.value("SETPOINT_RBV") == 1.25
        for bad in (99.0, float("nan"), float("inf"), 1e300, -1.0):
            found.put("SETPOINT", bad)
            assert found.alarm("SETPOINT") == (INVALID, WRITE), bad
            assert found.text("REFUSED").startswith("SETPOINT: "), bad
            assert found.value("SETPOINT_RBV") == 1.25
        assert found.value("SETPOINT") == -1.0
        for bad in (-0.5, float("nan")):
            found.put("QUIET", bad)
            assert found.alarm("QUIET") == (INVALID, WRITE), bad
        # Of the records with two states, a third one is nothing that anybody meant.
        for record in ("OUTPUT", "HOLD", "VENT", "ACK"):
            found.put(record, 2)
            assert found.alarm(record) == (INVALID, WRITE) and "expected 0 or 1" in found.text("REFUSED"), (
                record
            )
            assert found.value("OUTPUT_RBV") == found.value("VENT_RBV") == found.value("HOLD_RBV") == 0
        found.put("ACK", 0)
        assert found.alarm("ACK") == (0, 0)
        found.put("ACK", 1)
        assert "no fault is latched" in found.text("REFUSED") and found.alarm("ACK") == (INVALID, WRITE)
        found.put("SETPOINT", 1.5)
        assert found.alarm("SETPOINT") == (0, 0) and found.text("REFUSED") == ""
        # Two clients: the last word is in force, and both see it.
        assert cli("set", "1.3MPa", "--port", "EPIC1").code == 0
        found.await_(lambda: found.value("SETPOINT_RBV") == 1.3)
        # The same value again is a command like any other.
        found.put("SETPOINT", 1.5)
        assert found.value("SETPOINT_RBV") == 1.5
        # The rules give level 0 alone: not the other fields of a record.
        assert not found.put("SETPOINT.DRVH", 1) and not found.put("PRESSURE", 1)
        for record, value, seen in (("OUTPUT", 1, "OUTPUT_RBV"), ("HOLD", 1, "HOLD_RBV"), ("HOLD", 0, "HOLD_RBV"),
                                    ("SLEW", 0.05, "SLEW_RBV"), ("VENT", 1, "VENT_RBV")):  # fmt: skip
            found.put(record, value)
            assert found.alarm(record) == (0, 0), (record, found.text("REFUSED"))
            assert found.value(seen) == pytest.approx(value), record
        found.put("VENT", 0)
        found.put("OUTPUT", 0)
        assert found.value("OUTPUT_RBV") == 0


def test_a_recipe_that_runs_is_not_disturbed(
    device: RunningServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.acf"
    rules.write_text(OPEN_RULES)
    session = open_session("EPIC1")
    with (
        Instrument(session),
        Owner(session) as owner,
        ioc(monkeypatch, "EPIC1=a", "--access", str(rules)) as found,
    ):
        owner.announce({"kind": "run", "name": "gitt", "pid": 1})
        found.await_(lambda: found.alarm("PRESSURE")[0] == 0)
        found.put("SETPOINT", 1.0)
        assert found.alarm("SETPOINT") == (INVALID, WRITE)
        assert "the recipe gitt runs" in found.text("REFUSED")
        # To switch off is always allowed.
        found.put("OUTPUT", 0)
        assert found.alarm("OUTPUT") == (0, 0)


def test_faults_are_alarms_and_a_device_that_is_away_is_invalid(
    monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    with ioc(monkeypatch, "EPIC2=a") as found:
        # Not there yet: no record has a value that looks like one.
        found.await_(lambda: "EPIC2" in found.text("AWAY"))
        assert {found.alarm(record) for record in ROWS} == {(INVALID, COMM)}
        with simulate(["--ideal", "--rig", "core", "--serial", "EPIC2"]):
            found.await_(lambda: found.alarm("PRESSURE")[0] == 0)
            assert found.text("AWAY") == "" and found.value("NE107") == 0
            assert cli("inject", "control-open", "--port", "EPIC2").code == 0
            found.await_(lambda: found.value("FAULT") == b"CONTROL_OPEN")
            found.await_(lambda: found.alarm("PRESSURE") == (MAJOR, STATE))
            assert found.alarm("NE107") == (MAJOR, STATE) and found.value("NE107") == 4
            assert "Check its cable" in found.text("FAULT_TEXT")
        found.await_(lambda: found.alarm("PRESSURE") == (INVALID, COMM))
        assert {found.alarm(record) for record in ROWS} == {(INVALID, COMM)}
        with simulate(["--ideal", "--rig", "core", "--serial", "EPIC2"]):
            found.await_(lambda: found.alarm("PRESSURE")[0] == 0)


@pytest.mark.long
def test_a_device_that_dies_during_a_put_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rules = tmp_path / "rules.acf"
    rules.write_text(OPEN_RULES)
    with (
        simulate(["--ideal", "--rig", "core", "--serial", "EPIC3"]) as running,
        ioc(monkeypatch, "EPIC3=a", "--access", str(rules)) as found,
    ):
        found.await_(lambda: found.alarm("PRESSURE")[0] == 0)
        os.kill(running.pid, signal.SIGSTOP)
        try:
            found.put("SETPOINT", 1.25, timeout_s=60)
            assert found.alarm("SETPOINT") == (INVALID, WRITE)
            assert "device lost" in found.text("REFUSED") or "is away" in found.text("REFUSED")
            found.await_(lambda: found.alarm("PRESSURE") == (INVALID, COMM))
        finally:
            os.kill(running.pid, signal.SIGCONT)
        found.await_(lambda: found.alarm("PRESSURE")[0] == 0, 60)
        found.put("SETPOINT", 1.3, timeout_s=60)
        assert found.alarm("SETPOINT") == (0, 0) and found.text("REFUSED") == ""


def test_a_second_server_of_the_same_names_is_refused(
    device: RunningServer, monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    with ioc(monkeypatch, "EPIC1=a"):
        again = cli("ioc", "OTHER=b", "EPIC1=a")
        assert again.code == 2
        assert "ipch:a:PRESSURE is served already, by a program on 127.0.0.1" in again.error_line()
        assert find_served(["ipch:b:PRESSURE", "other:a:PRESSURE"], "127.0.0.1") is None
        monkeypatch.setenv("EPICS_CA_ADDR_LIST", "127.0.0.1:1 127.0.0.1:x nowhere.invalid 127.0.0.1:99999")
        assert find_served(["ipch:a:PRESSURE"], "127.0.0.2") is None


def test_what_nobody_expected_is_told_and_does_not_end_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[Any, str]] = []
    chamber = Chamber("A", lambda reading, reason: told.append((reading, reason)))
    monkeypatch.setattr(
        chamber, "_instrument", SimpleNamespace(fetch=lambda: {}["replies"], close=lambda: None)
    )
    monkeypatch.setattr("ipch.fleet.chamber._POLL_S", 0.01)
    chamber.start()
    await_(lambda: len(told) >= 2)
    chamber.close()
    assert told[1] == (None, "unexpected KeyError: 'replies'")


class OldFirmware:
    """Knows none of the newer queries."""

    holds_amount = False

    def __getattr__(self, name: str) -> Any:
        raise DeviceError(-113, "Undefined header")


def test_an_older_firmware_leaves_out_what_it_does_not_know() -> None:
    facts = read_facts(OldFirmware(), FIRST)  # type: ignore[arg-type]
    assert (facts.category, facts.fault, facts.warnings, facts.vent_state) == (5, "", (), 0)
    assert math.isnan(facts.slew_pa_s) and math.isnan(facts.setpoint_max_pa)


def test_severities_follow_ne107() -> None:
    assert [severity(category) for category in range(6)] == [0, MINOR, MINOR, MINOR, MAJOR, 0]


@pytest.mark.parametrize(
    ("words", "prefix", "said"),
    [
        (["A=x", "B=x"], "p:", "two devices have the name x"),
        (["A=x", "A=y"], "p:", "given twice"),
        (["socket://h:1"], "p:", "not a name for records"),
        (["A=a.b"], "p:", "not a name for records"),
        (["A="], "p:", "not a name for records"),
        (["=x"], "p:", "not a name for records"),
        (["A" * 46], "p:", "is too long"),
        (["A"], "p q", "not a prefix"),
    ],
)
def test_names_that_epics_or_we_forbid(words: list[str], prefix: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        name_devices(words, prefix)


def test_names_that_are_allowed() -> None:
    assert name_devices(["E66=a", "socket://h:1=b_2", "SIM-1"], "lab:") == {
        "a": "E66", "b_2": "socket://h:1", "SIM-1": "SIM-1",
    }  # fmt: skip


def test_bad_words_end_with_one_line(cli: Cli, tmp_path: Path) -> None:
    assert cli("ioc", "A", "--listen", "here").code == 2
    assert "not an IPv4 address" in cli("ioc", "A", "--listen", "192.0.2.1").error_line()
    assert cli("ioc", "A", "--access", str(tmp_path / "none.acf")).code == 8
    bad = tmp_path / "bad.acf"
    bad.write_text("ASG(DEFAULT { RULE")
    done = subprocess.run(
        [sys.executable, "-m", "ipch", "ioc", "A", "--access", str(bad)],
        capture_output=True, text=True, timeout=60, env={**os.environ, "EPICS_CA_SERVER_PORT": str(free_port())},
    )  # fmt: skip
    assert done.returncode == 8 and done.stdout == ""
    assert "EPICS rejects the access rules" in done.stderr.splitlines()[-1]


def test_the_shipped_rules_name_nobody() -> None:
    rules = [line for line in ACCESS.read_text().splitlines() if not line.startswith("#")]
    assert not any("WRITE" in line for line in rules)


def listening(pid: int) -> set[str]:
    """Addresses of this process' listening TCP sockets."""
    inodes = set()
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            inodes.add(os.readlink(path))
    found = set()
    for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if words[3] == "0A" and f"socket:[{words[9]}]" in inodes:
            found.add(socket.inet_ntoa(bytes.fromhex(words[1].partition(":")[0])[::-1]))
    return found
