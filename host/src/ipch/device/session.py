"""Messages with their replies over a line: kept in step, one exchange at a time, made anew when it was lost.

A `Session` is what an Instrument talks through. Under it lies a channel: the port itself (`Direct`), or the
program that has the port open (`sharing.Owned`).
"""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
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

# A line of its own after every message: an error ends a message, and what follows in its line goes unheard.
# The version in front of the error makes its reply a mark that nothing else looks like.
_MARK = ":SYST:VERS?;:SYST:ERR?"
_VERSION = "1999.0"
_IDENTIFY_TRIES = 3
_IDENTIFY_S = 1.0
_QUIET_S = 0.05
# Somebody's short command, or a recorder that is about to offer the port to others.
_BUSY_S = 1.0
_AGAIN_S = 0.05

T = TypeVar("T")


@dataclass(frozen=True)
class Identity:
    """What `*IDN?` tells."""

    maker: str
    model: str
    serial_number: str
    firmware: str
    interpreter: str
    """`MicroPython 1.27.0`; on the simulated rung `core`, `CPython ...`."""


class Channel(Protocol):
    """What carries exchanges. Each method may raise DeviceLostError; after that the channel is of no use."""

    @property
    def port(self) -> str: ...

    @property
    def identity(self) -> Identity: ...

    def ask(self, message: str) -> list[str]:
        """The replies of a message. Raises DeviceError."""

    def line(self, message: str) -> str:
        """The one line that a message is answered with, unchecked: an error would leave it unanswered."""

    def resynchronise(self) -> None:
        """Bring both ends to the start of a line. Raises NoDeviceError when nothing answers any more."""

    def close(self) -> None: ...


class Carrier(Channel, Protocol):
    """What an Instrument needs: a channel, and the time that its device lives in."""

    def clock(self) -> float:
        """Seconds that go on at the pace at which one can wait."""

    def sleep(self, seconds: float) -> None: ...


Connect = Callable[[str], Channel]
"""Makes a channel anew, but not through the program that serves at the given address. Raises NoDeviceError and
PortBusyError."""


class Silence(DeviceLostError):
    """No reply in time, though the port is there."""


class Direct:
    """Exchanges over an open port."""

    def __init__(self, transport: Transport, timeout_s: float = 5.0) -> None:
        """Re-synchronise and check who answers. Raises NoDeviceError if nothing answers or something else does."""
        self.transport = transport
        self._timeout_s = timeout_s
        self.identity = self._identify()
        self._in_step = True

    @property
    def port(self) -> str:
        return self.transport.port

    def ask(self, message: str) -> list[str]:
        with self._keeping_step():
            self.transport.write_line(f"{message}\n{_MARK}")
            answers: list[str] = []
            while (code := _marked(parts := scpi.replies(self._read_line()))) is None:
                answers += parts
            if code:
                text = scpi.error(parts[1])[1]
                self._empty_error_queue()
                raise DeviceError(code, text, message)
        return answers

    def line(self, message: str) -> str:
        with self._keeping_step():
            self.transport.write_line(message)
            return self._read_line()

    def resynchronise(self) -> None:
        self.identity = self._identify()
        self._in_step = True

    def close(self) -> None:
        self.transport.close()

    @contextlib.contextmanager
    def _keeping_step(self) -> Iterator[None]:
        """After an exchange that did not come to its end, its late reply must not pass for that of the next."""
        if not self._in_step:
            self.resynchronise()
        self._in_step = False
        try:
            yield
        except DeviceError:
            self._in_step = True
            raise
        self._in_step = True

    def _read_line(self) -> str:
        line = self.transport.read_line(self._timeout_s)
        if line is None:
            raise Silence(f"device lost: {self.port} did not answer within {self._timeout_s:g} s")
        return line

    def _empty_error_queue(self) -> None:
        for _ in range(32):
            self.transport.write_line(":SYST:ERR?")
            if scpi.error(scpi.replies(self._read_line())[-1])[0] == 0:
                return

    def _identify(self) -> Identity:
        transport = self.transport
        # Ends whatever an earlier program left half written.
        transport.write_line("")
        transport.drain(_QUIET_S)
        heard = ""
        for attempt in range(_IDENTIFY_TRIES):
            transport.write_line("*CLS;*IDN?")
            deadline = time.monotonic() + _IDENTIFY_S
            while (line := transport.read_line(max(0.0, deadline - time.monotonic()))) is not None:
                heard = line or heard
                answer = scpi.fields(scpi.replies(line)[-1])
                if len(answer) == 4 and answer[0] == "ipch":
                    if attempt:
                        # The replies to the earlier attempts may still come.
                        transport.drain(_QUIET_S)
                    version, _, interpreter = answer[3].partition(" ")
                    return Identity(answer[0], answer[1], answer[2], version, interpreter)
        if heard:
            raise NoDeviceError(
                f"no regulator on {self.port}: it answers {heard[:60]!r}; is the ipch firmware on it?"
            )
        raise NoDeviceError(f"nothing answers on {self.port}; is it powered, and is it the regulator's port?")


