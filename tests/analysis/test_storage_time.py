"""Decay fits against known truths, limits without information, and lmfit as an independent fitter."""

from __future__ import annotations

import math

import lmfit
import numpy as np
import pytest

from erbia.analysis.errors import UsageError
from erbia.analysis.storage_time import choose_decay, fit_decay_counts, fit_storage_time

T_S = np.linspace(0, 2e-3, 12)


def contrast_data(rng: np.random.Generator, time_s: float, exponent: float = 1.0, shots: int = 60, sign: int = 1):
    p = 0.5 * (1 + sign * 0.9 * np.exp(-((T_S / time_s) ** exponent)))
    return rng.binomial(shots, p), np.full(len(T_S), shots)


def test_intervals_cover_the_true_coherence_time() -> None:
    # 120 repetitions at 95 %: fewer than 104 hits happens once in 10,000 for an honest interval.
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(120):
        fit = fit_storage_time(T_S, *contrast_data(rng, 7e-4))
        hits += fit.storage_time.lower <= 7e-4 <= fit.storage_time.upper
    assert hits >= 104


@pytest.mark.parametrize("sign", [1, -1])
def test_the_sign_of_the_contrast_follows_the_data(sign: int) -> None:
    k, n = contrast_data(np.random.default_rng(2), 7e-4, shots=20_000, sign=sign)
    fit = fit_storage_time(T_S, k, n)
    assert fit.storage_time.value == pytest.approx(7e-4, rel=0.03)
    assert fit.contrast is not None
    assert fit.contrast.lower <= 0.9 <= fit.contrast.upper
    assert math.copysign(1, fit.initial.value - 0.5) == sign


def test_agrees_with_weighted_least_squares_when_counts_are_many() -> None:
    k, n = contrast_data(np.random.default_rng(3), 7e-4, exponent=1.4, shots=100_000)
    ours = fit_storage_time(T_S, k, n, "stretched")
    model = lmfit.Model(lambda t, c, T, x: 0.5 * (1 + c * np.exp(-((t / T) ** x))))
    p = k / n
    theirs = model.fit(p, t=T_S, c=0.9, T=6e-4, x=1.2, weights=np.sqrt(n / (p * (1 - p))))
    assert ours.storage_time.value == pytest.approx(theirs.params["T"].value, rel=1e-3)
    assert ours.exponent.value == pytest.approx(theirs.params["x"].value, rel=2e-3)
    assert ours.storage_time.std == pytest.approx(theirs.params["T"].stderr / math.sqrt(theirs.redchi), rel=0.05)
    assert ours.fit.p_value > 1e-4


def test_the_right_model_is_chosen() -> None:
    k, n = contrast_data(np.random.default_rng(4), 8e-4, exponent=2.0, shots=2000)
    fits = [fit_storage_time(T_S, k, n, model) for model in ("exponential", "gaussian", "stretched")]
    ranking = choose_decay(fits)
    assert ranking[-1][0].model == "exponential"
    assert sum(weight for _, weight in ranking) == pytest.approx(1)
    stretched = next(f for f in fits if f.model == "stretched")
    assert stretched.exponent.lower <= 2 <= stretched.exponent.upper


def test_echo_counts_with_background_and_exposure() -> None:
    rng = np.random.default_rng(5)
    exposure = np.linspace(1000, 5000, len(T_S))
    counts = rng.poisson(exposure * (0.01 + 0.2 * np.exp(-T_S / 4e-4)))
    fit = fit_decay_counts(T_S, counts, exposure)
    for estimate, truth in ((fit.storage_time, 4e-4), (fit.floor, 0.01), (fit.initial, 0.21)):
        assert abs(estimate.value - truth) < 4 * estimate.std
    assert fit.curve([0.0])[0] == pytest.approx(fit.initial.value)
    assert fit.contrast is None


@pytest.mark.parametrize("successes", [0, 20, 40])
def test_data_that_show_no_decay_leave_the_time_open(successes: int) -> None:
    n = np.full(6, 40)
    fit = fit_storage_time(np.arange(6.0), np.full(6, successes), n)
    assert fit.storage_time.upper == math.inf
    assert not math.isnan(fit.storage_time.value)
    assert fit.storage_time.lower <= fit.storage_time.value


def test_zero_and_one_count_give_wide_intervals() -> None:
    nothing = fit_decay_counts(T_S, np.zeros(12, int))
    assert (nothing.storage_time.lower, nothing.storage_time.upper) == (0.0, math.inf)
    one = fit_decay_counts(T_S, np.eye(12, dtype=int)[0], floor=0.0)
    assert one.storage_time.lower == 0.0
    assert one.storage_time.upper > T_S[1]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (([0, 1, 2], [3, 1], [4, 4, 4]), "equally long"),
        (([0, 1, 2], [5, 1, 1], [4, 4, 4]), "row 0: 5 successes out of 4"),
        (([0, 0, 0], [2, 1, 1], [4, 4, 4]), "different storage times"),
        (([0, 1, 2], [2, 1, 1], [4, 0, 0]), "different storage times"),
        (([0, -1, 2], [2, 1, 1], [4, 4, 4]), "not negative"),
    ],
)
def test_impossible_tables_are_refused(table: tuple[list[int], ...], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        fit_storage_time(*table)


def test_unknown_models_and_too_few_points_are_refused() -> None:
    with pytest.raises(UsageError, match="choose one of exponential"):
        fit_storage_time([0, 1, 2], [3, 2, 1], [4, 4, 4], "linear")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="measure at least 4"):
        fit_storage_time([0, 1, 2], [3, 2, 1], [4, 4, 4], "stretched", floor=None)
    with pytest.raises(UsageError, match="floor is a probability"):
        fit_storage_time([0, 1, 2], [3, 2, 1], [4, 4, 4], floor=1.5)
