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
    parts = [part for part in circuit() if part.ref in ("PS1", "U3")]
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
    ("Q12", {"G": "FILL_GATE"}),
    ("R33", {"1": "VENT_COIL"}),
    ("U10", {"GP13": "BUTTON", "GP15": "TRIP"}),
    ("R52", {"1": "CONTROL_SHUNT"}),
    ("R79", {"2": "BUTTON"}),
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
    for n, name in enumerate(("FILL", "VENT", "SUPPLY_ISOLATION", "VENT_ISOLATION", "RELIEF"), 1):
        assert parts[f"R2{n}"].value == "4.7k"
        assert set(parts[f"R2{n}"].nets.values()) == {f"{name}_GATE", "GND"}
    grounded = {
        part.nets["D"] for part in parts.values() if part.kind == "NMOS" and part.nets["G"] == "OVERPRESSURE"
    }
    assert grounded >= {"FILL_GATE", "SUPPLY_ISOLATION_GATE", "RELIEF_COIL", "RELIEF_PULL", "TRIP"}
    # The relief coil is fed past the coil rail, and coils whose rail is cut have where to flow on.
    assert parts["Q3"].nets["S"] == "V24" and parts["Q3"].nets["D"] == parts["XV5"].nets["1"] == "RELIEF_RAIL"
    assert parts["D8"].nets == {"K": "RELIEF_RAIL", "A": "COIL_RAIL"}
    for rail in {parts[f"XV{n}"].nets["1"] for n in range(1, 6)}:
        assert any(part.nets == {"K": rail, "A": "GND"} for part in parts.values()), rail
    fed = {"V5", "V2V5", "V24", "V24_LOGIC", "GND"}
    own = [
        part for part in parts.values() if part.sheet == "comparator" and part.kind in ("COMPARATOR", "SHUNT")
    ]
    assert all("V3V3" not in part.nets.values() and fed & set(part.nets.values()) for part in own)


def energised(parts: list[Part], high: set[str], over_pressure: bool) -> set[str]:
    """Which coils have current, from the nets alone: `high` are the Pico's outputs (HEARTBEAT: it beats)."""
    on = {"V24"} | ({"OVERPRESSURE"} if over_pressure else set()) | high
    resistors = [set(part.nets.values()) for part in parts if part.kind == "R"]
    # What empties the pump wins over the beat; electrical.py has how far.
    empties = any(
        {part.nets["D"], "PUMP_OUT"} in resistors and any({part.nets["G"], pin} in resistors for pin in high)
        for part in parts
        if part.kind == "NMOS"
    )
    on |= {"PUMP_OUT"} if "HEARTBEAT" in high and not empties else set()

    def drives(net: str) -> bool:
        """Whether a net is high, or becomes so through one resistor; ground wins."""
        if net in grounded:
            return False
        return net in on or any(other in on for pair in resistors if net in pair for other in pair - {net})

    grounded: set[str] = {"GND"}
    for _ in range(len(parts)):  # until nothing changes, at the latest
        before = (set(grounded), set(on))
        for part in parts:
            if part.kind in ("NMOS", "NPN"):
                control, lower, upper = part.nets.values()
                # The comparator's transistors come first: what they ground does not conduct.
                if (control == "OVERPRESSURE" and over_pressure) or (
                    control != "OVERPRESSURE" and drives(control)
                ):
                    grounded |= {upper} if lower == "GND" else set()
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


ALL = {"FILL", "VENT", "SUPPLY_ISOLATION", "VENT_ISOLATION", "RELIEF", "CELL_SAFE"}


@pytest.mark.parametrize(
    ("high", "over_pressure", "expected"),
    [
        (set(), False, set()),
        ({"HEARTBEAT"}, False, set()),
        (ALL, False, set()),
        (
            ALL | {"HEARTBEAT"},
            False,
            {"fill", "vent", "supply isolation", "vent isolation", "relief", "relay"},
        ),
        ({"HEARTBEAT", "FILL", "SUPPLY_ISOLATION"}, False, {"fill", "supply isolation"}),
        # The cut wins over a heartbeat that goes on; it does not touch what the comparator does.
        (ALL | {"HEARTBEAT", "RAIL_CUT"}, False, set()),
        (ALL | {"HEARTBEAT", "RAIL_CUT"}, True, {"relief"}),
        # A processor that hangs with everything on, or is not there, does not matter to the comparator.
        (ALL | {"HEARTBEAT"}, True, {"vent", "vent isolation", "relief", "relay"}),
        (ALL, True, {"relief"}),
        (set(), True, {"relief"}),
    ],
)
def test_which_coils_are_on(high: set[str], over_pressure: bool, expected: set[str]) -> None:
    parts = sorted(circuit(), key=lambda part: part.nets.get("G") != "OVERPRESSURE")
    assert energised(parts, high, over_pressure) == expected


@pytest.mark.parametrize("ref", ["Q6", "Q7", "Q9", "Q4", "Q3"])
def test_each_transistor_of_the_comparator_is_needed(ref: str) -> None:
    parts = [part for part in circuit() if part.ref != ref]
    parts.sort(key=lambda part: part.nets.get("G") != "OVERPRESSURE")
    hung, absent = energised(parts, ALL | {"HEARTBEAT"}, True), energised(parts, set(), True)
    assert (hung, absent) != ({"vent", "vent isolation", "relief", "relay"}, {"relief"})
