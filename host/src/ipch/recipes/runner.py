"""Runs a recipe in device time, however fast the device's time passes."""

import contextlib
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ipch.base.units import format_duration, format_target
from ipch.device import (
    SETTLE_GUESS_S,
    Instrument,
    Monitor,
    Progress,
    Report,
    Sample,
    has_arrived,
    time_to_arrive,
)
from ipch.errors import DeviceLostError, FaultError
from ipch.recipes.planning import plan
from ipch.recipes.resume import REGULATING, Position
from ipch.recipes.steps import Hold, LogRate, Quiet, Ramp, Recipe, Task, Vent, Wait
from ipch.recipes.webhooks import WEBHOOK_PORT, Webhooks

if TYPE_CHECKING:
    from ipch.recording import Recorder


class Runner:
    """Runs the steps of a recipe on a device and records every sample.

    Each request is recorded before it is sent to the device, and each confirmation when it arrives. Another
    Runner on the same record therefore resumes where this one ended, and repeats no request.
    """

    def __init__(
        self,
        instrument: Instrument,
        recipe: Recipe,
        recorder: "Recorder",
        report: Report,
        watch: Callable[[Sample], None] = lambda sample: None,
        *,
        seen: Callable[[Sample], None] = lambda sample: None,
        position: Position | None = None,
        webhook_port: int = WEBHOOK_PORT,
    ) -> None:
        self._instrument = instrument
        self._recipe = recipe
        self._recorder = recorder
        self._report = report
        self._watch = watch
        self._monitor = Monitor(instrument, recipe.sample, lost=self._lost, seen=seen)
        self._samples: Iterator[Sample] = iter(self._monitor)
        self._plan = plan(instrument, recipe)
        self._task = self._plan.tasks[0]
        self._slew_pa_s = instrument.slew_pa_s
        self._position = position
        self._told = False
        self._started_s = 0.0
        self._shown = Progress("", 0.0, self._plan.total_s, None)
        self._begun_utc_s = position.begun_utc_s if position else time.time()
        self._calls = Counter(position.calls if position else ())
        waits = [task.step for task in self._plan.tasks if isinstance(task.step, Wait)]
        self._webhooks = Webhooks(webhook_port) if any(w.wait == "webhook" for w in waits) else None
        recorder.every_s = recipe.sample

    def run(self) -> None:
        """Run all steps, or the remaining ones, then the recipe's `finally` action.

        Raises FaultError if a fault latches, a step times out, regulation ends, or the device is not in the
        recorded state; in that last case nothing was sent to it. DeviceLostError if it restarts. If this program
        fails, the device keeps following its last command.
        """
        try:
            self._run()
        finally:
            if self._webhooks is not None:
                self._webhooks.close()

    def _run(self) -> None:
        position = self._position
        before_pa_s = position.slew_pa_s if position else self._slew_pa_s
        sample = self._next()
        first = 0
        if position is not None:
            first = position.index
            self._resume(position, sample)
        for task in self._plan.tasks[first:]:
            self._task = task
            if position is None or task.index != first:
                self._told = False
                self._started_s = sample.uptime_s
                self._recorder.event(
                    "step",
                    task.text,
                    {"index": task.index, "kind": task.kind, "target_pa": task.target_pa},
                    sample,
                )
                self._recorder.commit()
            if position is not None and position.over:
                break
            sample = self._do(task, sample)
        if position is None or not position.over:
            self._told = False
            self._recorder.event("recipe-end", self._recipe.finally_, sample=sample)
            self._recorder.commit()
        if self._recipe.finally_ == "off":
            self._instrument.off()
        elif self._recipe.finally_ == "vent":
            self._vent(sample)
        self._instrument.slew_pa_s = before_pa_s
        self._recorder.compare(self._instrument)

    def _resume(self, position: Position, sample: Sample) -> None:
        """Resume a step. Raises FaultError unless the device is in the recorded state, or in the step's own."""
        task = self._task = self._plan.tasks[position.index]
        self._told = position.told
        self._started_s = position.started_s
        if sample.boot != position.boot:
            # Only the host's clock measures how long the device was off.
            self._started_s = sample.uptime_s - max(0.0, time.time() - position.started_utc_s)
        for number in range(position.index):
            step = self._plan.tasks[number].step
            if isinstance(step, Wait) and step.wait == "webhook":
                self._calls[str(step.name)] -= 1
        for step in (each.step for each in self._plan.tasks[: position.index + 1]):
            if isinstance(step, LogRate):
                self._log_rate(step, sample)
        vented = sample.state == "OFF" and self._instrument.vent_state == 2
        if not position.fits(sample, task, self._recipe.finally_, vented):
            raise FaultError(position.difference(sample, task))
        self._recorder.event("note", f"resumed at step {position.index + 1}: {task.text}", sample=sample)

    def _do(self, task: Task, sample: Sample) -> Sample:
        step = task.step
        if isinstance(step, Ramp):
            return self._ramp(step, sample)
        if isinstance(step, Hold):
            return self._pass(step.hold, sample)
        if isinstance(step, Quiet):
            return self._quiet(step, sample)
        if isinstance(step, LogRate):
            return self._log_rate(step, sample)
        if isinstance(step, Wait):
            if isinstance(step.wait, float):
                return self._pass(step.wait, sample, regulating=task.target_pa is not None)
            if step.wait == "in-limits":
                assert task.target_pa is not None
                return self._arrive(task.target_pa, step.timeout, sample)
            return self._await(step, sample)
        assert isinstance(step, Vent)
        return self._vent(sample)

    def _tell(
        self, command: Callable[[], object], carried_out: Callable[[Sample], bool], sample: Sample
    ) -> None:
        """Send a command of the step once; after a lost line the device itself shows whether it received it."""
        if self._told:
            return
        while not carried_out(sample):
            try:
                command()
                break
            except DeviceLostError as error:
                self._lost(error)
                sample = self._next()
        self._told = True
        self._recorder.event("told", self._task.text)
        self._recorder.commit()

    def _ramp(self, step: Ramp, sample: Sample) -> Sample:
        def command() -> None:
            if step.slew is not None:
                self._instrument.slew_pa_s = step.slew
            self._instrument.target_pa = step.ramp
            if self._instrument.fetch().state not in REGULATING:
                self._instrument.on()

        # A ramp to the same pressure is recognised only by its rate.
        self._tell(command, lambda now: False, sample)
        self._slew_pa_s = step.slew or self._slew_pa_s
        return self._arrive(step.ramp, step.timeout, sample)

    def _arrive(self, target_pa: int, timeout_s: float | None, sample: Sample) -> Sample:
        whole_s = abs(target_pa - sample.pressure_pa) / self._slew_pa_s + SETTLE_GUESS_S
        while True:
            sample = self._next()
            if has_arrived(sample, target_pa):
                return sample
            self._check_regulating(sample, target_pa)
            self._check_time(timeout_s, sample, f"{format_target(target_pa)} was not reached")
            left_s = time_to_arrive(sample, target_pa, self._slew_pa_s)
            self._show(sample, 1 - left_s / whole_s, left_s)

    def _await(self, step: Wait, sample: Sample) -> Sample:
        from ipch.cyclers import open_cycles

        path = Path(step.path or "")
        with contextlib.ExitStack() as stack:
            cycles = (
                stack.enter_context(contextlib.closing(open_cycles(path))) if step.wait == "cycle" else None
            )
            trouble = ""
            while True:
                self._hear(sample)
                if cycles is not None:
                    done = cycles.read() >= (step.number or 1)
                    if cycles.trouble not in ("", trouble):
                        trouble = cycles.trouble
                        self._recorder.event("note", f"still waiting, but {trouble}", sample=sample)
                elif step.wait == "file":
                    done = _is_newer(path, self._begun_utc_s)
                else:
                    done = self._calls[str(step.name)] > 0
                if done:
                    self._calls[str(step.name)] -= step.wait == "webhook"
                    return sample
                sample = self._next()
                if self._task.target_pa is not None:
                    self._check_regulating(sample, self._task.target_pa)
                late = f"the event that the recipe waits for did not occur{trouble and f' ({trouble})'}"
                self._check_time(step.timeout, sample, late)
                self._show(sample, 0.0, SETTLE_GUESS_S)

    def _hear(self, sample: Sample) -> None:
        """Record new webhook calls before they count."""
        while self._webhooks is not None and not self._webhooks.calls.empty():
            name = self._webhooks.calls.get()
            self._recorder.event("call", name, sample=sample)
            self._recorder.commit()
            self._calls[name] += 1

    def _check_time(self, timeout_s: float | None, sample: Sample, what: str) -> None:
        if timeout_s is not None and sample.uptime_s - self._started_s > timeout_s:
            raise FaultError(f"{what} within {format_duration(timeout_s)}")

    def _log_rate(self, step: LogRate, sample: Sample) -> Sample:
        self._monitor.pacer.change(step.log_rate)
        self._recorder.every_s = step.log_rate
        return sample

    def _pass(self, seconds: float, sample: Sample, regulating: bool = True) -> Sample:
        end_s = self._started_s + seconds
        while sample.uptime_s < end_s:
            sample = self._next()
            if regulating:
                self._check_regulating(sample, self._task.target_pa)
            left_s = max(0.0, end_s - sample.uptime_s)
            self._show(sample, 1 - left_s / seconds, left_s)
        return sample

    def _quiet(self, step: Quiet, sample: Sample) -> Sample:
        end_s = self._started_s + step.quiet
        remaining_s = math.ceil(end_s - sample.uptime_s)
        if remaining_s > 0:
            self._tell(lambda: self._instrument.quiet(remaining_s), lambda now: now.state == "QUIET", sample)
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

        def under_way(now: Sample) -> bool:
            return now.state == "VENT" or (now.state == "OFF" and self._instrument.vent_state == 2)

        # A vent that ended before this step does not count.
        resumed = self._position is not None and self._task.index == self._position.index
        self._tell(self._instrument.vent, under_way if resumed else lambda now: now.state == "VENT", sample)
        while True:
            sample = self._next()
            if sample.state != "VENT":
                self._instrument.check_vented(sample)
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

    def _lost(self, error: DeviceLostError) -> None:
        self._recorder.lost("the device was away")
        self._report(replace(self._shown, text=str(error).partition(";")[0], sample=None))

    def _check_regulating(self, sample: Sample, target_pa: int | None) -> None:
        if sample.state not in REGULATING:
            raise FaultError(f"regulation ended: the device is {sample.state} now; another client changed it")
        if target_pa is not None and sample.target_pa != target_pa:
            raise FaultError(f"another client set the target to {format_target(sample.target_pa)}")

    def _show(self, sample: Sample, fraction: float, left_s: float) -> None:
        """Report progress of the whole run, from the share of this step that is done and its remaining time."""
        here = self._task.index
        estimates = self._plan.estimates_s
        total = max(1.0, self._plan.total_s)
        done = sum(estimates[:here]) + estimates[here] * min(1.0, max(0.0, fraction))
        remaining_s = left_s + sum(estimates[here + 1 :])
        text = f"{here + 1}/{len(estimates)} {self._task.text}"
        speed = self._monitor.speed
        self._shown = Progress(text, min(1.0, done / total), remaining_s / speed, sample, left_s / speed)
        self._report(self._shown)


def _is_newer(path: Path, utc_s: float) -> bool:
    try:
        return path.stat().st_mtime >= utc_s
    except OSError:
        return False
