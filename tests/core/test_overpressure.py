"""Over-pressure at the outputs: which reading opens and shuts the relief, the vent pair, and the test bleed."""

from desk import Desk

from regulator.faults import COMPARATOR_TRIPPED, NO_FAULT, RELIEF_BLOCKED, RUNAWAY
from regulator.modes import OFF, RELIEF, SEALED
from regulator.valves.sides import VENT

SHUT = (False, False, False)
RELIEF_OPEN = (False, False, True)
BOTH_OPEN = (False, True, True)


def relieving(pa=6.2e6, **settings):
    """A desk whose relief is open, because both transducers are over the trip."""
    desk = Desk(**settings)
    desk.run_s(1)
    desk.press(pa)
    desk.run_s(0.06)
    assert desk.modes.state == RELIEF
    assert desk.levels == RELIEF_OPEN
    return desk


def test_one_sample_over_the_trip_delays_nothing_afterwards():
    desk = Desk()
    desk.run_s(5)
    desk.press(6.2e6)
    desk.app.tick()
    desk.press(5e6)
    desk.run_s(1)
    writes = desk.flash.writes
    assert desk.app.panel.set_target(4_000_000) == ""
    desk.run_s(1)
    assert desk.flash.writes > writes


def test_a_reading_that_is_no_longer_one_does_not_keep_the_relief_open():
    for lost in ("control_counts", "safety_counts"):
        desk = relieving()
        desk.press(5.7e6)
        setattr(desk.sample, lost, 0)
        desk.run_s(0.04)
        assert desk.levels == SHUT, lost


def test_without_any_reading_the_comparator_opens_and_shuts_the_relief():
    desk = Desk()
    desk.run_s(1)
    desk.sample.control_counts = desk.sample.safety_counts = 0
    desk.run_s(0.5)
    assert desk.modes.state == SEALED
    assert desk.levels == SHUT
    desk.sample.tripped = 1
    desk.run_s(0.1)
    assert desk.levels == RELIEF_OPEN
    desk.sample.tripped = 0
    desk.run_s(0.04)
    assert desk.levels == SHUT


def test_the_comparator_beside_two_readings_below_the_trip_lets_nothing_out():
    desk = Desk()
    desk.run_s(1)
    desk.sample.tripped = 1
    desk.run_s(10)
    assert desk.modes.fault == COMPARATOR_TRIPPED
    assert desk.modes.state == SEALED
    assert desk.levels == SHUT
    assert not desk.pulses


def test_the_vent_pair_opens_too_where_nothing_falls_for_two_seconds():
    desk = relieving()
    desk.run_s(1.8)
    assert desk.levels == RELIEF_OPEN
    assert not desk.watches.warnings & RELIEF_BLOCKED
    desk.run_s(0.3)
    assert desk.levels == BOTH_OPEN
    assert desk.watches.warnings & RELIEF_BLOCKED
    desk.run_s(1)
    assert {side for side, _ in desk.pulses} == {VENT}
    desk.press(5.7e6)
    desk.run_s(0.04)
    assert desk.levels == SHUT


def test_a_reading_that_falls_is_relief_enough():
    for follows in ("both", "control", "safety"):
        desk = relieving(6.6e6)
        for tick in range(300):
            # 40 kPa in each 2 s.
            pa = 6.6e6 - 400 * tick
            desk.press(pa if follows != "safety" else 6.6e6, pa if follows != "control" else 6.6e6)
            desk.app.tick()
        assert desk.levels == RELIEF_OPEN, follows
        assert not desk.watches.warnings & RELIEF_BLOCKED, follows


def test_a_slower_fall_is_none():
    desk = relieving(6.6e6)
    for tick in range(105):
        desk.press(6.6e6 - 200 * tick)
        desk.app.tick()
    assert desk.levels == BOTH_OPEN


def test_a_relief_that_stops_helping_is_noticed_within_two_periods():
    desk = relieving(6.6e6)
    desk.press(6.55e6)
    desk.run_s(3.8)
    assert desk.levels == RELIEF_OPEN
    desk.run_s(0.4)
    assert desk.levels == BOTH_OPEN


