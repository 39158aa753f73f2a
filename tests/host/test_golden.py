"""The host understands what the transcripts in tests/golden say; tests/device has the other half."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from ipch.device import scpi
from ipch.device.instrument import Fault, Instrument, Valve
from ipch.device.session import Direct
from ipch.errors import DeviceError
from tests.golden import commands
from tests.golden.transcript import Exchange, example, load, names

ALL = [(name, exchange) for name in names() for exchange in load(name)]


class Replay:
    """The far end of the line as a transcript: it takes just what was sent then, and answers as then."""

    port = "transcript"

    def __init__(self, exchanges: list[Exchange]) -> None:
        self._exchanges = iter(exchanges)
        self._replies: list[str] = []

    def write_line(self, text: str) -> None:
        for line in text.split("\n"):
            exchange = next(self._exchanges)
            assert line == exchange.sent, f"line {exchange.line}"
            self._replies += map(example, exchange.replies)

    def read_line(self, timeout_s: float) -> str | None:
        return self._replies.pop(0) if self._replies else None

    def drain(self, quiet_s: float, limit_s: float = 1.0) -> None:
        self._replies.clear()

    def close(self) -> None:
        assert next(self._exchanges, None) is None and not self._replies, "the transcript goes on"


@contextlib.contextmanager
def refused(code: int, text: str) -> Iterator[None]:
    with pytest.raises(DeviceError) as caught:
        yield
    assert caught.value.code == code
    assert caught.value.text == text


def session(regulator: Instrument) -> None:
    """What tests/golden/client.txt is a record of."""
    assert (regulator.identity.maker, regulator.identity.model) == ("ipch", "IPCH-1")
    with refused(-221, "Settings conflict;no target has been set"):
        regulator.on()
    with refused(-222, "Data out of range;0.1013250 to 5.5000000 MPA"):
        regulator.target_pa = 99_000_000
    regulator.target_pa = 1_200_000
    sample = regulator.fetch()
    assert (sample.sequence, sample.boot, sample.state, sample.fault) == (1, 1, "OFF", "NONE")
    assert sample.target_pa == 1_200_000 and sample.in_limits is False and not sample.faulty
    assert 950_000 < sample.pressure_pa < 1_050_000 and 290 < sample.gas_k < 310 and sample.uptime_s > 0
    assert regulator.valve(2) == Valve(actuations=0, open_s=0.0, gain=58_000, response_pa=0)
    regulator.slew_pa_s = 50_000
    assert regulator.slew_pa_s == 50_000
    regulator.on()
    assert regulator.state == "REGULATE"
    regulator.quiet(60)
    assert regulator.state == "QUIET"
    regulator.quiet(0)
    regulator.vent()
    assert regulator.vent_state == 1
    regulator.abort_vent()
    assert regulator.vent_state == 0
    regulator.off()
    assert regulator.fault == Fault("NONE", "no fault", 0, "", 0.0)
    with refused(-221, "Settings conflict;no fault is latched"):
        regulator.acknowledge()
    assert regulator.warnings == ()
    with refused(-221, "Settings conflict;setpoint_max_pa must be below trip_pa (300000)"):
        regulator.set_setting("trip_pa", 300_000)
    with refused(-222, "Data out of range;settle_ms: 40 to 5000 ms"):
        regulator.set_setting("settle_ms", 1)
    with refused(-113, "Undefined header;:NONSENSE"):
        regulator.query(":SENS:PRES?;:NONSENSE?")
    regulator.set_setting("in_limits_ms", 2500)
    setting = regulator.setting("in_limits_ms")
    assert (setting.unit, setting.value, setting.minimum, setting.maximum) == ("ms", 2500, 0, 600_000)
    regulator.ask(":SYST:COMM:HEAD ON")
    assert regulator.fetch().sequence == 10
    assert regulator.query(":SOUR:PRES?") == "1.2000000"
    assert regulator.ask(":SOUR:PRES?;:OUTP?;:SYST:ERR?") == ["1.2000000", "0", '0,"No error"']
    with refused(-104, "Data type error"):
        regulator.ask(":SOUR:PRES 'five'")


def test_the_client_says_and_hears_what_the_transcript_says():
    replay = Replay(load("client"))
    regulator = Instrument(Direct(replay, numbers=(0, 1)))  # type: ignore[arg-type]
    session(regulator)
    regulator.close()


def test_every_reply_splits_into_one_for_each_query_that_was_executed():
    for name, exchange in ALL:
        asked = exchange.sent.count("?")
        lines = [scpi.replies(example(reply)) for reply in exchange.replies]
        if name == "errors" and len(lines) > 1:
            continue  # what a deaf host gets in the end
        for parts in lines:
            assert 0 < len(parts) <= asked, (name, exchange)
            for part in parts:
                assert not part.startswith((":", "*")), (name, exchange)
                assert part == part.strip() and scpi.fields(part), (name, exchange)


def test_every_error_is_understood_with_and_without_header():
    codes = set()
    for name, exchange in ALL:
        if name == "errors" and set(exchange.sent.replace(":SYST:ERR", "ERR").split(";")) == {"ERR?"}:
            for part in scpi.replies(example(exchange.replies[-1])):
                code, text = scpi.error(part)
                assert text and '"' not in text.replace('""', "")
                codes.add(code)
    # What is left cannot be caused from the host's side: -310 and -321 are faults of the device itself.
    syntax = {-101, -102, -104, -108, -109, -113, -114, -120, -123, -131, -138, -151}
    assert codes == {0, *syntax, -221, -222, -224, -350, -363, -430}


def test_replies_are_the_same_with_headers_and_without():
    bare = {exchange.sent: exchange for exchange in load("replies")}
    common = [exchange for exchange in load("headers") if exchange.sent in bare]
    assert len(common) > 5
    for exchange in common:
        with_header = [scpi.replies(example(reply)) for reply in exchange.replies]
        without = [scpi.replies(example(reply)) for reply in bare[exchange.sent].replies]
        assert [len(parts) for parts in with_header] == [len(parts) for parts in without]


def test_every_command_answers_as_recorded(monkeypatch, tmp_path):
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    assert commands.answers().splitlines() == commands.FILE.read_text().splitlines()
