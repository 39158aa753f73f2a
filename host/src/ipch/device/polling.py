"""Polling in device time, at any simulation speed: a simulated day may pass in minutes."""

import time
from collections.abc import Callable, Iterator

from ipch.device.instrument import Instrument, Sample
from ipch.errors import DeviceLostError, FaultError

# Longest sleep, so that a lost device is noticed within it.
_NAP_S = 0.5
# Measuring the speed: short sleeps that double until device time has advanced by a few ticks.
_PROBE_S = 0.004
_PROBED_S = 0.1


class Pacer:
    """Selects due samples and sleep times, so that samples are `every_s` apart in device time."""

    def __init__(self, every_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.every_s = every_s
        self.speed = 1.0
        """Device seconds per host second, recent estimate."""
        self._clock = clock
        self._start: tuple[float, float] | None = None
        self._last = (0.0, 0.0)
        self._next_s = 0.0
        self._probe_s = _PROBE_S
        self._probing = True

    def change(self, every_s: float) -> None:
        """Change the interval, from the next sample on."""
        self.every_s = every_s
        self._next_s = 0.0

    def note(self, uptime_s: float) -> tuple[bool, float]:
        """Process the device time of a sample; return (due, host seconds to sleep)."""
        now = self._clock()
        if self._start is None:
            self._start = self._last = (uptime_s, now)
            self._next_s = uptime_s
        self._estimate(uptime_s, now)
        due = uptime_s >= self._next_s - 0.05 * self.every_s
        if due:
            self._next_s = max(self._next_s, uptime_s - self.every_s / 2) + self.every_s
        if self._probing:
            self._probe_s *= 2
            return due, self._probe_s
        return due, max(0.0, (self._next_s - uptime_s) / self.speed)

    def _estimate(self, uptime_s: float, now: float) -> None:
        assert self._start is not None
        if self._probing:
            device, host = uptime_s - self._start[0], now - self._start[1]
            if device < _PROBED_S or host <= 0:
                return
            self._probing = False
            self.speed = device / host
        else:
            device, host = uptime_s - self._last[0], now - self._last[1]
            if device > 0 and host > 0:
                # Device time advances in ticks, so a short interval has little weight.
                self.speed += min(1.0, host / 0.5) * (device / host - self.speed)
        self._last = (uptime_s, now)


class Monitor:
    """Iterator over samples, `every_s` seconds of device time apart."""

    def __init__(
        self,
        instrument: Instrument,
        every_s: float = 1.0,
        *,
        stop_on_fault: bool = True,
        lost: Callable[[DeviceLostError], None] | None = None,
        seen: Callable[[Sample], None] = lambda sample: None,
    ) -> None:
        """`lost` is called when the device disappears; iteration resumes when it returns, not after a restart.

        `seen` is called with every sample that is read, also between those that are due.
        """
        self._instrument = instrument
        self._stop_on_fault = stop_on_fault
        self._boot: int | None = None
        self._lost = lost
        self._seen = seen
        self.pacer = Pacer(every_s, instrument.session.clock)

    @property
    def speed(self) -> float:
        return self.pacer.speed

    def __iter__(self) -> Iterator[Sample]:
        """Yield samples. Raises DeviceLostError if the device is lost or restarts, FaultError on a fault."""
        while True:
            sample = self._read()
            due, sleep_s = self.pacer.note(sample.uptime_s)
            alarm = sample.faulty and self._stop_on_fault
            if due or alarm:
                yield sample
            if alarm:
                raise FaultError(f"fault latched: {self._instrument.fault}")
            self._instrument.session.sleep(min(sleep_s, _NAP_S))

    def _read(self) -> Sample:
        while True:
            try:
                sample = self._instrument.fetch()
                self._seen(sample)
                break
            except DeviceLostError as error:
                if self._lost is None:
                    raise
                self._lost(error)
                self._instrument.session.sleep(_NAP_S)
        if self._boot is None:
            self._boot = sample.boot
        elif sample.boot != self._boot:
            raise DeviceLostError(
                f"the device restarted (boot {sample.boot}); it does not regulate until it is switched on"
            )
        return sample
