"""Sockets between programs of this computer: unix sockets, or the loopback interface where there are none (Windows)."""

import os
import socket
import sys
from pathlib import Path

# Limit of sun_path on all systems.
_LONGEST_PATH = 100


def listen(path: Path) -> tuple[socket.socket, str]:
    """Listen at a path that does not exist yet; return the socket and its address for `dial`."""
    if sys.platform != "win32" and hasattr(socket, "AF_UNIX") and len(str(path)) <= _LONGEST_PATH:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        os.chmod(path, 0o600)
        address = str(path)
    else:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    listener.listen()
    return listener, address


def is_path(address: str) -> bool:
    return address.startswith(os.sep)


def dial(address: str, timeout_s: float) -> socket.socket:
    """Connect to an address that `listen` returned. Raises OSError."""
    if sys.platform != "win32" and is_path(address):
        client = socket.socket(socket.AF_UNIX)
        where: str | tuple[str, int] = address
    else:
        client = socket.socket()
        host, _, port = address.rpartition(":")
        where = (host, int(port))
    client.settimeout(timeout_s)
    try:
        client.connect(where)
    except OSError:
        client.close()
        raise
    return client
