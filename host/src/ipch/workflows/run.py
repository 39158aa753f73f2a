"""Runs as a whole: a recipe from file to report, a log until it is stopped, and the demonstration."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ipch.device.actions import Report
from ipch.device.instrument import Instrument, Sample
from ipch.device.polling import Pacer
from ipch.errors import DeviceLostError, FileError
from ipch.recipes.loader import Chosen, recipe_of_record
from ipch.recipes.plan import Plan, plan
from ipch.recipes.resume import find_position
from ipch.recipes.runner import Runner
from ipch.recipes.steps import shortened
from ipch.recording.csv_writer import CsvLog
from ipch.recording.reader import TRUTH_NAME, Run, find_record, load_run
from ipch.recording.recorder import Recorder
from ipch.recording.schema import open_database
from ipch.recording.thinning import Thinning
from ipch.report import summary
from ipch.report.summary import Judgement, find_truth

if TYPE_CHECKING:
    from ipch.cyclers.merge import Merged
    from ipch.report.evaluate import Assumed, Evaluation

RECORD_NAME = "run.db"
REPORT_NAME = "report.html"
SUMMARY_NAME = "summary.json"
# A device that is away is looked for as often; settings are read again as often without a reason.
_AGAIN_S = 0.25
_NAP_S = 0.5
_LOOK_S = 3600.0
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
    with _reporting(folder):
        record_recipe(instrument, chosen, folder, report, watch)
    return write_results(folder)


def resume_recipe(
    instrument: Instrument,
    folder: Path,
    report: Report,
    watch: Callable[[Sample], None] = lambda sample: None,
) -> tuple[Run, Judgement]:
    """Go on with a recipe whose program ended, where it stood in device time. Raises FaultError if the device is not
    as the run left it, FileError if there is nothing to resume."""
    chosen = unfinished_recipe(folder)
    with _reporting(folder), Recorder(folder / RECORD_NAME, instrument, chosen.name, resume=True) as recorder:
        position = find_position(recorder)
        Runner(instrument, chosen.recipe, recorder, report, watch, position=position).run()
    return write_results(folder)


def unfinished_recipe(folder: Path) -> Chosen:
    """The recipe of a run that did not come to its end. Raises FileError."""
    record = find_record(folder)
    with contextlib.closing(open_database(record)) as database:
        query = "SELECT name, recipe, ended_by FROM runs ORDER BY run DESC LIMIT 1"
        name, text, ended_by = database.execute(query).fetchone() or ("", None, None)
    if text is None:
        raise FileError(f"{record} is no record of a recipe; `ipch run RECIPE` begins one")
    if ended_by == "complete":
        raise FileError(f"{record}: the recipe came to its end; there is nothing to resume")
    return recipe_of_record(name, text)


@contextlib.contextmanager
def _reporting(folder: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        # Without a single sample there is nothing to report.
        with contextlib.suppress(FileError):
            write_results(folder)
        raise


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
        raise FileError(f"{record} exists already; name another folder with --out, or go on with --resume")
    with Recorder(record, instrument, chosen.name, chosen.text) as recorder:
        Runner(instrument, chosen.recipe, recorder, report, watch).run()


def rehearse(chosen: Chosen, longest_s: float, report: Report) -> tuple[Plan, Run]:
    """Simulate a recipe on the rung `core`, with its steps of time cut to `longest_s`; nothing real is touched."""
    import tempfile

    from ipch.sim.desk import Desk

    with tempfile.TemporaryDirectory() as folder, Desk(Path(folder)) as desk:
        instrument = Instrument(desk)
        whole = plan(instrument, chosen.recipe)
        short = Chosen(chosen.name, chosen.text, shortened(chosen.recipe, longest_s))
        record_recipe(instrument, short, Path(folder), report)
        return whole, load_run(Path(folder) / RECORD_NAME)


def write_results(folder: Path) -> tuple[Run, Judgement]:
    """Write report.html and summary.json beside the record in a folder."""
    from ipch.report.page import write_report

    run = load_run(folder / RECORD_NAME)
    judged, _ = write_report(folder / REPORT_NAME, run, find_truth(run))
    summary.write(folder / SUMMARY_NAME, run, judged)
    return run, judged


def load_for_report(path: Path, number: int | None = None) -> Run:
    """A run with those of its columns that a report is made of."""
    from ipch.report.evaluate import COLUMNS

    return load_run(find_record(path), number, COLUMNS)


def report_run(
    path: Path,
    out: Path | None,
    number: int | None = None,
    assumed: "Assumed | None" = None,
    add: "Callable[[Run], Merged | None]" = lambda run: None,
) -> tuple[Path, Run, Judgement, "Evaluation"]:
    """Write the report of a record, with what `add` puts beside it; return where it went."""
    from ipch.report.page import write_report

    record = find_record(path)
    run = load_for_report(record, number)
    place = out or record.with_name(REPORT_NAME if record.name == RECORD_NAME else f"{record.stem}.html")
    return place, run, *write_report(place, run, find_truth(run), add(run), assumed)


def follow(
    instrument: Instrument,
    every_s: float,
    duration_s: float | None,
    lost: Callable[[str], None] | None = None,
) -> Iterator[Sample]:
    """Samples `every_s` apart in device time, for `duration_s` or without end; faults do not stop it.

    With `lost`, which is told the reason, a device that goes away or restarts does not stop it either.
    """
    pacer, boot, passed_s, begun_s = Pacer(every_s), -1, 0.0, 0.0
    while True:
        try:
            sample = instrument.fetch()
        except DeviceLostError as error:
            if lost is None:
                raise
            lost(str(error))
            time.sleep(_AGAIN_S)
            continue
        if sample.boot != boot:
            if boot >= 0 and lost is None:
                raise DeviceLostError(f"the device restarted (boot {sample.boot})")
            pacer, boot = Pacer(every_s), sample.boot
            passed_s, begun_s = passed_s if begun_s else 0.0, sample.uptime_s - passed_s
        passed_s = sample.uptime_s - begun_s
        if duration_s is not None and passed_s > duration_s:
            return
        due, sleep_s = pacer.note(sample.uptime_s)
        if due:
            yield sample
        time.sleep(min(sleep_s, _NAP_S))


def log(
    instrument: Instrument,
    path: Path,
    every_s: float,
    duration_s: float | None,
    show: Callable[[Sample], None],
    watch: Callable[[Sample], None] = lambda sample: None,
    *,
    thinning: Thinning | None = None,
    alarm: Callable[[str], None] = lambda text: None,
    acknowledge: Callable[[list[tuple[int, int]]], None] = lambda rows: None,
    changed: threading.Event | None = None,
    commit_s: float = 1.0,
) -> int:
    """Record samples until `duration_s` is over or something stops it; CSV if the file is named so.

    A device that goes away is waited for. `changed` is set when another program may have changed settings.
    This is the one place where every sample passes: `show` and `watch` see each.
    """
    if path.suffix.lower() == ".csv":
        return _log_csv(instrument, path, every_s, duration_s, show, watch)
    recorder = Recorder(
        path,
        instrument,
        "log",
        commit_s=commit_s,
        resume=True,
        thinning=thinning,
        alarm=alarm,
        acknowledge=acknowledge,
    )
    recorder.every_s = every_s
    away = False
    look_at = time.monotonic() + _LOOK_S

    def lost(reason: str) -> None:
        nonlocal away
        if not away:
            away = True
            alarm(f"{reason}; recording goes on when it is back")
        recorder.lost("the device was away")
        recorder.commit()

    # Ctrl-C is how a log ends, not what goes wrong with it.
    with recorder, contextlib.suppress(KeyboardInterrupt):
        for sample in follow(instrument, every_s, duration_s, lost):
            if away or (changed is not None and changed.is_set()) or time.monotonic() > look_at:
                if away:
                    alarm("the device is back")
                look_at = time.monotonic() + _LOOK_S
                if changed is not None:
                    changed.clear()
                away = False
                with contextlib.suppress(DeviceLostError):
                    recorder.compare(instrument)
            recorder.sample(sample)
            watch(sample)
            show(sample)
    return recorder.count


def _log_csv(
    instrument: Instrument,
    path: Path,
    every_s: float,
    duration_s: float | None,
    show: Callable[[Sample], None],
    watch: Callable[[Sample], None],
) -> int:
    count = 0
    with CsvLog(path) as sink, contextlib.suppress(KeyboardInterrupt):
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
