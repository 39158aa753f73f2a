"""One owner per port: others work through it; and clients that get over unplugging."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ipch.base.paths import owners_dir, running_simulators
from ipch.device import sharing
from ipch.device.instrument import Instrument
from ipch.device.session import Direct, OwnerEnded, Session, Silence, _FairLock, is_query
from ipch.device.sharing import (
    Owned,
    Owner,
    _is_being_opened,
    _only_regulator,
    find,
    open_session,
    recipe_among,
    running_tasks,
)
from ipch.device.transport import PortInfo, Transport
from ipch.errors import (
    DeviceError,
    DeviceLostError,
    ExchangeCutError,
    NoDeviceError,
    PortBusyError,
    UsageError,
)
from ipch.sim import channel
from ipch.sim.server import RunningServer, simulate

REPLUGS = 100


@pytest.fixture
def owner(sim: RunningServer) -> Iterator[Session]:
    session = open_session(sim.port)
    with Owner(session):
        yield session
    session.close()


@pytest.fixture(scope="module")
def slow() -> Iterator[RunningServer]:
    """One that leaves most of a core to the others."""
    with simulate(["--ideal", "--rig", "sim", "--speed", "20", "--set", "volume_l=0.1"]) as running:
        yield running


def plug(running: RunningServer, plugged: bool) -> None:
    channel.ask(running.first_line["control"], {"plug": plugged})


def port_of(running: RunningServer) -> str:
    """Where it is now: plugged in again it gets another pseudo-terminal if somebody took the old one meanwhile."""
    (port,) = [simulator.port for simulator in running_simulators() if simulator.pid == running.pid]
    return port


def test_others_work_through_the_owner(owner: Session, sim: RunningServer) -> None:
    with Instrument.open(sim.port) as first, Instrument.open(sim.port) as second:
        assert isinstance(first.session.channel, Owned) and isinstance(second.session.channel, Owned)
        assert first.identity == owner.identity and first.port == sim.port
        first.target_pa = 1_100_000
        assert second.target_pa == 1_100_000
        with pytest.raises(DeviceError, match=r"5\.5000000") as refusal:
            second.target_pa = 50_000_000
        assert refusal.value.code == -222
        assert first.settings() == Instrument(owner).settings()
        with pytest.raises(UsageError):
            first.ask("x" * 257)
        assert first.session.line("*IDN?") == owner.line("*IDN?")
        # A message without a reply: silence is told as such, not as the loss of the device.
        with pytest.raises(Silence):
            second.session.line(":SOUR:PRES 1.1")
        assert second.target_pa == 1_100_000


def test_only_what_may_change_the_device_is_heard(sim: RunningServer) -> None:
    """A recorder reads all settings again when it hears something, which takes seconds."""
    heard: list[str] = []
    with Instrument.open(sim.port, heard=heard.append), Instrument.open(sim.port) as client:
        client.fetch()
        assert client.warnings == () and client.setting("trip_pa").value > 0
        assert heard == []
        client.target_pa = 1_100_000
        client.on()
        client.off()
        assert [message.partition(";")[0] for message in heard] == [
            ":SOUR:PRES 1100000 PA",
            ":OUTP ON",
            ":OUTP OFF",
        ]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell that a process is stopped")
def test_an_owner_that_was_suspended_is_resumed(sim: RunningServer, ipch_process: Any, cli: Any) -> None:
    """Ctrl-Z in `ipch watch`: `ipch off` waited for two minutes and failed."""
    with ipch_process("watch", "--json", "--port", sim.port) as watching:
        watching.stdout.readline()
        os.kill(watching.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, watching.pid, os.WSTOPPED | os.WNOWAIT)
        result = cli("off", "--port", sim.port)
        assert result.code == 0, result.err
        assert result.error_line() == (
            f"ipch: process {watching.pid} has the port open and was suspended; it is resumed\n"
        )
        assert watching.stdout.readline()


def test_an_owner_that_hangs_is_not_waited_for(
    sim: RunningServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sharing, "_HELLO_S", 0.1)
    listener, address = sharing._listen()
    entry = {"names": [sim.port], "address": address, "token": "x"}
    path = sharing._file(address, ".json")
    sharing._write_entry(path, entry)
    try:
        assert find(sim.port) is None
    finally:
        path.unlink()
        listener.close()
        Path(address).unlink()


def test_programs_tell_each_other_what_they_do(sim: RunningServer) -> None:
    first = open_session(sim.port)
    owner = Owner(first)
    owner.announce({"kind": "log", "record": "a.db"})
    run, asking = open_session(sim.port), open_session(sim.port)
    with Owner(run) as second:
        second.announce({"kind": "run", "recipe": "demo"})
        assert {task["kind"] for task in running_tasks(asking)} == {"log", "run"}
        # The owner knows as well as those who ask it.
        assert owner.tasks() == second.tasks() == running_tasks(asking)
        # The log ends: the recipe goes on as the owner, or through the next one, and is still known.
        owner.close()
        first.close()
        Instrument(run).fetch()
        Instrument(asking).fetch()
        assert [task["recipe"] for task in running_tasks(asking)] == ["demo"]
    run.close()
    Instrument(asking).fetch()
    assert running_tasks(asking) == []
    asking.close()


def test_a_task_that_cannot_be_told_disturbs_nobody(sim: RunningServer) -> None:
    first = open_session(sim.port)
    owner = Owner(first)
    run = open_session(sim.port)
    with Owner(run) as second:
        owner.close()
        first.close()
        second.announce({"kind": "run"})
        Instrument(run).fetch()
        second.announce({"kind": "run", "step": "2"})
        assert second.tasks() == [{"kind": "run", "step": "2"}]
    run.close()


def test_exchanges_of_many_clients_do_not_mix(owner: Session, sim: RunningServer) -> None:
    wrong: list[object] = []

    def client(number: int) -> None:
        with Instrument.open(sim.port) as instrument:
            for turn in range(30):
                text = f"{number} {turn}"
                try:
                    instrument.ask(f":{number}{turn}:NONSENSE")
                except DeviceError as error:
                    if f"{number}{turn}" not in error.args[0]:
                        wrong.append(error)
                if instrument.ask("*OPC?;:SYST:VERS?") != ["1", "1999.0"]:
                    wrong.append(text)
                sequence = instrument.fetch().sequence
                if instrument.fetch().sequence <= sequence:
                    wrong.append(sequence)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_client_takes_over_when_the_owner_ends(sim: RunningServer) -> None:
    owner = Instrument.open(sim.port)
    with Instrument.open(sim.port) as client:
        assert isinstance(client.session.channel, Owned)  # type: ignore[attr-defined]
        owner.close()
        client.target_pa = 1_300_000
        assert isinstance(client.session.channel, Direct)  # type: ignore[attr-defined]
        with Instrument.open(sim.port) as other:
            assert isinstance(other.session.channel, Owned)  # type: ignore[attr-defined]
            assert other.target_pa == 1_300_000
    assert not list(owners_dir().iterdir())


def test_a_message_in_progress_when_its_owner_is_killed_is_in_doubt(sim: RunningServer) -> None:
    program = (
        "import os, sys\nfrom ipch import Instrument\nowner = Instrument.open(sys.argv[1])\n"
        "owner._owner._answer = lambda *_: os.kill(os.getpid(), 9)\nprint('open', flush=True)\nsys.stdin.read()"
    )
    words = [sys.executable, "-c", program, sim.port]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "open\n"
        with Instrument.open(sim.port) as client:
            with pytest.raises(ExchangeCutError, match="it is unknown whether"):
                client.target_pa = 1_400_000
            assert client.fetch().state == "OFF"


@pytest.mark.parametrize(
    ("long", "until"),
    [("set 3MPa --slew 1kPa/s --wait", "REGULATE"), ("vent --wait", "VENT"), ("watch --json", "OFF")],
)
def test_commands_get_through_whatever_else_runs(
    long: str, until: str, slow: RunningServer, cli: Callable[..., Any], ipch_process: Callable[..., Any]
) -> None:
    port = ("--port", port_of(slow))
    assert cli("set", "2.5MPa", *port).code == 0
    if until != "OFF":
        assert cli("on", *port).code == 0
    with ipch_process(*long.split(), *port) as process:
        while cli("status", "--json", *port).json()["state"] != until:
            assert process.poll() is None
        for words in ("status", "vent --abort", "off"):
            assert cli(*words.split(), *port).code == 0, words
        assert cli("ack", *port).code == 5, "no fault is latched"
        assert cli("status", "--json", *port).json()["state"] == "OFF"
        process.terminate()
        process.communicate()


def test_ten_commands_at_once_all_get_through(sim: RunningServer) -> None:
    words = ["off", "status", "vent --abort", "info", "set 1.2MPa"] * 2
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "ipch", *each.split(), "--port", sim.port],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for each in words
    ]
    for process, each in zip(started, words, strict=True):
        said = process.communicate()[1]
        assert (process.returncode, "Traceback" in said) == (0, False), (each, said)


def test_a_client_that_comes_while_the_owner_ends_is_told(sim: RunningServer) -> None:
    """Otherwise it would not know whether its message was carried out."""
    accepted, ending = threading.Event(), threading.Event()

    class Late(dict[Any, Any]):
        def __setitem__(self, *item: Any) -> None:
            accepted.set()
            assert ending.wait(10)
            super().__setitem__(*item)

    session = open_session(sim.port)
    owner = Owner(session)
    owner._clients = Late()
    told: list[BaseException] = []

    def come() -> None:
        try:
            with closing(Owned(owner._address, owner._token)) as channel:
                channel.ask(":OUTP OFF")
        except (OwnerEnded, ValueError) as error:
            told.append(error)

    client = threading.Thread(target=come, daemon=True)
    client.start()
    assert accepted.wait(10)
    end = threading.Thread(target=owner.close)
    end.start()
    # It waits for a client that it has accepted.
    end.join(0.3)
    ending.set()
    end.join()
    client.join(10)
    assert "ended" in str(told)
    session.close()


def test_a_client_that_asked_for_tasks_while_the_owner_ended_goes_on(sim: RunningServer) -> None:
    with closing(open_session(sim.port)) as first, Owner(first):
        second = open_session(sim.port)
        assert isinstance(second.channel, Owned)
    with closing(second):
        assert running_tasks(second) == []
        assert second.ask(":OUTP OFF;*OPC?") == ["1"]


def test_a_port_that_its_owner_is_closing_is_waited_for(
    sim: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last exchange may take long; no other program that has the port open is waited for here."""
    monkeypatch.setattr("ipch.device.sharing._BUSY_S", 0.2)
    session = open_session(sim.port)
    with Owner(session):
        pass
    tried = threading.Event()
    busy = Transport.reopen

    def reopen(transport: Transport) -> None:
        try:
            busy(transport)
        finally:
            tried.set()

    monkeypatch.setattr(Transport, "reopen", reopen)
    opened: list[Session] = []
    client = threading.Thread(target=lambda: opened.append(open_session(sim.port)), daemon=True)
    client.start()
    assert tried.wait(10) and not opened
    session.close()
    client.join(10)
    opened[0].close()
    assert not list(owners_dir().iterdir())
    # Without an owner it is busy.
    with closing(Transport(sim.port)), pytest.raises(PortBusyError):
        open_session(sim.port)


