"""Proof of single valves: alone, bounded, from OFF or at a start of regulation, and cut short by anything else."""

from desk import Desk

from regulator.faults import PAIR_OPEN
from regulator.modes import OFF, REGULATE, SEALED
from regulator.valves.sides import FILL, VENT
from regulator.watch.proof import ABORTED, BLOCKED, OPEN, PASSES, RESULTS, RUNNING, TIGHT, UNPROVED

FILL_VALVE, VENT_VALVE, SUPPLY_ISOLATION, VENT_ISOLATION, RELIEF_VALVE = range(5)


class Chamber(Desk):
    """A chamber whose pressure moves by so much a tick while the named valves are all open."""

    def __init__(self, pa=5e6, stuck=(), **settings):
        super().__init__(pa, **settings)
        self.pa = pa
        self.stuck = stuck
        self.left_ms = [0, 0]
        self.seen = 0
        self.alone = True

    def wait_tick(self):
        for side, us in self.pulses[self.seen :]:
            self.left_ms[side] = us // 1000
        self.seen = len(self.pulses)
        open_now = (self.left_ms[0] > 0, self.left_ms[1] > 0, self.levels[0], self.levels[1])
        if self.watches.proof.active and sum([1 if valve else 0 for valve in open_now]) > 1:
            self.alone = False
        fill, vent, supply_isolation, vent_isolation = [
            is_open or number in (self.stuck or ()) for number, is_open in enumerate(open_now)
        ]
        if fill and supply_isolation:
            self.pa += 5_000
        if vent and vent_isolation:
            self.pa -= 5_000
        if self.levels[2] and RELIEF_VALVE not in (self.stuck or ()):
            self.pa -= 20_000
        for side in (FILL, VENT):
            self.left_ms[side] = max(0, self.left_ms[side] - 20)
        self.press(self.pa)
        if self.stuck is None:
            self.sample.control_counts = 0
        return 20

    def safe(self):
        super().safe()
        self.left_ms = [0, 0]


def proved(desk, valve, ms=200, limit_s=20):
    assert desk.app.panel.prove(valve, ms) == ""
    assert desk.watches.proof.results[valve] == RUNNING
    desk.run_s(limit_s)
    assert not desk.watches.proof.active
    assert desk.levels == (False, False, False)
    return desk.watches.proof.results[valve]


def test_tight_valves_are_proved_tight():
    desk = Chamber()
    desk.run_s(1)
    for valve in (FILL_VALVE, VENT_VALVE, SUPPLY_ISOLATION, VENT_ISOLATION):
        assert proved(desk, valve) == TIGHT
        assert desk.watches.proof.open_ms[valve] == 200
    assert desk.alone
    assert [side for side, _ in desk.pulses] == [FILL, VENT]
    assert desk.modes.fault == 0
    assert not desk.watches.warnings & PAIR_OPEN


def test_a_stuck_valve_is_found_by_opening_its_partner():
    for stuck in (FILL_VALVE, VENT_VALVE, SUPPLY_ISOLATION, VENT_ISOLATION):
        desk = Chamber(stuck=(stuck,))
        desk.run_s(1)
        assert proved(desk, stuck) == OPEN, stuck
        assert abs(desk.watches.proof.moved_pa[stuck]) >= 40_000
        assert desk.watches.warnings & PAIR_OPEN
        assert desk.modes.state == OFF


class Trapped(Chamber):
    """The same with volumes between the valves that take or give `trap_pa` of the chamber once, until they change."""

    trap_pa = 10_000

    def __init__(self, *args, **settings):
        super().__init__(*args, **settings)
        self.has_supply = True
        self.has_room = True

    def wait_tick(self):
        ms = super().wait_tick()
        if self.levels[0]:
            self.has_supply = True
        if self.levels[1]:
            self.has_room = True
        if self.left_ms[FILL] > 0 and self.has_supply:
            self.has_supply = False
            self.pa += self.trap_pa
        if self.left_ms[VENT] > 0 and self.has_room:
            self.has_room = False
            self.pa -= self.trap_pa
        return ms


