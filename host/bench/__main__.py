"""`make bench [ONLY=name]`: run the measurements and write their figures.

IPCH_BENCH_TICK_MS=100 gives rougher figures in a quarter of the time. Simulations run on PyPy if installed.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.jobs import Workers
from bench.scenarios.day import TICK_MS
from bench.worker import name as here

OUT = Path("runs/bench")


def main() -> int:
    """Run the named measurements, or all of them."""
    package = importlib.import_module("bench.measure")
    names = [module.name for module in pkgutil.iter_modules(package.__path__)]
    # By name only: the emulated board takes a quarter of an hour and an image, the fleet half an hour, mutants hours.
    by_name = ("pico", "fleet", "mutation", "host_mutation")
    wanted = sys.argv[1:] or [name for name in names if name not in by_name]
    unknown = [name for name in wanted if name not in names]
    if unknown:
        print(f"no measurement named {unknown[0]}; there are {', '.join(names)}", file=sys.stderr)
        return 2
    OUT.mkdir(parents=True, exist_ok=True)
    missed = 0
    with Workers() as workers:
        for name in wanted:
            before_s = workers.cpu_s
            rows = importlib.import_module(f"bench.measure.{name}").measure(OUT, workers)
            ran = workers.name if workers.cpu_s > before_s else here()
            rows = [{"python": ran} | each for each in rows]
            (OUT / f"{name}.json").write_text(json.dumps(rows, indent=1) + "\n")
            rough = "" if TICK_MS == 20 else f", tick of {TICK_MS} ms instead of 20"
            missed += _show(f"{name} ({ran}{rough})", rows)
    return 1 if missed else 0


def _show(title: str, rows: list[dict[str, Any]]) -> int:
    """Print the rows; return the number of missed goals."""
    table = Table(title=title)
    for column in ("name", "value", "unit", "goal", "ok"):
        table.add_column(column)
    for row in rows:
        ok = {True: "yes", False: "NO", None: ""}[row["ok"]]
        table.add_row(escape(row["name"]), f"{row['value']:.4g}", row["unit"], row["goal"], ok)
    Console().print(table)
    return sum(row["ok"] is False for row in rows)


if __name__ == "__main__":
    sys.exit(main())
