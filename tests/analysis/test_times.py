"""What is accepted as times, windows and bins, and what is said of the rest."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erbia.analysis.errors import UsageError
from erbia.analysis.times import (
    MAX_BINS,
    RANGE_LIMIT_PS,
    TIME_LIMIT_PS,
    as_times_ps,
    bins_in,
    check_positive_ps,
    span_ps,
)


@settings(deadline=None)
@given(before=st.integers(1, 20), after=st.integers(1, 20), threads=st.integers(1, 8))
def test_any_number_of_threads_finds_the_first_step_back(before, after, threads):
    t = np.arange(before + after)
    assert as_times_ps(t, "t", threads) is t
    t[before:] -= 2
    with pytest.raises(UsageError, match=f"element {before} "):
        as_times_ps(t, "t", threads)


def test_sound_times_are_not_copied():
    t = np.array([-5, 0, 0, 7], np.int64)
    assert as_times_ps(t, "t") is t
    assert as_times_ps([], "t").dtype == np.int64


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint64])
def test_any_integers_will_do(dtype):
    assert as_times_ps(np.array([1, 2], dtype), "t").tolist() == [1, 2]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([0.5], "t must be integer picoseconds, got float64"),
        ([True], "got bool"),
        (5, "one-dimensional, got 0 axes"),
        ([1, 3, 2], "element 2 .2 ps. is earlier than element 1 .3 ps."),
        ([TIME_LIMIT_PS + 1], "beyond the limit"),
        ([-TIME_LIMIT_PS - 1], "beyond the limit"),
        (np.array([2**64 - 1], np.uint64), "beyond the limit"),
    ],
)
def test_unsound_times_are_refused(values, says):
    with pytest.raises(UsageError, match=says):
        as_times_ps(values, "t")


def test_limits_cannot_overflow():
    assert as_times_ps([-TIME_LIMIT_PS, TIME_LIMIT_PS], "t").tolist() == [-TIME_LIMIT_PS, TIME_LIMIT_PS]
    assert TIME_LIMIT_PS + RANGE_LIMIT_PS < 2**63


@pytest.mark.parametrize("value", [0, -1, RANGE_LIMIT_PS + 1, 1.0, True, "1"])
def test_lengths_are_positive_integers(value):
    with pytest.raises(UsageError, match="window_ps must be"):
        check_positive_ps(value, "window_ps")


def test_bins():
    assert bins_in(100, 1000) == 10
    assert bins_in(np.int64(5), np.int64(5)) == 1
    with pytest.raises(UsageError, match="must be a multiple"):
        bins_in(3, 10)
    assert bins_in(1, MAX_BINS) == MAX_BINS
    with pytest.raises(UsageError, match="widen bin_ps"):
        bins_in(1, MAX_BINS + 1)
    with pytest.raises(UsageError, match="widen bin_ps"):
        bins_in(1, 2**14, axes=2)


def test_span():
    empty = np.empty(0, np.int64)
    assert span_ps() == span_ps(empty) == 0
    assert span_ps(np.array([3, 9]), empty, np.array([-1, 4])) == 10
