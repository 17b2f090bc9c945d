"""Two-fold, n-fold and all patterns against their definitions; streamed and threaded the same."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erbia.analysis import streaming
from erbia.analysis.coincidence import CoincidenceStream, count_coincidences, count_pairs
from erbia.analysis.errors import UsageError
from erbia.analysis.records import TagBlock, TimeTags


def definition(tags, channels, window_ps, delays_ps):
    """Every pattern from the words of the definition."""
    delay_of = dict(zip(channels, delays_ps, strict=True))
    clicks = [(int(t) - delay_of[c], c) for t, c in zip(tags.t_ps, tags.channel.tolist(), strict=True) if c in delay_of]
    clicks.sort(key=lambda click: click[0])
    counts = {}
    for a, b in combinations(channels, 2):
        lags = [tb - ta for ta, ca in clicks for tb, cb in clicks if (ca, cb) == (a, b)]
        counts[tuple(sorted((a, b)))] = sum(-window_ps <= 2 * lag < window_ps for lag in lags)
    for size in range(3, len(channels) + 1):
        for group in combinations(channels, size):
            anchored = [
                {c for t, c in clicks[i:] if t - clicks[i][0] < window_ps} >= set(group)
                for i in range(len(clicks))
                if clicks[i][1] in group
            ]
            counts[tuple(sorted(group))] = sum(anchored)
    return counts


@st.composite
def cases(draw):
    times = sorted(draw(st.lists(st.integers(0, 60), max_size=30)))
    origin = draw(st.sampled_from([0, -80, 2**62, -(2**62)]))
    channel = draw(st.lists(st.integers(0, 5), min_size=len(times), max_size=len(times)))
    channels = draw(st.permutations([0, 1, 2, 4]))[: draw(st.integers(2, 4))]
    delays = draw(st.lists(st.integers(-8, 8), min_size=len(channels), max_size=len(channels)))
    tags = TimeTags(np.array(times, np.int64) + origin, np.array(channel, np.uint8))
    return tags, origin, channels, draw(st.integers(1, 15)), draw(st.sampled_from([delays, [0] * len(channels)]))


@settings(deadline=None)
@given(case=cases(), threads=st.integers(1, 3))
def test_batch_is_the_definition(case, threads):
    tags, _, channels, window_ps, delays = case
    found = count_coincidences(tags, channels, window_ps, delays, threads=threads)
    assert found.counts == definition(tags, channels, window_ps, delays)


@settings(max_examples=300, deadline=None)
@given(
    case=cases(),
    cuts=st.lists(st.integers(0, 61), max_size=6),
    lost=st.sets(st.integers(0, 6)),
    part=st.sampled_from([1, 2, 5, 100]),
)
def test_stream_is_the_definition_over_live_clicks(case, cuts, lost, part):
    """Whatever the blocks, and the parts of a block that are worked on at a time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streaming, "_PART", part)
        check_stream(case, cuts, lost)


def check_stream(case, cuts, lost):
    tags, origin, channels, window_ps, delays = case
    stream = CoincidenceStream(channels, window_ps, delays)
    marks = [origin + e for e in sorted({0, 61, *cuts})]
    live = []
    for k, (start, stop) in enumerate(pairwise(marks)):
        stream.feed(TagBlock(tags.between(start, stop), start, stop, "t", k in lost))
        live += [] if k in lost else [tags.between(start, stop)]
        so_far = definition(TimeTags.concatenate(live), channels, window_ps, delays)
        assert stream.result().counts == so_far


@settings(deadline=None)
@given(case=cases(), delay_ps=st.integers(-30, 30))
def test_count_pairs_is_the_definition(case, delay_ps):
    tags, _, (a, b, *_), window_ps, _ = case
    expected = definition(tags, [a, b], window_ps, [0, delay_ps])
    assert count_pairs(tags.on(a), tags.on(b), window_ps=window_ps, delay_ps=delay_ps) == sum(expected.values())


