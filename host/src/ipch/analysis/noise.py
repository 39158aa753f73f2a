"""Least squares for the gas balance, with intervals that hold for correlated noise.

An observation is z = X b + m + u + e: `e` is white (variance known for each row), `u` an Ornstein-Uhlenbeck process
(a slow mismatch that returns to its mean, such as that of gas and thermometer), `m` a level that is unknown at the
start of each segment and steps by a random amount at marked rows (the scatter of a pulse about its mean).

Strength and memory of the mismatch, scatter of pulses, and the overall scale are unknown. The result is the mean
over a grid of them, weighted with the restricted likelihood, so that their uncertainty widens the intervals. One
Kalman filter whitens the data and every column of X for all points of the grid at once (de Jong 1991:
generalised least squares is ordinary least squares on the filter's innovations).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

# Standard deviation of an unknown level, relative to the scale of the observations, which is 1.
_UNKNOWN = 1.0
_CHUNK = 64
# A point of the grid with less of the weight makes no difference.
_UNLIKELY = 1e-3
SLOW: tuple[float, ...] = (0.0, *(10.0 ** (third / 3.0) for third in range(-18, -5)))
"""Rms of the mismatch, relative."""
MEMORY_S = (300.0, 1800.0, 10_800.0, 43_200.0)
"""Its correlation times."""
SCATTER = (0.03, 0.1)
"""Random part of what a pulse delivers."""


@dataclass(frozen=True)
class Noise:
    """A point of the grid."""

    slow: float
    memory_s: float
    scatter: float


def grid(pulses: bool = True) -> list[Noise]:
    """Every combination of the parameters that makes a difference: memory with a mismatch, scatter with pulses."""
    return [
        Noise(slow, memory_s, scatter)
        for slow in SLOW
        for memory_s in (MEMORY_S if slow else MEMORY_S[:1])
        for scatter in (SCATTER if pulses else SCATTER[:1])
    ]


@dataclass(frozen=True)
class Rows:
    """Observations in order of time: `step` is the expected size of the step just before a row, relative."""

    time_s: Floats
    value: Floats
    columns: Floats
    """One row for each observation, one column for each coefficient."""
    white: Floats
    """Standard deviation of the white part."""
    starts: NDArray[np.bool_]
    """Whether a segment begins here: its level is unknown."""
    step: Floats
    optional: NDArray[np.bool_] | None = None
    """Columns that need not be there."""


@dataclass(frozen=True)
class Fit:
    """Coefficients with their covariance; `noise` is the likeliest grid point, `scale` that of its noise."""

    mean: Floats
    covariance: Floats
    noise: Noise
    scale: float
    freedom: int
    """Residuals: observations less all estimated terms."""
    likely: tuple[Noise, ...] = ()
    """Points of the grid that matter to the mean."""

    def half_width(self, direction: Floats) -> float:
        """Half of the 95 % interval of a linear combination of the coefficients."""
        variance = float(direction @ self.covariance @ direction)
        return _quantile(self.freedom) * float(np.sqrt(max(0.0, variance)))


def _quantile(freedom: int) -> float:
    """97.5 % point of Student's t (Peizer and Pratt's first terms; within 1 % from 4 degrees of freedom)."""
    normal = 1.959964
    n = max(freedom, 3)
    return float(
        normal + (normal**3 + normal) / (4 * n) + (5 * normal**5 + 16 * normal**3 + 3 * normal) / (96 * n**2)
    )


def solve(
    rows: Rows,
    prior_mean: Floats,
    prior_sd: Floats,
    noises: Sequence[Noise] | None = None,
    rescale: bool = True,
) -> Fit:
    """Estimate the coefficients of `rows.columns`. A prior of infinite width has no effect.

    `rescale` also estimates the overall level of noise. Optional columns count only if the observations are likelier
    with them. At least three more rows than columns.
    """
    points = list(noises) if noises is not None else grid(bool(rows.step.any()))
    wide = rows.columns.shape[1]
    gram = np.zeros((len(points), wide + 1, wide + 1))
    logs = np.zeros(len(points))
    _whiten(rows, points, gram, logs)
    all_of_them = np.ones(wide, dtype=np.bool_)
    choices = (
        [all_of_them] if rows.optional is None or not rows.optional.any() else [all_of_them, ~rows.optional]
    )
    found = [_fit(rows, points, gram, logs, (prior_mean, prior_sd), used, rescale) for used in choices]
    return max(found, key=lambda each: each[1])[0]


def _fit(
    rows: Rows, points: Sequence[Noise], gram: Floats, logs: Floats, prior: tuple[Floats, Floats],
    used: NDArray[np.bool_], rescale: bool,
) -> tuple[Fit, float]:  # fmt: skip
    """The fit with some of the columns, and its log evidence; the others have coefficients of 0, for certain."""
    count, wide = len(rows.value), int(used.sum())
    gram = gram[:, np.append(used, True)][:, :, np.append(used, True)]
    prior_mean, prior_sd = prior[0][used], prior[1][used]
    freedom = count - wide - int(rows.starts.sum())
    if freedom < 1:
        raise ValueError("too few observations for so many unknowns")
    proper = np.isfinite(prior_sd)
    precision = np.where(proper, 1.0 / np.square(prior_sd), 0.0)
    # A coefficient without data must not make the matrix singular.
    scales = np.sqrt(np.maximum(gram[:, :wide, :wide].diagonal(axis1=1, axis2=2).max(axis=0), 1e-300))
    normal = gram[:, :wide, :wide] + np.diag(precision)
    normal = normal / scales[:, None] / scales[None, :] + 1e-12 * np.eye(wide)
    right = (gram[:, :wide, wide] + precision * prior_mean) / scales
    inverse = np.linalg.inv(normal)
    means = np.einsum("gij,gj->gi", inverse, right)
    total = gram[:, wide, wide] + float(np.sum(precision * np.square(prior_mean)))
    rest = np.maximum(total - np.einsum("gi,gi->g", means, right), 1e-300)
    determinant = np.linalg.slogdet(normal)[1]
    if rescale:
        likelihood = -0.5 * (freedom * np.log(rest) + logs + determinant)
        # A column with a prior takes no freedom where models are compared.
        evidence = likelihood - 0.5 * float(proper.sum()) * np.log(rest)
        variance = rest / freedom
    else:
        evidence = likelihood = -0.5 * (rest + logs + determinant)
        variance = np.ones(len(points))
    # A wide prior that the observations do not need costs as much as they narrow it.
    width = float(np.sum(np.log(scales[proper] * prior_sd[proper])))
    weight = np.exp(likelihood - likelihood.max())
    weight /= weight.sum()
    mean = weight @ means
    off = means - mean
    covariance = np.einsum("g,gij->ij", weight * variance, inverse) + np.einsum(
        "g,gi,gj->ij", weight, off, off
    )
    best = int(weight.argmax())
    whole_mean, whole_covariance = np.zeros(len(used)), np.zeros((len(used), len(used)))
    whole_mean[used] = mean / scales
    whole_covariance[np.ix_(used, used)] = covariance / np.outer(scales, scales)
    likely = tuple(points[at] for at in np.flatnonzero(weight > _UNLIKELY).tolist())
    fit = Fit(whole_mean, whole_covariance, points[best], float(np.sqrt(variance[best])), freedom, likely)
    peak = float(evidence.max())
    return fit, peak + float(np.log(np.sum(np.exp(evidence - peak)))) - width


def _whiten(rows: Rows, points: Sequence[Noise], gram: Floats, logs: Floats) -> None:
    """For each grid point, sum the products of the whitened columns and of the data (last), and the log variances."""
    slow2 = np.array([point.slow for point in points]) ** 2
    rate = 1.0 / np.array([point.memory_s for point in points])
    scatter2 = np.array([point.scatter for point in points]) ** 2
    table = np.column_stack([rows.columns, rows.value])
    gaps_s = np.diff(rows.time_s, prepend=rows.time_s[0])
    level = np.zeros((len(points), table.shape[1]))
    mismatch = np.zeros_like(level)
    p_level, p_both, p_slow = np.full(len(points), _UNKNOWN**2), np.zeros(len(points)), slow2.copy()
    white2, steps2 = np.square(rows.white), np.square(rows.step)
    kept = np.empty((_CHUNK, *level.shape))
    filled = 0
    decay, last_gap_s = np.ones(len(points)), 0.0
    for index in range(len(table)):
        if rows.starts[index]:
            level[:] = 0.0
            p_level = np.full(len(points), _UNKNOWN**2)
            p_both = np.zeros(len(points))
        gap_s = gaps_s[index]
        if gap_s > 0.0:
            if gap_s != last_gap_s:
                decay, last_gap_s = np.exp(-gap_s * rate), gap_s
            mismatch *= decay[:, None]
            p_both = p_both * decay
            p_slow = slow2 + (p_slow - slow2) * decay * decay
        if steps2[index] and not rows.starts[index]:
            p_level = p_level + scatter2 * steps2[index]
        of_level, of_slow = p_level + p_both, p_both + p_slow
        variance = of_level + of_slow + white2[index]
        surprise = table[index] - level - mismatch
        level += (of_level / variance)[:, None] * surprise
        mismatch += (of_slow / variance)[:, None] * surprise
        p_level = p_level - of_level * of_level / variance
        p_both = p_both - of_level * of_slow / variance
        p_slow = p_slow - of_slow * of_slow / variance
        logs += np.log(variance)
        np.divide(surprise, np.sqrt(variance)[:, None], out=kept[filled])
        filled += 1
        if filled == _CHUNK or index == len(table) - 1:
            part = kept[:filled].transpose(1, 2, 0)
            gram += part @ part.transpose(0, 2, 1)
            filled = 0
