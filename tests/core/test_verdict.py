"""Lag of the sensing line, learned from what a reading still does once the valve is shut."""

from math import exp

from regulator.measure.pressure import Pressure
from regulator.measure.transducer import VALID
from regulator.valves.learned import Response
from regulator.valves.sides import FILL, VENT
from regulator.valves.verdict import Verdict

TICK_MS = 20
SETTLE_MS = 1_200
LAG_STAGE_MS = 60


class Line:
    """A control transducer behind a line, on gas that drifts by itself; it is also its own transducer."""

    band = VALID

    def __init__(self, lag_ms, drift_pa_s=0.0, noise_pa=400):
        self.control = self
        self.pressure = Pressure()
        self.lag_ms = lag_ms
        self.drift_pa_s = drift_pa_s
        self.noise_pa = noise_pa
        self.level_pa = 5e6
        self.step_pa = 0.0
        self.since_ms = 0
        self.state = 12345
        self.control_pa = self.pressure_pa = 5_000_000
        self.readings = [5_000_000] * 3
        self.creep_pa = 0.0  # what comes after a step beside it, with a time constant of 400 ms

    def tick(self):
        self.state = (self.state * 1103515245 + 12345) % (1 << 31)
        noise_pa = self.noise_pa * (2 * self.state / (1 << 31) - 1)
        self.level_pa += self.drift_pa_s * TICK_MS / 1000
        self.since_ms += TICK_MS
        seen = 1 - exp(-self.since_ms / self.lag_ms)
        creep_pa = self.creep_pa * (1 - exp(-self.since_ms / 400))
        self.readings.append(int(self.level_pa + self.step_pa * seen + creep_pa + noise_pa))
        self.readings.pop(0)
        self.control_pa = sorted(self.readings)[1]
        self.pressure.take(self.control_pa)


class NoHeat:
    """Gas that gives nothing back."""

    def __init__(self):
        self.warm = self.cold = self

    def back_pa(self, before_pa, ms, pa):
        return 0


def pulsed(line, verdict, response, side, step_pa):
    """One pulse of a hold: 8 s at rest, a pulse of 20 ms, the lag stage, settling, the verdict."""
    line.level_pa += line.step_pa
    line.step_pa = 0.0
    for _ in range(400):
        line.tick()
    line.pressure.freeze()
    verdict.begin(20_000, response.expected_pa(20_000, 4_000), 4_000)
    line.step_pa = float(-step_pa if side == VENT else step_pa)
    line.since_ms = 0
    for _ in range(max(LAG_STAGE_MS, 3 * verdict.lag_ms) // TICK_MS):
        verdict.tick(TICK_MS, False)
        line.tick()
    verdict.end(SETTLE_MS)
    line.pressure.resume()
    for _ in range(SETTLE_MS // TICK_MS):
        verdict.tick(TICK_MS, True)
        line.tick()
    verdict.judge(side, response, True)


def test_the_first_clear_pulse_shows_the_lag():
    for lag_ms in (60, 100, 200, 500):
        for side in (FILL, VENT):
            line = Line(lag_ms)
            verdict, response = Verdict(line, NoHeat()), Response(7_000)
            pulsed(line, verdict, response, side, 10_000)
            assert abs(verdict.lag_ms - lag_ms) < 0.4 * lag_ms + 10, (lag_ms, side, verdict.lag_ms)


def test_a_quick_line_has_no_lag():
    line = Line(5)
    verdict, response = Verdict(line, NoHeat()), Response(7_000)
    for _ in range(5):
        pulsed(line, verdict, response, FILL, 8_000)
    assert verdict.lag_ms == 0
    assert response.judged == 5


def test_gas_that_goes_on_by_itself_is_no_slow_line():
    # After a ramp: gas that cools at 5 kPa/s while a vent corrects, gas that warms while a fill does.
    for side, drift_pa_s in ((VENT, -5_000.0), (FILL, 5_000.0)):
        line = Line(5, drift_pa_s)
        verdict, response = Verdict(line, NoHeat()), Response(7_000)
        for _ in range(5):
            pulsed(line, verdict, response, side, 8_000)
        assert verdict.lag_ms == 0, side


def test_a_small_creep_after_a_large_step_is_no_slow_line():
    """Of a line as slow as that, a third of the step or more would come after the valve has shut."""
    line = Line(5, noise_pa=0)
    verdict, response = Verdict(line, NoHeat()), Response(7_000)
    line.creep_pa = 4_000.0
    pulsed(line, verdict, response, FILL, 16_000)
    assert verdict.lag_ms == 0
    assert response.judged == 1


def test_a_step_that_came_late_teaches_nothing_of_its_valve():
    line = Line(500)
    verdict, response = Verdict(line, NoHeat()), Response(7_000)
    pulsed(line, verdict, response, FILL, 10_000)
    assert verdict.lag_ms > 400
    assert response.judged == 0 and response.gain == 0
    pulsed(line, verdict, response, FILL, 10_000)
    assert response.judged == 1
    assert abs(verdict.pa - 10_000) < 1_500


def test_a_lag_that_is_waited_for_stays_known():
    line = Line(200)
    verdict, response = Verdict(line, NoHeat()), Response(7_000)
    for _ in range(40):
        pulsed(line, verdict, response, FILL, 8_000)
    assert verdict.lag_ms > 120


def test_the_last_pulses_of_a_vent_teach_nothing():
    for pa, taught in ((5_000_000, 5), (150_000, 0)):
        line = Line(5)
        verdict, response = Verdict(line, NoHeat()), Response(7_000)
        line.level_pa = float(pa)
        line.pressure_pa = pa
        response.judge(20_000, 8_000, 4_000, 1_000)
        before = response.judged
        for _ in range(5):
            pulsed(line, verdict, response, VENT, 8_000)
        assert response.judged - before == taught, pa


def test_a_lag_has_a_longest_value():
    """Each one is waited for three times as long, with the isolation valve's coil on."""
    line = Line(5, noise_pa=0)
    verdict, response = Verdict(line, NoHeat()), Response(7_000)
    verdict.lag_ms = 500
    for _ in range(400):
        line.tick()
    verdict.begin(20_000, 0, 4_000)
    verdict.end(SETTLE_MS)
    line.level_pa += 4_000
    for _ in range(SETTLE_MS // TICK_MS):
        line.tick()
        verdict.tick(TICK_MS, True)
    verdict.judge(FILL, response, True)
    assert 500 < verdict.lag_ms <= 600
