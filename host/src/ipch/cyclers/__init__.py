"""Files of battery cyclers: read as one table, followed while they grow, merged with the pressure."""

from ipch.cyclers.follow import check_kind, open_cycles
from ipch.cyclers.merging import Merged, bdf_table, merge
from ipch.cyclers.read import read_cycler, read_cyclers
from ipch.cyclers.table import charge_profile
from ipch.cyclers.times import zone_of

__all__ = [
    "Merged", "bdf_table", "charge_profile", "check_kind", "merge", "open_cycles", "read_cycler",
    "read_cyclers", "zone_of",
]  # fmt: skip
