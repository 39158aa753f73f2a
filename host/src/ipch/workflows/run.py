"""Run a recipe from its file to the report; resume, rehearse or demonstrate it."""

import contextlib
import shlex
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from ipch.base.files import access
from ipch.device import Instrument, Report, Sample
from ipch.errors import FileError
from ipch.recipes import Chosen, Plan, Runner, find_position, plan, recipe_of_record, shortened
from ipch.recording import TRUTH_NAME, Recorder, Run, find_record, load_run, open_database
from ipch.report import Judgement
from ipch.workflows.results import (
    RECORD_NAME,
    REPORT_NAME,
    SUMMARY_NAME,
    write_results,
)


def new_folder(name: str) -> Path:
    """Default folder of a run."""
    return Path("runs") / f"{name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"


def check_new(folder: Path) -> None:
    """Raises FileError if a folder already holds a record."""
    record = folder / RECORD_NAME
    if record.exists():
        raise FileError(
            f"{record} exists already; name another folder with --out, or resume with:"
            f" {shlex.join(['ipch', 'run', '--resume', str(folder)])}"
        )


def run_recipe(
    instrument: Instrument,
    chosen: Chosen,
    folder: Path,
    report: Report,
    watch: Callable[[Sample], None] = lambda sample: None,
    seen: Callable[[Sample], None] = lambda sample: None,
    alarm: Callable[[str], None] = lambda text: None,
) -> tuple[Run, Judgement]:
    """Run a recipe, record it into `folder`, and write report and summary there, also if it ends early.

    `watch` is called with each recorded sample, `seen` with every one that is read, `alarm` if the record cannot be
    written or has gaps. Raises the errors of the runner after the report is written.
    """
    with _reporting(folder):
        record_recipe(instrument, chosen, folder, report, watch, seen, alarm)
    return write_results(folder)


def resume_recipe(
    instrument: Instrument,
    folder: Path,
    report: Report,
    watch: Callable[[Sample], None] = lambda sample: None,
    seen: Callable[[Sample], None] = lambda sample: None,
    alarm: Callable[[str], None] = lambda text: None,
) -> tuple[Run, Judgement]:
    """Resume an interrupted recipe at its position in device time. Raises FaultError if the device has changed since,
    FileError if there is nothing to resume."""
    chosen = unfinished_recipe(folder)
    record = folder / RECORD_NAME
    with _reporting(folder), Recorder(record, instrument, chosen.name, resume=True, alarm=alarm) as recorder:
        position = find_position(recorder)
        Runner(instrument, chosen.recipe, recorder, report, watch, seen=seen, position=position).run()
    return write_results(folder)


def unfinished_recipe(folder: Path) -> Chosen:
    """The recipe of an unfinished run. Raises FileError."""
    record = find_record(folder)
    with contextlib.closing(open_database(record)) as database:
        query = "SELECT name, recipe, ended_by FROM runs ORDER BY run DESC LIMIT 1"
        name, text, ended_by = database.execute(query).fetchone() or ("", None, None)
    if text is None:
        raise FileError(f"{record} is not the record of a recipe; `ipch run RECIPE` starts one")
    if ended_by == "complete":
        raise FileError(f"{record}: the recipe is complete; nothing to resume")
    return recipe_of_record(name, text)


@contextlib.contextmanager
def _reporting(folder: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        # A record without samples has no report.
        with contextlib.suppress(FileError):
            write_results(folder)
        raise


def record_recipe(
    instrument: Instrument,
    chosen: Chosen,
    folder: Path,
    report: Report,
    watch: Callable[[Sample], None] = lambda sample: None,
    seen: Callable[[Sample], None] = lambda sample: None,
    alarm: Callable[[str], None] = lambda text: None,
) -> None:
    """Run a recipe and record it into `folder`."""
    check_new(folder)
    with Recorder(folder / RECORD_NAME, instrument, chosen.name, chosen.text, alarm=alarm) as recorder:
        Runner(instrument, chosen.recipe, recorder, report, watch, seen=seen).run()


def rehearse(chosen: Chosen, longest_s: float, report: Report) -> tuple[Plan, Run]:
    """Simulate a recipe on the rig `core`, with timed steps cut to `longest_s`; uses no real device."""
    from ipch.sim.desk import Desk

    with tempfile.TemporaryDirectory() as folder, Desk(Path(folder)) as desk:
        instrument = Instrument(desk)
        whole = plan(instrument, chosen.recipe)
        short = Chosen(chosen.name, chosen.text, shortened(chosen.recipe, longest_s))
        record_recipe(instrument, short, Path(folder), report)
        return whole, load_run(Path(folder) / RECORD_NAME)


def demonstrate(
    folder: Path, chosen: Chosen, report: Report, announce: Callable[[str], None], rig: str = "sim"
) -> tuple[Run, Judgement]:
    """Run a recipe on a simulated rig at full speed; write all files to `folder`. `rig` is sim or core.

    The figures use the true pressure, which only a simulator knows.
    """
    from ipch.sim.server import simulate

    with access("create", folder):
        folder.mkdir(parents=True, exist_ok=True)
    for name in (
        RECORD_NAME,
        f"{RECORD_NAME}-wal",
        f"{RECORD_NAME}-shm",
        REPORT_NAME,
        SUMMARY_NAME,
        TRUTH_NAME,
    ):
        (folder / name).unlink(missing_ok=True)
    arguments = ["--rig", rig, "--speed", "max", "--truth", str(folder / TRUTH_NAME)]
    with simulate(arguments) as simulator, Instrument.open(simulator.port) as instrument:
        announce(f"the firmware runs on {instrument.identity.interpreter} and regulates a simulated chamber")
        record_recipe(instrument, chosen, folder, report)
    return write_results(folder)
