"""The regulator as a Python object: typed readings in Pa, K and s; each refusal raises an exception.

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

from ipch.base.units import format_pressure, parse_pressure
from ipch.device import scpi
from ipch.device.session import Carrier, Identity, Silence
from ipch.device.sharing import open_session
from ipch.errors import DeviceError, FaultError, NotKnownEmptyError, ProtocolError, UsageError

# The device's limit for a line, in characters.
_MESSAGE_LIMIT = 256
# The replies to one message must fit the device's output queue of 2048 bytes; a setting takes at most 200.
_SETTINGS_AT_ONCE = 8
_UNKNOWN = -113  # SCPI: undefined header


@dataclass(frozen=True)
class Sample:
    """One reading of all channels: Pa absolute, K (nan while the sensor is invalid), s."""

    sequence: int
    boot: int
    uptime_s: float
    state: str
    fault: str
    in_limits: bool
    pressure_pa: int
    """Filtered control transducer."""
    ramp_pa: int
    """Present ramped setpoint; it moves to `target_pa` at the slew rate."""
    target_pa: int
    control_pa: int
    safety_pa: int
    supply_pa: int
    gas_k: float
    wall_k: float
    slew_pa_s: int
    settled_pa: int
    """Predicted pressure once gas and wall have the same temperature."""
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
    """Counters and learned gain of one pulsed valve."""

    actuations: int
    open_s: float
    gain: int
    """Learned gain, Pa/s per MPa upstream; 0 before the first pulse."""
    response_pa: int
    """Pressure change of the last pulse."""


@dataclass(frozen=True)
class Drift:
    """Change of the amount of gas, as a pressure at the initial temperature."""

    drift_pa: int
    rate_pa_h: int
    """Mean rate; 0 during the first two minutes."""
    seconds: int
    """Time since the valves shut."""


def _setting_query(name: str) -> str:
    return f":SYST:SETT? {scpi.quote(name)}"


def _batches(names: list[str]) -> list[list[str]]:
    """Group names so that the queries of a group fit one message."""
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
    # The device reports 0 while a temperature sensor is invalid.
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
    """A regulator on an open port. Use `Instrument.open()`, then close it or use it in a `with`.

    It survives unplugging: the interrupted exchange raises ExchangeCutError; later ones reopen the port of the
    same device and raise DeviceLostError until it returns.
    """

    def __init__(self, session: Carrier) -> None:
        """Use an open session or another carrier."""
        self.session = session
        self._columns: list[str] = []

    @classmethod
    def open(cls, port: str | None = None, timeout_s: float = 5.0, reconnect_s: float = 0.0) -> Self:
        """Open a port by path, COM name, USB serial number or URL; None opens the only device.

        If another ipch process owns the port, that process relays the messages. `timeout_s` limits the wait
        for a reply. While the device is away, queries are retried for `reconnect_s`; commands never are.
        Raises NoDeviceError or PortBusyError.
        """
        return cls(open_session(port, timeout_s, reconnect_s))

    @property
    def identity(self) -> Identity:
        """Reply to `*IDN?`."""
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
        """Send a message; return its replies (none for a command). Raises DeviceError."""
        if len(message) > _MESSAGE_LIMIT:
            raise UsageError(
                f"a message has at most {_MESSAGE_LIMIT} printable ASCII characters, this one has {len(message)}"
            )
        if not message.isprintable() or not message.isascii():
            raise UsageError(f"not a message: {message!r}; allowed are printable ASCII characters")
        return self.session.ask(message)

    def query(self, message: str) -> str:
        """Send a message with one query; return its reply. Raises DeviceError or ProtocolError."""
        answers = self.ask(message)
        if len(answers) != 1:
            raise ProtocolError(f"{len(answers)} replies to {message}: {answers!r}; expected one")
        return answers[0]

    def fetch(self) -> Sample:
        """Read all channels at once. Retries once after a garbled or lost reply."""
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
        """Present ramped setpoint."""
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
        """Names of the active warnings."""
        names = scpi.fields(self.query(":SYST:WARN?"))
        return () if names == ["NONE"] else tuple(names)

    # Regulation

    @property
    def target_pa(self) -> int:
        """Target pressure, Pa absolute. The device refuses values outside its settings."""
        return self.fetch().target_pa

    @target_pa.setter
    def target_pa(self, pa: int) -> None:
        self.ask(f":SOUR:PRES {pa} PA")

    @property
    def slew_pa_s(self) -> int:
        """Ramp rate of the setpoint, Pa/s. The device stores it in flash, so only changes are written."""
        return self.setting("slew_pa_s").value

    @slew_pa_s.setter
    def slew_pa_s(self, pa_s: int) -> None:
        if self.setting("slew_pa_s").value != pa_s:
            self.set_setting("slew_pa_s", pa_s)
        if self.setting("slew_linear").value != 1:
            self.set_setting("slew_linear", 1)

    def on(self) -> None:
        """Start regulating, from the present pressure."""
        self.ask(":OUTP ON")

    def off(self) -> None:
        """Stop regulating: shut all valves, keep the gas."""
        self.ask(":OUTP OFF")

    @property
    def holds_amount(self) -> bool:
        """True to hold the amount of gas with valves shut, False to hold the pressure. Stored on the device."""
        return self.query(":SOUR:FUNC?") == "AMO"

    @holds_amount.setter
    def holds_amount(self, amount: bool) -> None:
        if self.holds_amount != amount:
            self.ask(f":SOUR:FUNC {'AMO' if amount else 'PRES'}")

    @property
    def drift(self) -> Drift:
        """Drift of the gas while its amount is held; zeros before."""
        unit, reply = self.ask(":UNIT:PRES?;:SENS:PRES:AMO?")
        drift, rate, seconds = scpi.fields(reply)
        scale = parse_pressure(f"1{unit}")
        return Drift(round(float(drift) * scale), round(float(rate) * scale), scpi.integer(seconds, "a time"))

    def quiet(self, seconds: int) -> None:
        """Keep the valves shut during a measurement; 0 ends the window early."""
        self.ask(f":OUTP:QUI {seconds}")

    @property
    def quiet_left_s(self) -> float:
        """Remaining time of the quiet window, s; 0 without one."""
        return float(self.query(":OUTP:QUI?"))

    def vent(self) -> None:
        """Vent the chamber to ambient at the vent rate."""
        self.ask(":SOUR:PRES:LEV:IMM:AMPL:VENT 1")

    def abort_vent(self) -> None:
        """Shut the valves and keep the remaining gas; a completed vent becomes idle."""
        self.ask(":SOUR:PRES:LEV:IMM:AMPL:VENT 0")

    @property
    def vent_state(self) -> int:
        """0 idle, 1 in progress, 2 complete, 3 ended without knowing whether the chamber is empty."""
        return scpi.integer(self.query(":SOUR:PRES:LEV:IMM:AMPL:VENT?"), "the state of the vent")

    def check_vented(self, sample: Sample) -> None:
        """Return if the last vent emptied the chamber; `sample` was taken after it.

        Raises NotKnownEmptyError if nothing that the device believes says so, FaultError if the vent was ended early.
        """
        state = self.vent_state
        control, safety = format_pressure(sample.pressure_pa), format_pressure(sample.safety_pa)
        if state == 3:
            raise NotKnownEmptyError(
                "the vent ended, but whether the chamber is empty is unknown: the control transducer last read"
                f" {control}, the safety transducer {safety}; check a gauge before you open it"
            )
        if state != 2:
            raise FaultError(f"the vent ended at {control}: the device is {sample.state} now")

    def acknowledge(self) -> None:
        """Clear a latched fault; the device refuses while the cause persists."""
        self.ask(":SYST:FAUL:ACK")

    # Settings and service

    def setting_names(self) -> list[str]:
        return scpi.fields(self.query(":SYST:SETT:LIST?"))

    def setting(self, name: str) -> Setting:
        return _setting(self.query(_setting_query(name)))

    def settings(self) -> list[Setting]:
        """Read the whole table, several rows per message."""
        rows: list[Setting] = []
        for names in _batches(self.setting_names()):
            message = ";".join(_setting_query(name) for name in names)
            answers = self.ask(message)
            if len(answers) != len(names):
                raise ProtocolError(f"{len(answers)} replies to {len(names)} queries of settings")
            rows += map(_setting, answers)
        return rows

    def set_setting(self, name: str, value: int, *, force: bool = False) -> None:
        """Change a setting, in the unit of its row; the device checks and stores it.

        `force` accepts a transducer's correction beyond 2 % of full scale.
        """
        self.ask(f":SYST:SETT {scpi.quote(name)},{value}{',FORC' if force else ''}")

    @property
    def confirmed(self) -> bool:
        """Whether a person confirmed the limits since the settings were lost; until then `on` is refused."""
        try:
            return self.query(":SYST:SETT:CONF?") == "1"
        except DeviceError as error:
            if error.code == _UNKNOWN:
                return True  # a firmware from before the confirmation
            raise

    def confirm(self, setpoint_max_pa: int, trip_pa: int, chamber_rating_pa: int) -> None:
        """Confirm the limits in force; the device refuses other values."""
        self.ask(f":SYST:SETT:CONF {setpoint_max_pa},{trip_pa},{chamber_rating_pa}")

    def withdraw(self) -> None:
        """Withdraw the confirmation, so that limits may change under pressure while the output is off."""
        self.ask(":SYST:SETT:CONF 0")

    def forget_valves(self) -> None:
        """Forget the learned responses of both valves, because valves or chamber were exchanged."""
        self.ask(":DIAG:VALV:FORG")

    def valve(self, number: int) -> Valve:
        """Counters and gain of valve 1 (fill) or 2 (vent)."""
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
