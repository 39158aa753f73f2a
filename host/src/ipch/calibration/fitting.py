"""Calibration of the pressure transducers: points against a standard, the fit, and the coefficients on the device.

The device computes pressure = nominal + zero + span * nominal, zero and span each with a term that is linear in the
temperature of the block that carries the transducers. A point holds the nominal reading, without any correction, so
that a file of points can be fitted again even if the device's coefficients have changed.
"""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipch.base.files import access
from ipch.device import Instrument, scpi
from ipch.errors import FileError, IpchError, ProtocolError, UsageError

Floats = NDArray[np.float64]

FULL_SCALE_PA = 10_000_000
TRANSDUCERS = ("control", "safety")
COLUMNS = ("time_utc", "standard_pa", "block_c", "control_nominal_pa", "safety_nominal_pa")
_HEADERS = {"control": ":CAL:CONT", "safety": ":CAL:SAF"}
_TERMS = ("zero_pa", "span_ppm", "zero_tc_pa_k", "span_tc_ppm_k")
# Smaller spreads do not determine a term.
LEAST_PRESSURES_PA = 1_000_000
LEAST_TEMPERATURES_K = 5.0
_ZERO_CELSIUS_K = 273.15


@dataclass(frozen=True)
class Coefficients:
    """One transducer's coefficients on the device: Pa, ppm, Pa/K, ppm/K, date as 20261231, serial number, initials."""

    zero_pa: int = 0
    span_ppm: int = 0
    zero_tc_pa_k: int = 0
    span_tc_ppm_k: int = 0
    date: int = 0
    serial: int = 0
    operator: str = ""

    def pressure_pa(self, nominal_pa: float, block_k: float, reference_k: float) -> float:
        """Corrected pressure of a nominal reading."""
        warmer_k = block_k - reference_k
        zero_pa = self.zero_pa + self.zero_tc_pa_k * warmer_k
        return nominal_pa * (1 + self._span(warmer_k)) + zero_pa

    def nominal_pa(self, pressure_pa: float, block_k: float, reference_k: float) -> float:
        """Nominal reading of a corrected pressure."""
        warmer_k = block_k - reference_k
        zero_pa = self.zero_pa + self.zero_tc_pa_k * warmer_k
        return (pressure_pa - zero_pa) / (1 + self._span(warmer_k))

    def _span(self, warmer_k: float) -> float:
        return (self.span_ppm + self.span_tc_ppm_k * warmer_k) * 1e-6


@dataclass(frozen=True)
class Point:
    """One comparison with the standard; `nominal_pa` by transducer, without any correction."""

    standard_pa: float
    block_k: float
    nominal_pa: Mapping[str, float]
    time_utc: str = ""


@dataclass(frozen=True)
class Fit:
    """Coefficients of one transducer with their uncertainties."""

    name: str
    coefficients: Coefficients
    uncertainty: Mapping[str, float]
    """Expanded uncertainty (95 %), in the unit of each fitted coefficient; nan without degrees of freedom."""
    residual_pa: Floats
    """Residual at each point: corrected reading less standard."""
    before_pa: Floats
    """Error at each point without any correction."""
    freedom: int
    """Degrees of freedom: points beyond the number of coefficients."""
    expanded_pa: float
    """95 % uncertainty of a corrected pressure within the range of the points, including the standard's."""
    fixed: tuple[str, ...] = field(default=())
    """Terms that the points do not determine; they keep their old values."""

    @property
    def largest_pa(self) -> float:
        return float(np.abs(self.residual_pa).max())


