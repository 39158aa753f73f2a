"""The regulator as a Python object: typed readings in Pa, K and s; each refusal raises an exception.

from ipch import Instrument

with Instrument.open() as regulator:
    regulator.target_pa = 5_000_000
    regulator.on()
    print(regulator.fetch().pressure_pa)
"""

import logging
import math
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from ipch.base.units import format_pressure, parse_pressure
from ipch.device import scpi
from ipch.device.session import Carrier, Identity, Silence
from ipch.device.sharing import Owner, open_session
from ipch.errors import (
    DeviceError,
    DeviceLostError,
    FaultError,
    NotKnownEmptyError,
    ProtocolError,
    UsageError,
)

# The device's limit for a line, in characters.
_MESSAGE_LIMIT = 256
# The replies to one message must fit the device's output queue of 2048 bytes; a setting takes at most 200.
_SETTINGS_AT_ONCE = 8
_UNDEFINED = -113  # SCPI: undefined header
UNKNOWN = "UNKNOWN"
_READ = ":FETC:FIEL?;:FETC?"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sample:
    """One reading of all channels: Pa absolute, K, s. What the firmware does not report is nan, or UNKNOWN."""

    sequence: int
    boot: int
    uptime_s: float
    state: str
    fault: str
    in_limits: bool | None
    pressure_pa: float
    """Filtered control transducer."""
    ramp_pa: float
    """Present ramped setpoint; it moves to `target_pa` at the slew rate."""
    target_pa: float
    control_pa: float
    safety_pa: float
    supply_pa: float
    gas_k: float
    """nan while the sensor is invalid, as `wall_k`."""
    wall_k: float
    slew_pa_s: float
    settled_pa: float
    """Predicted pressure once gas and wall have the same temperature."""
    fills: float
    vents: float
    fill_open_s: float
    vent_open_s: float
    warnings: float
    """`warning_bits`, or nan; `Instrument.warnings` has the names."""
    more: Mapping[str, int | str] = field(default_factory=dict, compare=False)
    """Fields that this version of ipch does not know, by their names on the wire."""

    @property
    def faulty(self) -> bool:
        return self.fault not in ("NONE", UNKNOWN)

    @property
    def warning_bits(self) -> int:
        """Bit mask of the active warnings; 0 if the firmware does not report them."""
        return 0 if math.isnan(self.warnings) else int(self.warnings)

    def whole(self, name: str) -> int:
        """An integer of this reading. Raises ProtocolError if the firmware does not report it."""
        value = getattr(self, name)
        if math.isnan(value):
            raise ProtocolError(f"the firmware does not report {name}; flash the current one")
        return int(value)

    def row(self) -> dict[str, Any]:
        """All values by name, also those that this version of ipch does not know."""
        known = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "more"}
        return {**self.more, **known}


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
        return self.name not in ("NONE", UNKNOWN)

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


HEALTH = (
    "spikes", "flash_writes", "failed_writes", "hours", "longest_tick_ms", "longest_write_ms", "late_ticks",
    "collections", "clock_mhz", "start_ms", "free_bytes",
)  # fmt: skip
_UNKNOWN_IF_0 = ("clock_mhz", "start_ms", "free_bytes")


def health(reply: str) -> dict[str, int]:
    """The counts in a reply to `:DIAG:COUN?`, by the names of HEALTH; what is not known is left out."""
    values = [scpi.integer(text, "health") for text in scpi.fields(reply)] if reply else []
    known = dict(zip(HEALTH, values, strict=False))
    return {name: value for name, value in known.items() if value or name not in _UNKNOWN_IF_0}


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


def _fault(reply: str) -> Fault:
    answer = scpi.fields(reply)
    if len(answer) != 5:
        raise ProtocolError(f"not a fault report: {answer!r}")
    name, sentence, value, unit, uptime_ms = answer
    number, time_ms = scpi.integer(value, "a fault's value"), scpi.integer(uptime_ms, "its time")
    return Fault(name, sentence, number, unit, time_ms / 1000)


