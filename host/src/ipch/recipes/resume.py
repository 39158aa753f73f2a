"""Resume point of an interrupted run, and whether the device is still in its recorded state."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipch.base.units import format_target
from ipch.device import Sample
from ipch.recipes.steps import Ramp, Task, Vent

if TYPE_CHECKING:
    from ipch.recording import Recorder

REGULATING = ("REGULATE", "QUIET")


@dataclass(frozen=True)
class Position:
    """Resume point of an interrupted run, from its record."""

    index: int
    started_s: float
    """Uptime at which the step began."""
    started_utc_s: float
    boot: int
    told: bool
    """Whether the device has confirmed the step's request."""
    over: bool
    """Whether only the recipe's `finally` action remained."""
    slew_pa_s: int
    """State of the device before the recipe."""
    begun_utc_s: float
    calls: tuple[str, ...]
    last: Sample

    def fits(self, sample: Sample, task: Task, finally_: str, vented: bool) -> bool:
        """Whether the device is in the recorded state, or in that of step `task`; `vented`: off after a vent."""
        last = self.last
        as_it_was = (sample.state, sample.target_pa) == (last.state, last.target_pa)
        if isinstance(task.step, Ramp) and not self.over:
            # The line may have been cut between the target and the switch.
            asked = sample.target_pa == task.step.ramp and sample.state in (last.state, *REGULATING)
            unmoved = asked and (not self.told or sample.state in REGULATING)
            return unmoved or (as_it_was and not self.told)
        if isinstance(task.step, Vent) or (self.over and finally_ != "hold"):
            switched_off = sample.state == "OFF" and self.over and finally_ == "off"
            return as_it_was or sample.state == "VENT" or vented or switched_off
        if task.target_pa is not None:
            return sample.state in REGULATING and sample.target_pa == task.target_pa
        return as_it_was or sample.state == "OFF"

    def difference(self, sample: Sample, task: Task) -> str:
        """Why a device that does not fit is not resumed: what is so now, what was so then, and what to do."""
        then_pa = self.last.target_pa if task.target_pa is None else task.target_pa
        then = "VENT" if isinstance(task.step, Vent) else "REGULATE"
        if self.last.state == "OFF" and not self.told:
            then = "OFF"
        regulates = sample.state in REGULATING
        text = f"not resumed, nothing was changed: step {task.index + 1} ({task.text}) was interrupted; "
        if sample.target_pa != then_pa:
            text += f"target now: {format_target(sample.target_pa)}, target then: {format_target(then_pa)}; "
        if sample.state != then and not (regulates and then == "REGULATE"):
            text += f"state now: {sample.state}, state then: {then}; "
        again = [f"`ipch set {then_pa / 1e6:.6g}MPa`"] if sample.target_pa != then_pa else []
        again += ["`ipch ack`"] if sample.faulty else []
        again += ["`ipch on`"] if then == "REGULATE" and not regulates else []
        return text + (f"to resume first {', '.join(again)}" if again else "start the recipe anew")


def find_position(recorder: "Recorder") -> Position | None:
    """Resume point of this recorder's run; None if its first step had not begun."""
    marks = recorder.marks("step", "told", "recipe-end", "call")
    steps = [mark for mark in marks if mark.kind == "step"]
    if not steps or recorder.last is None:
        return None
    step = steps[-1]
    after = [mark.kind for mark in marks if mark.number > step.number]
    return Position(
        index=step.data["index"],
        started_s=step.uptime_s,
        started_utc_s=step.utc_s,
        boot=step.boot,
        told="told" in after,
        over="recipe-end" in after,
        slew_pa_s=recorder.first_settings["slew_pa_s"],
        begun_utc_s=steps[0].utc_s,
        calls=tuple(mark.text for mark in marks if mark.kind == "call"),
        last=recorder.last,
    )
