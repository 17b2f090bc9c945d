"""Noise identification and intervals against allantools and simulated coverage."""

import allantools
import numpy as np
import pytest

from erbia.analysis.stability import allan
from erbia.analysis.stability_confidence import degrees_of_freedom, noise_exponents


@pytest.mark.parametrize("alpha", [2, 0, -2])
def test_recognises_noise(alpha: int) -> None:
    white = np.random.default_rng(1).normal(size=20_000)
    phase = {2: white, 0: np.cumsum(white), -2: np.cumsum(np.cumsum(white))}[alpha]
    np.testing.assert_array_equal(noise_exponents(phase, np.array([1, 4, 16])), alpha)


@pytest.mark.parametrize("alpha", [2, 0, -2])
@pytest.mark.parametrize("averaged", [True, False])
def test_degrees_of_freedom_equal_allantools(alpha: int, averaged: bool) -> None:
    ours = degrees_of_freedom(alpha, 2, 8, 1000, averaged=averaged)
    theirs = allantools.edf_greenhall(alpha, 2, 8, 1000, overlapping=True, modified=averaged)
    assert ours == pytest.approx(theirs, rel=0.02)


def test_intervals_cover() -> None:
    # 300 records: 68.3 % coverage has a standard error of 2.7 %; four of them.
    rng = np.random.default_rng(2)
    inside = 0
    for _ in range(300):
        stability = allan(np.cumsum(rng.normal(size=400)), 1.0, taus_s=[8.0])
        lower, upper = stability.intervals["oadev"]
        inside += bool(lower[0] < 1 / np.sqrt(8) < upper[0])
    assert 0.575 < inside / 300 < 0.79
