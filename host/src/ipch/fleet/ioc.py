"""EPICS: the records of many devices in one soft IOC, served over Channel Access by the package softioc.

A process has one IOC, so there is one `serve` in the life of a process.
"""

import contextlib
import ctypes
import ipaddress
import math
import os
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipch.base.extras import how_to_install
from ipch.errors import FileError, IpchError, UsageError
from ipch.fleet.chamber import CHANGES, FAILURE, NE107, NORMAL, UNKNOWN, Chamber, Reading
from ipch.fleet.metrics import STATES
from ipch.fleet.search import find_served

ACCESS = Path(__file__).with_name("access.acf")
# A reading that is older is told as lost, whatever the thread that reads waits for.
_OLD_S = 10.0
_LOOK_S = 1.0
_LONGEST_NAME = 60
_TEXT = 600
_AT_ONCE = 32
_ZERO_C = 273.15
_NO_ALARM, _MINOR, _MAJOR, _INVALID = range(4)
_WRITE, _STATE, _COMM = 2, 7, 9


@dataclass(frozen=True)
class _Row:
    """A record for reading."""

    kind: str
    read: Callable[[Reading], Any]
    description: str
    unit: str = ""
    judged: bool = False
    """Its alarm severity is that of the device's NE107 category."""
    options: tuple[str, ...] = ()


def _mpa(field: str) -> Callable[[Reading], float]:
    return lambda reading: float(getattr(reading.sample, field)) / 1e6


def _celsius(field: str) -> Callable[[Reading], float]:
    return lambda reading: float(getattr(reading.sample, field)) - _ZERO_C


_NOT_TOLD = "UNKNOWN"
_VENTS = ("idle", "in progress", "complete", "ended, not known empty")
ROWS: dict[str, _Row] = {
    "PRESSURE": _Row("ai", _mpa("pressure_pa"), "absolute pressure, filtered", "MPa", judged=True),
    "SETPOINT_RBV": _Row("ai", _mpa("target_pa"), "target in force", "MPa"),
    "RAMP_RBV": _Row("ai", _mpa("ramp_pa"), "present ramped setpoint", "MPa"),
    "SLEW_RBV": _Row("ai", lambda reading: reading.facts.slew_pa_s / 1e6, "ramp rate in force", "MPa/s"),
    "SETPOINT_MAX": _Row("ai", lambda reading: reading.facts.setpoint_max_pa / 1e6, "highest target", "MPa"),
    "CONTROL": _Row("ai", _mpa("control_pa"), "control transducer", "MPa"),
    "SAFETY": _Row("ai", _mpa("safety_pa"), "safety transducer", "MPa"),
    "SUPPLY": _Row("ai", _mpa("supply_pa"), "supply pressure", "MPa"),
    "SETTLED": _Row("ai", _mpa("settled_pa"), "pressure once gas has wall temp.", "MPa"),
    "RATE": _Row("ai", _mpa("slew_pa_s"), "measured rate", "MPa/s"),
    "GAS_TEMP": _Row("ai", _celsius("gas_k"), "gas temperature", "degC"),
    "WALL_TEMP": _Row("ai", _celsius("wall_k"), "wall temperature", "degC"),
    "IN_LIMITS": _Row("bi", lambda reading: int(bool(reading.sample.in_limits)), "within tolerance of the target",
                      options=("no", "yes")),
    "OUTPUT_RBV": _Row("bi", lambda reading: int(reading.sample.state in ("REGULATE", "QUIET")), "regulates",
                       options=("off", "on")),
    "HOLD_RBV": _Row("bi", lambda reading: int(reading.facts.holds_amount), "what is held",
                     options=("pressure", "amount")),
    "STATE": _Row("mbbi", lambda reading: _index(reading.sample.state, (*STATES, _NOT_TOLD)), "state",
                  options=(*STATES, _NOT_TOLD)),
    "VENT_RBV": _Row("mbbi", lambda reading: min(reading.facts.vent_state, 3), "state of the vent", options=_VENTS),
    "NE107": _Row("mbbi", lambda reading: reading.facts.category, "NAMUR NE107 category", judged=True, options=NE107),
    "FAULT": _Row("stringin", lambda reading: reading.sample.fault, "latched fault, or NONE"),
    "FAULT_TEXT": _Row("text", lambda reading: reading.facts.fault, "what happened, what to do"),
    "WARNINGS": _Row("text", lambda reading: " ".join(reading.facts.warnings), "active warnings"),
    "UPTIME": _Row("ai", lambda reading: reading.sample.uptime_s, "time since its start", "s"),
    "FILLS": _Row("ai", lambda reading: float(reading.sample.fills), "pulses of the fill valve"),
    "VENTS": _Row("ai", lambda reading: float(reading.sample.vents), "pulses of the vent valve"),
}  # fmt: skip
_CONTROLS = {
    "SETPOINT": ("ao", "target", "MPa", ()),
    "SLEW": ("ao", "ramp rate", "MPa/s", ()),
    "OUTPUT": ("bo", "regulate", "", ("off", "on")),
    "HOLD": ("bo", "what to hold", "", ("pressure", "amount")),
    "QUIET": ("ao", "lock the valves for so long; 0 ends it", "s", ()),
    "VENT": ("bo", "vent to ambient, or abort", "", ("abort", "vent")),
    "ACK": ("bo", "acknowledge the fault", "", ("done", "ack")),
}
REFUSED, AWAY = "REFUSED", "AWAY"


