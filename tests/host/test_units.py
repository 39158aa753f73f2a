from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipch.base.units import (
    format_celsius,
    format_deviation,
    format_duration,
    format_pressure,
    format_slew,
    format_target,
    parse_duration,
    parse_pressure,
    parse_slew,
    parse_speed,
    parse_volume_ml,
)
from ipch.errors import UsageError


@pytest.mark.parametrize(
    ("text", "pa"),
    [
        ("5MPa", 5_000_000),
        ("5", 5_000_000),
        ("5.5", 5_500_000),
        ("0.1", 100_000),
        ("50 bar", 5_000_000),
        ("50bara", 5_000_000),
        ("500kPa", 500_000),
        ("101325 Pa", 101_325),
        ("1013.25hPa", 101_325),
        ("1013.25 mbar", 101_325),
        ("5e6Pa", 5_000_000),
        (" 5 mpa ", 5_000_000),
        ("0", 0),
        (".5MPa", 500_000),
        # NIST SP 811: 1 psi is 6.894757 kPa.
        ("725psi", 4_998_699),
        ("1000000psi", 6_894_757_293),
        ("0.1234565MPa", 123_456),
        ("0.1234575MPa", 123_458),
    ],
)
def test_pressures_as_people_write_them(text: str, pa: int) -> None:
    assert parse_pressure(text) == pa


@pytest.mark.parametrize(
    "text",
    [
        "5bananas",
        "",
        "MPa",
        "five",
        "5,5MPa",
        "1e999Pa",
        "nan",
        "inf",
        "5MPa/s",
        "5 5",
        "0x5",
        "5barg",
        "5 psig",
    ],
)
def test_what_is_no_pressure_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(UsageError, match="mbar or psi") as refusal:
        parse_pressure(text)
    assert "\n" not in str(refusal.value)


def test_gauge_pressures_are_named_as_such() -> None:
    with pytest.raises(UsageError, match=r"gauge pressure.*absolute"):
        parse_pressure("50barg")


def test_negative_pressures_are_named_as_such() -> None:
    with pytest.raises(UsageError, match=r"^negative pressure: '-1MPa'; pressures are absolute"):
        parse_pressure("-1MPa")


@given(st.integers(min_value=0, max_value=10**9))
def test_every_pascal_survives_every_unit(pa: int) -> None:
    assert parse_pressure(f"{pa}Pa") == pa
    assert parse_pressure(f"{pa // 1000}.{pa % 1000:03}kPa") == pa
    assert parse_pressure(f"{pa // 10**6}.{pa % 10**6:06}") == pa
    assert parse_pressure(f"{pa // 10**5}.{pa % 10**5:05} bar") == pa


@pytest.mark.parametrize(
    ("text", "pa_s"),
    [
        ("20kPa/s", 20_000),
        ("1MPa/min", 16_667),
        ("1 bar/min", 1_667),
        ("3.6MPa/h", 1_000),
        ("0.02 MPa/s", 20_000),
    ],
)
def test_slew_rates(text: str, pa_s: int) -> None:
    assert parse_slew(text) == pa_s


@pytest.mark.parametrize(
    "text", ["20", "20kPa", "20/s", "20kPa/fortnight", "-1kPa/s", "0kPa/s", "0.1Pa/s", "max", ""]
)
def test_what_is_no_slew_rate(text: str) -> None:
    with pytest.raises(UsageError, match="20kPa/s or 1MPa/min"):
        parse_slew(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("10min", 600),
        ("10 min", 600),
        ("10m", 600),
        ("2h", 7200),
        ("1.5h", 5400),
        ("1h30m", 5400),
        ("1 h 30 min", 5400),
        ("2d", 172_800),
        ("250ms", 0.25),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["10", "", "h", "-5min", "0s", "10 minutes", "1h30", "1e3s", "5MPa"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(UsageError, match="90s, 10min or 1h30m"):
        parse_duration(text)


@given(st.integers(min_value=1, max_value=10**9))
def test_durations_to_the_millisecond(milliseconds: int) -> None:
    assert round(parse_duration(f"{milliseconds}ms") * 1000) == milliseconds


@pytest.mark.parametrize(
    ("text", "ml"),
    [
        ("500mL", 500.0),
        ("0.5 L", 500.0),
        ("480 cm3", 480.0),
        ("2dm3", 2000.0),
        ("1e-3 m3", 1000.0),
        ("1000m3", 1e9),
    ],
)
def test_volumes(text: str, ml: float) -> None:
    assert parse_volume_ml(text) == ml


@pytest.mark.parametrize("text", ["500", "", "mL", "0L", "-1L", "1001m3", "5MPa", "five L"])
def test_what_is_no_volume(text: str) -> None:
    with pytest.raises(UsageError, match=f"^not a volume: '{text}'; expected .*such as 500mL$"):
        parse_volume_ml(text)


def test_the_ends_of_each_range_are_allowed_and_nothing_beyond() -> None:
    assert parse_pressure("1000000MPa") == 10**12
    assert parse_slew("1Pa/s") == parse_slew("60Pa/min") == 1 and parse_slew("1000000MPa/s") == 10**12
    assert parse_duration("1ms") == 0.001 and parse_duration("10000000000s") == 1e10
    assert parse_speed("0.001") == 0.001 and parse_speed("1000000") == 1e6
    for parse, beyond in {
        parse_pressure: ("1000000.000001MPa", "1e13Pa"),
        parse_slew: ("0.99Pa/s", "1000000000001Pa/s", "1kPa/s/s", "/s"),
        parse_duration: ("0.9ms", "10000000001s"),
        parse_speed: ("0.0009", "1000000.5"),
    }.items():
        for text in beyond:
            with pytest.raises(UsageError, match="expected"):
                parse(text)


def test_speed() -> None:
    assert parse_speed("max") is None and parse_speed(" MAX ") is None
    assert parse_speed("20") == 20.0 and parse_speed("0.5") == 0.5
    for text in ("fast", "0", "-1", "nan", ""):
        with pytest.raises(UsageError, match="max, or a multiple of real time"):
            parse_speed(text)


def test_texts_for_people() -> None:
    assert format_target(5_000_000) == "5 MPa"
    assert format_target(2_050_000) == "2.05 MPa"
    assert format_target(101_325) == "0.101325 MPa"
    assert [format_duration(s) for s in (0, 42, 5400, 90_061)] == ["0 s", "42 s", "1 h 30 min", "1 d 1 h"]
    assert [format_duration(s) for s in (86_399.6, 31 * 86_400, 3661)] == ["1 d", "31 d", "1 h 1 min"]
    assert format_pressure(4_999_949.9) == "4.9999 MPa"
    assert [format_deviation(pa) for pa in (-1234.4, 5.0)] == ["-1.23 kPa", "+0.01 kPa"]
    assert format_slew(20_000) == "20 kPa/s" and format_celsius(303.154) == "30.00 degC"
    assert format_target(100_000_000) == "100 MPa"
