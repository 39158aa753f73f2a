"""The black box on a stand-in for the regulator: what a row holds, when it freezes, what a keyframe finds."""

from fakes import Part, allocated_by

from regulator.blackbox import ARMED, BITS, COLUMNS, FROZEN, ROWS, TRIGGERED, BlackBox
from regulator.measure.sensors import Sample
from regulator.settings import Settings


class Rig:
    def __init__(self):
        self.calls = []

    def pulse(self, valve, us):
        self.calls.append(("pulse", valve, us))

    def switch(self, supply_isolation, vent_isolation, relief):
        self.calls.append(("switch", supply_isolation, vent_isolation, relief))

    def safe(self):
        self.calls.append(("safe",))


class Inner:
    def __init__(self):
        self.b = 7
        self._list = [1, 2, 3]


class Keyframe:
    """Stands in for the module that copies every integer of the regulator."""

    SLOTS = 2
    NAMES_CRC = "12345678"

    def first(self, frame, app):
        frame[0] = app.inner.b

    def second(self, frame, app):
        frame[1] = app.pair[1]._list[2]


class App:
    def __init__(self):
        self.sample = Sample()
        self.settings = Settings()
        self.clock = Part()
        self.clock.uptime_s = 0
        self.clock.uptime_ms = 0
        self.modes = Part()
        self.modes.fault = 0
        self.modes.state = 1
        self.inner = Inner()
        self.pair = (Inner(), Inner())
        self.blackbox = BlackBox(Rig(), Keyframe())
        self.blackbox.watch(self)

    def tick(self, dt_ms=20, coils=True, busy=False):
        self.blackbox.record(dt_ms, coils, busy)
        if self.blackbox.half_copied:
            self.blackbox.complete()


def column(box, name):
    """The values of a column, or of a field of `bits`."""
    at = 0
    for field, width in BITS:
        if field == name:
            return [value >> at & (1 << width) - 1 for value in column(box, "bits")]
        at += width
    return next(values for each, _, values in box.blocks if each == name)


def test_every_input_of_a_tick_has_a_column():
    names = [name for name, _ in COLUMNS + BITS]
    for name in Sample().__dict__:
        assert name in names, name


def test_a_row_is_what_was_read_and_what_was_driven():
    app = App()
    box = app.blackbox
    for index, name in enumerate(Sample().__dict__):
        setattr(app.sample, name, 1 if name in ("rail_on", "tripped") else index + 1 & 7)
    app.sample.control_counts = -3
    box.switch(True, False, True)
    box.pulse(1, 300_000)
    app.modes.state = 5
    app.tick(45, True, True)
    box.safe()
    box.switch(False, False, True)
    app.tick(20, False, False)
    for name, value in app.sample.__dict__.items():
        assert column(box, name)[0] == value, name
    assert list(column(box, "dt_ms")[:2]) == [45, 20]
    assert list(column(box, "pulse_us")[:2]) == [-300_000, 0]
    assert list(column(box, "levels")[:2]) == [1 | 4 | 16, 8 | 4]
    assert list(column(box, "busy")[:2]) == [1, 0]
    assert column(box, "state")[0] == 5
    assert box._rig.calls == [
        ("switch", True, False, True),
        ("pulse", 1, 300_000),
        ("safe",),
        ("switch", False, False, True),
    ]


def test_a_trip_freezes_a_second_later_and_is_kept():
    app = App()
    box = app.blackbox
    for tick in range(ROWS + 30):
        app.sample.control_counts = tick
        app.tick()
    app.modes.fault = 3
    app.sample.control_counts = 9_000
    app.tick()
    assert box.state == TRIGGERED and box.fault == 3
    for _ in range(49):
        assert box.state == TRIGGERED
        app.tick()
    assert box.state == FROZEN
    assert box.age(box.trip_number) == 49
    at = (box.oldest() + ROWS - 50) % ROWS
    assert column(box, "control_counts")[at] == 9_000
    assert column(box, "control_counts")[at - 1] == ROWS + 29
    # A later trip does not take its place, and an acknowledged one does not go.
    app.modes.fault = 0
    app.tick()
    app.modes.fault = 1
    for _ in range(200):
        app.tick()
    assert (box.state, box.fault, box.missed, box.age(box.trip_number)) == (FROZEN, 3, 1, 49)
    box.arm()
    assert (box.state, box.count, box.requests) == (ARMED, 0, [])
    app.tick()
    assert box.state == ARMED, "a fault that is latched already is no new trip"


def test_keyframes_hold_what_the_objects_held_at_the_end_of_one_tick():
    app = App()
    box = app.blackbox
    for tick in range(ROWS + 100):
        app.inner.b = tick
        app.pair[1]._list[2] = tick
        app.tick()
    ages = [box.age(number) for number in box.keyframe_numbers]
    assert len([age for age in ages if age < ROWS]) == 2 and max(ages) >= ROWS // 2 - 2
    for slot, number in enumerate(box.keyframe_numbers):
        assert list(column(box, f"keyframe{slot}")) == [number, number]


def test_a_served_line_puts_a_keyframe_off_but_not_for_long():
    app = App()
    box = app.blackbox
    app.tick(busy=True)
    assert box.keyframe_numbers[0] == -1
    for _ in range(40):
        app.tick(busy=True)
    assert box.keyframe_numbers[0] >= 0


def test_a_full_tick_puts_a_keyframe_off_by_one():
    numbers = []
    for waits in (False, True):
        app = App()
        box = app.blackbox
        app.tick()
        while box.keyframe_numbers[1] == -1:
            if waits and box.number == numbers[0]:
                box.wait()
            app.tick()
        numbers.append(box.keyframe_numbers[1])
    assert numbers[1] == numbers[0] + 1


def test_requests_are_kept_with_what_they_changed_and_the_oldest_gives_way():
    app = App()
    box = app.blackbox
    app.tick()
    app.settings.set("trip_pa", 6_100_000)
    box.note(':SYST:SETT "trip_pa",6100000')
    assert box.requests == [(1, '"trip_pa" 6000000'), (1, ':SYST:SETT "trip_pa",6100000')]
    assert box.lost_number == -1
    for _ in range(30):
        app.tick()
        box.note(":SOUR:PRES:LEV:IMM:AMPL " + "0" * 50)
    assert sum(len(text) for _, text in box.requests) < 1000
    assert box.lost_number >= 1
    assert box.requests[-1][0] == 31


def test_recording_takes_no_memory():
    app = App()
    box = app.blackbox

    class Silent:
        def pulse(self, valve, us):
            pass

        def switch(self, supply_isolation, vent_isolation, relief):
            pass

    box._rig = Silent()

    def tick():
        box.switch(True, False, False)
        box.pulse(0, 7_000)
        app.tick()

    assert allocated_by(tick, ROWS) == 0
    assert max(box.keyframe_numbers) > 200


def test_rows_are_numbered_beyond_every_wrap():
    app = App()
    box = app.blackbox
    box.number = ROWS * 900_000 - 60
    for tick in range(120):
        app.inner.b = tick
        app.tick()
    assert box.number == 60
    assert [box.age(number) if number >= 0 else -1 for number in box.keyframe_numbers[:2]] == [119, -1]
    assert box.number < 1 << 30