def _marked(parts: list[str]) -> int | None:
    """The error number of the mark's reply; None for any other reply."""
    if len(parts) != 2 or parts[0] != _VERSION:
        return None
    try:
        return scpi.error(parts[1])[0]
    except ProtocolError:
        return None


def is_query(message: str) -> bool:
    """Whether a message only asks: then nothing happens twice when it is sent twice."""
    units = [unit.split() for unit in scpi.split_outside_quotes(message, ";") if unit.strip()]
    return bool(units) and all(words[0].endswith("?") for words in units)


class _FairLock:
    """A lock that is given in the order in which it was asked for, so that an eager client starves nobody.

    Ctrl-C, which may come at any moment of the main thread, leaves it neither taken nor waited for by nobody.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._queue: deque[tuple[threading.Event, int]] = deque()  # the first one has it

    def __enter__(self) -> None:
        mine = (threading.Event(), threading.get_ident())
        try:
            with self._guard:
                if self._queue and self._queue[0][1] == mine[1]:
                    # It was interrupted on its way out.
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
    """Whole exchanges with one device, over the port or through the program that has it; for several threads.

    The exchange during which the device goes away ends with ExchangeCutError, since nobody knows whether it
    was carried out; the next one opens the port again, wherever the device is now, and checks that it is the
    same device. With `reconnect_s`, messages that only ask are repeated for so long instead.
    """

    def __init__(self, connect: Connect, reconnect_s: float = 0.0) -> None:
        """Connect with `connect`, now and after each loss; raises what that raises."""
        self._open = connect
        self._reconnect_s = reconnect_s
        self._lock = _FairLock()
        self._closed = False
        self.listeners: list[Callable[[Channel | None], None]] = []
        """Told of every new channel, and with None that it is gone."""
        self.served_at = ""
        """Where this session itself serves others: back after a loss, it must not wait for its own answer."""
        self._channel: Channel | None = self._connect()
        self.identity = self._channel.identity
        self._port = self._channel.port

    clock = staticmethod(time.monotonic)
    sleep = staticmethod(time.sleep)

    @property
    def port(self) -> str:
        """Where the device is, or was last."""
        return self._port

    @property
    def channel(self) -> Channel | None:
        """What carries the exchanges now; None while the device is away."""
        return self._channel

    def ask(self, message: str) -> list[str]:
        """Raises DeviceError, ExchangeCutError, DeviceLostError."""
        return self._exchange(message, lambda channel: channel.ask(message))

    def line(self, message: str) -> str:
        return self._exchange(message, lambda channel: channel.line(message))

    def resynchronise(self) -> None:
        with self._lock:
            try:
                self._connected().resynchronise()
            except (NoDeviceError, DeviceLostError) as error:
                self._drop()
                # It was there a moment ago.
                raise DeviceLostError(f"device lost: {self.port} stopped answering") from error

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._drop()

    def _exchange(self, message: str, do: Callable[[Channel], T]) -> T:
        limit = time.monotonic() + self._reconnect_s
        while True:
            try:
                with self._lock:
                    return self._once(message, do)
            except (DeviceLostError, PortBusyError) as error:
                cut = isinstance(error, (ExchangeCutError, Silence))
                if self._closed or time.monotonic() >= limit or (cut and not is_query(message)):
                    raise
            time.sleep(_AGAIN_S)

    def _once(self, message: str, do: Callable[[Channel], T]) -> T:
        channel = self._connected()
        try:
            return do(channel)
        except (Silence, ProtocolError):
            # The line is there; the channel gets itself into step again.
            raise
        except NoDeviceError as error:
            self._drop()
            raise DeviceLostError(f"device lost: {self.port} stopped answering") from error
        except DeviceLostError as error:
            self._drop()
            if isinstance(error, ExchangeCutError):
                raise
            doubt = "" if is_query(message) else f"; nobody knows whether {message!r} was carried out"
            raise ExchangeCutError(f"{error}{doubt}") from error

    def _connected(self) -> Channel:
        """The channel, made anew if the last one was lost."""
        if self._channel is not None:
            return self._channel
        if self._closed:
            raise DeviceLostError(f"device lost: {self.port} is closed")
        try:
            channel = self._connect()
        except IpchError as error:
            raise DeviceLostError(f"device lost: {self.port} is not back yet: {error}") from error
        if channel.identity.serial_number != self.identity.serial_number:
            channel.close()
            raise DeviceLostError(
                f"device lost: on {channel.port} is {channel.identity.serial_number} now, "
                f"expected {self.identity.serial_number}"
            )
        self.identity = channel.identity
        self._channel = channel
        self._port = channel.port
        for listener in self.listeners:
            listener(channel)
        return channel

    def _connect(self) -> Channel:
        limit = time.monotonic() + _BUSY_S
        while True:
            try:
                return self._open(self.served_at)
            except PortBusyError:
                if time.monotonic() >= limit:
                    raise
            time.sleep(_AGAIN_S)

    def _drop(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None
            for listener in self.listeners:
                listener(None)
