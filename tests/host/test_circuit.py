"""The circuit: rules of electricity, and that pins.py, the wiring table and the netlist agree."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hardware.design.circuit import Part, circuit
from hardware.design.netlist import build, nets_of
from hardware.design.wiring import Nets, disagreements

ROOT = Path(__file__).resolve().parents[2]
PINS = (ROOT / "firmware/pins.py").read_text()
WIRING = (ROOT / "hardware/wiring.csv").read_text()


def nets_from(parts: list[Part]) -> Nets:
    from hardware.design.circuit import KINDS

    nets: dict[str, set[tuple[str, str]]] = {}
    for part in parts:
        for number, name, _ in KINDS[part.kind]:
            if name in part.nets:
                nets.setdefault(part.nets[name], set()).add((part.ref, number))
    return nets


@pytest.fixture(scope="module")
def built() -> tuple[str, str]:
    return build(circuit())


def test_no_files_are_left_behind(built: tuple[str, str]) -> None:
    """SKiDL writes logs named after the script, or after itself, wherever it is imported."""
    for folder in {ROOT, ROOT / "hardware", ROOT / "hardware/design", ROOT / "tests", Path.cwd()}:
        assert not [path.name for path in folder.iterdir() if path.suffix in (".erc", ".log", ".skidl")]


def test_electrical_rules(built: tuple[str, str]) -> None:
    """Nothing is silenced: all that was said is that SKiDL gives the top of its own hierarchy no tag."""
    assert "No errors or warnings" in built[1]
    said = [line for line in built[1].splitlines() if line.startswith(("WARNING", "ERROR"))]
    assert all("Missing tag on  instantiated" in line for line in said)


def test_electrical_rules_find_what_is_wrong() -> None:
    parts = [part for part in circuit() if part.ref in ("PS1", "U3", "U21")]
    report = build([*parts, Part("D99", "DIODE", "", {"K": "V24_LOGIC", "A": "VSYS"}, "x")])[1]
    assert "No errors or warnings" not in report


def test_the_netlist_holds_the_circuit(built: tuple[str, str]) -> None:
    parts = circuit()
    assert nets_of(built[0]) == nets_from(parts)


def test_pins_table_and_netlist_agree(built: tuple[str, str]) -> None:
    assert disagreements(PINS, WIRING, circuit(), nets_of(built[0])) == []


CHANGES = [
    ("VENT = 3", "VENT = 24"),
    ("FILL = 2 ", "FILL = 3 "),
    ("SUPPLY_INPUT = 1", "SUPPLY_INPUT = 3"),
    ("RAIL_CUT = 27", "RAIL_CUT = 28"),
    ("LED = 25", "LED = 25\nFAN = 24"),
]
TABLE_CHANGES = [
    ("FILL,GP2,4,", "FILL,GP2,5,"),
    ("VENT_DRAIN,GP9,12", "VENT_DRAIN,GP10,12"),
    ("divider at the vent valve's drain", "divider at the relief valve's drain"),
    ("gate of the relief valve's MOSFET", "gate of the fill valve's MOSFET"),
    ("2.2 kohm", "10 kohm"),
    ("1.25 V reference", "MAX31865"),
    ("4.7 kohm", "47 kohm"),
    ("MONITOR,GP22,29", "MONITOR,GP22,30"),
    ("RAIL_CUT,GP27,32", "RAIL_CUT,GP28,34"),
]
PART_CHANGES = [
    ("R11", {"1": "VENT"}),
    ("U11", {"AIN0": "SUPPLY_INPUT", "AIN1": "CONTROL_INPUT"}),
    ("Q12", {"IN": "FILL_GATE"}),
    ("R33", {"1": "VENT_COIL"}),
    ("U10", {"GP13": "BUTTON", "GP15": "TRIP"}),
    ("R52", {"1": "CONTROL_SHUNT"}),
    ("U3", {"OUTC": "BUTTON"}),
    ("R30", {"1": "PUMP"}),
    ("Q10", {"G": "RELAY_GATE"}),
]


@pytest.mark.parametrize(("old", "new"), CHANGES)
def test_a_change_of_pins_py_shows(old: str, new: str) -> None:
    assert old in PINS
    parts = circuit()
    assert disagreements(PINS.replace(old, new, 1), WIRING, parts, nets_from(parts))


@pytest.mark.parametrize(("old", "new"), TABLE_CHANGES)
def test_a_change_of_the_table_shows(old: str, new: str) -> None:
    assert old in WIRING
    parts = circuit()
    assert disagreements(PINS, WIRING.replace(old, new, 1), parts, nets_from(parts))


@pytest.mark.parametrize(("ref", "nets"), PART_CHANGES)
def test_a_change_of_the_circuit_shows(ref: str, nets: dict[str, str]) -> None:
    parts = [replace(part, nets=part.nets | nets) if part.ref == ref else part for part in circuit()]
    assert disagreements(PINS, WIRING, parts, nets_from(parts))


def test_what_is_shut_without_power() -> None:
    """Each valve's gate has its pull-down; fill side and relief answer to the comparator without the Pico."""
    parts = {part.ref: part for part in circuit()}
    # A pin that nobody drives cuts nothing: what ends the rail then is the beat that is missing.
    assert parts["R20"].value == "4.7k" and set(parts["R20"].nets.values()) == {"CUT_GATE", "GND"}
    assert parts["R82"].value == "4.7k" and set(parts["R82"].nets.values()) == {"RELAY_GATE", "GND"}
    for n, name in enumerate(("FILL", "VENT", "SUPPLY_ISOLATION", "VENT_ISOLATION", "RELIEF"), 1):
        assert parts[f"R2{n}"].value == "4.7k"
        assert set(parts[f"R2{n}"].nets.values()) == {f"{name}_GATE", "GND"}

    def grounded(control: str) -> set[str]:
        return {
            part.nets["D"] for part in parts.values() if control in (part.nets.get("G"), part.nets.get("IN"))
        }

    assert grounded("LATCH") == {"FILL_GATE", "SUPPLY_ISOLATION_GATE"}
    assert grounded("ALONE") == {"RELIEF_COIL", "RELIEF_PULL"}
    # The relief coil is fed past the coil rail, and coils whose rail is cut have where to flow on.
    assert parts["Q3"].nets["S"] == "V24_RELIEF"
    assert parts["Q3"].nets["D"] == parts["XV5"].nets["1"] == "RELIEF_RAIL"
    assert set(parts["F2"].nets.values()) == {"V24", "V24_RELIEF"}
    assert parts["D8"].nets == {"K": "RELIEF_RAIL", "A": "COIL_RAIL"}
    for rail in {parts[f"XV{n}"].nets["1"] for n in range(1, 6)}:
        assert any(part.nets == {"K": rail, "A": "GND"} for part in parts.values()), rail
    # TRIP goes to the Pico: an open collector, as its pull-up is the only part of the comparator on 3.3 V.
    own = [part for part in parts.values() if part.sheet in ("comparator", "latch", "relief")]
    assert [part.ref for part in own if "V3V3" in part.nets.values()] == ["R79"]


