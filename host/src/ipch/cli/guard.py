"""A recipe that runs is guarded: other commands say so and ask before they change the device."""

import contextlib
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ipch.cli.common import connected, options, say

if TYPE_CHECKING:
    from ipch.device import Instrument, Sample

# Below this pressure a complete vent still describes the chamber.
_VENTED_PA = 200_000
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation, even while a recipe runs.")]


@contextlib.contextmanager
def changing(what: str, yes: bool) -> "Iterator[Instrument]":
    """Like `connected`, for a command that changes the device: asks first if a recipe runs on it."""
    with connected() as instrument:
        check(instrument, what, yes)
        yield instrument


def check(instrument: "Instrument", what: str, yes: bool) -> None:
    """Return if no recipe runs on the device, or if the user agrees. Raises UsageError or CheckError."""
    running = recipe_on(instrument)
    if running and not yes:
        ask(f"{running}; {what} ends or disturbs it", "nothing was changed")


def tell(instrument: "Instrument", what: str) -> None:
    """Say afterwards that a recipe ran, for a command that never waits."""
    running = recipe_on(instrument)
    if running:
        say(f"{running}; {what} ends it")


def ask(said: str, else_: str, *, twice: bool = False) -> None:
    """Ask a person to go on. Raises UsageError where nobody can answer, CheckError for a no."""
    from ipch.errors import CheckError, UsageError

    if options.json or not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(f"{said}; {else_}; use --yes to do it anyway")
    say(said)
    for question in ("do it anyway?", "really?")[: 1 + twice]:
        if not typer.confirm(question, default=False, err=True):
            raise CheckError(else_)


def recipe_on(instrument: "Instrument") -> str:
    """The recipe that another program runs on this device, as text; empty without one."""
    from ipch.device import recipe_among, running_tasks
    from ipch.errors import DeviceLostError

    with contextlib.suppress(DeviceLostError):
        return recipe_among(running_tasks(instrument.session))
    return ""


def tell_ending(instrument: "Instrument", folder: Path, last: "Sample | None", finished: bool) -> None:
    """Say where the record of a run is, what the device goes on doing, and how to resume."""
    from ipch.errors import IpchError

    away, vented = "", False
    try:
        last = instrument.fetch()
        # The device keeps a vent complete when gas is admitted later.
        vented = instrument.vent_state == 2 and last.pressure_pa < _VENTED_PA
    except IpchError as error:
        away = f"when last heard ({str(error).partition(';')[0]}) "
    say(f"the record is in {folder}")
    if last is not None:
        say(f"the device {away}{_does(last, vented)}")
    if not finished:
        port = ["--port", options.port] if options.port else []
        say(f"resume with: {shlex.join(['ipch', 'run', '--resume', str(folder), *port])}")


def _does(sample: "Sample", vented: bool) -> str:
    from ipch.base.units import format_pressure, format_target

    holds = f"the gas stays in the chamber, {format_pressure(sample.pressure_pa)}"
    if sample.faulty:
        return f"is {sample.state} by the fault {sample.fault}; `ipch status` says what to do"
    if sample.state == "REGULATE":
        return f"keeps regulating to {format_target(sample.target_pa)}"
    if sample.state == "QUIET":
        return f"keeps its valves shut until the quiet window ends, then regulates to {format_target(sample.target_pa)}"
    if sample.state == "VENT":
        return f"keeps venting, from {format_pressure(sample.pressure_pa)}"
    if vented and sample.state == "OFF":
        return f"is {sample.state}: vented to {format_pressure(sample.pressure_pa)} absolute, valves shut"
    return f"is {sample.state}: valves shut, {holds}"
