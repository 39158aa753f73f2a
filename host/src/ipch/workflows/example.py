"""The shipped example: five cycles of a simulated cell under regulated pressure, with a cycler file.

This code computes all of its data. The cell swells with its charge, the chamber leaks slightly, the oven temperature
oscillates; the cycler file is a Neware export of the same currents, with an arbitrary, cell-like voltage.
"""

import csv
import math
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from ipch.analysis import AIR
from ipch.base.files import access
from ipch.cyclers import bdf_table, merge, read_cyclers
from ipch.device import Instrument, Report
from ipch.errors import FileError
from ipch.recipes import Chosen, load_recipe
from ipch.recording import Run, export, remember
from ipch.report import Assumed, summary, write_cycles, write_report
from ipch.workflows.results import CYCLES_NAME, RECORD_NAME, REPORT_NAME, SUMMARY_NAME, load_for_report
from ipch.workflows.run import record_recipe

CYCLER_NAME = "cycler.csv"
MERGED_NAME = "merged.bdf.csv"
_FILES = (
    RECORD_NAME, f"{RECORD_NAME}-wal", f"{RECORD_NAME}-shm", CYCLER_NAME, MERGED_NAME, CYCLES_NAME, REPORT_NAME,
    SUMMARY_NAME,
)  # fmt: skip
VOLUME_ML = 100.0
CYCLES = 5
CAPACITY_AH = 0.2
# Coulombic efficiency of each cycle, lowest in the first; each charge equals the previous discharge.
_EFFICIENCY = (0.90, 0.985, 0.99, 0.992, 0.993)
_BEGIN_S = 1800.0
_HALF_S = 1500.0
_REST_S = 300.0
_ROW_S = 10.0
# A leak of 2 kPa/h at 5 MPa in 0.1 L; swelling of lithium.
PLANT = (
    "volume_l=0.1", "fill_c=5e-11", "vent_c=5e-11", "leak_c=1.1e-16", "oven_amplitude_k=0.5", "oven_period_s=900",
    "cell_cm3_per_ah=0.485",
)  # fmt: skip
RECIPE = """description = "five cycles of a simulated cell at 5 MPa"
sample = "2s"

[[step]]
ramp = "5MPa"
slew = "20kPa/s"

[[step]]
hold = "5h30m"
note = "five cycles"
"""


def currents() -> list[tuple[float, float]]:
    """Points (s after the start of the simulation, A until the next point)."""
    points = [(0.0, 0.0)]
    at = _BEGIN_S
    charge_a = CAPACITY_AH / (_HALF_S / 3600.0)
    for efficiency in _EFFICIENCY:
        discharge_a = charge_a * efficiency
        for current in (charge_a, -discharge_a):
            points += [(at, current), (at + _HALF_S, 0.0)]
            at += _HALF_S + _REST_S
        charge_a = discharge_a
    return [*points, (at, 0.0)]


def make_example(folder: Path, report: Report, announce: Callable[[str], None]) -> Run:
    """Simulate, record, merge and report into a folder; an earlier example there is replaced.

    Raises FileError if it holds another record.
    """
    from ipch.sim.server import simulate

    if (folder / RECORD_NAME).exists():
        if load_for_report(folder / RECORD_NAME).recipe != RECIPE:
            raise FileError(
                f"{folder / RECORD_NAME} is not an example's record; name another folder with --out"
            )
        for name in _FILES:
            (folder / name).unlink(missing_ok=True)
    with access("create", folder):
        folder.mkdir(parents=True, exist_ok=True)
    recipe, profile = folder / "example.toml", folder / "currents.csv"
    recipe.write_text(RECIPE, encoding="utf-8")
    profile.write_text("".join(f"{at:g},{current:.9g}\n" for at, current in currents()), encoding="utf-8")
    sets = [f"--set={part}" for part in (*PLANT, f"cell_profile={profile}")]
    with (
        simulate(["--rig", "core", "--speed", "max", "--ahead", "10s", *sets]) as simulator,
        Instrument.open(simulator.port) as instrument,
    ):
        announce("the control code regulates a simulated chamber for five cycles: this takes minutes")
        record_recipe(instrument, Chosen("example", RECIPE, load_recipe(recipe)), folder, report)
    run = load_for_report(folder / RECORD_NAME)
    write_cycler(folder / CYCLER_NAME, float(run.utc_s[0] - run.time_s[0]))
    merged = merge(run, read_cyclers([folder / CYCLER_NAME], UTC))
    assumed = Assumed(gas=AIR, volume_ml=VOLUME_ML)
    export.write_table(folder / MERGED_NAME, bdf_table(merged))
    told = {"cycler": [str((folder / CYCLER_NAME).resolve())], "tz": "UTC", "volume": f"{VOLUME_ML:g}mL"}
    remember(folder / RECORD_NAME, None, told)
    judged, found = write_report(folder / REPORT_NAME, run, None, merged, assumed)
    write_cycles(folder / CYCLES_NAME, found.cycles)
    summary.write(folder / SUMMARY_NAME, run, judged)
    return run


def write_cycler(path: Path, zero_unix_s: float) -> None:
    """Write the currents as a flat Neware export, in UTC; the simulation began at `zero_unix_s`."""
    head = (
        "DataPoint", "Cycle Index", "Step Index", "Step Type", "Time", "Cumulative Time", "Current(A)", "Voltage(V)",
        "Capacity(Ah)", "Chg. Cap.(Ah)", "DChg. Cap.(Ah)", "Date",
    )  # fmt: skip
    points = currents()
    number, step, charge_ah = 0, 0, 0.0
    with access("write", path), path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        for (start_s, current_a), (end_s, _) in pairwise(points[1:]):
            step += 1
            kind = "CC Chg" if current_a > 0 else "CC DChg" if current_a < 0 else "Rest"
            began_ah = charge_ah
            for row in range(round((end_s - start_s) / _ROW_S) + 1):
                within_s = row * _ROW_S
                charge_ah = began_ah + current_a * within_s / 3600.0
                number += 1
                unix_s = zero_unix_s + start_s + within_s
                done_ah = abs(charge_ah - began_ah)
                cells = (
                    number, (step - 1) // 4 + 1, step, kind, _clock(within_s), _clock(start_s + within_s - _BEGIN_S),
                    f"{current_a:.6f}", f"{_voltage(charge_ah, current_a):.4f}", f"{done_ah:.9f}",
                    f"{done_ah if current_a > 0 else 0.0:.9f}", f"{done_ah if current_a < 0 else 0.0:.9f}",
                    f"{datetime.fromtimestamp(unix_s, UTC):%Y-%m-%d %H:%M:%S.%f}",
                )  # fmt: skip
                writer.writerow(cells)


def _voltage(charge_ah: float, current_a: float) -> float:
    """An arbitrary voltage from 2.9 to 4.3 V that rises with the charge and steps with the current."""
    share = min(max(charge_ah / CAPACITY_AH, 0.0), 1.0)
    rest = 3.5 + 0.55 * share + 0.12 * math.tanh(12.0 * (share - 0.04)) - 0.10 * math.exp(-25.0 * share)
    return rest + 0.15 * current_a


def _clock(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"
