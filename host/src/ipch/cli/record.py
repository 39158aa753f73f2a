"""Commands that watch and record a device: watch, log."""

import contextlib
import os
from pathlib import Path
from typing import Annotated

import typer

from ipch.cli.common import Json, Port, emit, options, say, several, sharing, to_json
from ipch.cli.live import Http, Token, serving

_PANEL = "Record and run"
# Waiting for the first values of all devices.
_FIRST_S = 5.0

Every = Annotated[str, typer.Option(metavar="DURATION", help="Time between samples, in device time.")]
For = Annotated[str | None, typer.Option("--for", metavar="DURATION", help="Stop after this device time.")]

Alarms = Annotated[
    Path | None,
    typer.Option(
        "--alarms", metavar="FILE.toml", help="Alarm file; default: the user's alarms.toml, if it exists."
    ),
]


def add_to(app: typer.Typer) -> None:
    for command in (watch, log):
        app.command(rich_help_panel=_PANEL)(command)


def watch(every: Every = "1s", duration: For = None, port: Port = None, json: Json = False) -> None:
    """Show samples live, until Ctrl-C.

    Pulses are counted as fills+vents since the device started.
    """
    from ipch.base.units import parse_duration
    from ipch.cli.progress import live
    from ipch.workflows import Absence, follow

    every_s = parse_duration(every)
    duration_s = parse_duration(duration) if duration else None
    if several():
        _watch_all(every_s, duration_s)
        return
    # Ctrl-C is the normal end.
    with (
        contextlib.suppress(KeyboardInterrupt),
        sharing({"kind": "watch"}) as (instrument, _),
        live(options.json) as show,
    ):
        absence = Absence(say, show.lost)
        for sample in follow(instrument, every_s, duration_s, absence if show.waits else None):
            absence.over()
            if options.json:
                print(to_json(sample.row()), flush=True)
            else:
                show(sample)


def _watch_all(every_s: float, duration_s: float | None) -> None:
    """Show the latest sample of each device found; times are of this computer."""
    import time
    from dataclasses import asdict

    from ipch.cli.progress import many
    from ipch.cli.terminal import device_rows
    from ipch.live import Devices

    begun_s = time.monotonic()
    with contextlib.suppress(KeyboardInterrupt), Devices() as devices, many() as show:
        devices.wait_for_first(_FIRST_S)
        while True:
            feeds = sorted(dict(devices.feeds).items())
            if options.json:
                for name, feed in feeds:
                    if feed.latest is not None and not feed.away:
                        print(to_json({"serial_number": name, **asdict(feed.latest)}), flush=True)
            else:
                show(device_rows([(name, feed.latest, feed.away) for name, feed in feeds]))
            if duration_s is not None and time.monotonic() - begun_s + every_s > duration_s:
                return
            time.sleep(every_s)


def log(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="Record: .db (SQLite) or .csv; default: one .db per device."),
    ] = None,
    every: Every = "1s",
    duration: For = None,
    alarms: Alarms = None,
    all_samples: Annotated[
        bool, typer.Option("--all", help="Keep all samples, including unchanged ones.")
    ] = False,
    install_service: Annotated[
        bool, typer.Option("--install-service", help="Install a systemd user service that logs, and exit.")
    ] = False,
    http: Http = None,
    http_token: Token = None,
    port: Port = None,
    json: Json = False,
) -> None:
    """Record samples until Ctrl-C; append to an existing .db."""
    import threading

    from ipch import workflows
    from ipch.alarms import watching
    from ipch.base.units import parse_duration
    from ipch.cli.progress import recording
    from ipch.errors import UsageError
    from ipch.recording import Thinning, service

    if install_service:
        place, commands = service.install(options.port)
        emit({"unit": str(place), "commands": commands}, [f"written: {place}", "start it with:", *commands])
        return
    every_s = parse_duration(every)
    duration_s = parse_duration(duration) if duration else None
    if file is not None and file.suffix.lower() not in (".db", ".csv"):
        raise UsageError(f"{file}: a record ends in .db (SQLite) or .csv")
    changed = threading.Event()
    with sharing({"kind": "log"}, lambda message: changed.set()) as (instrument, owner):
        path = file or service.default_record(instrument.identity.serial_number)
        task = {"pid": os.getpid(), "kind": "log", "record": str(path.resolve())}
        owner.announce(task)
        with (
            recording(path) as show,
            serving(http, http_token, instrument, f"log to {path.name}", path) as page,
            watching(
                alarms, page.alarm, lambda: instrument.fault.sentence, instrument.identity.serial_number
            ) as watch,
        ):
            if page.address:
                owner.announce({**task, "http": page.address})

            def away(reason: str) -> None:
                show.lost(reason)
                page.lost(reason)

            count = workflows.log(
                instrument,
                path,
                every_s,
                duration_s,
                show,
                watch,
                thinning=None if all_samples else Thinning(),
                alarm=say,
                changed=changed,
                away=away,
                seen=page.seen,
            )
    emit({"file": str(path), "samples": count}, [f"{count} samples recorded to {path}"])
