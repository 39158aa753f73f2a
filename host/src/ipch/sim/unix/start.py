"""Starts firmware/main.py with this folder first on the path, so that `board` is the simulated one."""

import main  # noqa: F401
