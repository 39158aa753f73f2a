"""Sizing of a chamber: restrictors, limits, relief, times and energies, from volume, pressures and gas.

Pressures are absolute. Nothing here claims conformity with a rule.
"""

from ipch.sizing.design import Design, limits
from ipch.sizing.figures import Figure, Sizing, size
from ipch.sizing.page import markdown, tables, write_page

__all__ = ["Design", "Figure", "Sizing", "limits", "markdown", "size", "tables", "write_page"]
