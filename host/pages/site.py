"""Pages of the documentation that are made from code, and those that stand beside what they describe.

`docs/conf.py` calls `write()` before each build. Nothing that it writes is committed.
"""

from __future__ import annotations

import contextlib
import functools
import io
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from pages import commands

# The sections of firmware/README.md that have a page of their own; all others are on the page of the firmware.
_FIRMWARE = {
    "control-law": ("The control law", ("The walk of one count", "What the hold reaches")),
    "safety": ("Safety reactions", ("What trips, in numbers", "Letting gas out", "LED patterns")),
    "firmware": ("The firmware", None),
}
_COMMANDS = """# Commands

The help texts of `ipch`.

Every command takes `--json`: data and errors as JSON on stdout. Data goes to stdout, messages to stderr, one line per
error; [exit codes](../reference/exit-codes.md) are documented. Commands that talk to a device take `--port`: a path, a
COM name, the board's USB serial number, or a URL such as `socket://127.0.0.1:5025`; `IPCH_PORT` sets the same. Without
it ipch uses the only device: boards that run MicroPython and simulators of the same user count, other serial ports are
opened only by name.

Pressures are absolute and without a unit in MPa; everything else needs a unit: `5MPa`, `50 bar`, `725psi`, `20kPa/s`,
`1h30m`.
"""
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")


def write(root: Path, docs: Path) -> None:
    """Write all generated pages below `docs`: `generated/` and what stands in `root` as Markdown."""
    out = docs / "generated"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    pages = {
        "commands": command_line(),
        "scpi": commands.page().replace("# Commands\n", "# SCPI commands\n", 1),
        "settings": settings(),
        "faults": faults(),
        "record": record(),
        "columns": columns(),
    }
    for name, text in pages.items():
        (out / f"{name}.md").write_text(text, encoding="utf-8")
    imported(root, out)


# Made from code


def command_line() -> str:
    """Every command with its help, as the program prints it."""
    text = _COMMANDS
    panel = ""
    for line in _help().splitlines():
        if found := re.match(r"^(\S.+):$", line):
            panel = found[1]
        elif panel not in ("", "Options") and (found := re.match(r"^  ([a-z]+)  ", line)):
            if f"\n## {panel}\n" not in text:
                text += f"\n## {panel}\n"
            text += _help_of(found[1])
    return text


def _help_of(command: str) -> str:
    told = _help(*command.split())
    text = f"\n### ipch {command}\n\n```\n{told.strip()}\n```\n"
    _, _, below = told.partition("\nCommands:\n")
    return text + "".join(
        _help_of(f"{command} {name}") for name in re.findall(r"^  ([a-z]+)  ", below, re.MULTILINE)
    )


def _help(*words: str) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        _program().main([*words, "--help"], prog_name="ipch", standalone_mode=False)
    return shown.getvalue()


@functools.cache
def _program() -> Any:
    """The command line, put together once for all help texts."""
    from typer.main import get_command

    from ipch.cli.app import app

    return get_command(app)


def settings() -> str:
    """The settings of the device, from the firmware's table."""
    commands.table()
    from regulator.settings import TABLE  # type: ignore[import-not-found]

    text = (
        "# Settings of the device\n\nWritten from the firmware's table. `ipch config list` shows those of a device,"
        " `ipch config set NAME VALUE` changes one. *Output off* and *chamber vented* say when a setting may change;"
        " all others change at any time.\n\n| setting | unit | default | minimum | maximum | meaning |\n"
        "|---|---|---|---|---|---|\n"
    )
    for name, unit, default, low, high, told in TABLE:
        text += f"| `{name}` | {unit} | {_number(default)} | {_number(low)} | {_number(high)} | {told} |\n"
    return text


def faults() -> str:
    """Faults and warnings with what they mean, from the firmware's tables."""
    commands.table()
    from regulator import faults as table  # type: ignore[import-not-found]

    reaction = {
        table.NOTHING: "none",
        table.SEALS: "shuts every valve",
        table.RELIEVES: "opens the relief valve",
        table.SEALS_OR_RELIEVES: "shuts every valve, or opens the relief valve with `runaway_relief`",
        table.STAYS_OFF: "keeps the output off",
    }
    text = (
        "# Faults and warnings\n\nWritten from the firmware's tables. A fault latches until `ipch ack`, accepted once"
        " its cause is gone. A warning lasts as long as its cause.\n\n## Faults\n\n"
        "| fault | what happened | reaction | what to do |\n|---|---|---|---|\n"
    )
    for _, name, _, reacts, stops, happened, todo in table.FAULTS[1:]:
        cycler = "; stops the cycler" if stops else ""
        text += f"| `{name}` | {happened}. | {reaction[reacts]}{cycler} | {todo}. |\n"
    text += "\n## Warnings\n\n| warning | bit | NAMUR NE107 category | meaning |\n|---|---|---|---|\n"
    category = {
        table.OUT_OF_SPECIFICATION: "out of specification",
        table.MAINTENANCE_REQUIRED: "maintenance required",
    }
    meanings = _warning_meanings(Path(str(table.__file__)))
    for bit, name, kind in table.WARNINGS:
        text += f"| `{name}` | {bit.bit_length() - 1} | {category[kind]} | {meanings.get(name, '')} |\n"
    return text


