"""The StreamDevice protocol and its database: they send what StreamDevice sent when the transcript was recorded, and a
simulated device still answers in the same form.

StreamDevice is not on PyPI or in Debian, so it does not run here. `Protocol` reads the part of its language that the
file uses: out and in with %f, %d, %c, %[..] and %{..|..}, arguments, @init and @mismatch.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import ipch
from ipch.device import Transport
from ipch.sim.server import simulate

ROOM = Path(ipch.__file__).parent / "fleet"
GOLDEN = Path(__file__).parent / "records" / "stream_device.txt"
# As in the transcript's head.
CHANGES = (
    ("SETPOINT", 1.25), ("SETPOINT", 99), ("OUTPUT", 1), ("HOLD", 1), ("HOLD", 0), ("QUIET", 2.5), ("VENT", 1),
    ("VENT", 0), ("OUTPUT", 0), ("ACK", 1), ("SLEW", 0.05),
)  # fmt: skip
_REFUSED = re.compile(r'-\d+,"')


class Protocol:
    """One protocol with its arguments."""

    def __init__(self, link: str) -> None:
        """`link` is what stands in INP or OUT of a record."""
        found = re.fullmatch(r"@ipch\.proto (\w+)(?:\((.*)\))? \$\(PORT\)", link)
        assert found, link
        text = re.sub(r"^\s*#.*$", "", (ROOM / "ipch.proto").read_text(), flags=re.MULTILINE)
        body = re.search(rf"^{found[1]} {{\n(.*?)^}}", text, re.DOTALL | re.MULTILINE)
        assert body, found[1]
        body_text = body[1]
        for number, value in enumerate((found[2] or "").split(","), start=1):
            body_text = body_text.replace(f"\\${number}", value)
        assert "\\$" not in body_text, link
        handlers = re.findall(r"@(\w+) {(.*?)}$", body_text, re.MULTILINE)
        self.handlers = {name: _commands(inner) for name, inner in handlers}
        self.commands = _commands(re.sub(r"@\w+ {.*}$", "", body_text, flags=re.MULTILINE))

    def outs(self, value: float = 0.0) -> list[str]:
        """The lines that it sends."""
        return [_format(text, value) for kind, text in self.commands if kind == "out"]

    def takes(self, line: str, handler: str = "") -> bool:
        """Whether the input pattern matches a whole reply."""
        commands = self.handlers[handler] if handler else self.commands
        pattern = next(text for kind, text in commands if kind == "in")
        return re.match(_pattern(pattern) + "$", line) is not None


def _commands(text: str) -> list[tuple[str, str]]:
    return re.findall(r'\b(out|in) "((?:[^"\\]|\\.)*)";', text)


def _format(text: str, value: float) -> str:
    text = re.sub(r"%{(.*?)\|(.*?)}", lambda found: found[2] if value else found[1], text)
    return re.sub(r"%\.\df", lambda found: found[0] % value, text)


def _pattern(text: str) -> str:
    parts = re.split(r"(%(?:\(\$\(P\)\w+\))?(?:f|d|\d+c|\d+\[[^\]]*\]|{[^}]*}))", text)
    return "".join(_converter(part) if part.startswith("%") else re.escape(part) for part in parts)


def _converter(text: str) -> str:
    text = re.sub(r"\(\$\(P\)\w+\)", "", text)
    if text.startswith("%{"):
        return f"(?:{text[2:-1]})"
    if text == "%f":
        return r"[+-]?\d+(?:\.\d+)?(?:E\d+)?"
    if text == "%d":
        return r"[+-]?\d+"
    found = re.fullmatch(r"%(\d+)(c|\[.*\])", text)
    assert found, text
    # ExtraInput = Ignore of the protocol with a set of characters.
    return f".{{1,{found[1]}}}" if found[2] == "c" else f"{found[2]}{{1,{found[1]}}}.*"


def records() -> dict[str, dict[str, str]]:
    text = (ROOM / "ipch.db").read_text()
    found = re.findall(r'^record\((\w+), "\$\(P\)(\w+)"\) {\n(.*?)^}', text, re.DOTALL | re.MULTILINE)
    return {
        name: {"type": kind, **dict(re.findall(r'field\((\w+), "(.*?)"\)', body))}
        for kind, name, body in found
    }


def transcript() -> list[tuple[str, str | None]]:
    """(line sent, reply) in order."""
    told: list[tuple[str, str | None]] = []
    for line in GOLDEN.read_text().splitlines():
        if line.startswith("> "):
            told.append((line[2:], None))
        elif line.startswith("< "):
            told[-1] = (told[-1][0], line[2:])
    return told


def test_readings_send_what_stream_device_sent_and_take_the_replies() -> None:
    told = dict(transcript())
    asked = set()
    for name, record in records().items():
        if "INP" in record and record.get("DTYP") == "stream":
            protocol = Protocol(record["INP"])
            (line,) = protocol.outs()
            asked.add(line)
            reply = told[line]
            assert reply is not None and protocol.takes(reply), name
            assert not protocol.takes('-113,"Undefined header"') or record["type"] == "waveform", name
    begun = {
        line
        for name in ("SETPOINT", "SLEW")
        for _, line in Protocol(records()[name]["OUT"]).handlers["init"][:1]
    }
    sent = {line for line, _ in transcript() if not line.startswith("*CLS") and line != ":SYST:ERR?"}
    assert sent == asked | begun


def test_changes_send_what_stream_device_sent_and_tell_a_refusal() -> None:
    told = transcript()
    begins = next(index for index, (line, _) in enumerate(told) if line.startswith("*CLS"))
    refused = []
    for (name, value), (command, nothing), (query, reply) in zip(
        CHANGES, told[begins::2], told[begins + 1 :: 2], strict=True
    ):
        record = records()[name]
        protocol = Protocol(record["OUT"])
        assert protocol.outs(value) == [command, query], name
        assert nothing is None and reply is not None
        assert protocol.takes(reply) is (_REFUSED.match(reply) is None)
        assert protocol.takes(reply, "mismatch")
        if _REFUSED.match(reply):
            refused.append(name)
        assert record["ASG"] == "CONTROL"
    assert refused == ["SETPOINT", "ACK"]


def test_no_limit_clamps_a_value() -> None:
    for name, record in records().items():
        assert not {"DRVH", "DRVL"} & record.keys(), name


@pytest.fixture(scope="module")
def line() -> Iterator[Transport]:
    with simulate(["--ideal", "--rig", "core", "--serial", "STREAM1"]) as running:
        transport = Transport(running.port)
        yield transport
        transport.close()


def test_a_device_answers_in_the_same_form(line: Transport) -> None:
    for sent, reply in transcript():
        line.write_line(sent)
        if reply is not None:
            got = line.read_line(5.0)
            assert got is not None and shape(got) == shape(reply), sent


@pytest.mark.parametrize("name", ["SETPOINT", "SLEW", "QUIET"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300, -1.0, 1e6])
def test_what_is_no_value_is_refused_and_told(line: Transport, name: str, value: float) -> None:
    protocol = Protocol(records()[name]["OUT"])
    for message in protocol.outs(value):
        line.write_line(message)
    reply = line.read_line(5.0)
    assert reply is not None and _REFUSED.match(reply), reply
    assert not protocol.takes(reply) and protocol.takes(reply, "mismatch")


def shape(reply: str) -> str:
    """A reply with its figures left out."""
    return re.sub(r"-?\d+\.\d+", "F", reply)
