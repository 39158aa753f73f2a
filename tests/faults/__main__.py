"""`make faults [ONLY=name]`: the whole proof of safety; prints tables and writes runs/bench/faults.json.

`make soak` is `python -m tests.faults soak`: ten million fuzzed lines; SOAK_FROM=seed goes on where one ended.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from tests.bench._rows import row
from tests.faults import _cells, _fuzz, _long, _pairs, _pressure, _run, _sim, _special
from tests.faults._rig import STATES

OUT = Path("runs/bench")
WORKERS = os.cpu_count() or 1
TRIALS = 10_000
LINES_PER_SEED = 50_000
SOAK_SEEDS = 200
CALM_DAYS = 60.0
# Hours of each scenario that a worker lives through at a time.
CALM_HOURS = 6.0
Rows = list[dict[str, Any]]


class Outcome(NamedTuple):
    """What came of one cell."""

    row: int
    kind: str
    state: str
    value: float | None
    unit: str
    limit: str
    """What was allowed, as text; empty where the cell has no time of its own."""
    error: str


def _cell(index: int, state: str, rig: str) -> Outcome:
    """Run one cell."""
    if rig == "special":
        number, kind, state, name, run = _special.SPECIAL[index]
        try:
            result = run()
            return Outcome(number, kind, state, result.value, result.unit, "", "")
        except AssertionError as error:
            return Outcome(number, kind, state, None, "s", "", f"{name}: {error}")
    cell = _sim.CELLS[index][0] if rig == "sim" else _cells.CELLS[index]
    limit = f"{cell.pulses} pulses" if cell.pulses else f"{cell.within_s:g} s"
    if cell.or_moved_pa:
        limit += f" or {cell.or_moved_pa // 1000} kPa"
    try:
        result = _run.run_core(cell, state) if rig == "core" else _sim.run_sim(cell, state)
        return Outcome(cell.row, cell.kind, state, result.value, result.unit, limit, "")
    except AssertionError as error:
        return Outcome(cell.row, cell.kind, state, None, "s", limit, f"{cell.name}: {error}")


def _worst(outcomes: Sequence[Outcome]) -> dict[str, dict[str, Any]]:
    """The longest of each limit: a leak may take half an hour, a valve that is stuck open in the same row not."""
    found: dict[str, dict[str, Any]] = {}
    for each in outcomes:
        limit = f"of {each.limit}" if each.limit else ""
        if each.value is not None and each.value >= found.get(limit, {"value": 0})["value"]:
            found[limit] = row("", each.value, each.unit)
    return dict(sorted(found.items()))


def matrix(pool: ProcessPoolExecutor) -> Rows:
    """Every cell on `core`, a subset on `sim`."""
    core = [(index, state, "core") for index, cell in enumerate(_cells.CELLS) for state in cell.states]
    special = [(index, "", "special") for index in range(len(_special.SPECIAL))]
    sim = [(index, state, "sim") for index, (_, state) in enumerate(_sim.CELLS)]
    rows: Rows = []
    for rig, jobs in (("core", core + special), ("sim", sim)):
        outcomes = list(pool.map(_cell, *zip(*jobs, strict=True), chunksize=4))
        table = Table(title=f"fault matrix on {rig}")
        for column in ("row", "cells", "worst, and what is allowed", "kinds", "missed"):
            table.add_column(column)
        for number in range(1, 37):
            mine = [each for each in outcomes if each.row == number]
            missed = sum(bool(each.error) for each in mine)
            worst = _worst(mine)
            table.add_row(
                str(number),
                str(len(mine)),
                ", ".join(
                    f"{each['value']:.3g} {each['unit']} {limit}".strip() for limit, each in worst.items()
                ),
                " ".join(sorted({each.kind for each in mine})),
                str(missed),
            )
            rows.append(row(f"{rig} row {number}: cells", len(mine), ""))
            rows.append(row(f"{rig} row {number}: missed", missed, "", at_most=0))
            rows += [
                each | {"name": " ".join(f"{rig} row {number}: worst {limit}".split())}
                for limit, each in worst.items()
            ]
        Console().print(table)
        for each in outcomes:
            if each.error:
                print(f"missed on {rig}, row {each.row}, {each.state}: {each.error}")
    print("rows that are not run in a state:")
    for number, states in _special.UNSEEN.items():
        print(f"  {number}: {', '.join(states)}: {next(iter(states.values()))}")
    print("  all in MAINTENANCE: the firmware does not run there, every coil is off")
    return rows


def pressure(pool: ProcessPoolExecutor) -> Rows:
    """10,000 times from the trip pressure to the relief output."""
    each = 250
    found = [
        entry
        for part in pool.map(_pressure.trials, repeat(each, TRIALS // each), range(TRIALS // each))
        for entry in part
    ]
    times = sorted(ms for ms, _ in found)
    late = sum(ms > 50 for ms in times)
    for low in range(0, 50, 5):
        count = sum(low <= ms < low + 5 for ms in times)
        print(f"  {low:2d}-{low + 5:2d} ms {count:6d} {'#' * (count * 60 // len(times))}")
    print(
        f"  {late} of {len(times)} later than 50 ms: at most {3 / len(times):.1e} of all at 95 % where there is none"
    )
    rows = [
        row("over-pressure trials", len(times), "", at_least=TRIALS),
        row("over-pressure to relief output, median", median(times), "ms"),
        row("over-pressure to relief output, longest", times[-1], "ms", at_most=50),
        row("over-pressure bound 3/n", 3 / len(times), ""),
    ]
    for port in _pressure.PORTS:
        mine = [ms for ms, name in found if name == port]
        rows.append(row(f"over-pressure, port {port}, longest of {len(mine)}", max(mine), "ms", at_most=50))
    return rows


def model(pool: ProcessPoolExecutor) -> Rows:
    """The property test with all its steps."""
    from tests.faults.test_model import ALL, walk

    steps = failed = 0
    try:
        steps = pool.submit(walk, *ALL).result()
    except AssertionError as error:
        failed = 1
        print(f"not allowed by the model: {error}")
    return [
        row("model steps", steps, "", at_least=100_000),
        row("model failures", failed, "", at_most=0),
    ]


def wraps(pool: ProcessPoolExecutor) -> Rows:
    """Counters that wrap: seeded before each in every state, and 60 days with a tick of 1 s."""
    ticks = sum(pool.map(_long.cross_wraps, STATES))
    _long.cross_quiet_end()
    figures = _long.sixty_days()
    print(f"  60 days with a tick of 1 s instead of 20 ms: {figures}")
    return [
        row("ticks across wraps, every state", ticks, ""),
        row("days lived", figures["days"], "d", at_least=60),
        row("drift of the uptime", 0, "ms", at_most=0),
    ]


def _pair(pair: tuple[str, str]) -> tuple[tuple[str, str], str, str]:
    try:
        return pair, _pairs.run_pair(*pair), ""
    except AssertionError as error:
        return pair, "", str(error)


def pairs(pool: ProcessPoolExecutor) -> Rows:
    """Two faults at once."""
    outcomes = list(pool.map(_pair, _pairs.pairs(), chunksize=16))
    unsafe = [(pair, error) for pair, _, error in outcomes if error]
    for pair, error in unsafe:
        print(f"unsafe: {' and '.join(pair)}: {error}")
    return [row("pairs of faults", len(outcomes), ""), row("pairs not safe", len(unsafe), "", at_most=0)]


def _live(index: int, seed: int) -> tuple[float, str]:
    calm = _long.CALMS[index % len(_long.CALMS)]
    try:
        return _long.live(calm, CALM_HOURS, seed), ""
    except AssertionError as error:
        return 0.0, str(error)


def calm(pool: ProcessPoolExecutor) -> Rows:
    """60 days of healthy but awkward operation, with the tick of the board, or in long holds with a longer one.

    CALM_FROM=part goes on where one ended.
    """
    parts = range(int(os.environ.get("CALM_FROM", "0")), round(CALM_DAYS * 24 / CALM_HOURS))
    lived = []
    for part, (hours, error) in zip(parts, pool.map(_live, parts, parts), strict=True):
        lived.append((hours, error))
        if part % len(_long.CALMS) == len(_long.CALMS) - 1:
            print(
                f"  {sum(each for each, _ in lived):.0f} h; to go on from here: CALM_FROM={part + 1}",
                flush=True,
            )
    hours = sum(each for each, _ in lived)
    trips = [error for _, error in lived if error]
    for error in trips:
        print(f"false trip: {error}")
    print(
        f"  {hours:.0f} h, {len(trips)} false trips; with none at most {3 / max(hours, 1):.1e} per hour at 95 %"
    )
    return [
        row("hours without a fault", hours, "h", at_least=CALM_DAYS * 24),
        row("false trips", len(trips), "", at_most=0),
        row("false trips, bound 3/n", 3 / max(hours, 1), "1/h"),
    ]


def soak(pool: ProcessPoolExecutor) -> Rows:
    """Ten million fuzzed lines, a fifth of them through MicroPython."""
    first = int(os.environ.get("SOAK_FROM", "0"))
    sent = 0
    for seed in range(first, SOAK_SEEDS, WORKERS):
        seeds = range(seed, min(seed + WORKERS, SOAK_SEEDS))
        list(pool.map(_soak, seeds))
        sent += len(seeds) * LINES_PER_SEED
        print(f"  {sent} lines; to go on from here: SOAK_FROM={seeds[-1] + 1}", flush=True)
    return [row("fuzzed lines", sent, ""), row("first seed", first, "")]


def _soak(seed: int) -> int:
    return (_fuzz.fuzz_sim if seed % 5 == 4 else _fuzz.fuzz_core)(LINES_PER_SEED, seed)


PARTS: dict[str, Callable[[ProcessPoolExecutor], Rows]] = {
    "matrix": matrix,
    "pressure": pressure,
    "pairs": pairs,
    "wraps": wraps,
    "model": model,
    "calm": calm,
}


def main() -> int:
    """Run the named parts, or all but the soak."""
    known = {**PARTS, "soak": soak}
    wanted = sys.argv[1:] or list(PARTS)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        print(f"no part named {unknown[0]}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    OUT.mkdir(parents=True, exist_ok=True)
    missed = 0
    with ProcessPoolExecutor(WORKERS) as pool:
        for name in wanted:
            print(f"{name}: {(known[name].__doc__ or '').splitlines()[0]}", flush=True)
            start = time.perf_counter()
            rows = known[name](pool)
            print(f"  took {time.perf_counter() - start:.0f} s")
            missed += sum(each["ok"] is False for each in rows)
            _write(rows, name)
    return 1 if missed else 0


def _write(rows: Rows, part: str) -> None:
    """Replace the rows of this part in the file, and keep those of the others."""
    path = OUT / ("soak.json" if part == "soak" else "faults.json")
    kept = json.loads(path.read_text()) if path.is_file() else []
    kept = [each for each in kept if each.get("part") != part]
    path.write_text(json.dumps([*kept, *({**each, "part": part} for each in rows)], indent=1) + "\n")
    for each in rows:
        if each["ok"] is not None or "row" not in each["name"]:
            ok = {True: "yes", False: "NO", None: ""}[each["ok"]]
            if each["ok"] is not True or "row" not in each["name"]:
                print(f"  {each['name']}: {each['value']:.4g} {each['unit']} {each['goal']} {ok}")


if __name__ == "__main__":
    sys.exit(main())
