"""A thread that checks samples for alarms and delivers them."""

import contextlib
import math
import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from ipch.alarms.config import Config, load
from ipch.alarms.delivery import SEND_TIMEOUT_S, Delivery, ping
from ipch.alarms.outbox import Outbox
from ipch.alarms.rules import Alarms, Event
from ipch.base.paths import alarm_config, alarm_queue, alarm_state
from ipch.base.units import format_pressure, format_target
from ipch.device import Sample
from ipch.errors import FileError

_PERIOD_S = 1.0


class Watch:
    """Checks samples for alarms in its own thread, so that nothing here stops the recording."""

    def __init__(
        self, alarms: Alarms, config: Config, delivery: Delivery, outbox: Outbox, say: Callable[[str], None]
    ) -> None:
        """`say` is called with a line for each event."""
        self._alarms = alarms
        self._config = config
        self._delivery = delivery
        self._outbox = outbox
        self._say = say
        self._samples: queue.Queue[tuple[Sample, str] | None] = queue.Queue()
        self._last: tuple[Sample, float] | None = None
        self._pinged_s = -math.inf
        self._ping_fails = False
        self._thread = threading.Thread(target=self._run, name="alarms", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._samples.put(None)
        self._thread.join(2 * SEND_TIMEOUT_S)

    def sample(self, sample: Sample, fault_text: str = "") -> None:
        """Queue a sample; returns at once."""
        self._samples.put((sample, fault_text))

    def _run(self) -> None:
        while True:
            try:
                taken = self._samples.get(timeout=_PERIOD_S)
                if taken is None:
                    return
            except queue.Empty:
                taken = None
            try:
                for event in self._events(taken):
                    self._say(f"alarm {event.kind}: {event.name}: {event.text}")
                    self._delivery.put(event)
            except FileError as error:
                self._say(str(error))
            self._ping()

    def _events(self, taken: tuple[Sample, str] | None) -> list[Event]:
        now_s = time.monotonic()
        if taken is None:
            events = self._alarms.tick(now_s)
        else:
            self._last = (taken[0], now_s)
            events = self._alarms.sample(taken[0], now_s, taken[1])
        return [*events, *self._alarms.reminders(), *self._daily()]

    def _daily(self) -> list[Event]:
        wanted, now = self._config.heartbeat.daily, time.gmtime()
        if not wanted or self._last is None or time.strftime("%H:%M", now) < wanted:
            return []
        if not self._outbox.first_time("heartbeat", time.strftime("%Y-%m-%d", now)):
            return []
        open_ = [each["name"] for each in self._alarms.listed()]
        sample = self._last[0]
        told = f"{len(open_)} alarms: {', '.join(open_)}" if open_ else "All is well"
        pressure, target = format_pressure(sample.pressure_pa), format_target(sample.target_pa)
        text = f"{told}. {sample.state}, {pressure}, target {target}."
        return [Event("heartbeat", "well", text, time.strftime("%Y-%m-%dT%H:%M:%SZ", now), sample.uptime_s)]

    def _ping(self) -> None:
        """Tell the dead-man service, while samples arrive; its silence is the alarm."""
        beat, now_s = self._config.heartbeat, time.monotonic()
        silent = self._last is None or now_s - self._last[1] >= self._config.no_sample_s
        if not beat.ping or silent or now_s - self._pinged_s < beat.ping_every_s:
            return
        self._pinged_s = now_s
        try:
            ping(beat.ping)
            self._ping_fails = False
        except (OSError, ValueError) as error:
            if not self._ping_fails:
                self._say(f"the dead-man service at {beat.ping} cannot be reached: {error}")
            self._ping_fails = True


@contextlib.contextmanager
def watching(
    path: Path | None, say: Callable[[str], None], fault: Callable[[], str], device: str = ""
) -> Iterator[Callable[[Sample], None]]:
    """Yield a function that checks samples for alarms during the block; it does nothing without an alarm file.

    `path` None is the user's file, if it exists. `fault` queries the device for the text of its fault; `device` is its
    serial number.
    """
    place = path or alarm_config()
    if path is None and not place.is_file():
        yield lambda sample: None
        return
    config = load(place)
    last = "NONE"
    alarms, outbox = Alarms(config, alarm_state(), device), Outbox(alarm_queue(), str(place.resolve()))
    with Delivery(config, outbox, say) as delivery, Watch(alarms, config, delivery, outbox, say) as watch:

        def take(sample: Sample) -> None:
            nonlocal last
            text = fault() if sample.faulty and sample.fault != last else ""
            last = sample.fault
            watch.sample(sample, text)

        yield take
