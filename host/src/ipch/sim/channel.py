"""Control channel of a running simulator: a local socket for `ipch inject`.

One JSON object per line each way. `{"inject": NAME, "values": {...}}`, `{"clear": NAME or null}` or `{"list": null}`
is answered by `{"active": [...]}`, or by `{"error": "one line"}` if nothing was changed. `{"plug": false}`
unplugs the serial line's cable, true plugs it in again: `{"port": "..."}`, empty without one.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import tempfile
from pathlib import Path
from typing import Any

from ipch.base import local_socket
from ipch.errors import NoDeviceError, UsageError
from ipch.sim.injector import active, clear, inject
from ipch.sim.world import World

_LONGEST = 4096
_TIMEOUT_S = 10.0


class Channel:
    """The simulator's end; `serve` never waits."""

    def __init__(self) -> None:
        # A socket's path must be short, so it does not lie beside other files.
        self._folder = tempfile.mkdtemp(prefix="ipch-")
        self._listener, self.path = local_socket.listen(Path(self._folder) / "control")
        self._listener.setblocking(False)
        self._clients: dict[socket.socket, bytes] = {}

    def serve(self, world: World) -> None:
        """Answer all requests since the last call."""
        with contextlib.suppress(BlockingIOError):
            client, _ = self._listener.accept()
            client.setblocking(False)
            self._clients[client] = b""
        for client in list(self._clients):
            try:
                data = client.recv(_LONGEST)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            self._clients[client] += data
            line, end, rest = self._clients[client].partition(b"\n")
            if end:
                self._clients[client] = rest
                with contextlib.suppress(OSError):
                    client.sendall(json.dumps(_answer(world, line)).encode() + b"\n")
            elif not data or len(line) > _LONGEST:
                del self._clients[client]
                client.close()

    def close(self) -> None:
        """Close the connection and remove the socket."""
        for client in self._clients:
            client.close()
        self._listener.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def _answer(world: World, line: bytes) -> dict[str, Any]:
    try:
        request = json.loads(line)
        if "inject" in request:
            inject(world, str(request["inject"]), dict(request.get("values", {})))
        elif "clear" in request:
            name = request["clear"]
            return {
                "cleared": clear(world, None if name is None else str(name)),
                "active": active(world),
            }
        elif "plug" in request:
            return {"port": world.plug(bool(request["plug"]))}
        return {"active": active(world)}
    except UsageError as error:
        return {"error": str(error)}
    except (ValueError, TypeError):
        return {"error": "expected one JSON object with inject, clear or list"}


def ask(path: str, request: dict[str, Any]) -> dict[str, Any]:
    """Send a request to a running simulator; return its answer. Raises UsageError, or NoDeviceError."""
    try:
        with local_socket.dial(path, _TIMEOUT_S) as client:
            client.sendall(json.dumps(request).encode() + b"\n")
            data = b""
            while not data.endswith(b"\n"):
                received = client.recv(_LONGEST)
                if not received:
                    raise OSError("it hung up")
                data += received
    except OSError as error:
        raise NoDeviceError(f"the simulator does not answer at {path}: {error}") from None
    answer: dict[str, Any] = json.loads(data)
    if "error" in answer:
        raise UsageError(str(answer["error"]))
    return answer
