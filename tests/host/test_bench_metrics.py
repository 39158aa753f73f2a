"""The measuring itself: figures of traces whose figures are known, and bounds that must not lie."""

from __future__ import annotations

import math
import sqlite3
from array import array
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bench.__main__ import _show
from bench.jobs import Workers
from bench.measure import dead_bands, grid, hard, holders, peers
from bench.rows import attempt, row
from bench.scenarios import controllers, day, fleet
from bench.scenarios.day import REFERENCE, Metrics, Result, Scenario, judge
from bench.scenarios.schedule import bound_rms_pa, pulse_effect, shortest_step_s, travel
from ipch.sim.parameters import load_parameters
from ipch.sim.plant import FILL, Plant
from ipch.sim.world import World

SMALL = ("volume_l=0.5", "fill_c=2e-10", "vent_c=2e-10", "supply_mpa=10")


def test_rms_maximum_and_shares() -> None:
    error_pa = np.array([0.0, 900.0, -1500.0, 4000.0, -7000.0, 0.0])
    found = judge(error_pa, 1.0)
    assert found.rms_kpa == pytest.approx(math.sqrt((0.81 + 2.25 + 16 + 49) / 6))
    assert found.max_kpa == 7.0
    assert found.shares == pytest.approx((3 / 6, 4 / 6, 5 / 6, 1.0))


def test_a_sample_that_is_missing_without_a_mark_is_found(tmp_path: Path) -> None:
    file = tmp_path / "log.db"
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("CREATE TABLE samples (boot, sequence, uptime_s)")
        database.execute("CREATE TABLE events (kind, text, utc_s, data)")
        times = (1.0, 2.0, 3.5, 6.0, 7.0, 60.0, 61.0)
        database.executemany("INSERT INTO samples VALUES (1, ?, ?)", enumerate(times))
        database.execute("INSERT INTO samples VALUES (1, 6, 61.0)")
        database.execute(
            "INSERT INTO events VALUES ('gap', 'slept', 90, '{\"from_sequence\": 4, \"to_sequence\": 5}')"
        )
    # From 3.5 to 6 s; the minute is marked.
    assert fleet.unmarked(file) == (8, 1, 1)
    assert fleet.gaps(file) == ["slept"] and fleet.gaps(file, 91.0) == []


def test_a_step_that_fails_is_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    def fails() -> list[dict[str, Any]]:
        raise TimeoutError("[/red] none")

    (found,) = attempt("scrape", fails)
    assert found["ok"] is False and found["name"] == "scrape: TimeoutError: [/red] none"
    assert "Traceback" in capsys.readouterr().err
    assert _show("table", [found, *attempt("fine", lambda: [row("one", 1, "s", at_most=1)])]) == 1
    assert "[/red] none" in capsys.readouterr().out


def test_a_single_tick_outside_counts() -> None:
    error_pa = np.zeros(432_000)
    error_pa[123_456] = 6000.0
    found = judge(error_pa, 0.02)
    assert found.max_kpa == 6.0
    assert found.shares[2] < 1.0
    assert found.settled_s == pytest.approx(123_457 * 0.02)


@pytest.mark.parametrize(("sign", "beyond"), [(1, 3.0), (-1, 3.0)])
def test_overshoot_is_beyond_the_target_only(sign: int, beyond: float) -> None:
    approach = sign * np.array([-1e6, -5e5, -2e3, 3e3, -4e3, 0.0])
    assert judge(approach, 1.0).overshoot_kpa == beyond


def test_no_overshoot_when_it_stops_short() -> None:
    assert judge(np.array([-1e6, -1e3]), 1.0).overshoot_kpa == 0.0


@pytest.mark.parametrize(
    ("errors", "settled_s"),
    [([0.0, 10.0], 0.0), ([-9e3, 0.0, 6e3, 0.0], 0.06), ([-9e3, -9e3], None), ([-9e3, 5e3], 0.02)],
)
def test_settling_is_to_stay(errors: list[float], settled_s: float | None) -> None:
    found = judge(np.array(errors), 0.02).settled_s
    assert found == (None if settled_s is None else pytest.approx(settled_s))
    again = grid.last_outside_s(array("d", errors), 0.02, 5000.0)
    assert again == (math.inf if settled_s is None else pytest.approx(settled_s))


