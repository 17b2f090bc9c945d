"""Photon statistics against independent formulas, exact coverage and simulated light."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom, poisson

from erbia.analysis import photons
from erbia.analysis.errors import UsageError
from erbia.analysis.records import CorrelationHistogram, Estimate


def sure(value: float, std: float = 0.01) -> Estimate:
    return Estimate(value, value - 1.96 * std, value + 1.96 * std, 0.95, std, 1000, "given")


def test_ratio_interval_never_covers_less_than_it_claims() -> None:
    # The exact coverage, summed over every outcome, for small means.
    for mean_a, mean_b in ((0.5, 3.0), (2.0, 2.0), (6.0, 1.5), (9.0, 9.0)):
        truth, covered = mean_a / mean_b, 0.0
        for a in range(40):
            for b in range(40):
                if a + b == 0:
                    chance, hit = poisson.pmf(0, mean_a) * poisson.pmf(0, mean_b), True
                else:
                    e = photons.poisson_ratio(a, b)
                    chance, hit = poisson.pmf(a, mean_a) * poisson.pmf(b, mean_b), e.lower <= truth <= e.upper
                covered += chance * hit
        assert covered >= 0.95


def test_ratio_interval_is_the_exact_binomial_one() -> None:
    e = photons.poisson_ratio(7, 11)
    for end, tail in (
        (e.lower, binom.sf(6, 18, e.lower / (1 + e.lower))),
        (e.upper, binom.cdf(7, 18, e.upper / (1 + e.upper))),
    ):
        assert tail == pytest.approx(0.025, abs=1e-6), end


def test_zero_and_one_count() -> None:
    none = photons.poisson_ratio(0, 10)
    assert none.lower == none.value == 0
    assert 0.3 < none.upper < 0.5
    assert photons.poisson_ratio(3, 0).upper == math.inf
    assert photons.heralded_g2(10_000, 100, 100, 0).upper > photons.heralded_g2(10_000, 1000, 1000, 0).upper > 0
    one = photons.heralded_g2(10_000, 100, 100, 1)
    assert one.value == 1.0
    assert one.lower < 0.1
    assert one.upper > 5


def test_heralded_g2_has_the_published_error_when_counts_are_many() -> None:
    e = photons.heralded_g2(1_000_000, 50_000, 40_000, 400)
    assert e.value == pytest.approx(400 * 1e6 / (5e4 * 4e4))
    assert e.std == pytest.approx(e.value * math.sqrt(1 / 400 + 1e-6 + 1 / 5e4 + 1 / 4e4))
    assert e.upper - e.value == pytest.approx(1.96 * e.std, rel=0.1)


def test_heralded_g2_covers() -> None:
    # 1,000 draws at 95 %: fewer than 925 hits has a chance below 1e-3.
    rng = np.random.default_rng(1)
    hits, truth = 0, 0.2
    for _ in range(1000):
        n, n1, n2 = 100_000, *rng.poisson((2000, 1500))
        e = photons.heralded_g2(n, int(n1), int(n2), int(rng.poisson(truth * 2000 * 1500 / n)))
        hits += e.lower <= truth <= e.upper
    assert hits >= 925


def pulsed(center: float, side: float, seed: int = 1) -> CorrelationHistogram:
    lag_ps = np.arange(-50_000, 50_000, 100, dtype=np.int64)
    mean = np.zeros(len(lag_ps))
    for order in range(-4, 5):
        mean += (
            (center if order == 0 else side)
            * 100
            / (500 * math.sqrt(2 * math.pi))
            * np.exp(-((lag_ps + 50 - order * 10_000) ** 2) / (2 * 500.0**2))
        )
    return CorrelationHistogram(lag_ps, np.random.default_rng(seed).poisson(mean), 100, 10**5, 10**5, 10**12)


def test_pulsed_g2_sums_whole_peaks() -> None:
    e = photons.pulsed_g2(pulsed(30, 1000), period_ps=10_000, window_ps=5_000)
    assert abs(e.value - 0.03) < 4 * e.std
    assert "8 side peaks" in e.method
    with pytest.raises(UsageError, match="no side peak"):
        photons.pulsed_g2(pulsed(30, 1000), period_ps=60_000, window_ps=5_000)
    with pytest.raises(UsageError, match="window must lie"):
        photons.pulsed_g2(pulsed(30, 1000), period_ps=10_000, window_ps=20_000)


def test_car_and_klyshko() -> None:
    assert photons.coincidence_to_accidental(500, 50, 10).value == 100
    raw, net = photons.klyshko_efficiency(300, 1000), photons.klyshko_efficiency(300, 1000, 50.0)
    assert (raw.value, net.value) == (0.3, pytest.approx(0.25))
    assert net.upper - net.lower == pytest.approx(raw.upper - raw.lower)
    assert photons.klyshko_efficiency(1, 1000, 5.0).value == 0.0
    with pytest.raises(UsageError, match="accidentals"):
        photons.klyshko_efficiency(3, 10, -1.0)


def test_cauchy_schwarz_follows_first_order_propagation() -> None:
    e = photons.cauchy_schwarz(sure(5.0), sure(1.9), sure(2.0))
    assert e.value == pytest.approx(25 / 3.8)
    relative = math.sqrt((2 * 0.01 / 5) ** 2 + (0.01 / 1.9) ** 2 + (0.01 / 2) ** 2)
    assert e.std == pytest.approx(e.value * relative, rel=0.01)
    with pytest.raises(UsageError, match="positive"):
        photons.cauchy_schwarz(sure(5.0), sure(0.0), sure(2.0))


def test_hom_visibility_and_indistinguishability() -> None:
    v = photons.hom_visibility(120, 1000, 1.0)
    assert v.value == pytest.approx(0.88)
    assert v.lower < 0.88 < v.upper < 1
    m = photons.indistinguishability(sure(0.88), sure(0.02, 0.002))
    assert m.value == pytest.approx(0.9 / 0.98)
    assert photons.hom_visibility(0, 30).upper == 1.0
    assert photons.hom_visibility(40, 20).value < 0
    with pytest.raises(UsageError, match="outside the dip"):
        photons.hom_visibility(0, 0)
    with pytest.raises(UsageError, match="single photons"):
        photons.indistinguishability(sure(0.5), sure(1.0))


def test_accidentals_match_two_independent_streams() -> None:
    rng = np.random.default_rng(2)
    live_ps = 10**12
    a, b = (np.sort(rng.integers(0, live_ps, n)) for n in (200_000, 300_000))
    seen = int(np.sum(np.searchsorted(b, a + 500) - np.searchsorted(b, a - 500)))
    e = photons.accidental_coincidences(len(a), len(b), 1000, live_ps)
    # The number seen is Poisson about e.value = 60.
    assert poisson.cdf(seen, e.value) > 1e-4
    assert poisson.sf(seen - 1, e.value) > 1e-4
    assert photons.accidental_coincidences(0, 10, 1000, live_ps).upper > 0


def test_live_rate_undoes_dead_time() -> None:
    true_hz, dead_ps = 5e6, 50_000
    recorded = true_hz / (1 + true_hz * dead_ps * 1e-12)
    assert photons.live_rate(recorded, dead_ps) == pytest.approx(true_hz)
    with pytest.raises(UsageError, match="cannot be recorded"):
        photons.live_rate(3e7, dead_ps)
