"""The device's black box as a file: fetched over the serial line, checked, read back.

The file is JSON. `rows` are the ticks, oldest first, with a value for each name in `fields`. Elsewhere `row`
counts them from 0; it is negative for events before the oldest. `crc32` covers the rest, written with sorted keys and
without blanks.
"""

import json
import struct
import time
import zlib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from ipch.base.files import access, read_text
from ipch.device import Instrument, scpi
from ipch.errors import FileError, ProtocolError

FORMAT = "ipch black box"
VERSION = 1

# Fields of the array `bits` and their widths, lowest first (firmware/COMMANDS.md). Older firmware has arrays instead.
_BITS = {
    "faults": 3,
    "coil_dead": 5,
    "coil_shorted": 5,
    "rail_on": 1,
    "tripped": 1,
    "busy": 1,
    "levels": 5,
    "state": 4,
}
_SIZES = {"B": 1, "h": 2, "H": 2, "i": 4}
_REPLY_BYTES = 256
_FREEZE_TRIES = 2000


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Keyframe(_Strict):
    """Every integer of the regulator's objects at the end of the tick `row`."""

    row: int
    values: list[int]


class Request(_Strict):
    """A command carried out in the tick `row`; or, in quotes, a setting and its value before that tick."""

    row: int
    text: str


class BlackBox(_Strict):
    """The fetched black box."""

    format: str
    version: int
    fetched_utc: str
    identity: dict[str, str]
    fault: str
    """Name of the fault that froze it; NONE if a command did."""
    trip_row: int | None
    missed: int
    """Faults that occurred after it was frozen."""
    end_uptime_s: float
    settings: dict[str, int]
    """At the end of the record."""
    fields: list[str]
    rows: list[list[int]]
    names_crc: str
    """CRC32 of the names of a keyframe's values: replay needs firmware with the same names."""
    keyframes: list[Keyframe]
    requests: list[Request]
    lost_row: int | None
    """Row of the last request that did not fit: a replay must begin after it."""

    def column(self, name: str) -> list[int]:
        """One value of every row."""
        index = self.fields.index(name)
        return [row[index] for row in self.rows]

    def times_s(self) -> list[float]:
        """Time of each row in s, relative to the trip, or to the last row without one."""
        ends, total_ms = [], 0
        for dt_ms in self.column("dt_ms"):
            total_ms += dt_ms
            ends.append(total_ms)
        zero_ms = ends[self.trip_row if self.trip_row is not None else -1]
        return [(end - zero_ms) / 1000 for end in ends]


def fetch(instrument: Instrument) -> BlackBox:
    """Freeze the black box unless a trip has done so, and read it; it stays frozen. Raises DeviceError."""
    state = scpi.fields(instrument.query(":TRAC:STAT?"))
    if state[0] == "ARMED":
        instrument.ask(":TRAC:FRE")
    for _ in range(_FREEZE_TRIES):
        # The second after a trip is still being recorded.
        state = scpi.fields(instrument.query(":TRAC:STAT?"))
        if state[0] == "FROZEN":
            break
    else:
        raise ProtocolError("the device does not freeze its black box")
    count, capacity, oldest = (int(text) for text in scpi.fields(instrument.query(":TRAC:POIN?")))
    if not count:
        raise FileError("the black box is empty; it records from the next tick on")
    catalog = scpi.fields(instrument.query(":TRAC:CAT?"))
    blocks = {
        name: _read(instrument, name, code, int(length))
        for name, code, length in zip(catalog[::3], catalog[1::3], catalog[2::3], strict=True)
    }
    names = [
        name for name, length in zip(catalog[::3], catalog[2::3], strict=True) if int(length) == capacity
    ]
    if "bits" in names:
        names.remove("bits")
        at = 0
        for name, width in _BITS.items():
            blocks[name] = [value >> at & (1 << width) - 1 for value in blocks["bits"]]
            names.append(name)
            at += width
    order = [(oldest + index) % capacity for index in range(count)]
    crc, _, *ages = scpi.fields(instrument.query(":TRAC:KEYF?"))
    keyframes = [
        Keyframe(row=count - 1 - int(age), values=blocks[f"keyframe{slot}"])
        for slot, age in enumerate(ages)
        if 0 <= int(age) < count
    ]
    requests: list[Request] = []
    total, lost, *entry = scpi.fields(instrument.query(":TRAC:REQ? 0"))
    for index in range(int(total)):
        if index:
            _, _, *entry = scpi.fields(instrument.query(f":TRAC:REQ? {index}"))
        requests.append(Request(row=count - 1 - int(entry[0]), text=entry[1]))
    identity = instrument.identity
    return BlackBox(
        format=FORMAT,
        version=VERSION,
        fetched_utc=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        identity={name: str(getattr(identity, name)) for name in identity.__dataclass_fields__},
        fault=state[1],
        trip_row=count - 1 - int(state[2]) if int(state[2]) >= 0 else None,
        missed=int(state[3]),
        end_uptime_s=int(state[4]) / 1000,
        settings=dict(zip(instrument.setting_names(), blocks["settings"], strict=True)),
        fields=names,
        rows=[[blocks[name][at] for name in names] for at in order],
        names_crc=crc,
        keyframes=sorted(keyframes, key=lambda keyframe: keyframe.row),
        requests=requests,
        lost_row=count - 1 - int(lost) if int(lost) >= 0 else None,
    )


def arm(instrument: Instrument) -> None:
    """Let the black box record again, discarding its content."""
    instrument.ask(":TRAC:ARM")


def save(path: Path, box: BlackBox) -> None:
    """Write the file and read it back. Raises FileError."""
    content = box.model_dump()
    text = json.dumps({**content, "crc32": _crc(content)}, indent=None, separators=(",", ":"))
    with access("write", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # One line per row, for people and for diff.
        path.write_text(text.replace("],[", "],\n[").replace('],"', '],\n"') + "\n", encoding="utf-8")
    if load(path) != box:
        raise FileError(f"{path} differs from the data written; is the disk full?")


def load(path: Path) -> BlackBox:
    """Read a file. Raises FileError for a damaged file or an unknown version."""
    try:
        content = json.loads(read_text(path))
    except ValueError as error:
        raise FileError(f"{path} is damaged: {error}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise FileError(f"{path} was not written by `ipch blackbox`")
    if content.get("version") != VERSION:
        raise FileError(
            f"{path} has version {content.get('version')}; this version of ipch reads version {VERSION}"
        )
    if content.pop("crc32", None) != _crc(content):
        raise FileError(f"{path} is damaged: its checksum does not match its content")
    try:
        box = BlackBox.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise FileError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    if any(len(row) != len(box.fields) for row in box.rows):
        raise FileError(f"{path} is damaged: rows and fields do not match")
    return box


def _read(instrument: Instrument, name: str, code: str, length: int) -> list[int]:
    """One array of the device, in as many replies as needed."""
    most = _REPLY_BYTES // _SIZES[code]
    data = b""
    for first in range(0, length, most):
        count = min(most, length - first)
        reply = instrument.query(f':TRAC:DATA? "{name}",{first},{count}')
        try:
            part = bytes.fromhex(reply)
        except ValueError:
            part = b""
        if len(part) != count * _SIZES[code]:
            raise ProtocolError(f"the device answered {reply[:40]!r} for a part of its black box")
        data += part
    return list(struct.unpack(f"<{length}{code}", data))


def _crc(content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return f"{zlib.crc32(text.encode()):08X}"
