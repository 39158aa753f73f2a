"""Records with a known truth, made quickly: the whole plant, with a simple regulator in place of the firmware.

The plant (gas, heat, valves with jitter, sensors with noise, lag and slow mismatch, converters) is the simulator's
own, stepped in seconds while its valves are shut, as it allows. A dead-band with one pulse at a time replaces the
firmware. The transducer's true signal plus noise replaces its filtered pressure; the noise is what the firmware's
filter leaves of 0.5 kPa (0.14 kPa in a second; `bench.measure.planted` compares with a run of the firmware).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.scenarios.planted_rows import FILTERED_PA, rows_of
from ipch.analysis import AIR, Balance, GasLaw, GasRecord, Noise, gas_law, solve_balance
from ipch.sim import signals
from ipch.sim.parameters import load_rig

Floats = NDArray[np.floating[Any]]

LEAK_C_PER_KPA_H_L = 2.8e-16 / 0.5
"""Leak conductance for 1 kPa/h at 5 MPa, for each litre."""


@dataclass(frozen=True)
class Planted:
    """A record and its truth."""

    record: GasRecord
    leak_kpa_h: float
    swelling_ml: dict[int, float]
    """Cell volume at the largest charge less that at the smallest, by cycle."""


def _kelvin(counts: Floats) -> Floats:
    """PT1000 counts in the firmware's conversion: by IEC 60751 above 0 degC, to the mK."""
    ohm = counts / 32768.0 * signals.REFERENCE_OHM / 1000.0
    a, b = 3.9083e-3, -5.775e-7
    return np.round(273.15 + (-a + np.sqrt(a * a - 4 * b * (1 - ohm))) / (2 * b), 3)


def make(
    sets: tuple[str, ...],
    hours: float,
    seed: int,
    *,
    every_s: float = 2.0,
    band_pa: float = 5e3,
    target_pa: float = 5e6,
    half_s: float = 0.0,
    ordinary: bool = False,
) -> Planted:
    """Regulate a plant for some hours. `half_s` is the length of a half cycle of the cell, 0 for an idle one."""
    rows, lost, cm3_per_ah = rows_of(sets, hours, seed, every_s, band_pa, target_pa, ordinary)
    law = gas_law(str(load_rig(None, sets, seed, ideal=not ordinary).parameters.gas))
    return planted(rows, lost, cm3_per_ah, hours, half_s, target_pa, law)


def planted(
    rows: Any,
    lost: float,
    cm3_per_ah: float,
    hours: float,
    half_s: float,
    target_pa: float = 5e6,
    law: GasLaw = AIR,
) -> Planted:
    """Rows as a record with its truth; `lost` is the share of the gas that leaked, or that seals took up."""
    table = np.array(rows)
    charge_ah = table[:, 9]
    cycle = np.floor(table[:, 0] / (2 * half_s)) + 1 if half_s else None
    record = GasRecord(
        time_s=table[:, 0],
        pressure_pa=table[:, 1],
        gas_k=_kelvin(table[:, 2]),
        wall_k=table[:, 3],
        supply_pa=table[:, 4],
        fills=table[:, 5],
        vents=table[:, 6],
        fill_open_s=table[:, 7],
        vent_open_s=table[:, 8],
        segment=np.zeros(len(table), dtype=np.int64),
        usable=np.ones(len(table), dtype=np.bool_),
        charge_ah=charge_ah if half_s else None,
        cycle=cycle,
    )
    swelling: dict[int, float] = {}
    if cycle is not None:
        for number in np.unique(cycle):
            inside = cycle == number
            swelling[int(number)] = float(np.ptp(charge_ah[inside])) * cm3_per_ah
    stiffness = float(law.stiffness(target_pa, 303.15))
    return Planted(record, lost / hours * target_pa * stiffness / 1e3, swelling)


def leaking(kpa_h: float, volume_l: float) -> str:
    """The plant parameter of a leak at 5 MPa."""
    return f"leak_c={kpa_h * LEAK_C_PER_KPA_H_L * volume_l}"


@dataclass(frozen=True)
class Scenario:
    """A plant, the length of its record, and the length of its cell's half cycle (0: idle)."""

    name: str
    sets: tuple[str, ...]
    hours: float
    volume_l: float
    half_s: float = 0.0
    every_s: float = 2.0
    ordinary: bool = False

    def record(self, seed: int) -> Planted:
        return make(
            self.sets, self.hours, seed, half_s=self.half_s, every_s=self.every_s, ordinary=self.ordinary
        )

    def law(self, seed: int) -> GasLaw:
        """Of the gas in the chamber."""
        return gas_law(str(load_rig(None, self.sets, seed, ideal=not self.ordinary).parameters.gas))


