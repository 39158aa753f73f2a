"""Pressure standards on real lines: instrument emulators that are not ours, each line end, a pseudo-terminal."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
import serial

from ipch.calibration import Asked, StandardPort, Typed
from ipch.calibration.fitting import students_t95
from ipch.errors import DeviceLostError, NoDeviceError, PortBusyError, ProtocolError, UsageError


def free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def lewis(package: str, device: str, protocol: str) -> Iterator[int]:
    """An instrument of the emulator Lewis on a socket, until the end of the block."""
    port = free_port()
    options = f"{protocol}: {{bind_address: 127.0.0.1, port: {port}}}"
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "lewis",
        "-o",
        "none",
        "-k",
        package,
        "-p",
        options,
        device,
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 30
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    assert process.poll() is None and time.monotonic() < deadline, "lewis does not start"
                    threading.Event().wait(0.05)
            yield port
        finally:
            process.kill()


# A thermostat and a motor; what they read stands for a pressure. Query end, reply end.
INSTRUMENTS = {
    "CR, CR LF": ("lewis.devices", "julabo", "julabo-version-1", "cr", "IN_PV_00", 24.0),
    "CR, LF": ("lewis.devices", "julabo", "julabo-version-2", "cr", "IN_PV_00", 24.0),
    "CR LF, CR LF": ("lewis.examples", "example_motor", "stream", "crlf", "P?", 0.0),
}


@pytest.mark.parametrize("ends", INSTRUMENTS)
def test_an_emulated_instrument_is_read_over_a_socket_and_over_visa(ends: str) -> None:
    package, device, protocol, end, query, value = INSTRUMENTS[ends]
    with lewis(package, device, protocol) as port:
        for name in (f"socket://127.0.0.1:{port}", f"TCPIP0::127.0.0.1::{port}::SOCKET"):
            with closing(Asked(StandardPort(name, end=end), query, "bar")) as standard:
                assert [standard.read_pa("") for _ in range(3)] == [value * 1e5] * 3, name


def test_another_line_end_is_proposed_to_a_silent_instrument(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ipch.calibration.standard_port._TIMEOUT_S", 0.5)
    with lewis("lewis.devices", "julabo", "julabo-version-1") as port:
        standard = Asked(StandardPort(f"socket://127.0.0.1:{port}"), "IN_PV_00", "bar")
        with (
            closing(standard),
            pytest.raises(DeviceLostError, match=r"no reply\); try --standard-end cr or crlf"),
        ):
            standard.read_pa("")


@pytest.mark.parametrize(
    ("resource", "end"),
    [
        ("ASRL1::INSTR", "crlf"),
        ("GPIB0::8::INSTR", "lf"),
        ("USB0::0x1111::0x2222::0x1234::0::INSTR", "lf"),
        ("TCPIP0::localhost::10001::SOCKET", "lf"),
    ],
)
def test_the_instruments_of_pyvisa_sim_are_read(
    resource: str, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYVISA_LIBRARY", "@sim")
    place = StandardPort(resource, "9600-8E2", end)
    with closing(Asked(place, "?FREQ", "kPa")) as standard:
        assert [standard.read_pa("") for _ in range(2)] == [100_000.0] * 2


def test_a_visa_name_in_the_wrong_case_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYVISA_LIBRARY", "@sim")
    with pytest.raises(NoDeviceError, match="asrl1::instr is not a message-based VISA instrument"):
        Asked(StandardPort("asrl1::instr"), "?FREQ", "kPa")


@contextmanager
def terminal() -> Iterator[tuple[int, str]]:
    master, slave = os.openpty()
    try:
        # As a serial line: no echo, no translation of line ends.
        mode = termios.tcgetattr(slave)
        mode[0] = mode[1] = mode[3] = 0
        termios.tcsetattr(slave, termios.TCSANOW, mode)
        yield master, os.ttyname(slave)
    finally:
        # The test may have closed the other end.
        with suppress(OSError):
            os.close(master)
        os.close(slave)


@pytest.mark.parametrize("end", ["cr", "lf", "crlf"])
@pytest.mark.parametrize("ends", [b"\r", b"\n", b"\r\n"])
def test_each_line_end_on_a_serial_line(end: str, ends: bytes) -> None:
    with (
        terminal() as (master, name),
        closing(Asked(StandardPort(name, "2400-8N1", end), "PA?", "hPa")) as standard,
    ):
        assert termios.tcgetattr(master)[4] == termios.B2400
        asked = b"PA?" + {"cr": b"\r", "lf": b"\n", "crlf": b"\r\n"}[end]

        def answer() -> None:
            for reading in (b"1013.25", b"50012.5"):
                got = b""
                while got != asked:
                    got += os.read(master, 1)
                os.write(master, reading + ends)

        helper = threading.Thread(target=answer)
        helper.start()
        assert [standard.read_pa(""), standard.read_pa("")] == [101_325.0, 5_001_250.0]
        helper.join()


@pytest.mark.parametrize("visa", [False, True])
def test_the_serial_format_reaches_the_line(visa: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYVISA_LIBRARY", "@py")
    for text, speed, stop in (("2400-8N2", termios.B2400, termios.CSTOPB), ("19200", termios.B19200, 0)):
        with terminal() as (master, name):
            place = StandardPort(f"ASRL{name}::INSTR" if visa else name, text, "cr")
            with closing(Asked(place, "PA?", "kPa")) as standard:
                mode = termios.tcgetattr(master)
                assert (mode[4], mode[2] & termios.CSTOPB) == (speed, stop)
                os.write(master, b"0.1\r")
                helper = threading.Thread(target=lambda: (os.read(master, 4), os.write(master, b"101.325\r")))
                helper.start()
                assert standard.read_pa("") == 101_325.0
                helper.join()


def test_a_standard_that_is_unplugged() -> None:
    with terminal() as (master, name), closing(Asked(StandardPort(name), "PA?", "Pa")) as standard:
        helper = threading.Thread(target=lambda: (os.read(master, 4), os.close(master)))
        helper.start()
        with pytest.raises(DeviceLostError, match=rf"^the standard at {name} was disconnected: "):
            standard.read_pa("")
        helper.join()


def test_a_serial_port_is_opened_once() -> None:
    with terminal() as (_, name), closing(serial.Serial(name, exclusive=True)), pytest.raises(PortBusyError):
        Asked(StandardPort(name), "PA?", "Pa")


@pytest.mark.parametrize(
    ("reply", "unit", "pressure_pa"),
    [
        ("5.0012", "MPa", 5_001_200),
        ("+5.00120E+06", "Pa", 5_001_200),
        (":SENS:PRES 50.012", "bar", 5_001_200),
        ("P1=50.012 bar", "bar", 5_001_200),
        ("P = 725.36 psia", "psi", 5_001_181),
        ("50012.0,mbar", "hPa", 5_001_200),
        ("  .5 MPA  ", "mpa", 500_000),
    ],
)
def test_replies_as_instruments_write_them(reply: str, unit: str, pressure_pa: int) -> None:
    assert _asked(reply, unit) == pressure_pa


@pytest.mark.parametrize(
    ("reply", "unit", "told"),
    [
        ("----", "Pa", "expected a pressure as a number"),
        ("OVER", "Pa", "expected a pressure as a number"),
        ("50.012 bar", "MPa", "in bar and not in MPa: say --standard-unit bar"),
        ("50.012 barg", "bar", "gauge pressure"),
        ("9.91E+37", "Pa", "out of range"),
        ("-0.5", "MPa", "negative pressure"),
        ("20.5 degC", "Pa", "not a pressure"),
        ("1.2.3", "Pa", "expected a pressure as a number"),
    ],
)
def test_replies_that_are_no_reading(
    reply: str, unit: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ProtocolError) as refused:
        _asked(reply, unit)
    assert told in str(refused.value) and repr(reply) in str(refused.value)


def _asked(reply: str, unit: str) -> float | None:
    with terminal() as (master, name), closing(Asked(StandardPort(name), "PA?", unit)) as standard:

        def answer() -> None:
            assert os.read(master, 4) == b"PA?\n"
            os.write(master, reply.encode() + b"\r\n")

        helper = threading.Thread(target=answer)
        helper.start()
        try:
            return standard.read_pa("")
        finally:
            helper.join()


class Terminal(io.StringIO):
    """Lines that a person types at a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_person_types_what_the_standard_reads(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("five\n 50.012 bar \nSkip\n"))
    standard = Typed()
    assert standard.read_pa("point 1, 5 MPa") == 5_001_200.0 and standard.read_pa("point 2") is None
    asked = capsys.readouterr().err.splitlines()
    assert asked[0].startswith("ipch: point 1, 5 MPa: what does the standard read? (such as 5.0012MPa; skip")
    assert asked[1].startswith("ipch: not a pressure: 'five'") and asked[2] == asked[0]
    with pytest.raises(
        UsageError, match=r"^no reading of the standard was entered; use --standard PORT to query it$"
    ):
        standard.read_pa("point 3")
    # Without a person a mistake is an error: the next line answers another question.
    monkeypatch.setattr("sys.stdin", io.StringIO("five\n5MPa\n"))
    with pytest.raises(UsageError, match="not a pressure"):
        standard.read_pa("point 1")


