"""Text lines over a serial port, a pseudo-terminal or a socket; finding the port.

A port is named by its path (`/dev/ttyACM0`, `/dev/pts/7`), a COM name, the board's USB serial number (which
unplugging does not change), or a URL such as `socket://127.0.0.1:5025`.
"""

import contextlib
import errno
import logging
import re
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipch.base.paths import RunningSimulator, running_simulators
from ipch.errors import DeviceLostError, NoDeviceError, PortBusyError, UsageError

# USB vendor ID of Raspberry Pi and product ID of its boards with MicroPython.
_USB_IDS = {(0x2E8A, 0x0005)}
_POLL_S = 0.1
_WRITE_S = 2.0
# The longest line of the device is its output queue; a longer one is from another device.
_LINE_LIMIT = 65536
# Linux keeps the request for exclusive access on a pseudo-terminal until its other end closes.
_EXCLUSIVE, _NOT_EXCLUSIVE = "TIOCEXCL", "TIOCNXCL"
_log = logging.getLogger("ipch.wire")

HOW_TO_SIMULATE = "start a simulated one with `ipch sim`, or name a port with --port"


@dataclass(frozen=True)
class PortInfo:
    """One available port."""

    port: str
    kind: str
    """`board` (a MicroPython board), `simulator`, or `other` (any other serial port)."""
    serial_number: str
    description: str


def list_ports() -> list[PortInfo]:
    """Running simulators, MicroPython boards, and all other serial ports, in this order."""
    found = _others()
    boards = [info for info in found if info.kind == "board"]
    return [
        *map(_describe, running_simulators()),
        *boards,
        *(info for info in found if info.kind != "board"),
    ]


def _others() -> list[PortInfo]:
    """Serial ports of the operating system."""
    from serial.tools.list_ports import comports

    ports = []
    for found in comports():
        is_board = (found.vid, found.pid) in _USB_IDS
        description = found.description if found.description not in (None, "n/a") else ""
        kind = "board" if is_board else "other"
        ports.append(PortInfo(found.device, kind, found.serial_number or "", description))
    return ports


def _describe(simulator: RunningSimulator) -> PortInfo:
    return PortInfo(
        simulator.port,
        "simulator",
        str(simulator.first_line.get("serial", "")),
        f"simulated rig {simulator.rig!r}, process {simulator.pid}",
    )


def regulators(infos: Iterable[PortInfo]) -> list[PortInfo]:
    """Of these, the devices that a command without a port may mean: simulators of a demo count only alone."""
    found = [info for info in infos if info.kind != "other"]
    passing = {each.port for each in running_simulators() if each.first_line.get("end_with")}
    return [info for info in found if info.port not in passing] or found


def find_port() -> str:
    """The port of the only device. Raises NoDeviceError if there is none or more than one."""
    candidates = regulators(list_ports())
    if not candidates:
        raise NoDeviceError(f"no device found; {HOW_TO_SIMULATE}")
    if len(candidates) > 1:
        names = ", ".join(f"{info.port} ({info.serial_number or info.description})" for info in candidates)
        raise NoDeviceError(f"{len(candidates)} devices found: {names}; choose one with --port")
    return candidates[0].port


def resolve_port(name: str) -> str:
    """Path or URL of a named port. Raises NoDeviceError if no port has this name."""
    if "://" in name or Path(name).exists() or re.fullmatch(r"COM\d+", name, re.IGNORECASE):
        return name
    found = [info.port for info in list_ports() if name in (info.port, info.serial_number)]
    if len(found) > 1:
        raise NoDeviceError(f"{len(found)} devices are named {name}: {', '.join(found)}; choose one of these")
    if found:
        return found[0]
    raise NoDeviceError(f"unknown port: {name}; `ipch ports` lists all ports")


