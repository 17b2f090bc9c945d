"""The pair kernels against the definition, from one click to many blocks, wherever their inner paths change."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erbia.analysis.kernels.division import DIVIDEND_LIMIT, reciprocal
from erbia.analysis.kernels.pairs import (
    BLOCK,
    any_pairs,
    count_below,
    count_between,
    first_at_or_after,
    lower_bounds,
    narrow_pairs,
    wide_pairs,
)


def definition(t_a, t_b, range_ps, bin_ps):
    """All pairs, listed and binned."""
    low, high = np.searchsorted(t_b, t_a - range_ps), np.searchsorted(t_b, t_a + range_ps)
    n = high - low
    a = np.repeat(t_a, n)
    b = t_b[np.repeat(high - np.cumsum(n), n) + np.arange(n.sum())]
    return np.bincount((b - a + range_ps) // bin_ps, minlength=2 * range_ps // bin_ps)


def counted(kernel, t_a, t_b, range_ps, bin_ps):
    guarded = np.zeros(2 * range_ps // bin_ps + 2, np.int64)
    counts = guarded[1:-1]
    if kernel is any_pairs:
        kernel(t_a, t_b, range_ps, bin_ps, counts)
    else:
        multiplier, shift = map(np.uint64, reciprocal(bin_ps))
        kernel(t_a, t_b, range_ps, bin_ps, multiplier, shift, counts)
    assert guarded[0] == guarded[-1] == 0, "written beyond the histogram"
    return counts


KERNELS = pytest.mark.parametrize("kernel", [any_pairs, narrow_pairs, wide_pairs])


@KERNELS
@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    n_a=st.sampled_from([0, 1, 300, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 17]),
    n_b=st.sampled_from([0, 1, 2, 3, 4, 500, BLOCK, 9000, 20_000]),
    gap=st.sampled_from([0, 1, 3, 40]),
    margin=st.sampled_from([-3000, -5, 0, 5, 3000]),
    origin=st.sampled_from([0, -50_000, 2**62 - 100_000, 2**62 + 2**61 - 10**6, -(2**62)]),
    bin_ps=st.integers(1, 7),
    half=st.integers(1, 12),
)
def test_kernel_equals_the_definition(kernel, seed, n_a, n_b, gap, margin, origin, bin_ps, half):
    """``t_b`` is spread over the time of ``t_a``, longer or shorter by ``margin`` at both ends."""
    rng = np.random.default_rng(seed)
    if gap == 0:  # all at one instant: keep the number of pairs small
        n_a, n_b = min(n_a, 300), min(n_b, 500)
    t_a = origin + np.cumsum(rng.integers(0, gap + 1, n_a))
    first, last = (int(t_a[0]), int(t_a[-1])) if n_a else (origin, origin)
    t_b = np.sort(rng.integers(first - margin, max(last + margin, first - margin) + 1, n_b))
    range_ps = bin_ps * half
    assert np.array_equal(counted(kernel, t_a, t_b, range_ps, bin_ps), definition(t_a, t_b, range_ps, bin_ps))


@KERNELS
def test_bursts_longer_than_every_buffer(kernel):
    rng = np.random.default_rng(5)
    t_a = np.sort(rng.integers(0, 10**8, 3 * BLOCK))
    t_b = np.sort(np.concatenate([rng.integers(0, 10**8, 3 * BLOCK), np.full(7000, 5 * 10**7), [10**8] * 5000]))
    assert np.array_equal(counted(kernel, t_a, t_b, 90_000, 300), definition(t_a, t_b, 90_000, 300))


@KERNELS
def test_more_pairs_in_a_bin_than_16_bits_hold(kernel):
    t_a = np.arange(400, dtype=np.int64)
    t_b = np.sort(np.concatenate([t_a, t_a, [1000]]))
    assert np.array_equal(counted(kernel, t_a, t_b, 500, 500), definition(t_a, t_b, 500, 500))
    assert definition(t_a, t_b, 500, 500).min() > 2**16


@KERNELS
def test_bin_edges_are_half_open(kernel):
    t_b = np.array([-30, -21, -20, -11, -10, -1, 0, 9, 10, 19, 20], np.int64)
    assert counted(kernel, np.zeros(1, np.int64), t_b, 20, 10).tolist() == [2, 2, 2, 2]


def test_times_at_opposite_ends_do_not_meet():
    far = 3 * 2**61
    assert counted(narrow_pairs, np.full(2 * BLOCK, -far), np.full(2 * BLOCK, far), 1000, 10).sum() == 0
    assert counted(wide_pairs, np.full(2 * BLOCK, far), np.full(2 * BLOCK, -far), 1000, 10).sum() == 0


@settings(max_examples=300, deadline=None)
@given(divisor=st.integers(1, 2**31), dividend=st.integers(0, DIVIDEND_LIMIT - 1))
def test_reciprocal_divides_exactly(divisor, dividend):
    multiplier, shift = reciprocal(divisor)
    assert multiplier < 2**32
    for u in {dividend, dividend // divisor * divisor, max(dividend // divisor * divisor - 1, 0), DIVIDEND_LIMIT - 1}:
        assert (u * multiplier) >> shift == u // divisor


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    n_a=st.sampled_from([4, 12, 400, BLOCK]),
    n_b=st.sampled_from([1, 2, 30, 5000]),
    gap_a=st.sampled_from([0, 2, 30]),
    gap_b=st.sampled_from([0, 2, 30]),
    shift_ps=st.integers(-200, 200),
)
def test_lower_bounds_are_those_of_bisection(seed, n_a, n_b, gap_a, gap_b, shift_ps):
    rng = np.random.default_rng(seed)
    t_a = np.cumsum(rng.integers(0, gap_a + 1, n_a))
    t_b = np.append(np.cumsum(rng.integers(0, gap_b + 1, n_b)), max(t_a[-1] + shift_ps, n_b * gap_b))
    bounds = np.empty(n_a, np.uint64)
    last = lower_bounds(t_a, t_b, shift_ps, 0, bounds)
    expected = np.searchsorted(t_b, t_a + shift_ps)
    assert np.array_equal(bounds, expected)
    assert last == expected[-1]


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    n_a=st.sampled_from([0, 1, 5, BLOCK, 2 * BLOCK + 100]),
    n_b=st.sampled_from([0, 1, 5, BLOCK, 9000]),
    gap=st.sampled_from([0, 1, 20]),
    origin=st.sampled_from([0, 2**62, -(2**62)]),
    shift_ps=st.sampled_from([-(2**60), -40_000, -3, 0, 1, 40_000, 2**60]),
)
def test_count_below_is_the_sum_of_bounds(seed, n_a, n_b, gap, origin, shift_ps):
    rng = np.random.default_rng(seed)
    t_a = origin + np.cumsum(rng.integers(0, gap + 1, n_a))
    t_b = origin + np.cumsum(rng.integers(0, gap + 1, n_b))
    assert count_below(t_a, t_b, shift_ps) == np.searchsorted(t_b, t_a + shift_ps).sum()


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    n_a=st.sampled_from([0, 1, 5, BLOCK, 2 * BLOCK + 100]),
    n_b=st.sampled_from([0, 1, 2, 5, BLOCK, 9000]),
    gap=st.sampled_from([1, 20]),
    origin=st.sampled_from([0, 2**62, -(2**62)]),
    low_ps=st.sampled_from([-40_000, -3, 0, 1, 40_000, -(2**60), 2**60]),
    width_ps=st.integers(1, 30),
)
def test_count_between_is_the_difference_of_bounds(seed, n_a, n_b, gap, origin, low_ps, width_ps):
    rng = np.random.default_rng(seed)
    t_a = origin + np.cumsum(rng.integers(0, gap + 1, n_a))
    t_b = origin + np.cumsum(rng.integers(0, gap + 1, n_b))
    expected = (np.searchsorted(t_b, t_a + low_ps + width_ps) - np.searchsorted(t_b, t_a + low_ps)).sum()
    assert count_between(t_a, t_b, low_ps, low_ps + width_ps) == expected


def test_first_at_or_after():
    t = np.array([1, 1, 4], np.int64)
    assert [first_at_or_after(t, x, 0, 3) for x in (0, 1, 2, 4, 5)] == [0, 0, 2, 2, 3]
