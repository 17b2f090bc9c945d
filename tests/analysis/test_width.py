"""Widths read off histograms: known shapes and the coverage of the interval."""

from __future__ import annotations

import numpy as np
import pytest

from erbia.analysis.emg import emg_fwhm
from erbia.analysis.errors import UsageError
from erbia.analysis.width import full_width


def test_a_noiseless_gaussian_has_its_textbook_widths() -> None:
    t = np.arange(-400, 400) + 0.5
    counts = 1e6 * np.exp(-(t**2) / (2 * 40.0**2))
    for fraction in (0.5, 1 / np.e, 0.1):
        exact = 2 * 40 * np.sqrt(-2 * np.log(fraction))
        assert full_width(counts, 1.0, fraction).value == pytest.approx(exact, rel=2e-3)


@pytest.mark.parametrize(("sigma", "tau"), [(15.0, 6.0), (7.0, 15.0)])
@pytest.mark.parametrize("events", [30, 300, 3000, 100_000])
def test_intervals_cover_the_true_width(sigma: float, tau: float, events: int) -> None:
    # 100 repetitions: an interval of 90 % coverage has fewer than 79 hits once in 2,000.
    rng = np.random.default_rng(int(events + sigma))
    truth, hits = emg_fwhm(sigma, tau), 0
    for _ in range(100):
        delays = rng.normal(0, sigma, events) + rng.exponential(tau, events)
        delays = np.concatenate([delays, rng.uniform(-300, 300, events // 10)])
        counts = np.histogram(delays, np.arange(-300, 301))[0]
        width = full_width(counts, 1.0)
        hits += width.lower <= truth <= width.upper
    assert hits >= 79


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        (np.zeros(100), "too few"),
        (np.eye(100)[50], "too few"),
        (np.full(100, 40), "no peak"),
        (np.ones((4, 4)), "at least 8 bins"),
        (np.exp(-np.arange(100) / 10.0) * 1e4, "wider range"),
    ],
)
def test_histograms_without_a_width_are_refused(counts: np.ndarray, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        full_width(counts, 1.0)
