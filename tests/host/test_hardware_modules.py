"""The variant on modules, the terminal plan and the panel: they name what there is."""

from __future__ import annotations

import csv
import re

from hardware.design import fmea, panel
from hardware.design.circuit import circuit
from hardware.design.outputs import HARDWARE
from hardware.design.sheet import REVISION

with (HARDWARE / "modules.csv").open(newline="", encoding="utf-8") as _file:
    WIRES = list(csv.DictReader(_file))
MODULES = (HARDWARE / "modules.md").read_text(encoding="utf-8")


def terminals() -> dict[str, set[str]]:
    """Module -> its terminals as the table of modules says; ranges as "IN1 to IN5" are written out."""
    found: dict[str, set[str]] = {}
    for names, cells in re.findall(
        r"^\| ([A-Z]\d+[^|]*?) \| [^|]* \| [^|]* \| ([^|]*) \|$", MODULES, re.MULTILINE
    ):
        told = re.sub(r"\([^)]*\)", "", cells)
        each: set[str] = set()
        for word in (text.strip() for text in told.split(",")):
            span = re.fullmatch(r"(\D+)(\d+) to \D+(\d+)", word)
            each |= {f"{span[1]}{n}" for n in range(int(span[2]), int(span[3]) + 1)} if span else {word}
        first = re.findall(r"[A-Z]\d+", names)
        if " to " in names:
            letter, low, high = names[0], int(first[0][1:]), int(first[1][1:])
            first = [f"{letter}{n}" for n in range(low, high + 1)]
        for name in first:
            found[name] = each
    return found


def test_every_wire_of_the_modules_ends_on_a_terminal_that_there_is() -> None:
    known = terminals()
    assert set(known) >= {
        "M1",
        "M2",
        "M3",
        "M4",
        "M5",
        "M6",
        "A1",
        "A2",
        "A3",
        "B1",
        "B4",
        "K10",
        "K12",
        "F1",
        "R1",
    }
    for wire in WIRES:
        for module, terminal in ((wire["from"], wire["terminal"]), (wire["to"], wire["to_terminal"])):
            if module not in known or module in ("M1", "R1", "R2"):
                continue
            assert terminal in known[module] or any(terminal in text.split() for text in known[module]), wire


def test_every_terminal_of_a_module_has_a_wire_and_no_wire_is_to_be_opened_again() -> None:
    used: dict[str, set[str]] = {}
    for wire in WIRES:
        assert "open the wire" not in wire["note"], wire
        used.setdefault(wire["from"], set()).add(wire["terminal"])
        used.setdefault(wire["to"], set()).add(wire["to_terminal"])
    # A loop goes through the limit relay: its two ends are not joined beside it.
    assert not any({wire["from"], wire["to"]} == {"B2", "R2"} and wire["terminal"] == "5" for wire in WIRES)
    for module, each in terminals().items():
        if module in ("M1", "R1", "R2"):
            continue
        assert each <= used[module], (module, each - used[module])


def test_every_pin_of_the_firmware_has_its_wire_on_the_modules() -> None:
    pins: dict[str, int] = {}
    exec((HARDWARE.parent / "firmware/pins.py").read_text(), {}, pins)
    flags = ("_ON", "_OFF", "_ACTIVE", "_OK", "_PRESSED", "_PWM", "_ADDRESS", "SELECTED", "_INPUT")
    wanted = {f"GP{pin}" for name, pin in pins.items() if name.isupper() and not name.endswith(flags)}
    wanted -= {"GP23", "GP25"}  # inside the Pico, no wire
    wired = {wire["terminal"] for wire in WIRES if wire["from"] == "M1"}
    wired |= {wire["to_terminal"] for wire in WIRES if wire["to"] == "M1"}
    assert wanted <= wired
    assert {text for text in wired if text.startswith("GP")} <= wanted


def test_the_interlock_opens_without_the_rail_as_on_the_board() -> None:
    fed = {
        (wire["from"], wire["terminal"])
        for wire in WIRES
        if (wire["to"], wire["to_terminal"]) == ("K13", "A1")
    }
    coils = {
        (wire["from"], wire["terminal"])
        for wire in WIRES
        if wire["to"] == "XV1" and wire["to_terminal"] == "1"
    }
    assert fed == coils == {("A2", "V+")}


def test_the_converters_channels_are_those_of_the_firmware() -> None:
    shunts = {wire["from"] + wire["terminal"]: wire["to_terminal"] for wire in WIRES}
    assert (shunts["R21.out"], shunts["R22.out"], shunts["R23.out"]) == ("A0", "GP26", "A1")


def test_what_the_modules_cost_names_rows_of_the_failure_table() -> None:
    numbers = {int(row["row"]) for row in fmea.rows()}
    costs = MODULES[MODULES.index("## What the modules lack") :]
    rows = re.findall(r"^\| [^|]+ \| [^|]+ \| ([\d, -]+) \|", costs, re.MULTILINE)
    named = {int(text) for row in rows for text in re.findall(r"\d+", row)}
    assert len(rows) > 8 and named <= numbers and {14, 15, 20, 21, 34, 35} <= named


def test_the_terminal_plan_has_every_pole_with_its_end_and_protection() -> None:
    rows = panel.plan()
    poles = {(part.ref, pin) for part in circuit() if part.kind.startswith("TERMINALS") for pin in part.nets}
    assert {(row["plug"], row["pole"]) for row in rows} == poles
    parts = {part.ref: part for part in circuit()}
    for row in rows:
        assert row["ends_at"] and row["protected_by"], row
        for end in row["ends_at"].split():
            if "." in end:
                ref, pin = end.split(".", 1)
                assert parts[ref].nets[pin] == row["net"], row
        for ref in row["protected_by"].split():
            assert ref in parts or row["protected_by"] == "reference of its circuit"


def test_the_terminals_on_the_rail_are_numbered_once_and_as_many_as_are_bought() -> None:
    numbers = [row["rail"] for row in panel.plan() if row["rail"].startswith("TB1.")]
    assert len(numbers) == len(set(numbers)) == 24
    with (HARDWARE / "bom.csv").open(newline="", encoding="utf-8") as file:
        bought = next(row for row in csv.DictReader(file) if row["references"] == "TB1")
    drawn = re.findall(r">(\d+) terminals<", (HARDWARE / "drawings/panel.svg").read_text())
    assert sum(map(int, drawn)) == int(re.match(r"(\d+) poles", bought["rating"])[1])  # type: ignore[index]
    assert max(int(text.split(".")[1]) for text in numbers) <= sum(map(int, drawn))
    for row in panel.plan():
        assert (row["rail"] == "direct") == (
            row["plug"] in ("X1", "X6", "J1", "J2") or row["ends_at"] == "spare"
        )


def test_every_drawing_has_a_title_block_and_letters_that_can_be_read_on_a3() -> None:
    for path in sorted((HARDWARE / "drawings").glob("*.svg")):
        text = path.read_text(encoding="utf-8")
        assert f"revision {REVISION}" in text and re.search(r"not to scale|ruler: \d+ mm", text), path.name
        wide, high = map(float, re.search(r'viewBox="[-\d.]+ [-\d.]+ ([\d.]+) ([\d.]+)"', text).groups())  # type: ignore[union-attr]
        scale = min(400 / wide, 277 / high)
        smallest = min(float(size) for size in re.findall(r'font-size="([\d.]+)"', text))
        assert smallest * scale * 0.73 > 1.3, f"{path.name}: letters of {smallest * scale * 0.73:.2f} mm"
