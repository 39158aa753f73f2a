"""Pressure standards for a calibration: read by a person, or queried by SCPI."""

import sys
from typing import Any, Protocol

from ipch.base.units import parse_pressure
from ipch.device import Transport, scpi
from ipch.errors import DeviceLostError, NoDeviceError, ProtocolError, UsageError

_TIMEOUT_S = 5.0


class Standard(Protocol):
    """Any source of the true pressure."""

    live: bool
    """Whether it can be read any number of times."""

    def read_pa(self, told: str) -> float | None:
        """The pressure now in Pa absolute, or None to skip this point; `told` names the point."""

    def close(self) -> None: ...


class Typed:
    """A person reads the standard and types its value."""

    live = False

    def read_pa(self, told: str) -> float | None:
        while True:
            print(
                f"ipch: {told}: what does the standard read? (such as 5.0012MPa; skip leaves the point out)",
                file=sys.stderr,
            )
            line = sys.stdin.readline()
            if not line:
                raise UsageError("no reading of the standard was typed; use --standard PORT to query it")
            if line.strip().lower() == "skip":
                return None
            try:
                return float(parse_pressure(line.strip()))
            except UsageError as error:
                if not sys.stdin.isatty():
                    raise
                print(f"ipch: {error}", file=sys.stderr)

    def close(self) -> None: ...


class Asked:
    """A second instrument on a serial port, a socket, or (with pyvisa) a VISA resource such as GPIB0::5::INSTR."""

    live = True

    def __init__(self, port: str, query: str, unit: str) -> None:
        """The standard answers `query` with a number in `unit`. Raises UsageError, NoDeviceError or PortBusyError."""
        parse_pressure(f"1{unit}")
        self._unit = unit
        self._query = query
        self._visa: Any = None
        self._line: Transport | None = None
        if "::" in port:
            self._visa = _open_visa(port)
        else:
            self._line = Transport(port)

    def read_pa(self, told: str) -> float | None:
        return float(parse_pressure(f"{_number(self._ask())}{self._unit}"))

    def close(self) -> None:
        if self._line is not None:
            self._line.close()
        if self._visa is not None:
            self._visa.close()

    def _ask(self) -> str:
        if self._line is not None:
            self._line.write_line(self._query)
            line = self._line.read_line(_TIMEOUT_S)
            if line is None:
                raise DeviceLostError(f"the standard did not answer {self._query!r} within {_TIMEOUT_S:g} s")
            return line
        try:
            return str(self._visa.query(self._query))
        except Exception as error:
            raise DeviceLostError(f"the standard did not answer {self._query!r}: {error}") from error


def _number(reply: str) -> str:
    """The first number of a reply; some instruments send a header or a unit with it."""
    for word in scpi.fields(scpi.replies(reply)[0])[0].split():
        try:
            float(word)
        except ValueError:
            continue
        return word
    raise ProtocolError(f"the standard answered {reply!r}; expected a pressure as a number")


def _open_visa(resource: str) -> Any:
    try:
        import pyvisa
    except ImportError:
        raise UsageError("VISA resources need pyvisa; pip install 'ipch[visa]'") from None
    try:
        device = pyvisa.ResourceManager().open_resource(resource)
    except Exception as error:
        raise NoDeviceError(f"cannot open the standard {resource}: {error}") from error
    device.timeout = _TIMEOUT_S * 1000
    return device
