"""The circuit: every part with the net on each of its pins; source of netlist, schematic, board and parts list.

Nets that reach the Pico have the names of firmware/pins.py. electrical.py checks the values. The blocks are in
blocks_power.py (24 V, coil rail, drivers), blocks_safety.py (comparator, latch, relief) and blocks_io.py (the rest).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hardware.design import blocks_io, blocks_power, blocks_safety
from hardware.design.blocks_io import LOOPS as LOOPS
from hardware.design.blocks_power import VALVES as VALVES
from hardware.design.kinds import KINDS as KINDS
from hardware.design.kinds import footprint


@dataclass(frozen=True)
class Part:
    """One part; `nets` maps pin names to nets. Pins without a net are unconnected on purpose."""

    ref: str
    kind: str
    value: str
    nets: dict[str, str]
    sheet: str
    field: bool = False  # on the rig, not on the board; drawn because a wire ends there

    @property
    def footprint(self) -> str:
        """KiCad footprint as "library:name"; empty for a part that is not on the board."""
        return "" if self.field else footprint(self.ref, self.kind)


class _Collector:
    def __init__(self) -> None:
        self.parts: list[Part] = []

    def __call__(self, sheet: str, ref: str, kind: str, value: str, *nets: str | Mapping[str, str],
                 field: bool = False) -> None:  # fmt: skip
        """Add a part; `nets` in the order of its pins, or one mapping of pin names."""
        names = [name for _, name, electrical in KINDS[kind] if electrical != "NOCONNECT"]
        if nets and not isinstance(nets[0], str):
            named = dict(nets[0])
            assert set(named) == set(names), f"{ref}: {set(named) ^ set(names)}"
        else:
            named = dict(zip(names, (str(net) for net in nets), strict=True))
        self.parts.append(Part(ref, kind, value, named, sheet, field))


def circuit() -> list[Part]:
    """Return all parts."""
    put = _Collector()
    for add in (blocks_power.add, blocks_safety.add, blocks_io.add):
        add(put)
    assert len({part.ref for part in put.parts}) == len(put.parts)
    return put.parts
