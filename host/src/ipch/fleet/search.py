"""Channel Access: whether a record is served already. A client library would leave its repeater running."""

import contextlib
import os
import select
import socket
import struct
import time

_PORT = 5064
_HEADER = struct.Struct(">HHHHII")
_VERSION, _SEARCH, _NO_REPLY_UNLESS_SERVED, _MINOR = 0, 6, 5, 13
_WAIT_S = 0.5


def find_served(records: list[str], listen: str) -> tuple[str, str] | None:
    """A record of these that is served already, and the computer that serves it; None if nobody answers in half a
    second. Asks at `listen`, in EPICS_CA_ADDR_LIST and, beyond the loopback interface, by broadcast."""
    places = [listen, *os.environ.get("EPICS_CA_ADDR_LIST", "").split()]
    if not listen.startswith("127."):
        places += ["127.0.0.1", "255.255.255.255"]
    port = os.environ.get("EPICS_CA_SERVER_PORT", "")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        for number, record in enumerate(records):
            message = _request(number, record)
            for place in dict.fromkeys(places):
                host, _, own_port = place.partition(":")
                # An address that cannot be reached serves nothing either.
                with contextlib.suppress(OSError, ValueError, OverflowError):
                    asking.sendto(message, (host, int(own_port or port or _PORT)))
        limit = time.monotonic() + _WAIT_S
        while select.select([asking], [], [], max(0.0, limit - time.monotonic()))[0]:
            with contextlib.suppress(OSError):
                data, (host, _) = asking.recvfrom(65536)
                if (found := _answered(data)) is not None and found < len(records):
                    return records[found], str(host)
    return None


def _request(number: int, record: str) -> bytes:
    name = record.encode() + b"\0"
    name += b"\0" * (-len(name) % 8)
    version = _HEADER.pack(_VERSION, 0, 0, _MINOR, 0, 0)
    return version + _HEADER.pack(_SEARCH, len(name), _NO_REPLY_UNLESS_SERVED, _MINOR, number, number) + name


def _answered(data: bytes) -> int | None:
    """Number of the request that a datagram answers."""
    while len(data) >= _HEADER.size:
        command, size, _, _, _, number = _HEADER.unpack_from(data)
        if command == _SEARCH:
            return int(number)
        data = data[_HEADER.size + size :]
    return None
