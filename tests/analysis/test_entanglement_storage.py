"""When stored entanglement is lost: crossings against truths, limits, and coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest

from erbia.analysis.entanglement_storage import BELL_SIGNS, fit_entanglement_storage
from erbia.analysis.errors import UsageError

T_S = np.linspace(0, 2e-3, 8)
TRUE_TIME_S = 1e-3


def measured(
    rng: np.random.Generator, target: str = "psi+", shots: int = 300, contrast: float = 0.85, parity: float = 0.9
):
    """Counts of equal outcomes drawn from ``F(t) = (1 + parity + 2 contrast exp(-t/T))/4``."""
    values = (contrast, contrast, parity)
    same, trials = {}, {}
    for basis, sign, value in zip(("XX", "YY", "ZZ"), BELL_SIGNS[target], values, strict=True):
        decay = 1.0 if basis == "ZZ" else np.exp(-T_S / TRUE_TIME_S)
        same[basis] = rng.binomial(shots, (1 + sign * value * decay * np.ones_like(T_S)) / 2)
        trials[basis] = np.full(len(T_S), shots)
    return same, trials


def true_crossing(threshold: float, contrast: float = 0.85, parity: float = 0.9) -> float:
    return TRUE_TIME_S * math.log(2 * contrast / (4 * threshold - 1 - parity))


@pytest.mark.parametrize("target", BELL_SIGNS)
def test_crossings_and_curve(target: str) -> None:
    fit = fit_entanglement_storage(T_S, *measured(np.random.default_rng(1), target, shots=3000), target)
    for threshold, crossing in fit.crossings.items():
        assert abs(crossing.value - true_crossing(threshold)) < 4 * crossing.std
        assert crossing.lower < crossing.value < crossing.upper
        assert fit.fidelity([crossing.value])[0] == pytest.approx(threshold, abs=1e-6)
    assert abs(fit.storage_time.value - TRUE_TIME_S) < 4 * fit.storage_time.std
    assert fit.fit.p_value > 1e-4


@pytest.mark.slow
def test_crossing_intervals_cover() -> None:
    # 30 repetitions at 95 %: fewer than 23 hits has a chance below 1e-3.
    rng, hits, truth = np.random.default_rng(2), 0, true_crossing(2 / 3)
    for _ in range(30):
        fit = fit_entanglement_storage(T_S, *measured(rng, shots=60), thresholds=(2 / 3,))
        hits += fit.crossings[2 / 3].lower <= truth <= fit.crossings[2 / 3].upper
    assert hits >= 23


def test_a_state_that_never_was_good_enough_crosses_at_zero() -> None:
    fit = fit_entanglement_storage(T_S, *measured(np.random.default_rng(3), contrast=0.2, parity=0.3))
    assert fit.crossings[0.5].value == fit.crossings[0.5].lower == fit.crossings[0.5].upper == 0.0


def test_a_memory_that_does_not_decay_never_crosses() -> None:
    same, trials = measured(np.random.default_rng(4))
    for basis in ("XX", "YY"):
        same[basis] = np.full(len(T_S), same[basis][0])
    crossing = fit_entanglement_storage(T_S, same, trials).crossings[0.5]
    assert crossing.upper == math.inf
    assert crossing.lower > T_S[-1]


def test_all_equal_outcomes_are_no_problem() -> None:
    trials = {basis: np.full(len(T_S), 20) for basis in ("XX", "YY", "ZZ")}
    same = {"XX": np.full(len(T_S), 20), "YY": np.full(len(T_S), 20), "ZZ": np.zeros(len(T_S))}
    fit = fit_entanglement_storage(T_S, same, trials)
    assert fit.crossings[0.5].upper == math.inf
    assert fit.crossings[0.5].lower > 0


def test_impossible_tables_are_refused() -> None:
    same, trials = measured(np.random.default_rng(5))
    with pytest.raises(UsageError, match="choose one of phi"):
        fit_entanglement_storage(T_S, same, trials, "ghz")
    with pytest.raises(UsageError, match="no counts in YY"):
        fit_entanglement_storage(T_S, {b: same[b] for b in ("XX", "ZZ")}, trials)
    with pytest.raises(UsageError, match="XX, row 0: 400 equal outcomes in 300"):
        fit_entanglement_storage(T_S, same | {"XX": np.full(len(T_S), 400)}, trials)
    with pytest.raises(UsageError, match="thresholds"):
        fit_entanglement_storage(T_S, same, trials, thresholds=(0.2,))
    with pytest.raises(UsageError, match="two storage times"):
        fit_entanglement_storage([0.0], {b: [10] for b in same}, {b: [20] for b in same})
