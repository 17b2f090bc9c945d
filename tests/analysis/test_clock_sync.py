"""Clock synchronisation on seeded streams with known truth; tails, dark clicks and dead time included."""

import numpy as np
import pytest

from erbia.analysis.clock_model import offset_at, offset_std_at
from erbia.analysis.clock_sync import synchronize
from erbia.analysis.errors import UsageError
from erbia.analysis.records import PS_PER_S

Streams = tuple[np.ndarray, np.ndarray]


def streams(
    seed: int,
    *,
    span_s: float = 5.0,
    pairs_hz: float = 20e3,
    singles_hz: float = 200e3,
    offset_ps: int = 80_000_000_000,
    skew: float = 1e-6,
    drift_per_s: float = 0.0,
) -> Streams:
    """Two nodes' clicks: pairs with Gaussian jitter and a tail, uncorrelated clicks, 20 ns dead time; B's clock is off."""
    rng = np.random.default_rng(seed)
    emitted = np.sort(rng.uniform(0, span_s, rng.poisson(pairs_hz * span_s))) * PS_PER_S

    def clicks(of_pairs: np.ndarray) -> np.ndarray:
        dark = rng.uniform(0, span_s * PS_PER_S, rng.poisson((singles_hz - pairs_hz) * span_s))
        jitter = rng.normal(0, 60, len(of_pairs)) + rng.exponential(25, len(of_pairs))
        t = np.sort(np.concatenate((of_pairs + jitter, dark)))
        return t[np.concatenate(([True], np.diff(t) > 20_000))]

    a, b = clicks(emitted), clicks(emitted)
    b += skew * b + 0.5 * drift_per_s * b * b / PS_PER_S
    return np.rint(a).astype(np.int64), np.rint(b).astype(np.int64) + offset_ps


@pytest.mark.parametrize(
    ("offset_ps", "skew"), [(80_000_000_000, 1e-6), (-150_000_000_000, -1e-6), (7_000_000_000_000, 9e-5), (0, 0.0)]
)
def test_finds_offset_and_skew(offset_ps: int, skew: float) -> None:
    result = synchronize(*streams(3, offset_ps=offset_ps, skew=skew))
    assert result.found
    assert abs(result.offset_ps - offset_ps) < 5 * result.offset_std_ps < 10
    assert abs(result.skew - skew) < 5 * result.skew_std < 3e-12
    assert result.pairs == pytest.approx(100_000, rel=0.03)
    assert result.significance > 100


def test_finds_drift() -> None:
    result = synchronize(*streams(4, drift_per_s=2e-8))
    assert result.drift_per_s == pytest.approx(2e-8, rel=1e-3)
    assert abs(result.offset_ps - 80_000_000_000) < 5 * result.offset_std_ps


def test_says_not_found_without_pairs() -> None:
    result = synchronize(*streams(5, span_s=2, pairs_hz=0, singles_hz=10e3), max_offset_s=0.1, max_ppm=2, max_work=1e6)
    assert not result.found
    assert result.model is None
    assert "no correlation peak" in result.reason
    assert result.as_dict()["offset_ps"] is None


def test_swapping_the_sides_flips_the_sign() -> None:
    a, b = streams(6, span_s=2)
    forward, backward = (synchronize(*ab, max_offset_s=0.1, max_ppm=5) for ab in ((a, b), (b, a)))
    assert forward.skew == pytest.approx(-backward.skew, rel=1e-4)


CLICKS = np.arange(0, 10**12, 10**9, dtype=np.int64)


@pytest.mark.parametrize(
    ("a", "b", "says"),
    [
        (CLICKS[::-1].copy(), CLICKS, "not sorted"),
        (CLICKS.astype(float), CLICKS, "int64"),
        (CLICKS, CLICKS[:1], "too few"),
        (CLICKS, CLICKS + 100 * PS_PER_S, "no overlap"),
        (CLICKS, CLICKS.copy(), "same stream"),
        (CLICKS // 10**7, CLICKS, "picoseconds"),
    ],
)
def test_refuses_bad_input(a: np.ndarray, b: np.ndarray, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        synchronize(a, b)


def test_a_wandering_clock_gets_a_smoothed_piecewise_model() -> None:
    rng = np.random.default_rng(8)
    a, b = streams(8, span_s=4, pairs_hz=10e3, singles_hz=50e3)
    grid = np.linspace(0, 4 * PS_PER_S, 4001)
    wander = np.cumsum(np.cumsum(rng.normal(0, 2e3 * np.sqrt(1e-3), 4001))) * 1e-3
    true_b = b - 80_000_000_000
    b = np.sort(b + np.rint(np.interp(true_b, grid, wander)).astype(np.int64))
    result = synchronize(a, b, max_offset_s=0.2, max_ppm=5)
    assert result.model is not None
    assert len(result.segments) > 20
    t = a[100:-100:100]
    truth = 80_000_000_000 + 1e-6 * t + np.interp(t * (1 + 1e-6), grid, wander)
    error = offset_at(t, result.model) - truth
    assert np.sqrt(np.mean(error**2)) < 10
    assert np.mean((error / offset_std_at(t, result.model)) ** 2) < 2


def test_a_gap_in_the_record_is_bridged() -> None:
    a, b = streams(9)
    keep_a = (a < 2 * PS_PER_S) | (a > 3 * PS_PER_S)
    keep_b = (b < 2.08 * PS_PER_S) | (b > 3.08 * PS_PER_S)
    result = synchronize(a[keep_a], b[keep_b], max_offset_s=0.2, max_ppm=5)
    assert len(result.segments) == 1
    assert abs(result.offset_ps - 80_000_000_000) < 5 * result.offset_std_ps


def test_partial_overlap_is_enough() -> None:
    a, b = streams(10)
    result = synchronize(a[a < 3 * PS_PER_S], b[b > 2 * PS_PER_S], max_offset_s=0.2, max_ppm=5)
    assert result.found
    assert abs(result.offset_ps - 80_000_000_000) < 6 * result.offset_std_ps


def test_a_leap_in_the_record_splits_the_model() -> None:
    a, b = streams(11, span_s=4, pairs_hz=10e3, singles_hz=50e3)
    leap_ps, at_ps = 2_000_000, 1_500_000_000_000
    b = np.sort(b + leap_ps * (b > 80_000_000_000 + at_ps))
    result = synchronize(a, b, max_offset_s=0.2, max_ppm=5)
    assert result.model is not None
    t = a[::100][np.abs(a[::100] - at_ps) > 50_000_000_000]
    truth = 80_000_000_000 + 1e-6 * t + leap_ps * (t > at_ps)
    assert np.max(np.abs(offset_at(t, result.model) - truth)) < 40