def test_nothing_to_judge() -> None:
    with pytest.raises(ValueError, match="no errors"):
        judge(np.array([]), 1.0)


def test_a_run_counts_what_the_coils_did() -> None:
    class Twice:
        """Fills at 1 s and vents at 2 s."""

        def __init__(self, world: World) -> None:
            self.world = world

        def tick(self) -> None:
            if self.world.ticks == 50:
                self.world.switch(1)
            if self.world.ticks in (50, 100):
                self.world.pulse(0 if self.world.ticks == 50 else 1, 20_000)
            self.world.advance()

    def twice(scenario: Scenario, world: World, state: Path) -> Twice:
        return Twice(world)

    result = day.run(Scenario("twice", (*REFERENCE, "missed_probability=0"), hours=10 / 3600), twice)
    assert (result.fills, result.vents, result.isolations) == (1, 1, 1)
    assert [side for _, side in result.pulses] == [0, 1]
    assert [second for second, _ in result.pulses] == [1.0, 2.0]
    assert result.gas_g > 0.0
    assert result.controller == "twice"
    assert len(result.seconds) == len(result.pressure_pa) == 11
    assert result.pressure_pa[2] - result.pressure_pa[0] > 1000.0


def test_the_same_scenario_gives_the_same_result() -> None:
    scenario = Scenario("again", REFERENCE, hours=20 / 3600)
    assert day.run(scenario).metrics == day.run(scenario).metrics


def test_a_day_is_run_once_and_answers_to_every_name() -> None:
    scenario = Scenario("one", REFERENCE, hours=5 / 3600)
    ran: list[Result] = []
    jobs = [(scenario, day.ours), (scenario.but(name="two"), day.ours), (scenario, day.off)]
    with Workers(2) as workers:
        found = day.run_all(workers, jobs, ran.append)
        assert len(ran) == 2
        assert len(day.run_all(workers, jobs[:1], ran.append)) == 1
    assert [(r.scenario.name, r.controller) for r in found] == [
        ("one", "ours"),
        ("two", "ours"),
        ("one", "off"),
    ]
    assert len(ran) == 2


def test_a_refused_setting_is_not_passed_over() -> None:
    scenario = Scenario("bad", REFERENCE, hours=1 / 3600, settings=(("dead_band_pa", -1),))
    with pytest.raises(ValueError, match="dead_band_pa"):
        day.run(scenario)


def test_the_travel_of_the_reference_day() -> None:
    # Six cycles of 5 Ah and 0.485 cm3/Ah in 0.5 L at 5 MPa: twelve ways of 24 kPa.
    moved_pa, directions = travel(load_parameters(None, REFERENCE), 5e6, 24.0)
    assert directions == 12
    assert moved_pa == pytest.approx(12 * 24.2e3, rel=0.02)
    idle = travel(load_parameters(None, (*REFERENCE, "cell_c_rate=0")), 5e6, 24.0)
    assert idle == (0.0, 0)


def test_the_bound_is_that_of_a_saw() -> None:
    # A saw of 24 kPa cut into pieces of 6 kPa: each is even between -3 and 3.
    assert bound_rms_pa(24e3, 1, 3) == pytest.approx(6e3 / math.sqrt(12))


def test_ripple_is_taken_out_in_quadrature() -> None:
    assert dead_bands.without_ripple_pa(5.0, 3.0) == pytest.approx(4.0)
    assert dead_bands.without_ripple_pa(1.0, 3.0) == 0.0


def test_no_schedule_is_faster_than_the_slew() -> None:
    best_s = shortest_step_s((*SMALL, "initial_mpa=1"), 5e6, 20e3, 5e3)
    assert best_s == pytest.approx(3.995e6 / 20e3, rel=1e-3)


