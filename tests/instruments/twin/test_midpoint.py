"""Exact enumeration of click patterns against closed formulas and against brute force."""

from __future__ import annotations

import numpy as np
import pytest

from erbia.instruments.twin.midpoint import Emission, Interferometer, click_operators, enumerate_patterns
from erbia.instruments.twin.spin import Decoherence, Excite, Initialise, Operation, Rotate, evolve, rotation

QUIET = Decoherence(1e30, 1e30, 1.0, 1e30)
SIGN = {5: 1, 10: 1, 9: -1, 6: -1}
PSI = {s: np.array([0, 1, s, 0]) / np.sqrt(2) for s in (1, -1)}


def turn(time_ps: int, theta: float, phase: float = 0.0) -> Rotate:
    (a, b), (c, d) = rotation(theta, phase).tolist()
    return Rotate(time_ps, ((a, b), (c, d)))


def barrett_kok_node() -> np.ndarray:
    steps: list[Operation] = [
        Initialise(0, 1.0),
        turn(1, np.pi / 2),
        Excite(2, 1.0, 0),
        turn(3, np.pi),
        Excite(4, 1.0, 1),
    ]
    return evolve(steps, 5, 2, QUIET)


def barrett_kok(eta_a: float, eta_b: float, overlap: float, dark: float, **optics: float) -> tuple[float, float]:
    """Herald probability and mean fidelity to the heralded state."""
    bins = [
        Emission(np.eye(2)[k] * eta_a, np.eye(2)[k] * eta_b, overlap, time_ps=(2 + 2 * k) * 1_000_000) for k in (0, 1)
    ]
    node = barrett_kok_node()
    states = enumerate_patterns(node, node, bins, Interferometer(0.5, (1.0, 1.0), **optics), np.full(4, dark))
    assert np.einsum("mii->", states).real == pytest.approx(1, abs=1e-12)
    chance = sum(np.trace(states[m]).real for m in SIGN)
    good = sum((PSI[s] @ states[m] @ PSI[s]).real for m, s in SIGN.items())
    return chance, good / chance


def test_published_leading_order_case():
    chance, fidelity = barrett_kok(1e-3, 8e-4, 0.8, 1e-6)
    assert chance == pytest.approx(4.036e-7, rel=1e-3)
    assert fidelity == pytest.approx(0.8942, abs=5e-5)


