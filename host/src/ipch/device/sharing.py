"""One owner process per port: it relays the messages of all other processes, each exchange as a whole.

The owner listens on a unix socket, or on the loopback interface where unix sockets are missing (Windows), and
publishes its address in a file in the user's runtime folder. Both sides send one JSON object per line:
`{"ask": MESSAGE}` -> `{"replies": [...]}`, `{"line": MESSAGE}` -> `{"line": "..."}`, `{"resynchronise": true}`
-> `{}`; or `{"error": [KIND, ...]}`. The first is `{"token": "..."}` -> `{"identity": {...}, "port": "..."}`.
A program says what it does with the device by `{"announce": {...}}` -> `{}`, until it disconnects; `{"tasks": true}`
-> `{"tasks": [...]}` lists what all programs have said, so that `ipch set` knows of a recipe that runs. An owner that
ends says `{"ended": true}`: it has taken no later message, so the client may send it elsewhere.
"""

import contextlib
import hashlib
import hmac
import json
import logging
import os
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from ipch.base import local_socket
from ipch.base.paths import is_alive, is_mine, is_suspended, owners_dir
from ipch.device.session import (
    Carrier,
    Channel,
    Direct,
    Identity,
    OwnerEnded,
    Session,
    Silence,
    is_query,
)
from ipch.device.transport import Transport, find_port, list_ports, regulators, resolve_port
from ipch.errors import (
    DeviceError,
    DeviceLostError,
    ExchangeCutError,
    FileError,
    NoDeviceError,
    PortBusyError,
    ProtocolError,
)

# Longer than an owner waits for its device: after this time the owner hangs.
_TIMEOUT_S = 60.0
# The first answer needs no device.
_HELLO_S = 5.0
_LONGEST_LINE = 65536
# Retry time for a port that another program has open, and for one that another process of ipch is opening.
_BUSY_S = 1.0
_OPENING_S = 20.0
_AGAIN_S = 0.05
# An owner that ends lets the exchange in progress finish.
_LAST_EXCHANGE_S = 10.0
_LAST_ACCEPT_S = 1.0
_log = logging.getLogger(__name__)
_KINDS: dict[str, type[DeviceLostError] | type[NoDeviceError]] = {
    "lost": DeviceLostError,
    "cut": ExchangeCutError,
    "silent": Silence,
    "garbled": ProtocolError,
    "none": NoDeviceError,
}


