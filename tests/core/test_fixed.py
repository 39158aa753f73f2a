from regulator.fixed import flow_fraction, muldiv


def test_muldiv_is_exact_for_small_factors():
    for a in (0, 1, 7, 12_345, 32_767):
        for b in (0, 1, 999, 32_767):
            for c in (1, 3, 1000, 4096):
                if a * b // c < 1 << 30:
                    assert muldiv(a, b, c) == a * b // c, (a, b, c)


def test_muldiv_is_good_to_a_thousandth_for_large_factors():
    for a in (40_000, 5_000_000, 999_999_999):
        for b in (1_000, 58_000, 300_000):
            for c in (100_000, 1_000_000, 999_999_937):
                exact = a * b // c
                if 2_000 < exact < 1 << 30:
                    assert abs(muldiv(a, b, c) - exact) * 1000 <= exact * 2, (a, b, c)


def test_flow_fraction_is_iso_6358_with_b_of_0_3():
    for down in range(101):
        ratio = down / 100
        expected = 1.0 if ratio <= 0.3 else (1 - ((ratio - 0.3) / 0.7) ** 2) ** 0.5
        got = flow_fraction(6_000_000, down * 60_000) / 1024
        # Interpolation cuts the steep end close to equal pressures.
        assert abs(got - expected) < (0.01 if ratio < 0.95 else 0.13), (ratio, got, expected)


def test_nothing_flows_backwards():
    assert flow_fraction(5_000_000, 5_000_000) == 0
    assert flow_fraction(5_000_000, 6_000_000) == 0
