"""Splitting jitter into its parts, and taking time walk out, against simulated devices."""

from __future__ import annotations

import math

import numpy as np
import pytest

from erbia.analysis.errors import UsageError
from erbia.analysis.jitter import fit_jitter
from erbia.analysis.jitter_budget import (
    Response,
    combine_responses,
    quantisation_rms,
    remaining_response,
    remaining_rms,
    split_two_channels,
    three_cornered_hat,
)
from erbia.analysis.records import Estimate
from erbia.analysis.time_walk import TimeWalk, calibrate_time_walk

EVENTS = 20_000


def rms_of(differences: np.ndarray) -> Estimate:
    rms, n = float(np.std(differences)), len(differences)
    std = rms / math.sqrt(2 * n)
    return Estimate(rms, rms - 1.96 * std, rms + 1.96 * std, 0.95, std, n, "sample rms", "ps")


def test_three_cornered_hat_finds_each_device() -> None:
    rng = np.random.default_rng(1)
    truth = (12.0, 20.0, 5.0)
    a, b, c = (rng.normal(0, sigma, (3, EVENTS)) for sigma in truth)
    # Each pair is measured in its own run.
    for estimate, sigma in zip(
        three_cornered_hat(rms_of(a[0] - b[0]), rms_of(a[1] - c[1]), rms_of(b[2] - c[2])), truth, strict=True
    ):
        assert abs(estimate.value - sigma) < 4 * estimate.std
        assert estimate.lower <= estimate.value <= estimate.upper


def test_a_device_too_quiet_to_see_gets_an_upper_limit() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(0, 30.0, (3, 500)), rng.normal(0, 30.0, (3, 500))
    quiet = three_cornered_hat(rms_of(a[0] - b[0]), rms_of(a[1]), rms_of(b[2]))[2]
    assert quiet.lower == 0.0
    assert 0 < quiet.upper < 20


def test_devices_that_are_not_independent_are_noticed() -> None:
    def sure(rms: float) -> Estimate:
        return Estimate(rms, rms - 0.1, rms + 0.1, 0.95, 0.05, 1000, "", "ps")

    with pytest.raises(UsageError, match="not independent"):
        three_cornered_hat(sure(10.0), sure(10.0), sure(30.0))


def test_two_channels_and_known_parts() -> None:
    rng = np.random.default_rng(3)
    tagger, detector = 8.0, 18.0
    channel = split_two_channels(rms_of(rng.normal(0, tagger, EVENTS) - rng.normal(0, tagger, EVENTS)))
    assert abs(channel.value - tagger) < 4 * channel.std
    total = rms_of(rng.normal(0, tagger, EVENTS) + rng.normal(0, detector, EVENTS))
    left = remaining_rms(total, channel)
    assert abs(left.value - detector) < 4 * left.std


def test_cumulants_recover_the_detector_behind_a_laser_and_a_tagger() -> None:
    rng = np.random.default_rng(4)
    detector, laser, tagger = Response(math.hypot(12.0, 9.0), 9.0), Response(6.0), Response(10.0)
    delays = rng.normal(0, 12.0, 200_000) + rng.exponential(9.0, 200_000)
    delays += rng.normal(0, 6.0, 200_000) + rng.normal(0, 10.0, 200_000)
    left = remaining_response(fit_jitter(np.floor(delays).astype(np.int64)), laser, tagger)
    assert left.rms_ps == pytest.approx(detector.rms_ps, rel=0.01)
    assert left.tau_ps == pytest.approx(detector.tau_ps, rel=0.05)
    assert left.fwhm_ps == pytest.approx(detector.fwhm_ps, rel=0.03)
    whole = combine_responses(detector, laser, tagger)
    assert whole.rms_ps**2 == pytest.approx(12**2 + 9**2 + 6**2 + 10**2)
    assert whole.tau_ps == pytest.approx(9.0)
    with pytest.raises(UsageError, match="exceed the measured"):
        remaining_response(fit_jitter(np.floor(delays).astype(np.int64)), Response(60.0))


def test_quantisation() -> None:
    rng = np.random.default_rng(5)
    t = rng.uniform(0, 1e6, 100_000)
    assert np.std(t - np.round(t / 25) * 25) == pytest.approx(quantisation_rms(25.0), rel=0.01)
    with pytest.raises(UsageError, match="does not fit"):
        Response(3.0, 4.0)


def test_time_walk_is_measured_and_taken_out() -> None:
    rng = np.random.default_rng(6)
    pulse_ps = np.cumsum(rng.geometric(0.1, 50_000)) * 10_000
    clicks = pulse_ps.astype(float)
    gaps = np.diff(clicks, prepend=clicks[0] - 1e9)
    late = 60 * np.exp(-gaps / 30_000)
    t_ps = np.rint(clicks + late + rng.normal(0, 10, len(clicks))).astype(np.int64)
    delay, gap = (t_ps - pulse_ps)[1:], np.diff(t_ps)
    walk = calibrate_time_walk(delay, gap)
    corrected = walk.correct(t_ps) - pulse_ps
    assert np.std(t_ps - pulse_ps) > 15
    assert np.std(corrected) == pytest.approx(10, rel=0.05)
    assert walk.shift_ps[0] == pytest.approx(60 * math.exp(-1 / 3), rel=0.1)
    assert np.all(np.diff(walk.shift_ps) <= 0)


def test_time_walk_needs_enough_clicks() -> None:
    with pytest.raises(UsageError, match="at least 800"):
        calibrate_time_walk(np.zeros(100, np.int64), np.ones(100, np.int64))
    with pytest.raises(UsageError, match="positive gap"):
        calibrate_time_walk(np.zeros(1000, np.int64), np.zeros(1000, np.int64))
    walk = TimeWalk(np.array([1e3, 1e6]), np.array([10.0, 0.0]))
    assert walk.correct(np.array([5], np.int64)).tolist() == [5]
