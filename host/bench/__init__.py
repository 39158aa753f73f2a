"""Measurements: each prints a table and writes runs/bench/NAME.json. Nothing here passes or fails on time."""
