"""Drivers written for a PACE5000 work with this device.

The messages are those of drivers in laboratories: a Python driver of a synchrotron (BLISS, ESRF: CR at the end, suffix
1 at the root, header and value split at the blank), a StreamDevice protocol of EPICS (the header in front of the
format), and LabVIEW's VISA Write and VISA Read (bytes as they are, until LF).
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
import pyvisa
from pyvisa.resources import MessageBasedResource

from ipch.sim.server import RunningServer, simulate

LIMIT_S = 30


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    arguments = ["--speed", "max", "--tcp", "0", "--set", "volume_l=0.1", "--set", "initial_mpa=0.3"]
    with simulate(["--ideal", *arguments, "--seed", "1"]) as running:
        yield running


@pytest.fixture(params=["ASRL", "TCPIP"])
def line(request: pytest.FixtureRequest, server: RunningServer) -> Iterator[MessageBasedResource]:
    """The port with headers on, as on a PACE."""
    if request.param == "ASRL":
        name = f"ASRL{server.port}::INSTR"
    else:
        name = f"TCPIP::127.0.0.1::{server.first_line['tcp']}::SOCKET"
    opened = pyvisa.ResourceManager("@py").open_resource(name, read_termination="\r", write_termination="\r")
    assert isinstance(opened, MessageBasedResource)
    with opened:
        opened.write("*RST;*CLS;:SOUR:PRES:SLEW DEF;SLEW:MODE LIN;:SYST:COMM:HEAD ON")
        yield opened


def value_of(line: MessageBasedResource, query: str) -> str:
    """Value of a reply of header, blank and value; a LF left over from the previous reply counts as a blank."""
    _, value = line.query(query).split()
    return value


def command(line: MessageBasedResource, text: str) -> None:
    """Send a command and check for an error, as the driver does after each one."""
    line.write(text)
    reply = line.query("SYST:ERR?")
    assert "No error" in reply, (text, reply)


def wait_for(line: MessageBasedResource, query: str, value: str) -> None:
    limit = time.monotonic() + LIMIT_S
    while value_of(line, query) != value:
        assert time.monotonic() < limit, f"{query} never answered {value}"


def test_a_driver_that_ends_lines_with_cr_and_splits_header_and_value(line):
    assert line.query("*IDN?").startswith("*IDN ipch,IPCH-1,")
    command(line, ":UNIT1:PRES BAR")
    assert value_of(line, ":UNIT1:PRES?") == "BAR"
    start = float(value_of(line, ":SENS1:PRES?"))
    command(line, "SOUR1:PRES:SLEW 0.500000")
    command(line, "SOUR1:SLEW:MODE LIN")
    command(line, f":SOUR1:PRES {start + 2:f}")
    assert float(value_of(line, "SOUR1:PRES:SLEW?")) == 0.5
    assert value_of(line, "SOUR1:SLEW:MODE?") == "LIN"
    assert float(value_of(line, ":SOUR1:PRES?")) == pytest.approx(start + 2, abs=1e-5)
    command(line, ":OUTP:STAT 1")
    assert value_of(line, ":OUTP:STAT?") == "1"
    limit = time.monotonic() + LIMIT_S
    while not line.query(":SENS1:PRES:INL?").strip().endswith(",1"):
        assert time.monotonic() < limit
    assert float(value_of(line, ":SENS1:PRES?")) == pytest.approx(start + 2, abs=0.11)
    assert float(value_of(line, ":SOUR:PRES:COMP1?")) > start + 2
    assert -100 <= float(value_of(line, ":SOUR:PRES:EFF?")) <= 100
    command(line, ":OUTP:STAT 0")
    assert value_of(line, ":OUTP:STAT?") == "0"


def test_a_vent_is_started_seen_to_its_end_and_put_back(line):
    vent = ":SOUR:PRES:LEV:IMM:AMPL:VENT"
    command(line, f"{vent} 1")
    wait_for(line, f"{vent}?", "2")
    command(line, f"{vent} 0")
    assert value_of(line, f"{vent}?") == "0", "the end of the vent has been seen"
    assert value_of(line, ":OUTP:STAT?") == "0"


# A StreamDevice protocol: output, and input with its format as a pattern (%f a number, %d an integer, %s a word).
PROTOCOL = (
    (":SENS:PRES?", r":SENS:PRES [-+.\d]+"),
    (":SOUR:PRES:COMP?", r":SOUR:PRES:COMP [-+.\d]+"),
    (":SOUR:PRES:LEV:IMM:AMPL?", r":SOUR:PRES:LEV:IMM:AMPL [-+.\d]+"),
    (":SOUR:PRES:SLEW?", r":SOUR:PRES:SLEW [-+.\d]+"),
    (":SOUR:PRES:LEV:IMM:AMPL:VENT?", r":SOUR:PRES:LEV:IMM:AMPL:VENT [012]"),
    (":SOUR:PRES:SLEW:MODE?", r":SOUR:PRES:SLEW:MODE (MAX|LIN)"),
    (":UNIT:PRES?", r":UNIT:PRES [A-Z]+"),
    (":OUTP:STAT?", r":OUTP:STAT [01]"),
    (":SOUR:PRES:EFF?", r":SOUR:PRES:EFF [-+.\d]+"),
    (":SENS:PRES:INL?", r":SENS:PRES:INL [-+.\d]+,[01]"),
    (":SYST:ERR?", r':SYST:ERR -?\d+,"[^"]*"'),
)


def test_a_protocol_that_expects_header_and_format(line):
    line.read_termination = "\r\n"
    for query, expected in PROTOCOL:
        assert re.fullmatch(expected, line.query(query)), query


def test_bytes_as_labview_writes_and_reads_them(line):
    line.read_termination = "\n"
    line.write_raw(b":SYST:COMM:HEAD OFF\n*IDN?\n")
    assert line.read_raw().endswith(b"\r\n")
    line.write_raw(b":UNIT:PRES MPA;:SENS:PRES?;:SOUR:PRES:RAMP?\r\n")
    pressure, ramp = line.read_raw().split(b";")
    assert float(pressure) > 0.05 and float(ramp) >= 0
