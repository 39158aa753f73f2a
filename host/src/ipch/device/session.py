"""Exchanges of messages and replies: synchronised, one at a time, reconnected after a loss.

An Instrument uses a `Session`. A session uses a channel: the port itself (`Direct`), or the owner process of
the port (`sharing.Owned`).
"""

import contextlib
import logging
import math
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ipch.device import scpi
from ipch.device.transport import Transport
from ipch.errors import (
    DeviceError,
    DeviceLostError,
    ExchangeCutError,
    IpchError,
    NoDeviceError,
    PortBusyError,
    ProtocolError,
)

# Sent on a separate line after every message: an error ends a message, and the device ignores the rest of that
# line. The version before the error makes the reply unmistakable.
_MARK = ":SYST:VERS?;:SYST:ERR?"
_VERSION = "1999.0"
# A device may take 1.5 s to answer. The whole search, with the program's start, stays below 5 s.
_IDENTIFY_S = 3.6
_IDENTIFY_AGAIN_S = 1.8
_QUIET_S = 0.05
_LONGEST_DRAIN_S = 0.3
# Replies to attempts to identify the device differ in their number of versions.
_MOST_VERSIONS = 6
_AGAIN_S = 0.05
# Time in which a client of an owner process that ends finds the next one.
_TAKE_OVER_S = 20.0

T = TypeVar("T")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Identity:
    """Reply to `*IDN?`."""

    maker: str
    model: str
    serial_number: str
    firmware: str
    interpreter: str
    """`MicroPython 1.27.0`; on the simulated rig `core`, `CPython ...`."""


class Channel(Protocol):
    """Interface for exchanges. Each method may raise DeviceLostError, which makes the channel unusable."""

    @property
    def port(self) -> str: ...

    @property
    def identity(self) -> Identity: ...

    def ask(self, message: str) -> list[str]:
        """Send a message; return its replies. Raises DeviceError."""

    def line(self, message: str) -> str:
        """Send a message; return its single reply line, unchecked: after an error no reply arrives."""

    def resynchronise(self) -> None:
        """Synchronise both ends at the start of a line. Raises NoDeviceError if nothing answers."""

    def close(self) -> None: ...


class Carrier(Channel, Protocol):
    """Interface for an Instrument: a channel, and the clock of its device."""

    def clock(self) -> float:
        """Seconds, at the same rate as `sleep`."""

    def sleep(self, seconds: float) -> None: ...


Connect = Callable[[str], Channel]
"""Opens a new channel, but not through the owner process at the given address. Raises NoDeviceError and
PortBusyError."""


class Silence(DeviceLostError):
    """No reply within the timeout, although the port exists."""


class OwnerEnded(DeviceLostError):
    """The owner process of the port ended before it took the message, which may therefore be sent again."""


class Direct:
    """Exchanges over an open port."""

    def __init__(self, transport: Transport, timeout_s: float = 5.0, numbers: tuple[int, ...] = ()) -> None:
        """Synchronise and identify the device. Raises NoDeviceError if no regulator answers.

        `numbers` replaces the random numbers that mark the attempts, where each run must be the same.
        """
        self.transport = transport
        self._timeout_s = timeout_s
        self._numbers = numbers
        self.identity = self._identify()
        self._in_step = True

    @property
    def port(self) -> str:
        return self.transport.port

    def ask(self, message: str) -> list[str]:
        with self._keeping_step():
            self.transport.write_line(f"{message}\n{_MARK}")
            deadline = time.monotonic() + self._timeout_s
            answers: list[str] = []
            while (code := _marked(parts := scpi.replies(self._read_line(deadline)))) is None or (
                # The reply to a message that holds the mark itself; without an error, a query has a reply.
                code == 0 and not answers and has_query(message)
            ):
                answers += parts
            if code:
                text = scpi.error(parts[1])[1]
                self._empty_error_queue()
                raise DeviceError(code, text, message)
        return answers

    def line(self, message: str) -> str:
        with self._keeping_step():
            self.transport.write_line(message)
            return self._read_line(time.monotonic() + self._timeout_s)

    def resynchronise(self) -> None:
        self.identity = self._identify()
        self._in_step = True

    def close(self) -> None:
        self.transport.close()

    @contextlib.contextmanager
    def _keeping_step(self) -> Iterator[None]:
        """Resynchronise after an incomplete exchange: its late reply must not pass for the next one."""
        if not self._in_step:
            self.resynchronise()
        self._in_step = False
        try:
            yield
        except DeviceError:
            self._in_step = True
            raise
        self._in_step = True

    def _read_line(self, deadline: float) -> str:
        left_s = deadline - time.monotonic()
        line = self.transport.read_line(max(0.0, left_s))
        if line is None:
            raise Silence(f"device lost: {self.port} did not answer within {self._timeout_s:g} s")
        if left_s < 0 and _marked(scpi.replies(line)) is None:
            raise Silence(f"device lost: {self.port} sends {line[:60]!r} instead of a reply")
        return line

    def _empty_error_queue(self) -> None:
        deadline = time.monotonic() + self._timeout_s
        for _ in range(32):
            self.transport.write_line(":SYST:ERR?")
            if scpi.error(scpi.replies(self._read_line(deadline))[-1])[0] == 0:
                return

    def _identify(self) -> Identity:
        """Ask for the identity; return once every request has its reply, so that none is left for a later exchange."""
        transport = self.transport
        # Terminates a line that an earlier program left incomplete.
        transport.write_line("")
        transport.drain(_QUIET_S, _LONGEST_DRAIN_S)
        search = _Search(self._numbers or random.sample(range(1, _MOST_VERSIONS + 1), 2))
        while (wait_s := search.wait_s(time.monotonic())) is not None:
            if (message := search.request(time.monotonic())) is not None:
                transport.write_line(message)
            elif (line := transport.read_line(wait_s)) is not None:
                search.take(line, time.monotonic())
        if search.found is not None:
            return search.found
        heard = search.heard or transport.unfinished()
        if heard.lstrip().startswith(">>>"):
            raise NoDeviceError(
                f"no regulator on {self.port}: a MicroPython prompt answers; `ipch flash` installs the firmware"
            )
        if heard:
            raise NoDeviceError(
                f"no regulator on {self.port}: it sends {heard[:60]!r}; is the ipch firmware installed?"
            )
        raise NoDeviceError(f"nothing answers on {self.port}; is it powered, and is it the regulator's port?")


