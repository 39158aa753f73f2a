"""Calibration of the transducers and the proof test: points, fit, standards, procedures, pages."""

from ipch.calibration import prooftest
from ipch.calibration.fitting import (
    FULL_SCALE_PA,
    TRANSDUCERS,
    Coefficients,
    Fit,
    Point,
    deviations_pa,
    fit,
    initials,
    load_points,
    read,
    reference_k,
    save_points,
    today,
    write,
)
from ipch.calibration.page import TERM_UNITS, write_page
from ipch.calibration.procedure import Calibrator, Plan, average
from ipch.calibration.standard_port import ENDS, StandardPort
from ipch.calibration.standards import Asked, Standard, Typed

__all__ = [
    "ENDS", "FULL_SCALE_PA", "TERM_UNITS", "TRANSDUCERS", "Asked", "Calibrator", "Coefficients", "Fit", "Plan",
    "Point", "Standard", "StandardPort", "Typed", "average", "deviations_pa", "fit", "initials", "load_points",
    "prooftest", "read", "reference_k", "save_points", "today", "write", "write_page",
]  # fmt: skip
