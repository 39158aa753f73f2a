"""The pace of a simulation: by the clock, as fast as possible, and not too far ahead of a host."""

from __future__ import annotations

from typing import Any, cast

from ipch.sim.parameters import load_parameters
from ipch.sim.plant import Plant
from ipch.sim.world import World


class Line:
    """A serial line on which nobody waits; it notes how long it was told to."""

    def __init__(self) -> None:
        self.sent = bytearray()
        self.waits_s: list[float] = []

    def pump(self, wait_s: float = 0.0) -> None:
        self.waits_s.append(wait_s)

    def take(self, count: int) -> bytes:
        taken = bytes(self.sent[:count])
        del self.sent[:count]
        return taken


def waits_s(line: Line, world: World, ticks: int) -> list[float]:
    """How long each of so many ticks waits."""
    line.waits_s.clear()
    for _ in range(ticks):
        world.take()
        world.advance()
    return line.waits_s


def world_with(line: Line, **more: Any) -> World:
    return World(Plant(load_parameters(None, [])), line=cast("Any", line), **more)


def test_as_fast_as_possible_waits_for_nobody() -> None:
    line = Line()
    assert set(waits_s(line, world_with(line), 200)) == {0.0}


def test_a_silent_host_is_left_behind_by_so_much_and_no_more() -> None:
    line = Line()
    world = world_with(line, ahead_s=1.0)
    waited = waits_s(line, world, 60)
    assert waited[:50] == [0.0] * 50
    assert waited[50:] == [0.02] * 10
    line.sent += b"?"
    waited = waits_s(line, world, 60)
    assert waited[:49] == [0.0] * 49
    assert set(waited[51:]) == {0.02}