class Owner:
    """Shares a session with other programs of this user while this process has the port open.

    `heard` is called with each of their messages that may have changed the device.
    """

    def __init__(self, session: Session, heard: Callable[[str], None] = lambda message: None) -> None:
        self._session = session
        self._heard = heard
        self._token = secrets.token_hex(16)
        self._entry: Path | None = None
        self._lasting: set[str] = set()
        self._listener: socket.socket | None = None
        self._accepting = threading.Thread(target=self._accept, name="ipch-owner", daemon=True)
        self._address = ""
        self._clients: dict[socket.socket, threading.Lock] = {}
        self._announced: dict[socket.socket | None, dict[str, Any]] = {}
        self._ended = False
        session.listeners.append(self._moved)
        self._moved(session.channel)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Disconnect all clients, each after its exchange in progress; the next one opens the port itself."""
        if self._ended:
            return
        self._ended = True
        self._session.listeners.remove(self._moved)
        self._session.served_at = ""
        self._withdraw_until_closed()
        if self._listener is not None:
            with contextlib.suppress(OSError):
                # Wakes accept().
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            # A client that was accepted just now is told, too.
            self._accepting.join(_LAST_ACCEPT_S)
        for client, turn in list(self._clients.items()):
            taken = turn.acquire(timeout=_LAST_EXCHANGE_S)
            with contextlib.suppress(OSError):
                client.sendall(b'{"ended": true}\n')
                client.shutdown(socket.SHUT_WR)
            if taken:
                turn.release()
        if local_socket.is_path(self._address):
            Path(self._address).unlink(missing_ok=True)

    def announce(self, task: dict[str, Any]) -> None:
        """Tell other programs what this one does with the device, such as the recipe that it runs."""
        self._announced[None] = task
        # An owner that has just ended is told no more; its successor is told in _moved.
        with contextlib.suppress(DeviceLostError):
            self._session.use(self._pass_on)

    def tasks(self) -> list[dict[str, Any]]:
        """What all programs that use the device have announced, by way of this process or of the port's owner."""
        elsewhere = running_tasks(self._session)
        return elsewhere or list(self._announced.values())

    def _pass_on(self, channel: Channel) -> None:
        if isinstance(channel, Owned) and None in self._announced:
            channel.announce(self._announced[None])

    def _moved(self, channel: Channel | None) -> None:
        """Publish a new port; while the device is away the owner still answers, by the names that last."""
        try:
            if isinstance(channel, Direct):
                self._publish(channel.transport.names())
                self._lasting = channel.transport.lasting_names()
            elif channel is None:
                if self._entry is not None:
                    self._publish(self._lasting)
            else:
                self._withdraw()
                with contextlib.suppress(DeviceLostError):
                    self._pass_on(channel)
        except (FileError, OSError) as error:
            _log.warning("other programs cannot use %s meanwhile: %s", self._session.port, error)

    def _publish(self, names: set[str]) -> None:
        if self._listener is None:
            self._listener, self._address = _listen()
            self._accepting.start()
        path = _file(self._address, ".json")
        entry = {"names": sorted(names), "address": self._address, "token": self._token}
        _write_entry(path, entry)
        self._entry = path
        self._session.served_at = self._address

    def _withdraw(self) -> None:
        if self._entry is not None:
            self._entry.unlink(missing_ok=True)
            self._entry = None

    def _withdraw_until_closed(self) -> None:
        """Withdraw; others who find the port busy wait until the session has closed it."""
        if self._entry is None or self._session.channel is None:
            self._withdraw()
            return
        closing, self._entry = self._entry.with_suffix(".opening"), None
        with contextlib.suppress(OSError):
            closing.with_suffix(".json").replace(closing)
        self._session.listeners.append(lambda channel: closing.unlink(missing_ok=True))

    def _accept(self) -> None:
        assert self._listener is not None
        while not self._ended:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._clients[client] = threading.Lock()
            threading.Thread(target=self._serve, args=(client,), name="ipch-client", daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        turn = self._clients[client]
        with contextlib.suppress(OSError, ValueError), client, client.makefile("rwb") as file:
            token = json.loads(file.readline(_LONGEST_LINE)).get("token", "")
            if hmac.compare_digest(str(token).encode(), self._token.encode()):
                hello = {"identity": asdict(self._session.identity), "port": self._session.port}
                _write(file, hello)
                while line := file.readline(_LONGEST_LINE):
                    with turn:
                        if self._ended:
                            _write(file, {"ended": True})
                            break
                        _write(file, self._answer(json.loads(line), client))
        self._announced.pop(client, None)
        self._clients.pop(client, None)

    def _answer(self, request: dict[str, Any], client: socket.socket) -> dict[str, Any]:
        session = self._session
        if "announce" in request:
            self._announced[client] = dict(request["announce"])
            return {}
        if "tasks" in request:
            return {"tasks": list(self._announced.values())}
        try:
            if "ask" in request:
                message = str(request["ask"])
                replies = session.ask(message)
                if not is_query(message):
                    self._heard(message)
                return {"replies": replies}
            if "line" in request:
                return {"line": session.line(str(request["line"]))}
            session.resynchronise()
            return {}
        except DeviceError as error:
            return {"error": ["refused", error.code, error.text]}
        except (DeviceLostError, NoDeviceError) as error:
            kind = next((kind for kind, cause in _KINDS.items() if type(error) is cause), "lost")
            return {"error": [kind, str(error)]}


class Owned:
    """Exchanges through the owner process of the port."""

    def __init__(self, address: str, token: str, pid: int = 0) -> None:
        """Raises OSError if no process listens, ValueError if another program does or if it hangs."""
        self._socket = local_socket.dial(address, _HELLO_S)
        self._file = self._socket.makefile("rwb")
        _resume(pid)
        try:
            hello = self._say({"token": token})
            self.identity = Identity(**hello["identity"])
            self.port = str(hello["port"])
            self._socket.settimeout(_TIMEOUT_S)
        except (DeviceLostError, KeyError, TypeError) as error:
            self.close()
            raise ValueError(str(error)) from error

    def ask(self, message: str) -> list[str]:
        return [str(reply) for reply in self._say({"ask": message}, message)["replies"]]

    def line(self, message: str) -> str:
        return str(self._say({"line": message}, message)["line"])

    def resynchronise(self) -> None:
        self._say({"resynchronise": True})

    def announce(self, task: dict[str, Any]) -> None:
        """Tell the owner what this program does with the device."""
        self._say({"announce": task})

    def tasks(self) -> list[dict[str, Any]]:
        """What the programs that use the device have announced."""
        return list(self._say({"tasks": True}).get("tasks", []))

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
        self._socket.close()

    def _say(self, request: dict[str, Any], message: str = "") -> dict[str, Any]:
        _log.debug("> %s", "token" if "token" in request else request)
        try:
            _write(self._file, request)
        except (BrokenPipeError, ConnectionResetError, ValueError) as error:
            # Only a whole line is a message.
            raise OwnerEnded(f"device lost: the owner process of its port is gone: {error}") from error
        except OSError as error:
            raise DeviceLostError(f"device lost: the owner process of its port is stuck: {error}") from error
        try:
            line = self._file.readline()
        except (OSError, ValueError) as error:
            raise DeviceLostError(
                f"device lost: the owner process of its port does not answer: {error}"
            ) from error
        if not line.endswith(b"\n"):
            raise DeviceLostError("device lost: the owner process of its port ended")
        _log.debug("< %s", line.decode("utf-8", "replace").rstrip())
        answer: dict[str, Any] = json.loads(line)
        if "ended" in answer:
            raise OwnerEnded("device lost: the owner process of its port has just ended")
        if "error" in answer:
            kind, *told = answer["error"]
            if kind == "refused":
                raise DeviceError(int(told[0]), str(told[1]), message)
            raise _KINDS[kind](str(told[0]))
        return answer


class _Way:
    """Connects to one device: through the owner process of its port, or by opening the port."""

    def __init__(self, name: str | None, timeout_s: float) -> None:
        self._name = name
        self._timeout_s = timeout_s
        self._transport: Transport | None = None

    def __call__(self, own_address: str) -> Channel:
        """Connect to the device at its present port; see `session.Connect`."""
        start = now = time.monotonic()
        while True:
            try:
                return self._connect(own_address)
            except PortBusyError:
                names = {self._name or ""} if self._transport is None else self._transport.names()
                if _is_being_opened(names):
                    now = time.monotonic()
                if time.monotonic() >= min(now + _BUSY_S, start + _OPENING_S):
                    raise
            time.sleep(_AGAIN_S)

    def _connect(self, own_address: str) -> Channel:
        name = self._name if self._transport is None else self._transport.find_again()
        if (found := find(name, own_address)) is not None:
            return found
        if self._transport is None:
            chosen = self._name or _only_regulator()
            if self._name is None and (found := find(chosen, own_address)) is not None:
                return found
            self._transport = Transport(chosen, opened=False)
        transport = self._transport
        try:
            transport.reopen()
            with _opening(transport.names()):
                return Direct(transport, self._timeout_s)
        except DeviceLostError as error:
            transport.close()
            if "://" in transport.port:
                # A network server with one line reports that it is busy only by disconnecting.
                raise PortBusyError(
                    f"port busy: {transport.port} disconnected; another program has it open: close that program first"
                ) from error
            raise
        except BaseException:
            transport.close()
            raise


def _only_regulator() -> str:
    """Port of the only regulator, also beside MicroPython boards that run something else. Raises NoDeviceError."""
    infos = [info for info in list_ports() if info.kind != "other"]
    boards = [info.port for info in infos if info.kind == "board"]
    if len(infos) > 1 and boards:
        with ThreadPoolExecutor(len(boards)) as pool:
            foreign = {
                port for port, ours in zip(boards, pool.map(_is_regulator, boards), strict=True) if not ours
            }
        left = regulators(info for info in infos if info.port not in foreign)
        if len(left) == 1:
            return left[0].port
    return find_port()


def _is_regulator(port: str) -> bool:
    """Ask a board who it is; True also for one that cannot be asked."""
    try:
        transport = Transport(port)
    except (NoDeviceError, PortBusyError):
        return True
    try:
        Direct(transport)
        return True
    except NoDeviceError:
        return False
    except DeviceLostError:
        return True
    finally:
        transport.close()


@contextlib.contextmanager
def _opening(names: set[str]) -> Iterator[None]:
    """Tell other processes of this user that this one is opening a port, so that they wait for it."""
    path = None
    with contextlib.suppress(FileError, OSError):
        path = _file(secrets.token_hex(4), ".opening")
        _write_entry(path, {"names": sorted(names)})
    try:
        yield
    finally:
        if path is not None:
            path.unlink(missing_ok=True)


def _is_being_opened(names: set[str]) -> bool:
    return any(names & set(entry["names"]) for entry in _entries(".opening", ".json"))


def open_session(name: str | None, timeout_s: float = 5.0, reconnect_s: float = 0.0) -> Session:
    """Open by path, COM name, USB serial number or URL; None opens the only device.

    Raises NoDeviceError, PortBusyError or UsageError.
    """
    return Session(_Way(name, timeout_s), reconnect_s)


def running_tasks(session: Carrier) -> list[dict[str, Any]]:
    """What other programs have announced to the owner process of this session's port; nothing without one."""
    if not isinstance(session, Session):
        return []
    return session.use(lambda channel: channel.tasks() if isinstance(channel, Owned) else []) or []


def recipe_among(tasks: list[dict[str, Any]]) -> str:
    """The recipe that runs, by what the programs of a device have announced, as text; empty without one."""
    for task in tasks:
        if task.get("kind") == "run":
            step = f", step {task['step']}" if task.get("step") else ""
            return f"the recipe {task.get('name')} runs on this device{step} (process {task.get('pid')})"
    return ""


def find(name: str | None, own_address: str = "") -> Owned | None:
    """Connect through the owner process of this port, or return None; `name` None means the only device.

    The owner at `own_address`, the caller itself, is skipped.
    """
    entries = [entry for entry in _entries(".json") if entry["address"] != own_address]
    if name is not None:
        wanted = {name}
        with contextlib.suppress(NoDeviceError):
            wanted.add(resolve_port(name))
        entries = [entry for entry in entries if wanted & set(entry["names"])]
    else:
        free = [info for info in list_ports() if info.kind != "other"]
        owned = {name for entry in entries for name in entry["names"]}
        if len(entries) != 1 or any(info.port not in owned for info in free):
            # No owner, or a choice of devices, which find_port() reports.
            return None
    for entry in entries:
        with contextlib.suppress(OSError, ValueError):
            return Owned(str(entry["address"]), str(entry["token"]), entry["pid"])
    return None


def _resume(pid: int) -> None:
    """Resume an owner that was suspended, as by Ctrl-Z: all others need it to reach the device."""
    if sys.platform != "win32" and is_suspended(pid):
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGCONT)
            _log.warning("process %d has the port open and was suspended; it is resumed", pid)


