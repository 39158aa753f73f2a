"""Complete tasks: run, resume, rehearse or demonstrate a recipe; log; report; make the example."""

from ipch.workflows import board_report
from ipch.workflows.example import CYCLER_NAME, VOLUME_ML, make_example
from ipch.workflows.logger import Absence, follow, log
from ipch.workflows.results import CYCLES_NAME, RECORD_NAME, load_for_report, report_place, report_run
from ipch.workflows.run import (
    check_new,
    demonstrate,
    new_folder,
    rehearse,
    resume_recipe,
    run_recipe,
    unfinished_recipe,
)

__all__ = [
    "CYCLER_NAME",
    "CYCLES_NAME",
    "RECORD_NAME",
    "VOLUME_ML",
    "Absence",
    "board_report",
    "check_new",
    "demonstrate",
    "follow",
    "load_for_report",
    "log",
    "make_example",
    "new_folder",
    "rehearse",
    "report_place",
    "report_run",
    "resume_recipe",
    "run_recipe",
    "unfinished_recipe",
]  # fmt: skip
