"""The plant and a plain regulator, row by row: the part of planted.py that needs no arrays."""

from __future__ import annotations

import random
from math import sqrt

from ipch.sim import signals
from ipch.sim.parameters import load_rig
from ipch.sim.plant import Plant

FILTERED_PA = 140.0
_LEAD_MS, _LAG_MS, _REST_MS = 40, 60, 60_000


def rows_of(
    sets: tuple[str, ...], hours: float, seed: int, every_s: float, band_pa: float, target_pa: float,
    ordinary: bool = False,
) -> tuple[list[tuple[float, ...]], float, float]:  # fmt: skip
    """Regulate a plant; return rows, the share of the gas lost to leak, seals and growth, and the cell's cm3/Ah.

    `ordinary` draws tolerances by the seed: sensors, seals that take up gas, the kind of gas.
    A row: s, Pa, counts of the gas sensor, K of the wall, Pa of the supply, fills, vents, s open of each, Ah.
    """
    rig = load_rig(None, (f"initial_mpa={target_pa / 1e6}", *sets), seed, ideal=not ordinary)
    plant = Plant(rig.parameters, seed=seed)
    noise = random.Random(f"{seed} filtered pressure")
    counts = [0] * signals.COUNT
    rows: list[tuple[float, ...]] = []
    opened_s = [0.0, 0.0]
    pulses = [0, 0]
    every_ms = round(every_s * 1000)
    volume_l = plant.volume_m3 * 1e3
    # Gains of these plants' valves: settled Pa per second of opening in a litre at its flow.
    started, started_kg, last_ms = plant.truth(), plant.gas_kg, -_REST_MS
    for _ in range(round(hours * 3600 / every_s)):
        seen_pa = plant.pressure_pa + noise.gauss(0.0, FILTERED_PA)
        error_pa = target_pa - seen_pa
        spent_ms = 0
        # Pulses correct errors beyond the band; the overshoot from warm or cold gas is left to fade.
        if abs(error_pa) > band_pa and plant.time_ms - last_ms > _REST_MS:
            last_ms = plant.time_ms
            side = 0 if error_pa > 0 else 1
            c = plant.parameters.fill_c if side == 0 else plant.parameters.vent_c
            up_pa = plant.supply_pa if side == 0 else seen_pa
            flow = _flow(c, up_pa, seen_pa if side == 0 else 1e5)
            us = min(max(int(abs(error_pa) * volume_l / flow * 1e6) + 1000, 8000), 300_000)
            plant.switch(side == 0, side == 1, False)
            plant.advance(_LEAD_MS)
            plant.pulse(side, us)
            plant.advance(us // 1000 + _LAG_MS)
            plant.switch(False, False, False)
            spent_ms = _LEAD_MS + us // 1000 + _LAG_MS
            opened_s[side] += us * 1e-6
            pulses[side] += 1
        plant.advance(max(every_ms - spent_ms, 20))
        signals.quantise(plant.measure(), counts)
        rows.append(
            (
                plant.time_ms / 1e3, plant.pressure_pa + noise.gauss(0.0, FILTERED_PA), counts[signals.GAS],
                273.15 + counts[signals.WALL] / 128, (counts[signals.SUPPLY] / 320.0 - 4) / 16 * 1e7, *pulses,
                *opened_s, plant.cell_ah,
            )
        )  # fmt: skip
    ended = plant.truth()
    lost_kg = float(ended["leaked_kg"]) + float(ended["sorbed_kg"]) - float(ended["gassed_kg"])
    # A chamber that grows looks like one that loses gas.
    started_cm3, ended_cm3 = (
        float(truth["gas_cm3"]) + float(truth["cell_cm3"]) for truth in (started, ended)
    )
    return rows, lost_kg / started_kg + (ended_cm3 / started_cm3 - 1.0), plant.parameters.cell_cm3_per_ah


def _flow(c: float, up_pa: float, down_pa: float) -> float:
    """Approximate settled Pa/s in a litre: isothermal, ISO 6358."""
    ratio = down_pa / up_pa
    share = 1.0 if ratio <= 0.3 else sqrt(max(1 - ((ratio - 0.3) / 0.7) ** 2, 1e-3))
    return c * 99.7e3 * up_pa * share / 1e-3
