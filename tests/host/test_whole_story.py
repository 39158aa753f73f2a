"""From a real cycler file to a report: a cell that breathes with its current, regulated, logged, merged, reported."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ipch.cyclers import read_cycler
from ipch.device.instrument import Instrument
from ipch.errors import FileError
from ipch.recipes.loader import Chosen, load_recipe
from ipch.recording.reader import load_run
from ipch.sim.parameters import load_parameters
from ipch.sim.server import simulate
from ipch.sim.surroundings import Cell
from ipch.workflows.run import record_recipe

SAMPLES = os.environ.get("IPCH_SAMPLES")
RECIPE = 'sample = "5s"\n[[step]]\nramp = "5MPa"\n[[step]]\nhold = "2h14m"\n'
# Of the real file: its first cycle ends 8075.9 s after its first row.
SWELLING_CM3_AH = 3.0


@pytest.mark.long
@pytest.mark.skipif(not SAMPLES, reason="IPCH_SAMPLES does not name the folder of real cycler files")
def test_a_real_file_from_plant_to_report(tmp_path: Path, cli: Callable[..., Any]) -> None:
    path = Path(SAMPLES or "") / "nw4-120-6-1-36.ndax"
    recipe = tmp_path / "hold.toml"
    recipe.write_text(RECIPE)
    plant = (
        "volume_l=0.1",
        "fill_c=5e-11",
        "vent_c=5e-11",
        "initial_mpa=5",
        f"cell_cm3_per_ah={SWELLING_CM3_AH}",
    )
    sets = [f"--set={text}" for text in (*plant, f"cell_profile={path}")]
    folder = tmp_path / "run"
    with (
        # A sample every 5 s also on a busy computer.
        simulate(["--ideal", "--rig", "core", "--speed", "max", "--ahead", "5s", *sets]) as simulator,
        Instrument.open(simulator.port) as device,
    ):
        record_recipe(device, Chosen("hold", RECIPE, load_recipe(recipe)), folder, lambda progress: None)
    run = load_run(folder / "run.db")
    # The file's first row is the simulation's beginning.
    cycler = read_cycler(path)
    offset_s = run.utc_s[0] - run.time_s[0] - cycler.unix_s[0]
    merged = cli(
        "merge",
        str(folder),
        "--cycler",
        str(path),
        f"--offset={offset_s:.3f}s",
        "--volume",
        "100mL",
        "--json",
    )
    data = merged.json()
    assert data["rows"] == 7257
    first, second = data["cycles"][:2]
    assert first["matched_rows"] > 0.98 * first["rows"] and second["matched_rows"] < 20
    assert data["unmatched_rows"] == sum(cycle["rows"] - cycle["matched_rows"] for cycle in data["cycles"])
    inside = cycler.cycle == 1
    assert first["charge_ah"] == pytest.approx(0.001053110 + 0.003629602, rel=1e-5)
    assert first["discharge_ah"] == pytest.approx(cycler.discharged_ah[inside][-1], rel=1e-9)
    planted_ml = float(np.ptp((cycler.charged_ah - cycler.discharged_ah)[inside])) * SWELLING_CM3_AH
    assert abs(first["volume_change_ml"] - planted_ml) <= first["volume_change_95_ml"]
    assert first["volume_change_95_ml"] < 0.1 * planted_ml
    assert first["pressure_mean_pa"] == pytest.approx(5e6, abs=5e3)
    report = cli(
        "report",
        str(folder),
        "--cycler",
        str(path),
        f"--offset={offset_s:.3f}s",
        "--volume",
        "100mL",
        "--json",
    )
    assert report.json()["cycles"][0]["volume_change_ml"] == pytest.approx(first["volume_change_ml"])
    page = (folder / "report.html").read_text()
    assert "nw4-120-6-1-36.ndax, 7257 rows" in page and "By gas dilatometry" in page
    # Without --offset nothing of it lies in the record.
    assert (
        "see --tz and --offset"
        in cli("merge", str(folder), "--cycler", str(path), "--out", "x.csv").error_line()
    )


def test_the_cell_of_a_plant_follows_a_cyclers_file(tmp_path: Path) -> None:
    (tmp_path / "cell.csv").write_text(
        "Unix Time / s,Voltage / V,Current / A,Cycle Count / 1,Charging Capacity / Ah,Discharging Capacity / Ah\n"
        "1000,3,1,1,0,0\n1360,3.5,1,1,0.1,0\n1360,3.5,0,1,0.1,0\n1720,3.4,-1,1,0,0.05\n"
    )
    (tmp_path / "plant.toml").write_text('[plant]\ncell_profile = "cell.csv"\n')
    for parameters in (
        load_parameters(None, [f"cell_profile={tmp_path / 'cell.csv'}"]),
        load_parameters(tmp_path / "plant.toml", []),
    ):
        cell = Cell(parameters)
        assert [cell.ampere_hours(s) for s in (0, 180, 360, 540, 720, 900)] == pytest.approx(
            [0, 0.05, 0.1, 0.075, 0.05, 0.05]
        )
    with pytest.raises(FileError, match=r"--set cell_profile=none.csv: cell_profile: cannot read none.csv"):
        load_parameters(None, ["cell_profile=none.csv"])
    (tmp_path / "bad.csv").write_text("a,b,c\n1,2,3\n")
    with pytest.raises(FileError, match="unknown columns"):
        load_parameters(None, [f"cell_profile={tmp_path / 'bad.csv'}"])


def test_the_commands_refuse_what_makes_no_sense(tmp_path: Path, cli: Callable[..., Any]) -> None:
    for arguments, code, reason in (
        (["merge", "nowhere", "--cycler", "x.csv"], 8, "no record at nowhere"),
        (["merge", "nowhere"], 2, "name at least one with --cycler"),
        (["report", "nowhere", "--volume", "3 bottles"], 2, "not a volume: '3 bottles'"),
        (["report", "nowhere", "--gas", "helium"], 2, "air, nitrogen or argon"),
        (["report", "nowhere", "--cylinder", "10L"], 2, "as in 10L@20MPa"),
    ):
        done = cli(*arguments)
        assert done.code == code
        assert reason in done.error_line()
    said = json.loads(cli("report", "nowhere", "--gas", "helium", "--json").out)
    assert said["error"]["code"] == 2
