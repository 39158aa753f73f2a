"""Leak, swelling and gains from records with a planted truth; the noise model against known results."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bench.scenarios.planted import Planted, leaking, make
from ipch.analysis.balance import solve_balance
from ipch.analysis.bins import NotEnough
from ipch.analysis.gas_record import GasRecord
from ipch.analysis.noise import Noise, Rows, solve
from ipch.analysis.supply import forecast

SMALL = ("volume_l=0.1", "fill_c=5e-11", "vent_c=5e-11")


@pytest.fixture(scope="module")
def leaky() -> Planted:
    """0.5 L that loses 10 kPa/h, for 6 h: a dozen fills."""
    return make(("volume_l=0.5", leaking(10, 0.5)), 6, seed=3, every_s=5.0)


@pytest.fixture(scope="module")
def breathing() -> Planted:
    """A cell that swells by 0.1 mL in 0.1 L, two cycles; a leak and an oven that swings."""
    sets = (*SMALL, leaking(1, 0.1), "cell_capacity_ah=0.20619", "cell_c_rate=1", "oven_amplitude_k=1")
    return make(sets, 4, seed=5, every_s=5.0, half_s=3600)


def test_a_leak_of_1_kpa_h_is_found_within_an_hour() -> None:
    for seed in (1, 2, 3):
        planted = make(("volume_l=0.5", leaking(1, 0.5)), 1, seed)
        found = solve_balance(planted.record)
        assert found.leak_kpa_h.covers(planted.leak_kpa_h)
        assert found.leak_kpa_h.value > 3 * found.leak_kpa_h.half_width / 1.96


def test_no_leak_is_no_leak() -> None:
    planted = make(("volume_l=0.5", "oven_amplitude_k=1"), 3, seed=4, every_s=5.0)
    found = solve_balance(planted.record)
    assert found.leak_kpa_h.covers(0.0)
    assert found.leak_kpa_h.half_width < 0.05
    assert (found.filled_kpa.value, found.vented_kpa.value) == (0.0, 0.0)


def test_a_leak_while_regulating(leaky: Planted) -> None:
    found = solve_balance(leaky.record)
    assert leaky.record.fills[-1] >= 9
    assert found.leak_kpa_h.covers(leaky.leak_kpa_h)
    assert found.leak_kpa_h.half_width < 0.1
    # What was let in is what leaked, but for the change of pressure between first and last.
    assert found.filled_kpa.value == pytest.approx(leaky.leak_kpa_h * 6, abs=8)
    assert found.wall_weight == pytest.approx(1.0, abs=0.1)


def test_across_a_gap_the_meters_count(leaky: Planted) -> None:
    record = leaky.record
    lost = (record.time_s > 1.5 * 3600) & (record.time_s < 4.5 * 3600)
    names = ("time_s", "pressure_pa", "gas_k", "wall_k", "supply_pa", "fills", "vents", "fill_open_s", "vent_open_s",
             "segment", "usable")  # fmt: skip
    found = solve_balance(replace(record, **{name: getattr(record, name)[~lost] for name in names}))
    assert found.leak_kpa_h.covers(leaky.leak_kpa_h)
    assert found.filled_kpa.value == pytest.approx(leaky.leak_kpa_h * 6, abs=12)


def test_with_the_gas_sensor_alone_it_is_less_sure(leaky: Planted) -> None:
    nothing = np.full(len(leaky.record.time_s), np.nan)
    found = solve_balance(replace(leaky.record, wall_k=nothing))
    assert found.leak_kpa_h.covers(leaky.leak_kpa_h)
    assert found.leak_kpa_h.half_width > 2 * solve_balance(leaky.record).leak_kpa_h.half_width


def test_swelling_apart_from_leak_and_temperature(breathing: Planted) -> None:
    found = solve_balance(breathing.record, volume_ml=100)
    assert found.leak_kpa_h.covers(breathing.leak_kpa_h)
    assert [one.cycle for one in found.cycles] == [1, 2]
    for one in found.cycles:
        assert one.change_ml is not None
        assert one.change_ml.covers(breathing.swelling_ml[one.cycle])
        assert one.change_ml.half_width < 0.005
    assert found.swelling_share.max() * 100 == pytest.approx(0.1, abs=0.01)
    # Without the volume there are no millilitres, but shares.
    assert solve_balance(breathing.record).cycles[0].change_ml is None


def test_half_a_charge_cannot_be_told_from_a_leak(breathing: Planted) -> None:
    record = breathing.record
    early = record.time_s < 3000
    cut = GasRecord(
        **{name: value[early] for name, value in vars(record).items() if value is not None},
    )
    found = solve_balance(cut, volume_ml=100)
    assert found.leak_to_swelling > 0.95
    assert any("hardly separates leak and swelling" in note for note in found.notes)


def test_too_little_is_said_so(leaky: Planted) -> None:
    short = GasRecord(**{name: value[:8] for name, value in vars(leaky.record).items() if value is not None})
    with pytest.raises(NotEnough, match="too few samples"):
        solve_balance(short)
    empty = replace(leaky.record, usable=np.zeros(len(leaky.record.time_s), dtype=np.bool_))
    with pytest.raises(NotEnough, match="hold the pressure for some minutes"):
        solve_balance(empty)


def test_how_long_a_cylinder_lasts(leaky: Planted) -> None:
    found = solve_balance(leaky.record)
    supply = forecast(found, 500.0, 10.0, 10e6, 5.1e6, 303.15)
    # 10 kPa/h of 0.5 L at 5 MPa against 4.9 MPa of 10 L: some 400 days of 24 h.
    assert supply.days is not None
    assert supply.days.value == pytest.approx(10 * 4.9e3 / (0.5 * 10.29 * 24), rel=0.15)
    assert supply.days.covers(10 * 4.9e3 / (0.5 * 10.29 * 24)) or supply.days.half_width < 40
    assert supply.used_normal_l_day.value == pytest.approx(
        0.5 * 10.29 * 24 / 101.325 * 273.15 / 303.15, rel=0.15
    )


def slope_sd(hours: float, memory_s: float) -> float:
    """What least squares says of a slope under a slow mismatch of 1e-4 and nothing else."""
    time_s = np.arange(0.0, hours * 3600 + 1, 10.0)
    rows = Rows(time_s, np.zeros(len(time_s)), time_s[:, None] / 3600, np.full(len(time_s), 1e-9),
                np.arange(len(time_s)) == 0, np.zeros(len(time_s)))  # fmt: skip
    fit = solve(rows, np.zeros(1), np.full(1, np.inf), [Noise(1e-4, memory_s, 0.0)], rescale=False)
    return float(np.sqrt(fit.covariance[0, 0])) / 1e-4


@pytest.mark.parametrize("hours", [1.0, 8.0])
def test_the_slope_under_a_slow_mismatch_is_as_unsure_as_theory_says(hours: float) -> None:
    # Norm of f(t) = t - T/2 in the reproducing space of an Ornstein-Uhlenbeck process with time constant m:
    # (f(0)^2 + f(T)^2)/2 + (m T + T^3/(12 m))/2.
    m = 0.5
    norm = hours**2 / 4 + (m * hours + hours**3 / (12 * m)) / 2
    assert slope_sd(hours, m * 3600) == pytest.approx(norm**-0.5, rel=0.01)


def test_intervals_of_noise_that_remembers_are_honest() -> None:
    random = np.random.default_rng(1)
    time_s = np.arange(300) * 60.0
    decay = np.exp(-60 / 1800)
    inside = 0
    for _ in range(60):
        slow = np.empty(300)
        slow[0] = random.normal(0, 1e-4)
        for at in range(1, 300):
            slow[at] = decay * slow[at - 1] + random.normal(0, 1e-4 * np.sqrt(1 - decay**2))
        value = 3e-8 * time_s + slow + random.normal(0, 1e-5, 300)
        rows = Rows(time_s, value, time_s[:, None], np.full(300, 1e-5), np.arange(300) == 0, np.zeros(300))
        fit = solve(rows, np.zeros(1), np.full(1, np.inf))
        inside += abs(fit.mean[0] - 3e-8) <= fit.half_width(np.ones(1))
    assert inside >= 54


def test_seals_that_take_up_gas_do_not_shrink_the_cell() -> None:
    """An ordinary rig: its seals take up 13 kPa within hours, its sensors are off."""
    sets = (
        "volume_l=0.1",
        "fill_c=5e-11",
        "vent_c=5e-11",
        leaking(1, 0.1),
        "cell_capacity_ah=0.206",
        "cell_c_rate=1",
    )
    planted = make((*sets, "oven_amplitude_k=1", "gas=air"), 8, 1, every_s=4.0, half_s=3600.0, ordinary=True)
    found = solve_balance(planted.record, volume_ml=100.0)
    inside = []
    for each in found.cycles:
        assert each.change_ml is not None and each.change_ml.half_width < 0.005
        inside.append(each.change_ml.covers(planted.swelling_ml[each.cycle]))
    assert sum(inside) >= len(inside) - 1 and len(inside) >= 4
    assert any("the loss fades, as when seals take up gas" in note for note in found.notes)
    # An ideal rig has nothing that fades, and nothing is said of it.
    ideal = make((*sets, "oven_amplitude_k=1"), 8, 1, every_s=4.0, half_s=3600.0)
    assert not solve_balance(ideal.record, volume_ml=100.0).notes
