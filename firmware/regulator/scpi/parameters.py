"""Parameters of SCPI commands: text to integers, booleans, choices and strings, exact and without floats."""

_DIGITS = b"0123456789"
_QUOTES = ("'", '"')
# Larger numbers count as infinite. The range check then reports the limits.
_HUGE = 10**18
_LIMITS = ("MINimum", "MAXimum", "DEFault")
_ONE = (1, 1)
_EXPONENT_MAX = 32000  # IEEE 488.2 section 7.7.2.4.1
# Units of a time, for scaled(): ms in one of them.
TIMES = {"S": (1000, 1), "MS": (1, 1), "MIN": (60_000, 1)}


class ScpiError(Exception):
    """A refused command: SCPI error number, and optionally the reason."""

    def __init__(self, code: int, info: str = ""):
        super().__init__(code, info)
        self.code = code
        self.info = info


def split(text: bytes, separator: bytes, most: int) -> list:
    """Split outside quoted strings into at most `most` + 1 pieces; raise -151 for an unterminated string."""
    if b'"' in text or b"'" in text:
        return _split_quoted(text, separator, most)
    return text.split(separator, most)


def _split_quoted(text: bytes, separator: bytes, most: int) -> list:
    parts = []
    start = 0
    at = 0
    while len(parts) < most:
        cut = text.find(separator, at)
        if cut < 0:
            cut = len(text)
        at = quote_end(text, at, cut)
        if at == 0:
            if cut == len(text):
                break
            parts.append(text[start:cut])
            start = at = cut + 1
    parts.append(text[start:])
    return parts


def quote_end(text: bytes, start: int, end: int) -> int:
    """Return the end of the first quoted string that begins in text[start:end], 0 without one."""
    first = _first_quote(text, start, end)
    if first < 0:
        return 0
    last = text.find(text[first : first + 1], first + 1)
    if last < 0:
        raise ScpiError(-151)
    return last + 1


def _first_quote(text: bytes, start: int, end: int) -> int:
    double = text.find(b'"', start, end)
    single = text.find(b"'", start, end)
    return single if double < 0 or 0 <= single < double else double


def string(text: str) -> str:
    """Return the content of a string in single or double quotes; raise -104 if it is none, -151 if malformed."""
    quote = text[:1]
    if quote != '"' and quote != "'":
        raise ScpiError(-104)
    inner = text[1:-1]
    if len(text) < 2 or text[-1] != quote or quote in inner.replace(quote + quote, ""):
        raise ScpiError(-151)
    return inner.replace(quote + quote, quote)


def boolean(text: str) -> bool:
    """Return the value of ON, OFF, 1 or 0. Other numbers are refused, as they are probably a mistake."""
    word = text.upper()
    if text[:1] in _QUOTES:
        raise ScpiError(-104, "ON, OFF, 1 or 0")
    if word == "ON" or word == "1":
        return True
    if word == "OFF" or word == "0":
        return False
    raise ScpiError(-224, "ON, OFF, 1 or 0")


def short_form(word: str) -> str:
    """Return the short form of a mnemonic in SCPI notation: the part before the lower-case letters."""
    return word.rstrip("abcdefghijklmnopqrstuvwxyz")


def choice(text: str, words: tuple) -> int:
    """Return the index of the mnemonic (as "MAXimum") that `text` names in short or long form."""
    given = text.upper()
    for index, word in enumerate(words):
        if given == word.upper() or given == short_form(word):
            return index
    code = -224 if given[:1].isalpha() else -104
    raise ScpiError(code, ", ".join([short_form(word) for word in words]))


def scaled(text: str, units: dict, unit: str, limits: tuple) -> int:
    """Return a decimal number as an integer in base units, rounded to the nearest (halves away from zero).

    `units` maps a suffix to (numerator, denominator, ...) of its size in base units; `unit` applies without a suffix.
    `limits` is (minimum, maximum, default) for the words MIN, MAX, DEF, or (). The range is not checked.
    """
    parts = _decompose(text)
    if not parts[0]:
        return _limit_named(parts[2], limits)
    if parts[2]:
        unit = _unit_named(parts[2], units)
    return _size(parts[0], parts[1], units[unit] if units else _ONE)


def _limit_named(name: str, limits: tuple) -> int:
    for value, word in zip(limits, _LIMITS):
        if name == word.upper() or name == short_form(word):
            return value
    raise ScpiError(-104)


def _unit_named(name: str, units: dict) -> str:
    if not units:
        raise ScpiError(-138)
    if name not in units:
        raise ScpiError(-131, ", ".join(sorted(units)))
    return name


def _size(number: bytes, exponent: int, unit: tuple) -> int:
    mantissa, places = _mantissa(number)
    exponent -= places
    digits = exponent + len(b"%d" % abs(mantissa))
    if mantissa == 0 or digits < -18:
        return 0
    if digits > 18:
        return _HUGE if mantissa > 0 else -_HUGE
    if exponent > 0:
        return rounded(mantissa * unit[0] * 10**exponent, unit[1])
    return rounded(mantissa * unit[0], unit[1] * 10**-exponent)


