"""The command line without a device: help, bad input, files, and what it looks like off a terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from ipch import __version__
from ipch.cli.app import app
from ipch.recipes.loader import shipped_recipes

Cli = Callable[..., Any]

COMMANDS = [
    "sim", "ports", "info", "status", "set", "on", "off", "vent", "ack", "quiet", "send", "config", "watch",
    "log", "run", "recipes", "report", "merge", "export", "demo", "example",
]  # fmt: skip
SETTINGS_COMMANDS = ["list", "get", "set", "save", "apply", "confirm", "forget-valves"]


@pytest.fixture(autouse=True)
def _no_simulators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # It has to be there: otherwise the folder of whoever runs the tests is taken.
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))


def leaves(command: Any, name: str = "ipch") -> Iterator[tuple[str, Any]]:
    for child_name, child in getattr(command, "commands", {}).items():
        yield f"{name} {child_name}", child
        yield from leaves(child, f"{name} {child_name}")


def test_the_commands_there_are(cli: Cli) -> None:
    top = get_command(app)
    assert set(COMMANDS) <= set(top.commands)  # type: ignore[attr-defined]
    assert list(top.commands["config"].commands) == SETTINGS_COMMANDS  # type: ignore[attr-defined]
    shown = cli("--help")
    assert shown.code == 0
    for name in COMMANDS:
        assert f"\n  {name}  " in shown.out


@pytest.mark.parametrize(
    ("name", "command"), list(leaves(get_command(app))), ids=lambda value: str(value)[:30]
)
def test_every_command_takes_json_and_explains_itself(name: str, command: Any, cli: Cli) -> None:
    options = {option for parameter in command.params for option in parameter.opts}
    assert "--json" in options, name
    # One line in the list of commands, not cut off.
    first = command.help.split("\n")[0]
    assert first.endswith(".") and len(first) <= 68, first
    shown = cli(*name.split()[1:], "--help")
    assert shown.code == 0
    assert shown.out.startswith(f"Usage: {name} ")
    assert "\x1b" not in shown.out


def test_no_sentence_of_the_help_is_cut_off(cli: Cli) -> None:
    usage, *lines = cli("--help").out.splitlines()
    assert usage.endswith("[ARGS]...")
    assert not [line for line in lines if line.endswith("...")]


def test_no_command_is_help(cli: Cli) -> None:
    assert cli().out == cli("--help").out
    assert cli("config").out.startswith("Usage: ipch config")


def test_version(cli: Cli) -> None:
    assert cli("--version").out == f"ipch {__version__}\n"


def test_help_comes_at_once() -> None:
    # Processor time of the best of a few: what counts is the program, not what else the computer does.
    assert min(processor_time([sys.executable, "-m", "ipch", "--help"]) for _ in range(4)) < 0.3


def processor_time(command: list[str]) -> float:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_utime + usage.ru_stime


def test_help_imports_nothing_heavy() -> None:
    program = "import sys, ipch.cli; ipch.cli.run(['--help']); print(*sys.modules, file=sys.stderr)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stderr.split()
    heavy = {
        "numpy", "plotly", "jinja2", "pydantic", "serial", "rich", "sqlite3", "tomllib", "asyncio", "platformdirs",
    }  # fmt: skip
    assert heavy & set(loaded) == set()


RECIPE = '[[step]]\nramp = "1MPa"\nslow = 3\n'

BAD = [
    (["frobnicate"], 2, "no such command 'frobnicate'"),
    (["set"], 2, "missing argument 'pressure'"),
    (["set", "5", "--fast"], 2, "no such option: --fast"),
    (["set", "5bananas"], 2, "not a pressure: '5bananas'; expected a number with Pa"),
    (["set", "5MPa", "--slew", "20"], 2, "not a slew rate: '20'; expected a pressure per s, min or h"),
    (["set", "5,2MPa"], 2, "not a pressure: '5,2MPa'; the decimal sign is a point; expected"),
    (["set", "5MPa", "--slew", "0,5kPa/s"], 2, "the decimal sign is a point"),
    (["quiet", "10"], 2, "not a duration: '10'; expected a number with ms, s, min, h or d"),
    (["watch", "--every", "soon"], 2, "not a duration: 'soon'"),
    (["sim", "--speed", "fast"], 2, "not a speed: 'fast'; expected max"),
    (["sim", "--rig", "tricycle"], 2, "tricycle"),
    (["sim", "--set", "volume_l=-1"], 8, "volume_l"),
    (["sim", "--set", "volum_l=1"], 8, "did you mean volume_l?"),
    (["sim", "--plant", "none.toml"], 8, "none.toml"),
    (["status"], 3, "no device found; start a simulated one with `ipch sim`"),
    (["status", "--port", "/dev/ttyNONE"], 3, "unknown port: /dev/ttyNONE"),
    (["status", "--port", "COM99"], 3, "COM99"),
    (["status", "--port", "socket://127.0.0.1:1"], 3, "cannot connect to socket://127.0.0.1:1"),
    (["status", "--port", "pigeon://roof"], 2, "not a port: pigeon://roof"),
    (["run", "none"], 8, "no recipe is named 'none'; give a path, or one of activation"),
    (["run", "recipe.toml"], 3, "no device found"),
    (["run", "bad.toml"], 8, "bad.toml:3: unknown key 'slow'; allowed: ramp, slew"),
    (["run", "recipe.toml", "--set", "x=1"], 2, "no parameter 'x'; it has none"),
    (["report", "nowhere"], 8, "no record at nowhere"),
    (["report", "recipe.toml"], 8, "not a record"),
    (
        ["demo", "--recipe", "bad.toml", "--out", "demo"],
        8,
        "bad.toml:3: unknown key 'slow'; allowed: ramp, slew",
    ),
]


@pytest.mark.parametrize(("arguments", "code", "message"), BAD, ids=lambda value: str(value)[:40])
def test_bad_input_is_one_line_and_an_exit_code(
    arguments: list[str], code: int, message: str, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.toml").write_text(RECIPE)
    (tmp_path / "recipe.toml").write_text(RECIPE.replace("slow = 3", ""))
    plain = cli(*arguments)
    assert plain.code == code
    assert plain.out == ""
    assert message in plain.error_line()
    with_json = cli(*arguments, "--json")
    assert with_json.code == code
    assert with_json.json() == {"error": {"code": code, "message": with_json.error_line()[6:-1]}}
    assert cli("--json", *arguments).json() == with_json.json()


def test_an_unexpected_error_is_no_traceback(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ZeroDivisionError("a mistake of ours")

    monkeypatch.setattr("ipch.device.list_ports", broken)
    result = cli("ports")
    assert result.code == 1
    assert "unexpected ZeroDivisionError: a mistake of ours" in result.error_line()


def test_interrupted(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ipch.device.list_ports", interrupt)
    assert cli("ports").code == 130


def test_a_reader_that_has_had_enough() -> None:
    program = f"{sys.executable} -m ipch sim --list | head -1"
    result = subprocess.run(program, shell=True, capture_output=True, text=True, check=True)
    assert result.stdout.count("\n") == 1
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "is not a UF2 image"),
        (bytes(range(256)) * 4, "is not a UF2 image"),
        # RP2350's family, as of a Pico 2.
        (bytes.fromhex("5546320a57515d9e" + 20 * "00" + "598be4e6") + bytes(480), "RPI_PICO images"),
    ],
)
def test_the_emulated_board_takes_no_other_image(cli: Cli, tmp_path: Path, content: bytes, what: str) -> None:
    image = tmp_path / "image.uf2"
    image.write_bytes(content)
    result = cli("sim", "--rig", "pico", "--image", str(image))
    assert (result.code, result.out) == (8, "")
    assert what in result.error_line()


def test_no_ports(cli: Cli) -> None:
    result = cli("ports")
    assert (result.code, result.out) == (0, "")
    assert "start a simulated one with `ipch sim`" in result.error_line()
    assert cli("ports", "--json").json() == []


def test_ports_of_simulators_that_are_gone_are_not_listed(cli: Cli, tmp_path: Path) -> None:
    from ipch.base.paths import register_simulator, running_simulators, simulators_dir
    from ipch.device.transport import find_port

    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    register_simulator({"pid": process.pid, "port": "/dev/null", "rig": "sim"})
    (simulators_dir() / "1.json").write_text("{half")
    (simulators_dir() / "2.json").write_text("[]")
    assert running_simulators() == []
    register_simulator({"pid": os.getpid(), "port": "/dev/null", "rig": "core"})
    (entry,) = cli("ports", "--json").json()
    assert (entry["port"], entry["kind"]) == ("/dev/null", "simulator")
    other = register_simulator({"pid": os.getppid(), "port": "/dev/zero", "rig": "sim"})
    result = cli("status")
    assert result.code == 3 and "none of the 2 devices answers" in result.error_line()
    result = cli("info")
    assert result.code == 3
    assert "2 devices found: " in result.error_line() and "choose one with --port" in result.err
    # The simulator of a demo is no choice beside another device, but is one alone.
    demo = {"pid": os.getppid(), "port": "/dev/zero", "rig": "sim", "end_with": 1}
    register_simulator(demo)
    assert find_port() == "/dev/null"
    register_simulator({**demo, "end_with": None})
    # Its number is given to another process.
    other.write_text(json.dumps({**json.loads(other.read_text()), "started": "1"}))
    assert [simulator.rig for simulator in running_simulators()] == ["core"]


def test_recipes(cli: Cli) -> None:
    result = cli("recipes")
    assert result.code == 0
    assert "demo" in result.out and "rate-capability" in result.out
    assert {row["name"] for row in cli("recipes", "--json").json()} >= {"demo", "activation", "gitt"}
    text = cli("recipes", "gitt").out
    assert (
        text == shipped_recipes()["gitt"].read_text()
        and cli("recipes", "gitt", "--json").json()["recipe"] == text
    )
    assert "one of activation" in cli("recipes", "none").error_line()


def test_plant_parameters(cli: Cli) -> None:
    assert "volume_l" in cli("sim", "--list").out
    rows = {row["name"]: row for row in cli("sim", "--list", "--json").json()}
    assert rows["volume_l"]["unit"] == "L"


def test_port_from_the_environment(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPCH_PORT", "/dev/ttyNONE")
    assert "unknown port: /dev/ttyNONE" in cli("status").error_line()
    assert "unknown port: /dev/ttyOTHER" in cli("status", "--port", "/dev/ttyOTHER").error_line()
    assert "unknown port: /dev/ttyOTHER" in cli("--port", "/dev/ttyOTHER", "status").error_line()


@pytest.mark.parametrize("variable", ["GITHUB_ACTIONS", "FORCE_COLOR"])
def test_no_escape_codes_off_a_terminal(variable: str) -> None:
    environment = {**os.environ, variable: "1"}
    for arguments in (["--help"], ["set", "--help"], ["recipes"], ["frobnicate"]):
        result = subprocess.run(
            [sys.executable, "-m", "ipch", *arguments], capture_output=True, env=environment, check=False
        )
        assert b"\x1b" not in result.stdout + result.stderr


def test_errors_are_json_even_if_the_command_line_is_not_understood(cli: Cli) -> None:
    assert json.loads(cli("set", "--json", "--fast").out)["error"]["code"] == 2
