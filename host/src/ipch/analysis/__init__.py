"""Analysis of a record: functions of numpy arrays, without files or devices. Pa, K, s; every estimate has its interval.

- `holding`: `stability` gives rms, percentiles and the share of time in band; `evaluate` the same per step of a recipe
- `out_of_band`: `excursions`, each time out of the band, with its probable cause
- `gas_record`, `balance`: `solve_balance(GasRecord(...))`, leak, gas per pulse, swelling of each cycle
- `supply`: `forecast`, how long a cylinder lasts
- `cycles`: `cycle_table`, one row for each electrochemical cycle
- `valve_wear`: `wear`, actuations of a valve against its rating
- `estimate`: `Estimate`, a value and half of its 95 % interval
- `bins`, `noise`: parts of the balance, means between pulses and correlated noise

`ipch.report.evaluate(load_run(path))` computes all of this for a record.
"""

from ipch.analysis.balance import Balance, solve_balance
from ipch.analysis.bins import NotEnough
from ipch.analysis.clock import ClockCheck, clock_check
from ipch.analysis.cycles import COLUMNS, Cycle, CyclerRows, PressureSamples, cycle_table, grouped
from ipch.analysis.estimate import Estimate
from ipch.analysis.gas import AIR, GasLaw, gas_law
from ipch.analysis.gas_record import GasRecord, Groups
from ipch.analysis.holding import (
    BAND_PA,
    Stability,
    StepResult,
    evaluate,
    is_held,
    longest_step_s,
    overall,
    pulses_between,
    stability,
    usual_step_s,
    weighted_sum,
    weights,
)
from ipch.analysis.noise import Noise
from ipch.analysis.out_of_band import Excursion, Held, excursions
from ipch.analysis.supply import Supply, forecast
from ipch.analysis.valve_wear import RATED, Wear, wear

__all__ = [
    "AIR", "BAND_PA", "COLUMNS", "RATED", "Balance", "ClockCheck", "Cycle", "CyclerRows", "Estimate", "Excursion",
    "GasLaw", "GasRecord", "Groups", "Held", "Noise", "NotEnough", "PressureSamples", "Stability", "StepResult",
    "Supply", "Wear", "clock_check", "cycle_table", "evaluate", "excursions", "forecast", "gas_law", "grouped",
    "is_held", "longest_step_s", "overall", "pulses_between", "solve_balance", "stability", "usual_step_s", "wear",
    "weighted_sum", "weights",
]  # fmt: skip
