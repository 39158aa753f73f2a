"""Cells of the matrix on the rung `sim`: the firmware as a MicroPython program, queried over its serial line."""

from __future__ import annotations

from bench.faults.run import LATCHED, NAMES, Missed, Result
from bench.scenarios.cells import CELLS as ALL
from bench.scenarios.cells import MATRIX_ROWS, RESET, SAFE, STAY, TRIP, WARN, Cell
from bench.scenarios.rig import Bench, enter, learn
from ipch.sim.injector import clear

# Time of a query and its answer, in addition to the measured time.
ASKING_S = 0.12
PULSES_S = 60.0


def _chosen() -> list[tuple[Cell, str]]:
    """The first two quick cells of each row, in different states if possible."""
    chosen: list[tuple[Cell, str]] = []
    for row in MATRIX_ROWS:
        cells = [cell for cell in ALL if cell.row == row and not cell.slow and cell.expect != SAFE]
        for index, cell in enumerate(cells[:2]):
            states = [state for state in cell.states if state not in LATCHED] or list(cell.states)
            chosen.append((cell, states[(row + index) % len(states)]))
    return chosen


CELLS = _chosen()


def run_sim(cell: Cell, state: str) -> Result:
    """Run a cell. Raises Missed, or Violation for a command that must never be given."""
    bench = Bench("sim", scenario=f"{cell.name} in {state} on sim")
    try:
        learn(bench)
        if state != "HOLD":
            enter(bench, state)
        bench.run_s(cell.rest_s)
        for name, value in cell.settings:
            bench.set(name, value)
        return _judge(cell, state, bench)
    finally:
        bench.close()


def _judge(cell: Cell, state: str, bench: Bench) -> Result:
    before = bench.fetch()
    start_ms = bench.world.plant.time_ms + round(float(str(cell.values.get("after_s", 0.0))) * 1000)
    # Uptime and the plant's time started together.
    bench.inject(cell.fault, cell.values)
    if cell.drive.get(state):
        bench.send(cell.drive[state])
    if cell.expect == RESET:
        resets = bench.board.resets
        bench.run_s(start_ms / 1000 - bench.world.plant.time_ms / 1000 + cell.within_s + 0.1)
        if bench.board.resets == resets or any(valve.energised for valve in bench.world.plant.valves):
            raise Missed("no reset, or something energised")
        bench.run_s(25)
        if bench.fetch()["state"] not in (
            "OFF",
            "SEALED",
            "RELIEF",
            NAMES.get(state, "REGULATE" if state == "QUIET" else "OFF"),
        ):
            raise Missed(f"restarted into {bench.fetch()['state']}")
        return Result(None)
    if cell.expect == STAY:
        bench.run_s(cell.within_s)
        after = bench.fetch() if cell.fault != "host" else _again(bench)
        for name in ("state", "fault"):
            if after[name] != before[name]:
                raise Missed(f"{name}: {after[name]}")
        return Result(None)
    limit_s = PULSES_S if cell.pulses or cell.since != "fault" else cell.within_s
    last_ms = start_ms + round((limit_s + ASKING_S) * 1000) + cell.tick_ms
    while True:
        code = bench.ask(":SYST:FAUL?").split(",")
        if cell.expect == TRIP and code[0] in cell.codes:
            took_s = (int(code[-1]) - start_ms) / 1000
            break
        if cell.expect == WARN and set(bench.ask(":SYST:WARN?").split(",")) & set(cell.codes):
            # By the delay of the query.
            took_s = max(0.0, (bench.world.plant.time_ms - start_ms) / 1000 - ASKING_S)
            break
        if bench.world.plant.time_ms > last_ms:
            raise Missed(f"nothing after {limit_s:g} s: {code}, {bench.ask(':SYST:WARN?')}")
    if not cell.pulses and cell.since == "fault" and took_s > cell.within_s + 0.02:
        raise Missed(f"{took_s:g} s instead of {cell.within_s:g}")
    after_state = bench.fetch()["state"]
    if cell.expect == TRIP and after_state not in (*cell.end.split(), "RELIEF"):
        raise Missed(f"not {cell.end} but {after_state}")
    return Result(None if cell.pulses or cell.since != "fault" else max(0.0, took_s))


def _again(bench: Bench) -> dict[str, str]:
    """First wait until the host's missed or flooded data are processed."""
    clear(bench.world)
    bench.send("")
    bench.run_s(5)
    return bench.fetch()
