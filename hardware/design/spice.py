"""The circuit in ngspice: decks made from the parts and nets of circuit.py, with a model for each kind of part.

Models are of classes of parts, not of makers: what depends on a spread is run at its ends through `spread`.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from hardware.design.assumptions import COIL_H, LOGIC_W, number
from hardware.design.circuit import Part, circuit

# Diode models by what the value says: saturation current, ideality, series resistance, breakdown.
_DIODES = (
    ("low-leakage", "IS=3e-15 N=1.6 RS=0.5 BV=75"),
    ("Schottky pair", "IS=30n N=1.05 RS=5 BV=60"),
    ("30 V", "IS=200n N=1.05 RS=2 BV=30"),
    ("20 V", "IS=1u N=1.05 RS=0.1 BV=20"),
    ("60 V", "IS=500n N=1.05 RS=0.05 BV=60"),
    ("100 V", "IS=3n N=1.8 RS=0.6 BV=100"),
    ("coil rail on", "IS=1e-18 N=2 RS=3 BV=10"),
    ("overload", "IS=1e-18 N=2 RS=3 BV=10"),
    ("latched", "IS=1e-18 N=2 RS=3 BV=10"),
)
_PTC_OHM = {"100 mA": 20.0, "0.75 A": 0.3, "0.5 A": 0.5}
DRIVER_OHM, DRIVER_A = 0.5, 1.3  # of a protected driver; its limit is typical
COIL_OHM = 57.6  # of a 10 W valve


def installed() -> bool:
    """Return whether ngspice can be run."""
    return shutil.which("ngspice") is not None


def _diode(part: Part, clamp: float) -> str:
    volts = re.match(r"([\d.]+) V", part.value)
    if part.kind == "ZENER" and volts:
        return f"IS=1e-12 N=1.5 RS=2 BV={volts[1]} IBV=1m"
    if part.kind in ("TVS", "TVS2") and volts:
        return f"IS=1e-12 N=1.5 RS=0.05 BV={float(volts[1]) * clamp:.3f} IBV=1m"
    return next(model for text, model in _DIODES if text in part.value)


def _on(node: str, level: float, width: float = 0.05) -> str:
    """Return an expression that goes from 0 to 1 as a voltage passes a level."""
    return f"(0.5*(1+tanh((V({node})-{level})/{width})))"


class Deck:
    """A deck of parts; `spread` scales the values of references, `clamp` is breakdown over stand-off of a TVS."""

    def __init__(self, refs: Iterable[str], spread: Mapping[str, float] | None = None, clamp: float = 1.17,
                 gain: int = 300, base_v: float = 0.6) -> None:  # fmt: skip
        self.lines: list[str] = []
        self._spread, self._clamp = spread or {}, clamp
        self._gain, self._base_v = gain, base_v
        parts = {part.ref: part for part in circuit()}
        for ref in refs:
            self._add(parts[ref])

    def add(self, *lines: str) -> Deck:
        """Add lines of SPICE: sources, loads."""
        self.lines += lines
        return self

    def _value(self, part: Part) -> float:
        return number(part.value) * self._spread.get(part.ref, 1.0)

    def _add(self, part: Part) -> None:
        pins = {name: "0" if net == "GND" else net for name, net in part.nets.items()}
        nodes, r = list(pins.values()), part.ref
        if part.kind == "R":
            self.add(f"R{r} {nodes[0]} {nodes[1]} {self._value(part):g}")
        elif part.kind in ("C", "CP"):
            self.add(f"C{r} {nodes[0]} {nodes[1]} {self._value(part):g}")
        elif part.kind in ("FUSE", "PTC"):
            ohm = next((value for text, value in _PTC_OHM.items() if part.value.startswith(text)), 0.1)
            self.add(f"R{r} {nodes[0]} {nodes[1]} {ohm:g}")
        elif part.kind in ("DIODE", "SCHOTTKY", "ZENER", "TVS", "LED"):
            self.add(f"D{r} {pins['A']} {pins['K']} M{r}", f".model M{r} D({_diode(part, self._clamp)})")
        elif part.kind == "CLAMP":
            self.add(f"D{r}a {pins['LOW']} {pins['MID']} M{r}", f"D{r}b {pins['MID']} {pins['HIGH']} M{r}",
                     f".model M{r} D({_diode(part, self._clamp)})")  # fmt: skip
        elif part.kind == "COIL":
            self.add(f"L{r} {nodes[0]} {r}_m {COIL_H}", f"R{r} {r}_m {nodes[1]} {COIL_OHM}")
        elif part.kind == "LIMITER":
            v = f"V({pins['A']},{pins['K']})"
            self.add(f"B{r} {pins['A']} {pins['K']} I=0.032*tanh({v}/0.7)*(0.5*(1+tanh({v}/0.01)))")
        elif part.kind == "POT":
            share = 0.5 * self._spread.get(r, 1.0)
            ohm = number(part.value)
            self.add(f"R{r}a {pins['TOP']} {pins['WIPER']} {ohm * (1 - share):g}",
                     f"R{r}b {pins['WIPER']} {pins['BOTTOM']} {ohm * share:g}")  # fmt: skip
        else:
            self._active(part, pins)

    def _active(self, part: Part, pins: dict[str, str]) -> None:
        r = part.ref
        if part.kind == "NMOS":
            self.add(f"M{r} {pins['D']} {pins['G']} {pins['S']} {pins['S']} MN W=1 L=1")
        elif part.kind == "PMOS":
            self.add(f"M{r} {pins['D']} {pins['G']} {pins['S']} {pins['S']} MP W=1 L=1",
                     f"D{r} {pins['D']} {pins['S']} MB", f"C{r} {pins['G']} {pins['S']} 1n")  # fmt: skip
        elif part.kind == "NPN":
            scale = 20e-6 / 2.718281828 ** (self._base_v / 0.02585)
            self.add(f"Q{r} {pins['C']} {pins['B']} {pins['E']} MQ{r}",
                     f".model MQ{r} NPN(BF={self._gain} IS={scale:g})")  # fmt: skip
        elif part.kind == "LOWSIDE":
            v = f"V({pins['D']},{pins['S']})"
            self.add(f"B{r} {pins['D']} {pins['S']} "
                     f"I={DRIVER_A}*tanh({v}/{DRIVER_OHM * DRIVER_A})*{_on(pins['IN'], 1.5, 0.1)}",
                     f"R{r}i {pins['IN']} {pins['S']} 50k", f"D{r} {pins['S']} {pins['D']} ML",
                     f"C{r} {pins['D']} {pins['S']} 200p", f"R{r}o {pins['D']} {pins['S']} 10meg")  # fmt: skip
        elif part.kind == "SHUNT":
            self.add(f"D{r} {pins['A']} {pins['K']} MS")
        elif part.kind == "COMPARATOR":
            for unit in "ABCD":
                out = pins[f"OUT{unit}"]
                low = f"(0.5*(1+tanh((V({pins[f'IN{unit}-']},{pins[f'IN{unit}+']}))/0.002)))"
                self.add(f"B{r}{unit} {out} 0 I=V({out})/60*{low}*{_on(pins['VCC'], 2.0)}")
        elif part.kind == "NAND":
            for unit in "1234":
                a, b, y = pins[f"{unit}A"], pins[f"{unit}B"], pins[f"{unit}Y"]
                self.add(f"B{r}{unit} {r}{unit}o 0 V=V({pins['VCC']})*(1-{_on(a, 1.3)}*{_on(b, 1.3)})",
                         f"R{r}{unit} {r}{unit}o {y} 100", f"C{r}{unit} {y} 0 1n")  # fmt: skip
        elif part.kind == "EFUSE":
            limit = 18e3 / self._value(next(p for p in circuit() if p.ref == "R39"))
            v = f"V({pins['IN']},{pins['OUT']})"
            self.add(f"B{r} {pins['IN']} {pins['OUT']} I={limit:g}*tanh({v}/{0.03 * limit:g})*{_on(pins['SHDN'], 1.2)}",
                     f"R{r}s {pins['SHDN']} {r}p 1meg", f"V{r}p {r}p 0 2.5", f"R{r}g {pins['ILIM']} 0 1meg",
                     f"B{r}f {pins['FLT']} 0 I=V({pins['FLT']})/50*(0.5*(1+tanh(({v}-1)/0.1)))"
                     f"*{_on(pins['SHDN'], 1.2)}", f"R{r}d {pins['DVDT']} 0 1meg", f"R{r}o {pins['OUT']} 0 1meg",
                     f"R{r}m {pins['IMON']} 0 1meg")  # fmt: skip
        elif part.kind == "BUCK":
            v = f"V({pins['VIN']})"
            self.add(f"B{r}o {r}o 0 V=5*{_on(pins['VIN'], 8.5, 0.2)}", f"R{r} {r}o {pins['VOUT']} 0.1",
                     f"B{r}i {pins['VIN']} 0 I={LOGIC_W}/max({v},7)*{_on(pins['VIN'], 8.5, 0.2)}")  # fmt: skip
        else:
            raise ValueError(f"{r}: no model for {part.kind}")

    def run(self, measures: Sequence[str], seconds: float, step: float, start: str = "") -> dict[str, float]:
        """Simulate and return name -> value of the `.meas` lines; a measure that never happens is missing."""
        deck = "\n".join((
            "* made by hardware/design/spice.py", *self.lines,
            ".model MN NMOS(VTO=1.2 KP=0.5 LAMBDA=0.01)", ".model MP PMOS(VTO=-2 KP=4 LAMBDA=0.01)",
            ".model MB D(IS=1n N=1.2 RS=0.05 BV=60)", ".model ML D(IS=1n N=1.2 RS=0.1 BV=65)",
            ".model MS D(IS=1e-12 N=1 RS=0.3 BV=2.5 IBV=0.5m)",
            ".options reltol=1e-3 abstol=1n vntol=10u method=gear gmin=1e-11 itl4=200", start,
            f".tran {step:g} {seconds:g} 0 {step:g} uic",
            *(f".meas tran {line}" for line in measures), ".end", "",
        ))  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "deck.cir"
            path.write_text(deck, encoding="utf-8")
            done = subprocess.run(
                ["ngspice", "-b", str(path)], capture_output=True, text=True, cwd=folder, timeout=300
            )
        if "No. of Data Rows" not in done.stdout:
            raise RuntimeError(f"ngspice: {done.stdout[-800:]}{done.stderr[-800:]}")
        found = re.findall(r"^(\w+)\s*=\s*(-?[\d.]+(?:e[-+]?\d+)?)", done.stdout, re.MULTILINE)
        return {name: float(value) for name, value in found}


def beat(until_s: float, tail_v: float = 0.0, name: str = "HEARTBEAT") -> list[str]:
    """Return a source that toggles every 20 ms until a time, then stays at `tail_v`; behind the resistance of a pad."""
    points, now, level = [(0.0, 0.0)], 0.02, 0.0
    while now < until_s:
        nextlevel = 3.3 - level
        points += [(now, level), (now + 1e-5, nextlevel)]
        level, now = nextlevel, now + 0.02
    points += [(now, level), (now + 1e-5, tail_v)]
    text = " ".join(f"{t:.6f} {v:g}" for t, v in points)
    return [f"V{name} {name}_pin 0 PWL({text})", f"R{name} {name}_pin {name} 50"]


def steps(name: str, points: Sequence[tuple[float, float]], ohm: float = 50.0) -> list[str]:
    """Return a source whose voltage steps at the given times, s and V, behind a resistance."""
    text, last = [], points[0][1]
    for at, volt in points:
        text += [f"{at:.6f} {last:g}", f"{at + 1e-5:.6f} {volt:g}"]
        last = volt
    return [f"V{name} {name}_pin 0 PWL({' '.join(text)})", f"R{name} {name}_pin {name} {ohm:g}"]
