"""The failure table: detection, reaction, measured time and tests of each failure."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

HARDWARE = Path(__file__).resolve().parents[1]
MEASURED = HARDWARE / "faults.json"
_SOURCE = Path(__file__).with_name("failures.csv")
_PARTS = Path(__file__).with_name("part-failures.csv")
_MATRIX = "tests/faults/test_matrix.py"
_HEAD = """\
# What can fail, and what happens then

The first table has the failures that the firmware detects, the second those that it detects late or only a person
can find. `make hardware` makes them from `design/failures.csv` and `design/part-failures.csv`.

*Inject*: `ipch inject NAME` causes the failure on the simulated rig. *Tests* show detection and reaction. In addition,
[the matrix](../{matrix}) injects every failure in each possible state and way to fail.

*Measured*: `0.1 s of 0.2 s: 40` means at most 0.1 s, with 0.2 s allowed, in 40 cases of `make faults` (a case is a
fault, a way to fail and a state). The first line is from the rung `core` (firmware and plant in one Python process),
the second from `sim` (firmware in MicroPython, queried over its serial port). "No time": no reaction is expected, or
only the final state counts. `faults.json` stores these figures; `make faults ONLY=matrix` and then
`make hardware FAULTS=runs/bench/faults.json` update them.

| # | failure | seen by | reaction | within | measured | inject | tests |
|---|---|---|---|---|---|---|---|
"""
_PARTS_HEAD = """
## Failures that the firmware detects late, or only a person can find

The last column links to the procedure that finds the failure. Rows are those of the first table.

| part | failure | effect | remaining protection | found by |
|---|---|---|---|---|
"""


def part_rows() -> list[dict[str, str]]:
    """Return the table of part failures; `parts` are references of the parts list, separated by blanks."""
    with _PARTS.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def rows() -> list[dict[str, str]]:
    """Return the failure table; `tests` are file::function, separated by blanks."""
    with _SOURCE.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def injected() -> dict[int, list[str]]:
    """Return row -> names of its faults in `ipch inject`."""
    from ipch.sim.faults import FAULTS

    found: dict[int, list[str]] = {}
    for name, fault in FAULTS.items():
        found.setdefault(fault.row, []).append(name)
    return found


def figures(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return "rung row" -> cells, missed, and worst times as text, from the rows that `make faults` writes."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        match = re.fullmatch(r"(core|sim) row (\d+): (cells|missed|worst)(.*)", str(row["name"]))
        if match is None:
            continue
        entry = found.setdefault(f"{match[1]} {match[2]}", {"cells": 0, "missed": 0, "worst": []})
        if match[3] == "worst":
            entry["worst"].append(f"{row['value']:.3g} {row['unit']}{match[4]}")
        else:
            entry[match[3]] = int(row["value"])
    return {name: entry for name, entry in found.items() if entry["cells"]}


def take(path: Path) -> None:
    """Store the figures of a `make faults` run in faults.json. Raises OSError, ValueError or KeyError otherwise."""
    found = figures(json.loads(path.read_text(encoding="utf-8")))
    if not found:
        raise ValueError(f"{path}: no rows of the matrix; give the file that make faults ONLY=matrix wrote")
    lines = [f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in found.items()]
    MEASURED.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def _measured(known: dict[str, dict[str, Any]], number: int) -> str:
    said = []
    for rung in ("core", "sim"):
        entry = known.get(f"{rung} {number}")
        if entry:
            missed = f", **{entry['missed']} missed**" if entry["missed"] else ""
            said.append(f"{', '.join(entry['worst']) or 'no time'}: {entry['cells']}{missed}")
    return "<br>".join(said) or "not measured"


def page() -> str:
    """Return both tables as Markdown."""
    names = injected()
    known = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else {}
    lines = []
    for row in rows():
        number = int(row["row"])
        tests = (test.split("::") for test in row["tests"].split())
        cells = (
            *(row[name] for name in ("row", "failure", "seen_by", "reaction", "within")),
            _measured(known, number),
            ", ".join(f"`{name}`" for name in names.get(number, [])) or "by command",
            "<br>".join(
                f"[{name.removeprefix('test_').replace('_', ' ')}](../{file})" for file, name in tests
            ),
        )
        lines.append(f"| {' | '.join(cells)} |\n")
    parts = [
        f"| {row['parts']} | {row['failure']} | {row['effect']} | {row['what_protects']} "
        f"| [{row['found_by'].removesuffix('.md')}]({row['found_by']}) |\n"
        for row in part_rows()
    ]
    return _HEAD.format(matrix=_MATRIX) + "".join(lines) + _PARTS_HEAD + "".join(parts)
