from regulator.control.drift import UNKNOWN_PA, Drift
from regulator.measure.turning_points import TurningPoints

HALF_S = 7_200
TRAVEL_PA = 24_000


def triangle_pa(s):
    """A cell that lifts the pressure for two hours and lowers it for two."""
    phase = s % (2 * HALF_S)
    if phase > HALF_S:
        phase = 2 * HALF_S - phase
    return 5_000_000 + TRAVEL_PA * phase // HALF_S


def follow(drift, start_s, end_s, moved_pa=0):
    for s in range(start_s, end_s):
        drift.update(triangle_pa(s) + moved_pa, True, s)


def test_turns_are_told_from_noise():
    turns = TurningPoints(30)
    for s in range(100):
        turns.update(s + (5 if s % 2 else -5), s)
    for s in range(100, 200):
        turns.update(200 - s + (5 if s % 2 else -5), s)
    assert turns.count == 1
    assert 95 <= turns.at_s[2] <= 105
    assert not turns.rising


def test_nothing_is_known_before_the_first_turn():
    drift = Drift()
    follow(drift, 0, HALF_S)
    assert drift.left_pa(False, HALF_S) == UNKNOWN_PA
    assert drift.left_pa(True, HALF_S) == UNKNOWN_PA
    assert not drift.returns(True) and not drift.returns(False)


def test_the_time_to_the_first_turn_tells_of_the_next_one():
    drift = Drift()
    follow(drift, 0, HALF_S + 3_600)
    assert abs(drift.left_pa(True, HALF_S + 3_600) - TRAVEL_PA // 2) < 200
    assert drift.left_pa(False, HALF_S + 3_600) == UNKNOWN_PA
    assert drift.returns(False) and not drift.returns(True), "it is falling"


def test_it_may_have_been_the_end_of_a_longer_half_cycle():
    drift = Drift()
    follow(drift, HALF_S // 2, 3 * HALF_S // 2)
    assert drift.left_pa(True, 3 * HALF_S // 2) == 0, "as long as the first one was"
    follow(drift, 3 * HALF_S // 2, 3 * HALF_S // 2 + 300)
    assert drift.left_pa(True, 3 * HALF_S // 2 + 300) == UNKNOWN_PA, "and no longer waited for"


def test_a_swing_is_recognised_late_but_the_start_counts():
    drift = Drift()
    for s in range(900):
        drift.update(triangle_pa(s), False, s)
    follow(drift, 900, HALF_S + 3_600)
    assert drift.left_pa(True, HALF_S + 3_600) != UNKNOWN_PA
    follow(drift, HALF_S + 3_600, 2 * HALF_S - 60)
    assert 0 < drift.left_pa(True, 2 * HALF_S - 60) < 500


def test_the_way_to_the_next_turn():
    drift = Drift()
    follow(drift, 0, 2 * HALF_S + 900)
    # An eighth of the way up is done: seven eighths are left.
    assert abs(drift.left_pa(False, 2 * HALF_S + 900) - TRAVEL_PA * 7 // 8) < 200
    assert drift.left_pa(True, 2 * HALF_S + 900) == UNKNOWN_PA, "it is rising"
    follow(drift, 2 * HALF_S + 900, 2 * HALF_S + 5_400)
    assert abs(drift.left_pa(False, 2 * HALF_S + 5_400) - TRAVEL_PA // 4) < 200


def test_pulses_are_no_turns():
    drift = Drift()
    follow(drift, 0, 2 * HALF_S + 3_600)
    drift.moved()
    # Not looked at while the gas cools; in that time the cell goes on.
    follow(drift, 2 * HALF_S + 3_700, 2 * HALF_S + 5_400, -6_000)
    assert abs(drift.left_pa(False, 2 * HALF_S + 5_400) - TRAVEL_PA // 4) < 200


def test_nor_is_one_that_missed():
    drift = Drift()
    follow(drift, 0, 2 * HALF_S + 3_600)
    drift.moved()
    follow(drift, 2 * HALF_S + 3_700, 2 * HALF_S + 5_400)
    assert abs(drift.left_pa(False, 2 * HALF_S + 5_400) - TRAVEL_PA // 4) < 200


def test_a_turn_that_does_not_come_is_not_waited_for():
    drift = Drift()
    follow(drift, 0, 2 * HALF_S + 3_600)
    for s in range(2 * HALF_S + 3_600, 4 * HALF_S):
        drift.update(5_000_000 + TRAVEL_PA * (s - 2 * HALF_S) // HALF_S, True, s)
        if s == 3 * HALF_S + 60:
            assert drift.left_pa(False, s) == 0
    assert drift.left_pa(False, 4 * HALF_S) == UNKNOWN_PA


def test_a_ramp_makes_it_forget():
    drift = Drift()
    follow(drift, 0, 2 * HALF_S + 3_600)
    drift.forget()
    assert drift.left_pa(False, 2 * HALF_S + 3_600) == UNKNOWN_PA


def test_a_swing_that_is_recognised_makes_it_forget_and_one_that_is_lost_for_a_while_does_not():
    drift = Drift()
    for s in range(HALF_S + 3_600):
        drift.update(triangle_pa(s), False, s)
    drift.update(triangle_pa(HALF_S + 3_600), True, HALF_S + 3_600)
    assert drift.left_pa(True, HALF_S + 3_600) == UNKNOWN_PA
    drift = Drift()
    follow(drift, 0, 2 * HALF_S + 3_600)
    known_pa = drift.left_pa(False, 2 * HALF_S + 3_600)
    drift.update(triangle_pa(2 * HALF_S + 3_600), False, 2 * HALF_S + 3_600)
    drift.update(triangle_pa(2 * HALF_S + 3_601), True, 2 * HALF_S + 3_601)
    assert abs(drift.left_pa(False, 2 * HALF_S + 3_601) - known_pa) < 100


def test_a_swing_of_which_some_is_left_makes_no_turning_points():
    # A wall sensor that follows late: of the oven's swing of 600 s +-1.6 kPa is left.
    drift = Drift()
    for s in range(5 * HALF_S):
        phase = s % 600
        left_pa = (phase if phase < 300 else 600 - phase) * 3_200 // 300 - 1_600
        drift.update(triangle_pa(s) + left_pa, True, s)
    for part in (3_600, 5_400):
        s = 5 * HALF_S + part
        for at_s in range(s - 1_800, s):
            drift.update(triangle_pa(at_s), True, at_s)
        assert abs(drift.left_pa(True, s) - TRAVEL_PA * (HALF_S - part) // HALF_S) < 3_000, part
