"""`-v` and `--log-file`: what is told, with times, where a mistake of ours is, and no secret."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ipch.device.sharing import Owner, open_session
from ipch.sim.server import RunningServer

Cli = Callable[..., Any]
STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def broken() -> None:
    raise ZeroDivisionError("a mistake of ours")


@pytest.mark.parametrize("where", ["before", "after"])
def test_verbose_shows_every_line_to_and_from_the_device(cli: Cli, sim: RunningServer, where: str) -> None:
    words = ["send", "*IDN?", "--port", sim.port]
    plain = cli(*words)
    told = cli(*(["-v", *words] if where == "before" else [*words, "--verbose"]))
    assert (told.code, told.out) == (0, plain.out) and plain.err == ""
    lines = told.err.splitlines()
    assert all(re.match(rf"{STAMP} ipch\S* ", line) for line in lines), told.err
    wire = [line.split(" ipch.wire ")[1] for line in lines if " ipch.wire " in line]
    assert any(line.startswith("> *IDN?") for line in wire)
    assert any(line.startswith("< ") and plain.out.strip() in line for line in wire)
    # Nothing of it stays for the next command.
    assert cli(*words).err == "" and not logging.getLogger("ipch").handlers


def test_a_log_file_is_appended_to_and_says_which_command(
    cli: Cli, sim: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ipch.log"
    for words in (["status"], ["off"]):
        words += ["--port", sim.port, "--log-file", str(file), "--http-token", "a b secret of sixteen"]
        monkeypatch.setattr(sys, "argv", ["ipch", *words])
        assert cli(*words[:-2]).err == ""
    text = file.read_text()
    lines = text.splitlines()
    assert all(re.match(rf"{STAMP} (DEBUG|INFO|WARNING) ipch\S* ", line) for line in lines), text
    begun = [line.split(" INFO ipch ")[1] for line in lines if " INFO ipch ipch " in line]
    assert [line.split()[1] for line in begun] == ["status", "off"]
    assert ":OUTP OFF" in text and "secret" not in text


def test_the_key_of_another_program_is_in_no_log(cli: Cli, sim: RunningServer, tmp_path: Path) -> None:
    session = open_session(sim.port)
    with Owner(session) as owner:
        file = tmp_path / "ipch.log"
        told = cli("status", "-v", "--port", sim.port, "--log-file", str(file))
        assert told.code == 0 and "{'ask': " in told.err and owner._token not in told.err + file.read_text()
    session.close()


def test_a_log_that_cannot_be_written_is_one_line(cli: Cli, tmp_path: Path) -> None:
    result = cli("ports", "--log-file", str(tmp_path / "none" / "ipch.log"))
    assert result.code == 8 and "cannot write" in result.error_line()
    for rest in ([], ["--json"]):
        result = cli("ports", "--log-file", *rest)
        assert result.code == 2 and "requires an argument" in result.error_line()


def test_a_mistake_of_ours_says_where_it_is(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ipch.device.list_ports", broken)
    file = tmp_path / "ipch.log"
    result = cli("ports", "--log-file", str(file))
    assert result.code == 1
    assert re.search(r"\(in ipch/cli/simulator\.py, line \d+\)", result.error_line())
    assert "Traceback" in file.read_text() and "a mistake of ours" in file.read_text()
    monkeypatch.setenv("IPCH_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        cli("ports")
