"""Runaway: which readings confirm a wall that climbs, what is let out for it, and which wall is ignored."""

from desk import Desk

from regulator.faults import NO_FAULT, RUNAWAY, TEMPERATURE_OFFSET, WALL_TEMPERATURE
from regulator.modes import OFF, RELIEF, SEALED

GAS_AT_30 = 9148


class Climbing(Desk):
    """A desk whose thermometers and pressure climb, by mK and Pa in each second."""

    told_s = 0

    def __init__(self):
        super().__init__(runaway_relief=1)
        self.wall_mk = self.gas_mk = 30_000
        self.pa = 5_000_000
        self.show_all()

    def show_all(self):
        self.sample.wall_counts = self.wall_mk * 128 // 1000
        self.sample.gas_counts = GAS_AT_30 + (self.gas_mk - 30_000) * 32 // 1000
        self.press(self.pa)

    def climb(self, seconds, wall_mk=0, gas_mk=0, pa=0):
        """Return the seconds until a fault, 0 without one."""
        for second in range(seconds):
            self.wall_mk += wall_mk
            self.gas_mk += gas_mk
            self.pa += pa
            self.show_all()
            self.run_s(1)
            if self.modes.fault and not self.told_s:
                self.told_s = second
        return self.told_s


def rested():
    desk = Climbing()
    desk.climb(35)
    assert (desk.modes.state, desk.modes.fault) == (OFF, NO_FAULT)
    return desk


def test_a_wall_that_climbs_with_the_gas_or_with_the_pressure_empties_the_chamber():
    for gas_mk, pa in ((60, 0), (0, 1_000), (60, 1_000)):
        desk = rested()
        assert 0 < desk.climb(20, wall_mk=200, gas_mk=gas_mk, pa=pa) <= 8
        assert desk.modes.fault == RUNAWAY
        assert desk.modes.state == RELIEF
        assert desk.levels[2]


def test_one_moment_of_a_witness_seals_and_lets_nothing_out():
    desk = rested()
    desk.climb(6, wall_mk=200)
    desk.gas_mk += 300
    desk.climb(2, wall_mk=200)
    desk.gas_mk -= 300
    desk.climb(8, wall_mk=200)
    assert desk.modes.state == SEALED
    assert not desk.levels[2]


def test_a_wall_that_climbs_alone_is_ignored_for_as_long_as_it_is_apart():
    for wall_mk in (110, 600):
        desk = rested()
        assert desk.climb(40, wall_mk=wall_mk) == 0
        assert desk.modes.fault == NO_FAULT
        assert desk.watches.warnings & WALL_TEMPERATURE
        # It stays ignored, whether it climbs on or not.
        desk.climb(65)
        assert desk.watches.warnings & WALL_TEMPERATURE
        assert desk.app.sensors.wall_mk == 0
        desk.wall_mk = 30_000
        desk.climb(70)
        assert not desk.watches.warnings & WALL_TEMPERATURE
        assert desk.app.sensors.wall_mk > 0
        assert desk.modes.fault == NO_FAULT


def test_a_climb_below_the_limit_is_none():
    desk = rested()
    assert desk.climb(60, wall_mk=95, gas_mk=95) == 0
    assert desk.modes.fault == NO_FAULT


def test_cold_gas_that_warms_by_itself_is_no_witness():
    for gas_mk, pa in ((60, 0), (0, 1_000), (60, 1_000)):
        desk = rested()
        desk.gas_mk -= 3_000
        desk.climb(1)
        desk.climb(40, wall_mk=200, gas_mk=gas_mk, pa=pa)
        assert desk.modes.state != RELIEF, (gas_mk, pa)
        assert not desk.levels[2]


def test_a_wall_without_a_past_seals_at_most():
    desk = rested()
    desk.sample.faults = 4
    desk.run_s(20)
    desk.sample.faults = 0
    desk.climb(10, wall_mk=200, gas_mk=60)
    assert desk.modes.state == SEALED
    assert not desk.levels[2]
    # Then the witness counts.
    desk.climb(12, wall_mk=200, gas_mk=60)
    assert desk.levels[2]


def test_a_pulse_of_an_unknown_valve_is_no_witness():
    desk = rested()
    desk.climb(4, wall_mk=200)
    valves = desk.app.valves
    valves.openings[0] += 1
    desk.pa += 5_000
    desk.gas_mk += 500
    desk.climb(10, wall_mk=200)
    assert desk.modes.state == SEALED
    assert not desk.levels[2]


def test_without_the_wall_the_gas_tells_and_the_pressure_confirms():
    desk = rested()
    desk.sample.faults = 4
    desk.run_s(20)
    desk.climb(20, gas_mk=200, pa=2_000)
    assert desk.modes.fault == RUNAWAY
    assert desk.levels[2]


def test_a_hot_wall_beside_gas_that_is_nearly_as_hot_empties_the_chamber():
    for celsius, gas_counts, state in ((79, 10_610, OFF), (81, 10_610, RELIEF), (81, 10_300, SEALED)):
        desk = Climbing()
        desk.sample.wall_counts = celsius * 128
        desk.sample.gas_counts = gas_counts
        desk.run_s(8)
        assert desk.modes.state == state, celsius


def test_thermometers_apart_soon_after_a_movement_are_told():
    for apart_mk, told in ((3_500, False), (4_500, True), (-4_500, True)):
        desk = rested()
        desk.wall_mk += apart_mk
        desk.climb(5)
        assert bool(desk.watches.warnings & TEMPERATURE_OFFSET) == told, apart_mk
