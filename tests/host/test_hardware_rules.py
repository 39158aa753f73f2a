"""Rules of the circuit: pin numbers per package, protection of every terminal, polarity, isolation."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from hardware.design import assumptions
from hardware.design.circuit import KINDS, LOOPS, VALVES, Part, circuit

ROOT = Path(__file__).resolve().parents[2]
SYMBOLS = Path("/usr/share/kicad/symbols")
LIBRARY = Path("/usr/share/kicad/footprints")
with (ROOT / "hardware/design/pinouts.csv").open(newline="", encoding="utf-8") as _file:
    PINOUTS = list(csv.DictReader(_file))
# Marks and passive parts of two or three leads, where a data sheet numbers nothing else.
UNNUMBERED = {"R", "C", "CP", "FUSE", "PTC", "TVS2", "TEST", "HOLE", "PICO", "DIODE", "SCHOTTKY", "ZENER", "TVS",
              "LED", "LIMITER"}  # fmt: skip


def wrong_pins(pinouts: list[dict[str, str]]) -> list[str]:
    found = []
    for row in pinouts:
        wanted = dict(pair.split("=", 1) for pair in row["pins"].split())
        if wanted != {number: name for number, name, _ in KINDS[row["kind"]]}:
            found.append(row["kind"])
    return found


def test_pin_numbers_are_those_of_the_package() -> None:
    assert wrong_pins(PINOUTS) == []
    told = {row["kind"] for row in PINOUTS} | UNNUMBERED
    on_board = {part.kind for part in circuit() if not part.field}
    assert {kind for kind in on_board - told if not kind.startswith("TERMINALS")} == set()


def test_a_transistor_numbered_for_another_package_shows() -> None:
    rows = [row | {"pins": "1=G 2=S 3=D"} if row["kind"] == "PMOS" else row for row in PINOUTS]
    assert wrong_pins(rows) == ["PMOS"]


@cache
def symbol(name: str) -> dict[str, str]:
    """Return number -> name of the pins of one of KiCad's symbols."""
    library, _, part = name.partition(":")
    text = (SYMBOLS / f"{library}.kicad_sym").read_text(encoding="utf-8")
    start = text.index(f'\n  (symbol "{part}"')
    body = text[start : text.index("\n  )", start)]
    parent = re.search(r'\(extends "([^"]+)"\)', body)
    if parent:
        return symbol(f"{library}:{parent[1]}")
    pins = re.findall(r'\(pin .*?\(name "([^"]*)".*?\(number "([^"]*)"', body, re.DOTALL)
    return {number: pin for pin, number in pins}


# Our name -> names of the symbol's pin, where they differ in more than signs.
ALIASES = {
    "IN": {"G", "IN"}, "ON": {"ON/OFF"}, "NC2": {"NC"}, "PAD": {"GND"}, "COM": {"COM"},
    "VIN": {"VI", "IN", "VIN", "Vin"}, "VOUT": {"VO", "OUT", "Vout"}, "GND1": {"GND", "GND1"},
    "GND2": {"GND", "GND2"}, "VDD1": {"VDD1", "VCC1"}, "VDD2": {"VDD2", "VCC2"},
}  # fmt: skip


def test_pin_numbers_are_those_of_kicads_symbols() -> None:
    if not SYMBOLS.is_dir():
        pytest.skip("Debian's kicad-symbols is not installed")
    compared = 0
    for row in PINOUTS:
        for name in re.findall(r"KiCad 6 symbol (\w+:[\w.-]*\w)", row["source"]):
            ours, theirs = dict(pair.split("=", 1) for pair in row["pins"].split()), symbol(name)
            for number, pin in theirs.items():
                if pin in ("~", "") or number not in ours:
                    continue
                plain = re.sub(r"[~{}]", "", pin).upper().replace("ALERT/RDY", "ALERT")
                wanted = {text.upper() for text in ALIASES.get(ours[number], {ours[number]})}
                wanted.add(re.sub(r"\d+$", "", ours[number]).upper())
                assert plain in wanted or plain in ("+", "-", "V+", "V-", "NC"), (row["kind"], number, pin)
                compared += 1
    assert compared > 100


