"""The distribution of a weighted sum of binomials, against direct enumeration."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import binom

from erbia.analysis.kernels import binomial_sum

Floats = NDArray[np.float64]
CASES = [
    ([3, 3, 3], [0.2, 0.5, 0.0], [1.0, 1.0, 1.0]),
    ([4, 7], [0.9, 0.05], [0.5, 2.0]),
    ([20, 5, 11], [0.01, 0.3, 0.5], [1.0, 0.3, 0.7]),
    ([30], [0.4], [1.0]),
]


def enumerated_tails(below: float, above: float, n: list[int], q: list[float], c: Floats) -> tuple[float, float]:
    low = high = 0.0
    for x in product(*(range(m + 1) for m in n)):
        value = float(np.dot(c, x))
        chance = float(np.prod([binom.pmf(k, m, p) for k, m, p in zip(x, n, q, strict=True)]))
        low += chance * (value <= below + 1e-9)
        high += chance * (value >= above - 1e-9)
    return low, high


@pytest.mark.parametrize(("n", "q", "w"), CASES)
def test_tails_are_exact_while_the_atoms_are_few(n: list[int], q: list[float], w: list[float]) -> None:
    trials = np.array(n, np.float64)
    c = np.array(w) / trials
    mean = float(np.dot(w, q))
    for below, above in [(0.0, mean), (mean / 2, mean * 1.3), (-np.inf, sum(w)), (mean, np.inf)]:
        found = binomial_sum.tails(below, above, 0.0, trials, np.array(q), c)
        assert found == pytest.approx(enumerated_tails(below, above, n, q, c), abs=1e-9)


def test_saddlepoint_agrees_with_the_binomial_where_it_takes_over() -> None:
    # Three equal binomials of one chance add up to one binomial, known exactly.
    n, p = 400, 0.37
    q, trials = np.full(3, p), np.full(3, float(n))
    c = np.ones(3) / n
    for count in (380, 410, 444, 470, 500):
        below, above = binomial_sum.tails(count / n, count / n, 1 / n, trials, q, c)
        assert below == pytest.approx(binom.cdf(count, 3 * n, p), rel=2e-4)
        assert above == pytest.approx(binom.sf(count - 1, 3 * n, p), rel=2e-4)


@pytest.mark.parametrize("theta", [0.05, 0.4, 1.1])
@pytest.mark.parametrize("x", [[0.0, 0.0], [3.0, 0.0], [3.0, 9.0], [10.0, 2.0]])
def test_constrained_chances_maximise_the_likelihood(theta: float, x: list[float]) -> None:
    counts, n, w = np.array(x), np.array([10.0, 20.0]), np.array([1.0, 0.5])
    q = binomial_sum.constrained_chances(counts, n, w, theta)
    assert w @ q == pytest.approx(theta, rel=1e-9)

    def loss(first: Floats) -> float:
        chances = np.clip([first[0], (theta - first[0]) / 0.5], 1e-12, 1 - 1e-12)
        return -float(np.sum(counts * np.log(chances) + (n - counts) * np.log1p(-chances)))

    start = np.clip(theta / 2, max(0, theta - 0.5), min(1, theta))
    best = minimize(loss, [start], bounds=[(max(0, theta - 0.5), min(1, theta))], method="Nelder-Mead", tol=1e-12)
    assert loss(q[:1]) <= best.fun + 1e-6


def test_p_value_of_the_estimate_itself_is_one_and_falls_away_from_it() -> None:
    x, n, w = np.array([2.0, 5.0, 1.0]), np.full(3, 20.0), np.ones(3)
    p = [binomial_sum.p_value(theta, x, n, w, 0.05) for theta in (0.4, 0.6, 0.8, 1.2)]
    assert p[0] == 1.0
    assert p[0] > p[1] > p[2] > p[3]
