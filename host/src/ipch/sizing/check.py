"""Refuses a design that must not be built."""

from __future__ import annotations

from itertools import pairwise

from ipch.base.units import format_target
from ipch.errors import UsageError
from ipch.sim.gas import COEFFICIENTS
from ipch.sizing.design import (
    AMBIENT_PA,
    DISAGREEMENT_PA,
    FULL_SCALE_PA,
    HOLES_MM,
    TOLERANCE_PA,
    Design,
    limits,
)
from ipch.sizing.flow import Flow


def check(design: Design) -> None:
    """Raise UsageError for a design that must not be built, with the allowed values."""

    def refuse(wrong: bool, text: str) -> None:
        if wrong:
            raise UsageError(f"unsafe or impossible: {text}")

    shown = format_target
    refuse(
        design.gas not in COEFFICIENTS,
        f"gas {design.gas!r}; expected {' or '.join(COEFFICIENTS)}: neither toxic, flammable nor oxidising",
    )
    for name, value, low, high, unit in (
        ("volume", design.volume_m3 * 1e3, 0.005, 100.0, "L"),
        ("temperature", design.temperature_k - 273.15, -20.0, 100.0, "degC"),
        ("shortest pulse", design.pulse_s * 1e3, 0.5, 100.0, "ms"),
        ("coil rise", design.coil_rise_s * 1e3, 0.0, 100.0, "ms"),
        ("band", design.band_pa / 1e3, 0.5, 1000.0, "kPa"),
        ("slew", design.slew_pa_s / 1e3, 0.01, 1000.0, "kPa/s"),
        ("hole", 1.0 if design.hole_mm is None else design.hole_mm, HOLES_MM[0], HOLES_MM[-1], "mm"),
        ("seat", design.seat_mm, HOLES_MM[0], 10.0, "mm"),
        ("cell", design.cell_ah, 0.0, 1e4, "Ah"),
        ("cycles per day", design.cycles_per_day, 0.0, 1e4, ""),
        ("leak", design.leak_pa_h / 1e3, 0.0, 1000.0, "kPa/h"),
    ):
        refuse(
            not low <= value <= high,
            f"{name} {value:g} {unit}".rstrip() + f"; expected {low:g} to {high:g}",
        )
    refuse(
        not 2 * AMBIENT_PA <= design.working_pa < FULL_SCALE_PA,
        f"working pressure {shown(design.working_pa)}; expected 0.21 MPa to below the transducers' 10 MPa",
    )
    refuse(
        design.working_pa >= design.rated_pa,
        f"working pressure {shown(design.working_pa)} is not below the chamber's rating {shown(design.rated_pa)}",
    )
    chain = limits(design)
    names = list(chain)
    for lower, upper in pairwise(names):
        strict = upper not in ("burst_disc_pa", "chamber_rating_pa")
        wrong = chain[lower] >= chain[upper] if strict else chain[lower] > chain[upper]
        refuse(wrong, f"{lower} {shown(chain[lower])} is not below {upper} {shown(chain[upper])}")
    refuse(
        chain["setpoint_max_pa"] < design.working_pa,
        f"setpoint_max_pa {shown(chain['setpoint_max_pa'])} is below the working pressure",
    )
    refuse(
        chain["chamber_rating_pa"] > design.rated_pa,
        f"chamber_rating_pa {shown(chain['chamber_rating_pa'])} is above the rating {shown(design.rated_pa)}",
    )
    refuse(
        chain["comparator_pa"] > FULL_SCALE_PA + 250_000,
        f"comparator_pa {shown(chain['comparator_pa'])} is beyond the safety transducer's 10 MPa",
    )
    for lower, upper in pairwise(names[:4]):
        # The trip must be above the highest setpoint by more than a fault-free pair of transducers may hide.
        least_pa = TOLERANCE_PA + (DISAGREEMENT_PA + 1 if upper == "trip_pa" else 0)
        refuse(
            chain[upper] - chain[lower] < least_pa,
            f"{lower} and {upper} are {(chain[upper] - chain[lower]) / 1e3:.0f} kPa apart, less than the transducers "
            f"tell apart ({least_pa / 1e3:.0f} kPa); rated pressure at least 1.6 MPa above working pressure",
        )
    refuse(
        design.supply_pa < design.working_pa + TOLERANCE_PA,
        f"supply {shown(design.supply_pa)} cannot fill to {shown(design.working_pa)}; "
        f"expected at least {shown(design.working_pa + TOLERANCE_PA)}",
    )
    refuse(
        design.source_pa < design.supply_pa,
        f"source {shown(design.source_pa)} is below the supply {shown(design.supply_pa)} that it feeds",
    )
    refuse(design.source_pa > 31_000_000, f"source {shown(design.source_pa)}; expected up to 31 MPa")
    refuse(design.seat_mm < (design.hole_mm or 0.0), "the restrictor's hole is larger than the valve's seat")
    needed = Flow(design).relief_c(chain["relief_valve_pa"])
    refuse(
        design.supply_pa > design.rated_pa and design.relief_c is None,
        f"supply {shown(design.supply_pa)} is above the chamber's rating {shown(design.rated_pa)} and no relief valve "
        f"is stated; lower the supply, or give --relief-c of at least {needed:.1e} m3/(s Pa)",
    )
    refuse(
        design.relief_c is not None and not needed <= design.relief_c < 1.0,
        f"relief valve of C = {design.relief_c or 0:.1e} m3/(s Pa) cannot discharge the worst fault or is too large; "
        f"expected at least {needed:.1e}",
    )
