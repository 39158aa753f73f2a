"""Commands for the device: info, status, set, on, off, hold, vent, ack, quiet, send."""

from typing import TYPE_CHECKING, Annotated

import typer

from ipch.cli import guard, text
from ipch.cli.common import Json, Port, connected, emit, emit_table, say, several
from ipch.cli.guard import Yes, changing

if TYPE_CHECKING:
    from ipch.device import Instrument, PortInfo, Sample

_PANEL = "Regulate"
# Rates from here on ask first: the fastest of the shipped recipes is a tenth of it.
_FAST_PA_S = 500_000


def add_to(app: typer.Typer) -> None:
    app.command(name="info", rich_help_panel=_PANEL)(info)
    app.command(name="status", rich_help_panel=_PANEL)(status)
    app.command(name="set", rich_help_panel=_PANEL)(set_pressure)
    for command in (on, off, hold, vent, ack, quiet, send):
        app.command(rich_help_panel=_PANEL)(command)


def _show(sample: "Sample | None", instrument: "Instrument | None" = None) -> None:
    """Print the device's reply to an action; `instrument` is asked for what a sample does not hold."""
    if sample is None:
        emit({"state": None}, [])
        say("done; this version of ipch does not understand the readings that followed")
        return
    more = text.Asked() if instrument is None else text.ask(instrument, sample)
    emit(sample.row() | (more.data() if instrument else {}), [text.one_line(sample, more)])


def info(port: Port = None, json: Json = False) -> None:
    """Show the device: identity, firmware, valve counters, board."""
    from dataclasses import asdict

    with connected() as instrument:
        valves = {"fill": instrument.valve(1), "vent": instrument.valve(2)}
        sample = instrument.fetch()
        data = {
            "port": instrument.port,
            **asdict(instrument.identity),
            "boot": sample.boot,
            "uptime_s": sample.uptime_s,
            "valves": {name: asdict(valve) for name, valve in valves.items()},
            "health": (health := instrument.health()),
        }
        emit(data, text.info(instrument.port, instrument.identity, sample, valves, health))


def status(port: Port = None, json: Json = False) -> None:
    """Show the present state and readings of the device."""
    from dataclasses import asdict

    if found := several():
        _status_all(found)
        return
    with connected() as instrument:
        sample, fault, warnings, drift = instrument.report()
        more = text.Asked(drift, instrument.quiet_left_s if sample.state == "QUIET" else None)
    data = {**sample.row(), "fault": asdict(fault), "warnings": warnings, **more.data()}
    emit(data, text.status(sample, fault, warnings, more))


def _status_all(found: "list[PortInfo]") -> None:
    """A row for each device; one that does not answer says why."""

    from ipch.cli.terminal import status_row
    from ipch.device import Instrument
    from ipch.errors import IpchError, NoDeviceError

    data: list[dict[str, object]] = []
    rows = []
    for info in found:
        name = info.serial_number or info.port
        try:
            with Instrument.open(info.port) as instrument:
                sample, warnings = instrument.fetch(), instrument.warnings
        except IpchError as error:
            data.append({"serial_number": name, "port": info.port, "error": str(error)})
            rows.append((name, "?", "-", "-", str(error)))
            continue
        data.append({"serial_number": name, "port": info.port, **sample.row(), "warnings": warnings})
        rows.append(status_row(name, sample, warnings))
    emit_table(data, ("device", "state", "pressure", "target", "faults and warnings"), rows, right=(2, 3))
    if all("error" in row for row in data):
        raise NoDeviceError(f"none of the {len(data)} devices answers")


