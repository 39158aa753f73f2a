"""The board: which block of the circuit lies where, and the description that kicad.py makes a KiCad project of.

Millimetres, from the upper left corner, y downwards. Plugs stand at the upper and the lower edge; 24 V, rail and
drivers lie at the left, the analogue part at the right of them, the two isolated domains in the right corners.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from hardware.design.circuit import KINDS, Part, circuit
from hardware.design.panel import BOARD_MM
from hardware.design.sheet import PROJECT, REVISION

FOLDER = Path(__file__).resolve().parents[1] / "board"
NAME = "ipch"
WIDTH, HEIGHT = BOARD_MM
BARRIER_X = 149.0  # the isolated domains begin here
BARRIERS = ("ISOLATOR", "BUS_ISOLATOR", "DCDC", "RELAY")
GAP = 3.0  # creepage between a domain and everything else
SCREW = 3.0  # radius of the head of a screw, which touches the earthed box
LIBRARY = Path("/usr/share/kicad/footprints")

# Block -> (left, top, right, bottom) in which its parts are placed.
REGIONS = {
    "power": (3.0, 15.0, 46.0, 84.0),
    "drivers": (49.0, 16.0, 98.0, 58.0),
    "rail": (49.0, 60.0, 98.0, 92.0),
    "relief": (47.0, 95.0, 69.0, 147.0),
    "loops": (101.0, 15.0, 137.5, 46.0),
    "gas": (101.0, 48.5, 143.5, 67.0),
    "comparator": (101.0, 69.0, 145.0, 90.0),
    "latch": (95.0, 94.0, 137.0, 112.0),
    "controller": (95.0, 114.5, 137.0, 128.0),
    "outputs": (3.0, 88.0, 41.0, 103.0),
    "contact": (14.0, 123.0, 41.0, 135.0),
    "wall": (153.0, 30.0, 178.0, 60.0),
    "monitor": (153.0, 107.0, 178.0, 136.0),
    "test points": (95.0, 131.0, 144.0, 147.0),
}
# Reference -> (x, y, rotation) of the origin of its footprint.
FIXED = {
    "X1": (21.0, 10.6, 180.0), "X2": (94.0, 10.6, 180.0), "X3": (122.0, 8.6, 180.0), "X4": (142.0, 8.6, 180.0),
    "X5": (169.0, 8.6, 180.0), "J1": (13.0, 139.4, 0.0), "X6": (36.5, 141.4, 0.0), "J2": (156.0, 141.4, 0.0),
    "U10": (90.0, 146.0, 180.0),
    "U28": (BARRIER_X, 52.0, 180.0), "U26": (BARRIER_X - 7.62, 22.0, 0.0),
    "U23": (BARRIER_X, 128.0, 0.0), "U24": (BARRIER_X - 7.62, 98.0, 0.0),
    "K1": (10.0, 116.0, 0.0), "C63": (141.5, 125.0, 90.0), "C66": (141.5, 55.0, 90.0),
    "C67": (156.5, 125.0, 90.0), "C69": (156.5, 55.0, 90.0),
    "H1": (4.5, 4.5, 0.0), "H2": (176.0, 4.5, 0.0), "H3": (4.5, 145.5, 0.0), "H4": (175.5, 145.5, 0.0),
}  # fmt: skip
# Areas of the isolated domains: everything else keeps GAP from them.
DOMAINS = {"W": (BARRIER_X, 0.0, WIDTH, 62.0), "M": (BARRIER_X, 88.0, WIDTH, HEIGHT)}


def domains() -> dict[str, str]:
    """Return net -> "W" or "M" for the nets of the isolated domains: all that no barrier parts from their ground."""
    found = {"GND_W": "W", "GND_M": "M"}
    inside = [part for part in circuit() if part.kind not in BARRIERS]
    before = -1
    while len(found) != before:
        before = len(found)
        for part in inside:
            letters = {found[net] for net in part.nets.values() if net in found}
            assert len(letters) < 2, part.ref
            for letter in letters:
                found |= dict.fromkeys(part.nets.values(), letter)
    return found


def pads(part: Part) -> dict[str, str]:
    """Return pad number -> net of a part."""
    return {number: part.nets[name] for number, name, _ in KINDS[part.kind] if name in part.nets}


def _zones() -> list[dict[str, Any]]:
    """Return the copper pours: ground everywhere but in the domains, and in each its own ground."""
    edge, half = 0.5, GAP / 2
    (wx, _, _, wy), (_, my, _, _) = DOMAINS["W"], DOMAINS["M"]
    left = wx - half
    outline = [(edge, edge), (left, edge), (left, wy + half), (WIDTH - edge, wy + half), (WIDTH - edge, my - half),
               (left, my - half), (left, HEIGHT - edge), (edge, HEIGHT - edge)]  # fmt: skip
    zones = [{"net": "GND", "outline": outline}]
    for letter, (x0, y0, x1, y1) in DOMAINS.items():
        top, bottom = (edge, y1 - half) if letter == "W" else (y0 + half, HEIGHT - edge)
        # The corner with the mounting hole is left out.
        hole = FIXED["H2" if letter == "W" else "H4"]
        off = SCREW + GAP
        if letter == "W":
            corner = [(hole[0] - off, top), (hole[0] - off, hole[1] + off), (x1 - edge, hole[1] + off)]
            box = [(x0 + half, top), *corner, (x1 - edge, bottom), (x0 + half, bottom)]
        else:
            corner = [(x1 - edge, hole[1] - off), (hole[0] - off, hole[1] - off), (hole[0] - off, bottom)]
            box = [(x0 + half, top), (x1 - edge, top), *corner, (x0 + half, bottom)]
        zones.append({"net": f"GND_{letter}", "outline": box})
    return zones


def description() -> dict[str, Any]:
    """Return what kicad.py needs: parts with nets and regions, outline, pours, classes of nets, rules."""
    parts = []
    where = domains()
    for part in circuit():
        if part.field:
            continue
        letter = "".join({where.get(net, "") for net in part.nets.values()})
        region = {"W": "wall", "M": "monitor"}.get(
            letter, "test points" if part.kind == "TEST" else part.sheet
        )
        region = "contact" if part.ref in ("F29", "D81") else region
        parts.append({"ref": part.ref, "value": part.value, "footprint": part.footprint, "pads": pads(part),
                      "region": region, "at": FIXED.get(part.ref)})  # fmt: skip
    classes = {net: f"DOMAIN_{letter}" for net, letter in where.items()}
    for net in ("CONTACT", "CYCLER_COM", "CYCLER_OK"):
        classes[net] = "CONTACT"
    power = {"V24", "V24_IN", "V24_FUSED", "V24_COIL", "V24_RELIEF", "COIL_RAIL", "RELIEF_RAIL"}
    power |= {net for part in circuit() for net in part.nets.values() if net.endswith("_COIL")}
    classes |= dict.fromkeys(sorted(power), "POWER")
    return {"name": NAME, "title": PROJECT, "revision": REVISION, "size": [WIDTH, HEIGHT], "gap": GAP, "parts": parts,
            "regions": REGIONS, "zones": _zones(), "classes": classes, "folder": str(FOLDER)}  # fmt: skip


@cache
def kicad_python() -> str | None:
    """Return a Python that has KiCad's pcbnew and its footprints, or None."""
    if not LIBRARY.is_dir():
        return None
    for python in dict.fromkeys(("/usr/bin/python3", sys.executable, shutil.which("python3") or "")):
        if python and Path(python).exists():
            asked = subprocess.run([python, "-c", "import pcbnew"], capture_output=True)
            if asked.returncode == 0:
                return python
    return None


