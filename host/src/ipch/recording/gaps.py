"""Causes of gaps between recorded samples, from three clocks: one of the device and two of the computer."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from ipch.device import Sample

# The computer's clock was set if it moved by more than this against the monotonic clock.
_CLOCK_STEP_S = 0.5
# Longer than this many intervals without a sample is a gap, unless it lasted less than _GAP_HOST_S of host time.
_GAP_INTERVALS = 2.0
_GAP_HOST_S = 1.0
BUSY = "the computer was busy"
# Such gaps are told at most this often.
_TELL_BUSY_S = 60.0


@dataclass(frozen=True)
class Seen:
    """A sample and the time at which the computer received it."""

    sample: Sample
    utc_s: float
    host_s: float
    """Monotonic clock."""


@dataclass(frozen=True)
class Between:
    """Gap and clock step between two consecutive samples."""

    gap: str
    """Cause of the gap; empty without one."""
    clock_step_s: float
    """Step of the computer's clock in s; 0 without one."""


def between(last: Seen, now: Seen, every_s: float, cause: str = "") -> Between:
    """Compare two samples that should be `every_s` apart in device time; `cause` is the cause if already known."""
    host_s, utc_s = now.host_s - last.host_s, now.utc_s - last.utc_s
    device_s = now.sample.uptime_s - last.sample.uptime_s
    restarted = last.sample.boot != now.sample.boot
    step_s = utc_s - host_s
    # While the computer sleeps, the monotonic clock stops and the other clocks advance.
    slept = step_s > _CLOCK_STEP_S and abs(utc_s - device_s) < 1 + 0.01 * utc_s and not restarted
    was_set = abs(step_s) > _CLOCK_STEP_S and not slept and not cause
    late = device_s > _GAP_INTERVALS * every_s and host_s > _GAP_HOST_S
    gap = cause
    if not gap:
        reasons = (
            (restarted, "the device restarted"),
            (slept, "the computer slept"),
            (late, BUSY),
        )
        gap = next((reason for so, reason in reasons if so), "")
    return Between(gap, step_s if was_set else 0.0)


class BusyAlarm:
    """Tells the gaps of a busy computer, once a minute."""

    def __init__(self, alarm: Callable[[str], None], trace: str) -> None:
        """`trace` says what is left of such a gap in the file."""
        self._alarm = alarm
        self._trace = trace
        self._count = 0
        self._told_s = -math.inf

    def note(self, last: Seen, now: Seen) -> None:
        self._count += 1
        if now.host_s - self._told_s >= _TELL_BUSY_S:
            passed_s = now.sample.uptime_s - last.sample.uptime_s
            more = f", {self._count} gaps since this was last said" if self._count > 1 else ""
            self._alarm(f"{BUSY}: no sample for {passed_s:.1f} s{more}; {self._trace}")
            self._count, self._told_s = 0, now.host_s


def describe(last: Seen, now: Seen, cause: str) -> dict[str, str | int | float]:
    """Both ends of a gap, as stored in the record."""
    data: dict[str, str | int | float] = {"cause": cause}
    for end, at in (("from", last), ("to", now)):
        data |= {
            f"{end}_boot": at.sample.boot,
            f"{end}_sequence": at.sample.sequence,
            f"{end}_uptime_s": at.sample.uptime_s,
            f"{end}_utc_s": at.utc_s,
        }
    return data