def test_window_edges():
    """Even: -w/2 belongs, w/2 does not. Odd: the window is symmetric in integers."""
    assert [count_pairs([0], [lag], window_ps=4) for lag in (-3, -2, -1, 0, 1, 2)] == [0, 1, 1, 1, 1, 0]
    assert [count_pairs([0], [lag], window_ps=5) for lag in (-3, -2, 0, 2, 3)] == [0, 1, 1, 1, 0]


def test_counts_do_not_depend_on_what_else_is_asked():
    rng = np.random.default_rng(4)
    tags = TimeTags(np.sort(rng.integers(0, 10**6, 5000)), rng.integers(0, 6, 5000).astype(np.uint8))
    every = count_coincidences(tags, range(6), 400).counts
    for group in [(0, 1), (2, 4, 5), (0, 1, 2, 3)]:
        assert count_coincidences(tags, group, 400).counts[group] == every[group]


def test_accidentals_are_what_independent_channels_give():
    """Each pattern within 4.5 sigma: false alarm rate 1e-4 over the 11 patterns."""
    rng = np.random.default_rng(6)
    n, span = 400_000, 10**11
    tags = TimeTags(np.sort(rng.integers(0, span, n)), rng.integers(0, 4, n).astype(np.uint8))
    found = count_coincidences(tags, range(4), 100_000, live_time_ps=span, threads=2)
    assert len(found.counts) == 11
    for pattern, expected in found.accidentals.items():
        # Neighbouring anchors share clicks: each n-fold cluster may count up to n times.
        assert abs(found.counts[pattern] - expected) < 4.5 * len(pattern) * np.sqrt(expected)


@pytest.mark.parametrize(
    ("channels", "window_ps", "delays", "says"),
    [
        ([1], 10, None, "2 to 16 different channels"),
        ([1, 1], 10, None, "2 to 16 different channels"),
        ([1, 300], 10, None, "between 0 and 255"),
        ([1, 2], 0, None, "window_ps must be between 1"),
        ([1, 2], 10, [0], "delays_ps must name a delay for each"),
        ([1, 2], 10, [0, 2**61], "a delay needs"),
    ],
)
def test_refusals_say_what_is_wrong(channels, window_ps, delays, says):
    tags = TimeTags(np.array([1, 2], np.int64), np.array([1, 2], np.uint8))
    with pytest.raises(UsageError, match=says):
        count_coincidences(tags, channels, window_ps, delays)
    with pytest.raises(UsageError, match=says):
        CoincidenceStream(channels, window_ps, delays).feed(TagBlock(tags, 0, 10, "t"))


def test_a_cut_at_every_picosecond_changes_nothing():
    rng = np.random.default_rng(9)
    tags = TimeTags(np.sort(rng.integers(0, 400, 300)), rng.integers(0, 4, 300).astype(np.uint8))
    for delays in ([0, 0, 0], [3, 0, -4]):
        stream = CoincidenceStream([0, 1, 2], 7, delays)
        for start in range(400):
            stream.feed(TagBlock(tags.between(start, start + 1), start, start + 1, "t"))
        assert stream.result().counts == count_coincidences(tags, [0, 1, 2], 7, delays).counts


@pytest.mark.parametrize("delays", [(0, 0), (0, 50)])
def test_stream_remembers_only_the_last_window(delays):
    stream = CoincidenceStream([0, 1], 100, delays)
    rng = np.random.default_rng(1)
    for start in range(0, 10**6, 10**4):
        t = np.sort(rng.integers(start, start + 10**4, 1000))
        stream.feed(TagBlock(TimeTags(t, rng.integers(0, 2, 1000).astype(np.uint8)), start, start + 10**4, "t"))
        counter = stream._counter
        if any(delays):
            assert len(counter._recent_a.times_ps) + len(counter._recent_b.times_ps) < 40
        else:
            assert len(counter._waiting) < 40
