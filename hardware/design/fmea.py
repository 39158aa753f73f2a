"""The failure table: each row with what sees it, what happens, and the test that shows it."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = ("tests/faults", "tests/core", "tests/host", "tests/device")
# failure, seen by, reaction, within, words in the name of a test (the first test that has one is linked)
ROWS = (
    ("Wire of the control transducer broken", "loop below 3.6 mA", "chamber sealed", "0.2 s"),
    ("Control transducer shorted", "loop above 21 mA", "chamber sealed", "0.2 s"),
    ("Loop between failure and measurement", "3.6-3.8 or 20.5-21 mA", "chamber sealed", "1 s"),
    ("Control transducer frozen", "no answer to pulses the other one sees", "chamber sealed", "3 pulses"),
    ("Transducers disagree", "difference beyond both tolerances", "chamber sealed", "1 s"),
    ("Sensing port blocked", "small steps on one transducer only", "chamber sealed", "3 pulses"),
    ("Converter or its bus dead", "no acknowledge, wrong read-back", "bus recovered, else sealed", "0.1 s"),
    ("Converter's reference drifts", "known channel", "warning", "60 s"),
    ("Fill stuck open or leaking", "rise beyond what was metered or heat explains", "isolated, sealed; leak: warning", "0.3 s; 15 min"),
    ("Fill side stuck shut", "growing pulses without effect", "chamber sealed", "5 pulses"),
    ("One valve of a pair stuck open", "each valve proved alone", "notice and alarm", "1 day"),
    ("Vent stuck open or leaking", "fall beyond what was metered or heat explains", "isolated, never chased with fill; sealed; leak: warning", "0.5 s; 15 min"),
    ("Vent side stuck shut", "growing pulses without effect", "relief path, alarm", "5 pulses"),
    ("Coil open or shorted", "drain against command", "chamber sealed", "50 ms"),
    ("Transistor shorted", "drain while off", "coil rail cut", "50 ms"),
    ("Leak to the room", "balance of gas against a budget", "alarm, fed within the budget, sealed beyond it", "15 min to 8 h"),
    ("Line bursts", "fall faster than vent and cooling", "chamber sealed", "0.2 s"),
    ("Supply low", "supply transducer, fills without effect", "fill inhibited, goes on by itself", "1 s"),
    ("Supply too high", "supply transducer", "isolated", "0.2 s"),
    ("Over-pressure", "both transducers, or one with the other invalid", "relief", "50 ms"),
    ("Processor hangs", "pulse bound in hardware, heartbeat, watchdog", "valves shut, reset", "1 s"),
    ("Brown-out", "cause of the reset", "sealed or bounded resume", "at start"),
    ("Reset after reset", "three without a minute of health", "stays off, talks only", "at start"),
    ("Computer gone", "no traffic", "regulates on", "none"),
    ("Temperature sensor fails", "range, rate, two sensors", "compensation frozen, warning", "5 s"),
    ("Oven or cell runs away", "wall temperature, its limit and rate", "isolated, alarm, cycler stopped", "5 s"),
    ("Bad setting", "limits and cross-checks", "refused, old one kept", "at once"),
    ("Stored settings corrupt", "check sums of two copies", "other copy, else off", "at start"),
    ("Relief blocked", "proof test by a person", "reminder", "1 year"),
    ("Restrictor clogs or wears", "learned gain drifts", "notice", "trend"),
    ("Safety transducer fails", "as the control transducer", "bounded time with alarm, then sealed", "0.2 s"),
    ("Supply transducer fails", "range, no relation to fills", "warning, fills judged by effect", "1 s"),
    ("Relief leaking or stuck open", "fall with all shut", "alarm, sealed if stuck", "0.5 s; 15 min"),
    ("Comparator trips", "trip input", "relief, latched", "1 tick"),
    ("Coil rail or heartbeat lost", "rail against command", "chamber sealed", "50 ms"),
    ("One wild sample", "median of three", "none, counted", "none"),
)  # fmt: skip


def _tests() -> dict[int, tuple[str, str, int]]:
    """Return row -> (file, test, line) of the first test that says `row N` or `rowN` near its head."""
    found: dict[int, tuple[str, str, int]] = {}
    for folder in TESTS:
        for path in sorted((ROOT / folder).glob("test_*.py")):
            lines = path.read_text().splitlines()
            for number, line in enumerate(lines, 1):
                name = re.match(r"(?:async )?def (test_\w+)", line)
                if name is None:
                    continue
                near = "\n".join(lines[max(0, number - 4) : number + 3])
                for row in re.findall(r"\brows? ?(\d+)\b", near):
                    found.setdefault(int(row), (str(path.relative_to(ROOT)), name[1], number))
    return found


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
    names, tests = injected(), _tests()
    times = measured(ROOT / "hardware/faults.json")
    lines = [
        "# What can fail, and what happens then",
        "",
        "Generated by `make hardware`. Each row is a way to fail that `ipch inject NAME` brings about on the simulated rig;",
        "the last column is where it is tested. Measured times are those of `make faults`, copied to `hardware/faults.json`;",
        "a dash says that none was committed.",
        "",
        "| # | failure | seen by | reaction | within | measured | inject | test |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for number, row in enumerate(ROWS, 1):
        link = "[injection](../tests/faults/test_inject.py)"
        if number in tests:
            file, test, _ = tests[number]
            link = f"[{test}](../{file})"
        elif number == 27:
            link = "[settings](../tests/core/test_settings.py)"
        inject = ", ".join(f"`{name}`" for name in names.get(number, [])) or "-"
        lines.append(f"| {number} | {' | '.join(row)} | {times.get(number, '-')} | {inject} | {link} |")
    return "\n".join([*lines, ""])