class _Search:
    """Requests and replies of one attempt to identify a device; times in s of one clock."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self.found: Identity | None = None
        self.heard = ""
        self._sent: dict[int, float] = {}  # number of versions -> time
        self._numbers = list(numbers)
        self._end = math.inf
        self._over = False

    def wait_s(self, now: float) -> float | None:
        """How long to wait for the next line; None once the search is over."""
        if self._over or now >= self._end:
            return None
        return max(0.0, min(self._end, self._next()) - now)

    def request(self, now: float) -> str | None:
        """The message that is due now, if any."""
        if self.found or now < self._next() or not self._numbers:
            return None
        number = self._numbers.pop(0)
        if not self._sent:
            self._end = now + _IDENTIFY_S
        self._sent[number] = now
        return "*CLS;*IDN?" + ";:SYST:VERS?" * number

    def take(self, line: str, now: float) -> None:
        self.heard = line or self.heard
        first, *versions = scpi.replies(line)
        answer = scpi.fields(first)
        if len(answer) == 4 and answer[0] == "ipch":
            number = len(versions)
            if number not in self._sent or any(each != _VERSION for each in versions):
                return  # a late reply to another program
            version, _, interpreter = answer[3].partition(" ")
            self.found = Identity(answer[0], answer[1], answer[2], version, interpreter)
            self._over = number == list(self._sent)[-1]
            # The device is slow: its reply to the second request follows.
            self._end = now + 2 * (now - min(self._sent.values()))
        elif line.startswith(">>>"):
            self._over = True

    def _next(self) -> float:
        """When the next request is due."""
        if not self._numbers:
            return math.inf
        return max(self._sent.values(), default=-math.inf) + _IDENTIFY_AGAIN_S


def _marked(parts: list[str]) -> int | None:
    """The error number in the reply to _MARK; None for any other reply."""
    if len(parts) != 2 or parts[0] != _VERSION:
        return None
    try:
        return scpi.error(parts[1])[0]
    except ProtocolError:
        return None


def is_query(message: str) -> bool:
    """Return True if a message holds only queries, which are safe to repeat."""
    headers = _headers(message)
    return bool(headers) and all(header.endswith("?") for header in headers)


def has_query(message: str) -> bool:
    """Return True if a message that causes no error has a reply."""
    return any(header.endswith("?") for header in _headers(message))


def _headers(message: str) -> list[str]:
    return [unit.split()[0] for unit in scpi.split_outside_quotes(message, ";") if unit.strip()]


class _FairLock:
    """A first-in, first-out lock, so that no client starves another.

    A Ctrl-C at any point of the main thread leaves neither a stale owner nor a stale waiter in the queue.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._queue: deque[tuple[threading.Event, int]] = deque()  # the first entry owns the lock

    def __enter__(self) -> None:
        mine = (threading.Event(), threading.get_ident())
        try:
            with self._guard:
                if self._queue and self._queue[0][1] == mine[1]:
                    # This thread was interrupted in __exit__.
                    self._queue.popleft()
                self._queue.append(mine)
                self._queue[0][0].set()
            mine[0].wait()
        except BaseException:
            with self._guard:
                if mine in self._queue:
                    self._queue.remove(mine)
                self._next()
            raise

    def __exit__(self, *exception: object) -> None:
        with self._guard:
            self._queue.popleft()
            self._next()

    def _next(self) -> None:
        if self._queue:
            self._queue[0][0].set()


