"""Newton's method on the root of a state."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize as scipy_minimize

from erbia.analysis import likelihood
from erbia.analysis.likelihood import (
    Problem,
    coordinates,
    gaussian_cost,
    hermitian_basis,
    matrices_from,
    minimise,
    poisson_cost,
)
from erbia.analysis.states import BELL_KETS, projector

RNG = np.random.default_rng(8)
KETS = RNG.normal(size=(20, 4)) + 1j * RNG.normal(size=(20, 4))
OPERATORS = projector(KETS / np.linalg.norm(KETS, axis=1)[:, None])
MIXED = 0.8 * projector(BELL_KETS["phi-"]) + 0.05 * np.eye(4)


def expected_counts(rho: np.ndarray, n: float) -> np.ndarray:
    return n * np.einsum("jab,ba->j", OPERATORS, rho).real


@pytest.mark.parametrize("d", [2, 4, 8])
def test_the_basis_is_orthonormal_and_hermitian(d: int) -> None:
    basis = hermitian_basis(d)
    assert np.einsum("aij,bji->ab", basis, basis) == pytest.approx(np.eye(d * d))
    t = np.arange(d * d, dtype=np.float64)
    assert coordinates(matrices_from(t)) == pytest.approx(t)
    assert matrices_from(t) == pytest.approx(matrices_from(t).conj().T)


@pytest.mark.parametrize("cost", [poisson_cost, gaussian_cost])
@pytest.mark.parametrize("flux", [None, 130.0])
def test_gradient_and_hessian_are_those_of_the_cost(cost: likelihood.Cost, flux: float | None) -> None:
    problem = Problem(cost, coordinates(OPERATORS), expected_counts(MIXED, 100).round(), flux)
    t = RNG.normal(size=16) * 3
    at = likelihood._evaluate(problem, t)
    step = 1e-5
    for k in range(16):
        e = np.zeros(16)
        e[k] = step
        up, down = likelihood._evaluate(problem, t + e), likelihood._evaluate(problem, t - e)
        assert at.gradient[k] == pytest.approx((up.cost - down.cost) / (2 * step), rel=1e-4, abs=1e-4)
        assert at.hessian[k] == pytest.approx((up.gradient - down.gradient) / (2 * step), rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("rho", [MIXED, projector(BELL_KETS["psi+"]), projector(BELL_KETS["phi-"])])
def test_no_general_minimiser_finds_less(rho: np.ndarray) -> None:
    n = np.random.default_rng(1).poisson(expected_counts(rho, 300)).astype(np.float64)
    problem = Problem(poisson_cost, coordinates(OPERATORS), n)
    root, cost = minimise(problem, np.eye(4, dtype=np.complex128) * np.sqrt(75))
    found = [
        scipy_minimize(
            lambda t: (lambda at: (at.cost, at.gradient))(likelihood._evaluate(problem, t)),
            np.random.default_rng(seed).normal(size=16) * 5,
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": 3000, "ftol": 1e-14},
        ).fun
        for seed in range(3)
    ]
    assert cost <= min(found) + 1e-6
    assert np.linalg.eigvalsh(root @ root).min() >= -1e-9


def test_a_known_flux_is_kept() -> None:
    n = expected_counts(MIXED, 500).round()
    root, _ = minimise(Problem(gaussian_cost, coordinates(OPERATORS), n, 480.0), np.eye(4, dtype=np.complex128) * 11)
    assert np.trace(root @ root).real == pytest.approx(480)