def test_what_a_dead_owner_left_is_passed_over(sim: RunningServer) -> None:
    program = (
        "import os, sys\nfrom ipch.device.sharing import Owner, open_session\n"
        "owner = Owner(open_session(sys.argv[1]))\nprint(os.getpid(), flush=True)\nos.kill(os.getpid(), 9)"
    )
    ended = subprocess.run([sys.executable, "-c", program, sim.port], capture_output=True, text=True)
    assert ended.returncode == -signal.SIGKILL
    left = list(owners_dir().glob(f"{ended.stdout.strip()}-*"))
    assert len(left) == 2
    with Instrument.open(sim.port) as instrument:
        assert isinstance(instrument.session.channel, Direct)  # type: ignore[attr-defined]
    assert not list(owners_dir().iterdir())


def test_what_was_left_before_it_was_published_is_taken_away(sim: RunningServer) -> None:
    program = "from ipch.device import sharing\nsharing._listen()"
    ended = subprocess.Popen([sys.executable, "-c", program])
    assert ended.wait() == 0
    assert len(list(owners_dir().glob(f"{ended.pid}-*"))) == 1
    with Instrument.open(sim.port):
        assert not list(owners_dir().glob(f"{ended.pid}-*"))


def test_a_stranger_on_the_address_is_passed_over(sim: RunningServer) -> None:
    entry = {"pid": os.getpid(), "names": [sim.port], "address": str(owners_dir() / "none"), "token": "x"}
    path = owners_dir() / "stranger.json"
    path.write_text(json.dumps(entry))
    with Instrument.open(sim.port) as instrument:
        assert isinstance(instrument.session.channel, Direct)  # type: ignore[attr-defined]
    path.unlink()