def test_a_relief_that_opens_again_is_judged_anew():
    desk = relieving()
    for _ in range(3):
        desk.run_s(1.5)
        assert desk.levels == RELIEF_OPEN
        desk.press(5.7e6)
        desk.run_s(0.1)
        assert desk.levels == SHUT
        desk.press(6.2e6)
        desk.run_s(0.1)


def press_one(desk, still, pa, still_pa):
    """One transducer reads `pa`, the other one (0 control, 1 safety) stands still."""
    desk.press(still_pa if still == 0 else pa, still_pa if still == 1 else pa)


def test_a_reading_that_stands_still_over_the_trip_neither_holds_the_relief_open_nor_opens_it_again():
    for still in (0, 1):
        desk = relieving()
        for tick in range(60):
            pa = 6.2e6 - 10_000 * tick
            press_one(desk, still, pa, 6.2e6)
            desk.app.tick()
        assert desk.levels == SHUT, still
        desk.run_s(10)
        assert desk.levels == SHUT, still
        # The one that follows still opens it.
        press_one(desk, still, 6.25e6, 6.2e6)
        desk.run_s(0.2)
        assert desk.levels == RELIEF_OPEN, still


def test_of_two_transducers_the_one_that_still_measures_shuts_the_relief():
    for lost in ("control_counts", "safety_counts"):
        desk = relieving()
        setattr(desk.sample, lost, 0)
        desk.run_s(1)
        lost_counts = desk.sample.control_counts if lost == "control_counts" else desk.sample.safety_counts
        assert lost_counts == 0
        desk.press(5.81e6)
        setattr(desk.sample, lost, 0)
        # Past the end of a period of 2 s, so that the fall from here on is too small to show what follows.
        desk.run_s(1.2)
        assert desk.levels == RELIEF_OPEN, lost
        desk.press(5.79e6)
        setattr(desk.sample, lost, 0)
        desk.run_s(0.04)
        assert desk.levels == SHUT, lost


def test_an_emptied_chamber_is_not_emptied_again_for_a_reading_that_stood_still():
    for still in (0, 1):
        desk = Desk(runaway_relief=1)
        desk.sample.wall_counts = 84 * 128
        desk.sample.gas_counts = 10_600
        desk.run_s(70)
        assert desk.levels == RELIEF_OPEN
        for tick in range(100):
            pa = max(5e6 - 100_000 * tick, 0.12e6)
            press_one(desk, still, pa, 5e6)
            desk.app.tick()
        assert desk.levels == SHUT, still
        desk.run_s(5)
        assert desk.levels == SHUT, still
        # The heat makes new pressure.
        press_one(desk, still, 0.3e6, 5e6)
        desk.run_s(0.1)
        assert desk.levels == RELIEF_OPEN, still


def test_no_save_begins_while_either_reading_rises_towards_the_trip():
    for rises in ((1, 1), (1, 0), (0, 1)):
        desk = Desk(5.55e6)
        desk.run_s(5)
        for ticks, waits in ((10, True), (100, False)):
            writes = desk.flash.writes
            for tick in range(ticks):
                # 5 kPa a tick: 40 kPa in eight, so the trip is nearer than three times that.
                pa = 5.85e6 + 5_000 * tick if waits else 5.55e6
                desk.press(pa if rises[0] else 5.8e6, pa if rises[1] else 5.8e6)
                desk.app.tick()
                if tick == (8 if waits else 50):
                    desk.app.record.note_change()
                    writes = desk.flash.writes
            assert (desk.flash.writes == writes) == waits, rises


def test_after_an_acknowledged_runaway_a_relief_keeps_the_rest_of_the_gas():
    desk = Desk(runaway_relief=1)
    desk.sample.wall_counts = 84 * 128
    desk.sample.gas_counts = 10_600
    desk.run_s(70)
    assert desk.modes.fault == RUNAWAY
    assert desk.levels == RELIEF_OPEN
    desk.press(0.12e6)
    desk.run_s(1)
    assert desk.levels == SHUT
    desk.sample.wall_counts = 30 * 128
    desk.sample.gas_counts = 9148
    desk.run_s(10)
    assert desk.app.panel.acknowledge() == ""
    desk.press(6.2e6)
    desk.run_s(0.1)
    assert desk.levels == RELIEF_OPEN
    desk.press(5.7e6)
    desk.run_s(0.1)
    assert desk.levels == SHUT