def test_every_pin_has_a_pad_and_every_pad_a_pin() -> None:
    if not LIBRARY.is_dir():
        pytest.skip("Debian's kicad-footprints is not installed")
    for part in circuit():
        library, _, name = part.footprint.partition(":")
        if not library or library == "ipch":
            continue
        text = (LIBRARY / f"{library}.pretty" / f"{name}.kicad_mod").read_text(encoding="utf-8")
        pads = {pad for pad in re.findall(r'\(pad "?([^" ]*)"? ', text) if pad}
        assert pads == {number for number, _, _ in KINDS[part.kind]}, part.ref


# References of a circuit, to which its clamps lead.
GROUNDS = {"GND", "GND_M", "GND_W"}
# A larger resistor belongs to a divider or a lamp and protects nothing.
SERIES_OHM = 5e3
# What may lie directly on the wire of a terminal.
PASSIVE = {"R", "C", "DIODE", "TVS", "TVS2", "SCHOTTKY", "RELAY"}


def users(parts: list[Part]) -> dict[str, list[Part]]:
    found: dict[str, list[Part]] = {}
    for part in parts:
        for net in set(part.nets.values()):
            found.setdefault(net, []).append(part)
    return found


def clamps(part: Part, net: str) -> bool:
    """Whether the part keeps the net near its circuit's reference."""
    if part.kind == "CLAMP":
        return part.nets["MID"] == net and part.nets["LOW"] in GROUNDS
    if part.kind in ("TVS", "SCHOTTKY"):
        return part.nets["K"] == net and part.nets["A"] in GROUNDS
    return part.kind == "TVS2"


def limits(part: Part, net: str) -> bool:
    """Whether the part limits the current of the net into the box."""
    if part.kind == "R":
        return assumptions.number(part.value) <= SERIES_OHM
    if part.kind == "RELAY":
        return net in (part.nets["COM"], part.nets["NO"])
    return part.kind in ("FUSE", "PTC", "LIMITER")


def bare(parts: list[Part]) -> Iterator[str]:
    """Name each terminal whose net reaches a chip, or has no clamp on it or behind its series element.

    A net that a transistor switches has its clamp on itself, and the transistor a limit of its own or before it.
    """
    on = users([part for part in parts if not part.field and part.kind != "TEST"])
    for terminal in parts:
        if not terminal.kind.startswith("TERMINALS"):
            continue
        for pole, net in terminal.nets.items():
            if net in GROUNDS:
                continue
            name = f"{terminal.ref}.{pole} {net}"
            near = [part for part in on[net] if not part.kind.startswith("TERMINALS")]
            series = [part for part in near if limits(part, net)]
            switches = [part for part in near if part.kind in ("LOWSIDE", "PMOS")]
            for part in near:
                if part not in series and part not in switches and part.kind not in PASSIVE:
                    yield f"{name}: {part.ref} directly on it"
            clamped = any(clamps(part, net) for part in near)
            for part in switches:
                if part.kind == "PMOS" and not any(
                    other.kind in ("EFUSE", "PTC") for other in on[part.nets["S"]]
                ):
                    yield f"{name}: {part.ref} has no limit before it"
            if switches:
                if not clamped:
                    yield f"{name}: no clamp"
                continue
            if not series:
                yield f"{name}: no series element"
            for part in series:
                far = [other for other in part.nets.values() if other != net]
                # A diode in the way forward, as the one against reversal, still leads to the clamp.
                far += [
                    o.nets["K"]
                    for each in far
                    for o in on[each]
                    if o.kind == "SCHOTTKY" and o.nets["A"] == each
                ]
                if not clamped and not any(clamps(other, each) for each in far for other in on[each]):
                    yield f"{name}: no clamp on it or behind {part.ref}"


