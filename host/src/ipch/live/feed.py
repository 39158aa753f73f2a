"""The live state of one device: filled by the program that reads it, read by any number of pages."""

import contextlib
import json
import math
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ipch import __version__
from ipch.alarms import WARNINGS
from ipch.device import Instrument, Progress, Sample
from ipch.errors import IpchError
from ipch.live.history import History, hole, row_of

# A wall clock that differs from device time by more than this, beyond the drift of a crystal, was set, or the device
# is a simulation that runs at another speed.
_CLOCK_S, _CLOCK_DRIFT = 2.0, 1e-3


class Feed:
    """State and history of one device. Safe for threads; `sample` takes microseconds, however many pages there are."""

    def __init__(self, facts: dict[str, Any], ask_fault: Callable[[], str] = lambda: "") -> None:
        """`facts` does not change: serial_number, program, band_pa, setpoint_max_pa. `ask_fault` queries the device."""
        self.serial_number = str(facts["serial_number"])
        self.facts = facts
        self.history = History()
        self.latest: Sample | None = None
        self.heard_s = -math.inf
        """Monotonic time of the latest sample."""
        self.gaps = 0
        """How often the device was away."""
        self.alarms = 0
        """Number of alarms that the program raised."""
        self._ask_fault = ask_fault
        self._changed = threading.Condition()
        self._version = 0
        self._ended = ""
        self._away = "no sample yet"
        self._sentence = ""
        self._step: dict[str, Any] = {}
        self._anchor: tuple[int, float, float] | None = None
        self._last_time_s = 0.0

    def sample(self, sample: Sample) -> None:
        """Take in the latest sample."""
        if sample.faulty and (self.latest is None or self.latest.fault != sample.fault or not self._sentence):
            with contextlib.suppress(IpchError):
                self._sentence = self._ask_fault()
        with self._changed:
            self.history.add(row_of(self._time_s(sample), sample))
            self.latest, self.heard_s, self._away = sample, time.monotonic(), ""
            self._note()

    def lost(self, reason: str) -> None:
        """The device is away, for this reason; may be called again and again meanwhile."""
        with self._changed:
            if reason == self._away:
                return
            if not self._away:
                self.gaps += 1
                self.history.add(hole(time.time()))
            self._away = reason
            self._note()

    def progress(self, now: Progress) -> None:
        """Take in the progress of a recipe."""
        if now.sample is None:
            self.lost(now.text)
        else:
            self.step(now.text, now.fraction, now.step_s, now.remaining_s)

    def step(self, text: str, fraction: float, step_s: float, run_s: float) -> None:
        """The present step of the recipe: its text, the share of the run that is done, what is left of step and run."""
        with self._changed:
            # As instants: nothing has to be sent while nothing but the time passes.
            ends = {"step_ends_s": time.time() + step_s, "run_ends_s": time.time() + run_s}
            self._step = {"text": text, "share": round(fraction, 4), **ends}
            self._note()

    def no_step(self) -> None:
        """No recipe runs."""
        with self._changed:
            self._step = {}

    def end(self, text: str) -> None:
        """The program ends: tell the pages why."""
        with self._changed:
            self._ended = text
            self._note()

    def wait(self, version: int, timeout_s: float) -> int:
        """Wait until the state is newer than `version`, or for `timeout_s`; return its version."""
        with self._changed:
            self._changed.wait_for(lambda: self._version != version, timeout_s)
            return self._version

    @property
    def ended(self) -> str:
        return self._ended

    @property
    def away(self) -> str:
        """Why the device is away; empty while it answers."""
        return self._away

    @property
    def age_s(self) -> float:
        """Seconds since the latest sample."""
        return time.monotonic() - self.heard_s

    def state(self) -> dict[str, Any]:
        """Everything that a page shows besides the history, ready for JSON."""
        with self._changed:
            sample = self.latest
            found: dict[str, Any] = {"facts": self.facts, "away": self._away, "ended": self._ended}
            found["step"] = self._step
            if sample is None:
                return found
            values = {
                name: None if isinstance(value, float) and not math.isfinite(value) else value
                for name, value in sample.row().items()
            }
            found["sample"] = values
            found["row"] = row_of(self._last_time_s, sample)
            found["sentence"] = self._sentence if sample.faulty else ""
            found["warnings"] = [
                [name, text] for bit, (name, text) in enumerate(WARNINGS) if sample.warning_bits >> bit & 1
            ]
            return found

    def message(self) -> str:
        """The state as JSON, with the age of the sample now."""
        age_s = self.age_s
        return json.dumps(self.state() | {"age_s": round(age_s, 1) if math.isfinite(age_s) else None})

    def _note(self) -> None:
        self._version += 1
        self._changed.notify_all()

    def _time_s(self, sample: Sample) -> float:
        """Unix time of a sample: by the host's clock, in device time if that passes at another speed."""
        now_s = time.time()
        if self._anchor is None or self._anchor[0] != sample.boot:
            self._anchor = (sample.boot, sample.uptime_s, max(now_s, self._last_time_s))
        _, uptime_s, utc_s = self._anchor
        passed_s = sample.uptime_s - uptime_s
        same = abs(now_s - utc_s - passed_s) < _CLOCK_S + _CLOCK_DRIFT * passed_s
        self._last_time_s = now_s if same else utc_s + passed_s
        return self._last_time_s


def open_feed(instrument: Instrument, program: str, record: Path | None = None) -> Feed:
    """A feed for an open device; the history of `record` is read in a thread of its own."""
    facts = {
        "serial_number": instrument.identity.serial_number,
        "firmware": instrument.identity.firmware,
        "ipch": __version__,
        "program": program,
        **{name: instrument.setting(name).value for name in ("dead_band_pa", "setpoint_max_pa")},
    }
    feed = Feed(facts, lambda: instrument.fault.sentence)
    if record is not None:
        threading.Thread(target=feed.history.seed, args=(record, time.time()), daemon=True).start()
    return feed
