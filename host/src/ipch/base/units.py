"""Parsing and formatting of quantities with units; exact, through Decimal.

Pressures are absolute. Without a unit a pressure is in MPa; everything else needs a unit, because `--slew 20` or
`quiet 10` would be ambiguous, and a wrong guess is dangerous on a pressure vessel.
"""

import math
import re
from decimal import ROUND_HALF_EVEN, Decimal

from ipch.errors import UsageError

# Pound-force per square inch; both are exact.
_PSI = Decimal("4.4482216152605") / Decimal("0.00064516")
_PASCAL = {
    "": Decimal(10**6),
    "pa": Decimal(1),
    "hpa": Decimal(100),
    "kpa": Decimal(1000),
    "mpa": Decimal(10**6),
    "mbar": Decimal(100),
    "bar": Decimal(10**5),
    "psi": _PSI,
    "bara": Decimal(10**5),
    "psia": _PSI,
}
_GAUGE = ("barg", "bar(g)", "psig", "psi(g)")
_SECONDS = {
    "ms": Decimal("0.001"),
    "s": Decimal(1),
    "sec": Decimal(1),
    "m": Decimal(60),
    "min": Decimal(60),
    "h": Decimal(3600),
    "hr": Decimal(3600),
    "d": Decimal(86400),
}
_MILLILITRE = {
    "l": Decimal(1000),
    "ml": Decimal(1),
    "cm3": Decimal(1),
    "dm3": Decimal(1000),
    "m3": Decimal(10**6),
}
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?"
_QUANTITY = re.compile(rf"\s*({_NUMBER})\s*([A-Za-z()]*3?)\s*")
_DECIMAL_COMMA = re.compile(r"\s*\d+,\d")
_PART = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([A-Za-z]+)")

PRESSURE_HELP = (
    "a number with Pa, hPa, kPa, MPa, bar, mbar or psi, absolute, as 5MPa or '50 bar' (without a unit in MPa)"
)
SLEW_HELP = "a pressure per s, min or h, such as 20kPa/s or 1MPa/min"
VOLUME_HELP = "a number with L, mL, cm3 or m3, such as 500mL"
DURATION_HELP = "a number with ms, s, min, h or d, or several of them, such as 90s, 10min or 1h30m"


def _to_integer(value: Decimal) -> int:
    return int(value.to_integral_value(ROUND_HALF_EVEN))


def parse_pressure(text: str) -> int:
    """Parse an absolute pressure to Pa, rounded to an integer. Raises UsageError with the allowed forms."""
    match = _QUANTITY.fullmatch(text)
    unit = match.group(2).lower() if match else ""
    if unit in _GAUGE:
        raise UsageError(f"gauge pressure: {text!r}; expected an absolute pressure: {PRESSURE_HELP}")
    if match is None or unit not in _PASCAL:
        hint = "the decimal sign is a point; " if _DECIMAL_COMMA.match(text) else ""
        raise UsageError(f"not a pressure: {text!r}; {hint}expected {PRESSURE_HELP}")
    value = Decimal(match.group(1)) * _PASCAL[unit]
    if value < 0:
        raise UsageError(
            f"negative pressure: {text!r}; pressures are absolute, ambient is about 0.1013 MPa;"
            " `ipch vent` lets the gas out"
        )
    if not 0 <= value <= 10**12:
        raise UsageError(f"pressure out of range: {text!r}; expected {PRESSURE_HELP}, from 0 to 1e12 Pa")
    return _to_integer(value)


def parse_slew(text: str) -> int:
    """Parse a slew rate to Pa/s, at least 1. Raises UsageError with the allowed forms."""
    pressure, slash, per = text.partition("/")
    seconds = _SECONDS.get(per.strip().lower())
    match = _QUANTITY.fullmatch(pressure)
    unit = match.group(2).lower() if match else ""
    if not slash or seconds is None or match is None or unit == "" or unit not in _PASCAL:
        hint = "the decimal sign is a point; " if _DECIMAL_COMMA.match(text) else ""
        raise UsageError(f"not a slew rate: {text!r}; {hint}expected {SLEW_HELP}")
    value = Decimal(match.group(1)) * _PASCAL[unit] / seconds
    if not 1 <= value <= 10**12:
        raise UsageError(f"slew rate out of range: {text!r}; expected {SLEW_HELP}, at least 1 Pa/s")
    return _to_integer(value)


