"""How to install what a part of the package needs beyond its required dependencies."""

import shlex
import sys


def how_to_install(extra: str) -> str:
    """The command that installs an optional dependency for the interpreter that runs this program."""
    return f"install it with: {shlex.quote(sys.executable)} -m pip install 'ipch[{extra}]'"
