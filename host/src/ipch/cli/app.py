"""The typer application: all commands, in the order of the help."""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ipch import __version__
from ipch.cli import (
    alarm,
    calibrate,
    config,
    device,
    experiment,
    flash,
    hil,
    record,
    results,
    safety,
    simulator,
    size,
)
from ipch.cli.common import Json, RootPort


class Sections(TyperGroup):
    """Plain-text help with the commands under headings; rich would take longer than everything else."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        width = formatter.width - 6 - max(len(name) for name, _ in commands)
        for name, command in commands:
            if command is not None and not command.hidden:
                heading = getattr(command, "rich_help_panel", None) or "Commands"
                sections.setdefault(str(heading), []).append((name, command.get_short_help_str(width)))
        for heading, rows in sections.items():
            with formatter.section(heading):
                formatter.write_dl(rows)


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
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
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
    experiment,
    results,
    safety,
    alarm,
    size,
):
    group.add_to(app)
