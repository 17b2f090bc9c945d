"""Two-way offset, round trip, asymmetry and the delay monitor."""

import numpy as np
import pytest

from erbia.analysis.clock_two_way import Asymmetry, DelayMonitor, fibre_asymmetry, two_way, watch
from erbia.analysis.errors import UsageError
from erbia.analysis.records import ClockModel

T = np.array([0, 10**12], np.int64)


def models(theta: float, d_ab: float, d_ba: float, skew: float = 0.0) -> tuple[ClockModel, ClockModel]:
    variance = np.diag([9.0, 0, 0])
    return ClockModel(theta + d_ab, skew, covariance=variance), ClockModel(-theta + d_ba, -skew, covariance=variance)


def test_separates_clock_and_path() -> None:
    result = two_way(*models(1000.0, 50_000.0, 50_000.0), T, Asymmetry())
    np.testing.assert_allclose(result.offset_ps, 1000.0)
    np.testing.assert_allclose(result.round_trip_ps, 100_000.0)
    np.testing.assert_allclose(result.offset_std_ps, np.sqrt(18) / 2)
    assert result.systematic_ps == 0


def test_symmetric_delay_moves_only_the_round_trip_asymmetric_only_the_offset() -> None:
    before = two_way(*models(0.0, 500.0, 500.0), T, Asymmetry())
    both = two_way(*models(0.0, 510.0, 510.0), T, Asymmetry())
    hidden = two_way(*models(0.0, 510.0, 490.0), T, Asymmetry())
    np.testing.assert_allclose(both.offset_ps, before.offset_ps)
    np.testing.assert_allclose(both.round_trip_ps - before.round_trip_ps, 20)
    np.testing.assert_allclose(hidden.round_trip_ps, before.round_trip_ps)
    np.testing.assert_allclose(hidden.offset_ps - before.offset_ps, 10)
    assert "cannot be seen" in hidden.note


def test_systematic_stays_out_of_the_error_bar() -> None:
    budget = fibre_asymmetry(100.0, 0.2)
    assert budget.dispersion_ps == pytest.approx(340)
    assert budget.offset_bound_ps == pytest.approx(170.5)
    with_budget = two_way(*models(0.0, 1.0, 1.0), T, budget)
    without = two_way(*models(0.0, 1.0, 1.0), T, Asymmetry())
    np.testing.assert_array_equal(with_budget.offset_std_ps, without.offset_std_ps)
    assert with_budget.systematic_ps == budget.offset_bound_ps


def test_monitor_alarms_at_five_sigmas_and_says_what_it_cannot_see() -> None:
    monitor = DelayMonitor(1000.0, 1.0)
    monitor, calm = watch(monitor, 0, 1001.0, 1.0)
    assert not calm.alarm
    assert "cannot be seen" in calm.note
    same, alarm = watch(monitor, 1, 1010.0, 1.0)
    assert alarm.alarm
    assert same is monitor


def test_quiet_noise_raises_no_alarm() -> None:
    # 2000 values, threshold 5 sigma: false alarm probability 1e-3.
    rng = np.random.default_rng(7)
    monitor = DelayMonitor(float(rng.normal(0, 2)), 2.0)
    for k in range(2000):
        monitor, alarm = watch(monitor, k, float(rng.normal(0, 2)), 2.0)
        assert not alarm.alarm
    assert monitor.std_ps == pytest.approx(2 / np.sqrt(2001))


def test_refuses_negative_length() -> None:
    with pytest.raises(UsageError, match="length_km"):
        fibre_asymmetry(-1.0, 0.0)
