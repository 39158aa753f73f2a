"""A thread that checks samples for alarms and delivers them."""

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from ipch.alarms.config import Config, load
from ipch.alarms.delivery import SEND_TIMEOUT_S, deliver
from ipch.alarms.rules import Alarms
from ipch.base.paths import alarm_config, alarm_state
from ipch.device import Sample
from ipch.errors import FileError


class Watch:
    """Checks samples for alarms in its own thread, so that a slow delivery does not stop the recording."""

    def __init__(
        self, alarms: Alarms, config: Config, say: Callable[[str], None], period_s: float = 1.0
    ) -> None:
        """`say` is called with a line for each event and each failed delivery."""
        self._alarms = alarms
        self._config = config
        self._say = say
        self._period_s = period_s
        self._samples: queue.Queue[tuple[Sample, str] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="alarms", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._samples.put(None)
        self._thread.join(3 * SEND_TIMEOUT_S)

    def sample(self, sample: Sample, fault_text: str = "") -> None:
        """Queue a sample; returns at once."""
        self._samples.put((sample, fault_text))

    def _run(self) -> None:
        while True:
            try:
                try:
                    taken = self._samples.get(timeout=self._period_s)
                except queue.Empty:
                    events = self._alarms.tick(time.monotonic())
                else:
                    if taken is None:
                        return
                    events = self._alarms.sample(taken[0], time.monotonic(), taken[1])
            except FileError as error:
                self._say(str(error))
                continue
            for event in events:
                self._say(f"alarm {event.kind}: {event.name}: {event.text}")
                for failure in deliver(self._config, event):
                    self._say(failure)


@contextlib.contextmanager
def watching(
    path: Path | None, say: Callable[[str], None], fault: Callable[[], str]
) -> Iterator[Callable[[Sample], None]]:
    """Yield a function that checks samples for alarms during the block; it does nothing without an alarm file.

    `path` None is the user's file, if it exists. `fault` queries the device for the text of its fault.
    """
    place = path or alarm_config()
    if path is None and not place.is_file():
        yield lambda sample: None
        return
    config = load(place)
    last = "NONE"
    with Watch(Alarms(config, alarm_state()), config, say) as watch:

        def take(sample: Sample) -> None:
            nonlocal last
            text = fault() if sample.faulty and sample.fault != last else ""
            last = sample.fault
            watch.sample(sample, text)

        yield take
