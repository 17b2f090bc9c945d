"""55,688 phases of a time-interval counter and the tables Stable32 made of them (test data of allantools)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from erbia.analysis.stability import Stability, allan

REFERENCE = Path(__file__).resolve().parents[4] / "shared" / "reference"

pytestmark = pytest.mark.skipif(not REFERENCE.exists(), reason="reference tables are not in the repository")


def stability_at(tau_s: np.ndarray) -> Stability:
    return allan(np.loadtxt(REFERENCE / "tic_phase.txt"), 1.0, taus_s=tau_s)


def table_of(name: str) -> np.ndarray:
    return np.loadtxt(REFERENCE / f"tic_{name}.txt", comments="#")


@pytest.mark.parametrize("name", ["oadev", "mdev", "tdev"])
def test_deviations_to_all_digits(name: str) -> None:
    table = table_of(name)
    np.testing.assert_allclose(getattr(stability_at(table[:, 1]), name), table[:, -2], rtol=6e-5)


@pytest.mark.parametrize("name", ["oadev", "mdev", "tdev"])
def test_noise_and_intervals(name: str) -> None:
    table = table_of(name)[:11]
    stability = stability_at(table[:, 1])
    np.testing.assert_array_equal(stability.alpha, table[:, 3])
    lower, upper = stability.intervals[name]
    np.testing.assert_allclose(lower, table[:, -3], rtol=1e-3)
    np.testing.assert_allclose(upper, table[:, -1], rtol=1e-3)
