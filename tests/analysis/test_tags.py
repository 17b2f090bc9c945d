"""Streams made from others: selecting, merging, delaying, gating."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erbia.analysis.errors import UsageError
from erbia.analysis.records import Interval, TimeTags, ValidityMask
from erbia.analysis.tags import delay, gate, merge, select, select_shared, share


@st.composite
def streams(draw, first_channel=0):
    times = sorted(draw(st.lists(st.integers(0, 100), max_size=30)))
    channel = draw(st.lists(st.integers(first_channel, first_channel + 3), min_size=len(times), max_size=len(times)))
    return TimeTags(np.array(times, np.int64), np.array(channel, np.uint8))


def pairs(tags):
    return list(zip(tags.t_ps.tolist(), tags.channel.tolist(), strict=True))


@settings(deadline=None)
@given(tags=streams(), channel=st.integers(0, 4))
def test_select(tags, channel):
    assert np.array_equal(select(tags, channel), tags.on(channel))


def test_what_is_shared_is_worked_out_once_and_by_object():
    tags = TimeTags(np.array([1, 2, 3]), np.array([1, 2, 1], np.uint8))
    again = TimeTags(tags.t_ps, tags.channel)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: select_shared(tags, 1), range(50)))
    assert all(times is found[0] for times in found)
    assert found[0].tolist() == [1, 3]
    assert select_shared(tags, 2).tolist() == [2]
    assert share(again, ("on", 1), lambda: "its own") == "its own"
    assert "derived" not in repr(tags)


@settings(deadline=None)
@given(one=streams(), two=streams(10), three=streams(20))
def test_merge_is_a_stable_sort(one, two, three):
    expected = sorted(pairs(one) + pairs(two) + pairs(three), key=lambda click: click[0])
    assert pairs(merge(one, two, three)) == expected
    assert len(merge()) == 0


@settings(deadline=None)
@given(tags=streams(), delays=st.dictionaries(st.integers(0, 3), st.sampled_from([-(10**9), -7, 0, 12, 10**9])))
def test_delay_is_a_stable_sort(tags, delays):
    expected = sorted(((t + delays.get(c, 0), c) for t, c in pairs(tags)), key=lambda click: click[0])
    assert pairs(delay(tags, delays)) == expected


def test_delay_over_thousands_of_clicks():
    rng = np.random.default_rng(1)
    tags = TimeTags(np.sort(rng.integers(0, 10**6, 20_000)), rng.integers(0, 3, 20_000).astype(np.uint8))
    found = delay(tags, {1: 300_000})
    order = np.argsort(tags.t_ps + 300_000 * (tags.channel == 1), kind="stable")
    assert np.array_equal(found.channel, tags.channel[order])


@settings(deadline=None)
@given(tags=streams(), edges=st.sets(st.integers(-5, 110), max_size=8).map(sorted))
def test_gate_keeps_what_the_mask_contains(tags, edges):
    mask = ValidityMask(tuple(Interval(a, b) for a, b in zip(edges[::2], edges[1::2], strict=False)))
    kept = mask.contains(tags.t_ps)
    assert pairs(gate(tags, mask)) == [click for click, inside in zip(pairs(tags), kept, strict=True) if inside]


def test_refusals():
    backwards = TimeTags(np.array([2, 1], np.int64), np.zeros(2, np.uint8))
    for operation in (merge, lambda t: delay(t, {0: 1}), lambda t: gate(t, ValidityMask(()))):
        with pytest.raises(UsageError, match="must be sorted"):
            operation(backwards)
    for bad in ({256: 0}, {0: 2**61}):
        with pytest.raises(UsageError, match="a delay needs a channel"):
            delay(TimeTags.empty(), bad)
