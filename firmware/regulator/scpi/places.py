"""Where each command stands in the table. Computed when the firmware is packed, so it is not on the board."""

from regulator.scpi.syntax import OPTIONAL, header_key, keywords


def places(parts) -> dict:
    """Return the place of every header: its key -> number of the part << 8 | number of its row.

    A header has a key for every way to leave out optional keywords. Raises ValueError if two headers share one.
    """
    found = {}
    for index, part in enumerate(parts):
        for number, row in enumerate(part.rows):
            letters = 4 if row[0][0] == "*" else 3
            for way in _ways(row[0].encode()):
                place = index << 8 | number
                if found.setdefault(header_key(way, letters), place) != place:
                    raise ValueError(row[0])
    return found


def _ways(pattern: bytes) -> list:
    ways = [[]]
    for word, flags in keywords(pattern):
        given = [word]
        longer = [way + given for way in ways]
        ways = ways + longer if flags & OPTIONAL else longer
    return ways
