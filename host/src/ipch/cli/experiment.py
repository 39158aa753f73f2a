"""Commands that watch, record, run recipes and report: watch, log, run, recipes, report, demo."""

import typer

_PANEL = "Record, run and report"


def add_to(app: typer.Typer) -> None:
    pass
