"""Commands that evaluate a record: report, merge, export."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ipch.cli.common import Json, emit, emit_table, options, say
from ipch.errors import FileError, UsageError

if TYPE_CHECKING:
    from ipch.cyclers import Line, Merged
    from ipch.recording import Run
    from ipch.report import Assumed

_PANEL = "Analyse, report and export"

Record = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run, or its .db file.")]
Which = Annotated[
    int | None, typer.Option("--run", metavar="N", help="Number of the run in the file; default: the last.")
]
Cyclers = Annotated[
    list[Path] | None,
    typer.Option("--cycler", metavar="FILE", help="File of a cycler: .ndax, .mpr, .csv, ...; repeatable."),
]
Zone = Annotated[
    str | None,
    typer.Option("--tz", metavar="ZONE", help="Time zone of the cycler's clock: Europe/Oslo, UTC, +01:00."),
]
Offset = Annotated[
    str | None,
    typer.Option(metavar="DURATION", help="Added to the cycler's times: 90s, or -90s if its clock is fast."),
]
MapFile = Annotated[
    Path | None,
    typer.Option("--map", metavar="FILE.toml", help="Column map for a cycler's unknown table format."),
]
Start = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Start of the test, for cycler files without dates."),
]
Numbering = Annotated[
    str | None,
    typer.Option("--cycles", metavar="HOW", help="Number cycles by: file, charge or discharge (first)."),
]
Volume = Annotated[
    str | None,
    typer.Option(metavar="VOLUME", help="Gas volume of the chamber with the cell: 500mL."),
]
Gas = Annotated[
    str | None, typer.Option(metavar="GAS", help="Gas: air, nitrogen or argon; default: taken as air.")
]
Band = Annotated[str, typer.Option(metavar="PRESSURE", help="Half width of the band around the target.")]
Reference = Annotated[
    int | None,
    typer.Option(
        "--reference-cycle", metavar="N", help="Reference of retention; default: first complete cycle."
    ),
]


@dataclass
class Told:
    """What an evaluation is told beyond the record; kept in it for the next time."""

    cycler: list[str] = field(default_factory=list)
    tz: str | None = None
    offset: str | None = None
    map: str | None = None
    start: str | None = None
    cycles: str | None = None
    volume: str | None = None
    gas: str | None = None
    cylinder: str | None = None
    report: str | None = None

    def filled(self, before: dict[str, Any]) -> "Told":
        """With what was told last time, where nothing is told now. A cycler's file brings its own zone and offset."""
        values = asdict(self)
        kept = {
            name: value for name, value in before.items() if name in values and value and not values[name]
        }
        if self.cycler:
            kept = {name: value for name, value in kept.items() if name in ("volume", "gas", "cylinder")}
        kept.pop("report", None)
        return Told(**{**values, **kept})

    def knows(self) -> set[str]:
        return {name for name in ("cycler", "volume", "gas", "cylinder") if getattr(self, name)}


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
    offset: Offset = None,
    map_: MapFile = None,
    start: Start = None,
    cycles: Numbering = None,
    volume: Volume = None,
    gas: Gas = None,
    band: Band = "5kPa",
    reference: Reference = None,
    cylinder: Annotated[
        str | None,
        typer.Option(metavar="VOLUME@PRESSURE", help="Gas cylinder, to estimate its lifetime: 10L@20MPa."),
    ] = None,
    rated: Annotated[
        int, typer.Option(metavar="N", min=1, help="Rated actuations of the valves.")
    ] = 10_000_000,
    force: Annotated[
        bool,
        typer.Option("--force", help="Use only the options given now; overwrite a report made with more."),
    ] = False,
    run: Which = None,
    json: Json = False,
) -> None:
    """Write the HTML report of a record: plots and tables.

    Cycler files, time zone, volume and gas are remembered in the record for the next report.
    """
    from ipch.recording import find_record, recall, remember
    from ipch.report import figures, summary
    from ipch.workflows import report_place, report_run

    if out is not None and out.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"--out {out}: a report is HTML; name a file that ends in .html")
    given = Told(names_of(cycler), tz, offset, _name(map_), start, cycles, volume, gas, cylinder)
    assumed_of(given, band, reference, rated)
    found = find_record(record)
    before = recall(found, run)
    told = given if force else given.filled(before)
    place = report_place(found, out)
    _keep_what_knew_more(place, before, told, force)
    if told != given:
        say("options remembered from the last report: " + _shown(told, given))
    assumed = assumed_of(told, band, reference, rated)
    judged_run, judged, evaluation = report_run(
        found, place, run, assumed, lambda loaded: merged_of(loaded, told)
    )
    told.report = str(place.resolve())
    if not remember(found, run, asdict(told)):
        say(f"{found} cannot be written: the options are not remembered")
    _warn(evaluation.checks)
    emit(
        {"report": str(place), **summary.figures(judged_run, judged), **figures(judged_run, evaluation)},
        [*_three_lines(evaluation.checks), f"report written to {place}"],
    )


