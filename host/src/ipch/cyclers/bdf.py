"""BDF, the Battery Data Format, as CSV."""

from datetime import tzinfo
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipch.cyclers.table import CyclerData, nothing, number, since_change
from ipch.errors import FileError

Floats = NDArray[np.floating[Any]]
_BDF_NAMES = {
    "Test Time / s": "test_time_second", "Voltage / V": "voltage_volt", "Current / A": "current_ampere",
    "Unix Time / s": "unix_time_second", "Cycle Count / 1": "cycle_count", "Step Count / 1": "step_count",
    "Charging Capacity / Ah": "charging_capacity_ah", "Discharging Capacity / Ah": "discharging_capacity_ah",
    "Net Capacity / Ah": "net_capacity_ah",
}  # fmt: skip


def read_bdf(path: Path, head: list[str], rows: list[list[str]], zone: tzinfo | None) -> CyclerData:
    """BDF by its preferred or machine names. Without capacity columns the current is integrated."""
    names = [_BDF_NAMES.get(name, name) for name in head]
    table = {
        name: np.array([number(row[at]) if at < len(row) else np.nan for row in rows if row])
        for at, name in enumerate(names)
        if name in _BDF_NAMES.values()
    }
    if "unix_time_second" not in table or not np.isfinite(table["unix_time_second"]).any():
        raise FileError(f"{path}: no column Unix Time / s: test time alone gives no date")
    current_a = table["current_ampere"]
    unix_s = table["unix_time_second"]
    test_s = table.get("test_time_second", unix_s - unix_s[0])
    cycle = table.get("cycle_count", np.ones(len(unix_s)))
    charged_ah, discharged_ah = table.get("charging_capacity_ah"), table.get("discharging_capacity_ah")
    if charged_ah is None or discharged_ah is None:
        passed = current_a * np.diff(test_s, prepend=test_s[0]) / 3600.0
        charged_ah = since_change(np.cumsum(np.maximum(passed, 0.0)), cycle)
        discharged_ah = since_change(np.cumsum(np.maximum(-passed, 0.0)), cycle)
    return CyclerData(
        path,
        "BDF",
        unix_s=unix_s,
        test_s=test_s,
        voltage_v=table["voltage_volt"],
        current_a=current_a,
        cycle=cycle,
        step=table.get("step_count", nothing(unix_s)),
        charged_ah=charged_ah,
        discharged_ah=discharged_ah,
    )
