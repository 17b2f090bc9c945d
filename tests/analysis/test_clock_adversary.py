"""Streams that fool a search for a correlation peak: the answer is right or "not found", never silently wrong."""

from collections.abc import Callable

import numpy as np
import pytest

from erbia.analysis.clock_model import offset_at, offset_std_at
from erbia.analysis.clock_sync import SyncResult, synchronize
from erbia.analysis.records import PS_PER_S

OFFSET_PS = 3_000_000_000
SKEW = 4e-7
SPAN_PS = PS_PER_S
PULSE_PS = 12_500.0

Side = Callable[[np.random.Generator], np.ndarray]


def steady(rng: np.random.Generator, rate_hz: float) -> np.ndarray:
    return rng.uniform(0, SPAN_PS, rng.poisson(rate_hz * SPAN_PS / PS_PER_S))


def pulsed(rng: np.random.Generator, rate_hz: float, period_ps: float = PULSE_PS) -> np.ndarray:
    return np.floor(steady(rng, rate_hz) / period_ps) * period_ps + rng.normal(0, 60)


def gated(rng: np.random.Generator) -> np.ndarray:
    """Clicks in 1 us every 12 us, as in attempts on a memory."""
    t = steady(rng, 1e6)
    return t[t % 12e6 < 1e6]


def thermal(rng: np.random.Generator) -> np.ndarray:
    """Light whose intensity is exponentially distributed, anew every microsecond."""
    level = rng.exponential(1.0, SPAN_PS // 10**6)
    counts = rng.poisson(0.1 * level)
    return (np.repeat(np.arange(len(level)), counts) + rng.random(counts.sum())) * 1e6


def flashes(rng: np.random.Generator, starts_ps: np.ndarray) -> np.ndarray:
    """60 clicks in 2 us at each start, among 20 kcps."""
    flash = (starts_ps[:, None] + rng.uniform(0, 2e6, (len(starts_ps), 60))).ravel()
    return np.concatenate((flash, steady(rng, 20e3)))


def after_pulsing(rng: np.random.Generator) -> np.ndarray:
    t = steady(rng, 50e3)
    again = t[rng.random(len(t)) < 0.3]
    return np.concatenate((t, again + 25_000 + rng.exponential(60_000, len(again))))


def searched(a: np.ndarray, b: np.ndarray, *, skew: float = SKEW, tick_ps: int = 1) -> SyncResult:
    on_b = b * (1 + skew) + OFFSET_PS
    ticks = (np.sort(np.rint(t / tick_ps).astype(np.int64)) * tick_ps for t in (a, on_b))
    return synchronize(*ticks, max_offset_s=0.02, max_ppm=2.0, max_work=1e7)


@pytest.mark.parametrize(
    "side",
    [
        lambda rng: pulsed(rng, 200e3),
        lambda rng: pulsed(rng, 50e3, 1e6),
        gated,
        thermal,
        after_pulsing,
        lambda rng: flashes(rng, steady(rng, 20.0)),
        lambda rng: flashes(rng, np.arange(rng.uniform(0, 2e10), SPAN_PS, 2e10)),
    ],
    ids=["80 MHz laser", "1 MHz laser", "gates", "thermal", "after-pulses", "bursts", "flashes"],
)
def test_light_without_pairs_gives_no_lock(side: Side) -> None:
    rng = np.random.default_rng(1)
    result = searched(side(rng), side(rng))
    assert not result.found
    assert result.reason


def with_pairs(rng: np.random.Generator, pairs: np.ndarray, side: Side) -> tuple[np.ndarray, np.ndarray]:
    a, b = (np.concatenate((pairs + rng.normal(0, 60, len(pairs)), side(rng))) for _ in "ab")
    return a, b


def error_ps(result: SyncResult, t_ps: int = SPAN_PS // 5) -> tuple[float, float]:
    assert result.model is not None, result.reason
    t = np.array([t_ps])
    return float((offset_at(t, result.model) - OFFSET_PS - SKEW * t)[0]), float(offset_std_at(t, result.model)[0])


@pytest.mark.parametrize(
    "side", [thermal, after_pulsing, lambda rng: steady(rng, 50e3)], ids=["thermal", "after", "dark"]
)
def test_pairs_are_found_among_it(side: Side) -> None:
    rng = np.random.default_rng(2)
    error, std = error_ps(searched(*with_pairs(rng, steady(rng, 5e3), side)))
    assert abs(error) < 6 * std < 30


def test_the_right_pulse_of_a_pulsed_source_is_found() -> None:
    rng = np.random.default_rng(3)
    pairs = pulsed(rng, 5e3)
    error, std = error_ps(searched(*with_pairs(rng, pairs, lambda r: pulsed(r, 100e3))))
    assert abs(error) < 100  # each side's pulses lie up to 60 ps off
    assert std < 5


def test_pulses_not_told_apart_are_said_to_be() -> None:
    rng = np.random.default_rng(4)
    result = searched(*with_pairs(rng, pulsed(rng, 100.0), lambda r: pulsed(r, 200e3)))
    assert not result.found
    assert "not told from" in result.reason


def test_bursts_are_said_to_be() -> None:
    rng = np.random.default_rng(5)
    a, b = (flashes(rng, steady(rng, 20.0)) for _ in "ab")
    assert "flashes" in searched(a, b).reason


@pytest.mark.slow
def test_pairs_in_a_part_of_the_record_are_found() -> None:
    rng = np.random.default_rng(6)
    pairs = steady(rng, 20e3)
    error, std = error_ps(searched(*with_pairs(rng, pairs[pairs < 0.4 * SPAN_PS], lambda r: steady(r, 20e3))))
    assert abs(error) < 6 * std


def test_coarse_ticks_of_one_clock_count_in_the_error() -> None:
    rng = np.random.default_rng(7)
    a, b = with_pairs(rng, steady(rng, 5e3), lambda r: steady(r, 50e3))
    result = searched(a, b, skew=0.0, tick_ps=1000)
    assert result.offset_ps == pytest.approx(OFFSET_PS, abs=500)
    assert result.offset_std_ps == pytest.approx(1000 / np.sqrt(6), rel=0.1)


def test_ticks_alone_are_no_peak() -> None:
    rng = np.random.default_rng(8)
    assert not searched(steady(rng, 100e3), steady(rng, 100e3), skew=0.0, tick_ps=4000).found
