"""The piping as a graph: every volume that a procedure names can be shut off, bled and shown to be empty."""

from __future__ import annotations

import re

import pytest

from hardware.design import piping
from hardware.design.outputs import HARDWARE
from ipch.sizing import Design, size

VOLUMES = ("source side", "supply side", "fill line", "chamber")
PAGES = {path.name: path.read_text(encoding="utf-8") for path in sorted(HARDWARE.glob("*.md"))}
# What a procedure calls bleeding, and how it must say it.
BLEED = re.compile(r"\b[Bb]leed the ([a-z ]+?): (HV\d), until (PI\d) is at zero")
SPOKEN = re.compile(r"\b([Bb]leed the|bled\b)")


def reach(start: str, opened: set[str]) -> set[str]:
    """Return the volumes that gas of `start` gets into with these valves open; relief devices stay shut."""
    found, waiting = {start}, [start]
    while waiting:
        volume = waiting.pop()
        for part, (first, second) in (piping.JOINS | piping.OUTSIDE).items():
            passes = part in opened or part in (*piping.CHECK, *piping.REGULATOR)
            ways = [(first, second)]
            if part not in (*piping.CHECK, *piping.REGULATOR):
                ways.append((second, first))
            for a, b in ways:
                if passes and a == volume and b not in found:
                    found.add(b)
                    waiting.append(b)
    return found


def walk(steps: list[tuple[str, str, str]]) -> tuple[set[str], list[str]]:
    """Follow bleeding steps (volume, valve, gauge) with HV1 shut: return the volumes left full, and mistakes."""
    full, opened, wrong = set(VOLUMES), set(), []
    for volume, valve, gauge in steps:
        if volume not in VOLUMES:
            wrong.append(f"{volume!r} is no volume of the piping")
            continue
        if set(piping.JOINS.get(valve, ())) != {volume, "discharge"} or valve not in piping.HAND:
            wrong.append(f"{valve} does not empty the {volume}")
        if piping.GAUGES[volume] != gauge:
            wrong.append(f"{gauge} does not show the {volume}")
        opened.add(valve)
        full = {each for each in full if "discharge" not in reach(each, opened)}
        if volume in full:
            wrong.append(f"{valve} leaves the {volume} full")
    return full, wrong


@pytest.mark.parametrize("volume", VOLUMES)
def test_each_volume_can_be_shut_off_bled_and_shown_empty(volume: str) -> None:
    bleeds = [part for part in piping.HAND if set(piping.JOINS[part]) == {volume, "discharge"}]
    assert len(bleeds) == 1
    assert piping.GAUGES[volume] in piping.PARTS
    assert "cylinder" not in reach(volume, set()) and volume not in reach("cylinder", set())
    assert "discharge" in reach(volume, {bleeds[0]})
    # The gas of one volume does not come from another one through its bleed, but as NV1 and RG1 let it pass forward.
    assert f"| {volume} | HV1" in PAGES["piping.md"]


def test_with_hv1_shut_and_only_one_bleed_open_gas_stays_behind_the_check_valve() -> None:
    """Why there are bleeds on both sides of NV1."""
    assert walk([("supply side", "HV3", "PI3")])[0] == {"fill line", "chamber"}
    assert walk([("supply side", "HV4", "PI3")])[1]


@pytest.mark.parametrize("page", PAGES)
def test_every_step_that_bleeds_names_a_valve_and_a_gauge_of_that_volume(page: str) -> None:
    text = re.sub(r"\s+", " ", PAGES[page])
    steps = BLEED.findall(text)
    assert walk(steps)[1] == []
    for spoken in SPOKEN.finditer(text):
        assert BLEED.match(text, spoken.start()), f"{page}: {text[spoken.start() : spoken.start() + 80]}"


@pytest.mark.parametrize("page", ["maintenance.md", "decommissioning.md"])
def test_what_is_opened_is_empty_before(page: str) -> None:
    full, wrong = walk(BLEED.findall(re.sub(r"\s+", " ", PAGES[page])))
    assert wrong == [] and full == set()


@pytest.mark.parametrize("page", ["maintenance.md", "decommissioning.md"])
def test_the_cylinders_connection_is_emptied_through_hv1_before_it_is_undone(page: str) -> None:
    """Between the cylinder's own valve and HV1 there is no bleed: HV1 shut first would trap 20 MPa."""
    assert "discharge" in reach("connection", {"HV1", "HV5"})
    assert "discharge" not in reach("connection", {"HV2", "HV3", "HV4", "HV5"})
    text = re.sub(r"\s+", " ", PAGES[page])
    end = text.index("remove the cylinder")
    start = text.rindex("hut the cylinder's own valve", 0, end)
    steps = text[start:end]
    assert BLEED.findall(steps)[:1] == [("source side", "HV5", "PI2")]
    assert 0 < steps.index("HV1 open") < steps.index("until PI2 is at zero") < steps.index("lock HV1 shut")
    assert "HV1 shut" not in text[max(0, start - 120) : start]


def test_a_wrong_step_shows() -> None:
    assert walk([("fill line", "HV3", "PI4")])[1] == [
        "HV3 does not empty the fill line",
        "HV3 leaves the fill line full",
    ]
    assert walk([("chamber", "XV5", "PI1")])[1] == ["XV5 does not empty the chamber"]
    assert walk([("chamber", "HV2", "PI3")])[1] == ["PI3 does not show the chamber"]


def test_nothing_that_can_clog_stands_between_the_regulator_and_its_relief_valve() -> None:
    """A clogged FL1 or a stuck NV1 must not leave PI3 and HV3 to a regulator that failed open."""
    assert piping.JOINS["PSV2"] == ("supply side", "discharge")
    assert "supply side" in piping.JOINS["RG1"] and "fill line" in reach("supply side", set())


def test_joints_and_gauges_are_parts() -> None:
    assert set(piping.JOINS) | set(piping.GAUGES.values()) <= set(piping.PARTS)
    hand = {part for part in piping.PARTS if part.startswith("HV")}
    assert set(piping.HAND) == hand


def test_the_supply_relief_valve_is_set_above_the_supply_and_printed() -> None:
    sizing = size(Design())
    set_mpa = sizing.value("supply relief set pressure")
    assert set_mpa == pytest.approx(7.5)
    assert f"set {set_mpa:g} MPa" in piping.notes(sizing)["PSV2"]
    assert (
        f"PSV2,protects the supply side if RG1 fails,set at {set_mpa:g} MPa"
        in (HARDWARE / "bom.csv").read_text()
    )
