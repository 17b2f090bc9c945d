"""Start-stop histograms against their definition; streamed the same."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erbia.analysis.errors import UsageError
from erbia.analysis.gated_histogram import (
    GatedHistogramStream,
    gated_histogram,
    gated_histogram_over_time,
    joint_histogram,
)
from erbia.analysis.records import TagBlock, TimeTags

MARKER, A, B = 0, 1, 2


@st.composite
def streams(draw):
    """Clicks on four channels within 300 ps."""
    times = sorted(draw(st.lists(st.integers(0, 300), max_size=40)))
    channel = draw(st.lists(st.integers(0, 3), min_size=len(times), max_size=len(times)))
    origin = draw(st.sampled_from([0, 2**62, -(2**62)]))
    return TimeTags(np.array(times, np.int64) + origin, np.array(channel, np.uint8)), origin


def delays(tags, channel, range_ps):
    """(marker time, delay) of every click that counts."""
    markers = tags.on(MARKER).tolist()
    found = [(max((m for m in markers if m <= t), default=None), t) for t in tags.on(channel).tolist()]
    return [(m, t - m) for m, t in found if m is not None and t - m < range_ps]


@settings(deadline=None)
@given(stream=streams(), bin_ps=st.integers(1, 9), bins=st.integers(1, 6), slice_ps=st.integers(1, 120))
def test_histograms_are_the_definition(stream, bin_ps, bins, slice_ps):
    tags, origin = stream
    axis = {"bin_ps": bin_ps, "range_ps": bin_ps * bins}
    plain, joint = np.zeros(bins, int), np.zeros((bins, bins), int)
    over_time = np.zeros((-(-200 // slice_ps), bins), int)
    for marker, delay in delays(tags, A, bin_ps * bins):
        plain[delay // bin_ps] += 1
        if 50 <= marker - origin < 250:
            over_time[(marker - origin - 50) // slice_ps, delay // bin_ps] += 1
        for other, delay_b in delays(tags, B, bin_ps * bins):
            joint[delay // bin_ps, delay_b // bin_ps] += marker == other
    found = gated_histogram_over_time(
        tags, MARKER, A, **axis, slice_ps=slice_ps, t_start_ps=origin + 50, t_stop_ps=origin + 250
    )
    assert np.array_equal(gated_histogram(tags, MARKER, A, **axis), plain)
    assert np.array_equal(joint_histogram(tags, MARKER, A, B, **axis), joint)
    assert np.array_equal(found, over_time)


@settings(deadline=None)
@given(stream=streams(), clicks=st.sampled_from([(A,), (A, B), (A, A)]), cuts=st.lists(st.integers(0, 301), max_size=8))
def test_stream_equals_batch(stream, clicks, cuts):
    tags, origin = stream
    fed = GatedHistogramStream(MARKER, *clicks, bin_ps=3, range_ps=60)
    marks = [origin + e for e in sorted({0, 301, *cuts})]
    rows = [fed.feed(TagBlock(tags.between(a, b), a, b, "t")) for a, b in itertools.pairwise(marks)]
    batch = gated_histogram if len(clicks) == 1 else joint_histogram
    expected = batch(tags, MARKER, *clicks, bin_ps=3, range_ps=60)
    assert np.array_equal(fed.result(), expected)
    assert (sum(rows) <= expected).all()


def test_a_pair_of_the_same_channel_is_two_different_clicks():
    tags = TimeTags(np.array([0, 1, 5], np.int64), np.array([MARKER, A, A], np.uint8))
    assert joint_histogram(tags, MARKER, A, A, bin_ps=3, range_ps=6).tolist() == [[0, 1], [1, 0]]


def test_clicks_after_an_overflow_wait_for_a_marker():
    fed = GatedHistogramStream(MARKER, A, bin_ps=10, range_ps=100)
    one = TimeTags(np.array([0, 5], np.int64), np.array([MARKER, A], np.uint8))
    late = TimeTags(np.array([25, 31, 33], np.int64), np.array([A, MARKER, A], np.uint8))
    fed.feed(TagBlock(one, 0, 10, "t"))
    fed.feed(TagBlock(TimeTags.empty(), 10, 20, "t", overflow=True))
    fed.feed(TagBlock(late, 20, 40, "t"))
    assert fed.result().tolist() == [2, *[0] * 9]


def test_refusals():
    with pytest.raises(UsageError, match="one or two click channels"):
        GatedHistogramStream(MARKER, bin_ps=1, range_ps=2)
    with pytest.raises(UsageError, match="multiple"):
        gated_histogram(TimeTags.empty(), MARKER, A, bin_ps=2, range_ps=3)
