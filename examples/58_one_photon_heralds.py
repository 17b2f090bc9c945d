"""Two more ways to herald: one photon from single ions, and one idler from pair sources that fill absorptive memories."""

import erbia

with erbia.load_station("stable_lab", seed=15) as lab:
    ions = lab.run("single_photon_entanglement", heralds=100, calibration_shots=500)
with erbia.load_station("absorptive_lab", seed=15) as lab:
    combs = lab.run("absorptive_entanglement", heralds=5000)

print("SIMULATED")
for run in (ions, combs):
    for name, e in run.results.items():
        print(f"{name:20} {e.value:.4g} [{e.lower:.4g}, {e.upper:.4g}] {e.unit}")
