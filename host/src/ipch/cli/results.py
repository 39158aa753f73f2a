"""Commands that evaluate a record: report, merge, export."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ipch.cli.common import Json, emit, emit_table, options

if TYPE_CHECKING:
    from ipch.cyclers import Merged
    from ipch.recording import Run
    from ipch.report import Assumed

_PANEL = "Analyse, report and export"

Record = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run, or its .db file.")]
Which = Annotated[
    int | None, typer.Option("--run", metavar="N", help="Number of the run in the file; default: the last.")
]
Cyclers = Annotated[
    list[Path] | None,
    typer.Option("--cycler", metavar="FILE", help="Cycler file: .nda, .ndax, .mpr, .mpt, .csv; repeatable."),
]
Zone = Annotated[
    str | None,
    typer.Option("--tz", metavar="ZONE", help="Time zone of the cycler's clock: Europe/Oslo, UTC, +01:00."),
]
Offset = Annotated[
    str,
    typer.Option(metavar="DURATION", help="Added to the cycler's times: 90s, or -90s if its clock is fast."),
]
Volume = Annotated[
    str | None,
    typer.Option(metavar="VOLUME", help="Gas volume of the chamber with the cell: 500mL."),
]
Gas = Annotated[str, typer.Option(metavar="GAS", help="Gas: air or nitrogen.")]
Band = Annotated[str, typer.Option(metavar="PRESSURE", help="Half width of the band around the target.")]
Reference = Annotated[
    int | None,
    typer.Option(
        "--reference-cycle", metavar="N", help="Reference of retention; default: first complete cycle."
    ),
]


def add_to(app: typer.Typer) -> None:
    for command in (report, merge, export):
        app.command(rich_help_panel=_PANEL)(command)


def report(
    record: Record,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Report; default: beside the record.")
    ] = None,
    cycler: Cyclers = None,
    tz: Zone = None,
    offset: Offset = "0s",
    volume: Volume = None,
    gas: Gas = "air",
    band: Band = "5kPa",
    reference: Reference = None,
    cylinder: Annotated[
        str | None,
        typer.Option(metavar="VOLUME@PRESSURE", help="Gas cylinder, to estimate its lifetime: 10L@20MPa."),
    ] = None,
    rated: Annotated[
        int, typer.Option(metavar="N", min=1, help="Rated actuations of the valves.")
    ] = 10_000_000,
    run: Which = None,
    json: Json = False,
) -> None:
    """Write the HTML report of a record: plots and tables."""
    from ipch.report import figures, summary
    from ipch.workflows import report_run

    assumed = _assumed(volume, gas, band, reference, cylinder, rated)
    place, found, judged, evaluation = report_run(
        record, out, run, assumed, lambda loaded: _merged(loaded, cycler, tz, offset)
    )
    emit(
        {"report": str(place), **summary.figures(found, judged), **figures(found, evaluation)},
        [f"report written to {place}"],
    )


def merge(
    record: Record,
    cycler: Cyclers = None,
    tz: Zone = None,
    offset: Offset = "0s",
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="New .bdf.csv or .bdf.parquet; default: beside the record."),
    ] = None,
    volume: Volume = None,
    gas: Gas = "air",
    band: Band = "5kPa",
    reference: Reference = None,
    run: Which = None,
    json: Json = False,
) -> None:
    """Merge cycler data with the pressure: BDF and a table of cycles."""
    from ipch.cyclers import bdf_table
    from ipch.errors import UsageError
    from ipch.recording import export as formats
    from ipch.recording import find_record
    from ipch.report import evaluate, write_cycles
    from ipch.workflows import CYCLES_NAME, load_for_report

    assumed = _assumed(volume, gas, band, reference)
    if not cycler:
        raise UsageError("no cycler file; name at least one with --cycler")
    place = find_record(record)
    loaded = load_for_report(place, run)
    merged = _merged(loaded, cycler, tz, offset)
    assert merged is not None
    found = evaluate(loaded, merged, assumed)
    target = out or place.with_name("merged.bdf.csv")
    cycles = target.with_name(CYCLES_NAME)
    formats.write_table(target, bdf_table(merged))
    write_cycles(cycles, found.cycles)
    rows = [asdict(cycle) for cycle in found.cycles]
    unmatched = merged.rows - merged.matched
    data = {
        "file": str(target), "cycles_file": str(cycles), "rows": merged.rows, "unmatched_rows": unmatched,
        "clock_steps": merged.clock_steps, "readers": [part.reader for part in merged.parts], "cycles": rows,
    }  # fmt: skip
    if options.json:
        emit(data)
        return
    from ipch.report import CYCLE_COLUMNS, cycle_rows

    emit_table(None, CYCLE_COLUMNS, cycle_rows(found.cycles), right=range(1, len(CYCLE_COLUMNS)))
    print(
        f"\n{merged.rows} rows written to {target}, {unmatched} of them without a pressure; cycles written to {cycles}"
    )
    if merged.clock_steps:
        print(
            f"the cycler's clock went back {merged.clock_steps} times; the times before each step were shifted"
        )


def export(
    record: Record,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="New .csv, .bdf.csv, .parquet or .bdf.parquet; default: .csv."),
    ] = None,
    layout: Annotated[
        str | None,
        typer.Option("--format", metavar="FORMAT", help="csv, bdf or parquet; default: from the file name."),
    ] = None,
    run: Which = None,
    json: Json = False,
) -> None:
    """Write a record as CSV, Parquet or BDF (Battery Data Format)."""
    from ipch.recording import export as formats
    from ipch.recording import find_record, load_run

    found = find_record(record)
    ending = {"bdf": ".bdf.csv", "parquet": ".parquet"}.get(layout or "", ".csv")
    place = out or found.with_suffix(ending)
    # Check the format before reading a month of samples.
    form = formats.format_of(place, layout)
    count = formats.export(load_run(found, run), place, form)
    emit(
        {"file": str(place), "format": form, "samples": count},
        [f"{count} samples written to {place}"],
    )


def _merged(loaded: "Run", cycler: list[Path] | None, tz: str | None, offset: str) -> "Merged | None":
    from ipch.cyclers import merge as put_together
    from ipch.cyclers import read_cyclers, zone_of

    if not cycler:
        return None
    return put_together(loaded, read_cyclers(cycler, zone_of(tz), _offset_s(offset)))


def _offset_s(text: str) -> float:
    from ipch.base.units import parse_duration

    stripped = text.strip()
    sign = -1.0 if stripped.startswith("-") else 1.0
    digits = stripped.lstrip("+-")
    return 0.0 if digits in ("0", "0s") else sign * parse_duration(digits)


def _assumed(
    volume: str | None,
    gas: str,
    band: str,
    reference: int | None,
    cylinder: str | None = None,
    rated: int | None = None,
) -> "Assumed":
    from ipch.analysis import gas_law
    from ipch.base.units import parse_pressure, parse_volume_ml
    from ipch.errors import UsageError
    from ipch.report import Assumed

    values: dict[str, Any] = {}
    if cylinder is not None:
        size, at, pressure = cylinder.partition("@")
        if not at:
            raise UsageError(f"not a cylinder: {cylinder!r}; allowed is VOLUME@PRESSURE, as in 10L@20MPa")
        values |= {"cylinder_l": parse_volume_ml(size) / 1e3, "cylinder_pa": float(parse_pressure(pressure))}
    if rated is not None:
        values["rated"] = rated
    return Assumed(
        gas=gas_law(gas),
        volume_ml=parse_volume_ml(volume) if volume is not None else None,
        band_pa=float(parse_pressure(band)),
        reference_cycle=reference,
        **values,
    )