def until_proved(desk):
    """Regulate until no pair valve waits for a proof."""
    desk.regulate()
    for _ in range(200):
        if not desk.watches.proof.pending and not desk.watches.proof.active:
            return
        desk.run_s(20)
    raise AssertionError("a valve still waits for a proof")


def test_a_large_volume_between_the_valves_is_no_open_valve():
    desk = Trapped()
    until_proved(desk)
    assert desk.watches.proof.results[:4] == [TIGHT] * 4
    assert not desk.has_room
    assert not desk.watches.warnings & PAIR_OPEN
    assert desk.modes.state == REGULATE


class Narrow(Chamber):
    """A chamber with a volume between the vent valves that takes half of what is left of it with each pulse."""

    left_pa = 80_000.0
    shut = True

    def wait_tick(self):
        if self.left_ms[VENT] > 0 and self.shut:
            self.left_pa /= 2
            self.pa -= self.left_pa
        self.shut = self.left_ms[VENT] <= 0
        return super().wait_tick()


def test_a_volume_that_empties_by_and_by_is_no_open_valve():
    desk = Narrow()
    until_proved(desk)
    assert desk.watches.proof.results[VENT_ISOLATION] == TIGHT
    assert not desk.watches.warnings & PAIR_OPEN


class Traced(Trapped):
    """The same, with the lowest and the highest pressure so far."""

    lowest = highest = 5e6

    def wait_tick(self):
        ms = super().wait_tick()
        self.lowest, self.highest = min(self.lowest, self.pa), max(self.highest, self.pa)
        return ms


def test_the_vents_volume_takes_gas_before_the_supplys_gives_some():
    desk = Traced()
    until_proved(desk)
    assert (desk.lowest, desk.highest) == (5e6 - desk.trap_pa, 5e6)


def test_no_proof_lets_much_pass():
    desk = Chamber(stuck=(FILL_VALVE,))
    desk.run_s(1)
    assert proved(desk, FILL_VALVE, 60_000, 5) == OPEN
    assert desk.pa - 5e6 <= 65_000
    desk = Chamber(stuck=(SUPPLY_ISOLATION,))
    desk.run_s(1)
    assert proved(desk, SUPPLY_ISOLATION, 60_000, 5) == OPEN
    assert desk.pa - 5e6 <= 65_000


def test_a_long_proof_holds_its_valve_for_its_time():
    desk = Chamber()
    desk.run_s(1)
    assert proved(desk, VENT_VALVE, 5_000) == TIGHT
    assert desk.watches.proof.open_ms[VENT_VALVE] == 5_000
    assert proved(desk, VENT_ISOLATION, 3_000) == TIGHT
    assert len(desk.pulses) == 10
    assert max([us for _, us in desk.pulses]) <= 300_000


def test_the_relief_path_passes_or_is_blocked():
    desk = Chamber()
    desk.run_s(1)
    assert proved(desk, RELIEF_VALVE, 40) == PASSES
    desk = Chamber(stuck=(RELIEF_VALVE,))
    desk.run_s(1)
    assert proved(desk, RELIEF_VALVE, 100) == BLOCKED


def test_a_proof_is_refused_outside_of_off():
    desk = Chamber()
    desk.run_s(1)
    assert desk.app.panel.prove(FILL_VALVE, 60_001) != ""
    assert desk.app.panel.prove(RELIEF_VALVE, 1_001) != ""
    assert desk.app.panel.prove(FILL_VALVE, 5_000) == ""
    assert desk.app.panel.prove(VENT_VALVE, 200) != ""
    desk.app.panel.set_target(5_000_000)
    assert "proof" in desk.app.panel.output(True)
    assert desk.app.panel.output(False) == ""
    assert desk.watches.proof.results[FILL_VALVE] == ABORTED
    desk.regulate()
    assert desk.app.panel.prove(FILL_VALVE, 200) != ""


