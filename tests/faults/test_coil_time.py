"""No valve stays energised: every coil has a longest time and a share of any hour, whatever is asked of it."""

from __future__ import annotations

import pytest

from bench.scenarios.rig import Bench
from tests.shares import share

# A minute at most, then a second off; half of any hour.
LONGEST_S = 60.0
PAUSE_S = 1.0
SHARE = 0.5
RELIEF = 4


class Coils:
    """The gates of the plant's four pair valves, tick by tick."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.on_s = [0.0] * 4  # since the last pause of a second
        self.off_s = [PAUSE_S] * 4
        self.longest_s = [0.0] * 4
        self.total_s = [0.0] * 4

    def run_s(self, seconds: float) -> None:
        tick_s = self.bench.world.tick_ms / 1000
        for _ in range(round(seconds / tick_s)):
            self.bench.board.run(1)
            for index in range(4):
                if self.bench.world.plant.valves[index].gate:
                    self.on_s[index] += tick_s
                    self.off_s[index] = 0.0
                else:
                    self.off_s[index] += tick_s
                    if self.off_s[index] >= PAUSE_S - tick_s / 2:
                        self.on_s[index] = 0.0
                self.longest_s[index] = max(self.longest_s[index], self.on_s[index])
                self.total_s[index] += tick_s if self.on_s[index] and not self.off_s[index] else 0.0


@pytest.mark.parametrize(
    ("slew", "begin", "end", "seconds"),
    share([(0.0001, 4.9, 5.0, 900), (0.001, 4.9, 5.0, 150), (0.005, 5.0, 4.5, 120)], 1, 2),
)
def test_a_slow_ramp_pulses(slew: float, begin: float, end: float, seconds: float) -> None:
    bench = Bench(sets=(f"initial_mpa={begin}", "missed_probability=0"))
    try:
        coils = Coils(bench)
        bench.send(f":SOUR:PRES:SLEW {slew};:SOUR:PRES {end};:OUTP ON")
        coils.run_s(seconds)
        assert max(coils.longest_s) < 2.0
        # Of half of any hour that is allowed; 0.3 s a pulse is for finding a valve that is stuck open.
        assert max(coils.total_s) < 0.3 * seconds
        # It still follows the ramp.
        assert abs(bench.world.plant.pressure_pa - bench.app.control.ramp_pa) < 10_000
    finally:
        bench.close()


@pytest.mark.parametrize(("volume_l", "end"), share([(5, 5.0), (20, 5.0), (20, 0.2)], 0))
def test_a_slow_valve_rests(volume_l: float, end: float) -> None:
    """A chamber so large that its valve has to stay open."""
    begin = 5.0 if end < 1 else 0.2
    bench = Bench(sets=(f"initial_mpa={begin}", "missed_probability=0", f"volume_l={volume_l}"))
    try:
        coils = Coils(bench)
        bench.send(f":SOUR:PRES:SLEW 0.05;:SOUR:PRES {end};:OUTP ON")
        coils.run_s(1500 if volume_l == 20 else 200)
        assert max(coils.longest_s) <= LONGEST_S + 0.001
        assert max(coils.total_s) <= 0.4 * 1500 + 300
        assert bench.app.modes.fault_name == "NONE"
    finally:
        bench.close()


def test_proofs_one_after_the_other_rest() -> None:
    bench = Bench(sets=("initial_mpa=4.7", "missed_probability=0"))
    # A proof opens one valve of the fill side alone, from OFF.
    bench.world.barred = None
    try:
        coils = Coils(bench)
        for _ in range(12):
            bench.send(":DIAG:VALV1:PRO 60")
            coils.run_s(60.2)
        assert max(coils.longest_s) <= LONGEST_S + 0.001
        assert max(coils.total_s) <= 0.4 * 720 + 300
    finally:
        bench.close()


def test_a_vent_needs_no_rest() -> None:
    bench = Bench(sets=("initial_mpa=1", "missed_probability=0", "volume_l=5"))
    try:
        coils = Coils(bench)
        bench.send(":SOUR:PRES:LEV:IMM:AMPL:VENT 1")
        coils.run_s(300)
        assert coils.longest_s[2] > 200
    finally:
        bench.close()