def severity(category: int) -> int:
    """EPICS' alarm severity of an NE107 category: MAJOR for a failure, MINOR for every other but normal."""
    if category == UNKNOWN:
        return _NO_ALARM
    return {NORMAL: _NO_ALARM, FAILURE: _MAJOR}.get(category, _MINOR)


def name_devices(words: list[str], prefix: str) -> dict[str, str]:
    """Devices by their names in EPICS, from SERIAL or SERIAL=NAME. Raises UsageError for names that EPICS forbids, that
    are too long, or that collide."""
    named: dict[str, str] = {}
    longest = max(map(len, (*ROWS, *_CONTROLS, REFUSED, AWAY)))
    for word in words:
        device, _, given = word.rpartition("=") if "=" in word else (word, "", word)
        if not device or not re.fullmatch(r"[A-Za-z0-9_-]+", given):
            raise UsageError(
                f"not a name for records: {given or word!r}; allowed: letters, digits, - and _:"
                f" {device or 'DEVICE'}=NAME"
            )
        if given in named:
            raise UsageError(f"two devices have the name {given}: {named[given]} and {device}")
        if device in named.values():
            raise UsageError(f"the device {device} is given twice")
        named[given] = device
        if len(prefix) + len(given) + 1 + longest > _LONGEST_NAME:
            raise UsageError(
                f"{prefix}{given} is too long: EPICS allows {_LONGEST_NAME} characters for a record"
            )
    if not re.fullmatch(r"[A-Za-z0-9_:-]*", prefix):
        raise UsageError(f"not a prefix for records: {prefix!r}; allowed: letters, digits, -, _ and :")
    return named


class Records:
    """The records of one device."""

    def __init__(self, builder: Any, start: str, change: Callable[[str, float], None]) -> None:
        """`start` is the beginning of their names; `change` raises IpchError for what is refused."""
        self._change = change
        self._lock = threading.Lock()
        self._read = {name: _reading(builder, start + name, row) for name, row in ROWS.items()}
        self._refused = builder.longStringIn(
            start + REFUSED, length=_TEXT, DESC="why the last change was refused"
        )
        self._away = builder.longStringIn(start + AWAY, length=_TEXT, DESC="why nothing is known; else empty")
        self._controls = {name: self._control(builder, start, name) for name in _CONTROLS}
        # Else a record would tell 0 without an alarm until the first reading.
        self.show(None, "not read yet")

    def show(self, reading: Reading | None, reason: str) -> None:
        """Take in what is known; None makes every reading invalid."""
        self._away.set(
            _short(reason), severity=_INVALID if reason else _NO_ALARM, alarm=_COMM if reason else 0
        )
        if reading is None:
            for record in self._read.values():
                record.set_alarm(_INVALID, _COMM)
            return
        now = severity(reading.facts.category)
        for name, record in self._read.items():
            row = ROWS[name]
            value = row.read(reading)
            if isinstance(value, float) and not math.isfinite(value):
                record.set(value, severity=_INVALID, alarm=_COMM)
            else:
                record.set(
                    _short(value),
                    severity=now if row.judged else 0,
                    alarm=_STATE if row.judged and now else 0,
                )

    def _control(self, builder: Any, start: str, name: str) -> Any:
        kind, description, unit, options = _CONTROLS[name]
        fields: dict[str, Any] = {"DESC": description, "ASG": "CONTROL"}

        def update(value: float) -> None:
            self._put(name, value)

        known = {"on_update": update, "always_update": True, "blocking": True}
        if kind == "ao":
            return builder.aOut(start + name, EGU=unit, PREC=6, **fields, **known)
        return builder.boolOut(start + name, ZNAM=options[0], ONAM=options[1], **fields, **known)

    def _put(self, name: str, value: float) -> None:
        """Pass a change on; a refused one leaves the record in alarm, with its value as it was written."""
        reason = ""
        try:
            self._change(name, value)
        except IpchError as error:
            reason = str(error)
        except Exception as error:
            reason = f"unexpected {type(error).__name__}: {error}"
        with self._lock:
            self._refused.set(_short(f"{name}: {reason}" if reason else ""), severity=_MINOR if reason else 0,
                              alarm=_WRITE if reason else 0)  # fmt: skip
            alarm = (_INVALID, _WRITE) if reason else (_NO_ALARM, _NO_ALARM)
            self._controls[name].set(value, process=False, severity=alarm[0], alarm=alarm[1])


