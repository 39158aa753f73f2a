"""The device's serial line from outside: a pseudo-terminal and, on request, a TCP port, with USB-like FIFOs."""

from __future__ import annotations

import os
import pty
import select
import socket
import time
import tty
from collections.abc import Callable

# Size of the board's USB FIFOs in bytes; the sender keeps the rest.
FIFO_BYTES = 256


class SerialLine:
    """Both ends of the line. Nothing here ever waits: the device must not notice whether a host reads."""

    def __init__(self, tcp: int | None = None) -> None:
        """Open a pseudo-terminal, and listen on 127.0.0.1:`tcp` as well (0 picks a free port)."""
        self._poll = select.poll()
        self._master = self._slave = -1
        self.port = ""
        self.moved: Callable[[str], object] = lambda port: None
        self.to_device = bytearray()
        self.to_host = bytearray()
        self._listener: socket.socket | None = None
        self._client: socket.socket | None = None
        self.plug()
        self.tcp_port: int | None = None
        if tcp is not None:
            self._listener = socket.create_server(("127.0.0.1", tcp))
            self._listener.setblocking(False)
            self.tcp_port = self._listener.getsockname()[1]
            self._poll.register(self._listener, select.POLLIN)
        self._answers_to_tcp = False

    @property
    def plugged(self) -> bool:
        """Whether the cable is plugged in."""
        return self._master >= 0

    def plug(self) -> None:
        """Plug the cable in: the new pseudo-terminal may have another name."""
        if self.plugged:
            return
        self._master, self._slave = pty.openpty()
        # Keep the far end open, so that a host may come and go without a hang-up.
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.port = os.ttyname(self._slave)
        self._poll.register(self._master, select.POLLIN)
        self.moved(self.port)

    def unplug(self) -> None:
        """Unplug the cable: hosts see a hang-up, and data in transit are lost."""
        if not self.plugged:
            return
        self._poll.unregister(self._master)
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
        if self.to_host:
            self._deliver()
        while True:
            for descriptor, _ in self._poll.poll(wait_s * 1000):
                if descriptor == self._master:
                    self._take_terminal()
                elif self._listener is not None and descriptor == self._listener.fileno():
                    self._accept()
                else:
                    self._take_socket()
            # Host traffic must not shorten the tick, or a host that floods would make time race.
            wait_s = end - time.monotonic()
            if wait_s <= 0:
                return
            if len(self.to_device) >= FIFO_BYTES:
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

    def _take_terminal(self) -> None:
        space = FIFO_BYTES - len(self.to_device)
        if space > 0:
            self.to_device += os.read(self._master, space)
            self._answers_to_tcp = False

    def _accept(self) -> None:
        assert self._listener is not None
        if self._client is not None and self._client_may_be_gone():
            # A new connection waits in the backlog until the old one's data have been read.
            return
        client, _ = self._listener.accept()
        if self._client is not None:
            # One owner per line.
            client.close()
            return
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client = client
        self._poll.register(client, select.POLLIN)

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
        assert self._client is not None
        space = FIFO_BYTES - len(self.to_device)
        if space <= 0:
            return
        try:
            received = self._client.recv(space)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        if not received:
            self._drop_client()
            return
        self.to_device += received
        self._answers_to_tcp = True

    def _drop_client(self) -> None:
        if self._client is not None:
            self._poll.unregister(self._client)
            self._client.close()
            self._client = None

    def _deliver(self) -> None:
        try:
            if self._answers_to_tcp and self._client is not None:
                sent = self._client.send(self.to_host)
            elif not self.plugged:
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