def test_every_terminal_has_its_clamp_and_series_element() -> None:
    parts = circuit()
    assert sum(part.kind.startswith("TERMINALS") for part in parts) == 8
    assert list(bare(parts)) == []


@pytest.mark.parametrize(
    ("ref", "pin", "net"),
    [
        ("X5", "2", "SDA"),
        ("X6", "1", "BUTTON"),
        ("X5", "1", "V3V3"),
        ("X3", "2", "CONTROL_INPUT"),
        ("J2", "1", "V5"),
    ],
)
def test_a_bare_terminal_shows(ref: str, pin: str, net: str) -> None:
    parts = [replace(p, nets=p.nets | {pin: net}) if p.ref == ref else p for p in circuit()]
    assert list(bare(parts))


@pytest.mark.parametrize(
    "ref",
    [
        "D1",
        "D2",
        "F1",
        "D10",
        "D11",
        "D12",
        "D13",
        "D14",
        "D15",
        "D16",
        "D17",
        "D18",
        "D20",
        "D67",
        "D68",
        "D69",
        "D72",
        "D76",
        "D77",
        "D78",
        "D79",
        "D80",
        "D81",
        "Q2",
        "Q3",
        "Q11",
        "Q12",
        "Q13",
        "Q14",
        "F2",
        "F11",
        "F12",
        "F13",
        "F23",
        "F24",
        "F25",
        "F26",
        "F27",
        "F28",
        "R88",
        "R117",
        "R118",
        "D41",
        "D42",
        "D43",
        "U20",
    ],
)
def test_a_part_that_protects_a_terminal_is_missed(ref: str) -> None:
    parts = circuit()
    left = [part for part in parts if part.ref != ref]
    assert len(left) == len(parts) - 1 and list(bare(left))


def test_every_wire_of_the_rig_ends_on_a_terminal() -> None:
    parts = circuit()
    ends = {net for part in parts if part.kind.startswith("TERMINALS") for net in part.nets.values()}
    for part in parts:
        if part.field:
            assert set(part.nets.values()) <= ends, part.ref


# The way of the current through the diodes of the supply: reference -> (from, to).
FEEDS = {
    "D1": ("V24_FUSED", "V24"),
    "D3": ("V24", "V24_LOGIC"),
    "D60": ("HOLD_UP", "V24_LOGIC"),
    "D4": ("V5", "VSYS"),
    # The other way round STARTED would rise with 5 V, and NEVER would not be set at power-up.
    "D66": ("STARTED", "V5"),
}


def reversed_parts(parts: list[Part]) -> list[str]:
    """Name polar capacitors, lamps and diodes of the supply that lie the wrong way round."""
    found = sorted(FEEDS.keys() - {part.ref for part in parts})
    limited = {net for part in parts if part.kind == "R" for net in part.nets.values()}
    for part in parts:
        nets = part.nets
        if (
            (part.kind == "CP" and nets["2"] != "GND")
            or (part.kind == "LED" and (nets["K"] not in ("GND", "RAIL_FAULT") or nets["A"] not in limited))
            or (part.ref in FEEDS and (nets["A"], nets["K"]) != FEEDS[part.ref])
        ):
            found.append(part.ref)
    return found


def test_nothing_with_a_polarity_lies_the_wrong_way_round() -> None:
    assert reversed_parts(circuit()) == []


@pytest.mark.parametrize("ref", ["C1", "C2", "D73", "D74", "D75", *FEEDS])
def test_a_part_the_wrong_way_round_shows(ref: str) -> None:
    turned = [
        replace(part, nets=dict(zip(part.nets, reversed(part.nets.values()), strict=True)))
        if part.ref == ref
        else part
        for part in circuit()
    ]
    assert reversed_parts(turned) == [ref]


