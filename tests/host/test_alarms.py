"""Alarms: judged from samples and times, kept until acknowledged, delivered to real servers and programs."""

from __future__ import annotations

import json
import socket
import sys
import threading
from dataclasses import replace
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from ipch.alarms import Alarms, Config, Event, deliver, load
from ipch.alarms.config import WARNINGS, Email, Limit
from ipch.cli import run
from ipch.device.instrument import Sample
from ipch.errors import FileError

SAMPLE = Sample(
    sequence=1,
    boot=1,
    uptime_s=5.0,
    state="REGULATE",
    fault="NONE",
    in_limits=True,
    pressure_pa=5_000_000,
    ramp_pa=5_000_000,
    target_pa=5_000_000,
    control_pa=5_000_000,
    safety_pa=5_000_000,
    supply_pa=6_000_000,
    gas_k=303.0,
    wall_k=303.0,
    slew_pa_s=0,
    settled_pa=5_000_000,
    fills=0,
    vents=0,
    fill_open_s=0.0,
    vent_open_s=0.0,
    warnings=0,
)
EVENT = Event(
    "fault OVERPRESSURE", "raised", "It rose; the relief was opened; find the cause.", "2026-01-01T00:00:00Z"
)


def kinds(events):
    return [(event.name, event.kind) for event in events]


def test_a_fault_is_raised_once_with_the_words_of_the_device_and_stays_until_acknowledged():
    watch = Alarms(Config())
    assert watch.sample(SAMPLE, 0.0) == []
    bad = replace(SAMPLE, fault="OVERPRESSURE")
    events = watch.sample(bad, 1.0, "The pressure rose.")
    assert kinds(events) == [("fault OVERPRESSURE", "raised")] and events[0].text == "The pressure rose."
    assert watch.sample(bad, 2.0) == []
    assert kinds(watch.sample(SAMPLE, 3.0)) == [("fault OVERPRESSURE", "cleared")]
    assert [each["active"] for each in watch.listed()] == [False]
    assert watch.acknowledge() == ["fault OVERPRESSURE"] and watch.listed() == []


def test_an_acknowledged_alarm_that_goes_on_is_quiet_and_goes_by_itself():
    watch = Alarms(Config())
    bad = replace(SAMPLE, fault="DISAGREEMENT")
    watch.sample(bad, 0.0)
    watch.acknowledge("fault DISAGREEMENT")
    assert watch.sample(bad, 1.0) == [] and watch.listed()[0]["acknowledged"]
    watch.sample(SAMPLE, 2.0)
    assert watch.listed() == []


def test_limits_have_hysteresis_and_a_time():
    limit = Limit(name="low", field="pressure_pa", below=4.9e6, hysteresis=5e4, for_s=10)
    watch = Alarms(Config(limit=[limit]))
    low = replace(SAMPLE, pressure_pa=4_899_999)
    assert watch.sample(low, 0.0) == [] == watch.sample(low, 9.9)
    assert kinds(watch.sample(low, 10.0)) == [("low", "raised")]
    assert watch.sample(replace(SAMPLE, pressure_pa=4_949_999), 11.0) == [], "within the hysteresis"
    assert kinds(watch.sample(replace(SAMPLE, pressure_pa=4_950_001), 12.0)) == [("low", "cleared")]
    # The time counts anew.
    assert watch.sample(low, 13.0) == [] and watch.sample(SAMPLE, 20.0) == []
    assert watch.sample(low, 24.0) == [] and kinds(watch.sample(low, 34.0)) == [("low", "raised")]


def test_an_invalid_reading_is_beyond_no_limit():
    watch = Alarms(Config(limit=[Limit(name="hot", field="wall_k", above=330)]))
    assert watch.sample(replace(SAMPLE, wall_k=float("nan")), 0.0) == []
    assert kinds(watch.sample(replace(SAMPLE, wall_k=331.0), 1.0)) == [("hot", "raised")]


