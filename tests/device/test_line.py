"""The serial line of the whole device: line ends, lines in pieces, too long, or faster than they are read."""

from __future__ import annotations

import pytest

MESSAGE = b":SOUR:PRES 1.5;:SOUR:PRES?;SLEW?;:UNIT:PRES?\r\n"
REPLY = b"1.5000000;0.0200000;MPA\r\n"
OVERRUN = b'-363,"Input buffer overrun"\r\n'
CLEAN = b'0,"No error"\r\n'


def exchange(rig, *chunks: bytes, gap: int = 3, ticks: int = 80) -> bytes:
    """Send chunks `gap` ticks apart; return all replies."""
    world = rig.world
    world.received.clear()
    for index, chunk in enumerate(chunks):
        world.script[world.ticks + 1 + index * gap] = chunk
    rig.device.run(len(chunks) * gap + ticks)
    return bytes(world.received)


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"], ids=["LF", "CR", "CRLF"])
def test_each_end_of_a_line(bench, end):
    assert exchange(bench(), b"*OPC?" + end, b":UNIT:PRES?" + end) == b"1\r\nMPA\r\n"


def test_mixed_ends_and_empty_lines(bench):
    data = b"\r\n*OPC?\n*OPC?\r*OPC?\r\n\r*OPC?\n\r\n\n\r*OPC?\r\r\n:SYST:ERR?\n"
    assert exchange(bench(), data) == b"1\r\n" * 5 + CLEAN


def test_a_line_cut_at_every_byte(bench):
    rig = bench()
    for cut in range(1, len(MESSAGE)):
        assert exchange(rig, MESSAGE[:cut], MESSAGE[cut:], ticks=20) == REPLY, cut
    assert exchange(rig, b":SYST:ERR?\n") == CLEAN


def test_a_line_byte_by_byte(bench):
    rig = bench()
    assert exchange(rig, *[bytes([byte]) for byte in MESSAGE], gap=1) == REPLY
    assert exchange(rig, b":SYST:ERR?\n") == CLEAN


def test_two_messages_in_one_write(bench):
    rig = bench()
    assert exchange(rig, MESSAGE + b"*OPC?;:UNIT:PRES?\n") == REPLY + b"1;MPA\r\n"
    assert exchange(rig, MESSAGE * 3) == REPLY * 3


def test_a_message_that_arrives_while_another_is_executed(bench):
    rig = bench()
    for gap in range(1, 12):
        assert exchange(rig, b"*OPC?;" * 9 + b"*OPC?\n", MESSAGE, gap=gap) == b"1;" * 9 + b"1\r\n" + REPLY, (
            gap
        )


@pytest.mark.parametrize("length", [1, 63, 64, 65, 255, 256])
def test_a_line_of_up_to_256_bytes_is_executed(bench, length):
    for line in (b"*OPC?".ljust(length), b"*OPC?".rjust(length), b";" * (length - 5) + b"*OPC?"):
        if length > 5:
            assert len(line) == length
            assert exchange(bench(), line + b"\r\n:SYST:ERR?\n", ticks=400) == b"1\r\n" + CLEAN


@pytest.mark.parametrize("length", [257, 258, 320, 1000, 5000])
def test_a_longer_line_is_dropped_whole(bench, length):
    rig = bench()
    line = (b":OUTP ON;*OPC?;" * length)[:length]
    sent = line + b"\r\n" + b":SYST:ERR?\n" * 2 + b":OUTP?\n"
    assert exchange(rig, sent, ticks=400) == OVERRUN + CLEAN + b"0\r\n"


def test_0x03_and_noise_do_nothing(bench):
    rig = bench()
    for cut in range(len(MESSAGE) + 1):
        assert exchange(rig, MESSAGE[:cut] + b"\x03" + MESSAGE[cut:], ticks=20) == REPLY, cut
    assert exchange(rig, b"\x00\xff\x80\n\x1b[A\x03\x04\r\n*OPC?\n") == b"1\r\n"


def test_a_flood_loses_nothing_and_the_device_runs_on(bench):
    rig = bench("initial_mpa=1")
    start = rig.plant.time_ms
    count = 300
    data = b"".join(b":SOUR:PRES 1.%03d;:SOUR:PRES?\n" % (100 + index) for index in range(count))
    replies = exchange(rig, data, ticks=count * 3).split()
    assert replies == [b"1.%03d0000" % (100 + index) for index in range(count)]
    assert rig.plant.time_ms - start == (count * 3 + 3) * rig.world.tick_ms
    assert exchange(rig, b":SYST:ERR?\n") == CLEAN


def test_a_host_that_does_not_read_stalls_nothing(bench):
    rig = bench("initial_mpa=1")
    hearing = rig.world.room
    rig.world.room = lambda: 0
    assert exchange(rig, b"*CLS\n" + b":FETC?\n" * 60, ticks=400) == b""
    assert exchange(rig, b":SOUR:PRES 1.25\n:OUTP ON\n", ticks=100) == b""
    rig.run_until(lambda: rig.plant.pressure_pa > 1.24e6, 60)
    rig.world.room = hearing
    lines = exchange(rig, ticks=20).split(b"\r\n")
    assert lines.pop() == b""
    numbers = [int(line.split(b",")[0]) for line in lines]
    assert all(line.count(b",") == 20 for line in lines)
    # Lines that fit into the queue are complete and in order; others are missing as a whole, and the loss is reported.
    assert numbers == list(range(1, len(numbers) + 1)) and 10 < len(numbers) < 40
    assert exchange(rig, b":SYST:ERR?\n:SOUR:PRES?\n") == b'-430,"Query DEADLOCKED"\r\n1.2500000\r\n'
    assert exchange(rig, b":FETC?\n").startswith(b"61,"), "a gap in the numbers shows the loss"
