"""All figures of a design, each with its derivation; estimates are marked as such."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from math import exp, log, sqrt
from typing import Any

from ipch.base.units import format_target
from ipch.errors import UsageError
from ipch.sizing.check import check
from ipch.sizing.design import AMBIENT_PA, FULL_SCALE_PA, HOLES_MM, Design, limits, settings
from ipch.sizing.flow import (
    ACCUMULATION,
    BAND_PER_PULSE,
    DISCHARGE,
    IMMEDIATE_PER_SETTLED,
    NOISE_PA,
    Flow,
    band_pa,
    c_hole_mm,
    hole_c,
    pulse_pa,
    stored_energy_j,
    times_s,
    warm_k,
)

# A ramp uses at most half of what a valve can pass.
RAMP_RESERVE = 2.0
PROOF = 1.43  # times the rating, as in one of the rules; look up yours
WATER_BULK_PA = 2.2e9
LIFT = 0.6  # share of its current at which a coil lifts its valve [estimate]
# Of the supply pressure: above the regulator's lock-up; at least what a relief valve needs to stay tight.
SUPPLY_RELIEF, SUPPLY_RELIEF_LEAST = 1.25, 1.1
RAMPS_PA_S = (4_000, 20_000, 100_000)
MONTH_DAYS = 30

Add = Callable[[str, float, str, str], None]


@dataclass(frozen=True)
class Figure:
    """One line of the result; `value` in `unit`."""

    section: str
    name: str
    value: float
    unit: str
    how: str


@dataclass(frozen=True)
class Sizing:
    """The result: figures, limits for the device's settings in Pa, and warnings."""

    design: Design
    fill_mm: float
    vent_mm: float
    figures: list[Figure]
    settings: dict[str, int]
    warnings: list[str]

    def value(self, name: str) -> float:
        """Return the figure of this name; KeyError if there is none."""
        for figure in self.figures:
            if figure.name == name:
                return figure.value
        raise KeyError(name)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "inputs": asdict(self.design),
            "fill_hole_mm": self.fill_mm,
            "vent_hole_mm": self.vent_mm,
            "figures": [asdict(figure) for figure in self.figures],
            "settings": self.settings,
            "warnings": self.warnings,
        }


def _choose_mm(design: Design, slowest_c: float, coarsest_c: float, side: str) -> float:
    """Return the hole midway between too slow for the ramp and too coarse for the band."""
    if design.hole_mm is not None:
        return design.hole_mm
    allowed = [
        hole for hole in HOLES_MM if slowest_c <= hole_c(hole) <= coarsest_c and hole <= design.seat_mm
    ]
    if not allowed:
        raise UsageError(
            f"no hole suits the {side} side: the ramp needs C of at least {slowest_c:.1e} m3/(s Pa), "
            f"the band at most {coarsest_c:.1e}; allow a slower --slew, a wider --band, or give --hole"
        )
    middle = sqrt(slowest_c * coarsest_c)
    return min(allowed, key=lambda hole: max(hole_c(hole) / middle, middle / hole_c(hole)))