def _warnings(reply: str) -> tuple[str, ...]:
    names = scpi.fields(reply)
    return () if names == ["NONE"] else tuple(names)


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

    def __init__(self, session: Carrier, owner: Owner | None = None) -> None:
        """Use an open session or another carrier; `close` also ends its `owner`."""
        self.session = session
        self._owner = owner
        self._columns: list[str] = []
        # Number of the boot and last uptime, for a firmware that does not number its boots.
        self._boot = (0, math.inf)

    @classmethod
    def open(
        cls,
        port: str | None = None,
        timeout_s: float = 5.0,
        reconnect_s: float = 0.0,
        heard: Callable[[str], None] = lambda message: None,
    ) -> Self:
        """Open a port by path, COM name, USB serial number or URL; None opens the only device.

        If another ipch process owns the port, that process relays the messages; else this process relays those of
        others, and calls `heard` with each. `timeout_s` limits the wait for a reply. While the device is away, queries
        are retried for `reconnect_s`; commands never are. Raises NoDeviceError or PortBusyError.
        """
        session = open_session(port, timeout_s, reconnect_s)
        return cls(session, Owner(session, heard))

    @property
    def identity(self) -> Identity:
        """Reply to `*IDN?`."""
        return self.session.identity

    def close(self) -> None:
        if self._owner is not None:
            self._owner.close()
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
            raise UsageError(f"not a message: {message!r}; expected printable ASCII characters")
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
            self._columns = []
            self.session.resynchronise()
        return self._fetch()

    def act(self, command: str) -> Sample | None:
        """Send a command and read all channels after it, in one exchange. Raises DeviceError.

        None if the device took the command but reports no readings that this version of ipch understands.
        """
        try:
            names, values = self.ask(f"{command};{_READ}")
            return self._sample(scpi.fields(names), values)
        except DeviceError as error:
            if error.code == _UNDEFINED and "FETC" in error.text:
                return None
            raise DeviceError(error.code, error.text, command) from None
        except (ProtocolError, ValueError):
            return None

    # Readings

    @property
    def pressure_pa(self) -> int:
        """Absolute pressure, filtered."""
        return self.fetch().whole("pressure_pa")

    @property
    def ramp_pa(self) -> int:
        """Present ramped setpoint."""
        return self.fetch().whole("ramp_pa")

    @property
    def in_limits(self) -> bool:
        return bool(self.fetch().in_limits)

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
        return _fault(self.query(":SYST:FAUL?"))

    @property
    def warnings(self) -> tuple[str, ...]:
        """Names of the active warnings."""
        return _warnings(self.query(":SYST:WARN?"))

    def report(self) -> tuple[Sample, Fault, tuple[str, ...], Drift | None]:
        """All channels, fault, warnings, and the drift where the amount of gas is held; in one exchange, if it can.

        What an older firmware does not know is UNKNOWN, or left out.
        """
        wanted = (":SYST:FAUL?", ":SYST:WARN?", ":SOUR:FUNC?")
        try:
            names, values, *rest = self.ask(";".join((_READ, *wanted)))
            sample = self._sample(scpi.fields(names), values)
        except (DeviceError, ProtocolError, ValueError):
            sample, rest = self.fetch(), [self._known(query) for query in wanted]
        fault, warnings, function = rest
        return (
            sample,
            _fault(fault) if fault else Fault(UNKNOWN, "", 0, "", math.nan),
            _warnings(warnings) if warnings else (UNKNOWN,),
            self.drift if function == "AMO" else None,
        )

    def _known(self, query: str) -> str:
        """The reply to a query, or an empty text from a firmware that does not know it."""
        try:
            return self.query(query)
        except DeviceError as error:
            if error.code == _UNDEFINED:
                return ""
            raise

    # Regulation

    @property
    def target_pa(self) -> int:
        """Target pressure, Pa absolute. The device refuses values outside its settings."""
        return self.fetch().whole("target_pa")

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

    def on(self) -> Sample | None:
        """Start regulating, from the present pressure."""
        return self.act(":OUTP ON")

    def off(self) -> Sample | None:
        """Stop regulating: shut all valves, keep the gas. Sent again if its reply is lost."""
        try:
            return self.act(":OUTP OFF")
        except DeviceLostError:
            return self.act(":OUTP OFF")

    @property
    def holds_amount(self) -> bool:
        """True to hold the amount of gas with valves shut, False to hold the pressure. Stored on the device."""
        return self._known(":SOUR:FUNC?") == "AMO"

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

    def quiet(self, seconds: int) -> Sample | None:
        """Keep the valves shut during a measurement; 0 ends the window early."""
        return self.act(f":OUTP:QUI {seconds}")

    @property
    def quiet_left_s(self) -> float:
        """Remaining time of the quiet window, s; 0 without one."""
        return float(self.query(":OUTP:QUI?"))

    def vent(self) -> Sample | None:
        """Vent the chamber to ambient at the vent rate."""
        return self.act(":SOUR:PRES:LEV:IMM:AMPL:VENT 1")

    def abort_vent(self) -> Sample | None:
        """Shut the valves and keep the remaining gas; a completed vent becomes idle."""
        return self.act(":SOUR:PRES:LEV:IMM:AMPL:VENT 0")

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

    def acknowledge(self) -> Sample | None:
        """Clear a latched fault; the device refuses while the cause persists."""
        return self.act(":SYST:FAUL:ACK")

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
        # A firmware from before the confirmation does not know the query.
        return self._known(":SYST:SETT:CONF?") in ("1", "")

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

    def health(self) -> dict[str, int]:
        """How well the board keeps up, by the names of HEALTH; what its firmware does not know is left out."""
        return health(self._known(":DIAG:COUN?"))

    # The line

    def _fetch(self) -> Sample:
        if self._columns:
            return self._sample(self._columns, scpi.replies(self.session.line(":FETC?"))[0])
        answers = self.ask(_READ)
        if len(answers) != 2:
            raise ProtocolError(f"{len(answers)} replies to {_READ}: {answers!r}; expected two")
        columns = scpi.fields(answers[0])
        sample = self._sample(columns, answers[1])
        self._columns = columns
        return sample

    def _sample(self, columns: list[str], line: str) -> Sample:
        answer = scpi.fields(line)
        if len(answer) != len(columns):
            raise ProtocolError(f"the device answered {line!r}; expected {len(columns)} values")
        values: dict[str, Any] = {}
        more: dict[str, int | str] = {}
        for column, text in zip(columns, answer, strict=True):
            name, read = _READERS.get(column, (column, int))
            try:
                if name in _SAMPLE_FIELDS:
                    values[name] = read(text)
                else:
                    more[_column_name(column)] = int(text) if re.fullmatch(r"[+-]?\d+", text) else text
            except ValueError as bad:
                raise ProtocolError(f"the device answered {text!r} for {column}") from bad
        missing = sorted(_SAMPLE_FIELDS - values.keys())
        if missing:
            if not self._columns:
                _log.warning("firmware %s does not report %s", self.identity.firmware, ", ".join(missing))
            values = self._substitutes(values) | values
        return Sample(**values, more=more)

    def _substitutes(self, values: dict[str, Any]) -> dict[str, Any]:
        """Values for fields that the firmware may lack: unknown, but keys and times stay usable."""
        uptime_s = values.get("uptime_s", self.session.clock())
        boot = int(time.time()) if uptime_s < self._boot[1] else self._boot[0]
        self._boot = (boot, uptime_s)
        unknown: dict[str, Any] = dict.fromkeys(_SAMPLE_FIELDS, math.nan)
        return unknown | {
            "sequence": time.time_ns() // 1000,
            "boot": self._boot[0],
            "uptime_s": uptime_s,
            "state": UNKNOWN,
            "fault": UNKNOWN,
            "in_limits": None,
        }


def _column_name(wire: str) -> str:
    """Name of an unknown field in records: letters, digits and _, none of the record's own names."""
    name = re.sub(r"\W", "_", wire, flags=re.ASCII)
    return f"device_{name}" if name in _RECORD_NAMES or not name[:1].isalpha() else name


_SAMPLE_FIELDS = {field.name for field in fields(Sample)} - {"more"}
_RECORD_NAMES = {"run", "utc", "utc_s", "host_s", "time_s", "more"}
