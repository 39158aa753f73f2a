"""An acknowledge after a repaired leak, and quiet windows that follow each other."""

from __future__ import annotations

from itertools import product

import pytest

from bench.scenarios.rig import Bench, settled
from tests.shares import share


def test_a_repaired_leak_is_acknowledged_at_once() -> None:
    bench = Bench(sets=("initial_mpa=4.9", "missed_probability=0"), tick_ms=100)
    try:
        bench.send(':SYST:SETT "gas_budget_pa_h",10000000')
        bench.send(":SOUR:PRES 5;:OUTP ON")
        bench.run_s(120)
        bench.inject("leak", {"kpa_h": 2000, "for_s": 2000})
        while not bench.app.modes.fault and bench.world.plant.time_ms < 2_000_000:
            bench.run_s(10)
        assert bench.app.modes.fault_name == "LEAK_BUDGET"
        left_ms = 2_130_000 - bench.world.plant.time_ms
        bench.run_s(max(left_ms, 0) / 1000)
        assert bench.ask(":SYST:FAUL:ACK;:SYST:FAUL?").startswith("NONE")
        assert bench.state == "OFF"
        bench.send(":OUTP ON")
        bench.run_s(60)
        assert bench.state == "REGULATE"
    finally:
        bench.close()


@pytest.mark.parametrize(("length_s", "between_s"), share(product((20, 60), (0.0, 0.5)), 1, 2))
def test_the_drift_counts_over_windows_that_follow_each_other(length_s: int, between_s: float) -> None:
    bench = settled("HOLD").copy()
    try:
        begin_pa = bench.world.plant.pressure_pa
        # 1 kPa/s in all, the budget of gas aside.
        bench.send(':SYST:SETT "gas_budget_pa_h",10000000')
        bench.inject("leak", {"kpa_h": 3600})
        lowest_pa = begin_pa
        for _ in range(round(300 / (length_s + between_s))):
            bench.send(f":OUTP:QUI {length_s}")
            bench.run_s(length_s)
            lowest_pa = min(lowest_pa, bench.world.plant.pressure_pa)
            if between_s:
                bench.send(":OUTP:QUI 0")
                bench.run_s(between_s)
        assert lowest_pa > begin_pa - 60_000
    finally:
        bench.close()


def test_a_window_after_a_hold_or_a_ramp_begins_anew() -> None:
    bench = settled("HOLD").copy()
    try:
        bench.inject("leak", {"kpa_h": 1800, "for_s": 60})
        bench.send(":OUTP:QUI 60")
        bench.run_s(90)
        assert bench.state == "REGULATE"
        # The hold has fed what leaked.
        bench.send(":SOUR:PRES 4.8")
        bench.run_s(60)
        bench.send(":OUTP:QUI 60")
        bench.run_s(30)
        assert bench.state == "QUIET"
        bench.run_s(60)
        assert "QUIET_DRIFT" not in bench.warnings
    finally:
        bench.close()