def test_a_slow_valve_sets_the_shortest_time() -> None:
    slow = ("volume_l=2", "fill_c=1e-11", "vent_c=1e-11", "supply_mpa=6", "initial_mpa=5")
    best_s = shortest_step_s(slow, 4.95e6, 20e3, 5e3)
    plant = Plant(load_parameters(None, slow))
    plant.switch(False, True, False)
    plant.pulse(1, 10**9)
    while plant.pressure_pa > 4.955e6:
        plant.advance(20)
    assert best_s == pytest.approx(plant.time_ms / 1e3, rel=0.01)


def test_what_nothing_can_reach_takes_for_ever() -> None:
    assert shortest_step_s(("volume_l=0.1", "supply_mpa=3", "initial_mpa=1"), 5e6, 1e6, 5e3) == math.inf


def test_the_effect_of_a_pulse() -> None:
    # 5 ms of opening from 10 MPa into 0.5 L at 5 MPa stay as 2 kPa.
    effect = pulse_effect(SMALL, 0, 5e6, 6000)
    assert effect.settled_pa == pytest.approx(2.0e3, rel=0.1)
    assert effect.immediate_pa / effect.settled_pa == pytest.approx(1.45, rel=0.1)
    assert pulse_effect(SMALL, 0, 5e6).settled_pa > effect.settled_pa


def test_taking_turns() -> None:
    assert grid.changes([0, 0, 1, 1, 0]) == 2
    assert grid.changes([]) == 0
    assert hard.quick_turns(((0.0, 0), (100.0, 1), (300.0, 0), (301.0, 0))) == 1


def test_the_grid_has_every_case() -> None:
    cases = [case for cases in grid.sequences() for case in cases]
    # Three steps in each of 25 plants with four supplies, and three with the paper's cell.
    assert len(cases) == 303
    assert sum(case.cell_ah == 0.1 for case in cases) == 3
    assert len({case.name for case in cases}) == 303
    for first, second, third in grid.sequences():
        assert first.to_mpa == second.from_mpa and second.to_mpa == third.from_mpa


def result(rms_kpa: float, fills: int, warnings: int = 0, max_kpa: float = 3.0) -> Result:
    """A result with these figures."""
    return Result(
        scenario=Scenario("x", ()), controller="x", metrics=Metrics(rms_kpa, max_kpa, (1, 1, 1, 1), 0, 0),
        true=Metrics(rms_kpa, max_kpa, (1, 1, 1, 1), 0, 0),
        fills=fills, vents=0, isolations=0, gas_g=0, vented_g=0, fault="", warnings=warnings, band_pa=5000,
        pulses=(), seconds=np.zeros(1), pressure_pa=np.zeros(1),
    )  # fmt: skip


def test_nothing_but_the_whole_is_all() -> None:
    assert [peers.percent(share) for share in (1.0, 0.999999, 0.5)] == ["100%", "99.99%", "50.00%"]


def test_beaten_only_by_both_figures() -> None:
    our = result(2.0, 50)
    assert peers.beaten_by(our, [result(1.0, 60), result(3.0, 10), result(2.0, 50)]) == []
    assert len(peers.beaten_by(our, [result(1.9, 49)])) == 1


def test_every_run_has_a_name_of_its_own_and_all_that_is_judged_is_run() -> None:
    names = [(label, day) for label, day, _, _ in peers.jobs()]
    assert len(set(names)) == len(names)
    for label, which, _ in peers.JUDGED:
        assert {(label, which), ("PI-PWM 1 s", which)} <= set(names)


def test_table_plot_and_rows_of_the_comparison(tmp_path: Path) -> None:
    found = {(label, day): result(1.0, 50) for label, day, _, _ in peers.jobs()}
    found["PI-PWM 1 s", "reference"] = result(0.5, 40)
    lines = peers.table(found).splitlines()
    assert len(lines) == len(found) + 2
    assert len({line.count("|") for line in lines}) == 1
    peers.plot(found, tmp_path / "peers.html")
    assert "PI-PWM 1 s" in (tmp_path / "peers.html").read_text()
    judged = {row["name"]: row for row in peers.rows(found)}
    assert judged["ours, reference: peers with less rms and fewer actuations"]["ok"] is False
    assert judged["ours, slow oven: peers with less rms and fewer actuations"]["ok"] is True
    assert judged["ours, reference: actuations over those of PI-PWM"]["value"] == pytest.approx(1.25)


