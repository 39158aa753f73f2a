"""Flow, pulses, times and energies of a design: ISO 6358 with the simulator's gas and heat models."""

from __future__ import annotations

from math import pi, sqrt

from ipch.sim.chamber import Chamber
from ipch.sim.gas import AIR_R_J_KG_K, ISO_RHO0_KG_M3, ISO_T0_K, Gas, Orifice
from ipch.sim.parameters import PlantParameters
from ipch.sizing.design import AMBIENT_PA, Design

# Sharp-edged hole: 0.4 mm is then C = 2.0e-10 m3/(s Pa).
DISCHARGE = 0.8
CRITICAL_FLOW = 0.6847  # choked flow function of a diatomic gas
CRITICAL_RATIO = 0.3  # of restrictor and valve together [estimate]
# A filtered reading of a transducer with 0.5 kPa of noise [estimate].
NOISE_PA = 150.0
# A pulse that overshoots the target by a quarter of itself still leaves this much on one side.
BAND_PER_PULSE = 0.75
IMMEDIATE_PER_SETTLED = 1.45
# From the sensor input to the edge of the output, and the relief solenoid after it [estimate].
REACTION_S = 0.05
RELIEF_OPENING_S = 0.03
ACCUMULATION = 1.1  # a relief valve passes its rated flow 10 % above its set pressure
# Share of the filling jet's full heat transfer that reaches the wall; not measured. 0.02 is conservative for a ramp,
# whose gas is then warmer; a stuck valve's large jet stirs more. The shortest times, without heat, need no value.
RAMP_JET_SHARE = 0.02
FAULT_JET_SHARE = 0.17


def hole_c(diameter_mm: float) -> float:
    """Return the conductance C of a sharp-edged hole, m3/(s Pa)."""
    area_m2 = pi / 4.0 * (diameter_mm * 1e-3) ** 2
    return DISCHARGE * CRITICAL_FLOW * area_m2 / (ISO_RHO0_KG_M3 * sqrt(AIR_R_J_KG_K * ISO_T0_K))


def c_hole_mm(c_m3_s_pa: float) -> float:
    """Return the diameter of the sharp-edged hole with that conductance, mm."""
    return sqrt(c_m3_s_pa / hole_c(1.0))


def stored_energy_j(pressure_pa: float, volume_m3: float) -> float:
    """Return the work of an isentropic expansion to ambient, ideal diatomic gas (ASME PCC-2, article 501).

    2.5 p V (1 - (p0/p)^0.286), the energy that a burst can release.
    """
    expanded: float = (AMBIENT_PA / pressure_pa) ** (2.0 / 7.0)
    return 2.5 * pressure_pa * volume_m3 * (1.0 - expanded)


class Flow:
    """Flow of the design's gas at the design's temperature."""

    def __init__(self, design: Design) -> None:
        self.design = design
        self.gas = Gas(design.gas)
        self.orifice = Orifice(self.gas, CRITICAL_RATIO)

    def kg_s(self, c: float, upstream_pa: float, downstream_pa: float) -> float:
        kelvin = self.design.temperature_k
        return self.orifice.flow_kg_s(c, upstream_pa, kelvin, downstream_pa, kelvin)

    def pa_kg(self, pressure_pa: float) -> float:
        """Pressure per mass of gas at constant temperature."""
        kelvin = self.design.temperature_k
        density = self.gas.density_kg_m3(pressure_pa, kelvin)
        return self.gas.state(density, kelvin).dp_drho_pa_m3_kg / self.design.volume_m3

    def fill_pa_s(self, c: float, supply_pa: float, at_pa: float) -> float:
        return self.kg_s(c, supply_pa, at_pa) * self.pa_kg(at_pa)

    def vent_pa_s(self, c: float, at_pa: float) -> float:
        return self.kg_s(c, at_pa, AMBIENT_PA) * self.pa_kg(at_pa)

    def worst_kg_s(self, at_pa: float) -> float:
        """Supply regulator failed, both supply valves open, restrictor lost: the seat under full source pressure."""
        return self.kg_s(hole_c(self.design.seat_mm), self.design.source_pa, at_pa)

    def relief_c(self, opens_pa: float) -> float:
        """Conductance that discharges the worst fault's flow at the accumulated pressure."""
        at_pa = ACCUMULATION * opens_pa
        return max(0.0, self.worst_kg_s(at_pa)) / self.kg_s(1.0, at_pa, AMBIENT_PA)

    def rise_pa(self, c: float, trip_pa: float) -> float:
        """Rise past the trip from a stuck fill side until the relief solenoid is open."""
        rate = max(0.0, self.fill_pa_s(c, self.design.supply_pa, trip_pa))
        return IMMEDIATE_PER_SETTLED * rate * (REACTION_S + RELIEF_OPENING_S)

    def litres_min(self, kg_s: float) -> float:
        """Volume flow in L/min of the gas at 20 degC and 100 kPa."""
        return kg_s / self.gas.density_kg_m3(1e5, ISO_T0_K) * 60_000.0


