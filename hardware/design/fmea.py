"""The failure table: each row with what sees it, what happens, how long that took, and the tests that show it."""

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

Made by `make hardware` from `design/failures.csv`; the table of parts below it, from
`design/part-failures.csv`, has what a person has to find. `ipch inject NAME` brings a row about on the simulated
rig. The tests of the last column show detection and reaction; besides, [the matrix](../{matrix})
injects every row in each state it can occur in and in the ways its part can fail.

*Measured*: the longest time that `make faults` saw, what was allowed, and the number of cells (a fault, a way to
fail, a state); first on the rung `core`, then on `sim`, the firmware in MicroPython asked over its serial line. "No
time": nothing was to happen, or only the state afterwards counts. Kept in `faults.json`; newer figures are taken
over by `make faults ONLY=matrix` and `make hardware FAULTS=runs/bench/faults.json`.

| # | failure | seen by | reaction | within | measured | inject | tests |
|---|---|---|---|---|---|---|---|
"""
_PARTS_HEAD = """
## Parts whose failure the firmware sees late, or only a person sees

The last column leads to the procedure that finds it.

| part | failure | effect | what still protects | found by |
|---|---|---|---|---|
"""


def part_rows() -> list[dict[str, str]]:
    """Return the table of parts; `parts` are references of the parts list, separated by blanks."""
    with _PARTS.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def rows() -> list[dict[str, str]]:
    """Return the table; `tests` is file::function, separated by blanks."""
    with _SOURCE.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def injected() -> dict[int, list[str]]:
    """Return row -> names of the faults that `ipch inject` knows for it."""
    from ipch.sim.faults import FAULTS

    found: dict[int, list[str]] = {}
    for name, fault in FAULTS.items():
        found.setdefault(fault.row, []).append(name)
    return found


def figures(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return "rung row" -> cells, missed and worst times as text, from the rows that `make faults` writes."""
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
    """Take the figures of a run of `make faults` over. Raises OSError, ValueError or KeyError for another file."""
    found = figures(json.loads(path.read_text(encoding="utf-8")))
    if not found:
        raise ValueError(f"{path}: no rows of the matrix; allowed is what make faults ONLY=matrix wrote")
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
    """Return the table as Markdown."""
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
