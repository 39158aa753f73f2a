"""Pulses planned to the next turning point: what a pulse is worth, how many are needed, and when each is due."""

from regulator.control.plan import PULSE_WORTH_PA, PULSE_WORTH_S, Situation, margin_pa, planned_pa

BAND_PA = 5_000


def situation(error_pa, band_pa=BAND_PA, swing_pa=0, amplitude_pa=0, coarse_pa=1_000, drift_pa=1_500):
    now = Situation()
    now.worth(band_pa, drift_pa)
    now.begin(error_pa, band_pa)
    now.see(error_pa - swing_pa, swing_pa, amplitude_pa, False)
    now.aim(band_pa - margin_pa(band_pa), coarse_pa)
    return now


def test_a_step_is_worth_what_its_formula_says():
    for band_pa in (2_000, 5_000, 10_000):
        for drift_pa in (0, 1_000, 1_530, 5_000, 14_000):
            now = Situation()
            now.worth(band_pa, drift_pa)
            # In units of 100 Pa, of which one more is assumed.
            rate_pa_s = (drift_pa // 100 + 1) * 100 / PULSE_WORTH_S
            exact = (6 * rate_pa_s * PULSE_WORTH_S / PULSE_WORTH_PA) ** (1 / 3)
            assert abs(now.widest_pa / band_pa - exact) <= 0.01, (band_pa, drift_pa)


def test_a_very_fast_drift_is_worth_three_dead_bands_at_most():
    for drift_pa in (15_000, 50_000, 1_000_000):
        now = Situation()
        now.worth(BAND_PA, drift_pa)
        assert 2.6 * BAND_PA < now.widest_pa <= 3 * BAND_PA


def test_the_margin_is_a_share_of_the_dead_band_and_a_least_one():
    assert [margin_pa(pa) for pa in (1_000, 5_000, 10_000, 20_000)] == [250, 250, 400, 800]


def test_the_vent_side_sees_the_errors_with_the_other_sign():
    for vent in (False, True):
        now = Situation()
        now.see(-3_000 if vent else 3_000, -1_000 if vent else 1_000, 2_000, vent)
        assert (now.staying_pa, now.swing_pa, now.lasting_pa, now.amplitude_pa) == (
            3_000,
            1_000,
            4_000,
            2_000,
        )
        now.aim(4_750, 1_200)
        assert (now.trigger_pa, now.edge_pa, now.coarse_pa) == (4_750, 2_750, 1_200)


def test_as_few_equal_pulses_as_cover_the_way():
    for left_pa in (10_000, 20_000, 30_000):
        now = situation(4_800)
        step_pa = planned_pa(now, left_pa, 20_000, 20_000)
        way_pa = 4_800 + left_pa * 1.09
        # Each pulse comes half a step before the target, and half a step is left at the turning point.
        pulses = way_pa / step_pa - 0.5
        assert abs(pulses - round(pulses)) < 0.01
        assert step_pa <= now.widest_pa * 1.3


def test_a_planned_pulse_waits_for_half_its_step_or_the_edge():
    for error_pa, due in ((1_500, False), (4_000, True), (4_800, True)):
        now = situation(error_pa)
        assert (planned_pa(now, 20_000, 20_000, 20_000) > 0) == due, error_pa
    # Where it does not fit now, only at the edge.
    assert planned_pa(situation(4_000), 20_000, 20_000, 3_000) == 0
    assert planned_pa(situation(4_800), 20_000, 20_000, 3_000) > 0


def test_with_a_far_turning_point_each_pulse_is_as_large_as_fits_and_comes_at_the_edge():
    assert planned_pa(situation(4_700), 200_000, 9_000, 9_000) == 0
    assert planned_pa(situation(4_800), 200_000, 9_000, 9_000) == 9_000


def test_just_before_a_turning_point_half_the_way_is_enough():
    assert planned_pa(situation(4_800), -2_000, 20_000, 20_000) == 0
    now = situation(4_900)
    assert 700 <= planned_pa(now, -2_000, 20_000, 20_000) <= 1_500
    # And at least what a prediction may be off.
    assert planned_pa(now, -4_400, 20_000, 20_000) == 700


def test_no_step_is_smaller_than_the_valves_make():
    now = situation(2_900, coarse_pa=6_000, drift_pa=0)
    assert planned_pa(now, 12_000, 50_000, 50_000) in (0, 8_000)
    now = situation(4_900, coarse_pa=6_000, drift_pa=0)
    assert planned_pa(now, 12_000, 50_000, 50_000) >= 8_000


def test_a_swing_leaves_room_for_four_edges():
    now = situation(4_900, amplitude_pa=4_000, drift_pa=14_000)
    assert planned_pa(now, 30_000, 20_000, 20_000) <= 4 * 750 * 1.4
