"""Blocks made from blocks: the clicks of the batch operation, and nothing live that was not live before."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erbia.analysis.errors import UsageError
from erbia.analysis.rates import RateStream
from erbia.analysis.records import Interval, TagBlock, TimeTags, ValidityMask
from erbia.analysis.tag_streams import DelayStream, MergeStream, gate_block
from erbia.analysis.tags import delay, gate, merge

SPAN = 80


@st.composite
def streams(draw, first_channel=0):
    times = sorted(draw(st.lists(st.integers(0, SPAN - 1), max_size=30)))
    channel = draw(st.lists(st.integers(first_channel, first_channel + 2), min_size=len(times), max_size=len(times)))
    return TimeTags(np.array(times, np.int64), np.array(channel, np.uint8))


cut_lists = st.lists(st.integers(0, SPAN), max_size=6)


def blocks(tags, cuts, source="alice", lost=()):
    edges = sorted({0, SPAN, *cuts})
    return [
        TagBlock(tags.between(a, b), a, b, source, k in lost, 5 if k in lost else 0)
        for k, (a, b) in enumerate(itertools.pairwise(edges))
    ]


def assert_same(found, expected):
    assert np.array_equal(found.t_ps, expected.t_ps)
    assert np.array_equal(found.channel, expected.channel)


def assert_adjoining(out):
    assert all(a.t_stop_ps == b.t_start_ps for a, b in itertools.pairwise(out))
    assert all(b.t_start_ps <= t < b.t_stop_ps for b in out for t in b.tags.t_ps.tolist())


@settings(deadline=None)
@given(tags=streams(), cuts=cut_lists, delays=st.dictionaries(st.integers(0, 2), st.integers(-30, 30)))
def test_delay_stream_equals_batch(tags, cuts, delays):
    stream = DelayStream(delays)
    out = [stream.feed(b) for b in blocks(tags, cuts)]
    out.append(stream.finish())
    assert_adjoining(out)
    assert_same(TimeTags.concatenate(b.tags for b in out), delay(tags, delays))


@settings(deadline=None)
@given(
    one=streams(),
    two=streams(10),
    cuts=st.tuples(cut_lists, cut_lists),
    order=st.lists(st.booleans(), min_size=20, max_size=20),
)
def test_merge_stream_equals_batch_in_any_order_of_arrival(one, two, cuts, order):
    queues = [blocks(one, cuts[0], "alice"), blocks(two, cuts[1], "bob")]
    stream = MergeStream("alice", "bob")
    out = []
    for first in [*order, *[False, True] * 10]:
        if queues[first]:
            out.append(stream.feed(queues[first].pop(0)))
    out = [b for b in out if b is not None]
    assert_adjoining(out)
    assert out[-1].t_stop_ps == SPAN
    assert_same(TimeTags.concatenate(b.tags for b in out), merge(one, two))


@settings(deadline=None)
@given(tags=streams(), cuts=cut_lists, edges=st.sets(st.integers(-5, SPAN + 5), max_size=6).map(sorted))
def test_gated_pieces_equal_batch(tags, cuts, edges):
    mask = ValidityMask(tuple(Interval(a, b) for a, b in zip(edges[::2], edges[1::2], strict=False)))
    pieces = [piece for b in blocks(tags, cuts) for piece in gate_block(b, mask)]
    assert_same(TimeTags.concatenate(p.tags for p in pieces), gate(tags, mask))
    rates = RateStream()
    for piece in pieces:
        rates.feed(piece)
    inside = sum(max(0, min(b, SPAN) - max(a, 0)) for a, b in zip(edges[::2], edges[1::2], strict=False))
    assert rates.live_time.live_time_ps == inside


@settings(deadline=None)
@given(
    tags=streams(),
    cuts=cut_lists,
    lost=st.integers(0, 6),
    delays=st.dictionaries(st.integers(0, 2), st.integers(-30, 30)),
)
def test_what_a_loss_can_reach_is_not_live(tags, cuts, lost, delays):
    stream = DelayStream(delays)
    given_blocks = blocks(tags, cuts, lost={lost})
    out = [*map(stream.feed, given_blocks), stream.finish()]
    if lost >= len(given_blocks):
        assert not any(b.overflow for b in out)
        return
    dead = given_blocks[lost]
    shifts = [0, *delays.values()]
    for b in out:
        reached = any(b.t_start_ps < dead.t_stop_ps + s and dead.t_start_ps + s < b.t_stop_ps for s in shifts)
        assert b.overflow or not reached
    assert sum(b.missed for b in out) == 5


def test_a_loss_or_gap_of_one_tagger_marks_the_merged_block():
    stream = MergeStream("alice", "bob")
    empty = TimeTags.empty()
    assert stream.feed(TagBlock(empty, 0, 100, "alice")) is None
    assert not stream.feed(TagBlock(empty, 10, 20, "bob")).overflow
    lossy = stream.feed(TagBlock(empty, 20, 30, "bob", True, 3))
    assert (lossy.t_start_ps, lossy.t_stop_ps, lossy.overflow, lossy.missed) == (20, 30, True, 3)
    gap = stream.feed(TagBlock(empty, 35, 40, "bob"))
    assert (gap.t_start_ps, gap.t_stop_ps, gap.overflow) == (30, 40, True)


def test_merging_refuses_strangers():
    with pytest.raises(UsageError, match="two or more different"):
        MergeStream("alice", "alice")
    with pytest.raises(UsageError, match="no tagger 'eve'"):
        MergeStream("alice", "bob").feed(TagBlock(TimeTags.empty(), 0, 1, "eve"))
