"""Measurements: each prints a table and writes runs/bench/NAME.json. None has a time limit that it can fail."""
