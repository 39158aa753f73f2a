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

if TYPE_CHECKING:
    from ipch.device import Instrument, Owner


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
    str | None, typer.Option("--port", "-p", callback=_take_port, metavar="PORT", help=_PORT_HELP)
]
RootPort = Annotated[
    str | None,
    typer.Option("--port", "-p", envvar="IPCH_PORT", callback=_take_port, metavar="PORT", help=_PORT_HELP),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json", callback=_take_json, help="Print results and errors as JSON on stdout.", is_eager=True
    ),
]


@contextlib.contextmanager
def connected() -> Iterator["Instrument"]:
    """Open the device that --port names, or the only device."""
    from ipch.device import Instrument

    with Instrument.open(options.port) as instrument:
        yield instrument


@contextlib.contextmanager
def sharing(
    task: dict[str, Any], heard: "Callable[[str], None]" = lambda message: None
) -> "Iterator[tuple[Instrument, Owner]]":
    """Like `connected`, for long commands: this process relays other programs' messages meanwhile.

    `task` is what it does with the device, for them.
    """
    from ipch.device import Instrument, Owner, open_session

    session = open_session(options.port)
    with Instrument(session) as instrument, Owner(session, heard) as owner:
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

    On a narrow terminal the widest column is wrapped; elsewhere each row is one line.
    """
    if options.json:
        print(to_json(data))
        return
    widths = [max(len(text) for text in column) for column in zip(columns, *rows, strict=True)]
    if sys.stdout.isatty():
        widest = max((n for n in range(len(widths)) if n not in right), key=lambda n: widths[n], default=0)
        too_wide = sum(widths) + 2 * (len(widths) - 1) - shutil.get_terminal_size().columns
        if too_wide > 0:
            widths[widest] = max(16, widths[widest] - too_wide)
    for row in (columns, *rows):
        cells = [textwrap.wrap(text, width) or [""] for text, width in zip(row, widths, strict=True)]
        for parts in itertools.zip_longest(*cells, fillvalue=""):
            line = [
                part.rjust(width) if n in right else part.ljust(width)
                for n, (part, width) in enumerate(zip(parts, widths, strict=True))
            ]
            print("  ".join(line).rstrip())


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
