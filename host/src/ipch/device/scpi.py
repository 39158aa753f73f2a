"""Parsing SCPI replies: joined replies, quoted strings, echoed headers."""

import re

from ipch.errors import ProtocolError

# With header echo on, a reply starts with its header; without it none of our replies starts with ':' or '*'.
_HEADER = re.compile(r"^[:*][A-Za-z0-9:*]+ ")
_ERROR = re.compile(r'\s*([+-]?\d+)\s*,\s*"((?:[^"]|"")*)"\s*')


def split_outside_quotes(text: str, separator: str) -> list[str]:
    """Split at a separator outside quoted strings."""
    parts, start, quoted = [], 0, False
    for index, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif character == separator and not quoted:
            parts.append(text[start:index])
            start = index + 1
    parts.append(text[start:])
    return parts


def replies(line: str) -> list[str]:
    """The replies to one message, without echoed headers."""
    return [_HEADER.sub("", part.strip(), count=1) for part in split_outside_quotes(line, ";")]


def fields(reply: str) -> list[str]:
    """The comma-separated values of one reply; strings without their quotes."""
    return [unquote(part.strip()) for part in split_outside_quotes(reply, ",")]


def unquote(text: str) -> str:
    """Convert a string parameter to plain text; return other text unchanged."""
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return text[1:-1].replace('""', '"')
    return text


def quote(text: str) -> str:
    """Convert plain text to a string parameter."""
    return '"' + text.replace('"', '""') + '"'


def error(reply: str) -> tuple[int, str]:
    """Number and text in a reply to :SYST:ERR?; number 0 is no error. Raises ProtocolError."""
    match = _ERROR.fullmatch(reply)
    if match is None:
        raise ProtocolError(f"the device answered {reply!r} to :SYST:ERR?; expected a number and a text")
    return int(match.group(1)), match.group(2).replace('""', '"')


def integer(text: str, what: str) -> int:
    """Parse a decimal integer. Raises ProtocolError that names `what`."""
    try:
        return int(text)
    except ValueError as bad:
        raise ProtocolError(f"the device answered {text!r} for {what}; expected an integer") from bad
