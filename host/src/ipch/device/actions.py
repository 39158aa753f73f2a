"""Actions of a user on the regulator. Each returns a sample taken after it; None if the device reports none."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from ipch.base.units import format_target
from ipch.device.instrument import Instrument, Sample
from ipch.device.polling import Monitor
from ipch.errors import DeviceError, FaultError, UsageError

# Assumed time from the end of a ramp until the pressure is in limits; for estimates only.
SETTLE_GUESS_S = 60.0


@dataclass(frozen=True)
class Progress:
    """Progress of a long action."""

    text: str
    fraction: float
    """Completed share, 0 to 1."""
    remaining_s: float
    """Estimated seconds of host time."""
    sample: Sample | None
    """The latest sample; None while the device is away."""
    step_s: float = 0.0
    """Estimated seconds of host time until the present step ends."""


Report = Callable[[Progress], None]


def set_pressure(
    instrument: Instrument, target_pa: int, slew_pa_s: int | None, *, wait: bool = False, report: Report
) -> Sample:
    """Set target and, if given, slew: both or neither. With `wait`, return once the pressure is in limits.

    Raises DeviceError, UsageError if waiting would never end, FaultError if regulation ends or trips.
    """
    if wait and instrument.holds_amount:
        raise UsageError(
            "cannot wait: the device holds the amount of gas, valves shut; use `ipch hold pressure` first"
        )
    before = instrument.fetch()
    if wait and before.state not in ("REGULATE", "QUIET"):
        raise UsageError(
            f"cannot wait: the device is {before.state}, so its pressure does not change; use `ipch on` first"
        )
    if wait and before.in_limits is None:
        raise UsageError("cannot wait: the firmware does not report in_limits; flash the current one")
    old_slew_pa_s = instrument.slew_pa_s
    if slew_pa_s is not None:
        instrument.slew_pa_s = slew_pa_s
    try:
        instrument.target_pa = target_pa
    except DeviceError:
        if slew_pa_s is not None:
            instrument.slew_pa_s = old_slew_pa_s
        raise
    if not wait:
        return instrument.fetch()
    slew = slew_pa_s or old_slew_pa_s
    way_s = abs(target_pa - before.pressure_pa) / slew + SETTLE_GUESS_S
    monitor = Monitor(instrument)
    for sample in monitor:
        if has_arrived(sample, target_pa):
            return sample
        left_s = time_to_arrive(sample, target_pa, slew)
        report(
            Progress(
                f"to {format_target(target_pa)}", 1 - min(1, left_s / way_s), left_s / monitor.speed, sample
            )
        )
        if sample.state not in ("REGULATE", "QUIET") and not sample.faulty:
            raise FaultError(
                f"regulation ended before {format_target(target_pa)} was reached: the device is {sample.state} now"
            )
        if sample.target_pa != target_pa:
            raise FaultError(f"another program set the target to {format_target(sample.target_pa)}")
    raise AssertionError("a monitor never ends")


def has_arrived(sample: Sample, target_pa: int) -> bool:
    """Return True once the ramp has ended and the pressure is in limits."""
    return bool(sample.in_limits) and sample.ramp_pa == sample.target_pa == target_pa


def time_to_arrive(sample: Sample, target_pa: int, slew_pa_s: int) -> float:
    """Estimated seconds of device time until arrival."""
    ramp_s = abs(target_pa - sample.ramp_pa) / max(1, slew_pa_s)
    return ramp_s + (0.0 if sample.in_limits else SETTLE_GUESS_S)


def switch(instrument: Instrument, on: bool) -> Sample | None:
    """Start or stop regulation."""
    return instrument.on() if on else instrument.off()


def hold(instrument: Instrument, what: str) -> Sample:
    """Hold the `pressure` or the `amount` of gas. Raises UsageError for anything else."""
    if what not in ("pressure", "amount"):
        raise UsageError(
            f"cannot hold {what!r}; expected pressure or amount (`ipch set 5MPa` sets the pressure)"
        )
    instrument.holds_amount = what == "amount"
    return instrument.fetch()


def vent(instrument: Instrument, *, abort: bool = False, wait: bool = False, report: Report) -> Sample | None:
    """Start or abort a vent; with `wait`, return once the chamber is empty.

    Raises NotKnownEmptyError if the vent ends without a reading that says so.
    """
    if abort and wait:
        raise UsageError("--abort and --wait exclude each other; use one")
    if abort:
        return instrument.abort_vent()
    if not wait:
        return instrument.vent()
    before = instrument.fetch()
    instrument.vent()
    rate = instrument.setting("vent_slew_pa_s").value
    monitor = Monitor(instrument, stop_on_fault=not before.faulty)
    for sample in monitor:
        if sample.state != "VENT" and not (sample.faulty and not before.faulty):
            instrument.check_vented(sample)
            return sample
        left_s = sample.pressure_pa / rate
        fraction = 1 - min(1, sample.pressure_pa / max(1, before.pressure_pa))
        report(Progress("venting", fraction, left_s / monitor.speed, sample))
    raise AssertionError("a monitor never ends")


def quiet(instrument: Instrument, seconds: float) -> Sample | None:
    """Start a quiet window; 0 ends it."""
    return instrument.quiet(math.ceil(seconds))


def acknowledge(instrument: Instrument) -> Sample | None:
    """Clear a latched fault."""
    return instrument.acknowledge()