def test_a_fault_a_vent_and_a_lost_transducer_end_a_proof_at_once():
    for end in ("fault", "vent", "transducer"):
        desk = Chamber()
        desk.run_s(1)
        desk.app.panel.prove(VENT_ISOLATION, 60_000)
        desk.run_s(1)
        if end == "fault":
            desk.sample.rail_on = 0
        elif end == "vent":
            assert desk.app.panel.vent(True) == ""
        else:
            desk.stuck = None
        desk.run_s(0.06)
        assert not desk.watches.proof.active, end
        assert desk.watches.proof.results[VENT_ISOLATION] == ABORTED
        assert desk.left_ms == [0, 0]


def test_every_start_of_regulation_proves_all_four_and_every_day_again():
    desk = Chamber()
    desk.regulate()
    assert desk.watches.proof.results[:4] == [TIGHT] * 4
    assert desk.alone
    assert desk.watches.proof.pending == 0
    desk.watches.proof.results[:4] = [UNPROVED] * 4
    desk.watches.proof._asked_s -= 24 * 3600 - 20
    desk.run_s(10)
    assert desk.watches.proof.results[:4] == [UNPROVED] * 4
    # At rest again after the first proofs.
    desk.run_s(120)
    assert desk.watches.proof.results[:4] == [TIGHT] * 4
    assert desk.modes.state == REGULATE


def test_a_stuck_valve_of_a_pair_is_a_notice_and_regulation_goes_on():
    desk = Chamber(stuck=(VENT_ISOLATION,))
    until_proved(desk)
    assert desk.watches.proof.results[VENT_ISOLATION] == OPEN
    assert desk.watches.warnings & PAIR_OPEN
    assert desk.modes.state == REGULATE


def test_a_side_without_pressure_across_it_is_proved_once_it_has_some():
    desk = Chamber(0.2e6)
    desk.app.panel.set_target(200_000)
    desk.app.panel.output(True)
    desk.run_s(12)
    assert desk.watches.proof.results == [TIGHT, UNPROVED, TIGHT, UNPROVED, UNPROVED]
    desk.pa = 5e6
    desk.app.control.target_pa = 5_000_000
    desk.app.control.ramp_pa = 5_000_000
    desk.watches.tightness.fault = 0
    # The gas must have come to rest after that jump.
    for _ in range(6000):
        desk.watches.tightness._shut_ms = 0
        desk.app.tick()
    assert desk.watches.proof.results[:4] == [TIGHT] * 4


def test_the_line_tells_of_proofs():
    desk = Chamber(stuck=(VENT_VALVE,))
    desk.run_s(1)
    desk.serial.incoming = b":DIAG:VALV2:PRO 0.1\n"
    desk.run_s(3)
    desk.serial.incoming = b":DIAG:VALV2:PRO?\n"
    desk.run_s(0.2)
    name, moved_pa, ms = desk.serial.sent.decode().strip().split(",")
    assert (name, ms) == (RESULTS[OPEN], "100")
    assert int(moved_pa) < -20_000
    desk.serial.incoming = b":DIAG:VALV6:PRO?\n"
    desk.run_s(0.2)
    desk.serial.incoming = b":SYST:ERR?\n"
    desk.run_s(0.2)
    assert "-114" in desk.serial.sent.decode()


def test_a_sealed_chamber_is_not_proved():
    desk = Chamber()
    desk.run_s(1)
    desk.modes.trip(1, 0)
    assert desk.modes.state == SEALED
    assert desk.app.panel.prove(FILL_VALVE, 200) != ""


def test_a_proof_by_command_decides_at_once_also_after_those_of_a_start():
    for stuck in (SUPPLY_ISOLATION, VENT_ISOLATION):
        desk = Chamber()
        until_proved(desk)
        assert desk.app.panel.output(False) == ""
        desk.run_s(2)
        desk.stuck = (stuck,)
        assert proved(desk, stuck) == OPEN, stuck
        assert desk.watches.proof.pending == 0
