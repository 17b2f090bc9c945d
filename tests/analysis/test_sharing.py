"""Shares cover the work once, in order, whatever the number of threads."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erbia.analysis.errors import UsageError
from erbia.analysis.sharing import in_shares


@settings(deadline=None)
@given(n=st.integers(0, 50), threads=st.integers(1, 8))
def test_shares_tile_the_work(n, threads):
    shares = in_shares(lambda first, stop: list(range(first, stop)), n, threads)
    assert len(shares) == threads
    assert [k for share in shares for k in share] == list(range(n))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_no_threads_is_refused():
    with pytest.raises(UsageError, match="threads must be at least 1, got 0"):
        in_shares(lambda first, stop: None, 10, 0)


def test_an_error_in_a_share_comes_out():
    with pytest.raises(ZeroDivisionError):
        in_shares(lambda first, stop: 1 // 0, 10, 2)
