"""Steady light at the midpoint: photon statistics, a phase lock between the arms, and polarisation onto the polariser."""

import erbia

with erbia.load_station("optics_lab", seed=13) as lab:
    g2 = lab.run("g2_cw", duration_s=3)
    lock = lab.run("phase_lock", steps=20)
    aligned = lab.run("polarisation_alignment", rounds=1)

print("SIMULATED")
for run in (g2, lock, aligned):
    for name, e in run.results.items():
        print(f"{name:20} {e.value:.4g} [{e.lower:.4g}, {e.upper:.4g}] {e.unit}")
