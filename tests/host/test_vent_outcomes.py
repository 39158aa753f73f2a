"""`ipch vent --wait` with parts that fail: exit code 0 only if the chamber is empty, 10 if nobody can know."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ipch.sim.server import simulate

RIG = (
    "--ideal",
    "--rig",
    "core",
    "--speed",
    "max",
    "--ahead",
    "10s",
    "--set",
    "volume_l=0.1",
    "--set",
    "initial_mpa=5",
)
EMPTY_PA = 101_325 + 50_000


@pytest.mark.parametrize(
    ("faults", "code", "error"),
    [
        (["transducer-wrong which=control kpa=-4880"], 0, ""),
        (["coil-open valve=vent"], 0, ""),
        (
            ["relief-blocked", "vent-stuck-shut valve=both"],
            10,
            "is unknown: the control transducer last read ",
        ),
    ],
)
def test_a_vent_with_parts_that_fail(
    cli: Callable[..., Any], tmp_path: Path, faults: list[str], code: int, error: str
) -> None:
    truth = tmp_path / "truth.jsonl"
    with simulate([*RIG, "--truth", str(truth)]) as running:
        port = ("--port", running.port)
        assert cli("config", "set", "vent_slew_pa_s", "200kPa/s", *port).code == 0
        assert cli("set", "5MPa", *port).code == 0
        assert cli("on", *port).code == 0
        for fault in faults:
            assert cli("inject", *fault.split(), *port).code == 0
        cli("status", *port)
        result = cli("vent", "--wait", *port)
        assert result.code == code, result.err
        assert error in result.err and "Traceback" not in result.err
        true_pa = json.loads(truth.read_text().splitlines()[-1])["pressure_pa"]
        if code == 10:
            assert abs(float(result.err.split(error)[1].split()[0]) - true_pa / 1e6) < 0.01
        assert (true_pa < EMPTY_PA) == (code == 0)