def integer(text: str, minimum: int, maximum: int) -> int:
    """Return a whole number from a decimal or from #H, #Q, #B; raise -222 outside the limits."""
    base = {"#H": 16, "#Q": 8, "#B": 2}.get(text[:2].upper())
    if base:
        try:
            value = int(text[2:], base)
        except ValueError:
            raise ScpiError(-120) from None
    else:
        value = scaled(text, {}, "", ())
    if not minimum <= value <= maximum:
        raise ScpiError(-222, "%d to %d" % (minimum, maximum))
    return value


def setting_value(text: str, row: tuple) -> int:
    """Return the value that a parameter gives to a setting, a row of the table; raise -222 outside its limits."""
    value = scaled(text, {}, "", (row[3], row[4], row[2]))
    if not row[3] <= value <= row[4]:
        raise ScpiError(-222, "%s: %d to %d %s" % (row[0], row[3], row[4], row[1]))
    return value


def limit(args: list, limits: tuple) -> int:
    """Return the one of (minimum, maximum, default) that a query requests."""
    return limits[choice(args[0], _LIMITS)]


def forced(args: list, count: int) -> bool:
    """Return whether the word FORCe follows `count` other parameters."""
    if len(args) <= count:
        return False
    if args[count].upper() not in ("FORC", "FORCE"):
        raise ScpiError(-108)
    return True


def accept(reason: str):
    """Raise -221 with the reason of a refusal; "" means that the request was carried out."""
    if reason:
        raise ScpiError(-221, reason)


def rounded(numerator: int, denominator: int) -> int:
    """Return numerator / denominator (> 0) rounded to the nearest integer, halves away from zero."""
    if numerator < 0:
        return -((-numerator * 2 + denominator) // (denominator * 2))
    return (numerator * 2 + denominator) // (denominator * 2)


def decimal(value: int, places: int) -> bytes:
    """Return value / 10^places with `places` decimals, as digits."""
    if places == 0:
        return b"%d" % value
    one = 10**places
    size = abs(value)
    return b"%s%d.%0*d" % (b"-" if value < 0 else b"", size // one, places, size % one)


def put(buffer: bytearray, end: int, value: int) -> int:
    """Write a comma and an integer so that they end before `end`; return where they begin.

    So a long reply is assembled from its end, without memory for its parts. Machine code on the board, where 21 of them
    took 1.2 ms of each `:FETCh?`.
    """
    left = -value if value < 0 else value
    while True:
        end -= 1
        buffer[end] = 48 + left % 10
        left //= 10
        if not left:
            break
    if value < 0:
        end -= 1
        buffer[end] = 45
    end -= 1
    buffer[end] = 44
    return end


def put_text(buffer: bytearray, end: int, text: str) -> int:
    """Write a comma and a text likewise."""
    data = text.encode()
    start = end - len(data)
    buffer[start:end] = data
    buffer[start - 1] = 44
    return start - 1


def put_ms(buffer: bytearray, end: int, seconds: int, ms: int) -> int:
    """Write a comma and a time in ms likewise. As one number it would pass 2^30 after 12 days."""
    if seconds:
        # Its first digit keeps the zeros, and is written over together with the comma.
        end = put(buffer, end, 1000 + ms) + 2
        ms = seconds
    return put(buffer, end, ms)


def milliseconds(seconds: int, ms: int) -> bytes:
    """Return seconds and ms as ms, as digits."""
    return b"%d%03d" % (seconds, ms) if seconds else b"%d" % ms


def _decompose(text: str) -> tuple:
    """Split `12.5E-3 BAR` into (b"12.5", -3, "BAR")."""
    data = text.encode().upper()
    rest = data.lstrip(b"+-.0123456789")
    number = data[: len(data) - len(rest)]
    rest = rest.lstrip()
    exponent = 0
    if number and rest[:1] == b"E":
        exponent, rest = _exponent(rest)
    return number, exponent, rest.decode()


def _exponent(rest: bytes) -> tuple:
    """Split `E-3 BAR` into (-3, b"BAR"); what is no exponent is (0, all of it)."""
    power = rest[1:].lstrip()
    tail = power.lstrip(b"+-0123456789")
    if len(tail) == len(power):
        return 0, rest
    exponent = _whole(power[: len(power) - len(tail)])
    if abs(exponent) > _EXPONENT_MAX:
        raise ScpiError(-123)
    return exponent, tail.lstrip()


def _mantissa(number: bytes) -> tuple:
    """Return the digits of `12.5` as (125, 1): an integer and its number of decimals."""
    whole, _, fraction = number.partition(b".")
    return _whole(whole + fraction), len(fraction)


def _whole(number: bytes) -> int:
    digits = number[1:] if number[:1] in b"+-" else number
    if not digits or digits.strip(_DIGITS):
        raise ScpiError(-120)
    return int(number)
