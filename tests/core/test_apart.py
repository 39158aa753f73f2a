from regulator.faults import TRANSDUCER_DRIFT
from regulator.watch.compare import Apart


class Reading:
    def __init__(self):
        self.mean_pa = 5_000_000


class Both:
    """Sensors whose readings the test sets."""

    def __init__(self):
        self.control = Reading()
        self.safety = Reading()
        self.trusted = self

    def agree(self):
        return True


def hours(sensors, apart, count, drift_pa_day=0):
    start_pa = sensors.safety.mean_pa
    told_h = -1
    for second in range(count * 3600):
        sensors.safety.mean_pa = start_pa + second * drift_pa_day // 86_400
        apart.check_slowly()
        if apart.warnings and told_h < 0:
            told_h = second // 3600
    return told_h


def test_a_drift_of_5_kpa_a_day_is_told_within_the_day_and_one_of_1_kpa_never():
    for drift_pa_day in (5_000, -5_000):
        sensors = Both()
        assert 10 < hours(sensors, Apart(sensors), 24, drift_pa_day) < 24
    sensors = Both()
    sensors.safety.mean_pa += 20_000
    assert hours(sensors, Apart(sensors), 80, 1_000) == -1


def test_a_step_of_10_kpa_is_told_within_an_hour_and_ends_after_a_day():
    sensors = Both()
    apart = Apart(sensors)
    assert hours(sensors, apart, 3) == -1
    sensors.safety.mean_pa += 10_000
    assert hours(sensors, apart, 1) == 0
    assert apart.warnings == TRANSDUCER_DRIFT
    hours(sensors, apart, 26)
    assert apart.warnings == 0


def test_another_pressure_and_the_steps_of_the_converter_are_no_drift():
    sensors = Both()
    apart = Apart(sensors)
    hours(sensors, apart, 2)
    for transducer in (sensors.control, sensors.safety):
        transducer.mean_pa -= 2_000_000
    sensors.safety.mean_pa += 15_000
    assert hours(sensors, apart, 2) == -1
    for transducer in (sensors.control, sensors.safety):
        transducer.mean_pa += 2_220_000
    sensors.safety.mean_pa += 30_000
    assert hours(sensors, apart, 2) == -1


def test_a_pressure_that_moves_both_is_no_drift():
    sensors = Both()
    apart = Apart(sensors)
    for _ in range(8):
        assert hours(sensors, apart, 1) == -1
        for transducer in (sensors.control, sensors.safety):
            transducer.mean_pa += 10_000


def test_nothing_is_judged_while_they_disagree_or_in_a_step_of_the_converter():
    sensors = Both()
    apart = Apart(sensors)
    hours(sensors, apart, 2)
    sensors.agree = lambda: False
    sensors.safety.mean_pa += 20_000
    assert hours(sensors, apart, 2) == -1
    sensors.safety.mean_pa -= 20_000
    sensors.agree = lambda: True
    assert hours(sensors, apart, 1) == -1