def size(design: Design) -> Sizing:
    """Return all figures; raises UsageError for a design that must not be built."""
    check(design)
    flow = Flow(design)
    chain = limits(design)
    pulse_room_pa = (design.band_pa - 3.0 * NOISE_PA) / BAND_PER_PULSE
    if pulse_room_pa <= 0.0:
        raise UsageError(
            f"band {design.band_pa:g} Pa; expected more than 3 sigma of the reading, {3 * NOISE_PA:g} Pa"
        )
    low_pa = max(1_000_000, 2 * AMBIENT_PA) if design.working_pa > 1_000_000 else 2 * AMBIENT_PA
    fill_mm = _choose_mm(
        design,
        RAMP_RESERVE * design.slew_pa_s / flow.fill_pa_s(1.0, design.supply_pa, design.working_pa),
        pulse_room_pa / pulse_pa(design, 1.0, True),
        "fill",
    )
    # At the lowest pressure in use the vent must only just follow the ramp.
    vent_mm = _choose_mm(
        design,
        design.slew_pa_s / flow.vent_pa_s(1.0, low_pa),
        pulse_room_pa / pulse_pa(design, 1.0, False),
        "vent",
    )
    c_fill, c_vent = hole_c(fill_mm), hole_c(vent_mm)
    figures: list[Figure] = []

    def section(title: str) -> Add:
        return lambda name, value, unit, how: figures.append(Figure(title, name, value, unit, how))

    add = section("restrictors")
    add("fill restrictor C", c_fill, "m3/(s Pa)", f"sharp hole of {fill_mm:g} mm, discharge {DISCHARGE}")
    add("fill restrictor hole", fill_mm, "mm", "between too slow for the ramp and too coarse for the band")
    add("vent restrictor C", c_vent, "m3/(s Pa)", f"sharp hole of {vent_mm:g} mm")
    add("vent restrictor hole", vent_mm, "mm", "as on the fill side, at the lowest pressure of use")

    add = section("hold")
    fill_q, vent_q = pulse_pa(design, c_fill, True) / 1e3, pulse_pa(design, c_vent, False) / 1e3
    add(
        "fill pulse",
        fill_q,
        "kPa",
        f"settled, open for {design.pulse_s * 1e3:g} ms from the supply at working pressure",
    )
    add("vent pulse", vent_q, "kPa", f"settled, open for {design.pulse_s * 1e3:g} ms to ambient")
    _coil(design, add)
    add("pulse seen at once", max(fill_q, vent_q) * IMMEDIATE_PER_SETTLED, "kPa", "1.45 times the larger one")
    band = band_pa(design, c_fill, c_vent)
    add(
        "smallest hold band",
        band / 1e3,
        "kPa",
        "+-, 0.75 pulse + 3 sigma; plus uncorrected ripple",
    )
    add("smallest hold band of full scale", band / FULL_SCALE_PA * 100, "%", "of 10 MPa")
    step = flow.gas.state(
        flow.gas.density_kg_m3(design.working_pa, design.temperature_k), design.temperature_k
    )
    add("temperature coefficient", step.dp_dt_pa_k / 1e3, "kPa/K", "sealed chamber at working pressure")

    add = section("ramps")
    fastest_fill = flow.fill_pa_s(c_fill, design.supply_pa, design.working_pa) / 1e3
    add("fastest rise at working pressure", fastest_fill, "kPa/s", "fill open all the time, settled")
    fastest_vent = flow.vent_pa_s(c_vent, low_pa) / 1e3
    add("fastest fall at low pressure", fastest_vent, "kPa/s", f"at {format_target(low_pa)}")
    highest = min(fastest_fill / RAMP_RESERVE, fastest_vent)
    add("highest slew to set", highest, "kPa/s", "half of the rise, all of the fall")
    if design.working_pa > 1_200_000:
        for slew in RAMPS_PA_S:
            warm, back_pa = warm_k(design, slew)
            add(f"gas after {slew // 1000} kPa/s", warm, "K", "warmer than the wall, from 1 MPa [estimate]")
            add(f"given back after {slew // 1000} kPa/s", back_pa / 1e3, "kPa", "while it cools [estimate]")

    add = section("relief, worst fault")
    worst = flow.worst_kg_s(ACCUMULATION * chain["relief_valve_pa"])
    how = f"regulator failed to {format_target(design.source_pa)}, both supply valves open, restrictor lost"
    add("inflow", worst * 3600.0, "kg/h", how)
    add("inflow, volume", flow.litres_min(worst), "L/min", "at 20 degC, 100 kPa")
    relief_c = flow.relief_c(chain["relief_valve_pa"])
    add("relief valve C", relief_c, "m3/(s Pa)", "at least, 10 % above its set pressure")
    add(
        "relief valve bore",
        c_hole_mm(relief_c),
        "mm",
        f"at least, discharge {DISCHARGE}; its maker's figure counts",
    )
    how = f"{SUPPLY_RELIEF:g} x supply, or the chamber's rating if lower; regulator to fill valve must withstand it"
    add("supply relief set pressure", _supply_relief_pa(design) / 1e6, "MPa", how)
    disc_c = max(0.0, flow.worst_kg_s(chain["burst_disc_pa"])) / flow.kg_s(
        1.0, chain["burst_disc_pa"], AMBIENT_PA
    )
    add("burst disc C", disc_c, "m3/(s Pa)", "at least, alone at its burst pressure")
    add("burst disc bore", c_hole_mm(disc_c), "mm", "at least, lines included")
    trip = chain["trip_pa"]
    solenoid_c = 2.0 * flow.kg_s(c_fill, design.supply_pa, trip) / flow.kg_s(1.0, trip, AMBIENT_PA)
    solenoid_c = max(solenoid_c, 2.0 * c_fill)
    add(
        "relief solenoid C",
        solenoid_c,
        "m3/(s Pa)",
        "at least: twice what a stuck fill side lets in at the trip",
    )
    add("relief solenoid bore", c_hole_mm(solenoid_c), "mm", f"at least, discharge {DISCHARGE}")
    how = "stuck fill side, 50 ms to the output and 30 ms for the solenoid, no heat lost"
    add("rise past the trip", flow.rise_pa(c_fill, trip) / 1e3, "kPa", how)

    add = section("stored energy")
    for name, pressure in (
        ("at working pressure", design.working_pa),
        ("at the rating", design.rated_pa),
        (f"at {PROOF} x rating, gas", PROOF * design.rated_pa),
    ):
        add(f"energy {name}", stored_energy_j(pressure, design.volume_m3) / 1e3, "kJ", "isentropic expansion")
    proof_pa = PROOF * design.rated_pa
    add("rating x volume", (design.rated_pa - AMBIENT_PA) * design.volume_m3 / 100.0, "bar L",
        "above ambient; the measure in rules for pressure equipment")  # fmt: skip
    add(f"energy at {PROOF} x rating, water", proof_pa**2 * design.volume_m3 / (2 * WATER_BULK_PA) / 1e3, "kJ",
        "why a proof test uses water")  # fmt: skip

    _faults(design, chain, c_fill, c_vent, section)
    _gas_use(design, flow, section("gas use"))
    return Sizing(design, fill_mm, vent_mm, figures, settings(design), _warnings(design, flow, c_fill))


