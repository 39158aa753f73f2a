"""The order of a tick under a host that leaves it no time."""

from desk import Desk


class Ticks:
    """Notes which ticks served the line and which collected memory."""

    def __init__(self, desk):
        self.desk = desk
        self.collected = False
        desk.collect = self.collect

    def collect(self):
        self.collected = True

    def run(self, count, message=b""):
        told = []
        for _ in range(count):
            self.collected = False
            if message:
                self.desk.serial.incoming += message
            self.desk.app.tick()
            told.append((self.desk.app.server.busy, self.collected))
        return told


def test_a_tick_that_collects_serves_nobody_and_neither_does_the_late_one_after_it():
    desk = Desk()
    desk.run_s(1)
    ticks = Ticks(desk)
    told = ticks.run(200, b"*OPC?\n")
    assert (True, True) not in told
    collected = [index for index, (_, collects) in enumerate(told) if collects]
    assert len(collected) == 200 // 22
    for index in collected:
        assert told[index : index + 3] == [(False, True), (False, False), (True, False)]


def test_memory_is_collected_in_the_first_quiet_tick_after_some_that_served():
    desk = Desk()
    desk.run_s(1)
    ticks = Ticks(desk)
    ticks.run(1)
    assert not any(collects for _, collects in ticks.run(9, b"*OPC?\n"))
    told = ticks.run(50)
    assert [collects for _, collects in told].count(True) == 1
    assert (False, True) in told


def test_no_tick_collects_that_wrote_or_has_a_coil_on():
    desk = Desk(slew_linear=0)
    ticks = Ticks(desk)
    desk.app.panel.set_target(5_000_000)
    desk.app.panel.output(True)
    counts = [0] * 4
    for index in range(1500):
        desk.press(4.7e6 if index % 200 < 100 else 5.0e6)
        before = (desk.app.store.writes, desk.app.saving)
        ((served, collected),) = ticks.run(1, b":SOUR:SLEW %d KPA\n" % (index + 10) if not index % 7 else b"")
        wrote = (desk.app.store.writes, desk.app.saving) != before
        on = any(desk.levels)
        assert not collected or not (served or wrote or on)
        counts = [count + each for count, each in zip(counts, (collected, served, wrote, on))]
    assert min(counts) > 2, counts


def test_what_came_while_the_line_was_not_served_is_answered():
    desk = Desk()
    desk.run_s(1)
    ticks = Ticks(desk)
    ticks.run(44, b"*OPC?\n")
    ticks.run(50)
    assert desk.serial.sent.count(b"1\r\n") == 44


def test_a_rail_is_cut_before_anything_is_written():
    desk = Desk()
    desk.run_s(120)
    writes = desk.flash.writes
    desk.sample.coil_shorted = 16
    while desk.fed[-1]:
        desk.app.tick()
    assert desk.modes.fault_name == "COIL_SHORTED"
    assert desk.flash.writes == writes
    desk.run_s(1)
    assert desk.flash.writes > writes


def test_nothing_stands_between_the_two_samples_of_an_over_pressure():
    for flooded in range(30):
        desk = Desk()
        desk.run_s(5)
        ticks = Ticks(desk)
        ticks.run(flooded, b"*OPC?\n")
        # A write is waiting, too.
        desk.app.record.due = True
        writes = desk.flash.writes
        desk.press(6.3e6)
        assert ticks.run(1, b"*OPC?\n" if flooded % 2 else b"") == [(False, False)]
        assert desk.flash.writes == writes
        ticks.run(1, b"*OPC?\n")
        assert desk.modes.fault_name == "OVERPRESSURE"
        assert desk.levels[2]
