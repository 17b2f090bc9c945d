"""Batch, streamed, sliced and threaded correlation give the counts of the definition."""

import itertools
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erbia.analysis import streaming
from erbia.analysis.correlation import CorrelationStream, autocorrelate, combine, correlate, correlate_slice
from erbia.analysis.errors import UsageError
from erbia.analysis.records import TagBlock, TimeTags

ORIGINS = st.sampled_from([0, -150, 2**62, -(2**62)])


def definition(t_a, t_b, bin_ps, range_ps):
    lags = [int(b) - int(a) for a in t_a for b in t_b]
    return [sum(edge <= lag < edge + bin_ps for lag in lags) for edge in range(-range_ps, range_ps, bin_ps)]


@st.composite
def streams(draw):
    """Clicks on channels 0…2 within 300 ps, with many equal times."""
    times = sorted(draw(st.lists(st.integers(0, 300), max_size=40)))
    origin = draw(ORIGINS)
    channels = draw(st.lists(st.integers(0, 2), min_size=len(times), max_size=len(times)))
    return TimeTags(np.array(times, np.int64) + origin, np.array(channels, np.uint8)), origin


def blocks(tags, origin, cuts, lost=()):
    """The stream cut at the given offsets; the blocks whose number is in ``lost`` overflowed."""
    edges = sorted({0, 301, *cuts})
    return [
        TagBlock(tags.between(origin + a, origin + b), origin + a, origin + b, "t", k in lost)
        for k, (a, b) in enumerate(itertools.pairwise(edges))
    ]


cuts_of = st.lists(st.integers(0, 301), max_size=8)


@settings(deadline=None)
@given(stream=streams(), bin_ps=st.integers(1, 9), half=st.integers(1, 6), threads=st.integers(1, 3))
def test_correlate_is_the_definition(stream, bin_ps, half, threads):
    tags, _ = stream
    found = correlate(tags.on(0), tags.on(1), bin_ps=bin_ps, range_ps=bin_ps * half, threads=threads)
    assert found.counts.tolist() == definition(tags.on(0), tags.on(1), bin_ps, bin_ps * half)
    assert found.lag_ps.tolist() == list(range(-bin_ps * half, bin_ps * half, bin_ps))
    assert (found.singles_a, found.singles_b) == (len(tags.on(0)), len(tags.on(1)))


@settings(deadline=None)
@given(stream=streams(), bin_ps=st.integers(1, 9), half=st.integers(1, 6))
def test_autocorrelation_leaves_out_only_the_click_itself(stream, bin_ps, half):
    t = stream[0].t_ps
    expected = definition(t, t, bin_ps, bin_ps * half)
    expected[half] -= len(t)
    assert autocorrelate(t, bin_ps=bin_ps, range_ps=bin_ps * half).counts.tolist() == expected


