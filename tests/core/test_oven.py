import math

from regulator.measure.oven import Oven


def swing(ripple, seconds, period_s, amplitude_mk, start_s=0, drift_mk_h=0, middle_mk=303_150):
    for s in range(start_s, start_s + seconds):
        exact_mk = middle_mk + amplitude_mk * math.sin(2 * math.pi * s / period_s) + drift_mk_h * s / 3600
        # As the TMP117 sees it.
        ripple.update(int(exact_mk / 7.8125 + 0.5) * 125 // 16, s)
    return start_s + seconds


def test_a_swing_is_recognised_after_its_third_turn():
    for period_s, amplitude_mk in ((600, 95), (1800, 280), (3600, 500)):
        ripple = Oven()
        swing(ripple, period_s, period_s, amplitude_mk)
        assert ripple.amplitude_mk == 0
        swing(ripple, period_s, period_s, amplitude_mk, period_s)
        assert abs(ripple.amplitude_mk - amplitude_mk) < 10, (period_s, ripple.amplitude_mk)
        assert abs(ripple.middle_mk - 303_150) < 10


def test_the_offset_follows_the_swing():
    ripple = Oven()
    swing(ripple, 1200 + 150, 600, 95)
    assert abs(ripple.offset_mk(303_245) - 95) < 10
    assert abs(ripple.offset_mk(303_055) + 95) < 10
    assert ripple.offset_mk(303_600) == ripple.amplitude_mk, (
        "no more than an amplitude is put down to the swing"
    )
    assert ripple.offset_mk(0) == 0


def test_a_drift_is_no_swing():
    ripple = Oven()
    swing(ripple, 20_000, 1e9, 0, drift_mk_h=500)
    assert ripple.amplitude_mk == 0


def test_a_daily_swing_is_followed():
    ripple = Oven()
    swing(ripple, 3 * 86_400, 86_400, 2_000)
    assert ripple.amplitude_mk == 0


def test_a_swing_with_a_drift_keeps_a_current_middle():
    ripple = Oven()
    swing(ripple, 7_200, 600, 150, drift_mk_h=300)
    assert abs(ripple.middle_mk - 303_150 - 600) < 60, ripple.middle_mk
    assert ripple.amplitude_mk > 100


def test_a_swing_that_ends_is_forgotten():
    ripple = Oven()
    at_s = swing(ripple, 3_000, 600, 95)
    assert ripple.amplitude_mk
    for s in range(at_s, at_s + 800):
        ripple.update(303_150, s)
    assert ripple.amplitude_mk == 0


def test_a_single_bump_is_no_swing():
    ripple = Oven()
    # A ramp warms the wall by 1 K, which then goes back for half an hour.
    for s in range(4_000):
        warm_mk = 1000 * min(s / 200, 1) if s < 200 else 1000 * math.exp(-(s - 200) / 1700)
        ripple.update(303_150 + int(warm_mk), s)
        assert ripple.amplitude_mk == 0, s


def test_what_was_forgotten_needs_three_turns_again():
    ripple = Oven()
    at_s = swing(ripple, 3_000, 600, 95)
    assert ripple.amplitude_mk
    ripple.forget()
    assert ripple.amplitude_mk == 0
    at_s = swing(ripple, 600, 600, 95, at_s)
    assert ripple.amplitude_mk == 0
    swing(ripple, 900, 600, 95, at_s)
    assert ripple.amplitude_mk


def test_quantisation_makes_no_turns():
    ripple = Oven()
    for s in range(5_000):
        ripple.update(303_150 + (s * 7919 % 3 - 1) * 8, s)
    assert ripple.amplitude_mk == 0


def test_a_lost_sensor_forgets_the_swing():
    ripple = Oven()
    swing(ripple, 3_000, 600, 95)
    ripple.update(0, 3_001)
    assert ripple.amplitude_mk == 0
    assert ripple.offset_mk(303_200) == 0
