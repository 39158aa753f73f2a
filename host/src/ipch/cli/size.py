"""The command that sizes the parts of a chamber: size."""

from pathlib import Path
from typing import Annotated

import typer

from ipch.cli.common import Json, emit, options, say

_PANEL = "Build"


def add_to(app: typer.Typer) -> None:
    app.command(rich_help_panel=_PANEL)(size)


def size(
    volume: Annotated[str, typer.Option(metavar="VOLUME", help="Gas volume of the chamber.")] = "0.5L",
    working: Annotated[str, typer.Option(metavar="PRESSURE", help="Highest working pressure.")] = "5MPa",
    rated: Annotated[str, typer.Option(metavar="PRESSURE", help="Rated pressure of the chamber.")] = "10MPa",
    supply: Annotated[
        str, typer.Option(metavar="PRESSURE", help="Supply pressure after the gas regulator.")
    ] = "6MPa",
    source: Annotated[
        str, typer.Option(metavar="PRESSURE", help="Source pressure before the gas regulator.")
    ] = "20MPa",
    gas: Annotated[str, typer.Option(help="Gas: nitrogen or air.")] = "nitrogen",
    temperature: Annotated[float, typer.Option(metavar="DEGC", help="Gas and chamber temperature.")] = 30.0,
    hole: Annotated[
        float | None, typer.Option(metavar="MM", help="Restrictor bore, both sides; default: computed.")
    ] = None,
    seat: Annotated[float, typer.Option(metavar="MM", help="Seat bore of the fill valve.")] = 1.0,
    pulse: Annotated[str, typer.Option(metavar="DURATION", help="Shortest reproducible opening.")] = "5ms",
    coil_rise: Annotated[
        str, typer.Option(metavar="DURATION", help="From the command until the coil lifts the valve.")
    ] = "8ms",
    band: Annotated[
        str, typer.Option(metavar="PRESSURE", help="Dead-band that a pulse must fit.")
    ] = "2.5kPa",
    slew: Annotated[str, typer.Option(metavar="RATE", help="Ramp rate to reach.")] = "20kPa/s",
    relief_c: Annotated[
        float | None, typer.Option(metavar="C", help="Conductance of the relief valve, m3/(s Pa).")
    ] = None,
    relief_valve: Annotated[str | None, typer.Option(metavar="PRESSURE", help="Relief set pressure.")] = None,
    burst_disc: Annotated[str | None, typer.Option(metavar="PRESSURE", help="Burst pressure.")] = None,
    capacity: Annotated[
        float, typer.Option(metavar="AH", help="Cell capacity, for the gas that its breathing uses.")
    ] = 5.0,
    leak: Annotated[float, typer.Option(metavar="KPA/H", help="Leak at working pressure.")] = 1.0,
    page: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write a page for the safety file: .html or .md.")
    ] = None,
    json: Json = False,
) -> None:
    """Size restrictors, relief and limits for a chamber.

    Needs no device. Refuses unsafe inputs.
    """
    from ipch import sizing
    from ipch.base.units import parse_duration, parse_pressure, parse_slew, parse_volume_ml
    from ipch.sizing import tables, write_page

    limits = {
        name: parse_pressure(text)
        for name, text in (("relief_valve_pa", relief_valve), ("burst_disc_pa", burst_disc))
        if text is not None
    }
    result = sizing.size(
        sizing.Design(
            volume_m3=parse_volume_ml(volume) * 1e-6,
            working_pa=parse_pressure(working),
            rated_pa=parse_pressure(rated),
            supply_pa=parse_pressure(supply),
            source_pa=parse_pressure(source),
            gas=gas,
            temperature_k=temperature + 273.15,
            hole_mm=hole,
            seat_mm=seat,
            pulse_s=parse_duration(pulse),
            coil_rise_s=parse_duration(coil_rise),
            band_pa=float(parse_pressure(band)),
            slew_pa_s=float(parse_slew(slew)),
            relief_c=relief_c,
            cell_ah=capacity,
            leak_pa_h=leak * 1e3,
            limits_pa=limits,
        )
    )
    if page is not None:
        write_page(result, page)
    lines = []
    for title, columns, rows in tables(result):
        lines += ["", title]
        widths = [max(len(row[n]) for row in rows) for n in range(len(columns))]
        for row in rows:
            cells = (text.rjust(width) if columns[n] == "value" and len(columns) > 2 else text.ljust(width)
                     for n, (text, width) in enumerate(zip(row, widths, strict=True)))  # fmt: skip
            lines.append(("  " + "  ".join(cells)).rstrip())
    emit(result.as_dict(), lines[1:])
    if not options.json:
        for text in result.warnings:
            say(f"warning: {text}")
        if page is not None:
            say(f"written to {page}")
