"""Live time over blocks, and the memory of recent clicks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erbia.analysis import streaming
from erbia.analysis.errors import UsageError
from erbia.analysis.records import Interval, TagBlock, TimeTags
from erbia.analysis.streaming import LiveTime, Recent, parts


def block(start, stop, times=(), overflow=False, missed=0):
    t = np.array(times, np.int64)
    return TagBlock(TimeTags(t, np.zeros(len(t), np.uint8)), start, stop, "alice", overflow, missed)


def test_overflow_and_gaps_are_not_live():
    live = LiveTime()
    assert len(live.feed(block(0, 10, [1, 9]))) == 2
    assert len(live.feed(block(10, 30))) == 0
    assert len(live.feed(block(30, 35, [31], overflow=True, missed=7))) == 0
    assert len(live.feed(block(50, 60, [50]))) == 1
    live.feed(block(60, 61, overflow=True, missed=-1))
    assert live.live_time_ps == live.live().live_time_ps() == 40
    assert live.missed == 7
    assert live.live().intervals == (Interval(0, 30, "live"), Interval(50, 60, "live"))
    assert live.dead().intervals == (
        Interval(30, 35, "overflow"),
        Interval(35, 50, "gap"),
        Interval(60, 61, "overflow"),
    )


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (block(5, 20), "starts before the last block ended"),
        (block(20, 10), "ends before it starts"),
        (block(10, 20, [20]), "outside its time"),
        (block(10, 20, [9]), "outside its time"),
        (block(10, 20, [15, 14]), "must be sorted"),
    ],
)
def test_blocks_that_do_not_follow_are_refused(bad, says):
    live = LiveTime()
    live.feed(block(0, 10))
    with pytest.raises(UsageError, match=says):
        live.feed(bad)


def test_blocks_of_two_taggers_are_not_mixed():
    live = LiveTime()
    live.feed(block(0, 10))
    with pytest.raises(UsageError, match="of bob was fed to a stream of alice"):
        live.feed(TagBlock(TimeTags.empty(), 10, 20, "bob"))


@settings(deadline=None)
@given(steps=st.lists(st.tuples(st.lists(st.integers(0, 3), max_size=40), st.integers(-5, 60)), max_size=60))
def test_recent_remembers_exactly_the_latest(steps):
    recent, known, now = Recent(), np.empty(0, np.int64), 0
    for gaps, age in steps:
        new = now + np.cumsum(np.array(gaps, np.int64))
        now = int(new[-1]) if len(new) else now
        recent.advance(new, now - age)
        known = np.concatenate([known, new])
        known = known[known >= now - age]
        assert np.array_equal(recent.times_ps, known)


def test_recent_stays_small():
    recent = Recent()
    for start in range(0, 10**6, 1000):
        recent.advance(np.arange(start, start + 1000), start + 500)
    assert len(recent._room) <= 4 * 1500


@given(n=st.integers(0, 20), part=st.integers(1, 7))
def test_parts_are_the_clicks(n, part):
    tags = TimeTags(np.arange(n), np.arange(n).astype(np.uint8))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streaming, "_PART", part)
        found = list(parts(tags))
    assert max(map(len, found)) <= part
    assert np.array_equal(np.concatenate([p.t_ps for p in found]), tags.t_ps)
    assert np.array_equal(np.concatenate([p.channel for p in found]), tags.channel)
    if n <= part:
        assert found[0] is tags
