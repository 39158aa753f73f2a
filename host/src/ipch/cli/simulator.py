"""Commands that find devices and simulate them: sim, ports."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ipch.cli.common import Json, emit_table, options, say

_PANEL = "Find or simulate a device"


def add_to(app: typer.Typer) -> None:
    for command in (sim, ports):
        app.command(rich_help_panel=_PANEL)(command)


def sim(
    rig: Annotated[
        str,
        typer.Option(
            help="sim: the firmware on MicroPython; core: its control code on Python; pico: an emulated Pico."
        ),
    ] = "sim",
    speed: Annotated[str, typer.Option(help="How many times real time, or max.")] = "1",
    plant: Annotated[
        Path | None, typer.Option(metavar="FILE", help="TOML file with a [plant] table of parameters.")
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="One plant parameter; may be repeated."),
    ] = None,
    list_parameters: Annotated[
        bool, typer.Option("--list", help="Describe the plant parameters and exit.")
    ] = False,
    truth: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write what is really so, one JSON object per line.")
    ] = None,
    tcp: Annotated[
        int | None, typer.Option(metavar="PORT", help="Serve the line on 127.0.0.1 as well.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same run.")] = 1,
    state: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep the device's files here from run to run.")
    ] = None,
    image: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --rig pico: the MicroPython .uf2 to boot.")
    ] = None,
    bare: Annotated[
        bool, typer.Option("--bare", help="With --rig pico: a fresh board without the firmware, to flash.")
    ] = False,
    json: Json = False,
) -> None:
    """Simulate a regulator with its chamber, until Ctrl-C.

    The first line that it prints is a JSON object with its port.
    """
    from ipch.sim.parameters import describe_parameters, load_parameters
    from ipch.units import parse_speed

    if list_parameters:
        rows = describe_parameters()
        cells = [[str(r["name"]), f"{r['default']}", str(r["unit"]), str(r["help"])] for r in rows]
        emit_table(rows, ("name", "default", "unit", "meaning"), cells, right=(1,))
        return
    from ipch.sim.server import serve

    if sys.stderr.isatty():
        say("simulating until Ctrl-C; in another terminal try: ipch status, ipch set 5MPa, ipch on")
    serve(
        load_parameters(plant, sets or []),
        rig=rig,
        speed=parse_speed(speed),
        seed=seed,
        truth=truth,
        tcp=tcp,
        state=state,
        image=image,
        bare=bare,
    )


def ports(json: Json = False) -> None:
    """List the ports that there are, and the simulators that run."""
    from dataclasses import asdict

    from ipch.transport import HOW_TO_SIMULATE, list_ports

    found = list_ports()
    if not found and not options.json:
        say(f"no ports; {HOW_TO_SIMULATE}")
        return
    emit_table(
        [asdict(info) for info in found],
        ("port", "kind", "serial number", "description"),
        [(info.port, info.kind, info.serial_number, info.description) for info in found],
    )
