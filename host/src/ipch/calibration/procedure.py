"""Steps a device through the points of a calibration: temperature, pressure, standard, mean of the readings."""

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from ipch.base.units import format_celsius, format_target
from ipch.calibration.fitting import TRANSDUCERS, Coefficients, Point, read, reference_k
from ipch.calibration.standards import Standard
from ipch.device import Instrument, Monitor, Progress, Report, Sample, set_pressure
from ipch.errors import FaultError, IpchError, UsageError

_ZERO_CELSIUS_K = 273.15
# The block's temperature is steady once it is this near and has moved by no more than that within that time.
_NEAR_K = 1.0
_STEADY_K = 0.1
_STEADY_TEMPERATURE_S = 60.0
# A pressure is steady once it has moved by no more than this within that time.
_STEADY_PA = 2_000
_STEADY_PRESSURE_S = 20.0
_LONGEST_PRESSURE_S = 1800.0
# A pressure that a person sets is reached within this, or a twentieth.
_NEAR_PA = 50_000
# Readings per second of device time.
_RATE = 10.0


@dataclass(frozen=True)
class Plan:
    """The temperatures and pressures to measure."""

    pressures_pa: tuple[int, ...]
    temperatures_c: tuple[float, ...] = ()
    """Empty: at the present temperature."""
    by_hand: bool = False
    """A person sets the pressures; the device moves no valve."""
    seconds: float = 20.0
    """Averaging time of each point."""


class Calibrator:
    """One pass through a plan. The device is off afterwards, even after an error."""

    def __init__(
        self, instrument: Instrument, standard: Standard, say: Callable[[str], None], report: Report
    ) -> None:
        self._instrument = instrument
        self._standard = standard
        self._say = say
        self._report = report
        self._reference_k = reference_k(instrument)
        self._in_force: dict[str, Coefficients] = {name: read(instrument, name) for name in TRANSDUCERS}
        self.points: list[Point] = []

    def run(self, plan: Plan, keep: Callable[[list[Point]], None]) -> list[Point]:
        """Measure every point; `keep` is called after each. Raises UsageError unless the device is off."""
        sample = self._instrument.fetch()
        if sample.state != "OFF":
            raise UsageError(
                f"the device is {sample.state}; a calibration changes the pressure: take the cell out, then `ipch off`"
            )
        try:
            for celsius in plan.temperatures_c or (None,):
                if celsius is not None:
                    self._wait_for_temperature(celsius)
                for pressure_pa in plan.pressures_pa:
                    self._measure(plan, pressure_pa)
                    keep(self.points)
        except BaseException:
            # Report the first error rather than that the device cannot be reached now.
            with contextlib.suppress(IpchError):
                self._instrument.off()
            raise
        return self.points

    def _wait_for_temperature(self, celsius: float) -> None:
        self._say(
            f"set the oven to {celsius:g} degC; the calibration continues once the block is there and steady"
        )
        monitor = Monitor(self._instrument, 5.0)
        since_s, low_k, high_k, start_k = math.inf, 0.0, 0.0, 0.0
        for sample in monitor:
            block_k = _block_k(sample)
            start_k = start_k or block_k
            away_k = abs(block_k - _ZERO_CELSIUS_K - celsius)
            if since_s == math.inf or away_k > _NEAR_K:
                since_s, low_k, high_k = sample.uptime_s, block_k, block_k
            low_k, high_k = min(low_k, block_k), max(high_k, block_k)
            if high_k - low_k > _STEADY_K:
                since_s, low_k, high_k = sample.uptime_s, block_k, block_k
            if away_k <= _NEAR_K and sample.uptime_s - since_s >= _STEADY_TEMPERATURE_S:
                return
            way_k = abs(start_k - _ZERO_CELSIUS_K - celsius)
            text = f"block at {format_celsius(block_k)} on its way to {celsius:g} degC"
            self._report(Progress(text, 1 - min(1.0, away_k / max(way_k, 0.1)), 60.0 * away_k, sample))

    def _measure(self, plan: Plan, pressure_pa: int) -> None:
        where = f"point {len(self.points) + 1}, {format_target(pressure_pa)}"
        if plan.by_hand:
            self._say(
                f"{where}: bring the chamber to this pressure; the calibration continues once it is there and steady"
            )
            self._wait_until_steady(where, pressure_pa)
        else:
            self._go_to(pressure_pa)
            self._wait_until_steady(where)
        before_pa = self._standard.read_pa(where)
        if before_pa is None:
            return
        block_k, means = average(self._instrument, plan.seconds)
        after_pa = self._standard.read_pa(where) if self._standard.live else before_pa
        if after_pa is None:
            return
        nominal = {
            name: self._in_force[name].nominal_pa(mean, block_k, self._reference_k)
            for name, mean in means.items()
        }
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.points.append(Point((before_pa + after_pa) / 2, block_k, nominal, now))

    def _go_to(self, pressure_pa: int) -> None:
        """Regulate to a pressure, or vent where it is ambient; then shut every valve."""
        instrument = self._instrument
        ambient_pa = instrument.setting("ambient_pa").value
        if pressure_pa <= ambient_pa:
            if instrument.fetch().pressure_pa > ambient_pa + 20_000:
                instrument.vent()
                for sample in Monitor(instrument):
                    if sample.state != "VENT":
                        break
            return
        instrument.target_pa = pressure_pa
        instrument.on()
        set_pressure(instrument, pressure_pa, None, wait=True, report=self._report)
        instrument.off()

    def _wait_until_steady(self, where: str, about_pa: int | None = None) -> None:
        """Wait until the pressure settles, near `about_pa` if given; without a time limit for a person."""
        start_s = since_s = -1.0
        low_pa = high_pa = 0
        for sample in Monitor(self._instrument, 1.0):
            if start_s < 0:
                start_s = sample.uptime_s
            now_pa = sample.whole("pressure_pa")
            low_pa, high_pa = min(low_pa, now_pa), max(high_pa, now_pa)
            elsewhere = about_pa is not None and abs(now_pa - about_pa) > max(_NEAR_PA, about_pa // 20)
            if since_s < 0 or high_pa - low_pa > _STEADY_PA or elsewhere:
                since_s, low_pa, high_pa = sample.uptime_s, now_pa, now_pa
            if sample.uptime_s - since_s >= _STEADY_PRESSURE_S:
                return
            if about_pa is None and sample.uptime_s - start_s > _LONGEST_PRESSURE_S:
                raise FaultError(f"{where}: the pressure does not settle; is there a leak?")


def average(instrument: Instrument, seconds: float) -> tuple[float, dict[str, float]]:
    """Mean block temperature in K and mean reading of each transducer in Pa, over this much device time."""
    wanted = max(1, round(seconds * _RATE))
    block_k = 0.0
    sums = dict.fromkeys(TRANSDUCERS, 0.0)
    # This many readings, so that the mean is as good where a simulation runs faster than its reader.
    for count, sample in enumerate(Monitor(instrument, 1 / _RATE), start=1):
        block_k += _block_k(sample)
        sums["control"] += sample.control_pa
        sums["safety"] += sample.safety_pa
        if count == wanted:
            break
    return block_k / wanted, {name: total / wanted for name, total in sums.items()}


def _block_k(sample: Sample) -> float:
    if math.isnan(sample.wall_k):
        raise FaultError("the block's temperature sensor is invalid; the correction needs its temperature")
    return sample.wall_k
