from chamber import RecordingRig, ads_counts, filled_sample

from regulator.faults import (
    CONTROL_OPEN,
    CONTROL_RANGE,
    CONTROL_SHORTED,
    DISAGREEMENT,
    FAULTS,
    FILL_STUCK_OPEN,
    NO_FAULT,
    OFF,
    OVERPRESSURE,
    QUIET,
    REGULATE,
    RELIEF,
    SAFETY_FAILED,
    SAFETY_TRANSDUCER,
    SEALED,
    STATES,
    VENTING,
    sentence,
)
from regulator.measure.sensors import Sensors
from regulator.safety import Safety
from regulator.settings import Settings
from regulator.valves.window import FILL, VENT, Valves

TICK_MS = 20


class Watched:
    """Sensors and safety, tick by tick."""

    def __init__(self, state=REGULATE, **values):
        self.settings = Settings()
        for name, value in values.items():
            assert self.settings.set(name, value) == ""
        self.sensors = Sensors(self.settings)
        self.valves = Valves(self.settings, self.sensors)
        self.safety = Safety(self.settings, self.sensors, self.valves)
        self.rig = RecordingRig()
        self.ms = 0
        for _ in range(20):
            self.tick(filled_sample(5e6))
        self.safety.state = state

    def tick(self, sample):
        self.ms += TICK_MS
        self.sensors.update(sample, TICK_MS)
        self.safety.check(sample, TICK_MS, self.ms // 1000, self.ms % 1000)
        self.safety.drive(self.rig, self.valves)

    def until_fault(self, sample, limit_ms):
        """Return the ms until a fault latches."""
        start = self.ms
        while not self.safety.fault:
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
            assert w.safety.fault == fault
            assert w.safety.state == SEALED


def test_a_short_drop_out_trips_nothing():
    w = Watched()
    for _ in range(200):
        for _ in range(3):
            w.tick(control_current(0))
        w.tick(filled_sample(5e6))
    assert w.safety.fault == NO_FAULT


def test_disagreement_seals_within_a_second():
    w = Watched()
    assert w.until_fault(filled_sample(5e6, safety_pa=5.2e6), 1000) <= 1000
    assert w.safety.fault == DISAGREEMENT
    assert w.safety.state == SEALED
    assert abs(w.safety.fault_value + 200_000) < 2_000


def test_transducers_within_their_tolerances_agree():
    w = Watched()
    for _ in range(500):
        w.tick(filled_sample(5e6, safety_pa=5.14e6))
    assert w.safety.fault == NO_FAULT


def test_over_pressure_on_both_opens_the_relief_with_the_second_sample():
    for state in (OFF, REGULATE, QUIET, VENTING, SEALED):
        w = Watched(state)
        w.tick(filled_sample(6.1e6))
        assert not w.rig.levels[2]
        w.tick(filled_sample(6.1e6))
        assert w.rig.levels == (False, False, True), state
        assert w.safety.fault == OVERPRESSURE
        assert w.safety.state == RELIEF


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
        assert w.safety.fault == DISAGREEMENT
        assert not w.rig.levels[2]


def test_one_high_transducer_while_the_other_rises_is_over_pressure():
    w = Watched()
    # The safety transducer lags far behind, but it follows.
    pa, lagging = 5.0e6, 5.0e6
    while not w.safety.fault:
        pa = min(pa + 40_000, 6.4e6)
        lagging += 9_000
        w.tick(filled_sample(pa, safety_pa=lagging))
        assert w.ms < 2_000
    assert w.safety.fault in (OVERPRESSURE, DISAGREEMENT, FILL_STUCK_OPEN)
    for _ in range(5):
        lagging += 9_000
        w.tick(filled_sample(6.4e6, safety_pa=lagging))
    assert w.rig.levels[2], "the relief opens although the first cause was another"


def test_one_high_transducer_while_the_other_is_invalid_is_over_pressure():
    w = Watched()
    sample = filled_sample(6.2e6)
    sample.safety_counts = 0
    assert w.until_fault(sample, 100) <= 60
    assert w.safety.fault == OVERPRESSURE
    w = Watched()
    sample = filled_sample(6.2e6)
    sample.control_counts = 0
    assert w.until_fault(sample, 100) <= 60
    assert w.safety.fault == OVERPRESSURE


def test_the_relief_shuts_below_the_trip_and_stays_latched():
    w = Watched()
    for pa in (6.1e6, 6.1e6, 5.9e6):
        w.tick(filled_sample(pa))
    assert w.rig.levels[2]
    assert w.safety.acknowledge() != ""
    w.tick(filled_sample(5.7e6))
    assert not w.rig.levels[2]
    assert w.safety.state == RELIEF
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
    first = (w.safety.fault, w.safety.fault_value, w.safety.fault_s, w.safety.fault_ms)
    for _ in range(5):
        sample = filled_sample(6.5e6)
        sample.control_counts = 0
        w.tick(sample)
    assert w.safety.state == RELIEF
    assert (w.safety.fault, w.safety.fault_value, w.safety.fault_s, w.safety.fault_ms) == first


def test_acknowledge_only_once_the_cause_is_gone():
    w = Watched()
    w.until_fault(control_current(0), 200)
    assert "CONTROL_OPEN" in w.safety.acknowledge()
    assert w.safety.state == SEALED
    w.tick(filled_sample(5e6))
    assert w.safety.acknowledge() == ""
    assert w.safety.state == OFF
    assert w.safety.fault == NO_FAULT
    assert w.safety.acknowledge() != ""


def test_a_lost_safety_transducer_is_tolerated_for_its_time():
    w = Watched(safety_invalid_s=10)
    sample = filled_sample(5e6)
    sample.safety_counts = 0
    for _ in range(10 * 50):
        w.tick(sample)
    assert w.safety.fault == NO_FAULT
    assert w.safety.warnings & SAFETY_TRANSDUCER
    w.until_fault(sample, 1500)
    assert w.safety.fault == SAFETY_FAILED
    for _ in range(20):
        w.tick(filled_sample(5e6))
    assert not w.safety.warnings & SAFETY_TRANSDUCER


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
    for state in range(len(STATES)):
        w = Watched()
        w.safety.state = state
        assert w.safety.may_move(FILL) == (state == REGULATE)
        assert w.safety.may_move(VENT) == (state in (REGULATE, VENTING))


def test_every_fault_tells_what_happened_and_what_to_do():
    for fault, (name, *_) in enumerate(FAULTS[1:], 1):
        text = sentence(fault)
        assert name == name.upper() and " " not in name
        assert text.endswith(".") and len(text) > 60
