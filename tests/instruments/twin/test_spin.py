"""Coherence pathways against closed formulas and against brute-force averaging."""

from __future__ import annotations

import numpy as np
import pytest

from erbia.instruments.twin.spin import (
    PAULI_X,
    PAULI_Y,
    PAULI_Z,
    Decoherence,
    Depolarise,
    Excite,
    Initialise,
    Operation,
    Rotate,
    evolve,
    rotation,
)

US = 1_000_000


def turn(time_ps: int, theta: float, phase: float = 0.0) -> Rotate:
    (a, b), (c, d) = rotation(theta, phase).tolist()
    return Rotate(time_ps, ((a, b), (c, d)))


def bloch(operations: list[Operation], until_ps: int, decoherence: Decoherence) -> np.ndarray:
    state = evolve(operations, until_ps, 0, decoherence)[:, 0, :, 0]
    return np.array([np.trace(state @ p).real for p in (PAULI_X, PAULI_Y, PAULI_Z)])


def test_turns_follow_the_right_hand():
    quiet = Decoherence(1e30, 1e30, 1, 1e30)
    start = Initialise(0, 1.0)
    assert bloch([start], 1, quiet) == pytest.approx([0, 0, 1])
    assert bloch([start, turn(0, np.pi / 2, np.pi / 2)], 1, quiet) == pytest.approx([1, 0, 0])  # about Y
    assert bloch([start, turn(0, np.pi / 2, 0.0)], 1, quiet) == pytest.approx([0, -1, 0])  # about X
    assert bloch([start, turn(0, np.pi)], 1, quiet) == pytest.approx([0, 0, -1])


def test_ramsey_decays_as_gaussian_and_precesses():
    noisy = Decoherence(1e30, 1e30, 1, 10e-6, detuning_hz=30e3)
    x, y, z = bloch([Initialise(0, 1.0), turn(0, np.pi / 2, np.pi / 2)], 7 * US, noisy)
    kept, angle = np.exp(-((7 / 10) ** 2)), 2 * np.pi * 30e3 * 7e-6
    assert (x, y, z) == pytest.approx((kept * np.cos(angle), kept * np.sin(angle), 0))


def test_echo_undoes_static_detuning_but_not_decoherence():
    noisy = Decoherence(1e30, 100e-6, 1.7, 1e-6)
    x, *_ = bloch([Initialise(0, 1.0), turn(0, np.pi / 2, np.pi / 2), turn(20 * US, np.pi)], 40 * US, noisy)
    assert x == pytest.approx(np.exp(-((40 / 100) ** 1.7)))


def test_populations_relax_with_t1():
    z = bloch([Initialise(0, 0.9)], 50 * US, Decoherence(100e-6, 1e30, 1, 1e30))[2]
    assert z == pytest.approx(0.8 * np.exp(-0.5))


def test_imperfect_pulses_equal_average_over_detunings():
    """Three clumsy pulses: the pathway sum equals Gauss-Hermite averaging over the static detuning."""
    t2_star_s, steps = 5e-6, [(0, 1.3, 0.2), (2 * US, 2.5, 1.0), (5 * US, 1.1, -0.7)]
    until = 9 * US
    operations: list[Operation] = [Initialise(0, 0.97), *(turn(t, a, p) for t, a, p in steps)]
    found = evolve(operations, until, 0, Decoherence(1e30, 1e30, 1, t2_star_s))[:, 0, :, 0]
    nodes, weights = np.polynomial.hermite.hermgauss(80)
    expected = np.zeros((2, 2), complex)
    for x, w in zip(nodes, weights / np.sqrt(np.pi), strict=True):
        delta = 2 * x / t2_star_s  # rad/s: exp(-(q/T2*)^2) is the mean of exp(i delta q) for variance 2/T2*^2
        state, now = np.diag([0.97, 0.03]).astype(complex), 0
        for time, angle, phase in [*steps, (until, 0.0, 0.0)]:
            wait = np.diag(np.exp([-0.5j * delta * (time - now) * 1e-12, 0.5j * delta * (time - now) * 1e-12]))
            turn_matrix = rotation(angle, phase)
            state = turn_matrix @ wait @ state @ wait.conj().T @ turn_matrix.conj().T
            now = time
        expected += w * state
    assert np.allclose(found, expected, atol=1e-9)


def test_emission_entangles_spin_and_photon():
    quiet = Decoherence(1e30, 1e30, 1, 1e30)
    state = evolve([Initialise(0, 1.0), turn(0, np.pi / 2), Excite(1, 0.36, 0)], 2, 1, quiet)
    photon = np.einsum("snsm->nm", state)
    assert photon[1, 1].real == pytest.approx(0.18)
    assert np.einsum("snsn->", state).real == pytest.approx(1)
    pure = state.reshape(4, 4)
    assert np.trace(pure @ pure).real == pytest.approx(1)


def test_unseen_emission_dephases():
    quiet = Decoherence(1e30, 1e30, 1, 1e30)
    x, *_ = bloch([Initialise(0, 1.0), turn(0, np.pi / 2, np.pi / 2), Excite(1, 0.36, None)], 2, quiet)
    assert x == pytest.approx(0.8)


def test_traces_stay_one():
    state = evolve(
        [turn(0, 0.3), Excite(10, 0.5, 0), Initialise(20, 0.9), turn(30, 2.0), Excite(40, 0.7, 1)],
        100,
        2,
        Decoherence(1e-9, 1e-9, 1, 1e-9),
    )
    assert np.einsum("snsn->", state).real == pytest.approx(1, abs=1e-12)


def test_depolarised_spin_leaves_a_werner_state_with_its_photon():
    """A Bell state of which a share c is forgotten has fidelity 1 - 3c/4, in every basis alike."""
    bins = [Excite(2, 1.0, 0), turn(3, np.pi), Excite(4, 1.0, 1)]
    played = [Initialise(0, 1.0), turn(1, np.pi / 2), *bins, Depolarise(4, 0.08)]
    state = evolve(played, 4, 2, Decoherence(1e9, 1e9, 1.0, 1e9)).reshape(8, 8)
    values = np.linalg.eigvalsh(state)
    assert np.trace(state).real == pytest.approx(1)
    assert values[-1] == pytest.approx(1 - 3 * 0.08 / 4)
    assert values[-4:-1] == pytest.approx([0.02] * 3)
