"""The sampled posterior, against numerical integration and against its own prior."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom, ks_2samp

from erbia.analysis.kernels.posterior import (
    DECADES,
    design_of,
    draw_prior,
    log_likelihood,
    sample_posterior,
    states_of,
    unnormalised,
)
from erbia.analysis.states import KETS

HV = design_of(np.stack([KETS["H"], KETS["V"]]))


def test_states_are_states() -> None:
    particles = draw_prior(4, 3, 50, np.random.default_rng(0))
    rho = states_of(particles)
    assert np.trace(rho, axis1=1, axis2=2) == pytest.approx(np.ones(50))
    eigenvalues = np.linalg.eigvalsh(rho)
    assert eigenvalues[:, 0] == pytest.approx(np.zeros(50), abs=1e-12)
    assert np.all(eigenvalues[:, 1] > 0)


def test_strengths_are_log_uniform() -> None:
    # Kolmogorov-Smirnov at fixed seed; p below 1e-3 would be a wrong distribution.
    particles = draw_prior(2, 1, 4000, np.random.default_rng(1))
    norms = np.sum(particles[:, 0, :4] ** 2, axis=1)
    traces = np.array([unnormalised(p)[[0, 1]].sum() for p in particles])
    exponent = -np.log10(traces / norms) / (2 * DECADES)
    assert ks_2samp(exponent, np.linspace(0, 1, 4000)).pvalue > 1e-3


def test_likelihood_is_that_of_the_counts_given_their_total() -> None:
    particle = draw_prior(2, 2, 1, np.random.default_rng(2))
    p = states_of(particle)[0, 0, 0].real
    constant = math.log(math.comb(12, 9))
    found = log_likelihood(unnormalised(particle[0]), HV, np.array([9.0, 3.0]), np.empty(2))
    assert found + constant == pytest.approx(binom.logpmf(9, 12, p))


def test_a_pure_qubit_has_the_known_posterior_and_evidence() -> None:
    # A random pure qubit has a uniform chance p of H, so 9 of 12 leave Beta(10, 4) and evidence 1/13 / comb(12, 9).
    particles, log_evidence = sample_posterior(HV, np.array([9.0, 3.0]), 1, 400, 20, np.random.default_rng(3))
    p = states_of(particles)[:, 0, 0].real
    assert p.mean() == pytest.approx(10 / 14, abs=0.01)
    assert p.std() == pytest.approx(math.sqrt(10 * 4 / 14**2 / 15), abs=0.01)
    assert log_evidence == pytest.approx(-math.log(13 * math.comb(12, 9)), abs=0.1)


def test_no_counts_leave_the_prior() -> None:
    particles, log_evidence = sample_posterior(HV, np.zeros(2), 2, 400, 5, np.random.default_rng(4))
    prior = states_of(draw_prior(2, 2, 2000, np.random.default_rng(5)))
    assert log_evidence == pytest.approx(0)
    assert ks_2samp(states_of(particles)[:, 0, 0].real, prior[:, 0, 0].real).pvalue > 1e-3