def _warning_meanings(source: Path) -> dict[str, str]:
    """The comments of the table of warnings: the board has no memory for sentences."""
    rows = re.findall(
        r'^    \(\w+, "(\w+)", \w+\),  # (.+)$', source.read_text(encoding="utf-8"), re.MULTILINE
    )
    return dict(rows)


def record() -> str:
    """The tables of a record, from the statements that SQLite keeps in a new one."""
    from ipch.recording import open_database

    text = (
        "# The record\n\nA record is an SQLite file in WAL mode: it can be read while it grows. Names of columns carry"
        " their units. Written from the statements that create the tables.\n"
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.closing(open_database(Path(folder) / "run.db", create=True)) as database,
    ):
        tables = database.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY rowid"
        ).fetchall()
        for table, sql in tables:
            told = dict(re.findall(r"^ *(\w+) [^\n]*?-- (.+)$", sql, re.MULTILINE))
            text += f"\n## {table}\n\n| column | type | may be NULL | meaning |\n|---|---|---|---|\n"
            for _, name, kind, required, _, key in database.execute(f"PRAGMA table_info({table})"):
                null = "" if required or key else "yes"
                text += f"| `{name}` | {kind} | {null} | {_cell(told.get(name, ''))} |\n"
    return text


def columns() -> str:
    """The arrays of a run, as a table to include."""
    from ipch.recording import COLUMNS

    rows = "".join(f"| `{name}` | {unit} | {_cell(told)} |\n" for name, (unit, told) in COLUMNS.items())
    return "| array | unit | meaning |\n|---|---|---|\n" + rows


def _number(value: int) -> str:
    return f"{value:,}".replace(",", " ")


def _plain(text: str | None) -> str:
    return " ".join((text or "").split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


# Documents that stand beside what they describe


def imported(root: Path, out: Path) -> None:
    """Write the documents of firmware/, hardware/ and host/bench as pages; links lead to pages where there is one."""
    sources = {
        path: f"hardware/{path.stem}.md"
        for path in sorted((root / "hardware").glob("*.md"))
        if path.name != "README.md"
    }
    sources[root / "hardware/README.md"] = "hardware/index.md"
    sources[root / "hardware/rig/README.md"] = "hardware/rig.md"
    sources[root / "host/bench/faults/README.md"] = "safety-proof.md"
    sources[root / "firmware/README.md"] = "firmware.md"
    sources[root / "CHANGELOG.md"] = "changelog.md"
    where = sources | {root / "firmware/COMMANDS.md": "scpi.md", root / "host/README.md": "../index.md"}
    for source, name in sources.items():
        if source != root / "firmware/README.md":
            _write_page(out / name, source.read_text(encoding="utf-8"), source, where)
    hardware = sorted(
        name.removeprefix("hardware/") for name in sources.values() if name.startswith("hardware/")
    )
    with (out / "hardware/index.md").open("a", encoding="utf-8") as index:
        index.write(
            "\n```{toctree}\n:hidden:\n\n" + "\n".join(n for n in hardware if n != "index.md") + "\n```\n"
        )
    firmware = root / "firmware/README.md"
    for name, text in firmware_pages(firmware.read_text(encoding="utf-8")).items():
        _write_page(out / f"{name}.md", text, firmware, where)


def firmware_pages(text: str) -> dict[str, str]:
    head, *parts = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    pages = {}
    for name, (title, own) in _FIRMWARE.items():
        body = head.partition("\n")[2] if own is None else ""
        for section in own if own is not None else list(sections):
            body += f"\n## {section}\n{sections.pop(section)}"
        pages[name] = f"# {title}\n{body}"
    return pages


def _write_page(page: Path, text: str, source: Path, where: dict[Path, str]) -> None:
    base = page.parent if page.parent.name != "hardware" else page.parent.parent
    docs = _root(source) / "docs"

    def link(found: re.Match[str]) -> str:
        image, told, target = found.groups()
        file, hash_, anchor = target.partition("#")
        if "://" in target or not file:
            return found[0]
        path = (source.parent / file).resolve()
        if image:
            copy = page.parent / "pictures" / path.name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
            return f"![{told}](pictures/{path.name})"
        if path in where:
            relative = os.path.relpath(base / where[path], page.parent).replace(os.sep, "/")
            return f"[{told}]({relative}{hash_}{anchor})"
        if path.suffix == ".md" and docs in path.parents:
            return f"[{told}]({os.path.relpath(path, page.parent).replace(os.sep, '/')}{hash_}{anchor})"
        # A file of the repository: its name says where to look.
        return told if told.strip("`") in file else f"{told} (`{path.relative_to(_root(source))}`)"

    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(_LINK.sub(link, text), encoding="utf-8")


def _root(source: Path) -> Path:
    return next(folder for folder in source.parents if (folder / "CHANGELOG.md").is_file())
