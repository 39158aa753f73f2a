"""Commands for alarms on the host: alarm test, list, ack."""

from pathlib import Path
from typing import Annotated

import typer

from ipch.cli.common import Json, emit, say

_PANEL = "Faults and safety"

group = typer.Typer(
    help="Alarms on this computer: try the delivery, list, acknowledge.",
    invoke_without_command=True,
    rich_markup_mode=None,
)
File = Annotated[
    Path | None, typer.Option("--alarms", metavar="FILE.toml", help="By default the user's alarms.toml.")
]


@group.callback()
def root(context: typer.Context, json: Json = False) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


def add_to(app: typer.Typer) -> None:
    app.add_typer(group, name="alarm", rich_help_panel=_PANEL)


@group.command(name="test")
def try_out(alarm_file: File = None, json: Json = False) -> None:
    """Deliver a test alarm by every way that the file names."""
    import time

    from ipch import alarms
    from ipch.base import paths
    from ipch.errors import CheckError, UsageError

    place = alarm_file or paths.alarm_config()
    loaded = alarms.load(place)
    ways = [name for name in ("command", "webhook", "email") if getattr(loaded, name)]
    if not ways:
        raise UsageError(f"{place} names no way of delivery; there are command, webhook and email")
    text = "This is a test; the device was not touched. Nothing has to be done."
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    failures = alarms.deliver(loaded, alarms.Event("test", "raised", text, now))
    for failure in failures:
        say(failure)
    if failures:
        raise CheckError(f"{len(failures)} of {len(ways)} ways of delivery failed")
    emit({"delivered": ways}, [f"delivered by {', '.join(ways)}"])


@group.command(name="list")
def list_all(json: Json = False) -> None:
    """List alarms that are active or not acknowledged."""
    from ipch import alarms
    from ipch.base import paths

    found = alarms.Alarms(alarms.Config(), paths.alarm_state()).listed()
    lines = [
        f"{each['raised_utc']}  {'active' if each['active'] else 'over':<6}  "
        f"{'acknowledged' if each['acknowledged'] else 'new':<12}  {each['name']}: {each['text']}"
        for each in found
    ]
    emit(found, lines or ["no alarms"])


@group.command()
def ack(
    name: Annotated[str | None, typer.Argument(help="Name of the alarm; all of them without one.")] = None,
    json: Json = False,
) -> None:
    """Acknowledge an alarm, or all.

    One that is still active stays listed until it is over.
    """
    from ipch import alarms
    from ipch.base import paths
    from ipch.errors import UsageError

    done = alarms.Alarms(alarms.Config(), paths.alarm_state()).acknowledge(name)
    if name and not done:
        raise UsageError(f"no alarm is called {name!r}; `ipch alarm list` lists them")
    emit({"acknowledged": done}, [f"acknowledged: {each}" for each in done] or ["no alarms"])
