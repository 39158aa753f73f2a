"""The gas in the chamber: mass and energy balances of a real gas, and its heat to wall and oven."""

from __future__ import annotations

from math import exp, expm1, pi, sqrt

from ipch.sim.gas import TRANSPORT, Gas
from ipch.sim.parameters import PlantParameters

GRAVITY_M_S2 = 9.81
# Slowest mode of conduction in a cylinder as high as wide: (4 x 2.405^2 + pi^2)/6.
CONDUCTION_NUSSELT = 5.5
# Around Ra = 1e9 the two forms of free convection differ by a quarter; they are blended, since a jump
# would show as noise.
LAMINAR_RAYLEIGH, TURBULENT_RAYLEIGH = 5e8, 2e9
LEAST_JET_KG_S = 1e-9


class Chamber:
    """Gas of one temperature in a volume that the cell changes, a wall of one temperature, an oven around.

    Mass and internal energy are the state, so both balances close to rounding; temperature follows from them
    by one Newton step per time step from a prediction that is right to second order.  Heat from the wall is
    free convection, Nu = 0.59 Ra^0.25 changing over to 0.13 Ra^(1/3) around Ra = 1e9 (McAdams' forms), not
    below pure conduction, plus Nu = 0.56 Re^0.67 of the filling jet (Woodfield 2007) times a factor well
    below one.  Length D = (4 V/pi)^(1/3), area 1.5 pi D^2; conductivity and viscosity of the gas are
    constants.
    """

    __slots__ = (
        "_conductance_w_k",
        "_forced_nusselt",
        "_jet_kg_s",
        "_properties",
        "_rayleigh",
        "_stirring_s",
        "_wall_j_k",
        "_wall_s",
        "cell_heat_w",
        "energy_j",
        "gas",
        "gas_k",
        "gas_kg",
        "heat_rate_1_s",
        "pressure_pa",
        "received_j",
        "volume_m3",
        "wall_k",
    )

    def __init__(self, parameters: PlantParameters, gas: Gas, start_k: float) -> None:
        self.gas = gas
        self.pressure_pa = parameters.initial_mpa * 1e6
        self.gas_k = start_k
        self.wall_k = start_k
        self.volume_m3 = parameters.volume_l * 1e-3
        density = gas.density_kg_m3(self.pressure_pa, start_k)
        self.gas_kg = density * self.volume_m3
        self._properties = gas.raw_state(density, start_k)
        self.energy_j = self.gas_kg * self._properties[1]
        self.cell_heat_w = parameters.cell_heat_w
        # Across the boundary in total: enthalpy with gas, heat from the wall, work done by the cell.
        self.received_j = 0.0
        # Relative loss per second of the gas-to-wall temperature difference, as of the last step.
        self.heat_rate_1_s = 0.0

        diameter_m = (4.0 * self.volume_m3 / pi) ** (1.0 / 3.0)
        area_m2 = 1.5 * pi * diameter_m**2
        conductivity_w_m_k, viscosity_pa_s = TRANSPORT[gas.name]
        self._conductance_w_k = parameters.convection_factor * area_m2 * conductivity_w_m_k / diameter_m
        self._rayleigh = GRAVITY_M_S2 * diameter_m**3 / (viscosity_pa_s * conductivity_w_m_k)
        reynolds_s_kg = 4.0 / (pi * viscosity_pa_s * parameters.inlet_mm * 1e-3)
        self._forced_nusselt = parameters.forced_factor * 0.56 * reynolds_s_kg**0.67
        self._stirring_s = parameters.stirring_s
        self._jet_kg_s = 0.0
        self._wall_s = parameters.wall_s
        self._wall_j_k = parameters.wall_j_k

    @property
    def enthalpy_j_kg(self) -> float:
        """Specific enthalpy of the gas, on its equation of state's energy scale."""
        return (self.energy_j + self.pressure_pa * self.volume_m3) / self.gas_kg

    def predict(self, inflow_kg: float, enthalpy_j: float) -> tuple[float, float, float]:
        """Return pressure (Pa), temperature (K) and enthalpy (J/kg) after a small net inflow, no heat."""
        pressure, energy, cv, dp_dt, dp_drho = self._properties
        mass = self.gas_kg
        specific_m3_kg = self.volume_m3 / mass
        growth = inflow_kg / mass
        # Density times du/drho at constant temperature: zero for an ideal gas.
        cohesion = (pressure - self.gas_k * dp_dt) * specific_m3_kg
        warming_k = ((enthalpy_j - energy * inflow_kg) / mass - cohesion * growth) / cv
        pressure += dp_drho * growth / specific_m3_kg + dp_dt * warming_k
        energy += cv * warming_k + cohesion * growth
        return pressure, self.gas_k + warming_k, energy + pressure * specific_m3_kg / (1.0 + growth)

    def settle(
        self,
        dt_s: float,
        inflow_kg: float,
        enthalpy_j: float,
        jet_kg_s: float,
        swell_m3: float,
        oven_k: float,
    ) -> None:
        """Take one step: net inflow with its enthalpy, `jet_kg_s` of it as a jet, and swelling of the cell.

        dU = enthalpy + heat + p dV; heat is exchanged semi-implicitly with the mean of the temperatures
        before and after, which is stable for any step.
        """
        pressure, energy, cv, dp_dt, dp_drho = self._properties
        temperature = self.gas_k
        volume = self.volume_m3
        mass = self.gas_kg
        density = mass / volume

        work_j = pressure * swell_m3
        own_j = enthalpy_j + work_j
        heat_capacity = mass * cv
        own_k = own_j - energy * inflow_kg
        own_k -= (pressure - temperature * dp_dt) * volume * (inflow_kg / mass + swell_m3 / volume)
        own_k /= heat_capacity
        colder_k = self.wall_k - temperature - 0.5 * own_k

        slope = dp_dt / density
        cp = cv + temperature * slope * slope / dp_drho
        rayleigh = self._rayleigh * density * density * cp * abs(colder_k) / temperature
        nusselt = 0.59 * sqrt(sqrt(rayleigh))
        if rayleigh > LAMINAR_RAYLEIGH:
            turbulent = 0.13 * rayleigh ** (1.0 / 3.0)
            if rayleigh < TURBULENT_RAYLEIGH:
                share = (rayleigh - LAMINAR_RAYLEIGH) / (TURBULENT_RAYLEIGH - LAMINAR_RAYLEIGH)
                nusselt += share * (turbulent - nusselt)
            else:
                nusselt = turbulent
        elif nusselt < CONDUCTION_NUSSELT:
            nusselt = CONDUCTION_NUSSELT
        if jet_kg_s or self._jet_kg_s:
            nusselt += self._stir(dt_s, jet_kg_s)
        conductance = self._conductance_w_k * nusselt
        rate = conductance / heat_capacity
        heat_j = conductance * dt_s * colder_k / (1.0 + 0.5 * rate * dt_s)

        mass += inflow_kg
        volume -= swell_m3
        total_j = self.energy_j + own_j + heat_j
        guess_k = temperature + own_k + heat_j / heat_capacity
        pressure, energy, cv, dp_dt, dp_drho = self.gas.raw_state(mass / volume, guess_k)
        correction_k = (total_j / mass - energy) / cv
        self.gas_k = guess_k + correction_k
        pressure += dp_dt * correction_k
        self.pressure_pa = pressure
        self._properties = (pressure, total_j / mass, cv, dp_dt, dp_drho)
        self.energy_j = total_j
        self.gas_kg = mass
        self.volume_m3 = volume
        self.heat_rate_1_s = rate
        self.received_j += own_j + heat_j
        self.wall_k -= (oven_k - self.wall_k) * expm1(-dt_s / self._wall_s)
        self.wall_k += (self.cell_heat_w * dt_s - heat_j) / self._wall_j_k

    def _stir(self, dt_s: float, jet_kg_s: float) -> float:
        """Return the forced part of Nu over a step; the jet's stirring fades exponentially."""
        if self._stirring_s > 0.0:
            part = dt_s / self._stirring_s
            faded = exp(-part)
            before = self._jet_kg_s - jet_kg_s
            self._jet_kg_s = jet_kg_s + before * faded
            mean = jet_kg_s + before * (1.0 - faded) / part
            if self._jet_kg_s < LEAST_JET_KG_S:
                self._jet_kg_s = 0.0
        else:
            mean = jet_kg_s
        nusselt: float = self._forced_nusselt * mean**0.67
        return nusselt