def energised(parts: list[Part], high: set[str], comparator: str) -> set[str]:
    """Which coils have current, from the nets alone.

    `high` are the Pico's outputs (HEARTBEAT: it beats). `comparator`: "", "latched", or "alone" (latched, and the
    processor is gone).
    """
    control = {"": set(), "latched": {"LATCH"}, "alone": {"LATCH", "ALONE"}}[comparator]
    on = {"V24", "V24_RELIEF"} | control | high
    resistors = [set(part.nets.values()) for part in parts if part.kind == "R"]
    # What empties the pump wins over the beat; electrical.py has how far. The same gate switches U20 off.
    empties = any(
        {part.nets["D"], "PUMP_OUT"} in resistors and any({part.nets["G"], pin} in resistors for pin in high)
        for part in parts
        if part.kind == "NMOS"
    )
    on |= {"PUMP_OUT"} if "HEARTBEAT" in high and not empties else set()
    fused = not any(
        part.kind == "NMOS"
        and part.nets["D"] == "COIL_OFF"
        and any({part.nets["G"], pin} in resistors for pin in high)
        for part in parts
    )
    on |= {"V24_COIL"} if fused else set()

    def drives(net: str) -> bool:
        """Whether a net is high, or becomes so through one resistor; ground wins."""
        if net in grounded:
            return False
        return net in on or any(other in on for pair in resistors if net in pair for other in pair - {net})

    grounded: set[str] = {"GND"}
    for _ in range(len(parts)):  # until nothing changes, at the latest
        before = (set(grounded), set(on))
        for part in parts:
            if part.kind in ("NMOS", "NPN", "LOWSIDE"):
                gate = part.nets.get("G") or part.nets.get("IN") or part.nets["B"]
                lower, upper = (
                    part.nets.get("S") or part.nets["E"],
                    part.nets.get("D") or part.nets.get("C", ""),
                )
                # The comparator's transistors come first: what they ground does not conduct.
                conducts = gate in control if gate in ("LATCH", "ALONE") else drives(gate)
                if conducts and lower == "GND":
                    grounded |= {upper}
            elif part.kind == "PMOS":
                pulled = any(part.nets["G"] in pair and pair & (grounded - {"GND"}) for pair in resistors)
                on |= {part.nets["D"]} if pulled and part.nets["S"] in on else set()
            elif part.kind == "SCHOTTKY" and part.nets["A"] in on and part.nets["A"] != "GND":
                on.add(part.nets["K"])
        if (grounded, on) == before:
            break
    named = {
        "XV1": "fill",
        "XV2": "vent",
        "XV3": "supply isolation",
        "XV4": "vent isolation",
        "XV5": "relief",
        "K1": "relay",
    }
    found = set()
    for part in parts:
        if part.ref in named:
            feed, low = list(part.nets.values())[:2]
            found |= {named[part.ref]} if feed in on and low in grounded else set()
    return found