class Session:
    """Complete exchanges with one device, over the port or through its owner process; safe for threads.

    If the device disappears during an exchange, the exchange raises ExchangeCutError, because the device may or
    may not have executed the message. The next exchange reopens the port, wherever the device is now, and
    checks its serial number. With `reconnect_s`, queries are retried for that many seconds instead.
    """

    def __init__(self, connect: Connect, reconnect_s: float = 0.0) -> None:
        """Connect with `connect`, now and after each loss. Raises the errors of `connect`."""
        self._open = connect
        self._reconnect_s = reconnect_s
        self._lock = _FairLock()
        self._closed = False
        self.listeners: list[Callable[[Channel | None], None]] = []
        """Called with each new channel, or with None when it is lost."""
        self.served_at = ""
        """Address where this session serves others; it must not reconnect through itself."""
        self._channel: Channel | None = connect("")
        self.identity = self._channel.identity
        self._port = self._channel.port

    clock = staticmethod(time.monotonic)
    sleep = staticmethod(time.sleep)

    @property
    def port(self) -> str:
        """Present or last port of the device."""
        return self._port

    @property
    def channel(self) -> Channel | None:
        """The open channel; None while the device is away."""
        return self._channel

    def ask(self, message: str) -> list[str]:
        """Raises DeviceError, ExchangeCutError, DeviceLostError."""
        return self._exchange(message, lambda channel: channel.ask(message))

    def line(self, message: str) -> str:
        return self._exchange(message, lambda channel: channel.line(message))

    def use(self, do: Callable[[Channel], T]) -> T | None:
        """Call `do` with the open channel, between two exchanges; None while the device is away.

        After an owner process that ended, `do` gets the next channel. Raises the errors of `do`, DeviceLostError.
        """
        limit = time.monotonic() + _TAKE_OVER_S
        with self._lock:
            if self._channel is None:
                return None
            while True:
                try:
                    return do(self._connected())
                except DeviceLostError as error:
                    # What it said last was the end of this channel.
                    self._drop()
                    if not isinstance(error, OwnerEnded) or time.monotonic() >= limit:
                        raise

    def resynchronise(self) -> None:
        with self._lock:
            try:
                self._connected().resynchronise()
            except (NoDeviceError, DeviceLostError) as error:
                self._drop()
                # The device answered a moment ago.
                raise DeviceLostError(f"device lost: {self.port} stopped answering") from error

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._drop()

    def _exchange(self, message: str, do: Callable[[Channel], T]) -> T:
        start = time.monotonic()
        limit = start + self._reconnect_s
        relayed = self._channel is not None and not isinstance(self._channel, Direct)
        while True:
            try:
                with self._lock:
                    return self._once(message, do)
            except OwnerEnded:
                if time.monotonic() >= start + _TAKE_OVER_S:
                    raise
                continue
            except (DeviceLostError, PortBusyError) as error:
                cut = isinstance(error, (ExchangeCutError, Silence))
                if relayed and cut and self._channel is None and is_query(message):
                    # The owner process ended, which says nothing of the device: ask it again, once.
                    relayed = False
                    continue
                if self._closed or time.monotonic() >= limit or (cut and not is_query(message)):
                    raise
            time.sleep(_AGAIN_S)

    def _once(self, message: str, do: Callable[[Channel], T]) -> T:
        channel = self._connected()
        try:
            return do(channel)
        except (Silence, ProtocolError):
            # The port is still open; the channel resynchronises itself.
            raise
        except NoDeviceError as error:
            self._drop()
            raise DeviceLostError(f"device lost: {self.port} stopped answering") from error
        except DeviceLostError as error:
            self._drop()
            if isinstance(error, (ExchangeCutError, OwnerEnded)):
                raise
            doubt = "" if is_query(message) else f"; it is unknown whether {message!r} was executed"
            raise ExchangeCutError(f"{error}{doubt}") from error

    def _connected(self) -> Channel:
        """The open channel; reconnects after a loss."""
        if self._channel is not None:
            return self._channel
        if self._closed:
            raise DeviceLostError(f"device lost: {self.port} is closed")
        try:
            channel = self._open(self.served_at)
        except IpchError as error:
            raise DeviceLostError(f"device lost: {self.port} has not returned: {error}") from error
        if channel.identity.serial_number != self.identity.serial_number:
            channel.close()
            raise DeviceLostError(
                f"device lost: {channel.port} now has device {channel.identity.serial_number}, "
                f"expected {self.identity.serial_number}"
            )
        self.identity = channel.identity
        self._channel = channel
        self._port = channel.port
        for listener in self.listeners:
            listener(channel)
        return channel

    def _drop(self) -> None:
        if self._channel is not None:
            _log.info("closed %s", self._port)
            self._channel.close()
            self._channel = None
            for listener in self.listeners:
                listener(None)
