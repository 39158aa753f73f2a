"""What a chamber needs: restrictors, limits, relief, times and energies, from volume, pressures and gas.

Pressures are absolute. Nothing here claims conformity with a rule.
"""

from ipch.sizing.design import Design, limits
from ipch.sizing.figures import Figure, Sizing, size

__all__ = ["Design", "Figure", "Sizing", "limits", "size"]