class Bled(Desk):
    """A desk whose vent pulses move one reading, both or none, and whose relief does likewise."""

    def __init__(self, control=0, safety=0, step_pa=25_000, **settings):
        super().__init__(**settings)
        self.moves = (control, safety)
        self.step_pa = step_pa
        self.readings = [5_000_000, 6_700_000]

    def start(self):
        self.run_s(1)
        self.press(*self.readings)

    def pulse(self, valve, us):
        super().pulse(valve, us)
        self._fall(self.step_pa)

    def read(self, sample):
        if self.levels[2]:
            self._fall(10_000)
        super().read(sample)

    def _fall(self, pa):
        for index in range(2):
            self.readings[index] -= pa * self.moves[index]
        self.press(*self.readings)


def test_a_safety_transducer_alone_over_the_comparator_is_believed_if_it_alone_follows_a_bleed():
    desk = Bled(safety=1)
    desk.start()
    desk.run_s(0.8)
    assert desk.modes.state == SEALED
    assert not desk.pulses
    desk.run_s(8)
    assert len(desk.pulses) == 1
    assert desk.modes.state == RELIEF
    assert desk.readings[1] < 5_850_000, "down to below the trip"
    assert desk.readings[1] > 5_700_000, "and no further"
    assert desk.levels == SHUT


def test_a_control_transducer_that_follows_the_bleed_denies_it():
    for safety in (0, 1):
        desk = Bled(control=1, safety=safety)
        desk.start()
        desk.run_s(30)
        assert desk.modes.state == SEALED
        assert len(desk.pulses) == 1
        assert 6_700_000 >= desk.readings[1] >= 6_650_000


def test_where_neither_follows_four_bleeds_decide():
    desk = Bled()
    desk.start()
    bleeds = 0
    for _ in range(18 * 50):
        desk.app.tick()
        if desk.modes.state == SEALED:
            bleeds = len(desk.pulses)
    assert bleeds == 4
    # The relief does not help either, so the vent pair opens, too.
    assert desk.modes.state == RELIEF
    assert desk.levels[2]
    assert desk.watches.warnings & RELIEF_BLOCKED


def test_no_bleed_below_the_comparator_nor_without_the_rail_nor_in_off():
    for readings, rail in (((5e6, 6.4e6), 1), ((5e6, 6.7e6), 0)):
        desk = Bled(safety=1)
        desk.readings = list(readings)
        desk.start()
        if not rail:
            desk.sample.coil_shorted = 1
        desk.run_s(20)
        assert desk.modes.state == SEALED
        assert not desk.pulses, readings


def test_a_proof_by_a_bleed_is_forgotten_with_an_acknowledge():
    desk = Bled(safety=1)
    desk.start()
    desk.run_s(10)
    assert desk.modes.state == RELIEF
    # The control transducer has been repaired: what stood still has moved.
    desk.press(4.9e6)
    desk.run_s(5)
    assert desk.app.panel.acknowledge() == ""
    assert (desk.modes.state, desk.modes.fault) == (OFF, NO_FAULT)
    # Over the trip, and below the comparator: a disagreement.
    desk.press(4.9e6, 6.3e6)
    desk.run_s(5)
    assert desk.modes.state == SEALED
    assert desk.levels == SHUT


def test_a_safety_transducer_that_is_seldom_over_the_comparator_for_long_is_never_asked():
    desk = Bled(safety=1)
    desk.run_s(5)
    for _ in range(20):
        desk.press(5e6, 6.7e6)
        desk.run_s(0.9)
        desk.press(5e6, 5.5e6)
        desk.run_s(1)
    assert not desk.pulses
