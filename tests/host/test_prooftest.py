"""`ipch prooftest` against a simulated rig: tight and leaking valves, relief, trip input, the record."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from ipch.analysis.gas import AIR
from ipch.calibration import prooftest
from ipch.calibration.prooftest import ProofTest, judge, rate
from ipch.cli import run
from ipch.device.instrument import Instrument
from ipch.sim.server import simulate
from tests.host.test_alarms import SAMPLE

# A proof needs 20 samples: the simulator waits for the next message after 0.1 s, however busy the computer is.
RIG = [
    "--ideal",
    "--rig",
    "sim",
    "--speed",
    "max",
    "--ahead",
    "0.1s",
    "--set",
    "initial_mpa=4",
    "--set",
    "supply_mpa=8",
]


def samples(pa_h, kelvin_h, noise_pa, count=400, seconds=60.0):
    """A chamber that leaks and cools, as seen by noisy sensors."""
    random = np.random.default_rng(7)
    found = []
    amount = AIR.density_mol_m3(5e6, 303.0)
    for time_s in np.linspace(0, seconds, count):
        kelvin = 303.0 + kelvin_h * time_s / 3600
        density = amount * (1 + pa_h * time_s / 3600 / 5e6)
        pressure = 5e6
        for _ in range(20):
            pressure *= density / AIR.density_mol_m3(pressure, kelvin)
        found.append(
            replace(
                SAMPLE,
                uptime_s=float(time_s),
                control_pa=round(pressure + random.normal(0, noise_pa)),
                gas_k=round(kelvin + random.normal(0, 0.01), 2),
            )
        )
    return found


@pytest.mark.parametrize(("pa_h", "kelvin_h"), [(0, 0), (-100_000, 0), (0, -20), (30_000, 15)])
def test_a_rate_is_found_within_its_uncertainty_whatever_the_temperature_does(pa_h, kelvin_h):
    found = rate(samples(pa_h, kelvin_h, noise_pa=500), AIR)
    # Three sigma.
    assert abs(found.pa_h - pa_h) < 1.5 * found.uncertainty_pa_h < 20_000


def test_a_verdict_counts_the_uncertainty():
    quiet = rate(samples(-30_000, 0, noise_pa=100), AIR)
    assert judge("x", quiet, 50_000).result == "passed"
    assert judge("x", quiet, 20_000).result == "failed"
    assert judge("x", replace(quiet, uncertainty_pa_h=40_000), 50_000).result == "uncertain"
    assert judge("x", quiet, 50_000, "OPEN").result == "failed"


def test_a_whole_test_passes_sets_the_date_and_is_written_down(tmp_path):
    heard = []
    with simulate(RIG) as simulator, Instrument.open(simulator.port) as instrument:

        def ask(part, question):
            if part == "trip input":
                assert run(["inject", "comparator-trips", "--port", simulator.port]) == 0
            return True

        def say(text):
            heard.append(text)
            if text.startswith("trip seen"):
                assert run(["inject", "--clear", "--port", simulator.port]) == 0

        test = ProofTest(instrument, operator="Ada", seconds=20, limit_pa_h=200_000, ask=ask, say=say)
        record = test.run(trip_wait_s=600)
        date = instrument.query(":DIAG:PRO?").split(",")[0]
    assert record.passed and record.date_set, heard
    assert [check.name for check in record.checks] == [
        "transducers",
        "chamber",
        *prooftest.VALVES,
        "relief",
        "trip input",
    ]
    assert date == record.utc[:10].replace("-", "")
    page = prooftest.write(tmp_path / "proof.json", record)
    assert "Ada" in page.read_text() and "| trip input | passed |" in page.read_text()
    assert json.loads((tmp_path / "proof.json").read_text())["passed"] is True


def test_a_leaking_valve_and_a_blocked_relief_fail_and_set_no_date(tmp_path, capsys):
    path = tmp_path / "proof.json"
    with simulate(RIG) as simulator:
        port = ["--port", simulator.port]
        assert run(["inject", "vent-leak", "valve=vent", "c=2e-12", *port]) == 0
        assert run(["inject", "relief-blocked", *port]) == 0
        words = [
            "prooftest",
            "--yes",
            "--seconds",
            "10",
            "--limit",
            "2000",
            "--skip",
            "trip input",
            "--out",
            str(path),
        ]
        assert run([*words, *port]) == 9
        assert "vent failed" in capsys.readouterr().err
        capsys.readouterr()
        assert run(["prooftest", "--when", *port]) == 0
        assert "no proof test yet" in capsys.readouterr().out
        assert run(["prooftest", "--yes", "--skip", "nonsense", *port]) == 2
    results = {each["name"]: each["result"] for each in json.loads(path.read_text())["checks"]}
    assert (
        results["vent"] == "failed" and results["relief"] == "failed" and results["trip input"] == "skipped"
    )
    assert results["fill"] == results["supply isolation"] == results["transducers"] == "passed"


def test_it_begins_only_where_it_can_tell_something(capsys):
    with simulate(
        ["--ideal", "--rig", "core", "--speed", "max", "--ahead", "10s", "--set", "initial_mpa=0.1"]
    ) as simulator:
        assert run(["prooftest", "--yes", "--port", simulator.port]) == 2
    assert "0.3 MPa above ambient" in capsys.readouterr().err
