"""Reading the replies of a SCPI device: joined replies, quoted strings, echoed headers."""

import re

from ipch.errors import ProtocolError

# With header echo on, a reply starts with its header; no reply of ours starts with ':' or '*' otherwise.
_HEADER = re.compile(r"^[:*][A-Za-z0-9:*]+ ")
_ERROR = re.compile(r'\s*([+-]?\d+)\s*,\s*"((?:[^"]|"")*)"\s*')


def split_outside_quotes(text: str, separator: str) -> list[str]:
    """Split at a character, but not inside a quoted string."""
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
    """The replies of one message, without echoed headers."""
    return [_HEADER.sub("", part.strip(), count=1) for part in split_outside_quotes(line, ";")]


def fields(reply: str) -> list[str]:
    """The comma separated values of one reply; quoted strings without their quotes."""
    return [unquote(part.strip()) for part in split_outside_quotes(reply, ",")]


def unquote(text: str) -> str:
    """A string parameter as plain text; anything else as it is."""
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return text[1:-1].replace('""', '"')
    return text


def quote(text: str) -> str:
    """Plain text as a string parameter."""
    return '"' + text.replace('"', '""') + '"'


def error(reply: str) -> tuple[int, str]:
    """Number and text of a reply to :SYST:ERR?; (0, ...) is no error. Raises ProtocolError."""
    match = _ERROR.fullmatch(reply)
    if match is None:
        raise ProtocolError(f"the device answered {reply!r} where it should have reported its errors")
    return int(match.group(1)), match.group(2).replace('""', '"')


def integer(text: str, what: str) -> int:
    """A decimal integer. Raises ProtocolError with what it should have been."""
    try:
        return int(text)
    except ValueError as bad:
        raise ProtocolError(f"the device answered {text!r} for {what}; expected an integer") from bad
