"""Drawings, netlist, parts list and tables of the reference design, from sources: `python -m hardware.design`."""