class Transport:
    """One open port that carries lines; a second program that opens it gets PortBusyError.

    After a loss, `reopen()` opens the present port of the same board, found by its USB serial number, or of the
    same simulator.
    """

    def __init__(self, port: str, *, opened: bool = True) -> None:
        """With `opened` False the caller opens it with `reopen()`. Raises NoDeviceError or PortBusyError."""
        self._name = port
        self.port = resolve_port(port)
        self._serial_number = next(
            (info.serial_number for info in list_ports() if info.port == self.port), ""
        )
        self._simulator = next((sim.pid for sim in running_simulators() if sim.port == self.port), None)
        self._serial: Any = None
        self._buffer = bytearray()
        if opened:
            self.reopen()

    def names(self) -> set[str]:
        """All names of this port."""
        return {name for name in (self._name, self.port, self._serial_number) if name}

    def lasting_names(self) -> set[str]:
        """Those that stay with the device while it is away: its path may go to another one meanwhile."""
        return {self._serial_number} if self._serial_number else self.names()

    def find_again(self) -> str:
        """Present port of the device. Raises NoDeviceError while it is away."""
        if self._simulator is not None:
            simulators = running_simulators()
            # One that was started again has the same serial number, and its old path may be another one's by now.
            same = (
                [sim for sim in simulators if sim.pid == self._simulator]
                or [sim for sim in simulators if sim.first_line.get("serial") == self._serial_number]
                or [sim for sim in simulators if sim.port == self.port]
            )
            if not same:
                # Another process may own its pseudo-terminal by now.
                raise NoDeviceError(f"the simulator of {self.port} is gone or unplugged")
            self._simulator, self.port = same[0].pid, same[0].port
        elif self._serial_number:
            self.port = resolve_port(self._serial_number)
        else:
            self.port = resolve_port(self._name)
        return self.port

    def reopen(self) -> None:
        """Open or reopen the port."""
        self.close()
        self.find_again()
        self._serial = _open(self.port)
        if self._simulator is None:
            # A simulator keeps its pseudo-terminal open, and with it a request that a killed client left behind.
            _set_exclusive(self._serial, _EXCLUSIVE)
        _log.info("opened %s", self.port)
        self._buffer.clear()

    def close(self) -> None:
        if self._serial is not None:
            _set_exclusive(self._serial, _NOT_EXCLUSIVE)
            # Closing the port of a lost device may fail.
            with contextlib.suppress(OSError):
                socket = getattr(self._serial, "_socket", None)
                self._serial.close()
                if socket is not None:
                    # pyserial does not close it if the other end disconnected first.
                    socket.close()
            self._serial = None

    def write_line(self, text: str) -> None:
        """Send one line. Raises DeviceLostError."""
        from serial import SerialTimeoutException

        for line in text.split("\n"):
            _log.debug("> %s", line)
        try:
            self._port().write(text.encode("ascii", "replace") + b"\n")
        except SerialTimeoutException as error:
            raise DeviceLostError(f"device lost: {self.port} accepts no data") from error
        except OSError as error:
            raise DeviceLostError(f"device lost: {self.port}; is it still plugged in?") from error

    def read_line(self, timeout_s: float) -> str | None:
        """The next line without its end, or None after the timeout. Raises DeviceLostError."""
        deadline = time.monotonic() + timeout_s
        while True:
            end = self._buffer.find(b"\n")
            if end >= 0:
                line = self._buffer[:end].rstrip(b"\r").decode("ascii", "replace")
                del self._buffer[: end + 1]
                _log.debug("< %s", line)
                return line
            if len(self._buffer) > _LINE_LIMIT:
                self._buffer.clear()
            left_s = deadline - time.monotonic()
            if not self._receive(wait_s=min(_POLL_S, max(0.0, left_s))) and left_s <= 0:
                return None
            if left_s < -_POLL_S:
                # Input without a line end keeps arriving.
                return None

    def unfinished(self) -> str:
        """Received text that no line end has completed."""
        return self._buffer.decode("ascii", "replace")

    def drain(self, quiet_s: float, limit_s: float = 1.0) -> None:
        """Discard input until none arrives for `quiet_s`, for at most `limit_s`."""
        limit = time.monotonic() + limit_s
        quiet_at = time.monotonic() + quiet_s
        while time.monotonic() < min(quiet_at, limit):
            if self._receive(wait_s=min(quiet_s, _POLL_S)):
                quiet_at = time.monotonic() + quiet_s
        self._buffer.clear()

    def _port(self) -> Any:
        if self._serial is None:
            raise DeviceLostError(f"device lost: {self.port} is closed")
        return self._serial

    def _receive(self, wait_s: float = _POLL_S) -> bool:
        port = self._port()
        try:
            if port.timeout != wait_s:
                port.timeout = wait_s
            data = port.read(1)
            if data:
                data += port.read(port.in_waiting)
        # pyserial raises TypeError or termios.error if the device file disappears.
        except Exception as error:
            raise DeviceLostError(f"device lost: {self.port}; is it still plugged in?") from error
        self._buffer += data
        return bool(data)


def _set_exclusive(device: Any, request: str) -> None:
    """Ask the system to refuse other programs that open this port, also those that ignore pyserial's lock."""
    # Windows opens ports exclusively anyway.
    if sys.platform != "win32":
        import fcntl
        import termios

        with contextlib.suppress(OSError, AttributeError, TypeError, ValueError):
            # A network port has no file descriptor.
            fcntl.ioctl(device.fd, getattr(termios, request))


def _open(port: str) -> Any:
    import serial

    try:
        device = serial.serial_for_url(
            port, baudrate=115200, timeout=_POLL_S, write_timeout=_WRITE_S, do_not_open=True
        )
        if "://" not in port:
            device.exclusive = True
        device.open()
        return device
    except ValueError as error:
        raise UsageError(f"not a port: {port}; {error}") from error
    except OSError as error:
        raise _explain(port, error) from error


def _explain(port: str, error: OSError) -> Exception:
    text = str(error)
    if error.errno in (errno.EWOULDBLOCK, errno.EBUSY) or "exclusively lock" in text:
        return PortBusyError(f"port busy: {port}; another program has it open: close that program first")
    if error.errno in (errno.EACCES, errno.EPERM) or "Access is denied" in text or "PermissionError" in text:
        if re.fullmatch(r"COM\d+", port, re.IGNORECASE):
            # Windows reports a busy port and a missing permission alike.
            return PortBusyError(f"port busy: {port}; another program has it open: close that program first")
        return NoDeviceError(
            f"no permission to open {port}; add yourself to its group (often dialout), then log in again"
        )
    if error.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO) or "FileNotFoundError" in text:
        return NoDeviceError(f"unknown port: {port}; `ipch ports` lists all ports")
    if "Could not configure port" in text:
        return NoDeviceError(f"not a serial port: {port}; `ipch ports` lists all ports")
    if "://" in port:
        return NoDeviceError(f"cannot connect to {port}; is the simulator or serial server running there?")
    return NoDeviceError(f"cannot open {port}: {text}")
