"""The live page: `--http` of run and log, and the command live."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ipch.cli.common import Json, emit, say

if TYPE_CHECKING:
    from ipch.device import Instrument, Progress, Sample

_PANEL = "Record and run"

Http = Annotated[
    str | None,
    typer.Option("--http", metavar="HOST:PORT", help="Serve the live page here, for example 127.0.0.1:8765."),
]
Token = Annotated[
    str | None,
    typer.Option(
        "--http-token", metavar="TOKEN", envvar="IPCH_HTTP_TOKEN",
        help="Needed to read the page from other computers; at least 16 characters.",
    ),
]  # fmt: skip


def add_to(app: typer.Typer) -> None:
    app.command(rich_help_panel=_PANEL)(live)


def live(http: Http = None, token: Token = None, json: Json = False) -> None:
    """Serve a page with all devices found, until Ctrl-C."""
    import threading

    from ipch.live import DEFAULT_ADDRESS, Devices, Server

    with (
        contextlib.suppress(KeyboardInterrupt),
        Devices() as devices,
        Server(http or DEFAULT_ADDRESS, devices.feeds, token) as server,
    ):
        emit({"url": server.url}, [f"open {server.url} in a browser; stop with Ctrl-C"])
        sys.stdout.flush()
        threading.Event().wait()


@dataclass(frozen=True)
class Page:
    """What a program tells its live page; without one nothing happens."""

    seen: "Callable[[Sample], None]" = lambda sample: None
    lost: "Callable[[str], None]" = lambda reason: None
    progress: "Callable[[Progress], None]" = lambda now: None
    alarm: "Callable[[str], None]" = say
    """Says an alarm, and counts it."""
    address: str = ""
    """HOST:PORT, for other programs."""


@contextlib.contextmanager
def serving(
    http: str | None, token: str | None, instrument: "Instrument", program: str, record: Path
) -> Iterator[Page]:
    """Serve the live page of one device during the block, if an address is given."""
    if http is None:
        yield Page()
        return
    from ipch.live import Server, open_feed

    def alarm(text: str) -> None:
        say(text)
        feed.alarms += text.startswith("alarm raised")

    feed = open_feed(instrument, program, record if record.is_file() else None)
    with Server(http, {feed.serial_number: feed}, token, alone=True) as server:
        say(f"live page: {server.url}")
        try:
            yield Page(feed.sample, feed.lost, feed.progress, alarm, server.address)
        finally:
            feed.end(f"The program {program} has ended.")
