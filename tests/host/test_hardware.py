"""What lies in hardware/ is what its sources give, and the parts list has every part once."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from hardware.design import bom, fmea, piping, sheets
from hardware.design.circuit import circuit
from hardware.design.outputs import HARDWARE, outputs
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
    assert set(listed) == {part.ref for part in circuit()} | set(piping.PARTS)


def test_the_piping_diagram_has_every_part_once() -> None:
    assert sorted(piping.diagram().drawn) == sorted(piping.PARTS)


def test_requirements_follow_the_sizing() -> None:
    small = bom.table(size(Design(working_pa=2_000_000, rated_pa=4_000_000, supply_pa=3_000_000)))
    reference = bom.table(size(Design()))
    assert "set 2.8 MPa" in small and "set 7 MPa" in reference
    assert not re.search(r"[{}]", reference)


def test_each_row_of_the_failure_table_has_tests_of_its_reaction() -> None:
    rows = fmea.rows()
    assert [row["row"] for row in rows] == [str(number) for number in range(1, 37)]
    for row in rows:
        assert row["tests"], row
        for test in row["tests"].split():
            file, _, name = test.partition("::")
            assert re.search(rf"^def {name}\(", (HARDWARE.parent / file).read_text(), re.MULTILINE), test
            # That shows only that a fault comes and ends.
            assert not file.endswith("test_inject.py"), test


def test_each_fault_that_can_be_injected_is_in_the_table(made: dict[str, str]) -> None:
    from ipch.sim.faults import FAULTS

    lines = {line.split(" | ")[0].strip("| "): line for line in made["fmea.md"].splitlines()}
    for name, fault in FAULTS.items():
        assert f"`{name}`" in lines[str(fault.row)]


def test_measured_times_come_from_the_matrix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fmea, "MEASURED", tmp_path / "faults.json")
    assert fmea.page().count("| not measured |") == 36
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
