"""Draw pressure and target of a run: python draw_run.py RUN figure.pdf"""

import sys

import matplotlib.pyplot as plt

import ipch

run = ipch.load_run(sys.argv[1])
hours = (run.time_s - run.time_s[0]) / 3600

figure, axes = plt.subplots(figsize=(85 / 25.4, 60 / 25.4), layout="constrained")
axes.plot(hours, run.arrays["target_pa"] / 1e6, color="0.6", label="target")
axes.plot(hours, run.arrays["pressure_pa"] / 1e6, label="pressure")
for step in run.steps:
    axes.axvline((step.start_s - run.time_s[0]) / 3600, color="0.85", linewidth=0.5)
axes.set_xlabel("time (h)")
axes.set_ylabel("absolute pressure (MPa)")
axes.legend(frameon=False)
figure.savefig(sys.argv[2], dpi=300)