def merge(
    record: Record,
    cycler: Cyclers = None,
    tz: Zone = None,
    offset: Offset = None,
    map_: MapFile = None,
    start: Start = None,
    cycles: Numbering = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="New .bdf.csv or .bdf.parquet; default: beside the record."),
    ] = None,
    volume: Volume = None,
    gas: Gas = None,
    band: Band = "5kPa",
    reference: Reference = None,
    run: Which = None,
    json: Json = False,
) -> None:
    """Merge cycler data with the pressure: BDF and a table of cycles."""
    from ipch.cyclers import bdf_table
    from ipch.recording import export as formats
    from ipch.recording import find_record
    from ipch.report import evaluate, write_cycles
    from ipch.workflows import CYCLES_NAME, load_for_report

    told = Told(names_of(cycler), tz, offset, _name(map_), start, cycles, volume, gas)
    assumed = assumed_of(told, band, reference)
    if not cycler:
        raise UsageError("no cycler file; name at least one with --cycler")
    place = find_record(record)
    target = out or place.with_name("merged.bdf.csv")
    formats.format_of(target)
    loaded = load_for_report(place, run)
    merged = merged_of(loaded, told)
    assert merged is not None
    found = evaluate(loaded, merged, assumed)
    table = target.with_name(CYCLES_NAME)
    formats.write_table(target, bdf_table(merged))
    write_cycles(table, found.cycles)
    rows = [asdict(cycle) for cycle in found.cycles]
    unmatched = merged.rows - merged.matched
    data = {
        "file": str(target), "cycles_file": str(table), "rows": merged.rows, "unmatched_rows": unmatched,
        "clock_steps": merged.clock_steps, "readers": [part.reader for part in merged.parts], "cycles": rows,
        "checks": [asdict(line) for line in found.checks],
    }  # fmt: skip
    _warn(found.checks)
    if options.json:
        emit(data)
        return
    from ipch.report import CYCLE_COLUMNS, cycle_rows

    # What fits a terminal; the rest is in the table of cycles.
    left_out = ("min/MPa", "max/MPa", "in band")
    short = {"charge/mAh": "in/mAh", "discharge/mAh": "out/mAh"}
    shown = [at for at, name in enumerate(CYCLE_COLUMNS) if name not in left_out]
    head = [short.get(CYCLE_COLUMNS[at], CYCLE_COLUMNS[at]) for at in shown]
    emit_table(
        None, head, [[row[at] for at in shown] for row in cycle_rows(found.cycles)], right=range(1, len(head))
    )
    print()
    for text in _three_lines(found.checks):
        print(text)
    print(f"rows written to {target}, cycles to {table}")


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


def names_of(paths: list[Path] | None) -> list[str]:
    return [str(path.resolve()) for path in paths or []]


def _name(path: Path | None) -> str | None:
    return None if path is None else str(path.resolve())


def _shown(told: Told, given: Told) -> str:
    added = {name: value for name, value in asdict(told).items() if value and value != getattr(given, name)}
    return ", ".join(
        f"--{name} {' '.join(value) if isinstance(value, list) else value}" for name, value in added.items()
    )


def _keep_what_knew_more(place: Path, before: dict[str, Any], told: Told, force: bool) -> None:
    """A report made with a cycler's file or a volume is not replaced by one without. Raises FileError."""
    old = {name for name in ("cycler", "volume", "gas", "cylinder") if before.get(name)}
    if place.exists() and not force and before.get("report") == str(place.resolve()) and old - told.knows():
        missing = ", ".join(f"--{name}" for name in sorted(old - told.knows()))
        raise FileError(
            f"{place} was made with {missing}: give it again, name another file with --out, or use --force"
        )


def _three_lines(checks: "Sequence[Line]") -> list[str]:
    """The self-check: rows with cycles, charge, clock."""
    texts = {line.about: f"{line.about}: {line.text}" for line in checks}
    cycles = texts.pop("cycles", "")
    return [f"{text}; {cycles}" if about == "rows" else text for about, text in texts.items()]


def _warn(checks: "Sequence[Line]") -> None:
    """What should not be trusted goes to stderr too."""
    for line in checks:
        if not line.ok and line.about != "rows":
            say(f"warning: {line.about}: {line.text}")


def merged_of(loaded: "Run", told: Told) -> "Merged | None":
    from ipch.cyclers import NUMBERINGS, Reading, load_map, read_cyclers, start_of, zone_of
    from ipch.cyclers import merge as put_together

    numbering = next((how for how in NUMBERINGS if how == told.cycles), None)
    if told.cycles and numbering is None:
        raise UsageError(f"--cycles {told.cycles}: unknown; expected {', '.join(NUMBERINGS)}")
    if not told.cycler:
        return None
    reading = Reading(load_map(Path(told.map)) if told.map else None, start_of(told.start), numbering)
    paths = [Path(name) for name in told.cycler]
    return put_together(
        loaded, read_cyclers(paths, zone_of(told.tz), _offset_s(told.offset or "0s"), reading)
    )


def _offset_s(text: str) -> float:
    from ipch.base.units import parse_duration

    stripped = text.strip()
    sign = -1.0 if stripped.startswith("-") else 1.0
    digits = stripped.lstrip("+-")
    return 0.0 if digits in ("0", "0s") else sign * parse_duration(digits)


def assumed_of(told: Told, band: str, reference: int | None, rated: int | None = None) -> "Assumed":
    from ipch.analysis import gas_law
    from ipch.base.units import parse_pressure, parse_volume_ml
    from ipch.report import Assumed

    values: dict[str, Any] = {}
    if told.cylinder is not None:
        size, at, pressure = told.cylinder.partition("@")
        if not at:
            raise UsageError(f"not a cylinder: {told.cylinder!r}; expected VOLUME@PRESSURE, as in 10L@20MPa")
        values |= {"cylinder_l": parse_volume_ml(size) / 1e3, "cylinder_pa": float(parse_pressure(pressure))}
    if rated is not None:
        values["rated"] = rated
    return Assumed(
        gas=gas_law(told.gas) if told.gas is not None else None,
        volume_ml=parse_volume_ml(told.volume) if told.volume is not None else None,
        band_pa=float(parse_pressure(band)),
        reference_cycle=reference,
        **values,
    )