def test_without_the_token_nothing_is_answered(owner: Session) -> None:
    (path,) = owners_dir().glob("*.json")
    entry = json.loads(path.read_text())
    assert path.stat().st_mode & 0o077 == 0
    with pytest.raises(ValueError, match="ended"):
        Owned(entry["address"], "guess")


def test_over_loopback_where_there_are_no_unix_sockets(
    sim: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ipch.base.local_socket._LONGEST_PATH", 0)
    session = open_session(sim.port)
    with Owner(session), Instrument.open(sim.port) as client:
        assert isinstance(client.session.channel, Owned)  # type: ignore[attr-defined]
        assert client.fetch().state == "OFF"
    session.close()


def test_commands_work_while_a_log_runs(
    cli: Callable[..., Any], sim: RunningServer, tmp_path: Path, ipch_process: Callable[..., Any]
) -> None:
    with ipch_process("log", str(tmp_path / "log.db"), "--port", sim.port) as log:
        assert "recording to" in log.stderr.readline()
        assert cli("set", "1.2MPa", "--port", sim.port).code == 0
        assert cli("status", "--json", "--port", sim.port).json()["target_pa"] == 1_200_000
        log.send_signal(signal.SIGINT)
        log.communicate(timeout=20)
        assert log.returncode == 0


def test_ctrl_c_while_waiting_for_a_turn_leaves_the_line_to_others() -> None:
    turns, begun, over = _FairLock(), threading.Event(), threading.Event()

    def take(until: threading.Event | None = None) -> None:
        with turns:
            begun.set()
            if until is not None:
                until.wait(5)

    def interrupt() -> None:
        while len(turns._queue) < 2:
            os.sched_yield()
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    first = threading.Thread(target=take, args=(over,))
    first.start()
    begun.wait()
    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt), turns:
        pass
    over.set()
    first.join()
    begun.clear()
    threading.Thread(target=take, daemon=True).start()
    assert begun.wait(20)


