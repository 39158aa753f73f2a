"""Commands that find devices and simulate them: sim, inject, ports."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ipch.cli import complete
from ipch.cli.common import Json, Port, emit_table, options, say

if TYPE_CHECKING:
    from ipch.base.paths import RunningSimulator

_PANEL = "Find or simulate a device"
_SPEEDS = {None: "as fast as possible", 1.0: "real time"}


def add_to(app: typer.Typer) -> None:
    for command in (sim, inject, ports):
        app.command(rich_help_panel=_PANEL)(command)


def sim(
    rig: Annotated[
        str,
        typer.Option(
            help="sim: the firmware on MicroPython; core: its control code on Python; pico: an emulated Pico."
        ),
    ] = "sim",
    speed: Annotated[str, typer.Option(help="Multiple of real time, or max.")] = "1",
    ahead: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="With --speed max: run in real time once the host has been silent this long."
        ),
    ] = None,
    plant: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="TOML file with [plant] parameters and [[faults]] to inject."),
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Set a plant parameter; repeatable."),
    ] = None,
    ideal: Annotated[
        bool,
        typer.Option(
            "--ideal", help="Perfect sensors and valves; by default the seed draws their tolerances."
        ),
    ] = False,
    list_parameters: Annotated[
        bool, typer.Option("--list", help="List the plant parameters of this seed's rig and exit.")
    ] = False,
    truth: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write the true plant state and what the device drives, one JSON object a line.",
        ),
    ] = None,
    tcp: Annotated[
        int | None, typer.Option(metavar="PORT", help="Also serve the line on this TCP port of 127.0.0.1.")
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Seed of tolerances and noise; the same seed gives the same run.")
    ] = 1,
    state: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder that keeps the device's files between runs.")
    ] = None,
    serial: Annotated[
        str | None, typer.Option(metavar="NAME", help="Serial number of the simulated board.")
    ] = None,
    image: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --rig pico: MicroPython .uf2 to boot.")
    ] = None,
    bare: Annotated[
        bool, typer.Option("--bare", help="With --rig pico: an empty board, for `ipch flash`.")
    ] = False,
    end_with: Annotated[
        int | None, typer.Option("--end-with", hidden=True, help="End when this process has ended.")
    ] = None,
    json: Json = False,
) -> None:
    """Simulate a regulator with its chamber, until Ctrl-C.

    Prints port, serial number and tolerances: as text on a terminal, with --json or into a file as one line of JSON.
    """
    from ipch.base.units import parse_duration, parse_speed
    from ipch.sim.parameters import describe_parameters, load_rig

    chosen = load_rig(plant, sets or [], seed, ideal=ideal)
    if list_parameters:
        rows = describe_parameters(chosen)
        cells = [
            [str(r["name"]), _shown(r["value"]), _range(r["ordinary"]), str(r["unit"]), str(r["help"])]
            for r in rows
        ]
        emit_table(rows, ("name", "value", "ordinary rig", "unit", "meaning"), cells, right=(1,))
        return
    from ipch.sim.injector import load_script
    from ipch.sim.server import serve

    if sys.stderr.isatty():
        say("simulating until Ctrl-C; in another terminal try: ipch status, ipch set 5MPa, ipch on")
    serve(
        chosen,
        rig=rig,
        speed=parse_speed(speed),
        ahead_s=None if ahead is None else parse_duration(ahead),
        seed=seed,
        truth=truth,
        tcp=tcp,
        state=state,
        serial=serial,
        image=image,
        bare=bare,
        faults=load_script(plant),
        end_with=end_with,
        announce=_announce if sys.stdout.isatty() and not options.json else None,
    )


def _announce(first_line: dict[str, Any]) -> None:
    """The first line of a simulator, for a person at a terminal."""
    speed, seed = first_line["speed"], first_line["seed"]
    chamber = f"{first_line['plant']}, seed {seed}"
    if first_line["drawn"]:
        chamber += f"; `ipch sim --list --seed {seed}` lists its tolerances"
    rows = {
        "port": first_line["port"],
        "serial number": first_line["serial"],
        "rig": first_line["rig"],
        "speed": _SPEEDS.get(speed) or f"{speed:g} x real time",
        "chamber": chamber,
    }
    if first_line["tcp"]:
        rows["TCP"] = f"socket://127.0.0.1:{first_line['tcp']}"
    for name, value in rows.items():
        print(f"{name:13}  {value}", flush=True)


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value or "")


def _range(ordinary: Sequence[Any]) -> str:
    """The ranges of an ordinary rig as text."""
    parts = [
        each if isinstance(each, str) else "..".join(f"{limit:g}" for limit in each) for each in ordinary
    ]
    return " ".join(parts)


def inject(
    name: Annotated[
        str | None,
        typer.Argument(
            help="Fault; without it, list the active faults. --list describes all.",
            autocompletion=complete.faults,
        ),
    ] = None,
    values: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY=VALUE]...", help="Options of the fault, for example for_s=10."),
    ] = None,
    clear: Annotated[
        bool, typer.Option("--clear", help="End this fault; without NAME, end all faults.")
    ] = False,
    list_faults: Annotated[bool, typer.Option("--list", help="Describe every fault and exit.")] = False,
    port: Port = None,
    json: Json = False,
) -> None:
    """Make a part of a simulated rig fail, or list the active faults."""
    from ipch.base.paths import running_simulators
    from ipch.errors import NoDeviceError, UsageError
    from ipch.sim.faults import describe_faults, parse_values, parse_words

    if list_faults:
        rows = describe_faults()
        cells = [[str(r["row"]), r["name"], _written(r["options"]), r["help"]] for r in rows]
        emit_table(rows, ("row", "name", "options and defaults", "what fails"), cells, right=(0,))
        return
    given = parse_words(values or [])
    if name is not None and not clear:
        parse_values(name, given)
    if clear and given:
        raise UsageError(f"{values[0] if values else ''}: --clear takes a fault name, no options")
    everyone = running_simulators()
    running = [each for each in everyone if options.port in (None, *_names(each))]
    if len(running) != 1:
        found = ", ".join(f"{each.port} ({each.first_line.get('serial')})" for each in everyone) or "none"
        what = "more than one simulator runs" if running else f"no simulator {options.port or 'runs'}"
        raise NoDeviceError(f"{what}; running: {found}; start one with `ipch sim`, or choose with --port")
    path = running[0].first_line.get("control")
    if not path:
        raise NoDeviceError(f"the simulator at {running[0].port} does not support injection; restart it")
    from ipch.sim.channel import ask

    request: dict[str, object] = {"list": None}
    if clear:
        request = {"clear": name}
    elif name is not None:
        request = {"inject": name, "values": given}
    answer = ask(path, request)
    cells = [
        [
            str(each["row"]),
            each["name"],
            _written(each["values"]),
            "yes" if each["present"] else "from the next tick on or later",
        ]
        for each in answer["active"]
    ]
    if not cells and not options.json:
        say("no fault is injected")
        return
    emit_table(answer, ("row", "name", "options", "in force"), cells, right=(0,))


def _names(simulator: "RunningSimulator") -> tuple[str, ...]:
    """What --port may call a simulator."""
    line = simulator.first_line
    return (
        simulator.port,
        str(simulator.pid),
        str(line.get("serial")),
        f"socket://127.0.0.1:{line.get('tcp')}",
    )


def _written(values: dict[str, object]) -> str:
    return " ".join(
        f"{key}={value:g}" if isinstance(value, float) else f"{key}={value}" for key, value in values.items()
    )


def ports(json: Json = False) -> None:
    """List serial ports and running simulators."""
    from dataclasses import asdict

    from ipch.device import HOW_TO_SIMULATE, list_ports

    found = list_ports()
    if not found and not options.json:
        say(f"no ports; {HOW_TO_SIMULATE}")
        return
    emit_table(
        [asdict(info) for info in found],
        ("port", "kind", "serial number", "description"),
        [(info.port, info.kind, info.serial_number, info.description) for info in found],
    )
