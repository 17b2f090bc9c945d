"""The mean of a deviance of few counts, against expansions known in closed form and against simulation."""

from __future__ import annotations

import numpy as np
import pytest

from erbia.analysis.bartlett import MOST, bartlett_factor
from erbia.analysis.count_fit import CountProblem, Parameter, fit_counts


def test_a_poisson_mean() -> None:
    # E of the deviance of one Poisson count of mean m is 1 + 1/(6 m) + ..
    one = np.ones((1, 1))
    assert bartlett_factor(np.array([20.0]), one, np.zeros((1, 1, 1)), None, 0) == pytest.approx(1 + 1 / 120)


def test_it_does_not_depend_on_the_parameter() -> None:
    # theta = ln m: first and second derivative are m.
    m = np.array([20.0])
    assert bartlett_factor(m, m[:, None], m[:, None, None], None, 0) == pytest.approx(1 + 1 / 120)


def test_a_binomial_chance() -> None:
    # E = 1 + (1 - p + p²) / (6 n p (1 - p)) + .. (Frydenberg and Jensen, Biometrika 76, 655, 1989)
    n, p = 30.0, 0.3
    found = bartlett_factor(np.array([n * p]), np.full((1, 1), n), np.zeros((1, 1, 1)), np.array([n]), 0)
    assert found == pytest.approx(1 + (1 - p + p * p) / (6 * n * p * (1 - p)))


def test_a_singular_fit_is_left_alone() -> None:
    first = np.ones((3, 2))
    assert bartlett_factor(np.full(3, 5.0), first, np.zeros((3, 2, 2)), None, 0) == 1.0


def test_it_is_bounded() -> None:
    one = np.ones((1, 1))
    assert bartlett_factor(np.array([0.01]), one, np.zeros((1, 1, 1)), None, 0) == MOST


def test_width_of_a_sparse_peak() -> None:
    # A Gaussian peak of 40 events on a known background-free axis: simulated mean deviance at the true width.
    t = np.linspace(-6, 6, 61)

    def model(v: np.ndarray) -> np.ndarray:
        return np.asarray(v[0] * np.exp(-0.5 * ((t - v[1]) / v[2]) ** 2) / v[2] * 0.2 / np.sqrt(2 * np.pi), np.float64)

    truth = np.array([40.0, 0.0, 1.0])
    rng = np.random.default_rng(5)
    deviances, factors = [], []
    for _ in range(600):
        counts = rng.poisson(model(truth)).astype(np.float64)
        names = (("events", 40.0, 10.0), ("center", 0.0, 1.0), ("width", 1.0, 0.3))
        parameters = tuple(
            Parameter(name, start, scale, -6.0 if name == "center" else 0.0) for name, start, scale in names
        )
        fit = fit_counts(CountProblem(counts, model, parameters))
        held = fit_counts(CountProblem(counts, lambda v: model(np.array([v[0], v[1], 1.0])), parameters[:2]))
        deviances.append(held.deviance - fit.deviance)
        factors.append(fit._bartlett_factor(2))
    error = np.std(deviances) / np.sqrt(len(deviances))
    # Five standard errors: false alarm below 1e-6; without the factor the mean would be 1.
    assert np.mean(deviances) == pytest.approx(np.mean(factors), abs=5 * error)
    assert np.mean(factors) > 1.02
