"""Excursions of a held pressure from its band: start, duration, size and probable cause."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipch.analysis.gas import AIR, GasLaw
from ipch.analysis.holding import BAND_PA, weights

Floats = NDArray[np.floating[Any]]

# Longest delay from a cause to the excursion that it explains.
_AFTER_RAMP_S = 1800.0
_AFTER_PULSE_S = 20.0
_TREND_S = 900.0
_SUPPLY_MARGIN_PA = 100e3
# The temperature of a sealed chamber is the cause if it explains at least this share of the change.
_THERMAL_SHARE = 0.6
_JOIN_S = 10.0


@dataclass(frozen=True)
class Excursion:
    """One period outside the band."""

    start_s: float
    duration_s: float
    peak_pa: float
    """Its largest error, with its sign."""
    cause: str
    """fault, valves shut, supply too low, after a ramp, temperature, pulse, or cell or leak."""
    step: int | None = None
    """Step of the recipe in which it began, counted from 1."""
    cycle: int | None = None
    """Cycle of the cell in which it began."""


@dataclass(frozen=True)
class Held:
    """Samples of a period in which the pressure was to stay at its target."""

    time_s: Floats
    pressure_pa: Floats
    target_pa: Floats
    gas_k: Floats
    supply_pa: Floats
    pulses: Floats
    """Counters of fills and vents."""
    free: NDArray[np.bool_]
    """Whether the regulator was free to act: on, and not in a quiet window."""
    faulty: NDArray[np.bool_]
    since_ramp_s: Floats
    """Time since the setpoint last reached its target; inf before the first ramp."""


def excursions(held: Held, band_pa: float = BAND_PA, law: GasLaw = AIR) -> list[Excursion]:
    """Every period outside the band; periods less than 10 s apart count as one."""
    error_pa = (held.pressure_pa - held.target_pa).astype(np.float64)
    outside = np.flatnonzero(np.abs(error_pa) > band_pa)
    if not len(outside):
        return []
    usual_s = float(np.median(np.diff(held.time_s))) if len(held.time_s) > 1 else 1.0
    join_s = max(_JOIN_S, 2.0 * usual_s)
    cuts = np.flatnonzero(np.diff(held.time_s[outside]) > join_s) + 1
    share_s = weights(held.time_s)
    found = []
    for stretch in np.split(outside, cuts):
        first, last = int(stretch[0]), int(stretch[-1])
        peak = int(stretch[np.abs(error_pa[stretch]).argmax()])
        found.append(
            Excursion(
                start_s=float(held.time_s[first]),
                duration_s=float(share_s[first : last + 1].sum()),
                peak_pa=float(error_pa[peak]),
                cause=_cause(held, first, peak, float(error_pa[peak]), law),
            )
        )
    return found


def _cause(held: Held, first: int, peak: int, error_pa: float, law: GasLaw) -> str:
    """The first cause that applies, from the most certain to the default."""
    if held.faulty[first : peak + 1].any():
        return "fault"
    if not held.free[first : peak + 1].all():
        return "valves shut"
    supply_pa = held.supply_pa[first : peak + 1]
    if (
        error_pa < 0
        and np.nanmin(supply_pa) < np.nanmax(held.pressure_pa[first : peak + 1]) + _SUPPLY_MARGIN_PA
    ):
        return "supply too low"
    if held.since_ramp_s[first] < _AFTER_RAMP_S:
        return "after a ramp"
    start = int(np.searchsorted(held.time_s, held.time_s[first] - _AFTER_PULSE_S))
    if held.pulses[peak] != held.pulses[start]:
        return "pulse"
    start = int(np.searchsorted(held.time_s, held.time_s[first] - _TREND_S))
    # Only since the last pulse, because the effect of a pulse is not that of the temperature.
    quiet = np.flatnonzero(held.pulses[start : peak + 1] == held.pulses[peak])
    start += int(quiet[0])
    warmed_k = float(held.gas_k[peak] - held.gas_k[start])
    pressure_pa, kelvin = float(held.pressure_pa[peak]), float(held.gas_k[peak])
    if np.isfinite(warmed_k):
        thermal_pa = (
            warmed_k * pressure_pa * law.thermal_1_k(pressure_pa, kelvin) * law.stiffness(pressure_pa, kelvin)
        )
        moved_pa = float(held.pressure_pa[peak] - held.pressure_pa[start])
        if moved_pa and thermal_pa / moved_pa > _THERMAL_SHARE:
            return "temperature"
    return "cell or leak"
