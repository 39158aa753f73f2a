"""Supply forecast: how long the gas lasts."""

from dataclasses import dataclass

from ipch.analysis.balance import Balance
from ipch.analysis.estimate import Estimate
from ipch.analysis.gas import AIR, NORMAL_M3_MOL, GasLaw


def gas_used_mol(kpa: float, volume_ml: float, pressure_pa: float, kelvin: float, law: GasLaw) -> float:
    """Amount of gas that changes a chamber's pressure by this much."""
    share = kpa * 1e3 / (pressure_pa * float(law.stiffness(pressure_pa, kelvin)))
    return float(share * law.density_mol_m3(pressure_pa, kelvin) * volume_ml * 1e-6)


@dataclass(frozen=True)
class Supply:
    """Gas consumption, and how long the cylinder lasts."""

    used_mol_day: Estimate
    used_normal_l_day: Estimate
    left_mol: float
    days: Estimate | None
    """None without consumption; `high` may be infinite."""


def forecast(
    balance: Balance,
    volume_ml: float,
    cylinder_l: float,
    cylinder_pa: float,
    needed_pa: float,
    kelvin: float,
    law: GasLaw = AIR,
) -> Supply:
    """How long a cylinder lasts if this daily consumption continues; it counts as empty at `needed_pa`.

    The uncertainty is that of the fill gain. Above 10 MPa the gas law is extrapolated: within 2 % to 20 MPa.
    """
    days = max(balance.duration_s / (86_400.0), 1e-9)
    per_kpa = gas_used_mol(1.0, volume_ml, balance.pressure_pa, kelvin, law)
    rate = balance.filled_kpa.times(per_kpa / days)
    used, relative = rate.value, rate.half_width / max(abs(rate.value), 1e-30)
    full = float(law.density_mol_m3(cylinder_pa, kelvin)) * cylinder_l * 1e-3
    rest = float(law.density_mol_m3(min(needed_pa, cylinder_pa), kelvin)) * cylinder_l * 1e-3
    left = full - rest
    lasts = None
    if used > 0:
        lasts = Estimate(left / used, left / used * relative)
    return Supply(rate, rate.times(NORMAL_M3_MOL * 1e3), left, lasts)
