"""Runs as a whole: a recipe from file to report, a log until it is stopped, and the demonstration."""

import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ipch import summary
from ipch.errors import FileError
from ipch.instrument import Instrument, Sample
from ipch.monitor import Monitor
from ipch.operations import Report
from ipch.recipe import Chosen
from ipch.recorder import CsvLog, Recorder
from ipch.runner import Runner
from ipch.runs import TRUTH_NAME, Run, find_record, load_run
from ipch.summary import Judgement, find_truth

if TYPE_CHECKING:
    from ipch.evaluation import Assumed, Evaluation
    from ipch.merge import Merged

RECORD_NAME = "run.db"
REPORT_NAME = "report.html"
SUMMARY_NAME = "summary.json"
CYCLES_NAME = "cycles.csv"


def new_folder(name: str) -> Path:
    """Where a run goes when nobody says otherwise."""
    return Path("runs") / f"{name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"


def run_recipe(
    instrument: Instrument,
    chosen: Chosen,
    folder: Path,
    report: Report,
    watch: Callable[[Sample], None] = lambda sample: None,
) -> tuple[Run, Judgement]:
    """Follow a recipe, record it into `folder`, and write report and summary there, also when it ends early.

    Each sample goes to `watch` as well.

    Raises what the runner raises, once the report is written.
    """
    try:
        record_recipe(instrument, chosen, folder, report, watch)
    except BaseException:
        # Without a single sample there is nothing to report.
        with contextlib.suppress(FileError):
            write_results(folder)
        raise
    return write_results(folder)


def record_recipe(
    instrument: Instrument,
    chosen: Chosen,
    folder: Path,
    report: Report,
    watch: Callable[[Sample], None] = lambda sample: None,
) -> None:
    """Follow a recipe and record it into `folder`."""
    record = folder / RECORD_NAME
    if record.exists():
        raise FileError(f"{record} exists already; name another folder with --out")
    with Recorder(record, instrument, chosen.name, chosen.text) as recorder:
        Runner(instrument, chosen.recipe, recorder, report, watch).run()


def write_results(folder: Path) -> tuple[Run, Judgement]:
    """Write report.html and summary.json beside the record in a folder."""
    from ipch.report import write_report

    run = load_run(folder / RECORD_NAME)
    judged, _ = write_report(folder / REPORT_NAME, run, find_truth(run))
    summary.write(folder / SUMMARY_NAME, run, judged)
    return run, judged


def load_for_report(path: Path, number: int | None = None) -> Run:
    """A run with those of its columns that a report is made of."""
    from ipch.evaluation import COLUMNS

    return load_run(find_record(path), number, COLUMNS)


def report_run(
    path: Path,
    out: Path | None,
    number: int | None = None,
    assumed: "Assumed | None" = None,
    add: "Callable[[Run], Merged | None]" = lambda run: None,
) -> tuple[Path, Run, Judgement, "Evaluation"]:
    """Write the report of a record, with what `add` puts beside it; return where it went."""
    from ipch.report import write_report

    record = find_record(path)
    run = load_for_report(record, number)
    place = out or record.with_name(REPORT_NAME if record.name == RECORD_NAME else f"{record.stem}.html")
    return place, run, *write_report(place, run, find_truth(run), add(run), assumed)


def follow(instrument: Instrument, every_s: float, duration_s: float | None) -> Iterator[Sample]:
    """Samples `every_s` apart in device time, for `duration_s` or without end; faults do not stop it."""
    started_s: float | None = None
    for sample in Monitor(instrument, every_s, stop_on_fault=False):
        started_s = sample.uptime_s if started_s is None else started_s
        if duration_s is not None and sample.uptime_s - started_s > duration_s:
            return
        yield sample


def log(
    instrument: Instrument,
    path: Path,
    every_s: float,
    duration_s: float | None,
    show: Callable[[Sample], None],
    watch: Callable[[Sample], None] = lambda sample: None,
) -> int:
    """Record samples until `duration_s` is over or something stops it; CSV if the file is named so.

    Each sample goes to `show` and `watch` as well.
    """
    count = 0
    is_csv = path.suffix.lower() == ".csv"
    sink = CsvLog(path) if is_csv else Recorder(path, instrument, "log")
    # Ctrl-C is how a log ends, not what goes wrong with it.
    with sink, contextlib.suppress(KeyboardInterrupt):
        for sample in follow(instrument, every_s, duration_s):
            sink.sample(sample)
            watch(sample)
            count += 1
            show(sample)
    return count


def demonstrate(
    folder: Path, chosen: Chosen, report: Report, announce: Callable[[str], None]
) -> tuple[Run, Judgement]:
    """Run a recipe on a simulated rig as fast as it goes; everything is in `folder` afterwards.

    The figures are judged by the true pressure, which only a simulator knows.
    """
    from ipch.sim.server import simulate

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
    arguments = ["--rig", "sim", "--speed", "max", "--truth", str(folder / TRUTH_NAME)]
    with simulate(arguments) as simulator, Instrument.open(simulator.port) as instrument:
        announce(f"the firmware runs on {instrument.identity.interpreter} and regulates a simulated chamber")
        record_recipe(instrument, chosen, folder, report)
    return write_results(folder)
