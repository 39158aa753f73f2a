"""The simulator's line keeps real time whatever a host sends, and serves one host after another."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Iterator

import pytest
from pytest_mock import MockerFixture

from ipch.sim.line import FIFO_BYTES, SerialLine


@pytest.fixture
def line() -> Iterator[SerialLine]:
    made = SerialLine(0)
    yield made
    made.close()


@pytest.mark.parametrize("sent", [b"", b"*OPC?\n", b"*OPC?\n" * 200], ids=["nothing", "a query", "a flood"])
def test_a_tick_is_not_cut_short_by_what_a_host_sends(line: SerialLine, sent: bytes) -> None:
    descriptor = os.open(line.port, os.O_RDWR | os.O_NOCTTY)
    os.write(descriptor, sent)
    begin = time.monotonic()
    line.pump(0.05)
    assert time.monotonic() - begin >= 0.05
    assert line.to_device == sent[:FIFO_BYTES]
    os.close(descriptor)


def test_a_client_that_comes_back_at_once_is_served(line: SerialLine) -> None:
    assert line.tcp_port is not None
    for number in range(20):
        with socket.create_connection(("127.0.0.1", line.tcp_port), timeout=5) as client:
            client.sendall(b"%d\n" % number)
            for _ in range(30):
                line.pump(0.001)
            assert line.take(FIFO_BYTES) == b"%d\n" % number


def test_a_second_client_is_refused_while_the_first_one_is_there(line: SerialLine) -> None:
    assert line.tcp_port is not None
    with (
        socket.create_connection(("127.0.0.1", line.tcp_port), timeout=5) as first,
        socket.create_connection(("127.0.0.1", line.tcp_port), timeout=5) as second,
    ):
        for _ in range(10):
            line.pump(0.001)
        assert second.recv(1) == b""
        first.sendall(b"still here\n")
        for _ in range(10):
            line.pump(0.001)
        assert line.take(FIFO_BYTES) == b"still here\n"


def pump(line: SerialLine, ticks: int = 30) -> None:
    for _ in range(ticks):
        line.pump(0.001)


@pytest.mark.parametrize(
    "sent", [b"POST /x HTTP/1.1\r\n\r\n:OUTP ON\r\n", b"GET ", b"OPTIONS * HTTP/1.1\r\n"]
)
def test_a_web_page_is_not_heard(line: SerialLine, sent: bytes) -> None:
    assert line.tcp_port is not None
    for pieces in ([sent], [sent[at : at + 1] for at in range(len(sent))]):
        with socket.create_connection(("127.0.0.1", line.tcp_port), timeout=5) as client:
            for piece in pieces:
                with contextlib.suppress(ConnectionError):
                    client.sendall(piece)
                pump(line, 2)
            pump(line)
            assert line.take(FIFO_BYTES) == b""
            with contextlib.suppress(ConnectionResetError):
                assert client.recv(1) == b""


def test_a_reply_does_not_go_to_the_next_client(line: SerialLine) -> None:
    assert line.tcp_port is not None
    with socket.create_connection(("127.0.0.1", line.tcp_port), timeout=5) as first:
        first.sendall(b"*IDN?\n")
        pump(line)
        assert line.take(FIFO_BYTES) == b"*IDN?\n"
    with socket.create_connection(("127.0.0.1", line.tcp_port), timeout=5) as second:
        second.sendall(b"*OPC?\n")
        pump(line, 5)
        line.to_host += b"ipch,late\r\n"
        pump(line)
        assert line.take(FIFO_BYTES) == b"*OPC?\n"
        line.to_host += b"1\r\n"
        pump(line)
        assert second.recv(100) == b"1\r\n"


def test_a_reply_on_its_way_does_not_go_to_the_other_end(line: SerialLine) -> None:
    assert line.tcp_port is not None
    terminal = os.open(line.port, os.O_RDWR | os.O_NOCTTY)
    with socket.create_connection(("127.0.0.1", line.tcp_port), timeout=5) as client:
        pump(line, 2)
        os.write(terminal, b"*IDN?\n")
        pump(line, 2)
        assert line.take(FIFO_BYTES) == b"*IDN?\n"
        client.sendall(b"*OPC?\n")
        pump(line, 3)
        line.to_host += b"ipch\r\n"
        pump(line)
        assert os.read(terminal, 100) == b"ipch\r\n"
        assert line.take(FIFO_BYTES) == b"*OPC?\n"
    os.close(terminal)


def test_without_pseudo_terminals_the_line_is_on_tcp_alone(mocker: MockerFixture) -> None:
    mocker.patch("ipch.sim.line._HAS_TERMINALS", False)
    line = SerialLine()
    assert line.port == f"socket://127.0.0.1:{line.tcp_port}" and line.plugged
    with socket.create_connection(("127.0.0.1", line.tcp_port or 0), timeout=5) as client:
        client.sendall(b"*OPC?\n")
        pump(line)
        assert line.take(FIFO_BYTES) == b"*OPC?\n"
    line.close()
