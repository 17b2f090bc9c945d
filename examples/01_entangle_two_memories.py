"""Entangle two simulated memories and look at the result."""

import erbia

with erbia.load_station("mock_lab", seed=1) as lab:
    run = lab.run("heralded_entanglement", heralds=50)

fidelity = run.results["fidelity"]
print(f"fidelity {fidelity.value:.3f}, {fidelity.confidence:.0%} in [{fidelity.lower:.3f}, {fidelity.upper:.3f}]")
print(f"hidden truth {run.truth()['fidelity']:.3f}  (SIMULATED)")
print(f"{len(run.heralds())} heralds in {run.live_time_ps('midpoint') / 1e12:.1f} s of live time, kept in {run.path}")
