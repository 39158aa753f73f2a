"""`python -m hardware.design`: write all generated files of hardware/.

`--check` only reports which are out of date; `--faults FILE` first takes in the times that `make faults` measured.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from hardware.design import board, fmea
from hardware.design.outputs import HARDWARE, outputs


def main() -> int:
    """Return 1 if --check found a file out of date, 2 if the file given by --faults is not usable."""
    parser = argparse.ArgumentParser(
        prog="python -m hardware.design", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--check", action="store_true", help="write nothing, report what is out of date")
    parser.add_argument("--faults", type=Path, metavar="FILE", help="runs/bench/faults.json of make faults")
    options = parser.parse_args()
    if options.faults:
        try:
            fmea.take(options.faults)
        except (OSError, ValueError, KeyError, TypeError) as error:
            print(f"no measured times in {options.faults}: {error}", file=sys.stderr)
            return 2
    stale = []
    drawn = board.files()
    if not drawn:
        print("hardware/board stays as it is: needs Debian's kicad and kicad-footprints", file=sys.stderr)
    for name, text in (outputs() | drawn).items():
        path = HARDWARE / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if not options.check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for name in stale:
        print(f"{'out of date' if options.check else 'written'}: hardware/{name}")
    return 1 if stale and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
