"""The device's serial line from outside: a pseudo-terminal and, on request, a TCP port, with USB-like FIFOs.

Where there are no pseudo-terminals (Windows), the TCP port alone.
"""

from __future__ import annotations

import os
import selectors
import socket
import time
from collections.abc import Callable
from typing import Any

# Size of the board's USB FIFOs in bytes; the sender keeps the rest.
FIFO_BYTES = 256
_HAS_TERMINALS = hasattr(os, "openpty")
# Silence of the device, in ticks, after which nothing it sends belongs to an earlier host.
_QUIET_TICKS = 10
# A web page may send requests to any port of its visitor's computer.
_HTTP = (b"GET ", b"HEAD ", b"POST ", b"PUT ", b"DELETE ", b"CONNECT ", b"OPTIONS ", b"TRACE ", b"PATCH ")


class SerialLine:
    """Both ends of the line. Nothing here ever waits: the device must not notice whether a host reads."""

    def __init__(self, tcp: int | None = None) -> None:
        """Open a pseudo-terminal, and listen on 127.0.0.1:`tcp` as well (0 picks a free port)."""
        self._selector = selectors.DefaultSelector()
        self._held = False
        self._master = self._slave = -1
        self.port = ""
        self.moved: Callable[[str], object] = lambda port: None
        self.to_device = bytearray()
        self.to_host = bytearray()
        self._listener: socket.socket | None = None
        self._client: socket.socket | None = None
        self.tcp_port: int | None = None
        if tcp is not None or not _HAS_TERMINALS:
            self._listener = socket.create_server(("127.0.0.1", tcp or 0))
            self._listener.setblocking(False)
            self.tcp_port = self._listener.getsockname()[1]
            self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self.plug()
        self._answers_to_tcp = False
        self._quiet_ticks = _QUIET_TICKS
        self._greeting: bytes | None = None

    @property
    def plugged(self) -> bool:
        """Whether the cable is plugged in."""
        return bool(self.port)

    def plug(self) -> None:
        """Plug the cable in: the new pseudo-terminal may have another name."""
        if self.plugged:
            return
        self.port = self._open_terminal() if _HAS_TERMINALS else f"socket://127.0.0.1:{self.tcp_port}"
        self.moved(self.port)

    def _open_terminal(self) -> str:
        import tty

        # What Windows lacks.
        posix: Any = os
        set_raw: Any = vars(tty)["setraw"]
        self._master, self._slave = posix.openpty()
        # Keep the far end open, so that a host may come and go without a hang-up.
        set_raw(self._slave)
        posix.set_blocking(self._master, False)
        self._selector.register(self._master, selectors.EVENT_READ, self._take_terminal)
        return str(posix.ttyname(self._slave))

    def unplug(self) -> None:
        """Unplug the cable: hosts see a hang-up, and data in transit are lost."""
        if not self.plugged:
            return
        if self._master >= 0:
            self._selector.unregister(self._master)
            os.close(self._master)
            os.close(self._slave)
            self._master = self._slave = -1
        self.port = ""
        self._drop_client()
        self.to_device.clear()
        self.to_host.clear()
        self.moved("")

    def pump(self, wait_s: float = 0.0) -> None:
        """Move bytes between the host and the FIFOs for `wait_s`, at least once."""
        end = time.monotonic() + wait_s
        self._quiet_ticks = 0 if self.to_host or self.to_device else self._quiet_ticks + 1
        if self.to_host:
            self._deliver()
        while True:
            self._held = False
            for key, _ in self._selector.select(wait_s):
                key.data()
            # Host traffic must not shorten the tick, or a host that floods would make time race.
            wait_s = end - time.monotonic()
            if wait_s <= 0:
                return
            if len(self.to_device) >= FIFO_BYTES or self._held:
                time.sleep(wait_s)
                return

    def take(self, count: int) -> bytes:
        """Bytes received for the device, at most `count`."""
        taken = bytes(self.to_device[:count])
        del self.to_device[:count]
        return taken

    def room(self) -> int:
        """Number of bytes that the device may send now."""
        return FIFO_BYTES - len(self.to_host)

    def close(self) -> None:
        """Close the line for good."""
        self.moved = lambda port: None
        self.unplug()
        if self._listener is not None:
            self._listener.close()
        self._selector.close()

    def _take_terminal(self) -> None:
        if self._master < 0:
            return
        space = FIFO_BYTES - len(self.to_device)
        if space > 0 and self._may_answer(tcp=False):
            self.to_device += os.read(self._master, space)

    def _may_answer(self, tcp: bool) -> bool:
        """Return True if the host at this end may be heard: no reply to the other one is on its way."""
        if self._answers_to_tcp != tcp:
            if self._quiet_ticks < _QUIET_TICKS:
                self._held = True
                return False
            self._answers_to_tcp = tcp
        return True

    def _accept(self) -> None:
        assert self._listener is not None
        if self._client is not None and self._client_may_be_gone():
            # A new connection waits in the backlog until the old one's data have been read.
            self._held = True
            return
        if self._client is None and self._answers_to_tcp and self._quiet_ticks < _QUIET_TICKS:
            # Nor does it get the replies to the old one.
            self._held = True
            return
        client, _ = self._listener.accept()
        if self._client is not None:
            # One owner per line.
            client.close()
            return
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client = client
        self._greeting = b""
        self._selector.register(client, selectors.EVENT_READ, self._take_socket)

    def _client_may_be_gone(self) -> bool:
        assert self._client is not None
        try:
            self._client.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            pass
        return True

    def _take_socket(self) -> None:
        if self._client is None:
            return
        space = FIFO_BYTES - len(self.to_device)
        if space <= 0 or not self._may_answer(tcp=True):
            return
        try:
            received = self._client.recv(space)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        if received and self._greeting is not None:
            self._greeting += received
            if self._greeting.startswith(_HTTP):
                received = b""
            elif any(verb.startswith(self._greeting) for verb in _HTTP):
                return
            else:
                received, self._greeting = self._greeting, None
        if not received:
            self._drop_client()
            return
        self.to_device += received

    def _drop_client(self) -> None:
        if self._client is not None:
            self._selector.unregister(self._client)
            self._client.close()
            self._client = None

    def _deliver(self) -> None:
        try:
            if self._answers_to_tcp:
                # Without its client, nobody gets the rest.
                sent = len(self.to_host) if self._client is None else self._client.send(self.to_host)
            elif self._master < 0:
                sent = len(self.to_host)
            else:
                sent = os.write(self._master, self.to_host)
        except BlockingIOError:
            return
        except OSError:
            # The host hung up: data for it are lost, as on USB.
            sent = len(self.to_host)
            self._drop_client()
        del self.to_host[:sent]
