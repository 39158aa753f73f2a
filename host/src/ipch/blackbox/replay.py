"""Replay of a black box: the firmware's own code processes the recorded counts on this machine.

It starts from a keyframe. From there on every valve command must equal the recorded one, bit for bit, and each later
keyframe must match integer by integer.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from ipch.base.generated import names_crc, parts, slot_names
from ipch.blackbox.capture import BlackBox, Keyframe
from ipch.errors import CheckError, FileError
from ipch.sim.rigs import load_firmware

SWITCHES = ("supply isolation", "vent isolation", "relief")
# Columns that a tick must reproduce; the other columns are its inputs.
OUTPUTS = ("levels", "pulse_us", "state")
_SAFE, _COILS = 8, 16


@dataclass(frozen=True)
class Step:
    """One tick of a replay."""

    row: int
    time_s: float
    """Relative to the trip, or to the last row without one."""
    recorded: dict[str, int]
    replayed: dict[str, int]
    """The values of `recorded` that are commands."""
    requests: list[str]
    differences: list[str]
    """As text; empty if the tick matches the record."""


class _Rig:
    """The rig contract with recorded inputs; it stores the outputs."""

    serial_number = "REPLAY"
    reset_cause = 0

    def __init__(self) -> None:
        self.row: dict[str, int] = {}
        self.levels = 0
        self.pulse_us = 0

    def begin(self, row: dict[str, int]) -> None:
        self.row = row
        self.levels = self.pulse_us = 0

    def wait_tick(self) -> int:
        return self.row["dt_ms"]

    def read(self, sample: Any) -> None:
        for name, value in self.row.items():
            if hasattr(sample, name):
                setattr(sample, name, value)

    def pulse(self, valve: int, us: int) -> None:
        self.pulse_us = -us if valve else us

    def switch(self, supply_isolation: bool, vent_isolation: bool, relief: bool) -> None:
        self.levels = self.levels & _SAFE | supply_isolation | vent_isolation << 1 | relief << 2

    def safe(self) -> None:
        self.levels = _SAFE
        self.pulse_us = 0

    def show(self, pattern: int, cell_ok: bool, monitor_permille: int) -> None:
        pass

    def collect(self) -> None:
        pass

    def feed(self, coils: bool) -> None:
        self.levels |= _COILS if coils else 0


class _Line:
    """The line: the command of the tick, and whether there was any traffic."""

    def __init__(self) -> None:
        self.line: bytes | None = None
        self.error = 0
        self.unsent = 0
        self.busy = False
        self.unsent = 0

    def poll(self) -> bool:
        return self.busy

    def take_line(self) -> bytes | None:
        line, self.line = self.line, None
        return line

    def send(self, text: str) -> bool:
        return True

    def flush(self) -> bool:
        return False


class _Store(SimpleNamespace):
    """A flash that accepts every write and stores nothing."""

    def __init__(self, settings: Any) -> None:
        super().__init__(
            boots=1,
            starts=1,
            writes=0,
            failures=0,
            settings_failed=False,
            state_failed=False,
            lost=False,
            state_lost=False,
            last={},
            settings=settings,
        )

    def begin_settings(self) -> None:
        pass

    def begin_state(self, values: dict[str, int]) -> None:
        pass

    def step(self) -> bool:
        return True

    def forget_starts(self) -> None:
        self.starts = 0

    def confirm(self, confirmed: bool) -> None:
        self.lost = not confirmed

    def text(self, entry: str) -> bytes:
        return entry.encode()


class Replay:
    """The firmware with a keyframe loaded, ready for the rows after it. `app` may be inspected at every step."""

    def __init__(self, box: BlackBox) -> None:
        """Raises FileError if this firmware is another one, or without a keyframe to start from."""
        modules = load_firmware()
        self.box = box
        self.states = tuple(row[0] for row in modules["regulator.modes"].TABLE)
        self._rig = _Rig()
        self._line = _Line()
        self._times_s = box.times_s()
        start = self._start(sys.modules["regulator.store.record"].PENDING, modules)
        self.start_row = start.row
        self._keyframes = {each.row: each for each in box.keyframes if each.row > start.row}

    def _start(self, pending: int, modules: dict[str, Any]) -> Keyframe:
        box = self.box
        lost_row = -1 if box.lost_row is None else box.lost_row
        for keyframe in sorted(box.keyframes, key=lambda each: each.row):
            if keyframe.row < lost_row:
                continue
            self.app = self._make(modules, self._settings(keyframe.row))
            self._found = parts(self.app)
            self.names = slot_names(self._found)
            if names_crc(self._found) != box.names_crc:
                raise FileError(
                    f"recorded by firmware {box.identity.get('firmware', '?')} whose internal values are not those of "
                    "this version; install the ipch that came with that firmware"
                )
            self._restore(keyframe.values)
            # The warning stands for the store, which is not recorded: an unconfirmed board refuses to regulate.
            lost = sys.modules["regulator.faults"].SETTINGS_LOST
            self.app.store.confirm(not self.app.watches.warnings & lost)
            if self.app.record.outcome != pending:
                # While it decides on a resume, the firmware reads its flash, which is not recorded.
                return keyframe
        raise FileError(
            "no keyframe to start from: the black box was frozen too early, or the commands of the host filled it"
        )

    def _make(self, modules: dict[str, Any], values: dict[str, int]) -> Any:
        settings = modules["regulator.settings"].Settings()
        reason = settings.load(values)
        if reason:
            raise FileError(f"the firmware refuses the recorded settings: {reason}")
        return modules["regulator.app"].App(self._rig, self._line, _Store(settings), modules["generated"])

    def _settings(self, row: int) -> dict[str, int]:
        """The settings at the end of a row."""
        values = dict(self.box.settings)
        for request in reversed(self.box.requests):
            if request.row > row and request.text.startswith('"'):
                name, _, value = request.text[1:].partition('" ')
                values[name] = int(value)
        return values

    def _restore(self, values: list[int]) -> None:
        place = iter(values)
        for _, thing, names in self._found:
            for name, length in names:
                held = getattr(thing, name)
                if length:
                    for index in range(length):
                        held[index] = next(place)
                else:
                    value = next(place)
                    setattr(thing, name, bool(value) if isinstance(held, bool) else value)

    def values(self) -> list[int]:
        """The present values of a keyframe's integers."""
        found: list[int] = []
        for _, thing, names in self._found:
            for name, length in names:
                held = getattr(thing, name)
                found += [int(each) for each in held] if length else [int(held)]
        return found

    def value(self, name: str) -> int:
        """One of these integers, by name."""
        return self.values()[self.names.index(name)]

    def steps(self) -> Iterator[Step]:
        """Run tick after tick to the end of the record."""
        box = self.box
        for row in range(self.start_row + 1, len(box.rows)):
            recorded = dict(zip(box.fields, box.rows[row], strict=True))
            requests = [each.text for each in box.requests if each.row == row]
            commands = [text for text in requests if not text.startswith('"')]
            if len(commands) > 1:
                raise FileError(f"row {row} has {len(commands)} commands; a tick carries out one")
            self._rig.begin(recorded)
            self._line.line = commands[0].encode() if commands else None
            self._line.busy = bool(recorded["busy"])
            self.app.tick()
            replayed = {
                "levels": self._rig.levels,
                "pulse_us": self._rig.pulse_us,
                "state": int(self.app.modes.state),
            }
            differences = [
                f"{name} {recorded[name]} was recorded, {replayed[name]} came out"
                for name in OUTPUTS
                if recorded[name] != replayed[name]
            ]
            keyframe = self._keyframes.get(row)
            if keyframe and not differences:
                differences = [
                    f"{name} was {then} in the record, now {now}"
                    for name, then, now in zip(self.names, keyframe.values, self.values(), strict=True)
                    if then != now
                ][:5]
            yield Step(row, self._times_s[row], recorded, replayed, requests, differences)


def check(step: Step) -> None:
    """Raise CheckError for the first tick that differs from the record."""
    if step.differences:
        raise CheckError(
            f"the replay differs at row {step.row} ({step.time_s:+.3f} s): {'; '.join(step.differences)}"
        )
