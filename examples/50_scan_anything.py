"""Scan any parameter against any count rate: a curve, a map, and a search that finds the top by itself."""

import erbia
from erbia.sequences.scan import GoldenSection, Scan, centred

LIT = {"laser.emission": True}
SEEN = {"measure": ["alice.photon"], "play": "alice_readout", "parameters": LIT, "dwell_s": 0.05}

with erbia.load_station("mock_lab", seed=7) as lab:
    frequency = centred("laser.frequency", 194.95e12, 8e6, 17, "Hz")
    line = lab.run("scan", points=Scan(axes=(frequency,), order="shuffled"), **SEEN)
    typed = "alice_memory.electrode_voltage = -1, 0, 1 V; laser.frequency = 194.95 THz ± 4 MHz/17; snake"
    stark = lab.run("scan", points=typed, **SEEN)
    top = GoldenSection(parameter="laser.frequency", low=194.95e12 - 6e6, high=194.95e12 + 5e6, tolerance=0.5e6)
    found = lab.run("scan", points=top, **SEEN)

curve = erbia.analyze(line).curves["alice.photon"]
print(f"line: {len(curve.x)} points, highest {curve.measured.max():.0f} counts/s (SIMULATED)")
image = erbia.analyze(stark).images["alice.photon"]
for volt, row in zip(image.y, image.z, strict=True):
    print(f"at {volt:+.0f} V the line lies {(image.x[row.argmax()] - 194.95e12) / 1e6:+.1f} MHz away")
print(
    f"search: {(found.results['highest at laser.frequency'].value - 194.95e12) / 1e6:+.2f} MHz after {len(found.settings())} points"
)
