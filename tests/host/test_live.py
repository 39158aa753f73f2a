"""The live page's server and history, without a browser."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from ipch.device.instrument import Instrument
from ipch.errors import UsageError
from ipch.live import Feed, Server
from ipch.live.history import FIELDS, History, row_of
from ipch.sim.server import RunningServer
from ipch.workflows import log

from .live_feeds import after, feed

TOKEN = "a-token-of-sixteen-or-more"


def ask(server: Server, path: str, method: str = "GET", **headers: str) -> http.client.HTTPResponse:
    host, port = server.url.split("/")[2].rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    connection.request(method, path, headers=headers)
    return connection.getresponse()


def first_event(answer: http.client.HTTPResponse) -> tuple[str, Any]:
    assert answer.readline() == b"retry: 1000\n"
    answer.readline()
    kind, data = answer.readline(), answer.readline()
    return kind.decode().split(": ", 1)[1].strip(), json.loads(data.decode().split(": ", 1)[1])


@pytest.mark.parametrize(
    "path", ["/", "/devices", "/live.css", "/live.js", "/device.js", "/devices.js", "/plotly.js"]
)
def test_every_part_is_served_by_itself_and_read_only(server: Server, path: str) -> None:
    answer = ask(server, path)
    assert answer.status == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "form-action 'none'" in policy and "http" not in policy
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
        assert ask(server, path, method).status == 501


@pytest.mark.parametrize(
    "path",
    ["/../feed.py", "/feed.py", "/etc/passwd", "/device/..", "/history?span=week", "/events?serial=X"],
)
def test_nothing_else_is_served(server: Server, path: str) -> None:
    assert ask(server, path).status == 404


def test_the_state_comes_at_once_and_after_each_sample(server: Server, fed: Feed) -> None:
    kind, state = first_event(ask(server, "/events"))
    assert kind == "state"
    assert state["sample"]["pressure_pa"] == 1_000_000 and state["age_s"] < 5
    fed.sample(after(1, fault="CONTROL_OPEN", state="SEALED", warnings=1 << 14, gas_k=float("nan")))
    _, state = first_event(ask(server, "/events?serial=PAGE1"))
    assert state["sentence"].startswith("The control transducer's loop is open")
    assert [name for name, _ in state["warnings"]] == ["LEAK"]
    assert state["sample"]["gas_k"] is None


def test_a_lost_device_is_told_and_leaves_a_hole(server: Server, fed: Feed) -> None:
    for _ in range(3):
        fed.lost("device lost: unplugged")
    assert fed.gaps == 1
    _, state = first_event(ask(server, "/events"))
    assert state["away"] == "device lost: unplugged"
    fed.sample(after(5))
    columns = json.loads(ask(server, "/history?span=all").read())
    assert columns["low_pa"] == [1_000_000, None, 1_000_000]


def test_other_names_for_this_computer_are_refused(server: Server) -> None:
    for name in ("evil.example:8765", "", "127.0.0.1.evil.example"):
        assert ask(server, "/events", Host=name).status == 403
    for name in ("localhost:1", "127.0.0.1", "[::1]:8765"):
        assert ask(server, "/", Host=name).status == 200


@pytest.mark.parametrize(
    ("address", "token", "said"),
    [
        ("0.0.0.0:0", None, "can be reached from other computers"),
        ("[::]:0", None, "can be reached"),
        ("0.0.0.0:0", "short", "at least 16"),
        ("127.0.0.1", None, "not an address"),
        ("127.0.0.1:99999", None, "not an address"),
        ("127.0.0.1:http", None, "not an address"),
        (":8765", None, "not an address"),
        ("256.1.1.1:80", None, "can be reached"),
    ],
)
def test_an_address_that_is_not_allowed(fed: Feed, address: str, token: str | None, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Server(address, {"PAGE1": fed}, token)


def test_a_taken_address_is_told(server: Server, fed: Feed) -> None:
    with pytest.raises(UsageError, match="cannot serve on"):
        Server(server.url.split("/")[2], {"PAGE1": fed})


def test_with_a_token_nothing_is_read_without_it(fed: Feed) -> None:
    with Server("0.0.0.0:0", {"PAGE1": fed}, TOKEN, alone=True) as server:
        for path in ("/", "/events", "/history", "/plotly.js", "/nothing", "/?token=wrong", "/?token=%ff"):
            assert ask(server, path).status == 401
        answer = ask(server, f"/?token={TOKEN}")
        cookie = answer.headers["Set-Cookie"]
        assert (answer.status, answer.headers["Location"]) == (303, "/")
        assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
        assert ask(server, "/", Cookie=cookie.split(";")[0]).status == 200
        assert ask(server, "/events", Authorization=f"Bearer {TOKEN}").status == 200


def test_many_streams_and_silent_clients_leave_the_server_alive(server: Server) -> None:
    host, port = server.url.split("/")[2].rsplit(":", 1)
    sockets = [socket.create_connection((host, int(port))) for _ in range(120)]
    try:
        for each in sockets[:110]:
            each.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert ask(server, "/").status == 200
    finally:
        for each in sockets:
            each.close()


def test_the_history_of_months_stays_small() -> None:
    history = History()
    end_s = 30 * 86_400
    rows = [row_of(0, after(0, pressure_pa=pa)) for pa in (1_000_000, 1_000_058)]
    for number, time_s in enumerate(range(0, end_s, 60)):
        history.add([time_s, *rows[number % 2][1:]])
    for span in ("hour", "day", "all"):
        columns = history.columns(span)
        assert set(columns) == {*FIELDS, "width_s"}
        assert 600 <= len(columns["time_s"]) <= 1201
    # The extremes of each bin are kept, and the whole time is covered.
    whole = history.columns("all")
    assert whole["low_pa"][5] == 1_000_000 and whole["high_pa"][5] == 1_000_058
    assert whole["time_s"][0] < 7200 and whole["time_s"][-1] == end_s - 60


def test_a_simulation_that_outruns_the_clock_is_drawn_in_device_time() -> None:
    found = feed()
    for second in range(0, 1000, 10):
        found.sample(after(second))
    time_s = found.history.columns("hour")["time_s"]
    assert 950 < time_s[-1] - time_s[0] < 1000


def test_the_history_begins_with_the_record(
    sim: RunningServer, regulator: Instrument, tmp_path: Path
) -> None:
    path = tmp_path / "log.db"
    regulator.slew_pa_s = 100_000
    regulator.target_pa = 500_000
    regulator.on()
    log(regulator, path, 1.0, 100.0, lambda sample: None)
    found = feed()
    found.sample(after(0))
    before = found.history.columns("hour")
    thread = threading.Thread(
        target=found.history.seed, args=(path, found.history.columns("hour")["time_s"][0])
    )
    thread.start()
    thread.join(30)
    columns = found.history.columns("hour")
    assert len(columns["time_s"]) > 10 and columns["time_s"] == sorted(columns["time_s"])
    assert columns["time_s"][-1] == before["time_s"][-1]
    assert max(high for high in columns["high_pa"][:-1] if high) > 400_000
    found.history.seed(tmp_path / "no record.db", 0.0)
    assert found.history.columns("hour") == columns
