"""The merge kernels against numpy's bisection."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from erbia.analysis.kernels.search import BLOCK, count_below, first_at_or_after, lower_bounds


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


def test_first_at_or_after():
    t = np.array([1, 1, 4], np.int64)
    assert [first_at_or_after(t, x, 0, 3) for x in (0, 1, 2, 4, 5)] == [0, 0, 2, 2, 3]
