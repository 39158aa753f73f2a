"""Steps and estimated durations of a recipe, checked against the device before anything moves."""

from dataclasses import dataclass
from pathlib import Path

from ipch.base.units import format_duration, format_target
from ipch.device import SETTLE_GUESS_S, Instrument
from ipch.errors import FileError
from ipch.recipes.steps import Hold, LogRate, Quiet, Ramp, Recipe, Task, Vent, Wait


@dataclass(frozen=True)
class Plan:
    """Steps of a recipe on this device, with estimated durations in s of device time."""

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
        if isinstance(step, Wait) and step.wait == "cycle":
            # The cycler readers import numerical libraries.
            from ipch.cyclers import check_kind

            check_kind(Path(step.path or ""))
    vent_pa_s = instrument.setting("vent_slew_pa_s").value
    start_pa = instrument.fetch().pressure_pa
    return Plan(tasks, estimate_s(tasks, start_pa, slew.value, vent_pa_s, SETTLE_GUESS_S))


def estimate_s(
    tasks: list[Task], start_pa: float, slew_pa_s: int, vent_pa_s: int, settle_s: float
) -> list[float]:
    """Estimated duration of each step, in s of device time, from a start pressure and the device's rates."""
    durations = []
    at_pa = start_pa
    for task in tasks:
        step = task.step
        if isinstance(step, Ramp):
            slew_pa_s = step.slew or slew_pa_s
            durations.append(abs(step.ramp - at_pa) / slew_pa_s + settle_s)
            at_pa = step.ramp
        elif isinstance(step, Vent):
            durations.append(at_pa / vent_pa_s)
            at_pa = 101_325
        elif isinstance(step, Wait):
            # Nobody can predict how long others take.
            durations.append(step.wait if isinstance(step.wait, float) else settle_s)
        elif isinstance(step, LogRate):
            durations.append(0.0)
        elif isinstance(step, Hold):
            durations.append(step.hold)
        elif isinstance(step, Quiet):
            durations.append(step.quiet)
    return durations
