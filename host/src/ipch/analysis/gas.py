"""The gas law of the analysis: air, nitrogen and argon from 0.1 to 10 MPa and 275 to 345 K.

    Z = 1 + p (a + b t + c t^2) + p^2 (d + e t + f t^2),   p in MPa, t = (T/K - 300)/100

The coefficients were fitted to CoolProp (HEOS: Lemmon 2000 for air, Span 2000 for nitrogen, Tegeler 1999 for argon)
and are good to 0.048 % in that range. A series in pressure needs no iteration. The simulator uses a series in density,
so it tests the analysis against an independent gas law.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipch.errors import UsageError

Floats = NDArray[np.floating[Any]]

MOLAR_GAS_CONSTANT = 8.314462618
"""J/(mol K), exact by the definition of the SI."""
NORMAL_M3_MOL = MOLAR_GAS_CONSTANT * 273.15 / 101325.0
"""Molar volume of an ideal gas at 0 degC and 101.325 kPa, the reference of a normal litre."""
CRITICAL_RATIO = 0.3
"""Critical pressure ratio of a small orifice (ISO 6358 `b`, same as in the firmware)."""


@dataclass(frozen=True)
class GasLaw:
    """Compressibility and derived quantities; pressures in Pa absolute, temperatures in K."""

    name: str
    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    def compressibility(self, pressure_pa: Any, temperature_k: Any) -> Any:
        """Z = p / (rho R T), within 0.048 % from 0.1 to 10 MPa and 275 to 345 K."""
        p, t = pressure_pa * 1e-6, (temperature_k - 300.0) / 100.0
        linear = self.a + t * (self.b + t * self.c)
        return 1.0 + p * (linear + p * (self.d + t * (self.e + t * self.f)))

    def density_mol_m3(self, pressure_pa: Any, temperature_k: Any) -> Any:
        """Molar density p / (Z R T)."""
        z = self.compressibility(pressure_pa, temperature_k)
        return pressure_pa / (z * MOLAR_GAS_CONSTANT * temperature_k)

    def stiffness(self, pressure_pa: Any, temperature_k: Any) -> Any:
        """d ln p / d ln rho at constant temperature: 1 for an ideal gas."""
        p, t = pressure_pa * 1e-6, (temperature_k - 300.0) / 100.0
        linear = self.a + t * (self.b + t * self.c)
        slope = linear + 2.0 * p * (self.d + t * (self.e + t * self.f))
        return 1.0 / (1.0 - p * slope / self.compressibility(pressure_pa, temperature_k))

    def thermal_1_k(self, pressure_pa: Any, temperature_k: Any) -> Any:
        """-d ln rho / dT at constant pressure: 1/T for an ideal gas."""
        p, t = pressure_pa * 1e-6, (temperature_k - 300.0) / 100.0
        slope = p * (self.b + 2.0 * t * self.c + p * (self.e + 2.0 * t * self.f)) / 100.0
        return 1.0 / temperature_k + slope / self.compressibility(pressure_pa, temperature_k)


AIR = GasLaw("air", -3.036686e-3, 9.086074e-3, -5.505932e-3, 2.332080e-4, -2.067484e-4, 1.017672e-4)
NITROGEN = GasLaw("nitrogen", -1.885506e-3, 8.663314e-3, -5.343759e-3, 2.388211e-4, -2.377080e-4, 1.276661e-4)
ARGON = GasLaw("argon", -6.262705e-3, 1.067076e-2, -6.273538e-3, 1.788650e-4, -1.382818e-4, 5.409916e-5)
_LAWS = {law.name: law for law in (AIR, NITROGEN, ARGON)} | {"n2": NITROGEN, "ar": ARGON}


def gas_law(name: str) -> GasLaw:
    """The law of `air`, `nitrogen` (`n2`) or `argon` (`ar`), in any case. Raises UsageError."""
    law = _LAWS.get(name.strip().lower())
    if law is None:
        raise UsageError(f"gas {name}: unknown; expected air, nitrogen or argon")
    return law


def flow_share(upstream_pa: Any, downstream_pa: Any) -> Any:
    """Flow over choked flow, 0 to 1 (ISO 6358 with b = 0.3); 0 for reversed pressures."""
    ratio = np.clip(downstream_pa / np.maximum(upstream_pa, 1.0), CRITICAL_RATIO, 1.0)
    part = (ratio - CRITICAL_RATIO) / (1.0 - CRITICAL_RATIO)
    return np.sqrt(np.maximum(1.0 - part * part, 0.0))
