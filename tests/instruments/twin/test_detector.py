"""One pixel: recovery, after-pulses, jitter, and the arrival histograms of a measured detector."""

from __future__ import annotations

import json
from math import erf, exp
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kstest

from erbia.instruments.mock import load_detector
from erbia.instruments.twin.config import DetectorConfig
from erbia.instruments.twin.detector import Pixel
from erbia.instruments.twin.normals import exponential, normal, uniform
from erbia.instruments.twin.streams import Arrivals, key

HISTOGRAMS = Path(__file__).resolve().parents[4] / "shared" / "reference" / "snspd_arrival_histograms.json"
#: Of the laser: the first and the last bin of every measured histogram hold 28 % of what their neighbours hold.
PERIOD_PS = 244.56
#: Full bins of 1 ps, from -101 ps on.
BINS = 244
TENTHS = np.arange(10) / 10
#: Clicks in 0.1 s are the events of the histograms from 68 dB on; 64 dB is 4 dB brighter than 68 dB (benchmarks/time_walk.py).
LIGHT_HZ = {64: 1.216e8, 68: 4.84e7, 72: 1.83e7, 76: 6.45e6, 80: 2.504e6, 84: 9.98e5}


def clicks(
    config: DetectorConfig, rate_hz: float, duration_s: float, seed: int = 1, period_ps: float = 1
) -> np.ndarray:
    pixel = Pixel(config, seed, "ch")
    pixel.set_bias(18e-6)
    stop_ps = round(duration_s * 1e12)
    photons = Arrivals(key(seed, "light"), 0, rate_hz).take_until(stop_ps)
    return pixel.click(np.rint(photons // period_ps * period_ps).astype(np.int64), stop_ps)


@pytest.mark.parametrize(("draw", "distribution"), [(uniform, "uniform"), (normal, "norm"), (exponential, "expon")])
def test_counter_based_numbers_follow_their_distribution(draw, distribution):
    stream_key = key(3, distribution)
    numbers = _drawn(draw, stream_key)
    assert kstest(numbers, distribution).pvalue > 1e-3
    assert abs(np.corrcoef(numbers[1:], numbers[:-1])[0, 1]) < 4.5 / np.sqrt(len(numbers))


def _drawn(draw, stream_key) -> np.ndarray:
    from numba import njit

    @njit
    def fill(k, n):
        out = np.empty(n)
        for i in range(n):
            out[i] = draw(k, i)
        return out

    return fill(stream_key, 300_000)


def test_normal_tails_are_there():
    numbers = _drawn(normal, key(9, "tails"))
    assert abs(np.mean(np.abs(numbers) > 3) - 0.0026998) < 4.5 * np.sqrt(0.0027 / len(numbers))
    assert abs(np.mean(np.abs(numbers) > 3.7) - 2.156e-4) < 4.5 * np.sqrt(2.2e-4 / len(numbers))


def test_nothing_clicks_in_the_dead_time_and_rate_follows_the_renewal_formula():
    config = DetectorConfig(dead_time_ps=50_000, recovery_ps=1.0, jitter_sigma_ps=0.0, jitter_tau_ps=0.0)
    times = clicks(config, 1e7, 0.2)
    assert np.diff(times).min() >= 50_000
    expected = 1e7 / (1 + 1e7 * 50e-9)
    assert len(times) / 0.2 == pytest.approx(expected, rel=4.5 / np.sqrt(len(times)))


def test_efficiency_comes_back_with_the_current():
    """Second of two photons 15 ns apart: chance eta(I(t))/eta(I_b) with I(t) = I_b (1 - exp(-t/tr))."""
    config = DetectorConfig(dead_time_ps=1000, recovery_ps=10_000.0, jitter_sigma_ps=0.0, jitter_tau_ps=0.0)
    pixel = Pixel(config, 1, "ch")
    pixel.set_bias(18e-6)
    pairs = 50_000
    first = np.arange(pairs, dtype=np.int64) * 1_000_000
    photons = np.sort(np.concatenate([first, first + 15_000]))
    second = len(pixel.click(photons, int(photons[-1]) + 1)) - pairs
    now = 18 * (1 - exp(-1.5))
    chance = (1 + erf((now - 14) / 2)) / (1 + erf((18 - 14) / 2))
    assert abs(second - pairs * chance) < 4.5 * np.sqrt(pairs * chance * (1 - chance))


def test_every_earlier_click_makes_one_late():
    """Three photons 20 ns apart, 5 ps late after 20 ns and 2 ps after 40 ns: lateness 0, 5, 7 ps."""
    walk = ((10_000, 5.0), (20_000, 5.0), (40_000, 2.0), (50_000, 0.0))
    config = DetectorConfig(dead_time_ps=1000, recovery_ps=1.0, jitter_sigma_ps=0.0, jitter_tau_ps=0.0, walk=walk)
    photons = np.array([10**6, 10**6 + 20_000, 10**6 + 40_000, 10**7], np.int64)
    late = Pixel(config, 1, "ch").click(photons, 10**8) - photons
    assert late.tolist() == [0, 5, 7, 0]


def test_jitter_may_have_several_parts():
    config = DetectorConfig(
        dead_time_ps=1000, recovery_ps=1.0, jitter_sigma_ps=3.0, jitter_tau_ps=0.0, jitter_parts=((0.25, 100.0, 10.0),)
    )
    photons = np.arange(1, 40_001, dtype=np.int64) * 10**6
    late = Pixel(config, 1, "ch").click(photons, 10**12) - photons
    assert abs(np.mean(late > 50) - 0.25) < 4.5 * np.sqrt(0.25 * 0.75 / 40_000)
    assert np.std(late[late > 50]) == pytest.approx(10.0, rel=0.05)


def test_afterpulses_come_at_their_time_and_share():
    config = DetectorConfig(afterpulse_probability=0.05, recovery_ps=1.0)
    gaps = np.diff(clicks(config, 1e4, 20))
    early = (gaps > 150_000) & (gaps < 210_000)
    n = len(gaps) / 1.05
    # an after-pulse may itself cause one; light alone gives n * 1e4 * 60 ns
    expected = n * (0.05 / 0.95 + 1e4 * 60e-9)
    assert abs(early.sum() - expected) < 4.5 * np.sqrt(expected) + 0.01 * expected


def test_cutting_time_changes_no_click():
    config = DetectorConfig(afterpulse_probability=0.1)
    photons = Arrivals(key(2, "light"), 0, 5e6).take_until(10**10)
    whole = Pixel(config, 1, "ch").click(photons, 10**10)
    pixel, parts = Pixel(config, 1, "ch"), []
    for stop_ps in range(10**8, 10**10 + 1, 10**8):
        part = photons[(photons >= stop_ps - 10**8) & (photons < stop_ps)]
        parts.append(pixel.click(part, stop_ps))
    assert np.array_equal(whole, np.concatenate(parts))


def width_ps(histogram: np.ndarray) -> float:
    """FWHM on the circle of one laser period."""
    fine = np.interp(np.arange(0, BINS, 0.1), np.arange(BINS + 1), np.append(histogram, histogram[0]))
    above = np.flatnonzero(np.roll(fine, len(fine) // 2 - fine.argmax()) >= fine.max() / 2)
    return float(above[-1] - above[0]) * 0.1


def test_a_bent_edge_adds_the_square_of_the_shift():
    """Shifts 0, 20, 30 ps and 0.01 a ps: lateness 0, 20 + 4, 30 + 9 ps."""
    walk = ((10_000, 20.0), (20_000, 20.0), (40_000, 10.0), (50_000, 0.0))
    config = DetectorConfig(
        dead_time_ps=1000,
        recovery_ps=1.0,
        jitter_sigma_ps=0.0,
        jitter_tau_ps=0.0,
        walk=walk,
        walk_curvature_per_ps=0.01,
    )
    photons = np.array([10**6, 10**6 + 20_000, 10**6 + 40_000, 10**7], np.int64)
    late = Pixel(config, 1, "ch").click(photons, 10**8) - photons
    assert late.tolist() == [0, 24, 39, 0]


@pytest.mark.skipif(not HISTOGRAMS.is_file(), reason="the measured histograms are not here")
@pytest.mark.parametrize("attenuation_db", [64, 68, 72, 76, 80, 84])
def test_measured_arrival_histograms(attenuation_db):
    """Pulsed light at six rates: width within 5 %, area between measured and simulated histogram, best aligned, below 3 %."""
    measured = json.loads(HISTOGRAMS.read_text())[str(attenuation_db)]
    at, weight = np.array(measured["histx"], int), np.array(measured["histy"], float)
    begin = -101 if attenuation_db < 84 else -122
    expected = weight[(at >= begin) & (at < begin + BINS)]
    expected = expected / expected.sum()
    rate_hz = LIGHT_HZ[attenuation_db]
    times = clicks(load_detector("nbn_time_walk"), rate_hz, 2e6 / rate_hz, seed=5, period_ps=PERIOD_PS)
    phase = times % PERIOD_PS * (BINS / PERIOD_PS)
    best, found = min(
        (float(np.abs(np.roll(h, shift) - expected).sum()), tuple(h))
        for h in (np.bincount(((phase + part) % BINS).astype(int), minlength=BINS) / len(times) for part in TENTHS)
        for shift in range(BINS)
    )
    assert width_ps(np.array(found)) == pytest.approx(width_ps(expected), rel=0.05)
    assert best < 0.03