@pytest.mark.parametrize(
    ("message", "only_asks"),
    [
        ("*IDN?", True),
        (":FETC?;:SYST:VERS?", True),
        (':SYST:SETT? "a;b"', True),
        (":OUTP ON", False),
        (":SOUR:PRES?;SLEW 5", False),
        ('"?"', False),
        ("", False),
    ],
)
def test_what_only_asks(message: str, only_asks: bool) -> None:
    assert is_query(message) is only_asks


def test_unplugged_and_plugged_in_again(slow: RunningServer) -> None:
    with Instrument.open(port_of(slow)) as instrument:
        for number in range(REPLUGS):
            instrument.target_pa = wanted_pa = 1_000_000 + number
            plug(slow, False)
            with pytest.raises(ExchangeCutError):
                instrument.target_pa = 2_000_000
            with pytest.raises(DeviceLostError, match="has not returned"):
                instrument.fetch()
            plug(slow, True)
            # The command that was cut is not sent again.
            assert instrument.target_pa == wanted_pa


def test_an_owner_whose_device_is_back_does_not_wait_for_itself(slow: RunningServer) -> None:
    session = open_session(port_of(slow))
    with Owner(session):
        for _ in range(3):
            plug(slow, False)
            with pytest.raises(DeviceLostError):
                session.ask("*IDN?")
            plug(slow, True)
            assert session.ask("*IDN?")[0].startswith("ipch,")
            assert isinstance(session.channel, Direct)
            with Instrument.open(port_of(slow)) as other:
                assert isinstance(other.session.channel, Owned)
    session.close()


