"""The gas law of the analysis against CoolProp, and its derivatives against itself."""

from __future__ import annotations

import numpy as np
import pytest

from ipch.analysis.gas import AIR, ARGON, NITROGEN, GasLaw, flow_share, gas_law
from ipch.errors import UsageError


@pytest.mark.parametrize(("law", "fluid"), [(AIR, "Air"), (NITROGEN, "Nitrogen"), (ARGON, "Argon")])
def test_compressibility_is_that_of_coolprop(law: GasLaw, fluid: str) -> None:
    from CoolProp.CoolProp import PropsSI

    for pressure_pa in (1e5, 1e6, 3e6, 5e6, 8e6, 10e6):
        for kelvin in (275.0, 300.0, 333.0, 345.0):
            expected = PropsSI("Z", "P", pressure_pa, "T", kelvin, fluid)
            assert law.compressibility(pressure_pa, kelvin) == pytest.approx(expected, rel=4.9e-4)
            density = PropsSI("Dmolar", "P", pressure_pa, "T", kelvin, fluid)
            assert law.density_mol_m3(pressure_pa, kelvin) == pytest.approx(density, rel=4.9e-4)


@pytest.mark.parametrize("law", [AIR, NITROGEN, ARGON])
@pytest.mark.parametrize("pressure_pa", [1e6, 5e6, 9e6])
def test_derivatives_are_those_of_the_density(law: GasLaw, pressure_pa: float) -> None:
    kelvin = 303.15
    density = law.density_mol_m3(pressure_pa, kelvin)
    up = law.density_mol_m3(pressure_pa * 1.0001, kelvin)
    assert law.stiffness(pressure_pa, kelvin) == pytest.approx(
        np.log(1.0001) / np.log(up / density), rel=1e-4
    )
    warm = law.density_mol_m3(pressure_pa, kelvin + 0.01)
    assert law.thermal_1_k(pressure_pa, kelvin) == pytest.approx(-np.log(warm / density) / 0.01, rel=1e-4)


def test_sealed_air_at_5_mpa_moves_18_kpa_per_kelvin() -> None:
    # dp/dT at constant density = p * thermal * stiffness; ideal gas would say 16.5.
    moved = 5e6 * AIR.thermal_1_k(5e6, 303.15) * AIR.stiffness(5e6, 303.15)
    assert moved == pytest.approx(18_350, rel=0.01)


def test_flow_is_choked_below_the_critical_ratio() -> None:
    assert flow_share(5e6, 1e5) == 1.0
    assert flow_share(6e6, 5e6) == pytest.approx(np.sqrt(1 - ((5 / 6 - 0.3) / 0.7) ** 2))
    assert flow_share(5e6, 6e6) == 0.0


def test_which_gases_there_are() -> None:
    assert gas_law("Air") is AIR
    assert gas_law("N2") is NITROGEN
    assert gas_law("argon") is ARGON
    with pytest.raises(UsageError, match="air, nitrogen or argon"):
        gas_law("helium")