def test_an_alarm_excuses_the_error_but_silence_does_not() -> None:
    case = hard.Case("x", ())
    assert hard.judged(case, result(2.0, 5, max_kpa=9.0))[0]["ok"] is False
    assert hard.judged(case, result(2.0, 5, max_kpa=9.0, warnings=1))[0]["ok"] is None


def test_a_holder_swings_as_its_source_says() -> None:
    full = np.array([0.0, 1.0])
    for holder in holders.UNIAXIAL:
        swing_kpa = holders.swing_kpa(holder.pressure_pa(full, np.zeros(2)))
        assert swing_kpa == pytest.approx(holder.swing_pa / 1e3)
    # 0.33 um/K against 25 um of breathing.
    rigid = holders.UNIAXIAL[0]
    warm = holders.swing_kpa(rigid.pressure_pa(np.zeros(2), np.array([0.0, 1.0])))
    assert warm == pytest.approx(2000.0 * 0.33 / 25.0)


def test_plates_that_come_off_press_with_nothing() -> None:
    cold = holders.UNIAXIAL[0].pressure_pa(np.zeros(1), np.array([-1000.0]))
    assert cold[0] == 0.0


def test_charge_goes_up_and_down() -> None:
    at_h = np.array([0.0, 0.5, 1.0, 1.5, 2.0]) * holders.CYCLE_H / 2
    assert holders.charge_share(at_h) == pytest.approx([0.0, 0.5, 1.0, 0.5, 0.0])


@pytest.mark.parametrize("make", [controllers.hysteresis_10, controllers.computed_5, controllers.pi_pwm])
def test_peers_bring_the_pressure_to_the_target(make: Callable[..., Any]) -> None:
    sets = (*SMALL, "initial_mpa=4.5", "missed_probability=0")
    found = day.run(Scenario("near", sets, hours=60 / 3600, slew_pa_s=50e3), make)
    assert abs(found.pressure_pa[-1] - 5e6) < 20e3
    assert found.fills > 0


def test_a_computed_pulse_is_right() -> None:
    sets = (*SMALL, "initial_mpa=4.99", "valve_jitter_ms=0", "missed_probability=0", "transducer_noise_kpa=0")
    world = World(Plant(load_parameters(None, sets)), tick_ms=20)
    peer = controllers.ComputedPulses(Scenario("x", sets, slew_pa_s=1e9), world, 5000.0)
    for _ in range(120 * 50):
        peer.tick()
    assert world.plant.valves[FILL].openings == 1
    assert world.plant.pressure_pa == pytest.approx(5e6, abs=1000.0)


def test_simc_is_what_the_rule_says() -> None:
    parameters = load_parameters(None, REFERENCE)
    kp_per_pa, ti_s = controllers.simc(parameters, 5e6, 1.0)
    assert ti_s == pytest.approx(8 * 1.01)
    gain_pa_s = 1 / (kp_per_pa * 2 * 1.01)
    effect = pulse_effect(REFERENCE, 1, 5e6, 101_000)
    assert gain_pa_s == pytest.approx(effect.immediate_pa / 0.1, rel=0.05)


def test_small_errors_are_left_alone_when_told_so() -> None:
    world = SimpleNamespace(plant=Plant(load_parameters(None, REFERENCE)), tick_ms=20)
    quiet = controllers.PiPwm(Scenario("x", REFERENCE), world, 1000, 3000.0)  # type: ignore[arg-type]
    quiet.pid.setpoint = 5e6
    assert quiet.pid(5e6 - 2900.0, dt=1.0) == 0.0
    assert quiet.pid(5e6 - 3100.0, dt=1.0) != 0.0