def comparator_first(parts: list[Part]) -> list[Part]:
    return sorted(parts, key=lambda part: part.nets.get("G") not in ("LATCH", "ALONE"))


ALL = {"FILL", "VENT", "SUPPLY_ISOLATION", "VENT_ISOLATION", "RELIEF", "CELL_SAFE"}
EVERYTHING = {"fill", "vent", "supply isolation", "vent isolation", "relief", "relay"}


@pytest.mark.parametrize(
    ("high", "comparator", "expected"),
    [
        (set(), "", set()),
        ({"HEARTBEAT"}, "", set()),
        (ALL, "", set()),
        (ALL | {"HEARTBEAT"}, "", EVERYTHING),
        ({"HEARTBEAT", "FILL", "SUPPLY_ISOLATION"}, "", {"fill", "supply isolation"}),
        # The cut wins over a heartbeat that goes on; it does not touch what the comparator does.
        (ALL | {"HEARTBEAT", "RAIL_CUT"}, "", set()),
        (ALL | {"HEARTBEAT", "RAIL_CUT"}, "latched", set()),
        # While the processor lives the comparator shuts the fill side and leaves the relief to it.
        (ALL | {"HEARTBEAT"}, "latched", EVERYTHING - {"fill", "supply isolation"}),
        ({"HEARTBEAT", "FILL", "SUPPLY_ISOLATION"}, "latched", set()),
        # A processor that hangs with everything on, or is not there.
        (ALL, "alone", {"relief"}),
        (set(), "alone", {"relief"}),
        (set(), "latched", set()),
    ],
)
def test_which_coils_are_on(high: set[str], comparator: str, expected: set[str]) -> None:
    assert energised(comparator_first(circuit()), high, comparator) == expected


@pytest.mark.parametrize("ref", ["Q6", "Q7", "Q9", "Q4", "Q3"])
def test_each_transistor_of_the_comparator_is_needed(ref: str) -> None:
    parts = comparator_first([part for part in circuit() if part.ref != ref])
    found = energised(parts, ALL | {"HEARTBEAT"}, "latched"), energised(parts, set(), "alone")
    assert found != (EVERYTHING - {"fill", "supply isolation"}, {"relief"})


@pytest.mark.parametrize(("missing", "cuts"), [({"Q10"}, True), ({"Q16"}, True), ({"Q10", "Q16"}, False)])
def test_either_of_two_transistors_cuts_the_rail(missing: set[str], cuts: bool) -> None:
    """Q10 empties the pump of Q2, Q16 switches U20 off."""
    parts = comparator_first([part for part in circuit() if part.ref not in missing])
    assert energised(parts, ALL | {"HEARTBEAT", "RAIL_CUT"}, "") == (set() if cuts else EVERYTHING)


def test_a_shorted_rail_switch_can_still_be_cut() -> None:
    parts = [part for part in circuit() if part.ref != "Q2"]
    parts.append(Part("Q2", "SCHOTTKY", "shorted", {"A": "V24_COIL", "K": "COIL_RAIL"}, "rail"))
    parts = comparator_first(parts)
    assert energised(parts, ALL | {"HEARTBEAT"}, "") and not energised(
        parts, ALL | {"HEARTBEAT", "RAIL_CUT"}, ""
    )
