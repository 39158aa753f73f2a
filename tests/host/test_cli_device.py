"""The commands against the simulated regulator."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from bench.scenarios.truth import judge_lines
from ipch.device.instrument import Instrument
from ipch.device.transport import Transport
from ipch.recording.reader import load_run
from ipch.sim.server import RunningServer, simulate

Cli = Callable[..., Any]
Program = Callable[..., AbstractContextManager[subprocess.Popen[str]]]


@pytest.fixture(autouse=True)
def _off_afterwards(sim: RunningServer) -> Iterator[None]:
    yield
    with Instrument.open(sim.port) as instrument:
        instrument.off()
        instrument.slew_pa_s = 20_000


def test_info(cli: Cli, sim: RunningServer) -> None:
    data = cli("info", "--json").json()
    assert (data["maker"], data["port"]) == ("ipch", sim.port)
    text = cli("info").out
    assert data["serial_number"] in text and "CPython" in text


def test_status(cli: Cli) -> None:
    data = cli("status", "--json").json()
    assert (data["state"], data["fault"]["name"], data["warnings"]) == ("OFF", "NONE", [])
    text = cli("status").out
    for name in ("state", "fault", "pressure", "supply", "gas", "uptime"):
        assert f"\n{name} " in f"\n{text}"


def test_set_on_wait_off(cli: Cli) -> None:
    result = cli("set", "8bar", "--slew", "100kPa/s")
    assert result.code == 0
    assert "the regulator is off; `ipch on` starts it" in result.error_line()
    assert cli("on").out.startswith("REGULATE: ")
    result = cli("set", "1MPa", "--wait", "--json")
    assert result.code == 0
    sample = result.json()
    assert sample["target_pa"] == sample["ramp_pa"] == 1_000_000
    assert sample["in_limits"] is True
    assert sample["pressure_pa"] == pytest.approx(1_000_000, abs=10_000)
    assert "ipch: to 1 MPa: " in result.err
    assert "\x1b" not in result.err
    assert cli("config", "get", "slew_pa_s").out == "100000\n"
    assert cli("off").out.startswith("OFF: ")


def test_waiting_for_what_cannot_happen(cli: Cli) -> None:
    result = cli("set", "1MPa", "--wait")
    assert result.code == 2
    assert "the device is OFF" in result.error_line()


def test_a_pressure_beyond_the_limits_changes_nothing(cli: Cli) -> None:
    cli("set", "1MPa")
    before = cli("config", "get", "slew_pa_s").out
    result = cli("set", "50MPa", "--slew", "50kPa/s")
    assert result.code == 5
    assert "the device refused" in result.error_line() and "5.5" in result.err and "-222" in result.err
    assert result.out == ""
    assert cli("set", "50MPa", "--json").json()["error"]["code"] == 5
    assert cli("config", "get", "slew_pa_s").out == before
    assert cli("status", "--json").json()["target_pa"] == 1_000_000


def test_quiet_and_vent(cli: Cli) -> None:
    assert cli("quiet", "10s").code == 5
    cli("set", "0.5MPa")
    cli("on")
    assert cli("quiet", "1h").out.startswith("QUIET: ")
    assert cli("quiet", "end").out.startswith("REGULATE: ")
    cli("config", "set", "vent_slew_pa_s", "10kPa/s")
    assert cli("vent").out.startswith("VENT: ")
    assert cli("vent", "--abort").out.startswith("OFF: ")
    cli("config", "set", "vent_slew_pa_s", "500kPa/s")
    result = cli("vent", "--wait", "--json")
    assert result.json()["pressure_pa"] < 200_000
    assert result.json()["state"] == "OFF"
    assert cli("vent", "--wait", "--abort").code == 2


def test_nothing_to_acknowledge(cli: Cli) -> None:
    result = cli("ack")
    assert result.code == 5
    assert "no fault is latched" in result.error_line()


def test_send(cli: Cli) -> None:
    assert cli("send", "*IDN?").out.startswith("ipch,IPCH-1,")
    assert cli("send", "*OPC?;:SYST:VERS?").out == "1\n1999.0\n"
    assert cli("send", "*OPC?;:SYST:VERS?", "--json").json()["replies"] == ["1", "1999.0"]
    assert cli("send", "*CLS").out == ""
    result = cli("send", ":NO:SUCH")
    assert result.code == 5
    assert "-113" in result.error_line()
    assert cli("send", "5 µs").code == 2


def test_config_one_by_one(cli: Cli) -> None:
    rows = {row["name"]: row for row in cli("config", "list", "--json").json()}
    assert rows["slew_pa_s"]["unit"] == "Pa/s"
    assert "slew_pa_s" in cli("config", "list").out
    assert cli("config", "set", "in_limits_pa", "8kPa").out == "in_limits_pa = 8000 Pa\n"
    assert cli("config", "set", "in_limits_pa", "10000").out == "in_limits_pa = 10000 Pa\n"
    assert cli("config", "set", "in_limits_ms", "5s").out == "in_limits_ms = 5000 ms\n"
    assert cli("config", "set", "control_zero_pa", "-150").out == "control_zero_pa = -150 Pa\n"
    assert cli("config", "set", "control_zero_pa", "0", "--json").json()["value"] == 0
    for value in ("8", "8kPa/s", "much", "1e3"):
        assert cli("config", "set", "in_limits_pa", value).code in (2, 5)
    result = cli("config", "set", "trip_pa", "1MPa")
    assert result.code == 5
    assert "setpoint_max_pa must be below trip_pa" in result.error_line()
    assert cli("config", "get", "no_such_thing").code == 5
    for line in ("config get setpoint", "config set setpoint 1MPa"):
        result = cli(*line.split())
        assert result.code == 5
        assert (
            "no setting 'setpoint'; did you mean setpoint_max_pa? `ipch config list` lists all"
            in result.error_line()
        )


def test_config_saved_and_applied(cli: Cli, tmp_path: Path) -> None:
    # Limits change in a vented chamber.
    cli("config", "set", "vent_slew_pa_s", "500kPa/s")
    assert cli("vent", "--wait").code == 0
    file = tmp_path / "settings.toml"
    assert "settings saved to" in cli("config", "save", str(file)).out
    document = tomllib.loads(file.read_text())
    assert document["settings"]["trip_pa"] == 6_000_000
    assert cli("config", "apply", str(file)).out == "nothing to change\n"
    # Only in the right order does each of these pass the cross-checks, and it is not the order of the file.
    text = file.read_text()
    for name, value in (("setpoint_max_pa", 6_100_000), ("trip_pa", 6_300_000), ("comparator_pa", 6_600_000)):
        text = text.replace(f"{name} = {document['settings'][name]}", f"{name} = {value}")
    file.write_text(text)
    changed = cli("config", "apply", str(file), "--json").json()["changed"]
    assert changed == {"setpoint_max_pa": 6_100_000, "trip_pa": 6_300_000, "comparator_pa": 6_600_000}
    # All or nothing: the last one can never be.
    file.write_text("[settings]\nsetpoint_max_pa = 5500000\ntrip_pa = 6000000\nburst_disc_pa = 300000\n")
    result = cli("config", "apply", str(file))
    assert result.code == 5
    assert "burst_disc_pa" in result.error_line()
    assert cli("config", "get", "trip_pa").out == "6300000\n"
    file.write_text("[settings]\nsetpoint_max_pa = 5500000\ntrip_pa = 6000000\ncomparator_pa = 6500000\n")
    assert cli("config", "apply", str(file)).code == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[settings]\ntrip = 1", "no setting 'trip'; did you mean trip_pa?"),
        ("[settings]\ntrip_pa = 1.5", "trip_pa = 1.5; expected an integer"),
        ("[settings]\ntrip_pa = true", "trip_pa = True; expected an integer"),
        ("[setting]\ntrip_pa = 1", "unknown table or key 'setting'"),
        ("trip_pa = 1", "unknown table or key 'trip_pa'"),
        ("", "no [settings] table"),
        ("garbage", "not valid TOML"),
        ("[device]\nserial_number = 'OTHER'\n[settings]\ntrip_pa = 1", "was saved from device OTHER"),
        (None, "cannot read"),
    ],
)
def test_settings_files_that_are_wrong(cli: Cli, tmp_path: Path, text: str | None, message: str) -> None:
    file = tmp_path / "settings.toml"
    if text is not None:
        file.write_text(text)
    result = cli("config", "apply", str(file))
    assert result.code == 8
    assert message in result.error_line()


def test_watch_and_log(cli: Cli, tmp_path: Path) -> None:
    lines = cli("watch", "--every", "5s", "--for", "22s").out.splitlines()
    assert 3 <= len(lines) <= 6
    assert all("OFF" in line and "MPa" in line for line in lines)
    samples = [json.loads(line) for line in cli("watch", "--for", "5s", "--json").out.splitlines()]
    assert [s["sequence"] for s in samples] == sorted({s["sequence"] for s in samples})
    for name in ("log.db", "log.csv"):
        result = cli("log", str(tmp_path / name), "--for", "5s")
        assert "samples recorded to" in result.out
    assert cli("report", str(tmp_path / "log.db")).out == f"report written to {tmp_path / 'log.html'}\n"
    result = cli("log", str(tmp_path / "log.csv"), "--for", "5s")
    assert result.code == 8
    assert "exists already" in result.error_line()


@pytest.mark.parametrize(
    ("number", "code", "ended_by"), [(signal.SIGINT, 0, "complete"), (signal.SIGTERM, 143, "interrupted")]
)
def test_a_log_is_complete_when_it_is_stopped(
    sim: RunningServer,
    tmp_path: Path,
    ipch_process: Program,
    number: signal.Signals,
    code: int,
    ended_by: str,
) -> None:
    record = tmp_path / "log.db"
    with ipch_process("log", str(record), "--port", sim.port, "--json") as process:
        assert process.stderr is not None
        # It says so once the first sample is recorded.
        assert process.stderr.readline() == f"ipch: recording to {record}\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (code, "")
    run = load_run(record)
    assert run.ended_by == ended_by
    assert len(run.time_s) >= 1
    if code == 0:
        assert json.loads(out) == {"file": str(record), "samples": len(run.time_s)}


def test_watch_ends_with_ctrl_c(sim: RunningServer, ipch_process: Program) -> None:
    with ipch_process("watch", "--port", sim.port) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")


@pytest.mark.parametrize("arguments", [["watch"], ["watch", "--json"]])
def test_a_device_that_disappears_while_it_is_watched(ipch_process: Program, arguments: list[str]) -> None:
    with (
        simulate(["--ideal", "--rig", "sim", "--speed", "20"]) as own,
        ipch_process(*arguments, "--port", own.port) as process,
    ):
        assert process.stdout is not None
        process.stdout.readline()
        os.kill(own.pid, signal.SIGKILL)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 6
    assert err == f"ipch: device lost: {own.port}; is it still plugged in?\n"
    if "--json" in arguments:
        assert json.loads(out.splitlines()[-1]) == {"error": {"code": 6, "message": err[6:-1]}}


def test_a_busy_port(cli: Cli, sim: RunningServer) -> None:
    transport = Transport(sim.port)
    result = cli("status")
    assert result.code == 4
    assert f"port busy: {sim.port}" in result.error_line()
    assert cli("status", "--json").json()["error"]["code"] == 4
    transport.close()


def test_nothing_answers(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ipch.device.session._IDENTIFY_S", 0.05)
    master, slave = os.openpty()
    port = os.ttyname(slave)
    try:
        result = cli("status", "--port", port)
        assert result.code == 3
        assert f"nothing answers on {port}" in result.error_line()
    finally:
        os.close(master)
        os.close(slave)


RECIPE = """
description = "a short one"
[parameters]
target = "1MPa"
[[step]]
ramp = "$target"
slew = "100kPa/s"
[[step]]
hold = "30s"
[[step]]
vent = true
"""


def test_run_and_report(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("short.toml").write_text(RECIPE)
    cli("config", "set", "vent_slew_pa_s", "500kPa/s")
    result = cli("run", "short.toml", "--set", "target=0.8MPa", "--json")
    assert result.code == 0, result.err
    data = result.json()
    folder = Path(data["folder"])
    assert folder.parent == Path("runs")
    assert sorted(path.name for path in folder.iterdir()) == ["report.html", "run.db", "summary.json"]
    assert [step["kind"] for step in data["steps"]] == ["ramp", "hold", "vent"]
    assert data["steps"][0]["target_pa"] == 800_000
    assert json.loads((folder / "summary.json").read_text()) == {
        k: v for k, v in data.items() if k != "folder"
    }
    assert cli("run", "short.toml", "--out", str(folder)).code == 8
    again = cli("report", str(folder), "--out", "again.html", "--json").json()
    assert again["report"] == "again.html"
    assert again["rms_pa"] == data["rms_pa"]


def test_an_alarm_ends_a_run_with_its_sentence(cli: Cli, tmp_path: Path) -> None:
    recipe = tmp_path / "long.toml"
    recipe.write_text('[[step]]\nramp = "1MPa"\n[[step]]\nhold = "90d"\n')
    # A transducer error of 2 %FS between the two.
    with simulate(
        ["--ideal", "--rig", "sim", "--speed", "max", "--ahead", "10s", "--set", "control_offset_kpa=200"]
    ) as own:
        result = cli("run", str(recipe), "--out", str(tmp_path / "run"), "--port", own.port)
        assert result.code == 7
        assert (
            "fault latched: DISAGREEMENT: The two pressure transducers disagree"
            in result.err.splitlines()[-1]
        )
        assert (tmp_path / "run" / "report.html").exists()
        assert cli("on", "--port", own.port).code == 5
        status = cli("status", "--port", own.port, "--json").json()
        assert (status["state"], status["fault"]["name"]) == ("SEALED", "DISAGREEMENT")


def test_demo_with_a_short_recipe(cli: Cli, tmp_path: Path) -> None:
    recipe = tmp_path / "short.toml"
    recipe.write_text(RECIPE.replace("[[step]]\nvent = true", ""))
    out = tmp_path / "demo"
    for _ in range(2):
        result = cli("demo", "--recipe", str(recipe), "--out", str(out))
        assert result.code == 0, result.err
        assert "within 5 kPa while holding" in result.out
    assert judge_lines((out / "truth.jsonl").read_text().splitlines()) == []
    summary = json.loads((out / "summary.json").read_text())
    assert summary["source"] == "truth"
    for name in ("duration_s", "speed", "rms_pa", "overshoot_pa", "fills", "vents", "firmware"):
        assert summary[name] is not None
    assert summary["in_band_fraction"] > 0.9
    assert summary["true_max_pa"] < 20_000
    assert summary["micropython"].startswith("1.")
    assert sorted(path.name for path in out.iterdir()) == [
        "report.html",
        "run.db",
        "summary.json",
        "truth.jsonl",
    ]


def test_the_amount_of_gas_is_held_with_the_valves_shut(cli: Cli) -> None:
    cli("set", "3bar")
    cli("on")
    assert cli("hold", "amount").out.startswith("REGULATE: ")
    assert "holds the amount of gas" in cli("set", "4bar").error_line()
    assert cli("set", "4bar", "--wait").code == 2
    data = cli("status", "--json").json()
    assert data["holds"] == "amount" and abs(data["amount"]["drift_pa"]) < 50_000
    assert "held, valves shut: " in cli("status").out
    assert "expected pressure or amount" in cli("hold", "breath").error_line()
    cli("hold", "pressure")
    assert cli("status", "--json").json()["holds"] == "pressure"
