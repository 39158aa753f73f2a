"""Generator of the reference design's drawings, netlist, parts list and tables: `python -m hardware.design`."""