@settings(deadline=None)
@given(
    stream=streams(),
    cuts=cuts_of,
    lost=st.sets(st.integers(0, 8)),
    other=st.sampled_from([0, 1]),
    range_ps=st.integers(1, 80),
    part=st.sampled_from([1, 3, 100]),
)
def test_stream_equals_batch_over_live_clicks(stream, cuts, lost, other, range_ps, part):
    """Whatever the blocks, and the parts of a block that are worked on at a time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streaming, "_PART", part)
        check_stream(stream, cuts, lost, other, range_ps)


def check_stream(stream, cuts, lost, other, range_ps):
    tags, origin = stream
    fed = CorrelationStream(0, other, bin_ps=1, range_ps=range_ps)
    given_blocks = blocks(tags, origin, cuts, lost)
    for block in given_blocks:
        fed.feed(block)
    live = [b for b in given_blocks if not b.overflow]
    kept = TimeTags.concatenate([b.tags for b in live])
    batch = autocorrelate if other == 0 else correlate
    arguments = (kept.on(0),) if other == 0 else (kept.on(0), kept.on(1))
    expected = batch(
        *arguments, bin_ps=1, range_ps=range_ps, live_time_ps=sum(b.t_stop_ps - b.t_start_ps for b in live)
    )
    found = fed.result()
    assert np.array_equal(found.counts, expected.counts)
    assert (found.live_time_ps, found.singles_a, found.singles_b) == (
        expected.live_time_ps,
        expected.singles_a,
        expected.singles_b,
    )


@settings(deadline=None)
@given(stream=streams(), cuts=cuts_of, channel_b=st.integers(0, 2))
def test_slices_add_up(stream, cuts, channel_b):
    tags, origin = stream
    edges = [origin + e for e in sorted({0, 301, *cuts})]
    parts = [
        correlate_slice(tags.between(a - 20, b + 20), 0, channel_b, a, b, bin_ps=2, range_ps=20)
        for a, b in itertools.pairwise(edges)
    ]
    whole = correlate_slice(tags, 0, channel_b, edges[0], edges[-1], bin_ps=2, range_ps=20)
    total = combine(parts)
    assert np.array_equal(total.counts, whole.counts)
    assert (total.singles_a, total.singles_b, total.live_time_ps) == (whole.singles_a, whole.singles_b, 301)


@pytest.mark.parametrize(("range_ps", "bin_ps"), [(2_000, 10), (200_000, 100), (2**31, 2**10)])
def test_every_kernel_streamed_and_threaded(range_ps, bin_ps):
    """Narrow, wide and long windows over a stream of several blocks and parts."""
    rng = np.random.default_rng(11)
    n, span = (20_000, 20_000_000) if range_ps < 2**31 else (300, 2**33)
    tags = TimeTags(np.sort(rng.integers(0, span, n)), rng.integers(0, 2, n).astype(np.uint8))
    one = correlate(tags.on(0), tags.on(1), bin_ps=bin_ps, range_ps=range_ps)
    low, high = (np.searchsorted(tags.on(1), tags.on(0) + edge) for edge in (-range_ps, range_ps))
    assert one.counts.sum() == (high - low).sum()
    fed = CorrelationStream(0, 1, bin_ps=bin_ps, range_ps=range_ps)
    edges = np.sort(np.append(rng.integers(0, span, 5), [0, span]))
    for a, b in itertools.pairwise(edges):
        fed.feed(TagBlock(tags.between(a, b), int(a), int(b), "t"))
    two = correlate(tags.on(0), tags.on(1), bin_ps=bin_ps, range_ps=range_ps, threads=2)
    for other in (two, fed.result()):
        assert np.array_equal(one.counts, other.counts)


def test_uncorrelated_light_has_g2_of_one():
    """4 sigma: false alarm rate 6e-5 for the mean of all bins."""
    rng = np.random.default_rng(2)
    t_a, t_b = (np.sort(rng.integers(0, 10**10, 50_000)) for _ in range(2))
    histogram = correlate(t_a, t_b, bin_ps=1000, range_ps=100_000, live_time_ps=10**10)
    assert abs(histogram.g2().mean() - 1) < 4 / np.sqrt(histogram.counts.sum())


@pytest.mark.parametrize(
    ("t_a", "arguments", "says"),
    [
        ([1.0, 2.0], {}, "t_a_ps must be integer picoseconds, got float64"),
        ([3, 2], {}, "element 1 .2 ps. is earlier"),
        ([[1]], {}, "one-dimensional"),
        ([2**63 - 1], {}, "beyond the limit"),
        ([1], {"bin_ps": 0}, "bin_ps must be between 1"),
        ([1], {"bin_ps": 2.0}, "bin_ps must be an integer"),
        ([1], {"range_ps": -10}, "range_ps must be between 1"),
        ([1], {"range_ps": 15}, "must be a multiple of bin_ps"),
        ([1], {"bin_ps": 1, "range_ps": 2**40}, "widen bin_ps"),
        ([1], {"threads": 0}, "threads must be at least 1"),
    ],
)
def test_refusals_say_what_is_wrong(t_a, arguments, says):
    with pytest.raises(UsageError, match=says):
        correlate(t_a, [1], **{"bin_ps": 10, "range_ps": 20, **arguments})


def test_unsigned_and_short_integers_are_welcome():
    for dtype in (np.uint64, np.int32, np.uint16):
        assert correlate(np.array([5], dtype), [5], bin_ps=1, range_ps=1).counts.tolist() == [0, 1]


def test_combine_refuses_different_bins():
    one = correlate([1], [1], bin_ps=1, range_ps=2)
    for others in ([], [one, correlate([1], [1], bin_ps=2, range_ps=4)]):
        with pytest.raises(UsageError, match="combine"):
            combine(others)


def test_importing_analysis_modules_does_not_load_numba():
    import subprocess

    names = "correlation, coincidence, heralds, gating, rates, tags, log_correlation"
    code = f"import sys; from erbia.analysis import {names}; assert 'numba' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
