"""Simulated rigs: the plant in front of the regulator, and ways to run the firmware against it."""
