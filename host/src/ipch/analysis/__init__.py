"""What a record says: functions of numpy arrays, without files or devices. Pa, K, s; every estimate has its interval.

| module | for |
|---|---|
| `stability` | `stability`: rms, percentiles, share of time in band; `evaluate`: of each step of a recipe |
| `excursions` | `excursions`: each time out of the band, with what caused it |
| `gas_record`, `balance` | `solve_balance(GasRecord(...))`: leak, what pulses deliver, swelling of each cycle |
| `supply` | `forecast`: how long a cylinder lasts |
| `cycles` | `cycle_table`: one row for each electrochemical cycle |
| `wear` | `wear`: actuations of a valve against its rating |
| `estimate` | `Estimate`: a value and half of its 95 % interval |
| `bins`, `noise` | what the balance is made of: means between pulses, and noise that remembers |

`ipch.report.evaluate.evaluate(load_run(path))` does all of it for a record.
"""
