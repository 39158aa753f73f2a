"""Pressure standards for a calibration: read by a person, or queried."""

import re
import sys
from typing import Protocol

from ipch.base.units import parse_pressure
from ipch.calibration.standard_port import StandardPort, open_port
from ipch.errors import ProtocolError, UsageError

# A number that is not part of a word: the 1 in `P1=5.0012` is none. Then perhaps a unit.
_READING = re.compile(
    r"(?<![\w.+-])([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?![\d.])[\s,;]*([A-Za-z]+(?:\(\w\))?)?"
)


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
                raise UsageError("no reading of the standard was entered; use --standard PORT to query it")
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

    def __init__(self, place: StandardPort, query: str, unit: str) -> None:
        """The standard answers `query` with a number in `unit`. Raises UsageError, NoDeviceError or PortBusyError."""
        parse_pressure(f"1{unit}")
        if not query.strip() or not query.isascii() or not query.isprintable():
            raise UsageError(f"not a query: {query!r}; expected a line of ASCII text, such as :SENS:PRES?")
        self._unit = unit
        self._query = query
        self._port = open_port(place)

    def read_pa(self, told: str) -> float | None:
        """Raises DeviceLostError without a reply, ProtocolError if the reply is no pressure in the unit."""
        return _pressure_pa(self._port.ask(self._query), self._unit)

    def close(self) -> None:
        self._port.close()


def _pressure_pa(reply: str, unit: str) -> float:
    """The first number of a reply; some instruments send a header or a unit with it."""
    found = _READING.search(reply)
    if found is None:
        raise ProtocolError(f"the standard answered {reply!r}; expected a pressure as a number")
    number, own = found.groups()
    try:
        pressure_pa = parse_pressure(f"{number}{unit}")
        per_unit = (parse_pressure(f"1e6{unit}"), parse_pressure(f"1e6{own}") if own else None)
    except UsageError as error:
        raise ProtocolError(f"the standard answered {reply!r}: {error}") from error
    if own and per_unit[0] != per_unit[1]:
        raise ProtocolError(
            f"the standard answered {reply!r}, in {own} and not in {unit}: say --standard-unit {own}"
        )
    return float(pressure_pa)
