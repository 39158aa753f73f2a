"""The command that flashes a board: flash."""

from typing import Annotated

import typer

from ipch.cli.common import Json, Port

_PANEL = "Find or simulate a device"


def add_to(app: typer.Typer) -> None:
    app.command(rich_help_panel=_PANEL)(flash)


def flash(
    port: Port = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Even while it regulates or holds pressure: shut every valve, keep the gas."
        ),
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Overwrite another program's main.py and boot.py.")
    ] = False,
    sources: Annotated[
        bool,
        typer.Option(
            "--sources", help="Copy source files instead of compiled ones: slower start, less free memory."
        ),
    ] = False,
    mhz: Annotated[
        int,
        typer.Option("--mhz", metavar="MHZ", help="Clock of an RP2040: 200, or 125 for less heat."),
    ] = 200,
    timeout: Annotated[
        float,
        typer.Option(
            "--timeout", metavar="S", help="Timeout for each reply, 1 to 3600 s; an emulated board is slow."
        ),
    ] = 10.0,
    json: Json = False,
) -> None:
    """Write the firmware to a MicroPython board and restart it.

    Copies only files that differ and verifies every file on the board. Repeat it after any failure. A board that runs
    another program is left as it is.
    """
    from dataclasses import asdict

    from ipch.board import CLOCKS_MHZ
    from ipch.board import flash as flashing
    from ipch.cli import text
    from ipch.cli.common import emit, options, say
    from ipch.device import find_port
    from ipch.errors import UsageError

    if not 1 <= timeout <= 3600:
        raise UsageError(f"--timeout {timeout:g}: expected 1 to 3600 s")
    if mhz not in CLOCKS_MHZ:
        raise UsageError(f"--mhz {mhz}: expected {' or '.join(map(str, CLOCKS_MHZ))}")
    said = ""

    def progress(what: str, share: float) -> None:
        nonlocal said
        if what != said and not options.json:
            said = what
            say(f"{share:4.0%} {what}")

    try:
        report = flashing.flash(
            options.port or find_port(),
            force=force,
            replace=replace,
            sources=sources,
            mhz=mhz,
            timeout_s=timeout,
            progress=progress,
        )
    except KeyboardInterrupt:
        say(
            "interrupted: repeat `ipch flash`; until then the board may have no firmware, and every valve stays shut"
        )
        raise
    lines = [
        f"before     {report.before}",
        f"now        {report.after}",
        f"files      {len(report.changed)} written, {report.unchanged} unchanged, "
        f"{len(report.removed)} removed",
        f"took       {report.seconds:.0f} s, {report.bytes_sent} bytes",
    ]
    lines += [f"board      {line}" for line in text.board(report.health)]
    emit(asdict(report), lines)
