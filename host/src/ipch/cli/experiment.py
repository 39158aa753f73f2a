"""Commands that run recipes: run, recipes, demo, example."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ipch.cli import complete
from ipch.cli.common import Json, Port, emit, emit_table, options, say, sharing
from ipch.cli.guard import tell_ending
from ipch.cli.live import Http, Token, serving
from ipch.cli.record import Alarms

if TYPE_CHECKING:
    from ipch.device import Instrument, Progress, Report, Sample
    from ipch.recipes import Chosen
    from ipch.recording import Run
    from ipch.report import Judgement

if TYPE_CHECKING:
    _Take = Callable[[Sample], None]

_PANEL = "Record and run"
# A running recipe tells other programs its step this often.
_TELL_S = 2.0
# A dry run cuts timed steps to this length: the rest of a long hold shows nothing new.
_REHEARSED_S = 60.0


def add_to(app: typer.Typer) -> None:
    for command in (run, recipes, demo, example):
        app.command(rich_help_panel=_PANEL)(command)


def run(
    recipe: Annotated[
        str | None,
        typer.Argument(
            metavar="[RECIPE]",
            help="Recipe file, or a name from `ipch recipes`.",
            autocompletion=complete.recipes,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder for record and report; default: a new one in runs/."),
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Set a recipe parameter; repeatable."),
    ] = None,
    alarms: Alarms = None,
    resume: Annotated[Path | None, typer.Option(metavar="DIR", help="Resume an interrupted run.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the timetable and simulate it; touch no device.")
    ] = False,
    http: Http = None,
    http_token: Token = None,
    port: Port = None,
    json: Json = False,
) -> None:
    """Run a recipe, record it and write its report."""
    from ipch import workflows
    from ipch.errors import UsageError
    from ipch.recipes import choose_recipe, parse_changes

    if (recipe is None) == (resume is None):
        raise UsageError(
            "run takes either a RECIPE or --resume DIR; `ipch recipes` lists the shipped recipes"
        )
    if resume is not None:
        if sets or out or dry_run:
            raise UsageError("--resume excludes --set, --out and --dry-run: the record has all parameters")
        chosen, folder = workflows.unfinished_recipe(resume), resume
    else:
        assert recipe is not None
        chosen = choose_recipe(recipe, parse_changes(sets or []))
        if dry_run:
            _rehearse(chosen)
            return
        folder = out or workflows.new_folder(chosen.name)
        workflows.check_new(folder)
    with _running(chosen, folder, alarms, http, http_token) as (instrument, report, watch, seen):
        if resume is not None:
            results = workflows.resume_recipe(instrument, folder, report, watch, seen, say)
        else:
            results = workflows.run_recipe(instrument, chosen, folder, report, watch, seen, say)
    _show(folder, *results)


@contextlib.contextmanager
def _running(
    chosen: "Chosen", folder: Path, alarms: Path | None, http: str | None, token: str | None
) -> "Iterator[tuple[Instrument, Report, _Take, _Take]]":
    """What a run needs; however it ends, says where its record is and what the device goes on doing."""
    from ipch.alarms import watching
    from ipch.cli.progress import progress
    from ipch.workflows import RECORD_NAME

    task = {"kind": "run", "name": chosen.name, "record": str((folder / RECORD_NAME).resolve())}
    with sharing(task) as (instrument, owner):
        finished = False
        last: Sample | None = None
        told_s = 0.0

        def report(now: "Progress") -> None:
            nonlocal told_s
            shown(now)
            page.progress(now)
            if now.sample is not None and time.monotonic() - told_s > _TELL_S:
                told_s = time.monotonic()
                ends = {"step_ends_s": time.time() + now.step_s, "run_ends_s": time.time() + now.remaining_s}
                step = {"step": now.text, "share": round(now.fraction, 4), **ends}
                owner.announce({"pid": os.getpid(), **task, **step})

        def watch(sample: "Sample") -> None:
            nonlocal last
            last = sample
            check(sample)

        try:
            with (
                serving(http, token, instrument, f"run {chosen.name}", folder / RECORD_NAME) as page,
                progress() as shown,
                watching(
                    alarms, page.alarm, lambda: instrument.fault.sentence, instrument.identity.serial_number
                ) as check,
            ):
                if page.address:
                    task["http"] = page.address
                    owner.announce({"pid": os.getpid(), **task})
                say(f"recording to {folder}")
                yield instrument, report, watch, page.seen
            finished = True
        finally:
            if (folder / RECORD_NAME).is_file():
                tell_ending(instrument, folder, last, finished)


def _rehearse(chosen: "Chosen") -> None:
    """Print the timetable of a recipe and its simulated result."""
    from ipch import workflows
    from ipch.base.units import format_duration, format_pressure
    from ipch.cli.progress import progress
    from ipch.recipes import waits_for_others

    with progress() as shown:
        whole, simulated = workflows.rehearse(chosen, _REHEARSED_S, shown)
    begin_s = 0.0
    rows = []
    for task, seconds, span in zip(whole.tasks, whole.estimates_s, simulated.steps, strict=True):
        at = simulated.samples["pressure_pa"][simulated.time_s <= span.end_s]
        reached_pa = float(at[-1])
        rows.append(
            {
                "step": task.index + 1,
                "begins_s": round(begin_s),
                "takes_s": round(seconds),
                "what": task.text,
                "simulated_s": round(span.end_s - span.start_s),
                "simulated_end_pa": round(reached_pa),
            }
        )
        begin_s += seconds
    cells = [
        [
            str(row["step"]),
            format_duration(whole_s) if (whole_s := float(str(row["begins_s"]))) else "0 s",
            str(row["what"]),
            f"{row['simulated_s']} s",
            format_pressure(float(str(row["simulated_end_pa"]))),
        ]
        for row in rows
    ]
    emit_table(rows, ("step", "begins after", "what", "simulated", "ends at"), cells, right=(0, 1, 3, 4))
    if not options.json:
        say(
            f"simulated, timed steps shortened to {_REHEARSED_S:g} s; the full recipe takes {format_duration(begin_s)}"
            + (", plus the waits for others" if waits_for_others(chosen.recipe) else "")
        )


def recipes(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]", help="Recipe to print, as a template.", autocompletion=complete.recipes
        ),
    ] = None,
    json: Json = False,
) -> None:
    """List the shipped recipes, or print one."""
    from ipch.recipes import describe_recipes, find_recipe

    if name is not None:
        text = find_recipe(name).read_text(encoding="utf-8")
        emit({"name": name, "recipe": text}, text.splitlines())
        return
    found = describe_recipes()
    emit_table(
        found,
        ("name", "takes about", "parameters", "what it does"),
        [
            (
                r["name"],
                r["takes_about"],
                ", ".join(f"{k}={v}" for k, v in r["parameters"].items()),
                r["description"],
            )
            for r in found
        ],
    )


def demo(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for record, report and summary.")] = Path(
        "runs/demo"
    ),
    recipe: Annotated[str, typer.Option(help="Recipe to run.", autocompletion=complete.recipes)] = "demo",
    rig: Annotated[
        str, typer.Option(help="sim: the firmware on MicroPython; core: its control code on Python.")
    ] = "sim",
    json: Json = False,
) -> None:
    """Run the demonstration on a simulated rig, at full speed."""
    from ipch.cli.progress import progress
    from ipch.recipes import choose_recipe
    from ipch.workflows import demonstrate

    chosen = choose_recipe(recipe)
    with progress() as shown:
        results = demonstrate(out, chosen, shown, announce=say, rig=rig)
    _show(out, *results)


def example(
    out: Annotated[Path, typer.Option(metavar="DIR", help="New folder for all output files.")] = Path(
        "runs/example"
    ),
    json: Json = False,
) -> None:
    """Simulate five cycles of a cell, with cycler file and report."""
    from ipch.cli.progress import progress
    from ipch.workflows import CYCLER_NAME, make_example

    with progress() as shown:
        found = make_example(out, shown, announce=say)
    emit(
        {"folder": str(out), "samples": len(found.time_s), "duration_s": found.duration_s},
        [f"record, {CYCLER_NAME}, cycles, merged file and report are in {out}"],
    )


def _show(folder: Path, found: "Run", judged: "Judgement") -> None:
    from ipch.report import summary

    data = summary.figures(found, judged)
    if options.json:
        emit({"folder": str(folder), **data})
        return
    columns = summary.STEP_COLUMNS
    emit_table(None, columns, summary.step_rows(judged), right=range(1, len(columns)))
    print()
    rows = summary.headline(found, judged)
    width = max(len(name) for name, _ in rows)
    for name, value in [*rows, ("report", f"{folder / 'report.html'}")]:
        print(f"{name.ljust(width)}  {value}")
