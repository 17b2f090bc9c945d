"""Maximum-likelihood states: Newton's method on the Hermitian square root.

The unnormalised state is ``S^2`` with S Hermitian, so it is positive whatever S is and no constraint is needed; the trace
of ``S^2`` is the flux. In an orthonormal basis B_a of Hermitian matrices, ``S = sum t_a B_a`` and each expected count is a
quadratic form ``mu_j = t A_j t``, so gradient and Hessian of any cost ``sum f(mu_j, n_j)`` are exact:

    grad = 2 sum f' A_j t,     hessian = 2 sum f' A_j + 4 sum f'' (A_j t)(A_j t)^T.

Unlike a Cholesky factor, S has no direction that changes nothing at a pure state, so the steps stay quadratic there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.linalg import lapack

from .records import FloatArray
from .states import ComplexArray

#: f, f' and f'' of each setting, for expected counts ``mu`` (..., J) and counts ``n`` (J,): three float64 (..., J).
Cost = Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray, FloatArray]]
MAX_STEPS = 200
#: The start is mixed with this much white noise: at an exact zero eigenvalue the gradient would vanish.
START_NOISE = 0.005
#: Relative gain below which the search stops.
TOLERANCE = 1e-12
TINY = 1e-300


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """A cost to minimise.

    Attributes:
        cost: of expected against observed counts.
        operators: :func:`coordinates` of the positive operators, scaled by intensity, float64 (J, d²).
        n: counts, float64 (J,).
        flux: the trace of the unnormalised state where it is known; left free where it is None.
    """

    cost: Cost
    operators: FloatArray
    n: FloatArray
    flux: float | None = None


def poisson_cost(mu: FloatArray, n: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Half the deviance, ``mu - n + n log(n / mu)``, and its two derivatives."""
    ratio = n / mu
    return mu - n + n * np.log(np.where(n > 0, ratio, 1.0)), 1 - ratio, ratio / mu


def gaussian_cost(mu: FloatArray, n: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """``(mu - n)^2 / (2 mu)`` (James et al., PRA 64, 052312, 2001, eq. 4.17) and its two derivatives."""
    ratio = n / mu
    return (mu - n) ** 2 / (2 * mu), (1 - ratio**2) / 2, ratio**2 / mu


@lru_cache(maxsize=8)
def hermitian_basis(d: int) -> ComplexArray:
    """Orthonormal Hermitian matrices (``Tr B_a B_b = delta``): complex128 (d², d, d)."""
    basis = np.zeros((d * d, d, d), np.complex128)
    index = 0
    for i in range(d):
        basis[index, i, i] = 1.0
        index += 1
        for j in range(i):
            basis[index, i, j] = basis[index, j, i] = np.sqrt(0.5)
            basis[index + 1, i, j], basis[index + 1, j, i] = -1j * np.sqrt(0.5), 1j * np.sqrt(0.5)
            index += 2
    return basis


def coordinates(matrices: ComplexArray) -> FloatArray:
    """Coordinates of Hermitian matrices (..., d, d) in :func:`hermitian_basis`: float64 (..., d²)."""
    d = matrices.shape[-1]
    flat = hermitian_basis(d).reshape(d * d, d * d)
    found: FloatArray = (matrices.reshape(*matrices.shape[:-2], d * d) @ flat.conj().T).real
    return found


def matrices_from(t: FloatArray) -> ComplexArray:
    """Hermitian matrices of coordinates (..., d²): complex128 (..., d, d)."""
    d = int(np.sqrt(t.shape[-1]))
    return (t @ hermitian_basis(d).reshape(d * d, d * d)).reshape(*t.shape[:-1], d, d)


def _product_form(matrix: ComplexArray) -> FloatArray:
    """Matrix (d², d²) of ``(s, t) -> Tr(matrix (S T + T S)) / 2`` with S, T Hermitian of coordinates s, t."""
    d = len(matrix)
    flat = hermitian_basis(d).reshape(d * d, d * d)
    applied = (matrix @ hermitian_basis(d)).reshape(d * d, d * d)
    half = (flat.conj() @ applied.T).real
    symmetric: FloatArray = (half + half.T) / 2
    return symmetric


def minimise(problem: Problem, start: ComplexArray) -> tuple[ComplexArray, float]:
    """Root S (d, d) of the state with the least cost, its trace the flux, and that cost.

    ``start`` is a Hermitian root of full rank and about the right flux.
    """
    t = coordinates(start)
    at = _evaluate(problem, t)
    damping = 1e-3 * float(np.abs(np.diag(at.hessian)).mean())
    for _ in range(MAX_STEPS):
        step = _damped_step(at, damping)
        expected = -float(at.gradient @ step + 0.5 * step @ at.hessian @ step)
        trial = _evaluate(problem, t + step)
        gain = at.cost - trial.cost
        if gain >= 0:
            t, at = t + step, trial
            damping *= 0.1 if gain > 0.5 * expected else 1.0
        else:
            damping *= 8.0
        if expected <= TOLERANCE * (1.0 + abs(at.cost)):
            break
    root = matrices_from(t)
    return root if problem.flux is None else root * np.sqrt(problem.flux / (t @ t)), at.cost


@dataclass(frozen=True, slots=True, eq=False)
class _Point:
    cost: float
    gradient: FloatArray
    hessian: FloatArray


def _evaluate(problem: Problem, t: FloatArray) -> _Point:
    # A_j t is linear in the operator and in t: one form of the root serves all settings.
    half = problem.operators @ _product_form(matrices_from(t))
    scale = 1.0 if problem.flux is None else problem.flux / float(t @ t)
    mu = np.maximum(scale * (half @ t), TINY)
    cost, first, second = problem.cost(mu, problem.n)
    slopes = 2 * scale * half
    hessian = 2 * scale * _product_form(matrices_from(first @ problem.operators))
    if problem.flux is None:
        return _Point(float(cost.sum()), first @ slopes, hessian + (slopes.T * second) @ slopes)
    # mu = flux t A t / t t: the quotient rule, twice. As the length of t changes nothing, a term that vanishes at the
    # right flux sets it and keeps the Hessian positive.
    norm = float(t @ t)
    slopes -= np.outer(mu * (2 / norm), t)
    gradient = first @ slopes
    excess = norm / problem.flux - 1
    cross = np.outer(t, gradient * (-2 / norm) + t * (2 / problem.flux))
    hessian += (slopes.T * second) @ slopes + cross + cross.T
    hessian.flat[:: len(t) + 1] += 2 * excess - 2 * float(first @ mu) / norm
    return _Point(float(cost.sum()) + 0.5 * problem.flux * excess**2, gradient + 2 * excess * t, hessian)


def _damped_step(at: _Point, damping: float) -> FloatArray:
    """Newton step with ``damping`` added; where the curvature is negative it is turned positive (a saddle repels)."""
    damped = at.hessian + damping * np.eye(len(at.hessian))
    _, step, not_positive = lapack.dposv(damped, -at.gradient)
    if not_positive:
        values, vectors = np.linalg.eigh(at.hessian)
        step = -vectors @ ((vectors.T @ at.gradient) / (np.abs(values) + damping))
    return np.asarray(step, np.float64)
