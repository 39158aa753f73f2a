"""Ports of pressure standards: serial lines and sockets with any line end, VISA resources."""

import contextlib
import re
import time
from dataclasses import dataclass
from typing import Any, Protocol

from ipch.base.extras import how_to_install
from ipch.device import resolve_port
from ipch.errors import DeviceLostError, NoDeviceError, PortBusyError, UsageError

ENDS = {"cr": b"\r", "lf": b"\n", "crlf": b"\r\n"}
_TIMEOUT_S = 5.0
_LATE_MS = 20
_MOST_LATE = 4096
_SERIAL = re.compile(r"(\d{2,7})(?:[-,/ ]+([78])[-,/ ]*([NEO])[-,/ ]*([12]))?", re.IGNORECASE)


@dataclass(frozen=True)
class StandardPort:
    """Where the standard is: a port, URL or VISA name; `serial` as 9600-8N1; `end` of a query: cr, lf or crlf."""

    name: str
    serial: str = "9600-8N1"
    end: str = "lf"

    def __post_init__(self) -> None:
        """Raises UsageError with the allowed values."""
        object.__setattr__(self, "end", self.end.strip().lower())
        object.__setattr__(self, "serial", self.serial.strip())
        if self.end not in ENDS:
            raise UsageError(f"not a line end: {self.end!r}; allowed: {', '.join(ENDS)}")
        if _SERIAL.fullmatch(self.serial) is None:
            raise UsageError(
                f"not a serial format: {self.serial!r}; expected a baud rate, data bits, parity and stop bits,"
                " such as 9600-8N1 or 2400-7E1"
            )

    def format(self) -> tuple[int, int, str, int]:
        """Baud rate, data bits, parity (N, E or O) and stop bits."""
        found = _SERIAL.fullmatch(self.serial)
        assert found is not None
        baud, bits, parity, stop = found.groups()
        return int(baud), int(bits or 8), (parity or "N").upper(), int(stop or 1)


class AskedPort(Protocol):
    """An open port of a standard."""

    def ask(self, query: str) -> str:
        """Send a query; return the reply without its end. Raises DeviceLostError."""
        ...

    def close(self) -> None: ...


def open_port(place: StandardPort) -> AskedPort:
    """Raises UsageError, NoDeviceError or PortBusyError."""
    return _Visa(place) if "::" in place.name else _Line(place)


class _Line:
    """A serial line or a socket. A reply ends with CR, LF or both."""

    def __init__(self, place: StandardPort) -> None:
        import serial

        self._end = place.end
        baud, bits, parity, stop = place.format()
        port = resolve_port(place.name)
        try:
            self._serial = serial.serial_for_url(
                port, baud, bits, parity, stop, timeout=0.1, write_timeout=_TIMEOUT_S, do_not_open=True
            )
            if "://" not in port:
                self._serial.exclusive = True
            self._serial.open()
        except ValueError as error:
            raise UsageError(f"cannot open the standard {port}: {error}") from error
        except OSError as error:
            if "lock" in str(error) or "denied" in str(error).lower():
                raise PortBusyError(
                    f"the standard's port {port} is busy, or you may not open it: {error}"
                ) from error
            raise NoDeviceError(f"cannot open the standard {port}: {error}") from error

    def ask(self, query: str) -> str:
        try:
            # The end of the last reply, or a reply that came late.
            self._serial.reset_input_buffer()
            self._serial.write(query.encode("ascii") + ENDS[self._end])
            return _line(lambda: bytes(self._serial.read(1)), query, self._end)
        except OSError as error:
            raise DeviceLostError(f"the standard at {self._serial.port} was disconnected: {error}") from error

    def close(self) -> None:
        self._serial.close()


class _Visa:
    """A VISA resource. On lines and sockets a reply ends with CR, LF or both; elsewhere the bus marks its end."""

    def __init__(self, place: StandardPort) -> None:
        try:
            import pyvisa
        except ImportError:
            raise UsageError(f"VISA resources need pyvisa; {how_to_install('visa')}") from None
        self._end = place.end
        self._errors = (pyvisa.Error, OSError, ValueError)
        try:
            self._manager = pyvisa.ResourceManager()
            self._device: Any = self._manager.open_resource(place.name)
        except Exception as error:
            # Each backend raises its own.
            raise NoDeviceError(f"cannot open the standard {place.name}: {error}") from error
        if not isinstance(self._device, pyvisa.resources.MessageBasedResource):
            self.close()
            raise NoDeviceError(
                f"{place.name} is not a message-based VISA instrument; expected a name such as"
                " GPIB0::5::INSTR and TCPIP0::192.168.1.20::5025::SOCKET"
            )
        self._device.timeout = _TIMEOUT_S * 1000
        self._lines = place.name.upper().startswith("ASRL") or place.name.upper().endswith("SOCKET")
        if place.name.upper().startswith("ASRL"):
            self._configure(*place.format())

    def ask(self, query: str) -> str:
        try:
            if self._lines:
                self._discard()
            self._device.write_raw(query.encode("ascii") + ENDS[self._end])
            if self._lines:
                return _line(lambda: bytes(self._device.read_bytes(1)), query, self._end)
            return str(self._device.read_raw().decode("ascii", "replace")).strip()
        except self._errors as error:
            raise _silent(query, self._end, str(error)) from error

    def _discard(self) -> None:
        """The end of the last reply, or a reply that came late. Not every backend can flush."""
        self._device.timeout = _LATE_MS
        with contextlib.suppress(*self._errors):
            for _ in range(_MOST_LATE):
                self._device.read_bytes(1)
        self._device.timeout = _TIMEOUT_S * 1000

    def _configure(self, baud: int, bits: int, parity: str, stop: int) -> None:
        from pyvisa.constants import Parity, StopBits

        self._device.baud_rate, self._device.data_bits = baud, bits
        self._device.parity = {"N": Parity.none, "E": Parity.even, "O": Parity.odd}[parity]
        self._device.stop_bits = {1: StopBits.one, 2: StopBits.two}[stop]

    def close(self) -> None:
        self._device.close()
        self._manager.close()


def _line(read: Any, query: str, end: str) -> str:
    """The next line that is not empty, byte by byte. Raises DeviceLostError after `_TIMEOUT_S`."""
    line = bytearray()
    deadline = time.monotonic() + _TIMEOUT_S
    while time.monotonic() < deadline:
        byte = read()
        if byte not in (b"\r", b"\n"):
            line += byte
        elif line.strip():
            return line.decode("ascii", "replace").strip()
    raise _silent(query, end, f"only {bytes(line)!r} came" if line else "no reply")


def _silent(query: str, end: str, got: str) -> DeviceLostError:
    others = " or ".join(name for name in ENDS if name != end)
    return DeviceLostError(
        f"the standard did not answer {query!r} within {_TIMEOUT_S:g} s ({got}); try --standard-end {others},"
        " or another --standard-serial"
    )
