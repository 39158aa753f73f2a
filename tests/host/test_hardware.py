"""What lies in hardware/ is what its sources give, and the parts list has every part once."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.scenarios.cells import MATRIX_ROWS
from hardware.design import bom, electrical, fmea, hazards, piping, sheets
from hardware.design.assumptions import number
from hardware.design.circuit import circuit
from hardware.design.figures_safety import trip_level_v
from hardware.design.outputs import HARDWARE, bring_up_sheet, outputs
from ipch.sim.rigs import load_firmware
from ipch.sizing import Design, size


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return outputs()


def test_what_is_committed_is_current(made: dict[str, str]) -> None:
    stale = [name for name, text in made.items() if (HARDWARE / name).read_text(encoding="utf-8") != text]
    assert not stale, f"run make hardware: {stale}"


def test_schematic_pages_draw_the_circuit() -> None:
    parts = {part.ref: part for part in circuit()}
    for sheet in sheets.sheets().values():
        assert sheet.mistakes(parts) == []


def test_a_wire_that_is_missing_or_wrong_shows() -> None:
    parts = {part.ref: part for part in circuit()}
    page = sheets._loops(parts)
    page.wires.pop(3)
    assert page.mistakes(parts)
    page = sheets._drivers(parts)
    page.wire((2.0, 0.0), (7.0, 1.8))
    assert any("joined" in text for text in page.mistakes(parts))
    swapped = parts | {"R11": replace(parts["R11"], nets={"1": "VENT", "2": "FILL_GATE"})}
    assert sheets._drivers(swapped).mistakes(swapped)


def references(text: str) -> list[str]:
    return [ref for row in csv.DictReader(io.StringIO(text)) for ref in row["references"].split()]


def test_every_part_is_listed_once(made: dict[str, str]) -> None:
    listed = references(made["bom.csv"])
    assert len(listed) == len(set(listed))
    assert set(listed) == {part.ref for part in circuit()} | set(piping.PARTS) | set(bom.BESIDES)


def test_each_part_says_all_that_a_buyer_must_know(made: dict[str, str]) -> None:
    for row in csv.DictReader(io.StringIO(made["bom.csv"])):
        assert all(row.values()), f"{row['references']}: a cell is empty"
        assert row["family_1"] != row["family_2"]
        for status in (row["checked_1"], row["checked_2"]):
            # Either the document and what stands in it, or an honest gap.
            assert status == "to be checked" or re.search(r"data sheet|catalog|forum", status), row[
                "references"
            ]
        assert row["price_class"] in "ABCDE"


def test_a_rating_in_the_list_is_that_of_the_circuit(made: dict[str, str]) -> None:
    """Resistors: the circuit's value stands in the row, in the list's own spelling."""
    rows = {
        ref: row for row in csv.DictReader(io.StringIO(made["bom.csv"])) for ref in row["references"].split()
    }
    for part in circuit():
        if part.kind == "R":
            number, unit = re.fullmatch(r"([\d.]+)([kM]?).*", part.value).groups()  # type: ignore[union-attr]
            assert re.search(rf"(?<![\d.]){re.escape(number)}\b.*? {unit}ohm", rows[part.ref]["rating"]), (
                part.ref
            )


# Littelfuse 1812L data sheet, 2019: hold currents of the types for 30 V and more.
PTC_HOLD_A = {0.1, 0.14, 0.2, 0.35, 0.5, 0.75, 1.1}


def test_each_resettable_fuse_is_one_that_is_made(made: dict[str, str]) -> None:
    rows = {
        ref: row for row in csv.DictReader(io.StringIO(made["bom.csv"])) for ref in row["references"].split()
    }
    for part in circuit():
        if part.kind == "PTC":
            amount, unit = re.match(r"([\d.]+) (m?)A", part.value).groups()  # type: ignore[union-attr]
            hold = float(amount) * (1e-3 if unit else 1.0)
            named = re.search(r"1812L(\d{3})/(\d+)", rows[part.ref]["family_1"])
            assert named is not None and hold in PTC_HOLD_A, part.ref
            assert int(named[1]) / 100 == hold and int(named[2]) >= 30, part.ref
            assert f"{amount} {unit}A hold" in rows[part.ref]["rating"], part.ref


def test_parts_through_holes_are_not_bought_for_pads(made: dict[str, str]) -> None:
    """And each header is bought with its plug, the Pico with its sockets, the fuse with its clips."""
    for row in csv.DictReader(io.StringIO(made["bom.csv"])):
        if re.search(r"^[CR]_\d{4}", row["footprint"]):
            assert not re.search(r"MKS|leaded|radial|axial", row["family_1"] + row["family_2"]), row[
                "references"
            ]
        if "PhoenixContact" in row["footprint"]:
            assert "header" in row["requirement"] and "plug" in row["requirement"], row["references"]
        if "Sockets" in row["footprint"]:
            assert "socket strips" in row["requirement"]
        if "Fuseholder" in row["footprint"]:
            assert "clips" in row["requirement"]


def test_the_relay_is_of_the_form_that_the_footprint_has() -> None:
    """RT334: 1 form A. RT314 is 1 form C, with a fifth pin that has no hole here."""
    pinouts = (HARDWARE / "design/pinouts.csv").read_text()
    assert "RELAY,RT334024,RT1," in pinouts and "FormA" in pinouts


def test_the_circuits_figures_are_in_their_ranges() -> None:
    assert [check.name for check in electrical.checks(size(Design())) if not check.kept] == []


@pytest.mark.parametrize(
    ("ref", "value", "figure"),
    [
        ("R11", "1k", "gate voltage while on"),
        ("R11", "100", "pin current while the comparator holds the gate low"),
        ("D11", "45 V", "drain voltage at switch-off"),
        ("R41", "2.7k", "readback of a coil that is off"),
        ("R62", "1k", "trip shift with 3.3 V dead"),
        ("R77", "1M", "comparator releases at"),
        ("R73", "22k", "highest trip of RV1"),
        ("R120", None, "C4 is empty after a heartbeat that stops high"),
        ("R121", "330k", "C50 is empty after a heartbeat that stops high"),
        ("R74", "3.3k", "a shorted loop begins at"),
        ("R104", "220k", "latch sets after, at most"),
        ("C53", "220n", "TRIP stays for, at least"),
        ("C54", "4.7n", "pulse of an acknowledge"),
        ("R101", "220k", "processor counts as gone after, at least"),
        ("C51", "10u", "processor counts as gone after, at most"),
        ("R110", "10k", "input of Q9 while the comparator opens the relief"),
        ("R110", "1k", "current that LATCH gives"),
        ("R39", "13k", "highest current of the coil rail"),
        ("R39", "6.8k", "current limit of the coil rail"),
        ("R38", "22k", "rail starts at"),
        ("R36", "4.7", "inrush into C2"),
        ("R88", "470", "current of the button input with 24 V on it"),
        ("R117", "22k", "error of the gas sensor from its sense resistors"),
        ("C5", "470n", "shortest hold time without heartbeat"),
        ("C5", "2.2u", "longest hold time without heartbeat"),
        ("R112", "4.7k", "capacitance of the isolated bus at 400 kHz"),
        ("R112", "1k", "sink current of the isolated bus"),
        ("R3", "10k", "gate voltage of Q2, 24 V high"),
        ("R8", "33k", "gate voltage of Q3, 24 V low"),
        ("R81", "4.7k", "gate voltage of Q8"),
        ("R6", "2.7k", "readback of the rail while on"),
        ("R6", "5.6k", "readback of the rail, 24 V 5 % high"),
        ("R30", "220", "pump voltage while cut, heartbeat running"),
        ("R30", "10", "pump discharge current"),
        ("R4", "1M", "coil of a shorted transistor releases after a cut"),
        ("R10", "2.2k", "gate voltage of Q10"),
        ("C2", "3300u", "hold-up of the logic without 24 V"),
        ("R51", "250", "shunt voltage, miswired loop"),
    ],
)
def test_a_wrong_value_shows(ref: str, value: str | None, figure: str) -> None:
    parts = [replace(part, value=value or "") if part.ref == ref else part for part in circuit()]
    parts = [part for part in parts if part.value]
    broken = [check.name for check in electrical.checks(size(Design()), parts) if not check.kept]
    assert figure in broken


def test_limits_of_the_devices_defaults_are_those_of_the_comparator() -> None:
    settings: dict[str, Any] = {}
    exec((HARDWARE.parent / "firmware/regulator/settings.py").read_text(), settings)
    defaults = settings["Settings"]()
    assert {name: defaults.get(name) for name in size(Design()).settings} == size(Design()).settings


def test_the_bring_up_sets_the_comparator_as_computed() -> None:
    value = {
        part.ref: number(part.value) for part in circuit() if part.kind in ("R", "C", "CP", "POT", "TVS")
    }
    said = re.search(
        r"([\d.]+) V at TP8, TRIP_LEVEL for ([\d.]+) MPa", (HARDWARE / "bring-up.md").read_text()
    )
    assert said is not None
    assert float(said[1]) == pytest.approx(trip_level_v(value, round(float(said[2]) * 1e6)), abs=0.005)


def test_figures_in_the_pages_are_those_of_the_circuit() -> None:
    found = {check.name: check.value for check in electrical.checks(size(Design()))}
    # 3.3 V through 330 ohm, R11 and R21, with room for a voltmeter's error.
    gate = 3.3 * 4.7 / (0.33 + 0.33 + 4.7)
    for text in re.findall(r"off, ([\d.]+) V or more", (HARDWARE / "bring-up.md").read_text()):
        assert float(text) < gate - 0.05
    electronics = (HARDWARE / "electronics.md").read_text()
    assert f"{found['gate voltage while on']:.1f} V at a gate" in electronics
    assert f"puts {found['shunt voltage, miswired loop']:.1f} V on" in electronics
    assert f"{found['source resistance of a readback']:.1f} kohm of source" in electronics
    modules = (HARDWARE / "modules.md").read_text()
    assert f"hold-up of the logic, {found['hold-up of the logic without 24 V']:.1f} s" in modules
    bring_up = (HARDWARE / "bring-up.md").read_text()
    shut, open_, again, short = (
        float(text) for text in re.findall(r"^\| ([\d.]+) mA \|", bring_up, re.MULTILINE)
    )
    trip_ma = 4.0 + 1.6 * size(Design()).settings["comparator_pa"] / 1e6
    off_ma = 1.6e-3 * found["largest trip error"]
    assert shut < trip_ma - off_ma and open_ > trip_ma + off_ma
    assert again < 4.0 + 1.6 * found["comparator releases at"] and short > found["a shorted loop begins at"]
    assert found["longest hold time without heartbeat"] <= 1.0 and "the lamp is off within 1 s" in bring_up


def test_a_reading_that_its_part_may_give_passes_the_bring_up() -> None:
    """U2: 0.5 %; U1, U24 and U26: 3 %."""
    text = (HARDWARE / "bring-up.md").read_text()
    for name, volt, spread in (("TP7 V2V5", 2.5, 0.005), ("TP4 V5", 5.0, 0.03), ("TP20 V3M", 3.3, 0.03)):
        low, high = re.search(rf"{name}[^|]*\| ([\d.]+) to ([\d.]+) V", text).groups()  # type: ignore[union-attr]
        assert float(low) <= volt * (1 - spread) + 1e-9 and float(high) >= volt * (1 + spread) - 1e-9, name


def test_the_longest_pulse_is_that_of_the_firmware() -> None:
    longest_us = load_firmware()["regulator.settings"].row("pulse_max_us")[4]
    assert f"{longest_us / 1e6:g} s at most" in (HARDWARE / "piping.md").read_text()


def test_the_piping_diagram_has_every_part_once() -> None:
    assert sorted(piping.diagram(size(Design())).drawn) == sorted(piping.PARTS)


def test_requirements_follow_the_sizing() -> None:
    small = bom.table(size(Design(working_pa=2_000_000, rated_pa=4_000_000, supply_pa=3_000_000)))
    reference = bom.table(size(Design()))
    assert "set 2.8 MPa" in small and "set 7 MPa" in reference
    assert not re.search(r"[{}]", reference)


def test_each_row_of_the_failure_table_has_tests_of_its_reaction() -> None:
    rows = fmea.rows()
    assert [row["row"] for row in rows] == [str(number) for number in MATRIX_ROWS]
    for row in rows:
        assert row["tests"], row
        for test in row["tests"].split():
            file, _, name = test.partition("::")
            assert re.search(rf"^def {name}\(", (HARDWARE.parent / file).read_text(), re.MULTILINE), test
            # That shows only that a fault comes and ends.
            assert not file.endswith("test_inject.py"), test


def test_failures_of_parts_name_what_there_is(made: dict[str, str]) -> None:
    listed = set(references(made["bom.csv"]))
    named: set[str] = set()
    for row in fmea.part_rows():
        assert all(row.values()), row
        assert set(row["parts"].split()) <= listed, row["parts"]
        named |= set(row["parts"].split())
        # The procedure that finds it speaks of one of them.
        text = (HARDWARE / row["found_by"]).read_text(encoding="utf-8")
        assert any(re.search(rf"\b{ref}\b", text) for ref in row["parts"].split()), row["parts"]
    assert set(piping.PARTS) <= named


# Their failures stand in the rows of the parts that they set: electrical.md has the limits of their values.
PASSIVE = ("R", "C", "CP", "TEST", "HOLE")


def test_each_active_part_and_each_connector_has_a_row_of_failures() -> None:
    named = {ref for row in fmea.part_rows() for ref in row["parts"].split()}
    assert [part.ref for part in circuit() if part.kind not in PASSIVE and part.ref not in named] == []


def test_links_of_the_failure_table_lead_to_tests(made: dict[str, str]) -> None:
    links = re.findall(r"\[([^]]+)\]\(([^)#]+\.(?:py|md))\)", made["fmea.md"])
    assert len(links) > 60
    for _, target in links:
        assert (HARDWARE / target).resolve().is_file(), target


def test_each_unsafe_control_action_is_excluded_or_explained() -> None:
    rules = hazards.rules()
    assert list(rules) == [f"T{number}" for number in range(1, 12)]
    found = [(row.action, row.way) for row in hazards.rows()]
    wanted = [(action, way) for action in (*hazards.OUTPUTS, *hazards.COMMANDS) for way in hazards.WAYS]
    assert found == wanted
    for row in hazards.rows():
        assert row.by or row.stays, row
        for each in row.by.split():
            file, _, name = each.partition("::")
            if name:
                assert re.search(rf"^def {name}\(", (HARDWARE.parent / file).read_text(), re.MULTILINE), each
            else:
                assert each in rules, each


def test_each_fault_that_can_be_injected_is_in_the_table(made: dict[str, str]) -> None:
    from ipch.sim.faults import FAULTS

    lines = {line.split(" | ")[0].strip("| "): line for line in made["fmea.md"].splitlines()}
    for name, fault in FAULTS.items():
        assert f"`{name}`" in lines[str(fault.row)]


def test_measured_times_come_from_the_matrix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fmea, "MEASURED", tmp_path / "faults.json")
    assert fmea.page().count("| not measured |") == 37
    run = [
        {"name": "core row 1: cells", "value": 84, "unit": ""},
        {"name": "core row 1: missed", "value": 0, "unit": ""},
        {"name": "core row 1: worst of 0.2 s", "value": 0.16, "unit": "s"},
        {"name": "core row 9: cells", "value": 30, "unit": ""},
        {"name": "core row 9: missed", "value": 1, "unit": ""},
        {"name": "core row 9: worst of 0.3 s", "value": 0.28, "unit": "s"},
        {"name": "core row 9: worst of 3 pulses", "value": 2, "unit": "pulses"},
        {"name": "sim row 24: cells", "value": 2, "unit": ""},
        {"name": "core row 24: cells", "value": 0, "unit": ""},
        {"name": "false trips", "value": 0, "unit": ""},
    ]
    (tmp_path / "run.json").write_text(json.dumps(run))
    fmea.take(tmp_path / "run.json")
    lines = fmea.page().splitlines()
    assert sum("| 0.16 s of 0.2 s: 84 |" in line for line in lines) == 1
    assert any("| 0.28 s of 0.3 s, 2 pulses of 3 pulses: 30, **1 missed** |" in line for line in lines)
    assert any(line.startswith("| 24 |") and "| no time: 2 |" in line for line in lines)
    (tmp_path / "run.json").write_text('[{"name": "false trips", "value": 0, "unit": ""}]')
    with pytest.raises(ValueError, match="no rows of the matrix"):
        fmea.take(tmp_path / "run.json")


def test_the_led_of_each_state_is_as_documented() -> None:
    text = (HARDWARE.parent / "firmware" / "README.md").read_text(encoding="utf-8")
    for state, _, _, pattern, _ in load_firmware()["regulator.modes"].TABLE:
        lit = "".join("#" if pattern >> bit & 1 else "." for bit in range(8))
        assert f"| {state} | `{lit}` |" in text, state


def test_the_bring_up_sheet_has_every_step_and_every_reading() -> None:
    sheet, steps = bring_up_sheet(), (HARDWARE / "bring-up.md").read_text(encoding="utf-8")
    numbers = re.findall(r"^(\d+)\. ", steps, re.MULTILINE)
    assert numbers == [str(number) for number in range(1, 17)]
    assert set(re.findall(r"^\| (\d+)", sheet, re.MULTILINE)) == set(numbers)
    for name in (
        "Quick cut",
        "Current limit",
        "Relief without the processor",
        "TP4 V5: 4.85 to 5.15 V",
        "14.7 mA",
    ):
        assert name in sheet


def test_the_sum_of_the_price_classes_is_what_the_page_says(made: dict[str, str]) -> None:
    low = {"A": 0.2, "B": 2.0, "C": 20.0, "D": 100.0, "E": 500.0}
    high = {"A": 2.0, "B": 20.0, "C": 100.0, "D": 500.0, "E": 2000.0}
    sums = {True: [0.0, 0.0], False: [0.0, 0.0]}
    for row in csv.DictReader(io.StringIO(made["bom.csv"])):
        for n, price in enumerate((low, high)):
            sums[row["footprint"] != "not on the board"][n] += (
                int(row["quantity"]) * price[row["price_class"]]
            )
    told = re.sub(r"\s+", " ", (HARDWARE / "ordering.md").read_text(encoding="utf-8"))
    found = re.search(
        r"([\d,]+) to ([\d,]+) euros for the pressure side and the box, and ([\d,]+) to ([\d,]+)", told
    )
    assert found is not None
    figures = [float(text.replace(",", "")) for text in found.groups()]
    assert figures == pytest.approx([*sums[False], *sums[True]], rel=0.2)
