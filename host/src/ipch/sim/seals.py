"""What a chamber does slowly after a change of pressure: its seals take up gas, and it grows."""

from __future__ import annotations

from math import expm1

from ipch.sim.gas import Gas
from ipch.sim.parameters import PlantParameters

# The parameters are for this pressure; uptake and growth are in proportion to the pressure above ambient.
REFERENCE_PA = 5e6
GROWTH_S = 3600.0  # time constant [E]


class Seals:
    """Rates of uptake and growth in the present tick; both approach equilibrium exponentially, from that at ambient.

    `sorption_kg_s` leaves the gas, `growth_m3_s` is added to its volume, `sorbed_kg` is what has been taken up.
    """

    __slots__ = (
        "_ambient_pa",
        "_grown_m3",
        "_growth_m3",
        "_kg",
        "_sorption_s",
        "active",
        "growth_m3_s",
        "sorbed_kg",
        "sorption_kg_s",
    )

    def __init__(self, parameters: PlantParameters, gas: Gas, start_k: float) -> None:
        volume_m3 = parameters.volume_l * 1e-3
        sorption_pa = parameters.sorption_kpa * 1e3 if parameters.sorption_h else 0.0
        z_r_t = gas.r_j_kg_k * start_k * gas.compressibility(REFERENCE_PA, start_k)
        self._kg = sorption_pa * volume_m3 / z_r_t
        self._growth_m3 = parameters.creep_kpa_per_mpa * 1e-3 * volume_m3
        self._sorption_s = parameters.sorption_h * 3600.0
        self._ambient_pa = parameters.ambient_kpa * 1e3
        self._grown_m3 = 0.0
        self.active = bool(self._kg or self._growth_m3)
        self.sorbed_kg = 0.0
        self.sorption_kg_s = 0.0
        self.growth_m3_s = 0.0

    def advance(self, dt_s: float, pressure_pa: float) -> None:
        """Set the rates of the next `dt_s`, at this pressure."""
        share = (pressure_pa - self._ambient_pa) / REFERENCE_PA
        if self._kg:
            step_kg = (self.sorbed_kg - share * self._kg) * expm1(-dt_s / self._sorption_s)
            self.sorbed_kg += step_kg
            self.sorption_kg_s = step_kg / dt_s
        step_m3 = (self._grown_m3 - share * self._growth_m3) * expm1(-dt_s / GROWTH_S)
        self._grown_m3 += step_m3
        self.growth_m3_s = step_m3 / dt_s
