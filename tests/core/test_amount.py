from chamber import filled_sample

from regulator.control.amount import Amount
from regulator.measure.sensors import Sensors
from regulator.settings import Settings


class Closed:
    """A closed chamber whose gas, 5 MPa at 30 degC, is as warm as its wall; pressure from the isochore of air."""

    def __init__(self):
        self.settings = Settings()
        self.sensors = Sensors(self.settings)
        self.amount = Amount(self.settings, self.sensors)
        self.lost_pa = 0.0

    def run(self, seconds, celsius=30.0):
        pa = (5e6 - self.lost_pa) + 18_350 * (celsius - 30)
        # 31.6 counts of the PT1000's converter are a kelvin.
        sample = filled_sample(pa, gas_counts=int(9148 + 31.6 * (celsius - 30)), wall_c=celsius)
        for _ in range(int(seconds * 10)):
            self.sensors.update(sample, 100)
            self.amount.tick(100)


def test_temperature_is_no_drift():
    chamber = Closed()
    chamber.run(120)
    for tenth in range(60):
        chamber.run(10, 30 + tenth / 20)
    chamber.run(120, 33.0)
    assert abs(chamber.sensors.pressure_pa - 5_055_000) < 1_000
    assert abs(chamber.amount.drift_pa) < 1_500, chamber.amount.drift_pa
    assert chamber.amount.within() and not chamber.amount.too_far()


def test_gas_that_is_lost_is_told_in_pascal_and_per_hour():
    chamber = Closed()
    chamber.run(120)
    for _ in range(120):
        chamber.lost_pa += 200
        chamber.run(30)
    assert abs(chamber.amount.drift_pa + 24_000) < 600, chamber.amount.drift_pa
    assert abs(chamber.amount.rate_pa_h() + 24_000) < 1_000
    assert chamber.amount.too_far() and not chamber.amount.within()
    assert chamber.amount.seconds == 3720


def test_it_begins_anew_and_keeps_the_last_drift_to_be_read():
    chamber = Closed()
    chamber.run(120)
    chamber.lost_pa = 5_000
    chamber.run(120)
    chamber.amount.stop()
    assert abs(chamber.amount.drift_pa + 5_000) < 300
    assert not chamber.amount.too_far()
    chamber.run(120)
    assert abs(chamber.amount.drift_pa) < 300
    assert chamber.amount.rate_pa_h() == 0


def test_without_a_wall_temperature_it_goes_on_uncorrected():
    chamber = Closed()
    chamber.run(120)
    sample = filled_sample(5e6)
    sample.faults = 4
    for _ in range(600):
        chamber.sensors.update(sample, 100)
        chamber.amount.tick(100)
    assert abs(chamber.amount.drift_pa) < 300
