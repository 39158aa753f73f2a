"""Whether the cycler's clock agrees with the record: does the pressure follow the charge better at another time?

A wrong time zone moves the charge by hours against the pressure. The swelling that a fit then finds is wrong, often
with the wrong sign, and nothing in the table shows it. The changes of the amount of gas from one bin to the next,
without pulses, are compared with the changes of the charge at every shift of up to 14 h.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipch.analysis.bins import Bins

Floats = NDArray[np.floating[Any]]

_MOST_S = 14 * 3600.0
_STEP_S = 300.0
_FINE_S = 60.0
# The charge must explain so much of the changes, and leave so much less unexplained than without a shift, which chance
# does once in exp(20) times.
_LEAST = 0.1
_BETTER = 1.08
_SURE = 20.0
# Of shifts that fit almost as well, such as a whole cycle, the smallest is meant.
_ALIKE = 1.02
_LEAST_ROWS = 30


@dataclass(frozen=True)
class ClockCheck:
    """How well the pressure follows the charge as the times are, and at the best shift."""

    ahead_s: float
    """How far the cycler's clock seems to be ahead; 0 if no shift fits better."""
    explained: float
    """Share of the changes that the charge explains as the times are, negative if the cell shrinks with charge."""
    explained_shifted: float


def clock_check(bins: Bins, time_s: Floats, charge_ah: Floats) -> ClockCheck | None:
    """Compare bins with the charge at the cycler's rows, both in s of the record. None: too little to compare."""
    gap = np.diff(bins.time_s) > 3.0 * bins.width_s
    use = ~(gap | bins.starts[1:] | (np.diff(bins.pulses) != 0))
    if use.sum() < _LEAST_ROWS or np.ptp(charge_ah) <= 0:
        return None
    nuisance = [np.ones(int(use.sum())), np.diff(bins.time_s)[use]]
    thermal = ("wall", "drift", "lag 30 s", "lag 300 s")
    nuisance += [np.diff(bins.means[name])[use] for name in thermal if name in bins.means]
    basis = np.linalg.qr(np.nan_to_num(np.column_stack(nuisance)))[0]

    def without(values: Floats) -> Floats:
        left: Floats = values - basis @ (basis.T @ values)
        return left

    changes = without(np.diff(bins.value)[use])
    total = float(changes @ changes)

    def explained(shift_s: float) -> float:
        moved = without(np.diff(np.interp(bins.time_s + shift_s, time_s, charge_ah))[use])
        size = float(moved @ moved)
        along = float(changes @ moved)
        return np.sign(along) * along * along / (size * total) if size > 1e-12 * total and total > 0 else 0.0

    now = explained(0.0)
    shifts = np.arange(-_MOST_S, _MOST_S + 1, _STEP_S)
    best = _nearest(shifts, np.array([explained(shift) for shift in shifts]))
    fine = best + np.arange(-_STEP_S, _STEP_S + 1, _FINE_S)
    found = np.array([explained(shift) for shift in fine])
    best = float(fine[np.argmax(found)])
    quarter = round(best / 900.0) * 900.0
    if 1.0 - explained(quarter) <= _ALIKE * (1.0 - found.max()):
        # Zones differ by quarters of an hour.
        best = quarter
    shifted = explained(best)
    ratio = (1.0 - abs(now)) / max(1.0 - shifted, 1e-12)
    better = ratio >= _BETTER and 0.5 * use.sum() * np.log(ratio) >= _SURE
    if abs(best) < _STEP_S or shifted < _LEAST or not (better or (now < 0 and shifted >= 1.1 * -now)):
        return ClockCheck(0.0, now, shifted)
    return ClockCheck(best, now, shifted)


def _nearest(shifts: Floats, found: Floats) -> float:
    """The smallest of the shifts that leave almost as little unexplained as the best."""
    left = 1.0 - found
    alike = shifts[left <= _ALIKE * left.min() + 1e-12]
    return float(alike[np.argmin(np.abs(alike))])