def _supply_relief_pa(design: Design) -> float:
    """Return the set pressure of the relief valve behind the supply regulator."""
    lowest = SUPPLY_RELIEF_LEAST * design.supply_pa
    return max(lowest, min(SUPPLY_RELIEF * design.supply_pa, design.rated_pa))


def _coil(design: Design, add: Add) -> None:
    """Add what the rise of the coil's current costs: a valve lifts at `LIFT` of it."""
    rise_ms, pulse_ms = design.coil_rise_s * 1e3, design.pulse_s * 1e3
    add("coil rise", rise_ms, "ms", f"until its current has {LIFT * 100:.0f} % of its final value [estimate]")
    if rise_ms:
        reached = 1.0 - exp(log(1.0 - LIFT) * pulse_ms / rise_ms)
        add(f"coil current after {pulse_ms:g} ms", reached * 100.0, "%",
            f"below {LIFT * 100:.0f} % the valve stays shut")  # fmt: skip
    add("shortest command", rise_ms + pulse_ms, "ms", "coil rise and the pulse; for the setting pulse_min_us")


def _faults(
    design: Design,
    chain: dict[str, int],
    c_fill: float,
    c_vent: float,
    section: Callable[[str], Add],
) -> None:
    names = list(chain)
    marks = list(chain.values())
    seat = hole_c(design.seat_mm)
    supply, source = format_target(design.supply_pa), format_target(design.source_pa)
    for title, c, upstream in (
        (f"fill side stuck open, supply {supply}", c_fill, design.supply_pa),
        (f"fill side stuck open, restrictor lost, supply {supply}", seat, design.supply_pa),
        (f"fill side stuck open, regulator failed to {source}", c_fill, design.source_pa),
        (f"worst: stuck open, restrictor lost, regulator failed to {source}", seat, design.source_pa),
    ):
        add = section(f"time to the limits: {title}")
        shortest = times_s(design, c, upstream, marks)
        likely = times_s(design, c, upstream, marks, heat=True)
        for name, mark, fast, slow in zip(names, marks, shortest, likely, strict=True):
            how = "the supply does not get there" if fast is None else "shortest, no heat lost"
            if fast is not None:
                how += (
                    f"; with heat {slow:.2g} s [estimate]"
                    if slow is not None
                    else "; with heat never [estimate]"
                )
            add(f"to {name} {format_target(mark)}", float("inf") if fast is None else fast, "s", how)
    add = section("time to the limits: vent side stuck open")
    low = [design.working_pa * 9 // 10, design.working_pa // 2]
    if low[1] > 1.05 * AMBIENT_PA:
        for mark, fast in zip(low, times_s(design, c_vent, None, low), strict=True):
            add(
                f"to {format_target(mark)}",
                float("inf") if fast is None else fast,
                "s",
                "shortest, no heat gained",
            )


def _gas_use(design: Design, flow: Flow, add: Add) -> None:
    kelvin = design.temperature_k
    density = flow.gas.density_kg_m3(design.working_pa, kelvin)
    breathing = design.cell_ah * 0.485e-6 * density * design.cycles_per_day * MONTH_DAYS
    leak = design.leak_pa_h * 24 * MONTH_DAYS / flow.pa_kg(design.working_pa)
    windows = 100 * 0.1e-6 * flow.gas.density_kg_m3(design.supply_pa, kelvin) * MONTH_DAYS
    filling = 4 * density * design.volume_m3
    total = breathing + leak + windows + filling
    add(
        "breathing",
        breathing * 1e3,
        "g",
        f"{design.cell_ah:g} Ah at 0.485 cm3/Ah, {design.cycles_per_day:g} cycles a day",
    )
    add("leak", leak * 1e3, "g", f"{design.leak_pa_h / 1e3:g} kPa/h")
    add("valve windows", windows * 1e3, "g", "100 a day with 0.1 mL between the valves [estimate]")
    add("fillings", filling * 1e3, "g", "four from empty")
    add("in a month", total * 1e3, "g", f"{MONTH_DAYS} days")
    add("in a month, volume", flow.litres_min(total) / 60.0, "L", "at 20 degC, 100 kPa")
    usable = 0.01 * (flow.gas.density_kg_m3(20e6, kelvin) - flow.gas.density_kg_m3(design.supply_pa, kelvin))
    if usable > 0.0:
        add("months from a 10 L, 20 MPa cylinder", usable / total, "months", "down to the supply pressure")


def _warnings(design: Design, flow: Flow, c_fill: float) -> list[str]:
    found = []
    if design.gas == "air":
        oxygen = 0.2095 * design.working_pa
        found.append(
            f"air at {format_target(design.working_pa)} holds {oxygen / 1e6:.2g} MPa of oxygen: "
            "materials burn fiercely in it; prefer nitrogen"
        )
    if design.supply_pa > design.working_pa + 2_000_000:
        found.append(
            f"the supply is {(design.supply_pa - design.working_pa) / 1e6:.2g} MPa above the working pressure; "
            "about 1 MPa above it makes every fault slower"
        )
    if design.supply_pa > settings(design)["supply_max_pa"]:
        found.append(
            f"the supply is above {format_target(settings(design)['supply_max_pa'])}, the highest that the device "
            "fills from"
        )
    if design.source_pa > design.rated_pa:
        found.append(
            f"the source ({format_target(design.source_pa)}) is above the rating: everything up to the fill valve "
            "must withstand it or have its own relief valve, and the chamber relies on its relief valve and burst disc"
        )
    if design.volume_m3 * design.rated_pa > 5_000.0:
        found.append(
            f"rating x volume is {design.rated_pa * design.volume_m3 / 100.0:.0f} bar L: "
            "look up your local rules for pressure vessels"
        )
    gap = limits(design)["comparator_pa"] - limits(design)["trip_pa"]
    if flow.rise_pa(c_fill, limits(design)["trip_pa"]) > gap:
        found.append(
            "a stuck fill side passes the comparator before the software's relief opens: take a smaller hole"
        )
    return found