def fit(
    points: Sequence[Point],
    name: str,
    reference_k: float,
    before: Coefficients,
    standard_uncertainty_pa: float = 0.0,
) -> Fit:
    """Fit zero and span, and their temperature terms if the points cover `LEAST_TEMPERATURES_K`.

    `reference_k` is the device's `cal_temperature_mk`; `before` gives terms not fitted. Ordinary least squares of
    standard less nominal; uncertainties are Student's t times the standard error (GUM, annex G). Raises UsageError.
    """
    nominal = np.array([point.nominal_pa[name] for point in points], float)
    standard = np.array([point.standard_pa for point in points], float)
    warmer = np.array([point.block_k - reference_k for point in points], float)
    if len(points) < 2 or np.ptp(standard) < LEAST_PRESSURES_PA:
        raise UsageError(
            f"{len(points)} points do not determine the span; it takes pressures at least"
            f" {LEAST_PRESSURES_PA / 1e6:g} MPa apart"
        )
    fitted: tuple[str, ...] = _TERMS if np.ptp(warmer) >= LEAST_TEMPERATURES_K else _TERMS[:2]
    columns = {
        "zero_pa": np.ones_like(nominal),
        "span_ppm": nominal * 1e-6,
        "zero_tc_pa_k": warmer,
        "span_tc_ppm_k": nominal * warmer * 1e-6,
    }
    kept = sum(getattr(before, term) * columns[term] for term in _TERMS if term not in fitted)
    matrix = np.column_stack([columns[term] for term in fitted])
    scale = np.abs(matrix).max(axis=0)
    if len(points) < len(fitted) or np.linalg.matrix_rank(matrix / scale, tol=1e-3) < len(fitted):
        raise UsageError(
            f"{len(points)} points do not determine {len(fitted)} coefficients; it takes at least two pressures"
            " at each of at least two temperatures, or one temperature for zero and span alone"
        )
    solution = np.linalg.lstsq(matrix / scale, standard - nominal - kept, rcond=None)[0] / scale
    rounded: dict[str, Any] = {
        term: round(float(value)) for term, value in zip(fitted, solution, strict=True)
    }
    coefficients = replace(before, **rounded)
    corrected = np.array(
        [coefficients.pressure_pa(p.nominal_pa[name], p.block_k, reference_k) for p in points],
        dtype=np.float64,
    )
    residual = corrected - standard
    freedom = len(points) - len(fitted)
    uncertainty = dict.fromkeys(fitted, math.nan)
    expanded = math.nan
    if freedom:
        variance = float(np.sum(np.square(standard - nominal - kept - matrix @ solution))) / freedom
        covariance = variance * np.linalg.inv((matrix / scale).T @ (matrix / scale))
        factor = students_t95(freedom)
        deviations = factor * np.sqrt(np.diag(covariance)) / scale
        uncertainty = dict(zip(fitted, map(float, deviations), strict=True))
        rows = matrix / scale
        spread = factor * math.sqrt(float(np.einsum("ij,jk,ik->i", rows, covariance, rows).max()))
        expanded = math.hypot(spread, standard_uncertainty_pa)
    return Fit(
        name=name,
        coefficients=coefficients,
        uncertainty=uncertainty,
        residual_pa=residual,
        before_pa=nominal - standard,
        freedom=freedom,
        expanded_pa=expanded,
        fixed=tuple(term for term in _TERMS if term not in fitted),
    )


def students_t95(freedom: int) -> float:
    """Student's t at 95 %, two-sided, for whole degrees of freedom from 1: bisection of the exact probability."""
    low, high = 0.0, 13.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < 0.95 else (low, middle)
    return (low + high) / 2


def _within(t: float, freedom: int) -> float:
    """Probability of a deviation up to `t` (Abramowitz and Stegun, 26.7.3 and 26.7.4)."""
    angle = math.atan(t / math.sqrt(freedom))
    cosine = math.cos(angle)
    odd = freedom % 2
    term = total = 0.0 if freedom == 1 else cosine if odd else 1.0
    for k in range(3 if odd else 2, freedom - 1, 2):
        term *= (k - 1) / k * cosine * cosine
        total += term
    return 2 / math.pi * (angle + math.sin(angle) * total) if odd else math.sin(angle) * total


def deviations_pa(
    points: Sequence[Point], name: str, coefficients: Coefficients, reference_k: float
) -> Floats:
    """Corrected reading less standard at each point."""
    return np.array(
        [
            coefficients.pressure_pa(point.nominal_pa[name], point.block_k, reference_k) - point.standard_pa
            for point in points
        ],
        dtype=np.float64,
    )


# Coefficients on the device


def reference_k(instrument: Instrument) -> float:
    """The temperature at which the device's temperature terms are zero."""
    return instrument.setting("cal_temperature_mk").value / 1000