def _cell(change_ml: float, half_s: float) -> tuple[str, ...]:
    """A cell with this swelling on each charge."""
    return (f"cell_capacity_ah={change_ml / 0.485}", f"cell_c_rate={3600 / half_s}")


_SMALL = ("volume_l=0.1", "fill_c=5e-11", "vent_c=5e-11")
SCENARIOS = (
    Scenario("no leak, 0.5 L, 8 h", ("volume_l=0.5",), 8, 0.5),
    Scenario("leak 1 kPa/h, 0.5 L, 1 h", ("volume_l=0.5", leaking(1, 0.5)), 1, 0.5),
    Scenario("leak 1 kPa/h, 0.5 L, 8 h, oven +-2 K", ("volume_l=0.5", leaking(1, 0.5), "oven_amplitude_k=2"), 8, 0.5),
    Scenario("leak 10 kPa/h, 0.5 L, 8 h", ("volume_l=0.5", leaking(10, 0.5)), 8, 0.5),
    Scenario("leak 0.1 kPa/h, 0.5 L, 24 h", ("volume_l=0.5", leaking(0.1, 0.5)), 24, 0.5, every_s=5.0),
    Scenario("0.02 mL, 0.1 L, leak 1 kPa/h", (*_SMALL, leaking(1, 0.1), *_cell(0.02, 3600)), 8, 0.1, 3600),
    Scenario("0.1 mL, 0.1 L", (*_SMALL, *_cell(0.1, 3600)), 8, 0.1, 3600),
    Scenario(
        "0.1 mL, 0.1 L, leak 1 kPa/h, oven +-2 K",
        (*_SMALL, leaking(1, 0.1), *_cell(0.1, 3600), "oven_amplitude_k=2"), 8, 0.1, 3600,
    ),
    Scenario(
        "2 mL, 0.5 L, leak 1 kPa/h", ("volume_l=0.5", leaking(1, 0.5), *_cell(2.0, 7200)), 16, 0.5, 7200, every_s=4.0
    ),
    Scenario(
        "0.1 mL, 0.1 L, leak 1 kPa/h, ordinary rigs",
        (*_SMALL, leaking(1, 0.1), *_cell(0.1, 3600), "oven_amplitude_k=1"), 8, 0.1, 3600, every_s=4.0, ordinary=True,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """For one record: whether each estimate is within its own interval, and the interval's width against the bound."""

    leak_error: float
    leak_half: float
    leak_bound: float
    leak_kpa_h: float
    swelling: tuple[tuple[float, float, float], ...]
    """(error, half width, bound) in mL, for each cycle."""


def judge(scenario: Scenario, seed: int) -> Outcome:
    """Make a record and evaluate it."""
    planted = scenario.record(seed)
    found = solve_balance(planted.record, scenario.law(seed), scenario.volume_l * 1e3)
    least = bound(planted.record, scenario.volume_l * 1e3)
    return Outcome(
        found.leak_kpa_h.value - planted.leak_kpa_h,
        found.leak_kpa_h.half_width,
        least.leak_kpa_h.half_width,
        found.leak_kpa_h.value,
        tuple(
            (
                mine.change_ml.value - planted.swelling_ml[mine.cycle],
                mine.change_ml.half_width,
                other.change_ml.half_width,
            )
            for mine, other in zip(found.cycles, least.cycles, strict=True)
            if mine.change_ml is not None and other.change_ml is not None
        ),
    )


def bound(record: GasRecord, volume_ml: float) -> Balance:
    """The narrowest valid interval: the same unknowns, with this plant's noise known.

    Per sample 140 Pa of filtered pressure and 4 mK of the wall sensor (7.8 mK a count), which has no slow mismatch;
    pulse edges scatter by 0.8 ms.
    """
    pulses = float(np.ptp(record.fills) + np.ptp(record.vents))
    open_s = float(np.ptp(record.fill_open_s) + np.ptp(record.vent_open_s))
    scatter = 0.82e-3 * pulses / open_s if pulses else 0.0
    thermal = float(AIR.thermal_1_k(5e6, 303.15))
    relative = float(np.hypot(FILTERED_PA / 5e6, thermal * np.hypot(4e-3, 7.8125e-3 / np.sqrt(12))))
    return solve_balance(
        record, volume_ml=volume_ml, noises=[Noise(0.0, 1800.0, scatter)], sample_noise=relative
    )
