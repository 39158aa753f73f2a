"""The board in hardware/board: its nets are those of the circuit, and KiCad's rules find nothing but missing tracks."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from hardware.design import board
from hardware.design.circuit import KINDS, circuit

TEXT = (board.FOLDER / "ipch.kicad_pcb").read_text(encoding="utf-8")
needs_kicad = pytest.mark.skipif(
    board.kicad_python() is None, reason="Debian's kicad (pcbnew) and kicad-footprints are not installed"
)


def wanted() -> dict[str, set[tuple[str, str]]]:
    nets: dict[str, set[tuple[str, str]]] = {}
    for part in circuit():
        if not part.field:
            for number, name, _ in KINDS[part.kind]:
                if name in part.nets:
                    nets.setdefault(part.nets[name], set()).add((part.ref, number))
    return nets


def test_nets_of_the_board_are_those_of_the_circuit() -> None:
    assert board.nets_of(TEXT) == wanted()


def test_every_part_lies_on_the_board_once() -> None:
    placed = Counter(re.findall(r'fp_text reference "([^"]+)"', TEXT))
    assert placed == Counter(part.ref for part in circuit() if not part.field)
    footprints = dict(re.findall(r'\n  \(footprint "([^"]+)".*?fp_text reference "([^"]+)"', TEXT, re.DOTALL))
    assert set(footprints) <= {part.footprint for part in circuit()}


def test_parts_stand_in_their_block_and_inside_the_outline() -> None:
    at = re.findall(
        r'\n  \(footprint "[^"]+".*?\n    \(at ([\d.]+) ([\d.]+).*?fp_text reference "([^"]+)"',
        TEXT,
        re.DOTALL,
    )
    where = {ref: (float(x) - 50.0, float(y) - 40.0) for x, y, ref in at}
    for part in board.description()["parts"]:
        x, y = where[part["ref"]]
        if part["at"]:
            assert (x, y) == pytest.approx(part["at"][:2], abs=0.01)
        else:
            left, top, right, bottom = board.REGIONS[part["region"]]
            assert left <= x <= right and top <= y <= bottom, part["ref"]
        assert 0 < x < board.WIDTH and 0 < y < board.HEIGHT


def test_regions_do_not_overlap() -> None:
    boxes = list(board.REGIONS.items())
    for n, (name, (left, top, right, bottom)) in enumerate(boxes):
        for other, (x0, y0, x1, y1) in boxes[n + 1 :]:
            assert right <= x0 or x1 <= left or bottom <= y0 or y1 <= top, (name, other)


def test_only_barriers_reach_into_an_isolated_domain() -> None:
    where = board.domains()
    across = {
        part.kind
        for part in circuit()
        if len({where.get(net, "") for net in part.nets.values()}) > 1 and not part.field
    }
    assert across == {"ISOLATOR", "BUS_ISOLATOR", "DCDC"}


def test_pours_of_a_domain_keep_off_the_screws_which_touch_the_earthed_box() -> None:
    head = 3.0
    inside = 0
    for ref, (x, y, _) in board.FIXED.items():
        for letter, (x0, y0, x1, y1) in board.DOMAINS.items():
            if not (ref.startswith("H") and x0 < x < x1 and y0 < y < y1):
                continue
            inside += 1
            zone = next(zone for zone in board._zones() if zone["net"] == f"GND_{letter}")["outline"]
            for (ax, ay), (bx, by) in pairwise([*zone, zone[0]]):
                # Outlines are rectangular: the nearest point of an edge.
                near = (min(max(x, min(ax, bx)), max(ax, bx)), min(max(y, min(ay, by)), max(ay, by)))
                assert math.dist((x, y), near) >= head + board.GAP, (ref, near)
            crossings = sum(
                (ay > y) != (by > y) and x < max(ax, bx) for (ax, ay), (bx, by) in pairwise([*zone, zone[0]])
            )
            assert crossings % 2 == 0, f"{ref} lies in the pour"
    assert inside == 2


@needs_kicad
def test_the_committed_board_is_current_and_free_of_errors(tmp_path: Path) -> None:
    report = board.make(tmp_path)
    assert board.errors(report["drc"]) == []
    missing = report["drc"].count("[unconnected_items]")
    assert f"not routed ({missing})" in (board.FOLDER / "README.md").read_text()
    assert report["footprints"] == sum(not part.field for part in circuit())
    assert {net: {(ref, pad) for ref, pad in pads} for net, pads in report["nets"].items()} == wanted()
    made = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    stale = [name for name, text in made.items() if (board.FOLDER / name).read_text(encoding="utf-8") != text]
    assert not stale, f"run make hardware: {stale}"


@needs_kicad
def test_parts_on_each_other_and_a_domain_too_near_show(tmp_path: Path) -> None:
    moved = {"C61": (144.5, 125.0, 90.0), "U13": (120.0, 120.0, 0.0)}
    found = board.errors(board.make(tmp_path, moved)["drc"])
    kinds = {re.match(r"\[(\w+)\]", text)[1] for text in found}  # type: ignore[index]
    assert "courtyards_overlap" in kinds
    assert any("rule domain_m" in text for text in found)


def test_rules_are_those_of_a_common_fab_and_figures_of_the_page_are_current() -> None:
    rules = json.loads((board.FOLDER / "ipch.kicad_pro").read_text())["board"]["design_settings"]["rules"]
    assert rules["min_track_width"] == rules["min_clearance"] == 0.15
    assert rules["min_through_hole_diameter"] == 0.3
    dru = (board.FOLDER / "ipch.kicad_dru").read_text()
    assert dru.count(f"(constraint clearance (min {board.GAP:.1f}mm))") == 3
    page = (board.FOLDER / "README.md").read_text()
    assert f"{sum(not part.field for part in circuit())}\nfootprints" in page
    assert f"{board.WIDTH:g} x {board.HEIGHT:g} mm" in page
