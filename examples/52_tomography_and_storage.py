"""The whole state of two heralded memories, and how long its entanglement keeps."""

import erbia

with erbia.load_station("mock_lab", seed=10) as lab:
    run = lab.run("tomography", heralds=60, calibration_shots=200)
    kept = lab.run("entanglement_storage", heralds=30, storage_s=[0, "400 us", "800 us"])

rho = erbia.analyze(run).states["as read out"]
print("density matrix as read out, in |00>, |01>, |10>, |11> (SIMULATED):")
for row in rho:
    print("  ".join(f"{z.real:+.2f}{z.imag:+.2f}i" for z in row))
for name, e in (run.results | kept.results).items():
    print(f"{name:28} {e.value:.3g} [{e.lower:.3g}, {e.upper:.3g}] {e.unit}")
