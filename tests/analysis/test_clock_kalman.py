"""Noise identification and smoothing of simulated clocks with known noise."""

import numpy as np
import pytest

from erbia.analysis.clock_kalman import ClockNoise, ClockState, identify_noise, smooth

STEP_S = 0.02


def offsets(seed: int, walk: float, std_ps: float = 10.0, n: int = 600) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times, true time error and measured offsets of a clock with random-walk frequency noise ``walk`` per √s."""
    rng = np.random.default_rng(seed)
    fine = 20
    rate = np.cumsum(rng.normal(0, walk * 1e12 * np.sqrt(STEP_S / fine), n * fine))
    x = np.cumsum(rate) * STEP_S / fine
    truth = x[::fine]
    return STEP_S * np.arange(n), truth, truth + rng.normal(0, std_ps, n)


@pytest.mark.parametrize("walk", [1e-10, 1e-9, 3e-9])
def test_learned_noise_smooths_as_well_as_the_true_one(walk: float) -> None:
    learned, known = [], []
    for seed in range(6):
        t, truth, measured = offsets(seed, walk)
        std = np.full(len(t), 10.0)
        noise = identify_noise(t, measured, std)
        learned.append(np.mean((smooth(t, measured, std, noise).mean[:, 0] - truth) ** 2))
        best = ClockNoise(1e-9, (walk * 1e12) ** 2)
        known.append(np.mean((smooth(t, measured, std, best).mean[:, 0] - truth) ** 2))
    assert np.sqrt(np.mean(learned)) < 1.15 * np.sqrt(np.mean(known))


def test_error_bars_are_honest() -> None:
    pulls = []
    for seed in range(10):
        t, truth, measured = offsets(seed, 1e-9)
        std = np.full(len(t), 10.0)
        states = smooth(t, measured, std, identify_noise(t, measured, std))
        pulls.append(np.mean((states.mean[:, 0] - truth) ** 2 / states.covariance[:, 0, 0]))
    # Ten records of about fifty independent stretches each: 0.7..1.3 is beyond five sigmas.
    assert 0.7 < np.mean(pulls) < 1.3


def test_prediction_there_and_back_only_loses_certainty() -> None:
    state = ClockState(np.array([10.0, 3.0, 0.5]), np.eye(3))
    noise = ClockNoise(1.0, 2.0)
    back = state.predicted(2.0, noise).predicted(-2.0, noise)
    np.testing.assert_allclose(back.mean, state.mean, atol=1e-12)
    assert back.covariance[0, 0] > state.covariance[0, 0]
