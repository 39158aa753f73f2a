"""Shared by all commands: common options, output and error reports."""

import contextlib
import itertools
import json
import math
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperArgument, TyperGroup

from ipch.cli import complete

if TYPE_CHECKING:
    from ipch.device import Instrument, Owner, PortInfo


# A text column is wrapped to no less than this.
_READABLE = 32


@dataclass
class Options:
    """The global options, wherever they stand on the command line."""

    port: str | None = None
    json: bool = False


options = Options()


def _take_port(value: str | None) -> str | None:
    if value is not None:
        options.port = value
    return value


def _take_json(value: bool) -> bool:
    options.json = options.json or value
    return value


_PORT_HELP = "Path, COM name, USB serial number or URL; default: the only device."
Port = Annotated[
    str | None,
    typer.Option(
        "--port", "-p", callback=_take_port, metavar="PORT", help=_PORT_HELP, autocompletion=complete.ports
    ),
]
RootPort = Annotated[
    str | None,
    typer.Option(
        "--port",
        "-p",
        envvar="IPCH_PORT",
        callback=_take_port,
        metavar="PORT",
        help=_PORT_HELP,
        autocompletion=complete.ports,
    ),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json", callback=_take_json, help="Print results and errors as JSON on stdout.", is_eager=True
    ),
]


class Sections(TyperGroup):
    """Plain-text help with the commands under headings; rich would take longer than everything else."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        command = super().get_command(ctx, cmd_name)
        for parameter in command.params if command is not None else ():
            if isinstance(parameter, TyperArgument):
                # Its name and text say what it is: `<list[str]>` is no word of a user.
                parameter.__dict__["display_type_rich"] = lambda ctx=None: ""
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                heading = getattr(command, "rich_help_panel", None) or "Commands"
                # Whole sentences: the formatter wraps them.
                sections.setdefault(str(heading), []).append((name, command.get_short_help_str(1000)))
        for heading, rows in sections.items():
            with formatter.section(heading):
                formatter.write_dl(rows)


def several() -> "list[PortInfo]":
    """All devices found, if no --port chooses one of several; else nothing."""
    from ipch.device import list_ports

    if options.port is not None:
        return []
    found = [info for info in list_ports() if info.kind != "other"]
    return found if len(found) > 1 else []


@contextlib.contextmanager
def connected() -> Iterator["Instrument"]:
    """Open the device that --port names, or the only device; this process relays other programs' messages meanwhile."""
    from ipch.device import Instrument

    with Instrument.open(options.port) as instrument:
        yield instrument


@contextlib.contextmanager
def sharing(
    task: dict[str, Any], heard: "Callable[[str], None]" = lambda message: None
) -> "Iterator[tuple[Instrument, Owner]]":
    """Like `connected`, for a command that tells others by `task` what it does with the device.

    Keeps the computer awake while a task records.
    """
    from ipch.base.awake import kept_awake
    from ipch.device import Instrument, Owner, open_session

    records = task.get("kind") in ("log", "run")
    awake = kept_awake("records a pressure regulator") if records else contextlib.nullcontext()
    session = open_session(options.port)
    with awake, Instrument(session) as instrument, Owner(session, heard) as owner:
        owner.announce({"pid": os.getpid(), **task})
        yield instrument, owner


def emit(data: Any, lines: Sequence[str] = ()) -> None:
    """Print the result of a command: `data` with --json, else `lines`."""
    if options.json:
        print(to_json(data))
    else:
        for line in lines:
            print(line)


def emit_table(
    data: Any, columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()
) -> None:
    """Print a table, or `data` with --json. `right` lists the right-aligned columns.

    On a terminal that is too narrow, the widest text is wrapped, then columns move below their row, the last first;
    elsewhere each row is one line.
    """
    if options.json:
        print(to_json(data))
        return
    widths = [max(len(text) for text in column) for column in zip(columns, *rows, strict=True)]
    shown = list(range(len(columns)))
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else 10_000
    while (excess := _width(widths, shown) - room) > 0 and len(shown) > 1:
        widest = max((n for n in shown if n not in right), key=lambda n: widths[n], default=shown[0])
        if widths[widest] - excess >= _READABLE:
            widths[widest] -= excess
        else:
            shown.pop()
    below = [n for n in range(len(columns)) if n not in shown]
    for number, row in enumerate((columns, *rows)):
        cells = [textwrap.wrap(row[n], widths[n]) or [""] for n in shown]
        for parts in itertools.zip_longest(*cells, fillvalue=""):
            line = [
                part.rjust(widths[n]) if n in right else part.ljust(widths[n])
                for n, part in zip(shown, parts, strict=True)
            ]
            print("  ".join(line).rstrip())
        # A single text below its row needs no name.
        named = [
            f"{columns[n]} {row[n]}" if n in right or len(below) > 1 else row[n] for n in below if row[n]
        ]
        if number and named:
            print(textwrap.fill("; ".join(named), room, initial_indent="    ", subsequent_indent="    "))


def _width(widths: Sequence[int], shown: Sequence[int]) -> int:
    return sum(widths[n] for n in shown) + 2 * (len(shown) - 1)


def say(text: str) -> None:
    """Print a message on stderr; data goes to stdout."""
    print(f"ipch: {text}", file=sys.stderr)


def to_json(data: Any) -> str:
    return json.dumps(_plain(data), allow_nan=False)


def _plain(data: Any) -> Any:
    """Replace nan, which JSON lacks, by null."""
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, Mapping):
        return {str(key): _plain(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_plain(value) for value in data]
    return data


def fail(code: int, message: str) -> int:
    """Report a fatal error; return its exit code."""
    if options.json:
        print(json.dumps({"error": {"code": code, "message": message}}))
    say(message)
    return code
