"""Stability measures against allantools, closed forms and brute force."""

import allantools
import numpy as np
import pytest

from erbia.analysis.errors import UsageError
from erbia.analysis.stability import allan


@pytest.fixture(scope="module")
def phase() -> np.ndarray:
    rng = np.random.default_rng(11)
    return 1e-9 * (np.cumsum(rng.normal(size=6001)) + rng.normal(size=6001))


@pytest.mark.parametrize(
    ("ours", "theirs"), [("oadev", "oadev"), ("mdev", "mdev"), ("tdev", "tdev"), ("hdev", "ohdev"), ("mtie", "mtie")]
)
def test_equals_allantools(phase: np.ndarray, ours: str, theirs: str) -> None:
    taus = [0.1, 0.2, 0.7, 1.6, 5.0, 51.2]
    stability = allan(phase, 10.0, taus_s=taus)
    tau, reference, _, _ = getattr(allantools, theirs)(phase, rate=10.0, data_type="phase", taus=taus)
    np.testing.assert_allclose(stability.tau_s, tau, rtol=1e-12)
    np.testing.assert_allclose(getattr(stability, ours), reference, rtol=1e-9)


def test_mtie_equals_brute_force(phase: np.ndarray) -> None:
    x = phase[:400]
    stability = allan(x, 1.0, taus_s=[1, 2, 3, 6, 11, 50, 399])
    windows = [np.lib.stride_tricks.sliding_window_view(x, int(t) + 1) for t in stability.tau_s]
    np.testing.assert_array_equal(stability.mtie, [np.ptp(w, axis=1).max() for w in windows])


def test_straight_line_has_no_instability_but_mtie() -> None:
    x = 3e-9 * np.arange(100)
    stability = allan(x, 1.0, taus_s=[1, 4])
    np.testing.assert_allclose(stability.oadev, 0, atol=1e-20)
    np.testing.assert_allclose(stability.mdev, 0, atol=1e-20)
    np.testing.assert_allclose(stability.mtie, [3e-9, 12e-9], rtol=1e-12)


def test_gaps_bias_nothing(phase: np.ndarray) -> None:
    rng = np.random.default_rng(5)
    gappy = phase.copy()
    gappy[1000:1100] = np.nan
    gappy[rng.integers(0, len(phase), 300)] = np.nan
    whole, holed = allan(phase, 1.0, taus_s=[1, 4, 16, 64]), allan(gappy, 1.0, taus_s=[1, 4, 16, 64])
    for name in ("oadev", "mdev", "tdev", "hdev"):
        np.testing.assert_allclose(getattr(holed, name), getattr(whole, name), rtol=0.08)
    assert np.all(holed.mtie <= whole.mtie)


def test_gap_path_agrees_where_there_is_no_gap(phase: np.ndarray) -> None:
    edge = np.append(phase, np.nan)
    taus = [1, 4, 16]
    np.testing.assert_allclose(allan(edge, 1.0, taus_s=taus).mdev[0], allan(phase, 1.0, taus_s=taus).mdev[0], rtol=1e-9)


@pytest.mark.parametrize(
    ("phase_s", "rate", "says"),
    [([1.0, 2.0], 1.0, "at least 3"), ([1.0, 2.0, 3.0], 0.0, "positive"), ([1.0, np.inf, 3.0], 1.0, "infinite")],
)
def test_refuses_bad_input(phase_s: list[float], rate: float, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        allan(np.array(phase_s), rate)
