"""What the gas may give back after it was moved: bounds, one for each direction."""

from regulator.valves.heat import Bound, back_ms


def test_what_was_let_in_may_come_back_as_a_fall_only():
    warm, cold = Bound(), Bound()
    warm.move(100_000)
    cold.move(-100_000)
    assert warm.back_pa(0, 1_000_000, 200_000) in range(30_000, 31_500)
    assert cold.back_pa(0, 1_000_000, 200_000) == 0


def test_a_vent_before_takes_nothing_from_the_heat_of_a_fill_once_the_wall_has_undone_it():
    # The wall may have warmed what the vent cooled within seconds: 0.1 L near ambient pressure takes 1.5 s.
    warm = Bound()
    warm.move(-800_000)
    assert warm.back_pa(0, 1000, 200_000) == 0
    for _ in range(50):
        warm.fade(160, 120_000)
    assert -2_000 < warm.pa <= 0
    warm.move(100_000)
    assert warm.back_pa(0, 1_000_000, 200_000) > 29_000


def test_a_vent_at_once_cools_what_a_fill_had_warmed():
    warm = Bound()
    warm.move(100_000)
    warm.move(-100_000)
    assert 4_000 < warm.pa < 10_000


def test_what_has_come_back_is_not_to_come_again():
    warm = Bound()
    warm.move(100_000)
    whole_pa = warm.back_pa(0, 1_000_000, 200_000)
    assert abs(warm.back_pa(20_000, 1_000_000, 200_000) - whole_pa + 20_000) < 200
    assert warm.back_pa(-20_000, 1_000_000, 200_000) == whole_pa
    warm.give_back(-5_000)
    assert warm.pa == 31_250
    warm.give_back(20_000)
    assert warm.pa == 11_250
    warm.give_back(20_000)
    assert warm.pa == 0
    warm.move(-1_000)
    warm.give_back(20_000)
    assert warm.pa < 0


def test_heat_comes_back_no_faster_than_in_the_smallest_chamber():
    # A simulated chamber of 0.05 L that was filled quickly up to these pressures took so long.
    for pa, measured_ms in ((150_000, 1_230), (1_000_000, 2_090), (3_000_000, 3_390), (5_000_000, 4_420)):
        assert measured_ms * 7 // 10 < back_ms(pa) < measured_ms
    warm = Bound()
    warm.move(320_000)
    tenth_pa = warm.back_pa(0, 100, 1_000_000)
    assert abs(tenth_pa - 100_000 * 100 // back_ms(1_000_000)) < 200


def test_what_is_left_is_forgotten_in_half_a_minute():
    warm = Bound()
    warm.move(320_000)
    for _ in range(26 * 100 // 16):
        warm.fade(160, 5_000_000)
    assert 35_000 < warm.pa < 38_500
    for _ in range(2000):
        warm.fade(160, 5_000_000)
    assert 0 <= warm.pa < 200


def test_no_pressure_makes_a_large_integer():
    heat = Bound()
    for _ in range(20):
        heat.move(10_000_000)
        heat.move(-9_900_000)
    assert (heat.pa >> 4) * 1000 < 1 << 30
    assert heat.back_pa(0, 2_000, 10_000_000) > 0
