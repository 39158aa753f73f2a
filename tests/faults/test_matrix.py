"""The fault matrix on the rung `core`: some of the cells in every run, all of them in `make faults`."""

from __future__ import annotations

import pytest

from bench.faults.run import run_core
from bench.faults.special import SPECIAL, UNSEEN
from bench.scenarios.cells import CELLS, MATRIX_ROWS, Cell
from bench.scenarios.rig import STATES

# Every cell in one state, a different one each time.
QUICK = [
    (cell, cell.states[index % len(cell.states)])
    for index, cell in enumerate(cell for cell in CELLS if not cell.slow)
]
ROWS = sorted({cell.row for cell, _ in QUICK})


@pytest.mark.parametrize("row", ROWS)
def test_cells_of_a_row_reach_their_state_in_time(row: int) -> None:
    missed = []
    for cell, state in QUICK:
        if cell.row == row:
            try:
                run_core(cell, state)
            except AssertionError as error:
                missed.append(f"{state}: {cell.name}: {error}")
    assert not missed, "\n".join(missed)


@pytest.mark.parametrize("row", sorted({row for row, *_ in SPECIAL}))
def test_special_rows(row: int) -> None:
    chosen = [entry for entry in SPECIAL if entry[0] == row]
    for _, _, state, name, run in chosen[:: max(1, len(chosen) // 8)]:
        try:
            run()
        except AssertionError as error:
            pytest.fail(f"{state}: {name}: {error}")


def test_no_cell_is_unexplained() -> None:
    seen = {(cell.row, state) for cell in CELLS for state in cell.states}
    seen |= {(row, state) for row, _, state, _, _ in SPECIAL}
    gaps = [
        (row, state)
        for row in MATRIX_ROWS
        for state in STATES
        if (row, state) not in seen and state not in UNSEEN.get(row, {})
    ]
    assert gaps == []
    needless = [(row, state) for row, states in UNSEEN.items() for state in states if (row, state) in seen]
    assert needless == []


def test_a_cell_can_fail() -> None:
    # A healthy device with an invisible fault, judged as if it had to detect it.
    cell = Cell(1, "off", "mechanical-relief-blocked", {}, ("HOLD",), "trip", ("CONTROL_OPEN",), 0.2)
    with pytest.raises(AssertionError, match="nothing after"):
        run_core(cell, "HOLD")
