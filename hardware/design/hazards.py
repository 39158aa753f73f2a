"""The table of unsafe control actions: what each output and each command may do wrong, and what excludes it."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
_SOURCE = Path(__file__).with_name("hazards.csv")
_RULES = ROOT / "host/bench/scenarios/truth.py"

# The ways in which a control action is unsafe (STPA: Leveson, Thomas, STPA Handbook, 2018, chapter 2).
WAYS = ("not given", "given when it should not be", "too early or late", "too long or short")
OUTPUTS = (
    "fill valve", "supply isolation", "vent valve", "vent isolation", "relief valve", "coil rail and heartbeat",
    "cycler relay", "LED and monitor",
)  # fmt: skip
COMMANDS = (
    "OUTP ON", "OUTP OFF", "PRES", "PRES:SLEW", "OUTP:QUI", "VENT", "FAUL:ACK", "SETT", "SETT:CONF", "CAL",
    "VALV:PRO", "MAIN",
)  # fmt: skip


class Row(NamedTuple):
    """One unsafe control action: `by` are truth rules and tests as file::name; `stays` is what no output excludes."""

    action: str
    way: str
    hazard: str
    by: str
    stays: str


_HEAD = """\
# Unsafe control actions

A systems-theoretic process analysis (STPA): every output of the device and every command to it, in the four ways in
which a control action can be unsafe. Commands are named by the end of their header. `make hardware` makes this table
from `design/hazards.csv`, and a test checks that each rule and each test exists.

*Excluded by*: a truth rule (T1 to T11), or a test. The truth rules judge every simulated run by the true state of the
plant and by the serial line ([truth.py](../host/bench/scenarios/truth.py)): the fault matrix, ordered pairs and random
triples of faults, random walks, weeks of operation, and the device tests. *Stays*: what remains unsafe, and why.

| rule | what it says |
|---|---|
"""
_KNOWN = """
Rules that the firmware is known to break, each with its reason, stand in `KNOWN` of truth.py.
"""


def rows() -> list[Row]:
    """Return the table: the outputs, then the commands."""
    with _SOURCE.open(newline="", encoding="utf-8") as file:
        return [Row(**row) for row in csv.DictReader(file)]


def rules() -> dict[str, str]:
    """Return number -> what the rule says, from the docstrings of the monitor."""
    text = _RULES.read_text(encoding="utf-8")
    found = re.findall(r'class \w+\(Rule\):\n    """(T\d+): (.*?)(?:\n\n.*?)?"""', text, re.DOTALL)
    return {number: " ".join(says.split()) for number, says in found}


def page() -> str:
    """Return the table as Markdown."""
    known = rules()
    lines = [f"| {number} | {says} |\n" for number, says in known.items()]
    for title, actions in (("Outputs", OUTPUTS), ("Commands", COMMANDS)):
        lines.append(
            f"\n## {title}\n\n| action | way | hazard | excluded by | stays |\n|---|---|---|---|---|\n"
        )
        for row in rows():
            if row.action in actions:
                lines.append(
                    f"| {row.action} | {row.way} | {row.hazard} | {_links(row.by)} | {row.stays} |\n"
                )
    return _HEAD + "".join(lines[: len(known)]) + _KNOWN + "".join(lines[len(known) :])


def _links(by: str) -> str:
    said = []
    for each in by.split():
        file, _, name = each.partition("::")
        said.append(f"[{name.removeprefix('test_').replace('_', ' ')}](../{file})" if name else file)
    return "<br>".join(said)
