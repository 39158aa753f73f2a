"""Each chip is connected as its data sheet asks: supplies, grounds, buses, wires of the RTD, the current limiter.

The names of the pins are those of pinouts.csv; a part taken out or two pins that are swapped must show.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from hardware.design.circuit import KINDS, Part, circuit
from hardware.design.outputs import HARDWARE

# A supply -> the ground that belongs to it.
SUPPLIES = {"V24": "GND", "V24_LOGIC": "GND", "V5": "GND", "V3V3": "GND", "VSYS": "GND", "V3M": "GND_M", "V3W": "GND_W",
            "WALL_PLUS": "GND_W"}  # fmt: skip
GROUNDS = set(SUPPLIES.values())
# Pins of ground and of supply; those with the same digit or sign belong together.
GROUND_PIN = re.compile(r"GND\d*|AGND|DGND|PAD|V-|-VIN|-VOUT")
SUPPLY_PIN = re.compile(r"VCC|VDD\d?|DVDD|V\+|VIN|\+VIN|\+VOUT|IN_SYS|IN[23]?|VSYS|3V3")
CHIPS = ("BUCK", "DCDC", "REFERENCE", "EFUSE", "COMPARATOR", "NAND", "OPAMP", "ISOLATOR", "BUS_ISOLATOR", "ADS1115",
         "TMP117", "MAX31865", "PICO")  # fmt: skip
# Inputs that lie at a ground or a supply on purpose: address, mode, what is not used.
STRAPS = {"ADS1115": ("ADDR", "AIN3"), "TMP117": ("ADD0",), "EFUSE": ("OVP", "MODE", "PGTH"), "ISOLATOR": ("VIB",),
          "MAX31865": ("FORCE2",)}  # fmt: skip
# Outputs that feed a supply net.
FEEDS = {"BUCK": ("VOUT",)}
# Of each chip, the pins on the two sides of its barrier.
SIDES = {"ISOLATOR": ("VDD1 GND1", "VDD2 GND2"), "BUS_ISOLATOR": ("VDD1 GND1", "VDD2 GND2"),
         "DCDC": ("+VIN -VIN", "+VOUT -VOUT")}  # fmt: skip


def badly_supplied(parts: list[Part]) -> list[str]:
    """Name pins of ground that are not at one, pins of supply likewise, and signals at a ground or a supply."""
    found = []
    for part in parts:
        if part.kind not in CHIPS:
            continue
        for name, net in part.nets.items():
            ground, supply = GROUND_PIN.fullmatch(name), SUPPLY_PIN.fullmatch(name)
            if ground:
                right = net in GROUNDS
            elif supply or name in FEEDS.get(part.kind, ()):
                right = net in SUPPLIES
            else:
                right = net not in SUPPLIES.keys() | GROUNDS or name in STRAPS.get(part.kind, ())
            if not right:
                found.append(f"{part.ref}.{name} {net}")
        for pair in SIDES.get(part.kind, ()):
            plus, minus = pair.split()
            if SUPPLIES.get(part.nets[plus]) != part.nets[minus]:
                found.append(f"{part.ref}: {part.nets[plus]} against {part.nets[minus]}")
    fed = {part.nets.get(name) for part in parts for _, name, kind in KINDS[part.kind] if kind == "PWROUT"}
    found += [f"{net}: no source" for net in ("V5", "V3V3", "V3M", "V3W") if net not in fed]
    return found


def test_supplies_and_grounds_are_at_their_pins() -> None:
    assert badly_supplied(circuit()) == []


def swapped(ref: str, one: str, other: str) -> list[Part]:
    return [
        replace(part, nets=part.nets | {one: part.nets[other], other: part.nets[one]})
        if part.ref == ref
        else part
        for part in circuit()
    ]


@pytest.mark.parametrize(
    ("ref", "one", "other"),
    [("U1", "VIN", "GND"), ("U1", "GND", "VOUT"), ("U3", "VCC", "GND"), ("U21", "VCC", "GND"), ("U22", "VCC", "GND"),
     ("U10", "3V3", "GND"), ("U10", "GND", "VSYS"), ("U11", "GND", "VDD"), ("U11", "AIN3", "VDD"),
     ("U13", "VDD", "GND1"),
     ("U14", "VIN", "VOUT"), ("U14", "VIN", "GND"), ("U14", "VOUT", "GND"), ("U23", "VDD1", "GND1"),
     ("U23", "GND1", "GND2"), ("U23", "VDD1", "VDD2"), ("U24", "-VIN", "+VIN"), ("U24", "+VOUT", "-VOUT"),
     ("U26", "-VIN", "-VOUT"), ("U26", "+VIN", "+VOUT"), ("U28", "GND1", "GND2"), ("U4", "V-", "V+"),
     ("U12", "GND", "V+"), ("U20", "IN_SYS", "GND"), ("U20", "IN", "PAD")],
)  # fmt: skip
def test_a_supply_at_the_wrong_pin_shows(ref: str, one: str, other: str) -> None:
    assert badly_supplied(swapped(ref, one, other))


@pytest.mark.parametrize("ref", ["U1", "U10", "U24", "U26"])
def test_a_missing_source_shows(ref: str) -> None:
    assert badly_supplied([part for part in circuit() if part.ref != ref])


# Pin -> the word in the name of its net.
BUS = {
    "PICO": {"GP0": "SDA", "GP1": "SCL", "GP16": "MISO", "GP18": "SCK", "GP19": "MOSI"},
    "ADS1115": {"SDA": "SDA", "SCL": "SCL"},
    "TMP117": {"SDA": "SDA", "SCL": "SCL"},
    "BUS_ISOLATOR": {"SDA1": "SDA_W", "SDA2": "SDA", "SCL1": "SCL_W", "SCL2": "SCL"},
    "MAX31865": {"SDI": "MOSI", "SDO": "MISO", "SCLK": "SCK", "CS": "RTD_SELECT", "DRDY": "RTD_READY"},
}


def wrong_bus(parts: list[Part]) -> list[str]:
    found = []
    for part in parts:
        for name, word in BUS.get(part.kind, {}).items():
            wanted = f"WALL_{word}" if part.kind == "TMP117" else word
            if part.nets[name] != wanted:
                found.append(f"{part.ref}.{name} {part.nets[name]}")
    # An open-drain line needs its pull-up to the supply of its own side.
    for line, supply in (("SDA", "V3V3"), ("SCL", "V3V3"), ("SDA_W", "V3W"), ("SCL_W", "V3W"), ("TRIP", "V3V3"),
                         ("OVER", "V5"), ("NOT_ALIVE", "V5")):  # fmt: skip
        if not any(part.kind == "R" and set(part.nets.values()) == {line, supply} for part in parts):
            found.append(f"{line}: no pull-up")
    return found


def test_buses_join_the_same_lines_and_have_their_pull_ups() -> None:
    assert wrong_bus(circuit()) == []


@pytest.mark.parametrize(
    ("ref", "one", "other"),
    [("U28", "SDA1", "SCL1"), ("U28", "SDA2", "SCL2"), ("U28", "SDA1", "SDA2"), ("U11", "SDA", "SCL"),
     ("U12", "SCL", "SDA"), ("U13", "SDI", "SDO"), ("U13", "DRDY", "CS")],
)  # fmt: skip
def test_swapped_lines_of_a_bus_show(ref: str, one: str, other: str) -> None:
    assert wrong_bus(swapped(ref, one, other))


@pytest.mark.parametrize("ref", ["R91", "R92", "R112", "R113", "R79", "R78", "R105"])
def test_a_missing_pull_up_shows(ref: str) -> None:
    assert wrong_bus([part for part in circuit() if part.ref != ref])


def through(parts: list[Part], net: str, kinds: tuple[str, ...]) -> set[str]:
    """Return the nets on the far side of parts of these kinds, and the net itself."""
    return {net}.union(
        *(part.nets.values() for part in parts if part.kind in kinds and net in part.nets.values())
    )


def wrong_wires_of_the_gas_sensor(parts: list[Part]) -> list[str]:
    """The RTD in four wires: current through A and B, voltage at A' and B'; the reference resistor in that current."""
    by = {part.ref: part.nets for part in parts}
    found = []
    wires = (("A", "FORCE+", "PTC"), ("A'", "RTDIN+", "R"), ("B'", "RTDIN-", "R"), ("B", "FORCE-", "PTC"))
    for wire, pin, kind in wires:
        if by["U13"][pin] not in through(parts, by["TE1"][wire], (kind,)):
            found.append(f"TE1.{wire} does not reach {pin}")
    reference = [part for part in parts if part.kind == "R" and part.ref in ("R93", "R94")]
    path = through(reference, by["U13"]["BIAS"], ("R",))
    if by["U13"]["REFIN-"] not in path.union(*(through(reference, net, ("R",)) for net in path)):
        found.append("no reference resistor from BIAS to REFIN-")
    if by["U13"]["BIAS"] != by["U13"]["REFIN+"] or by["U13"]["ISENSOR"] != by["U13"]["REFIN-"]:
        found.append("BIAS and REFIN+, ISENSOR and REFIN- are joined")
    return found


def test_the_four_wires_of_the_gas_sensor_reach_their_pins() -> None:
    assert wrong_wires_of_the_gas_sensor(circuit()) == []


@pytest.mark.parametrize(
    ("ref", "one", "other"),
    [("TE1", "A", "A'"), ("TE1", "A", "B"), ("TE1", "A'", "B'"), ("TE1", "B", "B'"), ("U13", "FORCE+", "RTDIN+"),
     ("U13", "RTDIN+", "RTDIN-"), ("U13", "REFIN+", "REFIN-"), ("U13", "BIAS", "ISENSOR")],
)  # fmt: skip
def test_a_swapped_wire_of_the_gas_sensor_shows(ref: str, one: str, other: str) -> None:
    assert wrong_wires_of_the_gas_sensor(swapped(ref, one, other))


# TPS26631: what its data sheet puts at each pin. A kind of part to ground, or the net.
LIMITER = {
    "IN": "V24", "IN2": "V24", "IN3": "V24", "IN_SYS": "V24", "OUT": "V24_COIL", "OUT2": "V24_COIL", "OUT3": "V24_COIL",
    "ILIM": ["R39"], "IMON": ["R40"], "DVDT": ["C47"], "UVLO": ["R37", "R38"], "SHDN": ["Q16"], "FLT": ["D62", "D74"],
}  # fmt: skip


def wrong_limiter(parts: list[Part]) -> list[str]:
    nets = next(part.nets for part in parts if part.ref == "U20")
    found = []
    for pin, wanted in LIMITER.items():
        if isinstance(wanted, str):
            right = nets[pin] == wanted
        else:
            others = [part for part in parts if part.kind not in ("EFUSE", "TEST")]
            at = sorted(part.ref for part in others if nets[pin] in part.nets.values())
            right = at == sorted(wanted)
        if not right:
            found.append(pin)
    return found


def test_the_current_limiter_is_connected_as_its_data_sheet_asks() -> None:
    assert wrong_limiter(circuit()) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [("ILIM", "IMON"), ("DVDT", "ILIM"), ("UVLO", "SHDN"), ("FLT", "SHDN"), ("IN", "OUT")],
)
def test_a_swapped_pin_of_the_limiter_shows(one: str, other: str) -> None:
    assert wrong_limiter(swapped("U20", one, other))


def wrong_monitor(parts: list[Part]) -> list[str]:
    """Pulses of MONITOR through the isolator and two RC stages to a follower, and from it to J2."""
    by = {part.ref: part.nets for part in parts}
    found = []
    if (by["U23"]["VIA"], by["U23"]["VOA"]) != ("MONITOR", by["R83"]["1"]):
        found.append("isolator")
    stages = [
        (by["R83"]["2"], by["R84"]["1"], by["C31"]["1"]),
        (by["R84"]["2"], by["U4"]["IN+"], by["C32"]["1"]),
    ]
    found += [f"stage {n}" for n, nets in enumerate(stages, 1) if len(set(nets)) > 1]
    if by["U4"]["OUT"] != by["U4"]["IN-"] or by["J2"]["1"] not in through(parts, by["D72"]["K"], ("PTC",)):
        found.append("follower or output")
    if by["D72"]["K"] not in through(parts, by["U4"]["OUT"], ("R",)):
        found.append("no series resistor")
    return found


def test_the_monitor_reaches_its_plug_through_filter_and_follower() -> None:
    assert wrong_monitor(circuit()) == []


@pytest.mark.parametrize(
    ("ref", "one", "other"),
    [("U23", "VIA", "VOA"), ("U4", "OUT", "IN+"), ("U4", "IN+", "IN-"), ("J2", "1", "2")],
)  # fmt: skip
def test_a_swapped_pin_of_the_monitor_shows(ref: str, one: str, other: str) -> None:
    assert wrong_monitor(swapped(ref, one, other))


def test_poles_that_the_procedures_name_have_the_nets_that_they_say() -> None:
    """A probe put on the wrong pole of a plug measures something else, or makes a short."""
    parts = {part.ref: part for part in circuit()}
    nets = {"X2.1": "COIL_RAIL", "X2.4": "VENT_COIL", "J2.2": "GND_M", "X5.4": "GND_W"}
    named = set()
    for page in HARDWARE.glob("*.md"):
        named |= set(re.findall(r"\b[XJ]\d\.\d+\b", page.read_text(encoding="utf-8")))
    assert named == set(nets)
    for pole, net in nets.items():
        ref, _, pin = pole.partition(".")
        assert parts[ref].nets[pin] == net, pole
    # The plus of 24 V at pole 1, as X1 is lettered in every plan.
    assert parts["X1"].nets == {"1": "V24_IN", "2": "GND"} and parts["PS1"].nets == {
        "+": "V24_IN",
        "-": "GND",
    }