def test_silence_is_an_alarm_and_a_sample_ends_it():
    watch = Alarms(Config(no_sample_s=30))
    assert watch.tick(100.0) == [], "it counts from the first look on"
    assert watch.tick(129.9) == []
    events = watch.tick(130.0)
    assert kinds(events) == [("no sample", "raised")] and "30 s" in events[0].text
    assert watch.tick(500.0) == []
    assert kinds(watch.sample(SAMPLE, 501.0)) == [("no sample", "cleared")]
    assert watch.tick(530.9) == []


def test_warnings_are_alarms_unless_ignored():
    supply_low, overdue = 1, 1 << 16
    watch = Alarms(Config(ignore_warnings=["PROOF_OVERDUE"]))
    events = watch.sample(replace(SAMPLE, warnings=supply_low | overdue), 0.0)
    assert kinds(events) == [("warning SUPPLY_LOW", "raised")]


@pytest.mark.parametrize("bit", range(len(WARNINGS)))
def test_each_warning_is_its_own_alarm(bit):
    name, text = WARNINGS[bit]
    (event,) = Alarms(Config()).sample(replace(SAMPLE, warnings=1 << bit), 0.0)
    assert (event.name, event.kind, event.text) == (f"warning {name}", "raised", text)


def test_the_warnings_are_those_of_the_firmware():
    from ipch.sim.rigs import load_firmware

    names = [row[1] for row in load_firmware()["regulator.faults"].WARNINGS]
    assert [name for name, _ in WARNINGS] == list(names)
    for _, text in WARNINGS:
        what, _, todo = text.rstrip(".").partition(";")
        assert what and todo.count(".") == 1, text


def test_alarms_outlive_the_program_and_are_acknowledged_by_another(tmp_path):
    state = tmp_path / "new" / "folder" / "alarms.json"
    one = Alarms(Config(), state)
    one.sample(replace(SAMPLE, fault="DISAGREEMENT"), 0.0)
    other = Alarms(Config(), state)
    assert other.listed()[0]["name"] == "fault DISAGREEMENT"
    other.acknowledge()
    assert one.listed()[0]["acknowledged"]
    state.write_text("{")
    with pytest.raises(FileError, match="damaged"):
        Alarms(Config(), state)


def test_a_webhook_gets_the_event_as_json():
    got = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            assert self.headers["Content-Type"] == "application/json"
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(500 if self.path == "/broken" else 204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        address = f"http://127.0.0.1:{server.server_port}"
        assert deliver(Config(webhook=address), EVENT) == []
        assert got[0]["name"] == EVENT.name and got[0]["text"] == EVENT.text
        assert "500" in deliver(Config(webhook=f"{address}/broken"), EVENT)[0]
    finally:
        server.shutdown()
        server.server_close()
    assert "webhook" in deliver(Config(webhook=address), EVENT)[0]


def test_an_e_mail_arrives():
    got = []

    class Handler:
        async def handle_DATA(self, server, session, envelope):  # noqa: N802 - the name is aiosmtpd's
            got.append(envelope)
            return "250 OK"

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(Handler(), hostname="127.0.0.1", port=port)
    server.start()
    try:
        mail = Email(host="127.0.0.1", port=port, sender="rig@lab.test", to=["a@lab.test", "b@lab.test"])
        assert deliver(Config(email=mail), EVENT) == []
    finally:
        server.stop()
    assert got[0].rcpt_tos == ["a@lab.test", "b@lab.test"]
    sent = message_from_bytes(got[0].content)
    assert (sent["From"], sent["To"]) == ("rig@lab.test", "a@lab.test, b@lab.test")
    assert sent["Subject"].startswith(f"ipch: {EVENT.name} raised")
    assert EVENT.text in got[0].content.decode() and b"fault OVERPRESSURE raised" in got[0].content
    assert "email" in deliver(Config(email=mail), EVENT)[0]


def test_a_command_gets_the_event_and_its_failure_is_told(tmp_path):
    place = tmp_path / "out"
    program = f"import os, sys; open({str(place)!r}, 'w').write(os.environ['IPCH_ALARM'] + sys.stdin.read())"
    assert deliver(Config(command=[sys.executable, "-c", program]), EVENT) == []
    text = place.read_text()
    assert EVENT.text in text and json.loads(text[text.index("{") :])["kind"] == "raised"
    assert "command" in deliver(Config(command=[sys.executable, "-c", "raise SystemExit(3)"]), EVENT)[0]
    assert "command" in deliver(Config(command=["/no/such/program"]), EVENT)[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[limit]]\nname='x'\nfield='presure_pa'\nabove=1", "limit.0"),
        ("[[limit]]\nname='x'\nfield='pressure_pa'", "above or below"),
        ("webhook='ftp://x'", "http"),
        ("ignore_warnings=['X']", "X"),
        ("no_sample_s=0", "no_sample_s"),
        ("nonsense=1", "nonsense"),
        ("=", "Invalid"),
    ],
)
def test_a_wrong_file_is_told_by_its_place(tmp_path, text, said):
    path = tmp_path / "alarms.toml"
    path.write_text(text)
    with pytest.raises(FileError, match=said):
        load(path)


