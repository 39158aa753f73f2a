"""Files of battery cyclers: read as one canonical table, followed while they grow, merged with the pressure."""

from ipch.cyclers.checks import Line, check
from ipch.cyclers.cycles import NUMBERINGS
from ipch.cyclers.follow import check_kind, open_cycles
from ipch.cyclers.loading import load_run
from ipch.cyclers.maps import load_map
from ipch.cyclers.merging import Merged, bdf_table, merge
from ipch.cyclers.read import ENDINGS, Reading, read_cycler, read_cyclers
from ipch.cyclers.table import charge_profile
from ipch.cyclers.times import start_of, zone_of

__all__ = [
    "ENDINGS", "NUMBERINGS", "Line", "Merged", "Reading", "bdf_table", "charge_profile", "check", "check_kind",
    "load_map", "load_run", "merge", "open_cycles", "read_cycler", "read_cyclers", "start_of", "zone_of",
]  # fmt: skip
