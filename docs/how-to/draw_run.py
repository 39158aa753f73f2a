"""Draw pressure and error of a run, 85 mm wide: python draw_run.py RUN figure.pdf"""

import sys

import matplotlib.pyplot as plt
import numpy as np

import ipch

run = ipch.load_run(sys.argv[1])
hours = (run.time_s - run.time_s[0]) / 3600
pressure_pa, target_pa, ramp_pa = (run.arrays[name] for name in ("pressure_pa", "target_pa", "ramp_pa"))
# The error counts once the ramped setpoint has arrived.
error_kpa = np.where(ramp_pa == target_pa, pressure_pa - target_pa, np.nan) / 1e3

plt.rcParams |= {"font.size": 8, "lines.linewidth": 1, "svg.fonttype": "none"}
figure, (above, below) = plt.subplots(2, sharex=True, figsize=(85 / 25.4, 70 / 25.4), layout="constrained")
above.plot(hours, ramp_pa / 1e6, color="0.6", label="setpoint")
above.plot(hours, pressure_pa / 1e6, label="pressure")
above.set_ylabel("pressure (MPa)")
above.legend(frameon=False)
below.axhspan(-5, 5, color="0.9")
below.plot(hours, error_kpa)
below.set_ylim(-15, 15)
below.set_ylabel("error (kPa)")
below.set_xlabel("time (h)")
figure.savefig(sys.argv[2], dpi=300)