def _entries(*kinds: str) -> list[dict[str, Any]]:
    """Files of running owners; deletes those of ended ones, also sockets without an entry."""
    found = []
    try:
        paths = sorted(owners_dir().iterdir())
    except FileError as error:
        _log.warning("programs that have a port open cannot be found: %s", error)
        return []
    for path in paths:
        pid, _, _ = path.name.partition("-")
        if not is_mine(path) or not pid.isdecimal():
            continue
        if not is_alive(int(pid)):
            path.unlink(missing_ok=True)
        elif path.suffix in kinds:
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                entry = json.loads(path.read_text())
                found.append({**entry, "names": list(entry["names"]), "pid": int(pid)})
    return found


def _file(what: str, suffix: str) -> Path:
    return owners_dir() / f"{os.getpid()}-{hashlib.sha256(what.encode()).hexdigest()[:8]}{suffix}"


def _write_entry(path: Path, entry: dict[str, Any]) -> None:
    partial = path.with_suffix(".partial")
    partial.touch(mode=0o600)
    partial.write_text(json.dumps(entry))
    # Replace, so that a reader never sees a partial file.
    partial.replace(path)


def _listen() -> tuple[socket.socket, str]:
    return local_socket.listen(owners_dir() / f"{os.getpid()}-{secrets.token_hex(4)}")


def _write(file: Any, data: dict[str, Any]) -> None:
    file.write(json.dumps(data).encode() + b"\n")
    file.flush()
