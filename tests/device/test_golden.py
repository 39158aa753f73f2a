"""The device answers as in the transcripts of tests/golden, on every rung; tests/host tests the other end."""

from __future__ import annotations

import pytest

from tests.golden.transcript import load, matches, names

# The longest message has a dozen units, and each takes a tick.
TICKS = 60


@pytest.mark.parametrize("name", names())
def test_the_device_answers_as_in_the_transcript(bench, name):
    rig = bench("initial_mpa=1")
    world = rig.world
    hearing = world.room
    for exchange in load(name):
        world.room = (lambda: 0) if exchange.deaf else hearing
        world.received.clear()
        world.script[world.ticks + 1] = exchange.data + b"\n"
        rig.device.run(TICKS + len(exchange.data) // 16)
        said = world.received.decode()
        assert said == "" or said.endswith("\r\n"), f"{name}.txt:{exchange.line}: {said!r}"
        lines = said.split("\r\n")[:-1]
        assert len(lines) == len(exchange.replies) and all(map(matches, exchange.replies, lines)), (
            f"{name}.txt:{exchange.line}: {exchange.sent}\nexpected {exchange.replies}\nreceived {lines}"
        )