def unlike(parts: list[Part]) -> list[str]:
    """Name the parts of drivers and loops that differ from those of the first one: only that one has figures."""
    known = {part.ref: part for part in parts}
    found = []
    loops = [name for name, _ in LOOPS]
    for refs, first, names in (
        ("Q1{} R1{} R2{} D1{} R3{} R4{} D2{}", VALVES[0], VALVES),
        ("F1{} D3{} D4{} R5{} R6{} C1{} D5{}", loops[0], loops),
    ):
        for n, name in enumerate(names, 1):
            for ref in (text.format(n) for text in refs.split()):
                own, model = known.get(ref), known[ref[:-1] + "1"]
                if own is None:
                    found.append(f"{ref}: missing")
                    continue
                nets = {pin: net.replace(first, name) for pin, net in model.nets.items()}
                # The safety loop goes to the Pico itself, through a larger resistor.
                nets = {pin: "SAFETY_ADC" if net == "SAFETY_INPUT" else net for pin, net in nets.items()}
                value = "10k" if ref == "R62" else model.value
                if (own.kind, own.value, own.nets) != (model.kind, value, nets):
                    found.append(f"{ref}: {own.value} {own.nets}")
    return found


def test_drivers_and_loops_are_alike() -> None:
    assert unlike(circuit()) == []


def test_pairs_of_which_one_has_a_figure_are_alike() -> None:
    value = {part.ref: part.value for part in circuit()}
    pairs = ("R83 R84", "C31 C32", "R91 R92", "R112 R113", "R117 R118", "R93 R94")
    assert [pair for pair in pairs if len({value[ref] for ref in pair.split()}) > 1] == []
    # The firmware counts with this reference of the converter.
    driver = (ROOT / "firmware/drivers/max31865.py").read_text(encoding="utf-8")
    ohm = sum(assumptions.number(value[ref]) for ref in ("R93", "R94"))
    assert f"32768 // {ohm:.0f} " in driver


@pytest.mark.parametrize("ref", ["R42", "R33", "D14", "R63", "C13", "D52", "Q15", "R53"])
def test_a_driver_or_loop_unlike_the_others_shows(ref: str) -> None:
    assert unlike([part for part in circuit() if part.ref != ref])
    assert unlike([replace(part, value="1") if part.ref == ref else part for part in circuit()])


def unclamped(parts: list[Part]) -> list[str]:
    """Name the inputs of Pico and converter that a resistor joins to a wire of the rig, without a clamp to 3.3 V."""
    outside = {
        net for part in parts if part.kind.startswith("TERMINALS") for net in part.nets.values()
    } - GROUNDS
    for part in parts:
        if part.kind in ("LIMITER", "PTC", "FUSE") and set(part.nets.values()) & outside:
            outside |= set(part.nets.values())
    clamped = {part.nets["MID"] for part in parts if part.kind == "CLAMP" and part.nets["HIGH"] == "V3V3"}
    inputs = {part.nets[name] for part in parts if part.kind in ("PICO", "ADS1115")
              for _, name, electrical in KINDS[part.kind] if electrical == "INPUT"}  # fmt: skip
    fed = {
        net
        for part in parts
        if part.kind == "R" and set(part.nets.values()) & outside
        for net in part.nets.values()
    }
    return sorted((inputs & fed) - clamped - GROUNDS)


def test_each_input_that_a_wire_of_the_rig_reaches_has_a_clamp() -> None:
    assert unclamped(circuit()) == []


@pytest.mark.parametrize("ref", ["D7", "D21", "D22", "D23", "D24", "D25", "D51", "D52", "D53", "D80"])
def test_an_input_without_its_clamp_shows(ref: str) -> None:
    assert len(unclamped([part for part in circuit() if part.ref != ref])) == 1


