"""Logic of the comparator's gates, from the netlist: latch of the fill side, the relief without a processor."""

from __future__ import annotations

from functools import partial
from itertools import product

import pytest

from hardware.design.circuit import circuit
from ipch.sim.world import comparator_trips


def settle(levels: dict[str, bool], dead: str = "") -> dict[str, bool]:
    """Evaluate the gates from the nets of U21 and U22 until nothing changes; those of a dead chip give nothing."""
    parts = {part.ref: part for part in circuit()}
    gates = [
        (ref, *(parts[ref].nets[f"{n}{pin}"] for pin in "ABY")) for ref in ("U21", "U22") for n in range(1, 5)
    ]
    levels = dict(levels)
    edge = levels["RESET"]
    feeds = [part.nets["A"] for part in parts.values() if part.kind == "DIODE" and part.nets["K"] == "RESET"]
    for _ in range(20):
        levels["RESET"] = edge or any(levels.get(net, False) for net in feeds)
        before = dict(levels)
        for ref, a, b, y in gates:
            levels[y] = ref != dead and not (levels.get(a, False) and levels.get(b, False))
        if levels == before:
            break
    levels["RESET"] = edge
    pulls = [part.nets["G"] for part in parts.values() if part.kind == "NMOS" and part.nets["D"] == "ALONE"]
    # What ALONE hangs on through its resistor; 5 V is always there.
    feed = next(net for part in parts.values() if part.kind == "R" and "ALONE" in part.nets.values()
                for net in part.nets.values() if net != "ALONE")  # fmt: skip
    levels["ALONE"] = levels.get(feed, feed == "V5") and not any(levels[net] for net in pulls)
    return levels


AT_REST = {"WINDOW": False, "RESET": False, "OVER_HELD": False, "NOT_ALIVE": True, "STARTED": False,
           "NOT_SET": True, "NOT_RESET": True}  # fmt: skip


def run(*steps: dict[str, bool], dead: str = "") -> dict[str, bool]:
    """Apply the steps to a board that was just switched on."""
    levels = settle(AT_REST | {"NOT_LATCH": True, "WAS_ALIVE": False, "NEVER": True}, dead)
    for step in ({"STARTED": True}, *steps):
        levels = settle(levels | step, dead)
    return levels


ALIVE, GONE = {"NOT_ALIVE": False}, {"NOT_ALIVE": True}
TRIP = {"WINDOW": True, "OVER_HELD": True}
SHORT = {"WINDOW": False, "OVER_HELD": True}
CALM = {"WINDOW": False, "OVER_HELD": False}


def acknowledge(levels: dict[str, bool]) -> tuple[dict[str, bool], ...]:
    return levels, levels | {"RESET": True}, levels | {"RESET": False}


def test_the_latch_keeps_the_fill_side_shut_until_an_acknowledge() -> None:
    clear = acknowledge(CALM)
    assert not run(ALIVE, *clear)["LATCH"]
    assert run(ALIVE, *clear, TRIP)["LATCH"]
    assert run(ALIVE, *clear, TRIP, CALM)["LATCH"]
    assert not run(ALIVE, *clear, TRIP, CALM, *clear)["LATCH"]
    assert run(ALIVE, *clear, TRIP, *acknowledge(TRIP))["LATCH"], "the cause is still there"
    assert not run(ALIVE, *clear, SHORT)["LATCH"], "a shorted loop is no pressure"
    over_range = run(ALIVE, *clear, TRIP, SHORT)
    assert over_range["LATCH"] and not over_range["NOT_TRIPPED"], "more than 20.6 mA does not let go"


@pytest.mark.parametrize("state", [False, True])
def test_a_latch_that_powers_up_set_is_cleared_without_an_edge_of_cell_safe(state: bool) -> None:
    """24 V off and on while USB feeds the Pico: CELL_SAFE stays high and gives no edge."""
    levels = settle(AT_REST | {"LATCH": state, "NOT_LATCH": not state, "WAS_ALIVE": False, "NEVER": True})
    for step in ({"STARTED": True}, ALIVE):
        levels = settle(levels | step)
    assert not levels["LATCH"]


def test_the_comparator_opens_the_relief_only_while_a_processor_is_gone_that_was_alive() -> None:
    for tripped, alive, was in product((False, True), (False, True), (False, True)):
        steps = [*acknowledge(CALM), *([ALIVE, GONE] if was else []), ALIVE if alive else GONE]
        steps.append(TRIP if tripped else CALM)
        assert run(*steps)["ALONE"] == (tripped and not alive and was), (tripped, alive, was)
    assert run(ALIVE, *acknowledge(CALM), GONE, TRIP, SHORT)["ALONE"]
    assert not run(ALIVE, *acknowledge(CALM), GONE, TRIP, CALM)["ALONE"], "latched, but below the trip again"


@pytest.mark.parametrize("dead", ["U21", "U22"])
@pytest.mark.parametrize("processor", [[], [ALIVE], [ALIVE, GONE]], ids=["never", "alive", "gone"])
def test_no_single_dead_chip_empties_a_chamber_without_a_trip(dead: str, processor: list) -> None:
    """A dead gate pulls nothing down: ALONE must not rise for that alone."""
    assert not run(*processor, *acknowledge(CALM), dead=dead)["ALONE"]


def test_the_simulated_comparator_behaves_as_the_circuit() -> None:
    """The latch's set and release on a current of the safety loop, in the plant's model as in the netlist."""
    trips = partial(comparator_trips, comparator_pa=6.5e6)
    assert not trips(14.3, tripped=False) and trips(14.5, tripped=False)
    assert not trips(25.0, tripped=False), "a loop that jumps to a short"
    assert trips(25.0, tripped=True), "more than 20.6 mA does not let go"
    assert trips(14.3, tripped=True) and not trips(14.2, tripped=True)
