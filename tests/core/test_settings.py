from regulator import settings
from regulator.settings import Settings


def test_every_row_is_sound():
    names = [row[0] for row in settings.TABLE]
    assert len(set(names)) == len(names)
    for name, unit, default, low, high, text in settings.TABLE:
        assert low <= default <= high, name
        assert low < high, name
        assert text, name
        assert high < 1 << 30 and low > -(1 << 30), name
        tail = name.split("_")[-1]
        if tail in ("pa", "ms", "us", "s", "mk", "ppm"):
            assert unit.lower().split("/")[-1] in (tail, "k"), name


def test_the_defaults_are_consistent():
    s = Settings()
    for name, value in s.items():
        assert s.check(name, value) == "", name


def test_a_value_out_of_range_is_refused_and_nothing_changes():
    s = Settings()
    for name, _, default, low, high, _ in settings.TABLE:
        for bad in (low - 1, high + 1):
            reason = s.set(name, bad)
            assert name in reason and str(low) in reason and str(high) in reason
            assert s.get(name) == default


def test_limits_stand_in_order():
    s = Settings()
    for name, value in (
        ("trip_pa", 5_500_000),
        ("trip_pa", 6_500_000),
        ("comparator_pa", 7_000_000),
        ("setpoint_max_pa", 6_000_000),
        ("burst_disc_pa", 6_999_999),
        ("burst_disc_pa", 10_000_001),
        ("chamber_rating_pa", 8_999_999),
        ("pulse_min_us", 100_000),
    ):
        if name == "pulse_min_us":
            assert s.set("pulse_max_us", 50_000) == ""
        before = s.get(name)
        assert s.set(name, value) != "", name
        assert s.get(name) == before


def test_an_unknown_name_is_refused():
    assert "no setting" in Settings().set("bananas", 1)


def test_a_stored_set_is_taken_whole_or_not_at_all():
    s = Settings()
    assert s.load({"dead_band_pa": 2000, "from_the_future": 7}) == ""
    assert s.get("dead_band_pa") == 2000
    assert s.load({"dead_band_pa": 1500, "trip_pa": 1}) != ""
    assert s.get("dead_band_pa") == 2000