def pulse_pa(design: Design, c_m3_s_pa: float, fill: bool, upstream_pa: float | None = None) -> float:
    """Return the settled pressure change of one shortest pulse, Pa; immediately after the pulse it is 1.45 times that.

    mdot t (dp/dm at constant temperature): ISO 6358 flow into or out of the working pressure.
    """
    flow = Flow(design)
    if fill:
        rate = flow.fill_pa_s(c_m3_s_pa, upstream_pa or design.supply_pa, design.working_pa)
    else:
        rate = flow.vent_pa_s(c_m3_s_pa, design.working_pa)
    return rate * design.pulse_s


def band_pa(design: Design, c_fill: float, c_vent: float) -> float:
    """Return the smallest clean hold band, Pa either side: three quarters of the larger pulse, and 3 sigma."""
    largest = max(pulse_pa(design, c_fill, True), pulse_pa(design, c_vent, False))
    return BAND_PER_PULSE * largest + 3.0 * NOISE_PA


def times_s(
    design: Design,
    c_m3_s_pa: float,
    upstream_pa: float | None,
    marks_pa: list[int],
    *,
    heat: bool = False,
    limit_s: float = 600.0,
) -> list[float | None]:
    """Return the time until a valve stuck open brings the chamber from working pressure to each mark, s; None: never.

    `upstream_pa` fills; None empties to ambient. Without heat to the wall the times are the shortest possible;
    with it they are an estimate. Energy balance of the real gas, steps of 0.1 % of the pressure.
    """
    kelvin = design.temperature_k
    parameters = PlantParameters(
        gas="air" if design.gas == "air" else "nitrogen",
        volume_l=design.volume_m3 * 1e3,
        initial_mpa=design.working_pa / 1e6,
        convection_factor=1.0 if heat else 0.0,
        forced_factor=FAULT_JET_SHARE,
    )
    flow = Flow(design)
    chamber = Chamber(parameters, flow.gas, kelvin)
    supply_j_kg = 0.0 if upstream_pa is None else flow.gas.enthalpy_j_kg(upstream_pa, kelvin)
    found: list[float | None] = [None] * len(marks_pa)
    now_s, before_pa = 0.0, chamber.pressure_pa
    while now_s < limit_s and None in found:
        pressure = chamber.pressure_pa
        if upstream_pa is None:
            kg_s = -flow.orifice.flow_kg_s(c_m3_s_pa, pressure, chamber.gas_k, AMBIENT_PA, kelvin)
            enthalpy = chamber.enthalpy_j_kg
        else:
            kg_s = flow.orifice.flow_kg_s(c_m3_s_pa, upstream_pa, kelvin, pressure, chamber.gas_k)
            enthalpy = supply_j_kg
        if abs(kg_s) < 1e-12:
            break
        dt_s = min(0.05 * limit_s, 0.001 / 1.6 * chamber.gas_kg / abs(kg_s))
        chamber.settle(dt_s, kg_s * dt_s, kg_s * enthalpy * dt_s, max(0.0, kg_s), 0.0, kelvin)
        before_pa = pressure
        for index, mark in enumerate(marks_pa):
            after_pa = chamber.pressure_pa
            if (
                found[index] is None
                and (before_pa - mark) * (after_pa - mark) <= 0.0
                and after_pa != before_pa
            ):
                found[index] = now_s + dt_s * (mark - before_pa) / (after_pa - before_pa)
        # Within 0.1 % of the supply the pressure only follows the cooling gas.
        if upstream_pa is not None and abs(upstream_pa - chamber.pressure_pa) < 0.001 * upstream_pa:
            break
        now_s += dt_s
    return found


def warm_k(design: Design, slew_pa_s: float, start_pa: int = 1_000_000) -> tuple[float, float]:
    """Return the gas's excess temperature (K) after a ramp to working pressure, and the later fall in pressure (Pa)."""
    kelvin = design.temperature_k
    parameters = PlantParameters(
        gas="air" if design.gas == "air" else "nitrogen",
        volume_l=design.volume_m3 * 1e3,
        initial_mpa=start_pa / 1e6,
        forced_factor=RAMP_JET_SHARE,
    )
    gas = Gas(design.gas)
    chamber = Chamber(parameters, gas, kelvin)
    supply_j_kg = gas.enthalpy_j_kg(design.supply_pa, kelvin)
    duration_s = (design.working_pa - start_pa) / slew_pa_s
    dt_s = min(0.1, duration_s / 400.0)
    setpoint_pa = float(start_pa)
    while setpoint_pa < design.working_pa:
        setpoint_pa += slew_pa_s * dt_s
        # The ramp never vents: if the warm gas is ahead of the setpoint, it waits.
        kg = max(0.0, (setpoint_pa - chamber.pressure_pa) / 1.4 * chamber.gas_kg / chamber.pressure_pa)
        chamber.settle(dt_s, kg, kg * supply_j_kg, kg / dt_s, 0.0, kelvin)
    cold_pa = gas.state(chamber.gas_kg / chamber.volume_m3, chamber.wall_k).pressure_pa
    return chamber.gas_k - chamber.wall_k, chamber.pressure_pa - cold_pa
