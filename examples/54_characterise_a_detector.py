"""Characterise a superconducting detector: efficiency and darks against bias, where it latches, where to work."""

import erbia

with erbia.load_station("mock_lab", seed=8) as lab:
    run = lab.run("detector_characterisation", points=12, light_s="0.1 s", dark_s="2 s")
    budget = lab.run("jitter_budget", pulses=100_000)

for name in ("efficiency", "plateau_start_a", "latch_current_a", "working_bias_a", "working_dark_rate_hz"):
    e = run.results[name]
    print(f"{name:22} {e.value:.4g} [{e.lower:.4g}, {e.upper:.4g}] {e.unit}")
for name, e in budget.results.items():
    print(f"{name:26} {e.value:6.2f} [{e.lower:.2f}, {e.upper:.2f}] {e.unit}  (SIMULATED)")
