"""The failure table: each row with what sees it, what happens, and the test that shows it."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_SOURCE = Path(__file__).with_name("failures.csv")


def rows() -> list[dict[str, str]]:
    """Return the table; `test` is file::function."""
    with _SOURCE.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def injected() -> dict[int, list[str]]:
    """Return row -> names of the faults that `ipch inject` knows for it."""
    from ipch.sim.faults import FAULTS

    found: dict[int, list[str]] = {}
    for name, fault in FAULTS.items():
        found.setdefault(fault.row, []).append(name)
    return found


def measured(path: Path) -> dict[int, str]:
    """Return row -> worst measured time as text, from the figures of `make faults` if there are any."""
    try:
        rows = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    found: dict[int, str] = {}
    for row in rows:
        match = re.match(r"(?:row )?(\d+)\b", str(row.get("name", "")))
        if match and isinstance(row.get("value"), (int, float)):
            found[int(match[1])] = f"{row['value']:.3g} {row.get('unit', '')}".strip()
    return found


def page() -> str:
    """Return the table as Markdown."""
    names, times = injected(), measured(ROOT / "hardware/faults.json")
    lines = [
        "# What can fail, and what happens then",
        "",
        "Made by `make hardware` from `design/failures.csv`. `ipch inject NAME` brings a row about on the simulated",
        "rig; the last column is the test. Where it says *injection only*, the test shows that the fault comes and",
        "ends, not yet the reaction. Measured times are those of `make faults`, copied from `runs/bench/faults.json`",
        "to `hardware/faults.json`; a dash says that none was committed.",
        "",
        "| # | failure | seen by | reaction | within | measured | inject | test |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows():
        number = int(row["row"])
        file, _, test = row["test"].partition("::")
        word = "injection only" if file.endswith("test_inject.py") else test
        inject = ", ".join(f"`{name}`" for name in names.get(number, [])) or "-"
        cells = (
            row["row"],
            row["failure"],
            row["seen_by"],
            row["reaction"],
            row["within"],
            times.get(number, "-"),
        )
        lines.append(f"| {' | '.join(cells)} | {inject} | [{word}](../{file}) |")
    return "\n".join([*lines, ""])