def make(target: Path, changes: Mapping[str, tuple[float, float, float]] | None = None) -> dict[str, Any]:
    """Make the KiCad project in a folder; return its report: rules check, nets. RuntimeError if that fails.

    `changes` puts parts elsewhere: reference -> (x, y, rotation).
    """
    python = kicad_python()
    if python is None:
        raise RuntimeError("needs Debian's kicad and kicad-footprints (pcbnew)")
    spec = description() | {"target": str(target)}
    for part in spec["parts"]:
        part["at"] = (changes or {}).get(part["ref"], part["at"])
    script = Path(__file__).with_name("kicad.py")
    done = subprocess.run(
        [python, str(script)], input=json.dumps(spec), capture_output=True, text=True, timeout=600
    )
    if done.returncode:
        raise RuntimeError(f"kicad.py: {done.stderr[-2000:]}")
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


def files() -> dict[str, str]:
    """Return the files of the project by their names under hardware/; empty without KiCad."""
    if kicad_python() is None:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder))
        return {
            f"board/{path.name}": path.read_text(encoding="utf-8") for path in sorted(Path(folder).iterdir())
        }


def errors(drc: str) -> list[str]:
    """Return the violations in the text of a rules check, but for what is not routed yet."""
    return [piece for piece in re.split(r"\n(?=\[)", drc)[1:] if not piece.startswith("[unconnected_items]")]


def nets_of(board: str) -> dict[str, set[tuple[str, str]]]:
    """Return net -> {(reference, pad)} of the text of a KiCad board."""
    found: dict[str, set[tuple[str, str]]] = {}
    for piece in re.split(r"\n  \(footprint ", board)[1:]:
        ref = re.search(r'fp_text reference "([^"]+)"', piece)
        assert ref is not None
        for pad in re.split(r"\n    \(pad ", piece)[1:]:
            net = re.search(r'\(net \d+ "([^"]+)"\)', pad)
            if net is not None:
                found.setdefault(net[1], set()).add((ref[1], pad.split('"')[1]))
    return found
