"""One device as other control systems see it: what is known of it now, and the changes that they may ask for."""

import contextlib
import math
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ipch.device import Instrument, Owner, Sample, actions, open_session, recipe_among, scpi
from ipch.errors import DeviceError, IpchError, UsageError

T = TypeVar("T")
_POLL_S = 1.0
# What changes seldom is read with every so many samples, and at once when state, fault or warnings change.
_SELDOM = 10
# Categories of NAMUR NE107, and their bits in :STATus:QUEStionable:CONDition?, the worst first.
NE107 = ("normal", "maintenance req.", "out of spec.", "check function", "failure", "unknown")
NORMAL, MAINTENANCE, OUT_OF_SPECIFICATION, CHECK, FAILURE, UNKNOWN = range(len(NE107))
_CATEGORIES = ((9, FAILURE), (10, CHECK), (11, OUT_OF_SPECIFICATION), (12, MAINTENANCE))


@dataclass(frozen=True)
class Facts:
    """What changes seldom."""

    category: int
    """Index into NE107."""
    fault: str
    """The sentence of the latched fault; empty without one."""
    warnings: tuple[str, ...]
    slew_pa_s: float
    """nan where the firmware does not tell, as the next one."""
    setpoint_max_pa: float
    holds_amount: bool
    vent_state: int
    """0 idle, 1 in progress, 2 complete, 3 ended without knowing whether the chamber is empty."""


@dataclass(frozen=True)
class Reading:
    """What is known of a device now."""

    sample: Sample
    facts: Facts


def read_facts(instrument: Instrument, sample: Sample) -> Facts:
    """Ask for what a sample does not tell; an older firmware may not know all of it. Raises IpchError."""
    bits = _asked(lambda: scpi.integer(instrument.query(":STAT:QUES:COND?"), "the condition"), None)
    category = NORMAL if bits is not None else UNKNOWN
    for bit, kind in reversed(_CATEGORIES):
        if bits is not None and bits >> bit & 1:
            category = kind
    return Facts(
        category,
        _asked(lambda: instrument.fault.sentence, "") if sample.faulty else "",
        _asked(lambda: instrument.warnings, ()),
        _asked(lambda: float(instrument.slew_pa_s), math.nan),
        _asked(lambda: float(instrument.setting("setpoint_max_pa").value), math.nan),
        instrument.holds_amount,
        _asked(lambda: instrument.vent_state, 0),
    )


def _asked(ask: Callable[[], T], else_: T) -> T:
    try:
        return ask()
    except DeviceError:
        return else_


def _target(instrument: Instrument, mpa: float) -> None:
    instrument.target_pa = _whole(mpa * 1e6)


def _slew(instrument: Instrument, mpa_s: float) -> None:
    instrument.slew_pa_s = _whole(mpa_s * 1e6)


def _whole(value: float) -> int:
    if not math.isfinite(value):
        raise UsageError(f"not a finite number: {value}")
    return round(value)


def _duration(seconds: float) -> float:
    if not 0 <= seconds < math.inf:
        raise UsageError(f"not a duration: {seconds} s")
    return seconds


def _either(value: float) -> bool:
    if value not in (0, 1):
        raise UsageError(f"expected 0 or 1, not {value:g}")
    return bool(value)


# Name: what it does with a value.
CHANGES: dict[str, Callable[[Instrument, float], object]] = {
    "SETPOINT": _target,
    "SLEW": _slew,
    "OUTPUT": lambda instrument, on: actions.switch(instrument, _either(on)),
    "HOLD": lambda instrument, amount: actions.hold(instrument, "amount" if _either(amount) else "pressure"),
    "QUIET": lambda instrument, seconds: actions.quiet(instrument, _duration(seconds)),
    "VENT": lambda instrument, on: instrument.vent() if _either(on) else instrument.abort_vent(),
    "ACK": lambda instrument, on: actions.acknowledge(instrument) if _either(on) else None,
}


def _is_guarded(name: str, value: float) -> bool:
    """Whether a recipe that runs forbids this change; to switch off, to vent and to acknowledge is always allowed."""
    return name in ("SETPOINT", "SLEW", "HOLD", "QUIET") or (name == "OUTPUT" and bool(value))


class Chamber:
    """Reads one device once a second in a thread of its own, and passes changes on."""

    def __init__(self, device: str, show: Callable[[Reading | None, str], None]) -> None:
        """`device` is its USB serial number, path or URL; it may be away. `show` is called with each reading, or with
        None and the reason while there is none."""
        self.device = device
        self.heard_s = -math.inf
        """Monotonic time of the latest reading."""
        self._show = show
        self._instrument: Instrument | None = None
        self._owner: Owner | None = None
        self._facts: Facts | None = None
        self._last: Sample | None = None
        self._polls = 0
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, name=f"ipch-{device}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join(2 * _POLL_S)
        for part in (self._owner, self._instrument):
            if part is not None:
                part.close()

    def change(self, name: str, value: float) -> None:
        """Carry out a change, and show the state after it. Raises IpchError if it is refused."""
        with self._lock:
            if self._instrument is None or self._owner is None:
                raise UsageError(f"the device {self.device} is away")
            running = recipe_among(self._owner.tasks()) if _is_guarded(name, value) else ""
            if running:
                raise UsageError(f"refused: {running}")
            try:
                CHANGES[name](self._instrument, value)
            finally:
                self._facts = None
                self._poll()

    def _follow(self) -> None:
        while not self._ended.is_set():
            begun_s = time.monotonic()
            with self._lock:
                self._poll()
            self._ended.wait(max(0.0, begun_s + _POLL_S - time.monotonic()))

    def _poll(self) -> None:
        try:
            if self._instrument is None:
                self._open()
            assert self._instrument is not None
            sample = self._instrument.fetch()
            last, self._last = self._last, sample
            self._polls += 1
            if self._facts is None or self._polls % _SELDOM == 0 or last is None or _differs(last, sample):
                self._facts = read_facts(self._instrument, sample)
            self.heard_s = time.monotonic()
            self._show(Reading(sample, self._facts), "")
        except (IpchError, ValueError, OSError) as error:
            self._lose(str(error))
        except Exception as error:
            # The thread must live on: a silent one would leave the last values standing.
            self._lose(f"unexpected {type(error).__name__}: {error}")

    def _lose(self, reason: str) -> None:
        self._facts = self._last = None
        self._show(None, reason)

    def _open(self) -> None:
        session = open_session(self.device)
        self._instrument = Instrument(session)
        self._owner = Owner(session)
        with contextlib.suppress(IpchError):
            self._owner.announce({"kind": "ioc", "pid": os.getpid()})


def _differs(last: Sample, sample: Sample) -> bool:
    return (last.state, last.fault, last.warning_bits, last.boot) != (
        sample.state,
        sample.fault,
        sample.warning_bits,
        sample.boot,
    )
