"""Pairs on any lag axis: the definition, streaming, and the normalisation at long lags."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erbia.analysis.errors import UsageError
from erbia.analysis.log_correlation import LagCorrelationStream, correlate_lags, log_edges
from erbia.analysis.records import TagBlock, TimeTags


@st.composite
def streams(draw):
    times = sorted(draw(st.lists(st.integers(0, 80), max_size=40)))
    channels = draw(st.lists(st.integers(0, 1), min_size=len(times), max_size=len(times)))
    origin = draw(st.sampled_from([0, 2**62, -(2**62)]))
    return TimeTags(np.array(times, np.int64) + origin, np.array(channels, np.uint8)), origin


edge_lists = st.sets(st.integers(-25, 25), min_size=2, max_size=8).map(sorted)


@settings(max_examples=300, deadline=None)
@given(stream=streams(), edges=edge_lists, cuts=st.lists(st.integers(0, 81), max_size=8), other=st.integers(0, 1))
def test_batch_and_stream_are_the_definition(stream, edges, cuts, other):
    tags, origin = stream
    a, b = tags.on(0), tags.on(other)
    lags = [int(y) - int(x) for i, x in enumerate(a) for j, y in enumerate(b) if other or i != j]
    expected = [sum(low <= lag < high for lag in lags) for low, high in itertools.pairwise(edges)]
    fed = LagCorrelationStream(0, other, edges)
    marks = [origin + e for e in sorted({0, 81, *cuts})]
    for start, stop in itertools.pairwise(marks):
        fed.feed(TagBlock(tags.between(start, stop), start, stop, "t"))
    assert fed.result().counts.tolist() == expected
    if other:
        assert correlate_lags(a, b, edges).counts.tolist() == expected


def test_g2_of_independent_light_is_one_up_to_lags_as_long_as_the_measurement():
    """Every bin within 4.5 sigma: false alarm rate 1e-4 for the 15 bins."""
    rng = np.random.default_rng(8)
    span = 10**9
    t_a, t_b = (np.sort(rng.integers(0, span, 20_000)) for _ in range(2))
    found = correlate_lags(t_a, t_b, log_edges(10**6, 9 * 10**8, 5), live_time_ps=span)
    # Pairs share clicks: at long lags the singles of the overlapping part add to the Poisson variance.
    sigma = np.sqrt(1 / found.counts + 4 / 20_000)
    assert (np.abs(found.g2() - 1) < 4.5 * sigma).all()


def test_edges():
    edges = log_edges(10, 10**6, 4)
    assert edges[0] == 10
    assert edges[-1] == 10**6
    assert len(edges) == 21
    assert (np.diff(edges) > 0).all()
    assert log_edges(1, 4, 50).tolist() == [1, 2, 3, 4]
    with pytest.raises(UsageError, match="first_ps"):
        log_edges(0, 10, 4)


@pytest.mark.parametrize("edges", [[1], [1, 1], [2, 1], [1.0, 2.0], [-(2**61), 0]])
def test_bad_edges_are_refused(edges):
    with pytest.raises(UsageError, match="edges_ps"):
        correlate_lags([1], [1], edges)
