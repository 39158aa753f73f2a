"""Drawings of hardware/: no text lies on another one, on a line or on a symbol."""

from __future__ import annotations

import re
from itertools import combinations, pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

DRAWINGS = sorted((Path(__file__).resolve().parents[2] / "hardware/drawings").glob("*.svg"))
# Of DejaVu Sans, which is wide, against the size of the font; capitals are 0.73 high.
WIDTH, HEIGHT = 0.6, 0.7
Point = tuple[float, float]


class Box(NamedTuple):
    text: str
    left: float
    top: float
    right: float
    bottom: float


def boxes(svg: str) -> list[Box]:
    """Each line of text with the rectangle that it takes."""
    found = []
    for element in re.findall(r"<text .*?</text>", svg, re.DOTALL):
        y, size = (float(re.search(rf' {name}="([-\d.]+)"', element)[1]) for name in ("y", "font-size"))  # type: ignore[index]
        anchor = re.search(r'text-anchor="(\w+)"', element)[1]  # type: ignore[index]
        for x, dy, text in re.findall(r'<tspan x="([-\d.]+)" dy="([-\d.]+)">(.*?)</tspan>', element):
            y += float(dy)
            wide = len(text.replace("&#x27;", "'").replace("&amp;", "&")) * size * WIDTH
            left = float(x) - {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor] * wide
            found.append(Box(text, left, y - size * HEIGHT / 2, left + wide, y + size * HEIGHT / 2))
    return found


def lines(svg: str) -> list[tuple[Point, Point]]:
    """Straight pieces of paths and polygons; arcs as their chords, circles as their outer square."""
    found: list[tuple[Point, Point]] = []
    for data in re.findall(r'<(?:path d|polygon points)="([^"]*)"', svg):
        points = [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+),\s*(-?[\d.]+)", data)]
        found += pairwise(points)
    return found


def crosses(box: Box, line: tuple[Point, Point]) -> bool:
    """Whether the line enters the box by more than the width of a stroke."""
    (x0, y0), (x1, y1) = line
    start, end = 0.0, 1.0
    for position, step, low, high in (
        (x0, x1 - x0, box.left + 1, box.right - 1),
        (y0, y1 - y0, box.top + 1, box.bottom - 1),
    ):
        if abs(step) < 1e-9:
            if not low < position < high:
                return False
            continue
        a, b = sorted(((low - position) / step, (high - position) / step))
        start, end = max(start, a), min(end, b)
    return start < end


def overlaps(svg: str) -> list[str]:
    texts, strokes = boxes(svg), lines(svg)
    found = [
        f"{a.text!r} on {b.text!r}"
        for a, b in combinations(texts, 2)
        if min(a.right, b.right) - max(a.left, b.left) > 0.5
        and min(a.bottom, b.bottom) - max(a.top, b.top) > 0.5
    ]
    return found + [
        f"{text.text!r} on a line" for text in texts if any(crosses(text, line) for line in strokes)
    ]


@pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda path: path.stem)
def test_text_lies_on_nothing(drawing: Path) -> None:
    svg = drawing.read_text(encoding="utf-8")
    assert len(boxes(svg)) > 20 and len(lines(svg)) > 50
    assert overlaps(svg) == []


def test_an_overlap_shows() -> None:
    word = (
        '<text x="{x}" y="0" font-size="10" text-anchor="start"><tspan x="{x}" dy="10">word</tspan></text>'
        '<path d="M 0.0,{y} L 100.0,{y}" />'
    )
    assert overlaps(word.format(x=0, y=20)) == []
    assert overlaps(word.format(x=0, y=10)) == ["'word' on a line"]
    assert overlaps(word.format(x=0, y=20) + word.format(x=20, y=20)) == ["'word' on 'word'"]
