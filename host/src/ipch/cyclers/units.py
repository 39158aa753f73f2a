"""Units in column names of cycler files: the only place that converts them to V, A, Ah and s."""

import re

from ipch.errors import FileError

_PREFIXES = {"": 1.0, "k": 1e3, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12}
_BASES = {
    "V": {"V": 1.0},
    "A": {"A": 1.0},
    "Ah": {"Ah": 1.0, "As": 1 / 3600, "C": 1 / 3600},
    "s": {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0},
}
_SPELLINGS = {
    "sec": "s", "seconds": "s", "second": "s", "minutes": "min", "hour": "h", "hours": "h", "hr": "h", "volt": "V",
    "volts": "V", "ampere": "A", "amps": "A", "ah": "Ah", "mah": "mAh", "Amp-hr": "Ah",
}  # fmt: skip


def scale_of(quantity: str, unit: str, where: str) -> float:
    """Factor that converts `unit` to the canonical V, A, Ah or s. Raises FileError for a unit that is none of these.

    A micro sign may have been lost to another code page: no other prefix is outside ASCII.
    """
    plain = re.sub(r"[.\u00b7* ]", "", unit.strip())
    plain = _SPELLINGS.get(plain, _SPELLINGS.get(plain.lower(), plain))
    plain = re.sub(r"^[\u00b5\u03bc\ufffd?]", "u", plain)
    if quantity == "Ah" and plain.endswith("A"):
        # As in mAmp-hr.
        plain += "h"
    bases = _BASES[quantity]
    if plain in bases:
        return bases[plain]
    if plain[:1] in _PREFIXES and plain[1:] in bases and not (quantity == "s" and plain[1:] != "s"):
        return _PREFIXES[plain[0]] * bases[plain[1:]]
    known = {"V": "V, mV, uV", "A": "A, mA, uA, nA", "Ah": "Ah, mAh, uAh, As, mAs, uAs", "s": "s, ms, min, h"}
    raise FileError(f"{where}: unknown unit {unit!r}; known are {known[quantity]}")


def is_unit(text: str) -> bool:
    """Whether a text is a unit that is known here, and nothing else."""
    for quantity in _BASES:
        try:
            return scale_of(quantity, text, "") > 0
        except FileError:
            continue
    return False