def set_pressure(
    pressure: Annotated[
        str, typer.Argument(help="Absolute pressure: 5MPa, '50 bar'; without a unit in MPa.")
    ],
    slew: Annotated[
        str | None, typer.Option(metavar="RATE", help="Ramp rate: 20kPa/s, 1MPa/min; kept for later ramps.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Return once the pressure is in limits.")] = False,
    yes: Yes = False,
    port: Port = None,
    json: Json = False,
) -> None:
    """Set the target pressure.

    The pressure changes only while the regulator is on: `ipch on`.
    """
    from ipch.base.units import parse_pressure, parse_slew
    from ipch.cli.progress import progress
    from ipch.device import actions

    target_pa = parse_pressure(pressure)
    slew_pa_s = parse_slew(slew) if slew else None
    if slew_pa_s is not None and slew_pa_s >= _FAST_PA_S and not yes:
        guard.ask(_fast(slew_pa_s), "nothing was changed", twice=True)
    with changing("a new target", yes) as instrument, progress() as report:
        sample = actions.set_pressure(instrument, target_pa, slew_pa_s, wait=wait, report=report)
        amount = instrument.holds_amount
        _show(sample, instrument)
    if amount:
        say(
            "the target is set, but the device holds the amount of gas; `ipch hold pressure` follows the target"
        )
    elif sample.state == "OFF":
        say("the target is set, but the regulator is off; `ipch on` starts it")


def _fast(slew_pa_s: int) -> str:
    from ipch.base.units import format_duration, format_slew

    return (
        f"{format_slew(slew_pa_s)} is fast: 5 MPa in {format_duration(5e6 / slew_pa_s)}, which heats the gas and"
        " loads the cell like a blow; the device also keeps this rate for later ramps"
    )


def on(yes: Yes = False, port: Port = None, json: Json = False) -> None:
    """Start regulating, from the present pressure."""
    from ipch.device import actions

    with changing("switching on", yes) as instrument:
        _show(actions.switch(instrument, on=True), instrument)


def off(port: Port = None, json: Json = False) -> None:
    """Stop regulating: shut all valves, keep the gas in the chamber."""
    from ipch.device import actions

    with connected() as instrument:
        sample = actions.switch(instrument, on=False)
        _show(sample)
        guard.tell(instrument, "switching off")


def hold(
    what: Annotated[
        str,
        typer.Argument(help="pressure, or amount: valves shut, drift shown by `ipch status`."),
    ],
    yes: Yes = False,
    port: Port = None,
    json: Json = False,
) -> None:
    """Hold the pressure, or the amount of gas."""
    from ipch.device import actions

    with changing(f"holding the {what}", yes) as instrument:
        _show(actions.hold(instrument, what), instrument)


def vent(
    wait: Annotated[bool, typer.Option("--wait", help="Return once the chamber is empty.")] = False,
    abort: Annotated[bool, typer.Option("--abort", help="Stop venting; keep the remaining gas.")] = False,
    port: Port = None,
    json: Json = False,
) -> None:
    """Vent the chamber to ambient at the vent rate."""
    from ipch.cli.progress import progress
    from ipch.device import actions

    with connected() as instrument, progress() as report:
        running = guard.recipe_on(instrument)
        sample = actions.vent(instrument, abort=abort, wait=wait, report=report)
    _show(sample)
    if wait:
        say("the chamber is vented; the pressure is absolute, and a vent ends a little above ambient")
    if running:
        say(f"{running}; the vent ends it")


def ack(port: Port = None, json: Json = False) -> None:
    """Acknowledge a latched fault whose cause is gone."""
    from ipch.device import actions

    with connected() as instrument:
        _show(actions.acknowledge(instrument))


def quiet(
    duration: Annotated[str, typer.Argument(help="Duration: 90s, 10min, 1h30m; 'end' ends it now.")],
    yes: Yes = False,
    port: Port = None,
    json: Json = False,
) -> None:
    """Keep the valves shut during a measurement."""
    from ipch.base.units import parse_duration
    from ipch.device import actions

    seconds = 0.0 if duration == "end" else parse_duration(duration)
    with changing("a quiet window", yes) as instrument:
        _show(actions.quiet(instrument, seconds), instrument)


def send(
    message: Annotated[str, typer.Argument(help="SCPI message: '*IDN?', ':SOUR:PRES 5;:OUTP ON'.")],
    yes: Yes = False,
    port: Port = None,
    json: Json = False,
) -> None:
    """Send one SCPI message and print the replies."""
    from ipch.device import is_query

    with changing(f"{message!r}", yes or is_query(message)) as instrument:
        replies = instrument.ask(message)
        emit({"message": message, "replies": replies}, replies)
