"""The regulator as a Python object: typed readings in Pa, K and s; every refusal is an exception.

from ipch import Instrument

with Instrument.open() as regulator:
    regulator.target_pa = 5_000_000
    regulator.on()
    print(regulator.fetch().pressure_pa)
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Self

from ipch.base.units import parse_pressure
from ipch.device import scpi
from ipch.device.session import Carrier, Identity, Silence
from ipch.device.sharing import open_session
from ipch.errors import ProtocolError, UsageError

# The device's own limit for a line.
_MESSAGE_LIMIT = 256
# Replies of one message must fit into the device's output queue of 2048 bytes; a setting takes 200 at most.
_SETTINGS_AT_ONCE = 8


@dataclass(frozen=True)
class Sample:
    """One reading of everything: Pa absolute, K (nan while the sensor is invalid), s."""

    sequence: int
    boot: int
    uptime_s: float
    state: str
    fault: str
    in_limits: bool
    pressure_pa: int
    """Filtered control transducer."""
    ramp_pa: int
    """The ramped setpoint now; it moves to `target_pa` at the slew rate."""
    target_pa: int
    control_pa: int
    safety_pa: int
    supply_pa: int
    gas_k: float
    wall_k: float
    slew_pa_s: int
    settled_pa: int
    """Where the pressure is going once gas and wall are equally warm."""
    fills: int
    vents: int
    fill_open_s: float
    vent_open_s: float
    warnings: int
    """Bit mask; `Instrument.warnings` has the names."""

    @property
    def faulty(self) -> bool:
        return self.fault != "NONE"


@dataclass(frozen=True)
class Fault:
    """The latched fault; `name` is NONE without one."""

    name: str
    sentence: str
    value: int
    unit: str
    uptime_s: float

    @property
    def latched(self) -> bool:
        return self.name != "NONE"

    def __str__(self) -> str:
        value = f" {self.value} {self.unit}," if self.unit else ""
        return f"{self.name}: {self.sentence} [{value} at {self.uptime_s:.3f} s of uptime]".replace("[ ", "[")


@dataclass(frozen=True)
class Setting:
    """One row of the device's settings table, with the value in force."""

    name: str
    unit: str
    value: int
    default: int
    minimum: int
    maximum: int
    help: str


@dataclass(frozen=True)
class Valve:
    """What the device knows of one of its pulsed valves."""

    actuations: int
    open_s: float
    gain: int
    """Learned: Pa/s per MPa upstream; 0 before the first pulse."""
    response_pa: int
    """What the last pulse did."""


@dataclass(frozen=True)
class Drift:
    """Change of the amount of gas, as pressure at the temperature at which it began."""

    drift_pa: int
    rate_pa_h: int
    """Mean; 0 for the first two minutes."""
    seconds: int
    """Since the valves were shut."""


def _setting_query(name: str) -> str:
    return f":SYST:SETT? {scpi.quote(name)}"


def _batches(names: list[str]) -> list[list[str]]:
    """Names whose queries go into one message."""
    batches: list[list[str]] = []
    for name in names:
        last = batches[-1] if batches else []
        whole = ";".join(map(_setting_query, [*last, name]))
        if last and len(last) < _SETTINGS_AT_ONCE and len(whole) <= _MESSAGE_LIMIT:
            last.append(name)
        else:
            batches.append([name])
    return batches


def _setting(reply: str) -> Setting:
    answer = scpi.fields(reply)
    if len(answer) != 7:
        raise ProtocolError(f"not a setting: {answer!r}")
    value, default, minimum, maximum = (scpi.integer(text, f"setting {answer[0]}") for text in answer[2:6])
    return Setting(answer[0], answer[1], value, default, minimum, maximum, answer[6])


def _thousandths(text: str) -> float:
    return int(text) / 1000


def _kelvin(text: str) -> float:
    # The device says 0 while a temperature sensor is invalid.
    return int(text) / 1000 or math.nan


_READERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "uptime_ms": ("uptime_s", _thousandths),
    "fill_open_ms": ("fill_open_s", _thousandths),
    "vent_open_ms": ("vent_open_s", _thousandths),
    "gas_mk": ("gas_k", _kelvin),
    "wall_mk": ("wall_k", _kelvin),
    "in_limits": ("in_limits", lambda text: int(text) == 1),
    "state": ("state", str),
    "fault": ("fault", str),
}


