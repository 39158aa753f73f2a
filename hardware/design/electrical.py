"""Figures of the circuit, computed from the values in circuit.py, each with its limits.

The sections are in figures_power.py, figures_safety.py and figures_io.py; what they assume in assumptions.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from hardware.design import figures_io, figures_power, figures_safety
from hardware.design.assumptions import number
from hardware.design.circuit import Part, circuit
from ipch.sizing import Sizing


@dataclass(frozen=True)
class Check:
    """A figure and its allowed range."""

    section: str
    name: str
    value: float
    unit: str
    low: float
    high: float
    how: str

    @property
    def kept(self) -> bool:
        return self.low <= self.value <= self.high


def checks(sizing: Sizing, parts: Sequence[Part] | None = None) -> list[Check]:
    """Return all figures, for the pressure limits in `sizing`; `parts` defaults to the circuit."""
    parts = circuit() if parts is None else parts
    value = {p.ref: number(p.value) for p in parts if p.kind in ("R", "C", "CP", "POT", "TVS")}
    found: list[Check] = []

    def add(section: str, name: str, figure: float, unit: str, low: float, high: float, how: str) -> None:
        found.append(Check(section, name, figure, unit, low, high, how))

    figures_power.gates(add, value)
    figures_io.loops(add, value)
    figures_safety.trip_figures(add, value, sizing)
    figures_safety.latch(add, value)
    figures_safety.alive(add, value)
    figures_power.rail(add, value)
    figures_power.limits(add, value)
    figures_io.rest(add, value)
    return found


_HEAD = """\
# Figures of the circuit

`make hardware` computes these figures from the values in [design/circuit.py](design/circuit.py); `make test` fails
if one leaves its allowed range. They are worst cases for the classes of parts in [bom.csv](bom.csv): check them
against the data sheets of what you buy. Nothing here was measured on a board. D1x stands for D11 to D15.
"""


def page(sizing: Sizing) -> str:
    """Return the figures as Markdown."""
    lines = [_HEAD]
    section = ""
    for check in checks(sizing):
        if check.section != section:
            section = check.section
            lines.append(
                f"\n## {section[:1].upper()}{section[1:]}\n\n"
                "| figure | value | unit | allowed | how |\n|---|---|---|---|---|\n"
            )
        if check.high == inf:
            allowed = f"at least {check.low:.3g}"
        else:
            allowed = f"{check.low:.3g} to {check.high:.3g}" if check.low else f"at most {check.high:.3g}"
        lines.append(f"| {check.name} | {check.value:.3g} | {check.unit} | {allowed} | {check.how} |\n")
    return "".join(lines)
