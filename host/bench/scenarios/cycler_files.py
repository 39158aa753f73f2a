"""Files of battery cyclers with a known truth: a protocol, written in the dialect of any maker.

A protocol is a list of steps; `rows` makes its table exactly (charge, capacities, cycles), `write` writes it as a
maker's program would. Nothing here uses the readers that it tests.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
START = 1_767_225_600.0


@dataclass(frozen=True)
class Step:
    """A constant current for some time, or with `to_a` one that falls exponentially to it."""

    cycle: int
    seconds: float
    ampere: float = 0.0
    every_s: float = 60.0
    to_a: float | None = None


@dataclass(frozen=True)
class Rows:
    """The rows of a test. Ah, V, A, s; `number` counts steps, `charge` is in the cell since the start."""

    time_s: Floats
    volt: Floats
    ampere: Floats
    cycle: Floats
    number: Floats
    charge: Floats
    charged: Floats
    """Throughput since the start."""
    discharged: Floats

    def part(self, rows: Any) -> Rows:
        return Rows(**{name: getattr(self, name)[rows] for name in self.__dataclass_fields__})

    def since(self, label: Floats) -> tuple[Floats, Floats, Floats]:
        """charge, charged and discharged since the last change of a label."""
        begins = np.concatenate([[True], label[1:] != label[:-1]])
        first = np.maximum.accumulate(np.where(begins, np.arange(len(label)), 0))
        # A step begins at the value that the one before ended with.
        before = np.maximum(first - 1, 0)
        return tuple(values - values[before] for values in (self.charge, self.charged, self.discharged))  # type: ignore[return-value]


def rows(steps: Sequence[Step]) -> Rows:
    """Each step has a row at its start and end, and in between. The voltage follows the charge."""
    parts, at_s, charge, put_in, taken = [], 0.0, 0.0, 0.0, 0.0
    for number, step in enumerate(steps, 1):
        inside = np.unique(np.append(np.arange(0.0, step.seconds, step.every_s), step.seconds))
        if step.to_a is None:
            ampere = np.full(len(inside), step.ampere)
            moved = ampere * inside / 3600.0
        else:
            tau_s = step.seconds / np.log(step.ampere / step.to_a)
            ampere = step.ampere * np.exp(-inside / tau_s)
            moved = step.ampere * tau_s * (1 - np.exp(-inside / tau_s)) / 3600.0
        up, down = np.maximum(moved, 0.0), np.maximum(-moved, 0.0)
        same = np.ones(len(inside))
        table = (
            at_s + inside,
            ampere,
            step.cycle * same,
            number * same,
            charge + moved,
            put_in + up,
            taken + down,
        )
        parts.append(np.column_stack(table))
        at_s, charge, put_in, taken = (
            at_s + step.seconds,
            charge + moved[-1],
            put_in + up[-1],
            taken + down[-1],
        )
    time_s, ampere, cycle, steps_, charges, charged, discharged = np.concatenate(parts).T
    swing = max(float(np.ptp(charges)), 1e-12)
    volt = np.round(3.2 + 0.8 * (charges - charges.min()) / swing + 0.02 * np.sign(ampere), 4)
    return Rows(time_s, volt, ampere, cycle, steps_, charges, charged, discharged)


def cycling(cycles: int = 3, ah: float = 0.1, half_s: float = 3600.0, **more: Any) -> list[Step]:
    """Charge, rest, discharge of 0.99 of it, rest. `rest_every_s` for rows of rests, `every_s` of the others."""
    every_s, rest_s = more.get("every_s", 60.0), more.get("rest_s", 600.0)
    rest = {"every_s": more.get("rest_every_s", 60.0)}
    ampere = ah * 3600.0 / half_s
    found = []
    for cycle in range(1, cycles + 1):
        found += [
            Step(cycle, half_s, ampere, every_s), Step(cycle, rest_s, **rest),
            Step(cycle, half_s, -0.99 * ampere, every_s), Step(cycle, rest_s, **rest),
        ]  # fmt: skip
    return found


def half_cell(cycles: int = 3, ah: float = 0.1, half_s: float = 3600.0) -> list[Step]:
    """Discharge first; each charge gives back 85 %."""
    ampere = ah * 3600.0 / half_s
    found = []
    for cycle in range(1, cycles + 1):
        found += [
            Step(cycle, half_s, -ampere),
            Step(cycle, 600),
            Step(cycle, half_s, 0.85 * ampere),
            Step(cycle, 600),
        ]
    return found


def drive_cycle(cycles: int = 2, ah: float = 0.1) -> list[Step]:
    """A charge, and a discharge in pulses that give some of it back."""
    found: list[Step] = []
    for cycle in range(1, cycles + 1):
        found += [Step(cycle, 3600, ah), Step(cycle, 600)]
        found += [Step(cycle, 60, ampere * ah, 10.0) for _ in range(30) for ampere in (-2.2, 0.22)]
        found += [Step(cycle, 600)]
    return found


def gitt(cycles: int = 2, ah: float = 0.1) -> list[Step]:
    """Pulses of 5 min with rests of 10 min."""
    found: list[Step] = []
    for cycle in range(1, cycles + 1):
        for sign in (1.0, -0.99):
            for _ in range(10):
                found += [Step(cycle, 300, 1.2 * sign * ah, 10.0), Step(cycle, 600, every_s=120.0)]
    return found


def cc_cv(cycles: int = 2, ah: float = 0.1) -> list[Step]:
    """The charge ends at a constant voltage: the current falls to a tenth."""
    found: list[Step] = []
    for cycle in range(1, cycles + 1):
        charge = [Step(cycle, 2400, ah), Step(cycle, 2400, ah, to_a=0.1 * ah), Step(cycle, 600)]
        put_in = (2400 + 2400 * 0.9 / np.log(10)) * ah / 3600
        found += [*charge, Step(cycle, 3600, -0.99 * put_in), Step(cycle, 600)]
    return found


def formation(cycles: int = 3, ah: float = 0.1) -> list[Step]:
    """A slow first cycle that loses 15 %, then cycles that lose 1 %."""
    found: list[Step] = []
    for cycle in range(1, cycles + 1):
        half_s, back = (7200.0, 0.85) if cycle == 1 else (3600.0, 0.99)
        ampere = ah * 3600.0 / half_s
        found += [
            Step(cycle, half_s, ampere),
            Step(cycle, 900),
            Step(cycle, half_s, -back * ampere),
            Step(cycle, 900),
        ]
    return found


def rate(ah: float = 0.1) -> list[Step]:
    """Discharges at growing currents, each after the same charge."""
    found: list[Step] = []
    for cycle, hours in enumerate((2.0, 1.0, 0.5), start=1):
        found += [
            Step(cycle, 3600, ah),
            Step(cycle, 600),
            Step(cycle, 3600 * hours, -0.99 * ah / hours),
            Step(cycle, 900),
        ]
    return found


def pauses(cycles: int = 3, ah: float = 0.1) -> list[Step]:
    """Each half cycle is interrupted for 17 min, without a row meanwhile."""
    found: list[Step] = []
    for cycle in range(1, cycles + 1):
        for ampere in (ah, -0.99 * ah):
            found += [
                Step(cycle, 1500, ampere),
                Step(cycle, 1020, every_s=1020),
                Step(cycle, 2100, ampere),
                Step(cycle, 600),
            ]
    return found


PROTOCOLS: dict[str, Callable[[], list[Step]]] = {
    "cycling": cycling, "formation": formation, "CC-CV": cc_cv, "GITT": gitt, "rate": rate, "half cell": half_cell,
    "pauses": pauses, "drive cycle": drive_cycle,
}  # fmt: skip


@dataclass(frozen=True)
class Written:
    """How a file is written."""

    start: float = START
    zone: tzinfo = UTC
    millis: bool = True


def _wall(how: Written, time_s: float, form: str) -> str:
    stamp = datetime.fromtimestamp(round(how.start + time_s, 3), how.zone)
    text = stamp.strftime(form)
    return text.replace("{ms}", f"{stamp.microsecond // 1000:03}")


def _clock(seconds: float) -> str:
    ms = round(seconds * 1000)
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"


def _state(ampere: float, names: tuple[str, str, str]) -> str:
    return names[0] if ampere > 0 else names[1] if ampere < 0 else names[2]


Lines = list[list[str]]


def neware(table: Rows, how: Written, unit: str = "mA") -> Lines:
    """The flat export, with counters of the step, in mA or uA."""
    factor, ah, per = {"A": (1.0, "Ah", 1.0), "mA": (1e3, "mAh", 1e3), "uA": (1e6, "mAs", 3.6e6)}[unit]
    shown = "\u00b5A" if unit == "uA" else unit
    _, up, down = table.since(table.number)
    head = ["DataPoint", "Cycle Index", "Step Index", "Step Type", "Time", "Total Time", f"Current({shown})",
            "Voltage(V)", f"Capacity({ah})", f"Chg. Cap.({ah})", f"DChg. Cap.({ah})", "Date"]  # fmt: skip
    names = ("CC Chg", "CC DChg", "Rest")
    lines = [head]
    for n in range(len(table.time_s)):
        t, a = table.time_s[n], table.ampere[n]
        lines.append(
            [str(n + 1), f"{table.cycle[n]:g}", f"{table.number[n]:g}", _state(a, names), "00:00:00", _clock(t),
             f"{a * factor:.6f}", f"{table.volt[n]:.4f}", f"{(up[n] + down[n]) * per:.7f}", f"{up[n] * per:.7f}",
             f"{down[n] * per:.7f}", _wall(how, t, "%Y-%m-%d %H:%M:%S.{ms}")]
        )  # fmt: skip
    return lines


def bdf(table: Rows, how: Written) -> Lines:
    """Battery Data Format: counters since the start."""
    head = ["Test Time / s", "Voltage / V", "Current / A", "Unix Time / s", "Cycle Count / 1", "Step Count / 1",
            "Charging Capacity / Ah", "Discharging Capacity / Ah"]  # fmt: skip
    return [head, *(
        [f"{t:.3f}", f"{v:.4f}", f"{a:.7f}", f"{how.start + t:.3f}", f"{c:g}", f"{s:g}", f"{up:.9f}", f"{down:.9f}"]
        for t, v, a, c, s, up, down in zip(
            table.time_s, table.volt, table.ampere, table.cycle, table.number, table.charged, table.discharged,
            strict=True)
    )]  # fmt: skip


def arbin(table: Rows, how: Written) -> Lines:
    """Counters that restart with the cycle; month first."""
    _, up, down = table.since(table.cycle)
    head = ["Data Point", "Date Time", "Test Time (s)", "Step Time (s)", "Cycle Index", "Step Index", "Current (A)",
            "Voltage (V)", "Charge Capacity (Ah)", "Discharge Capacity (Ah)"]  # fmt: skip
    return [head, *(
        [str(n + 1), "\t" + _wall(how, t, "%m/%d/%Y %H:%M:%S.{ms}"), f"{t:.4f}", "0", f"{table.cycle[n]:g}",
         f"{(table.number[n] - 1) % 4 + 1:g}", f"{table.ampere[n]:.7f}", f"{table.volt[n]:.4f}", f"{up[n]:.9f}",
         f"{down[n]:.9f}"]
        for n, t in enumerate(table.time_s)
    )]  # fmt: skip


def landt(table: Rows, how: Written) -> Lines:
    """A preamble, units after an underscore, counters of the step."""
    _, up, down = table.since(table.number)
    head = ["channel_index", "cycle_index", "step_index", "date_time_iso_string", "test_time_s", "step_time_s",
            "current_A", "voltage_V", "discharge_capacity_Ah", "charge_capacity_Ah", "step_name"]  # fmt: skip
    names = ("charge CC", "discharge CC", "rest")
    return [["cell model:", *[""] * 10], ["test: ", *[""] * 10], head, *(
        [str(n + 1), f"{table.cycle[n]:g}", f"{table.number[n]:g}", _wall(how, t, "%m/%d/%Y %H:%M:%S"), f"{t:.3f}", "0",
         f"{table.ampere[n]:.7f}", f"{table.volt[n]:.4f}", f"{down[n]:.9f}", f"{up[n]:.9f}",
         _state(table.ampere[n], names)]
        for n, t in enumerate(table.time_s)
    )]  # fmt: skip


def maccor(table: Rows, how: Written) -> Lines:
    """A current without sign, the state as a letter, one counter of the step."""
    _, up, down = table.since(table.number)
    head = [
        "Rec",
        "Cycle C",
        "Step",
        "Test Time (sec)",
        "Step Time (sec)",
        "Capacity (Ah)",
        "Current (A)",
        "Voltage (V)",
        "State",
        "DPT Time",
    ]
    return [["Today's Date", "28-Nov-23"], head, *(
        [str(n + 1), f"{table.cycle[n]:g}", f"{table.number[n]:g}", f"{t:.4f}", "0", f"{up[n] + down[n]:.9f}",
         f"{abs(table.ampere[n]):.7f}", f"{table.volt[n]:.4f}", _state(table.ampere[n], ("C", "D", "R")),
         _wall(how, t, "%d-%b-%y %I:%M:%S %p")]
        for n, t in enumerate(table.time_s)
    )]  # fmt: skip


def novonix(table: Rows, how: Written) -> Lines:
    """Time in hours, a signed capacity since the start."""
    head = [
        "Date and Time",
        "Cycle Number",
        "Step Type",
        "Run Time (h)",
        "Current (A)",
        "Potential (V)",
        "Capacity (Ah)",
        "Step Number",
    ]
    return [["[Summary]"], ["Novonix UHPC data file"], ["[End Summary]"], ["[Data]"], head, *(
        [_wall(how, t, "%Y-%m-%d %H:%M:%S"), f"{table.cycle[n]:g}", "7", f"{t / 3600:.9f}", f"{table.ampere[n]:.8f}",
         f"{table.volt[n]:.8f}", f"{table.charge[n]:.9f}", f"{table.number[n]:g}"]
        for n, t in enumerate(table.time_s)
    )]  # fmt: skip


def basytec(table: Rows, how: Written) -> Lines:
    """Tabs, test time alone below a start in German order, counters of the cycle."""
    _, up, down = table.since(table.cycle)
    head = [
        "~Time[s]",
        "DataSet",
        "Line",
        "Command",
        "U[V]",
        "I[A]",
        "Ah[Ah]",
        "Ah-Cyc-Charge",
        "Ah-Cyc-Discharge",
        "Cyc-Count",
    ]
    start = _wall(how, 0.0, "%d.%m.%Y %H:%M:%S")
    names = ("Charge", "Discharge", "Pause")
    return [["~Resultfile from Basytec Battery Test System"], [f"~Start of Test: {start}"], ["~"], head, *(
        [f"{t:.6f}", str(n + 1), f"{table.number[n]:g}", _state(table.ampere[n], names), f"{table.volt[n]:.6f}",
         f"{table.ampere[n]:.9f}", f"{table.charge[n]:.9f}", f"{up[n]:.9f}", f"{down[n]:.9f}", f"{table.cycle[n]:g}"]
        for n, t in enumerate(table.time_s)
    )]  # fmt: skip


def ec_lab(table: Rows, how: Written) -> Lines:
    """Tabs, decimal commas, Q - Qo, no cycles but half cycles, test time below the start."""
    moving = np.where(table.ampere == 0, np.nan, np.sign(table.ampere))
    last, half, halves = 0.0, -1, []
    for way in moving:
        if way == way and way != last:
            half, last = half + 1, way
        halves.append(max(half, 0))
    head = [
        "mode",
        "ox/red",
        "error",
        "Ns",
        "time/s",
        "Ewe/V",
        "<I>/mA",
        "dq/mA.h",
        "(Q-Qo)/mA.h",
        "half cycle",
    ]
    above = [["EC-Lab ASCII FILE"], ["Nb header lines : 5"],
             ["Acquisition started on : " + _wall(how, 0.0, "%m/%d/%Y %H:%M:%S.{ms}")], [""]]  # fmt: skip
    return [*above, head, *(
        [cell.replace(".", ",") for cell in
         ("1", "0", "0", f"{table.number[n] - 1:g}", f"{t:.6E}", f"{table.volt[n]:.7E}", f"{table.ampere[n] * 1e3:.7E}",
          "0", f"{table.charge[n] * 1e3:.12E}", str(halves[n]))]
        for n, t in enumerate(table.time_s)
    )]  # fmt: skip


DIALECTS: dict[str, tuple[Callable[[Rows, Written], Lines], str, str, str]] = {
    "neware": (neware, ".csv", ",", "utf-8"),
    "neware-A": (lambda table, how: neware(table, how, "A"), ".csv", ",", "utf-8"),
    "neware-uA": (lambda table, how: neware(table, how, "uA"), ".csv", ",", "cp1252"),
    "bdf": (bdf, ".bdf.csv", ",", "utf-8"),
    "bdf-utf-16": (bdf, ".csv", "\t", "utf-16"),
    "bdf-semicolons": (bdf, ".csv", ";", "utf-8-sig"),
    "arbin": (arbin, ".csv", ",", "utf-8-sig"),
    "landt": (landt, ".csv", ",", "utf-8"),
    "maccor": (maccor, ".csv", ",", "utf-8"),
    "maccor-tabs": (maccor, ".txt", "\t", "utf-8"),
    "novonix": (novonix, ".csv", ",", "utf-8"),
    "basytec": (basytec, ".txt", "\t", "cp1252"),
    "ec-lab": (ec_lab, ".mpt", "\t", "cp1252"),
}  # fmt: skip
"""Writer of the lines, ending, separator and code page of each dialect."""


def write(folder: Path, table: Rows, dialect: str, how: Written | None = None, name: str = "cell") -> Path:
    """Write a table in a dialect; return the file."""
    make, ending, separator, encoding = DIALECTS[dialect]
    lines = make(table, how or Written())
    if separator == ";":
        lines = [
            [cell.replace(".", ",") if cell[:1].isdigit() or cell[:1] == "-" else cell for cell in line]
            for line in lines
        ]
    path = folder / f"{name}{ending}"
    with path.open("w", newline="", encoding=encoding) as file:
        csv.writer(file, delimiter=separator, lineterminator="\r\n").writerows(lines)
    return path


def true_cycles(table: Rows) -> dict[int, tuple[float, float]]:
    """Ah charged and discharged in each cycle."""
    found = {}
    for number in np.unique(table.cycle):
        inside = np.flatnonzero(table.cycle == number)
        before = max(inside[0] - 1, 0)
        found[int(number)] = (
            float(table.charged[inside[-1]] - table.charged[before]),
            float(table.discharged[inside[-1]] - table.discharged[before]),
        )  # fmt: skip
    return found


__all__ = [
    "DIALECTS", "PROTOCOLS", "START", "Rows", "Step", "Written", "cycling", "drive_cycle", "gitt", "half_cell",
    "replace", "rows", "true_cycles", "write",
]  # fmt: skip
