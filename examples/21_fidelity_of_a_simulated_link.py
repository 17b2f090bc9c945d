"""Fidelity of the simulated lab against pump power and storage time, beside theory; draws fidelity.png. SIMULATED."""

from math import exp, log, pi, sqrt

import matplotlib as mpl
import numpy as np

from erbia.instruments.interfaces import HeraldCondition, Pulse, PulseTable, Segment
from erbia.instruments.mock import MockLaser, MockPulseGenerator, MockSnspd, load_world

mpl.use("Agg")
from matplotlib import pyplot as plt

US = 1_000_000
BOTH = ("alice", "bob")


def switched_on(name, **overrides):
    """World, laser and pulse generator of a lab at its working point."""
    world = load_world({"overrides": overrides})
    laser, pulser, snspd = (
        cls(f"{part}_{name}", world, part)
        for cls, part in ((MockLaser, "laser"), (MockPulseGenerator, "pulser"), (MockSnspd, "snspd"))
    )
    laser.power(1e-3)
    laser.emission(True)
    for pixel in snspd.channels:
        pixel.bias(18e-6)
    return world, laser, pulser


def against_pump_power(powers_w):
    """Two comb memories fed by pair sources; fidelity once an excitation is in them, twin and theory."""
    sigma, pairs = 0.3, 0.05
    memory = {"ensemble": {"pair_probability": pairs, "optical_depth": 6.0, "finesse": 6.0, "background_depth": 0.0}}
    node = {**memory, "memory": {"collection": 0.1}, "fibre": {"length_m": 10.0, "connectors_db": 0.0}}
    world, laser, pulser = switched_on("pump", alice=node, bob=node, midpoint={"phase_sigma_rad": sigma})
    attempt = (Pulse("initialise", 0, 4 * US), Pulse("excitation", 4_500_000, 10_000), Pulse("gate", 4_540_000, 4 * US))
    rule = HeraldCondition(("ch1", "ch2"), (4_545_000, 8_535_000), (0, 0), 5_000)
    pulser.load(PulseTable(Segment(US), Segment(20 * US, attempt), 100, rule, Segment(US)))
    depth = sqrt(pi / (4 * log(2)))
    kept = depth**2 * exp(-depth - 7.12 / 36) * exp(-4e-6 * (1 / 64e-6 + 20 * 0.5**7))
    twin, theory = [], []
    for power in powers_w:
        laser.power(power)
        model = world.current_model()
        state = model.herald_states[model.outcome == 1].sum(axis=0)
        filled = state[0, 0] + state[1, 1] + state[2, 2]
        twin.append(float(((state[1, 1] + state[2, 2]) / 2 + state[1, 2].real).real / filled.real))
        p = pairs * power / 1e-3
        one, two = 2 * p * (1 - p), 2 * p**2
        single, double = one * kept + two * 2 * kept * (1 - kept), two * kept**2
        contrast = one * kept * sqrt(model.visibility) * exp(-(sigma**2) / 2)
        theory.append((single + contrast) / 2 / (single + double))
    return np.array(twin), np.array(theory)


def against_storage_time(times_s):
    """Two single ions, time-bin herald, echo trains: coherence falls as exp[-2(t/T2)^n], populations as exp(-t/T1)."""
    still = {n: {"memory": {"resonance_hz": 1.9495e14, "t1_s": 1e3, "t2_star_s": 20e-6}} for n in BOTH}
    world, _, pulser = switched_on("storage", **still)
    twin = []
    for total_s in times_s:
        pulser.load(stored(round(total_s * 1e12)))
        twin.append(world.truth()["fidelity"])
    truth = world.truth()
    parallel = (1 - truth["ezz"]) / 2
    waited = (np.array(times_s) / truth["storage_time_s"]) ** truth["storage_exponent"]
    contrast = (2 * twin[0] - parallel) * np.exp(-2 * (waited - waited[0]))
    return np.array(twin), (parallel + contrast) / 2


def stored(total_ps):
    """Quarter turn at 6.025 us, half turns 6 us after it and then evenly, echo ``total_ps`` after the quarter turn."""
    attempt = [Pulse("initialise", 0, 5 * US), Pulse("excitation", 6_100_000, 50_000)]
    attempt += [Pulse("excitation", 12_100_000, 50_000), Pulse("gate", 15_800_000, 10_200_000)]
    attempt += [Pulse(f"{n}_mw", 6_000_000, 50_000) for n in BOTH]
    attempt += [Pulse(f"{n}_mw", at, 100_000) for n in BOTH for at in (11_975_000, 23_975_000)]
    arrives = 26_000_000 + 9_793_439  # herald at the nodes; the next half turn is due at 36.025 us
    turns = range(36_025_000, 6_025_000 + total_ps, 12 * US)
    after = [Pulse(f"{n}_mw", round((at - arrives) / 1000) * 1000 - 50_000, 100_000) for n in BOTH for at in turns]
    after += [Pulse(f"{n}_readout", round((6_025_000 + total_ps - arrives) / 1000) * 1000, US) for n in BOTH]
    rule = HeraldCondition(("ch1", "ch2"), (15_900_000, 19_900_000), (21_900_000, 25_900_000), 100_000)
    length = total_ps + 10 * US
    return PulseTable(Segment(US), Segment(60 * US, tuple(attempt)), 100, rule, Segment(length, tuple(after)))


def main():
    powers_w = np.array([0.05, 0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 2.0]) * 1e-3
    times_s = [36e-6, 60e-6, 108e-6, 204e-6, 300e-6, 420e-6, 600e-6, 900e-6, 1.2e-3]
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    for axis, x, (twin, theory), label in (
        (axes[0], powers_w * 1e3, against_pump_power(powers_w), "pump power (mW)"),
        (axes[1], np.array(times_s) * 1e3, against_storage_time(times_s), "storage time (ms)"),
    ):
        axis.plot(x, theory, "-", color="0.5", label="theory")
        axis.plot(x, twin, "o", label="simulated lab")
        axis.set(xlabel=label, ylabel="fidelity")
        axis.legend()
        for value, simulated, expected in zip(x, twin, theory, strict=True):
            print(f"{label} {value:.3g}: simulated {simulated:.4f}, theory {expected:.4f}")
        assert np.abs(twin - theory).max() < 0.01
    figure.savefig("fidelity.png", dpi=130)
    print("wrote fidelity.png")


if __name__ == "__main__":
    main()
