"""Record samples until the duration ends or the user stops it."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from ipch.device import Instrument, Pacer, Sample
from ipch.errors import DeviceLostError, IpchError
from ipch.recording import (
    BUSY,
    BusyAlarm,
    CsvLog,
    Looked,
    Recorder,
    Seen,
    Thinning,
    between,
    look,
)

# Retry interval for a lost device; longest sleep; interval for rereading the settings.
_AGAIN_S = 0.25
_NAP_S = 0.5
_LOOK_S = 3600.0


def follow(
    instrument: Instrument,
    every_s: float,
    duration_s: float | None,
    lost: Callable[[str], None] | None = None,
    seen: Callable[[Sample], None] = lambda sample: None,
) -> Iterator[Sample]:
    """Yield samples `every_s` apart in device time, for `duration_s` or without end; faults do not stop it.

    `lost` is called when the device disappears, and iteration resumes later; without `lost` DeviceLostError is raised.
    `seen` is called with every sample that is read, also between those that are due.
    """
    pacer, boot, passed_s, begun_s = Pacer(every_s), -1, 0.0, 0.0
    while True:
        try:
            sample = instrument.fetch()
            seen(sample)
        except DeviceLostError as error:
            if lost is None:
                raise
            lost(str(error))
            time.sleep(_AGAIN_S)
            continue
        if sample.boot != boot:
            if boot >= 0 and lost is None:
                raise DeviceLostError(f"the device restarted (boot {sample.boot})")
            pacer, boot = Pacer(every_s), sample.boot
            passed_s, begun_s = passed_s if begun_s else 0.0, sample.uptime_s - passed_s
        passed_s = sample.uptime_s - begun_s
        if duration_s is not None and passed_s > duration_s:
            return
        due, sleep_s = pacer.note(sample.uptime_s)
        if due:
            yield sample
        time.sleep(min(sleep_s, _NAP_S))


class Absence:
    """Says once that the device is away and once that it is back; `away` is called again and again meanwhile."""

    def __init__(self, alarm: Callable[[str], None], away: Callable[[str], None]) -> None:
        self._alarm = alarm
        self._away = away
        self._gone = False

    def __call__(self, reason: str) -> None:
        if not self._gone:
            self._gone = True
            self._alarm(f"{reason}; this resumes when it returns")
        self._away(reason)

    def over(self) -> bool:
        """Whether an absence has just ended."""
        gone, self._gone = self._gone, False
        if gone:
            self._alarm("the device is back")
        return gone


def log(
    instrument: Instrument,
    path: Path,
    every_s: float,
    duration_s: float | None,
    show: Callable[[Sample], None],
    watch: Callable[[Sample], None] = lambda sample: None,
    *,
    thinning: Thinning | None = None,
    alarm: Callable[[str], None] = lambda text: None,
    acknowledge: Callable[[list[tuple[int, int]]], None] = lambda rows: None,
    changed: threading.Event | None = None,
    commit_s: float = 1.0,
    away: Callable[[str], None] = lambda reason: None,
    seen: Callable[[Sample], None] = lambda sample: None,
) -> int:
    """Record samples until `duration_s` has passed or the user stops it; return their number. `.csv` writes CSV.

    A record resumes when a lost device returns; of a CSV, `alarm` says that it has a hole. Another program's change of
    settings sets `changed`. `show` and `watch` are called with every sample, `away` while the device is lost, `seen`
    with every sample that is read.
    """
    if path.suffix.lower() == ".csv":
        busy = BusyAlarm(alarm, "the file has no mark of it")
        return _log_csv(instrument, path, every_s, duration_s, show, watch, Absence(alarm, away), busy, seen)
    recorder = Recorder(
        path,
        instrument,
        "log",
        commit_s=commit_s,
        resume=True,
        thinning=thinning,
        alarm=alarm,
        acknowledge=acknowledge,
    )
    recorder.every_s = every_s
    absence = Absence(alarm, away)
    look_at, wanted = time.monotonic() + _LOOK_S, False
    looking: Future[Looked] | None = None

    def lost(reason: str) -> None:
        absence(reason)
        recorder.lost("the device was away")
        recorder.commit()

    with recorder, ThreadPoolExecutor(1) as pool:
        # Ctrl-C is the normal end of a log.
        with contextlib.suppress(KeyboardInterrupt):
            for sample in follow(instrument, every_s, duration_s, lost, seen):
                recorder.sample(sample)
                watch(sample)
                show(sample)
                wanted |= absence.over() or (changed is not None and changed.is_set())
                if looking is None and (wanted or time.monotonic() > look_at):
                    look_at, wanted = time.monotonic() + _LOOK_S, False
                    if changed is not None:
                        changed.clear()
                    # Beside the samples: to read all settings takes longer than an interval.
                    looking = pool.submit(look, instrument)
                elif looking is not None and looking.done():
                    wanted = not _note(recorder, looking)
                    looking = None
        if looking is not None:
            _note(recorder, looking)
    return recorder.count


def _note(recorder: Recorder, looking: "Future[Looked]") -> bool:
    """Record what was found; False if the device went away meanwhile, or did not answer rightly."""
    try:
        recorder.note(looking.result())
    except IpchError:
        return False
    return True


def _log_csv(
    instrument: Instrument,
    path: Path,
    every_s: float,
    duration_s: float | None,
    show: Callable[[Sample], None],
    watch: Callable[[Sample], None],
    absence: Absence,
    busy: BusyAlarm,
    seen: Callable[[Sample], None],
) -> int:
    count, last = 0, None
    with CsvLog(path) as sink, contextlib.suppress(KeyboardInterrupt):
        for sample in follow(instrument, every_s, duration_s, absence, seen):
            now = Seen(sample, time.time(), time.monotonic())
            cause = "away" if absence.over() else ""
            if last is not None and between(last, now, every_s, cause).gap == BUSY:
                busy.note(last, now)
            last = now
            sink.sample(sample)
            watch(sample)
            count += 1
            show(sample)
    return count
