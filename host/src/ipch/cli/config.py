"""Commands for what is stored on the device: config list, get, set, save, apply, confirm, forget-valves."""

import contextlib
import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ipch.cli import complete
from ipch.cli.common import Json, Port, Sections, connected, emit, emit_table, options, say
from ipch.cli.guard import Yes, changing

if TYPE_CHECKING:
    from ipch.device import Instrument

_PANEL = "Configure"
Force = Annotated[
    bool, typer.Option("--force", help="Accept a correction beyond 2 % of full scale, for a calibration.")
]

group = typer.Typer(
    cls=Sections,
    help="Read and change the settings stored on the device.",
    invoke_without_command=True,
    rich_markup_mode=None,
)


@group.callback()
def root(context: typer.Context, port: Port = None, json: Json = False) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


def add_to(app: typer.Typer) -> None:
    app.add_typer(group, name="config", rich_help_panel=_PANEL)


@contextlib.contextmanager
def _named(name: str, instrument: "Instrument") -> Iterator[None]:
    """Replace the refusal of an unknown name by one that proposes similar names. Raises DeviceError."""
    from ipch.errors import DeviceError

    try:
        yield
    except DeviceError as refusal:
        names = instrument.setting_names()
        if name in names:
            raise
        near = [each for each in names if name in each] or difflib.get_close_matches(name, names)
        hint = f"did you mean {' or '.join(near[:4])}? " if near else ""
        what = refusal.text.partition(";")[0]
        text = f"{what};no setting {name!r}; {hint}`ipch config list` lists all"
        raise DeviceError(refusal.code, text) from refusal


@group.command(name="list")
def list_all(port: Port = None, json: Json = False) -> None:
    """List every setting with its value, limits and meaning."""
    from dataclasses import asdict

    with connected() as instrument:
        found = instrument.settings()
    emit_table(
        [asdict(setting) for setting in found],
        ("name", "value", "unit", "default", "minimum", "maximum", "meaning"),
        [
            (s.name, str(s.value), s.unit, str(s.default), str(s.minimum), str(s.maximum), s.help)
            for s in found
        ],
        right=(1, 3, 4, 5),
    )


@group.command()
def get(
    name: Annotated[
        str,
        typer.Argument(
            help="Name of the setting, from `ipch config list`.", autocompletion=complete.settings
        ),
    ],
    port: Port = None,
    json: Json = False,
) -> None:
    """Print the value of one setting."""
    from dataclasses import asdict

    with connected() as instrument, _named(name, instrument):
        setting = instrument.setting(name)
    emit(asdict(setting), [str(setting.value)])


# A negative number is a value, not an option.
@group.command(name="set", context_settings={"ignore_unknown_options": True})
def change(
    name: Annotated[str, typer.Argument(help="Name of the setting.", autocompletion=complete.settings)],
    value: Annotated[
        str, typer.Argument(help="Integer in the setting's unit, or a value with unit: 5.5MPa.")
    ],
    force: Force = False,
    yes: Yes = False,
    port: Port = None,
    json: Json = False,
) -> None:
    """Change one setting; the device checks and stores it."""
    from dataclasses import asdict

    from ipch.device import settings_file

    with changing("a change of settings", yes) as instrument, _named(name, instrument):
        setting = settings_file.change(instrument, name, value, force=force)
    emit(asdict(setting), [f"{setting.name} = {setting.value} {setting.unit}".rstrip()])


@group.command()
def save(
    file: Annotated[Path, typer.Argument(metavar="FILE.toml", help="File to write.")],
    port: Port = None,
    json: Json = False,
) -> None:
    """Write all settings to a TOML file."""
    from ipch.device import settings_file

    with connected() as instrument:
        count = settings_file.save(instrument, file)
    emit({"file": str(file), "settings": count}, [f"{count} settings saved to {file}"])


@group.command()
def apply(
    file: Annotated[Path, typer.Argument(metavar="FILE.toml", help="File written by `ipch config save`.")],
    any_device: Annotated[
        bool, typer.Option("--any-device", help="Accept a file saved from another device.")
    ] = False,
    force: Force = False,
    yes: Yes = False,
    port: Port = None,
    json: Json = False,
) -> None:
    """Apply the settings in a file: all of them, or none.

    Under pressure, limits change only with the output off, as a whole, and if nothing would trip.
    """
    from ipch.device import settings_file

    with changing("a change of settings", yes) as instrument:
        before = {setting.name: setting for setting in instrument.settings()}
        changed = settings_file.apply(instrument, file, any_device=any_device, force=force)
        confirmed = instrument.confirmed
    emit(
        {"file": str(file), "changed": changed} | ({} if confirmed else {"confirmed": False}),
        [
            f"{name} = {value} {before[name].unit}".rstrip() + f" (was {before[name].value})"
            for name, value in changed.items()
        ]
        or ["nothing to change"],
    )
    if not confirmed:
        say("nobody has confirmed the limits yet, so the output stays off: `ipch config confirm`")


@group.command()
def confirm(
    setpoint_max: Annotated[
        str | None, typer.Option(metavar="PRESSURE", help="Highest setpoint, for --yes.")
    ] = None,
    trip: Annotated[str | None, typer.Option(metavar="PRESSURE", help="Software trip, for --yes.")] = None,
    rating: Annotated[
        str | None, typer.Option(metavar="PRESSURE", help="Rating of the chamber, for --yes.")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask; needs the three limits, which must be those in force.")
    ] = False,
    port: Port = None,
    json: Json = False,
) -> None:
    """Show the limits and confirm that they fit this chamber.

    A new device, and one that lost its settings, regulates only once a person has confirmed its limits.
    """
    from ipch.base.units import parse_pressure
    from ipch.device import settings_file
    from ipch.errors import CheckError, UsageError

    given = (setpoint_max, trip, rating)
    if yes and None in given:
        raise UsageError("--yes needs --setpoint-max, --trip and --rating")
    if options.json and not yes:
        raise UsageError("--json cannot ask; use --yes with --setpoint-max, --trip and --rating")
    with connected() as instrument:
        rungs = settings_file.ladder(instrument)
        values = {name: pa for name, _, _, pa in rungs}
        limits = [
            parse_pressure(text) if text is not None else values[name]
            for name, text in zip(settings_file.CONFIRMED, given, strict=True)
        ]
        if not options.json:
            emit_table(
                [],
                ("", "limit", "MPa", "setting"),
                [(relation, meaning, f"{pa / 1e6:g}", name) for name, relation, meaning, pa in rungs],
                right=(0, 2),
            )
        if not yes and not _agreed():
            raise CheckError(
                "nothing was confirmed; set the right limits with `ipch config set` or `config apply`"
            )
        instrument.confirm(*limits)
    emit({"confirmed": True, "limits_pa": values}, ["confirmed"])


def _agreed() -> bool:
    """Ask; the end of the input is a no."""
    question = (
        "Do these match the plates of chamber, relief valve and burst disc, and the board's comparator?"
    )
    try:
        return typer.confirm(question, default=False, err=True)
    except typer.Abort:
        return False


@group.command(name="forget-valves")
def forget_valves(port: Port = None, json: Json = False) -> None:
    """Forget the learned valve responses, after the chamber was exchanged."""
    with connected() as instrument:
        instrument.forget_valves()
    emit({"forgotten": True}, ["learned valve responses forgotten"])
