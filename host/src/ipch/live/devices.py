"""All devices that can be found, each read through its owner process, or directly where it has none."""

import contextlib
import threading
import time
from pathlib import Path
from typing import Any, Self

from ipch.device import Instrument, Owner, list_ports, open_session
from ipch.errors import IpchError
from ipch.live.feed import Feed, open_feed

_POLL_S = 1.0
_LOOK_S = 5.0


class Devices:
    """Feeds of all devices, by serial number; looks for new ones while it is open."""

    def __init__(self) -> None:
        self.feeds: dict[str, Feed] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, name="ipch-devices", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        self._thread.join()
        for thread in self._threads.values():
            thread.join(2 * _POLL_S)

    def wait_for_first(self, timeout_s: float) -> None:
        """Wait until every device that is connected has answered once, or for `timeout_s`."""
        limit = time.monotonic() + timeout_s
        while time.monotonic() < limit:
            if self._threads and len(self.feeds) >= len(self._threads):
                return
            self._ended.wait(0.05)

    def _look(self) -> None:
        while not self._ended.is_set():
            for info in list_ports():
                running = self._threads.get(info.serial_number or info.port)
                if info.kind != "other" and (running is None or not running.is_alive()):
                    name = info.serial_number or info.port
                    thread = threading.Thread(target=self._follow, args=(name, info.port), daemon=True)
                    self._threads[name] = thread
                    thread.start()
            self._ended.wait(_LOOK_S)

    def _follow(self, name: str, port: str) -> None:
        """Read one device until the end; while it is away, try again."""
        try:
            session = open_session(port)
        except IpchError as error:
            if (known := self.feeds.get(name)) is not None:
                known.lost(str(error))
            return
        with Instrument(session) as instrument, Owner(session) as owner:
            owner.announce({"kind": "live"})
            feed = self.feeds.get(instrument.identity.serial_number)
            while not self._ended.is_set():
                with contextlib.suppress(IpchError):
                    if feed is None:
                        feed = self._open(instrument, owner)
                    try:
                        feed.sample(instrument.fetch())
                        self._note_task(feed, owner.tasks())
                    except IpchError as error:
                        feed.lost(str(error))
                self._ended.wait(_POLL_S)

    def _open(self, instrument: Instrument, owner: Owner) -> Feed:
        record = next((task["record"] for task in owner.tasks() if "record" in task), None)
        feed = open_feed(instrument, "live", Path(record) if record else None)
        self.feeds[feed.serial_number] = feed
        return feed

    def _note_task(self, feed: Feed, tasks: list[dict[str, Any]]) -> None:
        """Show the step of a recipe that another program runs."""
        for task in tasks:
            if task.get("kind") == "run" and task.get("step"):
                now_s = time.time()
                left_s = [float(task.get(name, now_s)) - now_s for name in ("step_ends_s", "run_ends_s")]
                feed.step(f"{task.get('name')}: {task['step']}", float(task.get("share", 0.0)), *left_s)
                return
        feed.no_step()
