"""Every command of the procedures in hardware/ and of the first tutorial runs against the simulated rig."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ipch.sim.server import RunningServer, simulate
from tests.shares import share

ROOT = Path(__file__).resolve().parents[2]
HARDWARE = ROOT / "hardware"
PLACES = {
    path.name: path for folder in (HARDWARE, ROOT / "docs" / "tutorial") for path in folder.glob("*.md")
}
PAGES = sorted(name for name, path in PLACES.items() if "```sh\n" in path.read_text())
Cli = Callable[..., Any]


@pytest.fixture
def sim(page: str) -> Iterator[RunningServer]:
    """The reference chamber, open and empty as each procedure finds it."""
    # A proof needs its 20 samples also on a busy computer.
    ahead = "0.5s" if page == "proof-test.md" else "10s"
    with simulate(["--ideal", "--rig", "core", "--speed", "max", "--ahead", ahead]) as running:
        yield running


def commands(text: str, kind: str = "sh") -> list[str]:
    blocks = re.findall(rf"^```{kind}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def test_the_procedures_are_there() -> None:
    assert {"assembly.md", "bring-up.md", "leak-test.md", "calibration.md", "proof-test.md", "maintenance.md",
            "decommissioning.md", "first-hour.md"} <= set(PAGES)  # fmt: skip


@pytest.mark.parametrize(
    "page",
    share(PAGES, *map(PAGES.index, ("calibration.md", "first-hour.md", "leak-test.md"))),
)
def test_commands_of_a_procedure(
    page: str, cli: Cli, sim: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for line in commands(PLACES[page].read_text()):
        line, _, expected = line.partition("  # ")
        name, *arguments = shlex.split(line)
        assert name == "ipch", line
        result = cli(*arguments)
        refused = re.match(r"exit (\d+): (.*)", expected)
        code, expected = (int(refused[1]), refused[2]) if refused else (0, expected)
        assert result.code == code, f"{page}: {line}: {result.err}"
        assert expected.strip() in result.out + result.err, f"{page}: {line}: {result.out}{result.err}"


def test_links_of_the_pages_lead_somewhere() -> None:
    for page in HARDWARE.glob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES)
def test_commands_for_a_board_are_known(page: str, cli: Cli) -> None:
    """What needs a board or a person cannot run here, but its command and options must be there."""
    for line in commands(PLACES[page].read_text(), "sh board"):
        name, *arguments = shlex.split(line.partition("  # ")[0])
        assert name == "ipch", line
        assert cli(*arguments, "--help").code == 0, line
        assert cli(*arguments, "--no-such-option", "--help").code == 2
