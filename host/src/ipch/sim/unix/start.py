"""Starts firmware/main.py with this folder first on the path, so that `board` is the simulated board."""

import main  # noqa: F401
