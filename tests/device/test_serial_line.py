"""The simulator's line keeps real time whatever a host sends, and serves one host after another."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator

import pytest

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
            for _ in range(10):
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
