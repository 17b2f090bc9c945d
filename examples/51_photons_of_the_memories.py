"""The memories' photons: their line, their lifetime, whether they come one at a time, and whether they are alike."""

import erbia

with erbia.load_station("mock_lab", seed=9) as lab:
    line = lab.run("line_scan", points=13, shots=100)
    lifetime = lab.run("photon_lifetime", attempts=100_000)
    g2 = lab.run("g2_pulsed", attempts=500_000)
    hom = lab.run("hom_visibility", attempts=200_000, offsets_v=[-1.9, 1.9, 0.0])
    delay = lab.run("delay_calibration", attempts=50_000)

print("SIMULATED")
for run in (line, lifetime, g2, hom, delay):
    for name, e in run.results.items():
        print(f"{name:24} {e.value:.8g} [{e.lower:.8g}, {e.upper:.8g}] {e.unit}")
