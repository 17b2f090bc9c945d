"""Figures of states, against closed forms and brute force."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize

from erbia.analysis.states import (
    BELL_KETS,
    KETS,
    concurrence,
    entropy_bits,
    fidelity_with,
    fully_entangled_fraction,
    negativity,
    partial_transpose,
    product_ket,
    projector,
    purity,
)

Complex = NDArray[np.complex128]
SIGMA_Y = np.array([[0, -1j], [1j, 0]])


def random_states(count: int, rank: int, seed: int) -> Complex:
    rng = np.random.default_rng(seed)
    g = rng.normal(size=(count, 4, rank)) + 1j * rng.normal(size=(count, 4, rank))
    rho = g @ np.swapaxes(g.conj(), 1, 2)
    return rho / np.trace(rho, axis1=1, axis2=2)[:, None, None]


def test_ket_conventions() -> None:
    h, v = KETS["H"], KETS["V"]
    assert pytest.approx((h + v) / np.sqrt(2)) == KETS["D"]
    assert pytest.approx((h - v) / np.sqrt(2)) == KETS["A"]
    assert pytest.approx((h - 1j * v) / np.sqrt(2)) == KETS["R"]
    assert pytest.approx((h + 1j * v) / np.sqrt(2)) == KETS["L"]
    assert product_ket([h, v]).tolist() == [0, 1, 0, 0]


@pytest.mark.parametrize("name", BELL_KETS)
def test_bell_states_are_maximally_entangled(name: str) -> None:
    rho = projector(BELL_KETS[name])
    assert concurrence(rho) == pytest.approx(1)
    assert negativity(rho) == pytest.approx(0.5)
    assert fully_entangled_fraction(rho) == pytest.approx(1)
    assert purity(rho) == pytest.approx(1)
    assert entropy_bits(rho) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("p", [0.0, 0.2, 1 / 3, 0.5, 0.9])
def test_werner_states(p: float) -> None:
    rho = p * projector(BELL_KETS["psi-"]) + (1 - p) * np.eye(4) / 4
    assert concurrence(rho) == pytest.approx(max(0, (3 * p - 1) / 2), abs=1e-9)
    assert negativity(rho) == pytest.approx(max(0, (3 * p - 1) / 4), abs=1e-9)
    assert fidelity_with(rho, BELL_KETS["psi-"]) == pytest.approx((1 + 3 * p) / 4)
    assert purity(rho) == pytest.approx((1 + 3 * p * p) / 4)


@pytest.mark.parametrize("rank", [1, 2, 3, 4])
def test_concurrence_is_wootters(rank: int) -> None:
    flip = np.kron(SIGMA_Y, SIGMA_Y)
    for rho in random_states(20, rank, rank):
        squared = np.linalg.eigvals(rho @ flip @ rho.conj() @ flip)
        values = np.sort(np.sqrt(np.abs(squared)))
        assert concurrence(rho) == pytest.approx(max(0, 2 * values[-1] - values.sum()), abs=1e-6)


def test_fully_entangled_fraction_is_the_best_over_local_rotations() -> None:
    def rotated(angles: NDArray[np.float64]) -> Complex:
        a, b, c = angles
        u = np.array(
            [
                [np.exp(1j * a) * np.cos(c), np.exp(1j * b) * np.sin(c)],
                [-np.exp(-1j * b) * np.sin(c), np.exp(-1j * a) * np.cos(c)],
            ]
        )
        ket: Complex = np.kron(u, np.eye(2)) @ BELL_KETS["phi+"]
        return ket

    rng = np.random.default_rng(4)
    for rho in random_states(3, 2, 9):
        best = max(
            -minimize(lambda a, r=rho: -float(fidelity_with(r, rotated(a))), rng.uniform(0, 6, 3)).fun for _ in range(8)
        )
        assert fully_entangled_fraction(rho) == pytest.approx(best, abs=1e-5)


def test_stacks_and_single_states_agree() -> None:
    stack = random_states(5, 3, 0)
    for figure in (concurrence, negativity, purity, entropy_bits, fully_entangled_fraction):
        assert figure(stack) == pytest.approx([float(figure(rho)) for rho in stack])


def test_partial_transpose_of_a_product_is_a_product() -> None:
    a, b = np.array([[0.7, 0.1 + 0.2j], [0.1 - 0.2j, 0.3]]), np.diag([0.5, 0.3, 0.1, 0.1])
    assert partial_transpose(np.kron(a, b)) == pytest.approx(np.kron(a.T, b))


def test_figures_agree_with_qutip() -> None:
    qutip = pytest.importorskip("qutip")
    for rho in random_states(10, 3, 5):
        q = qutip.Qobj(rho, dims=[[2, 2], [2, 2]])
        assert concurrence(rho) == pytest.approx(qutip.concurrence(q), abs=1e-6)
        assert entropy_bits(rho) == pytest.approx(qutip.entropy_vn(q, 2), abs=1e-9)
