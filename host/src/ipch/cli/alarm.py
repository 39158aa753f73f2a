"""Commands for alarms on the host: alarm test, list, ack."""

from pathlib import Path
from typing import Annotated

import typer

from ipch.cli.common import Json, Sections, emit, say

_PANEL = "Faults and safety"

group = typer.Typer(
    cls=Sections,
    help="Alarms on this computer: test delivery, list, acknowledge.",
    invoke_without_command=True,
    rich_markup_mode=None,
)
File = Annotated[
    Path | None,
    typer.Option("--alarms", metavar="FILE.toml", help="Alarm file; default: the user's alarms.toml."),
]


@group.callback()
def root(context: typer.Context, json: Json = False) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


def add_to(app: typer.Typer) -> None:
    app.add_typer(group, name="alarm", rich_help_panel=_PANEL)


@group.command(name="test")
def try_out(alarm_file: File = None, json: Json = False) -> None:
    """Send a test alarm through every channel in the alarm file."""
    import time

    from ipch import alarms
    from ipch.base import paths
    from ipch.errors import CheckError, FileError, UsageError

    place = alarm_file or paths.alarm_config()
    if not place.exists():
        raise FileError(f"no alarm file {place}; the page 'Get alarms' of the documentation has an example")
    loaded = alarms.load(place)
    ways = alarms.ways(loaded)
    if not ways:
        raise UsageError(f"{place} configures no delivery; set command, webhook or email")
    text = "This is a test; the device was not touched. No action is needed."
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    failures = alarms.deliver(loaded, alarms.Event("test", "raised", text, now))
    for failure in failures:
        say(failure)
    if failures:
        raise CheckError(f"{len(failures)} of {len(ways)} deliveries failed")
    emit({"delivered": ways}, [f"delivered by {', '.join(ways)}"])


@group.command(name="list")
def list_all(json: Json = False) -> None:
    """List active and unacknowledged alarms."""
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
    name: Annotated[str | None, typer.Argument(help="Name of the alarm; default: all alarms.")] = None,
    json: Json = False,
) -> None:
    """Acknowledge one alarm, or all.

    An active alarm stays listed until it clears.
    """
    from ipch import alarms
    from ipch.base import paths
    from ipch.errors import UsageError

    done = alarms.Alarms(alarms.Config(), paths.alarm_state()).acknowledge(name)
    if name and not done:
        raise UsageError(f"no alarm is named {name!r}; `ipch alarm list` lists them")
    emit({"acknowledged": done}, [f"acknowledged: {each}" for each in done] or ["no alarms"])
