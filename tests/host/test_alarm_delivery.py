"""Alarms arrive although a server is down for a while, slow or refuses; they are repeated; silence is noticed."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from pytest_mock import MockerFixture

from ipch.alarms import Alarms, Config, Delivery, Event, Outbox, deliver, load, watching
from ipch.alarms.config import Email, Heartbeat
from ipch.alarms.delivery import SEND_TIMEOUT_S, _again_s, ping
from ipch.alarms.watch import Watch
from ipch.errors import FileError
from tests.host.test_alarms import EVENT, SAMPLE

QUICK = {"retry_s": 0.02, "retry_longest_s": 0.05}


class Server:
    """A web server that answers as told, and notes what arrived."""

    def __init__(self, port: int = 0) -> None:
        self.got: list[Any] = []
        self.news = threading.Semaphore(0)
        self.status = 204
        self.refused = ""
        self.hold = threading.Event()
        self.hold.set()
        told = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                told.hold.wait(30)
                found = json.loads(body)
                status = 400 if found["name"] == told.refused else told.status
                if status < 300:
                    told.got.append(found)
                self.send_response(status)
                self.end_headers()
                told.news.release()

            def do_GET(self) -> None:
                told.got.append(self.path)
                self.send_response(200)
                self.end_headers()
                told.news.release()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def wait(self, count: int = 1) -> None:
        for _ in range(count):
            assert self.news.acquire(timeout=30)

    def close(self) -> None:
        self.hold.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


def events(count: int) -> list[Event]:
    return [replace(EVENT, name=f"event {number}") for number in range(count)]


def test_a_server_that_is_down_for_a_while_gets_everything_in_order(tmp_path: Path, server: Server) -> None:
    said: list[str] = []
    server.status = 503
    config = Config(webhook=server.address, **QUICK)
    with Delivery(config, Outbox(tmp_path / "queue.db"), said.append) as delivery:
        for event in events(5):
            delivery.put(event)
        server.wait(3)
        server.status = 204
        while len(server.got) < 5:
            server.wait()
    assert [each["name"] for each in server.got] == [event.name for event in events(5)]
    assert len(said) == 2 and "503" in said[0] and "kept and tried again" in said[0] and "again" in said[1]


def test_an_event_that_a_server_does_not_take_holds_no_other_back(tmp_path: Path, server: Server) -> None:
    server.refused = "event 1"
    config = Config(webhook=server.address, **QUICK)
    with Delivery(config, Outbox(tmp_path / "queue.db"), [].append) as delivery:
        for event in events(4):
            delivery.put(event)
        while len(server.got) < 3:
            server.wait()
        assert [each["name"] for each in server.got] == ["event 0", "event 2", "event 3"]
        # It is kept, and comes once it is taken.
        server.refused = ""
        while len(server.got) < 4:
            server.wait()
    assert server.got[-1]["name"] == "event 1"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"220 mail.example ESMTP\r\n", "not an HTTP response"),
        (b"", "closed connection|reset"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", ""),
        (b"HTTP/1.1 302 Found\r\nLocation: file:///x\r\n\r\n", "302"),
        (b"HTTP/1.1 200 OK\r\n" + b"x" * 70_000 + b": 1\r\n\r\n", "not an HTTP response"),
    ],
)
def test_what_answers_otherwise_is_told_and_asked_again(tmp_path: Path, answer: bytes, said: str) -> None:
    told: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for reply in (answer, answer, b"HTTP/1.1 204 Nothing\r\n\r\n"):
                connection, _ = listening.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(reply)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        if said:
            with pytest.raises(OSError, match=said):
                ping(address)
        else:
            ping(address)
        outbox = Outbox(tmp_path / "queue.db")
        with Delivery(Config(webhook=address, **QUICK), outbox, told.append) as delivery:
            delivery.put(EVENT)
            while outbox.count():
                threading.Event().wait(0.01)
    assert len(told) == (2 if said else 0)
    assert not said or ("kept and tried again" in told[0] and "delivered by webhook again" in told[1])


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1/a b", "http://127.0.0.1:99999/", "http://[::1/", "http://x:y/"]
)
def test_an_address_that_is_none_is_told(address: str) -> None:
    assert "alarm not delivered by webhook: " in deliver(Config(webhook=address), EVENT)[0]


def test_what_was_not_delivered_outlives_the_program(tmp_path: Path, server: Server) -> None:
    said: list[str] = []
    config = Config(webhook=server.address, **QUICK)
    server.status = 500
    with Delivery(config, Outbox(tmp_path / "queue.db", "a"), said.append) as delivery:
        delivery.put(EVENT)
        server.wait()
    assert "1 alarms wait" in said[-1]
    server.status = 204
    # Another alarm file has its own queue.
    with Delivery(config, Outbox(tmp_path / "queue.db", "b"), said.append):
        pass
    assert not server.got
    with Delivery(config, Outbox(tmp_path / "queue.db", "a"), said.append):
        while not server.got:
            server.wait()
    assert Outbox(tmp_path / "queue.db", "a").count() == 0


def test_a_slow_server_does_not_delay_the_others(tmp_path: Path, server: Server) -> None:
    place = tmp_path / "out"
    config = Config(webhook=server.address, command=["touch", str(place)], **QUICK)
    server.hold.clear()
    with Delivery(config, Outbox(tmp_path / "queue.db"), lambda line: None) as delivery:
        delivery.put(EVENT)
        while not place.exists():
            threading.Event().wait(0.01)
        assert not server.got
        server.hold.set()
        server.wait()
    assert [each["name"] for each in server.got] == [EVENT.name]


def test_the_interval_between_attempts_grows_to_a_limit_and_ends_after_a_week(tmp_path: Path) -> None:
    now_s = 1e9
    outbox = Outbox(tmp_path / "queue.db", now=lambda: now_s)
    outbox.put(EVENT, ["webhook"])
    intervals = []
    for _ in range(8):
        waiting = outbox.take("webhook")
        assert waiting is not None and outbox.take("webhook") is None, "one program at a time"
        intervals.append(_again_s(Config(retry_s=10, retry_longest_s=600), waiting.tries))
        outbox.failed(waiting, intervals[-1])
        now_s += intervals[-1] - 0.1
        assert outbox.take("webhook") is None
        now_s += 0.2
    assert intervals == [10, 20, 40, 80, 160, 320, 600, 600]
    # A week of attempts a minute apart.
    assert _again_s(Config(retry_s=10, retry_longest_s=60), 10_080) == 60
    # A program that died while it delivered keeps nobody else from it.
    assert outbox.take("webhook") is not None and outbox.take("webhook") is None
    now_s += 121
    assert outbox.take("webhook") is not None
    now_s += 8 * 86400
    assert outbox.take("webhook") is None and outbox.count() == 0


def test_an_alarm_is_repeated_until_it_is_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1e9]
    monkeypatch.setattr("ipch.alarms.rules.time.time", lambda: clock[0])
    alarms = Alarms(Config(repeat_s=600), tmp_path / "alarms.json", "A")
    alarms.sample(replace(SAMPLE, fault="DISAGREEMENT"), 0.0, "The transducers disagree.")
    assert alarms.reminders() == []
    clock[0] += 600
    (reminder,) = alarms.reminders()
    assert (reminder.name, reminder.kind, reminder.device) == ("fault DISAGREEMENT", "repeated", "A")
    assert "disagree" in reminder.text and alarms.reminders() == []
    # Another program continues where this one ended; another device's alarms are not its own.
    clock[0] += 600
    assert Alarms(Config(repeat_s=600), tmp_path / "alarms.json", "B").reminders() == []
    assert len(Alarms(Config(repeat_s=600), tmp_path / "alarms.json", "A").reminders()) == 1
    clock[0] += 600
    Alarms(Config(), tmp_path / "alarms.json").acknowledge()
    assert alarms.reminders() == []
    assert Alarms(Config(), tmp_path / "alarms.json", "A").reminders() == []


def test_two_devices_do_not_clear_each_others_alarms(tmp_path: Path) -> None:
    left, right = (Alarms(Config(), tmp_path / "alarms.json", name) for name in ("LEFT", "RIGHT"))
    assert len(left.sample(replace(SAMPLE, fault="DISAGREEMENT"), 0.0)) == 1
    for second in range(1, 4):
        assert right.sample(SAMPLE, float(second)) == []
        assert left.sample(replace(SAMPLE, fault="DISAGREEMENT"), float(second)) == []
    (listed,) = right.listed()
    assert listed["device"] == "LEFT" and listed["active"]


def test_all_is_well_once_a_day_and_a_ping_while_samples_arrive(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    path = tmp_path / "alarms.toml"
    path.write_text(
        f"webhook = '{server.address}/hook'\nretry_s = 0.02\n"
        f"[heartbeat]\ndaily = '00:00'\nping = '{server.address}/ping'\nping_every_s = 3600\n"
    )
    for _ in range(2):
        with watching(path, lambda line: None, lambda: "", "SIM1") as watch:
            for _ in range(5):
                watch(SAMPLE)
        server.wait(1)
    server.wait(1)
    names = [each if isinstance(each, str) else each["name"] for each in server.got]
    assert sorted(names) == ["/ping", "/ping", "heartbeat"]
    (told,) = [each for each in server.got if isinstance(each, dict)]
    assert told["kind"] == "well" and told["text"].startswith(
        "All is well. REGULATE, 5.0000 MPa, target 5 MPa."
    )


def test_the_daily_message_comes_once_a_day_from_its_hour_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Config(heartbeat=Heartbeat(daily="07:30"))
    outbox = Outbox(tmp_path / "queue.db")
    alarms = Alarms(config)
    with Delivery(config, outbox, print) as delivery:
        watch = Watch(alarms, config, delivery, outbox, print)

        def at(utc: str) -> list[str]:
            monkeypatch.setattr("ipch.alarms.watch.time.gmtime", lambda: time.strptime(utc, "%Y-%m-%d %H:%M"))
            return [f"{event.utc} {event.text}" for event in watch._daily()]

        assert at("2026-03-01 08:00") == [], "nothing is known before the first sample"
        watch._last = (SAMPLE, 0.0)
        assert at("2026-03-01 07:29") == []
        assert at("2026-03-01 07:30") == [
            "2026-03-01T07:30:00Z All is well. REGULATE, 5.0000 MPa, target 5 MPa."
        ]
        assert at("2026-03-01 23:59") == at("2026-03-02 00:10") == []
        alarms.sample(replace(SAMPLE, fault="DISAGREEMENT"), 0.0)
        (told,) = at("2026-03-02 09:00")
        assert "Z 1 alarms: fault DISAGREEMENT. REGULATE" in told


def test_a_fault_is_told_in_the_words_of_the_device_which_is_asked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    path = tmp_path / "alarms.toml"
    path.write_text("")
    said: list[str] = []
    asked: list[int] = []

    def words() -> str:
        asked.append(1)
        return f"Reason {len(asked)}."

    with watching(path, said.append, words) as watch:
        for fault in ("NONE", "OVERPRESSURE", "OVERPRESSURE", "NONE", "OVERPRESSURE"):
            watch(replace(SAMPLE, fault=fault))
    assert said == [
        "alarm raised: fault OVERPRESSURE: Reason 1.",
        "alarm cleared: fault OVERPRESSURE: Cleared: Reason 1.",
        "alarm raised: fault OVERPRESSURE: Reason 2.",
    ]


def test_a_dead_man_service_that_cannot_be_reached_is_told_once(tmp_path: Path, server: Server) -> None:
    said: list[str] = []
    config = Config(heartbeat=Heartbeat(ping=f"{server.address}/ping", ping_every_s=1e-9))
    outbox = Outbox(tmp_path / "queue.db")
    with Delivery(config, outbox, said.append) as delivery:
        watch = Watch(Alarms(config), config, delivery, outbox, said.append)
        watch._ping()
        assert not server.got, "no sample has arrived"
        watch._last = (SAMPLE, time.monotonic())
        watch._ping()
        assert server.got == ["/ping"] and not said
        server.close()
        watch._ping()
        watch._ping()
        assert len(said) == 1 and said[0].startswith(
            f"the dead-man service at {server.address}/ping cannot be"
        )
        server.__init__(server.port)  # type: ignore[misc]
        watch._ping()
        assert server.got == ["/ping"] and len(said) == 1
        server.close()
        watch._ping()
        assert len(said) == 2
        watch._last = (SAMPLE, time.monotonic() - config.no_sample_s)
        server.__init__(server.port)  # type: ignore[misc]
        watch._ping()
        assert not server.got, "a device that has fallen silent must not pass for a healthy one"


def test_a_damaged_state_is_told_and_the_watch_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "alarms.json"
    said: list[str] = []
    outbox = Outbox(tmp_path / "queue.db")
    alarms = Alarms(Config(), state)
    state.write_text("{")
    with Delivery(Config(), outbox, said.append) as delivery:
        with Watch(alarms, Config(), delivery, outbox, said.append) as watch:
            watch.sample(replace(SAMPLE, fault="DISAGREEMENT"))
        assert len(said) == 1 and said[0].startswith(f"{state} is damaged")
        state.unlink()
        with Watch(alarms, Config(), delivery, outbox, said.append) as watch:
            watch.sample(replace(SAMPLE, fault="DISAGREEMENT"), "Words.")
        assert said[1:] == ["alarm raised: fault DISAGREEMENT: Words."]


def test_no_server_is_waited_for_without_end(mocker: MockerFixture) -> None:
    web = mocker.patch("urllib.request.urlopen", autospec=True)
    plain = mocker.patch("smtplib.SMTP", autospec=True)
    over_tls = mocker.patch("smtplib.SMTP_SSL", autospec=True)
    for made in (plain, over_tls):
        made.return_value.send_message.return_value = {}
    program = mocker.patch("subprocess.run", autospec=True)
    mail = Email(host="mail.test", port=25, sender="a@b.test", to=["c@d.test"])
    for each in (mail, mail.model_copy(update={"tls": True})):
        config = Config(webhook="http://hook.test", command=["call"], email=each)
        assert deliver(config, EVENT) == []
    for called in (web, plain, over_tls, program):
        assert called.call_args.kwargs["timeout"] == SEND_TIMEOUT_S
    (message,) = plain.return_value.send_message.call_args.args
    assert message["To"] == "c@d.test" and message["Subject"] == "ipch: fault OVERPRESSURE raised"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    words = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    subprocess.run([*words.split(), "-keyout", key, "-out", cert], check=True, capture_output=True)
    return key, cert


class Mailbox:
    def __init__(self) -> None:
        self.got: list[Any] = []
        self.logins: list[tuple[bool, bytes]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.got.append(envelope)
        return "250 OK"

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        self.logins.append((session.ssl is not None, data.password))
        return AuthResult(success=data.password == b"secret", handled=False)


class ImplicitTls(Controller):
    def _create_server(self) -> Any:
        return self.loop.create_server(
            self._factory_invoker, host=self.hostname, port=self.port, ssl=self.ssl_context
        )


@contextmanager
def mail_server(
    certificate: tuple[Path, Path], implicit: bool, **options: Any
) -> Iterator[tuple[Mailbox, int]]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate[1], certificate[0])
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options |= {"authenticator": box.authenticate, "auth_require_tls": not implicit}
    if implicit:
        made: Controller = ImplicitTls(box, hostname="localhost", port=port, ssl_context=context, **options)
    else:
        made = Controller(box, hostname="localhost", port=port, tls_context=context, **options)
    made.start()
    try:
        yield box, port
    finally:
        made.stop()


@pytest.mark.parametrize("how", ["tls", "starttls"])
def test_mail_over_tls_with_a_login(
    how: str, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPCH_SMTP_PASSWORD", "secret")
    with mail_server(certificate, how == "tls") as (box, port):
        mail = {
            "host": "localhost",
            "port": port,
            "sender": "rig@lab.test",
            "to": ["me@lab.test"],
            "user": "rig",
        }
        config = Config(email=Email(**mail, **{how: True}, ca_file=str(certificate[1])))
        assert deliver(config, EVENT) == []
        assert len(box.got) == 1 and box.logins[-1][1] == b"secret"
        # A certificate that nobody vouches for is refused, and nobody gets the password.
        box.logins.clear()
        assert "certificate" in deliver(Config(email=Email(**mail, **{how: True})), EVENT)[0].lower()
        assert not box.logins
        monkeypatch.delenv("IPCH_SMTP_PASSWORD")
        assert "IPCH_SMTP_PASSWORD" in deliver(config, EVENT)[0]


def test_a_server_that_refuses_the_login_or_offers_no_tls_is_told(
    certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPCH_SMTP_PASSWORD", "wrong")
    with mail_server(certificate, False) as (_, port):
        mail = Email(
            host="localhost", port=port, sender="a@b.test", to=["c@d.test"], user="rig", starttls=True,
            ca_file=str(certificate[1]),
        )  # fmt: skip
        assert "535" in deliver(Config(email=mail), EVENT)[0]
    plain = Mailbox()
    server = Controller(plain, hostname="127.0.0.1", port=port)
    server.start()
    try:
        refused = deliver(Config(email=mail.model_copy(update={"host": "127.0.0.1"})), EVENT)[0]
        assert "STARTTLS" in refused and not plain.got and not plain.logins
    finally:
        server.stop()


class OneKnown(Mailbox):
    """A server that knows one of its recipients."""

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address != "known@lab.test":
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"


def test_a_recipient_that_is_refused_beside_others_is_told(tmp_path: Path) -> None:
    box = OneKnown()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    try:
        to = ["known@lab.test", "typo@lab.test"]
        config = Config(email=Email(host="127.0.0.1", port=port, sender="a@b.test", to=to, starttls=False))
        (failure,) = deliver(config, EVENT)
        assert "typo@lab.test" in failure and "550 no such user" in failure and "known@" not in failure
        said: list[str] = []
        with Delivery(config, Outbox(tmp_path / "queue.db"), said.append) as delivery:
            delivery.put(EVENT)
        # Delivered to the other, once.
        assert said == [failure] and len(box.got) == 2
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[email]\nhost='x'\nsender='a'\nto=['b']\nuser='me'", "a login needs TLS"),
        ("[heartbeat]\ndaily='7:30'", "07:30"),
        ("[heartbeat]\nping='ftp://x'", "http"),
        ("repeat_s=0", "repeat_s"),
        ("retry_s=-1", "retry_s"),
    ],
)
def test_a_wrong_file(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "alarms.toml"
    path.write_text(text)
    with pytest.raises(FileError, match=said):
        load(path)
    path.write_text("[email]\nhost='x'\nsender='a'\nto=['b']\nuser='me'\nport=465")
    assert load(path).email is not None


def test_a_damaged_queue_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "queue.db").write_text("no database, and long enough to be looked at" * 100)
    with pytest.raises(FileError, match="cannot be queued"):
        Outbox(tmp_path / "queue.db")