def parse_duration(text: str) -> float:
    """Parse a duration to seconds, exact to the millisecond. Raises UsageError with the allowed forms."""
    total, at = Decimal(0), 0
    stripped = text.strip()
    while at < len(stripped):
        match = _PART.match(stripped, at)
        scale = _SECONDS.get(match.group(2).lower()) if match else None
        if match is None or scale is None:
            raise UsageError(f"not a duration: {text!r}; expected {DURATION_HELP}")
        total += Decimal(match.group(1)) * scale
        at = match.end()
    if not Decimal("0.001") <= total <= 10**10:
        raise UsageError(f"not a duration: {text!r}; expected {DURATION_HELP}, longer than 0")
    return float(total)


def is_unit(text: str) -> bool:
    """Whether a word is a unit of pressure, rate, time or volume."""
    pressure, _, per = text.lower().partition("/")
    known = pressure in _PASCAL or pressure in _GAUGE
    return text != "" and (
        (known and (not per or per in _SECONDS)) or pressure in {**_SECONDS, **_MILLILITRE}
    )


def parse_volume_ml(text: str) -> float:
    """Parse a volume to mL. Raises UsageError with the allowed forms."""
    match = _QUANTITY.fullmatch(text)
    scale = _MILLILITRE.get(match.group(2).lower()) if match else None
    value = float(Decimal(match.group(1)) * scale) if match and scale else 0.0
    if not 0 < value <= 1e9:
        raise UsageError(f"not a volume: {text!r}; expected {VOLUME_HELP}")
    return value


def parse_length_mm(text: str) -> float:
    """Parse a length to mm. Raises UsageError with the allowed forms."""
    match = _QUANTITY.fullmatch(text)
    scale = {"mm": 1.0, "cm": 10.0, "in": 25.4}.get(match.group(2).lower()) if match else None
    value = float(match.group(1)) * scale if match and scale else 0.0
    if not value > 0:
        raise UsageError(f"not a length: {text!r}; expected a number with mm, cm or in, such as 85mm")
    return value


def format_pressure(pa: float) -> str:
    """Format a measured pressure in MPa, with the digits that the sensors resolve."""
    return "unknown" if math.isnan(pa) else f"{pa / 1e6:.4f} MPa"


def format_target(pa: float) -> str:
    """Format a chosen pressure in MPa, without trailing zeros."""
    return "unknown" if math.isnan(pa) else f"{pa / 1e6:.6f}".rstrip("0").rstrip(".") + " MPa"


def format_deviation(pa: float) -> str:
    """Format a small pressure difference in kPa, with its sign."""
    return f"{pa / 1e3:+.2f} kPa"


def format_slew(pa_s: float) -> str:
    return "unknown" if math.isnan(pa_s) else f"{pa_s / 1e3:g} kPa/s"


def format_duration(seconds: float) -> str:
    """Format a duration in its two largest units: `1 h 30 min`, `42 s`."""
    whole = round(seconds)
    days, rest = divmod(whole, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, secs = divmod(rest, 60)
    parts = [f"{n} {unit}" for n, unit in ((days, "d"), (hours, "h"), (minutes, "min"), (secs, "s")) if n]
    return " ".join(parts[:2]) if parts else "0 s"


def format_celsius(kelvin: float) -> str:
    return f"{kelvin - 273.15:.2f} degC"


def parse_speed(text: str) -> float | None:
    """Parse a multiple of real time; `max` gives None, as fast as possible. Raises UsageError."""
    if text.strip().lower() == "max":
        return None
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.001 <= value <= 1e6:
        raise UsageError(
            f"not a speed: {text!r}; expected max, or a multiple of real time, from 0.001 to 1e6"
        )
    return value
