r"""Transcripts of the serial line, messages and replies, used to test both of its ends.

    # a comment
    > a message of the host, with \xNN for an unprintable byte
    < a line of the reply; {int:5}, {decimal:1.25} and {word:OFF} stand for any such value and show an example
    ! deaf | hearing    the host stops reading, or reads again

A message without a `<` line has no reply. A transcript begins with a device that has just started.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
_KINDS = {"int": r"-?\d+", "decimal": r"-?\d+\.\d+", "word": r"[A-Za-z0-9_.\-]+"}
_VALUE = re.compile(r"\{(int|decimal|word):([^}]*)\}")


@dataclass
class Exchange:
    """One message and the lines of its reply."""

    line: int
    sent: str
    replies: list[str] = field(default_factory=list)
    deaf: bool = False

    @property
    def data(self) -> bytes:
        """The bytes on the line."""
        return self.sent.encode().decode("unicode_escape").encode("latin-1")


def names() -> list[str]:
    """Names of all transcripts."""
    return sorted(path.stem for path in FOLDER.glob("*.txt") if path.stem != "traces")


def load(name: str) -> list[Exchange]:
    """Read one transcript."""
    exchanges: list[Exchange] = []
    deaf = False
    for number, text in enumerate((FOLDER / f"{name}.txt").read_text().splitlines(), 1):
        mark, _, rest = text.partition(" ")
        if mark == ">":
            exchanges.append(Exchange(number, rest, deaf=deaf))
        elif mark == "<":
            exchanges[-1].replies.append(rest)
        elif mark == "!":
            assert rest in ("deaf", "hearing"), f"{name}.txt:{number}: {text}"
            deaf = rest == "deaf"
        else:
            assert not text or mark == "#", f"{name}.txt:{number}: {text}"
    assert exchanges
    return exchanges


def matches(pattern: str, text: str) -> bool:
    """Whether a reply matches the transcript."""
    parts = _VALUE.split(pattern)
    expression = ""
    for index in range(0, len(parts), 3):
        expression += re.escape(parts[index])
        if index + 1 < len(parts):
            expression += _KINDS[parts[index + 1]]
    return re.fullmatch(expression, text) is not None


def example(pattern: str) -> str:
    """The example reply of the transcript."""
    for kind, value in _VALUE.findall(pattern):
        assert re.fullmatch(_KINDS[kind], value), f"{value!r} does not match {kind}"
    return _VALUE.sub(lambda match: match.group(2), pattern)
