"""Report of a run: figures, summary, methods paragraph, plots, tables, and the frame of every HTML page."""

from ipch.report import paper, summary, tables
from ipch.report.evaluation import COLUMNS, Assumed, Evaluation, evaluate, figures, write_cycles
from ipch.report.html import write_html
from ipch.report.page import write_report
from ipch.report.summary import Judgement, find_truth
from ipch.report.tables import CYCLE_COLUMNS, cycle_rows
from ipch.report.time_plots import BLUE, GREEN, GREY, ORANGE, Panels

__all__ = [
    "BLUE", "COLUMNS", "CYCLE_COLUMNS", "GREEN", "GREY", "ORANGE", "Assumed", "Evaluation",
    "Judgement", "Panels", "cycle_rows", "evaluate", "figures", "find_truth", "paper", "summary", "tables",
    "write_cycles", "write_html", "write_report",
]  # fmt: skip
