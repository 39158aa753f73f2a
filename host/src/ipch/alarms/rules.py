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
    """raised or cleared; a cleared alarm stays listed until it is acknowledged."""
    text: str
    utc: str
    uptime_s: float | None = None


@dataclass
class _Alarm:
    name: str
    text: str
    raised_utc: str
    active: bool = True
    acknowledged: bool = False


class Alarms:
    """Latched alarms. Call `sample` for every sample and `tick` regularly; times in s of a monotonic clock."""

    def __init__(self, config: Config, state: Path | None = None) -> None:
        """The file `state` keeps alarms between programs. Raises FileError if it is damaged."""
        self._config = config
        self._state = state
        self._alarms: dict[str, _Alarm] = {}
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
            if alarm.name.startswith("fault ") and alarm.name != f"fault {sample.fault}":
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

    def listed(self) -> list[dict[str, Any]]:
        """Active and unacknowledged alarms."""
        self._reload()
        return [asdict(alarm) for alarm in self._alarms.values()]

    def acknowledge(self, name: str | None = None) -> list[str]:
        """Acknowledge one alarm or all; return the names. An active alarm stays listed until it clears."""
        self._reload()
        done = [alarm.name for alarm in self._alarms.values() if name in (None, alarm.name)]
        for each in done:
            self._alarms[each].acknowledged = True
            if not self._alarms[each].active:
                del self._alarms[each]
        self._write()
        return done

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
        return name in self._alarms and self._alarms[name].active

    def _set(self, name: str, active: bool, text: str, sample: Sample | None) -> list[Event]:
        alarm = self._alarms.get(name)
        if active == (alarm is not None and alarm.active):
            return []
        utc = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        uptime_s = sample.uptime_s if sample else None
        if active:
            self._alarms[name] = _Alarm(name, text, utc)
            return [Event(name, "raised", text, utc, uptime_s)]
        assert alarm is not None
        alarm.active = False
        if alarm.acknowledged:
            del self._alarms[name]
        return [Event(name, "cleared", f"Cleared: {alarm.text}", utc, uptime_s)]

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
            self._alarms = {each["name"]: _Alarm(**each) for each in json.loads(self._state.read_text())}
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise FileError(f"{self._state} is damaged: {error}; delete it") from error
        self._written_ns = changed_ns
