"""Commands that show past runs and draw them for papers: runs, figure."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ipch.cli.common import Json, emit, emit_table, say
from ipch.cli.results import (
    Cyclers,
    Gas,
    Offset,
    Record,
    Told,
    Volume,
    Which,
    Zone,
    assumed_of,
    merged_of,
    names_of,
)

_PANEL = "Analyse, report and export"


def add_to(app: typer.Typer) -> None:
    for command in (runs, figure):
        app.command(rich_help_panel=_PANEL)(command)


def runs(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Folder to search for records.")] = Path(
        "runs"
    ),
    json: Json = False,
) -> None:
    """List past runs: recipe, start, length and how each ended."""
    from ipch.base.units import format_duration
    from ipch.recording import list_runs

    found = list_runs(folder)
    if not found and not folder.exists():
        from ipch.errors import FileError

        raise FileError(f"no folder {folder}; `ipch run RECIPE` makes it, or name another one")
    emit_table(
        found,
        ("started, UTC", "name", "length", "ended", "record"),
        [
            (
                str(row["started_utc"])[:16].replace("T", " "),
                str(row["name"]),
                format_duration(float(row["duration_s"])),
                str(row["ended_by"] or "not ended"),
                str(row["record"]) + (f" --run {row['run']}" if row["runs"] > 1 else ""),
            )
            for row in found
        ],
        right=(2,),
    )


def figure(
    record: Record,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Figure: .pdf, .svg or .png (600 dpi).")],
    what: Annotated[
        str,
        typer.Option(
            metavar="LIST",
            help="Panels from top to bottom: pressure, error, swelling, voltage, temperature, pulses, cycles.",
        ),
    ] = "pressure",
    width: Annotated[str, typer.Option(metavar="WIDTH", help="Width: 85mm is one column.")] = "85mm",
    cycler: Cyclers = None,
    tz: Zone = None,
    offset: Offset = None,
    volume: Volume = None,
    gas: Gas = None,
    band: Annotated[str, typer.Option(metavar="PRESSURE", help="Half width of the band.")] = "5kPa",
    run: Which = None,
    json: Json = False,
) -> None:
    """Draw a run for a paper, at a journal's size.

    Reuses the options of the last report, such as cycler files and volume.
    """
    from ipch.base.units import parse_length_mm
    from ipch.recording import find_record, recall
    from ipch.report import evaluate, find_truth, paper, summary
    from ipch.workflows import load_for_report

    panels = [name.strip() for name in what.split(",")]
    width_mm = parse_length_mm(width)
    paper.check(panels, out, width_mm)
    place = find_record(record)
    told = Told(names_of(cycler), tz, offset, volume=volume, gas=gas).filled(recall(place, run))
    assumed = assumed_of(told, band, None)
    loaded = load_for_report(place, run)
    merged, truth = merged_of(loaded, told), find_truth(loaded)
    found = evaluate(loaded, merged, assumed)
    judged = summary.judge(loaded, truth, assumed.band_pa)
    paper.draw(out, loaded, truth, judged, merged, found, what=panels, width_mm=width_mm)
    data = {"figure": str(out), "width_mm": width_mm, "panels": panels}
    if judged.source == "truth":
        say("the error is of the true pressure, which only a simulation knows")
    emit(data | {"told": asdict(told)}, [f"{width_mm:g} mm wide figure written to {out}"])
