"""What people trip over in their first hour: wrong quantities, a recipe that runs, two simulators at once."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import pty
import re
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ipch.cli.terminal import device_rows, fitted
from ipch.device.instrument import Instrument
from ipch.sim.server import RunningServer, simulate
from tests.shares import share

Cli = Callable[..., Any]
RECIPE = '[[step]]\nramp = "0.8MPa"\nslew = "100kPa/s"\n[[step]]\nhold = "{hold}"\n'


@pytest.fixture(scope="module")
def slow() -> Iterator[RunningServer]:
    """A small chamber that leaves most of a core to the others."""
    with simulate(["--speed", "10", "--set", "volume_l=0.1"]) as running:
        yield running


@pytest.fixture(autouse=True)
def _off_afterwards(slow: RunningServer) -> Iterator[None]:
    yield
    with Instrument.open(slow.port) as instrument:
        instrument.holds_amount = False
        instrument.off()
        instrument.slew_pa_s = 20_000


@contextlib.contextmanager
def recipe_runs(folder: Path, hold: str = "1h") -> Iterator[subprocess.Popen[str]]:
    """`ipch run` in a process of its own, from its first step on."""
    file = folder / "my recipe.toml"
    file.write_text(RECIPE.format(hold=hold))
    command = [sys.executable, "-m", "ipch", "run", str(file), "--out", str(folder / "my run")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            for line in process.stderr:
                if "1/2 ramp" in line or "2/2 hold" in line:
                    break
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def ended(process: subprocess.Popen[str], number: int) -> tuple[int, str]:
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    return process.returncode, err


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("set 50 bar", "ipch set '50 bar'"),
        ("set 5 MPa --slew 20kPa/s", "5MPa"),
        ("set 5MPa --slew 20 kPa/s", "--slew '20 kPa/s'"),
        ("quiet 10 min", "10min"),
        ("set -5MPa", "absolute"),
        ("set -0.1", "absolute"),
        ("set -- -5MPa", "absolute"),
        ("config set trip_pa 6 MPa", "6MPa"),
        ("log x.db --every 1 s", "1s"),
    ],
)
def test_a_wrong_quantity_gets_a_hint(cli: Cli, line: str, hint: str) -> None:
    result = cli(*line.split())
    assert result.code == 2
    assert hint in result.error_line()


def test_a_fast_ramp_is_not_taken_without_a_second_look(cli: Cli, slow: RunningServer) -> None:
    before = cli("config", "get", "slew_pa_s").out
    result = cli("set", "1MPa", "--slew", "1MPa/s")
    assert result.code == 2
    assert "5 MPa in 5 s" in result.error_line() and "--yes" in result.err
    assert cli("config", "get", "slew_pa_s").out == before
    assert cli("set", "1MPa", "--slew", "1MPa/s", "--yes").code == 0


def answered(slow: RunningServer, line: str, answers: str) -> tuple[int, str]:
    """A command on a terminal of its own, with what is typed there; exit code, and all that is shown."""
    master, slave = os.openpty()
    command = [sys.executable, "-m", "ipch", *line.split(), "--port", slow.port]
    with subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave) as process:
        os.close(slave)
        os.write(master, answers.encode())
        shown = b""
        # At the end of the command the terminal has no other end.
        with contextlib.suppress(OSError):
            while part := os.read(master, 4096):
                shown += part
    os.close(master)
    return process.returncode, shown.decode()


def test_a_fast_ramp_is_asked_for_twice(cli: Cli, slow: RunningServer) -> None:
    before = cli("config", "get", "slew_pa_s").out
    for answers, code in (("n\n", 9), ("y\nn\n", 9), ("y\n\n", 9), ("y\ny\n", 0)):
        assert cli("config", "get", "slew_pa_s").out == before
        found, shown = answered(slow, "set 1MPa --slew 1MPa/s", answers)
        assert found == code, shown
        assert "5 MPa in 5 s" in shown and "do it anyway? [y/N]" in shown
        assert ("really? [y/N]" in shown) == answers.startswith("y")
        assert ("nothing was changed" in shown) == (code == 9)
    assert cli("config", "get", "slew_pa_s").out == "1000000\n"


def test_holding_the_amount_claims_no_limits(cli: Cli, slow: RunningServer) -> None:
    cli("set", "0.5MPa", "--slew", "100kPa/s")
    cli("on")
    assert "holds the amount of gas" in cli("hold", "amount").out
    assert "3 MPa is not followed" in cli("set", "3MPa").out
    status = cli("status", "--json").json()
    assert (status["holds"], status["in_limits"]) == ("amount", False)
    assert "in limits" not in cli("status").out


def test_a_quiet_window_tells_how_long_it_lasts(cli: Cli, slow: RunningServer) -> None:
    cli("set", "0.5MPa")
    cli("on")
    assert re.search(r"QUIET: .*, valves shut for another (1 h|59 min)", cli("quiet", "1h").out)
    assert 3000 < cli("status", "--json").json()["quiet_left_s"] <= 3600
    assert "QUIET, for another" in cli("status").out


def test_others_ask_before_they_disturb_a_recipe(cli: Cli, slow: RunningServer, tmp_path: Path) -> None:
    assert cli("config", "save", str(tmp_path / "saved.toml")).code == 0
    apply = f"config apply {tmp_path / 'saved.toml'}"
    settings = ("config set slew_pa_s 50kPa/s", apply)
    with recipe_runs(tmp_path) as process:
        for line in ("set 1MPa", "on", "hold amount", "quiet 1min", "send :OUTP:OFF", *settings):
            result = cli(*line.split())
            assert result.code == 2, line
            assert "the recipe my recipe runs on this device" in result.error_line()
        assert cli("status", "--json").json()["target_pa"] == 800_000
        assert cli("send", "*IDN?").code == 0 and cli("config", "get", "slew_pa_s").out == "100000\n"
        assert cli("set", "1MPa", "--yes").code == 0
        _, err = process.communicate(timeout=60)
        assert process.returncode == 7
        assert "another client set the target to 1 MPa" in err
        assert "the device keeps regulating to 1 MPa" in err
    resumed = cli("run", "--resume", str(tmp_path / "my run"))
    assert resumed.code == 7
    assert "target now: 1 MPa, target then: 0.8 MPa" in resumed.err
    assert "`ipch set 0.8MPa`" in resumed.err


@pytest.mark.parametrize("command", ["off", "vent"])
def test_off_and_vent_never_wait_for_a_recipe(
    cli: Cli, slow: RunningServer, tmp_path: Path, command: str
) -> None:
    with recipe_runs(tmp_path) as process:
        result = cli(command)
        assert result.code == 0
        assert "the recipe my recipe runs on this device" in result.error_line()
        _, err = process.communicate(timeout=60)
    assert process.returncode == 7
    assert f"the record is in {tmp_path / 'my run'}" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_every_ending_says_where_the_record_is(
    cli: Cli, slow: RunningServer, tmp_path: Path, number: signal.Signals
) -> None:
    with recipe_runs(tmp_path) as process:
        code, err = ended(process, number)
    assert code in (130, 143)
    assert f"the record is in {tmp_path / 'my run'}" in err
    assert "the device keeps regulating to 0.8 MPa" in err
    assert f"resume with: ipch run --resume '{tmp_path / 'my run'}'" in err
    again = cli("run", "demo", "--out", str(tmp_path / "my run"))
    assert again.code == 8 and f"--resume '{tmp_path / 'my run'}'" in again.error_line()


def test_a_recipe_says_that_its_record_cannot_be_written(slow: RunningServer, tmp_path: Path) -> None:
    """As a log does: three months may depend on it."""
    with recipe_runs(tmp_path) as process:
        assert process.stderr is not None
        _, most = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, most))
        assert any("cannot record to" in line and "free disk space" in line for line in process.stderr)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most, most))
        assert any("resumed" in line for line in process.stderr)


def test_a_complete_run_says_what_the_device_goes_on_doing(slow: RunningServer, tmp_path: Path) -> None:
    with recipe_runs(tmp_path, hold="5s") as process:
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "the device keeps regulating to 0.8 MPa" in err and "resume" not in err


def test_a_run_that_ends_with_a_vent_says_so(cli: Cli, slow: RunningServer, tmp_path: Path) -> None:
    file = tmp_path / "vent.toml"
    file.write_text('finally = "vent"\n' + RECIPE.format(hold="5s"))
    err = cli("run", str(file), "--out", str(tmp_path / "first")).err
    assert "the device is OFF: vented to 0.1" in err and "the gas stays" not in err
    file.write_text('finally = "off"\n' + RECIPE.format(hold="5s"))
    assert (
        "OFF: valves shut, the gas stays in the chamber, 0."
        in cli("run", str(file), "--out", str(tmp_path / "second")).err
    )


def test_a_simulator_tells_a_person_its_port_in_text(tmp_path: Path) -> None:
    main, terminal = pty.openpty()
    command = [sys.executable, "-m", "ipch", "sim", "--rig", "core", "--serial", "TERMINAL"]
    command += ["--end-with", str(os.getpid())]
    with subprocess.Popen(command, stdout=terminal, stderr=subprocess.DEVNULL) as process:
        os.close(terminal)
        try:
            shown = b""
            while b"chamber" not in shown and select.select([main], [], [], 30)[0]:
                shown += os.read(main, 4096)
        finally:
            process.terminate()
            process.wait(10)
            os.close(main)
    assert re.search(rb"port +/dev/\S+\r\nserial number +TERMINAL\r\n", shown) and b"{" not in shown


def test_a_row_of_a_board_among_several_fits_60_columns(slow: RunningServer) -> None:
    with Instrument.open(slow.port) as instrument:
        sample = replace(instrument.fetch(), state="REGULATE", ramp_pa=5_000_000, fills=1250, vents=3220)
    (row,) = device_rows([("E66138528361BB32", sample, "")])
    assert len(row) <= 60 and row.endswith("setpoint 5.0000 MPa")
    (row,) = device_rows([("E66138528361BB32", replace(sample, state="SEALED", fault="CONTROL_OPEN"), "")])
    assert len(row) <= 60 and row.endswith("FAULT CONTROL_OPEN")


def test_what_runs_beside_a_recipe_survives_its_end(slow: RunningServer, tmp_path: Path) -> None:
    with recipe_runs(tmp_path) as process:
        watch = [sys.executable, "-m", "ipch", "watch", "--json"]
        log = [sys.executable, "-m", "ipch", "log", str(tmp_path / "a.csv")]
        with (
            subprocess.Popen(watch, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watching,
            subprocess.Popen(log, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as logging,
        ):
            assert watching.stdout is not None and logging.stderr is not None
            watching.stdout.readline()
            logging.stderr.readline()
            ended(process, signal.SIGINT)
            with Instrument.open(slow.port) as instrument:
                end_s = instrument.fetch().uptime_s
            assert any(json.loads(line)["uptime_s"] > end_s + 5 for line in watching.stdout)
            assert ended(watching, signal.SIGINT) == (0, "")
            assert ended(logging, signal.SIGINT)[0] == 0
    *_, last = csv.DictReader((tmp_path / "a.csv").read_text().splitlines())
    assert float(last["uptime_s"]) > end_s + 1


def test_two_simulators_have_serial_numbers_of_their_own(cli: Cli, slow: RunningServer) -> None:
    with simulate([]) as second:
        serials = [slow.first_line["serial"], second.first_line["serial"]]
        assert len(set(serials)) == 2
        assert cli("inject", "leak").code == 3
        assert "leak" in cli("inject", "leak", "kpa_h=5", "--port", serials[1]).out
        assert "no simulator NONE" in cli("inject", "--port", "NONE").error_line()
        assert "leak" not in cli("inject", "--port", serials[0]).out


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("log foo.txt", "a record ends in .db (SQLite) or .csv"),
        ("export run.db --out x.xlsx", "a table ends in .csv"),
        ("export run.db --out x", "a table ends in .csv"),
        ("report a.csv", "is a table, not a record"),
        ("demo --out a.csv", "cannot create a.csv"),
        ("example --out a.csv/x", "cannot create a.csv/x"),
    ],
)
def test_a_file_is_what_its_name_says(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text("utc\n")
    Path("run.db").write_bytes(b"")
    result = cli(*line.split())
    assert result.code in (2, 8)
    assert said in result.error_line()


def on_a_terminal(command: list[str], columns: int, until: str, then: Callable[[], None]) -> str:
    """Run a command on a terminal of this width; call `then` once it has shown `until`; return all that it showed."""
    pid, descriptor = pty.fork()
    if pid == 0:
        os.environ |= {"TERM": "xterm", "COLUMNS": str(columns), "LINES": "24"}
        os.execv(sys.executable, [sys.executable, "-m", "ipch", *command])
    raw, shown, told, deadline = b"", "", False, time.monotonic() + 60
    try:
        while time.monotonic() < deadline:
            if not select.select([descriptor], [], [], 0.5)[0]:
                continue
            try:
                raw += os.read(descriptor, 65536)
                shown = raw.decode("utf-8", "replace")
            except OSError:
                break
            if not told and until in shown:
                told = True
                then()
    finally:
        os.close(descriptor)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    assert told, shown
    return shown


@pytest.mark.parametrize("columns", share((60, 80), 0))
def test_tables_fit_the_terminal(slow: RunningServer, columns: int) -> None:
    for command in (["config", "list"], ["recipes"], ["inject", "--list"], ["sim", "--list"], ["ports"]):
        shown = on_a_terminal(command, columns, " ", lambda: None)
        plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown)
        assert max(len(line) for line in plain.splitlines()) <= columns, command


@pytest.mark.parametrize("command", [[], ["config"], ["alarm"], ["calibrate"]])
def test_help_is_whole_at_60_columns(cli: Cli, monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    text = cli(*command, "--help").out
    assert "..." not in text.replace("]...", "")
    assert max(map(len, text.splitlines())) <= 60


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("run gi", "gitt"),
        ("inject vent-st", "vent-sticky"),
        ("status --port SIM", "SIM0000001"),
        ("config get trip", "trip_pa"),
    ],
)
def test_values_are_completed(slow: RunningServer, words: str, wanted: str) -> None:
    environment = {**os.environ, "_IPCH_COMPLETE": "complete_bash", "COMP_WORDS": f"ipch {words}"}
    environment["COMP_CWORD"] = str(len(words.split()))
    done = subprocess.run([sys.executable, "-c", "from ipch.cli.app import app; app(prog_name='ipch')"],
                          env=environment, capture_output=True, text=True, timeout=30)  # fmt: skip
    assert wanted in done.stdout, done


@pytest.mark.parametrize("columns", share((60, 80), 0))
def test_watch_draws_above_its_line(slow: RunningServer, columns: int) -> None:
    with Instrument.open(slow.port) as instrument:
        instrument.target_pa = 500_000
        instrument.on()
    command = ["watch", "--for", "60s", "--port", slow.port]
    shown = on_a_terminal(command, columns, "now", lambda: None)
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown)
    assert "pressure and setpoint" in plain and re.search(r"REGULATE +\d\.\d{4} MPa", plain)
    # Braille dots: the line of a plot.
    assert re.search("[\u2800-\u28ff]{5}", plain)
    # A terminal shows what stands after the last return.
    lines = [line.rstrip("\r").rpartition("\r")[2] for line in plain.split("\n")]
    assert [line for line in lines if len(line) > columns] == []


def test_without_a_port_all_devices_are_shown(cli: Cli, slow: RunningServer) -> None:
    with simulate(["--serial", "SECOND"]):
        rows = {row["serial_number"]: row for row in cli("status", "--json").json()}
        assert set(rows) == {slow.first_line["serial"], "SECOND"}
        assert rows["SECOND"]["state"] == "OFF"
        assert "SECOND" in cli("status").out
        lines = cli("watch", "--for", "3s", "--every", "1s").out.splitlines()
        assert sum(line.startswith("SECOND") for line in lines) >= 2
        assert any(slow.first_line["serial"] in line for line in lines)
        assert cli("status", "--port", "SECOND", "--json").json()["state"] == "OFF"
        # A command that changes something never guesses.
        assert "choose one with --port" in cli("on").error_line()


def test_two_simulators_that_start_at_once_differ(slow: RunningServer) -> None:
    with contextlib.ExitStack() as stack:
        command = [sys.executable, "-m", "ipch", "sim"]
        started = [
            stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
            for _ in range(3)
        ]
        try:
            serials = [json.loads(each.stdout.readline())["serial"] for each in started if each.stdout]
        finally:
            for each in started:
                each.terminate()
    assert len({*serials, slow.first_line["serial"]}) == 4


def test_a_reason_stays_whole_in_a_narrow_terminal() -> None:
    reason = (
        "device lost: /dev/serial/by-id/usb-MicroPython_Board_in_FS_mode_e66138528361bb32-if00 is unplugged"
    )
    rows = device_rows([("E66138528361BB32", None, reason), ("SIM-0001", None, "no sample yet")])
    for width in (60, 80):
        shown = fitted(rows, width)
        assert max(map(len, shown)) <= width
        assert "".join("".join(shown).split()) == "".join("".join(rows).split())
