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
        ("chamber_rating_pa", 9_999_999),
        ("supply_max_pa", 10_000_001),
        ("disagreement_pa", 400_000),
        ("control_tolerance_pa", 375_000),
        ("safety_tolerance_pa", 425_000),
        ("setpoint_max_pa", 5_850_000),
        ("pulse_min_us", 100_000),
    ):
        if name == "pulse_min_us":
            assert s.set("pulse_max_us", 50_000) == ""
        before = s.get(name)
        assert s.set(name, value) != "", name
        assert s.get(name) == before


def test_tolerances_cannot_hide_the_trip():
    s = Settings()
    assert s.set("control_tolerance_pa", 374_999) == ""
    assert "trip_pa" in s.set("disagreement_pa", 50_001)
    assert s.set("disagreement_pa", 49_999) == ""
    assert s.set("safety_tolerance_pa", 75_001) == ""
    assert "trip_pa" in s.set("safety_tolerance_pa", 75_002)
    assert "trip_pa" in s.set("trip_pa", 6_000_000 - 1)


def test_a_set_that_fails_two_checks_is_mended_one_setting_at_a_time():
    s = Settings()
    old = {"disagreement_pa": 1_000_000, "control_tolerance_pa": 500_000, "supply_max_pa": 10_250_000}
    assert s.load(old) == ""
    assert s.conflict()
    # What has nothing to do with it can change, and what makes it worse cannot.
    assert s.set("dead_band_pa", 6_000) == ""
    assert s.set("disagreement_pa", 50_000) == ""
    assert s.conflict()
    assert s.set("control_tolerance_pa", 500_001 - 1) == ""
    assert s.set("safety_tolerance_pa", 75_001) != ""
    assert s.set("supply_max_pa", 10_250_001) != ""
    assert s.set("supply_max_pa", 10_000_000) == ""
    assert s.conflict()
    assert s.set("control_tolerance_pa", 25_000) == ""
    assert s.conflict() == ""


def test_a_repeated_value_is_no_change():
    s = Settings()
    before = s.changes
    assert s.set("slew_pa_s", 20_000) == ""
    assert s.changes == before
    assert s.set("slew_pa_s", 20_001) == ""
    assert s.changes == before + 1


def test_a_setting_says_when_it_may_change():
    limits = (
        "setpoint_max_pa",
        "trip_pa",
        "comparator_pa",
        "relief_valve_pa",
        "burst_disc_pa",
        "chamber_rating_pa",
    )
    tolerances = ("control_tolerance_pa", "safety_tolerance_pa", "disagreement_pa")
    for name, _, _, _, _, described in settings.TABLE:
        when = settings.may_change(name)
        transducer = name.split("_")[0] in ("control", "safety", "supply", "cal")
        if name in limits:
            assert when == settings.VENTED, name
        elif name in tolerances or (transducer and name not in ("supply_max_pa", "safety_invalid_s")):
            assert when == settings.AT_REST, name
        else:
            assert when == settings.ANY_TIME, name
        # The help says it, too.
        end = ("", "; output off", "; output off, chamber vented")[when]
        assert described.endswith(end) and ("output off" in described) == (end != ""), name
    assert settings.CONFIRMED == ("setpoint_max_pa", "trip_pa", "chamber_rating_pa")


def test_an_unknown_name_is_refused():
    assert "no setting" in Settings().set("bananas", 1)


def test_a_stored_set_is_taken_whole_or_not_at_all():
    s = Settings()
    assert s.load({"dead_band_pa": 2000, "from_the_future": 7}) == ""
    assert s.get("dead_band_pa") == 2000
    assert s.load({"dead_band_pa": 1500, "trip_pa": 1}) != ""
    assert s.get("dead_band_pa") == 2000
