"""`make faults [ONLY=name]`: the complete safety tests; prints tables and writes runs/bench/faults.json.

`make soak` is its part `soak`: ten million fuzzed lines; SOAK_FROM=seed continues an earlier run. Simulations run
on PyPy if installed.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from itertools import repeat
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.faults import cell, fuzz, long, sequences, sim, special
from bench.faults import model as reference
from bench.faults import pressure as trials
from bench.jobs import Workers
from bench.rows import row
from bench.scenarios.cells import CELLS, MATRIX_ROWS
from bench.scenarios.rig import STATES

OUT = Path("runs/bench")
TRIALS = 10_000
LINES_PER_SEED = 50_000
SOAK_SEEDS = 200
CALM_DAYS = 60.0
# Hours of each scenario per job.
CALM_HOURS = 6.0
WALKS, STEPS = 1400, 80
TRIPLES, TRIPLES_PER_JOB = 20_000, 50
# Violations that are shrunk and printed.
SHRUNK = 20
Rows = list[dict[str, Any]]


def _worst(outcomes: Sequence[cell.Outcome]) -> dict[str, dict[str, Any]]:
    """The longest time for each limit: a leak may take half an hour, a valve stuck open in the same row not."""
    found: dict[str, dict[str, Any]] = {}
    for each in outcomes:
        limit = f"of {each.limit}" if each.limit else ""
        if each.value is not None and each.value >= found.get(limit, {"value": 0})["value"]:
            found[limit] = row("", each.value, each.unit)
    return dict(sorted(found.items()))


def matrix(workers: Workers) -> Rows:
    """Every cell on `core`, a subset on `sim`."""
    on_core = [(index, state, "core") for index, each in enumerate(CELLS) for state in each.states]
    on_core += [(index, "", "special") for index in range(len(special.SPECIAL))]
    on_sim = [(index, state, "sim") for index, (_, state) in enumerate(sim.CELLS)]
    rows: Rows = []
    for rig, jobs in (("core", on_core), ("sim", on_sim)):
        outcomes = [cell.Outcome(*each) for each in workers.map(cell.outcome, *zip(*jobs, strict=True))]
        table = Table(title=f"fault matrix on {rig}")
        for column in ("row", "cells", "worst, and its limit", "kinds", "missed"):
            table.add_column(column)
        for number in MATRIX_ROWS:
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
    print("rows that do not run in a state:")
    for number, states in special.UNSEEN.items():
        print(f"  {number}: {', '.join(states)}: {next(iter(states.values()))}")
    print("  all in MAINTENANCE: the firmware does not run there, every coil is off")
    return rows


def pressure(workers: Workers) -> Rows:
    """10,000 reaction times from the trip pressure to the relief output."""
    each = 250
    found = [
        entry
        for part in workers.map(trials.trials, repeat(each, TRIALS // each), range(TRIALS // each))
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
    for port in trials.PORTS:
        mine = [ms for ms, name in found if name == port]
        rows.append(row(f"over-pressure, port {port}, longest of {len(mine)}", max(mine), "ms", at_most=50))
    return rows


def model(workers: Workers) -> Rows:
    """Random walks against the reference model; `make test` has the property test, which shrinks its findings."""
    found = [way for way in workers.map(reference.walk, repeat(STEPS, WALKS), range(WALKS)) if way]
    for way in found:
        print(f"not allowed by the model: {way}")
    return [
        row("model steps", WALKS * STEPS, "", at_least=100_000),
        row("model failures", len(found), "", at_most=0),
    ]


def wraps(workers: Workers) -> Rows:
    """Counters that wrap: each preset close to its wrap in every state, and 60 days with a tick of 1 s."""
    ticks = sum(workers.map(long.cross_wraps, STATES))
    workers.call(long.cross_quiet_end)
    figures = workers.call(long.sixty_days)
    print(f"  60 days with a tick of 1 s instead of 20 ms: {figures}")
    return [
        row("ticks across wraps, every state", ticks, ""),
        row("days lived", figures["days"], "d", at_least=60),
        row("drift of the uptime", 0, "ms", at_most=0),
    ]


def sequence(workers: Workers) -> Rows:
    """Faults one after the other, in ordered pairs and random triples, judged by the truth monitor."""
    names = list(sequences.FAULTS)
    jobs: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
        (sequences.judge_pairs, (state, one, [name for name in names if name != one]))
        for state in sequences.STATES
        for one in names
    ]
    jobs += [(sequences.judge_triples, (at, TRIPLES_PER_JOB)) for at in range(0, TRIPLES, TRIPLES_PER_JOB)]
    unsafe: list[list[Any]] = []
    known: Counter[str] = Counter()
    count = 0
    for found, more, judged in workers.run(jobs):
        unsafe += found
        known.update(more)
        count += judged
    for error, state, steps in unsafe[:SHRUNK]:
        steps, error = sequences.shrink(state, steps, error, partial(workers.call, sequences.judge))
        print(f"not allowed: {error}\n  {json.dumps([state, steps])}")
    for reason, met in sorted(known.items()):
        print(f"  {met} sequences met a known defect: {reason}")
    return [
        row("ordered pairs of faults", count - TRIPLES, ""),
        row("random triples of faults", TRIPLES, "", at_least=20_000),
        row("sequences that break a truth rule", len(unsafe), "", at_most=0),
        row("sequences that meet a known defect", sum(known.values()), ""),
        row("sequences, bound 3/n", 3 / count, ""),
    ]


def calm(workers: Workers) -> Rows:
    """60 days of healthy but awkward operation, with the board's tick, or a longer one in long holds.

    CALM_FROM=part continues an earlier run.
    """
    parts = range(int(os.environ.get("CALM_FROM", "0")), round(CALM_DAYS * 24 / CALM_HOURS))
    lived = []
    for part, (hours, error) in zip(
        parts, workers.map(long.judge_part, parts, repeat(CALM_HOURS)), strict=True
    ):
        lived.append((hours, error))
        if part % len(long.CALMS) == len(long.CALMS) - 1:
            print(
                f"  {sum(each for each, _ in lived):.0f} h; to continue from here: CALM_FROM={part + 1}",
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


def soak(workers: Workers) -> Rows:
    """Ten million fuzzed lines, a fifth of them through MicroPython."""
    first = int(os.environ.get("SOAK_FROM", "0"))
    sent = 0
    for seed in range(first, SOAK_SEEDS, workers.count):
        seeds = range(seed, min(seed + workers.count, SOAK_SEEDS))
        list(workers.map(fuzz.fuzz, repeat(LINES_PER_SEED), seeds))
        sent += len(seeds) * LINES_PER_SEED
        print(f"  {sent} lines; to continue from here: SOAK_FROM={seeds[-1] + 1}", flush=True)
    return [row("fuzzed lines", sent, ""), row("first seed", first, "")]


PARTS: dict[str, Callable[[Workers], Rows]] = {
    "matrix": matrix,
    "pressure": pressure,
    "sequences": sequence,
    "wraps": wraps,
    "model": model,
    "calm": calm,
}


def main() -> int:
    """Run the named parts, or all except the soak."""
    known = {**PARTS, "soak": soak}
    wanted = sys.argv[1:] or list(PARTS)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        print(f"no part named {unknown[0]}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    OUT.mkdir(parents=True, exist_ok=True)
    missed = 0
    with Workers() as workers:
        for name in wanted:
            print(f"{name}: {(known[name].__doc__ or '').splitlines()[0]}", flush=True)
            start_s, start_cpu_s = time.perf_counter(), workers.cpu_s
            rows = known[name](workers)
            took_s, cpu_s = time.perf_counter() - start_s, workers.cpu_s - start_cpu_s
            print(f"  {workers.name}: took {took_s:.0f} s, {cpu_s:.0f} s of processors")
            missed += sum(each["ok"] is False for each in rows)
            _write([each | {"python": workers.name} for each in rows], name)
    return 1 if missed else 0


def _write(rows: Rows, part: str) -> None:
    """Replace the rows of this part in the file; keep those of the others."""
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
