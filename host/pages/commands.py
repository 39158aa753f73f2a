"""Write firmware/COMMANDS.md, the reference of all commands, from the command table.

The docstring of a handler describes its command; MicroPython does not keep docstrings in memory. The docstring of
a command with parameters starts with these and a colon; so does that of a query with more than a name.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
PAGE = FIRMWARE / "COMMANDS.md"

HEAD = """# Commands

Written by `make pages` from the command table of the firmware; do not edit.

A keyword is written in full or as its capital letters; case does not matter. Parts in brackets are optional.
`<n>` is a number, 1 by default. Pressures are absolute, in the unit of `:UNIT:PRESsure` unless a suffix names
another one: PA, HPA, MBAR, KPA, BAR, MPA, PSI.
"""
SECTIONS = {
    "*": "IEEE 488.2",
    ":SENSe": "Measurement",
    ":SOURce": "Target and ramp",
    ":OUTPut": "Output",
    ":UNIT": "Unit",
    ":FETCh": "Logging",
    ":CALibration": "Calibration",
    ":DIAGnostic": "Valves",
    ":TRACe": "Black box",
    ":STATus": "Status",
    ":SYSTem": "System",
}


@dataclass(frozen=True)
class Command:
    """One line of the reference."""

    text: str
    help: str
    header: str
    """Prefix of a reply when headers are on; empty for a command."""


def table() -> list[tuple[Any, ...]]:
    """All rows of the firmware's command table."""
    if str(FIRMWARE) not in sys.path:
        sys.path.insert(0, str(FIRMWARE))
    from regulator.scpi.calibration import Calibration  # type: ignore[import-not-found]
    from regulator.scpi.pressure import PressureCommands  # type: ignore[import-not-found]
    from regulator.scpi.status import Status  # type: ignore[import-not-found]
    from regulator.scpi.system import System  # type: ignore[import-not-found]
    from regulator.scpi.trace import Trace  # type: ignore[import-not-found]

    # The table is built without a regulator: no handler is called.
    return [
        *(row for part in Status().parts() for row in part.rows),
        *(row for part in (PressureCommands, Calibration, System, Trace) for row in part.rows),
    ]


def commands() -> list[Command]:
    """All queries and commands, in the order of the sections. Raises ValueError for a missing docstring."""
    table()
    from regulator.scpi.syntax import canonical  # type: ignore[import-not-found]

    found: dict[str, list[Command]] = {section: [] for section in SECTIONS}
    for row in table():
        pattern, query, command = row[:3]
        fewest, most = row[3][:2] if len(row) > 3 else (0, 0)
        section = next(section for section in SECTIONS if pattern.startswith(section))
        if query:
            meaning = help_of(query, pattern)
            asked = ' "name"' if fewest else " [MIN|MAX|DEF]" if most else ""
            if fewest and meaning[0] in '"<':
                asked, _, meaning = meaning.partition(": ")
                asked = " " + asked
            found[section].append(
                Command(f"{pattern}?{asked}", meaning, canonical(pattern.encode()).decode())
            )
        if command:
            parameters, colon, meaning = help_of(command, pattern).partition(": ")
            if not colon:
                parameters, meaning = "", parameters
            found[section].append(Command(f"{pattern} {parameters}".strip(), meaning, ""))
    return [command for section in found.values() for command in section]


def help_of(handler: Callable[..., Any], pattern: str) -> str:
    """The docstring of a handler on one line. Raises ValueError if it has none."""
    text = " ".join((handler.__doc__ or "").split())
    if not text:
        raise ValueError(f"{handler.__qualname__}, the handler of {pattern}, has no docstring")
    return text


def page() -> str:
    """The whole reference."""
    text = HEAD
    every = commands()
    for section, title in SECTIONS.items():
        text += f"\n## {title}\n\n| command | meaning |\n|---|---|\n"
        for command in every:
            if command.text.startswith(section):
                text += f"| `{_cell(command.text)}` | {_cell(command.help)} |\n"
    return text + registers()


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def registers() -> str:
    """Status registers, bits of the black box and errors, from the modules that define them."""
    import regulator.scpi.server  # type: ignore[import-not-found]
    from regulator.blackbox import BITS
    from regulator.scpi.status import TEXTS

    text = "\n## Status bits\n\n" + regulator.scpi.server.__doc__.partition("\n\n")[2].strip() + "\n"
    text += "\n## Bits of a row of the black box\n\nThe array `bits` has these fields, lowest bits first.\n"
    text += "\n| field | bits |\n|---|---|\n" + "".join(f"| `{name}` | {width} |\n" for name, width in BITS)
    text += "\n## Errors\n\n| code | text |\n|---|---|\n"
    return text + "".join(f"| {code} | {meaning} |\n" for code, meaning in TEXTS.items())


if __name__ == "__main__":
    PAGE.write_text(page())
