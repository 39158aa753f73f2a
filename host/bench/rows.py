"""The rows that a measurement returns."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any


def row(
    name: str, value: float, unit: str, *, at_most: float | None = None, at_least: float | None = None
) -> dict[str, Any]:
    """One figure with its goal, if it has one."""
    goal, ok = "", None
    if at_most is not None:
        goal, ok = f"<= {at_most:g}", value <= at_most
    if at_least is not None:
        goal, ok = f">= {at_least:g}", value >= at_least
    return {"name": name, "value": value, "unit": unit, "goal": goal, "ok": ok}


def attempt(name: str, step: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The rows of a step; of one that fails, a row that says so: the table is printed all the same."""
    try:
        return step()
    except Exception as error:
        traceback.print_exc()
        said = f"{name}: {type(error).__name__}: {error}"
        return [{"name": said, "value": 0, "unit": "", "goal": "done", "ok": False}]
