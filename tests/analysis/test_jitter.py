"""Jitter fits against simulated detectors of known response."""

from __future__ import annotations

import numpy as np
import pytest

from erbia.analysis.emg import emg_fwhm
from erbia.analysis.errors import UsageError
from erbia.analysis.jitter import fit_jitter
from erbia.analysis.records import CorrelationHistogram

DELAY_PS = 5_000_000


def simulated_delays(
    rng: np.random.Generator, sigma: float, tau: float, events: int, dark_share: float = 0.1
) -> np.ndarray:
    delays = rng.normal(DELAY_PS, sigma, events) + (rng.exponential(tau, events) if tau else 0.0)
    darks = rng.uniform(DELAY_PS - 10_000, DELAY_PS + 10_000, int(events * dark_share))
    return np.floor(np.concatenate([delays, darks])).astype(np.int64)


@pytest.mark.parametrize(("sigma", "tau"), [(15.0, 6.0), (7.0, 15.0), (10.0, 0.0), (200.0, 90.0)])
def test_every_estimate_is_within_four_standard_errors(sigma: float, tau: float) -> None:
    fit = fit_jitter(simulated_delays(np.random.default_rng(3), sigma, tau, 30_000))
    pairs = [
        (fit.fwhm_ps, emg_fwhm(sigma, tau)),
        (fit.interpolated_fwhm_ps, emg_fwhm(sigma, tau)),
        (fit.sigma_ps, sigma),
        (fit.tau_ps, tau),
        (fit.rms_ps, np.hypot(sigma, tau)),
        # Delays were floored to whole picoseconds and bins are half-open, so the centre is not shifted.
        (fit.center_ps, DELAY_PS + tau),
    ]
    for estimate, truth in pairs:
        assert abs(estimate.value - truth) < 4 * estimate.std
        assert estimate.lower <= estimate.value <= estimate.upper
    assert fit.fwhm_ps.std < 0.02 * fit.fwhm_ps.value
    assert fit.fit.p_value > 1e-4


@pytest.mark.slow
def test_intervals_cover_the_true_width() -> None:
    # 60 repetitions at 95 %: fewer than 49 hits happens once in 5,000 for an honest interval.
    rng = np.random.default_rng(4)
    truth, hits = emg_fwhm(12.0, 8.0), 0
    for _ in range(60):
        fwhm = fit_jitter(simulated_delays(rng, 12.0, 8.0, 500)).fwhm_ps
        hits += fwhm.lower <= truth <= fwhm.upper
    assert hits >= 49


def test_a_histogram_and_its_delays_agree() -> None:
    delays = simulated_delays(np.random.default_rng(5), 20.0, 10.0, 20_000)
    edges = np.arange(DELAY_PS - 2000, DELAY_PS + 2001, 4)
    counts = np.histogram(delays, edges)[0].astype(np.int64)
    histogram = CorrelationHistogram(edges[:-1], counts, 4, len(delays), len(delays), 10**12)
    a, b = fit_jitter(delays).fwhm_ps, fit_jitter(histogram).fwhm_ps
    assert a.value == pytest.approx(b.value, abs=0.5 * a.std)


def test_expected_counts_account_for_the_events() -> None:
    fit = fit_jitter(simulated_delays(np.random.default_rng(6), 20.0, 10.0, 5_000))
    assert fit.expected_counts().sum() == pytest.approx(fit.counts.sum(), rel=1e-3)
    assert len(fit.lag_ps) == len(fit.counts)


def test_widths_further_down_show_the_tail() -> None:
    short = fit_jitter(simulated_delays(np.random.default_rng(8), 20.0, 0.0, 50_000))
    long = fit_jitter(simulated_delays(np.random.default_rng(9), 20.0, 30.0, 50_000))
    gaussian = 2 * 20 * np.sqrt(2)
    assert abs(short.width_at(1 / np.e).value - gaussian) < 4 * short.width_at(1 / np.e).std
    ratios = [f.width_at(0.1).value / f.width_at(0.5).value for f in (short, long)]
    assert ratios[0] == pytest.approx(np.sqrt(np.log(10) / np.log(2)), rel=0.03)
    assert ratios[1] > ratios[0] + 0.2


def test_few_events_give_wide_intervals() -> None:
    fit = fit_jitter(simulated_delays(np.random.default_rng(7), 15.0, 5.0, 40, dark_share=0))
    assert fit.fwhm_ps.upper / fit.fwhm_ps.lower > 1.5
    assert fit.tau_ps.lower == 0.0


@pytest.mark.parametrize(
    ("delays", "words"),
    [
        (np.zeros(0, np.int64), "at least 10 delays"),
        (np.zeros(1, np.int64), "at least 10 delays"),
        (np.zeros(50), "int64"),
        (np.arange(0, 1_000_000, 100, dtype=np.int64), "no peak"),
    ],
)
def test_delays_without_a_peak_are_refused(delays: np.ndarray, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        fit_jitter(delays)


def test_all_delays_equal_are_narrower_than_the_grid() -> None:
    fit = fit_jitter(np.full(1000, 17, np.int64))
    assert fit.fwhm_ps.upper < 2.0
