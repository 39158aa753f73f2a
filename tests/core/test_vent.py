"""A vent: which readings end it, and what stands in for a valve that lets nothing out."""

from desk import Desk

from regulator.control.vent import COMPLETE, IDLE, IN_PROGRESS, UNKNOWN
from regulator.modes import OFF, SEALED, VENTING
from regulator.valves.sides import VENT

AMBIENT_PA = 101_325


class Chamber(Desk):
    """A desk with gas that leaves through the vent pair and the relief, and two readings of it."""

    def __init__(self, pa=1e6, vents=True, relieves=True, vent_slew_pa_s=200_000):
        super().__init__(pa, vent_slew_pa_s=vent_slew_pa_s)
        self.true_pa = pa
        self.vents = vents
        self.relieves = relieves
        self.frozen = [0, 0]  # what a reading repeats, 0 for none
        self.offset_pa = [0, 0]
        self.lost = ()

    def pulse(self, valve, us):
        super().pulse(valve, us)
        if valve == VENT and self.levels[1] and self.vents:
            self.true_pa -= (self.true_pa - AMBIENT_PA) * min(us / 500_000, 0.6)

    def read(self, sample):
        if self.levels[2] and self.relieves:
            self.true_pa -= (self.true_pa - AMBIENT_PA) * 0.05
        self.press(*[self.frozen[i] or self.true_pa + self.offset_pa[i] for i in range(2)])
        for name in self.lost:
            setattr(self.sample, name, 0)
        super().read(sample)

    def vent(self, limit_s):
        """Vent, again if a fault sealed; return the seconds it took."""
        self.run_s(1)
        assert self.app.panel.vent(True) == ""
        for second in range(limit_s):
            self.run_s(1)
            if self.app.control.vent.state != IN_PROGRESS:
                assert self.modes.state != VENTING
                return second
            if self.modes.state == SEALED:
                assert self.app.panel.vent(True) == ""
        raise AssertionError("it did not end")


def test_a_vent_follows_its_rate_and_ends_near_ambient():
    chamber = Chamber(vent_slew_pa_s=100_000)
    took_s = chamber.vent(120)
    assert 9 <= took_s < 40
    assert chamber.app.control.vent.state == COMPLETE
    assert chamber.modes.state == OFF
    assert chamber.true_pa < AMBIENT_PA + 30_000
    assert chamber.levels == (False, False, False)


def test_a_reading_that_stands_still_ends_no_vent_and_holds_none_up():
    for index in (0, 1):
        for mpa in (1.0, 0.11):
            chamber = Chamber()
            chamber.frozen[index] = mpa * 1e6
            chamber.vent(240)
            assert chamber.true_pa < AMBIENT_PA + 50_000, (index, mpa)
            assert chamber.app.control.vent.state == COMPLETE, (index, mpa)


def test_a_reading_that_is_lost_leaves_the_other_one():
    for lost in ("control_counts", "safety_counts"):
        chamber = Chamber()
        chamber.lost = (lost,)
        chamber.vent(240)
        assert chamber.true_pa < AMBIENT_PA + 30_000, lost
        assert chamber.app.control.vent.state == COMPLETE, lost


def test_a_transducer_that_reads_ambient_too_early_ends_no_vent():
    for index in (0, 1):
        chamber = Chamber()
        chamber.offset_pa[index] = -300_000
        chamber.vent(240)
        assert chamber.app.control.vent.state == COMPLETE
        assert chamber.true_pa < AMBIENT_PA + 50_000, index


def test_one_that_reads_too_high_at_the_end_leaves_it_unknown():
    chamber = Chamber()
    chamber.offset_pa[1] = 300_000
    chamber.vent(1_000)
    assert chamber.true_pa < AMBIENT_PA + 30_000
    assert chamber.app.control.vent.state == UNKNOWN


def test_the_relief_stands_in_for_a_vent_valve_that_does_not_open():
    chamber = Chamber(vents=False)
    chamber.vent(400)
    assert chamber.app.control.vent.state == COMPLETE
    assert chamber.true_pa < AMBIENT_PA + 30_000


def test_a_vent_with_a_latched_fault_ends_in_that_state():
    chamber = Chamber()
    chamber.run_s(1)
    chamber.lost = ("control_counts",)
    chamber.run_s(1)
    assert chamber.modes.state == SEALED
    chamber.vent(240)
    assert chamber.modes.state == SEALED
    assert chamber.true_pa < AMBIENT_PA + 30_000


def test_an_aborted_vent_shuts_everything():
    chamber = Chamber(vent_slew_pa_s=50_000)
    chamber.run_s(1)
    assert chamber.app.panel.vent(True) == ""
    chamber.run_s(3)
    assert chamber.app.panel.vent(False) == ""
    chamber.run_s(0.1)
    assert chamber.app.control.vent.state == IDLE
    assert chamber.modes.state == OFF
    assert chamber.levels == (False, False, False)
    pulses = len(chamber.pulses)
    chamber.run_s(5)
    assert len(chamber.pulses) == pulses
