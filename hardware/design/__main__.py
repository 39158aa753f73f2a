"""`python -m hardware.design [--check]`: write everything that is made from sources, or say what is out of date."""

from __future__ import annotations

import sys

from hardware.design.outputs import HARDWARE, outputs


def main() -> int:
    """Write all files; with --check only compare and return 1 if one differs."""
    stale = []
    for name, text in outputs().items():
        path = HARDWARE / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if "--check" not in sys.argv:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for name in stale:
        print(f"{'out of date' if '--check' in sys.argv else 'written'}: hardware/{name}")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