@pytest.mark.parametrize("overlap", [0.0, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("dark", [0.0, 1e-6, 1e-5])
def test_leading_order_formula(overlap, dark):
    eta_a, eta_b = 1e-3, 8e-4
    true, false = eta_a * eta_b / 2, 2 * dark * (eta_a + eta_b) + 4 * dark**2
    chance, fidelity = barrett_kok(eta_a, eta_b, overlap, dark)
    assert chance == pytest.approx(true + false, rel=3e-3)
    assert fidelity == pytest.approx((true * (1 + overlap) / 2 + false / 4) / (true + false), rel=3e-3)


def test_perfect_link_heralds_half_of_the_time_and_is_pure():
    assert barrett_kok(1.0, 1.0, 1.0, 0.0) == pytest.approx((0.5, 1.0))


def test_phase_between_bins_costs_coherence():
    variance_per_s = 0.3 / 2e-6  # bins are 2 us apart
    _, fidelity = barrett_kok(0.01, 0.01, 1.0, 0.0, phase_walk_rad2_per_s=variance_per_s)
    assert fidelity == pytest.approx((1 + np.exp(-0.15)) / 2, rel=1e-6)


def test_common_phase_does_not_matter():
    for sigma, phase in ((None, 0.0), (0.0, 1.3), (2.0, 0.2)):
        _, fidelity = barrett_kok(0.01, 0.01, 0.9, 0.0, phase_sigma_rad=sigma, phase_rad=phase)
        assert fidelity == pytest.approx(0.95, rel=1e-9)


def test_single_photon_herald_follows_the_bright_state_formula():
    alpha, eta, overlap, sigma = 0.1, 0.02, 0.81, 0.3
    node = evolve([Initialise(0, 1.0), turn(1, 2 * np.arccos(np.sqrt(alpha))), Excite(2, 1.0, 0)], 3, 1, QUIET)
    light = Emission(np.array([eta]), np.array([eta]), overlap, 2)
    states = enumerate_patterns(node, node, [light], Interferometer(0.5, (1, 1), 0.0, sigma), np.zeros(2))
    good = 2 * alpha * (1 - alpha) * eta
    bright = alpha**2 * (2 * eta * (1 - eta) + eta**2 * (1 + overlap) / 2)
    heralded = [states[1], states[2]]
    assert sum(np.trace(s).real for s in heralded) == pytest.approx(good + bright, rel=1e-12)
    kept = max(
        sum((PSI[s * k] @ state @ PSI[s * k]).real for s, state in zip((1, -1), heralded, strict=True)) for k in (1, -1)
    )
    fidelity = good * (1 + np.sqrt(overlap) * np.exp(-(sigma**2) / 2)) / 2 / (good + bright)
    assert kept / (good + bright) == pytest.approx(fidelity, rel=1e-12)


@pytest.mark.parametrize(("overlap", "transmission"), [(1.0, 0.5), (0.8, 0.5), (1.0, 0.4), (0.6, 0.3)])
def test_two_photons_bunch_as_hong_ou_mandel(overlap, transmission):
    light = Emission(np.array([1.0]), np.array([1.0]), overlap, 0)
    operators = click_operators(light, Interferometer(transmission, (1.0, 1.0)))
    t, r = transmission, 1 - transmission
    both = operators[3, 0][3, 3].real if (3, 0) in operators else 0.0  # impossible patterns have no operator
    assert both == pytest.approx(t**2 + r**2 - 2 * overlap * t * r)
    assert operators[1, 0][3, 3].real == pytest.approx(t * r * (1 + overlap))


@pytest.mark.parametrize("efficiency", [(1.0, 1.0), (0.9, 0.6)])
def test_operators_are_a_measurement(efficiency):
    light = Emission(np.array([0.3, 0.1]), np.array([0.2, 0.4]), 0.7, 0)
    operators = click_operators(light, Interferometer(0.45, efficiency))
    for phase in (0.0, 1.0):
        by_pattern: dict[int, np.ndarray] = {}
        for (pattern, order), op in operators.items():
            by_pattern[pattern] = by_pattern.get(pattern, np.zeros((4, 4))) + op * np.exp(1j * order * phase)
        assert np.allclose(sum(by_pattern.values()), np.eye(4))
        for op in by_pattern.values():
            assert np.linalg.eigvalsh(op).min() > -1e-12


def test_enumeration_equals_dense_monte_carlo():
    """Photon by photon, distinguishable (V = 0) so that classical sampling is exact; 4.5 sigma per pattern."""
    rng, n = np.random.default_rng(4), 400_000
    eta_a, eta_b, dark = 0.3, 0.2, 0.05
    spin = rng.integers(0, 2, (n, 2))  # 0: emits early, 1: emits late
    pattern = np.zeros(n, int)
    for node, eta in enumerate((eta_a, eta_b)):
        arrives = rng.random(n) < eta
        bit = 2 * spin[:, node] + rng.integers(0, 2, n)
        pattern |= np.where(arrives, 1 << bit, 0)
    for bit in range(4):
        pattern |= np.where(rng.random(n) < dark, 1 << bit, 0)
    counts = np.bincount(pattern, minlength=16)
    bins = [Emission(np.eye(2)[k] * eta_a, np.eye(2)[k] * eta_b, 0.0, k) for k in (0, 1)]
    node_state = barrett_kok_node()
    states = enumerate_patterns(node_state, node_state, bins, Interferometer(0.5, (1, 1)), np.full(4, dark))
    expected = n * np.einsum("mii->m", states).real
    assert np.all(np.abs(counts - expected) < 4.5 * np.sqrt(expected))
