"""Fits at the bench find what was put in, say how well, and say when they cannot."""

from __future__ import annotations

import numpy as np
import pytest

from erbia.analysis.errors import UsageError
from erbia.analysis.point_fit import MODELS, fit_points

TRUTH: dict[str, tuple[tuple[float, ...], np.ndarray]] = {
    "line": ((2.0, -3.0), np.linspace(-1, 4, 20)),
    "gaussian": ((2e-9, 1e-9, 50.0, 10.0), np.linspace(-5e-9, 5e-9, 60)),
    "lorentzian": ((-1e6, 2e6, -0.4, 1.0), np.linspace(-1e7, 1e7, 80)),
    "two-sided exponential": ((0.0, 2e-9, -0.9, 1.0), np.linspace(-2e-8, 2e-8, 81)),
    "decay": ((20e-6, 0.4, 0.5), np.linspace(1e-6, 80e-6, 25)),
    "fringe": ((100.0, 80.0, 1.3, 0.7), np.linspace(0, 6, 40)),
}


@pytest.mark.parametrize("model", MODELS)
def test_intervals_cover_the_truth(model: str) -> None:
    """400 experiments of 95 %: fewer than 355 intervals of a parameter hold the truth in 1 of 1e7 cases (binomial)."""
    truth, x = TRUTH[model]
    clean = MODELS[model].shape(x, *truth)
    std = np.full(len(x), 0.02 * np.ptp(clean))
    rng = np.random.default_rng(1)
    covered = np.zeros(len(truth), int)
    for _ in range(400):
        fit = fit_points(x, clean + rng.normal(0, std), std, model)
        for k, (value, found) in enumerate(zip(truth, fit.parameters.values(), strict=True)):
            covered[k] += found.lower <= value <= found.upper
    assert np.all(covered >= 355)
    assert list(fit.parameters) == list(MODELS[model].parameters)


@pytest.mark.parametrize("model", MODELS)
def test_without_noise_the_truth_is_found(model: str) -> None:
    truth, x = TRUTH[model]
    clean = MODELS[model].shape(x, *truth)
    fit = fit_points(x, clean, np.full(len(x), 1e-3 * np.ptp(clean)), model)
    assert [e.value for e in fit.parameters.values()] == pytest.approx(truth, rel=1e-4, abs=1e-12)
    assert fit.fitted == pytest.approx(clean, rel=1e-4)
    assert np.abs(fit.residuals).max() < 0.1
    assert fit.curve_x[[0, -1]].tolist() == [x.min(), x.max()]


@pytest.mark.parametrize("model", ["gaussian", "lorentzian", "two-sided exponential"])
def test_a_peak_far_from_zero_is_fitted_as_well_as_one_at_zero(model: str) -> None:
    rng = np.random.default_rng(3)
    x, far = np.linspace(-6e6, 6e6, 41), 194.95e12
    width = 2e6 if model != "two-sided exponential" else 1e6
    y = 2e4 / (1 + (2 * x / width) ** 2) + 100 + rng.normal(0, 150, len(x))
    near, away = (fit_points(x + at, y, np.full(len(x), 150.0), model) for at in (0.0, far))
    assert away.parameters["center"].value - far == pytest.approx(near.parameters["center"].value, abs=1.0)
    for name, estimate in near.parameters.items():
        assert away.parameters[name].std == pytest.approx(estimate.std, rel=1e-3)
    assert away.curve_x[0] == far - 6e6


def test_points_not_measured_are_left_out_and_missing_errors_filled_in() -> None:
    x = np.arange(10.0)
    y = 2 * x + 1
    y[3] = np.nan
    std = np.full(10, 0.1)
    std[5] = 0.0
    fit = fit_points(x, y, std, "line")
    assert fit.parameters["slope"].value == pytest.approx(2)
    assert fit.parameters["slope"].n == 9


def test_what_cannot_be_fitted_is_said() -> None:
    with pytest.raises(UsageError, match="no model 'parabola'; choose one of line"):
        fit_points([1, 2], [1, 2], [1, 1], "parabola")
    with pytest.raises(UsageError, match="needs 5 points at different places, got 2"):
        fit_points([1, 2], [1, 2], [1, 1], "gaussian")
    with pytest.raises(UsageError, match="at different places, got 1"):
        fit_points(np.ones(8), np.arange(8.0), np.ones(8), "line")
