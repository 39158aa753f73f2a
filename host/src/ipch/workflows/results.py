"""Report and summary of a record; file names in the folder of a run."""

from collections.abc import Callable
from pathlib import Path

from ipch.cyclers import Merged
from ipch.recording import Run, find_record, load_run
from ipch.report import COLUMNS, Assumed, Evaluation, Judgement, find_truth, summary, write_report

RECORD_NAME = "run.db"
REPORT_NAME = "report.html"
SUMMARY_NAME = "summary.json"
CYCLES_NAME = "cycles.csv"


def write_results(folder: Path) -> tuple[Run, Judgement]:
    """Write report.html and summary.json beside the record in a folder."""
    run = load_run(folder / RECORD_NAME)
    judged, _ = write_report(folder / REPORT_NAME, run, find_truth(run))
    summary.write(folder / SUMMARY_NAME, run, judged)
    return run, judged


def load_for_report(path: Path, number: int | None = None) -> Run:
    """Load a run with the columns that a report needs."""
    return load_run(find_record(path), number, COLUMNS, narrow=True)


def report_place(record: Path, out: Path | None = None) -> Path:
    """The report of a record: `out`, else beside it."""
    return out or record.with_name(REPORT_NAME if record.name == RECORD_NAME else f"{record.stem}.html")


def report_run(
    record: Path,
    place: Path,
    number: int | None = None,
    assumed: Assumed | None = None,
    add: Callable[[Run], Merged | None] = lambda run: None,
) -> tuple[Run, Judgement, Evaluation]:
    """Write the report of a record with the data from `add`; return the run and its figures."""
    run = load_for_report(record, number)
    return run, *write_report(place, run, find_truth(run), add(run), assumed)
