"""Commands for the device: info, status, set, on, off, hold, vent, ack, quiet, send."""

from typing import TYPE_CHECKING, Annotated

import typer

from ipch.cli.common import Json, Port, connected, emit, say

if TYPE_CHECKING:
    from ipch.device import Sample

_PANEL = "Regulate"


def add_to(app: typer.Typer) -> None:
    app.command(name="info", rich_help_panel=_PANEL)(info)
    app.command(name="status", rich_help_panel=_PANEL)(status)
    app.command(name="set", rich_help_panel=_PANEL)(set_pressure)
    for command in (on, off, hold, vent, ack, quiet, send):
        app.command(rich_help_panel=_PANEL)(command)


def _show(sample: "Sample") -> None:
    from dataclasses import asdict

    from ipch.cli import text

    emit(asdict(sample), [text.one_line(sample)])


def info(port: Port = None, json: Json = False) -> None:
    """Show the device's identity, firmware and valve counters."""
    from dataclasses import asdict

    from ipch.cli import text

    with connected() as instrument:
        valves = {"fill": instrument.valve(1), "vent": instrument.valve(2)}
        sample = instrument.fetch()
        data = {
            "port": instrument.port,
            **asdict(instrument.identity),
            "boot": sample.boot,
            "uptime_s": sample.uptime_s,
            "valves": {name: asdict(valve) for name, valve in valves.items()},
        }
        emit(data, text.info(instrument.port, instrument.identity, sample, valves))


def status(port: Port = None, json: Json = False) -> None:
    """Show the present state and readings of the device."""
    from dataclasses import asdict

    from ipch.cli import text

    with connected() as instrument:
        sample, fault, warnings = instrument.fetch(), instrument.fault, instrument.warnings
        drift = instrument.drift if instrument.holds_amount else None
    data = {
        **asdict(sample),
        "fault": asdict(fault),
        "warnings": warnings,
        "holds": "pressure" if drift is None else "amount",
        **({} if drift is None else {"amount": asdict(drift)}),
    }
    emit(data, text.status(sample, fault, warnings, drift))


def set_pressure(
    pressure: Annotated[
        str, typer.Argument(help="Absolute pressure: 5MPa, '50 bar'; without a unit in MPa.")
    ],
    slew: Annotated[str | None, typer.Option(metavar="RATE", help="Ramp rate: 20kPa/s, 1MPa/min.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Return once the pressure is in limits.")] = False,
    port: Port = None,
    json: Json = False,
) -> None:
    """Set the target pressure."""
    from ipch.base.units import parse_pressure, parse_slew
    from ipch.cli.progress import progress
    from ipch.device import actions

    target_pa = parse_pressure(pressure)
    slew_pa_s = parse_slew(slew) if slew else None
    with connected() as instrument, progress() as report:
        sample = actions.set_pressure(instrument, target_pa, slew_pa_s, wait=wait, report=report)
        amount = instrument.holds_amount
    _show(sample)
    if amount:
        say(
            "the target is set, but the device holds the amount of gas; `ipch hold pressure` follows the target"
        )
    elif sample.state == "OFF":
        say("the target is set, but the regulator is off; `ipch on` starts it")


def on(port: Port = None, json: Json = False) -> None:
    """Start regulating, from the present pressure."""
    from ipch.device import actions

    with connected() as instrument:
        _show(actions.switch(instrument, on=True))


def off(port: Port = None, json: Json = False) -> None:
    """Stop regulating: shut all valves, keep the gas in the chamber."""
    from ipch.device import actions

    with connected() as instrument:
        _show(actions.switch(instrument, on=False))


def hold(
    what: Annotated[
        str,
        typer.Argument(help="pressure, or amount: valves shut, drift shown by `ipch status`."),
    ],
    port: Port = None,
    json: Json = False,
) -> None:
    """Hold the pressure, or the amount of gas."""
    from ipch.device import actions

    with connected() as instrument:
        _show(actions.hold(instrument, what))


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
        sample = actions.vent(instrument, abort=abort, wait=wait, report=report)
    _show(sample)


def ack(port: Port = None, json: Json = False) -> None:
    """Acknowledge a latched fault whose cause is gone."""
    from ipch.device import actions

    with connected() as instrument:
        _show(actions.acknowledge(instrument))


def quiet(
    duration: Annotated[str, typer.Argument(help="Duration: 90s, 10min, 1h30m; 'end' ends it now.")],
    port: Port = None,
    json: Json = False,
) -> None:
    """Keep the valves shut during a measurement."""
    from ipch.base.units import parse_duration
    from ipch.device import actions

    seconds = 0.0 if duration == "end" else parse_duration(duration)
    with connected() as instrument:
        _show(actions.quiet(instrument, seconds))


def send(
    message: Annotated[str, typer.Argument(help="SCPI message: '*IDN?', ':SOUR:PRES 5;:OUTP ON'.")],
    port: Port = None,
    json: Json = False,
) -> None:
    """Send one SCPI message and print the replies."""
    with connected() as instrument:
        replies = instrument.ask(message)
        emit({"message": message, "replies": replies}, replies)
