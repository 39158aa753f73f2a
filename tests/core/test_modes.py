from chamber import RecordingRig, ads_counts, filled_sample

from regulator.app import Clock
from regulator.control.controller import Control
from regulator.faults import (
    CONTROL_OPEN,
    CONTROL_RANGE,
    CONTROL_SHORTED,
    DISAGREEMENT,
    FAULTS,
    FILL_STUCK_OPEN,
    NO_FAULT,
    OVERPRESSURE,
    SAFETY_FAILED,
    SAFETY_TRANSDUCER,
    sentence,
)
from regulator.measure.sensors import Sensors
from regulator.modes import OFF, QUIET, REGULATE, RELIEF, SEALED, TABLE, VENTING, Modes
from regulator.outputs import Outputs
from regulator.settings import Settings
from regulator.valves.heat import Heat
from regulator.valves.sides import FILL, VENT
from regulator.valves.window import Valves
from regulator.watch.watches import Watches

TICK_MS = 20


class Watched:
    """Sensors and safety, tick by tick."""

    def __init__(self, state=REGULATE, **values):
        self.settings = Settings()
        for name, value in values.items():
            assert self.settings.set(name, value) == ""
        self.sensors = Sensors(self.settings)
        heat = Heat()
        self.clock = Clock()
        self.valves = Valves(self.settings, self.sensors, heat)
        self.watches = Watches(self.settings, self.sensors, self.valves, heat)
        self.control = Control(self.settings, self.sensors, self.valves)
        self.modes = Modes(self.settings, self.watches, self.control, self.clock)
        self.outputs = Outputs(self.modes, self.watches, self.valves, self.sensors)
        self.rig = RecordingRig()
        self.ms = 0
        for _ in range(20):
            self.tick(filled_sample(5e6))
        self.modes.state = state

    def tick(self, sample):
        self.ms += TICK_MS
        self.clock.uptime_s = self.ms // 1000
        self.clock.uptime_ms = self.ms % 1000
        self.sensors.update(sample, TICK_MS)
        self.watches.check(sample, TICK_MS, self.modes)
        self.modes.judge(sample.tripped, TICK_MS)
        self.outputs.drive(self.rig)

    def until_fault(self, sample, limit_ms):
        """Return the ms until a fault latches."""
        start = self.ms
        while not self.modes.fault:
            assert self.ms - start < limit_ms, f"no fault within {limit_ms} ms"
            self.tick(sample)
        return self.ms - start


def control_current(milliampere):
    sample = filled_sample(5e6)
    sample.control_counts = ads_counts(milliampere)
    return sample


def test_control_transducer_open_shorted_and_out_of_range():
    for state in (OFF, REGULATE, QUIET, VENTING):
        for current, fault, within_ms in (
            (0.0, CONTROL_OPEN, 200),
            (3.5, CONTROL_OPEN, 200),
            (21.5, CONTROL_SHORTED, 200),
            (3.7, CONTROL_RANGE, 1000),
        ):
            w = Watched(state)
            assert w.until_fault(control_current(current), within_ms) <= within_ms
            assert w.modes.fault == fault
            assert w.modes.state == SEALED


def test_a_short_drop_out_trips_nothing():
    w = Watched()
    for _ in range(200):
        for _ in range(3):
            w.tick(control_current(0))
        w.tick(filled_sample(5e6))
    assert w.modes.fault == NO_FAULT


def test_disagreement_seals_within_a_second():
    w = Watched()
    assert w.until_fault(filled_sample(5e6, safety_pa=5.2e6), 1000) <= 1000
    assert w.modes.fault == DISAGREEMENT
    assert w.modes.state == SEALED
    assert abs(w.modes.fault_value + 200_000) < 2_000


def test_transducers_within_their_tolerances_agree():
    w = Watched()
    for _ in range(500):
        w.tick(filled_sample(5e6, safety_pa=5.14e6))
    assert w.modes.fault == NO_FAULT


def test_over_pressure_on_both_opens_the_relief_with_the_second_sample():
    for state in (OFF, REGULATE, QUIET, VENTING, SEALED):
        w = Watched(state)
        w.tick(filled_sample(6.1e6))
        assert not w.rig.levels[2]
        w.tick(filled_sample(6.1e6))
        assert w.rig.levels == (False, False, True), state
        assert w.modes.fault == OVERPRESSURE
        assert w.modes.state == RELIEF


def test_one_wild_sample_of_both_opens_nothing():
    w = Watched()
    for _ in range(50):
        w.tick(filled_sample(9e6))
        w.tick(filled_sample(5e6))
        assert not w.rig.levels[2]


def test_one_high_transducer_alone_is_a_disagreement():
    for control_pa, safety_pa in ((6.3e6, 5e6), (5e6, 6.3e6)):
        w = Watched()
        w.until_fault(filled_sample(control_pa, safety_pa=safety_pa), 1000)
        assert w.modes.fault == DISAGREEMENT
        assert not w.rig.levels[2]


def test_one_high_transducer_while_the_other_rises_is_over_pressure():
    w = Watched()
    # The safety transducer lags by half a second, but it follows.
    pa, lagging = 5.0e6, 5.0e6
    while pa < 6.4e6:
        pa += 40_000
        lagging += (pa - lagging) * 0.02 / 0.5
        w.tick(filled_sample(pa, safety_pa=lagging))
    assert lagging < 5.7e6
    assert w.modes.fault in (OVERPRESSURE, DISAGREEMENT, FILL_STUCK_OPEN)
    assert w.rig.levels[2], "the relief opens although the first cause was another"


