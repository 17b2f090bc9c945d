"""Noise identification and intervals against Stable32's tables, allantools, and simulated coverage."""

from pathlib import Path

import allantools
import numpy as np
import pytest

from erbia.analysis.stability import allan
from erbia.analysis.stability_confidence import degrees_of_freedom, noise_exponents

REFERENCE = Path(__file__).parents[3] / "shared" / "reference"


@pytest.mark.skipif(not REFERENCE.exists(), reason="reference tables not present")
@pytest.mark.parametrize("name", ["oadev", "mdev", "tdev"])
def test_intervals_equal_stable32(name: str) -> None:
    table = np.loadtxt(REFERENCE / f"tic_{name}.txt", comments="#")[:11]
    stability = allan(np.loadtxt(REFERENCE / "tic_phase.txt"), 1.0, taus_s=table[:, 1])
    np.testing.assert_array_equal(stability.alpha, table[:, 3])
    lower, upper = stability.intervals[name]
    np.testing.assert_allclose(lower, table[:, -3], rtol=1e-3)
    np.testing.assert_allclose(upper, table[:, -1], rtol=1e-3)


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
