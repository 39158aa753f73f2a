"""What every command shares: the options that all of them take, output, and reporting errors."""

import contextlib
import itertools
import json
import math
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ipch.device import Instrument


@dataclass
class Options:
    """The global options, wherever on the line they stood."""

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


_PORT_HELP = "Path, COM name, USB serial number or URL; not needed with one device."
Port = Annotated[
    str | None, typer.Option("--port", "-p", callback=_take_port, metavar="PORT", help=_PORT_HELP)
]
RootPort = Annotated[
    str | None,
    typer.Option("--port", "-p", envvar="IPCH_PORT", callback=_take_port, metavar="PORT", help=_PORT_HELP),
]
Json = Annotated[
    bool,
    typer.Option("--json", callback=_take_json, help="Print JSON on stdout, errors included.", is_eager=True),
]


@contextlib.contextmanager
def connected() -> Iterator["Instrument"]:
    """The device that the options name, or the only one there is."""
    from ipch.device import Instrument

    with Instrument.open(options.port) as instrument:
        yield instrument


@contextlib.contextmanager
def sharing(heard: "Callable[[str], None]" = lambda message: None) -> Iterator["Instrument"]:
    """As `connected`, for commands that last: others work through this one meanwhile."""
    from ipch.device import Instrument, Owner, open_session

    session = open_session(options.port)
    with Instrument(session) as instrument, Owner(session, heard):
        yield instrument


def emit(data: Any, lines: Sequence[str] = ()) -> None:
    """Print the result of a command: `data` with --json, else `lines` for people."""
    if options.json:
        print(to_json(data))
    else:
        for line in lines:
            print(line)


def emit_table(
    data: Any, columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()
) -> None:
    """Print a table, or `data` with --json. `right` lists the columns that are aligned to the right.

    On a terminal that is too narrow the widest column is wrapped; elsewhere a row is always one line.
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
    """A message for people, on stderr; data goes to stdout."""
    print(f"ipch: {text}", file=sys.stderr)


def to_json(data: Any) -> str:
    return json.dumps(_plain(data), allow_nan=False)


def _plain(data: Any) -> Any:
    """JSON has no nan: an invalid reading is null there."""
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, Mapping):
        return {str(key): _plain(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_plain(value) for value in data]
    return data


def fail(code: int, message: str) -> int:
    """Report the error that ends the program; return its exit code."""
    if options.json:
        print(json.dumps({"error": {"code": code, "message": message}}))
    say(message)
    return code
