"""`ipch config confirm`: lost limits, the ladder, and a run that goes on after its settings were loaded from a file."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ipch.sim.server import RunningServer, simulate

YES = ("--yes", "--setpoint-max", "5.5MPa", "--trip", "6MPa", "--rating", "10MPa")


@pytest.fixture
def chamber(request: pytest.FixtureRequest) -> Iterator[RunningServer]:
    """A chamber with the firmware on MicroPython; parameters as those of `--set`."""
    sets = [part for each in getattr(request, "param", ()) for part in ("--set", each)]
    with simulate(["--ideal", "--rig", "sim", "--speed", "max", "--ahead", "10s", *sets]) as running:
        yield running


def ipch(chamber: RunningServer, *arguments: str, told: str = "") -> Any:
    command = [sys.executable, "-m", "ipch", *arguments, "--port", chamber.port]
    done = subprocess.run(command, input=told, capture_output=True, text=True, check=False, timeout=120)
    assert "Traceback" not in done.stderr
    return done


def lose(chamber: RunningServer) -> None:
    assert ipch(chamber, "inject", "stored-copies", "copies=both", "how=missing").returncode == 0
    assert ipch(chamber, "inject", "resets").returncode == 0
    for _ in range(50):
        status = ipch(chamber, "status", "--json")
        if status.returncode == 0 and "SETTINGS_LOST" in json.loads(status.stdout)["warnings"]:
            return
    raise AssertionError(status.stdout + status.stderr)


@pytest.mark.parametrize("chamber", [("volume_l=0.1",)], indirect=True)
def test_lost_limits_are_shown_and_confirmed(chamber: RunningServer) -> None:
    assert ipch(chamber, "selftest").returncode == 0
    lose(chamber)
    assert ipch(chamber, "set", "0.5MPa").returncode == 0
    refused = ipch(chamber, "on")
    assert refused.returncode == 5 and "ipch config confirm" in refused.stderr
    assert refused.stderr.count("\n") == 1
    told = ipch(chamber, "status").stdout
    assert "SETTINGS_LOST: " in told and "config confirm" in told
    assert ipch(chamber, "selftest").returncode == 9
    # Another setting confirms nothing.
    assert ipch(chamber, "config", "set", "slew_pa_s", "100kPa/s").returncode == 0
    assert ipch(chamber, "on").returncode == 5
    # Without all three values, with a wrong one, with a no, at the end of the input, and where nobody can be asked.
    for arguments, answer, code in (
        (YES[:-2], "", 2),
        (("--yes",), "y\n", 2),
        ((*YES[:-1], "9MPa"), "", 5),
        ((), "n\n", 9),
        ((), "", 9),
        (("--json",), "y\n", 2),
    ):
        done = ipch(chamber, "config", "confirm", *arguments, told=answer)
        assert done.returncode == code, (arguments, done.stderr)
        assert ipch(chamber, "on").returncode == 5
    done = ipch(chamber, "config", "confirm", told="y\n")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert [line.split()[-1] for line in lines[1:7]] == [
        "setpoint_max_pa",
        "trip_pa",
        "comparator_pa",
        "relief_valve_pa",
        "burst_disc_pa",
        "chamber_rating_pa",
    ]
    for number, line in zip(("5.5", "6", "6.5", "7", "9", "10"), lines[1:7], strict=True):
        assert number in line.split()
    assert ipch(chamber, "status", "--json").stdout.count("SETTINGS_LOST") == 0
    assert ipch(chamber, "on").returncode == 0
    assert ipch(chamber, "off").returncode == 0
    assert json.loads(ipch(chamber, "config", "confirm", *YES, "--json").stdout)["confirmed"] is True


@pytest.mark.parametrize("chamber", [("initial_mpa=4.8",)], indirect=True)
def test_a_run_goes_on_after_its_file_is_applied_under_pressure(
    chamber: RunningServer, tmp_path: Path
) -> None:
    file = tmp_path / "settings.toml"
    assert ipch(chamber, "config", "save", str(file)).returncode == 0
    mine = (("trip_pa", 6_000_000, 5_800_000), ("setpoint_max_pa", 5_500_000, 5_400_000))
    text = file.read_text()
    for name, old, new in mine:
        text = text.replace(f"{name} = {old}", f"{name} = {new}")
    file.write_text(text)
    # Limits one by one, or some of them from a file, do not change under pressure; a whole file does.
    part = tmp_path / "part.toml"
    part.write_text("[settings]\ntrip_pa = 5800000\n")
    for arguments in (("set", "trip_pa", "5.8MPa"), ("apply", str(part))):
        done = ipch(chamber, "config", *arguments)
        assert done.returncode == 5 and "Pa in the chamber" in done.stderr
    assert ipch(chamber, "config", "apply", str(file)).returncode == 0
    assert ipch(chamber, "config", "get", "trip_pa").stdout == "5800000\n"
    assert ipch(chamber, "status", "--json").stdout.count("SETTINGS_LOST") == 0
    # One that would trip leaves the old limits, confirmed.
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(text.replace("= 5800000", "= 4500000").replace("= 5400000", "= 4000000"))
    done = ipch(chamber, "config", "apply", str(wrong))
    assert done.returncode == 5 and "would trip" in done.stderr and done.stderr.count("\n") == 1
    assert ipch(chamber, "config", "get", "setpoint_max_pa").stdout == "5400000\n"
    assert ipch(chamber, "status", "--json").stdout.count("SETTINGS_LOST") == 0
    lose(chamber)
    done = ipch(chamber, "config", "apply", str(file))
    assert done.returncode == 0 and "ipch config confirm" in done.stderr
    limits = ("--yes", "--setpoint-max", "5.4MPa", "--trip", "5.8MPa", "--rating", "10MPa")
    assert ipch(chamber, "config", "confirm", *limits).returncode == 0
    assert ipch(chamber, "set", "4.8MPa").returncode == 0
    assert json.loads(ipch(chamber, "on", "--json").stdout)["state"] == "REGULATE"
    # While it regulates nothing of that is possible.
    for name, value in (("trip_pa", "5.9MPa"), ("control_zero_pa", "1000"), ("disagreement_pa", "60kPa")):
        done = ipch(chamber, "config", "set", name, value)
        assert done.returncode == 5 and "output is off" in done.stderr, name
    assert ipch(chamber, "off").returncode == 0
    # A large correction needs force, and the board is not flashed with gas in its chamber.
    done = ipch(chamber, "config", "set", "supply_zero_pa", "300000")
    assert done.returncode == 5 and "FORCe" in done.stderr
    assert ipch(chamber, "config", "set", "supply_zero_pa", "300000", "--force").returncode == 0
    done = ipch(chamber, "flash")
    assert done.returncode == 5 and "ipch vent --wait" in done.stderr and "--force" in done.stderr
    assert done.stderr.splitlines()[-1].count("ipch: ") == 1
    assert json.loads(ipch(chamber, "status", "--json").stdout)["state"] == "OFF"