def unprotected(parts: list[Part]) -> list[str]:
    """Name switches that a surge or a coil could destroy: gates, relay coil, output of the current limiter."""
    found = []
    for part in parts:
        wanted = {
            "PMOS": ("ZENER", part.nets.get("S"), part.nets.get("G")),
            "RELAY": ("DIODE", part.nets.get("A1"), part.nets.get("A2")),
            "EFUSE": ("SCHOTTKY", part.nets.get("OUT"), "GND"),
        }.get(part.kind)
        if wanted and not any((p.kind, p.nets.get("K"), p.nets.get("A")) == wanted for p in parts):
            found.append(f"{part.ref}: no {wanted[0]}")
        if part.kind == "PMOS" and not any(
            p.kind == "R" and set(p.nets.values()) == {part.nets["S"], part.nets["G"]} for p in parts
        ):
            found.append(f"{part.ref}: nothing shuts it")
    # 24 V with a surge at its clamp is more than a gate of 20 V withstands.
    found += [f"{p.ref}: {p.value}" for p in parts if p.kind == "ZENER" and assumptions.number(p.value) > 18]
    return found


def test_switches_are_protected_from_surges_and_coils() -> None:
    assert unprotected(circuit()) == []


@pytest.mark.parametrize("ref", ["D6", "D9", "D71", "D61", "R4", "R7"])
def test_a_switch_without_its_diode_shows(ref: str) -> None:
    assert unprotected([part for part in circuit() if part.ref != ref])


SUPPLIES = re.compile(r"VCC|VDD\d?|DVDD|V\+|VIN|IN_SYS|VOUT|\+VOUT|OUT")


def undecoupled(parts: list[Part]) -> list[str]:
    """Name supply nets with fewer capacitors to a reference than chips on the same page of the schematic.

    A module that needs none (Pico, input of an isolated supply) and a sensor on a breakout have their own.
    """
    found = []
    pins: dict[tuple[str, str], set[str]] = {}
    for part in parts:
        if part.field or part.kind == "PICO":
            continue
        for _, name, electrical in KINDS[part.kind]:
            if (
                electrical in ("PWRIN", "PWROUT", "OUTPUT")
                and SUPPLIES.fullmatch(name)
                and (part.kind, name) not in (("OPAMP", "OUT"), ("DCDC", "+VIN"))
            ):
                pins.setdefault((part.sheet, part.nets[name]), set()).add(part.ref)
    for (sheet, net), chips in pins.items():
        own = [part for part in parts if part.kind in ("C", "CP") and part.sheet == sheet
               and net in part.nets.values() and set(part.nets.values()) & GROUNDS]  # fmt: skip
        if len(own) < len(chips):
            found.append(f"{sheet}: {net} of {', '.join(sorted(chips))}")
    return found


def test_each_chip_has_a_capacitor_at_its_supply() -> None:
    assert undecoupled(circuit()) == []


@pytest.mark.parametrize(
    "ref", ["C3", "C22", "C23", "C24", "C42", "C43", "C46", "C48", "C49", "C61", "C63", "C64", "C66"]
)
def test_a_chip_without_its_capacitor_shows(ref: str) -> None:
    assert undecoupled([part for part in circuit() if part.ref != ref])


# Parts across the barrier of an isolated domain.
BARRIER = {"ISOLATOR", "BUS_ISOLATOR", "DCDC"}


def domains(parts: list[Part]) -> list[set[str]]:
    """Return the sets of nets that are joined by parts other than those of a barrier."""
    groups: list[set[str]] = []
    for part in parts:
        nets = set(part.nets.values())
        if part.kind in (*BARRIER, "RELAY"):
            continue
        touched = [group for group in groups if group & nets]
        groups = [group for group in groups if not group & nets] + [nets.union(*touched)]
    return groups


def test_monitor_and_sensor_bus_are_isolated() -> None:
    found = domains([part for part in circuit() if part.kind != "TEST"])
    for net in ("GND_M", "GND_W", "CYCLER_COM"):
        group = next(group for group in found if net in group)
        assert not group & {"GND", "V3V3", "V5", "V24", "SDA", "MONITOR"}, net
    joined = replace(circuit()[0], ref="R999", kind="R", nets={"1": "GND_M", "2": "GND"})
    assert "GND" in next(group for group in domains([*circuit(), joined]) if "GND_M" in group)
