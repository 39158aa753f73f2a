"""`make bench [ONLY=name]`: run the measurements and write their figures.

All of them take more than an hour of two cores; IPCH_BENCH_TICK_MS=100 gives a rougher look in a quarter.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench._day import TICK_MS

OUT = Path("runs/bench")


def main() -> int:
    """Run the named measurements, or all of them."""
    package = importlib.import_module("tests.bench")
    names = [
        module.name for module in pkgutil.iter_modules(package.__path__) if not module.name.startswith("_")
    ]
    # By name only: the emulated board takes a quarter of an hour and an image, the mutants take hours.
    wanted = sys.argv[1:] or [name for name in names if name not in ("pico", "mutation")]
    unknown = [name for name in wanted if name not in names]
    if unknown:
        print(f"no measurement named {unknown[0]}; there are {', '.join(names)}", file=sys.stderr)
        return 2
    OUT.mkdir(parents=True, exist_ok=True)
    missed = 0
    for name in wanted:
        rows = importlib.import_module(f"tests.bench.{name}").measure(OUT)
        (OUT / f"{name}.json").write_text(json.dumps(rows, indent=1) + "\n")
        table = Table(title=name if TICK_MS == 20 else f"{name} (tick of {TICK_MS} ms instead of 20)")
        for column in ("name", "value", "unit", "goal", "ok"):
            table.add_column(column)
        for row in rows:
            ok = {True: "yes", False: "NO", None: ""}[row["ok"]]
            missed += row["ok"] is False
            table.add_row(row["name"], f"{row['value']:.4g}", row["unit"], row["goal"], ok)
        Console().print(table)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
