"""Commands for many chambers: fleet check, targets, files."""

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from ipch.cli.common import Json, Sections, emit, emit_table, say, to_json

_PANEL = "Record and run"

group = typer.Typer(
    cls=Sections,
    help="Many chambers: compare them, and connect them to Prometheus.",
    invoke_without_command=True,
    rich_markup_mode=None,
)


@group.callback()
def root(context: typer.Context, json: Json = False) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


def add_to(app: typer.Typer) -> None:
    app.add_typer(group, name="fleet", rich_help_panel=_PANEL)
    app.command(rich_help_panel=_PANEL)(ioc)


def ioc(
    devices: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[DEVICE[=NAME]]...",
            help="Serial numbers, paths or URLs, with names for the records; default: all devices found now.",
        ),
    ] = None,
    prefix: Annotated[str, typer.Option(metavar="TEXT", help="Beginning of every record's name.")] = "ipch:",
    listen: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address of the interface to serve on; 0.0.0.0 for all.")
    ] = "127.0.0.1",
    access: Annotated[
        Path | None,
        typer.Option(metavar="FILE.acf", help="EPICS access security; without it nobody may write."),
    ] = None,
    json: Json = False,
) -> None:
    """Serve devices as EPICS records over Channel Access, until Ctrl-C."""
    import sys
    import threading

    from ipch import fleet
    from ipch.device import HOW_TO_SIMULATE, list_ports
    from ipch.errors import NoDeviceError

    words = devices or [info.serial_number or info.port for info in list_ports() if info.kind != "other"]
    if not words:
        raise NoDeviceError(f"no device found; {HOW_TO_SIMULATE}")
    named = fleet.name_devices(words, prefix)

    def ready(count: int) -> None:
        told = {"devices": named, "prefix": prefix, "records": count, "listen": listen}
        emit(told, [f"{count} records of {len(named)} devices on {listen}: {prefix}NAME:PRESSURE and others"])
        sys.stdout.flush()

    with contextlib.suppress(KeyboardInterrupt):
        fleet.serve(named, prefix, listen, access or fleet.ACCESS, ready, threading.Event())


@group.command()
def check(json: Json = False) -> None:
    """Compare all devices: firmware, settings, proofs, records, disks.

    The exit code is 9 if any device needs attention.
    """
    from ipch import fleet
    from ipch.base.units import format_pressure
    from ipch.device import HOW_TO_SIMULATE, list_ports
    from ipch.errors import CheckError, NoDeviceError

    found = [info for info in list_ports() if info.kind != "other"]
    if not found:
        raise NoDeviceError(f"no device found; {HOW_TO_SIMULATE}")
    rows = fleet.check(found)
    emit_table(
        rows,
        ("device", "firmware", "state", "pressure", "proof", "needs attention"),
        [
            (
                str(row["serial_number"]),
                str(row.get("firmware", "?")),
                str(row.get("state", "?")),
                format_pressure(row["pressure_pa"]) if "pressure_pa" in row else "-",
                "none" if row.get("proof_due_days") is None else f"due in {row['proof_due_days']} d",
                "; ".join(row["problems"]) or "nothing",
            )
            for row in rows
        ],
        right=(3,),
    )
    bad = [str(row["serial_number"]) for row in rows if row["problems"]]
    if bad:
        raise CheckError(f"{len(bad)} of {len(rows)} devices need attention: {', '.join(bad)}")


@group.command()
def targets(
    more: Annotated[
        list[str] | None, typer.Argument(metavar="[HOST:PORT]...", help="Addresses on other computers.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.json", help="File for Prometheus; default: print it.")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Drop the addresses in FILE.json that no program serves now.")
    ] = False,
    json: Json = False,
) -> None:
    """Write the scrape targets of this computer's programs for Prometheus.

    Addresses that are in FILE.json already stay, so that a program that has died stays an alarm.
    """
    import os

    from ipch import fleet
    from ipch.base.files import access, write_text

    found = fleet.targets(more or [])
    if out is None:
        emit(found, [to_json(found)])
        return
    silent = [] if fresh else fleet.silent_targets(out, found)
    # Prometheus may read it at any moment.
    partial = out.with_name(f"{out.name}.{os.getpid()}.partial")
    write_text(partial, f"{to_json(found + silent)}\n")
    with access("write", out):
        partial.replace(out)
    emit({"file": str(out), "targets": found + silent}, [f"{len(found + silent)} targets written to {out}"])
    if silent:
        kept = ", ".join(group["targets"][0] for group in silent)
        say(f"no program of this computer serves {kept}; kept as before, --fresh drops them")
    if not found:
        say("no program serves metrics: start `ipch log --http 127.0.0.1:8765`, or name addresses")


@group.command()
def files(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder for the files.")],
    json: Json = False,
) -> None:
    """Write example files for Prometheus, Alertmanager, Grafana and EPICS."""
    from ipch import fleet

    written = [str(path) for path in fleet.write_files(folder)]
    emit({"files": written}, [f"written: {path}" for path in written])
