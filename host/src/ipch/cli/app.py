"""The typer application: all commands, in the order of the help."""

from pathlib import Path
from typing import Annotated

import typer

from ipch import __version__
from ipch.cli import (
    alarm,
    calibrate,
    config,
    device,
    experiment,
    figure,
    flash,
    fleet,
    hil,
    live,
    record,
    results,
    safety,
    simulator,
    size,
)
from ipch.cli.common import Json, RootPort, Sections
from ipch.cli.logs import show_all, write_to

app = typer.Typer(
    name="ipch",
    cls=Sections,
    rich_markup_mode=None,
    help="Regulate the pressure on a pouch cell: set it, run a recipe, record and report.",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


def _show_version(value: bool) -> None:
    if value:
        print(f"ipch {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    port: RootPort = None,
    json: Json = False,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", help="Show what ipch does, with every line to and from the device."),
    ] = False,
    log_file: Annotated[
        Path | None, typer.Option("--log-file", metavar="FILE", help="Append the same messages to a file.")
    ] = None,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    if verbose:
        show_all()
    if log_file is not None:
        write_to(log_file)
    if context.invoked_subcommand is None:
        print(context.get_help())


for group in (
    simulator,
    flash,
    hil,
    device,
    config,
    calibrate,
    record,
    live,
    fleet,
    experiment,
    results,
    figure,
    safety,
    alarm,
    size,
):
    group.add_to(app)
