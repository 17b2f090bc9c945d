"""Light in an atomic frequency comb: how strongly to burn it, and how long it keeps what it absorbs."""

import erbia

with erbia.load_station("ensemble_lab", seed=12) as lab:
    prepared = lab.run("afc_preparation", attempts=30_000, burn_amplitudes=[0.1, 0.2, 0.4, 0.8])
    best = prepared.results["burn_amplitude"].value
    stored = lab.run("afc_storage", attempts=30_000, burn_amplitude=best)

print(f"best burn amplitude {best:g} (SIMULATED)")
for name, e in (prepared.results | stored.results).items():
    print(f"{name:26} {e.value:.4g} [{e.lower:.4g}, {e.upper:.4g}] {e.unit}")
