"""Pin numbers and polarities stand in pins.py, and the wiring table says the same."""

import csv
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Physical pins of the Raspberry Pi Pico: its ground pins are every fifth, from pin 3 and from pin 38 down.
PHYSICAL = dict(
    zip(
        (*range(23), 26, 27, 28),
        (1, 2, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15, 16, 17, 19, 20, 21, 22, 24, 25, 26, 27, 29, 31, 32, 34),
        strict=True,
    )
)
POLARITY = {
    "VALVE_ON": ("FILL", "VENT", "SUPPLY_ISOLATION", "VENT_ISOLATION", "RELIEF"),
    "DRAIN_OFF": (
        "FILL_DRAIN",
        "VENT_DRAIN",
        "SUPPLY_ISOLATION_DRAIN",
        "VENT_ISOLATION_DRAIN",
        "RELIEF_DRAIN",
    ),
    "TRIP_ACTIVE": ("TRIP",),
    "CELL_SAFE_OK": ("CELL_SAFE",),
    "BUTTON_PRESSED": ("BUTTON",),
    "SELECTED": ("RTD_SELECT",),
    "RTD_READY_ACTIVE": ("RTD_READY",),
    "RAIL_ON": ("RAIL",),
    "RAIL_CUT_ON": ("RAIL_CUT",),
    "SMPS_PWM": ("SMPS_MODE",),
    "LED_ON": ("LED",),
}


@pytest.fixture(scope="module")
def pins() -> dict[str, int]:
    namespace: dict[str, int] = {}
    exec((ROOT / "firmware" / "pins.py").read_text(), {}, namespace)
    return {name: value for name, value in namespace.items() if name.isupper()}


@pytest.fixture(scope="module")
def table() -> dict[str, dict[str, str]]:
    with (ROOT / "hardware" / "wiring.csv").open(newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def test_the_table_has_every_pin_with_its_number(
    pins: dict[str, int], table: dict[str, dict[str, str]]
) -> None:
    wires = {
        name: pin for name, pin in pins.items() if name not in POLARITY and not name.endswith("_ADDRESS")
    }
    assert set(wires) == set(table)
    for name, pin in wires.items():
        row = table[name]
        if name.endswith("_INPUT"):
            assert row["signal"] == f"AIN{pin}"
        else:
            assert row["signal"] == f"GP{pin}"
            assert row["pico_pin"] == (str(PHYSICAL[pin]) if pin in PHYSICAL else "")


def test_the_table_has_every_polarity(pins: dict[str, int], table: dict[str, dict[str, str]]) -> None:
    said = {name: row["active"] for name, row in table.items() if row["active"]}
    assert said == {name: str(pins[polarity]) for polarity, names in POLARITY.items() for name in names}


def test_no_pin_is_used_twice(table: dict[str, dict[str, str]]) -> None:
    signals = [row["signal"] for row in table.values()]
    assert len(signals) == len(set(signals))


def test_pin_numbers_stand_nowhere_else() -> None:
    for path in sorted((ROOT / "firmware").rglob("*.py")):
        if path.name != "pins.py":
            numbers = re.findall(r"\b(?:Pin|ADC|PWM)\((\d+)", path.read_text())
            assert not numbers, f"{path.name} names GPIO {numbers}"


def test_only_the_board_touches_the_hardware() -> None:
    for path in sorted((ROOT / "firmware").rglob("*.py")):
        if path.name != "board.py":
            found = re.search(r"^\s*(?:import|from) (?:machine|rp2)\b", path.read_text(), re.MULTILINE)
            assert not found, path


def test_the_registers_in_the_table_of_both_chips_are_those_that_the_board_uses() -> None:
    text = (ROOT / "firmware" / "README.md").read_text()
    table = text[text.index("## RP2040 and RP2350") :].partition("\n\n|")[2].partition("\n\n")[0]
    numbers = re.findall(r"0x[0-9A-F]{8}", table)
    assert len(numbers) == 10
    used = (ROOT / "firmware" / "board.py").read_text()
    assert not [number for number in numbers if number not in used]