def test_queries_wait_for_the_device_if_they_may(slow: RunningServer) -> None:
    with Instrument.open(port_of(slow), reconnect_s=30) as instrument:
        plug(slow, False)
        timer = threading.Timer(0.3, plug, (slow, True))
        timer.start()
        assert instrument.fetch().state == "OFF"
        timer.join()


def test_another_device_on_the_port_is_not_taken_for_this_one(slow: RunningServer) -> None:
    with Instrument.open(port_of(slow)) as instrument:
        plug(slow, False)
        with pytest.raises(DeviceLostError):
            instrument.fetch()
        session = instrument.session
        session.identity = type(session.identity)("ipch", "IPCH-1", "ANOTHER", "0", "none")  # type: ignore[misc]
        plug(slow, True)
        with pytest.raises(DeviceLostError, match=r"now has device SIM000000\d, expected ANOTHER"):
            instrument.fetch()


def test_the_only_regulator_is_found_beside_other_boards(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def ours(port: str) -> bool:
        asked.append(port)
        return port in regulators

    def choose(*infos: PortInfo) -> str:
        asked.clear()
        for module in ("sharing", "transport"):
            monkeypatch.setattr(f"ipch.device.{module}.list_ports", lambda: list(infos))
        return _only_regulator()

    monkeypatch.setattr("ipch.device.sharing._is_regulator", ours)
    one, two, three = (PortInfo(f"/dev/b{number}", "board", f"S{number}", "") for number in (1, 2, 3))
    simulated, other = PortInfo("/dev/s", "simulator", "SIM", ""), PortInfo("/dev/o", "other", "", "")
    regulators = {"/dev/b2"}
    # A single board is taken without a question: whoever opens it will see.
    assert choose(one, other) == "/dev/b1" and asked == []
    assert choose(simulated, other) == "/dev/s" and asked == []
    assert choose(one, two, other) == "/dev/b2" and sorted(asked) == ["/dev/b1", "/dev/b2"]
    assert choose(one, simulated) == "/dev/s" and asked == ["/dev/b1"]
    for several in ((two, simulated), (one, three), (two, three, two)):
        with pytest.raises(NoDeviceError, match="devices found"):
            choose(*several)


def test_without_a_name_the_owner_is_found_only_if_nothing_else_is_there(
    owner: Session, sim: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = PortInfo(sim.port, "simulator", "", "")
    for others, so in (([], True), ([PortInfo("/dev/o", "other", "", "")], True),
                       ([PortInfo("/dev/b", "board", "", "")], False)):  # fmt: skip
        monkeypatch.setattr("ipch.device.sharing.list_ports", lambda others=others: [here, *others])
        found = find(None)
        assert (found is not None) == so, others
        if found is not None:
            found.close()


def test_entries_that_are_damaged_are_passed_over(sim: RunningServer) -> None:
    for number, text in enumerate(("{", "[]", '{"names": 3}', "{}")):
        (owners_dir() / f"{os.getpid()}-{number}.json").write_text(text)
    opening = owners_dir() / f"{os.getpid()}-9.opening"
    opening.write_text(json.dumps({"names": ["/dev/x"]}))
    assert _is_being_opened({"/dev/x", "y"}) and not _is_being_opened({"/dev/y"})
    for path in owners_dir().glob(f"{os.getpid()}-*"):
        path.unlink()
    assert not _is_being_opened({"/dev/x"})


def test_a_recipe_that_runs_is_told_with_its_step() -> None:
    task = {"kind": "run", "name": "gitt", "pid": 7}
    assert recipe_among([{"kind": "log"}, task]) == "the recipe gitt runs on this device (process 7)"
    assert "device, step 2/3 hold (" in recipe_among([{**task, "step": "2/3 hold"}])
    assert recipe_among([{"kind": "log", "name": "x"}]) == ""


class Speaker:
    """The other end of a client's connection, with one thing to say."""

    def __init__(self, said: bytes | OSError, refuses: OSError | None = None) -> None:
        self.said, self.refuses = said, refuses

    def write(self, data: bytes) -> None:
        if self.refuses is not None:
            raise self.refuses

    def flush(self) -> None:
        pass

    def readline(self) -> bytes:
        if isinstance(self.said, OSError):
            raise self.said
        return self.said


@pytest.mark.parametrize(
    ("speaker", "kind", "said"),
    [
        (Speaker(b"", BrokenPipeError("pipe")), OwnerEnded, "device lost: the owner process of its port is gone: pipe"),
        (Speaker(b"", OSError("slow")), DeviceLostError, "device lost: the owner process of its port is stuck: slow"),
        (Speaker(OSError("late")), DeviceLostError, "device lost: the owner process of its port does not answer: late"),
        (Speaker(b"{"), DeviceLostError, "device lost: the owner process of its port ended"),
        (Speaker(b'{"ended": true}\n'), OwnerEnded, "device lost: the owner process of its port has just ended"),
        (Speaker(b'{"error": ["cut", "in doubt"]}\n'), ExchangeCutError, "in doubt"),
        (Speaker(b'{"error": ["silent", "quiet"]}\n'), Silence, "quiet"),
        (Speaker(b'{"error": ["lost", "gone"]}\n'), DeviceLostError, "gone"),
    ],
)  # fmt: skip
def test_what_an_owner_says_is_told(speaker: Speaker, kind: type[Exception], said: str) -> None:
    channel = Owned.__new__(Owned)
    channel._file = speaker  # type: ignore[assignment]
    with pytest.raises(DeviceLostError) as raised:
        channel.ask("*IDN?")
    assert type(raised.value) is kind and str(raised.value) == said


def test_what_goes_through_an_owner_is_logged_without_its_token(
    owner: Session, sim: RunningServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "ipch.device.sharing")
    (path,) = owners_dir().glob("*.json")
    with Instrument.open(sim.port) as client:
        client.ask("*OPC?")
    assert json.loads(path.read_text())["token"] not in caplog.text
    assert "> token" in caplog.messages and "> {'ask': '*OPC?'}" in caplog.messages
    assert '< {"replies": ["1"]}' in caplog.messages


def test_an_owner_that_cannot_publish_says_why(
    sim: RunningServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*words: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("ipch.device.sharing._write_entry", full)
    session = open_session(sim.port)
    with Owner(session):
        assert session.ask("*OPC?") == ["1"]
    session.close()
    assert f"other programs cannot use {sim.port} meanwhile: no space left" in caplog.text


def test_an_owner_that_has_ended_takes_nothing_more(owner: Session, sim: RunningServer) -> None:
    with closing(find(sim.port)) as channel:  # type: ignore[type-var]
        assert channel is not None
        listener = next(each for each in owner.listeners if hasattr(each, "__self__"))
        listener.__self__._ended = True
        with pytest.raises(OwnerEnded, match="has just ended"):
            channel.ask("*OPC?")
        listener.__self__._ended = False


def test_two_devices_that_swap_their_ports_are_told_apart() -> None:
    """As after a hub's power failed: each owner still answered by the port's name, and led the other one astray."""
    with contextlib.ExitStack() as stack:
        devices, instruments = [], []
        for serial in ("SWAP1", "SWAP2"):
            devices.append(stack.enter_context(simulate(["--ideal", "--rig", "core", "--serial", serial])))
            instruments.append(stack.enter_context(Instrument.open(serial)))
        for _ in range(10):
            before = [port_of(each) for each in devices]
            # The first to come back gets the lowest number.
            order = sorted(devices, key=lambda each: int(port_of(each).rpartition("/")[2]), reverse=True)
            for each, instrument in zip(devices, instruments, strict=True):
                plug(each, False)
                with pytest.raises(DeviceLostError):
                    instrument.fetch()
            for each in order:
                plug(each, True)
            # Unless another program has taken one of the pseudo-terminals meanwhile.
            if [port_of(each) for each in devices] == before[::-1]:
                break
        else:
            pytest.skip("other programs take the ports")
        for instrument in instruments:
            assert instrument.fetch().state == "OFF"


def test_a_simulator_that_was_started_again_is_found_by_its_serial_number() -> None:
    with simulate(["--serial", "AGAIN"]) as first:
        transport = Transport("AGAIN")
    try:
        # It takes the path that has become free.
        with simulate(["--serial", "OTHER"]) as other, simulate(["--serial", "AGAIN"]) as again:
            transport.reopen()
            assert transport.port == again.port and again.port != other.port, first.port
    finally:
        transport.close()
