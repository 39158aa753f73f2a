"""Following a recipe in device time, at whatever speed the device's time passes."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ipch.errors import FaultError, FileError
from ipch.instrument import Instrument, Sample
from ipch.monitor import Monitor
from ipch.operations import SETTLE_GUESS_S, Progress, Report, has_arrived, time_to_arrive
from ipch.recipe import Hold, Quiet, Ramp, Recipe, Task, Vent, Wait, estimate_s
from ipch.recorder import Recorder
from ipch.units import format_duration, format_target

_REGULATING = ("REGULATE", "QUIET")


@dataclass(frozen=True)
class Plan:
    """What a recipe will do on this device, with estimates in s of device time."""

    tasks: list[Task]
    estimates_s: list[float]

    @property
    def total_s(self) -> float:
        return sum(self.estimates_s)


def plan(instrument: Instrument, recipe: Recipe) -> Plan:
    """Check a recipe against the settings of the device, before anything moves. Raises FileError."""
    tasks = recipe.steps()
    limit_pa = instrument.setting("setpoint_max_pa").value
    quiet_s = instrument.setting("quiet_max_s").value
    slew = instrument.setting("slew_pa_s")
    for task in tasks:
        step, where = task.step, f"step {task.index + 1}"
        if isinstance(step, Ramp):
            if step.ramp > limit_pa:
                allowed = f"this device allows {format_target(limit_pa)} (setting setpoint_max_pa)"
                raise FileError(f"{where} goes to {format_target(step.ramp)}; {allowed}")
            if step.slew is not None and not slew.minimum <= step.slew <= slew.maximum:
                allowed = f"this device allows {slew.minimum} to {slew.maximum} Pa/s"
                raise FileError(f"{where} asks for {step.slew} Pa/s; {allowed}")
        if isinstance(step, Quiet) and step.quiet > quiet_s:
            allowed = f"this device allows {format_duration(quiet_s)} (setting quiet_max_s)"
            raise FileError(f"{where} is quiet for {format_duration(step.quiet)}; {allowed}")
    vent_pa_s = instrument.setting("vent_slew_pa_s").value
    start_pa = instrument.fetch().pressure_pa
    return Plan(tasks, estimate_s(tasks, start_pa, slew.value, vent_pa_s, SETTLE_GUESS_S))


class Runner:
    """Does the steps of a recipe on a device and records every sample."""

    def __init__(
        self,
        instrument: Instrument,
        recipe: Recipe,
        recorder: Recorder,
        report: Report,
        watch: Callable[[Sample], None] = lambda sample: None,
    ) -> None:
        self._instrument = instrument
        self._recipe = recipe
        self._recorder = recorder
        self._report = report
        self._watch = watch
        self._monitor = Monitor(instrument, recipe.sample)
        self._samples: Iterator[Sample] = iter(self._monitor)
        self._plan = plan(instrument, recipe)
        self._task = self._plan.tasks[0]
        self._slew_pa_s = instrument.slew_pa_s

    def run(self) -> None:
        """Do all steps, then what the recipe says last.

        Raises FaultError if a fault latches, a step times out or regulation ends; DeviceLostError.
        The device goes on with what it was told last whatever happens here.
        """
        slew_pa_s = self._slew_pa_s
        sample = self._next()
        for task in self._plan.tasks:
            self._task = task
            self._recorder.event(
                "step",
                task.text,
                {"index": task.index, "kind": task.kind, "target_pa": task.target_pa},
                sample,
            )
            sample = self._do(task, sample)
        self._recorder.event("recipe-end", self._recipe.finally_, sample=sample)
        if slew_pa_s != self._slew_pa_s:
            self._instrument.slew_pa_s = slew_pa_s
        if self._recipe.finally_ == "off":
            self._instrument.off()
        elif self._recipe.finally_ == "vent":
            self._vent(sample)

    def _do(self, task: Task, sample: Sample) -> Sample:
        step = task.step
        if isinstance(step, Ramp):
            return self._ramp(step, sample)
        if isinstance(step, Hold):
            return self._pass(step.hold, sample)
        if isinstance(step, Quiet):
            return self._quiet(step, sample)
        if isinstance(step, Wait):
            if step.wait is not None:
                return self._pass(step.wait, sample, regulating=task.target_pa is not None)
            assert task.target_pa is not None
            return self._arrive(task.target_pa, step.timeout, sample)
        assert isinstance(step, Vent)
        return self._vent(sample)

    def _ramp(self, step: Ramp, sample: Sample) -> Sample:
        if step.slew is not None:
            self._instrument.slew_pa_s = self._slew_pa_s = step.slew
        self._instrument.target_pa = step.ramp
        if sample.state != "REGULATE":
            self._instrument.on()
        return self._arrive(step.ramp, step.timeout, sample)

    def _arrive(self, target_pa: int, timeout_s: float | None, sample: Sample) -> Sample:
        started_s = sample.uptime_s
        whole_s = abs(target_pa - sample.pressure_pa) / self._slew_pa_s + SETTLE_GUESS_S
        while True:
            sample = self._next()
            if has_arrived(sample, target_pa):
                return sample
            self._check_regulating(sample, target_pa)
            if timeout_s is not None and sample.uptime_s - started_s > timeout_s:
                raise FaultError(
                    f"{format_target(target_pa)} was not reached within {format_duration(timeout_s)}"
                )
            left_s = time_to_arrive(sample, target_pa, self._slew_pa_s)
            self._show(sample, 1 - left_s / whole_s, left_s)

    def _pass(self, seconds: float, sample: Sample, regulating: bool = True) -> Sample:
        end_s = sample.uptime_s + seconds
        while sample.uptime_s < end_s:
            sample = self._next()
            if regulating:
                self._check_regulating(sample, self._task.target_pa)
            left_s = max(0.0, end_s - sample.uptime_s)
            self._show(sample, 1 - left_s / seconds, left_s)
        return sample

    def _quiet(self, step: Quiet, sample: Sample) -> Sample:
        self._instrument.quiet(math.ceil(step.quiet))
        end_s = sample.uptime_s + step.quiet
        told = False
        while sample.uptime_s < end_s or sample.state == "QUIET":
            sample = self._next()
            self._check_regulating(sample, self._task.target_pa)
            left_s = max(0.0, end_s - sample.uptime_s)
            if sample.state != "QUIET" and left_s > 1 and not told:
                told = True
                self._recorder.event(
                    "note", f"the quiet window ended {format_duration(left_s)} early", sample=sample
                )
            self._show(sample, 1 - left_s / step.quiet, left_s)
        return sample

    def _vent(self, sample: Sample) -> Sample:
        rate = self._instrument.setting("vent_slew_pa_s").value
        whole_s = max(1.0, sample.pressure_pa / rate)
        self._instrument.vent()
        while True:
            sample = self._next()
            if sample.state != "VENT":
                if self._instrument.vent_state != 2:
                    raise FaultError(f"the vent ended early: the device is {sample.state} now")
                return sample
            left_s = sample.pressure_pa / rate
            self._show(sample, 1 - left_s / whole_s, left_s)

    def _next(self) -> Sample:
        sample = next(self._samples)
        self._recorder.sample(sample)
        self._watch(sample)
        if sample.faulty:
            raise FaultError(f"fault latched: {self._instrument.fault}")
        return sample

    def _check_regulating(self, sample: Sample, target_pa: int | None) -> None:
        if sample.state not in _REGULATING:
            raise FaultError(f"regulation ended: the device is {sample.state} now; somebody else told it to")
        if target_pa is not None and sample.target_pa != target_pa:
            raise FaultError(f"somebody else set the target to {format_target(sample.target_pa)}")

    def _show(self, sample: Sample, fraction: float, left_s: float) -> None:
        """Report progress of the whole, from how much of this step is done and its time left."""
        here = self._task.index
        estimates = self._plan.estimates_s
        total = max(1.0, self._plan.total_s)
        done = sum(estimates[:here]) + estimates[here] * min(1.0, max(0.0, fraction))
        remaining_s = left_s + sum(estimates[here + 1 :])
        text = f"{here + 1}/{len(estimates)} {self._task.text}"
        self._report(Progress(text, min(1.0, done / total), remaining_s / self._monitor.speed, sample))