class Instrument:
    """A regulator on an open port. Use `Instrument.open()`; close it or use it in a `with`.

    It survives that the device is unplugged: the exchange that was cut raises ExchangeCutError, later ones open
    the port of the same device again and raise DeviceLostError until it is back.
    """

    def __init__(self, session: Carrier) -> None:
        """Talk through a session, or through a channel of its own."""
        self.session = session
        self._columns: list[str] = []

    @classmethod
    def open(cls, port: str | None = None, timeout_s: float = 5.0, reconnect_s: float = 0.0) -> Self:
        """Open a port by path, COM name, USB serial number or URL; without one, the only device there is.

        If another program of ipch has the port, the way is through that one. `timeout_s` bounds replies;
        messages that only ask are repeated for `reconnect_s` while the device is away, commands never are.
        Raises NoDeviceError or PortBusyError.
        """
        return cls(open_session(port, timeout_s, reconnect_s))

    @property
    def identity(self) -> Identity:
        """What `*IDN?` tells."""
        return self.session.identity

    def close(self) -> None:
        self.session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def port(self) -> str:
        return self.session.port

    # Messages

    def ask(self, message: str) -> list[str]:
        """Send a message, return its replies (none for a command). Raises DeviceError."""
        if len(message) > _MESSAGE_LIMIT:
            raise UsageError(
                f"a message has {_MESSAGE_LIMIT} printable ASCII characters at most, this one {len(message)}"
            )
        if not message.isprintable() or not message.isascii():
            raise UsageError(f"not a message: {message!r}; allowed are printable ASCII characters")
        return self.session.ask(message)

    def query(self, message: str) -> str:
        """Send a message with one query and return its reply. Raises DeviceError or ProtocolError."""
        answers = self.ask(message)
        if len(answers) != 1:
            raise ProtocolError(f"{len(answers)} replies to {message}: {answers!r}; expected one")
        return answers[0]

    def fetch(self) -> Sample:
        """Read everything at once. One reply that was garbled or lost on the way is asked for again."""
        try:
            return self._fetch()
        except (ProtocolError, Silence):
            self.session.resynchronise()
        return self._fetch()

    # Readings

    @property
    def pressure_pa(self) -> int:
        """Absolute pressure, filtered."""
        return self.fetch().pressure_pa

    @property
    def ramp_pa(self) -> int:
        """The ramped setpoint now."""
        return self.fetch().ramp_pa

    @property
    def in_limits(self) -> bool:
        return self.fetch().in_limits

    @property
    def gas_k(self) -> float:
        return self.fetch().gas_k

    @property
    def wall_k(self) -> float:
        return self.fetch().wall_k

    @property
    def uptime_s(self) -> float:
        return self.fetch().uptime_s

    @property
    def state(self) -> str:
        """OFF, REGULATE, QUIET, VENT, SEALED, RELIEF or MAINTENANCE."""
        return self.fetch().state

    @property
    def fault(self) -> Fault:
        """The latched fault, or one named NONE."""
        answer = scpi.fields(self.query(":SYST:FAUL?"))
        if len(answer) != 5:
            raise ProtocolError(f"not a fault report: {answer!r}")
        name, sentence, value, unit, uptime_ms = answer
        return Fault(
            name,
            sentence,
            scpi.integer(value, "a fault's value"),
            unit,
            scpi.integer(uptime_ms, "its time") / 1000,
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """Names of the warnings that are active."""
        names = scpi.fields(self.query(":SYST:WARN?"))
        return () if names == ["NONE"] else tuple(names)

    # Regulation

    @property
    def target_pa(self) -> int:
        """Pressure to go to, Pa absolute. The device refuses what its settings do not allow."""
        return self.fetch().target_pa

    @target_pa.setter
    def target_pa(self, pa: int) -> None:
        self.ask(f":SOUR:PRES {pa} PA")

    @property
    def slew_pa_s(self) -> int:
        """Rate of the setpoint's ramp, Pa/s. The device stores it, so it is written only when it changes."""
        return self.setting("slew_pa_s").value

    @slew_pa_s.setter
    def slew_pa_s(self, pa_s: int) -> None:
        if self.setting("slew_pa_s").value != pa_s:
            self.set_setting("slew_pa_s", pa_s)
        if self.setting("slew_linear").value != 1:
            self.set_setting("slew_linear", 1)

    def on(self) -> None:
        """Regulate, starting from the pressure that is there."""
        self.ask(":OUTP ON")

    def off(self) -> None:
        """Stop regulating: all valves shut, the gas stays."""
        self.ask(":OUTP OFF")

    @property
    def holds_amount(self) -> bool:
        """Whether the amount of gas is held, valves shut, instead of the pressure. The device stores it."""
        return self.query(":SOUR:FUNC?") == "AMO"

    @holds_amount.setter
    def holds_amount(self, amount: bool) -> None:
        if self.holds_amount != amount:
            self.ask(f":SOUR:FUNC {'AMO' if amount else 'PRES'}")

    @property
    def drift(self) -> Drift:
        """What became of the gas since its amount is held; zeros before."""
        unit, reply = self.ask(":UNIT:PRES?;:SENS:PRES:AMO?")
        drift, rate, seconds = scpi.fields(reply)
        scale = parse_pressure(f"1{unit}")
        return Drift(round(float(drift) * scale), round(float(rate) * scale), scpi.integer(seconds, "a time"))

    def quiet(self, seconds: int) -> None:
        """Keep the valves shut for a measurement; 0 ends the window early."""
        self.ask(f":OUTP:QUI {seconds}")

    def vent(self) -> None:
        """Let the gas out at the vent rate, down to ambient."""
        self.ask(":SOUR:PRES:LEV:IMM:AMPL:VENT 1")

    def abort_vent(self) -> None:
        """Shut the valves and keep what gas is left; a vent that was complete is idle after it."""
        self.ask(":SOUR:PRES:LEV:IMM:AMPL:VENT 0")

    @property
    def vent_state(self) -> int:
        """0 idle, 1 in progress, 2 complete."""
        return scpi.integer(self.query(":SOUR:PRES:LEV:IMM:AMPL:VENT?"), "the state of the vent")

    def acknowledge(self) -> None:
        """Clear a latched fault; refused while its cause is still there."""
        self.ask(":SYST:FAUL:ACK")

    # Settings and service

    def setting_names(self) -> list[str]:
        return scpi.fields(self.query(":SYST:SETT:LIST?"))

    def setting(self, name: str) -> Setting:
        return _setting(self.query(_setting_query(name)))

    def settings(self) -> list[Setting]:
        """The whole table, several rows in one message."""
        rows: list[Setting] = []
        for names in _batches(self.setting_names()):
            message = ";".join(_setting_query(name) for name in names)
            answers = self.ask(message)
            if len(answers) != len(names):
                raise ProtocolError(f"{len(answers)} replies to {len(names)} queries of settings")
            rows += map(_setting, answers)
        return rows

    def set_setting(self, name: str, value: int) -> None:
        """Change a setting, in the unit that its row tells; checked, then stored on the device."""
        self.ask(f":SYST:SETT {scpi.quote(name)},{value}")

    def valve(self, number: int) -> Valve:
        """What is known of valve 1 (fill) or 2 (vent)."""
        answer = [
            scpi.integer(text, f"valve {number}") for text in scpi.fields(self.query(f":DIAG:VALV{number}?"))
        ]
        if len(answer) < 4:
            raise ProtocolError(f"not a valve report: {answer!r}")
        return Valve(answer[0], answer[1] / 1000, answer[2], answer[3])

    # The line

    def _fetch(self) -> Sample:
        if not self._columns:
            self._columns = scpi.fields(self.query(":FETC:FIEL?"))
        line = self.session.line(":FETC?")
        answer = scpi.fields(scpi.replies(line)[0])
        if len(answer) != len(self._columns):
            raise ProtocolError(f"the device answered {line!r}; expected {len(self._columns)} values")
        values = {}
        for column, text in zip(self._columns, answer, strict=True):
            name, read = _READERS.get(column, (column, int))
            if name in _SAMPLE_FIELDS:
                try:
                    values[name] = read(text)
                except ValueError as bad:
                    raise ProtocolError(f"the device answered {text!r} for {column}") from bad
        missing = _SAMPLE_FIELDS - values.keys()
        if missing:
            raise ProtocolError(
                f"the firmware does not report {', '.join(sorted(missing))}; flash the current one"
            )
        return Sample(**values)


_SAMPLE_FIELDS = {field.name for field in fields(Sample)}
