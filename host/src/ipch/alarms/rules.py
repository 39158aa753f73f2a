"""Alarm rules: samples and times in, events out; alarms stay latched until acknowledged."""

import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ipch.alarms.config import WARNINGS, Config, Limit
from ipch.base.files import access
from ipch.device import Sample
from ipch.errors import FileError


@dataclass(frozen=True)
class Event:
    """An alarm that was raised or cleared."""

    name: str
    kind: str
    """raised, repeated or cleared; a cleared alarm stays listed until it is acknowledged. `well` for a heartbeat."""
    text: str
    utc: str
    uptime_s: float | None = None
    device: str = ""
    """Serial number of the device."""


@dataclass
class _Alarm:
    name: str
    text: str
    raised_utc: str
    active: bool = True
    acknowledged: bool = False
    device: str = ""
    told_s: float = 0.0
    """Unix time of its last delivery."""


class Alarms:
    """Latched alarms. Call `sample` for every sample and `tick` regularly; times in s of a monotonic clock."""

    def __init__(self, config: Config, state: Path | None = None, device: str = "") -> None:
        """The file `state` keeps the alarms of all devices between programs. Raises FileError if it is damaged."""
        self._config = config
        self._state = state
        self._device = device
        self._alarms: dict[tuple[str, str], _Alarm] = {}
        self._since: dict[str, float] = {}
        self._heard_s: float | None = None
        self._written_ns = 0
        self._reload()

    def sample(self, sample: Sample, now_s: float, fault_text: str = "") -> list[Event]:
        """Check a sample; return the changes. `fault_text` is the device's text for its fault."""
        self._reload()
        self._heard_s = now_s
        events = self._set("no sample", False, "", sample)
        if sample.faulty and not self._is_active(f"fault {sample.fault}"):
            text = fault_text or f"The fault {sample.fault} latched; see `ipch status`."
            events += self._set(f"fault {sample.fault}", True, text, sample)
        for alarm in list(self._alarms.values()):
            ours = alarm.device == self._device and alarm.name.startswith("fault ")
            if ours and alarm.name != f"fault {sample.fault}":
                events += self._set(alarm.name, False, "", sample)
        for bit, (name, text) in enumerate(WARNINGS):
            if name not in self._config.ignore_warnings and not math.isnan(sample.warnings):
                events += self._set(f"warning {name}", bool(sample.warning_bits >> bit & 1), text, sample)
        for limit in self._config.limit:
            events += self._set(limit.name, self._beyond(limit, sample, now_s), limit.text(), sample)
        return self._keep(events)

    def tick(self, now_s: float) -> list[Event]:
        """Check for the alarm 'no sample'; call it while no sample arrives."""
        self._reload()
        if self._heard_s is None:
            self._heard_s = now_s
        silent = now_s - self._heard_s >= self._config.no_sample_s
        text = (
            f"No sample for {self._config.no_sample_s:g} s; the device keeps following its last command, or has no "
            "power. Check power, cable and computer."
        )
        return self._keep(self._set("no sample", True, text, None) if silent else [])

    def reminders(self) -> list[Event]:
        """Alarms of this device that nobody has acknowledged for `repeat_s`."""
        if self._config.repeat_s is None:
            return []
        self._reload()
        now_s = time.time()
        events = []
        for alarm in self._alarms.values():
            ours = alarm.device == self._device and not alarm.acknowledged
            if ours and now_s - alarm.told_s >= self._config.repeat_s:
                alarm.told_s = now_s
                events.append(self._event(alarm.name, "repeated", f"Not acknowledged: {alarm.text}", None))
        return self._keep(events)

    def listed(self) -> list[dict[str, Any]]:
        """Active and unacknowledged alarms."""
        self._reload()
        return [asdict(alarm) for alarm in self._alarms.values()]

    def acknowledge(self, name: str | None = None) -> list[str]:
        """Acknowledge one alarm or all; return the names. An active alarm stays listed until it clears."""
        self._reload()
        done = [key for key, alarm in self._alarms.items() if name in (None, alarm.name)]
        for key in done:
            self._alarms[key].acknowledged = True
            if not self._alarms[key].active:
                del self._alarms[key]
        self._write()
        return [each for _, each in done]

    def _beyond(self, limit: Limit, sample: Sample, now_s: float) -> bool:
        value = float(getattr(sample, limit.field))
        slack = limit.hysteresis if self._is_active(limit.name) else 0.0
        if limit.above is not None:
            beyond = value > limit.above - slack
        else:
            assert limit.below is not None
            beyond = value < limit.below + slack
        # An invalid reading (nan) is never beyond a limit; the device warns about it.
        if not beyond:
            self._since.pop(limit.name, None)
            return False
        return now_s - self._since.setdefault(limit.name, now_s) >= limit.for_s

    def _is_active(self, name: str) -> bool:
        alarm = self._alarms.get((self._device, name))
        return alarm is not None and alarm.active

    def _set(self, name: str, active: bool, text: str, sample: Sample | None) -> list[Event]:
        key = (self._device, name)
        alarm = self._alarms.get(key)
        if active == (alarm is not None and alarm.active):
            return []
        if active:
            event = self._event(name, "raised", text, sample)
            self._alarms[key] = _Alarm(name, text, event.utc, device=self._device, told_s=time.time())
            return [event]
        assert alarm is not None
        alarm.active = False
        if alarm.acknowledged:
            del self._alarms[key]
        return [self._event(name, "cleared", f"Cleared: {alarm.text}", sample)]

    def _event(self, name: str, kind: str, text: str, sample: Sample | None) -> Event:
        utc = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        return Event(name, kind, text, utc, sample.uptime_s if sample else None, self._device)

    def _keep(self, events: list[Event]) -> list[Event]:
        if events:
            self._write()
        return events

    def _write(self) -> None:
        if self._state is None:
            return
        with access("write", self._state):
            self._state.parent.mkdir(parents=True, exist_ok=True)
            partial = self._state.with_suffix(".partial")
            partial.write_text(json.dumps([asdict(alarm) for alarm in self._alarms.values()]))
            partial.replace(self._state)
            self._written_ns = self._state.stat().st_mtime_ns

    def _reload(self) -> None:
        """Load changes by another program, such as acknowledgements."""
        if self._state is None or not self._state.is_file():
            return
        changed_ns = self._state.stat().st_mtime_ns
        if changed_ns == self._written_ns:
            return
        try:
            found = [_Alarm(**each) for each in json.loads(self._state.read_text())]
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise FileError(f"{self._state} is damaged: {error}; delete it") from error
        # An older version did not note the device.
        self._alarms = {(alarm.device, alarm.name): alarm for alarm in found if self._adopt(alarm)}
        self._written_ns = changed_ns

    def _adopt(self, alarm: _Alarm) -> bool:
        alarm.device = alarm.device or self._device
        return True
