"""Commands that make something of a record: export, merge, report."""

from pathlib import Path
from typing import Annotated

import typer

from ipch.cli.common import Json, emit

_PANEL = "Analyse, report and export"

Record = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run, or its .db file.")]
Which = Annotated[
    int | None, typer.Option("--run", metavar="N", help="Of several runs in a file; the last one.")
]


def add_to(app: typer.Typer) -> None:
    for command in (export,):
        app.command(rich_help_panel=_PANEL)(command)


def export(
    record: Record,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="New file: .csv, .bdf.csv, .parquet or .bdf.parquet; by default .csv."
        ),
    ] = None,
    layout: Annotated[
        str | None,
        typer.Option("--format", metavar="FORMAT", help="csv, bdf or parquet, where the name is silent."),
    ] = None,
    run: Which = None,
    json: Json = False,
) -> None:
    """Write a record as CSV, Parquet or BDF (Battery Data Format)."""
    from ipch.export import export as write
    from ipch.export import format_of
    from ipch.runs import find_record, load_run

    found = find_record(record)
    ending = {"bdf": ".bdf.csv", "parquet": ".parquet"}.get(layout or "", ".csv")
    place = out or found.with_suffix(ending)
    # Before a month of samples is read.
    form = format_of(place, layout)
    count = write(load_run(found, run), place, form)
    emit(
        {"file": str(place), "format": form, "samples": count},
        [f"{count} samples written to {place}"],
    )
