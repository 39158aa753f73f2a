"""`ipch config confirm`: lost limits, the ladder, and a run that goes on after its settings were loaded from a file."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ipch.sim.server import RunningServer, simulate

Ipch = Callable[..., Any]
YES = ("--yes", "--setpoint-max", "5.5MPa", "--trip", "6MPa", "--rating", "10MPa")


@pytest.fixture
def chamber(request: pytest.FixtureRequest) -> Iterator[RunningServer]:
    """A chamber; parameters as those of `--set`."""
    sets = [part for each in getattr(request, "param", ()) for part in ("--set", each)]
    with simulate(["--ideal", "--rig", "core", "--speed", "max", "--ahead", "10s", *sets]) as running:
        yield running


@pytest.fixture
def ipch(chamber: RunningServer, cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Ipch:
    """A command line for the chamber; `told` is typed."""

    def run(*arguments: str, told: str = "") -> Any:
        monkeypatch.setattr(sys, "stdin", io.StringIO(told))
        done = cli(*arguments, "--port", chamber.port)
        assert "Traceback" not in done.err
        return done

    return run


def lose(ipch: Ipch) -> None:
    assert ipch("inject", "stored-copies", "copies=both", "how=missing").code == 0
    assert ipch("inject", "resets").code == 0
    for _ in range(50):
        status = ipch("status", "--json")
        if status.code == 0 and "SETTINGS_LOST" in json.loads(status.out)["warnings"]:
            return
    raise AssertionError(status.out + status.err)


@pytest.mark.parametrize("chamber", [("volume_l=0.1",)], indirect=True)
def test_lost_limits_are_shown_and_confirmed(ipch: Ipch) -> None:
    assert ipch("selftest").code == 0
    lose(ipch)
    assert ipch("set", "0.5MPa").code == 0
    refused = ipch("on")
    assert refused.code == 5 and "ipch config confirm" in refused.err
    assert refused.err.count("\n") == 1
    told = ipch("status").out
    assert "SETTINGS_LOST: " in told and "config confirm" in told
    assert ipch("selftest").code == 9
    # Another setting confirms nothing.
    assert ipch("config", "set", "slew_pa_s", "100kPa/s").code == 0
    assert ipch("on").code == 5
    # Without all three values, with a wrong one, with a no, at the end of the input, and where nobody can be asked.
    for arguments, answer, code in (
        (YES[:-2], "", 2),
        (("--yes",), "y\n", 2),
        ((*YES[:-1], "9MPa"), "", 5),
        ((), "n\n", 9),
        ((), "", 9),
        (("--json",), "y\n", 2),
    ):
        done = ipch("config", "confirm", *arguments, told=answer)
        assert done.code == code, (arguments, done.err)
        assert ipch("on").code == 5
    done = ipch("config", "confirm", told="y\n")
    assert done.code == 0
    lines = done.out.splitlines()
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
    assert ipch("status", "--json").out.count("SETTINGS_LOST") == 0
    assert ipch("on").code == 0
    assert ipch("off").code == 0
    assert json.loads(ipch("config", "confirm", *YES, "--json").out)["confirmed"] is True


@pytest.mark.parametrize("chamber", [("initial_mpa=4.8",)], indirect=True)
def test_a_run_goes_on_after_its_file_is_applied_under_pressure(ipch: Ipch, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    assert ipch("config", "save", str(file)).code == 0
    mine = (("trip_pa", 6_000_000, 5_800_000), ("setpoint_max_pa", 5_500_000, 5_400_000))
    text = file.read_text()
    for name, old, new in mine:
        text = text.replace(f"{name} = {old}", f"{name} = {new}")
    file.write_text(text)
    # Limits one by one, or some of them from a file, do not change under pressure; a whole file does.
    part = tmp_path / "part.toml"
    part.write_text("[settings]\ntrip_pa = 5800000\n")
    for arguments in (("set", "trip_pa", "5.8MPa"), ("apply", str(part))):
        done = ipch("config", *arguments)
        assert done.code == 5 and "Pa in the chamber" in done.err
    assert ipch("config", "apply", str(file)).code == 0
    assert ipch("config", "get", "trip_pa").out == "5800000\n"
    assert ipch("status", "--json").out.count("SETTINGS_LOST") == 0
    # One that would trip leaves the old limits, confirmed.
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(text.replace("= 5800000", "= 4500000").replace("= 5400000", "= 4000000"))
    done = ipch("config", "apply", str(wrong))
    assert done.code == 5 and "would trip" in done.err and done.err.count("\n") == 1
    assert ipch("config", "get", "setpoint_max_pa").out == "5400000\n"
    assert ipch("status", "--json").out.count("SETTINGS_LOST") == 0
    lose(ipch)
    done = ipch("config", "apply", str(file))
    assert done.code == 0 and "ipch config confirm" in done.err
    limits = ("--yes", "--setpoint-max", "5.4MPa", "--trip", "5.8MPa", "--rating", "10MPa")
    assert ipch("config", "confirm", *limits).code == 0
    assert ipch("set", "4.8MPa").code == 0
    assert json.loads(ipch("on", "--json").out)["state"] == "REGULATE"
    # While it regulates nothing of that is possible.
    for name, value in (("trip_pa", "5.9MPa"), ("control_zero_pa", "1000"), ("disagreement_pa", "60kPa")):
        done = ipch("config", "set", name, value)
        assert done.code == 5 and "output is off" in done.err, name
    assert ipch("off").code == 0
    # A large correction needs force, and the board is not flashed with gas in its chamber.
    done = ipch("config", "set", "supply_zero_pa", "300000")
    assert done.code == 5 and "FORCe" in done.err
    assert ipch("config", "set", "supply_zero_pa", "300000", "--force").code == 0
    done = ipch("flash")
    assert done.code == 5 and "ipch vent --wait" in done.err and "--force" in done.err
    assert done.err.splitlines()[-1].count("ipch: ") == 1
    assert json.loads(ipch("status", "--json").out)["state"] == "OFF"
