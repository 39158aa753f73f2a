"""Read all records of an IOC with EPICS' own client library: `python -m bench.scenarios.epics_client` prints seconds.

By ctypes, as a control system in C reads: a client with a Python callback a record would be measured itself.
"""

from __future__ import annotations

import ctypes
import json
import sys
import time

from epicscorelibs import path

from ipch.fleet.ioc import ROWS

_LONGEST_S = ctypes.c_double(300.0)
_STRING, _CHARACTERS, _NORMAL = ctypes.c_long(0), 40, 1
_ONE = ctypes.c_ulong(1)


def read(names: list[str]) -> dict[str, float]:
    """Seconds for connecting, and then for one value of each as text; the best of three."""
    libca = ctypes.CDLL(path.get_lib("ca"), ctypes.RTLD_GLOBAL)
    channels = (ctypes.c_void_p * len(names))()
    begun_s = time.perf_counter()
    for number, name in enumerate(names):
        place = ctypes.byref(channels, number * ctypes.sizeof(ctypes.c_void_p))
        _check(libca.ca_create_channel(name.encode(), None, None, ctypes.c_uint(0), place))
    _check(libca.ca_pend_io(_LONGEST_S))
    connect_s = time.perf_counter() - begun_s
    values = ctypes.create_string_buffer(_CHARACTERS * len(names))
    times = []
    for _ in range(3):
        values.raw = bytes(len(values))
        begun_s = time.perf_counter()
        for number, channel in enumerate(channels):
            place = ctypes.byref(values, number * _CHARACTERS)
            _check(libca.ca_array_get(_STRING, _ONE, ctypes.c_void_p(channel), place))
        _check(libca.ca_pend_io(_LONGEST_S))
        times.append(time.perf_counter() - begun_s)
        # As text every value has a character at least.
        empty = values.raw[::_CHARACTERS].count(0)
        if empty:
            raise RuntimeError(f"{empty} of {len(names)} records told nothing")
    return {"records": len(names), "connect_s": connect_s, "read_s": min(times)}


def _check(status: int) -> None:
    if status != _NORMAL:
        raise RuntimeError(f"Channel Access answered {status}")


def main() -> None:
    """Beginnings of the records' names on stdin; one line of JSON."""
    names = [start + record for start in sys.stdin.read().split() for record in ROWS]
    print(json.dumps(read(names)), flush=True)


if __name__ == "__main__":
    main()