def read(instrument: Instrument, name: str) -> Coefficients:
    """The present coefficients of `control` or `safety`."""
    reply = instrument.query(_HEADERS[name] + "?")
    answer = scpi.fields(reply)
    if len(answer) != 7:
        raise ProtocolError(f"the device answered {reply!r} for a calibration; flash the current firmware")
    numbers = [scpi.integer(text, "a coefficient") for text in answer[:6]]
    zero_pa, span_ppm, zero_tc_pa_k, span_tc_ppm_k, on, serial = numbers
    return Coefficients(zero_pa, span_ppm, zero_tc_pa_k, span_tc_ppm_k, on, serial, answer[6])


def write(instrument: Instrument, wanted: Mapping[str, Coefficients], *, force: bool = False) -> None:
    """Write the calibration of one or more transducers: all of them, or none. `force`: also beyond 2 % of full scale.

    Raises DeviceError with nothing changed; after any other error the old values are restored if the device can
    still be reached.
    """
    before = {name: read(instrument, name) for name in wanted}
    try:
        for name, coefficients in wanted.items():
            _write_one(instrument, name, coefficients, force)
        for name, coefficients in wanted.items():
            if read(instrument, name) != coefficients:
                raise ProtocolError(f"the device does not keep the calibration of the {name} transducer")
    except BaseException:
        for name, coefficients in before.items():
            _put_back(instrument, name, coefficients)
        raise


def today() -> int:
    """The date as the device keeps it, 20261231."""
    return int(date.today().strftime("%Y%m%d"))


def initials(text: str) -> str:
    """Initials of an operator in the device's format. Raises UsageError."""
    letters = text.strip().upper()
    if not 1 <= len(letters) <= 6 or not all("A" <= letter <= "Z" for letter in letters):
        raise UsageError(f"not initials: {text!r}; expected one to six letters from A to Z")
    return letters


def _write_one(instrument: Instrument, name: str, coefficients: Coefficients, force: bool = False) -> None:
    numbers = [getattr(coefficients, term) for term in (*_TERMS, "date", "serial")]
    values = ",".join(map(str, numbers))
    instrument.ask(f"{_HEADERS[name]} {values},{scpi.quote(coefficients.operator)}{',FORC' if force else ''}")


def _put_back(instrument: Instrument, name: str, coefficients: Coefficients) -> None:
    try:
        if read(instrument, name) != coefficients:
            _write_one(instrument, name, coefficients)
    except IpchError:
        # Report the reason of the first failure.
        return


# Files of points


def save_points(path: Path, points: Sequence[Point]) -> None:
    """Write points as CSV. Raises FileError."""
    with access("write", path), path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for point in points:
            writer.writerow(
                (
                    point.time_utc,
                    f"{point.standard_pa:.0f}",
                    f"{point.block_k - _ZERO_CELSIUS_K:.3f}",
                    *(f"{point.nominal_pa[name]:.0f}" for name in TRANSDUCERS),
                )
            )


def load_points(path: Path) -> list[Point]:
    """Read a file of `save_points`; the time may be missing. Raises FileError with the number of the faulty line."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise FileError(f"{path}: not a CSV file: {error}") from error
    if not rows:
        raise FileError(
            f"{path}: no points; expected a heading {','.join(COLUMNS)} and a line for each point"
        )
    missing = [column for column in COLUMNS[1:] if column not in rows[0]]
    if missing:
        raise FileError(f"{path}: no column {missing[0]}; it needs {', '.join(COLUMNS[1:])}")
    points = []
    for line, row in enumerate(rows, start=2):
        values = {column: _number(path, line, column, row[column]) for column in COLUMNS[1:]}
        if not 0 <= values["standard_pa"] <= 2 * FULL_SCALE_PA:
            raise FileError(f"{path}: line {line}: standard_pa: 0 to {2 * FULL_SCALE_PA} Pa")
        if not -60 <= values["block_c"] <= 150:
            raise FileError(f"{path}: line {line}: block_c: -60 to 150 degC")
        points.append(
            Point(
                values["standard_pa"],
                values["block_c"] + _ZERO_CELSIUS_K,
                {name: values[f"{name}_nominal_pa"] for name in TRANSDUCERS},
                row.get("time_utc") or "",
            )
        )
    return points


def _number(path: Path, line: int, column: str, text: Any) -> float:
    try:
        value = float(text)
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise FileError(f"{path}: line {line}: {column} = {text!r}; expected a number")
    return value
