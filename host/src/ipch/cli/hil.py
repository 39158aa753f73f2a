"""The command that simulates the plant on the bench rig: hil."""

from typing import Annotated

import typer

from ipch.cli.common import Json, Port

_PANEL = "Find or simulate a device"


def add_to(app: typer.Typer) -> None:
    app.command(rich_help_panel=_PANEL)(hil)


def hil(
    rig: Annotated[str, typer.Option("--rig", metavar="PORT", help="Port of the bench rig's Pico.")],
    port: Port = None,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Set a plant parameter; repeatable."),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option("--for", metavar="S", help="Duration without --port; default: until Ctrl-C."),
    ] = None,
    json: Json = False,
) -> None:
    """Simulate the plant on the bench rig, or test a regulator on it."""
    from ipch.cli.common import emit
    from ipch.sim.hil import check, play

    if port is None:
        played = play(rig, sets or [], seconds)
        emit(played, [f"{name:20} {value}" for name, value in played.items()])
        return
    rows = check(rig, port, sets or [])
    emit(rows, [f"{'ok' if row['ok'] else 'NOT ok':7} {row['name']}: {row['value']}" for row in rows])
    if not all(row["ok"] for row in rows):
        raise typer.Exit(7)
