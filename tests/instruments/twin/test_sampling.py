"""Sparse sampling against the enumerated probabilities."""

from __future__ import annotations

import numpy as np
import pytest

from erbia.instruments.twin.sampling import clicked_attempts


def test_null_attempts_change_nothing():
    """Cutting long gaps leaves click rate and patterns as they are (4.5 sigma)."""
    cumulative = np.cumsum([0.99, 0.007, 0.003])
    for longest in (10, 100, 10**6):
        counts, played, rng = np.zeros(3), 0, np.random.default_rng(1)
        for _ in range(30):
            _, patterns, more = clicked_attempts(rng, cumulative, 2000, longest)
            counts += np.bincount(patterns, minlength=3)
            played += more
        for pattern, chance in ((1, 0.007), (2, 0.003)):
            assert abs(counts[pattern] - chance * played) < 4.5 * np.sqrt(chance * played)


def test_certain_clicks_come_every_time():
    index, patterns, played = clicked_attempts(np.random.default_rng(0), np.array([0.0, 1.0]), 50, 10)
    assert index.tolist() == list(range(50))
    assert set(patterns.tolist()) == {1}
    assert played == 50


def test_impossible_clicks_never_come():
    _, patterns, played = clicked_attempts(np.random.default_rng(0), np.array([1.0, 1.0]), 50, 1000)
    assert not patterns.any()
    assert played == pytest.approx(50_000)