def test_the_commands(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert run(["alarm", "list"]) == 0
    assert capsys.readouterr().out == "no alarms\n"
    assert run(["alarm", "test"]) == 8, "there is no file"
    (tmp_path / "ipch").mkdir(exist_ok=True)
    (tmp_path / "ipch" / "alarms.toml").write_text(f"command = [{sys.executable!r}, '-c', 'pass']")
    # By the name that `log` and `run` take it by.
    assert run(["alarm", "test", "--alarms", str(tmp_path / "ipch" / "alarms.toml")]) == 0
    assert run(["alarm", "test"]) == 0
    assert "delivered by command" in capsys.readouterr().out
    Alarms(Config(), tmp_path / "ipch" / "alarms.json").sample(replace(SAMPLE, fault="DISAGREEMENT"), 0.0)
    assert run(["alarm", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["name"] == "fault DISAGREEMENT"
    assert run(["alarm", "ack", "nonsense"]) == 2
    assert run(["alarm", "ack"]) == 0
    capsys.readouterr()
    run(["alarm", "list"])
    assert "acknowledged" in capsys.readouterr().out


def test_a_log_raises_alarms(tmp_path, capsys, monkeypatch):
    from ipch.sim.server import simulate

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    path = tmp_path / "alarms.toml"
    path.write_text("[[limit]]\nname = 'filled'\nfield = 'pressure_pa'\nabove = 500000\nhysteresis = 10000")
    with simulate(
        ["--ideal", "--rig", "core", "--speed", "max", "--ahead", "10s", "--set", "initial_mpa=1"]
    ) as simulator:
        words = ["log", str(tmp_path / "log.csv"), "--for", "5s", "--alarms", str(path)]
        assert run([*words, "--port", simulator.port]) == 0
    assert "alarm raised: filled: The pressure is above 0.5 MPa" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("lines", "value", "text"),
    [
        ('field = "pressure_pa"\nabove = "5.2MPa"', 5_200_000, "The pressure is above 5.2 MPa"),
        ('field = "supply_pa"\nbelow = 5.5e6', 5_500_000, "The supply pressure is below 5.5 MPa"),
        ('field = "gas_k"\nabove = "60degC"', 333.15, "The gas temperature is above 60.00 degC"),
        (
            'field = "wall_k"\nbelow = "290 K"\nhysteresis = "2K"',
            290,
            "The wall temperature is below 16.85 degC",
        ),
        ('field = "fills"\nabove = 100', 100, "fills is above 100"),
    ],
)
def test_a_limit_has_units_and_says_them(tmp_path: Path, lines: str, value: float, text: str) -> None:
    file = tmp_path / "alarms.toml"
    file.write_text(f'[[limit]]\nname = "x"\n{lines}\n')
    (limit,) = load(file).limit
    assert (limit.above or limit.below) == pytest.approx(value)
    assert limit.text().startswith(text)


@pytest.mark.parametrize(
    "lines", ['field = "pressure_pa"\nabove = "5.2 apples"', 'field = "fills"\nabove = "5MPa"']
)
def test_a_limit_in_another_unit_is_refused(tmp_path: Path, lines: str) -> None:
    file = tmp_path / "alarms.toml"
    file.write_text(f'[[limit]]\nname = "x"\n{lines}\n')
    with pytest.raises(FileError, match=r"not a pressure|give a number"):
        load(file)
