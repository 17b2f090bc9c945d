"""Markers as a time reference, comparison of references, channel delays, and the limits."""

import numpy as np
import pytest

from erbia.analysis.clock_channels import channel_delays, corrected
from erbia.analysis.clock_limit import cramer_rao, fewest_pairs_hz
from erbia.analysis.clock_markers import compare, synchronize_markers
from erbia.analysis.clock_response import Response, fit_peak
from erbia.analysis.errors import UsageError
from erbia.analysis.records import PS_PER_S, ClockModel, TimeTags


def test_pps_gives_offset_skew_and_drift() -> None:
    rng = np.random.default_rng(2)
    u = np.arange(100)
    a = (u * PS_PER_S + np.rint(rng.normal(0, 20, 100))).astype(np.int64)
    b = (u * PS_PER_S + 7_000_000 + np.rint(2e-9 * u * 1e12 + 0.5e-10 * u**2 * 1e12 + rng.normal(0, 20, 100))).astype(
        np.int64
    )
    b[40] += 30_000_000
    model = synchronize_markers(a, b, PS_PER_S)
    truth = ClockModel(7e6, 2e-9, 1e-10)
    assert compare(model, truth, a).worst_sigmas < 5
    assert model.drift_per_s == pytest.approx(1e-10, rel=0.05)


def test_markers_too_few_or_too_far() -> None:
    t = np.arange(5, dtype=np.int64) * 1000
    with pytest.raises(UsageError, match="too few"):
        synchronize_markers(t[:2], t, 1000)
    with pytest.raises(UsageError, match="half a period"):
        synchronize_markers(t, t + 10**9, 1000)


def test_channel_delays_come_out_and_narrow_the_peak() -> None:
    rng = np.random.default_rng(3)
    emitted = np.sort(rng.uniform(0, PS_PER_S, 20_000))
    delay_a, delay_b = np.array([-60.0, 60.0]), np.array([-90.0, 90.0])

    def node(delay: np.ndarray) -> TimeTags:
        channel = rng.integers(0, 2, len(emitted))
        t = np.rint(emitted + delay[channel] + rng.normal(0, 30, len(emitted))).astype(np.int64)
        order = np.argsort(t)
        return TimeTags(t[order], channel[order].astype(np.uint8))

    a, b = node(delay_a), node(delay_b)
    model = ClockModel(0.0)
    found = channel_delays(a, b, model, 120.0)
    # Three sigma/sqrt(N_ch) is the demand; N_ch is 5000 pairs a channel combination.
    np.testing.assert_allclose(found.delay_a_ps, delay_a, atol=3 * 42 / np.sqrt(5000))
    np.testing.assert_allclose(found.delay_b_ps, delay_b, atol=3 * 42 / np.sqrt(5000))
    again = channel_delays(
        corrected(a, found.channel_a, found.delay_a_ps), corrected(b, found.channel_b, found.delay_b_ps), model, 60.0
    )
    assert np.max(np.abs(again.delay_b_ps)) < 3


def test_bound_of_a_gaussian_is_the_textbook_one() -> None:
    bound = cramer_rao(Response(100.0, 1e-2, 1e-2), 200_000, 10.0)
    assert bound.mid_ps == pytest.approx(100 / np.sqrt(200_000), rel=1e-3)
    assert bound.skew == pytest.approx(7.7e-14, rel=0.01)
    assert cramer_rao(Response(100.0, 1e-2, 1e-2), 200_000, 10.0, 1000.0).mid_ps > bound.mid_ps


def test_fewest_pairs_as_tabulated() -> None:
    assert fewest_pairs_hz(2e5, 2e5, 10.0, 100.0, 4.0, 100.0) == pytest.approx(18, rel=0.15)
    assert fewest_pairs_hz(2e5, 2e5, 1.0, 100.0, 0.2, 0.0) == pytest.approx(61, rel=0.15)


def test_response_is_a_density_with_mean_zero() -> None:
    u = np.arange(-5000, 5000, 0.5)
    for response in (Response(50, 30, 10), Response(7, 5.5, 5.5), Response(100, 1, 200)):
        density = response.density(u)
        assert density.sum() * 0.5 == pytest.approx(1, abs=1e-4)
        assert (u * density).sum() * 0.5 == pytest.approx(0, abs=0.02)
        assert np.sqrt((u**2 * density).sum() * 0.5) == pytest.approx(response.std_ps, rel=1e-3)


def test_peak_fit_recovers_the_response() -> None:
    rng = np.random.default_rng(4)
    n = 50_000
    r = rng.normal(0, 60, n) + rng.exponential(40, n) - rng.exponential(15, n)
    r = np.concatenate((r - 25.0, rng.uniform(-1000, 1000, 20_000)))
    peak = fit_peak(r[np.abs(r) < 1000], 1000.0, 180.0)
    assert peak.mean_ps == pytest.approx(0, abs=5 * np.sqrt(peak.mean_var_ps2))
    assert peak.pairs == pytest.approx(n, rel=0.02)
    assert peak.response.std_ps == pytest.approx(np.sqrt(60**2 + 40**2 + 15**2), rel=0.03)
