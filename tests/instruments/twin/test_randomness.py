"""Arrivals, waveforms and clocks: right distributions, and the same numbers however time is cut."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import exponnorm, kstest

from erbia.analysis.records import PS_PER_S
from erbia.instruments.mock import load_clock
from erbia.instruments.twin.clocks import Clock
from erbia.instruments.twin.config import ClockConfig
from erbia.instruments.twin.streams import Arrivals, key, stream
from erbia.instruments.twin.waveforms import emg_cdf, photon_cdf, time_table


def test_arrivals_do_not_depend_on_cutting():
    whole = Arrivals(key(1, "a"), 0, 1e5).take_until(10**12)
    cut = Arrivals(key(1, "a"), 0, 1e5)
    parts = [cut.take_until(t) for t in range(10**10, 10**12 + 1, 10**10)]
    assert np.array_equal(whole, np.concatenate(parts))
    assert kstest(np.diff(whole) / 1e7, "expon").pvalue > 1e-3


def test_arrivals_follow_a_change_of_rate():
    arrivals = Arrivals(key(2, "a"), 0, 1e4)
    before = arrivals.take_until(10**12)
    arrivals.set_rate(10**12, 1e6)
    after = arrivals.take_until(2 * 10**12)
    arrivals.set_rate(2 * 10**12, 0.0)
    assert not len(arrivals.take_until(3 * 10**12))
    assert abs(len(before) - 1e4) < 450
    assert abs(len(after) - 1e6) < 4500
    assert before[-1] < 10**12 <= after[0]


def test_a_picosecond_stays_one_after_a_week():
    week = 7 * 86400 * PS_PER_S
    arrivals = Arrivals(key(3, "a"), week, 1e9)
    times = arrivals.take_until(week + 10**8)
    assert kstest((times - week) / 1e8, "uniform").pvalue > 1e-3
    assert np.unique(times % 10).size == 10


def test_streams_are_named():
    assert stream(1, "a").random() == stream(1, "a").random()
    assert (
        len({stream(1, "a").random(), stream(1, "b").random(), stream(2, "a").random(), stream(1, "a", 1).random()})
        == 4
    )


@pytest.mark.parametrize(("sigma", "tau"), [(16.0, 10.0), (3.0, 50.0), (20.0, 0.3)])
def test_emg_agrees_with_scipy(sigma, tau):
    t = np.linspace(-8 * sigma, 8 * sigma + 20 * tau, 2001)
    assert np.allclose(emg_cdf(t, sigma, tau), exponnorm.cdf(t, tau / sigma, scale=sigma), atol=1e-9)


def test_photon_delay_is_decay_plus_detector():
    rng = np.random.default_rng(1)
    sample = rng.exponential(800, 200_000) + rng.normal(0, 16, 200_000) + rng.exponential(10, 200_000)
    assert kstest(sample, lambda t: photon_cdf(t, 800, 16, 10)).pvalue > 1e-3


def test_table_draws_the_distribution_within_its_intervals():
    table = time_table(lambda t: emg_cdf(t - 500, 16, 10), ((400, 490), (510, 700)), 500 + np.linspace(-160, 400, 801))
    drawn = table.draw(np.random.default_rng(2).random(100_000))
    assert not np.any((drawn > 490) & (drawn < 510))
    low, high = emg_cdf(np.array([-100.0, -10.0]), 16, 10), emg_cdf(np.array([10.0, 200.0]), 16, 10)
    share = (low[1] - low[0]) / (low[1] - low[0] + high[1] - high[0])
    assert np.mean(drawn < 500) == pytest.approx(share, abs=0.007)


def test_clock_reads_offset_and_skew_exactly():
    clock = Clock(ClockConfig(offset_ps=12345, skew=1e-6), stream(0, "c"))
    t = np.array([0, 10**12, 3600 * 10**12], np.int64)
    assert clock.read(t).tolist() == [12345, 10**12 + 10**6 + 12345, 3600 * 10**12 + 3600 * 10**6 + 12345]


def test_clock_noise_has_the_allan_deviation_asked_for():
    clock = Clock(ClockConfig(white_frequency=1e-11), stream(4, "c"))
    t = np.arange(4000, dtype=np.int64) * PS_PER_S
    x = np.concatenate([clock.read(t[k : k + 5]) for k in range(0, 4000, 5)]) - t
    deviation = np.sqrt(np.mean(np.diff(x, 2) ** 2) / 2) / PS_PER_S
    assert deviation == pytest.approx(1e-11, rel=0.08)
    walking = Clock(ClockConfig(random_walk_frequency=1e-12), stream(5, "c"))
    x = np.concatenate([walking.read(t[k : k + 5]) for k in range(0, 4000, 5)]) - t
    deviation = np.sqrt(np.mean(np.diff(x, 2) ** 2) / 2) / PS_PER_S
    assert deviation == pytest.approx(1e-12, rel=0.1)


def test_clock_line_is_the_realised_one():
    clock = Clock(ClockConfig(offset_ps=1000, skew=1e-7, white_frequency=1e-10), stream(6, "c"))
    t = np.arange(0, 30 * PS_PER_S + 1, PS_PER_S // 10, dtype=np.int64)
    shift = np.concatenate([clock.read(t[k : k + 50]) for k in range(0, len(t), 50)]) - t
    slope, start = np.polyfit(t / 1e12, shift, 1)
    offset, skew = clock.line(0, 30 * PS_PER_S)
    assert offset == pytest.approx(start, abs=60)
    assert skew * 1e12 == pytest.approx(slope, abs=6)


def phase_ps(name: str, seconds: int) -> np.ndarray:
    clock = Clock(load_clock(name), stream(7, name))
    t = np.arange(seconds, dtype=np.int64) * PS_PER_S
    return np.concatenate([clock.read(t[k : k + 5]) for k in range(0, seconds, 5)]) - t


@pytest.mark.parametrize(("name", "deviation"), [("ocxo", 1e-11), ("rubidium", 3e-11)])
def test_free_clocks_have_the_deviation_of_their_kind_at_one_second(name, deviation):
    x = phase_ps(name, 4000)
    assert np.sqrt(np.mean(np.diff(x, 2) ** 2) / 2) / PS_PER_S == pytest.approx(deviation, rel=0.1)


def test_disciplined_clocks_stay_with_their_reference():
    """Steered white frequency noise is an Ornstein-Uhlenbeck phase of rms sigma_y(1 s)·sqrt(tau/2)."""
    white_rabbit = phase_ps("white_rabbit", 4000)
    assert np.std(white_rabbit) == pytest.approx(np.hypot(7, 1e-11 * np.sqrt(0.5) * 1e12), rel=0.1)
    assert 5 < np.std(white_rabbit) < 20
    x = phase_ps("gpsdo", 40_000)[::1000]
    at_1000_s = np.sqrt(np.mean(np.diff(x, 2) ** 2) / 2) / 1000 / PS_PER_S
    assert at_1000_s == pytest.approx(1e-12, rel=0.5)