def _reading(builder: Any, name: str, row: _Row) -> Any:
    if row.kind == "ai":
        return builder.aIn(name, EGU=row.unit, PREC=6 if "Pa" in row.unit else 3, DESC=row.description)
    if row.kind == "bi":
        return builder.boolIn(name, ZNAM=row.options[0], ONAM=row.options[1], DESC=row.description)
    if row.kind == "mbbi":
        return builder.mbbIn(name, *row.options, DESC=row.description)
    if row.kind == "stringin":
        return builder.stringIn(name, DESC=row.description)
    return builder.longStringIn(name, length=_TEXT, DESC=row.description)


def _short(value: Any) -> Any:
    return value[: _TEXT - 1] if isinstance(value, str) else value


def _index(name: str, among: tuple[str, ...]) -> int:
    return among.index(name) if name in among else len(among) - 1


def _dispatcher() -> Callable[..., None]:
    """Carries out puts in threads, so that a slow device keeps none but its own waiting."""
    pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="ipch-put")

    def dispatch(
        do: Callable[..., object],
        func_args: tuple[Any, ...] = (),
        completion: Callable[..., object] | None = None,
        completion_args: tuple[Any, ...] = (),
    ) -> None:
        def run() -> None:
            try:
                do(*func_args)
            finally:
                if completion is not None:
                    completion(*completion_args)

        pool.submit(run)

    return dispatch


def start(
    names: list[str], prefix: str, listen: str, access: Path, change: Callable[[str, str, float], None]
) -> dict[str, Records]:
    """Start the IOC of this process; return the records of each name. `change` gets name, record and value.

    Raises UsageError without softioc, FileError for access rules that EPICS does not accept.
    """
    try:
        with open(access, "rb"):
            pass
    except OSError as error:
        raise FileError(f"cannot read {access}: {error.strerror}") from None
    _listen_on(listen)
    try:
        from epicscorelibs.ioc import dbCore
        from softioc import builder, softioc
    except ImportError as error:
        raise UsageError(f"ipch ioc needs softioc; {how_to_install('epics')}") from error

    def changer(name: str) -> Callable[[str, float], None]:
        return lambda record, value: change(name, record, value)

    records = {name: Records(builder, f"{prefix}{name}:", changer(name)) for name in names}
    builder.LoadDatabase()
    dbCore.asSetFilename(str(access.resolve()).encode())
    with _quiet_stdout():
        softioc.iocInit(_dispatcher(), enable_pva=False)
    if not ctypes.c_int.in_dll(dbCore, "asActive").value:
        raise FileError(f"EPICS rejects the access rules in {access}; see its message above")
    return records


@contextlib.contextmanager
def _quiet_stdout() -> Iterator[None]:
    """What EPICS says of itself goes to stderr: stdout is for data."""
    sys.stdout.flush()
    kept = os.dup(1)
    try:
        os.dup2(2, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _listen_on(address: str) -> None:
    """For the server of this process: the interface, and no broadcasts from the loopback interface."""
    try:
        # Bound first: EPICS itself would stop dead.
        with socket.socket() as probe:
            probe.bind((str(ipaddress.IPv4Address(address)), 0))
    except (ValueError, OSError):
        raise UsageError(
            f"not an IPv4 address of this computer: {address!r}; 127.0.0.1 serves this computer only"
        ) from None
    os.environ["EPICS_CAS_INTF_ADDR_LIST"] = address
    os.environ["EPICS_CAS_IGNORE_ADDR_LIST"] = ""
    if address.startswith("127."):
        os.environ["EPICS_CAS_AUTO_BEACON_ADDR_LIST"] = "NO"
        os.environ["EPICS_CAS_BEACON_ADDR_LIST"] = address


def serve(
    devices: Mapping[str, str],
    prefix: str,
    listen: str,
    access: Path,
    ready: Callable[[int], None],
    ended: threading.Event,
) -> None:
    """Serve these devices (name: serial number, path or URL) until `ended`; `ready` gets the number of records.

    Raises UsageError if another server answers to one of the names, and the errors of `start`.
    """
    if (served := find_served([f"{prefix}{name}:PRESSURE" for name in devices], listen)) is not None:
        raise UsageError(
            f"{served[0]} is served already, by a program on {served[1]}: clients would get either; end that"
            " program, or choose another --prefix"
        )
    chambers: dict[str, Chamber] = {}

    def change(name: str, record: str, value: float) -> None:
        chambers[name].change(record, value)

    records = start(list(devices), prefix, listen, access, change)
    chambers |= {name: Chamber(device, records[name].show) for name, device in devices.items()}
    try:
        for chamber in chambers.values():
            chamber.start()
        ready(len(devices) * (len(ROWS) + len(_CONTROLS) + 2))
        while not ended.wait(_LOOK_S):
            now_s = time.monotonic()
            for name, chamber in chambers.items():
                if now_s - chamber.heard_s > _OLD_S and math.isfinite(chamber.heard_s):
                    records[name].show(None, f"no answer from {chamber.device} for {_OLD_S:g} s")
    finally:
        for chamber in chambers.values():
            chamber.close()


assert CHANGES.keys() == _CONTROLS.keys()
