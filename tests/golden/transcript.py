r"""Transcripts of the line: what was sent and what came back, for both of its ends.

    # a comment
    > what the host sends, with \xNN for a byte that cannot be printed
    < a line of the reply; {int:5}, {decimal:1.25} and {word:OFF} stand for such a value and show one
    ! deaf | hearing    the host stops to read, or reads again

A message without a `<` line has no reply. A transcript begins at a device that has just been started.
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
        """What goes over the line."""
        return self.sent.encode().decode("unicode_escape").encode("latin-1")


def names() -> list[str]:
    """All transcripts."""
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
    """Whether a reply is as the transcript says."""
    parts = _VALUE.split(pattern)
    expression = ""
    for index in range(0, len(parts), 3):
        expression += re.escape(parts[index])
        if index + 1 < len(parts):
            expression += _KINDS[parts[index + 1]]
    return re.fullmatch(expression, text) is not None


def example(pattern: str) -> str:
    """A reply as the transcript says."""
    for kind, value in _VALUE.findall(pattern):
        assert re.fullmatch(_KINDS[kind], value), f"{value!r} is no {kind}"
    return _VALUE.sub(lambda match: match.group(2), pattern)