@pytest.mark.parametrize(
    ("serial_format", "read"),
    [
        ("9600", (9600, 8, "N", 1)),
        ("2400-7E1", (2400, 7, "E", 1)),
        ("19200 8o2", (19200, 8, "O", 2)),
        ("4800,7,E,2 ", (4800, 7, "E", 2)),
    ],
)
def test_serial_formats(serial_format: str, read: tuple[int, int, str, int]) -> None:
    assert StandardPort("x", serial_format).format() == read


@pytest.mark.parametrize("wrong", ["", "fast", "9600-9N1", "96008N1", "9600-8X1", "9600-8N3", "9"])
def test_serial_formats_that_are_refused(wrong: str) -> None:
    with pytest.raises(UsageError, match="such as 9600-8N1 or 2400-7E1"):
        StandardPort("x", wrong)


def test_a_line_end_that_is_none_and_a_port_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="allowed: cr, lf, crlf"):
        StandardPort("x", end="nl")
    assert StandardPort("x", end=" CRLF").end == "crlf"
    with pytest.raises(UsageError, match=r"^not a query: "):
        Asked(StandardPort("x"), "p\u00e4?", "Pa")
    with pytest.raises(NoDeviceError, match="unknown port"):
        Asked(StandardPort(str(tmp_path / "none")), "PA?", "Pa")
    with pytest.raises(NoDeviceError, match=r"^cannot open the standard socket://127"):
        Asked(StandardPort(f"socket://127.0.0.1:{free_port()}"), "PA?", "Pa")


def test_students_t_is_exact() -> None:
    import scipy.stats

    assert round(students_t95(16), 2) == 2.12
    for freedom in (*range(1, 60), 100, 1000):
        assert students_t95(freedom) == pytest.approx(float(scipy.stats.t.ppf(0.975, freedom)), abs=1e-6)