def test_a_high_transducer_is_a_disagreement_while_the_other_rises_far_below():
    for high, low in ((8.0e6, 3.0e6), (6.2e6, 5.2e6)):
        for phase in range(8):
            w = Watched()
            for tick in range(100):
                # A ramp of 0.1 MPa/s in steps of 30 kPa; one transducer jumps in between.
                pa = low + 30_000 * ((tick + phase) // 15)
                w.tick(filled_sample(high if tick > 40 else pa, safety_pa=pa))
                assert not w.rig.levels[2], (high, phase, tick)
            assert w.modes.state == SEALED


def test_one_high_transducer_while_the_other_is_invalid_is_over_pressure():
    w = Watched()
    sample = filled_sample(6.2e6)
    sample.safety_counts = 0
    assert w.until_fault(sample, 100) <= 60
    assert w.modes.fault == OVERPRESSURE
    w = Watched()
    sample = filled_sample(6.2e6)
    sample.control_counts = 0
    assert w.until_fault(sample, 100) <= 60
    assert w.modes.fault == OVERPRESSURE


def test_the_relief_shuts_below_the_trip_and_stays_latched():
    w = Watched()
    for pa in (6.1e6, 6.1e6, 5.9e6):
        w.tick(filled_sample(pa))
    assert w.rig.levels[2]
    assert w.modes.acknowledge() != ""
    w.tick(filled_sample(5.7e6))
    assert not w.rig.levels[2]
    assert w.modes.state == RELIEF
    for _ in range(2):
        w.tick(filled_sample(6.1e6))
    assert w.rig.levels[2], "a second rise opens it again"


def test_the_relief_empties_the_chamber_if_so_configured():
    w = Watched(relief_to_ambient=1)
    for pa in (6.1e6, 6.1e6, 5.0e6, 1.0e6, 0.3e6):
        w.tick(filled_sample(pa))
    assert w.rig.levels[2]
    w.tick(filled_sample(0.12e6))
    assert not w.rig.levels[2]


def test_the_first_cause_stays_with_its_value_and_time():
    w = Watched()
    w.until_fault(control_current(0), 200)
    first = (w.modes.fault, w.modes.fault_value, w.modes.fault_s, w.modes.fault_ms)
    for _ in range(5):
        sample = filled_sample(6.5e6)
        sample.control_counts = 0
        w.tick(sample)
    assert w.modes.state == RELIEF
    assert (w.modes.fault, w.modes.fault_value, w.modes.fault_s, w.modes.fault_ms) == first


def test_acknowledge_only_once_the_cause_is_gone():
    w = Watched()
    w.until_fault(control_current(0), 200)
    assert "CONTROL_OPEN" in w.modes.acknowledge()
    assert w.modes.state == SEALED
    w.tick(filled_sample(5e6))
    assert w.modes.acknowledge() == ""
    assert w.modes.state == OFF
    assert w.modes.fault == NO_FAULT
    assert w.modes.acknowledge() != ""


def test_a_lost_safety_transducer_is_tolerated_for_its_time():
    w = Watched(safety_invalid_s=10)
    sample = filled_sample(5e6)
    sample.safety_counts = 0
    for _ in range(10 * 50):
        w.tick(sample)
    assert w.modes.fault == NO_FAULT
    assert w.watches.warnings & SAFETY_TRANSDUCER
    w.until_fault(sample, 1500)
    assert w.modes.fault == SAFETY_FAILED
    for _ in range(20):
        w.tick(filled_sample(5e6))
    assert not w.watches.warnings & SAFETY_TRANSDUCER


def test_a_trip_cuts_a_running_window_at_once():
    for side in (FILL, VENT):
        w = Watched()
        w.valves.request(side, 100_000, False)
        for _ in range(6):
            w.valves.update(TICK_MS)
            w.tick(filled_sample(5e6))
        assert w.rig.levels[side]
        assert w.rig.pulses and w.rig.pulses[-1][0] == side
        w.until_fault(control_current(0), 200)
        assert w.rig.levels == (False, False, False)
        assert w.rig.safes == 1
        for _ in range(20):
            w.valves.update(TICK_MS)
            w.tick(filled_sample(5e6))
        assert len(w.rig.pulses) == 1


def test_no_state_but_regulate_fills():
    for state in range(len(TABLE)):
        w = Watched()
        w.modes.state = state
        assert w.modes.may_move(FILL) == (state == REGULATE)
        assert w.modes.may_move(VENT) == (state in (REGULATE, VENTING))


def test_every_fault_tells_what_happened_and_what_to_do():
    assert [row[0] for row in FAULTS] == list(range(len(FAULTS)))
    for fault, name, *_ in FAULTS[1:]:
        text = sentence(fault, str)
        assert name == name.upper() and " " not in name
        assert text.endswith(".") and len(text) > 60


def test_a_ramp_and_a_hold_are_told_apart_in_regulate_alone():
    w = Watched()
    w.control.target_pa = 5_000_000
    for state in (OFF, REGULATE, QUIET, VENTING, SEALED, RELIEF):
        w.modes.state = state
        for ramp_pa in (4_000_000, 5_000_000):
            w.control.ramp_pa = ramp_pa
            assert w.modes.ramps() == (state == REGULATE and ramp_pa != 5_000_000)
            assert w.modes.holds() == (state == REGULATE and ramp_pa == 5_000_000)
            assert w.modes.ramp_pa() == ramp_pa
